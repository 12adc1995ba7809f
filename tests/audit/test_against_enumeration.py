"""Small random systems over tiny primes: what is called unique or free is so by counting all witnesses."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

import pytest

from zkrollup.audit import Constraints, Kind, audit, find_witness, propagate
from zkrollup.audit.propagate import contains

WIRES = {2: 8, 3: 7, 5: 6, 7: 5, 11: 5, 13: 4}


def random_system(rng):
    """Rows like those of circuits: bits, is-zero tests, selections, sums, products."""
    p = rng.choice([2, 3, 5, 5, 7, 7, 11, 13])
    wires = rng.randint(3, WIRES[p])

    def wire():
        return rng.randrange(1, wires)

    def combination(most):
        chosen = rng.sample(range(wires), min(rng.randint(1, most), wires))
        return {w: rng.choice([1, 1, 1, p - 1, rng.randrange(1, p)]) for w in chosen}

    def less_one(terms):
        return {w: k for w, k in (terms | {0: (terms.get(0, 0) - 1) % p}).items() if k}

    rows = []
    for _ in range(rng.randint(1, 6)):
        kind = rng.randrange(9)
        x, y, z, s = wire(), wire(), wire(), wire()
        if kind == 0:
            rows.append(({x: 1}, less_one({x: 1}), {}))
        elif kind == 1:
            rows += [({x: 1}, {y: 1}, {0: 1, z: p - 1}), ({x: 1}, {z: 1}, {})]
        elif kind == 2:
            terms = combination(3)
            rows.append((terms, less_one(terms), {}))
        elif kind == 3:
            rows.append(({0: 1}, combination(4), {}))
        elif kind == 4:
            rows.append(({x: 1}, {y: 1}, {0: rng.randrange(1, p)}))
        elif kind == 5:
            terms = combination(2)
            rows.append((terms, terms, combination(2)))
        elif kind == 6 and x != y:
            rows.append(({s: 1}, {x: 1, y: p - 1}, {z: 1}))
        elif kind == 7:
            few = rng.sample(range(1, wires), min(3, wires - 1))
            rows += [({w: 1}, less_one({w: 1}), {}) for w in few]
            rows.append(({}, {}, {x: p - 1} | {w: (1 << i) % p or 1 for i, w in enumerate(few) if w != x}))
        else:
            rows.append((combination(2), combination(2), combination(2)))
    inputs = range(1, 1 + rng.randint(0, min(2, wires - 1)))
    return Constraints.from_rows(p, wires, inputs, rows)


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


def check(seed, tally):
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


def test_verdicts__are_never_wrong_on_small_random_systems():
    tally = defaultdict(int)
    for seed in range(500):
        check(seed, tally)
    # They say something, too: nearly all that is free is found, most of what is unique is proved.
    assert tally["free", "free here"] >= 0.98 * (tally["free", "free here"] + tally["undecided", "free here"])
    assert tally["unique", "unique"] >= 0.7 * (tally["unique", "unique"] + tally["undecided", "unique"])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_verdicts__are_never_wrong_on_many_small_random_systems(part):
    tally = defaultdict(int)
    for seed in range(10_000 + 4000 * part, 14_000 + 4000 * part):
        check(seed, tally)
    assert tally["free", "free here"] > 1000
