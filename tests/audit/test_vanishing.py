"""Second witnesses from inputs at which a row says 0 x = 0, from digits of x + p, and from what they move."""

from __future__ import annotations

import itertools
import random

import pytest

from zkrollup.audit import Constraints, Kind, audit, find_witness, propagate
from zkrollup.audit.modular import polynomial_roots
from zkrollup.audit.search import Search
from zkrollup.audit.vanishing import common_zeros

P = 10007


def system(p, wires, inputs, rows):
    reduced = [tuple({w: k % p for w, k in side.items() if k % p} for side in row) for row in rows]
    return Constraints.from_rows(p, wires, inputs, reduced)


@pytest.mark.parametrize("p", [2, 3, 67, 101])
def test_polynomial_roots__are_those_found_by_trying(p):
    rng = random.Random(p)
    for _ in range(200):
        f = [rng.randrange(p) for _ in range(rng.randint(1, 9))]
        roots = [x for x in range(p) if not sum(k * x**i for i, k in enumerate(f)) % p]
        assert polynomial_roots(f, p) == (roots if any(f) else None)


def test_polynomial_roots__of_a_large_prime_are_those_put_in():
    p, rng = 2**255 - 19, random.Random(1)
    for _ in range(10):
        roots = {rng.randrange(p) for _ in range(6)}
        f = [1]
        for root in [*roots, min(roots)]:
            f = [(x - root * y) % p for x, y in zip([0, *f], [*f, 0], strict=True)]
        assert polynomial_roots(f, p) == sorted(roots)


def quotient(divisor, number, p=P):
    """Wire 5 in (divisor) * wire 5 = number; 1 and 2 are inputs, 3 = x^2, 4 = x y."""
    rows = [({1: 1}, {1: 1}, {3: 1}), ({1: 1}, {2: 1}, {4: 1}), (divisor, {5: 1}, number)]
    return system(p, 6, {1, 2}, rows)


def test_common_zeros__leave_a_quotient_free():
    # (y - 2 x) q = (x - 1) (x - 3)
    report = audit(quotient({2: 1, 1: -2}, {3: 1, 1: -4, 0: 3}))
    assert report.verdict("wire5").kind is Kind.FREE
    first = report.verdict("wire5").pair.first
    assert first[1:3] in ((1, 2), (3, 6))


def test_common_zeros__there_are_none_where_a_constant_is_left():
    # y = 2 x makes the number 7
    assert (
        list(
            common_zeros(
                propagate(s := quotient({2: 1, 1: -2}, {2: 1, 1: -2, 0: 7})), 2, random.Random(1), {}
            )
        )
        == []
    )
    assert audit(s).verdict("wire5").kind is not Kind.FREE


def test_common_zeros__are_common_zeros():
    rng = random.Random(3)
    p, found = 101, 0
    for _ in range(60):
        divisor = {w: rng.randrange(p) for w in rng.sample(range(5), 3)}
        number = {w: rng.randrange(p) for w in rng.sample(range(5), 3)}
        rules = propagate(quotient(divisor, number, p))
        if rules.unique[5]:
            continue

        def value(terms, x, y):
            return sum(k * (1, x, y, x * x, x * y)[w] for w, k in terms.items()) % p

        zeros = {
            (x, y)
            for x, y in itertools.product(range(p), repeat=2)
            if not value(divisor, x, y) and not value(number, x, y)
        }
        shown = {(z[1], z[2]) for z in common_zeros(rules, 2, rng, {}) if z.keys() == {1, 2}}
        assert shown <= zeros
        found += bool(shown)
    assert found > 20


@pytest.mark.parametrize("p", [31, 2**13 - 1])
def test_aliases__show_every_digit_of_a_number_free(p):
    n = p.bit_length()
    bits = [({2 + i: 1}, {2 + i: 1, 0: -1}, {}) for i in range(n)]
    total = ({}, {}, {1: -1} | {2 + i: 1 << i for i in range(n)})
    # of n bits only 0 and p stand for the same number: all of their digits differ
    report = audit(system(p, 2 + n, {1}, [total, *bits]))
    assert len(report.free) == n


def test_aliases__of_a_prime_with_zeros_need_a_carry():
    p, n = 12289, 14  # 3 * 2^12 + 1
    bits = [({2 + i: 1}, {2 + i: 1, 0: -1}, {}) for i in range(n)]
    report = audit(system(p, 2 + n, {1}, [({}, {}, {1: -1} | {2 + i: 1 << i for i in range(n)}), *bits]))
    assert len(report.free) == n
    assert all("x + p" in pair.found_by or "value" in pair.found_by for pair in report.pairs)


def test_witness__of_a_number_with_two_decompositions_is_found():
    p, n = 12289, 14
    bits = [({2 + i: 1}, {2 + i: 1, 0: -1}, {}) for i in range(n)]
    rows = [({}, {}, {1: -1} | {2 + i: 1 << i for i in range(n)}), *bits]
    rows.append(({2 + n - 1: 1}, {2 + n - 2: 1}, {0: 1}))  # only x + p has both top bits
    rules = propagate(system(p, 2 + n, {1}, rows))
    witness = find_witness(rules, {1: 3}, nodes=8)
    assert witness is not None
    assert sum(b << i for i, b in enumerate(witness[2:])) == 3 + p


def test_pair__moves_what_no_derivative_sees():
    """q^2 does not move to first order where q = 0, but the second witness needs it to."""
    # (x - 3) q = 0, which leaves q open at x = 3
    rows = [
        ({1: 1, 0: -3}, {2: 1}, {}),
        ({2: 1}, {2: 1}, {3: 1}),
        ({3: 1}, {5: 1}, {4: 1}),
        ({}, {}, {5: -1, 3: 1, 1: 1}),
    ]
    s = system(P, 6, {1}, rows)
    rules = propagate(s)
    search = Search(rules)
    search.quickly_at([1, 3, 0, 0, 0, 3])
    assert set(search.pair_of) == {2, 3, 4, 5}
