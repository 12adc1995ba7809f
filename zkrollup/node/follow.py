"""Taking over what somebody else has executed: batches that stand on L1 and are not the node's own.

This module must not believe an operator: the batches are read from L1, checked and replayed by
:mod:`zkrollup.restore`. That happens when another node of the same operator, or anyone after the operator's
delay, has submitted a batch; and when a node is begun, or begun again, for a rollup that has a history.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.l1.interface import L1
from zkrollup.node.sequencer import Sequencer
from zkrollup.node.store import StoredBatch
from zkrollup.restore import WINDOW, restore
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.public_data import (
    TRANSFER_AMOUNT_SHIFT,
    PublicData,
    PublicInputs,
    SlotRecord,
    decode,
)
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import (
    ChangeKey,
    SignedTransaction,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
)

__all__ = ["Followed", "follow"]


@dataclass(frozen=True, slots=True)
class Followed:
    """The last batch that both had, how many were taken over after it, how many of the node's own gave way,
    and how many transactions wait again."""

    common: int
    adopted: int
    discarded: int
    waiting_again: int


def follow(sequencer: Sequencer, l1: L1) -> Followed:
    """Brings the node's state to the contract's.

    The node's own batches after the last common one are undone, and their transactions wait again; those
    that are found in the batches taken over are in them from now on. One commit a batch, so that each can
    be undone, unless there are more than the journal holds. Raises :class:`RollbackImpossible`, and what
    :func:`zkrollup.restore.restore` raises.
    """
    store, state = sequencer.store, sequencer.state
    common = _last_common(sequencer, l1)
    discarded = store.last_batch() - common
    waiting = sequencer.rollback(common) if discarded else 0
    expected = {entry.sender: state.account(entry.sender).nonce for entry in sequencer.entries()}
    with store.transaction():
        # Those that both have are executed too, as the ones after them are, whoever's proofs it was.
        if store.last_executed() < common:
            store.set_status(store.last_executed() + 1, common, "executed", sequencer.clock())
        few = l1.executed - common <= store.journal_length
        restored = restore(l1, state, window=1 if few else WINDOW)
        for number in range(common + 1, restored.batch_number + 1):
            batch = _adopted(sequencer, l1, number)
            store.put_batch(batch)
            _find_waiting(sequencer, decode(batch.data, l1.parameters), expected)
    sequencer.reload()
    return Followed(common, restored.batches, discarded, waiting)


def _last_common(sequencer: Sequencer, l1: L1) -> int:
    number = min(l1.executed, sequencer.store.last_batch())
    while number:
        ours = sequencer.store.batch(number)
        if ours is not None and ours.root_after == l1.header(number).root_after:
            break
        number -= 1
    return number


def _find_waiting(sequencer: Sequencer, batch: PublicData, expected: dict[int, int]) -> None:
    """Notes which waiting transactions a batch contains; ``expected`` are their senders' nonces before it.

    A record does not say its nonce: it is the sender's next one.
    """
    waiting = {(entry.sender, entry.nonce): entry for entry in sequencer.entries()}
    for slot, record in enumerate(batch.records):
        if record.kind in _REQUESTS or record.first not in expected:
            continue
        entry = waiting.get((record.first, expected[record.first]))
        expected[record.first] += 1
        if entry is not None and _is_record_of(entry.transaction, record):
            sequencer.store.place(entry.id, batch.batch_number, slot)


def _is_record_of(transaction: SignedTransaction, record: SlotRecord) -> bool:
    """Whether that is what would be published of the transaction."""
    if record.kind != transaction.kind or record.fee_code != encode_fee(transaction.fee):
        return False
    amount = record.amount_field >> TRANSFER_AMOUNT_SHIFT
    key = (record.ax, record.ay)
    match transaction:
        case Transfer():
            return record.second == transaction.recipient and amount == encode_amount(transaction.amount)
        case TransferToAddress():
            return amount == encode_amount(transaction.amount)
        case TransferToNew():
            same = (*key, record.eth_address) == (transaction.ax, transaction.ay, transaction.eth_address)
            return same and amount == encode_amount(transaction.amount)
        case ChangeKey():
            return key == (transaction.ax, transaction.ay)
        case Withdraw():
            paid = (record.eth_address, record.amount_field)
            return paid == (transaction.eth_address, transaction.amount)


_REQUESTS = (Kind.DEPOSIT, Kind.FORCED_EXIT)


def _adopted(sequencer: Sequencer, l1: L1, number: int) -> StoredBatch:
    data, header = l1.batch_data(number), l1.header(number)
    published = decode(data, l1.parameters)
    now = sequencer.clock()
    return StoredBatch(
        number=number,
        status="executed",
        transactions=(),
        signed=len(published.records) - (header.requests_consumed - header.requests_before),
        fee_entries=published.fee_entries,
        data=data,
        inputs=PublicInputs(header.commitment, header.challenge, header.fingerprint),
        proof=None,
        root_before=header.root_before,
        root_after=header.root_after,
        requests_before=header.requests_before,
        requests_after=header.requests_consumed,
        built_at=now,
        executed_at=now,
        foreign=True,
    )
