#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What recording costs, measured side by side: every workload untraced, through an empty interposer (the
floor), traced by us, and by every peer that is installed; then how the cost grows; then the limits that we
set ourselves.

Runs take turns and medians are taken; a first turn is not counted; a peer that takes more than ten times
ours runs once.  Only ratios within one run of this program mean anything: machines differ, and are shared.

  bench.py BUILD [--rows NAME,...] [--peers NAME,...|none] [--runs N] [--quick] [--json FILE]

Exits with 0 whatever was missed, with 1 if something could not be run.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import time

import limits
import measure
import shapes
import table
from generated import Generated
from workloads import OWN, WORKLOADS, installed_peers, own_tools

SLOW = 10                   # times ours: runs once
SLOW_PEER_LIMIT = 30        # seconds for one run of a slow one
SLOW_PEERS_UNTIL = 45 * 60  # seconds after the start: none of them begins later, so that the hour is kept
ROWS_OF_QUICK = 67_648      # of the CSV
QUICKER = 5                 # times fewer runs of what takes next to no time


class Bench:
    """What the parts of a benchmark share: where, how thoroughly, with what, and what went wrong."""

    def __init__(self, options):
        self.place = measure.Place(options.build)
        self.generated = Generated(self.place)
        self.quick = options.quick
        self.runs = 1 if options.quick else options.runs
        self.tools = {tool.name: tool for tool in own_tools(self.place)}
        self.peers = []
        self.failures = []
        self.began = time.monotonic()
        cta = f"{self.place.build}/cta.csv"
        self.cta = self.generated.head_of(cta, ROWS_OF_QUICK) if self.quick else cta

    def failed(self, what, why):
        self.failures.append(f"{what}: {why}")
        print(f"  FAILED {what}: {why}", flush=True)

    def look(self, left):
        """For measure.run: what our traces say of themselves."""
        return {"trace": measure.trace_totals(self.place, left)}

    def check_trace(self, what, trace):
        if trace and not trace["whole"]:
            self.failed(what, f"the trace is not whole: {trace}")
        elif trace and trace["truncated_stacks"]:
            print(f"  {what}: {trace['truncated_stacks']:,} of {trace['allocations']:,} stacks are truncated")

    def seconds(self):
        return time.monotonic() - self.began


def compare(bench, workload):
    """Medians by tool's name; of ours also `trace`, whether it was whole."""
    argv = workload.argv(bench)
    tools = {tool.name: tool for tool in list(bench.tools.values()) + bench.peers
             if workload.python or not tool.python_only}
    traces = {}

    def start(name):
        tool = tools[name]
        if tool.slow and bench.seconds() > SLOW_PEERS_UNTIL:
            return {"failed": "not run, time is up"}
        sample = measure.run(bench.place, tool, argv, workload.env, prints=bool(workload.figures),
                             look=bench.look if name == "ours" and name not in traces else None,
                             limit=SLOW_PEER_LIMIT if tool.slow else measure.RUN_LIMIT)
        if "trace" in sample:
            traces[name] = {"trace": sample.pop("trace")}
        return sample

    def is_slow(name, sample, latest):
        ours = latest.get("ours", {}).get("wall")
        return name not in OWN and ours and sample["wall"] > SLOW * ours

    rounds = max(bench.runs, workload.runs // (QUICKER if bench.quick else 1))
    results = measure.medians(measure.in_turns(tools, start, rounds, is_slow))
    return {name: dict(result, **traces.get(name, {})) for name, result in results.items()}


def print_row(bench, workload, results):
    for name, result in results.items():
        if "failed" in result:
            bench.failed(f"{workload.name}, {name}", result["failed"])
        else:
            print(table.line(name, result, results))
    for figure, label, factor in workload.figures:
        print(table.figure_line(label, figure, factor, results))
    bench.check_trace(f"{workload.name}, ours", results["ours"].get("trace"))
    sys.stdout.flush()


def check_names(kind, wanted, known):
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"bench: no such {kind}: {', '.join(unknown)}; there are: {', '.join(known)}")


def choose_peers(bench, wanted):
    """All installed ones (without the slow ones if quick), or those named."""
    installed = installed_peers(os.environ.get("JEMALLOC"))
    if not wanted:
        bench.peers = [peer for peer in installed if not (bench.quick and peer.slow)]
    elif wanted != "none":
        names = wanted.split(",")
        check_names("peer", names, [peer.name for peer in installed])
        bench.peers = [peer for peer in installed if peer.name in names]


def choose_rows(wanted):
    names = [row.name for row in WORKLOADS + shapes.SHAPES]
    chosen = wanted.split(",") if wanted else names
    check_names("row", chosen, names)
    return chosen


def machine(bench):
    return {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version(),
            "peers": {peer.name: peer.version() for peer in bench.peers}}


def print_head(bench, facts):
    peers = ", ".join(f"{name} {version}".strip() for name, version in facts["peers"].items())
    print(f"{facts['cores']} cores, Linux {facts['kernel']}; "
          + ("QUICK: one run of a tenth" if bench.quick else f"medians of {bench.runs} or more")
          + f"\npeers: {peers or 'none'}\n"
          "ratios are to untraced; added: CPU time added to untraced, as a multiple of what ours adds;\n"
          f"*: ran once; >: ended after {SLOW_PEER_LIMIT} s, the figures are lower bounds\n\n"
          + table.columns(), flush=True)


def measure_row(bench, row, results):
    if row in shapes.SHAPES:
        results["shapes"][row.name] = row.measure(bench)
        return
    tools = compare(bench, row)
    results["rows"][row.name] = {"text": row.text, "n": row.scaled(bench.quick), "tools": tools}
    print_row(bench, row, tools)


def parse_arguments():
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("build")
    parser.add_argument("--rows", default=os.environ.get("ROWS"))
    parser.add_argument("--peers", default=os.environ.get("PEERS"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", default=os.environ.get("QUICK") == "1")
    parser.add_argument("--json")
    return parser.parse_args()


def main():
    options = parse_arguments()
    rows = choose_rows(options.rows)
    bench = Bench(options)
    choose_peers(bench, options.peers)
    facts = machine(bench)
    results = {"machine": facts, "quick": bench.quick, "rows": {}, "shapes": {}}
    print_head(bench, facts)
    for row in WORKLOADS + shapes.SHAPES:
        if row.name in rows:
            print(table.heading(row.name, row.text), flush=True)
            try:
                measure_row(bench, row, results)
            except (OSError, subprocess.CalledProcessError) as error:
                bench.failed(row.name, error)
    results["limits"] = limits.check(results)
    results["failures"], results["seconds"] = bench.failures, round(bench.seconds())
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
            file.write("\n")
    for failure in bench.failures:
        print(f"FAILED {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
