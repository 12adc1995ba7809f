"""Assignments in bulk: values by name, one mapping an instance, as the arrays that engines replay.

This module must not know how parts are connected. Arrays are Montgomery unless a name says canonical.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zkrollup.cs.errors import AssignmentError, given_text, integer_of, type_text
from zkrollup.cs.scalar_field import MODULUS, canonical_array, mont_array
from zkrollup.cs.template import Template, flatten
from zkrollup.engine.interface import U64, Engine

__all__ = ["Assigned", "Subject", "assign", "public_values", "to_mont"]

_MODULUS_LIMBS = canonical_array([MODULUS])[0]
_BIT_MONT = mont_array([0, 1])


@dataclass(frozen=True, eq=False)
class Assigned:
    """``inputs`` (N, num_inputs, 4); ``links`` (N, num_links, 4), where ``given`` (N, num_links) says which
    of them the caller gave (the others are zero)."""

    inputs: U64
    links: U64
    given: npt.NDArray[np.bool_]


Subject = Callable[[int], str]
"""What an instance stands for, as text; empty when nobody said."""


def assign(
    engine: Engine,
    part: str,
    template: Template,
    values: Sequence[Mapping[str, object]],
    subject: Subject = lambda instance: "",
) -> Assigned:
    """Arrange the values of a part's instances.

    Every input must be given; a link may be. Raises :class:`AssignmentError` naming part, instance, name and
    what was expected.
    """

    def wrong(instance: int, name: str, problem: str, place: object = "") -> AssignmentError:
        expected = template.expected(name)
        declared = f", declared at {place}" if place else ""
        return AssignmentError(
            f"{part}[{instance}]: {problem}: expected {expected}{declared}{_of(subject(instance))}",
            part=part,
            instance=instance,
            name=name,
            expected=expected,
            subject=subject(instance),
        )

    count = len(values)
    flats = [flatten(v) for v in values]
    inputs = template.inputs
    for i, flat in enumerate(flats):
        if not inputs.keys() <= flat.keys():
            missing = next(name for name in inputs if name not in flat)
            raise AssignmentError(
                f"{part}[{i}]: no value for input {missing!r}, declared at {inputs[missing].place}: expected "
                f"{template.expected(missing)}{_of(subject(i))}",
                part=part,
                instance=i,
                name=missing,
                expected=template.expected(missing),
                subject=subject(i),
            )
        if len(flat) > len(inputs):
            for name in flat:
                if name not in inputs and name not in template.links:
                    near = difflib.get_close_matches(name, [*inputs, *template.links], n=1)
                    raise AssignmentError(
                        f"{part}[{i}]: template {template.name!r} has no input or link {name!r}"
                        + (f"; did you mean {near[0]!r}?" if near else "")
                        + _of(subject(i)),
                        part=part,
                        instance=i,
                        name=name,
                        subject=subject(i),
                    )
    narrow = [(s.name, s.column) for s in inputs.values() if s.kind != "uint"]
    wide = [s for s in inputs.values() if s.kind == "uint"]
    out = np.zeros((count, template.num_inputs, 4), dtype=np.uint64)
    if narrow:
        canonical = _canonical(flats, [name for name, _ in narrow], wrong)
        columns = np.array([column for _, column in narrow], dtype=np.int64)
        out[:, columns] = to_mont(engine, canonical.reshape(-1, 4)).reshape(count, -1, 4)
    if wide:
        canonical = _canonical(flats, [s.name for s in wide], wrong)
        bits = np.unpackbits(
            canonical.view(np.uint8).reshape(count, len(wide), 32), axis=2, bitorder="little"
        )
        for k, spec in enumerate(wide):
            over = bits[:, k, spec.width :].any(axis=1)
            if over.any():
                i = int(np.argmax(over))
                problem = f"input {spec.name!r} = {flats[i][spec.name]} does not fit its {spec.width} bits"
                raise wrong(i, spec.name, problem, spec.place)
            out[:, spec.column : spec.column + spec.width] = _BIT_MONT[bits[:, k, : spec.width]]
    return _with_links(engine, template, flats, out, wrong)


Wrong = Callable[[int, str, str], AssignmentError]
"""The error for an instance, a name and what is wrong with its value."""


def _of(subject: str) -> str:
    return f" (in {subject})" if subject else ""


def _with_links(
    engine: Engine, template: Template, flats: list[dict[str, object]], inputs: U64, wrong: Wrong
) -> Assigned:
    count = len(flats)
    links = np.zeros((count, template.num_links, 4), dtype=np.uint64)
    given = np.zeros((count, template.num_links), dtype=np.bool_)
    rows, columns, instances, names = [], [], [], []
    for name, column in template.links.items():
        for i, flat in enumerate(flats):
            if name in flat:
                rows.append(flat[name])
                columns.append(column)
                instances.append(i)
                names.append(name)
    if rows:
        canonical = _encode(
            rows, lambda k, problem: wrong(instances[k], names[k], f"link {names[k]!r} {problem}")
        )
        links[instances, columns] = to_mont(engine, canonical)
        given[instances, columns] = True
    return Assigned(inputs, links, given)


def _canonical(flats: list[dict[str, object]], names: list[str], wrong: Wrong) -> U64:
    """Values of ``names`` in every instance, canonical, shape (N, len(names), 4)."""
    width = len(names)
    values = [flat[name] for flat in flats for name in names]

    def refuse(k: int, problem: str) -> AssignmentError:
        name = names[k % width]
        return wrong(k // width, name, f"input {name!r} {problem}")

    return _encode(values, refuse).reshape(-1, width, 4)


def _encode(values: Sequence[object], wrong: Callable[[int, str], AssignmentError]) -> U64:
    """Integers as canonical limbs; on a bad one the error that ``wrong`` makes of position and problem."""
    try:
        limbs = canonical_array(values)  # type: ignore[arg-type]
    except (AttributeError, OverflowError, TypeError):
        limbs = None
    if limbs is not None:
        top = limbs[:, 3] >= _MODULUS_LIMBS[3]
        if not top.any() or all(values[int(k)] < MODULUS for k in np.flatnonzero(top)):  # type: ignore[operator]
            return limbs
    numbers: list[int] = []  # there is one of another kind, or out of range
    for k, value in enumerate(values):
        number = integer_of(value)
        if number is None:
            raise wrong(k, f"must be an integer, not {type_text(value)}")
        if not 0 <= number < MODULUS:
            raise wrong(k, f"= {given_text(number)} is not a field element; reduce it mod r")
        numbers.append(number)
    return canonical_array(numbers)


def public_values(names: Sequence[str], values: Mapping[str, object]) -> U64:
    """The public inputs in order, canonical."""
    for name in names:
        if name not in values:
            raise AssignmentError(f"no value for the public input {name!r}", name=name, expected="0 .. r - 1")
    for name in values:
        if name not in names:
            raise AssignmentError(f"there is no public input {name!r}", name=name)

    def refuse(k: int, problem: str) -> AssignmentError:
        text = f"public input {names[k]!r} {problem}: expected 0 .. r - 1"
        return AssignmentError(text, name=names[k], expected="0 .. r - 1")

    return _encode([values[n] for n in names], refuse)


def to_mont(engine: Engine, canonical: U64) -> U64:
    return engine.fr_to_mont(np.ascontiguousarray(canonical)) if len(canonical) else canonical
