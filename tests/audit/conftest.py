"""Random systems for the tests of the audit."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from zkrollup.audit import Constraints

WIRES = {2: 8, 3: 7, 5: 6, 7: 5, 11: 5, 13: 4}


def random_rows(rng):
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


@pytest.fixture(scope="session")
def random_system() -> Callable[[Random], Constraints]:
    return random_rows
