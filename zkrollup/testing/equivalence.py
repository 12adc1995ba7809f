"""Gadgets against Python functions: the same inputs through both, hundreds at a time.

This module must not know any particular gadget. A gadget is recorded once; what is drawn goes through the
engine's replay in bulk. hypothesis is imported when a strategy is used, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zkrollup.cs import ConstraintSystem, Field, Template
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.interface import Engine
from zkrollup.testing.batched import Batched

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Shape", "assert_equivalent", "record_gadget"]

Shape = str | int | Sequence["Shape"]
"""What an input is: ``"field"``, ``"bool"``, a number of bits for a UInt, or a list of these."""

_DRAWN_TOGETHER = 16


def record_gadget(
    gadget: Callable[..., object], inputs: Mapping[str, Shape], *, name: str | None = None
) -> Template:
    """A template of one gadget: ``gadget(cs, **inputs)``, its results exported.

    Arguments:
        inputs: name to shape. Names are the gadget's parameters.

    What the gadget returns is exported: a signal as ``out``, a sequence as ``out[0]`` and so on, a mapping
    by its names, None (it only asserts) as nothing.
    """
    cs = ConstraintSystem(name or str(getattr(gadget, "__name__", "gadget")))
    with cs.scope("inputs"):
        signals = {key: _declare(cs, key, shape) for key, shape in inputs.items()}
    for key, signal in _flat_results(gadget(cs, **signals)).items():
        if not isinstance(signal, Field):
            raise TypeError(f"{cs.name}: {key} is {type(signal).__name__}; a gadget returns signals")
        cs.export(key, signal)
    return cs.freeze()


def _declare(cs: ConstraintSystem, name: str, shape: Shape) -> Any:
    if shape == "field":
        return cs.input(name)
    if shape == "bool":
        return cs.input_bool(name)
    if isinstance(shape, int):
        return cs.input_uint(name, shape)
    if isinstance(shape, str):
        raise ValueError(
            f"input {name!r}: shape {shape!r}; expected 'field', 'bool', bits, or a list of these"
        )
    return [_declare(cs, f"{name}[{i}]", item) for i, item in enumerate(shape)]


def _flat_results(result: object, name: str = "out") -> dict[str, object]:
    if result is None:
        return {}
    if isinstance(result, Mapping):
        return {k: v for key, item in result.items() for k, v in _flat_results(item, str(key)).items()}
    if isinstance(result, list | tuple):
        return {k: v for i, item in enumerate(result) for k, v in _flat_results(item, f"{name}[{i}]").items()}
    return {name: result}


def _default_strategy(inputs: Mapping[str, Shape]) -> SearchStrategy[dict[str, Any]]:
    from hypothesis import strategies as st

    from zkrollup.testing import strategies

    def of(shape: Shape) -> SearchStrategy[Any]:
        if shape == "field":
            return strategies.field_elements()
        if shape == "bool":
            return strategies.bools()
        if isinstance(shape, int):
            return strategies.uints(shape)
        return st.tuples(*[of(item) for item in shape]).map(list)

    return st.fixed_dictionaries({name: of(shape) for name, shape in inputs.items()})


def assert_equivalent(
    gadget: Callable[..., object] | Template,
    function: Callable[..., object],
    strategy: SearchStrategy[Any] | Mapping[str, SearchStrategy[Any]] | None = None,
    *,
    inputs: Mapping[str, Shape] | None = None,
    examples: Iterable[Mapping[str, Any]] = (),
    max_examples: int = 200,
    engine: Engine | None = None,
) -> Template:
    """A gadget computes what a function does, and refuses what the function refuses.

    Arguments:
        gadget: ``gadget(cs, **inputs)``, recorded by :func:`record_gadget`; or a template without links.
        function: takes the same names, returns integers (or Booleans) in the same form, taken mod r. It
            raises ValueError for inputs that the gadget must not accept.
        strategy: draws the inputs by name; or a strategy for each input; when None and without examples,
            edges and random values for the shapes in ``inputs``.
        inputs: the shapes of a gadget's inputs.
        examples: inputs to try in any case.
        max_examples: about how many inputs are drawn.

    Returns:
        the template. AssertionError shows the inputs (hypothesis: the simplest that it finds) with both
        answers, or with the constraint that does not hold. What is "not accepted" is the honest witness;
        whether a liar is refused is for :func:`assert_lies_caught`.
    """
    template = gadget if isinstance(gadget, Template) else record_gadget(gadget, inputs or {})
    batched = Batched(template, engine)
    given = list(examples)
    if given:
        _compare(batched, function, given)
    if strategy is None and given:
        return template
    from hypothesis import HealthCheck, settings
    from hypothesis import given as drawn
    from hypothesis import strategies as st

    if strategy is None:
        if inputs is None:
            raise ValueError("assert_equivalent: a template needs a strategy or examples")
        strategy = _default_strategy(inputs)
    elif isinstance(strategy, Mapping):
        strategy = st.fixed_dictionaries(dict(strategy))
    some = st.lists(strategy, min_size=1, max_size=_DRAWN_TOGETHER)

    @settings(
        max_examples=max(1, -(-2 * max_examples // _DRAWN_TOGETHER)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @drawn(some)
    def compare(cases: list[dict[str, Any]]) -> None:
        _compare(batched, function, cases)

    compare()
    return template


def _compare(batched: Batched, function: Callable[..., object], cases: Sequence[Mapping[str, Any]]) -> None:
    """All cases at once; AssertionError for the first that differs."""
    template = batched.template
    solved = []
    for case in cases:
        values = {name: _integers(value) for name, value in case.items()}
        solved.append((template.link_values({}), template.input_values(values)))
    for start in range(0, len(cases), batched.at_once):
        columns = batched.solve(solved[start : start + batched.at_once])
        failing, exports = batched.violations(columns), batched.exports(columns)
        for case, rows, got, column in zip(cases[start:], failing, exports, columns, strict=False):
            _compare_one(template, function, case, rows, got, column)


def _compare_one(
    template: Template,
    function: Callable[..., object],
    case: Mapping[str, Any],
    rows: Sequence[int],
    got: Mapping[str, int],
    column: np.ndarray,
) -> None:
    shown = ", ".join(f"{name}={value!r}" for name, value in case.items())
    try:
        answer = function(**case)
    except ValueError as error:
        if not rows:
            raise AssertionError(
                f"{template.name!r} accepts {shown}, which the function refuses: {error}; outputs {dict(got)}"
            ) from None
        return
    want = {name: int(value) % MODULUS for name, value in _flat_results(answer).items()}  # type: ignore[call-overload]
    if rows:
        from zkrollup.cs.scalar_field import from_mont

        failure = template.explain(rows[0], from_mont(column))
        raise AssertionError(f"{template.name!r} refuses {shown}; the function gives {want}\n{failure}")
    if template.claims:
        from zkrollup.cs.scalar_field import from_mont

        false = template.false_claims(from_mont(column))
        if false:
            raise AssertionError(f"{template.name!r} accepts {shown}, which refutes a claim\n{false[0]}")
    if want != dict(got):
        raise AssertionError(f"{template.name!r}({shown}) = {dict(got)}; the function gives {want}")


def _integers(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_integers(item) for item in value]
    return int(value)
