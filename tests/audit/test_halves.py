"""Square roots that a comparison tells apart, and factors whose zero the rows around refuse."""

from __future__ import annotations

import itertools

import pytest

from zkrollup.audit import Constraints, propagate

P, N = 61, 6  # six bits hold 0 .. 63: 61, 62 and 63 are 0, 1 and 2 once more; the half is 30


def build(wires, inputs, rows, p=P):
    reduced = [tuple({w: k % p for w, k in side.items() if k % p} for side in row) for row in rows]
    return Constraints.from_rows(p, wires, inputs, reduced)


def square_root(canonical=True, sign="half"):
    """Inputs: square (1) and sign (2). The root is 3, its bits 4 .. 9, products of bits behind."""
    bits = range(4, 4 + N)
    rows = [
        ({3: 1}, {3: 1}, {1: 1}),
        ({}, {}, {3: -1} | {b: 1 << i for i, b in enumerate(bits)}),
        *(({b: 1}, {b: 1, 0: -1}, {}) for b in bits),
        ({2: 1}, {2: 1, 0: -1}, {}),
        # 10 .. 13: bits 4 and 3; and 2; and 1; and 0
        *(({w: 1}, {b: 1}, {10 + i: 1}) for i, (w, b) in enumerate([(8, 7), (10, 6), (11, 5), (12, 4)])),
        ({11: 1}, {9: 1}, {14: 1}),  # at least 60
        ({0: 1, 9: -1}, {13: 1}, {15: 1}),  # 31
    ]
    if canonical:
        rows.append(({14: 1}, {4: 1, 5: 1}, {}))
    if sign == "half":
        rows.append(({}, {}, {2: -1, 9: 1, 15: 1}))
    elif sign == "top bit":  # takes 31 for a small root, as which 30 is the other
        rows.append(({}, {}, {2: -1, 9: 1}))
    elif sign == "low bit":  # of x and p - x one is even
        rows.append(({}, {}, {2: -1, 4: 1}))
    return build(16, {1, 2}, rows)


def both_roots(system):
    """Whether some square and sign have two roots, by trying all."""
    found = {}
    for number in range(64):
        bits = [number >> i & 1 for i in range(N)]
        root = number % P
        values = [1, root * root % P, 0, root, *bits]
        for w, b in ((8, 7), (10, 6), (11, 5), (12, 4)):
            values.append(values[w] * values[b])
        values += [values[11] * values[9], (1 - values[9]) * values[13]]
        for sign in (0, 1):
            values[2] = sign
            if not system.violations(values):
                found.setdefault((values[1], sign), set()).add(root)
    assert found
    return any(len(roots) > 1 for roots in found.values())


def test_half__of_a_root_that_a_sign_chooses_is_determined():
    system = square_root()
    done = propagate(system)
    assert all(done.unique)
    assert done.reasons[3].rule == "half"
    assert not both_roots(system)


@pytest.mark.parametrize(
    ("change", "two"),
    [({"canonical": False}, True), ({"sign": "top bit"}, True), ({"sign": None}, True)],
)
def test_half__is_not_concluded_where_both_roots_are_left(change, two):
    system = square_root(**change)
    assert both_roots(system) == two
    assert not propagate(system).unique[3]


def test_half__of_a_root_whose_last_bit_is_known_is_determined():
    system = square_root(sign="low bit")
    done = propagate(system)
    assert done.reasons[3].rule == "half"
    assert not both_roots(system)


def test_half__of_a_last_bit_of_a_number_that_may_be_p_or_more_is_not_concluded():
    system = square_root(canonical=False, sign="low bit")
    assert both_roots(system)
    assert not propagate(system).unique[3]


def selected(otherwise=5, tested=True):
    """x (1), or a constant where x is zero, times wire 5 is y (2): 3 is the inverse, 4 the test."""
    rows = [({1: 1}, {3: 1}, {0: 1, 4: -1}), ({1: 1}, {4: 1}, {})]
    rows.append(({0: otherwise, 1: -1}, {4: 1}, {6: 1, 1: -1}))
    rows.append(({6: 1}, {5: 1}, {2: 1}))
    return build(7, {1, 2}, rows if tested else [rows[0], *rows[2:]], 10007)


def test_never_zero__of_a_selection_that_avoids_it():
    done = propagate(selected())
    assert done.reasons[5].rule == "never zero"
    assert done.domains[4].values == (0, 1)


def test_never_zero__is_not_concluded_of_a_selection_of_zero():
    assert not propagate(selected(otherwise=0)).unique[5]
    assert not propagate(selected(tested=False)).unique[5]


@pytest.mark.parametrize("p", [7, 13])
def test_is_zero__gives_its_result_two_values(p):
    for constant in range(1, p):
        rows = [({1: 1}, {3: 1}, {0: 1, 2: -1}), ({1: 1}, {0: constant, 2: 1}, {})]
        found = set()
        for x, w in itertools.product(range(p), repeat=2):
            if not x * (1 - x * w + constant) % p:
                found.add((1 - x * w) % p)
        domain = propagate(build(4, {1}, rows, p)).domains[2]
        assert domain is not None
        assert found <= set(domain.values) == {1, -constant % p}
