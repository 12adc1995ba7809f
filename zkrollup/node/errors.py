"""Why a node refuses something: one class per reason, each with a code of its own and its values.

This module must not know of HTTP or SQLite, nor what a node does: it names values only. The code of a
refusal is what JSON-RPC answers, its values are the answer's ``data``; ``docs/node.md`` lists them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from zkrollup.state import exceptions as state
from zkrollup.state.exceptions import Refusal

__all__ = [
    "AccountQueueFull",
    "BatchForgotten",
    "BatchTooLong",
    "BodyTooLarge",
    "BodyTooSlow",
    "ContractFrozen",
    "DirectoryInUse",
    "Evicted",
    "FeeTooLow",
    "ForeignBatch",
    "GroupMismatch",
    "GroupTooLarge",
    "InvalidParams",
    "InvalidRequest",
    "L1Mismatch",
    "MethodNotFound",
    "NewerStateFile",
    "NodeRefusal",
    "NodeStopping",
    "NonceGapExpired",
    "NonceTooFar",
    "NoSuchAccount",
    "NoSuchBatch",
    "NoSuchTransaction",
    "NotSigned",
    "ParseError",
    "PoolBusy",
    "PoolFull",
    "ProofDoesNotHold",
    "ProofTimedOut",
    "RateLimited",
    "Replaced",
    "ReplacementUnderpriced",
    "RetraceFailed",
    "RevertedByL1",
    "RollbackImpossible",
    "StateFileMismatch",
    "TokenNotTaken",
    "UnknownToken",
    "UnsupportedKind",
    "WorkerDied",
    "WrongChainId",
    "WrongRollupId",
    "code_of",
    "error_object",
]

INTERNAL_ERROR = -32603


@dataclass(eq=False)
class NodeRefusal(Refusal):
    """Base of what a node refuses; nothing has changed whenever one is raised."""

    code: ClassVar[int] = INTERNAL_ERROR


# -- the request as such: codes of JSON-RPC 2.0, and 1000 .. 1999 ------------------------------------


@dataclass(eq=False)
class ParseError(NodeRefusal):
    """The body is no JSON."""

    found: str
    code = -32700
    label = "parse error"
    problem = "the body is not JSON: {found}"
    remedy = "send one JSON-RPC 2.0 request, or a list of them, in UTF-8"


@dataclass(eq=False)
class InvalidRequest(NodeRefusal):
    """JSON, but no JSON-RPC request."""

    name: str
    found: str
    expected: str
    code = -32600
    label = "invalid request"
    problem = "{name} is {found}"
    remedy = "expected {expected}"


@dataclass(eq=False)
class MethodNotFound(NodeRefusal):
    """No method has this name."""

    method: str
    known: tuple[str, ...]
    code = -32601
    label = "unknown method"
    problem = "there is no method {method!r}"
    remedy = "the methods are {known}"


@dataclass(eq=False)
class InvalidParams(NodeRefusal):
    """A parameter is missing, unknown, or says nothing that can be understood."""

    name: str
    found: str
    expected: str
    code = -32602
    label = "invalid parameter"
    problem = "{name} is {found}"
    remedy = "expected {expected}"


@dataclass(eq=False)
class BodyTooLarge(NodeRefusal):
    """The body of the HTTP request is longer than the node reads."""

    size: int
    limit: int
    code = 1001
    label = "body too large"
    problem = "the body has {size} bytes or more"
    remedy = "send at most {limit} bytes"


@dataclass(eq=False)
class RateLimited(NodeRefusal):
    """More requests than the client's share."""

    rate: int
    burst: int
    retry_after: float
    code = 1002
    label = "rate limited"
    problem = "more than {rate} requests a second from this address, beyond a burst of {burst}"
    remedy = "try again in {retry_after} seconds"


@dataclass(eq=False)
class BatchTooLong(NodeRefusal):
    """A list of requests longer than the node takes."""

    found: int
    limit: int
    code = 1003
    label = "too many requests in one body"
    problem = "the list holds {found} requests"
    remedy = "send at most {limit} at once"


@dataclass(eq=False)
class NodeStopping(NodeRefusal):
    """The node is on its way down and takes nothing more."""

    code = 1004
    label = "node stopping"
    problem = "the node is shutting down"
    remedy = "submit again when it is back"


@dataclass(eq=False)
class ContractFrozen(NodeRefusal):
    """The contract is frozen, so that no batch will be executed any more."""

    code = 1005
    label = "contract frozen"
    problem = "the contract on L1 is frozen for good and takes no more batches"
    remedy = "restore the state from L1 and leave with a proof of the account"


@dataclass(eq=False)
class WrongContentType(NodeRefusal):
    """A body that does not say that it is JSON: a page in a browser may send such a one to any address."""

    found: str
    code = 1006
    label = "wrong content type"
    problem = "the body is said to be {found!r}"
    remedy = "send it with Content-Type: application/json"


@dataclass(eq=False)
class BodyTooSlow(NodeRefusal):
    """The body of the HTTP request did not come in time."""

    size: int
    seconds: float
    code = 1007
    label = "body too slow"
    problem = "{size} bytes of the body have come in {seconds:g} seconds, and it is not whole"
    remedy = "send it at once, or in smaller parts"


# -- transactions: 2000 .. 2999 (those of the state machine are in the table below) ------------------


@dataclass(eq=False)
class WrongChainId(NodeRefusal):
    """Signed for another chain."""

    found: int
    expected: int
    code = 2001
    label = "wrong chain id"
    problem = "the transaction is for chain {found}"
    remedy = "this rollup is on chain {expected}; sign again for it"


@dataclass(eq=False)
class WrongRollupId(NodeRefusal):
    """Signed for another rollup."""

    found: int
    expected: int
    code = 2002
    label = "wrong rollup id"
    problem = "the transaction is for rollup {found:#042x}"
    remedy = "this is rollup {expected:#042x}; sign again for it"


@dataclass(eq=False)
class UnknownToken(NodeRefusal):
    """No token of this number is registered on L1."""

    token: int
    known: tuple[int, ...]
    code = 2003
    label = "unknown token"
    problem = "there is no token {token}"
    remedy = "the tokens are {known}"


@dataclass(eq=False)
class UnsupportedKind(NodeRefusal):
    """A transaction of a kind that comes from L1, or from nobody."""

    kind: str
    code = 2004
    label = "not to be submitted here"
    problem = "a {kind} cannot be submitted to a node"
    remedy = "deposits and forced exits are calls of the contract on L1"


@dataclass(eq=False)
class NotSigned(NodeRefusal):
    """A transaction without a signature."""

    account: int
    nonce: int
    code = 2005
    label = "not signed"
    problem = "the transaction of account {account} with nonce {nonce} carries no signature"
    remedy = "sign it offline and submit it then"


@dataclass(eq=False)
class NonceTooFar(NodeRefusal):
    """The nonce leaves a gap that is not worth keeping."""

    account: int
    nonce: int
    expected: int
    limit: int
    code = 2006
    label = "nonce too far ahead"
    problem = "account {account} is at nonce {expected}, the transaction has nonce {nonce}"
    remedy = "submit the nonces in between first; at most {limit} ahead are held"


@dataclass(eq=False)
class FeeTooLow(NodeRefusal):
    """Below the node's minimum."""

    fee: int
    minimum: int
    token: int
    code = 2007
    label = "fee too low"
    problem = "the fee is {fee} of token {token}"
    remedy = "this node takes transactions in token {token} from {minimum} on"


@dataclass(eq=False)
class GroupTooLarge(NodeRefusal):
    """A group that no batch can hold."""

    found: int
    limit: int
    code = 2008
    label = "group too large"
    problem = "the group has {found} transactions"
    remedy = "a group has 2 to {limit}"


@dataclass(eq=False)
class GroupMismatch(NodeRefusal):
    """The members submitted together are not what the signatures commit to."""

    position: int
    found: int
    expected: int
    code = 2009
    label = "not this group"
    problem = "transaction {position} commits to group {found:#x}"
    remedy = "the transactions as submitted are group {expected:#x}; submit the whole group, in order"


# -- the pool: 3000 .. 3999 --------------------------------------------------------------------------


@dataclass(eq=False)
class TokenNotTaken(NodeRefusal):
    """The operator has named least fees, and none in this token."""

    token: int
    taken: tuple[int, ...]
    code = 2010
    label = "token not taken"
    problem = "this node has no least fee in token {token}, and takes none but those that it has"
    remedy = "use a node that takes it, or leave by a request on L1; here it is one of {taken}"


@dataclass(eq=False)
class PoolFull(NodeRefusal):
    """The pool is full of transactions that pay at least as much."""

    limit: int
    lowest: str
    offered: str
    code = 3001
    label = "pool full"
    problem = "{limit} transactions wait, the least of them pays {lowest} a slot and this one {offered}"
    remedy = "pay more, or try again later"


@dataclass(eq=False)
class PoolBusy(NodeRefusal):
    """The pool is half full, and this one could not be applied after what its account has waiting."""

    waiting: int
    account: int
    code = 3007
    label = "pool busy"
    problem = "{waiting} transactions wait, and account {account} has not waiting what this one is to follow"
    remedy = "fill the gap of nonces, and have a balance for all that the account has waiting"


@dataclass(eq=False)
class AccountQueueFull(NodeRefusal):
    """One account has as many transactions waiting as it may."""

    account: int
    limit: int
    code = 3002
    label = "account queue full"
    problem = "account {account} has {limit} transactions waiting"
    remedy = "submit more when some of them are in a batch"


@dataclass(eq=False)
class ReplacementUnderpriced(NodeRefusal):
    """Another transaction has this nonce, and the new one does not pay enough more."""

    account: int
    nonce: int
    offered: str
    needed: str
    code = 3003
    label = "replacement underpriced"
    problem = "account {account} has a transaction with nonce {nonce} waiting; this one pays {offered} a slot"
    remedy = "pay {needed} or more to replace it"


@dataclass(eq=False)
class Evicted(NodeRefusal):
    """Dropped from a full pool for one that pays more."""

    limit: int
    code = 3004
    label = "evicted"
    problem = "the pool holds {limit} transactions and others pay more"
    remedy = "submit it again with a higher fee"


@dataclass(eq=False)
class Replaced(NodeRefusal):
    """Dropped for another one with the same account and nonce."""

    by: str
    code = 3005
    label = "replaced"
    problem = "transaction {by} has the same account and nonce and pays more"
    remedy = "follow that one"


@dataclass(eq=False)
class NonceGapExpired(NodeRefusal):
    """Dropped because the nonces before it did not come."""

    account: int
    nonce: int
    expected: int
    seconds: int
    code = 3006
    label = "nonce gap"
    problem = "account {account} is at nonce {expected}; nonce {nonce} has waited {seconds} seconds"
    remedy = "submit the nonces in between, then this one again"


# -- questions: 4000 .. 4999 -------------------------------------------------------------------------


@dataclass(eq=False)
class NoSuchTransaction(NodeRefusal):
    """The node never acknowledged a transaction with this id."""

    id: str
    code = 4001
    label = "unknown transaction"
    problem = "there is no transaction {id}"
    remedy = "submit it: what was acknowledged is known"


@dataclass(eq=False)
class NoSuchBatch(NodeRefusal):
    """No batch has this number yet."""

    number: int
    last: int
    code = 4002
    label = "unknown batch"
    problem = "there is no batch {number}"
    remedy = "the last one is {last}"


@dataclass(eq=False)
class NoSuchAccount(NodeRefusal):
    """There is no such account in the state as built so far."""

    account: str
    code = 4003
    label = "unknown account"
    problem = "there is no account {account}"
    remedy = "a deposit opens one, once a batch has taken it in"


# -- L1: 5000 .. 5999 --------------------------------------------------------------------------------


@dataclass(eq=False)
class RevertedByL1(NodeRefusal):
    """The contract refused a call that a client made through the node."""

    revert: str
    text: str
    code = 5001
    label = "reverted by L1"
    problem = "{revert}: {text}"
    remedy = "correct the call"


# -- the node itself: it stops -----------------------------------------------------------------------


@dataclass(eq=False)
class StateFileMismatch(NodeRefusal, ValueError):
    """A file that is no node's, or that of another rollup."""

    path: str
    name: str
    found: object
    expected: object
    label = "not this rollup's file"
    problem = "{path}: {name} is {found!r}"
    remedy = "expected {expected!r}; start the node with what it was begun with, or with another directory"


@dataclass(eq=False)
class NewerStateFile(NodeRefusal, ValueError):
    """A file that a later version wrote."""

    path: str
    found: int
    known: int
    label = "file of a newer version"
    problem = "{path}: schema {found}"
    remedy = "this version knows schema {known} and older ones; install a newer zkrollup"


@dataclass(eq=False)
class DirectoryInUse(NodeRefusal, ValueError):
    """Another process has the directory."""

    path: str
    label = "directory in use"
    problem = "another process holds {path}"
    remedy = "stop that node, or give this one another directory"


@dataclass(eq=False)
class L1Mismatch(NodeRefusal, ValueError):
    """The contract is not the one that the node was set up for."""

    name: str
    found: object
    expected: object
    label = "not this rollup's contract"
    problem = "the contract's {name} is {found!r}"
    remedy = "the node was set up for {expected!r}"


@dataclass(eq=False)
class ForeignBatch(NodeRefusal, RuntimeError):
    """Somebody else's batch stands on L1 where the node's should; the node takes it over."""

    number: int
    found: str
    expected: str
    label = "batch of another operator"
    problem = "batch {number} on L1 is {found}, the node's is {expected}"
    remedy = "the node's own batches from there on are undone, and that one is replayed"


@dataclass(eq=False)
class RollbackImpossible(NodeRefusal, RuntimeError):
    """L1 went further back than the journal reaches."""

    number: int
    oldest: int
    label = "rollback impossible"
    problem = "the state must go back to batch {number}, the journal reaches batch {oldest}"
    remedy = "move node.db away and start again: the state is rebuilt from L1; submit what waited anew"


@dataclass(eq=False)
class BatchForgotten(NodeRefusal, RuntimeError):
    """L1 dropped a batch that was taken for final, and of which only the roots are kept."""

    number: int
    executed: int
    label = "batch forgotten"
    problem = "L1 has gone back to batch {executed}; what batch {number} held was not kept, as it was final"
    remedy = "move node.db away and start again: the state is rebuilt from L1; keep more, for longer"


@dataclass(eq=False)
class RetraceFailed(NodeRefusal, RuntimeError):
    """A stored batch, applied again, gives another root."""

    number: int
    found: int
    expected: int
    label = "stored batch does not repeat"
    problem = "batch {number} applied again gives root {found:#x}, stored is {expected:#x}"
    remedy = "the file is damaged, or another version wrote it; move it away, the state is rebuilt from L1"


@dataclass(eq=False)
class ProofDoesNotHold(NodeRefusal, RuntimeError):
    """The prover returned a proof that does not verify."""

    number: int
    label = "proof does not hold"
    problem = "the proof of batch {number} does not verify under the rollup's key"
    remedy = "it was thrown away and the batch is proved again"


@dataclass(eq=False)
class WorkerDied(NodeRefusal, RuntimeError):
    """The proving process ended in the middle of its work."""

    exit_code: int | None
    label = "prover died"
    problem = "the proving process ended with code {exit_code}"
    remedy = "it is started again"


@dataclass(eq=False)
class ProofTimedOut(NodeRefusal, RuntimeError):
    """The proving process did not answer in time."""

    number: int
    seconds: float
    label = "proof took too long"
    problem = "the proving process had no proof of batch {number} after {seconds:g} s"
    remedy = "it is killed and started again; give it more time with --proof-seconds if it needs that"


_STATE_CODES: dict[str, int] = {
    "TransactionFormatError": 2100,
    "UnknownAccount": 2101,
    "WrongSignature": 2102,
    "TokenMismatch": 2103,
    "ReusedNonce": 2104,
    "NonceTooHigh": 2105,
    "NonceExhausted": 2106,
    "UnencodableAmount": 2107,
    "UnencodableFee": 2108,
    "FeeTokenNotAccepted": 2109,
    "Overdrawn": 2110,
    "UnknownRecipient": 2111,
    "BalanceOverflow": 2112,
    "ReservedAccount": 2113,
    "OutOfRange": 2114,
    "InvalidKey": 2115,
    "InvalidParameter": 2116,
    "Expired": 2117,
    "TreeFull": 2118,
    "IndexOutsideTree": 2119,
    "DuplicateAccount": 2120,
    "UnknownAddress": 2121,
    "WrongAddress": 2122,
    "GroupInterrupted": 2123,
    "GroupIncomplete": 2124,
    "GroupTooLarge": 2125,
}
_OTHER_STATE_REFUSAL = 2199
_EXACT = 1 << 53  # what every JSON reader keeps


def code_of(refusal: Refusal) -> int:
    """The JSON-RPC error code of a refusal, the node's or the state machine's."""
    if isinstance(refusal, NodeRefusal):
        return refusal.code
    if isinstance(refusal, state.StateError):
        return _STATE_CODES.get(type(refusal).__name__, _OTHER_STATE_REFUSAL)
    return INTERNAL_ERROR


def error_object(refusal: Refusal) -> dict[str, Any]:
    """The ``error`` member of a JSON-RPC answer: code, text, and in ``data`` the reason's name
    and values."""
    data = {"reason": type(refusal).__name__}
    data |= {name: _plain(value) for name, value in refusal.values().items() if name != "place" or value}
    return {"code": code_of(refusal), "message": str(refusal), "data": data}


def _plain(value: object) -> Any:
    """Integers that a JSON reader could round become decimal strings."""
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)
