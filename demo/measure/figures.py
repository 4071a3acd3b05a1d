# SPDX-License-Identifier: MIT
"""What the article measured, in the Python of its day; in bytes if nothing else is said."""

# MiB after loading, from the largest to the smallest.  Of the last four it gave round figures, of float how
# much it saves.
AFTER_LOADING = {
    "dict": "294.7",
    "instance": "268.5",
    "list": "170.8",
    "namedtuple": "165.3",
    "tuple": "160.1",
    "slots": "155.0",
    "float": "137",
    "cached": "68",
    "columns": "38",
    "stream": "0.035",
}

# sys.getsizeof of a record; of an instance with its dictionary.
RECORD = {"dict": "288", "list": "96", "tuple": "80", "instance": "56 + 192"}

# Of a string of four characters, a small int, a float.
STRING, INT, FLOAT = 53, 28, 24

# Strings of routes, and how many values these have.
ROUTE_OBJECTS, ROUTE_VALUES = 634_285, 182

# The rows as dictionaries: getsizeof of all objects, each once, and what tracemalloc said.
SUM_OF_SIZES, TRACED = 308_977_196, 308_979_047

# pandas.read_csv: what tracemalloc said, and what the process took.
PANDAS_TRACED, PANDAS_USED = 430 * 1024, 56 * 2 ** 20


def order(sizes):
    """Names by their sizes, the largest first: `a > b = c >> d`, where d has not a hundredth of c's."""
    names = sorted(sizes, key=lambda name: -sizes[name])
    words = names[:1]
    for larger, smaller in zip(names, names[1:]):
        a, b = sizes[larger], sizes[smaller]
        words += ["=" if a == b else ">" if a < 100 * b else ">>", smaller]
    return " ".join(words)


def order_there():
    return order({name: float(size) for name, size in AFTER_LOADING.items()})
