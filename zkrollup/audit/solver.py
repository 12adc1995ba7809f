"""Solving rows for values: completes an assignment of some wires to a satisfying one, or says that it cannot.

This module must not know which wires are inputs or what is looked for; it is given values, and wires that
are still to be found.

Rows in which one wire is missing are solved (quadratics have two candidates), sums of bounded wires are
taken apart into digits. Where nothing follows, a wire is tried with its preferred value first; a row that
cannot hold takes the last choice back. A row with a factor of zero says nothing about the other factor.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from zkrollup.audit.facts import contains, weighted
from zkrollup.audit.model import RowTerms
from zkrollup.audit.modular import quadratic_roots
from zkrollup.audit.propagate import Propagation

__all__ = ["Solver"]

_DEPTH = 200  # of choices on top of each other


class Solver:
    """Rows of a :class:`Propagation` (its virtual wires and ranges help) over values.

    ``base``: a full assignment or None. A wire that is not open has its value in ``base``; open wires
    are to be found. Without a base every wire but the constant one is open. ``zero``: sums that are
    demanded to be zero, besides the rows.
    """

    def __init__(
        self,
        rules: Propagation,
        base: Sequence[int] | None,
        open_wires: Iterable[int] | None,
        *,
        zero: Sequence[RowTerms] = (),
        seed: int = 0,
        nodes: int = 400,
        deadline: float | None = None,
    ) -> None:
        self.rules = rules
        self.p = rules.p
        self.rng = random.Random(seed)
        self.nodes = nodes
        self.deadline = deadline
        count = len(rules.unique)
        self.values: list[int | None]
        if base is None:
            self.values = [None] * count
            self.values[0] = 1
        else:
            self.values = [*base, *self._virtual_values(base)]
        self.base = None if base is None else [*self.values]
        if base is not None:
            for wire in open_wires or ():
                self.values[wire] = None
            for wire, row in self.rules.virtuals:
                terms = rules.linear[row] or {}
                if any(self.values[w] is None for w in terms):
                    self.values[wire] = None
        self._demands = list(zero)
        self._demanding: dict[int, list[int]] = {}
        for i, terms in enumerate(self._demands):
            for wire in terms:
                self._demanding.setdefault(wire, []).append(i)
        self._inputs = sorted(rules.system.inputs)
        self._trail: list[int] = []
        self._queue: deque[int] = deque()
        self._queued: set[int] = set()
        self._touched: dict[int, None] = {}
        self._loose: dict[int, None] = {}  # wires that a factor of zero leaves open
        self._forks: list[list[dict[int, int]]] = []  # digits of which two numbers are possible
        if base is None:
            for row in range(-len(self._demands), len(rules.rows)):
                self._push(row)

    def _virtual_values(self, base: Sequence[int]) -> list[int]:
        out = []
        for wire, row in self.rules.virtuals:
            terms = self.rules.linear[row] or {}
            out.append(sum(k * base[w] for w, k in terms.items() if w != wire) % self.p)
        return out

    # -- state -----------------------------------------------------------------------------------------
    def _push(self, row: int) -> None:
        if row not in self._queued:
            self._queued.add(row)
            self._queue.append(row)

    def assign(self, wire: int, value: int) -> bool:
        """Give a wire a value; False when it is out of the wire's range or another than it has."""
        value %= self.p
        old = self.values[wire]
        if old is not None:
            return old == value
        domain = self.rules.domains[wire]
        if domain is not None and not contains(domain, value, self.p):
            return False
        self.values[wire] = value
        self._trail.append(wire)
        changed = self.base is None or self.base[wire] != value
        for row in self.rules.touching[wire]:
            if changed:
                self._touched[row] = None
            self._push(row)
        for i in self._demanding.get(wire, ()):
            self._push(-1 - i)
        return True

    def _undo(self, length: int) -> None:
        for wire in self._trail[length:]:
            self.values[wire] = None
        del self._trail[length:]
        self._queue.clear()
        self._queued.clear()

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    # -- rows ------------------------------------------------------------------------------------------
    def propagate(self) -> bool:
        """Draw every conclusion; False when a row cannot hold."""
        while self._queue:
            row = self._queue.popleft()
            self._queued.discard(row)
            if not self._visit(row):
                self._queue.clear()
                self._queued.clear()
                return False
        return True

    def _sum(self, terms: RowTerms) -> tuple[int, dict[int, int]]:
        """(what is known of a sum, the terms that are not)."""
        values, total, open_terms = self.values, 0, {}
        for wire, k in terms.items():
            value = values[wire]
            if value is None:
                open_terms[wire] = k
            else:
                total += k * value
        return total % self.p, open_terms

    def _visit(self, row: int) -> bool:
        p, rules = self.p, self.rules
        lin = rules.linear[row] if row >= 0 else self._demands[-1 - row]
        if lin is not None:
            return self._linear(*self._sum(lin))
        a, b, c = rules.rows[row]
        (ka, oa), (kb, ob), (kc, oc) = self._sum(a), self._sum(b), self._sum(c)
        if not oa or not ob:
            known, factor, rest = (ka, ob, kb) if not oa else (kb, oa, ka)
            if not known and len(factor) == 1:
                self._loose |= dict.fromkeys(factor)
            terms = {w: -k for w, k in oc.items()}
            if known:
                for w, k in factor.items():
                    terms[w] = terms.get(w, 0) + k * known
            return self._linear((known * rest - kc) % p, {w: k % p for w, k in terms.items() if k % p})
        wires = oa.keys() | ob.keys() | oc.keys()
        if len(wires) > 1:
            return True
        (wire,) = wires
        x, y, z = oa.get(wire, 0), ob.get(wire, 0), oc.get(wire, 0)
        roots = quadratic_roots(x * y, x * kb + y * ka - z, ka * kb - kc, p)
        if roots is None:
            return True
        domain = rules.domains[wire]
        if domain is not None:
            roots = [r for r in roots if contains(domain, r, p)]
        if len(roots) == 1:
            return self.assign(wire, roots[0])
        return bool(roots)

    def _linear(self, known: int, terms: dict[int, int]) -> bool:
        p = self.p
        if not terms:
            return known == 0
        if len(terms) == 1:
            ((wire, k),) = terms.items()
            return self.assign(wire, -known * pow(k, -1, p))
        if all(self.rules.domains[w] is not None for w in terms):
            return self._digits(known, terms)
        return True

    def _digits(self, known: int, terms: dict[int, int]) -> bool:
        """Take a sum of bounded wires apart when its coefficients allow it; False when it cannot be made.

        A wire is start + step t with 0 <= t <= width; the sum becomes one of |k| t over the integers, taken
        apart from the largest coefficient down. Its value is known modulo p, so there may be two ways.
        """
        p = self.p
        wires = [(wire, k, *self._steps(wire)) for wire, k in terms.items()]
        units = dict.fromkeys(pow(k * step, -1, p) for _, k, _, step, _ in wires)
        for turned, scale in itertools.product((True, False), units):
            sized = weighted([(k * step, width) for _, k, _, step, width in wires], scale, p, turned, 2 * p)
            if sized is None:
                continue
            reach, fine = 0, True
            for size, at, _ in sized:
                fine = fine and size > reach
                reach += size * wires[at][4]
            if fine:
                break
        else:
            return True
        rest = -known * scale - sum(k * start * scale for _, k, start, _, _ in wires)
        items = []
        for size, at, negative in sized:
            wire, _, start, step, width = wires[at]
            if negative:
                rest += size * width
            items.append((size, negative, wire, start, step, width))
        rest %= p
        found = []
        for left in range(rest, reach + 1, p):
            digits = {}
            for size, negative, wire, start, step, width in reversed(items):
                t = min(left // size, width)
                left -= t * size
                digits[wire] = start + step * (width - t if negative else t)
            if left == 0:
                found.append(digits)
        if len(found) == 1:
            return all(self.assign(w, v) for w, v in found[0].items())
        if found:
            self._forks.append(found)
        return bool(found)

    def _steps(self, wire: int) -> tuple[int, int, int]:
        """(start, step, width): the wire's values are among start + step t for 0 <= t <= width."""
        domain = self.rules.domains[wire]
        assert domain is not None
        if domain.values is not None and len(domain.values) == 2:
            return domain.values[0], domain.values[1] - domain.values[0], 1
        return domain.low, 1, domain.width

    # -- search ----------------------------------------------------------------------------------------
    def solve(self, preferred: Mapping[int, int] | None = None) -> list[int] | None:
        """A full assignment that extends what is assigned, or None when none was found.

        With a base, a row none of whose wires has changed keeps its base values.
        """
        if not self.propagate():
            return None
        if self.base is None and len(self._inputs) > _DEPTH // 2 and not self._settle_inputs(preferred or {}):
            return None
        return self._descend(preferred or {}, 0)

    def _settle_inputs(self, preferred: Mapping[int, int]) -> bool:
        """Give the inputs values one after the other, without taking any back: there are many."""
        wanted = [w for terms in self._demands for w in terms]
        for wire in [*wanted, *self._inputs]:
            if self.values[wire] is not None:
                continue
            mark = len(self._trail)
            for option in self._options(wire, preferred):
                if self._late():
                    return False
                if self.assign(wire, option) and self.propagate():
                    break
                self._undo(mark)
            else:
                return False
        return True

    def _next(self) -> int | None:
        """An open wire of a row that matters."""
        values, rules = self.values, self.rules
        best, least = None, 1 << 30
        rows: Iterable[int] = self._touched
        if self.base is None:
            for terms in self._demands:
                for wire in terms:
                    if values[wire] is None:
                        return wire
            for wire in self._inputs:
                if values[wire] is None:
                    return wire
            # what follows from such a wire is easier found than it from what follows
            for wire in self._loose:
                if values[wire] is None:
                    return wire
            rows = range(len(rules.rows))
        for row in rows:
            lin = rules.linear[row]
            sides = (lin,) if lin is not None else rules.rows[row]
            wires = {w for side in sides for w in side if values[w] is None}
            if not wires:
                continue
            if self.base is not None and not self._matters(row):
                continue
            if len(wires) < least:
                least = len(wires)
                best = min(wires, key=lambda w: (self._weight(w), w))
                if least <= 2:
                    break
        return best

    def _matters(self, row: int) -> bool:
        """Whether the row would fail if its open wires kept their base values."""
        assert self.base is not None
        p, rules, values, base = self.p, self.rules, self.values, self.base

        def dot(terms: RowTerms) -> int:
            total = 0
            for w, k in terms.items():
                value = values[w]
                total += k * (base[w] if value is None else value)  # type: ignore[operator]
            return total

        lin = rules.linear[row]
        if lin is not None:
            return bool(dot(lin) % p)
        a, b, c = rules.rows[row]
        return bool((dot(a) * dot(b) - dot(c)) % p)

    def _weight(self, wire: int) -> int:
        domain = self.rules.domains[wire]
        return 0 if domain is not None and domain.values is not None else len(self.rules.touching[wire])

    def _next_fork(self) -> list[dict[int, int]] | None:
        """The digits of the latest number with two decompositions, if its wires are still open."""
        for found in reversed(self._forks):
            if all(self.values[w] is None for w in found[0]):
                return found
        return None

    def _descend(self, preferred: Mapping[int, int], depth: int) -> list[int] | None:
        fork = self._next_fork()
        if fork is not None:
            options = fork
        else:
            wire = self._next()
            if wire is None:
                return self._finished()
            options = [{wire: value} for value in self._options(wire, preferred)]
        mark = len(self._trail)
        touched = dict(self._touched)
        for option in options:
            self.nodes -= 1
            if self.nodes < 0 or self._late() or depth > _DEPTH:
                return None
            if all(self.assign(w, v) for w, v in option.items()) and self.propagate():
                found = self._descend(preferred, depth + 1)
                if found is not None:
                    return found
            self._undo(mark)
            self._touched = dict(touched)
        return None

    def _options(self, wire: int, preferred: Mapping[int, int]) -> list[int]:
        """Values worth trying, the likeliest first."""
        p, rng = self.p, self.rng
        domain = self.rules.domains[wire]
        options: list[int] = []
        if wire in preferred:
            options.append(preferred[wire])
        if self.base is not None and self.base[wire] is not None:
            options.append(self.base[wire])  # type: ignore[arg-type]
        if domain is not None and domain.values is not None:
            listed = list(domain.values)
            rng.shuffle(listed)
            options += listed
        elif domain is not None:
            options += [domain.low, domain.high, rng.randint(domain.low, domain.high)]
        else:
            options += self._roots(wire)
            options += [rng.randrange(p), 0, 1]
        return list(dict.fromkeys(v % p for v in options))

    def _roots(self, wire: int) -> list[int]:
        """Candidates from rows in which this wire alone is open (both roots of quadratics)."""
        p, out = self.p, []
        for row in self.rules.touching[wire]:
            if self.rules.linear[row] is not None:
                continue
            a, b, c = self.rules.rows[row]
            (ka, oa), (kb, ob), (kc, oc) = self._sum(a), self._sum(b), self._sum(c)
            if (oa.keys() | ob.keys() | oc.keys()) == {wire}:
                x, y, z = oa.get(wire, 0), ob.get(wire, 0), oc.get(wire, 0)
                out += quadratic_roots(x * y, x * kb + y * ka - z, ka * kb - kc, p) or []
        return out

    def _finished(self) -> list[int] | None:
        base = self.base
        count = self.rules.num_wires
        out = []
        for wire in range(count):
            value = self.values[wire]
            if value is None:
                value = base[wire] if base is not None else 0
                assert value is not None
            out.append(value)
        return out
