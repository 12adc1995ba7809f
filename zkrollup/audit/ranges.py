"""Rules on ranges: what rows say of the values of a wire or a sum, and what ranges say of sums of digits.

This module must not know in what order rules are tried.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from zkrollup.audit.facts import NOTHING, SMALL, Domain, Key, Nonzero, normal, ratio_of, weighted
from zkrollup.audit.model import Row, RowTerms
from zkrollup.audit.modular import is_square, quadratic_roots
from zkrollup.audit.state import State

__all__ = ["Ranges"]

_ENUMERATED = 64  # combinations worth trying


class Ranges(State):
    """Facts that hold in every satisfying witness, and wires that they determine."""

    # -- ranges ----------------------------------------------------------------------------------------
    def interval(
        self, terms: RowTerms, without: int = -1, lookup: Callable[[int], Domain | None] | None = None
    ) -> tuple[int, int] | None:
        """Integers between which a sum lies, modulo p; None when a wire of it has no domain."""
        p, half, low, high = self.p, self.p >> 1, 0, 0
        domain_of = self.domains.__getitem__ if lookup is None else lookup
        for wire, k in terms.items():
            if wire == without:
                continue
            if k > half:
                k -= p
            if wire == 0:
                low += k
                high += k
                continue
            domain = domain_of(wire)
            if domain is None:
                return None
            if k > 0:
                low += k * domain.low
                high += k * domain.high
            else:
                low += k * domain.high
                high += k * domain.low
        return low, high

    def nonzero(self, terms: RowTerms) -> bool:
        """Whether it is known that a sum is zero in no satisfying witness."""
        if not terms:
            return False
        p = self.p
        if len(terms) == 1:
            ((wire, _),) = terms.items()
            if wire == 0:
                return True
            domain = self.domains[wire]
            if domain is not None and domain.values is not None:
                return 0 not in domain.values
        key = normal(terms, p)
        if key in self._nonzero:
            return True
        bounds = self.interval(terms)
        if bounds is not None and -(-bounds[0] // p) * p > bounds[1]:
            return True
        wires = terms.keys() - {0}
        if len(wires) == 1 and len(terms) == 2:
            (wire,) = wires
            domain = self.domains[wire]
            root = -terms[0] * pow(terms[wire], -1, p) % p
            if domain is not None and domain.values is not None:
                return root not in domain.values
            if wire in self._squares and not is_square(root * pow(self._squares[wire][0], -1, p), p):
                return True
        return False

    def _why_nonzero(self, terms: RowTerms) -> Nonzero:
        """What shows that a sum is not zero, given that something does."""
        found = self._nonzero.get(normal(terms, self.p))
        if found is not None:
            return found
        wires = tuple(w for w in terms if w)
        rows = [self._squares[w][1] for w in wires if w in self._squares]
        return Nonzero((*rows, *self._why(wires, -1)), wires)

    def _set_nonzero(self, terms: RowTerms, row: int, why: Nonzero) -> None:
        key = normal(terms, self.p)
        if not key or (len(key) == 1 and key[0][0] == 0) or key in self._nonzero:
            return
        self._take_nonzero(key, Nonzero((self.origin[row], *why.rows), why.ranges))

    def _take_nonzero(self, key: Key, fact: Nonzero) -> None:
        if not any(w for w, _ in key) or key in self._nonzero:
            return
        self._nonzero[key] = fact
        wires = [w for w, _ in key if w]
        least = min(wires, key=lambda w: len(self.touching[w]))
        for other in self.touching[least]:
            if self.unknown[other] and (self.unknown[other] == 1 or not self._loose[other]):
                self._push(other)
        if len(wires) == 1:
            # a product equal to it has no factor that is zero
            for other in self.touching[least]:
                if self.linear[other] is None and normal(self.rows[other][2], self.p) == key:
                    self._set_nonzero(self.rows[other][0], other, fact)
                    self._set_nonzero(self.rows[other][1], other, fact)

    def _learn_factors(self, row: int) -> None:
        """What a row with a product says by itself: roots, nonzero factors, squares."""
        p = self.p
        a, b, c = self.rows[row]
        if len(c) <= 2 and self.nonzero(c):
            why = self._why_nonzero(c)
            self._set_nonzero(a, row, why)
            self._set_nonzero(b, row, why)
        if not c:
            self._learn_is_zero(a, b, row)
            self._learn_is_zero(b, a, row)
        for factor in (a, b):
            # where the factor is zero, c would be a constant other than zero
            over = ratio_of({w: k for w, k in factor.items() if w}, c, p)
            if over and (c.get(0, 0) - over * factor.get(0, 0)) % p:
                self._set_nonzero(factor, row, NOTHING)
        base = {w: k for w, k in a.items() if w}
        ratio = ratio_of(base, b, p)
        if ratio is None:
            return
        first = next(iter(base))
        scale = pow(base[first], -1, p)
        if c.keys() <= {0}:
            over = 0
        else:
            found = ratio_of(base, c, p)
            if found is None:
                if ratio and not a.get(0, 0) and not b.get(0, 0) and len(c) == 1:
                    (wire,) = c
                    # wire * k = ratio * a^2: the wire is a square times a constant
                    self._squares[wire] = ratio * pow(c[wire], -1, p) % p, row
                return
            over = found
        # with y the sum of a's terms without its constant:
        # (y + a0)(ratio y + b0) = over y + c0
        a0, b0, c0 = a.get(0, 0), b.get(0, 0), c.get(0, 0)
        roots = quadratic_roots(ratio, b0 + a0 * ratio - over, a0 * b0 - c0, p)
        if roots is None:
            return
        if not roots:
            self.impossible = self.origin[row]
            return
        if row in self._virtual_of:
            return
        if len(base) == 1:
            self._restrict(first, Domain.of([r * scale for r in roots], p), (row,))
        else:
            # a wire that is 0 at the smaller root and 1 at the other
            start = roots[0]
            scale = pow(roots[-1] - start, -1, p) if len(roots) == 2 else 1
            terms = {w: k * scale % p for w, k in base.items()} | {0: -start * scale % p}
            wire = self._virtual({w: k for w, k in terms.items() if k}, row)
            self._virtual_of[row] = self.virtuals[-1][1]
            self._restrict(wire, Domain.of(range(len(roots)), p), (row,))

    def _learn_is_zero(self, factor: RowTerms, other: RowTerms, row: int) -> None:
        """In an is-zero test, ``factor z = 0`` and ``factor w = 1 - z``, z (1 - z) is zero: z is 0 or 1.

        In general where factor times a sum of one wire is zero, and factor times something another such sum:
        the product of both sums is zero.
        """
        p = self.p
        (wire,) = wires = tuple(other.keys() - {0}) if len(other.keys() - {0}) == 1 else (0,)
        if not wire or not factor.keys() - {0}:
            return
        key = normal(factor, p)
        for second in self.touching[wire] if len(self.touching[wire]) <= SMALL else ():
            a, b, c = self.rows[second]
            if second == row or self.linear[second] is not None or not c or c.keys() - {0} != {*wires}:
                continue
            if key in (normal(a, p), normal(b, p)):
                roots = [-side.get(0, 0) * pow(side[wire], -1, p) % p for side in (other, c)]
                self._restrict(wire, Domain.of(roots, p), (row, second))

    def _bound_linear(self, lin: RowTerms, row: int) -> None:
        """The range of the only wire without one, from those of the others."""
        p = self.p
        wire = next(w for w in lin if w and self.domains[w] is None)
        scale = -pow(lin[wire], -1, p)
        bounds = self.interval({w: k * scale % p for w, k in lin.items()}, wire)
        if bounds is not None and bounds[1] - bounds[0] < p - 1:
            self._restrict(wire, Domain(*bounds), (row,), lin)

    def _tighten(self, lin: RowTerms, row: int) -> None:
        """The ranges of the wide wires of a row, from those of the others."""
        p = self.p
        wide = [w for w in lin if w and (d := self.domains[w]) is not None and d.values is None]
        if len(wide) > 3:
            return
        for wire in wide:
            scale = -pow(lin[wire], -1, p)
            bounds = self.interval({w: k * scale % p for w, k in lin.items()}, wire)
            if bounds is not None and bounds[1] - bounds[0] < p - 1:
                self._restrict(wire, Domain(*bounds), (row,), lin)

    def _bound_product(self, row: int) -> None:
        if self._enumerate(row) or self._unbounded[row] != 1:
            return
        p = self.p
        a, b, c = self.rows[row]
        wire = next(w for side in (a, b, c) for w in side if w and self.domains[w] is None)
        if wire not in c:
            return
        for factor, other in ((a, b), (b, a)):
            values = self._few_values(factor)
            if values is None or wire in factor:
                continue
            low = high = None
            for value in values:
                # wire * (c_w - value * other_w) = value * other - c
                k = (c[wire] - value * other.get(wire, 0)) % p
                if not k:
                    break
                scale = pow(k, -1, p)
                terms = {w: v * value * scale % p for w, v in other.items()}
                for w, v in c.items():
                    terms[w] = (terms.get(w, 0) - v * scale) % p
                bounds = self.interval(terms, wire)
                if bounds is None:
                    break
                low = bounds[0] if low is None else min(low, bounds[0])
                high = bounds[1] if high is None else max(high, bounds[1])
            else:
                if low is not None and high is not None and high - low < p - 1:
                    self._restrict(wire, Domain(low, high), (row,), (a.keys() | b.keys() | c.keys()))
                return

    def _few_values(self, terms: RowTerms) -> list[int] | None:
        """Every value that a sum may take, when these are few."""
        p = self.p
        values = {0}
        for wire, k in terms.items():
            if wire == 0:
                values = {(v + k) % p for v in values}
                continue
            domain = self.domains[wire]
            if domain is None or domain.values is None:
                return None
            values = {(v + k * x) % p for v in values for x in domain.values}
            if len(values) > SMALL:
                return None
        return sorted(values)

    def _enumerate(self, row: int) -> bool:
        """The values of one wire over all combinations of the few values of the others."""
        lin = self.linear[row]
        sides: Row = ({}, {}, lin) if lin is not None else self.rows[row]
        if any(len(side) > 9 for side in sides):
            return False
        seen, answer = self._enumerated.get(row, (None, False))
        domains = [self.domains[w] for side in sides for w in side]
        if domains == seen:
            return answer
        found = self.combinations(sides, self.domains.__getitem__)
        self._enumerated[row] = domains, found is not None
        if found is None:
            return False
        if not found:
            self.impossible = self.origin[row]
            return True
        for wire, values in found.items():
            if len(values) <= SMALL:
                self._restrict(wire, Domain.of(values, self.p), (row,), found)
        return True

    def combinations(self, row: Row, lookup: Callable[[int], Domain | None]) -> dict[int, set[int]] | None:
        """The values that each wire of a row takes in the combinations that satisfy it.

        Tries those of all wires but one, whose values must be few. None when that is too many or the last
        wire is not determined; empty when no combination satisfies the row.
        """
        p = self.p
        a, b, c = row
        if len(a) > 9 or len(b) > 9 or len(c) > 9:
            return None
        wires = sorted((a.keys() | b.keys() | c.keys()) - {0})
        if len(wires) > 8:
            return None
        listed, count, target = [], 1, None
        for w in wires:
            domain = lookup(w)
            if domain is None or domain.values is None:
                if target is not None:
                    return None
                target = w
            else:
                listed.append((w, domain.values))
                count *= len(domain.values)
        if count > _ENUMERATED:
            return None
        found: dict[int, set[int]] = {w: set() for w in wires}
        for chosen in itertools.product(*(values for _, values in listed)):
            cells = {0: 1, **{w: v for (w, _), v in zip(listed, chosen, strict=True)}}
            parts = []
            for side in (a, b, c):
                k = side.get(target, 0) if target is not None else 0
                parts.append((k, sum(v * cells[w] for w, v in side.items() if w != target)))
            (ka, ra), (kb, rb), (kc, rc) = parts
            roots = quadratic_roots(ka * kb, ka * rb + kb * ra - kc, ra * rb - rc, p)
            if roots is None:
                if target is not None:
                    return None
                roots = [0]
            if not roots:
                continue
            if target is not None:
                found[target].update(roots)
            for w, v in cells.items():
                if w:
                    found[w].add(v)
        return found if all(found.values()) else {}

    def _why(self, wires: Iterable[int], but: int) -> list[int]:
        """The rows behind the domains of wires."""
        return [r for w in wires if w != but for r in self.domain_rows.get(w, ())]

    # -- digits ----------------------------------------------------------------------------------------
    def _digits(self, terms: RowTerms, row: int, also: Nonzero = NOTHING) -> None:
        """Bounded unknown wires whose sum (with these coefficients) is known."""
        found = self.determined_digits(terms)
        if found:
            rows = (row, *self._why(terms, -1), *also.rows)
            ranges = (*terms, *also.ranges)
            for wire in found:
                self._mark(wire, "digits", rows, ranges)

    def determined_digits(self, terms: RowTerms) -> list[int]:
        """Which of the wires a known sum of them determines, from their ranges.

        Two solutions differ by d_i with |d_i| <= width_i and sum k_i d_i = 0 modulo p. Scaled so that
        sum |k_i| width_i < p, the sum is zero as an integer, and the largest coefficient that exceeds what
        all smaller ones add up to has d_i = 0; and so on down.
        """
        p = self.p
        items = []
        for wire, k in terms.items():
            domain = self.domains[wire]
            if domain is None:
                return []
            if domain.values is not None and len(domain.values) == 2:
                items.append((wire, k * (domain.values[1] - domain.values[0]) % p, 1))
            else:
                items.append((wire, k, domain.width))
        sizes = sorted(min(k, p - k) for _, k, _ in items)
        units = [1, *sizes]
        if any(x == y for x, y in itertools.pairwise(sizes)):
            units = units[:4]  # not all will be told apart; some may
        best: list[int] = []
        # try every weight as the unit; a wrong one makes others huge, which is seen after a few
        for unit in units:
            scale = pow(unit, -1, p)
            sized = weighted([(k, width) for _, k, width in items], scale, p, True, p)
            if sized is None:
                continue
            total = sum(size * items[at][2] for size, at, _ in sized)
            found = []
            for size, at, _ in reversed(sized):
                total -= size * items[at][2]
                if size <= total:
                    break
                found.append(items[at][0])
            if len(found) > len(best):
                best = found
            if len(best) == len(items):
                break
        return best
