"""``prove`` and ``verify`` on the files of circom and snarkjs. It must not know a circuit or a format."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from zkrollup.cli import StatementFalse
from zkrollup.cli.show import say
from zkrollup.engine import get_engine
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.keys import Proof, VerifyingKey, load_public_inputs, public_inputs_to_json
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.verifier import verify

__all__ = ["prove_files", "verify_files"]


def prove_files(circuit: Path, witness: Path, proof: Path, public: Path, *, threads: int | None) -> None:
    """Makes a proof, verifies it, and only then writes it and the public inputs.

    Raises StatementFalse when the proof does not verify, ValueError or OSError for bad input, points off
    their curves among it: these are looked for when a proof does not verify, since that takes long.
    """
    for path in (proof, public):
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    start = time.perf_counter()
    engine = get_engine(threads=threads)
    key = Zkey.load(circuit, engine)
    values = WtnsFile.read_montgomery(witness, engine)
    wires = key.layout.num_columns
    if len(values) != wires:
        raise ValueError(f"{witness}: {len(values)} values, but {circuit} is for a circuit of {wires} wires")
    loaded = time.perf_counter()
    made = prove_unchecked(key, key.layout, values, engine)
    public_values = engine.fr_from_mont(values[1 : key.num_public + 1])
    holds = engine.groth16_verify(
        key.verifying_key.to_montgomery_bytes(),
        np.frombuffer(made.to_montgomery_bytes(), dtype="<u8").astype(np.uint64).reshape(1, 32),
        public_values.reshape(1, -1, 4),
    )
    if not holds[0]:
        key.check_points(engine)  # a damaged key is another matter than a wrong witness
        raise StatementFalse(
            f"{witness}: does not satisfy the circuit of {circuit}: the proof made from it does not hold, "
            "and nothing was written"
        )
    done = time.perf_counter()
    made.save(proof)
    public.write_text(public_inputs_to_json(ints_from_limbs(public_values)), encoding="ascii")
    say(
        f"{proof}: proof of {key.layout.num_rows} constraints, verified; files read in "
        f"{loaded - start:.2f} s, proved in {done - loaded:.2f} s"
    )


def verify_files(key: Path, public: Path, proof: Path) -> None:
    """Says that the proof holds; raises StatementFalse when it does not, ValueError for bad input."""
    vk = VerifyingKey.load(key)
    inputs = load_public_inputs(public)
    if len(inputs) != vk.num_public:
        raise ValueError(f"{public}: {len(inputs)} public inputs; {key} expects {vk.num_public}")
    if not verify(vk, inputs, Proof.load(proof)):
        raise StatementFalse(f"{proof}: the proof does not hold for {public} under {key}")
    say(f"{proof}: the proof holds")
