"""Leaving rows out one at a time says what leaving them out from the start says."""

from __future__ import annotations

import random

from zkrollup.audit import Constraints, Without, propagate
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.bits import to_bits
from zkrollup.gadgets.compare import is_zero
from zkrollup.gadgets.poseidon import poseidon


def test_lost__agrees_with_propagation_from_the_start(random_system):
    rows = missed = invented = 0
    for seed in range(600):
        system = random_system(random.Random(seed))
        rules = propagate(system)
        if rules.impossible is not None:
            continue
        for small in (0, 200):
            without = Without(rules, small=small)
            for row in range(system.num_rows):
                anew = propagate(system, without_row=row)
                truth = {w for w in range(system.num_wires) if rules.unique[w] and not anew.unique[w]}
                found = set(without.lost(row))
                if small:
                    assert found <= truth
                    assert bool(found) == bool(truth), f"seed {seed}, row {row}"
                rows += 1
                missed += bool(truth) and not found
                invented += bool(found) and not truth
    assert rows > 2000
    assert missed == 0
    assert invented <= rows // 500


def recorded(repeat):
    cs = ConstraintSystem("hash")
    x, y = cs.input("x"), cs.input("y")
    bits = to_bits(cs, x, 20)
    total = poseidon(cs, [x, y, is_zero(cs, y) + bits[3]])
    if repeat:
        cs.assert_equal(x, cs.linear([(b, 1 << i) for i, b in enumerate(bits)]) + 0 * y)
    cs.export("out", total)
    return Constraints.from_template(cs.freeze())


def test_lost__every_row_of_a_circuit_counts():
    system = recorded(False)
    without = Without(propagate(system), small=0)
    for row in [*range(0, 40, 3), *range(40, system.num_rows, 17)]:
        anew = propagate(system, without_row=row)
        truth = [w for w in range(system.num_wires) if without.rules.unique[w] and not anew.unique[w]]
        assert set(without.lost(row)) <= set(truth)
        assert bool(without.lost(row)) == bool(truth), system.row_place(row)


def test_lost__a_row_that_repeats_another_is_not_missed():
    rows = [({1: 1}, {1: 1}, {2: 1}), ({1: 2}, {1: 3}, {2: 6}), ({2: 1}, {2: 1}, {3: 1})]
    system = Constraints.from_rows(10007, 4, {1}, rows)
    for small in (0, 200):
        without = Without(propagate(system), small=small)
        assert [without.lost(row) for row in range(3)] == [[], [], [3]]
