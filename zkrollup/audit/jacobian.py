"""The Jacobian of the rows at a witness: its rank, the directions it leaves free, the rows it can do without.

This module must not know how uniqueness is shown or how a second witness is made.

Row i says f_i = <a, w> <b, w> - <c, w> = 0, so its derivative by wire w is a_w <b, w> + b_w <a, w> - c_w. A
vector v over the wires asked for with J v = 0 is a first-order degree of freedom: the rows do not notice, to
first order, when the witness moves along v. Over a finite field that is a hint, not a proof; see
:mod:`zkrollup.audit.search`.

Elimination is sparse: rows with one entry and columns with one entry first (they cause no fill-in, and
circuits are mostly made of them), then the row with the fewest entries, in its column with the fewest.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence

from zkrollup.audit.model import Constraints, Row, RowTerms

__all__ = ["Elimination", "Jacobian", "derivatives"]


def derivatives(row: Row, values: Sequence[int], wires: Collection[int] | None, p: int) -> dict[int, int]:
    """The derivative of a row by each of the wires (by all but the constant one when None), without zeros."""
    a, b, c = row
    dot_a = sum(k * values[w] for w, k in a.items()) % p
    dot_b = sum(k * values[w] for w, k in b.items()) % p
    out: dict[int, int] = {}
    sides: tuple[tuple[RowTerms, int], ...] = ((a, dot_b), (b, dot_a), (c, -1))
    for side, factor in sides:
        if factor:
            for w, k in side.items():
                if wires is None or w in wires:
                    out[w] = out.get(w, 0) + k * factor
    out.pop(0, None)
    return {w: v for w, k in out.items() if (v := k % p)}


class Elimination:
    """A sparse matrix modulo p, given by rows, brought to echelon form (the rows are changed in place).

    ``rank``; ``zero_rows``: the rows that others make up; ``complete`` is False when the deadline came
    first, then the rank is a lower bound. ``keep_operations`` is for :meth:`dependent_rows`.
    """

    def __init__(
        self,
        matrix: list[dict[int, int]],
        p: int,
        *,
        deadline: float | None = None,
        keep_operations: bool = False,
    ) -> None:
        self.p = p
        self.complete = True
        self._operations: list[tuple[int, int, int]] | None = [] if keep_operations else None
        self._matrix = matrix
        self._pivots: list[tuple[int, int, dict[int, int]]] = []
        self._eliminate(deadline)
        self.rank = len(self._pivots)

    @property
    def zero_rows(self) -> list[int]:
        pivots = {row for row, _, _ in self._pivots}
        return [i for i in range(len(self._matrix)) if i not in pivots]

    def _eliminate(self, deadline: float | None) -> None:
        p, matrix = self.p, self._matrix
        columns: dict[int, set[int]] = {}
        for i, terms in enumerate(matrix):
            for w in terms:
                columns.setdefault(w, set()).add(i)
        short = deque(i for i, terms in enumerate(matrix) if len(terms) == 1)
        narrow = deque(w for w, rows in columns.items() if len(rows) == 1)
        active = {i for i, terms in enumerate(matrix) if terms}
        heap: list[list[int]] | None = None
        count = 0
        while active:
            row = wire = -1
            while short:
                row = short.popleft()
                if row in active and len(matrix[row]) == 1:
                    (wire,) = matrix[row]
                    break
                row = -1
            if row < 0:
                while narrow:
                    wire = narrow.popleft()
                    rows = columns.get(wire)
                    if rows is not None and len(rows) == 1:
                        (row,) = rows
                        break
            if row < 0:
                row, heap = self._shortest(active, heap)
                wire = min(matrix[row], key=lambda w: (len(columns[w]), w))
            terms = matrix[row]
            active.discard(row)
            self._pivots.append((row, wire, terms))
            for w in terms:
                rows = columns[w]
                rows.discard(row)
                if len(rows) == 1:
                    narrow.append(w)
            others = columns.pop(wire)
            if others:
                inverse = pow(terms[wire], -1, p)
                for other in sorted(others):
                    self._add(other, row, wire, inverse, columns)
                    size = len(matrix[other])
                    if size == 0:
                        active.discard(other)
                    elif size == 1:
                        short.append(other)
                    elif heap is not None:
                        while len(heap) <= size:
                            heap.append([])
                        heap[size].append(other)
            count += 1
            if deadline is not None and not count & 255 and time.monotonic() > deadline:
                self.complete = False
                return

    def _shortest(self, active: set[int], heap: list[list[int]] | None) -> tuple[int, list[list[int]]]:
        """The active row with the fewest entries, from buckets by length (with stale entries)."""
        matrix = self._matrix
        if heap is None:
            heap = []
            for i in sorted(active, reverse=True):
                while len(heap) <= len(matrix[i]):
                    heap.append([])
                heap[len(matrix[i])].append(i)
        for size, bucket in enumerate(heap):
            while bucket:
                row = bucket.pop()
                if row in active and len(matrix[row]) == size:
                    return row, heap
        raise AssertionError("an active row is in no bucket")

    def _add(self, other: int, row: int, wire: int, inverse: int, columns: dict[int, set[int]]) -> None:
        """Subtract the multiple of a pivot row that clears its column in another row."""
        p, target, source = self.p, self._matrix[other], self._matrix[row]
        factor = target.pop(wire) * inverse % p
        if self._operations is not None:
            self._operations.append((other, row, factor))
        if len(source) == 1:
            return
        for w, k in source.items():
            if w == wire:
                continue
            old = target.get(w)
            if old is None:
                target[w] = -factor * k % p
                columns[w].add(other)
            elif new := (old - factor * k) % p:
                target[w] = new
            else:
                del target[w]
                columns[w].discard(other)

    def dependent_rows(self, seed: int = 0) -> list[int]:
        """The rows in some linear dependency: each of them can go without loss of rank.

        By a random combination of the dependencies, so that a row is missed with probability 1/p.
        """
        if self._operations is None:
            raise ValueError("dependent_rows needs keep_operations=True")
        rng = random.Random(seed)
        combination = {i: rng.randrange(1, self.p) for i in self.zero_rows}
        for target, row, factor in reversed(self._operations):
            k = combination.get(target)
            if k:
                combination[row] = (combination.get(row, 0) - factor * k) % self.p
        return sorted(i for i, k in combination.items() if k)


class Jacobian(Elimination):
    """The eliminated Jacobian over some wires: those asked for, unless told otherwise.

    ``free``: wires without a pivot, as many as the kernel has dimensions.
    """

    def __init__(
        self,
        system: Constraints,
        values: Sequence[int],
        wires: Collection[int] | None = None,
        *,
        rows: Iterable[Row] | None = None,
        deadline: float | None = None,
        keep_operations: bool = False,
    ) -> None:
        if wires is None:
            wires = frozenset(range(1, system.num_wires)) - system.inputs
        self.wires = wires
        p = system.modulus
        matrix = [derivatives(row, values, wires, p) for row in (system.rows() if rows is None else rows)]
        super().__init__(matrix, p, deadline=deadline, keep_operations=keep_operations)
        self.free: list[int] = sorted(set(wires) - {wire for _, wire, _ in self._pivots})

    def kernel_vector(self, free: dict[int, int]) -> dict[int, int]:
        """The vector of the kernel with these values of the free wires (0 for the others)."""
        p = self.p
        out = {w: v % p for w, v in free.items() if v % p}
        for _, wire, terms in reversed(self._pivots):
            total = 0
            for w, k in terms.items():
                if w != wire and w in out:
                    total += k * out[w]
            if total % p:
                out[wire] = -total * pow(terms[wire], -1, p) % p
        return out

    def moved(self, seed: int = 0) -> list[int]:
        """The wires that some kernel vector moves: the support of a random one (an error of 1/p a wire)."""
        if not self.free:
            return []
        rng = random.Random(seed)
        return sorted(self.kernel_vector({w: rng.randrange(1, self.p) for w in self.free}))
