"""A batch's data as the contract reads it: from left to right, each value checked at its place.

This module must not know who submits, nor anything of proofs. It is the twin of the Solidity reader and
independent of :func:`zkrollup.state.public_data.decode`, which accepts the same bytes.

The order of checks is part of the contract, so that everybody finds the same error first. The header (115
bytes and 8 for each fee entry) is one item: all its bytes are there, or
:class:`~zkrollup.l1.reverts.DataTruncated`. Then version, chain, rollup, batch number, slots, next index
before (must be the previous batch's) and after (at most 4^depth), root before (the previous batch's) and
after (below r), and each fee entry: unused (zeros), or an account from 1 to 4^depth - 1 and a token that no
used entry before it has. Each record is an item too: is there a slot for it, is its kind known, are its
bytes there; then its fields: first and second index, fee code, amount, token, address, key. A request's
record is then compared with the queue's next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.keccak import keccak256
from zkrollup.l1 import reverts
from zkrollup.l1.queue import request_hash
from zkrollup.l1.reverts import Field
from zkrollup.state.amounts import FEE_CODE_BITS, is_canonical_amount_code, is_canonical_fee_code
from zkrollup.state.parameters import BatchParameters

__all__ = [
    "HEADER_BYTES",
    "RECORD_BYTES",
    "ROOT_AFTER_OFFSET",
    "VERSION",
    "BatchReading",
    "Payment",
    "Place",
    "pack_payments",
    "read_batch",
]

VERSION = 2

DEPOSIT, TRANSFER, WITHDRAW, FORCED_EXIT, CHANGE_KEY, TRANSFER_TO_NEW = range(1, 7)
NULLIFIED = 8

SHORT = (TRANSFER, CHANGE_KEY, TRANSFER_TO_NEW)
ADDRESSED = (DEPOSIT, WITHDRAW, FORCED_EXIT, TRANSFER_TO_NEW)
KEYED = (DEPOSIT, CHANGE_KEY, TRANSFER_TO_NEW)
KINDS = (*range(DEPOSIT, TRANSFER_TO_NEW + 1), NULLIFIED | DEPOSIT, NULLIFIED | FORCED_EXIT)

HEADER_BYTES = 115
FEE_ENTRY_BYTES = 8
NEXT_AFTER_OFFSET = 46
ROOT_AFTER_OFFSET = 83
FIRST_BYTES = 30
SHORT_FIRST_BYTES = 14
ADDRESS_BYTES = 20
WORD = 32

RECORD_BYTES: dict[int, int] = {
    kind: (SHORT_FIRST_BYTES if kind in SHORT else FIRST_BYTES)
    + ADDRESS_BYTES * (kind in ADDRESSED)
    + 2 * WORD * (kind in KEYED)
    for kind in range(DEPOSIT, TRANSFER_TO_NEW + 1)
}

SHORT_AMOUNT_SHIFT = 96

Payment = tuple[int, int, int]
"""(owner, token, amount)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch must stand: its chain and rollup, and what the batch before it left."""

    chain_id: int
    rollup_id: int
    number: int
    parameters: BatchParameters
    next_before: int
    root_before: int
    requests_before: int


@dataclass(slots=True)
class BatchReading:
    """What the contract learns from the data. ``elements`` are those that are present, in order.

    ``skeleton`` is the keccak of the data with ``root_after`` zeroed, ``payments`` are what is credited when
    the batch is executed, ``requests_after`` how many requests are consumed then.
    """

    next_after: int
    root_after: int
    requests_after: int
    skeleton: bytes
    elements: list[int] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


def pack_payments(payments: Sequence[Payment]) -> bytes:
    """The bytes whose keccak a header has, and that an execution is given."""
    return b"".join(
        owner.to_bytes(ADDRESS_BYTES, "big") + token.to_bytes(4, "big") + amount.to_bytes(16, "big")
        for owner, token, amount in payments
    )


def read_batch(data: bytes, place: Place, requests: Sequence[bytes]) -> BatchReading:
    """Read all of ``data``; ``requests`` are the hashes of the whole queue.

    Raises, in the order of the bytes, :class:`DataTruncated`, :class:`WrongVersion`, :class:`WrongChain`,
    :class:`WrongRollup`, :class:`WrongBatchNumber`, :class:`WrongSlots`, :class:`WrongNextIndex`,
    :class:`WrongRoot`, :class:`NonCanonical`, :class:`DataTooLong`, :class:`UnknownKind`,
    :class:`NoSuchRequest`, :class:`RequestMismatch`.
    """
    reading = _read_header(data, place)
    offset = HEADER_BYTES + FEE_ENTRY_BYTES * place.parameters.fee_tokens
    slot = 0
    while offset < len(data):
        if slot == place.parameters.slots:
            raise reverts.DataTooLong(offset, len(data) - offset)
        offset = _read_record(data, offset, reading, place.parameters.capacity, requests)
        slot += 1
    return reading


def _read_header(data: bytes, place: Place) -> BatchReading:
    parameters = place.parameters
    size = HEADER_BYTES + FEE_ENTRY_BYTES * parameters.fee_tokens
    if len(data) < size:
        raise reverts.DataTruncated(0, size, len(data))
    version, chain_id, rollup_id = _number(data, 0, 1), _number(data, 1, 8), _number(data, 9, 20)
    number, slots = _number(data, 29, 8), _number(data, 37, 4)
    next_before, next_after = _number(data, 41, 5), _number(data, NEXT_AFTER_OFFSET, 5)
    root_before, root_after = _number(data, 51, WORD), _number(data, ROOT_AFTER_OFFSET, WORD)
    if version != VERSION:
        raise reverts.WrongVersion(version, VERSION)
    if chain_id != place.chain_id:
        raise reverts.WrongChain(chain_id, place.chain_id)
    if rollup_id != place.rollup_id:
        raise reverts.WrongRollup(rollup_id, place.rollup_id)
    if number != place.number:
        raise reverts.WrongBatchNumber(number, place.number)
    if slots != parameters.slots:
        raise reverts.WrongSlots(slots, parameters.slots)
    if next_before != place.next_before:
        raise reverts.WrongNextIndex(next_before, place.next_before)
    if next_after > parameters.capacity:
        raise reverts.NonCanonical(Field.NEXT_AFTER, NEXT_AFTER_OFFSET)
    if root_before != place.root_before:
        raise reverts.WrongRoot(root_before, place.root_before)
    if root_after >= FR_MODULUS:
        raise reverts.NonCanonical(Field.ROOT_AFTER, ROOT_AFTER_OFFSET)
    entries = _read_fee_entries(data, parameters)
    skeleton = keccak256(data[:ROOT_AFTER_OFFSET] + bytes(WORD) + data[ROOT_AFTER_OFFSET + WORD :])
    elements = [
        version << 240 | chain_id << 160 | rollup_id,
        number << 112 | slots << 80 | next_before << 40 | next_after,
        root_before,
        root_after,
        *entries,
    ]
    return BatchReading(next_after, root_after, place.requests_before, skeleton, elements)


def _read_fee_entries(data: bytes, parameters: BatchParameters) -> list[int]:
    entries = []
    seen = set()
    for offset in range(
        HEADER_BYTES, HEADER_BYTES + FEE_ENTRY_BYTES * parameters.fee_tokens, FEE_ENTRY_BYTES
    ):
        token, account = _number(data, offset, 4), _number(data, offset + 4, 4)
        entries.append(token << 32 | account)
        if (token, account) == (0, 0):
            continue
        if not 0 < account < parameters.capacity:
            raise reverts.NonCanonical(Field.FEE_ACCOUNT, offset + 4)
        if token in seen:
            raise reverts.NonCanonical(Field.FEE_TOKEN, offset)
        seen.add(token)
    return entries


def _read_record(
    data: bytes, offset: int, reading: BatchReading, capacity: int, requests: Sequence[bytes]
) -> int:
    """Add one record to what was read; returns the offset behind it."""
    nibble = data[offset] >> 4
    if nibble not in KINDS:
        raise reverts.UnknownKind(offset, nibble)
    kind, nullified = nibble & ~NULLIFIED, bool(nibble & NULLIFIED)
    size = RECORD_BYTES[kind]
    if len(data) - offset < size:
        raise reverts.DataTruncated(offset, size, len(data) - offset)

    short = kind in SHORT
    first_bytes = SHORT_FIRST_BYTES if short else FIRST_BYTES
    e0 = _number(data, offset, first_bytes) << 8 * (FIRST_BYTES - first_bytes)
    at = offset + first_bytes
    reading.elements.append(e0)
    address = ax = ay = 0
    if kind in ADDRESSED:
        address = _number(data, at, ADDRESS_BYTES)
        at += ADDRESS_BYTES
        reading.elements.append(address)
    if kind in KEYED:
        ax, ay = _number(data, at, WORD), _number(data, at + WORD, WORD)
        reading.elements += [ax, ay]

    first, second = _bits(e0, 204, 32), _bits(e0, 172, 32)
    fee_code, amount, token = _bits(e0, 160, FEE_CODE_BITS), _bits(e0, 32, 128), _bits(e0, 0, 32)
    request = kind in (DEPOSIT, FORCED_EXIT)
    wrong = _first_wrong_field(
        {
            Field.FIRST: first == 0
            if kind == DEPOSIT
            else first < capacity and (first != 0 or kind == FORCED_EXIT),
            Field.SECOND: second < capacity and (second != 0 or nullified)
            if kind in (DEPOSIT, TRANSFER, TRANSFER_TO_NEW)
            else second == 0,
            Field.FEE_CODE: fee_code == 0 if request else is_canonical_fee_code(fee_code),
            Field.AMOUNT: _amount_is_canonical(kind, nullified, amount),
            Field.TOKEN: token == 0 or not (kind == FORCED_EXIT and nullified),
            Field.ADDRESS: address != 0 or kind not in ADDRESSED,
            Field.AX: ax < FR_MODULUS,
            Field.AY: ay < FR_MODULUS,
        }
    )
    if wrong is not None:
        raise reverts.NonCanonical(wrong, offset)

    if kind == DEPOSIT:
        _take_request(reading, requests, request_hash(DEPOSIT, token, amount, ax, ay, address))
    if kind == FORCED_EXIT:
        _take_request(reading, requests, request_hash(FORCED_EXIT, first, 0, 0, 0, address))
    pays = kind in (WITHDRAW, FORCED_EXIT) or (kind == DEPOSIT and nullified)
    if pays and amount != 0:
        reading.payments.append((address, token, amount))
    return offset + size


def _amount_is_canonical(kind: int, nullified: bool, amount: int) -> bool:
    """A short kind has a code of 32 bits on top; a change of key and a refused exit move nothing."""
    if kind == CHANGE_KEY or (kind == FORCED_EXIT and nullified):
        return amount == 0
    return kind not in SHORT or is_canonical_amount_code(amount >> SHORT_AMOUNT_SHIFT)


def _first_wrong_field(holds: dict[Field, bool]) -> Field | None:
    return next((name for name, right in holds.items() if not right), None)


def _take_request(reading: BatchReading, requests: Sequence[bytes], found: bytes) -> None:
    number = reading.requests_after
    if number >= len(requests):
        raise reverts.NoSuchRequest(number)
    if found != requests[number]:
        raise reverts.RequestMismatch(number, found, requests[number])
    reading.requests_after += 1


def _number(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")


def _bits(value: int, shift: int, width: int) -> int:
    return value >> shift & ((1 << width) - 1)
