# SPDX-License-Identifier: MIT
"""
extensions.py numpy|pandas|sqlite3|lxml FILE: the file in the memory of an extension that is written in C,
which may or may not tell Python's tracemalloc of it.
"""
import csv
import importlib
import sys

from memory import Watch


def rows(path):
    with open(path, newline="", encoding="ascii") as file:
        yield from csv.reader(file)


def with_numpy(numpy, path):
    """The rides, as an array."""
    rides = (row[3] for row in rows(path))
    next(rides)
    return numpy.fromiter(map(float, rides), dtype=float)


def with_pandas(pandas, path):
    return pandas.read_csv(path)


def with_sqlite3(sqlite3, path):
    """A data base that is nowhere but in memory."""
    base = sqlite3.connect(":memory:")
    base.execute("create table rides (route text, date text, daytype text, rides integer)")
    lines = rows(path)
    next(lines)
    base.executemany("insert into rides values (?, ?, ?, ?)", lines)
    return base


def with_lxml(etree, path):
    """A document, with an element for each row."""
    lines = rows(path)
    names = next(lines)
    root = etree.Element("rides")
    for line in lines:
        etree.SubElement(root, "row", dict(zip(names, line)))
    return root


WAYS = {
    "numpy": ("numpy", with_numpy),
    "pandas": ("pandas", with_pandas),
    "sqlite3": ("sqlite3", with_sqlite3),
    "lxml": ("lxml.etree", with_lxml),
}


def main(name, path):
    module, load = WAYS[name]
    extension = importlib.import_module(module)
    with Watch() as watch:
        data = load(extension, path)
        watch.loaded()
    return data


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in WAYS:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
