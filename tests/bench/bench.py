#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What recording costs, measured side by side: every workload untraced, through an empty interposer (the floor),
traced by us, and by every peer that is installed.

Runs are interleaved and medians taken; a first round is not counted.  Only ratios within one run mean
anything: machines differ, and are shared.

  bench.py BUILD [--rows NAME,...] [--peers NAME,...] [--runs N] [--quick] [--json FILE]
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

READ_CSV = 'import csv; rows = list(csv.DictReader(open("{cta}"))); print(len(rows))'


class Workload:
    """A command, and what it needs; {build} and {cta} are filled in, {n} is made ten times smaller by --quick."""

    def __init__(self, name, text, command, n=0, env=None, python=False):
        self.name, self.text, self.command, self.n, self.env, self.python = name, text, command, n, env or {}, python

    def argv(self, build, quick):
        n = self.n // 10 if quick else self.n
        return [part.format(build=build, cta=f"{build}/cta.csv", n=n) for part in self.command]


WORKLOADS = [
    Workload("demo", "demo, dict: 676,476 rows", ["{build}/demo", "{cta}"]),
    Workload("frames30", "malloc+free below 30 frames", ["{build}/tests/bench/frames", "30", "{n}"], n=10_000_000),
    Workload("python", "CPython reads the CSV", ["python3", "-c", READ_CSV], env={"PYTHONMALLOC": "malloc"}, python=True),
]


class Tool:
    """A way of running a workload.  `trace` may hold {out}, a name that the tool may write to."""

    def __init__(self, name, wrap=None, env=None, needs=None, python_only=False):
        self.name, self.wrap, self.env, self.needs, self.python_only = name, wrap or [], env or {}, needs, python_only

    def there(self):
        return not self.needs or shutil.which(self.needs) or os.path.exists(self.needs)

    def command(self, argv, out):
        return [part.format(out=out) for part in self.wrap] + argv


def tools(build):
    own = [
        Tool("untraced"),
        Tool("empty", env={"LD_PRELOAD": f"{build}/tests/bench/empty.so"}),
        Tool("ours", env={"LD_PRELOAD": f"{build}/libtrace.so", "LIBTRACE_OPTIONS": "out={out}"}),
    ]
    peers = [
        Tool("heaptrack", ["heaptrack", "-o", "{out}"], needs="heaptrack"),
        Tool("massif", ["valgrind", "-q", "--tool=massif", "--massif-out-file={out}"], needs="valgrind"),
        Tool("dhat", ["valgrind", "-q", "--tool=dhat", "--dhat-out-file={out}"], needs="valgrind"),
        Tool("gperftools", env={"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4", "HEAPPROFILE": "{out}"},
             needs="/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4"),
        Tool("py-tracemalloc", env={"PYTHONTRACEMALLOC": "1"}, python_only=True),
    ]
    return own, [peer for peer in peers if peer.there()]


def used_space(directory):
    return sum(os.lstat(os.path.join(directory, name)).st_blocks * 512 for name in os.listdir(directory))


def run_once(tool, workload, argv):
    """One run: wall and CPU seconds, peak RSS of the process and space of what it left, in bytes."""
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        out = os.path.join(directory, "out")
        env = dict(os.environ, **workload.env)
        env.update({key: value.format(out=out) for key, value in tool.env.items()})
        begin = time.monotonic()
        process = subprocess.Popen(tool.command(argv, out), env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=directory)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = status
        if status != 0:
            return None
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024,
                "disk": used_space(directory)}


def measure(workload, chosen, runs, build, quick):
    """Medians by tool.  A peer that takes more than ten times ours runs once."""
    argv = workload.argv(build, quick)
    chosen = [tool for tool in chosen if workload.python or not tool.python_only]
    samples = {tool.name: [] for tool in chosen}
    slow = set()
    for turn in range(runs + 1):
        for tool in chosen:
            if tool.name in slow:
                continue
            sample = run_once(tool, workload, argv)
            if sample is None:
                slow.add(tool.name)
                continue
            ours = samples["ours"][-1]["wall"] if samples.get("ours") else None
            is_slow = tool.name not in ("untraced", "empty", "ours") and ours and sample["wall"] > 10 * ours
            if turn or is_slow:
                samples[tool.name].append(sample)
            elif tool.name == "ours":
                samples["ours"].append(sample)      # for the comparison; dropped below
            if is_slow:
                slow.add(tool.name)
        if turn == 0 and samples.get("ours"):
            first = samples["ours"].pop()
            samples["ours"] = [] if runs else [first]
    return {name: {key: statistics.median(s[key] for s in all_of) for key in all_of[0]}
            for name, all_of in samples.items() if all_of}


def human(size):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024


def row(name, result, results):
    base, ours = results.get("untraced"), results.get("ours")
    added = ""
    if base and ours and name not in ("untraced", "empty", "ours"):
        cost = ours["cpu"] - base["cpu"]
        added = f"{(result['cpu'] - base['cpu']) / cost:8.1f}" if cost > 0 else "       -"
    ratio = (lambda key: f"{result[key] / base[key]:6.2f}" if base else "     -")
    return (f"  {name:<15}{result['wall']:8.3f} s{ratio('wall')}  {result['cpu']:8.3f} s{ratio('cpu')}"
            f"  {human(result['rss']):>10}{ratio('rss')}  {human(result['disk']):>10}{added}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rows", default=os.environ.get("ROWS", ""))
    parser.add_argument("--peers", default=os.environ.get("PEERS"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", default=os.environ.get("QUICK") == "1")
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    own, peers = tools(build)
    if options.peers is not None:
        peers = [peer for peer in peers if peer.name in options.peers.split(",")]
    runs = 1 if options.quick else options.runs
    everything = {}
    print(f"{os.cpu_count()} cores; medians of {runs}; ratios are to untraced; "
          "the last column: CPU time that a peer adds, in multiples of ours")
    print(f"  {'':<15}{'wall':>10}{'ratio':>6}  {'CPU':>10}{'ratio':>6}  {'peak RSS':>10}{'ratio':>6}"
          f"  {'left':>10}{'added':>8}")
    for workload in WORKLOADS:
        if options.rows and workload.name not in options.rows.split(","):
            continue
        print(f"{workload.name}: {workload.text}", flush=True)
        results = measure(workload, own + peers, runs, build, options.quick)
        for name, result in results.items():
            print(row(name, result, results), flush=True)
        everything[workload.name] = results
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"cores": os.cpu_count(), "runs": runs, "quick": options.quick, "rows": everything}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
