"""A small circuit with everything a big one has: instances, links, publics, zero columns in B."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.cs import R1CS, ConstraintSystem, System, Witness
from zkrollup.engine.interface import Engine
from zkrollup.groth16.proving_key import ProvingKey
from zkrollup.groth16.setup import unsafe_setup

R = FR_MODULUS


def small_circuit(steps: int = 3) -> R1CS:
    """Knows x with x_0 = x, x_{i+1} = x_i^3 + x_i + 5, x_steps = out, and a bit b with b * x = masked."""
    cs = ConstraintSystem("step", parameters={})
    x = cs.link("x")
    cs.export("x_after", x.square() * x + x + 5)
    step = cs.freeze()
    cs = ConstraintSystem("ends", parameters={})
    x0, out, last, masked = cs.input("x0"), cs.link("out"), cs.link("last"), cs.link("masked")
    bit = cs.input_bool("bit")
    cs.export("x0_wire", x0)
    cs.assert_equal(last, out, label="the last value is public")
    (bit * x0).assert_equal(masked)
    ends = cs.freeze()
    system = System("small", public=["out", "masked"])
    ends_part = system.add("ends", ends)
    steps_part = system.add("steps", step, instances=steps)
    steps_part.connect("x", first=ends_part.wire("x0_wire"), chain="x_after")
    ends_part.connect("out", system.public("out"))
    ends_part.connect("masked", system.public("masked"))
    ends_part.connect("last", steps_part.wire("x_after", instance=-1))
    return system.freeze()


def small_witness(r1cs: R1CS, engine: Engine, x: int = 3, bit: int = 1, steps: int = 3) -> Witness:
    """The witness for x and bit."""
    values = [x]
    for _ in range(steps):
        values.append((values[-1] ** 3 + values[-1] + 5) % R)
    return r1cs.witness(
        engine,
        public={"out": values[-1], "masked": bit * x % R},
        parts={
            "ends": [{"x0": x, "bit": bit, "last": values[-1]}],
            "steps": [{"x": value} for value in values[:-1]],
        },
    )


@dataclass(frozen=True)
class Small:
    """The circuit, its key and one witness."""

    r1cs: R1CS
    key: ProvingKey
    witness: Witness
    engine: Engine


@pytest.fixture(scope="session")
def small(engine: Engine) -> Small:
    r1cs = small_circuit()
    return Small(r1cs, unsafe_setup(r1cs, engine), small_witness(r1cs, engine), engine)
