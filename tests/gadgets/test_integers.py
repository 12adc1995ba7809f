"""Unsigned and signed integers against Python's."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import integers as gadget
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


def edges(n: int, *more: int) -> list[int]:
    top = (1 << n) - 1
    return sorted({0, 1, 2 & top, top - 1, top, 1 << (n - 1), *(m & top for m in more)})


UNSIGNED = {
    "add": (gadget.add, lambda a, b, n: a + b),
    "subtract": (gadget.subtract, lambda a, b, n: a - b),
    "multiply": (gadget.multiply, lambda a, b, n: a * b),
    "add_wrapping": (gadget.add_wrapping, lambda a, b, n: (a + b) % (1 << n)),
    "subtract_wrapping": (gadget.subtract_wrapping, lambda a, b, n: (a - b) % (1 << n)),
    "multiply_wrapping": (gadget.multiply_wrapping, lambda a, b, n: a * b % (1 << n)),
    "minimum": (gadget.minimum, lambda a, b, n: min(a, b)),
    "maximum": (gadget.maximum, lambda a, b, n: max(a, b)),
}
ROWS = {
    "add": lambda n: n,
    "subtract": lambda n: n,
    "multiply": lambda n: n + 1,
    "add_wrapping": lambda n: n + 1,
    "subtract_wrapping": lambda n: n + 1,
    "multiply_wrapping": lambda n: 2 * n + 1,
    "minimum": lambda n: n + 2,
    "maximum": lambda n: n + 2,
}


@pytest.mark.parametrize("n", [1, 2, 3, 64, 126])
@pytest.mark.parametrize("name", UNSIGNED)
def test_unsigned__agrees_with_integers_and_refuses_what_does_not_fit(name, n, record, rows_of, engine):
    function, twin = UNSIGNED[name]

    def body(cs, i):
        out = function(cs, i["a"], i["b"], n)
        assert out.num_bits == n
        return {"out": cs.materialise(out)}

    template = record(body, "a b")
    # Making a sum, a number of known bits or a difference a wire takes a row that the gadget does not.
    assert rows_of(template) - ROWS[name](n) in (0, 1)
    for a, b in product(edges(n, 12345, 1 << n // 2), repeat=2):
        want = twin(a, b, n)
        inputs = {"a": a, "b": b}
        if 0 <= want < 1 << n:
            assert assert_satisfied(template, inputs=inputs, engine=engine)["out"] == want
        else:
            assert_unsatisfied(template, inputs=inputs, by=f"bit of a {n}-bit number")


@pytest.mark.parametrize(
    ("name", "n", "most"), [("add", 253, 252), ("multiply", 127, 126), ("subtract", 0, 252)]
)
def test_unsigned__refuses_widths_that_would_wrap(name, n, most):
    cs = ConstraintSystem("wide")
    with pytest.raises(ValueError, match=f"of {n} bits; expected 1 .. {most}, or it would wrap modulo r"):
        UNSIGNED[name][0](cs, cs.input("a"), cs.input("b"), n)


@pytest.fixture(scope="module")
def division(record):
    def body(cs, i):
        q, rest = gadget.divide(cs, i["a"], i["b"], 64, 32)
        return {"q": q, "rest": rest}

    return record(body, "a b")


def test_divide__takes_n_and_2m_rows_and_one(division, rows_of):
    assert rows_of(division) == 64 + 2 * 32 + 1


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, (1 << 64) - 1) | st.sampled_from(edges(64)),
    st.integers(1, (1 << 32) - 1) | st.sampled_from([1, 2, (1 << 32) - 1]),
)
def test_divide__agrees_with_divmod(division, engine, a, b):
    check = assert_satisfied(division, inputs={"a": a, "b": b}, engine=engine)
    assert (check["q"], check["rest"]) == divmod(a, b)


def test_divide__refuses_zero_and_every_other_answer(division):
    assert_unsatisfied(
        division, inputs={"a": 7, "b": 0}, by="remainder below divisor/bit of a 32-bit number", only=True
    )
    inputs = {"a": 1000, "b": 7}
    site = next(h for h in division.hints if h.kind == "divmod")
    below = "remainder below divisor/bit of a 32-bit number"
    # (q - 1, rest + b) holds over the integers, but the remainder is too large
    assert_unsatisfied(division, inputs=inputs, by=below, only=True, override={site: [141, 13]})
    # (q + 1, rest - b) holds, but the remainder is negative
    assert_unsatisfied(
        division, inputs=inputs, by="bit of a 32-bit number", override={site: [143, MODULUS - 1]}
    )
    # a / b in the field leaves no remainder, but is no number of 64 bits
    quotient = 1000 * pow(7, -1, MODULUS) % MODULUS
    assert_unsatisfied(
        division, inputs=inputs, by="bit of a 64-bit number", only=True, override={site: [quotient, 0]}
    )
    assert_unsatisfied(
        division,
        inputs=inputs,
        by="quotient times divisor plus remainder",
        only=True,
        override={site: [142, 5]},
    )
    assert assert_lies_caught(division, inputs=inputs) >= 4
    assert_every_wire_bound(division, inputs=inputs)


@pytest.mark.parametrize(("n", "m"), [(0, 1), (1, 0), (126, 127)])
def test_divide__refuses_widths_that_would_wrap(n, m):
    cs = ConstraintSystem("wide")
    with pytest.raises(ValueError, match=f"a division of {n} bits by {m}; expected at least 1 each and 252"):
        gadget.divide(cs, cs.input("a"), cs.input("b"), n, m)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 2), (2, 3)])
def test_divide__has_one_witness_for_small_numbers(n, m, record):
    template = record(lambda cs, i: gadget.divide(cs, i["a"], i["b"], n, m) and None, "a b")
    site = next(h for h in template.hints if h.kind == "divmod")
    for a, b in product(range(1 << n), range(1 << m)):
        found = [
            (q, rest)
            for q, rest in product(range(1 << n), range(1 << m))
            if template.check(inputs={"a": a, "b": b}, override={site: [q, rest]}).satisfied
        ]
        assert found == ([divmod(a, b)] if b else [])


@pytest.mark.parametrize(
    ("divisor", "rows"), [(2, 63 + 1 + 1), (1000, 55 + 10 + 1 + 1), ((1 << 63) + 1, 1 + 64 + 1 + 1)]
)
def test_divide_by_constant__agrees_with_divmod(divisor, rows, record, rows_of, engine):
    def body(cs, i):
        q, rest = gadget.divide_by_constant(cs, i["a"], divisor, 64)
        return {"q": q, "rest": rest}

    template = record(body, "a")
    assert rows_of(template) == rows
    for a in edges(64, divisor, divisor - 1, 5 * divisor, 987654321987654321):
        check = assert_satisfied(template, inputs={"a": a}, engine=engine)
        assert (check["q"], check["rest"]) == divmod(a, divisor)
    site = next(h for h in template.hints if h.kind == "divmod")
    a = divisor + 1
    assert_unsatisfied(template, inputs={"a": a}, override={site: [0, a]})
    assert_unsatisfied(template, inputs={"a": a}, override={site: [2, MODULUS + 1 - divisor]})
    assert_lies_caught(template, inputs={"a": a})


def test_divide_by_constant__refuses_other_divisors():
    cs = ConstraintSystem("constant")
    for divisor in (1, 256):
        with pytest.raises(ValueError, match=f"8 bits by the constant {divisor}; expected 1 to 251 bits"):
            gadget.divide_by_constant(cs, cs.input("a"), divisor, 8)


SHIFTS = {
    "left": (gadget.shift_left_by, lambda x, s, n: (x << s) % (1 << n)),
    "right": (gadget.shift_right_by, lambda x, s, n: x >> s),
    "rotate": (gadget.rotate_left_by, lambda x, s, n: (x << s | x >> (n - s)) % (1 << n)),
}


@pytest.mark.parametrize(("n", "k"), [(1, 1), (8, 3), (32, 5), (64, 6), (5, 3), (100, 7)])
@pytest.mark.parametrize("name", SHIFTS)
def test_shifts__by_a_signal_agree_with_integers(name, n, k, record, rows_of, engine):
    function, twin = SHIFTS[name]
    if name == "rotate" and n != 1 << k:
        cs = ConstraintSystem("rotate")
        x, s = cs.input("x"), cs.input_bool_array("s", k)
        with pytest.raises(ValueError, match=f"a rotation of {n} bits by {k} bits of amount; expected n = "):
            function(cs, x, s, n)
        return
    template = record(lambda cs, i: {"out": function(cs, i["x"], i["s"], n)}, "x", bool_arrays={"s": k})
    assert rows_of(template) == n + (1 << k) + k - 1 + 1
    rng = random.Random(n)
    for s in {0, 1, (1 << k) - 1, 1 << (k - 1), rng.randrange(1 << k)}:
        for x in (0, 1, (1 << n) - 1, rng.randrange(1 << n)):
            check = assert_satisfied(template, inputs={"x": x, "s": digits(s, k)}, engine=engine)
            assert check["out"] == twin(x, s, n)
    if n == 8:
        assert_lies_caught(template, inputs={"x": 0xA5, "s": digits(3, k)})
        assert_every_wire_bound(template, inputs={"x": 0xA5, "s": digits(3, k)})


def test_shifts__refuse_widths_that_would_wrap():
    cs = ConstraintSystem("wide")
    with pytest.raises(
        ValueError, match=r"a shift of 127 bits by 7 bits of amount; expected n \+ 2\^7 - 1 <= 253"
    ):
        gadget.shift_left_by(cs, cs.input("x"), cs.input_bool_array("s", 7), 127)


# -- signed ----------------------------------------------------------------------------------------
def truncated(a: int, b: int) -> tuple[int, int]:
    q = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return q, a - q * b


def element(value: int) -> int:
    return value % MODULUS


SIGNED = {
    "add": (gadget.signed_add, lambda a, b: a + b, lambda n: n),
    "subtract": (gadget.signed_subtract, lambda a, b: a - b, lambda n: n),
    "multiply": (gadget.signed_multiply, lambda a, b: a * b, lambda n: n + 1),
    "negate": (lambda cs, a, b: gadget.signed_negate(cs, a), lambda a, b: -a, lambda n: n),
}


@pytest.mark.parametrize("n", [1, 2, 8, 64, 126])
@pytest.mark.parametrize("name", SIGNED)
def test_signed__agrees_with_integers_and_refuses_what_does_not_fit(name, n, record, rows_of, engine):
    function, twin, rows = SIGNED[name]

    def body(cs, i):
        with cs.scope("inputs"):
            a, b = gadget.signed(cs, i["a"], n), gadget.signed(cs, i["b"], n)
        out = function(cs, a, b)
        with cs.scope("inputs"):
            return {n: cs.materialise(x) for n, x in (("v", out.value), ("n", out.negative), ("w", out.word))}

    template = record(body, "a b")
    assert rows_of(template) - rows(n) in (-1, 0, 1)
    low, high = -(1 << (n - 1)), (1 << (n - 1)) - 1
    values = sorted({v for v in (low, low + 1, -1, 0, 1, high) if low <= v <= high})
    for a, b in product(values, repeat=2):
        want = twin(a, b)
        inputs = {"a": element(a), "b": element(b)}
        if low <= want <= high:
            check = assert_satisfied(template, inputs=inputs, engine=engine)
            assert (check["v"], check["n"], check["w"]) == (element(want), want < 0, want % (1 << n))
        else:
            assert_unsatisfied(template, inputs=inputs, by=f"bit of a {n}-bit number")


@pytest.fixture(scope="module")
def signed_pair(record):
    n = 16

    def body(cs, i):
        a, b = gadget.signed_from_word(cs, i["a"], n), gadget.signed_from_word(cs, i["b"], n)
        return {
            "absolute": gadget.signed_absolute(cs, a),
            "less": gadget.signed_less_than(cs, a, b),
            "negative": a.negative,
            "value": a.value,
        }

    return record(body, "a b")


HALF = 1 << 15
INT16 = st.integers(-HALF, HALF - 1) | st.sampled_from([-HALF, -HALF + 1, -1, 0, 1, HALF - 1])


@settings(max_examples=30, deadline=None)
@given(INT16, INT16)
def test_signed__sign_absolute_and_order_agree_with_integers(signed_pair, engine, a, b):
    inputs = {"a": a % (1 << 16), "b": b % (1 << 16)}
    check = assert_satisfied(signed_pair, inputs=inputs, engine=engine)
    assert check["absolute"] == abs(a)
    assert check["less"] == (a < b)
    assert check["negative"] == (a < 0)
    assert check["value"] == element(a)


@pytest.fixture(scope="module")
def signed_division(record):
    def body(cs, i):
        with cs.scope("inputs"):
            a, b = gadget.signed(cs, i["a"], 16), gadget.signed(cs, i["b"], 16)
        q, rest = gadget.signed_divide(cs, a, b)
        with cs.scope("inputs"):
            return {"q": q.word, "rest": rest.word, "q_negative": q.negative, "rest_negative": rest.negative}

    return record(body, "a b")


def test_signed_divide__takes_4n_and_9_rows(signed_division, rows_of):
    assert rows_of(signed_division) == 4 * 16 + 9 + 2  # exports of the quotient: its word and its sign


@settings(max_examples=40, deadline=None)
@given(INT16, INT16)
def test_signed_divide__truncates_as_c_does(signed_division, engine, a, b):
    inputs = {"a": element(a), "b": element(b)}
    if b == 0 or (a, b) == (-HALF, -1):
        assert_unsatisfied(signed_division, inputs=inputs)
        return
    check = assert_satisfied(signed_division, inputs=inputs, engine=engine)
    q, rest = truncated(a, b)
    assert (check["q"], check["rest"]) == (q % (1 << 16), rest % (1 << 16))
    assert (check["q_negative"], check["rest_negative"]) == (q < 0, rest < 0)


def test_signed_divide__refuses_overflow_zero_and_lies(signed_division):
    least, minus_one = {"a": element(-HALF), "b": element(-1)}, {"a": element(-7), "b": element(2)}
    assert_unsatisfied(signed_division, inputs=least, by="bit of a 16-bit number", only=True)
    assert_unsatisfied(
        signed_division, inputs={"a": 7, "b": 0}, by="remainder below divisor/bit of a 16-bit number"
    )
    assert assert_lies_caught(signed_division, inputs=minus_one) >= 8
    assert_every_wire_bound(signed_division, inputs=minus_one)


def test_signed_shift_right_by__is_floor(record, engine, rows_of):
    def body(cs, i):
        with cs.scope("inputs"):
            a = gadget.signed(cs, i["a"], 16)
        return {"out": gadget.signed_shift_right_by(cs, a, i["s"]).word}

    template = record(body, "a", bool_arrays={"s": 4})
    assert rows_of(template) == 16 + 16 + 4 - 1 + 1
    for a, s in product((-HALF, -HALF + 1, -1, 0, 1, HALF - 1, -1234), (0, 1, 7, 15)):
        check = assert_satisfied(template, inputs={"a": element(a), "s": digits(s, 4)}, engine=engine)
        assert check["out"] == (a >> s) % (1 << 16)
    assert_lies_caught(template, inputs={"a": element(-1234), "s": digits(5, 4)})


def test_signed__refuses_mixed_and_wide_integers():
    cs = ConstraintSystem("signed")
    a, b = gadget.signed(cs, cs.input("a"), 8), gadget.signed(cs, cs.input("b"), 9)
    with pytest.raises(ValueError, match="signed integers of 8 and 9 bits; expected one width"):
        gadget.signed_add(cs, a, b)
    with pytest.raises(ValueError, match=r"a signed integer of 253 bits; expected 1 \.\. 252"):
        gadget.signed(cs, cs.input("c"), 253)
    with pytest.raises(ValueError, match="a shift of 8 bits by 8 bits of amount"):
        gadget.signed_shift_right_by(cs, a, cs.input_bool_array("s", 8))
