# SPDX-License-Identifier: MIT
"""sizes.py: what sys.getsizeof says of a row, kept one way or another, and of what is in it."""
import sys

from rows import Instance, NamedTuple, Slots

ROW = ("22", "01/01/2001", "U", "7354")


def main():
    names = Slots.__slots__
    instance = Instance(*ROW)
    for name, size in {
            "dict": sys.getsizeof(dict(zip(names, ROW))),
            "list": sys.getsizeof(list(ROW)),
            "tuple": sys.getsizeof(ROW),
            "instance": sys.getsizeof(instance),
            "its dictionary": sys.getsizeof(vars(instance)),
            "namedtuple": sys.getsizeof(NamedTuple(*ROW)),
            "slots": sys.getsizeof(Slots(*ROW)),
            "string of four characters": sys.getsizeof(ROW[3]),
            "int": sys.getsizeof(int(ROW[3])),
            "float": sys.getsizeof(float(ROW[3])),
    }.items():
        print(f"{name}: {size}")


if __name__ == "__main__":
    main()
