# SPDX-License-Identifier: MIT
"""
page.py BUILD [--write]: runs every command that demo/README.md shows, and compares what it prints with the
page; with --write it is the page that changes.  What `make article` and `make article-python` print, these
compare themselves; with --write they are run, too.

What differs from run to run does not count: times, pids, and figures that are marked by a ~.
"""
import contextlib
import difflib
import io
import os
import re
import subprocess
import sys
from itertools import zip_longest

from recorder import Failed, Recorder

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "README.md")
LONG = {"make article": "article.py", "make article-python": "article_python.py"}

# What Python and its extensions hold depends on paths and on the environment, too.
TOLERANCE = {"make article-python": 4 * 1024}

VARYING = (
    (r"\b(after|at) [\d.]+ (ns|us|µs|ms|s|min|h)\b", r"\1 TIME"),
    (r"\bpid \d+", "pid N"),
    (r"started [\d-]+ [\d:]+", "started THEN"),
    (r" +~[\d.,]+", " ~N"),
)


def normalised(text):
    lines = text.rstrip().splitlines()
    for pattern, what in VARYING:
        lines = [re.sub(pattern, what, line) for line in lines]
    return lines


class Transcript:
    """A command of the page, with what it prints; `start` and `end` are the places of that."""

    def __init__(self, command, start, end, shown):
        self.command, self.start, self.end, self.shown = command, start, end, shown


def transcripts(page):
    """In blocks between ``` a line `$ COMMAND` begins one."""
    found = []
    for block in re.finditer(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for part in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block[1], re.MULTILINE):
            start, end = block.start(1) + part.start(2), block.start(1) + part.end(2)
            found.append(Transcript(part[1], start, end, part[2]))
    return found


def read():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def number(word):
    try:
        return float(word.replace(",", ""))
    except ValueError:
        return None


def are_near(shown, printed, tolerance):
    """Two lines: the same words, and numbers that are at most so far from each other."""
    pairs = list(zip_longest(shown.split(), printed.split(), fillvalue=""))
    numbers = [(number(a), number(b)) for a, b in pairs if a != b]
    return all(None not in pair and abs(pair[0] - pair[1]) <= tolerance for pair in numbers)


def difference(transcript, printed):
    """Lines, none if they agree."""
    tolerance = TOLERANCE.get(transcript.command)
    shown, printed = normalised(transcript.shown), normalised(printed)
    if tolerance and all(are_near(*pair, tolerance) for pair in zip_longest(shown, printed, fillvalue="")):
        return []
    return list(difflib.unified_diff(shown, printed, "the page", "now", n=1, lineterm=""))


class Commands:
    """A folder in which the page's commands can be typed."""

    def __init__(self, recorder):
        self.recorder = recorder
        for name in ("demo", "cta.csv"):
            os.symlink(os.path.join(recorder.build, name), recorder.path(name))

    def run(self, command):
        """What a terminal would show."""
        if command in LONG:
            argv, env = [sys.executable, "-B", f"{HERE}/{LONG[command]}", self.recorder.build], os.environ
        else:
            argv = ["sh", "-c", command]
            env = dict(os.environ, PATH=f"{self.recorder.build}:{os.environ['PATH']}", LC_ALL="C.UTF-8")
        done = subprocess.run(argv, env=env, cwd=self.recorder.folder.name, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=False,
                              stderr=subprocess.DEVNULL if command in LONG else subprocess.STDOUT)
        if done.returncode and command not in LONG:
            raise Failed(f"{command}: status {done.returncode}: {done.stdout}")
        return done.stdout.rstrip("\n") + "\n" if done.stdout else ""


def check(recorder):
    """Says of each command whether it prints what the page shows."""
    same, commands = True, Commands(recorder)
    for transcript in transcripts(read()):
        if transcript.command in LONG:
            continue
        wrong = difference(transcript, commands.run(transcript.command))
        print(f"{'not ok' if wrong else 'ok'} - {transcript.command}")
        for line in wrong:
            print("#", line)
        same = same and not wrong
    return same


def write(recorder):
    page, commands = read(), Commands(recorder)
    printed = [(transcript, commands.run(transcript.command)) for transcript in transcripts(page)]
    for transcript, text in reversed(printed):
        page = page[:transcript.start] + text + page[transcript.end:]
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)
    return True


def is_shown(command, printed):
    """Whether the page shows this; if not, the difference goes to stderr.  Another Python has other
    figures."""
    shown = next(transcript for transcript in transcripts(read()) if transcript.command == command)
    first = printed.partition("\n")[0]
    if first.startswith("Python ") and not shown.shown.startswith(first):
        print(f"demo/README.md shows the figures of another Python than {first}", file=sys.stderr)
        return True
    wrong = difference(shown, printed)
    if wrong:
        print("\n".join(["demo/README.md shows something else:", *wrong]), file=sys.stderr)
    return not wrong


def exit_with(usage):
    print(usage.strip(), file=sys.stderr)
    sys.exit(2)


def run_steps(usage, command, show):
    """The main function of `SCRIPT BUILD [CSV]`: show(recorder, csv) prints; without CSV the page has to
    agree."""
    if len(sys.argv) not in (2, 3):
        exit_with(usage)
    build, printed = sys.argv[1], io.StringIO()
    csv = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else f"{build}/cta.csv")
    try:
        with Recorder(build) as recorder, contextlib.redirect_stdout(Both(sys.stdout, printed)):
            right = show(recorder, csv)
    except (Failed, OSError) as why:
        sys.exit(f"{command}: {why}")
    right = (len(sys.argv) > 2 or is_shown(command, printed.getvalue())) and right
    sys.exit(0 if right else 1)


class Both:
    """A file that is two."""

    def __init__(self, *files):
        self.files = files

    def write(self, text):
        for file in self.files:
            file.write(text)
            file.flush()

    def flush(self):
        pass


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--write"]):
        exit_with(__doc__)
    try:
        with Recorder(sys.argv[1]) as recorder:
            sys.exit(0 if (write if len(sys.argv) > 2 else check)(recorder) else 1)
    except Failed as why:
        sys.exit(f"page: {why}")


if __name__ == "__main__":
    main()
