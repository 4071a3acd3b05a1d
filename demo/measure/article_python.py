# SPDX-License-Identifier: MIT
"""
article_python.py BUILD [CSV]: the article's steps in Python as it is today (demo/article), three times each:
under Python's own tracemalloc; under the recorder, with PYTHONMALLOC=malloc, since it sees what is asked of
malloc; and by itself, for resident memory.  Exit status 1 where the two ought to agree and do not.
"""
import os
import re

import figures
import page
from recorder import mib, varying

PYTHON = "/usr/bin/python3"
FIXED = {"PYTHONHASHSEED": "0"}     # else figures differ a little from run to run
STEPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "article")

# What they are called, and what is imported.
EXTENSIONS = {"numpy": "numpy", "pandas": "pandas", "sqlite3": "sqlite3", "lxml": "lxml.etree"}

# lxml needs a kilobyte for an element; so many rows will do.
LXML_ROWS = 100_000

# What was left from the start, to be used again, is not quite the same in both runs.
AGREE = 4 * 1024


def printed(out):
    """What a step said: lines of a name and a number."""
    return {name: int(value) for name, value in re.findall(r"^(.+): (\d+)$", out, re.MULTILINE)}


class Step:
    """A script with its arguments, run as often as is needed."""

    def __init__(self, recorder, script, *arguments):
        self.recorder, self.argv = recorder, [os.path.join(STEPS, script), *arguments]

    def plain(self):
        return printed(self.recorder.run([PYTHON, "-B", *self.argv], FIXED))

    def by_tracemalloc(self):
        return printed(self.recorder.run([PYTHON, "-B", "-X", "tracemalloc", *self.argv], FIXED))

    def recorded(self):
        """Bytes between the two snapshots: `current`, `peak`; and by module, `modules`."""
        trace, _ = self.recorder.record([PYTHON, "-B", *self.argv], dict(FIXED, PYTHONMALLOC="malloc"))
        empty, loaded = (self.recorder.report(f"{trace}@{label}", "--group-by", "module") for label in
                         ("empty", "loaded"))
        return {"current": loaded["totals"]["current_bytes"] - empty["totals"]["current_bytes"],
                "peak": loaded["totals"]["peak_bytes"] - empty["totals"]["current_bytes"],
                "modules": growth(empty, loaded)}


def growth(empty, loaded):
    """By module: how much more it holds."""
    modules = {}
    for report, sign in ((loaded, 1), (empty, -1)):
        for site in report["sites"]:
            name = os.path.basename(site["frames"][0]["module"] or "?") if site["frames"] else "?"
            modules[name] = modules.get(name, 0) + sign * site["current_bytes"]
    return modules


def show_sizes(recorder, _):
    sizes = Step(recorder, "sizes.py").plain()
    rows = [(name, figures.RECORD[name], str(sizes[name])) for name in ("dict", "list", "tuple")]
    rows.append(("instance, its dictionary", figures.RECORD["instance"],
                 f"{sizes['instance']} + {sizes['its dictionary']}"))
    rows.extend((name, "", str(sizes[name])) for name in ("namedtuple", "slots"))
    rows.extend((name, str(then), str(sizes[name])) for name, then in
                (("string of four characters", figures.STRING), ("int", figures.INT),
                 ("float", figures.FLOAT)))
    print(f"sys.getsizeof, in bytes{'article':>16}{'today':>12}")
    for name, then, now in rows:
        print(f"  {name:<25}{then:>12}{now:>12}")
    return True


def show_unique(recorder, csv):
    step = Step(recorder, "unique.py", csv)
    found = step.by_tracemalloc()
    recorded = step.recorded()["current"]
    print(f"The rows as dictionaries{'article':>15}{'today':>16}")
    for name, then, now in (
            ("getsizeof of each object", figures.SUM_OF_SIZES, found["sum of sizes"]),
            ("tracemalloc", figures.TRACED, found["current"]),
            ("the recorder", None, recorded),
            ("strings of routes", figures.ROUTE_OBJECTS, found["route objects"]),
            ("... of so many values", figures.ROUTE_VALUES, found["route values"])):
        print(f"  {name:<25}{'' if then is None else f'{then:,}':>12}{now:>16,}")
    return abs(recorded - found["current"]) <= AGREE


def show_rows(recorder, csv):
    """False: what tracemalloc and the recorder say of Python's objects differs by more than buffers."""
    print(f"{'':<12}{'article':>9}{'tracemalloc':>14}{'':>9}{'the recorder':>14}{'more':>8}{'peak':>14}"
          f"{'RSS':>9}")
    print(f"{'':<12}{'MiB':>9}{'bytes':>14}{'MiB':>9}{'bytes':>14}{'bytes':>8}{'bytes':>14}{'MiB':>9}")
    right, held = True, {}
    for name, then in figures.AFTER_LOADING.items():
        step = Step(recorder, "rows.py", name, csv)
        traced, recorded, resident = step.by_tracemalloc(), step.recorded(), step.plain()["resident"]
        more = recorded["current"] - traced["current"]
        right, held[name] = right and abs(more) <= AGREE, recorded["current"]
        print(f"{name:<12}{then:>9}{traced['current']:>14,}{mib(traced['current']):>9}"
              f"{recorded['current']:>14,}{more:>8,}{recorded['peak']:>14,}{varying(mib(resident)):>9}"
              f"{'' if abs(more) <= AGREE else '  DIFFERS'}")
    print("order there:", figures.order_there())
    print("order today:", figures.order(held))
    return right


def first_rows(recorder, csv, rows):
    path = recorder.path("first.csv")
    with open(csv, encoding="ascii") as file, open(path, "w", encoding="ascii") as out:
        for _, line in zip(range(rows + 1), file):
            out.write(line)
    return path


def show_extension(name, step):
    traced, recorded, resident = step.by_tracemalloc(), step.recorded(), step.plain()["resident"]
    holder = max(recorded["modules"], key=recorded["modules"].get)
    unseen, at_peak = (recorded[moment] - traced[moment] for moment in ("current", "peak"))
    print(f"{name:<8}{traced['current']:>12,}{traced['peak']:>12,}{recorded['current']:>13,}"
          f"{recorded['peak']:>13,}{unseen:>13,}{at_peak:>12,}"
          f"{varying(mib(resident)):>8}  {holder.split('.')[0]}")


def show_extensions(recorder, csv):
    print("What extensions in C have in memory, in bytes: after loading, and the most until then")
    print(f"{'':<8}{'tracemalloc':>12}{'peak':>12}{'the recorder':>13}{'peak':>13}{'unseen':>13}"
          f"{'at peak':>12}{'RSS MiB':>8}  most is held by")
    for name, module in EXTENSIONS.items():
        if not recorder.succeeds([PYTHON, "-c", f"import {module}"]):
            print(f"{name:<8} is not installed")
            continue
        file = first_rows(recorder, csv, LXML_ROWS) if name == "lxml" else csv
        show_extension(name, Step(recorder, "extensions.py", name, file))
    print(f"  Of pandas.read_csv the article's tracemalloc saw {figures.PANDAS_TRACED:,} bytes of "
          f"{figures.PANDAS_USED:,}.  Today numpy announces\n"
          "  its arrays, and pandas with it: what is unseen of these is gone when all is loaded.  sqlite3 and "
          "libxml2\n"
          f"  announce nothing.  Of lxml these are the first {LXML_ROWS:,} rows.")
    return True


def show_all(recorder, csv):
    """False: the two do not agree."""
    print(recorder.run([PYTHON, "--version"]).strip())
    right = True
    for show in (show_sizes, show_unique, show_rows, show_extensions):
        print()
        right = show(recorder, csv) and right
    return right


if __name__ == "__main__":
    page.run_steps(__doc__, "make article-python", show_all)
