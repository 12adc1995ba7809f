"""The rule of cases: a wire that is determined whatever value a known factor has.

This module must not know in what order rules are tried.
"""

from __future__ import annotations

from collections import deque

from zkrollup.audit.facts import contains, normal, ratio_of
from zkrollup.audit.model import RowTerms
from zkrollup.audit.ranges import Ranges

__all__ = ["Cases"]

_CASES = 72
_CASE_WIRES = 96
_CASE_ROWS = 400
_CASE_DEPTH = 2  # from a row of a one-hot code to the sum, to the other rows


class Cases(Ranges):
    """Splits on the value of a known factor, within the rows around it."""

    def _name_sums(self, row: int) -> None:
        """Where two rows with a known factor have the same sum of unknown wires, give it a wire.

        (An optimiser replaces the result of an is-zero test by the sum that it was set equal to.)
        """
        sides = self.rows[row]
        if row >= self.system.num_rows:
            return
        for side in (0, 1, 2):
            if side < 2 and not self._factors[row][side]:
                continue
            base = {w: k for w, k in sides[side].items() if w}
            if not 2 <= len(base) <= 64 or all(self.unique[w] for w in base):
                continue
            key = normal(base, self.p)
            places = self._sums.setdefault(key, [])
            if (row, side) in places:
                continue
            places.append((row, side))
            if len({r for r, _ in places}) < 2:
                continue
            wire = self._named.get(key)
            fresh = places[-1:]
            if wire is None:
                wire = self._named[key] = self._virtual(dict(key), row)
                fresh = places
            for at, which in fresh:
                terms = self.rows[at][which]
                k = next(v * pow(dict(key)[w], -1, self.p) % self.p for w, v in terms.items() if w)
                short = {wire: k} | ({0: terms[0]} if 0 in terms else {})
                copy = list(self.rows[at])
                copy[which] = short
                made = self._append((copy[0], copy[1], copy[2]), None, at)
                if 0 in self._factors[made]:
                    self._case_queued[made] = 1
                    self._case_queue.append(made)

    # -- cases -----------------------------------------------------------------------------------------
    def _cases(self, row: int) -> None:
        """Split on the value of a known factor: zero or not, or one of a few."""
        sides = self.rows[row]
        if self.unknown[row] > 1:
            self._name_sums(row)
        for side in (0, 1):
            if not self._factors[row][side] and sides[side].keys() - {0}:
                self._split(row, {w: k for w, k in sides[side].items() if w})
                if not self.unknown[row]:
                    return

    def _split(self, row: int, base: dict[int, int]) -> None:
        p, unique = self.p, self.unique
        near, wires = self._neighbourhood(row)
        if not near:
            return
        key = ("cases", tuple(sorted(wires)), normal(base, p))
        if key in self._tried:
            return
        self._tried.add(key)
        # rows with a factor k (base - root), by row: the other factor, k, root
        factored: dict[int, list[tuple[RowTerms, int, int]]] = {}
        roots = set()
        for other in near:
            if self.linear[other] is not None:
                continue
            for x, y in ((0, 1), (1, 0)):
                if not len(base) <= len(self.rows[other][x]) <= len(base) + 1:
                    continue
                k = ratio_of(base, self.rows[other][x], p)
                if k:
                    root = -self.rows[other][x].get(0, 0) * pow(k, -1, p) % p
                    factored.setdefault(other, []).append((self.rows[other][y], k, root))
                    roots.add(root)
        few = self._few_values(base)
        cases: list[int | None]
        if few is not None:
            cases = [*few]
        else:
            cases = [*sorted(roots), None]
        if len(cases) > _CASES:
            return
        common: set[int] | None = None
        used: set[int] = {row}
        for case in cases:
            found = self._in_case(case, near, wires, factored)
            if found is None:  # impossible
                continue
            used |= {r for rows in found.values() for r in rows}
            common = set(found) if common is None else common & set(found)
            if not common:
                return
        if common is None:
            self.impossible = self.origin[row]
            return
        ranges = (*wires, *base)
        for wire in sorted(common):
            if not unique[wire]:
                self._mark(wire, "cases", used, ranges)

    def _neighbourhood(self, row: int) -> tuple[list[int], set[int]]:
        """Rows with unknown wires near a row, and these wires."""
        wires: set[int] = set()
        rows: list[int] = []
        seen = {row}
        todo = deque([(row, 0)])
        while todo:
            at, depth = todo.popleft()
            rows.append(at)
            fresh = self._open_wires(at) - wires
            if len(wires) + len(fresh) > _CASE_WIRES:
                rows.pop()
                if at == row:
                    return [], set()
                continue
            wires |= fresh
            if depth >= _CASE_DEPTH:
                continue
            for w in sorted(fresh):
                if len(self.touching[w]) > 64:
                    continue
                for other in self.touching[w]:
                    if other not in seen and self.unknown[other] <= _CASE_WIRES:
                        seen.add(other)
                        todo.append((other, depth + 1))
            if len(rows) > _CASE_ROWS:
                break
        return rows, wires

    def _open_wires(self, row: int) -> frozenset[int]:
        """The unknown wires of a row; kept, since they only become fewer."""
        kept = self._open.get(row)
        if kept is None or len(kept) != self.unknown[row]:
            lin = self.linear[row]
            sides = (lin,) if lin is not None else self.rows[row]
            kept = frozenset(w for side in sides for w in side if not self.unique[w])
            self._open[row] = kept
        return kept

    def _in_case(
        self,
        case: int | None,
        near: list[int],
        wires: set[int],
        factored: dict[int, list[tuple[RowTerms, int, int]]],
    ) -> dict[int, tuple[int, ...]] | None:
        """Wires determined when the base of the split is ``case`` (None: none of the roots), each with the
        rows that show it; None when the case cannot be."""
        p, unique = self.p, self.unique
        found: dict[int, tuple[int, ...]] = {}
        constant: dict[int, int] = {}
        changed = True
        while changed:
            changed = False
            for row in near:
                reduced: RowTerms | None = self.linear[row]
                if reduced is None:
                    options = factored.get(row)
                    if options is None:
                        changed |= self._case_product(row, found)
                        continue
                    other, k, root = options[0]
                    c = self.rows[row][2]
                    if case is None:
                        unknown_c = [w for w in c if not unique[w] and w not in found]
                        unknown_y = [w for w in other if not unique[w] and w not in found]
                        if unknown_c and unknown_y:
                            continue
                        side = c if unknown_c else other
                        for wire in self._determined(
                            [w for w in side if w in {*unknown_c, *unknown_y}], side
                        ):
                            found[wire] = (row,)
                            changed = True
                        continue
                    value = k * (case - root) % p
                    terms = {w: -v for w, v in c.items()}
                    for w, v in other.items():
                        terms[w] = terms.get(w, 0) + v * value
                    reduced = {w: v % p for w, v in terms.items() if v % p}
                unknown = [w for w in reduced if not unique[w] and w not in found]
                if len(unknown) == 1:
                    found[unknown[0]] = (row,)
                    changed = True
                    if all(w == 0 or w in constant for w in reduced if w != unknown[0]):
                        known = sum(v * constant.get(w, 1) for w, v in reduced.items() if w != unknown[0])
                        constant[unknown[0]] = -known * pow(reduced[unknown[0]], -1, p) % p
                elif unknown:
                    for wire in self._determined(unknown, reduced):
                        found[wire] = (row,)
                        changed = True
                elif all(w == 0 or w in constant for w in reduced):
                    left = sum(v * constant.get(w, 1) for w, v in reduced.items())
                    if left % p:
                        return None
                if unknown and unknown[0] in constant:
                    domain = self.domains[unknown[0]]
                    if domain is not None and not contains(domain, constant[unknown[0]], p):
                        return None
        return found

    def _determined(self, unknown: list[int], terms: RowTerms) -> list[int]:
        """Which of the unknown wires a sum determines."""
        if len(unknown) < 2:
            return unknown
        return self.determined_digits({w: terms[w] for w in unknown})

    def _case_product(self, row: int, found: dict[int, tuple[int, ...]]) -> bool:
        """An ordinary product within a case: only its right side may be solved for."""
        if not found and self._factors[row] != [0, 0]:
            return False
        a, b, c = self.rows[row]
        unique = self.unique
        if any(not unique[w] and w not in found for side in (a, b) for w in side):
            return False
        unknown = [w for w in c if not unique[w] and w not in found]
        if len(unknown) != 1:
            return False
        found[unknown[0]] = (row,)
        return True
