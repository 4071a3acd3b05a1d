# SPDX-License-Identifier: MIT
"""
rows.py TYPE FILE: the rides of FILE, summed by route, each row kept as TYPE; as ./demo --as TYPE FILE.
"""
import csv
import sys
from collections import Counter, namedtuple

from memory import Watch


class Instance:
    """An object with a dictionary."""

    def __init__(self, route, date, daytype, rides):
        self.route, self.date, self.daytype, self.rides = route, date, daytype, rides


class Slots:
    """An object with four places."""
    __slots__ = ("route", "date", "daytype", "rides")
    __init__ = Instance.__init__


NamedTuple = namedtuple("NamedTuple", Slots.__slots__)


def tuples(file):
    rows = csv.reader(file)
    next(rows)
    return map(tuple, rows)


def lists(file):
    rows = csv.reader(file)
    next(rows)
    return rows


def with_numbers(file):
    return (Slots(route, date, daytype, float(rides)) for route, date, daytype, rides in lists(file))


def cached(file):
    """Of equal strings the first is kept for all rows."""
    known = {}
    return (Slots(known.setdefault(route, route), known.setdefault(date, date), daytype, float(rides))
            for route, date, daytype, rides in lists(file))


def columns(file):
    """Four lists instead of the rows."""
    known, kept = {}, ([], [], [], [])
    for route, date, daytype, rides in lists(file):
        for column, value in zip(kept, (known.setdefault(route, route), known.setdefault(date, date),
                                        known.setdefault(daytype, daytype), float(rides))):
            column.append(value)
    return kept


TYPES = {
    "dict": lambda file: list(csv.DictReader(file)),
    "list": lambda file: list(lists(file)),
    "tuple": lambda file: list(tuples(file)),
    "instance": lambda file: [Instance(*row) for row in lists(file)],
    "namedtuple": lambda file: [NamedTuple(*row) for row in lists(file)],
    "slots": lambda file: [Slots(*row) for row in lists(file)],
    "float": lambda file: list(with_numbers(file)),
    "cached": lambda file: list(cached(file)),
    "columns": columns,
    "stream": tuples,
}


def rides(kept, kind):
    """Pairs of route and rides."""
    if kind == "columns":
        return zip(kept[0], kept[3])
    if kind == "dict":
        return ((row["route"], row["rides"]) for row in kept)
    if kind in ("list", "tuple", "stream"):
        return ((row[0], row[3]) for row in kept)
    return ((row.route, row.rides) for row in kept)


def main(kind, path):
    with Watch() as watch, open(path, newline="", encoding="ascii") as file:
        kept = TYPES[kind](file)
        if kind != "stream":
            watch.loaded()
        totals = Counter()
        for route, number in rides(kept, kind):
            totals[route] += int(number)
        if kind == "stream":
            watch.loaded()
    for route, total in totals.most_common(5):
        print(f"{route}: {total} rides")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in TYPES:
        sys.exit(__doc__.strip() + "\nTYPE: " + " ".join(TYPES))
    main(*sys.argv[1:])
