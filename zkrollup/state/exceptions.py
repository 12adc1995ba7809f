"""Why the rollup refuses something: one class per reason, its values as fields.

This module must not know of accounts, trees or batches as types: it names their values only.

The text of an exception is built from its fields: *label in place: what is wrong; what to do*. The
``place`` is filled in by whoever knows it (the slot of a batch, the row of a file).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

__all__ = [
    "BalanceOverflow",
    "BatchFull",
    "DataTooLong",
    "DataTruncated",
    "DepthMismatch",
    "DuplicateAccount",
    "DuplicateFeeToken",
    "Expired",
    "FeeAccountMissing",
    "FeeTokenNotAccepted",
    "GroupIncomplete",
    "GroupInterrupted",
    "GroupTooLarge",
    "IndexOutsideTree",
    "InvalidKey",
    "InvalidParameter",
    "NonCanonicalData",
    "NonceExhausted",
    "NonceTooHigh",
    "NoopBeforeTransaction",
    "OutOfRange",
    "Overdrawn",
    "PublicDataError",
    "Refusal",
    "ReplayRefused",
    "ReservedAccount",
    "ReusedNonce",
    "SnapshotLost",
    "StateError",
    "StoreConflict",
    "StoreMismatch",
    "TokenMismatch",
    "TooManyFeeEntries",
    "TransactionError",
    "TransactionFormatError",
    "TreeFull",
    "UnencodableAmount",
    "UnencodableFee",
    "UnknownAccount",
    "UnknownAddress",
    "UnknownKind",
    "UnknownRecipient",
    "WrongAddress",
    "WrongSignature",
]


@dataclass(eq=False)
class Refusal(Exception):
    """A reason with its values: the fields of a subclass, and the texts that :meth:`__str__` fills in."""

    label: ClassVar[str] = "refused"
    problem: ClassVar[str] = ""
    remedy: ClassVar[str] = ""

    place: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        where = f" in {self.place}" if self.place else ""
        values = self.values()
        return f"{self.label}{where}: {self.problem.format(**values)}; {self.remedy.format(**values)}"

    def values(self) -> dict[str, Any]:
        """The fields by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.values())


def _rebuild(kind: type[Refusal], values: dict[str, Any]) -> Refusal:
    return kind(**values)


@dataclass(eq=False)
class StateError(Refusal):
    """Base of everything that ``zkrollup.state`` refuses. Whenever one is raised, no state has changed."""


# -- values ------------------------------------------------------------------------------------------


@dataclass(eq=False)
class OutOfRange(StateError, ValueError):
    """A value does not fit the width of its field."""

    name: str
    value: object
    bits: int
    label = "value out of range"
    problem = "{name} is {value!r}"
    remedy = "expected an integer of at most {bits} bits"


@dataclass(eq=False)
class InvalidKey(StateError, ValueError):
    """A public key that no account may have."""

    ax: int
    ay: int
    label = "invalid public key"
    problem = "({ax}, {ay}) is not a BabyJubJub point with canonical coordinates and ay != 0"
    remedy = "use the public key that the wallet shows"


@dataclass(eq=False)
class InvalidParameter(StateError, ValueError):
    """A parameter of a batch, a store or a contract that cannot be."""

    name: str
    value: object
    expected: str
    label = "invalid parameter"
    problem = "{name} is {value!r}"
    remedy = "expected {expected}"


@dataclass(eq=False)
class TransactionFormatError(StateError, ValueError):
    """A line of a transaction file that says no transaction."""

    source: str
    line: int
    name: str
    found: str
    expected: str
    label = "malformed transaction"

    def __str__(self) -> str:
        at = f"{self.source}, line {self.line}" + (f", field {self.name}" if self.name else "")
        return f"{self.label}: {at}: found {self.found}; expected {self.expected}"


# -- one transaction ---------------------------------------------------------------------------------


@dataclass(eq=False)
class TransactionError(StateError):
    """Base of the reasons why one transaction cannot be applied to this state."""


@dataclass(eq=False)
class ReservedAccount(TransactionError):
    """Index 0 is never an account."""

    role: str
    label = "reserved account"
    problem = "the {role} is index 0, which is never an account"
    remedy = "name the index that the deposit was given"


@dataclass(eq=False)
class UnknownAccount(TransactionError):
    """No account has this index."""

    account: int
    label = "unknown account"
    problem = "there is no account {account}"
    remedy = "deposit first, or correct the index"


@dataclass(eq=False)
class WrongSignature(TransactionError):
    """The signature is missing, or does not verify under the sender's key."""

    account: int
    nonce: int
    label = "wrong signature"
    problem = "the signature does not verify under the key of account {account} (nonce {nonce})"
    remedy = "sign the message of exactly this transaction, chain id and rollup id with that account's key"


@dataclass(eq=False)
class Expired(TransactionError):
    """The batch comes after the last one for which the transaction was signed."""

    batch_number: int
    valid_until: int
    label = "expired"
    problem = "the transaction is valid until batch {valid_until}, this is batch {batch_number}"
    remedy = "sign again with a later valid_until"


@dataclass(eq=False)
class TokenMismatch(TransactionError):
    """The account holds another token."""

    account: int
    held: int
    token: int
    label = "token mismatch"
    problem = "account {account} holds token {held}, the transaction is in token {token}"
    remedy = "use the account that holds token {token}"


@dataclass(eq=False)
class ReusedNonce(TransactionError):
    """The nonce has been used already."""

    account: int
    nonce: int
    expected: int
    label = "reused nonce"
    problem = "account {account} has used nonce {nonce} already"
    remedy = "sign again with nonce {expected}"


@dataclass(eq=False)
class NonceTooHigh(TransactionError):
    """The nonce leaves a gap."""

    account: int
    nonce: int
    expected: int
    label = "nonce too high"
    problem = "account {account} is at nonce {expected}, the transaction has nonce {nonce}"
    remedy = "apply the transactions with the nonces in between first"


@dataclass(eq=False)
class NonceExhausted(TransactionError):
    """The account has used its last nonce."""

    account: int
    nonce: int
    label = "nonce exhausted"
    problem = "account {account} is at its last nonce, {nonce}"
    remedy = "leave by a forced exit and open another account"


@dataclass(eq=False)
class UnencodableAmount(TransactionError):
    """The amount has no code of 27 bits times a power of ten."""

    amount: int
    below: int
    label = "unencodable amount"
    problem = "{amount} is not a number below 2^27 times a power of ten up to 10^31"
    remedy = "the next amount below that can be transferred is {below}"


@dataclass(eq=False)
class UnencodableFee(TransactionError):
    """The fee has no code of 7 bits times a power of ten."""

    fee: int
    below: int
    label = "unencodable fee"
    problem = "{fee} is not a number below 2^7 times a power of ten up to 10^31"
    remedy = "the next fee below that can be paid is {below}"


@dataclass(eq=False)
class FeeTokenNotAccepted(TransactionError):
    """The batch takes no fees in this token."""

    token: int
    accepted: tuple[int, ...]
    label = "fee token not accepted"
    problem = "this batch takes fees in tokens {accepted}, the transaction pays in token {token}"
    remedy = "set the fee to 0 or wait for a batch that takes token {token}"


@dataclass(eq=False)
class Overdrawn(TransactionError):
    """The balance does not cover amount and fee."""

    account: int
    balance: int
    amount: int
    fee: int
    label = "overdrawn"
    problem = "account {account} holds {balance}, less than amount {amount} plus fee {fee}"
    remedy = "lower the amount or deposit first"


@dataclass(eq=False)
class UnknownRecipient(TransactionError):
    """The recipient does not exist."""

    account: int
    label = "unknown recipient"
    problem = "there is no account {account} to be credited"
    remedy = "the recipient opens an account by a deposit first"


@dataclass(eq=False)
class UnknownAddress(TransactionError):
    """No account of the token has this Ethereum address."""

    eth_address: int
    token: int
    label = "unknown address"
    problem = "no account of token {token} has the address {eth_address:#042x}"
    remedy = "the recipient opens an account by a deposit first, or pay to a new account"


@dataclass(eq=False)
class WrongAddress(TransactionError):
    """The account that the operator named has another Ethereum address than the one signed."""

    account: int
    held: int
    eth_address: int
    label = "wrong address"
    problem = "account {account} has the address {held:#042x}, the sender pays {eth_address:#042x}"
    remedy = "name an account with that address, or none"


@dataclass(eq=False)
class BalanceOverflow(TransactionError):
    """A credit would reach 2^128."""

    account: int
    balance: int
    amount: int
    label = "balance overflow"
    problem = "account {account} holds {balance}; {amount} more would reach 2^128"
    remedy = "lower the amount"


@dataclass(eq=False)
class TreeFull(TransactionError):
    """There is no free index left for a new account."""

    capacity: int
    label = "tree full"
    problem = "all {capacity} indices are taken"
    remedy = "use a deeper tree"


@dataclass(eq=False)
class GroupInterrupted(TransactionError):
    """A group is open, and what comes next is none of its members."""

    group: int
    found: int
    label = "group interrupted"
    problem = "group {group:#x} is not complete, and what follows belongs to group {found:#x}"
    remedy = "put all members of a group one after the other, in the order of its hash"


@dataclass(eq=False)
class GroupIncomplete(TransactionError):
    """The members that are there do not hash to the group that they were signed for."""

    group: int
    members: int
    label = "group incomplete"
    problem = "{members} transactions of group {group:#x} stand here, which are not all of it in its order"
    remedy = "put all members of a group one after the other, in the order of its hash"


@dataclass(eq=False)
class GroupTooLarge(TransactionError):
    """The group has more members than any batch has slots."""

    group: int
    members: int
    slots: int
    label = "group too large"
    problem = "group {group:#x} has {members} members, a batch has {slots} slots"
    remedy = "make the group smaller"


# -- requests from L1 --------------------------------------------------------------------------------


@dataclass(eq=False)
class IndexOutsideTree(TransactionError):
    """An index that the tree does not have."""

    account: int
    capacity: int
    label = "index outside the tree"
    problem = "index {account} is not below {capacity}"
    remedy = "correct the index"


# -- a batch -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class BatchFull(StateError):
    """More transactions than slots."""

    slots: int
    label = "batch full"
    problem = "all {slots} slots are taken"
    remedy = "put the transaction into the next batch"


@dataclass(eq=False)
class NoopBeforeTransaction(StateError):
    """A noop stands before a transaction: noops are padding at the end."""

    position: int
    label = "noop before a transaction"
    problem = "transaction {position} is a noop and another kind follows it"
    remedy = "leave noops out: a batch is padded by itself"


@dataclass(eq=False)
class TooManyFeeEntries(StateError):
    """More fee entries than the batch has."""

    found: int
    allowed: int
    label = "too many fee entries"
    problem = "{found} entries given"
    remedy = "this batch has {allowed}"


@dataclass(eq=False)
class DuplicateFeeToken(StateError):
    """Two fee entries name one token."""

    token: int
    label = "duplicate fee token"
    problem = "two fee entries name token {token}"
    remedy = "give each token one account"


@dataclass(eq=False)
class FeeAccountMissing(StateError):
    """The account that a fee entry names does not exist after the last slot."""

    account: int
    token: int
    label = "fee account missing"
    problem = "fees in token {token} go to account {account}, which does not exist"
    remedy = "open it by a deposit first"


@dataclass(eq=False)
class DepthMismatch(StateError):
    """The state tree and the batch disagree about the depth."""

    state: int
    batch: int
    label = "depth mismatch"
    problem = "the state tree has depth {state}, the batch {batch}"
    remedy = "use one depth for both"


# -- public data -------------------------------------------------------------------------------------


@dataclass(eq=False)
class PublicDataError(StateError, ValueError):
    """Base of the reasons why bytes are not the public data of a batch."""


@dataclass(eq=False)
class DataTruncated(PublicDataError):
    """The bytes end inside a field."""

    name: str
    offset: int
    needed: int
    found: int
    label = "public data truncated"
    problem = "{name} at byte {offset} takes {needed} bytes, {found} are left"
    remedy = "submit the whole data"


@dataclass(eq=False)
class DataTooLong(PublicDataError):
    """Bytes follow the last slot."""

    offset: int
    extra: int
    slots: int
    label = "public data too long"
    problem = "{extra} bytes follow record {slots} at byte {offset}"
    remedy = "a batch has at most {slots} records and nothing after them"


@dataclass(eq=False)
class UnknownKind(PublicDataError):
    """A record begins with a kind that has no record."""

    offset: int
    nibble: int
    label = "unknown kind of record"
    problem = "the record at byte {offset} begins with nibble {nibble}"
    remedy = (
        "expected deposit 1 or 9, transfer 2, withdraw 3, forced exit 4 or 12, change of key 5, "
        "transfer to new 6"
    )


@dataclass(eq=False)
class NonCanonicalData(PublicDataError):
    """A field holds a value that its one accepted form does not have."""

    name: str
    offset: int
    found: str
    expected: str
    label = "non-canonical public data"
    problem = "{name} at byte {offset} is {found}"
    remedy = "expected {expected}"


@dataclass(eq=False)
class ReplayRefused(StateError, ValueError):
    """A batch's public data does not follow from the state: no proved batch of this rollup has it."""

    name: str
    found: str
    expected: str
    label = "batch that does not follow"
    problem = "{name} is {found}"
    remedy = "expected {expected}"


# -- stores ------------------------------------------------------------------------------------------


@dataclass(eq=False)
class StoreMismatch(StateError):
    """A file that is no state store, or one of another kind."""

    path: str
    name: str
    found: object
    expected: object
    label = "not this state store"
    problem = "{path}: {name} is {found!r}"
    remedy = "expected {expected!r}"


@dataclass(eq=False)
class StoreConflict(StateError):
    """Somebody else committed to the store since it was read."""

    expected: int
    found: int
    label = "store changed underneath"
    problem = "version {expected} was read, the store is at version {found}"
    remedy = "let one process own the store, and reopen it"


@dataclass(eq=False)
class SnapshotLost(StateError):
    """The journal does not lead back to this snapshot."""

    version: int
    oldest: int
    newest: int
    label = "snapshot lost"
    problem = "the journal holds versions {oldest} to {newest}, not this version {version}"
    remedy = "restore earlier, or keep a longer journal"


@dataclass(eq=False)
class DuplicateAccount(StateError):
    """An account with the same token, key and address exists already."""

    account: int
    existing: int
    label = "duplicate account"
    problem = "account {account} would have the token, key and address of account {existing}"
    remedy = "top up account {existing}"
