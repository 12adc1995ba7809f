"""Leaving out one row at a time: which wires are no longer shown unique?

This module must not know any rule; it runs them again where a row mattered, and nowhere else.

Every conclusion keeps the rows, and the wires whose ranges, it relied on. What relied on the row that is
left out is forgotten, and so is what relied on that, up to some number of wires; the rules are run again on
the rows around, everything farther away counting as known. What they cannot show even so is lost. When they
show everything, but something farther away had been taken for known, they are run again with more forgotten.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any

from zkrollup.audit.facts import Key, Nonzero
from zkrollup.audit.points import PointFacts
from zkrollup.audit.propagate import Propagation

__all__ = ["Without"]

_FIRST = 24  # wires forgotten in a first attempt
_MORE = 8
_DEPTH = 4  # steps through wires that are unknown anyway
_AROUND = 400  # rows


class Without:
    """Questions about a propagation that has run to its end.

    A system of at most ``small`` rows is propagated anew each time. On a larger one a wire may be called
    lost that the rules would show by a longer way round; never the other way about.
    """

    def __init__(self, rules: Propagation, *, small: int = 200) -> None:
        self.rules = rules
        self.small = small
        self._by_row: dict[int, list[int]] = defaultdict(list)
        self._by_range: dict[int, list[int]] = defaultdict(list)
        self._domain_by_row: dict[int, list[int]] = defaultdict(list)
        self._domain_by_range: dict[int, list[int]] = defaultdict(list)
        for wire, reason in rules.reasons.items():
            for row in reason.rows:
                self._by_row[row].append(wire)
            for other in reason.ranges:
                self._by_range[other].append(wire)
        for wire, rows in rules.domain_rows.items():
            for row in rows:
                self._domain_by_row[row].append(wire)
        for wire, wires in rules.domain_ranges.items():
            for other in wires:
                self._domain_by_range[other].append(wire)

    def lost(self, row: int) -> list[int]:
        """Wires that are unique by the rules, but not without this row; empty when all still are.

        Not every such wire: those that this row itself had shown, as far as they are lost.
        """
        shapeless = self._shapeless(row)
        direct = set(self._by_row.get(row, ()))
        for wire in shapeless:
            direct.update(self._by_range.get(wire, ()))
        count = self.rules.num_wires
        if not direct:
            return []
        if self.rules.system.num_rows <= self.small:
            anew = Propagation(self.rules.system, (*self.rules.skip, row)).run()
            return [w for w in sorted(direct) if w < count and not anew.unique[w]]
        limit = _FIRST
        while True:
            forgotten, whole = self._dependents(direct, limit)
            local = _Local(self.rules, row, forgotten, shapeless)
            local.run()
            missing = [w for w in sorted(direct) if w < count and not local.unique[w]]
            if missing or whole:
                return missing
            limit *= _MORE

    def _shapeless(self, row: int) -> set[int]:
        """The wires whose ranges relied on the row."""
        found = set(self._domain_by_row.get(row, ()))
        todo = deque(found)
        while todo:
            for wire in self._domain_by_range.get(todo.popleft(), ()):
                if wire not in found:
                    found.add(wire)
                    todo.append(wire)
        return found

    def _dependents(self, direct: set[int], limit: int) -> tuple[set[int], bool]:
        """``direct`` and what relied on it, nearest first, about ``limit`` wires; and whether that is all."""
        rules = self.rules
        found = set(direct)
        todo = deque(sorted(direct))
        while todo:
            wire = todo.popleft()
            since = rules.reasons[wire].time
            for row in rules.touching[wire]:
                for later in self._by_row.get(rules.origin[row], ()):
                    if later not in found and rules.reasons[later].time > since:
                        if len(found) >= limit + len(direct):
                            return found, False
                        found.add(later)
                        todo.append(later)
        return found, True


class _Nonzeros(dict[Key, Nonzero]):
    """What is known to be nonzero without a row and without some ranges; new facts on top of the old."""

    def __init__(self, known: dict[Key, Nonzero], row: int, shapeless: set[int]) -> None:
        super().__init__()
        self._known, self._row, self._shapeless = known, row, shapeless

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None  # type: ignore[arg-type]

    def get(self, key: Key, default: Any = None) -> Any:
        found = super().get(key)
        if found is None:
            found = self._known.get(key)
            if found is not None and (self._row in found.rows or self._shapeless.intersection(found.ranges)):
                return default
        return default if found is None else found


class _Local(Propagation):
    """The rules on the rows around some wires, the other wires being known."""

    def __init__(self, whole: Propagation, row: int, forgotten: set[int], shapeless: set[int]) -> None:
        self.system, self.p, self.deadline = whole.system, whole.p, None
        self.num_wires = whole.num_wires
        self.rows, self.linear, self.origin = whole.rows, whole.linear, whole.origin
        self.skip = frozenset((row,))
        self.reasons, self.domain_rows, self.domain_ranges = {}, {}, {}
        self.impossible, self.assumed = None, []
        self._clock = 0
        self._tightened = {}
        self._virtual_of = whole._virtual_of
        self._tried, self._open, self._shared = set(), {}, {}
        self._claims, self._stuck, self._enumerated = [], {}, {}
        self._points, self._roots, self.virtuals = PointFacts(), {}, whole.virtuals
        self._squares = whole._squares
        for wire in whole.rows[row][2]:
            if wire in self._squares and whole._squares[wire][1] == row:
                self._squares = dict(self._squares)
                del self._squares[wire]
        self._nonzero = _Nonzeros(whole._nonzero, row, shapeless)
        # virtual wires of the row go with it; other wires keep what is known of them
        self.domains = list(whole.domains)
        self.unique = bytearray(whole.unique)
        for wire in shapeless:
            self.domains[wire] = None
        for wire in forgotten:
            self.unique[wire] = 0
        near = self._rows_around(whole, row, forgotten | shapeless)
        self._near = near
        self.touching = defaultdict(list)  # type: ignore[assignment]
        self.unknown, self._loose, self._unbounded = {}, {}, {}  # type: ignore[assignment]
        self._factors = {}  # type: ignore[assignment]
        for i in near:
            self._enter(i)
        self._queue = deque(near)
        self._queued = bytearray(len(self.rows))
        self._case_queued = bytearray(len(self.rows))
        for i in near:
            self._queued[i] = 1
        self._case_queue = deque(
            i for i in near if self.linear[i] is None and self.unknown[i] and 0 in self._factors[i]
        )
        for i in self._case_queue:
            self._case_queued[i] = 1
        for wire in forgotten:
            domain = self.domains[wire]
            if domain is not None and domain.values is not None and len(domain.values) == 1:
                self._mark(wire, "constant", (), (wire,))

    @staticmethod
    def _rows_around(whole: Propagation, left_out: int, wires: set[int]) -> list[int]:
        """The rows of some wires, and of the wires in them that were never shown unique."""
        found: set[int] = set()
        seen = set(wires)
        level = wires
        for _ in range(_DEPTH):
            fresh = {
                r
                for w in level
                for r in whole.touching[w]
                if whole.origin[r] != left_out and r not in whole.skip
            } - found
            found |= fresh
            level = set()
            for r in fresh if len(found) < _AROUND else ():
                lin = whole.linear[r]
                if whole.unknown[r]:
                    for side in (lin,) if lin is not None else whole.rows[r]:
                        level.update(w for w in side if not whole.unique[w])
            level -= seen
            seen |= level
        return sorted(found)

    def _live(self) -> Iterable[int]:
        return self._near

    def _name_sums(self, row: int) -> None:
        """The sums that have a wire have it already."""
