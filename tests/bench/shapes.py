# SPDX-License-Identifier: MIT
"""
How the cost grows: with the length of the run, depth, live blocks, threads, call sites; and what only
programs that measure themselves can tell.  Untraced and ours only.
"""
import contextlib
import json
import os
import re
import signal
import subprocess

import measure
import table

KIB, MIB = 1024, 1 << 20


class Shape:
    """measure(bench) prints its lines and returns figures, by case and tool."""

    def __init__(self, name, text, function):
        self.name, self.text, self.measure = name, text, function


def both(bench, shape, cases, rounds=None, root=None, tools=("untraced", "ours")):
    """{case: {tool: medians}}; cases: {case: argv} of programs that print figures."""
    names = [(case, tool) for case in cases for tool in tools]
    traces = {}

    def start(name):
        case, tool = name
        look = bench.look if tool == "ours" and name not in traces else None
        sample = measure.run(bench.place, bench.tools[tool], cases[case], prints=True, look=look, root=root)
        if "trace" in sample:
            traces[name] = sample.pop("trace")
        return sample

    results = {case: {} for case in cases}
    for name, result in measure.medians(measure.in_turns(names, start, rounds or bench.runs)).items():
        case, tool = name
        what = f"{shape} {case}, {tool}"
        if "failed" in result:
            bench.failed(what, result["failed"])
        if name in traces:
            bench.check_trace(what, traces[name])
            result["trace"] = traces[name]
        results[case][tool] = result
    return results


def figure_of(of_case, tool, name):
    """tool: also "added", ours less untraced.  None if there is none."""
    if tool != "added":
        return of_case.get(tool, {}).get(name)
    values = figure_of(of_case, "ours", name), figure_of(of_case, "untraced", name)
    return None if None in values else values[0] - values[1]


def share(results, name, of, parts):
    """Adds a figure to all results: another one divided by so many parts (of each case)."""
    for case, of_case in results.items():
        for result in of_case.values():
            if of in result:
                result[name] = result[of] / (parts[case] if isinstance(parts, dict) else parts)


def print_lines(results, lines):
    """lines: (label, tool, figure, factor)."""
    print(table.series("", [str(case) for case in results]))
    for label, tool, name, factor in lines:
        values = [figure_of(of_case, tool, name) for of_case in results.values()]
        values = [None if value is None else value * factor for value in values]
        print(table.series(label, values), flush=True)


def costs(name, factor=1, unit="ns"):
    return [(f"{tool}, {unit}", tool, name, factor) for tool in ("untraced", "ours", "added")]


def flat(bench):
    results = {}
    for power in (5, 6) if bench.quick else (5, 6, 7, 8):
        case = {f"10^{power}": bench.place.program("frames", 30, 10 ** power)}
        results.update(both(bench, "flat", case, rounds=3 if power == 8 else None))
    print_lines(results, costs("event_ns") + [("left on disk, KiB", "ours", "disk", 1 / KIB),
                                              ("peak RSS added, KiB", "added", "rss", 1 / KIB),
                                              ("exit: added, ms", "added", "exit", 1e3)])
    return results


def depth(bench):
    n = 100_000 if bench.quick else 1_000_000
    results = both(bench, "depth", {str(frames): bench.place.program("frames", frames, n)
                                    for frames in (30, 100, 300, 1000)})
    print_lines(results, costs("event_ns"))
    return results


def random_free(bench):
    most = 1_000_000 if bench.quick else 10_000_000
    rounds = {1000: most // 10_000, 100_000: max(1, most // 1_000_000), most: 1}
    results = both(bench, "random", {f"{live:,}": bench.place.program("live", live, of_these, 16, 79)
                                     for live, of_these in rounds.items()})
    print_lines(results, costs("malloc_ns", unit="ns a malloc") + costs("free_ns", unit="ns a free")
                + [("a load from as much memory as the map has", "untraced", "miss_ns", 1)])
    return results


def block_memory(bench):
    few = 5000
    many = 100_000 if bench.quick else 1_000_000
    sizes = {"16-79": (many, 16, 79), "200": (many, 200, 200), "4 KiB": (10 * few, 4096, 4096),
             "100 KiB": (few, 100 * KIB, 100 * KIB), "1 MiB": (few, MIB, MIB)}
    results = both(bench, "blocks", {case: bench.place.program("live", count, 1, least, most)
                                     for case, (count, least, most) in sizes.items()})
    share(results, "a_block", "grown", {case: count for case, (count, _, _) in sizes.items()})
    print_lines(results, costs("a_block", unit="bytes a block"))
    return results


def idle_threads(bench):
    count = 100 if bench.quick else 1000
    results = both(bench, "idle", {f"{count} threads": bench.place.program("idle", count, 1)})
    share(results, "a_thread", "grown", count)
    print_lines(results, costs("a_thread", 1 / KIB, "KiB a thread"))
    return results


def crowd(bench):
    """The bound: a counter for each site in each shard, what a thread costs anyway, and the stacks that it keeps,
    each of 24 frames at most here."""
    threads, sites = (100, 1000) if bench.quick else (1000, 10_000)
    case = {f"{threads} x {sites}": bench.place.program("idle", threads, sites)}
    results = both(bench, "crowd", case, rounds=1)
    kept = 31 * 24 * 80
    shards = max(32, 2 * os.cpu_count()) + 4
    bound = 64 * sites * shards + (16 * KIB + kept) * threads
    share(results, "of_bound", "grown", bound)
    print_lines(results, costs("wall", 1, "s") + [("memory added, MiB", "added", "grown", 1 / MIB),
                                                  ("left on disk, MiB", "ours", "disk", 1 / MIB)])
    print(f"  bound: 64 bytes x sites x {shards} shards + (16 KiB + 31 stacks x 24 frames x 80 bytes) x threads"
          f" = {table.human(bound)}")
    return results


def start_and_exit(bench):
    case = {"one event": bench.place.program("frames", 1, 1)}
    results = both(bench, "start", case, rounds=5 if bench.quick else 31)
    print_lines(results, costs("start", 1e3, "ms until main") + costs("exit", 1e3, "ms after main"))
    return results


@contextlib.contextmanager
def heavy_writing(folder):
    """Something else that writes without end, and has the disk's caches written back again and again."""
    loop = 'while :; do dd if=/dev/zero of="$0" bs=1M count=256 conv=fsync 2>/dev/null; sync; done'
    writer = subprocess.Popen(["sh", "-c", loop, f"{folder}/written"], start_new_session=True)
    try:
        yield
    finally:
        os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()


def latency(bench):
    argv = bench.place.program("latency", 0.3 if bench.quick else 2, 1000)
    results = both(bench, "latency", {"quiet": argv})
    with bench.place.new_folder() as folder, heavy_writing(folder):
        results.update(both(bench, "latency", {"busy, disk": argv}))
        if os.access("/dev/shm", os.W_OK):
            results.update(both(bench, "latency", {"busy, tmpfs": argv}, root="/dev/shm"))
    print_lines(results, [(f"{tool}, us: {label}", tool, name, 1e-3) for label, name in
                          (("median", "p50_ns"), ("99.9th percentile", "p999_ns"), ("longest", "longest_ns"))
                          for tool in ("untraced", "ours")])
    return results


# What names a call site's functions, files and lines.
READ_SECTIONS = re.compile(r"\.(symtab|strtab)$|\.debug_(info|abbrev|line|line_str|str|str_offsets|addr|"
                           r"aranges|ranges|rnglists)$")


def size_of_sections(program):
    """readelf lists them so: [number] name type address offset size ..."""
    command = ["readelf", "--section-headers", "--wide", program]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [line.split("]", 1)[1].split() for line in text.splitlines() if re.match(r" *\[ *\d+\]", line)]
    return sum(int(row[4], 16) for row in rows if len(row) > 4 and READ_SECTIONS.match(row[0]))


def analyzer(bench):
    units, functions, members = 20 if bench.quick else 200, 500, 110
    program = bench.generated.program_of_units(units, functions, members)
    with bench.place.new_folder() as folder:
        trace = f"{folder}/trace"
        environment = dict(os.environ, **bench.tools["ours"].environment(trace))
        subprocess.run([program], env=environment, check=True)
        report = [f"{bench.place.build}/tracemalloc", "report", trace, "--no-cache"]
        again = ["env", f"XDG_CACHE_HOME={folder}"] + report[:-1] + ["--json"]
        subprocess.run(again, stdout=subprocess.DEVNULL, check=True)
        cases = {"text": report, "JSON": report + ["--json"], "JSON again": again}
        results = both(bench, "report", cases, tools=("untraced",))
        size, sections = os.stat(trace).st_blocks * 512, size_of_sections(program)
    share(results, "of_bound", "rss", 3 * size + sections)
    print(f"  {units * functions:,} call sites, a trace of {table.human(size)}, a program of "
          f"{table.human(os.stat(program).st_size)}, {table.human(sections)} of it symbols, debug sections")
    print_lines(results, [("wall, s", "untraced", "wall", 1), ("peak RSS, MiB", "untraced", "rss", 1 / MIB)])
    return results


def browser_is_there():
    command = ["/usr/bin/python3", "-c", "import selenium"]
    return (os.access("/usr/bin/chromedriver", os.X_OK) and os.access("/usr/bin/python3", os.X_OK)
            and subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0)


def page(bench):
    """A page in a browser that has it on the disk; the figures are of the page alone."""
    if not browser_is_there():
        print("  not measured: no chromium-driver with python3-selenium")
        return {}
    with bench.place.new_folder() as folder:
        trace, name = f"{folder}/trace", f"{folder}/page.html"
        environment = dict(os.environ, **bench.tools["ours"].environment(trace))
        subprocess.run(bench.place.program("branches"), env=environment, check=True)
        html = [f"{bench.place.build}/tracemalloc", "html", "-o", name, trace]
        results = both(bench, "page", {"html": html}, tools=("untraced",))
        look = ["/usr/bin/python3", "-B", f"{os.path.dirname(__file__)}/page.py", name, str(bench.runs)]
        seen = results["html"]["untraced"] | json.loads(subprocess.check_output(look))
        size = os.stat(name).st_size
    results["html"]["untraced"] = seen
    print(f"  {seen['branches']:,} branches, a page of {table.human(size)}")
    print_lines(results, [("written, ms", "untraced", "wall", 1e3)]
                + [(f"{label}, ms", "untraced", key, 1) for label, key in
                   (("usable after", "usable"), ("zoom", "zoom"), ("longest zoom", "longest_zoom"))])
    return results


SHAPES = [
    Shape("flat", "malloc+free below 30 frames, by how many", flat),
    Shape("depth", "malloc+free, by frames", depth),
    Shape("random", "blocks of 16 to 79 bytes, freed in random order, by how many live", random_free),
    Shape("blocks", "memory that a live block takes, by size", block_memory),
    Shape("idle", "threads that allocate once and idle", idle_threads),
    Shape("crowd", "threads x call sites; one run", crowd),
    Shape("start", "start-up and exit", start_and_exit),
    Shape("latency", "malloc+free by 1000 call sites; busy: something else writes and syncs", latency),
    Shape("report", "`tracemalloc report` of a large program", analyzer),
    Shape("page", "the page of `tracemalloc html` in headless Chromium", page),
]
