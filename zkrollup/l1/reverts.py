"""Why the rollup's contract reverts: one class per reason, as the Solidity errors of the same names.

This module must not know how a reason is found. Whenever one is raised, the contract has not changed.

The fields with a Solidity type are the error's arguments, in order; the texts are for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from zkrollup.l1.solidity import Address, Bytes32, UInt8, UInt32, UInt64, UInt128, UInt256
from zkrollup.state.exceptions import Refusal

__all__ = [
    "REVERTS",
    "AlreadyCancelled",
    "AlreadyConsumed",
    "AlreadyExited",
    "ConfigItem",
    "DataTooLong",
    "DataTruncated",
    "DepositTooLarge",
    "DifferentData",
    "Field",
    "Frozen",
    "InvalidConfig",
    "InvalidKey",
    "NoCode",
    "NoSuchRequest",
    "NonCanonical",
    "NonCanonicalCommitment",
    "NotDue",
    "NotFrozen",
    "NotGovernor",
    "NotNext",
    "NotOperator",
    "NotProved",
    "NothingPending",
    "NothingProposed",
    "NothingToRevert",
    "NothingUncredited",
    "OutsideTree",
    "PendingBatches",
    "ProofRejected",
    "ProposalLapsed",
    "Reentered",
    "RequestDue",
    "RequestMismatch",
    "Revert",
    "SameRoot",
    "TokenKnown",
    "TooEarly",
    "TransferFailed",
    "UnknownBatch",
    "UnknownKind",
    "UnknownToken",
    "UpgradeDelayTooShort",
    "WrongBatchNumber",
    "WrongChain",
    "WrongNextIndex",
    "WrongRollup",
    "WrongRoot",
    "WrongSlots",
    "WrongValue",
    "WrongVersion",
    "WrongWithdrawals",
    "ZeroAddress",
    "ZeroAmount",
]


class Field(IntEnum):
    """What of the public data is not in its one accepted form; the offset says where."""

    NEXT_AFTER = 0
    ROOT_AFTER = 1
    FEE_TOKEN = 2
    FEE_ACCOUNT = 3
    FIRST = 4
    SECOND = 5
    FEE_CODE = 6
    AMOUNT = 7
    TOKEN = 8
    ADDRESS = 9
    AX = 10
    AY = 11


class ConfigItem(IntEnum):
    """Which argument of the constructor cannot be."""

    GENESIS_ROOT = 0
    GENESIS_NEXT_INDEX = 1
    SLOTS = 2
    DEPTH = 3
    FEE_TOKENS = 4
    DEPOSIT_CAP = 5
    REQUEST_LIFETIME = 6


def _words(kind: type[IntEnum], value: int) -> str:
    try:
        return kind(value).name.lower().replace("_", " ")
    except ValueError:
        return f"{kind.__name__} {value}"


@dataclass(eq=False)
class Revert(Refusal):
    """Base of everything that the contract refuses."""

    def __str__(self) -> str:
        shown = {
            name: f"0x{value.hex()}" if isinstance(value, bytes) else value
            for name, value in self.values().items()
        } | self.names()
        where = f" in {self.place}" if self.place else ""
        return f"{self.label}{where}: {self.problem.format(**shown)}; {self.remedy.format(**shown)}"

    def names(self) -> dict[str, str]:
        """Words for values that are numbers in the contract."""
        return {}


# -- deployment and powers ---------------------------------------------------------------------------


@dataclass(eq=False)
class InvalidConfig(Revert):
    """An argument of the constructor that no rollup can have."""

    item: UInt8
    label = "invalid configuration"
    problem = "the {item} cannot be"
    remedy = "correct it as Config says"

    def names(self) -> dict[str, str]:
        """The item's name."""
        return {"item": _words(ConfigItem, self.item)}


@dataclass(eq=False)
class UpgradeDelayTooShort(Revert):
    """A verifier could be replaced before a request made at its proposal is due."""

    delay: UInt64
    request_lifetime: UInt64
    label = "upgrade delay too short"
    problem = "an upgrade would take {delay} blocks, a request may take {request_lifetime}"
    remedy = "make the delay longer than the lifetime, by the time that users need to notice"


@dataclass(eq=False)
class ZeroAddress(Revert):
    """The zero address where somebody is needed."""

    label = "zero address"
    problem = "the address is zero"
    remedy = "name an address that somebody holds"


@dataclass(eq=False)
class NoCode(Revert):
    """There is no contract at an address that is to be called."""

    address: Address
    label = "no code"
    problem = "there is no contract at {address:#042x}"
    remedy = "deploy it first"


@dataclass(eq=False)
class NotOperator(Revert):
    """Somebody else may do this, or has to wait."""

    sender: Address
    label = "not the operator"
    problem = "{sender:#042x} is not the operator"
    remedy = "let the operator call, or wait until it has been silent for the operator delay"


@dataclass(eq=False)
class NotGovernor(Revert):
    """Only the governor proposes verifiers, and takes proposals back."""

    sender: Address
    label = "not the governor"
    problem = "{sender:#042x} is not the governor"
    remedy = "let the governor do it"


@dataclass(eq=False)
class NothingProposed(Revert):
    """There is no verifier to be activated."""

    label = "nothing proposed"
    problem = "no verifier waits for its activation"
    remedy = "propose one first"


@dataclass(eq=False)
class TooEarly(Revert):
    """The time to leave is not over yet."""

    block: UInt64
    active_from: UInt64
    label = "too early"
    problem = "this is block {block}"
    remedy = "activate from block {active_from} on"


@dataclass(eq=False)
class ProposalLapsed(Revert):
    """Nobody activated the proposal when it was time, and users need not look for it any more."""

    block: UInt64
    active_until: UInt64
    label = "proposal lapsed"
    problem = "this is block {block}, and the verifiers could be activated until block {active_until}"
    remedy = "propose them again"


@dataclass(eq=False)
class RequestDue(Revert):
    """No verifier is replaced while somebody could freeze the contract instead."""

    number: UInt64
    deadline: UInt64
    label = "request due"
    problem = "request {number} should have been in a batch until block {deadline}"
    remedy = "execute a batch with it first"


@dataclass(eq=False)
class Reentered(Revert):
    """A token or a receiver called back in the midst of a payment."""

    label = "reentered"
    problem = "the contract is paying or being paid"
    remedy = "call again afterwards"


# -- freeze ------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Frozen(Revert):
    """The contract is frozen: there are exits only."""

    label = "frozen"
    problem = "the contract is frozen"
    remedy = "leave by exit(), cancel_deposit() and withdraw()"


@dataclass(eq=False)
class NotFrozen(Revert):
    """An exit that only a frozen contract gives."""

    label = "not frozen"
    problem = "the contract is not frozen"
    remedy = "withdraw by a transaction, or by request_exit() and, when it is due, freeze()"


@dataclass(eq=False)
class NotDue(Revert):
    """Nobody has waited too long; deadline 0 where nobody waits at all."""

    number: UInt64
    deadline: UInt64
    label = "not due"
    problem = "the oldest request is {number}, its deadline block {deadline}"
    remedy = "freeze after that block (0: there is no such request)"


# -- tokens and payments -----------------------------------------------------------------------------


@dataclass(eq=False)
class TokenKnown(Revert):
    """The token has a number already."""

    address: Address
    token: UInt32
    label = "token known"
    problem = "{address:#042x} is token {token}"
    remedy = "use that number"


@dataclass(eq=False)
class UnknownToken(Revert):
    """No token has this number."""

    token: UInt32
    label = "unknown token"
    problem = "there is no token {token}"
    remedy = "register it first"


@dataclass(eq=False)
class WrongValue(Revert):
    """The ETH sent along is not the amount deposited."""

    found: UInt256
    expected: UInt256
    label = "wrong value"
    problem = "{found} wei were sent"
    remedy = "send {expected}"


@dataclass(eq=False)
class TransferFailed(Revert):
    """The token, or the receiver of ETH, refuses the payment."""

    token: UInt32
    amount: UInt256
    label = "transfer failed"
    problem = "{amount} of token {token} could not be moved"
    remedy = "approve the amount and hold it; a receiver must accept it"


@dataclass(eq=False)
class NothingPending(Revert):
    """Nothing can be withdrawn, or it has been already."""

    owner: Address
    token: UInt32
    label = "nothing pending"
    problem = "{owner:#042x} has nothing to withdraw in token {token}"
    remedy = "wait until a batch with the withdrawal is executed"


# -- requests ----------------------------------------------------------------------------------------


@dataclass(eq=False)
class InvalidKey(Revert):
    """A key that no account may have."""

    ax: UInt256
    ay: UInt256
    label = "invalid key"
    problem = "({ax}, {ay}) is not a point of BabyJubJub with coordinates below r and ay != 0"
    remedy = "deposit to the public key that the wallet shows"


@dataclass(eq=False)
class ZeroAmount(Revert):
    """Nothing was paid in, or nothing arrived."""

    label = "zero amount"
    problem = "the deposit is of nothing"
    remedy = "deposit an amount of which something arrives"


@dataclass(eq=False)
class DepositTooLarge(Revert):
    """A deposit that reaches the cap."""

    amount: UInt256
    cap: UInt128
    label = "deposit too large"
    problem = "{amount} is not below {cap}"
    remedy = "deposit in smaller amounts"


@dataclass(eq=False)
class OutsideTree(Revert):
    """An account index that the tree does not have."""

    account: UInt32
    capacity: UInt64
    label = "outside the tree"
    problem = "account {account} is not below {capacity}"
    remedy = "correct the index"


@dataclass(eq=False)
class NoSuchRequest(Revert):
    """A request that nobody made."""

    number: UInt64
    label = "no such request"
    problem = "the queue ends before request {number}"
    remedy = "take the queue's requests only"


@dataclass(eq=False)
class RequestMismatch(Revert):
    """What is said of a request is not what was queued; both are hashes."""

    number: UInt64
    found: Bytes32
    expected: Bytes32
    label = "request mismatch"
    problem = "request {number} is said to be {found}"
    remedy = "what was queued has the hash {expected}"


@dataclass(eq=False)
class AlreadyConsumed(Revert):
    """The deposit is in the tree, and not to be cancelled."""

    number: UInt64
    consumed: UInt64
    label = "already consumed"
    problem = "requests below {consumed} are in executed batches, request {number} too"
    remedy = "exit with the account that it was credited to"


@dataclass(eq=False)
class AlreadyCancelled(Revert):
    """The deposit has been given back."""

    number: UInt64
    label = "already cancelled"
    problem = "deposit {number} has been credited back"
    remedy = "withdraw it"


# -- batches -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class UnknownBatch(Revert):
    """The header is not that of the batch that stands there."""

    number: UInt64
    label = "unknown batch"
    problem = "the header of batch {number} is not the one that the contract has, or is out of turn"
    remedy = "hand over the header that its commitment logged"


@dataclass(eq=False)
class PendingBatches(Revert):
    """All at once is for when nothing waits."""

    committed: UInt64
    executed: UInt64
    label = "pending batches"
    problem = "batch {committed} is committed, batch {executed} the last executed"
    remedy = "prove and execute what waits, or revert it"


@dataclass(eq=False)
class NotNext(Revert):
    """Batches are proved and executed in their order."""

    found: UInt64
    expected: UInt64
    label = "not next"
    problem = "this is batch {found}"
    remedy = "batch {expected} is next"


@dataclass(eq=False)
class NotProved(Revert):
    """Only what was proved is executed."""

    number: UInt64
    proved: UInt64
    label = "not proved"
    problem = "batch {number} is not proved, the last that is is {proved}"
    remedy = "prove it first"


@dataclass(eq=False)
class NothingToRevert(Revert):
    """What is proved stays, and there is nothing behind the last batch."""

    to: UInt64
    proved: UInt64
    committed: UInt64
    label = "nothing to revert"
    problem = "batches after {to} cannot be reverted: {proved} are proved, {committed} committed"
    remedy = "revert to a batch from the last proved to the last but one"


@dataclass(eq=False)
class NothingUncredited(Revert):
    """The batch was not executed without its credits, or has been credited to the end."""

    number: UInt64
    label = "nothing uncredited"
    problem = "batch {number} has no withdrawals left to credit"
    remedy = "name a batch that was executed without its credits"


@dataclass(eq=False)
class WrongWithdrawals(Revert):
    """These are not the batch's payments; both are hashes."""

    found: Bytes32
    expected: Bytes32
    label = "wrong withdrawals"
    problem = "the payments hash to {found}"
    remedy = "hand over those of the batch's data, which hash to {expected}"


@dataclass(eq=False)
class NonCanonicalCommitment(Revert):
    """The commitment is not below r."""

    commitment: UInt256
    label = "non-canonical commitment"
    problem = "{commitment} is not below r"
    remedy = "submit the commitment that was proved"


@dataclass(eq=False)
class ProofRejected(Revert):
    """The proof is malformed, or does not hold for this batch or exit."""

    number: UInt64
    label = "proof rejected"
    problem = "the proof does not hold for batch {number}"
    remedy = "prove exactly this data for this chain and contract, or this account under this root"


@dataclass(eq=False)
class DifferentData(Revert):
    """Two batches that are not one; both are skeletons."""

    found: Bytes32
    expected: Bytes32
    label = "different data"
    problem = "the data's skeleton is {found}"
    remedy = "a conflict is about the same data, of skeleton {expected}, with another root"


@dataclass(eq=False)
class SameRoot(Revert):
    """There is no conflict."""

    root: UInt256
    label = "same root"
    problem = "both batches end with root {root}"
    remedy = "report two different roots"


# -- data of a batch ---------------------------------------------------------------------------------


@dataclass(eq=False)
class DataTruncated(Revert):
    """The bytes end inside the header or a record."""

    offset: UInt256
    wanted: UInt256
    left: UInt256
    label = "data truncated"
    problem = "the item at byte {offset} takes {wanted} bytes, {left} are left"
    remedy = "submit the whole data"


@dataclass(eq=False)
class DataTooLong(Revert):
    """Bytes follow the last slot."""

    offset: UInt256
    left: UInt256
    label = "data too long"
    problem = "{left} bytes follow the last slot's record, from byte {offset} on"
    remedy = "submit no more records than slots, and nothing after them"


@dataclass(eq=False)
class UnknownKind(Revert):
    """A record begins with a kind that has no record."""

    offset: UInt256
    nibble: UInt8
    label = "unknown kind of record"
    problem = "the record at byte {offset} begins with nibble {nibble}"
    remedy = "write the kinds 1 to 6, or 9 and 12 for what was nullified"


@dataclass(eq=False)
class NonCanonical(Revert):
    """A value that its one accepted form does not have; ``field`` is a :class:`Field`."""

    field: UInt8
    offset: UInt256
    label = "non-canonical data"
    problem = "the {field} at byte {offset} has a value that it cannot have"
    remedy = "submit the one byte form of the batch"

    def names(self) -> dict[str, str]:
        """The field's name."""
        return {"field": _words(Field, self.field)}


@dataclass(eq=False)
class WrongVersion(Revert):
    """Data of another format."""

    found: UInt8
    expected: UInt8
    label = "wrong version"
    problem = "the data is of version {found}"
    remedy = "this contract reads version {expected}"


@dataclass(eq=False)
class WrongChain(Revert):
    """The batch is for another chain."""

    found: UInt64
    expected: UInt64
    label = "wrong chain"
    problem = "the batch is for chain {found}"
    remedy = "this is chain {expected}"


@dataclass(eq=False)
class WrongRollup(Revert):
    """The batch is for another rollup."""

    found: Address
    expected: Address
    label = "wrong rollup"
    problem = "the batch is for rollup {found:#042x}"
    remedy = "this is rollup {expected:#042x}"


@dataclass(eq=False)
class WrongBatchNumber(Revert):
    """The batch does not follow the one before."""

    found: UInt64
    expected: UInt64
    label = "wrong batch number"
    problem = "this is batch {found}"
    remedy = "the next one is batch {expected}"


@dataclass(eq=False)
class WrongSlots(Revert):
    """A batch of another size."""

    found: UInt32
    expected: UInt32
    label = "wrong slots"
    problem = "the batch has {found} slots"
    remedy = "this rollup's have {expected}"


@dataclass(eq=False)
class WrongNextIndex(Revert):
    """The batch opens accounts from another index on."""

    found: UInt64
    expected: UInt64
    label = "wrong next index"
    problem = "the batch opens accounts from index {found} on"
    remedy = "the next free index is {expected}"


@dataclass(eq=False)
class WrongRoot(Revert):
    """The batch does not start from the root of the one before."""

    found: UInt256
    expected: UInt256
    label = "wrong root"
    problem = "the batch starts from root {found}"
    remedy = "the batch before ends with {expected}"


# -- exits -------------------------------------------------------------------------------------------


@dataclass(eq=False)
class AlreadyExited(Revert):
    """The account's balance has been credited."""

    account: UInt32
    label = "already exited"
    problem = "account {account} has left"
    remedy = "withdraw what it left with"


REVERTS: tuple[type[Revert], ...] = tuple(
    sorted(
        (kind for kind in Revert.__subclasses__() if kind.__module__ == __name__),
        key=lambda kind: kind.__name__,
    )
)
