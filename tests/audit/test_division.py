"""Quotient and remainder of a divisor; ranges that several rows narrow; factors that cannot vanish."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from zkrollup.audit import Constraints, propagate

P = 16381


def linear(terms):
    return ({}, {}, terms)


def digits(x, first, n):
    """x (a wire or a sum) is that of n boolean wires."""
    total = dict(x) if isinstance(x, dict) else {x: 1}
    rows = [({first + i: 1}, {first + i: 1, 0: -1}, {}) for i in range(n)]
    return [*rows, linear(total | {first + i: -(1 << i) for i in range(n)})]


def division(divisor_bits, quotient_bits, remainder_bits, bounded=True, p=P):
    """Wires: 1 the divisor, 2 the dividend, 3 the quotient, 4 the remainder, then bits."""
    rows, free = [({1: 1}, {3: 1}, {2: 1, 4: -1})], 5
    for wire, n in ((1, divisor_bits), (3, quotient_bits), (4, remainder_bits)):
        rows += digits(wire, free, n)
        free += n
    if bounded:
        rows += digits({1: 1, 4: -1, 0: -1}, free, divisor_bits)
        free += divisor_bits
    return Constraints.from_rows(p, free, {1, 2}, rows)


def test_division__remainder_below_the_divisor_determines_both():
    done = propagate(division(4, 5, 4))
    assert done.unique[3] == done.unique[4] == 1
    assert done.reasons[3].rule == done.reasons[4].rule == "division"
    assert 0 in done.reasons[3].rows


def test_division__without_the_bound_or_with_room_to_wrap_says_nothing():
    assert not any(propagate(division(4, 5, 4, bounded=False)).unique[3:5])
    assert not any(propagate(division(4, 12, 4)).unique[3:5])


@pytest.mark.parametrize("shape", list(itertools.product((1, 2), (1, 2, 3), (1, 2), (False, True))))
def test_division__is_right_by_counting_over_a_small_prime(shape):
    """What the rules call unique has one value for every divisor and dividend."""
    p = 13
    d, q, r, bounded = shape
    done = propagate(division(d, q, r, bounded, p))
    seen = defaultdict(set)
    for divisor, quotient, remainder in itertools.product(range(1 << d), range(1 << q), range(1 << r)):
        if bounded and not (divisor - remainder - 1) % p < 1 << d:
            continue
        seen[divisor, (divisor * quotient + remainder) % p].add((quotient % p, remainder % p))
    for found in seen.values():
        for wire in (0, 1):
            if done.unique[3 + wire]:
                assert len({pair[wire] for pair in found}) == 1
    if bounded and (1 << d) * ((1 << q) - 1) + (1 << r) < p // 2:
        assert done.unique[3]


def test_ranges__of_a_wire_by_two_rows_are_intersected():
    """r in [0, 15] and 9 - r in [0, 15]: so r is a digit to base 10, and to base 9 it would not be."""
    for base, known in ((10, True), (9, False)):
        rows = [*digits(3, 4, 4), *digits({3: -1, 0: 9}, 8, 4), *digits(2, 12, 5)]
        rows.append(linear({1: -1, 2: base, 3: 1}))
        done = propagate(Constraints.from_rows(P, 17, {1}, rows))
        assert (done.domains[3].low, done.domains[3].high) == (0, 9)
        assert bool(done.unique[2]) is bool(done.unique[3]) is known


def test_factor__that_is_zero_only_where_its_product_is_not_determines_the_other():
    """(1 - y) u = 1 + y: at y = 1 no u satisfies it. (1 - y) u = 1 - y leaves u free there."""
    row = ({0: 1, 1: -1}, {2: 1}, {0: 1, 1: 1})
    assert propagate(Constraints.from_rows(P, 3, {1}, [row])).unique[2]
    row = ({0: 1, 1: -1}, {2: 1}, {0: 3, 1: -3})
    assert not propagate(Constraints.from_rows(P, 3, {1}, [row])).unique[2]
