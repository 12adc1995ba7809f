"""Words as bits: moves, boolean functions, sums."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.cs import ConstraintSystem
from zkrollup.cs.errors import ConstraintSystemError
from zkrollup.gadgets import words
from zkrollup.gadgets.bits import from_bits
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied

MASK = 0xFFFFFFFF
WORD = st.integers(0, MASK) | st.sampled_from([0, 1, MASK, 1 << 31])


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


def number(cs, word):
    return from_bits(cs, word)


@pytest.mark.parametrize("k", [0, 1, 7, 31, 32, 45])
def test_moves__cost_nothing_and_agree_with_integers(k, record):
    def body(cs, i):
        w = i["w"]
        return {
            "left": number(cs, words.rotate_left(w, k)),
            "right": number(cs, words.rotate_right(w, k)),
            "up": number(cs, words.shift_left(cs, w, k)),
            "down": number(cs, words.shift_right(cs, w, k)),
            "flipped": number(cs, words.invert(w)),
        }

    template = record(body, bool_arrays={"w": 32})
    value = random.Random(k).randrange(1 << 32)
    check = assert_satisfied(template, inputs={"w": digits(value, 32)})
    turn = k % 32
    assert check["left"] == (value << turn | value >> (32 - turn)) & MASK
    assert check["right"] == (value >> turn | value << (32 - turn)) & MASK
    assert check["up"] == value << k & MASK
    assert check["down"] == value >> k
    assert check["flipped"] == value ^ MASK


CORNERS = list(product((0, 1), repeat=3))
FUNCTIONS = {
    "xor": (words.xor, lambda a, b, c: a ^ b ^ c),
    "majority": (words.majority, lambda a, b, c: a & b | a & c | b & c),
    "chi": (words.chi, lambda a, b, c: a ^ (1 - b) & c),
    "choose": (words.choose, lambda a, b, c: b if a else c),
}


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request, record):
    """One bit of a function of three, and its meaning; no input is declared boolean beside it."""
    gadget, twin = FUNCTIONS[request.param]
    return record(lambda cs, i: {"out": gadget(cs, [i["a"]], [i["b"]], [i["c"]])}, bools="a b c"), twin


def test_functions_of_three__take_one_row_and_agree_on_all_corners(function, rows_of, engine):
    template, twin = function
    assert rows_of(template) == 1
    for a, b, c in CORNERS:
        inputs = {"a": a, "b": b, "c": c}
        assert assert_satisfied(template, inputs=inputs, engine=engine)["out[0]"] == twin(a, b, c)
        assert_lies_caught(template, inputs=inputs)
        # Another input may have the same answer; the answer itself is bound.
        assert_every_wire_bound(template, inputs=inputs, allowed={"a", "b", "c"})


def test_functions_of_three__refuse_the_other_bit_by_their_row(function):
    template, twin = function
    for a, b, c in CORNERS:
        inputs = {"a": a, "b": b, "c": c}
        check = template.check(inputs=inputs, override={"out[0]": 1 - twin(a, b, c)})
        assert [failure.scope for failure in check.failures] == [""]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("known", CORNERS)
def test_functions_of_three__fold_known_bits(name, known, record):
    gadget, twin = FUNCTIONS[name]
    for mask in range(1, 8):

        def body(cs, i, mask=mask):
            words_ = [
                [cs.constant_bool(bool(v)) if mask >> k & 1 else i[n]]
                for k, (n, v) in enumerate(zip("abc", known, strict=True))
            ]
            out = gadget(cs, *words_)[0]
            cs.assert_equal(cs.sum([i["a"], i["b"], i["c"]]), i["s"])
            return {"out": out}

        template = record(body, "s", bools="a b c")
        for signals in CORNERS:
            bits = [v if mask >> k & 1 else signals[k] for k, v in enumerate(known)]
            a, b, c = signals
            check = assert_satisfied(template, inputs={"a": a, "b": b, "c": c, "s": a + b + c})
            assert check["out"] == twin(*bits)


@pytest.mark.parametrize(("m", "rows"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3)])
def test_xor__of_m_words_takes_half_as_many_rows(m, rows, record, rows_of, engine):
    template = record(
        lambda cs, i: {"out": number(cs, words.xor(cs, *(i[f"w{k}"] for k in range(m))))},
        bool_arrays={f"w{k}": 8 for k in range(m)},
    )
    assert rows_of(template) == 8 * rows + 1
    rng = random.Random(m)
    for _ in range(5):
        values = [rng.randrange(256) for _ in range(m)]
        inputs = {f"w{k}": digits(v, 8) for k, v in enumerate(values)}
        want = 0
        for v in values:
            want ^= v
        assert assert_satisfied(template, inputs=inputs, engine=engine)["out"] == want


@pytest.fixture(scope="module")
def two_words(record):
    def body(cs, i):
        a, b = i["a"], i["b"]
        return {
            "and": number(cs, words.and_(cs, a, b)),
            "or": number(cs, words.or_(cs, a, b)),
            "sum": number(cs, words.add(cs, [a, b], 32)),
            "difference": number(cs, words.add(cs, [a], 32, minus=[b])),
            "many": number(cs, words.add(cs, [a, b, a, b, a], 32, plus=0xDEADBEEF)),
            "wide": number(cs, words.add(cs, [a, b], 40)),
        }

    return record(body, bool_arrays={"a": 32, "b": 32})


@settings(max_examples=15, deadline=None)
@given(WORD, WORD)
def test_words__agree_with_integers(two_words, engine, a, b):
    inputs = {"a": digits(a, 32), "b": digits(b, 32)}
    check = assert_satisfied(two_words, inputs=inputs, engine=engine)
    assert check["and"] == a & b
    assert check["or"] == a | b
    assert check["sum"] == (a + b) & MASK
    assert check["difference"] == (a - b) & MASK
    assert check["many"] == (3 * a + 2 * b + 0xDEADBEEF) & MASK
    assert check["wide"] == a + b


@pytest.mark.parametrize(
    ("count", "minus", "plus", "rows"),
    [(1, 0, 1, 33), (2, 0, 0, 33), (4, 0, 0, 34), (5, 0, 0, 35), (3, 1, 0, 34), (8, 0, 0, 35), (9, 0, 0, 36)],
)
def test_add__takes_n_rows_and_the_bits_of_the_carry(count, minus, plus, rows, record, rows_of):
    names = [f"w{k}" for k in range(count + minus)]

    def body(cs, i):
        given = [i[n] for n in names]
        return {"out": number(cs, words.add(cs, given[:count], 32, minus=given[count:], plus=plus))}

    template = record(body, bool_arrays=dict.fromkeys(names, 32))
    assert rows_of(template) == rows + 1
    top = {n: [1] * 32 for n in names[:count]} | {n: [0] * 32 for n in names[count:]}
    assert assert_satisfied(template, inputs=top)["out"] == (count * MASK + plus) & MASK
    low = {n: [0] * 32 for n in names[:count]} | {n: [1] * 32 for n in names[count:]}
    assert assert_satisfied(template, inputs=low)["out"] == (plus - minus * MASK) & MASK


def test_add__binds_every_bit_and_catches_lies(record):
    template = record(
        lambda cs, i: {"out": number(cs, words.add(cs, [i["a"], i["b"]], 8))}, bool_arrays={"a": 8, "b": 8}
    )
    inputs = {"a": digits(200, 8), "b": digits(100, 8)}
    assert assert_lies_caught(template, inputs=inputs) >= 8
    assert_every_wire_bound(template, inputs=inputs)
    # 300 is 44 with a carry; without the carry it would take 2^256 and more
    (site,) = template.hints
    assert_unsatisfied(template, inputs=inputs, override={site: digits(45, 8)}, by="bit of a 9-bit number")


def test_add__of_known_words_is_known():
    cs = ConstraintSystem("known")
    out = words.add(cs, [words.constant(cs, 250, 8)], 8, plus=10)
    assert [bit.constant_value for bit in out] == digits(4, 8)


@pytest.mark.parametrize("name", ["xor", "majority", "chi"])
def test_functions_of_three__refuse_to_be_recorded_under_a_condition(name):
    cs = ConstraintSystem("when")
    flag, *bits = cs.input_bool_array("b", 4)
    with cs.when(flag), pytest.raises(ConstraintSystemError, match=r"inside cs\.when\(flag\)"):
        FUNCTIONS[name][0](cs, *([bit] for bit in bits))


def test_words__refuse_what_does_not_fit():
    cs = ConstraintSystem("words")
    a, b = cs.input_bool_array("a", 4), cs.input_bool_array("b", 5)
    with pytest.raises(ValueError, match="words of 4 and 5 bits; expected one width"):
        words.xor(cs, a, b)
    with pytest.raises(ValueError, match="words of no bits; expected one width"):
        words.xor(cs)
    with pytest.raises(ValueError, match="the constant 16 does not fit a word of 4 bits"):
        words.constant(cs, 16, 4)
    with pytest.raises(ValueError, match="a shift by -1; expected 0 or more"):
        words.shift_left(cs, a, -1)
    wide = cs.input_bool_array("wide", 253)
    with pytest.raises(ValueError, match="a sum of up to 254 bits; expected at most 253"):
        words.add(cs, [wide, wide], 253)
