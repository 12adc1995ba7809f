"""A workshop for batches, honest and forged: small trees, real signatures, any engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from zkrollup.circuits.batch import BatchCircuit, batch_circuit
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import Failure, SeamFailure
from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    BatchTrace,
    StateTree,
    Transaction,
    apply_batch,
    sign_transaction,
)
from zkrollup.state.batch import _finish
from zkrollup.state.transition import Ledger, Transition

CHAIN, ROLLUP, CONTRACT = 31337, 0xC0FFEE, 0xC0FFEE
DEPTH, SLOTS, FEE_TOKENS = 2, 2, 2
OWNERS = [PrivateKey(bytes([i + 1]) * 32) for i in range(4)]


def account(owner: int, token: int = 0, balance: int = 1000, nonce: int = 0) -> Account:
    """An account of one of the four owners."""
    ax, ay = OWNERS[owner].public_key
    return Account(token, nonce, balance, ax, ay, 0xE0 + owner)


def agreed(transaction: Any) -> dict[str, Any]:
    """What a decision takes over from the transaction that was signed."""
    return {
        "signature": transaction.signature,
        "valid_until": transaction.valid_until,
        "memo": transaction.memo,
        "group": transaction.group,
        "core": transaction.core(CHAIN, ROLLUP),
    }


@dataclass
class Workshop:
    """A state with accounts 1..4 (0, 1, 2 of token 0; 3 of token 7) and a circuit for its batches."""

    engine: Engine
    state: StateTree
    circuit: BatchCircuit
    context: BatchContext

    def sign(self, transaction: Any, owner: int, **domain: int) -> Any:
        """The transaction signed for this chain and rollup, unless told otherwise."""
        return sign_transaction(
            transaction, OWNERS[owner], domain.get("chain_id", CHAIN), domain.get("rollup_id", ROLLUP)
        )

    def signed(self, transaction: Any, owner: int, **domain: int) -> dict[str, Any]:
        """What a decision takes over from the transaction, signed so."""
        return agreed(self.sign(transaction, owner, **domain))

    def apply(self, *transactions: Transaction) -> BatchTrace:
        """What the state machine makes of these."""
        return apply_batch(self.state, transactions, self.context)

    def forge(self, *decided: Transition) -> BatchTrace:
        """A trace of decisions that nobody checked: the hashes are right, the rules need not be."""
        ledger = Ledger(self.state)
        for decision in decided:
            ledger.apply(decision.first, decision.second)
        return _finish(self.state, ledger, decided, self.context)

    def failures(
        self, trace: BatchTrace, change: Callable[[dict[str, list[dict[str, Any]]]], None] | None = None
    ) -> set[str]:
        """``scope/label`` of all rows, ``seam link`` of all seams that this batch breaks.

        ``change`` may alter the assignment first.
        """
        public, parts = self.circuit.assignment(
            trace, z=0x1234567, hasher=engine_hasher(self.engine), modulus=MODULUS
        )
        if change is not None:
            change(parts)
        r1cs = self.circuit.r1cs
        witness = r1cs.witness(self.engine, public=public, parts=parts)
        return {label_of(failure) for failure in r1cs.check(self.engine, witness)}


def label_of(failure: Failure) -> str:
    """A row's scope and label, or ``seam NAME`` for a link that is not its source."""
    if isinstance(failure, SeamFailure):
        return f"seam {failure.link}"
    return f"{failure.scope}/{failure.label}"


@pytest.fixture
def workshop(engine: Engine) -> Workshop:
    parameters = BatchParameters(SLOTS, DEPTH, FEE_TOKENS)
    state = StateTree.in_memory(DEPTH, engine_hasher(engine))
    state.seed([account(0), account(1), account(2), account(3, token=7)])
    context = BatchContext(parameters, CHAIN, ROLLUP, 1, ((0, 3),))
    return Workshop(engine, state, batch_circuit(parameters), context)
