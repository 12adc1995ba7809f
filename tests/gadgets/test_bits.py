"""Decompositions, range checks, and bits compared with constants."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import MODULUS, ORDER
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import bits as gadget
from zkrollup.testing import assert_satisfied, assert_unsatisfied


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


@pytest.mark.parametrize("n", [2, 8, 128, 253])
def test_to_bits__gives_the_bits_in_n_rows(n, record, engine):
    template = record(lambda cs, i: {"b": gadget.to_bits(cs, i["x"], n)}, "x")
    # The top bit is a combination: exporting it costs a row that the gadget itself does not.
    assert template.counts_by_scope()[""] == n + 1
    for value in {0, 1, (1 << n) - 1, 1 << (n - 1), random.Random(n).randrange(1 << n)}:
        check = assert_satisfied(template, inputs={"x": value}, engine=engine)
        assert [check[f"b[{i}]"] for i in range(n)] == digits(value, n)
    assert_unsatisfied(template, inputs={"x": 1 << n}, by=f"bit of a {n}-bit number", only=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, MODULUS - 1, (MODULUS - 1) // 2, 1 << 253]))
def test_to_bits_strict__gives_the_bits_of_any_element(strict, value):
    check = assert_satisfied(strict, inputs={"x": value})
    assert [check[f"b[{i}]"] for i in range(254)] == digits(value, 254)


@pytest.fixture(scope="module")
def strict(record):
    return record(lambda cs, i: {"b": gadget.to_bits_strict(cs, i["x"])}, "x")


def test_to_bits__of_a_decomposed_number_costs_nothing():
    cs = ConstraintSystem("uint")
    x = cs.input_uint("x", 8)
    found = gadget.to_bits(cs, x, 10)
    assert len(found) == 10
    cs.assert_equal(gadget.from_bits(cs, found), cs.input("y"))
    template = cs.freeze()
    assert template.num_constraints == 8 + 1
    assert template.check(inputs={"x": 200, "y": 200}).satisfied


def test_range_check__returns_the_number_with_its_bits(record):
    def body(cs, i):
        checked = gadget.range_check(cs, i["x"], 5)
        assert checked.num_bits == 5
        return {"high": checked.bits[4]}

    template = record(body, "x")
    assert template.check(inputs={"x": 17})["high"] == 1
    assert not template.check(inputs={"x": 32}).satisfied


def test_range_check__inside_when_is_conditional(record):
    def body(cs, i):
        with cs.when(i["b"]):
            gadget.range_check(cs, i["x"], 5)

    template = record(body, "x", "b")
    assert template.check(inputs={"x": 31, "b": 1}).satisfied
    assert template.check(inputs={"x": 32, "b": 0}).satisfied
    assert not template.check(inputs={"x": 32, "b": 1}).satisfied


@pytest.mark.parametrize("n", [-1, 0, 254, 255])
def test_to_bits__refuses_a_width_without_unique_bits(n):
    cs = ConstraintSystem("bits")
    with pytest.raises(ValueError, match=f"a range of {n} bits; expected 1 .. 253"):
        gadget.to_bits(cs, cs.input("x"), n)


@pytest.mark.parametrize(("n", "bound"), [(0, 1), (255, 1), (8, 0), (254, MODULUS + 1)])
def test_assert_bits_less_than__refuses_bounds_out_of_range(n, bound):
    cs = ConstraintSystem("bits")
    with pytest.raises(ValueError, match="expected 1 to 254 bits and 0 < bound <= r"):
        gadget.assert_bits_less_than(cs, cs.input_bool_array("b", n), bound)


@pytest.mark.parametrize(("n", "bound"), [(254, MODULUS), (251, ORDER)])
def test_assert_bits_less_than__agrees_with_integers_around_every_bit(n, bound, record, rows_of, engine):
    template = record(
        lambda cs, i: gadget.assert_bits_less_than(cs, i["b"], bound) or {"x": gadget.from_bits(cs, i["b"])},
        bool_arrays={"b": n},
    )
    assert rows_of(template) == 31 + 1
    rng = random.Random(bound)
    values = [0, bound - 1, bound, bound + 1, (1 << n) - 1, *(bound - 1 ^ 1 << i for i in range(n))]
    values += [rng.randrange(1 << n) for _ in range(10)] + [
        bound - 1 - rng.randrange(1 << k) for k in range(n - 2)
    ]
    for value in values:
        assert template.check(inputs={"b": digits(value, n)}).satisfied == (value < bound), value
    assert_satisfied(template, inputs={"b": digits(bound - 1, n)}, engine=engine)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_assert_bits_less_than__agrees_with_integers_for_all_small_bounds(n, record):
    for bound in range(1, (1 << n) + 2):
        template = record(
            lambda cs, i, bound=bound: (
                gadget.assert_bits_less_than(cs, i["b"], bound) or {"x": gadget.from_bits(cs, i["b"])}
            ),
            bool_arrays={"b": n},
        )
        for value in range(1 << n):
            assert template.check(inputs={"b": digits(value, n)}).satisfied == (value < bound), (bound, value)


def difference_template(record, n, bound, width, shifts):
    """The comparison by windows alone, of which ``assert_bits_less_than`` may choose the other way."""

    def body(cs, i):
        above = [
            cs.linear([(b, -(1 << (k - s))) for k, b in enumerate(i["b"]) if k >= s], bound >> s)
            for s in shifts
        ]
        gadget.assert_first_difference(cs, above, above, width, "below")

    return record(body, bool_arrays={"b": n})


@pytest.mark.parametrize(("n", "width"), [(4, 1), (4, 2), (5, 2), (5, 3)])
def test_assert_first_difference__is_exact_whatever_the_hint_says(n, width, record):
    """Exhaustive: all bounds, all numbers, all answers of the hint."""
    for bound in range(1, 1 << n):
        first = next(s for s in range(n) if bound >> s <= 1 << width)
        shifts = [*range(first, 0, -width), 0]
        template = difference_template(record, n, bound, width, shifts)
        for value in range(1 << n):
            told = [
                template.check(inputs={"b": digits(value, n)}, override={0: digits(g, width)}).satisfied
                for g in range(1 << width)
            ]
            assert any(told) == (value < bound), (bound, value)
            assert template.check(inputs={"b": digits(value, n)}).satisfied == (value < bound)


def test_windows__cover_the_number():
    for n, bound, rows in ((254, MODULUS, 1), (254, MODULUS, 2), (251, ORDER, 1), (7, 100, 1)):
        width, shifts = gadget.windows(n, bound, rows)
        assert shifts[-1] == 0
        assert bound >> shifts[0] <= 1 << width
        assert all(0 < a - b <= width for a, b in pairwise(shifts))
