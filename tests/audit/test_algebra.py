"""Denominators that never vanish: complete Edwards additions, and their nearest incomplete relatives."""

from __future__ import annotations

import itertools

import pytest

from zkrollup.audit import Constraints, propagate
from zkrollup.audit.modular import is_square
from zkrollup.crypto.tables import MODULUS, A, D
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import babyjubjub
from zkrollup.gadgets.babyjubjub import Edwards


def addition(p, a, d, flip=1):
    """circomlib's BabyAdd: 1 to 4 are x1, y1, x2, y2; 9 and 10 the sum."""
    rows = [
        ({1: 1}, {4: 1}, {5: 1}),  # beta
        ({2: 1}, {3: 1}, {6: 1}),  # gamma
        ({1: -a, 2: 1}, {3: 1, 4: 1}, {7: 1}),  # delta
        ({5: 1}, {6: 1}, {8: 1}),  # tau
        ({0: 1, 8: d}, {9: 1}, {5: 1, 6: flip}),
        ({0: 1, 8: -d}, {10: 1}, {7: 1, 5: a, 6: -1}),
    ]
    reduced = [tuple({w: k % p for w, k in side.items() if k % p} for side in row) for row in rows]
    return Constraints.from_rows(p, 11, {1, 2, 3, 4}, reduced)


def zero_over_zero(p, a, d, flip=1):
    """Whether inputs leave x3 free, and y3."""
    x_free = y_free = False
    for x1, y1, x2, y2 in itertools.product(range(p), repeat=4):
        beta, gamma, tau = x1 * y2, y1 * x2, x1 * y2 * y1 * x2
        x_free |= not ((1 + d * tau) % p or (beta + flip * gamma) % p)
        y_free |= not ((1 - d * tau) % p or (y1 * y2 - a * x1 * x2) % p)
    return x_free, y_free


@pytest.mark.parametrize("p", [5, 7, 11])
@pytest.mark.parametrize("flip", [1, -1])
def test_edwards_addition__is_unique_exactly_where_it_is_complete(p, flip):
    """Over every curve a x^2 + y^2 = 1 + d x^2 y^2 of a small field, counted over all pairs of points."""
    for a, d in itertools.product(range(1, p), repeat=2):
        done = propagate(addition(p, a, d, flip))
        x_free, y_free = zero_over_zero(p, a, d, flip)
        assert (bool(done.unique[9]), bool(done.unique[10])) == (not x_free, not y_free)


def test_edwards_addition__needs_d_to_be_no_square():
    assert all(propagate(addition(MODULUS, A, D)).unique)
    square = propagate(addition(MODULUS, A, D * 5)).unique  # 5 is no square either
    assert is_square(D * 5, MODULUS)
    assert (square[9], square[10]) == (0, 0)


def test_edwards_addition__names_all_rows_of_the_argument():
    done = propagate(addition(MODULUS, A, D))
    assert done.reasons[9].rule == "nonresidue"
    assert set(done.reasons[9].rows) == {3, 4}  # gamma = -beta is enough
    assert {0, 1, 2, 3, 5} == set(done.reasons[10].rows)


@pytest.mark.parametrize(("row", "result"), [(3, 9), (0, 10), (1, 10), (2, 10), (3, 10)])
def test_edwards_addition__says_nothing_without_a_row(row, result):
    done = propagate(addition(MODULUS, A, D), without_row=row)
    assert not done.unique[result]


def test_edwards_addition__of_our_gadget_in_a_ladder():
    cs = ConstraintSystem("ladder")
    p, q = Edwards(cs.input("px"), cs.input("py")), Edwards(cs.input("qx"), cs.input("qy"))
    for _ in range(5):
        p = babyjubjub.add(cs, p, q)
    cs.export("x", p.x)
    cs.export("y", p.y)
    done = propagate(Constraints.from_template(cs.freeze()))
    assert all(done.unique)


def test_divisor__that_is_a_product_in_its_numerator_is_not_zero():
    """(1 + x y) z = 2 x: where x is 0 the divisor is 1. With a numerator of 2 w it may be 0/0."""
    rows = [({1: 1}, {2: 1}, {4: 1}), ({0: 1, 4: 1}, {5: 1}, {1: 2})]
    assert propagate(Constraints.from_rows(97, 6, {1, 2, 3}, rows)).unique[5]
    other = [rows[0], ({0: 1, 4: 1}, {5: 1}, {3: 2})]
    assert not propagate(Constraints.from_rows(97, 6, {1, 2, 3}, other)).unique[5]


def test_divisor__one_more_than_a_square_times_a_nonresidue():
    """(1 - k x^2) z = w is z = w over what is never zero when k is no square."""
    for k in range(1, 97):
        rows = [({1: 1}, {1: 1}, {3: 1}), ({0: 1, 3: 97 - k}, {4: 1}, {2: 1})]
        done = propagate(Constraints.from_rows(97, 5, {1, 2}, rows))
        assert bool(done.unique[4]) != is_square(k, 97)
