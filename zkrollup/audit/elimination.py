"""Linear systems over few unknowns, solved exactly, with the rows that each result rests on.

This module must not know where the sums come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from zkrollup.audit.model import RowTerms

__all__ = ["Solutions", "components", "solutions"]


def components(
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


class Solutions(NamedTuple):
    """``wires``: the unknowns that the system determines. ``sums``: sums of last unknowns that it determines
    although not each wire. Each with its rows. ``work``: how many coefficients were changed."""

    wires: list[tuple[int, frozenset[int]]]
    sums: list[tuple[dict[int, int], frozenset[int]]]
    work: int


def solutions(
    system: list[tuple[dict[int, int], frozenset[int]]], p: int, last: Callable[[int], bool]
) -> Solutions:
    """What a linear system determines. Unknowns that are ``last`` are solved for when no other is left."""
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
        pivot = next((w for w in left if not last(w)), -1)
        if pivot < 0:
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
    sums = [(t, rows) for t, rows in pivots.values() if len(t) > 1 and all(last(w) for w in t)]
    return Solutions(found, sums, work)


def _subtract(target: dict[int, int], source: RowTerms, k: int, p: int) -> None:
    """target -= k * source, in place."""
    for wire, value in source.items():
        new = (target.get(wire, 0) - k * value) % p
        if new:
            target[wire] = new
        else:
            target.pop(wire, None)
