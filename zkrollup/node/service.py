"""The node at work: one loop for each stage, so that a batch is proved while the next one is built.

This module must not hold rules: sequencer, prover and submitter do, and they block. Each has a thread of its
own here (the sequencer's is the only one that touches the file), and asyncio waits for them. Whatever is
under way can be cut off at any moment, because each stage begins from what the file and L1 say.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from zkrollup.l1.evm.transport import EvmError
from zkrollup.l1.interface import L1
from zkrollup.l1.reverts import Revert
from zkrollup.node.errors import (
    ContractFrozen,
    ForeignBatch,
    ProofDoesNotHold,
    ProofTimedOut,
    WorkerDied,
)
from zkrollup.node.follow import follow
from zkrollup.node.l1view import L1View
from zkrollup.node.prover import ATTEMPTS, Prover, prove_checked
from zkrollup.node.sequencer import LeftForGas, Receipt, Sequencer
from zkrollup.node.store import StoredBatch
from zkrollup.node.submitter import Call, Observer, Submitter, perform
from zkrollup.state.trace import BatchTrace
from zkrollup.state.transactions import SignedTransaction

__all__ = ["Node", "Progress", "Proving"]

log = logging.getLogger("zkrollup.node")

Result = TypeVar("Result")

IDLE_SECONDS = 0.25
"""How often L1 and the clock are looked at when nothing else happens."""

SWEEP_SECONDS = 1.0
"""How often the whole mempool is looked at for what can never be applied."""

MAX_BACKOFF = 30.0


@dataclass(frozen=True)
class Proving:
    """A batch that is being proved: which attempt of how many, since when (:func:`time.monotonic`), and why
    the one before failed. ``gave_up``: that was the last."""

    batch: int
    attempt: int
    attempts: int
    since: float
    failure: str = ""
    gave_up: bool = False
    data: bytes = field(default=b"", repr=False)


@dataclass
class Progress:
    """What the node has done since it started, for people and for metrics."""

    started: float = field(default_factory=time.time)
    accepted: int = 0
    refused: int = 0
    built: int = 0
    proved: int = 0
    executed: int = 0
    dropped_by_l1: int = 0
    rebuilt: int = 0
    adopted: int = 0
    build_seconds: float = 0.0
    prove_seconds: float = 0.0
    l1_calls: int = 0
    l1_failures: int = 0
    proof_failures: int = 0
    proving: Proving | None = None
    last_error: str = ""
    messages: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    def say(self, text: str) -> None:
        """Something worth a line."""
        self.messages.append(text)
        log.info("%s", text)


class Node:
    """Sequencer, prover and submitter, running.

    ``l1`` is called with ``operator`` as the sender. :meth:`run` returns after :meth:`stop`, or raises what
    cannot be recovered from.
    """

    def __init__(self, sequencer: Sequencer, prover: Prover, l1: L1, *, operator: int) -> None:
        self.sequencer = sequencer
        self.prover = prover
        self.l1 = l1
        self.operator = operator
        self.submitter = Submitter(sequencer)
        self.observer = Observer(l1)
        self.progress = Progress()
        self.view: L1View | None = None
        self.stopping = False
        self._failures = 0
        self._swept = 0.0
        self._core = ThreadPoolExecutor(1, "sequencer")
        self._chain = ThreadPoolExecutor(1, "l1")
        self._proofs = ThreadPoolExecutor(1, "prover")
        self._changed = asyncio.Condition()
        self._ticks = 0

    # -- threads ---------------------------------------------------------------------------------

    async def core(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Runs ``work`` where the file may be touched."""
        return await asyncio.get_running_loop().run_in_executor(self._core, work, *arguments)

    async def on_l1(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Runs ``work`` where L1 may be called."""
        return await asyncio.get_running_loop().run_in_executor(self._chain, work, *arguments)

    # -- what clients ask for --------------------------------------------------------------------

    async def submit(
        self, transactions: list[SignedTransaction], chain_id: int, rollup_id: int
    ) -> list[Receipt]:
        """Takes a transaction or a group in; on disk when this returns. Raises :class:`ContractFrozen`."""
        if self.view is not None and self.view.frozen:
            raise ContractFrozen()
        tokens = None if self.view is None else self.view.tokens
        try:
            receipts = await self.core(
                lambda: self.sequencer.submit(
                    transactions, chain_id=chain_id, rollup_id=rollup_id, tokens=tokens
                )
            )
        except Exception:
            self.progress.refused += len(transactions)
            raise
        self.progress.accepted += sum(not receipt.known for receipt in receipts)
        await self.wake()
        return receipts

    async def wake(self) -> None:
        """Something has changed: every stage looks again."""
        async with self._changed:
            self._ticks += 1
            self._changed.notify_all()

    # -- running ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs the stages until :meth:`stop`."""
        stages = [
            asyncio.create_task(self._stage(step), name=name)
            for name, step in (
                ("submit", self._submit_step),
                ("build", self._build_step),
                ("prove", self._prove_step),
            )
        ]
        try:
            done, _ = await asyncio.wait(stages, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self.stopping = True
            await self.wake()
            for task in stages:
                task.cancel()
            await asyncio.gather(*stages, return_exceptions=True)

    async def stop(self) -> None:
        """Ends :meth:`run`: takes nothing more, and lets what is being written be written."""
        self.stopping = True
        await self.wake()

    def close(self) -> None:
        """Ends the worker and waits for the threads; to be called after :meth:`run`."""
        self.prover.close()
        for pool in (self._proofs, self._chain, self._core):
            pool.shutdown(wait=True, cancel_futures=True)

    async def _stage(self, step: Callable[[], Any]) -> None:
        """One step after the other: at once after one that did something, else when something changes."""
        while not self.stopping:
            seen = self._ticks
            if await step():
                await self.wake()
                continue
            try:
                async with self._changed:
                    await asyncio.wait_for(
                        self._changed.wait_for(partial(self._moved_since, seen)), IDLE_SECONDS
                    )
            except TimeoutError:
                continue

    def _moved_since(self, ticks: int) -> bool:
        return self._ticks != ticks or self.stopping

    async def _build_step(self) -> bool:
        view = self.view
        if view is None:
            return False
        start = time.perf_counter()

        sweep = start - self._swept >= SWEEP_SECONDS
        if sweep:
            self._swept = start

        def work() -> StoredBatch | None:
            if sweep:
                self.sequencer.sweep()
            return self.sequencer.build(view)

        batch = await self.core(work)
        if batch is None:
            return False
        self.progress.built += 1
        self.progress.build_seconds = time.perf_counter() - start
        left = self.sequencer.left_for_gas
        self.progress.say(
            f"built batch {batch.number}: {len(batch.transactions)} transactions, {len(batch.data)} bytes"
            + _left_text(left)
        )
        return True

    async def _prove_step(self) -> bool:
        """Proves the oldest batch that has no proof. One that failed as often as it is tried is left until
        the node starts again, or another batch takes its place."""

        def first() -> tuple[StoredBatch, BatchTrace] | None:
            """Both at once: a batch may be rolled back, and another one built, at any time."""
            number = self.sequencer.store.first_unproved()
            batch = None if number is None else self.sequencer.store.batch(number)
            return None if batch is None else (batch, self.sequencer.trace(batch.number))

        found = await self.core(first)
        if found is None:
            self.progress.proving = None
            return False
        batch, trace = found
        known = self.progress.proving
        if known is not None and known.gave_up and known.data == batch.data:
            return False
        start = time.perf_counter()

        def failed(attempt: int, failure: str) -> None:
            self.progress.proof_failures += 1
            self.progress.say(f"batch {batch.number}, attempt {attempt} of {ATTEMPTS}: {failure}")

        def tell(attempt: int, failure: str) -> None:
            if failure:
                failed(attempt - 1, failure)
            self.progress.proving = Proving(batch.number, attempt, ATTEMPTS, time.monotonic(), failure)

        try:
            proof = await asyncio.get_running_loop().run_in_executor(
                self._proofs, prove_checked, self.prover, trace, batch.inputs, ATTEMPTS, tell
            )
        except (WorkerDied, ProofTimedOut, ProofDoesNotHold) as error:
            if self.stopping:
                return False
            failed(ATTEMPTS, str(error))
            self.progress.proving = Proving(
                batch.number, ATTEMPTS, ATTEMPTS, time.monotonic(), str(error), True, batch.data
            )
            self.progress.say(f"batch {batch.number} is not proved until the node starts again")
            return False
        self.progress.proving = None

        def keep() -> bool:
            return self.sequencer.keep_proof(batch, proof)

        if await self.core(keep):
            self.progress.proved += 1
            self.progress.prove_seconds = time.perf_counter() - start
            self.progress.say(f"proved batch {batch.number} in {self.progress.prove_seconds:.2f} s")
        return True

    async def _submit_step(self) -> bool:
        try:
            beyond = await self.core(self.sequencer.store.requests_after)
            view = await self.on_l1(self.observer.observe, beyond)
            before = self.view
            self.view = view
            try:
                found = await self.core(self.submitter.reconcile, view)
            except ForeignBatch as foreign:
                self.progress.say(str(foreign))
                await self._follow()
                return True
        except (OSError, EvmError, KeyError) as error:  # KeyError: a batch went away while it was looked at
            await self._back_off(f"L1 does not answer: {error}")
            return False
        if before is not None and view.executed > before.executed:
            self.progress.executed += view.executed - before.executed
            self.progress.say(f"executed up to batch {view.executed} on L1")
        if found.dropped:
            self.progress.dropped_by_l1 += found.dropped
            self.progress.say(f"L1 dropped {found.dropped} batches: they are submitted again")
        if found.rebuilt:
            self.progress.rebuilt += found.rebuilt
            self.progress.say(f"rolled {found.rebuilt} batches back; {found.waiting_again} wait again")
            return True
        if found.forgotten:
            self.progress.say(f"{found.forgotten} batches are final: only their roots are kept from now on")
        if found.call is None:
            self._recovered()
            return before != view
        return await self._perform(found.call)

    async def _follow(self) -> None:
        """Takes over what somebody else has executed."""
        found = await self.core(follow, self.sequencer, self.l1)
        self.progress.adopted += found.adopted
        self.progress.say(
            f"took {found.adopted} batches over from L1, {found.discarded} of the node's own are undone, "
            f"{found.waiting_again} transactions wait again"
        )

    async def _perform(self, call: Call) -> bool:
        try:
            await self.on_l1(perform, self.l1, call, self.operator)
        except (Revert, OSError, EvmError, KeyError) as error:  # KeyError: a batch on L1 went away meanwhile
            self.progress.l1_failures += 1
            await self._back_off(f"{call.action} of batch {call.number}: {error}")
            return False
        self.progress.l1_calls += 1
        self._recovered()
        return True

    def _recovered(self) -> None:
        """L1 answers and takes what it is given."""
        self._failures, self.progress.last_error = 0, ""

    async def _back_off(self, text: str) -> None:
        """Wait before L1 is tried again, longer each time."""
        self._failures += 1
        self.progress.last_error = text
        self.progress.say(text)
        if not self.stopping:
            await asyncio.sleep(min(MAX_BACKOFF, IDLE_SECONDS * 2**self._failures))

    def proving_facts(self, number: int | None = None) -> dict[str, Any] | None:
        """Where the prover stands with the batch that it is at, or with this one if it is at that."""
        proving = self.progress.proving
        if proving is None or number not in (None, proving.batch):
            return None
        return {
            "batch": proving.batch,
            "attempt": proving.attempt,
            "attempts": proving.attempts,
            "seconds": round(time.monotonic() - proving.since, 3),
            "failure": proving.failure,
            "gave_up": proving.gave_up,
        }

    # -- for people ------------------------------------------------------------------------------

    async def summary(self) -> dict[str, Any]:
        """Where everything stands."""
        return await self.core(self._summary)

    def _summary(self) -> dict[str, Any]:
        store, view, progress = self.sequencer.store, self.view, self.progress
        state = store.state.meta
        return {
            "chain_id": store.identity.chain_id,
            "rollup_id": store.identity.rollup_id,
            "contract": store.identity.contract,
            "slots": store.identity.slots,
            "depth": store.identity.depth,
            "fee_tokens": store.identity.fee_tokens,
            "root": state.root,
            "next_index": state.next_index,
            "last_batch": state.batch_number,
            "last_proved": store.last_proved(),
            "last_executed": store.last_executed(),
            "waiting": len(self.sequencer.mempool),
            "in_flight": len(store.status_numbers()),
            "proving": None if progress.proving is None else progress.proving.batch,
            "prover": self.proving_facts(),
            "fee_accounts": dict(self.sequencer.policy.fee_accounts),
            "min_fees": dict(self.sequencer.policy.min_fees),
            "l1": None
            if view is None
            else {
                "block": view.block_number,
                "committed": view.committed,
                "proved": view.proved,
                "executed": view.executed,
                "requests_waiting": len(view.requests),
                "tokens": len(view.tokens),
                "frozen": view.frozen,
                "gas_limit": view.gas_limit,
            },
        }


def _left_text(left: LeftForGas | None) -> str:
    if left is None:
        return ""
    return f"; {left.transactions} more wait, with which it could take above {left.limit:,} gas on L1"
