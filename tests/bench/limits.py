# SPDX-License-Identifier: MIT
"""The limits that we set ourselves: a table of what is computed from the results, and what it should be."""
import statistics

KIB = 1024


class Figures:
    """The results of a run, by short names.  What was not measured raises KeyError."""

    def __init__(self, results):
        self.rows, self.shapes = results["rows"], results["shapes"]

    def of(self, row, tool, figure):
        return self.rows[row]["tools"][tool][figure]

    def ratio(self, row, figure="cpu"):
        """Traced to untraced."""
        return self.of(row, "ours", figure) / self.of(row, "untraced", figure)

    def added(self, row, tool="ours", figure="cpu"):
        return self.of(row, tool, figure) - self.of(row, "untraced", figure)

    def peer(self, row, name="heaptrack"):
        """What the peer adds, in multiples of ours."""
        return self.added(row, name) / self.added(row)

    def event_ns(self, row):
        return self.added(row) / self.rows[row]["n"] * 1e9

    def scaling_kept(self, sites):
        """Throughput of two threads over that of one: traced, as a part of untraced."""
        def throughput(tool, threads):
            return self.of(f"{sites}{threads}", tool, "pairs_per_second")
        traced, untraced = (throughput(tool, 2) / throughput(tool, 1) for tool in ("ours", "untraced"))
        return traced / untraced

    def shape(self, name, case, figure, tool="ours"):
        """case: its name, or its place among the cases."""
        cases = self.shapes[name]
        return (list(cases.values())[case] if isinstance(case, int) else cases[case])[tool][figure]

    def shape_added(self, name, case, figure):
        return self.shape(name, case, figure) - self.shape(name, case, figure, "untraced")

    def unevenness(self):
        """How far the time of an event strays from its median over all lengths of a run."""
        times = [self.shape("flat", case, "event_ns") for case in range(len(self.shapes["flat"]))]
        return max(abs(time / statistics.median(times) - 1) for time in times)

    def random_growth(self):
        def added(case):
            return self.shape_added("random", case, "malloc_ns") + self.shape_added("random", case, "free_ns")
        return added(-1) / added(0)

    def random_misses(self):
        """What a free of many live blocks in random order costs more than one of few, in cache misses."""
        grown = self.shape_added("random", -1, "free_ns") - self.shape_added("random", 0, "free_ns")
        return grown / self.shape("random", -1, "miss_ns", "untraced")

    def block_share(self, case):
        """Of the heap that the block takes."""
        return self.shape_added("blocks", case, "a_block") / self.shape("blocks", case, "a_block", "untraced")


class Limit:
    """
    value(figures) should be at most `most`, or at least `least`; as it is shown, to so many digits: what the
    tables have besides is a few pages.
    """

    def __init__(self, text, value, most=None, least=None, unit="", digits=2):
        self.text, self.value, self.most, self.least = text, value, most, least
        self.unit, self.digits = unit, digits

    def target(self):
        return f"<= {self.most:g}" if self.least is None else f">= {self.least:g}"

    def is_met(self, value):
        shown = round(value, self.digits)
        return shown <= self.most if self.least is None else shown >= self.least

    def line(self, value):
        verdict = "met" if self.is_met(value) else "MISSED"
        return f"  {self.text:<54}{value:12.{self.digits}f} {self.unit:<6}{self.target():>9}  {verdict}"


def heaptrack(row, least):
    return Limit(f"{row}: added by heaptrack / by ours", lambda f: f.peer(row), least=least)


def cpu(row, most):
    return Limit(f"{row}: CPU traced / untraced", lambda f: f.ratio(row), most=most)


def light(row):
    """Of programs that do more than allocate."""
    return [cpu(row, 1.2), heaptrack(row, 5)]


def scaling(sites, least):
    text = f"{sites}: throughput of 2 threads / 1, of untraced's"
    return [Limit(text, lambda f: f.scaling_kept(sites), least=least), heaptrack(f"{sites}2", 20)]


def block(case):
    """A page of the map at most."""
    def pages(figures):
        return figures.shape_added("blocks", case, "a_block") / (4 * KIB)
    return Limit(f"blocks of {case}: memory added", pages, most=1, unit="pages")


def report(case, most=5):
    return [
        Limit(f"report, {case}: wall",
              lambda f: f.shape("report", case, "wall", "untraced"), most=most, unit="s"),
        Limit(f"report, {case}: memory / (3 x trace + debug sections)",
              lambda f: f.shape("report", case, "of_bound", "untraced"), most=1),
    ]


def page(text, figure, most):
    return Limit(f"page of 48,000 branches: {text}",
                 lambda f: f.shape("page", "html", figure, "untraced"), most=most, unit="ms", digits=0)


LIMITS = [
    cpu("demo", 1.5),
    heaptrack("demo", 15),
    heaptrack("frames30", 20),
    Limit("frames300: added / added to frames30",
          lambda f: f.added("frames300") / f.added("frames30"), most=8),
    Limit("frames300: a further unchanged frame",
          lambda f: (f.event_ns("frames300") - f.event_ns("frames30")) / 270, most=0.5, unit="ns"),
    heaptrack("frames300", 10),
    cpu("python", 1.4),
    Limit("python: added by -X tracemalloc=1 / by ours",
          lambda f: f.peer("python", "py-tracemalloc"), least=5),
    heaptrack("python", 8),
    *light("perl"),
    *light("gcc"),
    *light("sqlite3"),
    *scaling("separate", 0.9),
    *scaling("shared", 0.8),
    Limit("true: wall added", lambda f: f.added("true", figure="wall") * 1e3, most=3, unit="ms"),
    Limit("start: exit added", lambda f: f.shape_added("start", 0, "exit") * 1e3, most=1, unit="ms"),
    Limit("flat: exit added, longest run - shortest",
          lambda f: (f.shape_added("flat", -1, "exit") - f.shape_added("flat", 0, "exit")) * 1e3, most=0.5,
          unit="ms"),
    Limit("flat: time of an event, farthest from the median",
          lambda f: f.unevenness() * 100, most=20, unit="%"),
    Limit("random: added with the most live / with 1000", lambda f: f.random_growth(), most=2.5),
    Limit("random: cache misses added to a free", lambda f: f.random_misses(), most=1, digits=1),
    Limit("depth 1000: frames recorded",
          lambda f: f.shape("depth", "1000", "trace")["frames"], least=1000, digits=0),
    Limit("crowd: missed events",
          lambda f: f.shape("crowd", 0, "trace")["missed_events"], most=0, digits=0),
    Limit("demo: peak RSS traced / untraced", lambda f: f.ratio("demo", "rss"), most=1.3),
    Limit("blocks of 16 to 79 bytes: added to their heap",
          lambda f: f.block_share("16-79") * 100, most=25, unit="%", digits=1),
    block("100 KiB"),
    block("1 MiB"),
    Limit("idle: memory added", lambda f: f.shape_added("idle", 0, "a_thread") / KIB, most=16, unit="KiB"),
    Limit("stacks: peak RSS added", lambda f: f.added("stacks", figure="rss") / 1e6, most=40, unit="MB"),
    Limit("crowd: memory added / bound", lambda f: f.shape_added("crowd", 0, "of_bound"), most=1),
    Limit("demo: left on disk", lambda f: f.of("demo", "ours", "disk") / KIB, most=256, unit="KiB"),
    Limit("flat: left on disk, longest run - shortest",
          lambda f: (f.shape("flat", -1, "disk") - f.shape("flat", 0, "disk")) / KIB, most=0, unit="KiB"),
    *report("text"),
    *report("JSON"),
    *report("JSON again", most=1),
    page("usable after", "usable", 200),
    page("longest zoom", "longest_zoom", 30),
]


def check(results):
    """Prints the table; returns it for the JSON."""
    figures, checked = Figures(results), []
    print("limits" + (" (single short runs: no more than a hint)" if results["quick"] else ""))
    for limit in LIMITS:
        try:
            value = limit.value(figures)
        except (KeyError, ZeroDivisionError):
            continue
        print(limit.line(value))
        checked.append({"limit": limit.text, "value": value, "unit": limit.unit, "target": limit.target(),
                        "met": limit.is_met(value)})
    if len(checked) < len(LIMITS):
        print(f"  {len(LIMITS) - len(checked)} more were not measured")
    return checked
