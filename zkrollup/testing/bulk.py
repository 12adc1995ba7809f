"""What can be said of all rows at once, before anything is done row by row: pivots, and witnesses cut short.

This module must not know any particular circuit. It computes with arrays of touches - every (wire, row) in
which a wire stands in a row - so that 100,000 rows take seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from zkrollup.cs import Template
from zkrollup.cs.scalar_field import mont_array
from zkrollup.engine.interface import U64
from zkrollup.testing.batched import Batched, first_writes
from zkrollup.testing.mutation import Touches

__all__ = ["changes", "first_refusals", "in_order", "latest_writes", "peel"]

_ROOTS = 3


def peel(touches: Touches, wires: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Which rows of the Jacobian over these wires depend on no others, as far as counting shows it.

    Arguments:
        wires: for each column whether the Jacobian is over it.
        rows: for each row whether it is still asked about; the others count as shown.

    Returns:
        for each row whether it is shown now; with ``rows`` that are not asked about among them.

    A dependency is a combination of rows that is zero at every wire. Where a wire stands in one row only
    that row is in no dependency, and can be taken away; then another wire stands in one row only. What this
    shows, elimination would show; what is left may still be independent, and elimination needs look at
    nothing else. In a circuit where each row defines a wire of its own everything goes.
    """
    counted = touches.derivative_nonzero() & wires[touches.column] & rows[touches.row]
    column, row = touches.column[counted], touches.row[counted]
    degree = np.bincount(column, minlength=touches.num_columns)
    total = np.zeros(touches.num_columns, dtype=np.int64)  # of the numbers of the rows still there
    np.add.at(total, column, row)
    order = np.argsort(row, kind="stable")
    by_row = column[order]
    start = np.searchsorted(row[order], np.arange(touches.num_rows + 1))
    shown: np.ndarray = ~rows
    frontier = np.flatnonzero(degree == 1)
    while len(frontier):
        gone = np.unique(total[frontier])
        shown[gone] = True
        sizes = start[gone + 1] - start[gone]
        at = np.repeat(start[gone] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        touched = by_row[at + np.arange(len(at))]
        np.subtract.at(degree, touched, 1)
        np.subtract.at(total, touched, np.repeat(gone, sizes))
        touched = np.unique(touched)
        frontier = touched[degree[touched] == 1]
    return shown


def changes(batched: Batched, touches: Touches, base: U64, order: np.ndarray) -> Iterator[tuple[str, U64]]:
    """Ways to change every wire, with the differences: +1, -1, to 0, twice its value, and the other root.

    The other root of a wire w in a row that is quadratic in w is the other value with which the row holds:
    0 for a bit that is 1 in its boolean row, and for another row of the bit the one value with which only
    its boolean row can object. Of a wire's quadratic rows the first three in ``order`` (of touches) are
    taken, one at a time.
    """
    e = batched.engine
    one = np.ascontiguousarray(np.broadcast_to(mont_array([1]), base.shape))
    zero = np.zeros_like(base)
    yield "+1", one
    yield "-1", e.fr_sub(zero, one)
    yield "= 0", e.fr_sub(zero, base)
    yield "x 2", base
    linear, square = touches.bends()
    roots = e.fr_mul(e.fr_sub(np.zeros_like(linear), linear), e.fr_inverse(square))
    bent = np.flatnonzero(np.asarray(roots.any(axis=-1)))
    at = touches.mixed[bent]
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    by_wire = np.lexsort((rank[at], touches.column[at]))
    bent, column = bent[by_wire], touches.column[at][by_wire]
    first = np.searchsorted(column, column)  # where each one's wire begins
    place = np.arange(len(column)) - first
    for k in range(_ROOTS):
        some = place == k
        if some.any():
            deltas = np.zeros_like(base)
            deltas[column[some]] = roots[bent[some]]
            yield "= the other root of a row", deltas


def latest_writes(template: Template, touches: Touches) -> np.ndarray:
    """For each row the number of the instruction that writes the last of its wires."""
    written = first_writes(template)
    latest = np.zeros(max(touches.num_rows, 1), dtype=np.int64)
    np.maximum.at(latest, touches.row, written[touches.column])
    return latest


def first_refusals(
    touches: Touches, order: np.ndarray, latest: np.ndarray, ways: Iterable[tuple[str, U64]]
) -> Iterator[tuple[int, int, str]]:
    """(row, wire, way) where of the rows that refuse the changed wire this one is written before all others.

    ``order``: the touches by wire, then by :func:`latest_writes` of the row.
    """
    column, when = touches.column[order], latest[touches.row[order]]
    for way, deltas in ways:
        broken = np.flatnonzero(touches.broken(np.ascontiguousarray(deltas))[order] & (column != 0))
        if not len(broken):
            continue
        _, first = np.unique(column[broken], return_index=True)
        following = np.minimum(first + 1, len(broken) - 1)
        tied = (following != first) & (column[broken[following]] == column[broken[first]])
        tied &= when[broken[following]] == when[broken[first]]
        for at in order[broken[first[~tied]]].tolist():
            yield int(touches.row[at]), int(touches.column[at]), way


def in_order(touches: Touches, latest: np.ndarray) -> np.ndarray:
    """The touches by wire, then by the time of the row."""
    return np.lexsort((latest[touches.row], touches.column))
