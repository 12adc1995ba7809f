"""Uniqueness propagation: which wires the inputs determine, by rules on a few rows at a time.

This module must not know any witness: what it proves holds for all of them.

The statement proved for a wire: two satisfying witnesses with the same inputs agree on it. Rules:

- *linear*: a row in which one wire is not known yet, with a coefficient that cannot be zero - a
  constant, or a factor shown to be nonzero;
- *digits*: a sum of bounded wires whose coefficients outgrow what the smaller ones add up to, with a
  total below the prime (bits of a number, mixed radices); above it a number and the number plus p share
  the row, and nothing is concluded;
- *root*: a quadratic whose other root is out of range;
- *cases*: the wire is determined if a known factor is zero, and also if it is not (is-zero, one-hot);
- *elimination*: several rows, solved as a linear system with constant coefficients;
- *division*: quotient and remainder of a known divisor, the remainder being smaller than it;
- *sums*: products of sums that are known, though no wire of them is, as ``--O2`` leaves them;
- *known sum*: a product of two known sums, one of which a linear row determines although not its wires;
- *nonresidue*: a denominator and its numerator that vanish together only if some constant were a square;
- *comparison*: bits that could stand for x or for x + p, of which another part of the circuit refuses
  the latter: every prefix in which a number can exceed p - 1 is shown to be contradictory.

Facts on the way, true in every satisfying witness: a wire lies in an interval or a small set, a sum of
wires is not zero. Sums that a row restricts to two values are given a wire of their own ("virtual").

References: F. Wang, "Ecne: Automated Verification of ZK Circuits", 2022; S. Pailoor et al., "Automated
Detection of Under-Constrained Circuits in Zero-Knowledge Proofs", PLDI 2023 (Picus).
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from zkrollup.audit.model import Constraints, Row, RowTerms, WireClaim
from zkrollup.audit.modular import is_square, quadratic_roots, signed

__all__ = [
    "Domain",
    "Key",
    "Nonzero",
    "Propagation",
    "Reason",
    "contains",
    "intersect",
    "propagate",
    "weighted",
]

_SMALL = 8  # values worth listing
_ENUMERATED = 64  # combinations worth trying
_TIGHTENINGS = 6  # of one wire's range, since ranges may shrink for ever
_CASES = 72
_CASE_WIRES = 96
_CASE_ROWS = 400
_CASE_DEPTH = 2  # from a row of a one-hot code to the sum, to the other rows


Key = tuple[tuple[int, int], ...]
"""A sum up to a factor."""


class Domain(NamedTuple):
    """The value is congruent to an integer in [low, high]; ``values`` lists the residues when few."""

    low: int
    high: int
    values: tuple[int, ...] | None = None

    @property
    def width(self) -> int:
        return self.high - self.low

    @classmethod
    def of(cls, values: Iterable[int], p: int) -> Domain:
        residues = tuple(sorted({v % p for v in values}))
        near = [signed(v, p) for v in residues]
        return cls(min(near), max(near), residues)


class Reason(NamedTuple):
    """Why a wire is unique: the rule, and the rows that it used (virtual rows by the row they come from).

    ``ranges``: wires on whose ranges the rule may have relied.
    """

    rule: str
    rows: tuple[int, ...]
    time: int
    ranges: tuple[int, ...] = ()


class Nonzero(NamedTuple):
    """A sum that is never zero: by these rows, and perhaps the ranges of these wires."""

    rows: tuple[int, ...]
    ranges: tuple[int, ...]


_NOTHING = Nonzero((), ())


class Propagation:
    """The state of the rules on one system; :func:`propagate` makes one and runs it to its fixed point.

    ``unique[w]``: 1 when shown; ``reasons[w]`` why. ``domains[w]``: what is known of its range.
    ``assumed``: what has been assumed by :meth:`assume_factors`, as (row, wire).
    """

    def __init__(self, system: Constraints, skip: Iterable[int] = (), deadline: float | None = None) -> None:
        self.system = system
        self.p = system.modulus
        self.deadline = deadline
        self.num_wires = system.num_wires
        self.skip = frozenset(skip)
        self.rows: list[Row] = list(system.rows())
        self.linear: list[RowTerms | None] = [None] * len(self.rows)
        self.origin: list[int] = list(range(len(self.rows)))
        self.unique = bytearray(system.num_wires)
        self.reasons: dict[int, Reason] = {}
        self.domains: list[Domain | None] = [None] * system.num_wires
        self.domain_rows: dict[int, tuple[int, ...]] = {}
        self.impossible: int | None = None
        """A row that no value satisfies, if one was met: then there is no witness at all."""
        self.assumed: list[tuple[int, int]] = []
        self.domain_ranges: dict[int, tuple[int, ...]] = {}
        """Of each domain the wires on whose domains it may rely."""
        self._nonzero: dict[Key, Nonzero] = {}
        self._squares: dict[int, tuple[int, int]] = {}  # wire = k * square, by the row
        self._virtual_of: dict[int, int] = {}  # row -> its virtual row
        self.virtuals: list[tuple[int, int]] = []
        """Wires made up for sums, each with the row that defines it."""
        self._sums: dict[Key, list[tuple[int, int]]] = {}
        self._named: dict[Key, int] = {}
        self._tightened: dict[int, int] = {}
        self._clock = 0
        self._tried: set[tuple[object, ...]] = set()
        self._open: dict[int, frozenset[int]] = {}
        self._shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._claims: list[WireClaim] = []
        self._stuck: dict[int, int] = {}
        """Rows with one unknown wire, whose factor might be zero for all that is known."""
        self._prepare()

    _sum_work = 20_000_000
    """Changes of coefficients left to :meth:`_span`."""
    _elimination_work = 50_000_000
    """Changes of coefficients left to :meth:`_eliminate`."""

    # -- bookkeeping -----------------------------------------------------------------------------------
    def _prepare(self) -> None:
        p, n = self.p, len(self.rows)
        self.touching: list[list[int]] = [[] for _ in range(self.num_wires)]
        self.unknown = [0] * n  # wires of the row that are not known to be unique
        self._loose = [0] * n  # those of them without a domain
        self._unbounded = [0] * n  # all its wires without a domain
        self._factors: list[list[int]] = [[0, 0] for _ in range(n)]  # unknown wires in a and in b
        unique = self.unique
        unique[0] = 1
        for wire in self.system.inputs:
            unique[wire] = 1
            self.reasons[wire] = Reason("input", (), 0)
        for i, (a, b, c) in enumerate(self.rows):
            if i in self.skip:
                self.rows[i] = ({}, {}, {})
                self.linear[i] = {}
                continue
            if not a or not b or (len(a) == 1 and 0 in a) or (len(b) == 1 and 0 in b):
                if b and not (len(b) == 1 and 0 in b):
                    a, b = b, a
                k = b.get(0, 0)
                terms = {w: (v * k) % p for w, v in a.items()} if k else {}
                for w, v in c.items():
                    terms[w] = (terms.get(w, 0) - v) % p
                self.linear[i] = {w: v for w, v in terms.items() if v}
            self._enter(i)
        self._queue: deque[int] = deque(range(n))
        self._queued = bytearray(b"\1") * n
        self._case_queue: deque[int] = deque(
            i for i in range(n) if self.linear[i] is None and self.unknown[i] and 0 in self._factors[i]
        )
        self._case_queued = bytearray(n)
        for i in self._case_queue:
            self._case_queued[i] = 1

    def _enter(self, i: int) -> None:
        """Count and index the wires of a row."""
        unique = self.unique
        lin = self.linear[i]
        if lin is not None:
            wires = lin.keys() - {0}
        else:
            a, b, c = self.rows[i]
            wires = (a.keys() | b.keys() | c.keys()) - {0}
            self._factors[i] = [
                sum(1 for w in a if not unique[w]),
                sum(1 for w in b if not unique[w]),
            ]
        for w in wires:
            self.touching[w].append(i)
        unknown = [w for w in wires if not unique[w]]
        self.unknown[i] = len(unknown)
        self._loose[i] = sum(1 for w in unknown if self.domains[w] is None)
        self._unbounded[i] = sum(1 for w in wires if self.domains[w] is None)

    def _push(self, row: int) -> None:
        if not self._queued[row]:
            self._queued[row] = 1
            self._queue.append(row)

    def _mark(self, wire: int, rule: str, rows: Iterable[int], ranges: Iterable[int] = ()) -> None:
        if self.unique[wire]:
            return
        self.unique[wire] = 1
        self._clock += 1
        origin = self.origin
        used = tuple(sorted({origin[r] for r in rows}))
        used = self._shared.setdefault(used, used)
        self.reasons[wire] = Reason(rule, used, self._clock, tuple(ranges))
        bounded = self.domains[wire] is not None
        unknown, loose, factors = self.unknown, self._loose, self._factors
        for row in self.touching[wire]:
            unknown[row] -= 1
            if not bounded:
                loose[row] -= 1
            if self.linear[row] is None:
                a, b, _ = self.rows[row]
                mine = factors[row]
                if wire in a:
                    mine[0] -= 1
                if wire in b:
                    mine[1] -= 1
                if unknown[row] and (not mine[0] or not mine[1]) and not self._case_queued[row]:
                    self._case_queued[row] = 1
                    self._case_queue.append(row)
            if unknown[row] and (unknown[row] == 1 or not loose[row]):
                self._push(row)

    def _restrict(self, wire: int, new: Domain, rows: Iterable[int], ranges: Iterable[int] = ()) -> None:
        """Intersect what is known of a wire with ``new``."""
        p = self.p
        if new.width >= p - 1 and new.values is None:
            return
        old = self.domains[wire]
        if old is not None:
            merged = intersect(old, new, p)
            if merged is None:
                self.impossible = next(iter(rows))
                return
            if merged == old or (merged.width == old.width and merged.values == old.values):
                return
            count = self._tightened.get(wire, 0) + 1
            if count > _TIGHTENINGS:
                return
            self._tightened[wire] = count
            new = merged
        if new.values is None:
            shift = round(new.low / p) if abs(new.low) > p >> 1 else 0
            new = Domain(new.low - shift * p, new.high - shift * p, None)
            if new.width < _SMALL:
                new = Domain.of(range(new.low, new.high + 1), p)
        self.domains[wire] = new
        origin = self.origin
        self.domain_rows[wire] = tuple(sorted({*self.domain_rows.get(wire, ()), *(origin[r] for r in rows)}))
        self.domain_ranges[wire] = tuple({*self.domain_ranges.get(wire, ()), *ranges} - {wire})
        known = self.unique[wire]
        for row in self.touching[wire]:
            if old is None:
                self._unbounded[row] -= 1
                if not known:
                    self._loose[row] -= 1
            unknown = self.unknown[row]
            if self._unbounded[row] <= 1 or (unknown and (unknown == 1 or not self._loose[row])):
                self._push(row)
        if new.values is not None and len(new.values) == 1 and not known:
            self._mark(wire, "constant", self.domain_rows[wire], (wire,))

    def _virtual(self, terms: RowTerms, row: int) -> int:
        """A wire of its own for a sum; the row is where the sum stands."""
        wire = len(self.unique)
        self.unique.append(0)
        self.domains.append(None)
        self.touching.append([])
        at = self._append(({}, {}, {}), {**terms, wire: self.p - 1}, row)
        self.virtuals.append((wire, at))
        return wire

    def _append(self, sides: Row, lin: RowTerms | None, row: int) -> int:
        """A row more, which follows from another."""
        i = len(self.rows)
        self.rows.append(sides)
        self.linear.append(lin)
        self.origin.append(self.origin[row])
        self.unknown.append(0)
        self._loose.append(0)
        self._unbounded.append(0)
        self._factors.append([0, 0])
        self._queued.append(1)
        self._case_queued.append(0)
        self._queue.append(i)
        self._enter(i)
        return i

    def _name_sums(self, row: int) -> None:
        """Where two rows with a known factor have the same sum of unknown wires, give it a wire.

        (An optimiser replaces the result of an is-zero test by the sum that it was set equal to.)
        """
        sides = self.rows[row]
        if row >= self.system.num_rows:
            return
        for side in (0, 1, 2):
            if side < 2 and not self._factors[row][side]:
                continue
            base = {w: k for w, k in sides[side].items() if w}
            if not 2 <= len(base) <= 64 or all(self.unique[w] for w in base):
                continue
            key = _normal(base, self.p)
            places = self._sums.setdefault(key, [])
            if (row, side) in places:
                continue
            places.append((row, side))
            if len({r for r, _ in places}) < 2:
                continue
            wire = self._named.get(key)
            fresh = places[-1:]
            if wire is None:
                wire = self._named[key] = self._virtual(dict(key), row)
                fresh = places
            for at, which in fresh:
                terms = self.rows[at][which]
                k = next(v * pow(dict(key)[w], -1, self.p) % self.p for w, v in terms.items() if w)
                short = {wire: k} | ({0: terms[0]} if 0 in terms else {})
                copy = list(self.rows[at])
                copy[which] = short
                made = self._append((copy[0], copy[1], copy[2]), None, at)
                if 0 in self._factors[made]:
                    self._case_queued[made] = 1
                    self._case_queue.append(made)

    def _live(self) -> Iterable[int]:
        """The rows that are there."""
        return range(len(self.rows))

    # -- running ---------------------------------------------------------------------------------------
    def run(self) -> Propagation:
        """Apply the rules until none says anything new (or the deadline has passed)."""
        while True:
            self._drain()
            if self._late():
                return self
            if self._case_queue:
                row = self._case_queue.popleft()
                self._case_queued[row] = 0
                if self.unknown[row]:
                    self._cases(row)
                continue
            if any(rule() for rule in self._last_rules):
                continue
            return self

    @property
    def _last_rules(self) -> tuple[Callable[[], bool], ...]:
        """Rules that look at many rows at once; each says whether it found something."""
        return (
            self._claimed,
            self._denominators,
            self._known_sums,
            self._eliminate,
            self._span,
            self._compare,
        )

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def _drain(self) -> None:
        queue, queued = self._queue, self._queued
        count = 0
        while queue:
            row = queue.popleft()
            queued[row] = 0
            self._visit(row)
            count += 1
            if not count & 1023 and self._late():
                return

    def _visit(self, row: int) -> None:
        lin = self.linear[row]
        if lin is not None:
            unknown = self.unknown[row]
            if unknown == 1:
                wire = next(w for w in lin if not self.unique[w])
                self._mark(wire, "linear", (row,))
            elif unknown and not self._loose[row]:
                self._digits({w: k for w, k in lin.items() if not self.unique[w]}, row)
            if self._unbounded[row] == 1:
                self._bound_linear(lin, row)
            elif not self._unbounded[row]:
                self._tighten(lin, row)
                if 1 < len(lin) <= 4:
                    self._enumerate(row)
            return
        self._visit_product(row)

    def _visit_product(self, row: int) -> None:
        a, b, c = self.rows[row]
        if (row, "form") not in self._tried:
            self._tried.add((row, "form"))
            self._learn_factors(row)
        unknown = self.unknown[row]
        if unknown == 1:
            self._solve_for_one(row)
        elif unknown and not self._loose[row]:
            if unknown == 2:
                self._division(row)
            in_a, in_b = self._factors[row]
            if not in_a and not in_b:
                self._digits({w: k for w, k in c.items() if not self.unique[w]}, row)
            elif all(self.unique[w] for w in c):
                for known, factor, count in ((a, b, in_a), (b, a, in_b)):
                    if not count and self.nonzero(known):
                        left = {w: k for w, k in factor.items() if not self.unique[w]}
                        self._digits(left, row, self._why_nonzero(known))
        if self._unbounded[row] <= 1:
            self._bound_product(row)

    def _solve_for_one(self, row: int) -> None:
        """A row with a product in which one wire is unknown."""
        p = self.p
        a, b, c = self.rows[row]
        wire = next(w for side in (a, b, c) for w in side if not self.unique[w])
        ka, kb, kc = a.get(wire, 0), b.get(wire, 0), c.get(wire, 0)
        rest: dict[int, int] = {0: -kc}
        for k, side in ((ka, b), (kb, a)):
            if k:
                for w, v in side.items():
                    if w != wire:
                        rest[w] = rest.get(w, 0) + k * v
        rest = {w: v % p for w, v in rest.items() if v % p}
        square = ka * kb % p
        if not square:
            if self.nonzero(rest):
                rule = "linear" if len(rest) == 1 and 0 in rest else "nonzero factor"
                why = self._why_nonzero(rest)
                self._mark(wire, rule, (row, *why.rows), why.ranges)
            else:
                self._stuck[row] = wire
            return
        if rest.keys() - {0}:
            return
        # square * x^2 + rest * x + known = 0: two roots, whose sum is a constant
        total = -rest.get(0, 0) * pow(square, -1, p) % p
        if self._at_most_one_of_pair(self.domains[wire], total):
            self._mark(wire, "root", (row, *self.domain_rows.get(wire, ())), (wire,))

    def _at_most_one_of_pair(self, domain: Domain | None, total: int) -> bool:
        """Whether x and total - x, different, cannot both lie in the domain."""
        p = self.p
        if domain is None:
            return p == 2 and total == 0
        if domain.values is not None:
            return not any((total - v) % p in domain.values and (total - 2 * v) % p for v in domain.values)
        low, high = domain.low, domain.high
        # x + y = total + k p for integers x < y of the interval: 2 low + 1 <= total + k p <= 2 high - 1
        return (2 * high - 1 - total) // p == (2 * low - total) // p and high > low

    def _division(self, row: int) -> None:
        """Quotient and remainder of a known divisor, ``divisor * quotient = dividend - remainder``.

        Two solutions differ by divisor * dq = +-dr, modulo p and, where the ranges keep both sides apart by
        less than p, as integers. A row that bounds the remainder from above, 0 <= remainder < divisor, makes
        |dr| < divisor, so both differences are zero.
        """
        p, half = self.p, self.p >> 1
        a, b, c = self.rows[row]
        for divisor, other in ((a, b), (b, a)):
            hidden = [w for w in other if not self.unique[w]]
            left = [w for w in c if not self.unique[w]]
            if len(hidden) != 1 or len(left) != 1 or hidden == left or not divisor.keys() - {0}:
                continue
            if any(not self.unique[w] for w in divisor):
                continue
            (quotient,), (remainder,) = hidden, left
            scale = other[quotient] * pow(c[remainder], -1, p) % p
            size = {w: k * scale % p for w, k in divisor.items()}  # size * dq = dr
            if sum(k > half for k in size.values()) * 2 > len(size):
                size = {w: p - k for w, k in size.items()}
            bounds = self.interval(size)
            of_q, of_r = self.domains[quotient], self.domains[remainder]
            if bounds is None or of_q is None or of_r is None or bounds[0] < 0 or of_r.low < 0:
                continue
            if bounds[1] * of_q.width + of_r.width >= p or bounds[1] + of_r.high >= half:
                continue
            for bound in self.touching[remainder]:
                lin = self.linear[bound]
                if lin is None:
                    continue
                # size - remainder = rest, by this row
                unit = -pow(lin[remainder], -1, p)
                rest = {w: -k * unit for w, k in lin.items() if w != remainder}
                for w, k in size.items():
                    rest[w] = rest.get(w, 0) + k
                rest = {w: k % p for w, k in rest.items() if k % p}
                if rest.keys() & (divisor.keys() - {0}):
                    continue
                gap = self.interval(rest)
                if gap is not None and gap[0] >= 1 and gap[1] < half:
                    why = {row, bound, *self._why((*rest, quotient, remainder, *size), 0)}
                    for wire in (quotient, remainder):
                        self._mark(wire, "division", why, (*rest, quotient, remainder, *size))
                    return

    # -- ranges ----------------------------------------------------------------------------------------
    def interval(
        self, terms: RowTerms, without: int = -1, lookup: Callable[[int], Domain | None] | None = None
    ) -> tuple[int, int] | None:
        """Integers between which a sum lies, modulo p; None when a wire of it has no domain."""
        p, half, low, high = self.p, self.p >> 1, 0, 0
        domain_of = self.domains.__getitem__ if lookup is None else lookup
        for wire, k in terms.items():
            if wire == without:
                continue
            if k > half:
                k -= p
            if wire == 0:
                low += k
                high += k
                continue
            domain = domain_of(wire)
            if domain is None:
                return None
            if k > 0:
                low += k * domain.low
                high += k * domain.high
            else:
                low += k * domain.high
                high += k * domain.low
        return low, high

    def nonzero(self, terms: RowTerms) -> bool:
        """Whether it is known that a sum is zero in no satisfying witness."""
        if not terms:
            return False
        p = self.p
        if len(terms) == 1:
            ((wire, _),) = terms.items()
            if wire == 0:
                return True
            domain = self.domains[wire]
            if domain is not None and domain.values is not None:
                return 0 not in domain.values
        key = _normal(terms, p)
        if key in self._nonzero:
            return True
        bounds = self.interval(terms)
        if bounds is not None and -(-bounds[0] // p) * p > bounds[1]:
            return True
        wires = terms.keys() - {0}
        if len(wires) == 1 and len(terms) == 2:
            (wire,) = wires
            domain = self.domains[wire]
            root = -terms[0] * pow(terms[wire], -1, p) % p
            if domain is not None and domain.values is not None:
                return root not in domain.values
            if wire in self._squares and not is_square(root * pow(self._squares[wire][0], -1, p), p):
                return True
        return False

    def _why_nonzero(self, terms: RowTerms) -> Nonzero:
        """What shows that a sum is not zero, given that something does."""
        found = self._nonzero.get(_normal(terms, self.p))
        if found is not None:
            return found
        wires = tuple(w for w in terms if w)
        rows = [self._squares[w][1] for w in wires if w in self._squares]
        return Nonzero((*rows, *self._why(wires, -1)), wires)

    def _set_nonzero(self, terms: RowTerms, row: int, why: Nonzero) -> None:
        key = _normal(terms, self.p)
        if not key or (len(key) == 1 and key[0][0] == 0) or key in self._nonzero:
            return
        self._take_nonzero(key, Nonzero((self.origin[row], *why.rows), why.ranges))

    def _take_nonzero(self, key: Key, fact: Nonzero) -> None:
        if not any(w for w, _ in key) or key in self._nonzero:
            return
        self._nonzero[key] = fact
        wires = [w for w, _ in key if w]
        least = min(wires, key=lambda w: len(self.touching[w]))
        for other in self.touching[least]:
            if self.unknown[other] and (self.unknown[other] == 1 or not self._loose[other]):
                self._push(other)
        if len(wires) == 1:
            # a product equal to it has no factor that is zero
            for other in self.touching[least]:
                if self.linear[other] is None and _normal(self.rows[other][2], self.p) == key:
                    self._set_nonzero(self.rows[other][0], other, fact)
                    self._set_nonzero(self.rows[other][1], other, fact)

    def _learn_factors(self, row: int) -> None:
        """What a row with a product says by itself: roots, nonzero factors, squares."""
        p = self.p
        a, b, c = self.rows[row]
        if len(c) <= 2 and self.nonzero(c):
            why = self._why_nonzero(c)
            self._set_nonzero(a, row, why)
            self._set_nonzero(b, row, why)
        for factor in (a, b):
            # where the factor is zero, c would be a constant other than zero
            over = _ratio({w: k for w, k in factor.items() if w}, c, p)
            if over and (c.get(0, 0) - over * factor.get(0, 0)) % p:
                self._set_nonzero(factor, row, _NOTHING)
        base = {w: k for w, k in a.items() if w}
        ratio = _ratio(base, b, p)
        if ratio is None:
            return
        first = next(iter(base))
        scale = pow(base[first], -1, p)
        if c.keys() <= {0}:
            over = 0
        else:
            found = _ratio(base, c, p)
            if found is None:
                if ratio and not a.get(0, 0) and not b.get(0, 0) and len(c) == 1:
                    (wire,) = c
                    # wire * k = ratio * a^2: the wire is a square times a constant
                    self._squares[wire] = ratio * pow(c[wire], -1, p) % p, row
                return
            over = found
        # with y the sum of a's terms without its constant:
        # (y + a0)(ratio y + b0) = over y + c0
        a0, b0, c0 = a.get(0, 0), b.get(0, 0), c.get(0, 0)
        roots = quadratic_roots(ratio, b0 + a0 * ratio - over, a0 * b0 - c0, p)
        if roots is None:
            return
        if not roots:
            self.impossible = self.origin[row]
            return
        if row in self._virtual_of:
            return
        if len(base) == 1:
            self._restrict(first, Domain.of([r * scale for r in roots], p), (row,))
        else:
            # a wire that is 0 at the smaller root and 1 at the other
            start = roots[0]
            scale = pow(roots[-1] - start, -1, p) if len(roots) == 2 else 1
            terms = {w: k * scale % p for w, k in base.items()} | {0: -start * scale % p}
            wire = self._virtual({w: k for w, k in terms.items() if k}, row)
            self._virtual_of[row] = self.virtuals[-1][1]
            self._restrict(wire, Domain.of(range(len(roots)), p), (row,))

    def _bound_linear(self, lin: RowTerms, row: int) -> None:
        """The range of the only wire without one, from those of the others."""
        p = self.p
        wire = next(w for w in lin if w and self.domains[w] is None)
        scale = -pow(lin[wire], -1, p)
        bounds = self.interval({w: k * scale % p for w, k in lin.items()}, wire)
        if bounds is not None and bounds[1] - bounds[0] < p - 1:
            self._restrict(wire, Domain(*bounds), (row,), lin)

    def _tighten(self, lin: RowTerms, row: int) -> None:
        """The ranges of the wide wires of a row, from those of the others."""
        p = self.p
        wide = [w for w in lin if w and (d := self.domains[w]) is not None and d.values is None]
        if len(wide) > 3:
            return
        for wire in wide:
            scale = -pow(lin[wire], -1, p)
            bounds = self.interval({w: k * scale % p for w, k in lin.items()}, wire)
            if bounds is not None and bounds[1] - bounds[0] < p - 1:
                self._restrict(wire, Domain(*bounds), (row,), lin)

    def _bound_product(self, row: int) -> None:
        if self._enumerate(row) or self._unbounded[row] != 1:
            return
        p = self.p
        a, b, c = self.rows[row]
        wire = next(w for side in (a, b, c) for w in side if w and self.domains[w] is None)
        if wire not in c:
            return
        for factor, other in ((a, b), (b, a)):
            values = self._few_values(factor)
            if values is None or wire in factor:
                continue
            low = high = None
            for value in values:
                # wire * (c_w - value * other_w) = value * other - c
                k = (c[wire] - value * other.get(wire, 0)) % p
                if not k:
                    break
                scale = pow(k, -1, p)
                terms = {w: v * value * scale % p for w, v in other.items()}
                for w, v in c.items():
                    terms[w] = (terms.get(w, 0) - v * scale) % p
                bounds = self.interval(terms, wire)
                if bounds is None:
                    break
                low = bounds[0] if low is None else min(low, bounds[0])
                high = bounds[1] if high is None else max(high, bounds[1])
            else:
                if low is not None and high is not None and high - low < p - 1:
                    self._restrict(wire, Domain(low, high), (row,), (a.keys() | b.keys() | c.keys()))
                return

    def _few_values(self, terms: RowTerms) -> list[int] | None:
        """Every value that a sum may take, when these are few."""
        p = self.p
        values = {0}
        for wire, k in terms.items():
            if wire == 0:
                values = {(v + k) % p for v in values}
                continue
            domain = self.domains[wire]
            if domain is None or domain.values is None:
                return None
            values = {(v + k * x) % p for v in values for x in domain.values}
            if len(values) > _SMALL:
                return None
        return sorted(values)

    def _enumerate(self, row: int) -> bool:
        """The values of one wire over all combinations of the few values of the others."""
        lin = self.linear[row]
        sides: Row = ({}, {}, lin) if lin is not None else self.rows[row]
        found = self.combinations(sides, self.domains.__getitem__)
        if found is None:
            return False
        if not found:
            self.impossible = self.origin[row]
            return True
        for wire, values in found.items():
            if len(values) <= _SMALL:
                self._restrict(wire, Domain.of(values, self.p), (row,), found)
        return True

    def combinations(self, row: Row, lookup: Callable[[int], Domain | None]) -> dict[int, set[int]] | None:
        """The values that each wire of a row takes in the combinations that satisfy it.

        Tries those of all wires but one, whose values must be few. None when that is too many or the last
        wire is not determined; empty when no combination satisfies the row.
        """
        p = self.p
        a, b, c = row
        if len(a) > 9 or len(b) > 9 or len(c) > 9:
            return None
        wires = sorted((a.keys() | b.keys() | c.keys()) - {0})
        if len(wires) > 8:
            return None
        listed, count, target = [], 1, None
        for w in wires:
            domain = lookup(w)
            if domain is None or domain.values is None:
                if target is not None:
                    return None
                target = w
            else:
                listed.append((w, domain.values))
                count *= len(domain.values)
        if count > _ENUMERATED:
            return None
        found: dict[int, set[int]] = {w: set() for w in wires}
        for chosen in itertools.product(*(values for _, values in listed)):
            cells = {0: 1, **{w: v for (w, _), v in zip(listed, chosen, strict=True)}}
            parts = []
            for side in (a, b, c):
                k = side.get(target, 0) if target is not None else 0
                parts.append((k, sum(v * cells[w] for w, v in side.items() if w != target)))
            (ka, ra), (kb, rb), (kc, rc) = parts
            roots = quadratic_roots(ka * kb, ka * rb + kb * ra - kc, ra * rb - rc, p)
            if roots is None:
                if target is not None:
                    return None
                roots = [0]
            if not roots:
                continue
            if target is not None:
                found[target].update(roots)
            for w, v in cells.items():
                if w:
                    found[w].add(v)
        return found if all(found.values()) else {}

    def _why(self, wires: Iterable[int], but: int) -> list[int]:
        """The rows behind the domains of wires."""
        return [r for w in wires if w != but for r in self.domain_rows.get(w, ())]

    # -- digits ----------------------------------------------------------------------------------------
    def _digits(self, terms: RowTerms, row: int, also: Nonzero = _NOTHING) -> None:
        """Bounded unknown wires whose sum (with these coefficients) is known."""
        found = self.determined_digits(terms)
        if found:
            rows = (row, *self._why(terms, -1), *also.rows)
            ranges = (*terms, *also.ranges)
            for wire in found:
                self._mark(wire, "digits", rows, ranges)

    def determined_digits(self, terms: RowTerms) -> list[int]:
        """Which of the wires a known sum of them determines, from their ranges.

        Two solutions differ by d_i with |d_i| <= width_i and sum k_i d_i = 0 modulo p. Scaled so that
        sum |k_i| width_i < p, the sum is zero as an integer, and the largest coefficient that exceeds what
        all smaller ones add up to has d_i = 0; and so on down.
        """
        p = self.p
        items = []
        for wire, k in terms.items():
            domain = self.domains[wire]
            if domain is None:
                return []
            if domain.values is not None and len(domain.values) == 2:
                items.append((wire, k * (domain.values[1] - domain.values[0]) % p, 1))
            else:
                items.append((wire, k, domain.width))
        sizes = sorted(min(k, p - k) for _, k, _ in items)
        units = [1, *sizes]
        if any(x == y for x, y in itertools.pairwise(sizes)):
            units = units[:4]  # not all will be told apart; some may
        best: list[int] = []
        # try every weight as the unit; a wrong one makes others huge, which is seen after a few
        for unit in units:
            scale = pow(unit, -1, p)
            sized = weighted([(k, width) for _, k, width in items], scale, p, True, p)
            if sized is None:
                continue
            total = sum(size * items[at][2] for size, at, _ in sized)
            found = []
            for size, at, _ in reversed(sized):
                total -= size * items[at][2]
                if size <= total:
                    break
                found.append(items[at][0])
            if len(found) > len(best):
                best = found
            if len(best) == len(items):
                break
        return best

    # -- cases -----------------------------------------------------------------------------------------
    def _cases(self, row: int) -> None:
        """Split on the value of a known factor: zero or not, or one of a few."""
        sides = self.rows[row]
        if self.unknown[row] > 1:
            self._name_sums(row)
        for side in (0, 1):
            if not self._factors[row][side] and sides[side].keys() - {0}:
                self._split(row, {w: k for w, k in sides[side].items() if w})
                if not self.unknown[row]:
                    return

    def _split(self, row: int, base: dict[int, int]) -> None:
        p, unique = self.p, self.unique
        near, wires = self._neighbourhood(row)
        if not near:
            return
        key = ("cases", tuple(sorted(wires)), _normal(base, p))
        if key in self._tried:
            return
        self._tried.add(key)
        # rows with a factor k (base - root), by row: the other factor, k, root
        factored: dict[int, list[tuple[RowTerms, int, int]]] = {}
        roots = set()
        for other in near:
            if self.linear[other] is not None:
                continue
            for x, y in ((0, 1), (1, 0)):
                if not len(base) <= len(self.rows[other][x]) <= len(base) + 1:
                    continue
                k = _ratio(base, self.rows[other][x], p)
                if k:
                    root = -self.rows[other][x].get(0, 0) * pow(k, -1, p) % p
                    factored.setdefault(other, []).append((self.rows[other][y], k, root))
                    roots.add(root)
        few = self._few_values(base)
        cases: list[int | None]
        if few is not None:
            cases = [*few]
        else:
            cases = [*sorted(roots), None]
        if len(cases) > _CASES:
            return
        common: set[int] | None = None
        used: set[int] = {row}
        for case in cases:
            found = self._in_case(case, near, wires, factored)
            if found is None:  # impossible
                continue
            used |= {r for rows in found.values() for r in rows}
            common = set(found) if common is None else common & set(found)
            if not common:
                return
        if common is None:
            self.impossible = self.origin[row]
            return
        ranges = (*wires, *base)
        for wire in sorted(common):
            if not unique[wire]:
                self._mark(wire, "cases", used, ranges)

    def _neighbourhood(self, row: int) -> tuple[list[int], set[int]]:
        """Rows with unknown wires near a row, and these wires."""
        wires: set[int] = set()
        rows: list[int] = []
        seen = {row}
        todo = deque([(row, 0)])
        while todo:
            at, depth = todo.popleft()
            rows.append(at)
            fresh = self._open_wires(at) - wires
            if len(wires) + len(fresh) > _CASE_WIRES:
                rows.pop()
                if at == row:
                    return [], set()
                continue
            wires |= fresh
            if depth >= _CASE_DEPTH:
                continue
            for w in sorted(fresh):
                if len(self.touching[w]) > 64:
                    continue
                for other in self.touching[w]:
                    if other not in seen and self.unknown[other] <= _CASE_WIRES:
                        seen.add(other)
                        todo.append((other, depth + 1))
            if len(rows) > _CASE_ROWS:
                break
        return rows, wires

    def _open_wires(self, row: int) -> frozenset[int]:
        """The unknown wires of a row; kept, since they only become fewer."""
        kept = self._open.get(row)
        if kept is None or len(kept) != self.unknown[row]:
            lin = self.linear[row]
            sides = (lin,) if lin is not None else self.rows[row]
            kept = frozenset(w for side in sides for w in side if not self.unique[w])
            self._open[row] = kept
        return kept

    def _in_case(
        self,
        case: int | None,
        near: list[int],
        wires: set[int],
        factored: dict[int, list[tuple[RowTerms, int, int]]],
    ) -> dict[int, tuple[int, ...]] | None:
        """Wires determined when the base of the split is ``case`` (None: none of the roots), each with the
        rows that show it; None when the case cannot be."""
        p, unique = self.p, self.unique
        found: dict[int, tuple[int, ...]] = {}
        constant: dict[int, int] = {}
        changed = True
        while changed:
            changed = False
            for row in near:
                reduced: RowTerms | None = self.linear[row]
                if reduced is None:
                    options = factored.get(row)
                    if options is None:
                        changed |= self._case_product(row, found)
                        continue
                    other, k, root = options[0]
                    c = self.rows[row][2]
                    if case is None:
                        unknown_c = [w for w in c if not unique[w] and w not in found]
                        unknown_y = [w for w in other if not unique[w] and w not in found]
                        if unknown_c and unknown_y:
                            continue
                        side = c if unknown_c else other
                        for wire in self._determined(
                            [w for w in side if w in {*unknown_c, *unknown_y}], side
                        ):
                            found[wire] = (row,)
                            changed = True
                        continue
                    value = k * (case - root) % p
                    terms = {w: -v for w, v in c.items()}
                    for w, v in other.items():
                        terms[w] = terms.get(w, 0) + v * value
                    reduced = {w: v % p for w, v in terms.items() if v % p}
                unknown = [w for w in reduced if not unique[w] and w not in found]
                if len(unknown) == 1:
                    found[unknown[0]] = (row,)
                    changed = True
                    if all(w == 0 or w in constant for w in reduced if w != unknown[0]):
                        known = sum(v * constant.get(w, 1) for w, v in reduced.items() if w != unknown[0])
                        constant[unknown[0]] = -known * pow(reduced[unknown[0]], -1, p) % p
                elif unknown:
                    for wire in self._determined(unknown, reduced):
                        found[wire] = (row,)
                        changed = True
                elif all(w == 0 or w in constant for w in reduced):
                    left = sum(v * constant.get(w, 1) for w, v in reduced.items())
                    if left % p:
                        return None
                if unknown and unknown[0] in constant:
                    domain = self.domains[unknown[0]]
                    if domain is not None and not contains(domain, constant[unknown[0]], p):
                        return None
        return found

    def _determined(self, unknown: list[int], terms: RowTerms) -> list[int]:
        """Which of the unknown wires a sum determines."""
        if len(unknown) < 2:
            return unknown
        return self.determined_digits({w: terms[w] for w in unknown})

    def _case_product(self, row: int, found: dict[int, tuple[int, ...]]) -> bool:
        """An ordinary product within a case: only its right side may be solved for."""
        if not found and self._factors[row] != [0, 0]:
            return False
        a, b, c = self.rows[row]
        unique = self.unique
        if any(not unique[w] and w not in found for side in (a, b) for w in side):
            return False
        unknown = [w for w in c if not unique[w] and w not in found]
        if len(unknown) != 1:
            return False
        found[unknown[0]] = (row,)
        return True

    # -- elimination -----------------------------------------------------------------------------------
    def _eliminate(self) -> bool:
        """Rows that are linear in what is unknown, solved together; True when something was found."""
        p, unique = self.p, self.unique
        system: list[tuple[dict[int, int], frozenset[int]]] = []
        for row in self._live():
            if not 1 < self.unknown[row] <= 64:
                continue
            lin = self.linear[row]
            if lin is None:
                if self._factors[row] != [0, 0]:
                    continue
                lin = self.rows[row][2]
            system.append(({w: k for w, k in lin.items() if not unique[w]}, frozenset((row,))))
        progress = False
        for part in _components(system) if len(system) > 1 else ():
            if not 2 <= len(part) <= 300 or self._elimination_work <= 0:
                continue
            # of the same rows only fewer wires can be unknown later
            rows = tuple(sorted(r for _, used in part for r in used))
            key = ("eliminated", hash(rows), sum(len(terms) for terms, _ in part))
            if key in self._tried:
                continue
            self._tried.add(key)
            solved, work = _solved(part, p)
            self._elimination_work -= work
            for wire, used in solved:
                if not unique[wire]:
                    self._mark(wire, "elimination", used)
                    progress = True
        return progress

    def _denominators(self) -> bool:
        """Factors that are never zero by the arithmetic of squares, see :mod:`zkrollup.audit.algebra`."""
        from zkrollup.audit.algebra import denominator_never_zero

        progress = False
        stuck, self._stuck = self._stuck, {}
        for row, wire in stuck.items():
            if self.unique[wire] or ("denominator", row) in self._tried:
                continue
            self._tried.add(("denominator", row))
            used = denominator_never_zero(self, row, wire)
            if used is not None:
                self._mark(wire, "nonresidue", (row, *used))
                progress = True
        return progress

    def _known_sums(self) -> bool:
        """A factor that a linear row determines, although not its wires, determines the product."""
        p, unique = self.p, self.unique
        known: dict[Key, int] = {}
        products = []
        for row in self._live():
            if not 1 < self.unknown[row] <= 64:
                continue
            lin = self.linear[row]
            if lin is None:
                if self._factors[row] != [0, 0]:
                    if 0 in self._factors[row]:
                        products.append(row)
                    continue
                lin = self.rows[row][2]
            known.setdefault(_normal({w: k for w, k in lin.items() if not unique[w]}, p), row)
        progress = False
        for row in products if known else ():
            a, b, c = self.rows[row]
            factor = a if self._factors[row][0] else b
            left = [w for w in c if not unique[w]]
            if len(left) == 1:
                by = known.get(_normal({w: k for w, k in factor.items() if not unique[w]}, p))
                if by is not None:
                    self._mark(left[0], "known sum", (row, by))
                    progress = True
        return progress

    def _span(self) -> bool:
        """Wires in the space of all sums that are known, see :mod:`zkrollup.audit.span`."""
        from zkrollup.audit.span import determined_by_sums

        key = ("sums", sum(self.unique))
        if key in self._tried or self._sum_work <= 0:
            return False
        self._tried.add(key)
        found, work = determined_by_sums(self, self._live(), self._sum_work)
        self._sum_work -= work
        found = [(wire, rows) for wire, rows in found if not self.unique[wire]]
        for wire, rows in found:
            self._mark(wire, "sums", rows)
        return bool(found)

    # -- comparison ------------------------------------------------------------------------------------
    def _compare(self) -> bool:
        """Digits of a number below 2 p, when the other rows refuse the number plus p."""
        from zkrollup.audit.aliases import refuse_aliases

        progress = False
        for row in self._live():
            if self.unknown[row] < 2 or self._loose[row] or self._late():
                continue
            lin = self.linear[row]
            if lin is None:
                if self._factors[row] != [0, 0]:
                    continue
                lin = self.rows[row][2]
            terms = {w: k for w, k in lin.items() if w and not self.unique[w]}
            key = ("compared", row, len(terms))
            if key in self._tried:
                continue
            self._tried.add(key)
            used = refuse_aliases(self, terms, lin if self.linear[row] is not None else {})
            if used is not None:
                progress = True
                ranges = tuple(
                    {w for r in (row, *used) for side in self.rows[r] for w in side} | terms.keys()
                )
                used |= set(self._why(terms, -1))
                for wire in terms:
                    self._mark(wire, "comparison", (row, *used), ranges)
        return progress

    # -- claims ----------------------------------------------------------------------------------------
    def accept(self, claims: Iterable[WireClaim]) -> Propagation:
        """Take claims for true and go on: what is marked from here on is unique given the claims."""
        for claim in claims:
            if claim.kind == "nonzero":
                self._take_nonzero(_normal(claim.terms, self.p), _NOTHING)
            elif claim.kind == "determined":
                self._claims.append(claim)
        return self.run()

    def _claimed(self) -> bool:
        """Wires claimed to be determined by wires that are unique."""
        unique, waiting = self.unique, []
        for claim in self._claims:
            if not all(unique[w] for w in claim.by):
                waiting.append(claim)
                continue
            for wire in claim.wires:
                self._mark(wire, "claim", ())
        progress = len(waiting) < len(self._claims)
        self._claims = waiting
        return progress

    # -- assuming --------------------------------------------------------------------------------------
    def assume_factors(self, seconds: float | None = None) -> Propagation:
        """Go on as if no factor of a single unknown wire were ever zero.

        What is then marked unique is so unless one of the ``assumed`` factors vanishes. The rules have to
        be run to their end before.
        """
        self.deadline = None if seconds is None else time.monotonic() + seconds
        while not self._late():
            found: dict[int, tuple[int, int]] = {}
            for row in range(self.system.num_rows):
                if self.unknown[row] != 1 or self.linear[row] is not None or row in self.skip:
                    continue
                a, b, c = self.rows[row]
                wire = next(w for side in (a, b, c) for w in side if not self.unique[w])
                if wire in a and wire in b:
                    continue
                if all(self.unknown[other] < 2 for other in self.touching[wire]):
                    continue  # nothing would follow
                found.setdefault(wire, (0 if c else 1, row))
            if not found:
                return self
            best = min(rank for rank, _ in found.values())
            for wire, (rank, row) in found.items():
                if rank == best and not self.unique[wire]:
                    self.assumed.append((row, wire))
                    self._mark(wire, "assumed nonzero factor", (row,))
            self.run()
        return self


def weighted(
    items: Sequence[tuple[int, int]], scale: int, p: int, turned: bool, limit: int
) -> list[tuple[int, int, bool]] | None:
    """The weights of digits (weight, width) under a common factor: (size, index, negative), ascending.

    ``turned``: weights above p / 2 count as negative ones. None when the digits add up to ``limit`` or more.
    """
    out, total, half = [], 0, p >> 1
    for at, (k, width) in enumerate(items):
        size = k * scale % p
        negative = turned and size > half
        if negative:
            size = p - size
        total += size * width
        if total >= limit:
            return None
        out.append((size, at, negative))
    out.sort()
    return out


def _normal(terms: RowTerms, p: int) -> tuple[tuple[int, int], ...]:
    """A sum up to a factor, as a key."""
    items = sorted(terms.items())
    if not items:
        return ()
    first = items[-1][1]
    if first == 1:
        return tuple(items)
    scale = pow(first, -1, p)
    return tuple((w, k * scale % p) for w, k in items)


def _ratio(base: RowTerms, terms: RowTerms, p: int) -> int | None:
    """The k with terms = k * base up to a constant; None when there is none, or no wire in base."""
    count = len(terms) - (0 in terms)
    if count != len(base) or not count:
        return None
    ratio = None
    for wire, k in base.items():
        other = terms.get(wire)
        if other is None:
            return None
        if ratio is None:
            ratio = other * pow(k, -1, p) % p if other != k else 1
        elif other != k * ratio % p:
            return None
    return ratio


def intersect(x: Domain, y: Domain, p: int) -> Domain | None:
    """None when nothing is left."""
    for listed, other in ((x, y), (y, x)):
        if listed.values is not None:
            kept = [v for v in listed.values if contains(other, v, p)]
            return Domain.of(kept, p) if kept else None
    best = x if x.width <= y.width else y
    other = y if best is x else x
    # shift the other so that the intervals overlap; with two overlaps keep the smaller interval whole
    overlaps = []
    for k in range((best.low - other.high) // p, (best.high - other.low) // p + 1):
        low, high = max(best.low, other.low + k * p), min(best.high, other.high + k * p)
        if low <= high:
            overlaps.append((low, high))
    if not overlaps:
        return None
    return Domain(*overlaps[0]) if len(overlaps) == 1 else best


def contains(domain: Domain, value: int, p: int) -> bool:
    if domain.values is not None:
        return value in domain.values
    return domain.low + (value - domain.low) % p <= domain.high


def _components(
    system: list[tuple[dict[int, int], frozenset[int]]],
) -> list[list[tuple[dict[int, int], frozenset[int]]]]:
    """Rows that share wires, together."""
    parent = list(range(len(system)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    owner: dict[int, int] = {}
    for i, (terms, _) in enumerate(system):
        for wire in terms:
            first = owner.setdefault(wire, i)
            if first != i:
                parent[find(i)] = find(first)
    groups: dict[int, list[tuple[dict[int, int], frozenset[int]]]] = {}
    for i, item in enumerate(system):
        groups.setdefault(find(i), []).append(item)
    return list(groups.values())


def _solved(
    system: list[tuple[dict[int, int], frozenset[int]]], p: int
) -> tuple[list[tuple[int, frozenset[int]]], int]:
    """The unknowns that a linear system determines, each with the rows that do; and the work that it took."""
    pivots: dict[int, tuple[dict[int, int], frozenset[int]]] = {}
    places: dict[int, set[int]] = {}  # wire -> the pivots in whose rows it stands
    work = 0
    for terms, rows in sorted(system, key=lambda item: len(item[0])):
        left, used = dict(terms), rows
        # rows of pivots hold no other pivot, so one pass is enough
        for wire in [w for w in left if w in pivots]:
            work += len(pivots[wire][0])
            _subtract(left, pivots[wire][0], left[wire], p)
            used |= pivots[wire][1]
        if not left:
            continue
        pivot = next(iter(left))
        scale = pow(left[pivot], -1, p)
        left = {w: k * scale % p for w, k in left.items()}
        for wire in sorted(places.pop(pivot, ())):
            other, why = pivots[wire]
            work += len(left)
            _subtract(other, left, other[pivot], p)
            pivots[wire] = (other, why | used)
            for w in left:
                if w in other:
                    places.setdefault(w, set()).add(wire)
                elif w in places:
                    places[w].discard(wire)
        pivots[pivot] = (left, used)
        for w in left:
            if w != pivot:
                places.setdefault(w, set()).add(pivot)
    found = sorted((wire, rows) for wire, (terms, rows) in pivots.items() if len(terms) == 1)
    return found, work


def _subtract(target: dict[int, int], source: RowTerms, k: int, p: int) -> None:
    """target -= k * source, in place."""
    for wire, value in source.items():
        new = (target.get(wire, 0) - k * value) % p
        if new:
            target[wire] = new
        else:
            target.pop(wire, None)


def propagate(
    system: Constraints, without_row: int | None = None, *, seconds: float | None = None
) -> Propagation:
    """Run the rules on a system, or on it without one of its rows.

    For many rows left out in turn, :class:`zkrollup.audit.without.Without` is quick.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    return Propagation(system, () if without_row is None else (without_row,), deadline).run()
