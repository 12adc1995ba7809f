"""Names of wires: one for each column, distinct, saying part, instance and scope."""

from __future__ import annotations

from zkrollup.circuits.batch import batch_circuit
from zkrollup.cs import ConstraintSystem, System
from zkrollup.cs.symbols import wire_names
from zkrollup.state import BatchParameters


def test_wire_names__say_part_instance_and_scope() -> None:
    cs = ConstraintSystem("step", parameters={})
    x = cs.link("x")
    with cs.scope("power"):
        cube = x.square() * x
    cs.export("x_after", cube + 5)
    system = System("cubes", public=["start"])
    steps = system.add("steps", cs.freeze(), instances=2)
    steps.connect("x", first=system.public("start"), chain="x_after")
    r1cs = system.freeze()
    names = list(wire_names(r1cs))
    assert len(names) == r1cs.num_columns - 1
    assert names[0] == "start"
    assert names[1].startswith("steps[0].power.wire")
    assert names[-1] == "steps[1].x_after"


def test_wire_names__of_a_batch_are_distinct_and_fit_a_symbol_file() -> None:
    r1cs = batch_circuit(BatchParameters(2, 2, 1)).r1cs
    names = list(wire_names(r1cs))
    assert len(names) == len(set(names)) == r1cs.num_columns - 1
    assert all(name.isascii() and name.isprintable() and not {" ", ","} & set(name) for name in names)
    assert any(name.startswith("slots[1].") for name in names)
    assert any(name.startswith("header.") for name in names)
