"""What an auditor should look at besides freedom: unused inputs, bits that nothing forces to be bits, rows
that say nothing new.

This module must not know any witness; none of its findings is a proof that something is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from zkrollup.audit.facts import Key, normal, ratio_of
from zkrollup.audit.jacobian import Elimination
from zkrollup.audit.model import Constraints, Row, RowTerms
from zkrollup.audit.modular import signed
from zkrollup.audit.propagate import Propagation

__all__ = ["duplicate_rows", "linear_rows_made_of_others", "unforced_booleans", "unused_wires"]

_RUN = 3  # powers of two in a row, from which on wires look like bits


def unused_wires(rules: Propagation) -> tuple[list[int], list[int]]:
    """(inputs in no row, other wires in no row)."""
    system = rules.system
    bare = [w for w in range(1, system.num_wires) if not rules.touching[w]]
    return [w for w in bare if w in system.inputs], [w for w in bare if w not in system.inputs]


def unforced_booleans(rules: Propagation) -> list[tuple[int, str]]:
    """Wires that are used as bits or selectors and are not known to be 0 or 1: (wire, how they are used).

    A bit: its coefficient in a sum is that of a run of powers of two beside others that are. A selector:
    the factor alone in ``s (a - b) = c - b``.
    """
    system, p = rules.system, rules.p
    found: dict[int, str] = {}
    sums = {normal(terms, p): (wire, terms) for wire, terms in _virtual_sums(rules)}
    for row in range(system.num_rows):
        a, b, c = rules.rows[row]
        for terms in (a, b, c):
            if len(terms) >= _RUN:
                for wire in _bits(rules, terms):
                    if not _is_bit(rules, wire):
                        found.setdefault(wire, "weighted as a bit of a number")
        if rules.linear[row] is None:
            for one, other in ((a, b), (b, a)):
                if len(one) == 1 and len(other) == 2 and 0 not in other and sum(other.values()) % p == 0:
                    (wire,) = one
                    if c.keys() & other.keys() and not _is_bit(rules, wire):
                        found.setdefault(wire, "selects between two wires")
    return sorted((w, use) for w, use in found.items() if not _follows_a_bit(rules, w, sums))


def _virtual_sums(rules: Propagation) -> Iterable[tuple[int, dict[int, int]]]:
    """The wires made up for sums that have two values, with these sums, without their constants."""
    for wire, row in rules.virtuals:
        domain = rules.domains[wire]
        if domain is not None and domain.values is not None and len(domain.values) <= 2:
            yield wire, {w: k for w, k in (rules.linear[row] or {}).items() if w not in (0, wire)}


def _follows_a_bit(rules: Propagation, wire: int, sums: Mapping[Key, tuple[int, dict[int, int]]]) -> bool:
    """Whether a row without a product makes a wire 0 or 1 because a sum that stands there has two values."""
    p = rules.p
    for row in rules.touching[wire]:
        lin = rules.linear[row]
        if lin is None or row >= rules.system.num_rows:
            continue
        rest = {w: k for w, k in lin.items() if w not in (0, wire)}
        virtual, terms = sums.get(normal(rest, p), (0, {}))
        domain = rules.domains[virtual]
        if not virtual or domain is None or domain.values is None:
            continue
        # wire * k + constant + factor * sum = 0, where the sum is the virtual wire less its constant
        factor = ratio_of(terms, rest, p) or 0
        made = next(r for w, r in rules.virtuals if w == virtual)
        constant = (rules.linear[made] or {}).get(0, 0)
        scale = -pow(lin[wire], -1, p)
        values = {(lin.get(0, 0) + factor * (v - constant)) * scale % p for v in domain.values}
        if values <= {0, 1}:
            return True
    return False


def _is_bit(rules: Propagation, wire: int) -> bool:
    domain = rules.domains[wire]
    return wire == 0 or (domain is not None and domain.low >= 0 and domain.high <= 1)


def _bits(rules: Propagation, terms: RowTerms) -> list[int]:
    """The wires of the longest run of weights 1, 2, 4, ... of one sign, up to a common factor; of two wires
    with one weight the one that is a bit."""
    p = rules.p
    wires = [(w, k) for w, k in terms.items() if w]
    best: list[int] = []
    for _, least in sorted(wires, key=lambda item: abs(signed(item[1], p)))[:2]:
        scale = pow(least, -1, p)
        weight: dict[int, int] = {}
        for wire, k in wires:
            size = signed(k * scale, p)
            if size > 0 and size & (size - 1) == 0:
                place = size.bit_length() - 1
                if place not in weight or _is_bit(rules, wire):
                    weight[place] = wire
        run: list[int] = []
        while len(run) in weight:
            run.append(weight[len(run)])
        if len(run) > len(best):
            best = run
    return best if len(best) >= _RUN else []


def duplicate_rows(system: Constraints, skip: Iterable[int] = ()) -> list[tuple[int, int]]:
    """Rows that repeat an earlier one up to order and factors: (row, the first such row)."""
    p = system.modulus
    first: dict[tuple[object, ...], int] = {}
    found = []
    left_out = set(skip)
    for i, row in enumerate(system.rows()):
        if i in left_out:
            continue
        key = _key(row, p)
        if key is None:
            continue
        earlier = first.setdefault(key, i)
        if earlier != i:
            found.append((i, earlier))
    return found


def _key(row: Row, p: int) -> tuple[object, ...] | None:
    a, b, c = row
    if not (a.keys() - {0}) or not (b.keys() - {0}):
        terms = _as_linear(row, p)
        return ("linear", _scaled(terms, p)[0]) if terms else None
    (x, k), (y, m) = _scaled(a, p), _scaled(b, p)
    scale = k * m % p
    if scale != 1:
        inverse = pow(scale, -1, p)
        c = {w: v * inverse % p for w, v in c.items()}
    return (*sorted((x, y)), tuple(sorted(c.items())))


def _as_linear(row: Row, p: int) -> dict[int, int]:
    a, b, c = row
    if b.keys() - {0}:
        a, b = b, a
    k = b.get(0, 0)
    terms = {w: v * k for w, v in a.items()} if k else {}
    for w, v in c.items():
        terms[w] = terms.get(w, 0) - v
    return {w: v % p for w, v in terms.items() if v % p}


def _scaled(terms: RowTerms, p: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """(the sum divided by its last coefficient, as a key; that coefficient)."""
    items = sorted(terms.items())
    last = items[-1][1]
    if last == 1:
        return tuple(items), 1
    inverse = pow(last, -1, p)
    return tuple((w, k * inverse % p) for w, k in items), last


def linear_rows_made_of_others(rules: Propagation, seconds: float | None = None) -> tuple[list[int], bool]:
    """Rows without a product that are sums of multiples of others; and whether all were looked at."""
    rows = [i for i in range(rules.system.num_rows) if rules.linear[i] is not None and i not in rules.skip]
    matrix = [dict(rules.linear[i] or {}) for i in rows]
    deadline = None if seconds is None else time.monotonic() + seconds
    done = Elimination(matrix, rules.p, deadline=deadline)
    if not done.complete:
        return [rows[i] for i in done.zero_rows if not matrix[i]], False
    return [rows[i] for i in done.zero_rows], True
