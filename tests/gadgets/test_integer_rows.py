"""No row of the integer gadgets can go: dropped, each one is missed by an assignment or by the analysis."""

from __future__ import annotations

import random
from itertools import product

import pytest

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import compare, integers, select, sort, words
from zkrollup.testing import assert_every_row_needed

RNG = random.Random(5)


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


def element(value: int) -> int:
    return value % MODULUS


def random_bits(names: str, n: int) -> list[dict[str, list[int]]]:
    return [{name: digits(RNG.randrange(1 << n), n) for name in names.split()} for _ in range(3)]


def signed_divide(cs, a, b):
    q, rest = integers.signed_divide(cs, integers.signed(cs, a, 8), integers.signed(cs, b, 8))
    return [q.value, q.word, rest.word]


TABLE = [pow(5, k * k + 1, MODULUS) for k in range(32)]
MUX = [5, 9, 7, 3, 1, 8]

# name: (what is declared, gadget, valid assignments, invalid assignments)
CASES = {
    **{
        f"words.{name}": (
            {"a": ("bits", 8), "b": ("bits", 8), "c": ("bits", 8)},
            getattr(words, name),
            random_bits("a b c", 8),
            [],
        )
        for name in ("xor", "majority", "chi", "choose")
    },
    "words.add": (
        {"a": ("bits", 8), "b": ("bits", 8), "c": ("bits", 8)},
        lambda cs, a, b, c: words.add(cs, [a, b, c], 8),
        random_bits("a b c", 8),
        [],
    ),
    "integers.divide": (
        {"a": ("field", 0), "b": ("field", 0)},
        lambda cs, a, b: list(integers.divide(cs, a, b, 32, 32)),
        [{"a": 12345678, "b": 789}, {"a": (1 << 32) - 1, "b": 1 << 31}],
        [{"a": 5, "b": 0}],
    ),
    "integers.signed_divide": (
        {"a": ("field", 0), "b": ("field", 0)},
        signed_divide,
        [{"a": element(a), "b": element(b)} for a, b in product((100, -100, 7, -6), (7, -7, 2))],
        [{"a": 5, "b": 0}, {"a": element(-128), "b": element(-1)}],
    ),
    "select.one_hot": (
        {"x": ("field", 0)},
        lambda cs, x: select.one_hot(cs, x, 6),
        [{"x": k} for k in range(6)],
        [{"x": 6}],
    ),
    "select.mux": (
        {"b": ("bits", 3), "v": ("array", 6)},
        lambda cs, b, v: [select.mux(cs, b, v)],
        [{"b": digits(k, 3), "v": MUX} for k in range(6)],
        [{"b": digits(k, 3), "v": MUX} for k in (6, 7)],
    ),
    "select.lookup": (
        {"b": ("bits", 5)},
        lambda cs, b: [select.lookup(cs, b, TABLE)],
        [{"b": digits(k, 5)} for k in (3, 17, 31)],
        [],
    ),
    "sort.sort": (
        {"v": ("array", 8)},
        lambda cs, v: sort.sort(cs, v, 16),
        [{"v": [RNG.randrange(1 << 16) for _ in range(8)]} for _ in range(3)],
        [],
    ),
    "sort.assert_permutation": (
        {"v": ("array", 5), "w": ("array", 5)},
        lambda cs, v, w: sort.assert_permutation(cs, v, w) or [],
        [{"v": [5, 9, 7, 3, 1], "w": [9, 7, 1, 3, 5]}],
        [{"v": [5, 9, 7, 3, 1], "w": [9, 7, 1, 3, 6]}],
    ),
    "compare.less_than_bits": (
        {"a": ("bits", 16), "b": ("bits", 16)},
        lambda cs, a, b: [compare.less_than_bits(cs, a, b)],
        [
            {"a": digits(a, 16), "b": digits(b, 16)}
            for a, b in ((7, 9), (9, 9), (9, 7), (1 << 15, 5), (300, 3000))
        ],
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_row__is_missed_when_it_is_dropped(name):
    shapes, gadget, valid, invalid = CASES[name]
    declare = {"field": lambda cs, n, _: cs.input(n), "bits": ConstraintSystem.input_bool_array}
    declare["array"] = ConstraintSystem.input_array
    cs = ConstraintSystem(name)
    out = gadget(cs, *(declare[kind](cs, n, size) for n, (kind, size) in shapes.items()))
    cs.export_array("out", out)
    template = cs.freeze()
    wrong = [({}, assignment) for assignment in invalid]
    if name == "integers.signed_divide":
        # The quotient may have another value that fits only where the row of its sign is gone.
        wrong.append(template.check(inputs=valid[0], override={"out[0]": 5}))
    if name == "compare.less_than_bits":
        # Only the answer's boolean row refuses l = 2 with g = 1 where a window differs by 3.
        hints = {h.kind: h for h in template.hints}
        width = len(hints["bits"].columns)
        told = {hints["less_than"]: 2, hints["bits"]: [0] * width}
        given = {"a": digits(0, 16), "b": digits(3 << (16 - width), 16)}
        wrong.append(template.check(inputs=given, override=told))
    report = assert_every_row_needed(template, [({}, assignment) for assignment in valid], wrong)
    assert len(report.noticed) == template.num_constraints
