"""Checkers for templates: satisfied or not and by which constraint; hints that lie.

This module must not know any particular circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from zkrollup.cs import Check, HintSite, Template
from zkrollup.cs.interpreter import Lie
from zkrollup.cs.scalar_field import mont_array
from zkrollup.engine.interface import Engine

__all__ = [
    "assert_satisfied",
    "assert_unsatisfied",
    "find_hints",
    "lie",
]

Overrides = Mapping[int | str | HintSite, Lie]

observers: list[Callable[[Check], None]] = []
"""Called with every check that the assertions here make and find as they should; see the pytest plugin."""


def _observed(check: Check) -> Check:
    for observer in observers:
        observer(check)
    return check


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
    return _observed(check)


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
    return _observed(check)


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
