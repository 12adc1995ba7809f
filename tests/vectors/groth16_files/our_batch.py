"""Writes a batch circuit of ours as circom's files, with witness and one-party key, for snarkjs to look at.

    python our_batch.py /tmp/batch
    npx snarkjs r1cs info /tmp/batch.r1cs
    npx snarkjs wtns check /tmp/batch.r1cs /tmp/batch.wtns
    node prove.mjs /tmp/batch.zkey /tmp/batch.wtns

in a folder as generate.mjs describes it. The batch has two slots, without transactions, in a small tree.
"""

from __future__ import annotations

import sys

from zkrollup.circuits.batch import batch_circuit
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs.symbols import wire_names
from zkrollup.engine import get_engine
from zkrollup.formats.r1cs import write_layout
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import write_zkey
from zkrollup.operator import engine_hasher
from zkrollup.state import BatchContext, BatchParameters, StateTree, apply_batch
from zkrollup.state.public_data import public_data, public_inputs

name = sys.argv[1]
engine = get_engine()
hasher = engine_hasher(engine)
parameters = BatchParameters(2, 2, 0)
circuit = batch_circuit(parameters)
trace = apply_batch(StateTree.in_memory(2, hasher), [], BatchContext(parameters, 31337, 0xC0FFEE, 1, ()))
inputs = public_inputs(public_data(trace), 0xC0FFEE, hasher)
public, parts = circuit.assignment(trace, z=inputs.challenge, hasher=hasher, modulus=MODULUS)
witness = circuit.r1cs.witness(engine, public=public, parts=parts)
assert not circuit.r1cs.check(engine, witness)

layout = circuit.r1cs.layout
write_layout(f"{name}.r1cs", layout, engine)
SymFile.write_wires(f"{name}.sym", wire_names(circuit.r1cs))
WtnsFile(engine.fr_from_mont(witness.values)).write(f"{name}.wtns")
write_zkey(f"{name}.zkey", layout, engine.groth16_setup(layout), engine)
print(f"{name}: {layout.num_rows} constraints, {layout.num_columns} wires")
