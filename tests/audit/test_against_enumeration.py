"""Small random systems over tiny primes: what is called unique or free is so by counting all witnesses."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

import pytest

from zkrollup.audit import Kind, audit, find_witness, propagate
from zkrollup.audit.facts import contains


def witnesses_of(system):
    """Every satisfying witness, by the values of the inputs."""
    p, rows = system.modulus, list(system.rows())
    groups = defaultdict(list)
    for values in itertools.product(range(p), repeat=system.num_wires - 1):
        cells = (1, *values)
        dots = ([sum(k * cells[w] for w, k in side.items()) for side in row] for row in rows)
        if all((a * b - c) % p == 0 for a, b, c in dots):
            groups[tuple(cells[w] for w in sorted(system.inputs))].append(cells)
    return groups


def check(random_system, seed, tally):
    rng = random.Random(seed)
    system = random_system(rng)
    groups = witnesses_of(system)
    everything = {w for group in groups.values() for w in group}
    rules = propagate(system)
    assert rules.impossible is None or not everything, f"seed {seed}: there is a witness"
    for wire, domain in enumerate(rules.domains[: system.num_wires]):
        for cells in everything if domain is not None else ():
            assert contains(domain, cells[wire], system.modulus), f"seed {seed}: wire {wire}, {domain}"
    found = find_witness(rules, seed=seed)
    assert found is None or tuple(found) in everything, f"seed {seed}: no witness"
    if not everything:
        return
    given = rng.choice(sorted(everything))
    report = audit(system, [given], seed=seed)
    for pair in report.pairs:
        assert {pair.first, pair.second} <= everything, f"seed {seed}: a pair that does not satisfy"
        assert all(pair.first[w] == pair.second[w] for w in system.inputs)
    at_given = groups[tuple(given[w] for w in sorted(system.inputs))]
    for wire, verdict in report.verdicts.items():
        free = any(len({cells[wire] for cells in group}) > 1 for group in groups.values())
        if verdict.kind is Kind.UNIQUE:
            assert not free, f"seed {seed}: wire {wire} is free, not unique by {verdict.reason}"
        elif verdict.kind is Kind.FREE:
            assert free
            assert verdict.pair.first[wire] != verdict.pair.second[wire]
        if verdict.idle and free:
            for group in groups.values():
                for cells in group:
                    for value in range(system.modulus):
                        other = (*cells[:wire], value, *cells[wire + 1 :])
                        near = [g for g in group if g[wire] == value]
                        assert other in group or not near, f"seed {seed}: wire {wire} is not idle"
        here = len({cells[wire] for cells in at_given}) > 1
        tally[verdict.kind.value, "free here" if here else "free" if free else "unique"] += 1


def test_verdicts__are_never_wrong_on_small_random_systems(random_system):
    tally = defaultdict(int)
    for seed in range(500):
        check(random_system, seed, tally)
    # They say something, too: nearly all that is free is found, most of what is unique is proved.
    assert tally["free", "free here"] >= 0.98 * (tally["free", "free here"] + tally["undecided", "free here"])
    assert tally["unique", "unique"] >= 0.7 * (tally["unique", "unique"] + tally["undecided", "unique"])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_verdicts__are_never_wrong_on_many_small_random_systems(random_system, part):
    tally = defaultdict(int)
    for seed in range(10_000 + 4000 * part, 14_000 + 4000 * part):
        check(random_system, seed, tally)
    assert tally["free", "free here"] > 1000
