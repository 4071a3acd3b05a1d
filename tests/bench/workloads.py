# SPDX-License-Identifier: MIT
"""What is measured, and what measures it: two tables."""
import os
import platform
import re
import shutil
import subprocess
import sys

READ_CSV = 'import csv; rows = list(csv.DictReader(open("{cta}"))); print(len(rows))'
PERL_HASH = 'my %hash; $hash{{"key $_"}} = "a string of some length, the ${{_}}th" for 1 .. {n};'
SQL = ["-cmd", ".mode csv", "-cmd", ".import '{cta}' cta", ":memory:",
       "select route, daytype, count(*), sum(rides) from cta group by route, daytype order by 4 desc"]


class Workload:
    """
    A command.  {build}, {programs}, {cta} and {n} are filled in, {n} ten times smaller with --quick, {cta}
    ten times shorter; {work} is a folder for what the command itself writes.  {wrapper} stands where a
    compiler driver takes its `-wrapper`.

    figures: those it prints, with a label and a factor.  runs: at least so many, of what is over too soon for
    five to tell anything.  prepare: makes a file, {prepared}.
    """

    def __init__(self, name, text, command, n=0, env=None, python=False, figures=(), runs=0, prepare=None):
        self.name, self.text, self.command, self.n, self.env = name, text, command, n, env or {}
        self.python, self.figures, self.runs, self.prepare = python, figures, runs, prepare

    def scaled(self, quick):
        return self.n // 10 if quick else self.n

    def argv(self, bench):
        known = {"build": bench.place.build, "programs": bench.place.programs, "cta": bench.cta,
                 "n": self.scaled(bench.quick), "prepared": self.prepare(bench) if self.prepare else "",
                 "work": "{work}", "wrapper": "{wrapper}"}
        return [part.format(**known) for part in self.command]


def large_source(bench):
    return bench.generated.large_source(6 if bench.quick else 60)


def threads(count, sites):
    """Limits compare one thread with two, which takes long runs, and many; more threads only wait for processors."""
    n, runs = (10_000_000, 9) if count <= 2 else (2_500_000, 5)
    text = (f"{count} thread{'s' if count > 1 else ''}, {n / 1e6:g} million malloc+free each, "
            + ("at one shared call site" if sites == "shared" else "at call sites of their own"))
    return Workload(f"{sites}{count}", text,
                    ["{programs}/threads", str(count), "{n}", sites], n=n, runs=runs,
                    figures=[("pairs_per_second", "million a second", 1e-6)])


THREADS = (1, 2, 4, 8)

WORKLOADS = [
    Workload("demo", "the demo, dict: 676,476 rows", ["{build}/demo", "{cta}"]),
    Workload("frames30", "10 million malloc+free below 30 frames", ["{programs}/frames", "30", "{n}"],
             n=10_000_000),
    Workload("frames300", "10 million malloc+free below 300 frames (heaptrack records 64)",
             ["{programs}/frames", "300", "{n}"], n=10_000_000),
    Workload("python", "CPython, list(csv.DictReader()), PYTHONMALLOC=malloc",
             [sys.executable, "-c", READ_CSV], env={"PYTHONMALLOC": "malloc"}, python=True),
    Workload("perl", "perl, a hash of 200,000 strings", ["perl", "-e", PERL_HASH], n=200_000, runs=9),
    Workload("gcc", "gcc -O2 -c of one large file (with its children)",
             ["gcc", "{wrapper}", "-O2", "-c", "-o", "{work}/large.o", "{prepared}"], prepare=large_source),
    Workload("sqlite3", "sqlite3 loads the CSV and groups it", ["sqlite3"] + SQL),
    *[threads(count, sites) for sites in ("shared", "separate") for count in THREADS],
    Workload("handover", "4 million blocks, freed by another thread", ["{programs}/handover", "{n}"],
             n=4_000_000),
    Workload("stacks", "100,000 distinct stacks of 30 frames, each 10 times",
             ["{programs}/stacks", "{n}", "10"], n=100_000,
             figures=[("first_ns", "ns, first time", 1), ("again_ns", "ns, later", 1)]),
    Workload("true", "true: start-up and exit", ["true"], runs=31),
    Workload("growth", "realloc: 16 arrays grow to 16 MiB by pages", ["{programs}/growth", "16", "{n}"],
             n=4096),
    Workload("strings", "C++: std::string, std::map, 1,000,000 words", ["{programs}/strings", "{n}"],
             n=1_000_000),
]


class Tool:
    """
    A way of running a workload.  {out} is a name that the tool may write to.

    needs: a program, or a file.  script: what is started is a script around the program, which follows no
    children; the program's own memory is measured inside of it.  leaves: something, or it has failed.  slow:
    left out by --quick, and ended at a time limit.
    """

    def __init__(self, name, wrap=None, env=None, needs=None, script=False, python_only=False, leaves=True,
                 slow=False):
        self.name, self.wrap, self.env, self.needs = name, wrap or [], env or {}, needs
        self.script, self.python_only, self.leaves, self.slow = script, python_only, leaves, slow

    def there(self):
        return not self.needs or bool(shutil.which(self.needs)) or os.path.exists(self.needs)

    def command(self, argv, out, inside):
        """inside: what has to start the program in order to measure it alone."""
        wrap = [part.format(out=out) for part in self.wrap]
        if "{wrapper}" in argv:
            at = argv.index("{wrapper}")
            # Each of the processes needs an output of its own: what the script gives it if it is told none.
            driver = ["-wrapper", ",".join(wrap[:1] + inside)] if self.script else []
            return (wrap if not self.script else []) + argv[:at] + driver + argv[at + 1:]
        return wrap + (inside if self.script else []) + argv

    def environment(self, out):
        return {key: value.format(out=out) for key, value in self.env.items()}

    def version(self):
        """As a program says it; of a library, the name of the file that the link leads to."""
        if not self.needs:
            return platform.python_version()
        if not shutil.which(self.needs):
            return os.path.basename(os.path.realpath(self.needs))
        said = subprocess.run([self.needs, "--version"], stdout=subprocess.PIPE, text=True, check=False)
        return re.search(r"[0-9][\w.]*|$", said.stdout).group()


OWN = ("untraced", "empty", "ours")

VALGRIND = ["valgrind", "-q", "--trace-children=yes"]
TCMALLOC = "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4"


def own_tools(place):
    return [
        Tool("untraced", leaves=False),
        Tool("empty", env={"LD_PRELOAD": f"{place.programs}/empty.so"}, leaves=False),
        Tool("ours", env={"LD_PRELOAD": f"{place.build}/libtrace.so", "LIBTRACE_OPTIONS": "out={out}"}),
    ]


def installed_peers(jemalloc):
    """jemalloc: the library to preload, a build with profiling."""
    peers = [
        Tool("heaptrack", ["heaptrack", "-o", "{out}"], needs="heaptrack", script=True),
        Tool("massif", VALGRIND + ["--tool=massif", "--massif-out-file={out}.%p"], needs="valgrind",
             slow=True),
        Tool("dhat", VALGRIND + ["--tool=dhat", "--dhat-out-file={out}.%p"], needs="valgrind",
             slow=True),
        Tool("gperftools", env={"LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "{out}"}, needs=TCMALLOC, slow=True),
        Tool("py-tracemalloc", env={"PYTHONTRACEMALLOC": "1"}, python_only=True, leaves=False),
    ]
    if jemalloc:
        conf = "prof:true,lg_prof_sample:0,prof_final:true,prof_prefix:{out}"
        peers.append(Tool("jemalloc", env={"LD_PRELOAD": jemalloc, "MALLOC_CONF": conf}, needs=jemalloc,
                          slow=True))
    return [peer for peer in peers if peer.there()]
