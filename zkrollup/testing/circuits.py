"""Checkers for templates: satisfied or not and by which constraint, lying hints, free wires.

This module must not know any particular circuit.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from zkrollup.cs import Check, HintSite, Template
from zkrollup.cs.interpreter import Lie
from zkrollup.cs.scalar_field import MODULUS, mont_array
from zkrollup.engine.interface import Engine

__all__ = [
    "FreeWire",
    "assert_every_wire_bound",
    "assert_lies_caught",
    "assert_satisfied",
    "assert_unsatisfied",
    "find_hints",
    "lie",
    "mutate_witness",
]

Overrides = Mapping[int | str | HintSite, Lie]


def assert_satisfied(
    template: Template,
    links: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    *,
    engine: Engine | None = None,
) -> Check:
    """Every constraint holds; with an engine also: its replay computes the same wires.

    Returns the check, for its ``exports`` and ``values``.
    """
    check = template.check(links, inputs)
    if check.failures:
        raise AssertionError(repr(check))
    if engine is not None and template.is_native:
        got = engine.replay(
            template.program,
            mont_array(template.link_values(links or {})).reshape(1, -1, 4),
            mont_array(template.input_values(inputs or {})).reshape(1, template.num_inputs, 4),
        )
        want = mont_array(check.own)
        if (got[0] != want).any():
            own = int((got[0] != want).any(axis=1).argmax())
            name = template.wire_name(template.num_links + own)
            raise AssertionError(
                f"engine {engine.name} computes another value of {name} in {template.name!r}"
            )
    return check


def assert_unsatisfied(
    template: Template,
    links: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    *,
    by: str | Iterable[str] | None = None,
    only: bool = False,
    override: Overrides | None = None,
) -> Check:
    """Some constraint does not hold, and those labelled ``by`` are among them.

    Arguments:
        by: a label, or several which must all fail. A label may be written with its scope in front,
            ``scope/path/label``.
        only: no constraint with another label may fail.
        override: lies, as for :meth:`Template.check`.
    """
    check = template.check(links, inputs, override=override)
    if check.satisfied:
        raise AssertionError(f"{template.name!r}: every constraint holds, although one should not")
    wanted = [by] if isinstance(by, str) else list(by or ())
    full = {f"{f.scope}/{f.label}" if f.scope else f.label for f in check.failures}
    short = {f.label for f in check.failures}
    for label in wanted:
        if label not in full and label not in short:
            raise AssertionError(f"{label!r} holds; what does not:\n{check!r}")
    if only:
        other = [f for f in check.failures if f.label not in wanted and f"{f.scope}/{f.label}" not in wanted]
        if other:
            raise AssertionError(f"beside {wanted}, this does not hold either:\n{other[0]}")
    return check


def find_hints(template: Template, kind: str | None = None, scope: str | None = None) -> list[HintSite]:
    """Hints of a kind (``bits``, ``inverse_or_zero``, ``python`` …) in a scope or inside it."""
    return [
        h
        for h in template.hints
        if (kind is None or h.kind == kind)
        and (scope is None or h.scope == scope or h.scope.startswith(f"{scope}/"))
    ]


def lie(
    template: Template, answer: Lie, *, kind: str | None = None, scope: str | None = None, nth: int = 0
) -> dict[int | str | HintSite, Lie]:
    """An ``override`` in which the nth hint of a kind and scope answers with ``answer``.

    ``answer``: its values, or a function of its honest answer (a list).
    """
    found = find_hints(template, kind, scope)
    if nth >= len(found):
        raise ValueError(f"{template.name!r} has {len(found)} hints of kind {kind!r} in scope {scope!r}")
    return {found[nth]: answer}


def assert_lies_caught(
    template: Template,
    links: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    *,
    hints: Iterable[HintSite] | None = None,
    allowed: Collection[str] = (),
    seed: int = 0,
) -> int:
    """Whatever single hint lies, some constraint fails, although everything after it is computed honestly
    from the lie. Each output in turn is changed by +1, set to 0, and set at random.

    Arguments:
        hints: which hints; all when None.
        allowed: names of outputs that are free for these values (say why where you list them).

    Returns:
        how many lies were told. One lie costs one replay of the template.
    """
    honest = assert_satisfied(template, links, inputs)
    rng = random.Random(seed)
    link_values, input_values = template.link_values(links or {}), template.input_values(inputs or {})
    told = 0
    for site in template.hints if hints is None else hints:
        for k, column in enumerate(site.columns):
            name = template.wire_name(column)
            if name in allowed:
                continue
            truth = honest.values[column]
            for value in {(truth + 1) % MODULUS, 0, rng.randrange(MODULUS)} - {truth}:
                answer = [honest.values[c] for c in site.columns]
                answer[k] = value
                values = template.solve(link_values, input_values, {site: answer})
                told += 1
                if template.holds(values):
                    raise AssertionError(
                        f"{template.name!r} accepts a lie: {name} = {value} instead of {truth}; "
                        f"the hint is at {site.place}, scope {site.scope!r}"
                    )
    return told


@dataclass(frozen=True)
class FreeWire:
    """A wire that can be changed on its own: ``value`` instead of ``honest`` breaks no constraint."""

    name: str
    column: int
    honest: int
    value: int
    place: str

    def __str__(self) -> str:
        return f"{self.name} may be {self.value} instead of {self.honest}; created at {self.place}"


def mutate_witness(
    template: Template, values: Sequence[int], *, seed: int = 0, include_links: bool = True
) -> list[FreeWire]:
    """Change every wire on its own by +1, to 0 and to a random value; report those that no row notices.

    Arguments:
        values: of all local columns, satisfying (``Check.values``).
        include_links: mutate the links as well as the template's own wires.

    Only the rows that contain a wire are evaluated again, from their products before: 25k wires with
    600k coefficients take a few seconds.
    """
    rows = template.rows
    rng = random.Random(seed)
    dots = [_dots(side, rows.num_rows, values) for side in rows.sides]
    touching: list[dict[int, list[int]]] = [{} for _ in values]
    for k, (indptr, cols, coefs) in enumerate(rows.sides):
        for row in range(rows.num_rows):
            for i in range(indptr[row], indptr[row + 1]):
                touching[cols[i]].setdefault(row, [0, 0, 0])[k] += coefs[i]
    free = []
    for column in range(1 if include_links else template.num_links, len(values)):
        honest = values[column]
        for value in ((honest + 1) % MODULUS, 0, rng.randrange(MODULUS)):
            change = value - honest
            if change and not any(
                ((dots[0][row] + change * a) * (dots[1][row] + change * b) - dots[2][row] - change * c)
                % MODULUS
                for row, (a, b, c) in touching[column].items()
            ):
                place = str(template.wire_place(column))
                free.append(FreeWire(template.wire_name(column), column, honest, value, place))
                break
    return free


def _dots(side: tuple[list[int], list[int], list[int]], num_rows: int, values: Sequence[int]) -> list[int]:
    indptr, cols, coefs = side
    return [
        sum(coefs[i] * values[cols[i]] for i in range(indptr[row], indptr[row + 1])) % MODULUS
        for row in range(num_rows)
    ]


def assert_every_wire_bound(
    template: Template,
    links: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    *,
    allowed: Collection[str] = (),
    seed: int = 0,
) -> Check:
    """No wire of a satisfied witness can be changed on its own, but those named in ``allowed``."""
    check = assert_satisfied(template, links, inputs)
    free = [w for w in mutate_witness(template, check.values, seed=seed) if w.name not in allowed]
    if free:
        listed = "\n".join(f"  {w}" for w in free[:10])
        raise AssertionError(f"{template.name!r}: {len(free)} wires are not bound by any row:\n{listed}")
    return check
