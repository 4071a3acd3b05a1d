# SPDX-License-Identifier: MIT
"""Runs programs, traced and untraced, and reads what the recorder left."""
import json
import os
import subprocess
import tempfile


class Failed(Exception):
    """One sentence for the user."""


class Recorder:
    """The programs of a build directory, and a folder for traces that ends with it."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.folder = tempfile.TemporaryDirectory(prefix="article.", dir=self.build)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run(self, argv, env=None):
        """Its standard output.  What the recorder may not inherit from our own caller is left out."""
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("LD_PRELOAD", "LIBTRACE_OPTIONS") and not key.startswith("PYTHON")}
        done = subprocess.run(argv, env=dict(environment, **(env or {})), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise Failed(f"{' '.join(argv)}: status {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def succeeds(self, argv):
        try:
            self.run(argv)
        except Failed:
            return False
        return True

    def record(self, argv, env=None):
        """The trace, and the program's standard output."""
        trace = self.path("trace")
        if os.path.exists(trace):
            os.remove(trace)
        options = {"LD_PRELOAD": f"{self.build}/libtrace.so", "LIBTRACE_OPTIONS": f"out={trace},quiet=1"}
        out = self.run(argv, dict(env or {}, **options))
        if not os.path.exists(trace):
            raise Failed(f"{' '.join(argv)}: the recorder left no trace")
        return trace, out

    def report(self, trace, *options):
        """`tracemalloc report --json`, of a trace or of TRACE@SNAPSHOT."""
        report = json.loads(self.run([f"{self.build}/tracemalloc", "report", "--json", *options, trace]))
        totals = report["totals"]
        if totals["missed_events"] or totals["truncated_stacks"]:
            raise Failed(f"{' '.join(report['command'])}: the recorder could not see everything")
        return report

    def resident(self, argv, env=None):
        """Largest resident memory of an untraced run, in bytes."""
        figures = self.path("figures")
        self.run([f"{self.build}/tests/bench/launch", figures, *argv], env)
        with open(figures, encoding="utf-8") as file:
            lines = file.read().splitlines()
        return json.loads(lines[-1])["rss"]


def mib(size):
    """With as many digits as a small one needs."""
    return f"{size / 2 ** 20:,.1f}" if size >= 2 ** 20 else f"{size / 2 ** 20:.3f}"


def varying(text):
    """A figure that differs from run to run is marked; checks of the page leave it out."""
    return f"~{text}"
