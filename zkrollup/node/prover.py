"""Proofs from a process of their own, so that the node goes on while one is made.

This module must not know of stores or L1: a trace goes in, a proof comes out. The worker is a fresh
interpreter (spawned, not forked), maps the proving key there, and ends with the node, however that ends. One
that dies in the middle of a proof is started again, and so is one that takes too long for it, which is killed
first. A proof is verified by the node before it is returned, in the node's own process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from zkrollup.groth16.keys import Proof, VerifyingKey
from zkrollup.node.errors import L1Mismatch, ProofDoesNotHold, ProofTimedOut, WorkerDied
from zkrollup.node.worker import Setup
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import PublicInputs
from zkrollup.state.trace import BatchTrace
from zkrollup.verifier import verify

__all__ = ["ATTEMPTS", "TIME_LIMIT", "Prover", "WorkerProver", "prove_checked"]

ATTEMPTS = 3
"""How often a batch is tried before the node gives up on its prover."""

TIME_LIMIT = 3_600.0
"""Seconds for a proof; 2,048 transfers take a hundred on two cores."""


class Prover(Protocol):
    """Whatever makes proofs."""

    @property
    def verifying_key(self) -> VerifyingKey:
        """The key that its proofs verify under."""
        ...

    def prove(self, trace: BatchTrace, inputs: PublicInputs) -> Proof:
        """A proof of the batch; blocks until it is there. Raises :class:`WorkerDied`,
        :class:`ProofTimedOut`."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def prove_checked(
    prover: Prover,
    trace: BatchTrace,
    inputs: PublicInputs,
    attempts: int = ATTEMPTS,
    tell: Callable[[int, str], None] = lambda attempt, failure: None,
) -> Proof:
    """A proof that verifies; where the worker dies or takes too long, or a proof does not hold, it is tried
    again.

    ``tell`` is called before each attempt with its number, from 1, and why the one before failed. Raises
    :class:`WorkerDied`, :class:`ProofTimedOut` or :class:`ProofDoesNotHold` when the last of ``attempts``
    fails.
    """
    failure: WorkerDied | ProofTimedOut | ProofDoesNotHold | None = None
    for attempt in range(1, attempts + 1):
        tell(attempt, "" if failure is None else str(failure))
        try:
            proof = prover.prove(trace, inputs)
        except (WorkerDied, ProofTimedOut) as error:
            failure = error
            continue
        if verify(prover.verifying_key, list(inputs), proof):
            return proof
        failure = ProofDoesNotHold(trace.batch_number)
    assert failure is not None
    raise failure


class WorkerProver:
    """A prover in a process of its own.

    The circuit's key comes from ``key_directory`` (default: the user's cache) and is made there when it is
    missing: INSECURE, as one party makes it. ``threads`` is the worker's share of the cores. Starting takes
    as long as recording the circuit; :attr:`verifying_key` waits for that unless a key is ``expected``. When
    the worker comes up with another one, :meth:`prove` raises :class:`L1Mismatch`.

    A proof may take ``time_limit`` seconds, and a worker that is started again as long to be ready (the first
    one has no limit, since it may have to make the key).
    """

    def __init__(
        self,
        parameters: BatchParameters,
        *,
        key_directory: Path | None = None,
        threads: int | None = None,
        expected: VerifyingKey | None = None,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self.time_limit = time_limit
        self._was_ready = False
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

    def _wait_ready(self, number: int = 0) -> None:
        if not self._ready:
            key = self._receive(number, self.time_limit if self._was_ready else None)
            if self._verifying_key is not None and self._verifying_key.digest != key.digest:
                raise L1Mismatch("verifying key", self._verifying_key.digest, key.digest)
            self._verifying_key, self._ready, self._was_ready = key, True, True

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
        """A proof; raises :class:`WorkerDied` when the worker did, :class:`ProofTimedOut` when it took too
        long, and has started another one then."""
        try:
            self._wait_ready(trace.batch_number)
            self._send((trace, inputs))
            answer = self._receive(trace.batch_number, self.time_limit)
        except (WorkerDied, ProofTimedOut):
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

    def _receive(self, number: int, seconds: float | None) -> Any:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None
        self._end()
        raise ProofTimedOut(number, seconds or 0.0)

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
