"""Denominators that cannot vanish, by the arithmetic of squares: the complete addition of Edwards curves.

This module must not know any curve.

A row ``D x = N``, where D and N are polynomials in wires that are known, determines x if D and N cannot both
be zero: then D is zero nowhere, since the row demands N = D x. Wires are replaced by what the rows that
define them say, the last one first, until D and N have one of the shapes

- D = c0 + c1 M^2, with M a product of wires and -c0/c1 no square;
- N = k1 m1 + k2 m2 with products m1 and m2, and D = c0 + c1 m1 q: where N is zero, m1 = -(k2/k1) m2 and D is
  c0 - c1 (k2/k1) m2 q, which is of the first shape;
- N = k m1 and D = c0 + c1 m, where every wire of m1 is one of m: where N is zero, so is m, and D is c0.

For a x^2 + y^2 = 1 + d x^2 y^2 and points (x1, y1), (x2, y2): N = x1 y2 + y1 x2 and D = 1 + d x1 x2 y1 y2,
which where N is zero is 1 - d (x1 y2)^2; N = y1 y2 - a x1 x2 and D = 1 - d x1 x2 y1 y2, which is
1 - a d (x1 x2)^2. That d and a d are no squares is all that it takes, on the curve or not.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from zkrollup.audit.model import RowTerms
from zkrollup.audit.modular import is_square

if TYPE_CHECKING:
    from zkrollup.audit.propagate import Propagation

__all__ = [
    "Monomial",
    "Polynomial",
    "denominator_never_zero",
    "in_terms_of_inputs",
    "single_value",
    "stuck_on",
]

_STEPS = 12  # wires replaced, for one row
_REPLACED = 60  # wires replaced, to reach the inputs
_TERMS = 24
_DEGREE = 8

Monomial = tuple[int, ...]
"""The wires of a product, ascending; () is the constant one."""

Polynomial = dict[Monomial, int]


def denominator_never_zero(rules: Propagation, row: int, wire: int) -> set[int] | None:
    """The rows that show that the factor of ``wire``, the only unknown in its row, is never zero; or None."""
    p = rules.p
    sides = stuck_on(rules, row, wire)
    if sides is None:
        return None
    divisor, number = sides
    used: set[int] = set()
    for _ in range(_STEPS):
        if _contradict(divisor, number, p):
            return used
        best = max(
            ((rules.reasons[w].time, w) for w in _wires(divisor, number) if _definition(rules, w) >= 0),
            default=None,
        )
        if best is None:
            return None
        _, replaced = best
        at = _definition(rules, replaced)
        value = _value(rules, at, replaced)
        if value is None:
            return None
        used.add(rules.origin[at])
        parts = [_replace(part, replaced, value, p) for part in (divisor, number)]
        if parts[0] is None or parts[1] is None:
            return None
        divisor, number = parts[0], parts[1]
    return None


def stuck_on(rules: Propagation, row: int, wire: int) -> tuple[Polynomial, Polynomial] | None:
    """(D, N) of a row that says D x = N of its only unknown wire x; None when it says something else."""
    p = rules.p
    a, b, c = rules.rows[row]
    if wire in a and wire in b:
        return None
    known = [{w: k for w, k in side.items() if w != wire} for side in (a, b, c)]
    # (a0 + ka x)(b0 + kb x) = c0 + kc x with ka kb = 0
    divisor: Polynomial = {}
    for k, side in ((a.get(wire, 0), known[1]), (b.get(wire, 0), known[0])):
        if k:
            _add(divisor, _sum(side), k, p)
    _add(divisor, {(): 1}, -c.get(wire, 0), p)
    number = _sum(known[2])
    product = _multiply(_sum(known[0]), _sum(known[1]), p)
    if product is None:
        return None
    _add(number, product, -1, p)
    return divisor, number


def in_terms_of_inputs(
    rules: Propagation,
    polynomial: Polynomial,
    *,
    used: set[int] | None = None,
    ranges: set[int] | None = None,
) -> Polynomial | None:
    """A sum of products with every wire that a row defines replaced, the last one first; None when it grows
    too large. Wires with a single value are replaced by it. ``used`` receives the rows, ``ranges`` the
    wires whose values were used."""
    for _ in range(_REPLACED):
        for wire in _wires(polynomial):
            value = single_value(rules, wire)
            if value is None:
                continue
            if ranges is not None:
                ranges.add(wire)
            folded = _replace(polynomial, wire, {(): value} if value else {}, rules.p)
            if folded is None:
                return None
            polynomial = folded
        best = max(
            ((rules.reasons[w].time, w) for w in _wires(polynomial) if _definition(rules, w) >= 0),
            default=None,
        )
        if best is None:
            return polynomial
        wire = best[1]
        at = _definition(rules, wire)
        if used is not None:
            used.add(rules.origin[at])
        told = _value(rules, at, wire)
        made = None if told is None else _replace(polynomial, wire, told, rules.p)
        if made is None:
            return None
        polynomial = made
    return None


def single_value(rules: Propagation, wire: int) -> int | None:
    """The value of a wire that has the same in all satisfying witnesses, as far as that is known."""
    domain = rules.domains[wire]
    if domain is None or domain.values is None or len(domain.values) != 1:
        return None
    return domain.values[0]


def _contradict(divisor: Polynomial, number: Polynomial, p: int) -> bool:
    """Whether the two cannot both be zero, by the shapes above."""
    c0 = divisor.get((), 0)
    rest = [(m, k) for m, k in divisor.items() if m]
    if not c0 or len(rest) > 1:
        return False
    if not rest:
        return True
    ((m, c1),) = rest
    if _no_root(c0, c1, m, p):
        return True
    terms = list(number.items())
    if len(terms) == 1:
        return set(terms[0][0]) <= set(m)
    if len(terms) == 2:
        (m1, k1), (m2, k2) = terms
        for x, kx, y, ky in ((m1, k1, m2, k2), (m2, k2, m1, k1)):
            left = Counter(m)
            left.subtract(x)
            if min(left.values()) < 0:
                continue
            other = tuple(sorted((*left.elements(), *y)))
            if _no_root(c0, -c1 * ky * pow(kx, -1, p), other, p):
                return True
    return False


def _no_root(c0: int, c1: int, m: Monomial, p: int) -> bool:
    """Whether c0 + c1 m is zero nowhere because m is a square and -c0/c1 is none."""
    return all(n % 2 == 0 for n in Counter(m).values()) and not is_square(-c0 * pow(c1, -1, p), p)


def _wires(*polynomials: Polynomial) -> set[int]:
    return {w for polynomial in polynomials for m in polynomial for w in m}


def _definition(rules: Propagation, wire: int) -> int:
    """The row that gives a wire by others, or -1."""
    reason = rules.reasons.get(wire)
    if reason is None or reason.rule != "linear" or len(reason.rows) != 1 or reason.rows[0] in rules.skip:
        return -1
    (row,) = reason.rows
    lin = rules.linear[row]
    if lin is not None:
        return row if wire in lin and len(lin) <= _TERMS else -1
    a, b, c = rules.rows[row]
    return row if wire in c and wire not in a and wire not in b and len(a) * len(b) <= _TERMS else -1


def _value(rules: Propagation, row: int, wire: int) -> Polynomial | None:
    """What a row says that a wire is."""
    p = rules.p
    lin = rules.linear[row]
    if lin is not None:
        out: Polynomial = {}
        scale = -pow(lin[wire], -1, p)
        _add(out, _sum({w: k for w, k in lin.items() if w != wire}), scale, p)
        return out
    a, b, c = rules.rows[row]
    product = _multiply(_sum(a), _sum(b), p)
    if product is None:
        return None
    scale = pow(c[wire], -1, p)
    out = {}
    _add(out, product, scale, p)
    _add(out, _sum({w: k for w, k in c.items() if w != wire}), -scale, p)
    return out


def _sum(terms: RowTerms) -> Polynomial:
    return {((w,) if w else ()): k for w, k in terms.items()}


def _add(target: Polynomial, source: Polynomial, k: int, p: int) -> None:
    for m, v in source.items():
        new = (target.get(m, 0) + k * v) % p
        if new:
            target[m] = new
        else:
            target.pop(m, None)


def _multiply(x: Polynomial, y: Polynomial, p: int) -> Polynomial | None:
    if len(x) * len(y) > 4 * _TERMS:
        return None
    out: Polynomial = {}
    for m, k in x.items():
        if len(m) > _DEGREE:
            return None
        _add(out, {tuple(sorted((*m, *n))): v for n, v in y.items()}, k, p)
    return out if len(out) <= _TERMS else None


def _replace(polynomial: Polynomial, wire: int, value: Polynomial, p: int) -> Polynomial | None:
    """With ``value`` put for a wire; None when that is too large."""
    out: Polynomial = {}
    powers: list[Polynomial] = [{(): 1}]
    for m, k in polynomial.items():
        times = m.count(wire)
        while len(powers) <= times:
            more = _multiply(powers[-1], value, p)
            if more is None:
                return None
            powers.append(more)
        part = _multiply({tuple(w for w in m if w != wire): k}, powers[times], p)
        if part is None:
            return None
        _add(out, part, 1, p)
    return out if len(out) <= _TERMS and all(len(m) <= _DEGREE for m in out) else None
