"""Slopes of Montgomery curves that are determined: tangents at regular points, chords of known multiples.

This module must not know in what order rules are tried, nor how a scalar is cut into windows.

Rows of a slope s, as circomlib and others write them, for points (u, v), on a curve or not:

    tangent   s 2 B v = N(u), N(u) = 3 u^2 + 2 A u + 1      B s^2 = u' + A + 2 u         s (u - u') = v' + v
    chord     s (u2 - u1) = v2 - v1                         B s^2 = u' + A + u1 + u2     s (u1 - u') = v' + v1

*Tangents.* A point is called regular when v and N(u) are not both zero; then the first row determines s, or
cannot hold. What a tangent makes of a regular point is regular: were v' = N(u') = 0, then v = s (u - u') and
N(u) = 2 B s v = 2 (u' + A + 2 u)(u - u'), but also N(u) = N(u) - N(u') = (u - u')(3 u + 3 u' + 2 A), so that
(u - u')(u' - u) = 0: u = u', v = 0 and N(u) = 0. A first point is regular where a row w v = k u makes v = 0
mean u = 0, since N(0) = 1.

*First chords.* A regular point differs from what its tangent makes of it: were u' = u and v' = v, then
v' = s (u - u') - v = -v, so v = 0, and the tangent's row would say N(u) = 0.

*The point (0, 0).* Let (u, v) come from k tangents of regular points; none of these had v = 0, or its row
could not hold. B v^2 - u^3 - A u^2 - u, c say, is the same for all of them, since that curve's tangents are
these. So (u, v) = (0, 0) would make c zero and the first point one of the curve, whose 2^k-fold is (0, 0).
There is none if k is at least the number of times that (0, 0) can be halved, which is worked out.

*Chords.* Let every point be a multiple of one G of odd prime order n: constants, what few selectors choose
from a table, and sums of these. Their multipliers lie in intervals, in units of some multiple of G. Where
those of the two points cannot agree modulo n, the points differ: then u2 = u1 makes v2 = -v1, and v2 - v1
is not zero, since no point of odd order has v = 0. So the row determines s or cannot hold, and the sum is a
point of this kind again. In particular its v is not zero.

References: C. Costello, B. Smith, "Montgomery curves and their arithmetic", 2017; for the curve: ERC-2494.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from zkrollup.audit.algebra import Polynomial, in_terms_of_inputs, single_value
from zkrollup.audit.facts import Key, normal, ratio_of
from zkrollup.audit.model import RowTerms
from zkrollup.audit.modular import polynomial_roots, signed, square_root

if TYPE_CHECKING:
    from zkrollup.audit.propagate import Propagation

__all__ = ["CURVES", "Curve", "PointFacts", "slope_is_determined"]

_TABLE = 64  # combinations of selectors
_GROUPS = 4  # generators
_WINDOW = 8
_FEW = 1 << 12  # multiples worth listing all
_HALVINGS = 8
_SLOPES = 4

Affine = tuple[int, int]
Terms = dict[int, int]


class Curve(NamedTuple):
    """B v^2 = u^3 + A u^2 + u and an odd prime that is the order of some of its points."""

    a: int
    b: int
    order: int

    def holds(self, point: Affine, p: int) -> bool:
        u, v = point
        return (self.b * v * v - u * (u * u + self.a * u + 1)) % p == 0

    def add(self, x: Affine | None, y: Affine | None, p: int) -> Affine | None:
        """The group law; None is the neutral element."""
        if x is None or y is None:
            return y if x is None else x
        (u1, v1), (u2, v2) = x, y
        if u1 != u2:
            slope = (v2 - v1) * pow(u2 - u1, -1, p)
        elif v1 != v2 or not v1:
            return None
        else:
            slope = (3 * u1 * u1 + 2 * self.a * u1 + 1) * pow(2 * self.b * v1, -1, p)
        u = (self.b * slope * slope - self.a - u1 - u2) % p
        return u, (slope * (u1 - u) - v1) % p

    def times(self, k: int, point: Affine | None, p: int) -> Affine | None:
        out = None
        for bit in bin(k)[2:]:
            out = self.add(out, out, p)
            if bit == "1":
                out = self.add(out, point, p)
        return out


CURVES: dict[int, tuple[Curve, ...]] = {
    21888242871839275222246405745257275088548364400416034343698204186575808495617: (
        Curve(168698, 1, 2736030358979909402780800718157159386076813972158567259200215660948447373041),
    )
}
"""By the modulus: those whose multiples are followed. Here Baby Jubjub."""


class Group:
    """Multiples m 2^e G of a generator, small m and any e, with their discrete logarithms; all when few."""

    def __init__(self, curve: Curve, generator: Affine, p: int) -> None:
        self.curve, self.p, self.n = curve, p, curve.order
        self.logs: dict[Affine, int] = {}
        bits, window = self.n.bit_length(), _WINDOW
        if self.n < _FEW:
            bits, window = 1, self.n
        power = pow(2, -bits, self.n)
        base = curve.times(power, generator, p)
        for _ in range(2 * bits):
            point, log = base, power
            for _ in range(window):
                if point is not None:
                    self.logs.setdefault(point, log)
                    self.logs.setdefault((point[0], -point[1] % p), self.n - log)
                point, log = curve.add(point, base, p), (log + power) % self.n
            base, power = curve.add(base, base, p), 2 * power % self.n


@dataclass(frozen=True)
class Multiples:
    """Points of a group: those with the logarithms ``listed``, or unit t for low <= t <= high."""

    group: Group
    listed: tuple[int, ...] = ()
    unit: int = 0
    low: int = 0
    high: int = 0

    def units(self) -> Iterable[int]:
        return self.listed or (self.unit,)

    def interval(self, unit: int) -> tuple[int, int]:
        """Between which multiples of a unit, modulo the order."""
        n = self.group.n
        inverse = pow(unit, -1, n)
        if self.listed:
            near = [signed(log * inverse, n) for log in self.listed]
            far = [log * inverse % n for log in self.listed]
            best = min((near, far), key=lambda found: max(found) - min(found))
            return min(best), max(best)
        ratio = signed(self.unit * inverse, n)
        ends = sorted((ratio * self.low, ratio * self.high))
        return ends[0], ends[1]


class KnownPoint(NamedTuple):
    """A point: its v, and what it may be - some points, or such multiples."""

    v: Terms
    table: tuple[Affine, ...]
    multiples: Multiples | None
    rows: frozenset[int]
    ranges: frozenset[int]


class RegularPoint(NamedTuple):
    u: Terms
    tangents: int
    slope: tuple[int, int]
    """A and B of the tangents."""
    rows: frozenset[int]


@dataclass
class PointFacts:
    """What was found so far, true in every satisfying witness: points by their u, or by their v."""

    groups: list[Group] = field(default_factory=list)
    known: dict[Key, KnownPoint] = field(default_factory=dict)
    nonzero: dict[Key, KnownPoint] = field(default_factory=dict)
    regular: dict[Key, RegularPoint] = field(default_factory=dict)
    depths: dict[tuple[int, int], int | None] = field(default_factory=dict)
    apart: dict[Key, tuple[Terms, frozenset[int]]] = field(default_factory=dict)
    """By u' - u of a tangent: v' - v, not zero where that is, and the rows that say so."""
    tried: set[int] = field(default_factory=set)
    """Rows of slopes that were looked at for the sake of a point they make."""


class Slope(NamedTuple):
    """The rows of a slope s: s d = n, s^2 = square, s f = g."""

    d: Terms
    n: Terms
    square: Terms
    f: Terms
    g: Terms
    rows: frozenset[int]


def slope_is_determined(
    rules: Propagation, facts: PointFacts, row: int, wire: int
) -> tuple[frozenset[int], frozenset[int]] | None:
    """The rows that show that a row with one unknown wire determines it, and the wires whose ranges they rely
    on; None when nothing here shows it."""
    sides = _quotient(rules, row, wire)
    if sides is None:
        return None
    ranges: set[int] = set()
    d, n = (_folded(rules, side, ranges) for side in sides)
    key = normal(d, rules.p)
    known = facts.nonzero.get(key)
    if known is not None:
        return known.rows | {row}, known.ranges | ranges
    point = facts.regular.get(key)
    if point is not None and normal(n, rules.p) == normal(point.u, rules.p):
        depth = _depth(facts, *point.slope, rules.p)
        if depth is not None and point.tangents >= depth:
            return point.rows | {row}, frozenset(ranges)
    chord = facts.apart.get(_exact(d))
    if chord is not None and chord[0] == n:
        return chord[1] | {row}, frozenset(ranges)
    slope = _slope(rules, row, wire, d, n)
    if slope is None:
        return None
    slope = slope._replace(
        square=_folded(rules, slope.square, ranges),
        f=_folded(rules, slope.f, ranges),
        g=_folded(rules, slope.g, ranges),
    )
    turned = slope._replace(f=_scaled(slope.f, -1, rules.p), g=_scaled(slope.g, -1, rules.p))
    for one in (slope, turned):
        used = _tangent(rules, facts, one)
        if used is not None:
            return used, frozenset(ranges)
    for curve in CURVES.get(rules.p, ()):
        for one in (slope, turned):
            other = one._replace(d=_scaled(d, -1, rules.p), n=_scaled(n, -1, rules.p))
            found = _chord(rules, facts, curve, one) or _chord(rules, facts, curve, other)
            if found is not None:
                return found[0], found[1] | ranges
    return None


# -- rows --------------------------------------------------------------------------------------------------
def _quotient(rules: Propagation, row: int, wire: int) -> tuple[Terms, Terms] | None:
    """(d, n) of a row ``wire d = n``."""
    a, b, c = rules.rows[row]
    if wire in c:
        return None
    for alone, other in ((a, b), (b, a)):
        if alone.keys() == {wire} and wire not in other:
            return dict(other), _scaled(c, pow(alone[wire], -1, rules.p), rules.p)
    return None


def _folded(rules: Propagation, terms: Terms, ranges: set[int]) -> Terms:
    """A sum with the wires that have a single value replaced by it; these are put into ``ranges``."""
    out: Terms = {}
    for w, k in terms.items():
        value = single_value(rules, w) if w else None
        if value is not None:
            ranges.add(w)
            w, k = 0, k * value
        out[w] = (out.get(w, 0) + k) % rules.p
    return {w: k for w, k in out.items() if k}


def _slope(rules: Propagation, row: int, wire: int, d: Terms, n: Terms) -> Slope | None:
    """The other two rows of a slope, when it has just these."""
    p = rules.p
    square: tuple[int, Terms] | None = None
    line: tuple[int, Terms, Terms] | None = None
    for other in rules.touching[wire]:
        if other == row or other >= rules.system.num_rows or other in rules.skip:
            continue
        if rules.linear[other] is not None:
            return None
        a, b, c = rules.rows[other]
        if a.keys() == b.keys() == {wire} and wire not in c and square is None:
            square = other, _scaled(c, pow(a[wire] * b[wire], -1, p), p)
            continue
        sides = _quotient(rules, other, wire)
        if sides is None or line is not None:
            return None
        line = other, *sides
    if square is None or line is None:
        return None
    return Slope(d, n, square[1], line[1], line[2], frozenset((row, square[0], line[0])))


def _scaled(terms: RowTerms, k: int, p: int) -> Terms:
    return {w: x for w, v in terms.items() if (x := v * k % p)}


def _plus(x: RowTerms, y: RowTerms, k: int, p: int) -> Terms:
    """x + k y."""
    out = dict(x)
    for w, v in y.items():
        out[w] = (out.get(w, 0) + k * v) % p
    return {w: v for w, v in out.items() if v}


# -- tangents ----------------------------------------------------------------------------------------------
def _tangent(rules: Propagation, facts: PointFacts, slope: Slope) -> frozenset[int] | None:
    """The rows that show a slope to be that of a tangent at a regular point; its result is then kept."""
    p = rules.p
    for wire, k in slope.n.items():
        root = _root(rules, wire) if wire else None
        if root is None:
            continue
        u, square_row = root
        # n = k u^2 + 2 A s u + s with k = 3 s, and d = 2 B s v
        rest = {w: v for w, v in slope.n.items() if w != wire}
        s = k * pow(3, -1, p) % p
        first = min(u)
        curve_a = (rest.get(first, 0) - (s if first == 0 else 0)) * pow(2 * s * u[first], -1, p) % p
        if _plus(_scaled(u, 2 * s * curve_a, p), {0: s}, 1, p) != rest:
            continue
        v_scaled = _scaled(slope.d, pow(2 * s, -1, p), p)  # B v
        # slope.g = v' + v, slope.f = u - u', square = (u' + A + 2 u) / B
        after = _plus(u, slope.f, -1, p)
        total = _plus(_plus(after, u, 2, p), {0: curve_a}, 1, p)
        if not slope.square or not total:
            continue
        some = next(iter(total))
        if some not in slope.square:
            continue
        curve_b = total[some] * pow(slope.square[some], -1, p) % p
        if _scaled(slope.square, curve_b, p) != total:
            continue
        v = _scaled(v_scaled, pow(curve_b, -1, p), p)
        before = _regular(rules, facts, u, v, (curve_a, curve_b))
        if before is None:
            continue
        rows = before.rows | slope.rows | {square_row}
        v_after = _plus(slope.g, v, -1, p)
        chord = _plus(after, u, -1, p), _plus(v_after, v, -1, p)
        for k in (1, -1):
            facts.apart[_exact(_scaled(chord[0], k, p))] = _scaled(chord[1], k, p), rows
        if v_after and after:
            facts.regular[normal(v_after, p)] = RegularPoint(
                _same_factor(after, v_after, p), before.tangents + 1, before.slope, rows
            )
        return rows
    return None


def _same_factor(u: Terms, v: Terms, p: int) -> Terms:
    """u under the factor with which v is its key."""
    key = dict(normal(v, p))
    some = next(iter(key))
    return _scaled(u, key[some] * pow(v[some], -1, p), p)


def _root(rules: Propagation, wire: int) -> tuple[Terms, int] | None:
    """The u of a wire that a row makes u^2, and the row."""
    p = rules.p
    for row in rules.touching[wire]:
        if row >= rules.system.num_rows or rules.linear[row] is not None or row in rules.skip:
            continue
        a, b, c = rules.rows[row]
        if c.keys() != {wire} or wire in a or wire in b or not a or a.keys() != b.keys():
            continue
        some = next(iter(a))
        ratio = b[some] * pow(a[some], -1, p) % p
        if _scaled(a, ratio, p) == dict(b) and ratio == c[wire]:
            return dict(a), row
    return None


def _regular(
    rules: Propagation, facts: PointFacts, u: Terms, v: Terms, slope: tuple[int, int]
) -> RegularPoint | None:
    """What shows that (u, v) is regular: a tangent that made it, or a row w v = k u."""
    p = rules.p
    found = facts.regular.get(normal(v, p))
    if found is not None and found.slope == slope and found.u == _same_factor(u, v, p):
        return found
    wires = [w for w in v if w]
    if not wires or not u:
        return None
    for row in rules.touching[wires[0]]:
        if row >= rules.system.num_rows or rules.linear[row] is not None or row in rules.skip:
            continue
        a, b, c = rules.rows[row]
        if normal(c, p) == normal(u, p) and normal(v, p) in (normal(a, p), normal(b, p)):
            return RegularPoint(_same_factor(u, v, p), 0, slope, frozenset((row,)))
    return None


def _depth(facts: PointFacts, a: int, b: int, p: int) -> int | None:
    """The least k for which (0, 0) is no point's 2^k-fold; None when that is not seen."""
    if (a, b) not in facts.depths:
        facts.depths[a, b] = _halvings(Curve(a, b, 0), p)
    return facts.depths[a, b]


def _halvings(curve: Curve, p: int) -> int | None:
    if p < 5 or (curve.a * curve.a - 4) % p == 0:
        return None
    level: list[Affine] = [(0, 0)]
    for k in range(_HALVINGS):
        if not level:
            return k
        halves = set()
        for point in level:
            x = point[0]
            # u(2 Q) = (u^2 - 1)^2 / (4 u (u^2 + A u + 1))
            quartic = [1, -4 * x, -2 - 4 * x * curve.a, -4 * x, 1]
            for u in polynomial_roots(quartic, p) or []:
                v = square_root(u * (u * u + curve.a * u + 1) * pow(curve.b, -1, p), p)
                for y in () if v is None else (v, -v % p):
                    if curve.add((u, y), (u, y), p) == point:
                        halves.add((u, y))
        level = sorted(halves)
    return None


# -- chords ------------------------------------------------------------------------------------------------
def _chord(
    rules: Propagation, facts: PointFacts, curve: Curve, slope: Slope
) -> tuple[frozenset[int], frozenset[int]] | None:
    """What shows a slope to be that of a chord of different points; their sum is then kept."""
    p = rules.p
    # B square = u' + A + u1 + u2, d = u2 - u1, f = u1 - u'
    total = _plus(_plus(_scaled(slope.square, curve.b, p), {0: curve.a}, -1, p), slope.d, -1, p)
    u1 = _scaled(_plus(total, slope.f, 1, p), pow(3, -1, p), p)
    u2 = _plus(u1, slope.d, 1, p)
    for v1, v2 in _ordinates(rules, facts, curve, u1, u2, slope.n, p):
        first = _known_point(rules, facts, curve, u1, v1)
        second = first and _known_point(rules, facts, curve, u2, v2)
        if first is None or second is None:
            continue
        both = _as_multiples(facts, curve, first, second, p)
        merged = both and _sum_of_different(*both)
        if merged is None:
            continue
        rows = first.rows | second.rows | slope.rows
        ranges = first.ranges | second.ranges
        after = KnownPoint(_plus(slope.g, v1, -1, p), (), merged, rows, ranges)
        u_after = _plus(u1, slope.f, -1, p)
        facts.known[_exact(u_after)] = after
        facts.nonzero[normal(after.v, p)] = after
        return rows, ranges
    return None


def _exact(terms: RowTerms) -> Key:
    return tuple(sorted(terms.items()))


def _ordinates(
    rules: Propagation, facts: PointFacts, curve: Curve, u1: Terms, u2: Terms, n: Terms, p: int
) -> Iterable[tuple[Terms, Terms]]:
    """Candidates for (v1, v2), of which v2 - v1 = n: by a point that is kept, or one that is constant."""
    for u, first in ((u1, True), (u2, False)):
        if _exact(u) not in facts.known:
            _look_behind(rules, facts, u)
        known = facts.known.get(_exact(u))
        candidates = [] if known is None else [known.v]
        if known is None and u.keys() <= {0}:
            x = u.get(0, 0)
            v = square_root(x * (x * x + curve.a * x + 1) * pow(curve.b, -1, p), p)
            candidates = [] if not v else [{0: v}, {0: p - v}]
        for v_terms in candidates:
            yield (v_terms, _plus(n, v_terms, 1, p)) if first else (_plus(v_terms, n, -1, p), v_terms)


def _known_point(
    rules: Propagation, facts: PointFacts, curve: Curve, u: Terms, v: Terms
) -> KnownPoint | None:
    """A point that is kept, or a table: over all combinations of values, each a point of the curve."""
    p = rules.p
    if _exact(u) not in facts.known:
        _look_behind(rules, facts, u)
    known = facts.known.get(_exact(u))
    if known is not None:
        return known if known.v == v else None
    used: set[int] = set()
    ranges: set[int] = set()
    polynomials: list[Polynomial] = []
    for terms in (u, v):
        renamed = _renamed(rules, terms, used)
        start: Polynomial = {((w,) if w else ()): k for w, k in renamed.items()}
        expanded = in_terms_of_inputs(rules, start, used=used, ranges=ranges)
        if expanded is None:
            return None
        polynomials.append(expanded)
    wires = sorted({w for polynomial in polynomials for m in polynomial for w in m})
    listed, count = [], 1
    for w in wires:
        domain = rules.domains[w]
        if domain is None or domain.values is None:
            return None
        listed.append(domain.values)
        count *= len(domain.values)
        if count > _TABLE:
            return None
    points: set[Affine] = set()
    for chosen in itertools.product(*listed):
        cells = dict(zip(wires, chosen, strict=True))
        x, y = (_value(polynomial, cells, p) for polynomial in polynomials)
        if not curve.holds((x, y), p):
            return None
        points.add((x, y))
    ranges.update(wires)
    used.update(rules._why(ranges, -1))
    return KnownPoint(v, tuple(sorted(points)), None, frozenset(used), frozenset(ranges))


def _look_behind(rules: Propagation, facts: PointFacts, u: Terms) -> None:
    """Look at slopes that may make a point: they may be determined for another reason."""
    slopes = {
        slope
        for w in u
        if w and len(u) == 1
        for row in rules.touching[w]
        if rules.linear[row] is None and rules.rows[row][0].keys() == rules.rows[row][1].keys()
        for slope in rules.rows[row][0]
        if w in rules.rows[row][2]
    }
    for slope in sorted(slopes)[:_SLOPES]:
        for row in rules.touching[slope]:
            if row < rules.system.num_rows and rules.linear[row] is None and row not in facts.tried:
                facts.tried.add(row)
                slope_is_determined(rules, facts, row, slope)


def _renamed(rules: Propagation, terms: Terms, used: set[int]) -> Terms:
    """A sum of many wires that is a multiple of one that a row restricts to two values, over the wire that
    stands for that one; else as it is."""
    for wire, row in rules.virtuals if len(terms) > 2 else ():
        base = rules.linear[row] or {}
        k = ratio_of({w: v for w, v in base.items() if w not in (0, wire)}, terms, rules.p)
        if k:
            used.add(rules.origin[row])
            return _plus({wire: k}, {0: terms.get(0, 0) - k * base.get(0, 0)}, 1, rules.p)
    return terms


def _value(polynomial: Polynomial, cells: dict[int, int], p: int) -> int:
    total = 0
    for monomial, k in polynomial.items():
        for w in monomial:
            k = k * cells[w] % p
        total += k
    return total % p


def _as_multiples(
    facts: PointFacts, curve: Curve, first: KnownPoint, second: KnownPoint, p: int
) -> tuple[Multiples, Multiples] | None:
    """Two points as multiples of one generator."""
    groups = {known.multiples.group for known in (first, second) if known.multiples is not None}
    group = _group(facts, curve, groups, sorted({*first.table, *second.table}), p)
    if group is None:
        return None
    x, y = (
        known.multiples or Multiples(group, tuple(sorted({group.logs[point] for point in known.table})))
        for known in (first, second)
    )
    return x, y


def _group(facts: PointFacts, curve: Curve, groups: set[Group], points: list[Affine], p: int) -> Group | None:
    """The only one of some groups, else any, if it has all these points; a new one if there is none."""
    if len(groups) > 1:
        return None
    for group in groups or facts.groups:
        if group.curve == curve and all(point in group.logs for point in points):
            return group
    for generator in points if not groups and len(facts.groups) < _GROUPS else ():
        if curve.times(curve.order, generator, p) is not None:
            return None
        group = Group(curve, generator, p)
        if all(point in group.logs for point in points):
            facts.groups.append(group)
            return group
    return None


def _sum_of_different(x: Multiples, y: Multiples) -> Multiples | None:
    """The sums of two points that cannot be equal; None when they may be."""
    if x.group is not y.group:
        return None
    n = x.group.n
    intervals = ((unit, x.interval(unit), y.interval(unit)) for unit in (*x.units(), *y.units()))
    unit, (low1, high1), (low2, high2) = min(
        intervals, key=lambda found: sum(high - low for low, high in found[1:])
    )
    low, high = low1 - high2, high1 - low2
    if -(-low // n) * n <= high:
        return None
    return Multiples(x.group, (), unit, low1 + low2, high1 + high2)
