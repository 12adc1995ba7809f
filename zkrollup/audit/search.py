"""The search for a second witness: other values for wires that nothing was proved about, inputs unchanged.

This module must not know how a result is shown. What it returns is checked: every row holds for both
witnesses of a pair, and they agree on all inputs.

Ways, in this order: along each vector of the kernel of the Jacobian, as a straight line (rows are bilinear,
so most freedoms are lines) or with the wires that the vector does not move kept and the others solved for;
then each wire left, given another value - another one of its few values, the other root of a quadratic,
zero, its negative, its successor, a random one - with the rows around it solved for.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zkrollup.audit.aliases import Digit, digits_with_aliases
from zkrollup.audit.jacobian import Jacobian
from zkrollup.audit.model import Constraints, RowTerms
from zkrollup.audit.modular import quadratic_roots
from zkrollup.audit.propagate import Propagation
from zkrollup.audit.solver import Solver
from zkrollup.audit.vanishing import common_zeros

__all__ = ["Freedom", "Search", "WitnessPair", "find_witness"]

_VECTORS = 256
_WIRES_TRIED = 4000
_FAILURES = 200  # wires in a row without a second witness
_ALIASES = 16  # digits of x and of x + p, in vain
_COMMON_ZEROS = 4  # for one row
_LOOSE = 6  # wires that a factor of zero leaves open, for one direction
_QUICK = 8  # wires in a row in vain, in a first look


@dataclass(frozen=True, eq=False)
class WitnessPair:
    """Two satisfying witnesses with the same inputs. ``differing``: the wires on which they disagree."""

    first: tuple[int, ...]
    second: tuple[int, ...]
    differing: tuple[int, ...]
    found_by: str

    def __repr__(self) -> str:
        return f"<WitnessPair: {len(self.differing)} wires differ, found by {self.found_by}>"


@dataclass(frozen=True)
class Freedom:
    """A direction of the kernel of the Jacobian: the wires that it moves; ``real`` when a pair was found."""

    wires: tuple[int, ...]
    real: bool


class Search:
    """Pairs over one system; ``pairs`` grows, ``pair_of`` says for each free wire which one shows it."""

    def __init__(self, rules: Propagation, *, seed: int = 0, deadline: float | None = None) -> None:
        self.rules = rules
        self.system: Constraints = rules.system
        self.p = rules.p
        self.rng = random.Random(seed)
        self.deadline = deadline
        self.pairs: list[WitnessPair] = []
        self.pair_of: dict[int, int] = {}
        self.freedoms: list[Freedom] = []
        self.finished = True
        self.stopped = False
        """Whether wires were left untried around some witness, after many tries in vain."""
        self.proved: bytes | bytearray = rules.unique
        """Wires shown unique without any claim: no pair may differ on them."""
        self.explained: frozenset[int] = frozenset()
        """Wires that are not looked into, because a claim says that nothing depends on them."""

    def _late(self) -> bool:
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.finished = False
            return True
        return False

    def undecided(self) -> list[int]:
        """Wires neither shown unique nor shown free."""
        unique, pair_of = self.rules.unique, self.pair_of
        explained = self.explained
        return [
            w
            for w in range(1, self.system.num_wires)
            if not unique[w] and w not in pair_of and w not in explained
        ]

    def at(self, witness: Sequence[int], failures: int = _FAILURES) -> None:
        """Search around one witness, whose rows hold; until so many wires in a row are tried in vain."""
        asked = [w for w in range(1, self.system.num_wires) if not self.rules.unique[w]]
        if not asked or not self.undecided():
            return
        self._along_kernel(witness, asked)
        self._from_wires(witness, asked, failures)

    def quickly_at(self, witness: Sequence[int]) -> None:
        """A first look around a witness."""
        self.at(witness, _QUICK)

    def at_zeros(self, witness: Sequence[int] | None) -> None:
        """Search around other witnesses: those in which a factor that leaves a wire open is zero.

        Inputs are taken from ``witness`` where they can be.
        """
        rules = self.rules
        preferred = {} if witness is None else {w: witness[w] for w in self.system.inputs}
        tried = set()
        for row in range(self.system.num_rows):
            if not rules.unknown[row] or rules.linear[row] is not None:
                continue
            for known, other in ((0, 1), (1, 0)):
                factor, rest = rules.rows[row][known], rules.rows[row][other]
                if any(not rules.unique[w] for w in factor) or not factor.keys() - {0}:
                    continue
                key = tuple(sorted(factor.items()))
                if key in tried or all(rules.unique[w] or w in self.pair_of for w in rest):
                    continue
                tried.add(key)
                if self._late():
                    return
                for wanted in (preferred, {}):
                    found = find_witness(
                        rules,
                        preferred=wanted,
                        zero=[factor],
                        seed=self.rng.randrange(1 << 30),
                        nodes=100 + 4 * len(self.system.inputs),
                        deadline=self.deadline,
                    )
                    if found is not None:
                        self.at(found)
                    if found is not None or not preferred:
                        break

    def at_common_zeros(self, witness: Sequence[int] | None) -> None:
        """Search around witnesses in which a denominator and its numerator are both zero, the first such row
        first: what it leaves open may leave open what follows."""
        rules = self.rules
        preferred = {} if witness is None else {w: witness[w] for w in self.system.inputs}
        for row in range(self.system.num_rows):
            if rules.unknown[row] != 1 or rules.linear[row] is not None or self._late():
                continue
            (wire,) = (w for w in {w for side in rules.rows[row] for w in side} if not rules.unique[w])
            if wire in self.pair_of:
                continue
            for wanted in (preferred, {}):
                if not self.undecided():
                    return
                for inputs in itertools.islice(common_zeros(rules, row, self.rng, wanted), _COMMON_ZEROS):
                    if self._late():
                        return
                    found = find_witness(
                        rules,
                        inputs,
                        preferred=wanted,
                        seed=self.rng.randrange(1 << 30),
                        nodes=100 + 4 * len(self.system.inputs),
                        deadline=self.deadline,
                    )
                    if found is not None:
                        self.at(found)
                        break

    def at_aliases(self) -> None:
        """Pairs of digits of x and of x + p, for sums of digits that reach as far."""
        rules, p = self.rules, self.p
        for row in range(self.system.num_rows):
            lin = rules.linear[row]
            if lin is None or not rules.unknown[row]:
                continue
            terms = {w: k for w, k in lin.items() if w and not rules.unique[w]}
            digits = digits_with_aliases(rules, terms)
            if digits is None:
                continue
            top = sum(size * width for size, _, _, _, width, _ in digits) - p
            failures = 0
            for size, wire, *_ in reversed(digits):
                # digit by digit: below it all that carries into it, or nothing
                for below in (size - 1, 0):
                    if wire in self.pair_of or below > top:
                        continue
                    if self._late() or failures == _ALIASES:
                        return
                    value = self.rng.randint(0, (top - below) // size) * size + below
                    first = find_witness(
                        rules,
                        _digits_of(value, digits),
                        seed=self.rng.randrange(1 << 30),
                        nodes=100,
                        deadline=self.deadline,
                    )
                    other = _digits_of(value + p, digits)
                    if first is None or not self._repaired(first, other, "digits of x and of x + p"):
                        failures += 1

    def _repaired(self, witness: Sequence[int], changed: Mapping[int, int], found_by: str) -> bool:
        """Offer the witness with other values of some wires, the rest solved for."""
        asked = [w for w in range(1, self.system.num_wires) if not self.rules.unique[w]]
        solver = Solver(
            self.rules, witness, asked, seed=self.rng.randrange(1 << 30), nodes=60, deadline=self.deadline
        )
        if not all(solver.assign(w, v) for w, v in changed.items()):
            return False
        second = solver.solve()
        return second is not None and self.offer(witness, second, found_by)

    # -- pairs -----------------------------------------------------------------------------------------
    def offer(self, first: Sequence[int], second: Sequence[int], found_by: str) -> bool:
        """Take a pair when it is one: checks inputs and every row that sees a difference.

        The rows must hold on ``first``; a row without a differing wire then holds on ``second`` as well.
        """
        differing = [w for w, (x, y) in enumerate(zip(first, second, strict=True)) if x != y]
        if not differing or not self.system.inputs.isdisjoint(differing) or differing[0] == 0:
            return False
        if any(self.proved[w] for w in differing):
            first_wrong = next(w for w in differing if self.proved[w])
            if self._holds(second, differing):
                raise AssertionError(
                    f"wire {first_wrong} was proved unique ({self.rules.reasons[first_wrong]}), yet a second "
                    "witness has another value: a bug in a rule, please report it"
                )
            return False
        if not self._holds(second, differing):
            return False
        new = [w for w in differing if w not in self.pair_of]
        if new:
            for wire in new:
                self.pair_of[wire] = len(self.pairs)
            self.pairs.append(WitnessPair(tuple(first), tuple(second), tuple(differing), found_by))
        return True

    def _holds(self, values: Sequence[int], differing: Iterable[int]) -> bool:
        rules, p = self.rules, self.p
        count = self.system.num_rows
        rows = {r for w in differing for r in rules.touching[w] if r < count and r not in rules.skip}
        for row in sorted(rows):
            a, b, c = rules.rows[row]
            if (_dot(a, values) * _dot(b, values) - _dot(c, values)) % p:
                return False
        return True

    # -- along the kernel ------------------------------------------------------------------------------
    def _along_kernel(self, witness: Sequence[int], asked: list[int]) -> None:
        rules = self.rules
        rows = [rules.rows[i] for i in range(self.system.num_rows) if rules.unknown[i]]
        jacobian = Jacobian(self.system, witness, frozenset(asked), rows=rows, deadline=self.deadline)
        if not jacobian.complete:
            self.finished = False
            return
        for free in jacobian.free[:_VECTORS]:
            if self._late():
                return
            vector = jacobian.kernel_vector({free: 1})
            real = all(w in self.pair_of for w in vector) or self._move(witness, vector, asked)
            self.freedoms.append(Freedom(tuple(sorted(vector)), real))

    def _move(self, witness: Sequence[int], vector: Mapping[int, int], asked: list[int]) -> bool:
        p, rng = self.p, self.rng
        moving = [w for w in vector if not self.rules.unique[w]]
        for t in dict.fromkeys((1, p - 1, rng.randrange(1, p), rng.randrange(1, p))):
            second = list(witness)
            for wire, k in vector.items():
                second[wire] = (second[wire] + k * t) % p
            if self.offer(witness, second, "a line along the kernel of the Jacobian"):
                return True
        loose = self._left_open(witness, moving)[:_LOOSE]
        for attempt in range(2 + 2 * len(loose)):
            if self._late():
                return False
            if attempt < 2 * len(loose):
                wire, row = loose[attempt >> 1]
                open_wires = self._downstream(witness, row, asked) if attempt & 1 else moving
            else:
                wire = rng.choice(moving)
                open_wires = asked if attempt & 1 else moving
            solver = Solver(
                self.rules,
                witness,
                open_wires,
                seed=rng.randrange(1 << 30),
                nodes=60,
                deadline=self.deadline,
            )
            if solver.assign(wire, rng.randrange(p)):
                second_witness = solver.solve()
                if second_witness is not None and self.offer(
                    witness, second_witness, "a direction of the kernel of the Jacobian, repaired"
                ):
                    return True
        return False

    def _left_open(self, witness: Sequence[int], wires: Iterable[int]) -> list[tuple[int, int]]:
        """Those of some wires that alone of them stand in some row, in a factor whose other factor is zero;
        each with the row."""
        rules, count, moving = self.rules, self.system.num_rows, set(wires)
        found = []
        for wire in sorted(moving):
            for row in rules.touching[wire]:
                if row >= count or rules.linear[row] is not None:
                    continue
                a, b, c = rules.rows[row]
                if sum(w in moving for w in {*a, *b, *c}) > 1 or wire in c or (wire in a) == (wire in b):
                    continue
                if not _dot(b if wire in a else a, witness) % self.p:
                    found.append((wire, row))
                    break
        return found

    def _downstream(self, witness: Sequence[int], but: int, asked: list[int]) -> list[int]:
        """The wires that one row left out lets move, where others than those of few values have any value.

        At the witness itself a derivative may vanish by chance: that of a square, where its root is zero.
        """
        rules = self.rules
        values = list(witness)
        for wire in asked:
            domain = rules.domains[wire]
            if domain is None or domain.values is None:
                values[wire] = self.rng.randrange(self.p)
        rows = [rules.rows[i] for i in range(self.system.num_rows) if rules.unknown[i] and i != but]
        jacobian = Jacobian(self.system, values, frozenset(asked), rows=rows, deadline=self.deadline)
        return jacobian.moved(self.rng.randrange(1 << 30)) if jacobian.complete else asked

    # -- wire by wire ----------------------------------------------------------------------------------
    def _from_wires(self, witness: Sequence[int], asked: list[int], most: int) -> None:
        rules = self.rules
        outputs = set(self.system.outputs)

        def ease(wire: int) -> tuple[bool, bool, int, int]:
            domain = rules.domains[wire]
            listed = domain is not None and domain.values is not None
            return (wire not in outputs, not listed, len(rules.touching[wire]), wire)

        failures = 0
        for wire in sorted(self.undecided(), key=ease)[:_WIRES_TRIED]:
            if wire in self.pair_of:
                continue
            if failures == most:
                self.stopped = self.stopped or most == _FAILURES
                return
            failures += 1
            for value in self._other_values(wire, witness):
                if self._late():
                    return
                solver = Solver(
                    rules,
                    witness,
                    asked,
                    seed=self.rng.randrange(1 << 30),
                    nodes=40,
                    deadline=self.deadline,
                )
                if not solver.assign(wire, value):
                    continue
                second = solver.solve()
                if second is not None and self.offer(
                    witness, second, f"another value of {self.system.name(wire)}"
                ):
                    break

    def _other_values(self, wire: int, witness: Sequence[int]) -> list[int]:
        p, here = self.p, witness[wire]
        domain = self.rules.domains[wire]
        if domain is not None and domain.values is not None:
            return [v for v in domain.values if v != here]
        out: list[int] = []
        for row in self.rules.touching[wire]:
            if self.rules.linear[row] is None:
                a, b, c = self.rules.rows[row]
                x, y, z = a.get(wire, 0), b.get(wire, 0), c.get(wire, 0)
                if x and y and row < self.system.num_rows:
                    ra, rb, rc = (_dot(side, witness) - side.get(wire, 0) * here for side in (a, b, c))
                    out += quadratic_roots(x * y, x * rb + y * ra - z, ra * rb - rc, p) or []
        if domain is not None:
            out += [domain.low % p, domain.high % p, (here + 1) % p, (here - 1) % p]
        out += [(here + 1) % p, 0, -here % p, self.rng.randrange(p)]
        return [v for v in dict.fromkeys(out) if v != here]


def _digits_of(value: int, digits: Sequence[Digit]) -> dict[int, int]:
    """Wires' values that add up to a number."""
    out = {}
    for size, wire, start, step, width, turned in digits:
        t = min(value // size, width)
        value -= t * size
        out[wire] = start + step * (width - t if turned else t)
    return out


def _dot(terms: RowTerms, values: Sequence[int]) -> int:
    return sum(k * values[w] for w, k in terms.items())


def find_witness(
    rules: Propagation,
    given: Mapping[int, int] | None = None,
    *,
    preferred: Mapping[int, int] | None = None,
    zero: Sequence[RowTerms] = (),
    seed: int = 0,
    nodes: int = 2000,
    deadline: float | None = None,
) -> list[int] | None:
    """Some satisfying witness, or None when none was found.

    Arguments:
        given: values that these wires must have.
        preferred: values to try first.
        zero: sums that must be zero as well.
        nodes: how many values may be tried.
    """
    solver = Solver(rules, None, None, zero=zero, seed=seed, nodes=nodes, deadline=deadline)
    for wire, value in (given or {}).items():
        if not solver.assign(wire, value):
            return None
    found = solver.solve(preferred)
    if found is None or rules.system.violations(found):
        return None
    return found
