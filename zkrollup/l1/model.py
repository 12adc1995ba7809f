"""The rollup's contract as plain Python: queue, batches, roots, withdrawals.

This module must not know of circuits, engines or provers, nor trust anything that it can compute from
the bytes it was given. It does what the Solidity contract does, in its order; a call either completes
or raises a :class:`Revert` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zkrollup.bn254 import FR_MODULUS
from zkrollup.groth16.keys import Proof, VerifyingKey
from zkrollup.l1 import plain_reverts as reverts
from zkrollup.l1.plain_events import BatchAccepted, Event, RequestQueued, WithdrawalPaid, WithdrawalPending
from zkrollup.state.accounts import (
    ADDRESS_BITS,
    BALANCE_BITS,
    CHAIN_ID_BITS,
    INDEX_BITS,
    TOKEN_BITS,
    require_bits,
    require_field_element,
)
from zkrollup.state.exceptions import InvalidKey, InvalidParameter, OutOfRange, PublicDataError
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import PublicData, PublicInputs, SlotRecord, challenge, decode, fingerprint
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import Deposit, ForcedExit, Request, require_key
from zkrollup.verifier import MalformedInput
from zkrollup.verifier import verify as verify_proof

__all__ = ["DEPOSIT_CAP", "REQUEST_LIFETIME", "QueuedRequest", "RollupContract", "Verify"]

DEPOSIT_CAP = 1 << 96
"""A deposit stays below this, so that it takes 2^32 of them to fill a balance of 128 bits."""

REQUEST_LIFETIME = 50_400
"""Blocks until a request is due: a week of 12-second blocks."""

NUM_PUBLIC_INPUTS = len(PublicInputs._fields)

Verify = Callable[[VerifyingKey, Sequence[int], Proof], bool]


@dataclass(frozen=True, slots=True)
class QueuedRequest:
    """A request with its place in the queue, and the block until which it should be in a batch."""

    number: int
    deadline: int
    request: Request


class RollupContract:
    """One rollup on one chain, from its genesis root on.

    ``address`` is the contract's own. ``holdings`` back the accounts of a genesis that is not empty (token
    -> amount), and ``genesis_accounts`` is the highest index among them. Batches are numbered from 1.
    Amounts are in the token's smallest unit, addresses integers of 160 bits. A key that one party made is
    refused unless ``allow_insecure_key`` says that nothing of value is at stake. Whoever passes another
    ``verify`` gets a contract that checks no proofs: that is for tests of everything else.

    Raises :class:`OutOfRange`, :class:`InvalidParameter`, :class:`InsecureKey`.
    """

    def __init__(
        self,
        *,
        chain_id: int,
        address: int,
        rollup_id: int,
        genesis_root: int,
        verifying_key: VerifyingKey,
        parameters: BatchParameters,
        deposit_cap: int = DEPOSIT_CAP,
        request_lifetime: int = REQUEST_LIFETIME,
        holdings: Mapping[int, int] | None = None,
        genesis_accounts: int = 0,
        allow_insecure_key: bool = False,
        verify: Verify = verify_proof,
    ) -> None:
        require_bits("chain_id", chain_id, CHAIN_ID_BITS)
        require_bits("address", address, ADDRESS_BITS)
        require_bits("rollup_id", rollup_id, ADDRESS_BITS)
        require_field_element("genesis_root", genesis_root)
        require_bits("deposit_cap - 1", deposit_cap - 1, BALANCE_BITS)
        require_bits("genesis_accounts", genesis_accounts, 2 * parameters.depth)
        if verifying_key.num_public != NUM_PUBLIC_INPUTS:
            raise InvalidParameter(
                "verifying key", f"a key for {verifying_key.num_public} inputs", "C, z and y"
            )
        if verifying_key.insecure and not allow_insecure_key:
            raise reverts.InsecureKey(verifying_key.digest)
        self.chain_id = chain_id
        self.address = address
        self.rollup_id = rollup_id
        self.verifying_key = verifying_key
        self.parameters = parameters
        self.deposit_cap = deposit_cap
        self.request_lifetime = request_lifetime
        self._verify = verify
        self.block_number = 0
        self.root = genesis_root
        self.batch_number = 0
        self.requests_consumed = 0
        self.requests: list[QueuedRequest] = []
        self.holdings: dict[int, int] = dict(holdings or {})
        self.pending: dict[tuple[int, int], int] = {}
        self.events: list[Event] = []
        self.next_index = genesis_accounts + 1

    # -- requests --------------------------------------------------------------------------------

    @property
    def queue(self) -> tuple[QueuedRequest, ...]:
        """The requests that no batch has consumed yet, in order."""
        return tuple(self.requests[self.requests_consumed :])

    @property
    def is_overdue(self) -> bool:
        """Whether the oldest request in the queue has passed its deadline."""
        return bool(self.queue) and self.queue[0].deadline < self.block_number

    def mine(self, blocks: int = 1) -> None:
        """Let time pass."""
        self.block_number += blocks

    def deposit(self, *, token: int, amount: int, ax: int, ay: int, eth_address: int) -> QueuedRequest:
        """Take ``amount`` of ``token`` from ``eth_address`` for the account with this key.

        Raises :class:`InvalidArgument`, :class:`DepositTooLarge`, :class:`InvalidDepositKey`.
        """
        _require_argument("token", token, TOKEN_BITS)
        _require_argument("amount", amount, 256)
        if amount >= self.deposit_cap:
            raise reverts.DepositTooLarge(amount, self.deposit_cap)
        _require_address("eth_address", eth_address)
        try:
            require_key(ax, ay)
        except InvalidKey as error:
            raise reverts.InvalidDepositKey(ax, ay) from error
        self.holdings[token] = self.holdings.get(token, 0) + amount
        return self._enqueue(Deposit(token, amount, ax, ay, eth_address))

    def request_exit(self, *, account: int, requester: int) -> QueuedRequest:
        """``requester`` wants the whole balance of ``account`` paid out, should the account be theirs.

        Raises :class:`InvalidArgument`, :class:`OutsideTree`.
        """
        _require_argument("account", account, INDEX_BITS)
        _require_address("requester", requester)
        if account >= self.parameters.capacity:
            raise reverts.OutsideTree(account, self.parameters.capacity)
        return self._enqueue(ForcedExit(account, requester))

    def _enqueue(self, request: Request) -> QueuedRequest:
        queued = QueuedRequest(len(self.requests), self.block_number + self.request_lifetime, request)
        self.requests.append(queued)
        self.events.append(RequestQueued(queued.number, queued.deadline))
        return queued

    # -- batches ---------------------------------------------------------------------------------

    def submit_batch(self, data: bytes, commitment: int, proof: Proof) -> BatchAccepted:
        """Move the root by the batch that ``data`` publishes, if ``proof`` shows that it may.

        Raises :class:`MalformedData`, :class:`NonCanonicalCommitment`, :class:`WrongChain`,
        :class:`WrongRollup`, :class:`WrongBatchNumber`, :class:`WrongRoot`, :class:`NoSuchRequest`,
        :class:`WrongNextIndex`, the five ``Request...Mismatch``, :class:`MalformedProof`,
        :class:`ProofRejected`.
        """
        batch, consumed = self._read_batch(data)
        inputs = self._public_inputs(batch, commitment)
        self._require_proof(inputs, proof)
        return self._accept(batch, consumed)

    def public_inputs(self, data: bytes, commitment: int) -> PublicInputs:
        """(C, z, y) as :meth:`submit_batch` computes them; raises what it raises before the proof."""
        return self._public_inputs(self._read_batch(data)[0], commitment)

    def _read_batch(self, data: bytes) -> tuple[PublicData, int]:
        """The batch, and the number of requests consumed after it."""
        try:
            batch = decode(data, self.parameters)
        except PublicDataError as error:
            raise reverts.MalformedData(str(error)) from error
        if batch.chain_id != self.chain_id:
            raise reverts.WrongChain(batch.chain_id, self.chain_id)
        if batch.rollup_id != self.rollup_id:
            raise reverts.WrongRollup(batch.rollup_id, self.rollup_id)
        if batch.batch_number != self.batch_number + 1:
            raise reverts.WrongBatchNumber(batch.batch_number, self.batch_number + 1)
        if batch.root_before != self.root:
            raise reverts.WrongRoot(batch.root_before, self.root)
        if batch.next_before != self.next_index:
            raise reverts.WrongNextIndex(batch.next_before, self.next_index)
        return batch, self._consumed(batch.records)

    def _consumed(self, records: Sequence[SlotRecord]) -> int:
        """The number of requests consumed after these records, which must be the queue's next ones."""
        number = self.requests_consumed
        for record in records:
            if record.kind in (Kind.DEPOSIT, Kind.FORCED_EXIT):
                if number == len(self.requests):
                    raise reverts.NoSuchRequest(number)
                _require_agreement(record, self.requests[number])
                number += 1
        return number

    def _public_inputs(self, batch: PublicData, commitment: int) -> PublicInputs:
        if type(commitment) is not int or not 0 <= commitment < FR_MODULUS:
            raise reverts.NonCanonicalCommitment(commitment)
        present = batch.present()
        z = challenge(self.chain_id, self.address, present, commitment)
        return PublicInputs(commitment, z, fingerprint(present, z))

    def _require_proof(self, inputs: PublicInputs, proof: Proof) -> None:
        try:
            holds = self._verify(self.verifying_key, inputs, proof)
        except MalformedInput as error:
            raise reverts.MalformedProof(str(error)) from error
        if not holds:
            raise reverts.ProofRejected(self.batch_number + 1, *inputs)

    def _accept(self, batch: PublicData, consumed: int) -> BatchAccepted:
        accepted = BatchAccepted(batch.batch_number, batch.root_before, batch.root_after, consumed)
        self.root = batch.root_after
        self.next_index = batch.next_after
        self.batch_number = batch.batch_number
        self.requests_consumed = consumed
        self.events.append(accepted)
        for record in batch.records:
            if _pays_out(record):
                self._credit(record.eth_address, record.token, record.amount_field)
        return accepted

    # -- withdrawals -----------------------------------------------------------------------------

    def pending_withdrawal(self, address: int, token: int) -> int:
        """What ``address`` can withdraw of ``token``."""
        return self.pending.get((address, token), 0)

    def withdraw(self, address: int, token: int) -> int:
        """Pay ``address`` all that is pending of ``token``, once; returns the amount.

        Raises :class:`NothingPending`, :class:`InsufficientHoldings`.
        """
        amount = self.pending_withdrawal(address, token)
        if amount == 0:
            raise reverts.NothingPending(address, token)
        held = self.holdings.get(token, 0)
        if held < amount:
            raise reverts.InsufficientHoldings(token, held, amount)
        del self.pending[address, token]
        self.holdings[token] = held - amount
        self.events.append(WithdrawalPaid(address, token, amount))
        return amount

    def _credit(self, address: int, token: int, amount: int) -> None:
        if amount:
            self.pending[address, token] = self.pending_withdrawal(address, token) + amount
            self.events.append(WithdrawalPending(address, token, amount))


def _pays_out(record: SlotRecord) -> bool:
    """A withdraw, an honoured forced exit (a nullified one has amount 0), or a deposit to be refunded."""
    return record.kind in (Kind.WITHDRAW, Kind.FORCED_EXIT) or (
        record.kind == Kind.DEPOSIT and record.nullified
    )


def _require_agreement(record: SlotRecord, queued: QueuedRequest) -> None:
    """Raise unless record and request mean the same."""
    number, request = queued.number, queued.request
    if record.kind != request.kind:
        raise reverts.RequestKindMismatch(number, record.kind.name.lower(), request.kind.name.lower())
    if isinstance(request, ForcedExit):
        if record.first != request.account:
            raise reverts.RequestTargetMismatch(number, record.first, request.account)
    else:
        if record.token != request.token:
            raise reverts.RequestTokenMismatch(number, record.token, request.token)
        if record.amount_field != request.amount:
            raise reverts.RequestAmountMismatch(number, record.amount_field, request.amount)
    for name in ("eth_address",) if isinstance(request, ForcedExit) else ("eth_address", "ax", "ay"):
        found, expected = getattr(record, name), getattr(request, name)
        if found != expected:
            raise reverts.RequestOwnerMismatch(number, name, found, expected)


def _require_argument(name: str, value: int, bits: int) -> None:
    try:
        require_bits(name, value, bits)
    except OutOfRange as error:
        raise reverts.InvalidArgument(name, value, f"an unsigned integer of {bits} bits") from error


def _require_address(name: str, value: int) -> None:
    _require_argument(name, value, ADDRESS_BITS)
    if value == 0:
        raise reverts.InvalidArgument(name, value, "an address other than zero")
