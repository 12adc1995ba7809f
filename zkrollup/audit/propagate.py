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
- *never zero*: a factor whose zero the rows around refuse, if need be value by value of a wire of few;
- *points*: slopes of tangents and chords of points that are regular, or multiples that differ;
- *half*: a square root of which the last bit is known, or on which side of p / 2 it is;
- *comparison*: bits that could stand for x or for x + p, of which another part of the circuit refuses
  the latter: every prefix in which a number can exceed p - 1 is shown to be contradictory.

Facts on the way, true in every satisfying witness: a wire lies in an interval or a small set, a sum of
wires is not zero. Sums that a row restricts to two values are given a wire of their own ("virtual").

References: F. Wang, "Ecne: Automated Verification of ZK Circuits", 2022; S. Pailoor et al., "Automated
Detection of Under-Constrained Circuits in Zero-Knowledge Proofs", PLDI 2023 (Picus).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from zkrollup.audit.cases import Cases
from zkrollup.audit.elimination import components, solutions
from zkrollup.audit.facts import NOTHING, Domain, Key, normal
from zkrollup.audit.model import Constraints, WireClaim

__all__ = ["Propagation", "propagate"]


_SYSTEM_WIRES = 128  # unknown wires of a row that is solved with others
_SYSTEM_TERMS = 20_000


class Propagation(Cases):
    """The rules on one system; :func:`propagate` makes one and runs it to its fixed point."""

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
            self._halves,
        )

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
        elif not total:
            self._roots[row] = wire

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

    # -- elimination -----------------------------------------------------------------------------------
    def _eliminate(self) -> bool:
        """Rows that are linear in what is unknown, solved together; True when something was found.

        Wires without a range are taken out first. What is left may be a sum of bounded wires: digits.
        """
        p, unique = self.p, self.unique
        system: list[tuple[dict[int, int], frozenset[int]]] = []
        for row in self._live():
            if not 1 < self.unknown[row] <= _SYSTEM_WIRES:
                continue
            lin = self.linear[row]
            if lin is None:
                if self._factors[row] != [0, 0]:
                    continue
                lin = self.rows[row][2]
            system.append(({w: k for w, k in lin.items() if not unique[w]}, frozenset((row,))))
        progress = False
        for part in components(system) if len(system) > 1 else ():
            if not 2 <= len(part) <= 300 or self._elimination_work <= 0:
                continue
            # of the same rows only fewer wires can be unknown later
            rows = tuple(sorted(r for _, used in part for r in used))
            bounded = {w for terms, _ in part for w in terms if self.domains[w] is not None}
            size = sum(len(terms) for terms, _ in part)
            key = ("eliminated", hash(rows), size, len(bounded))
            if key in self._tried or size > _SYSTEM_TERMS:
                continue
            self._tried.add(key)
            found = solutions(part, p, bounded.__contains__)
            self._elimination_work -= found.work
            for wire, used in found.wires:
                if not unique[wire]:
                    self._mark(wire, "elimination", used)
                    progress = True
            for terms, used in found.sums:
                left = {w: k for w, k in terms.items() if not unique[w]}
                rows = (*used, *self._why(left, -1))
                for wire in self.determined_digits(left) if left else ():
                    self._mark(wire, "elimination", rows, left)
                    progress = True
        return progress

    def _denominators(self) -> bool:
        """Factors that are never zero by the arithmetic of squares, see :mod:`zkrollup.audit.algebra`, and
        slopes of points that differ, see :mod:`zkrollup.audit.points`."""
        from zkrollup.audit.algebra import denominator_never_zero
        from zkrollup.audit.points import slope_is_determined

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
                continue
            found = slope_is_determined(self, self._points, row, wire)
            if found is not None:
                self._mark(wire, "points", *found)
                progress = True
                continue
            used = self._never_zero(row, wire)
            if used is not None:
                sides = [side for r in used for side in (self.linear[r] or {}, *self.rows[r])]
                self._mark(wire, "never zero", (row, *used), {w for side in sides for w in side})
                progress = True
        return progress

    def _never_zero(self, row: int, wire: int) -> set[int] | None:
        """The rows that refuse the zero of the factor of a row's only unknown wire, if it is one wire's."""
        from zkrollup.audit.aliases import refute_value

        a, b, c = self.rows[row]
        factor = b if a.keys() == {wire} else a if b.keys() == {wire} else {}
        wires = factor.keys() - {0}
        if len(wires) != 1 or wire in wires or wire in c:
            return None
        (other,) = wires
        return refute_value(self, other, -factor.get(0, 0) * pow(factor[other], -1, self.p) % self.p)

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
            known.setdefault(normal({w: k for w, k in lin.items() if not unique[w]}, p), row)
        progress = False
        for row in products if known else ():
            a, b, c = self.rows[row]
            factor = a if self._factors[row][0] else b
            left = [w for w in c if not unique[w]]
            if len(left) == 1:
                by = known.get(normal({w: k for w, k in factor.items() if not unique[w]}, p))
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

    def _halves(self) -> bool:
        """Square roots that a comparison keeps below p / 2 or above it, or whose last bit is known."""
        from zkrollup.audit.aliases import halved_by

        roots, self._roots = self._roots, {}
        for row, wire in roots.items():
            for sum_row in () if self.unique[wire] else self.touching[wire]:
                if self.linear[sum_row] is None or self._unbounded[sum_row] > 1 or self._late():
                    continue
                found = halved_by(self, wire, sum_row)
                if found is not None:
                    self._mark(wire, "half", (row, *found[0]), found[1])
                    return True
        return False

    # -- claims ----------------------------------------------------------------------------------------
    def accept(self, claims: Iterable[WireClaim]) -> Propagation:
        """Take claims for true and go on: what is marked from here on is unique given the claims."""
        for claim in claims:
            if claim.kind == "nonzero":
                self._take_nonzero(normal(claim.terms, self.p), NOTHING)
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
            for terms in claim.sums:
                unknown = next((w for w in terms if not unique[w]), None)
                if unknown is not None:  # a wire for the sum, known from the start
                    wire = self._virtual(terms, self.touching[unknown][0])
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


def propagate(
    system: Constraints, without_row: int | None = None, *, seconds: float | None = None
) -> Propagation:
    """Run the rules on a system, or on it without one of its rows.

    For many rows left out in turn, :class:`zkrollup.audit.without.Without` is quick.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    return Propagation(system, () if without_row is None else (without_row,), deadline).run()
