"""Assignments in bulk: values by name, one mapping an instance, as the arrays that engines replay.

This module must not know how parts are connected. Arrays are Montgomery unless a name says canonical.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zkrollup.cs.errors import AssignmentError
from zkrollup.cs.scalar_field import MODULUS, canonical_array, mont_array
from zkrollup.cs.template import Template, flatten
from zkrollup.engine.interface import U64, Engine

__all__ = ["Assigned", "assign", "public_values", "to_mont"]

_MODULUS_LIMBS = canonical_array([MODULUS])[0]
_BIT_MONT = mont_array([0, 1])


@dataclass(frozen=True, eq=False)
class Assigned:
    """``inputs`` (N, num_inputs, 4); ``links`` (N, num_links, 4), where ``given`` (N, num_links) says which
    of them the caller gave (the others are zero)."""

    inputs: U64
    links: U64
    given: npt.NDArray[np.bool_]


def assign(engine: Engine, part: str, template: Template, values: Sequence[Mapping[str, object]]) -> Assigned:
    """Arrange the values of a part's instances.

    Every input must be given; a link may be. Raises :class:`AssignmentError` naming part, instance and
    name.
    """
    count = len(values)
    flats = [flatten(v) for v in values]
    inputs = template.inputs
    for i, flat in enumerate(flats):
        if not inputs.keys() <= flat.keys():
            missing = next(name for name in inputs if name not in flat)
            raise AssignmentError(
                f"{part}[{i}]: no value for input {missing!r}, declared at {inputs[missing].place}"
            )
        if len(flat) > len(inputs):
            for name in flat:
                if name not in inputs and name not in template.links:
                    raise AssignmentError(
                        f"{part}[{i}]: template {template.name!r} has no input or link {name!r}"
                    )
    narrow = [(s.name, s.column) for s in inputs.values() if s.kind != "uint"]
    wide = [s for s in inputs.values() if s.kind == "uint"]
    out = np.zeros((count, template.num_inputs, 4), dtype=np.uint64)
    if narrow:
        canonical = _canonical(part, flats, [name for name, _ in narrow])
        columns = np.array([column for _, column in narrow], dtype=np.int64)
        out[:, columns] = to_mont(engine, canonical.reshape(-1, 4)).reshape(count, -1, 4)
    if wide:
        canonical = _canonical(part, flats, [s.name for s in wide])
        bits = np.unpackbits(
            canonical.view(np.uint8).reshape(count, len(wide), 32), axis=2, bitorder="little"
        )
        for k, spec in enumerate(wide):
            over = bits[:, k, spec.width :].any(axis=1)
            if over.any():
                i = int(np.argmax(over))
                raise AssignmentError(
                    f"{part}[{i}]: input {spec.name!r} = {flats[i][spec.name]} does not fit its "
                    f"{spec.width} bits"
                )
            out[:, spec.column : spec.column + spec.width] = _BIT_MONT[bits[:, k, : spec.width]]
    return _with_links(engine, part, template, flats, out)


def _with_links(
    engine: Engine, part: str, template: Template, flats: list[dict[str, object]], inputs: U64
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
        canonical = _encode(rows, lambda k: f"{part}[{instances[k]}]: link {names[k]!r}")
        links[instances, columns] = to_mont(engine, canonical)
        given[instances, columns] = True
    return Assigned(inputs, links, given)


def _canonical(part: str, flats: list[dict[str, object]], names: list[str]) -> U64:
    """Values of ``names`` in every instance, canonical, shape (N, len(names), 4)."""
    width = len(names)
    values = [flat[name] for flat in flats for name in names]
    return _encode(values, lambda k: f"{part}[{k // width}]: input {names[k % width]!r}").reshape(
        -1, width, 4
    )


def _encode(values: Sequence[object], describe: Callable[[int], str]) -> U64:
    """Integers as canonical limbs; on bad ones an error that ``describe(position)`` begins."""
    try:
        limbs = canonical_array(values)  # type: ignore[arg-type]
    except (AttributeError, OverflowError, TypeError):
        limbs = None
    if limbs is not None:
        top = limbs[:, 3] >= _MODULUS_LIMBS[3]
        if not top.any() or all(values[int(k)] < MODULUS for k in np.flatnonzero(top)):  # type: ignore[operator]
            return limbs
    for k, value in enumerate(values):
        if not isinstance(value, int):
            raise AssignmentError(f"{describe(k)} must be an integer, not {type(value).__name__}")
        if not 0 <= value < MODULUS:
            raise AssignmentError(f"{describe(k)} = {value} is not a field element; reduce it mod r")
    raise AssertionError("every value is a field element, yet they could not be encoded")


def public_values(names: Sequence[str], values: Mapping[str, object]) -> U64:
    """The public inputs in order, canonical."""
    for name in names:
        if name not in values:
            raise AssignmentError(f"no value for the public input {name!r}")
    for name in values:
        if name not in names:
            raise AssignmentError(f"there is no public input {name!r}")
    return _encode([values[n] for n in names], lambda k: f"public input {names[k]!r}")


def to_mont(engine: Engine, canonical: U64) -> U64:
    return engine.fr_to_mont(np.ascontiguousarray(canonical)) if len(canonical) else canonical
