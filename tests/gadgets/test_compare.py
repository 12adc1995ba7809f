"""Equality and order."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import compare
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied

ELEMENTS = st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, 2, MODULUS - 1])


@pytest.fixture(scope="module")
def equality(record):
    return record(
        lambda cs, i: {"zero": compare.is_zero(cs, i["x"]), "equal": compare.is_equal(cs, i["x"], i["y"])},
        "x y",
    )


@settings(max_examples=30, deadline=None)
@given(ELEMENTS, ELEMENTS, st.booleans())
def test_is_zero_and_is_equal__agree_with_integers(equality, x, y, same):
    y = x if same else y
    check = assert_satisfied(equality, inputs={"x": x, "y": y})
    assert (check["zero"], check["equal"]) == (x == 0, x == y)


def test_is_zero__of_a_known_value_costs_nothing():
    cs = ConstraintSystem("known")
    assert compare.is_zero(cs, cs.constant(0)).constant_value == 1
    assert compare.is_zero(cs, cs.constant(5)).constant_value == 0


def test_assert_nonzero__refuses_zero_only(record):
    template = record(lambda cs, i: {"inverse": compare.assert_nonzero(cs, i["x"], "not zero")}, "x")
    assert template.check(inputs={"x": 2})["inverse"] == pow(2, -1, MODULUS)
    assert_unsatisfied(template, inputs={"x": 0}, by="not zero", only=True)


def pairs(n: int) -> list[tuple[int, int]]:
    top = (1 << n) - 1
    return [(0, 0), (0, top), (top, 0), (top, top), (top - 1, top), (top, top - 1), (0, 1), (1, 0)]


@pytest.mark.parametrize("n", [1, 2, 64, 252])
def test_less_than__agrees_with_integers(n, record, rows_of):
    template = record(
        lambda cs, i: {
            "less": compare.less_than(cs, i["a"], i["b"], n),
            "not_more": compare.less_or_equal(cs, i["a"], i["b"], n),
        },
        "a b",
    )
    assert rows_of(template) == 2 * (n + 1) + 2  # two exports of combinations
    for a, b in pairs(n):
        check = assert_satisfied(template, inputs={"a": a, "b": b})
        assert (check["less"], check["not_more"]) == (a < b, a <= b)


@pytest.mark.parametrize("n", [1, 2, 64, 252])
@pytest.mark.parametrize(
    ("assertion", "holds"),
    [(compare.assert_less_than, int.__lt__), (compare.assert_less_or_equal, int.__le__)],
)
def test_assertions_of_order__agree_with_integers(n, assertion, holds, record, rows_of):
    template = record(lambda cs, i: assertion(cs, i["a"], i["b"], n), "a b")
    assert rows_of(template) == n
    for a, b in pairs(n):
        assert template.check(inputs={"a": a, "b": b}).satisfied == holds(a, b), (a, b)


# -- order of known bits, and of whole elements -------------------------------------------------------
def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


@pytest.fixture(scope="module")
def by_bits(record):
    """Templates by width, with what the gadget alone takes."""
    made = {}

    def of(n):
        if n not in made:
            made[n] = record(
                lambda cs, i: {"less": compare.less_than_bits(cs, i["a"], i["b"])},
                bool_arrays={"a": n, "b": n},
            )
        return made[n]

    return of


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_less_than_bits__agrees_with_integers_everywhere(n, by_bits):
    for a, b in product(range(1 << n), repeat=2):
        inputs = {"a": digits(a, n), "b": digits(b, n)}
        assert assert_satisfied(by_bits(n), inputs=inputs)["less"] == (a < b)
        if n > 1:
            # The opposite answer is refused, whatever the window's number g is said to be.
            template = by_bits(n)
            hints = {h.kind: h for h in template.hints}
            for g in range(1 << len(hints["bits"].columns)):
                told = {hints["less_than"]: int(a >= b), hints["bits"]: digits(g, len(hints["bits"].columns))}
                assert_unsatisfied(template, inputs=inputs, by="less than", override=told)


@pytest.mark.parametrize(
    ("n", "rows"), [(1, 1), (2, 4), (8, 8), (32, 14), (64, 18), (128, 25), (253, 34), (254, 34)]
)
def test_less_than_bits__takes_few_rows(n, rows, by_bits, rows_of, engine):
    template = by_bits(n)
    assert rows_of(template) == rows
    rng = random.Random(n)
    top = min(1 << n, MODULUS) - 1
    values = [0, 1, top, top - 1, top // 2, *(rng.randrange(top) for _ in range(3))]
    values += [values[-1] ^ 1 << i for i in {0, 1 % n, n // 2, n - 2 if n > 1 else 0}]
    for a, b in product([v for v in values if v <= top], repeat=2):
        inputs = {"a": digits(a, n), "b": digits(b, n)}
        assert assert_satisfied(template, inputs=inputs, engine=engine)["less"] == (a < b)


@pytest.mark.parametrize("pair", [(1000, 1001), (1001, 1001), (65535, 0), (0, 65535)])
def test_less_than_bits__binds_every_wire_and_catches_lies(by_bits, pair):
    inputs = {"a": digits(pair[0], 16), "b": digits(pair[1], 16)}
    assert assert_lies_caught(by_bits(16), inputs=inputs) >= 4
    free = {f"{n}[{i}]" for n in "ab" for i in range(16)}  # another input may have the same answer
    assert_every_wire_bound(by_bits(16), inputs=inputs, allowed=free)


def test_less_than_bits__refuses_an_answer_that_scales_the_window(by_bits):
    template = by_bits(16)
    hints = {h.kind: h for h in template.hints}
    width = len(hints["bits"].columns)
    # The first window differs by 3, which is (2l - 1) g for l = 2 and g = 1.
    told = {hints["less_than"]: 2, hints["bits"]: [0] * width}
    inputs = {"a": digits(0, 16), "b": digits(3 << (16 - width), 16)}
    assert_unsatisfied(template, inputs=inputs, by="answer is boolean", only=True, override=told)


def test_less_than_bits__refuses_unequal_widths():
    cs = ConstraintSystem("bits")
    a, b = cs.input_bool_array("a", 3), cs.input_bool_array("b", 4)
    with pytest.raises(ValueError, match="a comparison of 3 bits with 4; expected equally many, 1 to 254"):
        compare.less_than_bits(cs, a, b)


def test_less_than_field__orders_any_two_elements(record, rows_of, engine):
    template = record(lambda cs, i: {"less": compare.less_than_field(cs, i["a"], i["b"])}, "a b")
    assert rows_of(template) == 604
    half = (MODULUS - 1) // 2
    values = [0, 1, half, half + 1, 1 << 253, (1 << 253) - 1, MODULUS - 2, MODULUS - 1]
    for a, b in product(values, repeat=2):
        assert assert_satisfied(template, inputs={"a": a, "b": b}, engine=engine)["less"] == (a < b)
    # The bits of a + r are those of the same element, and would turn the order around.
    bits = next(h for h in template.hints if h.kind == "bits")
    assert_unsatisfied(
        template, inputs={"a": 0, "b": 1}, by="bits below r", override={bits: digits(MODULUS, 253)}
    )


@pytest.mark.parametrize("n", [1, 8, 252])
def test_greater__agrees_with_integers(n, record, rows_of):
    template = record(
        lambda cs, i: {
            "more": compare.greater_than(cs, i["a"], i["b"], n),
            "not_less": compare.greater_or_equal(cs, i["a"], i["b"], n),
        },
        "a b",
    )
    assert rows_of(template) == 2 * (n + 1) + 2  # two exports of combinations
    for a, b in pairs(n):
        check = assert_satisfied(template, inputs={"a": a, "b": b})
        assert (check["more"], check["not_less"]) == (a > b, a >= b)
