"""The rollup's contract as its callers see it, whatever stands behind: the model or a contract in an EVM.

This module must not know how any call is carried out.

Conventions of every backend: addresses are integers of 160 bits, ``sender`` is ``msg.sender``, amounts are
in the token's smallest unit, token 0 is ETH. Time is ``block_number``: the block in which the next call
runs. A call that the contract refuses raises the :class:`~zkrollup.l1.reverts.Revert` of the error's name
and changes nothing; an argument that does not fit its Solidity type raises
:class:`~zkrollup.state.exceptions.OutOfRange` before anything is sent. Backends on which every transaction
is a block of its own move ``block_number`` by themselves, others by :meth:`L1World.mine` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from zkrollup.groth16.keys import Proof
from zkrollup.l1.events import LoggedEvent
from zkrollup.l1.headers import BatchHeader
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.transactions import Deposit

__all__ = [
    "DEPOSIT_CAP",
    "ETH",
    "L1",
    "OPERATOR_DELAY",
    "REQUEST_LIFETIME",
    "UPGRADE_DELAY",
    "Config",
    "L1World",
    "StoredRequest",
    "TokenBehaviour",
    "VerifierBehaviour",
]

ETH = 0
"""The number of the token that is no contract."""

DEPOSIT_CAP = 1 << 96
"""A deposit stays below this, so that it takes 2^32 of them to fill a balance of 128 bits."""

REQUEST_LIFETIME = 50_400
"""Blocks until a request is due: a week of 12-second blocks."""

OPERATOR_DELAY = 7_200
"""Blocks without an executed batch after which anyone may submit one: a day."""

UPGRADE_DELAY = 2 * REQUEST_LIFETIME
"""Blocks between the proposal of verifiers and their activation: who asks to leave within the first week
of the two is out, or has frozen the contract, before. After as many again the proposal lapses."""


@dataclass(frozen=True, slots=True)
class Config:
    """The constructor's arguments. ``rollup_id`` 0 stands for the contract's own address.

    ``genesis_next_index`` is the first index that no account of the genesis has: 1 for the empty tree.
    Delays are in blocks; ``upgrade_delay`` is above ``request_lifetime``.
    """

    verifier: int
    exit_verifier: int
    operator: int
    governor: int
    genesis_root: int
    parameters: BatchParameters
    rollup_id: int = 0
    genesis_next_index: int = 1
    deposit_cap: int = DEPOSIT_CAP
    request_lifetime: int = REQUEST_LIFETIME
    operator_delay: int = OPERATOR_DELAY
    upgrade_delay: int = UPGRADE_DELAY


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What the contract keeps of a request: its hash (zeros once cancelled), and its deadline."""

    hash: bytes
    deadline: int


class L1(Protocol):
    """The contract of one rollup: its functions in snake case, its views as properties and methods."""

    # -- views ---------------------------------------------------------------------------------------

    @property
    def chain_id(self) -> int: ...
    @property
    def address(self) -> int:
        """The contract's own."""
        ...

    @property
    def config(self) -> Config:
        """What it was deployed with, ``rollup_id`` filled in."""
        ...

    @property
    def rollup_id(self) -> int: ...
    @property
    def parameters(self) -> BatchParameters: ...
    @property
    def block_number(self) -> int:
        """The block in which the next call runs."""
        ...

    @property
    def gas_limit(self) -> int | None:
        """What the next call may take; ``None`` where calls take nothing."""
        ...

    @property
    def root(self) -> int:
        """The state root after the last executed batch."""
        ...

    @property
    def next_index(self) -> int:
        """The next free account index after the last executed batch."""
        ...

    @property
    def committed(self) -> int:
        """The number of the last committed batch."""
        ...

    @property
    def proved(self) -> int: ...
    @property
    def executed(self) -> int: ...
    @property
    def requests_consumed(self) -> int:
        """How many requests are in executed batches."""
        ...

    @property
    def num_requests(self) -> int: ...
    @property
    def num_tokens(self) -> int:
        """How many tokens have numbers, ETH among them."""
        ...

    @property
    def frozen(self) -> bool: ...
    @property
    def operator(self) -> int: ...
    @property
    def governor(self) -> int: ...
    @property
    def verifier(self) -> int: ...
    @property
    def exit_verifier(self) -> int: ...
    @property
    def last_executed_block(self) -> int:
        """The block of the last executed batch, or of the deployment."""
        ...

    def batch_hash(self, number: int) -> bytes:
        """The stored hash of a batch's header, zeros where there is none."""
        ...

    def header(self, number: int) -> BatchHeader:
        """The header that this hash is of; raises ``KeyError`` where there is no batch."""
        ...

    def batch_data(self, number: int) -> bytes:
        """The data that was submitted with the batch that stands; raises ``KeyError`` for batch 0 or none."""
        ...

    def request(self, number: int) -> StoredRequest:
        """Raises ``KeyError`` where there is no such request."""
        ...

    def token_address(self, token: int) -> int:
        """The ERC-20 of this number; 0 for ETH and for numbers that nobody has."""
        ...

    def pending_withdrawal(self, owner: int, token: int) -> int: ...
    def uncredited(self, number: int) -> bytes:
        """The keccak of the withdrawals that an executed batch still has to credit, zeros where none."""
        ...

    def exited(self, account: int) -> bool: ...
    def holdings(self, token: int) -> int:
        """What the contract has of a token, by that token's own account."""
        ...

    def balance_of(self, address: int, token: int) -> int:
        """What somebody else has of a token."""
        ...

    def events(self, first_block: int = 0) -> list[LoggedEvent]: ...

    # -- everybody -----------------------------------------------------------------------------------

    def register_token(self, address: int, *, sender: int) -> int:
        """Give an ERC-20 the next number. Raises :class:`ZeroAddress`, :class:`NoCode`,
        :class:`TokenKnown`."""
        ...

    def deposit(
        self, token: int, amount: int, ax: int, ay: int, owner: int, *, sender: int, value: int | None = None
    ) -> int:
        """Pay in for the account with this token, key and owner; returns the request's number.

        ``value`` is the ETH sent along (default: what is right). A backend approves an ERC-20's amount by
        itself. Raises, in this order, :class:`Frozen`, :class:`ZeroAddress`, :class:`UnknownToken`,
        :class:`InvalidKey`, :class:`WrongValue`, :class:`ZeroAmount`, :class:`TransferFailed`,
        :class:`ZeroAmount` (nothing arrived), :class:`DepositTooLarge`.
        """
        ...

    def request_exit(self, account: int, *, sender: int) -> int:
        """Demand the whole balance of an account of the sender's; returns the request's number.

        Raises :class:`Frozen`, :class:`OutsideTree`.
        """
        ...

    def withdraw(self, owner: int, token: int, *, sender: int) -> int:
        """Pay the owner all that is pending; anyone may call, frozen or not. Returns the amount.

        Raises :class:`NothingPending`, :class:`TransferFailed`.
        """
        ...

    # -- batches -------------------------------------------------------------------------------------

    def commit_batch(
        self, previous: BatchHeader, data: bytes, commitment: int, *, sender: int
    ) -> BatchHeader:
        """Publish the next batch. The operator only. ``previous`` is the header of the last committed one.

        Raises, in this order, :class:`Frozen`, :class:`NotOperator`, :class:`UnknownBatch`, what reading
        the data raises (see :mod:`zkrollup.l1.reading`), :class:`NonCanonicalCommitment`.
        """
        ...

    def prove_batch(self, header: BatchHeader, proof: Proof, *, sender: int) -> None:
        """Anyone. Raises :class:`Frozen`, :class:`NotNext`, :class:`UnknownBatch`, :class:`ProofRejected`."""
        ...

    def execute_batch(self, header: BatchHeader, withdrawals: bytes, *, sender: int) -> None:
        """Move the root and credit what the batch pays. Anyone.

        Raises :class:`Frozen`, :class:`NotNext`, :class:`NotProved`, :class:`UnknownBatch`,
        :class:`WrongWithdrawals`.
        """
        ...

    def execute_without_credits(self, header: BatchHeader, *, sender: int) -> None:
        """Move the root and leave what the batch pays to :meth:`credit_withdrawals`, because it is more than
        a block can credit. The operator, or anyone when no batch was executed for the operator delay.

        Raises :class:`Frozen`, :class:`NotOperator`, :class:`NotNext`, :class:`NotProved`,
        :class:`UnknownBatch`.
        """
        ...

    def credit_withdrawals(self, number: int, withdrawals: bytes, count: int, *, sender: int) -> None:
        """Credit the first ``count`` of all the withdrawals that executed batch ``number`` has not credited.
        Anyone, frozen or not. Raises :class:`NothingUncredited`, :class:`WrongWithdrawals`."""
        ...

    def submit_batch(
        self, previous: BatchHeader, data: bytes, commitment: int, proof: Proof, *, sender: int
    ) -> BatchHeader:
        """Commit, prove and execute at once. The operator, or anyone when no batch was executed for the
        operator delay.

        Raises :class:`Frozen`, :class:`NotOperator`, :class:`PendingBatches`, :class:`UnknownBatch`, what
        reading the data raises, :class:`NonCanonicalCommitment`, :class:`ProofRejected`.
        """
        ...

    def revert_batches(self, to: int, *, sender: int) -> None:
        """Forget the batches after ``to``, none of them proved. The operator; anyone when frozen or when no
        batch was executed for the operator delay. Raises :class:`NotOperator`, :class:`NothingToRevert`.
        """
        ...

    # -- freeze and exit -----------------------------------------------------------------------------

    def freeze(self, *, sender: int) -> None:
        """Anyone, once the oldest request that no executed batch consumed is due.

        Raises :class:`Frozen`, :class:`NotDue`.
        """
        ...

    def report_conflict(
        self,
        before: BatchHeader,
        known: BatchHeader,
        data: bytes,
        commitment: int,
        proof: Proof,
        *,
        sender: int,
    ) -> None:
        """Anyone who has a second proof of a proved batch with another root.

        Raises :class:`Frozen`, :class:`UnknownBatch` (of ``known``, then of ``before``), what reading the
        data raises, :class:`NonCanonicalCommitment`, :class:`DifferentData`, :class:`SameRoot`,
        :class:`ProofRejected`.
        """
        ...

    def exit(
        self,
        header: BatchHeader,
        account: int,
        token: int,
        balance: int,
        owner: int,
        proof: Proof,
        *,
        sender: int,
    ) -> None:
        """Credit an account's balance to its owner. Anyone, once, when frozen. ``header`` is that of the
        last executed batch.

        Raises :class:`NotFrozen`, :class:`UnknownBatch`, :class:`OutsideTree`, :class:`AlreadyExited`,
        :class:`ProofRejected` (its number is that of the batch).
        """
        ...

    def cancel_deposit(self, number: int, deposit: Deposit, *, sender: int) -> None:
        """Credit a deposit that no executed batch consumed back to its owner. Anyone, once, when frozen.

        Raises :class:`NotFrozen`, :class:`AlreadyConsumed`, :class:`NoSuchRequest`,
        :class:`AlreadyCancelled`, :class:`RequestMismatch`.
        """
        ...

    # -- powers --------------------------------------------------------------------------------------

    def propose_verifier(self, verifier: int, exit_verifier: int, *, sender: int) -> None:
        """The governor only; a second proposal replaces the first, and its time begins anew.

        Raises :class:`NotGovernor`, :class:`NoCode`.
        """
        ...

    def activate_verifier(self, *, sender: int) -> None:
        """Anyone, from the block of the proposal plus the upgrade delay on, for another upgrade delay.

        Raises :class:`Frozen`, :class:`NothingProposed`, :class:`TooEarly`, :class:`ProposalLapsed`,
        :class:`RequestDue`.
        """
        ...

    def cancel_proposal(self, *, sender: int) -> None:
        """The governor only, at any time. Raises :class:`NotGovernor`, :class:`NothingProposed`."""
        ...

    def transfer_operator(self, operator: int, *, sender: int) -> None:
        """The operator only. Raises :class:`NotOperator`, :class:`ZeroAddress`."""
        ...


class TokenBehaviour(IntEnum):
    """ERC-20s as they are found, for tests."""

    PLAIN = 0
    FEE_ON_TRANSFER = 1
    """Of every amount moved, amount // 100 arrives nowhere."""
    NO_RETURN = 2
    """``transfer`` and ``transferFrom`` return no value."""
    RETURNS_FALSE = 3
    """Every transfer returns false and moves nothing."""
    REVERTS = 4
    """Every transfer reverts."""


class VerifierBehaviour(IntEnum):
    """Verifiers for tests that prove nothing."""

    ACCEPTS = 0
    REJECTS = 1
    STAMP = 2
    """Accepts where the first coordinate of A is keccak256(the three inputs as words)."""


class L1World(L1, Protocol):
    """A contract together with its surroundings, which a test can arrange."""

    @property
    def accounts(self) -> Sequence[int]:
        """Ten addresses that can send, with ETH to spare: those of the private keys 1 to 10."""
        ...

    def mine(self, blocks: int = 1) -> None:
        """Let time pass: ``block_number`` grows by ``blocks``."""
        ...

    def fund(self, address: int, token: int, amount: int) -> None:
        """Give somebody ``amount`` more of a registered token, or of ETH."""
        ...

    def deploy_token(self, behaviour: TokenBehaviour) -> int:
        """A new ERC-20's address."""
        ...

    def deploy_verifier(self, behaviour: VerifierBehaviour) -> int:
        """A verifier's address."""
        ...

    def deploy_refuser(self) -> int:
        """The address of a contract that refuses all ETH."""
        ...
