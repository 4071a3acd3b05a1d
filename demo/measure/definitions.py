# SPDX-License-Identifier: MIT
"""
What each representation must hold after loading, worked out from its definition in demo/*.c and from the
file alone: bytes that are asked of malloc, and blocks.
"""
import csv
from collections import namedtuple

WORD = 8                            # a pointer, a size_t; a double is as large
FIELDS = ("route", "date", "daytype", "rides")

# struct UT_hash_handle, struct UT_hash_table, and the buckets that a hash begins with.
HASH_HANDLE, HASH_TABLE, HASH_BUCKET, HASH_BUCKETS = 56, 64, 16, 32

LIST_CAPACITY = 8                   # demo/list.c's FIRST_CAPACITY


class Held(namedtuple("Held", "size blocks")):
    """Bytes and blocks, which are added and multiplied as vectors are."""

    def __add__(self, other):
        return Held(self.size + other.size, self.blocks + other.blocks)

    def __sub__(self, other):
        return Held(self.size - other.size, self.blocks - other.blocks)

    def __mul__(self, times):
        return Held(self.size * times, self.blocks * times)


NOTHING = Held(0, 0)


def words(*counts):
    """A block for each, of so many words."""
    return Held(sum(counts) * WORD, len(counts))


class Facts:
    """What of the file matters: how many rows, and its strings, each with a byte more than its length."""

    def __init__(self, path):
        with open(path, newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.rows = len(rows)
        self.texts = {name: self.strings(row[name] for row in rows) for name in FIELDS}
        self.values = {name: {row[name] for row in rows} for name in FIELDS}
        self.first = {name: len(rows[0][name]) + 1 for name in FIELDS}

    @staticmethod
    def strings(texts):
        sizes = [len(text) + 1 for text in texts]
        return Held(sum(sizes), len(sizes))

    def copies(self, *names):
        """A copy for every occurrence."""
        return sum((self.texts[name] for name in names), NOTHING)

    def interned(self, *names):
        """Each value once, in its entry; and the hash of them, without its buckets: how many these are
        depends on how well the values spread."""
        values = set().union(*(self.values[name] for name in names))
        return self.strings(values) + Held(len(values) * HASH_HANDLE, 0) + Held(HASH_TABLE, 1)

    def array(self):
        """An array that has grown, by an eighth and eight, until all rows found room."""
        capacity = 0
        while capacity < self.rows:
            capacity += capacity // 8 + 8
        return words(capacity)

    def records(self, *counts):
        """A record of so many words for each row, in one or more blocks; and the list of them, which is a
        header of four words and an array."""
        return words(*counts) * self.rows + words(4) + self.array()


def a_dict():
    """The pointer to the hash, the hash, its buckets; and an item of two words for each field."""
    return (words(1) + Held(HASH_TABLE, 1) + Held(HASH_BUCKETS * HASH_BUCKET, 1)
            + Held(2 * WORD + HASH_HANDLE, 1) * len(FIELDS))


LIST, TUPLE, INSTANCE, NAMEDTUPLE, SLOTS = (3, LIST_CAPACITY), (4,), (2, 1 + 4), (1 + 4,), (4,)


def held(facts):
    """By representation: what it holds.  `cached` and `columns` without their hash's buckets."""
    texts = facts.copies(*FIELDS)
    return {
        "dict": a_dict() * facts.rows + words(4) + facts.array() + texts,
        "list": facts.records(*LIST) + texts,
        "tuple": facts.records(*TUPLE) + texts,
        "instance": facts.records(*INSTANCE) + texts,
        "namedtuple": facts.records(*NAMEDTUPLE) + texts,
        "slots": facts.records(*SLOTS) + texts,
        "float": facts.records(*SLOTS) + facts.copies("route", "date", "daytype"),
        # The table: the list of records, and the cache.
        "cached": (facts.records(*SLOTS) + words(2) + facts.copies("daytype")
                   + facts.interned("route", "date")),
        # Four arrays; how many rows, how much room, the next row; the cache.
        "columns": words(4 + 3 + 1) + facts.array() * 4 + facts.interned("route", "date", "daytype"),
        "stream": NOTHING,
    }


def of_first_record(facts):
    """By representation that has records: the record itself, and all blocks that are its alone."""
    strings = Held(sum(facts.first.values()), len(FIELDS))
    number = Held(facts.first["rides"], 1)
    return {
        "dict": (words(1), a_dict() + strings),
        "list": (words(LIST[0]), words(*LIST) + strings),
        "tuple": (words(*TUPLE), words(*TUPLE) + strings),
        "instance": (words(INSTANCE[0]), words(*INSTANCE) + strings),
        "namedtuple": (words(*NAMEDTUPLE), words(*NAMEDTUPLE) + strings),
        "slots": (words(*SLOTS), words(*SLOTS) + strings),
        "float": (words(*SLOTS), words(*SLOTS) + strings - number),
        "cached": (words(*SLOTS), words(*SLOTS) + Held(facts.first["daytype"], 1)),
    }


def differences(facts):
    """(larger, smaller, what the larger has more, why).  The last two without the hashes' buckets."""
    rows = facts.rows
    hash_of_row = Held(HASH_TABLE, 1) + Held(HASH_BUCKETS * HASH_BUCKET, 1)
    return [
        ("dict", "tuple", (words(1) + hash_of_row + Held(2 * WORD + HASH_HANDLE, 1) * 4 - words(4)) * rows,
         "a row's hash: table, 32 buckets, four items; less the tuple"),
        ("list", "tuple", (words(3) + Held((LIST_CAPACITY - 4) * WORD, 0)) * rows,
         "a header of three words, and room for four items more"),
        ("instance", "tuple", (words(2) + Held(WORD, 0)) * rows,
         "an object of two words, and how many values are set"),
        ("namedtuple", "tuple", Held(WORD, 0) * rows, "one word: the way to the names"),
        ("tuple", "slots", NOTHING, "nothing: a struct of four pointers, both"),
        ("slots", "float", facts.copies("rides"), "the strings of the rides"),
        ("float", "cached", facts.copies("route", "date") - facts.interned("route", "date") - words(2),
         "the strings of routes and dates; less each value once, in a hash"),
        ("cached", "columns", facts.records(*SLOTS) + words(2) + facts.copies("daytype")
         + facts.interned("route", "date") - facts.interned("route", "date", "daytype") - words(8)
         - facts.array() * 4,
         "records, their list, daytypes; less four arrays"),
    ]


def are_buckets(found):
    """Whether this can be the buckets of one hash: 32 of them, doubled as often as need be."""
    buckets, rest = divmod(found.size, HASH_BUCKET)
    return (found.blocks == 1 and rest == 0 and buckets >= HASH_BUCKETS and buckets & (buckets - 1) == 0)
