"""The proving process: ``python -m zkrollup.node.worker FD``, started by :mod:`zkrollup.node.prover`.

This module must not know what its proofs are for. Over the socket ``FD`` it is sent its setup, answers with
the verifying key, and then with a proof for each trace. It ends when standard input does, which is when the
process that started it has ended, however that was.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from zkrollup.circuits.batch import batch_circuit
from zkrollup.crypto.tables import MODULUS
from zkrollup.engine import get_engine
from zkrollup.groth16.prove import prove
from zkrollup.groth16.setup import cached_key
from zkrollup.operator import engine_hasher
from zkrollup.state.parameters import BatchParameters

__all__ = ["Setup", "work"]


class Setup(NamedTuple):
    """What a worker needs to know once."""

    parameters: BatchParameters
    key_directory: Path | None
    threads: int | None


def work(pipe: Connection) -> None:
    """Serves until the other end closes."""
    setup: Setup = pipe.recv()
    engine = get_engine(threads=setup.threads)
    hasher = engine_hasher(engine)
    circuit = batch_circuit(setup.parameters)
    key, _ = cached_key(circuit.r1cs, engine, setup.key_directory)
    pipe.send(key.verifying_key)
    while True:
        try:
            trace, inputs = pipe.recv()
        except EOFError:
            return
        try:
            public, parts = circuit.assignment(trace, z=inputs.challenge, hasher=hasher, modulus=MODULUS)
            witness = circuit.r1cs.witness(
                engine, public=public, parts=parts, describe=circuit.describe(trace)
            )
            answer: bytes | str = prove(key, circuit.r1cs, witness, engine).to_bytes()
        except Exception as error:  # the node says which batch it was, and stops
            answer = f"{type(error).__name__}: {error}"
        pipe.send(answer)


def end_with_parent() -> None:
    """Nobody waits for the proof of a node that was killed."""

    def watch() -> None:
        while os.read(0, 1 << 10):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the node
    end_with_parent()
    work(Connection(int(sys.argv[1])))
