"""The state of uniqueness propagation: rows, what is known of wires, and which rows to look at again.

This module must not know any rule; rules tell it what they found, and it works out where that matters.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

from zkrollup.audit.facts import SMALL, Domain, Key, Nonzero, Reason, intersect
from zkrollup.audit.model import Constraints, Row, RowTerms, WireClaim
from zkrollup.audit.points import PointFacts

__all__ = ["State"]

_TIGHTENINGS = 6  # of one wire's range, since ranges may shrink for ever


class State:
    """What is known of one system.

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
        self._enumerated: dict[int, tuple[list[Domain | None], bool]] = {}
        """Of rows whose combinations of values were tried: with which ranges, and whether they were few."""
        self._claims: list[WireClaim] = []
        self._points = PointFacts()
        self._roots: dict[int, int] = {}
        """Rows that say that a wire, their only unknown one, is a square root."""
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
            if new.width < SMALL:
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

    def _live(self) -> Iterable[int]:
        """The rows that are there."""
        return range(len(self.rows))

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline
