"""Sums of unknown wires that the inputs determine, although none of the wires is known by itself.

This module must not know any other rule; it takes what is known and returns what follows.

A compiler that solves linear constraints (circom's ``--O2``) leaves no wire for many values: the input of
an S-box is a sum of wires that later rows define. So what is known is a space of sums: a row without a
product puts its sum of unknown wires there, and so does a row ``a b = c`` with its c once a and b lie in it.
A wire that lies in the space is determined.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from zkrollup.audit.model import RowTerms

if TYPE_CHECKING:
    from zkrollup.audit.propagate import Propagation

__all__ = ["determined_by_sums"]


class _Space:
    """A basis in reduced form, beside the factors of rows that wait, reduced by it as it grows."""

    def __init__(self, p: int) -> None:
        self.p = p
        self.forms: list[dict[int, int]] = []
        self.why: list[set[int]] = []
        self.places: dict[int, set[int]] = defaultdict(set)
        self.pivots: dict[int, int] = {}
        self.work = 0

    def add(self, terms: dict[int, int], why: set[int]) -> int:
        """Keep a sum, reduced by the basis; returns its number."""
        number = len(self.forms)
        self.forms.append(terms)
        self.why.append(why)
        for wire in terms:
            self.places[wire].add(number)
        for wire in [w for w in terms if w in self.pivots]:
            self._reduce(number, wire, self.pivots[wire])
        return number

    def _reduce(self, number: int, wire: int, basis: int) -> None:
        """Take ``wire``, a pivot, out of a sum."""
        p, form, places = self.p, self.forms[number], self.places
        k = form[wire]
        for w, v in self.forms[basis].items():
            new = (form.get(w, 0) - k * v) % p
            if new:
                form[w] = new
                places[w].add(number)
            else:
                form.pop(w, None)
                places[w].discard(number)
        self.work += len(self.forms[basis])
        self.why[number] |= self.why[basis]

    def know(self, number: int) -> list[int]:
        """Put a sum into the basis; returns the other sums that changed."""
        form = self.forms[number]
        if not form:
            return []
        pivot = min(form, key=lambda w: (len(self.places[w]), w))
        scale = pow(form[pivot], -1, self.p)
        for wire in form:
            form[wire] = form[wire] * scale % self.p
        self.pivots[pivot] = number
        others = sorted(self.places[pivot] - {number})
        for other in others:
            self._reduce(other, pivot, number)
        return others


def determined_by_sums(
    rules: Propagation, rows: Iterable[int], work: int
) -> tuple[list[tuple[int, frozenset[int]]], int]:
    """Wires that lie in the space of known sums, each with the rows that show it; and the work that it took.

    ``rows``: those that may be used. ``work``: how many coefficients may be changed; then it stops with
    what it has.
    """
    unique = rules.unique
    space = _Space(rules.p)
    known: list[int] = []
    factors: dict[int, list[int]] = {}
    row_of: dict[int, int] = {}

    def unknown(terms: RowTerms) -> dict[int, int]:
        return {w: k for w, k in terms.items() if w and not unique[w]}

    for row in rows:
        if not rules.unknown[row]:
            continue
        lin = rules.linear[row]
        if lin is not None:
            known.append(space.add(unknown(lin), {row}))
            continue
        a, b, c = rules.rows[row]
        numbers = [space.add(terms, set()) for terms in (unknown(a), unknown(b)) if terms]
        if not numbers:
            known.append(space.add(unknown(c), {row}))
        elif unknown(c):
            factors[row] = numbers
            row_of.update(dict.fromkeys(numbers, row))
    known.reverse()
    while known and space.work < work:
        if rules.deadline is not None and time.monotonic() > rules.deadline:
            break
        for changed in space.know(known.pop()):
            row = row_of.get(changed, -1)
            if row < 0 or any(space.forms[n] for n in factors[row]):
                continue
            used = {row}.union(*(space.why[n] for n in factors[row]))
            for n in factors[row]:
                row_of.pop(n, None)
            known.append(space.add(unknown(rules.rows[row][2]), used))
    found = [
        (wire, frozenset(space.why[number]))
        for wire, number in space.pivots.items()
        if len(space.forms[number]) == 1
    ]
    return sorted(found), space.work
