"""Equality and order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import compare
from zkrollup.testing import assert_satisfied, assert_unsatisfied

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
