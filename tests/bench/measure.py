# SPDX-License-Identifier: MIT
"""
One run of one workload under one tool, and runs in turns.

A run is a dictionary: `wall`, `cpu` (user + system of all processes it started), in seconds; `rss`, peak
resident memory of the measured process, and `disk`, allocated blocks of what was left, in bytes; `start` and
`exit`, seconds before and after main, and further figures, of programs that print them.  A run that failed
has `failed` instead: why.  One that was ended at the time limit has `late`, and is a lower bound.
"""
import json
import os
import statistics
import subprocess
import tempfile

RUN_LIMIT = 600             # seconds, of what is not expected to take long


class Place:
    """Where things are."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.programs = f"{self.build}/tests/bench"
        self.launch = f"{self.programs}/launch"

    def program(self, name, *arguments):
        """The command of one of our own."""
        return [f"{self.programs}/{name}"] + [str(argument) for argument in arguments]

    def new_folder(self, root=None):
        """For one run; in the build directory, or in another."""
        return tempfile.TemporaryDirectory(prefix="bench.", dir=root or self.build)


def read_lines(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def used_space(directory):
    """What du would say."""
    return sum(os.lstat(os.path.join(top, name)).st_blocks * 512
               for top, _, names in os.walk(directory) for name in names)


def printed_figures(path):
    """Our programs print lines of a name and a number."""
    figures = {}
    for words in map(str.split, read_lines(path)):
        if len(words) == 2:
            try:
                figures[words[0]] = float(words[1])
            except ValueError:
                pass
    return figures


def times_around_main(report, figures):
    if "main_began" not in figures:
        return {}
    return {"start": (figures.pop("main_began") - report["began"]) / 1e9,
            "exit": (report["ended"] - figures.pop("main_ended")) / 1e9}


def last_words(path):
    lines = [line.strip() for line in read_lines(path) if line.strip()]
    return f": {lines[-1][:90]}" if lines else ""


def start(place, tool, argv, env, limit, prints, left, work):
    """Runs the command to its end; returns its status."""
    words = [word.replace("{work}", work) for word in argv]
    command = tool.command(words, f"{left}/out", [place.launch, f"{work}/inner"])
    environment = dict(os.environ, **(env or {}), **tool.environment(f"{left}/out"))
    with open(f"{work}/stdout", "wb") as out, open(f"{work}/stderr", "wb") as err:
        return subprocess.call([place.launch, "-t", str(limit), f"{work}/report"] + command, env=environment,
                               cwd=left, stdin=subprocess.DEVNULL, stderr=err,
                               stdout=out if prints else subprocess.DEVNULL)


def collect(tool, status, left, work):
    """What there is to know of a run that has ended."""
    if not os.path.exists(f"{work}/report"):
        return {"failed": "did not start" + last_words(f"{work}/stderr")}
    seen = json.loads(read_lines(f"{work}/report")[-1])
    if status and not seen["late"]:
        return {"failed": f"exit status {status}" + last_words(f"{work}/stderr")}
    sample = {"wall": seen["wall"], "cpu": seen["cpu"], "rss": seen["rss"], "disk": used_space(left)}
    if os.path.exists(f"{work}/inner"):
        sample["rss"] = max(json.loads(line)["rss"] for line in read_lines(f"{work}/inner"))
    if seen["late"]:
        return dict(sample, late=True)
    if tool.leaves and not sample["disk"]:
        return {"failed": "left nothing" + last_words(f"{work}/stderr")}
    figures = printed_figures(f"{work}/stdout")
    return dict(sample, **times_around_main(seen, figures), **figures)


def run(place, tool, argv, env=None, limit=RUN_LIMIT, prints=False, look=None, root=None):
    """
    Runs argv under the tool, its standard output kept only if it `prints` figures.  look: called with the
    folder of what the tool left, before that is removed; what it returns is added to the run.  root: where
    that folder is made.
    """
    with place.new_folder(root) as folder:
        left, work = f"{folder}/left", f"{folder}/work"
        os.mkdir(left)
        os.mkdir(work)
        status = start(place, tool, argv, env, limit, prints, left, work)
        sample = collect(tool, status, left, work)
        return dict(sample, **look(left)) if look and "failed" not in sample else sample


def trace_totals(place, left):
    """Sums over the traces of a run, of all its processes; `whole`: each says that nothing was missed."""
    summed = ("allocations", "missed_events", "truncated_stacks")
    totals = dict(dict.fromkeys(summed + ("sites", "frames"), 0), whole=True)
    for name in sorted(os.listdir(left)):
        command = [f"{place.build}/tracemalloc", "report", "--json", "--sort=allocations", "--limit=1", name]
        result = subprocess.run(command, cwd=left, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                check=False)
        if result.returncode:
            return dict(totals, whole=False)
        report = json.loads(result.stdout)
        for key in summed:
            totals[key] += report["totals"][key]
        totals["sites"] += report["sites_total"]
        totals["frames"] = max([totals["frames"]] + [len(site["frames"]) for site in report["sites"]])
        totals["whole"] &= report["state"] == "exited 0" and not report["totals"]["missed_events"]
    return totals


def in_turns(names, start, rounds, only_once=None):
    """
    {name: [run, ...]} of start(name): each name in turn, `rounds` times, after a first turn that is not
    counted (if rounds > 1).  What failed is not tried again; nor that of which only_once(name, its run,
    latest runs) is true in the first turn, which then counts.
    """
    runs, latest, done = {name: [] for name in names}, {}, set()
    for turn in range(rounds + 1 if rounds > 1 else 1):
        for name in names:
            if name in done:
                continue
            latest[name] = sample = start(name)
            enough = turn == 0 and only_once and only_once(name, sample, latest)
            if enough or "failed" in sample or "late" in sample:
                done.add(name)
                runs[name] = [sample]
            elif turn or rounds == 1:
                runs[name].append(sample)
    return runs


def median(runs):
    """Of each figure of runs that all went alike; `runs` says how many there were."""
    if "failed" in runs[-1]:
        return runs[-1]
    return dict({key: statistics.median(run[key] for run in runs) for key in runs[-1]}, runs=len(runs))


def medians(runs):
    return {name: median(of_name) for name, of_name in runs.items()}
