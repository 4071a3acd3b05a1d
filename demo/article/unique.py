# SPDX-License-Identifier: MIT
"""
unique.py FILE: the rows as dictionaries; the sum of sys.getsizeof over all objects, each once; and how many
objects there are of how many different routes.
"""
import csv
import sys

from memory import Watch


def sum_of_sizes(rows):
    """An object is known by its address, since equal ones need not be the same."""
    seen, size = set(), sys.getsizeof(rows)
    for row in rows:
        size += sys.getsizeof(row)
        for part in (*row.keys(), *row.values()):
            if id(part) not in seen:
                seen.add(id(part))
                size += sys.getsizeof(part)
    return size


def main(path):
    with Watch() as watch:
        with open(path, newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        watch.loaded()
    print(f"sum of sizes: {sum_of_sizes(rows)}")
    routes = [row["route"] for row in rows]
    print(f"route objects: {len(set(map(id, routes)))}")
    print(f"route values: {len(set(routes))}")


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__.strip())
