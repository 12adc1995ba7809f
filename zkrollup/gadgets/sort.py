"""Sorting and permutations of a few values, by a network of switches.

This module must not know what is sorted. The order is found by hints that engines replay; the rows show
that the result is a permutation and, where asked, that it is in order.

A switch takes (x, y) to (p, q). The row ``(p - x) (p - y) = 0`` with ``q = x + y - p`` says that {p, q} is
{x, y}, with multiplicities and without a boolean wire. Networks of switches therefore only permute, whatever
is hinted; an honest prover sets each to the minimum and the maximum, and Batcher's odd-even merge sort
makes sorted columns of that (K. E. Batcher, "Sorting networks and their applications", 1968). Free: the
values between the switches, since several settings may lead to the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.bits import range_check

__all__ = ["assert_distinct", "assert_permutation", "assert_sorted", "network", "sort", "sort_records"]


def network(n: int) -> list[tuple[int, int]]:
    """Batcher's odd-even merge sort of n values as pairs (low, high), in order.

    2, 3, 4, 8, 16, 32 values take 1, 3, 5, 19, 63, 191 pairs. For n that is no power of two the network
    of the next one is cut: a place beyond n would hold a value above all others and never move.
    """
    pairs = []
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(j, min(j + k, n - k)):
                    if i // (2 * p) == (i + k) // (2 * p):
                        pairs.append((i, i + k))
            k //= 2
        p *= 2
    return pairs


def sort(cs: ConstraintSystem, values: Sequence[Field], n: int) -> list[Field]:
    """The values in ascending order.

    Theorem: the result is a permutation of the values, and each is at most the next, as integers.
    Ranges: 1 <= n <= 252 (``ValueError`` otherwise). Assumes: every value is below 2^n. Rows: one for each
    pair of :func:`network`, and n for each neighbour: 8 values of 64 bits take 19 + 7 * 64 = 467, where
    a comparator at each pair would take 19 * 66.
    """
    out, switched = _permuted(cs, values)
    assert_sorted(cs, out, n)
    _claim_order(cs, values, out, switched)
    return out


def sort_records(cs: ConstraintSystem, records: Sequence[Sequence[Field]], n: int) -> list[list[Field]]:
    """Records ordered by their first value, the key; the other values move with it.

    Theorem: the result is a permutation of the records, and each key is at most the next, as integers; the
    order of records with equal keys is the prover's choice. Ranges: 1 <= n <= 252, records of one length, at
    least 1 (``ValueError`` otherwise). Assumes: every key is below 2^n. Rows: for each pair of
    :func:`network` one for the switch's bit and one for each value of a record; n for each neighbour.
    """
    widths = sorted({len(record) for record in records})
    if records and (len(widths) != 1 or widths[0] < 1):
        raise ValueError(
            f"records of {' and '.join(map(str, widths))} values; expected one length, at least 1"
        )
    rows = [list(record) for record in records]
    with cs.scope("network"):
        for i, j in network(len(rows)):
            swap: Bool = cs.assert_bool(cs.hint_less_than(rows[j][0], rows[i][0]), label="switch is boolean")
            for k, (low, high) in enumerate(zip(rows[i], rows[j], strict=True)):
                moved = cs.materialise(swap * (high - low))
                rows[i][k], rows[j][k] = low + moved, high - moved
    assert_sorted(cs, [row[0] for row in rows], n)
    return rows


def assert_sorted(cs: ConstraintSystem, values: Sequence[Field], n: int, *, strictly: bool = False) -> None:
    """Demand that each value is at most the next, or below it when ``strictly``.

    Ranges: 1 <= n <= 252 (``ValueError`` otherwise). Assumes: every value is below 2^n, so that a negative
    difference has no n bits. Rows: n for each neighbour.
    """
    if not 1 <= n <= 252:
        raise ValueError(f"an order of {n} bits; expected 1 .. 252, or a difference would wrap modulo r")
    with cs.scope("order"):
        for low, high in pairwise(values):
            range_check(cs, high - low - strictly, n)


def assert_distinct(cs: ConstraintSystem, values: Sequence[Field], n: int) -> None:
    """Demand that no two values are equal: sorted, each is below the next.

    Ranges: 1 <= n <= 252. Assumes: every value is below 2^n. Rows: as :func:`sort`. For up to n values the
    product of all differences may be cheaper: it takes one row a pair.
    """
    out, switched = _permuted(cs, values)
    assert_sorted(cs, out, n, strictly=True)
    _claim_order(cs, values, out, switched)


def assert_permutation(
    cs: ConstraintSystem, a: Sequence[Field], b: Sequence[Field], label: str = "is a permutation"
) -> None:
    """Demand that b holds the values of a in some order, with their multiplicities; any field elements.

    Ranges: equally many (``ValueError`` otherwise). Assumes: nothing. Rows: two for each pair of
    :func:`network` and one for each value: 46 for 8 values.

    Both are sent through a network, and what comes out must be equal. Each network only permutes, so equal
    results mean equal multisets; an honest prover sorts both by canonical value.
    """
    if len(a) != len(b):
        raise ValueError(f"a permutation of {len(a)} values into {len(b)}; expected equally many")
    (left, switched_left), (right, switched_right) = _permuted(cs, a), _permuted(cs, b)
    for x, y in zip(left, right, strict=True):
        cs.assert_equal(x, y, label=label)
    _claim_idle(cs, [*switched_left, *switched_right])


def _claim_order(
    cs: ConstraintSystem, values: Sequence[Field], out: Sequence[Field], switched: Sequence[Field]
) -> None:
    if switched:
        reason = "of the orders of these values one alone is ascending"
        cs.claim_determined(out, by=values, reason=reason)
        _claim_idle(cs, switched)


def _claim_idle(cs: ConstraintSystem, switched: Sequence[Field]) -> None:
    cs.claim_idle(switched, reason="several settings of the switches lead to one order")


def _permuted(cs: ConstraintSystem, values: Sequence[Field]) -> tuple[list[Field], list[Field]]:
    """The values in an order of the prover's choice, honestly ascending by canonical value; and the wires of
    the switches."""
    out = list(values)
    switched = []
    with cs.scope("network"):
        for i, j in network(len(out)):
            x, y = out[i], out[j]
            p = cs.hint_value(x + cs.scratch_product(cs.scratch_less_than(y, x), y - x))
            cs.enforce(p - x, p - y, 0, label="switch")
            switched.append(p)
            out[i], out[j] = p, cs.linear([(x, 1), (y, 1), (p, -1)])
    return out, switched
