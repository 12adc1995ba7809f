"""What can be known of wires and sums, as values: ranges, reasons, what is not zero; and keys for sums.

This module must not know any rule, nor how facts are found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from zkrollup.audit.model import RowTerms
from zkrollup.audit.modular import signed

__all__ = [
    "NOTHING",
    "SMALL",
    "Domain",
    "Key",
    "Nonzero",
    "Reason",
    "contains",
    "intersect",
    "normal",
    "ratio_of",
    "weighted",
]

SMALL = 8  # values worth listing

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


NOTHING = Nonzero((), ())


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


def normal(terms: RowTerms, p: int) -> tuple[tuple[int, int], ...]:
    """A sum up to a factor, as a key."""
    items = sorted(terms.items())
    if not items:
        return ()
    first = items[-1][1]
    if first == 1:
        return tuple(items)
    scale = pow(first, -1, p)
    return tuple((w, k * scale % p) for w, k in items)


def ratio_of(base: RowTerms, terms: RowTerms, p: int) -> int | None:
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
