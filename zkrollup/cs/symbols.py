"""What every wire of a system is, for whoever looks at its files. It must not know any file's format."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zkrollup.engine.interface import U32

from .r1cs import R1CS
from .template import Template

__all__ = ["private_inputs", "wire_names"]


def private_inputs(r1cs: R1CS) -> U32:
    """The columns of the inputs of every instance, ascending."""
    found: list[U32] = [np.zeros(0, dtype=np.uint32)]
    for part in r1cs.parts:
        block = part.block
        bases = block.own_base + block.num_own * np.arange(block.instances)
        columns = bases[:, None] + np.arange(part.template.num_inputs)
        found.append(columns.reshape(-1).astype(np.uint32))
    return np.concatenate(found)


def wire_names(r1cs: R1CS) -> Iterator[str]:
    """Of columns 1, 2, ... in order: the public inputs, then every part's own wires, instance by instance.

    A name is ``part[instance].scope.wire``, as ``slots[3].sender.balance``, without the instance where there
    is one. Names are distinct: one that comes again within a template ends in ``#`` and its column.
    """
    yield from r1cs.public_names
    for part in r1cs.parts:
        names = _own_names(part.template)
        for instance in range(part.block.instances):
            owner = f"{part.name}[{instance}]" if part.block.instances > 1 else part.name
            for name in names:
                yield f"{owner}.{name}"


def _own_names(template: Template) -> list[str]:
    """A name for each own wire of a template, in the order of its columns."""
    taken: set[str] = set()
    names = []
    for column in range(template.num_links, template.num_links + template.num_own):
        scope, name = template.wire_scope(column), template.wire_name(column)
        full = name if not scope or name.startswith(f"{scope}.") else f"{scope}.{name}"
        full = full.replace("/", ".").replace(" ", "_").replace(",", ";")
        if full in taken:
            full = f"{full}#{column}"
        taken.add(full)
        names.append(full)
    return names
