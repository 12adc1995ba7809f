"""A node for tests: its proofs are simulated, its clock is set by hand, and it runs step by step.

This module must not be imported by anything that runs a rollup: whoever holds a simulated key can prove
anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from zkrollup.groth16.keys import Proof, VerifyingKey
from zkrollup.node.embedded import Embedded, open_embedded
from zkrollup.node.policy import Policy
from zkrollup.node.prover import prove_checked
from zkrollup.node.sequencer import Receipt
from zkrollup.node.store import StoredBatch
from zkrollup.node.submitter import Observer, Reconciled, Submitter, perform
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import PublicInputs
from zkrollup.state.trace import BatchTrace
from zkrollup.state.transactions import SignedTransaction
from zkrollup.testing.rollup import SimulatedKey, Wallet

__all__ = ["SimulatedProver", "StepNode"]


@lru_cache
def _simulated_key() -> SimulatedKey:
    return SimulatedKey()


class SimulatedProver:
    """Proofs without a circuit; ``made`` counts them."""

    def __init__(self) -> None:
        self._key = _simulated_key()
        self.made = 0

    @property
    def verifying_key(self) -> VerifyingKey:
        """The key that its proofs verify under, the same one each time."""
        return self._key.verifying_key

    def prove(self, trace: BatchTrace, inputs: PublicInputs) -> Proof:
        """A proof for exactly these inputs."""
        self.made += 1
        return self._key.unsafe_prove(inputs)

    def close(self) -> None:
        """Nothing to close."""


class StepNode:
    """A node with an embedded L1 in a directory, that does one thing at a time.

    ``now`` is its clock. :meth:`restart` opens the directory again, as after a kill.
    """

    def __init__(
        self, directory: Path, *, slots: int = 4, depth: int = 3, policy: Policy | None = None
    ) -> None:
        self.directory = directory
        self.parameters = BatchParameters(slots, depth, 1)
        self.policy = Policy() if policy is None else policy
        self.now = 1_000.0
        self.parts: Embedded
        self._open()

    def _open(self) -> None:
        self.parts = open_embedded(
            self.directory, self.parameters, self.policy, make_prover=lambda known: SimulatedProver()
        )
        self.sequencer = self.parts.sequencer
        self.sequencer.clock = lambda: self.now
        self.store = self.parts.store
        self.chain = self.parts.chain
        self.l1 = self.chain.world
        self.observer = Observer(self.l1)
        self.submitter = Submitter(self.sequencer, clock=lambda: self.now)

    def restart(self) -> None:
        """Opens everything again."""
        self.parts.close()
        self._open()

    def close(self) -> None:
        """Closes everything."""
        self.parts.close()

    def pay_in(self, wallet: Wallet, amount: int, token: int = 0) -> int:
        """A deposit on L1; returns the request's number."""
        self.l1.fund(wallet.eth_address, token, amount)
        ax, ay = wallet.key.public_key
        return self.l1.deposit(token, amount, ax, ay, wallet.eth_address, sender=wallet.eth_address)

    def for_here(self, wallet: Wallet) -> Wallet:
        """The wallet, signing for this chain and rollup."""
        identity = self.store.identity
        return replace(wallet, chain_id=identity.chain_id, rollup_id=identity.rollup_id)

    def submit(self, *transactions: SignedTransaction) -> list[Receipt]:
        """Hands in one transaction, or a group."""
        identity = self.store.identity
        return self.sequencer.submit(
            transactions, chain_id=identity.chain_id, rollup_id=identity.rollup_id, tokens=frozenset({0})
        )

    def build(self) -> StoredBatch | None:
        """Builds a batch, full or not."""
        view = self.observer.observe(self.store.requests_after())
        return self.sequencer.build(view, force=True)

    def prove(self) -> int | None:
        """Proves the oldest batch without a proof; its number."""
        number = self.store.first_unproved()
        if number is None:
            return None
        batch = self.store.batch(number)
        assert batch is not None
        proof = prove_checked(self.parts.prover, self.sequencer.trace(number), batch.inputs)
        assert self.sequencer.keep_proof(batch, proof)
        return number

    def look(self) -> Reconciled:
        """Compares with L1, and calls nothing."""
        return self.submitter.reconcile(self.observer.observe(self.store.requests_after()))

    def submit_to_l1(self) -> str | None:
        """Makes the call that is due; its name."""
        found = self.look()
        if found.call is None:
            return None
        perform(self.l1, found.call, self.l1.accounts[0])
        return found.call.action

    def settle(self, *, batches: int = 1_000) -> None:
        """Builds, proves and submits until nothing is left to do."""
        for _ in range(batches):
            found = self.look()
            if self.build() is None and self.prove() is None and found.call is None:
                return
            while self.prove() is not None:
                pass
            while self.submit_to_l1() is not None:
                pass
        raise AssertionError("the node does not settle")

    def statuses(self, ids: Sequence[int]) -> list[str]:
        """What became of these transactions: their batch's status once they are in one."""
        found = []
        for identifier in ids:
            stored = self.store.find_transaction(identifier)
            batch = None if stored is None or stored.batch is None else self.store.batch(stored.batch)
            found.append("unknown" if stored is None else stored.status if batch is None else batch.status)
        return found
