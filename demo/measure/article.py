# SPDX-License-Identifier: MIT
"""
article.py BUILD [CSV]: the demo over the file, in every representation, under the recorder; the figures
beside those of the article, and what follows from the definition of each, to the byte.  Exit status 1 if the
recorder has counted anything else, or if an order is another than the article's for no known reason.
"""
import os
import re

import definitions
import figures
import page
from definitions import Held
from recorder import Failed, mib, varying

NAMES = tuple(figures.AFTER_LOADING)
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

# Why two of them stand in another order than in the article, or level: the first is the larger one there.
OTHER_ORDER = {
    ("instance", "list"):
        "Python's instance had a dictionary of its own, of 192 bytes.  In C the class knows the keys,\n"
        "    and an object has 56 bytes; the list, with room for 8 pointers, 88",
    ("tuple", "slots"):
        "a Python object says of which type it is, and a tuple how long.  In C the compiler knows:\n"
        "    32 bytes, both",
}


class Measured:
    """One representation, as the recorder saw it."""

    def __init__(self, recorder, name, csv):
        argv = [f"{recorder.build}/demo", "--as", name]
        trace, out = recorder.record(argv + ["--sizes", csv])
        self.sizes = [int(number) for number in re.findall(r"\d+", out[out.index("First row:"):])]
        self.loaded = recorder.report(f"{trace}@loaded", "--sort", "current")
        end = recorder.report(trace)
        self.name, self.peak = name, end["totals"]["peak_bytes"]
        totals = self.loaded["totals"]
        self.current = Held(totals["current_bytes"], totals["current_blocks"])
        self.resident = recorder.resident(argv + [csv])

    def top_site(self):
        """The share of the site that holds most, and the innermost of its frames that is the demo's own."""
        site = self.loaded["sites"][0]
        frame = next((frame for frame in site["frames"] if (frame["file"] or "").startswith("demo/")), None)
        where = f"{frame['function']} {frame['file']}:{frame['line']}" if frame else "(none of its own)"
        return f"{100 * site['current_bytes'] / self.current.size:.0f} % {where}"

    def blocks_made_at(self, function, text, within=None):
        """
        Live blocks of the sites that have a frame in the function at a line with that text; and, if `within`
        is given, whose innermost frame of the demo is at a line with that.
        """
        return sum(site["current_blocks"] for site in self.loaded["sites"]
                   if any(frame["function"] == function and text in source_line(frame)
                          for frame in site["frames"])
                   and (not within or within in innermost_line(site)))


def source_line(frame):
    if not (frame["file"] or "").startswith("demo/"):
        return ""
    with open(os.path.join(TOP, frame["file"]), encoding="utf-8") as file:
        return file.read().splitlines()[frame["line"] - 1]


def innermost_line(site):
    return next(filter(None, map(source_line, site["frames"])), "")


def show_table(measured, facts):
    print(f"{'':<11}{'article':>8}{'after loading':>23}{'peak':>7}{'':>11}{'bytes':>7}{'RSS, not':>10}  "
          "holds most after loading:")
    print(f"{'':<11}{'MiB':>8}{'MiB':>8}{'bytes':>15}{'MiB':>7}{'blocks':>11}{'a row':>7}{'traced':>10}  "
          "share, function, line")
    for name in NAMES:
        of = measured[name]
        print(f"{name:<11}{figures.AFTER_LOADING[name]:>8}{mib(of.current.size):>8}{of.current.size:>15,}"
              f"{mib(of.peak):>7}{of.current.blocks:>11,}{of.current.size / facts.rows:>7.1f}"
              f"{varying(mib(of.resident)):>10}  {of.top_site()}")
    return True


def show_order(measured, _):
    """False: an order has no reason."""
    print("order there:", figures.order_there())
    print("order here: ", figures.order({name: measured[name].current.size for name in NAMES}))
    explained = True
    for place, larger in enumerate(NAMES):
        for smaller in NAMES[place + 1:]:
            if measured[larger].current.size <= measured[smaller].current.size:
                reason = OTHER_ORDER.get((larger, smaller))
                explained = explained and bool(reason)
                print(f"  {larger}, {smaller}: {reason or 'NO REASON IS KNOWN'}")
    return explained


def compare(label, found, expected, why):
    """One line; False if they differ."""
    verdict = "" if found == expected else f"  DIFFERS: {found.size:,} in {found.blocks:,} blocks"
    print(f"  {label:<20}{expected.size:>13,}{expected.blocks:>11,}  {why}{verdict}".rstrip())
    return found == expected


def split_buckets(name, found, expected):
    """Of the hash of a cache only the number of buckets is not known beforehand: it is what is left over."""
    buckets = found - expected
    if not definitions.are_buckets(buckets):
        raise Failed(f"{name}: {buckets.size} bytes in {buckets.blocks} blocks more than follows from its "
                     "definition: these are not the buckets of a hash")
    return buckets


def show_definitions(measured, facts):
    """False: a figure is another than the definition says."""
    reading = measured["stream"].current
    print("After loading, less what reading takes, which is all that stream has "
          f"({reading.size:,} bytes in {reading.blocks} blocks):\n"
          "bytes and blocks that follow from the definitions and the file, and that the recorder counted")
    right = True
    for name, expected in definitions.held(facts).items():
        found, why = measured[name].current - reading, ""
        if name in ("cached", "columns"):
            buckets = split_buckets(name, found, expected)
            expected += buckets
            why = f"{buckets.size // definitions.HASH_BUCKET:,} buckets of the hash included"
        right = compare(name, found, expected, why) and right
    return right


def show_differences(measured, facts):
    """As show_definitions."""
    print("The differences and their causes, to the byte")
    right, buckets = True, {}
    for name in ("cached", "columns"):
        found = measured[name].current - measured["stream"].current
        buckets[name] = split_buckets(name, found, definitions.held(facts)[name])
    for larger, smaller, expected, why in definitions.differences(facts):
        expected += buckets.get(larger, definitions.NOTHING) - buckets.get(smaller, definitions.NOTHING)
        found = measured[larger].current - measured[smaller].current
        right = compare(f"{larger} - {smaller}", found, expected, why) and right
    return right


def show_sizes(measured, facts):
    """As show_definitions."""
    print("The first row's record, and all blocks that are its alone: bytes asked for, and given by malloc")
    print(f"{'':<13}{'getsizeof':>12}{'record':>10}{'given':>8}{'blocks':>9}{'sum':>8}{'given':>8}")
    print(f"{'':<13}{'there':>12}")
    right = True
    for name, (record, blocks) in definitions.of_first_record(facts).items():
        asked, given, count, all_asked, all_given = measured[name].sizes
        same = (asked, count, all_asked) == (record.size, blocks.blocks, blocks.size)
        print(f"  {name:<11}{figures.RECORD.get(name, ''):>12}{asked:>10}{given:>8}{count:>9}{all_asked:>8}"
              f"{all_given:>8}"
              f"{'' if same else f'  DIFFERS: {record.size}, {blocks.size} in {blocks.blocks} blocks'}")
        right = right and same
    return right


def show_sharing(measured, facts):
    """As show_definitions."""
    slots = measured["slots"].blocks_made_at("slots_add", "text[ROUTE]")
    cached = measured["cached"].blocks_made_at("cached_add", "text[ROUTE]", within="malloc(sizeof *entry")
    values = len(facts.values["route"])
    print(f"{'Strings of routes':<21}{'blocks':>13}{'values':>11}")
    print(f"  {'slots':<19}{slots:>13,}{values:>11,}  one for each row")
    print(f"  {'cached':<19}{cached:>13,}{values:>11,}")
    print(f"  {'the article':<19}{figures.ROUTE_OBJECTS:>13,}{figures.ROUTE_VALUES:>11,}  "
          "objects; a string of one character Python keeps once")
    return (slots, cached) == (facts.rows, values)


SECTIONS = (show_table, show_order, show_definitions, show_differences, show_sizes, show_sharing)


def show_all(recorder, csv):
    """False: something is not as it should be."""
    facts = definitions.Facts(csv)
    measured = {name: Measured(recorder, name, csv) for name in NAMES}
    right = True
    for section in SECTIONS:
        if section is not SECTIONS[0]:
            print()
        right = section(measured, facts) and right
    return right


if __name__ == "__main__":
    page.run_steps(__doc__, "make article", show_all)
