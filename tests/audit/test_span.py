"""Sums that are known although their wires are not."""

from __future__ import annotations

import itertools
import random

import pytest

from zkrollup.audit import Constraints, propagate

P = 16381


def test_sums__the_input_of_a_product_may_be_a_sum_of_unknown_wires():
    """2 + 3 and 2 - 3 are products of inputs; (2 + 3)^2 = 4; 4 (2 - 3) = 5 + 2: then all are known."""
    rows = [
        ({1: 1}, {1: 1}, {2: 1, 3: 1, 6: 1}),
        ({2: 1, 3: 1, 6: 1}, {2: 1, 3: 1, 6: 1}, {4: 1}),
        ({4: 1}, {2: 1, 3: 1, 6: 1}, {5: 1, 2: 1}),
        ({5: 1, 2: 1}, {4: 1}, {2: 1, 3: -1}),
        ({4: 1}, {4: 1, 1: 1}, {6: 1}),
    ]
    done = propagate(Constraints.from_rows(P, 7, {1}, rows))
    assert all(done.unique)
    assert "sums" in {reason.rule for reason in done.reasons.values()}


def test_sums__one_row_less_leaves_what_it_alone_fixed():
    rows = [
        ({1: 1}, {1: 1}, {2: 1, 3: 1, 6: 1}),
        ({2: 1, 3: 1, 6: 1}, {2: 1, 3: 1, 6: 1}, {4: 1}),
        ({4: 1}, {2: 1, 3: 1, 6: 1}, {5: 1, 2: 1}),
        ({4: 1}, {4: 1, 1: 1}, {6: 1}),
    ]
    done = propagate(Constraints.from_rows(P, 7, {1}, rows))
    assert [w for w in range(7) if done.unique[w]] == [0, 1, 4, 6]


@pytest.mark.parametrize("seed", range(40))
def test_sums__are_right_by_counting_all_witnesses(seed):
    """Rows of sums of few wires, modulo 5: what is called unique has one value."""
    rng = random.Random(seed)
    p, wires = 5, 6
    rows = []
    for _ in range(rng.randint(3, 6)):
        sums = [{w: rng.randrange(1, p) for w in rng.sample(range(1, wires), 2)} for _ in range(2)]
        a = rng.choice([{1: 1}, sums[0]])
        rows.append((a, rng.choice([a, {1: 1, 0: 1}, sums[1]]), sums[1] | rng.choice([{}, sums[0]])))
    system = Constraints.from_rows(p, wires, {1}, rows)
    done = propagate(system)
    values: dict[tuple[int, int], set[int]] = {}
    for cells in itertools.product(range(p), repeat=wires - 1):
        witness = (1, *cells)
        if not system.violations(witness):
            for wire in range(2, wires):
                values.setdefault((cells[0], wire), set()).add(witness[wire])
    for (_, wire), seen in values.items():
        assert len(seen) == 1 or not done.unique[wire]
