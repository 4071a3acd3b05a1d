# SPDX-License-Identifier: MIT
"""Real programs, untraced and traced: they do the same, and leave traces that are whole.

torture.py BUILD runs the rows in rows/, or those that the variable ROWS names; what failed is in
BUILD/torture.

A row is a shell script (see row.sh) of a function `row`, which prints what is to be compared, perhaps a
function `after`, which looks at the traces and prints what is wrong with them, and comments:

    # needs: PROGRAM OR FILE...     else the row is skipped
    # limit: SECONDS                of each run, 60 if nothing is said; what then still runs is killed
    # memory: GIB                   if there is less the row is skipped
    # losses: WHY                   missed events are no fault
    # flags: NUMBER                 that traces may have (see shim/format.h)
    # goal: no crash                only exit status and processes left are compared
"""
import ctypes
import difflib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from traces import Trace

HERE = Path(__file__).resolve().parent
PR_SET_CHILD_SUBREAPER = 36


class Row:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        said = dict(re.findall(r"^# (\w+): (.*)$", path.read_text(), re.M))
        self.needs = said.get("needs", "").split()
        self.limit = int(said.get("limit", 60))
        self.memory = int(said.get("memory", 0))
        self.losses = said.get("losses")
        self.flags = int(said.get("flags", "0"), 0)
        self.compared = said.get("goal") != "no crash"
        self.looks = "\nafter()" in path.read_text()

    def lacks(self):
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        lacks = [need for need in self.needs
                 if not (os.path.exists(need) if "/" in need else shutil.which(need, path=path))]
        available = int(re.search(r"^MemAvailable: *(\d+)", Path("/proc/meminfo").read_text(), re.M)[1]) >> 20
        return lacks + [f"{self.memory} GiB of memory"] * (available < self.memory)


class Run:
    """One run of a row."""

    def __init__(self, row, place, preload):
        self.place, self.left, self.hung = place, [], False
        work = place / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        work.chmod(0o777)
        kind = "traced" if preload else "untraced"
        begin = time.monotonic()
        with open(place / "out", "wb") as out, open(place / "err", "wb") as err:
            process = subprocess.Popen(["/bin/bash", HERE / "row.sh", row.path, "row"], cwd=work,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=environment(place, preload), start_new_session=True)
            try:
                self.status = process.wait(row.limit)
            except subprocess.TimeoutExpired:
                self.hung, self.status = True, "hung"
            finally:
                self.seconds = time.monotonic() - begin
                self.left = kill_descendants(place / f"{kind}.left")
        process.wait()
        self.out = (place / "out").rename(place / f"{kind}.out").read_text(errors="replace")
        self.err = (place / "err").rename(place / f"{kind}.err").read_text(errors="replace")


def environment(place, preload):
    chosen = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
              "HOME": str(place / "work"), "PORT": str(free_port()), "PROGRAMS": str(place / "programs")}
    if preload:
        chosen["LD_PRELOAD"] = str(preload)
        chosen["LIBTRACE_OPTIONS"] = f"out={place}/traces/%e.%p"
    return chosen


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- processes ----------------------------------------------------------------------------------------------

def descendants():
    """Of this process, which orphans come to: pid -> command."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            name, rest = Path(f"/proc/{entry}/stat").read_text(errors="replace").rsplit(")", 1)
        except OSError:
            continue
        state, parent = rest.split()[:2]
        parents[int(entry)] = int(parent)
        names[int(entry)] = (name.split("(", 1)[1], state)
    found, look = {}, [os.getpid()]
    while look:
        of = look.pop()
        for pid in [pid for pid, parent in parents.items() if parent == of]:
            look.append(pid)
            found[pid] = names[pid]
    return found


def kill_descendants(log):
    """Ends all that a run left; returns the names.  The log says where they stood."""
    named = []
    for _ in range(100):
        alive = {pid: name for pid, (name, state) in descendants().items() if state != "Z"}
        if alive and not named:
            named = sorted(alive.values())
            listing = subprocess.run(["ps", "-Lo", "pid,lwp,ppid,stat,wchan:20,args", "-p",
                                      ",".join(map(str, alive))], capture_output=True, text=True, check=False)
            log.write_text(listing.stdout)
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        if not alive:
            break
        time.sleep(0.05)
    return named


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


# --- verdicts -----------------------------------------------------------------------------------------------

def differences(row, untraced, traced, place):
    """What the recorder changed."""
    faults = []
    if traced.hung:
        faults.append(f"hung: {row.limit} s were over")
    elif traced.status != untraced.status:
        faults.append(f"exit status {traced.status}, untraced {untraced.status}")
    if traced.left and not traced.hung and traced.left != untraced.left:
        faults.append(f"left running: {' '.join(traced.left)}")
    if row.compared and traced.out != untraced.out:
        diff = difflib.unified_diff(untraced.out.splitlines(), traced.out.splitlines(), "untraced", "traced",
                                    lineterm="")
        (place / "diff").write_text("\n".join(diff) + "\n")
        faults.append("output differs")
    said = [line for line in traced.err.splitlines() if line.startswith(("tracemalloc:", "ERROR: ld.so"))]
    if row.compared and said:
        faults.append(f"says: {said[0]}")
    return faults


def trace_faults(row, traces):
    faults, missed = [], 0
    if not traces:
        faults.append("no trace")
    for trace in traces:
        faults += [f"{trace.path.name}: {fault}" for fault in trace.faults]
        missed += trace.totals["missed_events"] if trace.totals else 0
    if missed and not row.losses:
        faults.append(f"{missed} events missed")
    return faults


def remark_on(row, traces):
    read = [trace.totals for trace in traces if trace.totals]
    events = sum(totals["allocations"] + totals["frees"] for totals in read)
    cut = sum(totals["truncated_stacks"] for totals in read)
    missed = sum(totals["missed_events"] for totals in read)
    born = sum(totals["allocations"] for totals in read)
    parts = [f"{events:,} events"]
    if cut:
        parts.append(f"{100 * cut / born:.2g} % of stacks not to their end")
    if missed:
        parts.append(f"{missed} missed: {row.losses}")
    return ", ".join(parts)


def look_after(row, place, tracemalloc):
    if not row.looks:
        return []
    environ = {**environment(place, None), "TRACES": str(place / "traces"), "TRACEMALLOC": tracemalloc}
    said = subprocess.run(["/bin/bash", HERE / "row.sh", row.path, "after"], cwd=place / "work", env=environ,
                          capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).splitlines()


class Torture:
    def __init__(self, build, scratch):
        self.tracemalloc = str(build / "tracemalloc")
        self.kept = build / "torture"
        self.place = scratch
        self.place.chmod(0o755)
        # Wherever the tree is: all users must reach these.
        self.library = Path(shutil.copy(build / "libtrace.so", scratch))
        if (build / "tests/hazards").is_dir():
            shutil.copytree(build / "tests/hazards", scratch / "programs")

    def row(self, row):
        """(untraced seconds, traced seconds, traces, faults, remark)"""
        traces_place = self.place / "traces"
        shutil.rmtree(self.kept / row.name, ignore_errors=True)
        shutil.rmtree(traces_place, ignore_errors=True)
        for old in self.place.glob("*traced.*"):
            old.unlink()
        traces_place.mkdir()
        traces_place.chmod(0o1777)
        untraced = Run(row, self.place, None)
        if untraced.status:
            return untraced.seconds, None, None, [f"untraced it does not work: {untraced.status}"], ""
        traced = Run(row, self.place, self.library)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            traces = list(pool.map(lambda path: Trace(self.tracemalloc, path, row.flags),
                                   sorted(traces_place.iterdir())))
        faults = differences(row, untraced, traced, self.place) + trace_faults(row, traces)
        faults += look_after(row, self.place, self.tracemalloc)
        return untraced.seconds, traced.seconds, len(traces), faults, remark_on(row, traces)

    def keep(self, row):
        """What there was to see, for whoever looks after a failure."""
        kept = self.kept / row.name
        kept.mkdir(parents=True)
        for path in [*self.place.glob("*traced.*"), *self.place.glob("diff")]:
            shutil.copy(path, kept)
        # Those of killed processes are mostly holes, which shutil would fill.
        subprocess.run(["cp", "-r", "--sparse=always", self.place / "traces", kept], check=False)


def chosen_rows():
    rows = {path.stem: Row(path) for path in sorted((HERE / "rows").glob("*.sh"))}
    names = os.environ.get("ROWS", "").replace(",", " ").split() or rows
    unknown = [name for name in names if name not in rows]
    if unknown:
        sys.exit(f"no such row: {' '.join(unknown)}; there are {' '.join(rows)}")
    return [rows[name] for name in names]


def print_row(name, untraced, traced, traces, verdict, remark):
    print(f"{name:<22} {untraced:>9} {traced:>9} {traces:>7}  {verdict:<8} {remark}", flush=True)


def seconds(value):
    return "-" if value is None else f"{value:.1f} s"


def main():
    build = Path(sys.argv[1]).resolve()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    rows = chosen_rows()
    failed = skipped = 0
    print_row("program", "untraced", "traced", "traces", "verdict", "remark")
    with tempfile.TemporaryDirectory(prefix="torture-") as scratch:
        torture = Torture(build, Path(scratch))
        for row in rows:
            lacks = row.lacks()
            if lacks:
                skipped += 1
                print_row(row.name, "-", "-", "-", "skipped", f"not there: {' '.join(lacks)}")
                continue
            untraced, traced, traces, faults, remark = torture.row(row)
            failed += bool(faults)
            print_row(row.name, seconds(untraced), seconds(traced), "-" if traces is None else traces,
                      "FAILED" if faults else "fine", remark)
            for fault in faults[:5]:
                print(f"    {fault}")
            if len(faults) > 5:
                print(f"    and {len(faults) - 5} more")
            if faults:
                torture.keep(row)
    print(f"{len(rows) - failed - skipped} fine, {failed} failed, {skipped} skipped")
    if failed:
        print(f"what they said and left is in {torture.kept}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
