"""Proofs from a process of their own, so that the node goes on while one is made.

This module must not know of stores or L1: a trace goes in, a proof comes out. The worker is a fresh
interpreter (spawned, not forked), maps the proving key there, and ends with the node, however that ends. One
that dies in the middle of a proof is started again. A proof is verified by the node before it is returned,
in the node's own process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from zkrollup.groth16.keys import Proof, VerifyingKey
from zkrollup.node.errors import L1Mismatch, ProofDoesNotHold, WorkerDied
from zkrollup.node.worker import Setup
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import PublicInputs
from zkrollup.state.trace import BatchTrace
from zkrollup.verifier import verify

__all__ = ["Prover", "WorkerProver", "prove_checked"]

ATTEMPTS = 3
"""How often a batch is tried before the node gives up on its prover."""


class Prover(Protocol):
    """Whatever makes proofs."""

    @property
    def verifying_key(self) -> VerifyingKey:
        """The key that its proofs verify under."""
        ...

    def prove(self, trace: BatchTrace, inputs: PublicInputs) -> Proof:
        """A proof of the batch; blocks until it is there. Raises :class:`WorkerDied`."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def prove_checked(prover: Prover, trace: BatchTrace, inputs: PublicInputs, attempts: int = ATTEMPTS) -> Proof:
    """A proof that verifies; a worker that dies, or a proof that does not hold, is tried again.

    Raises :class:`WorkerDied` or :class:`ProofDoesNotHold` when the last of ``attempts`` fails.
    """
    for attempt in range(1, attempts + 1):
        try:
            proof = prover.prove(trace, inputs)
        except WorkerDied:
            if attempt == attempts:
                raise
            continue
        if verify(prover.verifying_key, list(inputs), proof):
            return proof
        if attempt == attempts:
            break
    raise ProofDoesNotHold(trace.batch_number)


class WorkerProver:
    """A prover in a process of its own.

    The circuit's key comes from ``key_directory`` (default: the user's cache) and is made there when it is
    missing: INSECURE, as one party makes it. ``threads`` is the worker's share of the cores. Starting takes
    as long as recording the circuit; :attr:`verifying_key` waits for that unless a key is ``expected``. When
    the worker comes up with another one, :meth:`prove` raises :class:`L1Mismatch`.
    """

    def __init__(
        self,
        parameters: BatchParameters,
        *,
        key_directory: Path | None = None,
        threads: int | None = None,
        expected: VerifyingKey | None = None,
    ) -> None:
        self._setup = Setup(parameters, key_directory, threads)
        self._verifying_key = expected
        self._closed = False
        self._start()

    def _start(self) -> None:
        """A fresh interpreter with this one's path; its standard input is open as long as this process is."""
        ours, theirs = socket.socketpair()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "zkrollup.node.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": path},
            )
        self._pipe = Connection(ours.detach())
        self._ready = False
        try:
            self._pipe.send(self._setup)
        except OSError:
            self._ready = False  # it died at once: whoever waits for it hears of that

    def _wait_ready(self) -> None:
        if not self._ready:
            key = self._receive()
            if self._verifying_key is not None and self._verifying_key.digest != key.digest:
                raise L1Mismatch("verifying key", self._verifying_key.digest, key.digest)
            self._verifying_key, self._ready = key, True

    @property
    def process_id(self) -> int:
        """The worker's."""
        return self._process.pid

    @property
    def verifying_key(self) -> VerifyingKey:
        """The key that its proofs verify under; waits until the worker has it."""
        if self._verifying_key is None:
            self._wait_ready()
        assert self._verifying_key is not None
        return self._verifying_key

    def prove(self, trace: BatchTrace, inputs: PublicInputs) -> Proof:
        """A proof; raises :class:`WorkerDied` when the worker did, and has started another one then."""
        try:
            self._wait_ready()
            self._send((trace, inputs))
            answer = self._receive()
        except WorkerDied:
            if not self._closed:
                self._start()
            raise
        if isinstance(answer, str):
            raise RuntimeError(f"prover: batch {trace.batch_number}: {answer}")
        return Proof.from_bytes(answer)

    def _send(self, message: Any) -> None:
        try:
            self._pipe.send(message)
        except OSError:
            raise self._died() from None

    def _receive(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None

    def _died(self) -> WorkerDied:
        self._end()
        return WorkerDied(self._process.returncode)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._pipe.close()

    def close(self) -> None:
        """End the worker, whatever it does."""
        self._closed = True
        self._end()
