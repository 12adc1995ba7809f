"""Numbers of as many bits as the prime: do the rows refuse the digits of x + p?

This module must not know how digits are weighted in any gadget, nor how they are compared with a bound.

Digits whose sum is known modulo p, and less than 2 p, stand for x or for x + p, where x < p. They are unique
if no satisfying witness has digits of a number above p - 1. Such a number agrees with p - 1 in its digits
above some place and has a greater one there; so for each place these digits are fixed, those below left
open, and the ranges that follow in the rows around are drawn until one row cannot hold. Rows are refuted by
intervals, also modulo one of their coefficients (a comparison may count in the top bits, and wrap), and
where a product of what cannot be zero is zero.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from zkrollup.audit.facts import Domain, intersect, weighted
from zkrollup.audit.model import RowTerms
from zkrollup.audit.modular import signed

if TYPE_CHECKING:
    from zkrollup.audit.propagate import Propagation

__all__ = ["Digit", "digits_with_aliases", "halved_by", "refuse_aliases", "refute_value"]

Digit = tuple[int, int, int, int, int, bool]
"""(weight, wire, start, step, width, reversed): wire = start + step t; reversed: width - t in place of t."""

_VISITS = 20_000  # of rows, for one number
_FEW_VISITS = 200
_ONE = Domain(1, 1, (1,))
_SMALL = 8


def refuse_aliases(rules: Propagation, terms: RowTerms, row: RowTerms) -> set[int] | None:
    """The rows that together refuse every number of p and more, or None when they are not seen to.

    ``terms``: the digits with their weights, each with a range; ``row``: the whole sum that is zero. A number
    in it that has no range is replaced by its digits where it occurs.
    """
    digits = digits_with_aliases(rules, terms)
    return None if digits is None else _refuse_beyond(rules, digits, row, rules.p - 1, above=True)


def _refuse_beyond(
    rules: Propagation,
    digits: list[Digit],
    row: RowTerms,
    bound: int,
    *,
    above: bool,
    given: tuple[int, int] | None = None,
) -> set[int] | None:
    """The rows that refuse every number above a bound (or every one below it); ``given``: where a wire has
    a value."""
    refuter = _Refuter(rules)
    numbers = [w for w in row if w and rules.domains[w] is None]
    if len(numbers) == 1:
        scale = -pow(row[numbers[0]], -1, rules.p)
        refuter.replaced = numbers[0]
        refuter.replacement = {w: k * scale % rules.p for w, k in row.items() if w != numbers[0]}
    if given is not None and not refuter.assume(given[0], [given[1]]):
        return refuter.used
    left = bound
    for size, wire, start, step, width, reverse in digits:
        own = min(left // size, width)
        left -= own * size

        def value(
            t: int, start: int = start, step: int = step, top: int = width, turn: bool = reverse
        ) -> int:
            return start + step * (top - t if turn else t)

        refused = range(own + 1, width + 1) if above else range(own)
        if refused and not refuter.refutes(wire, [value(t) for t in refused]):
            return None
        if not refuter.assume(wire, [value(own)]):
            return refuter.used  # no number at all begins like the bound
    return refuter.used if left == 0 else None


def halved_by(rules: Propagation, wire: int, row: int) -> tuple[set[int], set[int]] | None:
    """The rows that keep a number in one half of 0 .. p - 1, which a known wire chooses, or to even or odd
    numbers, its last bit being known; and the wires whose ranges they rely on. None when that is not seen.

    ``row``: one that is linear and says that a multiple of the number is the sum of digits. Then x and -x,
    which is p - x, are not both possible unless they are the same: p is odd.
    """
    p, lin = rules.p, rules.linear[row]
    if lin is None or 0 in lin:
        return None
    terms = {w: k for w, k in lin.items() if w != wire}
    digits = digits_with_aliases(rules, terms)
    if digits is None:
        return None
    # the number is k x for some k: what is said of x and -x below holds of k x and -k x
    unit = digits[0][0] * pow(lin[digits[0][1]] * digits[0][3], -1, p)
    if any(
        start or turned or (lin[w] * step * unit - size) % p for size, w, start, step, _, turned in digits
    ):
        return None
    canonical: set[int] | None = None
    size, lowest, _, step, width, _ = digits[-1]
    if rules.unique[lowest] and size == step == width == 1:
        canonical = _refuse_beyond(rules, digits, lin, p - 1, above=True)
        return None if canonical is None else _with_ranges(rules, {row, *canonical})
    for chooser in _near_choosers(rules, terms):
        domain = rules.domains[chooser]
        assert domain is not None
        assert domain.values is not None
        used = {row, *rules.domain_rows.get(chooser, ())}
        for value in domain.values:
            given, half = (chooser, value), p >> 1
            found = _refuse_beyond(rules, digits, lin, half, above=True, given=given)
            if found is None:
                found = _refuse_beyond(rules, digits, lin, half + 1, above=False, given=given)
                if found is None:
                    break
                if canonical is None:
                    canonical = _refuse_beyond(rules, digits, lin, p - 1, above=True)
                if canonical is None:
                    return None
                found |= canonical
            used |= found
        else:
            return _with_ranges(rules, used)
    return None


def _with_ranges(rules: Propagation, used: set[int]) -> tuple[set[int], set[int]]:
    """Some rows, and the wires in them."""
    return used, {w for r in used for side in (rules.linear[r] or {}, *rules.rows[r]) for w in side}


def _near_choosers(rules: Propagation, terms: RowTerms) -> list[int]:
    """Known wires with two values within three rows of some wires."""
    seen = level = set(terms)
    for _ in range(3):
        rows = {r for w in level for r in rules.touching[w]}
        sides = [side for r in rows for side in (rules.linear[r] or {}, *rules.rows[r])]
        level = {w for side in sides for w in side if w} - seen
        seen = seen | level
    found = []
    for w in sorted(seen):
        domain = rules.domains[w]
        if rules.unique[w] and domain is not None and domain.values is not None and len(domain.values) == 2:
            found.append(w)
    return found[:_SMALL]


def digits_with_aliases(rules: Propagation, terms: RowTerms) -> list[Digit] | None:
    """The wires of a sum as digits of a number, the largest weight first.

    None unless weights outgrow what is below them, so that digits order as numbers do, and the total is
    at least p and less than 2 p.
    """
    p = rules.p
    wires = []
    for wire, k in terms.items():
        domain = rules.domains[wire]
        if domain is None:
            return None
        if domain.values is not None and len(domain.values) == 2:
            wires.append((wire, k, domain.values[0], domain.values[1] - domain.values[0], 1))
        elif domain.width < _SMALL:
            wires.append((wire, k, domain.low, 1, domain.width))
        else:
            return None
    for turned in (False, True):
        for _, k, _, step, _ in wires:
            unit = pow(k * step, -1, p)
            for scale in (unit, -unit):
                sized = weighted(
                    [(k * step, width) for _, k, _, step, width in wires], scale, p, turned, 2 * p
                )
                if sized is None:
                    continue
                total, fine = 0, True
                for size, at, _ in sized:
                    fine = fine and size > total
                    total += size * wires[at][4]
                if fine and p <= total:
                    items = []
                    for size, at, negative in reversed(sized):
                        wire, _, start, step, width = wires[at]
                        items.append((size, wire, start, step, width, negative))
                    return items
    return None


def refute_value(rules: Propagation, wire: int, value: int) -> set[int] | None:
    """The rows that together refuse a value of a wire, None when they are not seen to.

    Besides the value alone, those of another wire in its rows are tried, one at a time, that has few: when
    none is left, no witness has it.
    """
    others = {
        w
        for row in rules.touching[wire][:_SMALL]
        for side in (rules.linear[row] or {}, *rules.rows[row])
        for w in side
        if w not in (0, wire) and (d := rules.domains[w]) is not None and d.values is not None
    }
    for other in sorted(others)[:_SMALL]:
        refuter = _Refuter(rules, _FEW_VISITS)
        if not refuter.assume(wire, [value]):
            return refuter.used
        domain = rules.domains[other]
        assert domain is not None
        assert domain.values is not None
        if all(refuter.refutes(other, [choice]) for choice in domain.values):
            refuter.used.update(rules.domain_rows.get(other, ()))
            return refuter.used
    return None


class _Refuter:
    """Ranges under assumptions; ``used`` are the rows that were looked at."""

    def __init__(self, rules: Propagation, visits: int = _VISITS) -> None:
        self.rules = rules
        self.p = rules.p
        self.state: dict[int, Domain] = {}
        self.nonzero: set[int] = set()
        self.used: set[int] = set()
        self.left = visits
        self.replaced = -1
        self.replacement: RowTerms = {}
        self._sides: dict[int, tuple[RowTerms, RowTerms, RowTerms]] = {}
        self._merged: dict[int, RowTerms] = {}

    def lookup(self, wire: int) -> Domain | None:
        return self.state.get(wire) or self.rules.domains[wire]

    def refutes(self, wire: int, values: list[int]) -> bool:
        """Whether no witness has one of these values, besides what is assumed; the state is kept."""
        before = dict(self.state), set(self.nonzero)
        possible = self.assume(wire, values)
        self.state, self.nonzero = before
        return not possible

    def assume(self, wire: int, values: list[int]) -> bool:
        """Add an assumption and draw conclusions; False when a row cannot hold."""
        queue: deque[int] = deque()
        if not self._set(wire, Domain.of(values, self.p), queue):
            return False
        while queue and self.left > 0:
            self.left -= 1
            if not self._visit(queue.popleft(), queue):
                return False
        return True

    def _set(self, wire: int, new: Domain, queue: deque[int]) -> bool:
        old = self.lookup(wire)
        if old is not None:
            merged = intersect(old, new, self.p)
            if merged is None:
                return False
            if merged.width >= old.width and (merged.values is None) == (old.values is None):
                return True
            new = merged
        self.state[wire] = new
        self._push(wire, queue)
        if wire in self.replacement:
            self._push(self.replaced, queue)
        return True

    def _push(self, wire: int, queue: deque[int]) -> None:
        for row in self.rules.touching[wire]:
            if row not in queue and row not in self.rules.skip:
                queue.append(row)

    def _visit(self, row: int, queue: deque[int]) -> bool:
        rules, p = self.rules, self.p
        self.used.add(rules.origin[row])
        lin = rules.linear[row]
        if lin is not None:
            return self._linear(self._merge(row), queue)
        found = rules.combinations(self._row(row), self.lookup)
        if found is not None:
            if not found:
                return False
            for wire, values in found.items():
                if len(values) <= _SMALL and not self._set(wire, Domain.of(values, p), queue):
                    return False
            return True
        a, b, c = self._row(row)
        for factor, other in ((a, b), (b, a)):
            value = self._value(factor)
            if value is None:
                continue
            terms = {w: -k for w, k in c.items()}
            for w, k in other.items():
                terms[w] = terms.get(w, 0) + k * value
            return self._linear({w: v for w, k in terms.items() if (v := k % p)}, queue)
        if self._is_nonzero(a) and self._is_nonzero(b):
            if not c:
                return False
            if len(c) == 1:
                (wire,) = c
                if wire and wire not in self.nonzero:
                    self.nonzero.add(wire)
                    self._push(wire, queue)
        return True

    def _row(self, row: int) -> tuple[RowTerms, RowTerms, RowTerms]:
        sides = self._sides.get(row)
        if sides is None:
            a, b, c = self.rules.rows[row]
            sides = self._sides[row] = (self._replace(a), self._replace(b), self._replace(c))
        return sides

    def _replace(self, terms: RowTerms) -> RowTerms:
        k = terms.get(self.replaced)
        if k is None:
            return terms
        out = {w: v for w, v in terms.items() if w != self.replaced}
        for w, v in self.replacement.items():
            out[w] = out.get(w, 0) + k * v
        return {w: v for w, k in out.items() if (v := k % self.p)}

    def _is_nonzero(self, terms: RowTerms) -> bool:
        if len(terms) == 1 and next(iter(terms)) in self.nonzero:
            return True
        bounds = self.rules.interval(terms, lookup=self.lookup)
        return bounds is not None and -(-bounds[0] // self.p) * self.p > bounds[1]

    def _value(self, terms: RowTerms) -> int | None:
        total = 0
        for wire, k in terms.items():
            if wire:
                domain = self.lookup(wire)
                if domain is None or domain.values is None or len(domain.values) != 1:
                    return None
                k *= domain.values[0]
            total += k
        return total % self.p

    def _linear(self, terms: RowTerms, queue: deque[int]) -> bool:
        p = self.p
        open_wires = [w for w in terms if w and self.lookup(w) is None]
        if len(open_wires) == 1:
            wire = open_wires[0]
            scale = -pow(terms[wire], -1, p)
            bounds = self.rules.interval({w: k * scale % p for w, k in terms.items()}, wire, self.lookup)
            if bounds is not None and bounds[1] - bounds[0] < p - 1:
                return self._set(wire, Domain(*bounds), queue)
        return bool(open_wires) or self._may_vanish(terms)

    def _may_vanish(self, terms: RowTerms) -> bool:
        """Whether a sum can be zero for all that its bounds say."""
        p = self.p
        bounds = self.rules.interval(terms, lookup=self.lookup)
        if bounds is None:
            return True
        low, high = -(-bounds[0] // p), bounds[1] // p
        if low != high:
            return low < high
        # as integers, the sum is low * p; see it modulo one of its coefficients
        fixed, moduli = -low * p, set()
        listed: list[list[int]] = []
        ranged: list[tuple[int, Domain]] = []
        for wire, k in terms.items():
            k = signed(k, p)
            if abs(k) > 2:
                moduli.add(abs(k))
            domain = self.lookup(wire) if wire else _ONE
            assert domain is not None
            if domain.values is None:
                ranged.append((k, domain))
            elif len(domain.values) == 1:
                fixed += k * signed(domain.values[0], p)
            else:
                listed.append([k * signed(v, p) for v in domain.values])
        for m in sorted(moduli, reverse=True)[:12]:
            half = m >> 1
            least = most = fixed
            for values in listed:
                parts = [(v + half) % m for v in values]
                least, most = least + min(parts) - half, most + max(parts) - half
            for k, domain in ranged:
                if k % m:
                    ends = sorted((signed(k, m) * domain.low, signed(k, m) * domain.high))
                    least, most = least + ends[0], most + ends[1]
            if -(-least // m) * m > most:
                return False
        return True

    def _merge(self, row: int) -> RowTerms:
        """A linear row with wires that stand only in it and one other linear row replaced."""
        merged = self._merged.get(row)
        if merged is not None:
            return merged
        rules, p = self.rules, self.p
        terms = dict(rules.linear[row] or {})
        for wire in list(terms):
            if wire == 0 or len(rules.touching[wire]) != 2 or wire not in terms:
                continue
            other = next(r for r in rules.touching[wire] if r != row)
            source = rules.linear[other]
            if source is None or other in rules.skip or len(source) > 1000:
                continue
            domain = rules.domains[wire]
            if domain is not None and domain.values is not None:
                continue
            self.used.add(rules.origin[other])
            factor = terms[wire] * pow(source[wire], -1, p)
            for w, k in source.items():
                new = (terms.get(w, 0) - factor * k) % p
                if new:
                    terms[w] = new
                else:
                    terms.pop(w, None)
        self._merged[row] = self._scaled(terms)
        return self._merged[row]

    def _scaled(self, terms: RowTerms) -> RowTerms:
        """A sum under the factor with which it reaches least far, if there is one that keeps it below p."""
        p, items, best, factor = self.p, [], self.p, 1
        for wire, k in terms.items():
            if wire:
                domain = self.lookup(wire)
                if domain is None:
                    return terms
                items.append((k, domain.width))
        for k, _ in items:
            scale = pow(k, -1, p)
            sized = weighted(items, scale, p, True, best)
            if sized is not None:
                best, factor = sum(size * items[at][1] for size, at, _ in sized), scale
        return terms if factor == 1 else {w: k * factor % p for w, k in terms.items()}
