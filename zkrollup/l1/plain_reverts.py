"""Why the rollup's contract reverts: one class per reason, its values as fields.

This module must not know how a reason is found. Whenever one is raised, the contract has not changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.state.exceptions import Refusal

__all__ = [
    "DepositTooLarge",
    "InsecureKey",
    "InsufficientHoldings",
    "InvalidArgument",
    "InvalidDepositKey",
    "MalformedData",
    "MalformedProof",
    "NoSuchRequest",
    "NonCanonicalCommitment",
    "NothingPending",
    "OutsideTree",
    "ProofRejected",
    "RequestAmountMismatch",
    "RequestKindMismatch",
    "RequestOwnerMismatch",
    "RequestTargetMismatch",
    "RequestTokenMismatch",
    "Revert",
    "WrongBatchNumber",
    "WrongChain",
    "WrongNextIndex",
    "WrongRollup",
    "WrongRoot",
]


@dataclass(eq=False)
class Revert(Refusal):
    """Base of everything that the contract refuses."""


# -- deployment --------------------------------------------------------------------------------------


@dataclass(eq=False)
class InsecureKey(Revert):
    """The verifying key comes from a one-party setup."""

    digest: str
    label = "insecure key"
    problem = "one party made verifying key {digest} and could forge proofs under it"
    remedy = "use a key from a ceremony; pass allow_insecure_key=True where nothing of value is at stake"


# -- requests ----------------------------------------------------------------------------------------


@dataclass(eq=False)
class InvalidArgument(Revert):
    """An argument that does not fit its type, or the zero address."""

    name: str
    value: object
    expected: str
    label = "invalid argument"
    problem = "{name} is {value!r}"
    remedy = "expected {expected}"


@dataclass(eq=False)
class InvalidDepositKey(Revert):
    """A key that no account may have."""

    ax: int
    ay: int
    label = "invalid key"
    problem = "({ax}, {ay}) is not a point of BabyJubJub with coordinates below r and ay != 0"
    remedy = "deposit to the public key that the wallet shows"


@dataclass(eq=False)
class DepositTooLarge(Revert):
    """A deposit that reaches the cap."""

    amount: int
    cap: int
    label = "deposit too large"
    problem = "{amount} is not below {cap}"
    remedy = "deposit in smaller amounts"


@dataclass(eq=False)
class OutsideTree(Revert):
    """An account index that the tree does not have."""

    account: int
    capacity: int
    label = "outside the tree"
    problem = "account {account} is not below {capacity}"
    remedy = "correct the index"


# -- batches -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class MalformedData(Revert):
    """The bytes are not the public data of a batch."""

    reason: str
    label = "malformed data"
    problem = "{reason}"
    remedy = "submit the one byte form of the batch"


@dataclass(eq=False)
class NonCanonicalCommitment(Revert):
    """The commitment is not below r."""

    commitment: object
    label = "non-canonical commitment"
    problem = "{commitment!r} is not an integer in 0 .. r - 1"
    remedy = "submit the commitment that was proved"


@dataclass(eq=False)
class WrongChain(Revert):
    """The batch is for another chain."""

    found: int
    expected: int
    label = "wrong chain"
    problem = "the batch is for chain {found}"
    remedy = "this is chain {expected}"


@dataclass(eq=False)
class WrongRollup(Revert):
    """The batch is for another rollup."""

    found: int
    expected: int
    label = "wrong rollup"
    problem = "the batch is for rollup {found:#042x}"
    remedy = "this is rollup {expected:#042x}"


@dataclass(eq=False)
class WrongBatchNumber(Revert):
    """The batch is not the next one."""

    found: int
    expected: int
    label = "wrong batch number"
    problem = "this is batch {found}"
    remedy = "the next one is batch {expected}"


@dataclass(eq=False)
class WrongNextIndex(Revert):
    """The batch opens accounts from another index on."""

    found: int
    expected: int
    label = "wrong next index"
    problem = "the batch's next new account is {found}"
    remedy = "the contract expects {expected}"


@dataclass(eq=False)
class WrongRoot(Revert):
    """The batch does not start from the contract's root."""

    found: int
    expected: int
    label = "wrong root"
    problem = "the batch starts from root {found}"
    remedy = "the state root is {expected}"


@dataclass(eq=False)
class NoSuchRequest(Revert):
    """The batch consumes a request that nobody made."""

    number: int
    label = "no such request"
    problem = "the batch consumes request {number}, and the queue ends before it"
    remedy = "consume the queue's requests only"


@dataclass(eq=False)
class RequestKindMismatch(Revert):
    """The next request is of another kind."""

    number: int
    found: str
    expected: str
    label = "request kind mismatch"
    problem = "the batch takes request {number} for a {found}"
    remedy = "it is a {expected}"


@dataclass(eq=False)
class RequestTokenMismatch(Revert):
    """The deposit is in another token."""

    number: int
    found: int
    expected: int
    label = "request token mismatch"
    problem = "the batch says token {found} for request {number}"
    remedy = "it deposits token {expected}"


@dataclass(eq=False)
class RequestAmountMismatch(Revert):
    """The deposit has another amount."""

    number: int
    found: int
    expected: int
    label = "request amount mismatch"
    problem = "the batch says amount {found} for request {number}"
    remedy = "it deposits {expected}"


@dataclass(eq=False)
class RequestOwnerMismatch(Revert):
    """The record names another address or public key than the request."""

    number: int
    name: str
    found: int
    expected: int
    label = "request owner mismatch"
    problem = "the batch says {name} {found:#x} for request {number}"
    remedy = "it has {expected:#x}"


@dataclass(eq=False)
class RequestTargetMismatch(Revert):
    """The forced exit is of another account."""

    number: int
    found: int
    expected: int
    label = "request target mismatch"
    problem = "the batch says account {found} for request {number}"
    remedy = "it is for account {expected}"


@dataclass(eq=False)
class MalformedProof(Revert):
    """The proof is not three points as the precompiles take them."""

    reason: str
    label = "malformed proof"
    problem = "{reason}"
    remedy = "submit the proof as the prover wrote it"


@dataclass(eq=False)
class ProofRejected(Revert):
    """The proof does not hold for this data."""

    batch_number: int
    commitment: int
    challenge: int
    fingerprint: int
    label = "proof rejected"
    problem = (
        "it does not hold for batch {batch_number} with (C, z, y) = "
        "({commitment}, {challenge}, {fingerprint})"
    )
    remedy = "prove exactly this data for this chain and contract"


# -- withdrawals -------------------------------------------------------------------------------------


@dataclass(eq=False)
class NothingPending(Revert):
    """Nothing can be withdrawn, or it has been already."""

    address: int
    token: int
    label = "nothing pending"
    problem = "{address:#042x} has nothing to withdraw in token {token}"
    remedy = "wait until a batch with the withdrawal is accepted"


@dataclass(eq=False)
class InsufficientHoldings(Revert):
    """The contract owes more than it was ever paid in: the genesis was not backed."""

    token: int
    holdings: int
    amount: int
    label = "insufficient holdings"
    problem = "{amount} of token {token} is due, the contract holds {holdings}"
    remedy = "back the accounts of the genesis state"
