"""Inputs at which a row says 0 x = 0: where a denominator and its numerator vanish together.

This module must not know how a witness is completed, nor what follows from it; it returns values of inputs.

A row ``D x = N`` leaves x open only where D = N = 0. Both are written as polynomials in the inputs as far as
rows define the wires in them; all inputs but two get random values, and of the two polynomials left, one
that is linear in one of the two is solved for it and put into the other, whose roots are found.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from random import Random
from typing import TYPE_CHECKING

from zkrollup.audit.algebra import Polynomial, in_terms_of_inputs, stuck_on
from zkrollup.audit.modular import polynomial_roots

if TYPE_CHECKING:
    from zkrollup.audit.propagate import Propagation

__all__ = ["common_zeros"]

_INPUTS = 6
_TRIES = 3  # random values of the other inputs, for each two
_ROOTS = 40  # of the greatest degree worth it

Univariate = list[int]
"""Coefficients, from the constant one up."""

Bivariate = dict[int, Univariate]
"""By the power of the second variable."""


def common_zeros(
    rules: Propagation, row: int, rng: Random, preferred: Mapping[int, int]
) -> Iterator[dict[int, int]]:
    """Values of inputs at which a row with one unknown wire says nothing about it; none that are found, or
    none within reach, yield nothing.

    ``preferred``: values for inputs that are not solved for, tried before random ones.
    """
    p = rules.p
    wire = next((w for side in rules.rows[row] for w in side if not rules.unique[w]), None)
    sides = None if wire is None else stuck_on(rules, row, wire)
    if sides is None:
        return
    divisor, number = (in_terms_of_inputs(rules, side) for side in sides)
    if divisor is None or number is None or not number:
        return
    wires = sorted({w for polynomial in (divisor, number) for m in polynomial for w in m})
    if not wires or len(wires) > _INPUTS or not rules.system.inputs.issuperset(wires):
        return
    for first, second in itertools.permutations(wires, 2):
        for attempt in range(_TRIES):
            others = {
                w: preferred[w] if attempt == 0 and w in preferred else rng.randrange(p)
                for w in wires
                if w not in (first, second)
            }
            d = _in_two(divisor, first, second, others, p)
            n = _in_two(number, first, second, others, p)
            for x, y in _solve(d, n, p):
                yield others | {first: x, second: y}


def _in_two(f: Polynomial, first: int, second: int, others: Mapping[int, int], p: int) -> Bivariate:
    """With values put for all wires but two."""
    out: Bivariate = {}
    for monomial, k in f.items():
        x, y = monomial.count(first), monomial.count(second)
        for w in monomial:
            if w not in (first, second):
                k = k * others[w] % p
        part = out.setdefault(y, [])
        part += [0] * (x + 1 - len(part))
        part[x] = (part[x] + k) % p
    return {y: part for y, part in out.items() if any(part)}


def _solve(f: Bivariate, g: Bivariate, p: int) -> list[tuple[int, int]]:
    """Common zeros (x, y), where one of the two is linear in y or has no y."""
    if not f or not g:
        return []
    f, g = sorted((f, g), key=max)
    if max(f) == 0:
        # roots x of f, and for each the roots y of g
        found = []
        for x in polynomial_roots(f[0], p) or []:
            rest = [_at(g.get(y, [0]), x, p) for y in range(max(g) + 1)]
            found += [(x, y) for y in polynomial_roots(rest, p) or []]
        return found
    if max(f) > 1:
        return []
    # y = -f0 / f1: g times f1^degree is a polynomial in x
    degree = max(g)
    f0, f1 = f.get(0, [0]), f[1]
    total: Univariate = []
    for power, part in g.items():
        for factor in (*[[-k for k in f0]] * power, *[f1] * (degree - power)):
            part = _times(part, factor, p)
        total = [x + y for x, y in itertools.zip_longest(total, part, fillvalue=0)]
    if len(total) > _ROOTS:
        return []
    found = []
    for x in polynomial_roots(total, p) or []:
        below = _at(f1, x, p)
        if below:
            found.append((x, -_at(f0, x, p) * pow(below, -1, p) % p))
    return found


def _at(f: Univariate, x: int, p: int) -> int:
    return sum(k * pow(x, i, p) for i, k in enumerate(f)) % p


def _times(f: Univariate, g: Univariate, p: int) -> Univariate:
    out = [0] * (len(f) + len(g) - 1)
    for i, x in enumerate(f):
        for j, y in enumerate(g):
            out[i + j] = (out[i + j] + x * y) % p
    return out
