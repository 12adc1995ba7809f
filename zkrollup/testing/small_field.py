"""Exhaustive checking of a gadget over a small prime field: every input, every satisfying assignment.

This module must not know any particular gadget. It takes a template's rows, not its tape: a prover computes
no hint honestly, he takes any values that satisfy the rows.

The rows are read modulo a small prime p. That says something about the gadget over the real field when what
it relies on survives the change: its coefficients are small integers or quotients of such, and the ranges
it argues with fit below p - an 8-bit decomposition wants p > 2^8. Coefficients that have no meaning modulo p
(a curve's constants, 2^n for n beyond p) are refused by name; see :func:`exhaustive`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zkrollup.cs import Template
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.testing.equivalence import Shape, record_gadget

__all__ = ["ExhaustiveReport", "exhaustive"]

_Terms = dict[int, int]
_Row = tuple[_Terms, _Terms, _Terms]


@dataclass(frozen=True)
class ExhaustiveReport:
    """``inputs``: how many choices of links and inputs satisfy the rows with some witness; ``witnesses``:
    how many witnesses there are; ``free_wires``: names of wires that take several values for the same
    inputs although the outputs do not."""

    prime: int
    inputs: int
    witnesses: int
    free_wires: tuple[str, ...]


def exhaustive(
    gadget: Callable[..., object] | Template,
    prime: int,
    function: Callable[..., object] | None = None,
    *,
    inputs: Mapping[str, Shape] | None = None,
    max_witnesses: int = 1_000_000,
) -> ExhaustiveReport:
    """The outputs are a function of the inputs, for all inputs and all witnesses over the field of ``prime``.

    Arguments:
        gadget: recorded by :func:`record_gadget` with ``inputs``, or a template; links are inputs too.
        prime: a small one; all p^n choices of n inputs are gone through, those that no row allows early.
        function: takes links and inputs by name as integers below ``prime`` and returns what the exports
            must be, an integer or a mapping by name (compared modulo the prime), or raises ValueError for
            inputs that must have no witness. A UInt input is given as its number.
        max_witnesses: ValueError when there are more.

    Returns:
        a report. AssertionError shows inputs with two outputs and the wires that differ, or inputs whose
        output is not the function's, that have a witness and should not, or the reverse.

    Raises ValueError when ``prime`` is not a prime or a coefficient is no quotient of integers below it in
    absolute value, so that the rows would say something else modulo the prime.

    The search gives the inputs values in order, then solves what rows determine and tries all values of
    what they do not; a row that cannot hold any more ends a branch.
    """
    if prime < 3 or any(prime % d == 0 for d in range(2, int(prime**0.5) + 1)):
        raise ValueError(f"exhaustive: {prime} is not an odd prime")
    template = gadget if isinstance(gadget, Template) else record_gadget(gadget, inputs or {})
    rows = _small_rows(template, prime)
    search = _Search(rows, template.num_links + template.num_own, prime)
    given = range(1, template.num_links + template.num_inputs)
    seen: dict[tuple[int, ...], tuple[dict[str, int], list[int]]] = {}
    free: set[int] = set()
    count = 0
    for values in search.witnesses(given):
        count += 1
        if count > max_witnesses:
            raise ValueError(
                f"exhaustive: {template.name!r} has more than {max_witnesses} witnesses mod {prime}"
            )
        key = tuple(values[c] for c in given)
        outputs = {name: values[c] for name, c in template.exports.items()}
        known = seen.setdefault(key, (outputs, list(values)))
        differing = [c for c in range(len(values)) if values[c] != known[1][c]]
        if known[0] != outputs:
            moved = ", ".join(template.wire_name(c) for c in differing)
            raise AssertionError(
                f"{template.name!r} modulo {prime}: {_shown(template, key)} gives {known[0]} and {outputs}; "
                f"different wires: {moved}"
            )
        free.update(differing)
    if function is not None:
        _compare(template, prime, function, seen)
    names = tuple(template.wire_name(c) for c in sorted(free))
    return ExhaustiveReport(prime, len(seen), count, names)


def _compare(
    template: Template,
    prime: int,
    function: Callable[..., object],
    seen: Mapping[tuple[int, ...], tuple[dict[str, int], list[int]]],
) -> None:
    first = f"{template.name!r} modulo {prime}"
    for key in _every_input(template, prime):
        case = _by_name(template, key)
        try:
            answer = function(**case)
        except ValueError as error:
            if key in seen:
                raise AssertionError(
                    f"{first}: {_shown(template, key)} has a witness; the function refuses it: {error}"
                ) from None
            continue
        if key not in seen:
            raise AssertionError(
                f"{first}: {_shown(template, key)} has no witness; the function gives {answer}"
            )
        if answer is None:
            continue
        same = dict.fromkeys(template.exports, answer)
        wanted: Mapping[str, Any] = answer if isinstance(answer, Mapping) else same
        want = {str(name): int(value) % prime for name, value in wanted.items()}
        if want != seen[key][0]:
            raise AssertionError(
                f"{first}: {_shown(template, key)} gives {seen[key][0]}; the function {want}"
            )


def _every_input(template: Template, prime: int) -> Iterator[tuple[int, ...]]:
    """All links and inputs by column; bits of a UInt and Booleans are 0 or 1."""
    small = {s.column + i for s in template.inputs.values() if s.kind != "field" for i in range(s.width)}
    sizes = [prime] * (template.num_links - 1)
    sizes += [2 if c in small else prime for c in range(template.num_inputs)]
    key = [0] * len(sizes)
    while True:
        yield tuple(key)
        for i in reversed(range(len(sizes))):
            key[i] += 1
            if key[i] < sizes[i]:
                break
            key[i] = 0
        else:
            return


def _by_name(template: Template, key: Sequence[int]) -> dict[str, int]:
    case = {name: key[c - 1] for name, c in template.links.items()}
    for name, spec in template.inputs.items():
        start = template.num_links - 1 + spec.column
        case[name] = sum(bit << i for i, bit in enumerate(key[start : start + spec.width]))
    return case


def _shown(template: Template, key: Sequence[int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in _by_name(template, key).items()) or "no input"


# -- rows --------------------------------------------------------------------------------------------
def _small_rows(template: Template, prime: int) -> list[_Row]:
    meaning: dict[int, int] = {}
    out = []
    for row in range(template.num_constraints):
        sides = []
        for side in range(3):
            terms: _Terms = {}
            for column, coef in template.rows.terms(side, row):
                if coef not in meaning:
                    found = _small(coef, prime)
                    if found is None:
                        raise ValueError(
                            f"exhaustive: {template.name!r}: the coefficient {coef} of "
                            f"{template.wire_name(column)} in {template.row_label(row)!r} at "
                            f"{template.row_place(row)} is no quotient of integers below {prime}"
                        )
                    meaning[coef] = found
                terms[column] = meaning[coef]
            sides.append({c: k for c, k in terms.items() if k})
        out.append((sides[0], sides[1], sides[2]))
    return out


def _small(value: int, prime: int) -> int | None:
    """The quotient of two integers below the prime in absolute value that ``value`` is, modulo the prime."""
    r0, r1, t0, t1 = MODULUS, value % MODULUS, 0, 1
    while r1 >= prime:
        q = r0 // r1
        r0, r1, t0, t1 = r1, r0 - q * r1, t1, t0 - q * t1
    if abs(t1) >= prime:
        return None
    return r1 * pow(t1, -1, prime) % prime


class _Search:
    """All assignments that satisfy some rows modulo p, depth first."""

    def __init__(self, rows: Sequence[_Row], num_wires: int, p: int) -> None:
        self.rows, self.p, self.num_wires = rows, p, num_wires
        self.wires_of = [sorted({c for side in row for c in side} - {0}) for row in rows]
        self.touching: list[list[int]] = [[] for _ in range(num_wires)]
        for i, wires in enumerate(self.wires_of):
            for c in wires:
                self.touching[c].append(i)
        self.values = [-1] * num_wires
        self.values[0] = 1
        self.unknown = [len(wires) for wires in self.wires_of]

    def witnesses(self, first: Sequence[int]) -> Iterator[list[int]]:
        """Each assignment once; the wires in ``first`` are given values first, in this order."""
        if all(self._holds(i) for i, n in enumerate(self.unknown) if n == 0):
            yield from self._descend(list(first))

    def _descend(self, first: list[int]) -> Iterator[list[int]]:
        wire, options = self._choose(first)
        if wire < 0:
            yield list(self.values)
            return
        for value in options:
            self.values[wire] = value
            for i in self.touching[wire]:
                self.unknown[i] -= 1
            if all(self.unknown[i] or self._holds(i) for i in self.touching[wire]):
                yield from self._descend(first)
            for i in self.touching[wire]:
                self.unknown[i] += 1
        self.values[wire] = -1

    def _choose(self, first: Sequence[int]) -> tuple[int, Sequence[int]]:
        """The wire to be tried next and its values: the one that a row leaves the fewest."""
        best, least = -1, range(self.p)
        for i, n in enumerate(self.unknown):
            if n == 1:
                wire = next(c for c in self.wires_of[i] if self.values[c] < 0)
                options = self._solutions(i, wire)
                if best < 0 or len(options) < len(least):
                    best, least = wire, options  # type: ignore[assignment]
                if len(least) <= 1:
                    return best, least
        if best >= 0 and len(least) < self.p:
            return best, least
        for wire in first:
            if self.values[wire] < 0:
                return wire, range(self.p)
        if best >= 0:
            return best, least
        return next((c for c in range(1, self.num_wires) if self.values[c] < 0), -1), range(self.p)

    def _solutions(self, i: int, wire: int) -> list[int]:
        """The values of the only unknown wire of a row for which it holds."""
        p = self.p
        known, own = [], []
        for side in self.rows[i]:
            known.append(sum(k * self.values[c] for c, k in side.items() if c != wire) % p)
            own.append(side.get(wire, 0))
        (a, b, c), (x, y, z) = known, own
        quadratic, linear, constant = x * y % p, (a * y + b * x - z) % p, (a * b - c) % p
        if quadratic == 0:
            if linear:
                return [-constant * pow(linear, -1, p) % p]
            return [] if constant else list(range(p))
        return [v for v in range(p) if (quadratic * v * v + linear * v + constant) % p == 0]

    def _holds(self, i: int) -> bool:
        a, b, c = (sum(k * self.values[w] for w, k in side.items()) for side in self.rows[i])
        return (a * b - c) % self.p == 0
