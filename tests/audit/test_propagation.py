"""Every rule of the propagation: a system on which it speaks, and the nearest one on which it must not."""

from __future__ import annotations

import random

import pytest

from zkrollup.audit import Constraints, propagate
from zkrollup.audit.jacobian import Elimination
from zkrollup.cs import ConstraintSystem
from zkrollup.cs.scalar_field import MODULUS as R
from zkrollup.gadgets.bits import to_bits_strict

P = 10007
ONE = {0: 1}


def linear(terms, p=P):
    """sum of terms = 0"""
    return ({}, {}, {w: k % p for w, k in terms.items()})


def product(a, b, c, p=P):
    return tuple({w: k % p for w, k in side.items()} for side in (a, b, c))


def boolean(wire, p=P):
    return product({wire: 1}, {wire: 1, 0: -1}, {}, p)


def unique(wires, inputs, rows, p=P):
    """The wires shown unique, without one and inputs."""
    done = propagate(Constraints.from_rows(p, wires, inputs, rows))
    return {w for w in range(1, wires) if done.unique[w] and w not in inputs}, done


def bits_of(x, first, n, p):
    return [
        linear({x: -1} | {first + i: 1 << i for i in range(n)}, p),
        *(boolean(first + i, p) for i in range(n)),
    ]


def test_linear__one_unknown():
    assert unique(3, {1}, [linear({1: 3, 2: 5, 0: 7})])[0] == {2}


def test_linear__two_unknowns_are_not_determined():
    assert unique(4, {1}, [linear({1: 3, 2: 5, 3: 1})])[0] == set()


def test_linear__a_row_with_a_constant_factor_counts():
    assert unique(3, {1}, [product({0: 2}, {1: 1, 2: 4}, {})])[0] == {2}


def test_product__determines_its_right_side():
    assert unique(4, {1, 2}, [product({1: 1}, {2: 1}, {3: 1})])[0] == {3}


def test_product__a_factor_is_determined_when_the_other_is_never_zero():
    # wire 1 times wire 2 is 1, so wire 1 is not zero, and so wire 3 in wire 1 * wire 3 = wire 4
    rows = [product({1: 1}, {2: 1}, ONE), product({1: 1}, {3: 1}, {4: 1})]
    found, done = unique(5, {1, 4}, rows)
    assert found == {2, 3}
    assert done.reasons[3].rule == "nonzero factor"


def test_product__a_factor_is_not_determined_when_the_other_may_be_zero():
    assert unique(4, {1, 3}, [product({1: 1}, {2: 1}, {3: 1})])[0] == set()


def test_product__a_range_without_zero_makes_a_factor_nonzero():
    rows = [*bits_of(1, 4, 5, P), product({1: 1, 0: 1}, {2: 1}, {3: 1})]
    assert 2 in unique(9, {1, 3}, rows)[0]
    rows[-1] = product({1: 1, 0: -31}, {2: 1}, {3: 1})
    assert 2 not in unique(9, {1, 3}, rows)[0]


def test_product__a_square_is_no_nonsquare():
    nonsquare = next(k for k in range(2, P) if pow(k, (P - 1) // 2, P) != 1)
    rows = [product({1: 1}, {1: 1}, {2: 1}), product({2: 1, 0: -nonsquare}, {3: 1}, {4: 1})]
    assert unique(5, {1, 4}, rows)[0] == {2, 3}
    rows[1] = product({2: 1, 0: -4}, {3: 1}, {4: 1})
    assert unique(5, {1, 4}, rows)[0] == {2}


@pytest.mark.parametrize(("p", "widest"), [(R, 253), (P, 13), (31, 4)])
def test_digits__bits_are_unique_below_the_modulus_and_not_above(p, widest):
    for n, expected in ((widest, True), (widest + 1, False)):
        found, _ = unique(2 + n, {1}, bits_of(1, 2, n, p), p)
        assert (found == set(range(2, 2 + n))) is expected
        assert expected or not found


def test_digits__bits_without_their_boolean_row_are_not_unique():
    rows = bits_of(1, 2, 6, P)
    del rows[3]
    assert unique(8, {1}, rows)[0] == set()


def test_digits__a_bit_as_a_sum_has_its_range():
    """The top bit is no wire: (x - low bits) / 8 is 0 or 1."""
    eighth = pow(8, -1, P)
    top = {1: eighth} | {2 + i: -(1 << i) * eighth for i in range(3)}
    rows = [*(boolean(2 + i) for i in range(3)), product(top, top | {0: -1}, {})]
    assert unique(5, {1}, rows)[0] == {2, 3, 4}
    rows[-1] = product(top, top | {0: -2}, {})  # 0 or 2: then 8 * 2 = 16 is apart as well
    assert unique(5, {1}, rows)[0] == {2, 3, 4}
    rows[-1] = product(top, top | {0: -eighth}, {})  # 0 or 1/8: x + 1 and x share digits
    assert unique(5, {1}, rows)[0] == set()


def test_digits__mixed_radices():
    rows = [*bits_of(2, 4, 3, P), *bits_of(3, 7, 4, P), linear({1: -1, 2: 1, 3: 8})]
    assert unique(11, {1}, rows)[0] == set(range(2, 11))
    rows[-1] = linear({1: -1, 2: 1, 3: 7})  # 7 + 0 * 7 is 0 + 1 * 7
    assert unique(11, {1}, rows)[0] == set()


def test_digits__equal_weights_are_not_apart():
    rows = [boolean(2), boolean(3), linear({1: -1, 2: 1, 3: 1})]
    assert unique(4, {1}, rows)[0] == set()


def test_root__a_square_root_in_a_half_range_is_unique():
    rows = [product({2: 1}, {2: 1}, {1: 1}), *bits_of(2, 3, 12, P)]
    assert 2 in unique(15, {1}, rows)[0]
    rows = [product({2: 1}, {2: 1}, {1: 1}), *bits_of(2, 3, 13, P)]
    assert 2 not in unique(16, {1}, rows)[0]


def test_root__two_roots_in_range_are_two():
    assert unique(2, set(), [boolean(1)])[0] == set()
    assert unique(2, set(), [product({1: 1, 0: -3}, {1: 1, 0: -3}, {})])[0] == {1}


def test_cases__is_zero():
    rows = [product({1: 1}, {2: 1}, {0: 1, 3: -1}), product({1: 1}, {3: 1}, {})]
    found, done = unique(4, {1}, rows)
    assert found == {3}
    assert done.reasons[3].rule == "cases"
    assert done.reasons[3].rows == (0, 1)


def test_cases__is_zero_without_its_second_row_says_nothing():
    assert unique(4, {1}, [product({1: 1}, {2: 1}, {0: 1, 3: -1})])[0] == set()


def test_cases__is_zero_of_another_wire_says_nothing():
    rows = [product({1: 1}, {2: 1}, {0: 1, 3: -1}), product({4: 1}, {3: 1}, {})]
    assert unique(5, {1, 4}, rows)[0] == set()


def test_cases__one_hot():
    n = 6
    rows = [product({2 + i: 1}, {1: 1, 0: -i}, {}) for i in range(n)]
    with_sum = [*rows, linear({2 + i: 1 for i in range(n)} | {0: -1})]
    assert unique(2 + n, {1}, with_sum)[0] == set(range(2, 2 + n))
    # circomlib's Decoder: the sum is a bit, which may be 0 although the index is in range
    free_sum = [*rows, linear({2 + i: 1 for i in range(n)} | {2 + n: -1}), boolean(2 + n)]
    assert unique(3 + n, {1}, free_sum)[0] == set()


def test_cases__a_bit_selects_what_is_determined():
    rows = [
        boolean(1),
        product({1: 1}, {2: 1, 3: -1}, {}),  # if the bit: 2 = 3
        product({1: 1, 0: -1}, {2: 1, 4: -1}, {}),  # else: 2 = 4
    ]
    assert unique(5, {1, 3, 4}, rows)[0] == {2}
    assert unique(5, {1, 3, 4}, rows[1:])[0] == {2}  # a factor other than 0 and 1 demands both
    assert unique(5, {1, 3, 4}, rows[:2])[0] == set()


def test_elimination__solves_rows_together():
    rows = [linear({1: 1, 2: 1, 3: 1}), linear({1: 2, 2: 1, 3: -1})]
    assert unique(4, {1}, rows)[0] == {2, 3}
    rows[1] = linear({1: 2, 2: 2, 3: 2})
    assert unique(4, {1}, rows)[0] == set()


def test_elimination__a_second_system_of_the_same_size_is_solved_too():
    """What the first pair of rows determines makes another pair linear, with as many terms."""
    pair = [linear({2: 1, 3: 1, 1: -1}), linear({2: 1, 3: 2, 1: -5})]
    again = [product({2: 1}, {2: 1}, {4: 1, 5: 1}), product({3: 1}, {3: 1}, {4: 1, 5: 2})]
    found, done = unique(6, {1}, pair + again)
    assert found == {2, 3, 4, 5}
    assert done.reasons[5].rule == "elimination"
    assert set(done.reasons[5].rows) == {2, 3}


@pytest.mark.parametrize(("weight", "found"), [(2, {2, 3, 4}), (1, set())])
def test_elimination__leaves_sums_of_digits(weight, found):
    """Wire 2 has no range; without it the two rows are 3 + weight * 4 = wire 1."""
    rows = [linear({2: 1, 3: 1, 1: -1}), linear({2: 1, 4: -weight}), boolean(3), boolean(4)]
    assert unique(5, {1}, rows)[0] == found


def test_elimination__rows_that_repeat_each_other_determine_nothing():
    assert unique(4, {1}, [linear({2: 1, 3: 1, 1: -1}), linear({2: 3, 3: 3, 1: -3})])[0] == set()


def test_elimination__is_right_by_counting_ranks():
    """Dense systems modulo a small prime: a wire is determined when its unit vector is in the row space."""
    rng = random.Random(5)
    for _ in range(60):
        wires, count = 9, rng.randint(2, 8)
        rows = [
            linear({w: rng.randrange(1, 7) for w in rng.sample(range(2, wires), rng.randint(2, 5))}, 7)
            for _ in range(count)
        ]
        matrix = [row[2] for row in rows]
        rank = Elimination([dict(row) for row in matrix], 7).rank
        found, _ = unique(wires, {1}, rows, 7)
        for wire in range(2, wires):
            spanned = Elimination([*(dict(row) for row in matrix), {wire: 1}], 7).rank == rank
            assert spanned == (wire in found)


def test_known_sum__a_product_of_sums_that_linear_rows_determine():
    # 2 + 3 is known, though neither of them is; so is (2 + 3) * 4, here 5
    rows = [linear({1: 1, 2: 1, 3: 1}), product({2: 2, 3: 2, 0: 1}, {4: 1}, {5: 1})]
    found, done = unique(6, {1, 4}, rows)
    assert found == {5}
    assert done.reasons[5].rule == "known sum"
    assert done.reasons[5].rows == (0, 1)
    rows[1] = product({2: 2, 3: 1, 0: 1}, {4: 1}, {5: 1})
    assert unique(6, {1, 4}, rows)[0] == set()


def test_cases__is_zero_whose_result_an_optimiser_replaced_by_a_sum():
    # x * inverse = 1 - (3 + 4), x * (3 + 4) = 0, and (3 + 4) * 5 = 6
    rows = [
        product({1: 1}, {2: 1}, {0: 1, 3: -1, 4: -1}),
        product({1: 1}, {3: 2, 4: 2}, {}),
        product({3: 1, 4: 1}, {5: 1}, {6: 1}),
    ]
    assert unique(7, {1, 5}, rows)[0] == {6}
    rows[1] = product({1: 1}, {3: 1, 4: 2}, {})
    assert unique(7, {1, 5}, rows)[0] == set()


def test_constant__a_wire_with_one_value():
    found, done = unique(4, {3}, [linear({1: 2, 0: -8}), product({1: 1}, {2: 1}, {3: 1})])
    assert found == {1, 2}
    assert done.domains[1].values == (4,)


def test_impossible__a_row_that_nothing_satisfies_is_named():
    nonsquare = next(k for k in range(2, P) if pow(k, (P - 1) // 2, P) != 1)
    _, done = unique(2, set(), [boolean(1), product({1: 1}, {1: 1}, {0: nonsquare})])
    assert done.impossible == 1


def test_without_row__the_rule_that_needs_it_is_silent():
    rows = bits_of(1, 2, 6, P)
    system = Constraints.from_rows(P, 8, {1}, rows)
    assert all(propagate(system).unique)
    assert not any(propagate(system, without_row=2).unique[2:])


def test_assumptions__are_listed_with_the_factor():
    rows = [product({1: 1}, {2: 1}, {3: 1}), product({2: 1}, {2: 1}, {4: 1})]
    done = propagate(Constraints.from_rows(P, 5, {1, 3}, rows))
    assert not done.unique[2]
    assert not done.unique[4]
    done.assume_factors()
    assert done.assumed == [(0, 2)]
    assert done.unique[4]


def compared_bits(p, n, missed):
    """x in n bits that may hold x + p; each of ``missed`` = (ones, bit): where none of these ones is missed,
    the bit is zero, by a row with a free factor."""
    rows = bits_of(1, 2, n, p)
    for k, (ones, bit) in enumerate(missed):
        rows.append(product({2 + i: -1 for i in ones} | {0: len(ones)}, {2 + n + k: 1}, {2 + bit: 1}, p))
    return unique(2 + n + len(missed), {1}, rows, p)


def test_comparison__bits_below_the_modulus_are_unique():
    # 10 = 0b1010: where bit 3 is met, bit 2 is zero; where bits 3 and 1 are met, bit 0 is zero
    found, done = compared_bits(11, 4, [([3], 2), ([3, 1], 0)])
    assert found == {2, 3, 4, 5}
    assert done.reasons[2].rule == "comparison"
    assert set(done.reasons[2].rows) == set(range(7))


@pytest.mark.parametrize("missed", [[([3], 2)], [([3, 1], 0)], [([3], 2), ([3, 2], 0)]])
def test_comparison__bits_that_may_be_the_modulus_or_more_are_not(missed):
    assert compared_bits(11, 4, missed)[0] == set()


def test_comparison__of_254_bits_by_our_own_gadget():
    cs = ConstraintSystem("strict")
    bits = to_bits_strict(cs, cs.input("x"))
    cs.export("top", bits[253] + bits[0])
    system = Constraints.from_template(cs.freeze())
    done = propagate(system)
    assert {r.rule for w, r in done.reasons.items() if w < 255 and w not in system.inputs} == {"comparison"}
    weaker = propagate(system, without_row=system.num_rows - 3)
    assert not weaker.unique[2]


def test_comparison__of_254_bits_that_nobody_compares_is_silent():
    done = propagate(Constraints.from_rows(R, 256, {1}, bits_of(1, 2, 254, R)))
    assert not any(done.unique[2:])
