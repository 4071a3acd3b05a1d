# SPDX-License-Identifier: MIT
"""Is a trace what it should be: readable, complete, consistent with itself?"""
import json
import subprocess

SUMS = ("current_bytes", "current_blocks", "peak_bytes", "peak_blocks", "allocated_bytes", "allocations",
        "frees", "reallocations", "temporary")
FORKED = 1


class Trace:
    """What the analyzer says of a file; `faults` is empty if all is well.  Of the report only the totals are
    kept: thousands of processes, each with whole stacks, do not fit into memory."""

    def __init__(self, tracemalloc, path, flags):
        self.path, self.flags, self.faults, self.totals, self.header = path, flags, [], None, {}
        info = self.run(tracemalloc, "info")
        words = [line.split() for line in info.splitlines() if line.startswith("  ")]
        self.header = {line[0]: line[1] for line in words if len(line) > 1}
        # Of millions of stacks the sums will do.
        many = int(self.header.get("site_count", 0)) > 200_000
        report = self.run(tracemalloc, "report", "--json", *["--group-by", "function"] * many)
        if self.faults:
            return
        try:
            report = json.loads(report)
        except ValueError as error:
            self.faults.append(f"report is no JSON: {error}")
            return
        self.totals = report["totals"]
        self.check(report)

    def run(self, *command):
        try:
            done = subprocess.run([*command, self.path], capture_output=True, text=True, errors="replace",
                                  timeout=120, check=False)
        except subprocess.TimeoutExpired:
            self.faults.append(f"{command[1]} takes more than two minutes")
            return ""
        if done.returncode or "has changed since it was recorded" in done.stderr:
            self.faults.append(f"{command[1]}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def check(self, report):
        totals, sites = self.totals, report["sites"]
        flags = int(self.header["flags"], 0)
        forked = flags & FORKED
        if report["state"] == "running":
            self.faults.append("its process runs still")
        if flags & ~FORKED & ~self.flags:
            self.faults.append(f"flags {flags:#x}")
        if len(sites) > report["sites_total"]:
            self.faults.append("more sites than there are")
        for member in SUMS:
            if totals[member] != sum(site[member] for site in sites):
                self.faults.append(f"{member} is not the sum of the sites'")
        for site in sites:
            born, died, now = site["allocations"], site["frees"], site["current_blocks"]
            if now < born - died if forked else now != born - died:
                self.faults.append(f"a site: {born} allocations, {died} frees, {now} live")
        self.check_peak()

    def check_peak(self):
        """The sites' shares were counted apart from the sum."""
        noted, error = int(self.header["peak_bytes"]), self.totals["peak_error_bytes"]
        right = max(noted, self.totals["current_bytes"])
        if abs(self.totals["peak_bytes"] - right) > error:
            self.faults.append(f"the sites' shares of the peak sum to {self.totals['peak_bytes']}, "
                               f"it was {right} (+- {error})")
