"""A rollup for tests: wallets, state and contract in step, and a key whose proofs can be simulated.

This module must not be imported by anything that runs a rollup: whoever holds a simulated key can
prove anything.

With a :class:`SimulatedKey` the contract checks real pairings on real public inputs although nothing is
proved, so that everything around the proof can be tested in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import BatchHeader, Config, KeyVerifier, RollupContract, World
from zkrollup.l1.interface import VerifierBehaviour
from zkrollup.l1.world import Verifier
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    BatchTrace,
    Deposit,
    StateTree,
    Transaction,
    Transfer,
    Withdraw,
    apply_batch,
    sign_transaction,
)
from zkrollup.state.context import FeeEntry
from zkrollup.state.public_data import PublicData, encode, public_data, public_inputs
from zkrollup.state.transactions import Request, Signed
from zkrollup.testing.proofs import SimulatedKey

__all__ = [
    "CHAIN_ID",
    "CONTRACT",
    "ROLLUP_ID",
    "SimulatedKey",
    "SimulatedRollup",
    "Wallet",
    "make_wallets",
    "unsafe_accept_any_proof",
]

CHAIN_ID = 31337
ROLLUP_ID = 0xA11CE
CONTRACT = 0xC0DE


@dataclass(frozen=True)
class Wallet:
    """A key, the address that it withdraws to, and its signing for one chain and rollup."""

    key: PrivateKey
    eth_address: int
    chain_id: int = CHAIN_ID
    rollup_id: int = ROLLUP_ID

    def account(self, token: int = 7, balance: int = 1000, nonce: int = 0) -> Account:
        """An account of this wallet, to be seeded."""
        return Account(token, nonce, balance, *self.key.public_key, self.eth_address)

    def deposit(self, amount: int, token: int = 7) -> Deposit:
        """A deposit for this wallet."""
        return Deposit(token, amount, *self.key.public_key, self.eth_address)

    def transfer(
        self, sender: int, recipient: int, amount: int, *, fee: int = 0, nonce: int = 0, token: int = 7
    ) -> Transfer:
        """A transfer signed by this wallet."""
        return self.sign(Transfer(sender, recipient, token, amount, fee, nonce))

    def withdraw(
        self,
        sender: int,
        amount: int,
        *,
        fee: int = 0,
        nonce: int = 0,
        token: int = 7,
        eth_address: int | None = None,
    ) -> Withdraw:
        """A withdraw signed by this wallet, to its own address unless told otherwise."""
        address = self.eth_address if eth_address is None else eth_address
        return self.sign(Withdraw(sender, address, token, amount, fee, nonce))

    def sign(self, transaction: Signed) -> Signed:
        """The transaction with this wallet's signature, whether the account is its own or not."""
        return sign_transaction(transaction, self.key, self.chain_id, self.rollup_id)


def make_wallets(count: int) -> list[Wallet]:
    """The same ``count`` wallets each time."""
    return [Wallet(PrivateKey(bytes([i + 1]) * 32), 0xE000 + i) for i in range(count)]


def unsafe_accept_any_proof(inputs: Sequence[int], proof: Proof) -> bool:
    """A verifier that verifies nothing, to be passed as ``verifier`` where proofs are not the matter."""
    return True


class SimulatedRollup:
    """A state and a contract that start from the same genesis and move by the same batches.

    ``operator`` and ``governor`` are the first two of the chain's accounts. The tokens 1 to ``TOKENS`` are
    registered ERC-20s. Without ``verifier`` proofs are checked under ``key``; exits need no proof.
    """

    TOKENS = 9

    def __init__(
        self,
        parameters: BatchParameters,
        accounts: Iterable[Account] = (),
        *,
        state: StateTree | None = None,
        key: SimulatedKey | None = None,
        verifier: Verifier | None = None,
        **config: Any,
    ) -> None:
        self.parameters = parameters
        self.key = SimulatedKey() if key is None else key
        self.state = StateTree.in_memory(parameters.depth) if state is None else state
        self.state.seed(accounts)
        world = World()
        self.operator, self.governor = world.accounts[:2]
        checked = KeyVerifier(self.key.verifying_key, allow_insecure_key=True)
        arguments: dict[str, Any] = {
            "verifier": world.deploy_verifier(checked if verifier is None else verifier),
            "exit_verifier": world.deploy_verifier(VerifierBehaviour.ACCEPTS),
            "operator": self.operator,
            "governor": self.governor,
            "genesis_root": self.state.root,
            "genesis_next_index": self.state.next_index,
            "parameters": parameters,
            "rollup_id": ROLLUP_ID,
        }
        self.contract = RollupContract(
            Config(**(arguments | config)), world=world, chain_id=CHAIN_ID, address=CONTRACT
        )
        holdings = dict.fromkeys(range(self.TOKENS + 1), 0)
        for _, account in self.state.accounts():
            holdings[account.token] = holdings.get(account.token, 0) + account.balance
        self.contract.back(holdings)

    def deposit(self, request: Deposit, *, sender: int | None = None) -> int:
        """Queue a deposit, paid by its owner unless told otherwise, who is given the money first."""
        sender = request.eth_address if sender is None else sender
        self.contract.fund(sender, request.token, request.amount)
        return self.contract.deposit(
            request.token, request.amount, request.ax, request.ay, request.eth_address, sender=sender
        )

    def request(self, request: Request) -> int:
        """Queue a deposit or a forced exit."""
        if isinstance(request, Deposit):
            return self.deposit(request)
        return self.contract.request_exit(request.account, sender=request.eth_address)

    def context(self, fee_entries: tuple[FeeEntry, ...] = ()) -> BatchContext:
        """What the next batch fixes."""
        number = self.contract.executed + 1
        return BatchContext(self.parameters, CHAIN_ID, ROLLUP_ID, number, fee_entries)

    def apply(
        self, transactions: Iterable[Transaction] = (), fee_entries: tuple[FeeEntry, ...] = ()
    ) -> BatchTrace:
        """Apply the contract's whole queue, then ``transactions``, to the state alone."""
        requests = [queued.request for queued in self.contract.queue]
        return apply_batch(self.state, [*requests, *transactions], self.context(fee_entries))

    def call(self, trace: BatchTrace) -> tuple[bytes, int, Proof]:
        """What is to be submitted for a batch: data, commitment and a simulated proof."""
        return self.call_for(public_data(trace))

    def call_for(self, data: PublicData) -> tuple[bytes, int, Proof]:
        """The same for any public data, whether a batch gave it or not."""
        inputs = public_inputs(data, CONTRACT)
        return encode(data), inputs.commitment, self.key.unsafe_prove(inputs)

    def submit(self, trace: BatchTrace) -> BatchHeader:
        """Move the contract by a batch."""
        return self.submit_call(*self.call(trace))

    def submit_call(self, data: bytes, commitment: int, proof: Proof) -> BatchHeader:
        """Commit, prove and execute at once, by the operator, on the last executed batch."""
        previous = self.contract.header(self.contract.executed)
        return self.contract.submit_batch(previous, data, commitment, proof, sender=self.operator)
