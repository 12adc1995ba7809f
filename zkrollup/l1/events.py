"""What the rollup's contract logs, as the Solidity events of the same names.

This module must not know when something is logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, NamedTuple

from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.solidity import Address, Bytes32, Indexed, UInt8, UInt32, UInt64, UInt128, UInt256

__all__ = [
    "EVENTS",
    "BatchCommitted",
    "BatchExecuted",
    "BatchProved",
    "BatchesReverted",
    "DepositCancelled",
    "Event",
    "Exited",
    "FreezeReason",
    "LoggedEvent",
    "OperatorChanged",
    "ProposalCancelled",
    "RequestQueued",
    "RollupFrozen",
    "SoundnessAlert",
    "TokenRegistered",
    "VerifierActivated",
    "VerifierProposed",
    "WithdrawalPaid",
    "WithdrawalPending",
    "WithdrawalsLeft",
]


class FreezeReason(IntEnum):
    """Why the contract froze."""

    OVERDUE = 0
    CONFLICT = 1


@dataclass(frozen=True, slots=True)
class Event:
    """Base of everything that the contract logs."""


@dataclass(frozen=True, slots=True)
class RequestQueued(Event):
    """A deposit (kind 1, ``target`` its token) or a forced exit (kind 4, ``target`` the account) waits for
    a batch; it is due once a block after ``deadline`` is mined. ``amount`` is what the contract received."""

    number: Annotated[UInt64, Indexed]
    kind: UInt8
    target: UInt32
    amount: UInt128
    ax: UInt256
    ay: UInt256
    owner: Annotated[Address, Indexed]
    deadline: UInt64


@dataclass(frozen=True, slots=True)
class BatchCommitted(Event):
    """A batch was published and waits for its proof."""

    number: Annotated[UInt64, Indexed]
    header: BatchHeader


@dataclass(frozen=True, slots=True)
class BatchProved(Event):
    """The batch's proof was accepted."""

    number: Annotated[UInt64, Indexed]


@dataclass(frozen=True, slots=True)
class BatchExecuted(Event):
    """A batch moved the root; requests below ``requests_consumed`` are done."""

    number: Annotated[UInt64, Indexed]
    root_before: UInt256
    root_after: UInt256
    requests_consumed: UInt64


@dataclass(frozen=True, slots=True)
class BatchesReverted(Event):
    """Batches ``first`` to ``last`` were forgotten before they were proved."""

    first: UInt64
    last: UInt64


@dataclass(frozen=True, slots=True)
class WithdrawalsLeft(Event):
    """Executed batch ``number`` still has to credit withdrawals of this hash; zeros: it has credited all."""

    number: Annotated[UInt64, Indexed]
    hash: Bytes32


@dataclass(frozen=True, slots=True)
class WithdrawalPending(Event):
    """``amount`` more of ``token`` can be withdrawn by ``owner``."""

    owner: Annotated[Address, Indexed]
    token: Annotated[UInt32, Indexed]
    amount: UInt256


@dataclass(frozen=True, slots=True)
class WithdrawalPaid(Event):
    """``amount`` of ``token`` was paid to ``owner``."""

    owner: Annotated[Address, Indexed]
    token: Annotated[UInt32, Indexed]
    amount: UInt256


@dataclass(frozen=True, slots=True)
class RollupFrozen(Event):
    """From now on there are exits only; ``reason`` is a :class:`FreezeReason`."""

    reason: UInt8


@dataclass(frozen=True, slots=True)
class SoundnessAlert(Event):
    """Batch ``number`` has two valid proofs that end with different roots."""

    number: Annotated[UInt64, Indexed]
    root: UInt256
    other_root: UInt256


@dataclass(frozen=True, slots=True)
class Exited(Event):
    """The balance of an account was credited to its owner, after the freeze."""

    account: Annotated[UInt32, Indexed]
    token: UInt32
    amount: UInt128
    owner: Annotated[Address, Indexed]


@dataclass(frozen=True, slots=True)
class DepositCancelled(Event):
    """A deposit that no batch took was credited back to its owner, after the freeze."""

    number: Annotated[UInt64, Indexed]
    token: UInt32
    amount: UInt128
    owner: Annotated[Address, Indexed]


@dataclass(frozen=True, slots=True)
class TokenRegistered(Event):
    """An ERC-20 has a number from now on."""

    token: Annotated[UInt32, Indexed]
    address: Annotated[Address, Indexed]


@dataclass(frozen=True, slots=True)
class VerifierProposed(Event):
    """Two verifiers can be activated from block ``active_from`` on, until the upgrade delay later."""

    verifier: Address
    exit_verifier: Address
    active_from: UInt64


@dataclass(frozen=True, slots=True)
class VerifierActivated(Event):
    """Proofs are checked by these from now on."""

    verifier: Address
    exit_verifier: Address


@dataclass(frozen=True, slots=True)
class ProposalCancelled(Event):
    """The governor took its proposal back."""

    verifier: Address
    exit_verifier: Address


@dataclass(frozen=True, slots=True)
class OperatorChanged(Event):
    """Another address commits batches from now on."""

    operator: Address


EVENTS: tuple[type[Event], ...] = (
    RequestQueued,
    BatchCommitted,
    BatchProved,
    BatchExecuted,
    BatchesReverted,
    WithdrawalsLeft,
    WithdrawalPending,
    WithdrawalPaid,
    RollupFrozen,
    SoundnessAlert,
    Exited,
    DepositCancelled,
    TokenRegistered,
    VerifierProposed,
    VerifierActivated,
    ProposalCancelled,
    OperatorChanged,
)


class LoggedEvent(NamedTuple):
    """An event and the block that logged it."""

    block: int
    event: Event
