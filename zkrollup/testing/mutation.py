"""Mutation of witnesses: change one wire, or swap two neighbours, and see whether any row notices.

This module must not know any particular circuit.

How it is quick. Changing wire w by d changes what row i says, <a, x> <b, x> - <c, x>, by d (l + d q), where
l = a_w <b, x> + b_w <a, x> - c_w and q = a_w b_w. For almost every wire of a row w stands on one side only,
then q = 0 and l is zero exactly when the other factor is: one look for all d. Only the rest is computed,
in bulk, by the engine.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zkrollup.cs import Check, Template
from zkrollup.cs.scalar_field import MODULUS, mont_array
from zkrollup.engine.interface import U64, Engine
from zkrollup.testing.batched import Batched
from zkrollup.testing.circuits import assert_satisfied
from zkrollup.testing.explained import Explained

__all__ = ["FreeWire", "assert_every_wire_bound", "mutate_witness", "mutate_witness_slow"]


@dataclass(frozen=True)
class FreeWire:
    """A wire that can be changed: ``value`` instead of ``honest`` breaks no constraint.

    ``swapped_with``: the neighbour that takes its value at the same time; empty when the wire moves alone.
    """

    name: str
    column: int
    honest: int
    value: int
    place: str
    scope: str = ""
    swapped_with: str = ""

    def __str__(self) -> str:
        swap = f" (swapped with {self.swapped_with})" if self.swapped_with else ""
        return f"{self.name} may be {self.value} instead of {self.honest}{swap}; created at {self.place}"

    @property
    def names(self) -> tuple[str, str]:
        """What an explanation may call it: its name, and that after its scope."""
        return self.name, f"{self.scope}/{self.name}" if self.scope else self.name


def _nonzero(elements: U64) -> npt.NDArray[np.bool_]:
    return np.asarray(elements.any(axis=-1))


class Touches:
    """Every (wire, row) in which the wire stands in the row, by wire, with what the row makes of a change.

    Attributes: ``column``, ``row``; ``plain``: wires on one side only; ``counts``: of those, whether any
    change of the wire breaks the row.
    """

    def __init__(self, batched: Batched, columns: U64) -> None:
        template, self.engine = batched.template, batched.engine
        m = template.matrices
        self.constants = m.constants
        self.num_rows, self.num_columns = template.num_constraints, batched.num_columns
        keys, coefs = [], []
        for matrix in (m.a, m.b, m.c):
            rows = np.repeat(np.arange(self.num_rows, dtype=np.int64), np.diff(matrix.indptr))
            keys.append(matrix.cols.astype(np.int64) * self.num_rows + rows)
            coefs.append(matrix.coefs)
        every, place = np.unique(np.concatenate(keys), return_inverse=True)
        self.column, self.row = every // self.num_rows, every % self.num_rows
        self.coefs = np.zeros((3, len(every)), dtype=np.uint32)  # constant 0 is zero
        start = 0
        for side, found in enumerate(coefs):
            self.coefs[side, place[start : start + len(found)]] = found
            start += len(found)
        self.a, self.b, _ = batched.products(columns)
        present = self.coefs != 0
        self.plain = present.sum(axis=0) == 1
        a_zero, b_zero = ~_nonzero(self.a), ~_nonzero(self.b)
        self.counts = self.plain & (
            present[2] | (present[0] & ~b_zero[self.row]) | (present[1] & ~a_zero[self.row])
        )
        self.mixed = np.flatnonzero(~self.plain & present.any(axis=0))
        self._bends: tuple[U64, U64] | None = None

    def terms(self, coefs: tuple[U64, U64, U64], row: np.ndarray) -> tuple[U64, U64]:
        """(l, q) for wires with these coefficients (Montgomery) in these rows."""
        e = self.engine
        a, b, c = coefs
        linear = e.fr_sub(e.fr_add(e.fr_mul(a, self.b[row]), e.fr_mul(b, self.a[row])), c)
        return linear, e.fr_mul(a, b)

    def broken(self, deltas: U64) -> np.ndarray:
        """For each touch whether the row breaks when its wire moves by ``deltas[wire]`` (not zero)."""
        out: np.ndarray = self.counts & _nonzero(deltas)[self.column]
        if len(self.mixed):
            out[self.mixed] = self._bent(deltas[self.column[self.mixed]])
        return out

    def _bent(self, deltas: U64) -> np.ndarray:
        e = self.engine
        linear, square = self.bends()
        deltas = np.ascontiguousarray(deltas)
        change = e.fr_mul(deltas, e.fr_add(linear, e.fr_mul(deltas, square)))
        return _nonzero(change)

    def bends(self) -> tuple[U64, U64]:
        """(l, q) of each touch in ``mixed``."""
        if self._bends is None:
            a, b, c = (self.constants[self.coefs[side, self.mixed]] for side in range(3))
            self._bends = self.terms((a, b, c), self.row[self.mixed])
        return self._bends

    def derivative_nonzero(self) -> np.ndarray:
        """For each touch whether the derivative of the row by the wire is not zero."""
        out = self.counts.copy()
        if len(self.mixed):
            out[self.mixed] = _nonzero(self.bends()[0])
        out &= self.column != 0
        return out

    def per_column(self, chosen: np.ndarray) -> np.ndarray:
        """How many of the chosen touches each wire has."""
        return np.bincount(self.column[chosen], minlength=self.num_columns)


def mutate_witness(
    template: Template,
    values: Sequence[int],
    *,
    seed: int = 0,
    include_links: bool = True,
    engine: Engine | None = None,
) -> list[FreeWire]:
    """Change every wire by +1, to 0 and to a random value, swap it with its neighbour: who is not noticed?

    Arguments:
        values: of all local columns, satisfying (``Check.values``); ValueError when they are not.
        include_links: mutate the links as well as the template's own wires.
        engine: what computes; the one that the environment chooses when None.

    Returns:
        a :class:`FreeWire` for each wire that some change leaves unnoticed, by column.

    Links and inputs are not swapped: a sum does not mind the order of what it adds. What is computed is
    the function of them, so a swap that goes unnoticed is a second witness of the same inputs.
    25,000 wires with 600,000 coefficients take about half a second; :func:`mutate_witness_slow` is the twin.
    """
    batched = Batched(template, engine)
    columns = batched.columns([values])[0]
    wrong = batched.violations(columns[None])[0]
    if wrong:
        raise ValueError(_not_satisfied(template, wrong[0], len(wrong)))
    first = 1 if include_links else template.num_links
    e = batched.engine
    touches = Touches(batched, columns)
    rng = random.Random(seed)
    randoms = [0] * first + [rng.randrange(MODULUS) for _ in range(first, len(values))]
    one = np.broadcast_to(mont_array([1]), columns.shape)
    kinds = [
        np.ascontiguousarray(one),
        e.fr_sub(np.zeros_like(columns), columns),
        e.fr_sub(mont_array(randoms), columns),
    ]
    unnoticed = np.zeros((4, len(columns)), dtype=bool)
    for kind, deltas in enumerate(kinds):
        noticed = touches.per_column(touches.broken(deltas)) > 0
        unnoticed[kind] = ~noticed & _nonzero(deltas)
    swaps = _unnoticed_swaps(touches, columns, template.num_links + template.num_inputs)
    unnoticed[3, swaps] = True
    unnoticed[:, :first] = False
    free = []
    for column in np.flatnonzero(unnoticed.any(axis=0)).tolist():
        kind = int(unnoticed[:, column].argmax())
        honest = values[column]
        free.append(_free_wire(template, values, column, kind, ((honest + 1) % MODULUS, 0, randoms[column])))
    return free


def _free_wire(
    template: Template, values: Sequence[int], column: int, kind: int, others: tuple[int, int, int]
) -> FreeWire:
    swapped = kind == 3
    return FreeWire(
        template.wire_name(column),
        column,
        values[column],
        values[column + 1] if swapped else others[kind],
        str(template.wire_place(column)),
        template.wire_scope(column),
        template.wire_name(column + 1) if swapped else "",
    )


def _unnoticed_swaps(touches: Touches, columns: U64, first: int) -> np.ndarray:
    """The wires from ``first`` on that no row notices when they and the next one change places."""
    e = touches.engine
    n = len(columns)
    if n - first < 2:
        return np.zeros(0, dtype=np.int64)
    deltas = np.zeros_like(columns)
    deltas[:-1] = e.fr_sub(np.ascontiguousarray(columns[1:]), np.ascontiguousarray(columns[:-1]))
    open_swaps = _nonzero(deltas)
    open_swaps[:first] = False
    rows = touches.num_rows
    lower = np.flatnonzero(open_swaps[touches.column])  # the wire itself
    upper = np.flatnonzero(open_swaps[touches.column - 1] & (touches.column > first))  # its neighbour
    keys = np.concatenate([touches.column[lower] * rows, (touches.column[upper] - 1) * rows])
    keys += np.concatenate([touches.row[lower], touches.row[upper]])
    both, place, times = np.unique(keys, return_inverse=True, return_counts=True)
    # A row with only one of the two, on one side only, notices as it would notice the wire alone.
    alone = times[place] == 1
    counts = np.concatenate([touches.counts[lower], touches.counts[upper]])
    noticed = np.zeros(n, dtype=bool)
    noticed[keys[alone & counts] // rows] = True
    left = np.flatnonzero(open_swaps & ~noticed)
    rest = np.flatnonzero(np.isin(both // rows, left))
    if len(rest):
        sides = np.zeros((2, 3, len(both)), dtype=np.uint32)
        sides[0][:, place[: len(lower)]] = touches.coefs[:, lower]
        sides[1][:, place[len(lower) :]] = touches.coefs[:, upper]
        a, b, c = (
            e.fr_sub(touches.constants[sides[0, s, rest]], touches.constants[sides[1, s, rest]])
            for s in range(3)
        )
        linear, square = touches.terms((a, b, c), both[rest] % rows)
        swap = both[rest] // rows
        change = e.fr_add(linear, e.fr_mul(np.ascontiguousarray(deltas[swap]), square))
        noticed[swap[_nonzero(change)]] = True
    return np.flatnonzero(open_swaps & ~noticed)


def mutate_witness_slow(
    template: Template, values: Sequence[int], *, seed: int = 0, include_links: bool = True
) -> list[FreeWire]:
    """:func:`mutate_witness` in Python integers, change by change; its twin."""
    rows = template.rows
    rng = random.Random(seed)
    dots = [_dots(side, rows.num_rows, values) for side in rows.sides]
    for row in range(rows.num_rows):
        if (dots[0][row] * dots[1][row] - dots[2][row]) % MODULUS:
            wrong = template.check_wires(values).failures
            raise ValueError(_not_satisfied(template, row, len(wrong)))
    touching: list[dict[int, list[int]]] = [{} for _ in values]
    for k, (indptr, cols, coefs) in enumerate(rows.sides):
        for row in range(rows.num_rows):
            for i in range(indptr[row], indptr[row + 1]):
                touching[cols[i]].setdefault(row, [0, 0, 0])[k] += coefs[i]

    def noticed(changes: Mapping[int, int]) -> bool:
        for row in {row for column in changes for row in touching[column]}:
            a, b, c = (
                dots[k][row] + sum(d * touching[w][row][k] for w, d in changes.items() if row in touching[w])
                for k in range(3)
            )
            if (a * b - c) % MODULUS:
                return True
        return False

    free = []
    for column in range(1 if include_links else template.num_links, len(values)):
        honest = values[column]
        others = ((honest + 1) % MODULUS, 0, rng.randrange(MODULUS))
        changes: list[dict[int, int]] = [{column: value - honest} for value in others]
        if column >= template.num_links + template.num_inputs and column + 1 < len(values):
            change = values[column + 1] - honest
            changes.append({column: change, column + 1: -change})
        for kind, change_of in enumerate(changes):
            if change_of[column] and not noticed(change_of):
                free.append(_free_wire(template, values, column, kind, others))
                break
    return free


def _not_satisfied(template: Template, row: int, count: int) -> str:
    return (
        f"mutate_witness: {template.name!r}: the values do not satisfy {count} rows, the first is row {row}, "
        f"{template.row_label(row)!r} at {template.row_place(row)}; mutate a witness that holds"
    )


def _dots(side: tuple[list[int], list[int], list[int]], num_rows: int, values: Sequence[int]) -> list[int]:
    indptr, cols, coefs = side
    return [
        sum(coefs[i] * values[cols[i]] for i in range(indptr[row], indptr[row + 1])) % MODULUS
        for row in range(num_rows)
    ]


def assert_every_wire_bound(
    template: Template,
    links: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    *,
    allowed: Explained | Mapping[str, str] | Collection[str] = (),
    seed: int = 0,
    engine: Engine | None = None,
) -> Check:
    """No wire of a satisfied witness can be changed, but those named in ``allowed``.

    ``allowed``: names; or an :class:`~zkrollup.testing.Explained` list or a mapping, patterns to reasons.
    """
    check = assert_satisfied(template, links, inputs)
    known = Explained.of(allowed)
    found = mutate_witness(template, check.values, seed=seed, engine=engine)
    free = [w for w in found if known.reason(*w.names) is None]
    if free:
        listed = "\n".join(f"  {w}" for w in free[:10])
        raise AssertionError(f"{template.name!r}: {len(free)} wires are not bound by any row:\n{listed}")
    return check
