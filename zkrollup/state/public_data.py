"""The public data of a batch: its vector of field elements, its bytes, and the three public inputs.

This module must not know how a batch is decided, proved or accepted: it says what is published, in
exactly one form.

The vector d is a header (h0 .. h3, then one element for each fee entry) and four elements a slot,
e0 .. e3, absent ones 0. The bytes are the header, and for each slot that is no noop its record: e0 as
30 bytes big-endian, of a short kind the first 14 of them, then an address of 20 bytes (e1) and a public
key of twice 32 (e2, e3) where the kind has them::

    kind              e0  address  key  bytes
    deposit           30     20    64    114   L1 compares it with its queue
    transfer          14      -     -     14   by index or by address
    withdraw          30     20     -     50
    forced exit       30     20     -     50   L1 compares it with its queue
    change of key     14      -    64     78
    transfer to new   14     20    64     98

The bytes say all that a batch does: whoever has them and the state before has the state after.

C is a chain of Poseidon of 16 over the whole of d; z = keccak(domain, chain id, contract, keccak(d), C)
mod r over the present elements as 32-byte words; y is the value at z of the polynomial whose
coefficients are the present elements, the first one leading. The header is always present and its
first element is not 0, so the polynomial's degree says how many elements there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.keccak import keccak256
from zkrollup.state.accounts import ADDRESS_BITS, CHAIN_ID_BITS, require_bits, require_field_element
from zkrollup.state.amounts import FEE_CODE_BITS, is_canonical_amount_code, is_canonical_fee_code
from zkrollup.state.context import FeeEntry, require_fee_entries
from zkrollup.state.exceptions import (
    DataTooLong,
    DataTruncated,
    NonCanonicalData,
    StateError,
    UnknownKind,
)
from zkrollup.state.hashing import Hasher, hash_each
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.trace import BatchTrace, Element, Kind, SlotTrace
from zkrollup.state.transition import Transition

__all__ = [
    "ADDRESSED",
    "COMMITMENT_RATE",
    "COMMITMENT_TAG",
    "KEYED",
    "SHORT",
    "TRANSFER_AMOUNT_SHIFT",
    "VERSION",
    "PublicData",
    "PublicInputs",
    "SlotElements",
    "SlotRecord",
    "challenge",
    "commitment",
    "commitment_chain",
    "decode",
    "encode",
    "fingerprint",
    "header_elements",
    "public_data",
    "public_inputs",
    "slot_elements",
    "slot_record",
]

VERSION = 2
COMMITMENT_RATE = 15
COMMITMENT_TAG = int.from_bytes(b"zkrollup/data/v1", "big")
TRANSFER_AMOUNT_SHIFT = 96
"""Where a transfer's 32-bit code stands in the 128 bits of the amount field."""

SHORT = frozenset({Kind.TRANSFER, Kind.CHANGE_KEY, Kind.TRANSFER_TO_NEW})
"""The kinds whose amount is a code and whose token is the sender's: 14 bytes hold their first element."""

ADDRESSED = frozenset({Kind.DEPOSIT, Kind.WITHDRAW, Kind.FORCED_EXIT, Kind.TRANSFER_TO_NEW})
"""The kinds with an address, element 1."""

KEYED = frozenset({Kind.DEPOSIT, Kind.CHANGE_KEY, Kind.TRANSFER_TO_NEW})
"""The kinds with a public key, elements 2 and 3."""

_CHALLENGE_DOMAIN = b"zkrollup/challenge/v1"
_SHORT_BYTES = 14
_RECORD_BYTES = 30
_NULLIFIED = 8

SlotElements = tuple[Element, Element, Element, Element]


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """What is published of one slot. ``amount_field`` is 128 bits: of a short kind the code << 96.

    ``first`` is the index debited, ``second`` the one credited; ``eth_address``, ``ax`` and ``ay`` are 0
    of a kind that publishes none.
    """

    kind: Kind
    nullified: bool = False
    first: int = 0
    second: int = 0
    fee_code: int = 0
    amount_field: int = 0
    token: int = 0
    eth_address: int = 0
    ax: int = 0
    ay: int = 0


@dataclass(frozen=True, slots=True)
class PublicData:
    """What is published of a batch; ``records`` are those of the slots before the padding."""

    parameters: BatchParameters
    chain_id: int
    rollup_id: int
    batch_number: int
    next_before: int
    next_after: int
    root_before: int
    root_after: int
    fee_entries: tuple[FeeEntry, ...]
    records: tuple[SlotRecord, ...]

    def elements(self) -> tuple[Element, ...]:
        """The whole vector d, with its flags."""
        header = header_elements(
            self.chain_id,
            self.rollup_id,
            self.batch_number,
            self.parameters.slots,
            self.next_before,
            self.next_after,
            self.root_before,
            self.root_after,
            self.fee_entries,
        )
        slots = [element for record in self.records for element in slot_elements(record)]
        padding = [(False, 0)] * (4 * (self.parameters.slots - len(self.records)))
        return (*((True, value) for value in header), *slots, *padding)

    def vector(self) -> tuple[int, ...]:
        """All elements, absent ones 0."""
        return tuple(value for _, value in self.elements())

    def present(self) -> tuple[int, ...]:
        """The elements that are present, in order."""
        return tuple(value for is_present, value in self.elements() if is_present)


class PublicInputs(NamedTuple):
    """The three public inputs of the proof: C, z and y."""

    commitment: int
    challenge: int
    fingerprint: int


# -- elements ----------------------------------------------------------------------------------------


def header_elements(
    chain_id: int,
    rollup_id: int,
    batch_number: int,
    slots: int,
    next_before: int,
    next_after: int,
    root_before: int,
    root_after: int,
    fee_entries: Sequence[FeeEntry],
) -> tuple[int, ...]:
    """The header h0 .. h3 and one element for each fee entry; the values fit their widths."""
    return (
        VERSION << 240 | chain_id << 160 | rollup_id,
        batch_number << 112 | slots << 80 | next_before << 40 | next_after,
        root_before,
        root_after,
        *(token << 32 | account for token, account in fee_entries),
    )


def slot_elements(record: SlotRecord) -> SlotElements:
    """e0 .. e3 of a slot: e0 present unless noop, e1 of :data:`ADDRESSED` kinds, e2, e3 of :data:`KEYED`."""
    if record.kind == Kind.NOOP:
        return ((False, 0),) * 4
    packed = (
        _nibble(record) << 236
        | record.first << 204
        | record.second << 172
        | record.fee_code << 160
        | record.amount_field << 32
        | record.token
    )
    has_key = record.kind in KEYED
    return (
        (True, packed),
        (record.kind in ADDRESSED, record.eth_address),
        (has_key, record.ax),
        (has_key, record.ay),
    )


def slot_record(slot: Transition | SlotTrace) -> SlotRecord:
    """What is published of a slot, before it is hashed or after."""
    is_short = slot.kind in SHORT
    return SlotRecord(
        slot.kind,
        slot.nullified,
        slot.first.index,
        slot.second.index,
        slot.fee_code,
        slot.amount_code << TRANSFER_AMOUNT_SHIFT if is_short else slot.amount,
        0 if is_short else slot.token,
        slot.eth_address if slot.kind in ADDRESSED else 0,
        *slot.key,
    )


def public_data(trace: BatchTrace) -> PublicData:
    """What is published of a batch that was applied."""
    records = [slot_record(slot) for slot in trace.slots if slot.kind != Kind.NOOP]
    return PublicData(
        trace.parameters,
        trace.chain_id,
        trace.rollup_id,
        trace.batch_number,
        trace.next_before,
        trace.next_after,
        trace.root_before,
        trace.root_after,
        trace.fee_entries,
        tuple(records),
    )


def _nibble(record: SlotRecord) -> int:
    return (_NULLIFIED if record.nullified else 0) | record.kind


# -- public inputs -----------------------------------------------------------------------------------


def commitment(vector: Sequence[int], hasher: Hasher = hash_each) -> int:
    """C, the last value of :func:`commitment_chain`."""
    return commitment_chain(vector, hasher)[-1]


def commitment_chain(vector: Sequence[int], hasher: Hasher = hash_each) -> tuple[int, ...]:
    """c_0 = tag * 2^64 + length, then c <- Poseidon16(c, x1 .. x15) over the vector, zero padded."""
    chain = [COMMITMENT_TAG << 64 | len(vector)]
    for start in range(0, len(vector), COMMITMENT_RATE):
        chunk = tuple(vector[start : start + COMMITMENT_RATE])
        chain.append(hasher([(chain[-1], *chunk, *(0,) * (COMMITMENT_RATE - len(chunk)))])[0])
    return tuple(chain)


def challenge(chain_id: int, contract: int, present: Iterable[int], commitment: int) -> int:
    """z, which is known only once d and C are fixed; ``contract`` is its address as an integer.

    Raises :class:`OutOfRange`.
    """
    require_bits("chain_id", chain_id, CHAIN_ID_BITS)
    require_bits("contract", contract, ADDRESS_BITS)
    require_field_element("commitment", commitment)
    digest = keccak256(b"".join(value.to_bytes(32, "big") for value in present))
    preimage = _CHALLENGE_DOMAIN + chain_id.to_bytes(32, "big") + contract.to_bytes(20, "big")
    return int.from_bytes(keccak256(preimage + digest + commitment.to_bytes(32, "big")), "big") % FR_MODULUS


def fingerprint(present: Iterable[int], z: int) -> int:
    """y: Horner over the present elements, y <- y z + d_i from 0."""
    y = 0
    for value in present:
        y = (y * z + value) % FR_MODULUS
    return y


def public_inputs(data: PublicData, contract: int, hasher: Hasher = hash_each) -> PublicInputs:
    """(C, z, y) of a batch."""
    c = commitment(data.vector(), hasher)
    present = data.present()
    z = challenge(data.chain_id, contract, present, c)
    return PublicInputs(c, z, fingerprint(present, z))


# -- bytes -------------------------------------------------------------------------------------------


def encode(data: PublicData) -> bytes:
    """The one byte form."""
    return b"".join((_encode_header(data), *map(_encode_record, data.records)))


def decode(data: bytes, parameters: BatchParameters) -> PublicData:
    """The batch that ``data`` publishes.

    Accepts exactly the bytes that :func:`encode` gives; whatever is not so raises a
    :class:`PublicDataError` naming the field and its byte.
    """
    reader = _Reader(data)
    header = _decode_header(reader, parameters)
    records: list[SlotRecord] = []
    while reader.left:
        if len(records) == parameters.slots:
            raise DataTooLong(reader.offset, reader.left, parameters.slots)
        records.append(_decode_record(reader, parameters))
    return PublicData(parameters, *header, tuple(records))


def _encode_header(data: PublicData) -> bytes:
    return b"".join((
        VERSION.to_bytes(1, "big"),
        data.chain_id.to_bytes(8, "big"),
        data.rollup_id.to_bytes(20, "big"),
        data.batch_number.to_bytes(8, "big"),
        data.parameters.slots.to_bytes(4, "big"),
        data.next_before.to_bytes(5, "big"),
        data.next_after.to_bytes(5, "big"),
        data.root_before.to_bytes(32, "big"),
        data.root_after.to_bytes(32, "big"),
        *(token.to_bytes(4, "big") + account.to_bytes(4, "big") for token, account in data.fee_entries),
    ))  # fmt: skip


def _encode_record(record: SlotRecord) -> bytes:
    e0 = slot_elements(record)[0][1].to_bytes(_RECORD_BYTES, "big")
    parts = [e0[:_SHORT_BYTES] if record.kind in SHORT else e0]
    if record.kind in ADDRESSED:
        parts.append(record.eth_address.to_bytes(20, "big"))
    if record.kind in KEYED:
        parts += [record.ax.to_bytes(32, "big"), record.ay.to_bytes(32, "big")]
    return b"".join(parts)


class _Reader:
    """Bytes from the left to the right, none skipped."""

    def __init__(self, data: bytes) -> None:
        self._data = bytes(memoryview(data))  # bytes(5) would be five zeros
        self.offset = 0

    @property
    def left(self) -> int:
        return len(self._data) - self.offset

    def peek(self) -> int:
        return self._data[self.offset]

    def integer(self, name: str, size: int) -> int:
        if self.left < size:
            raise DataTruncated(name, self.offset, size, self.left)
        self.offset += size
        return int.from_bytes(self._data[self.offset - size : self.offset], "big")


def _decode_header(
    reader: _Reader, parameters: BatchParameters
) -> tuple[int, int, int, int, int, int, int, tuple[FeeEntry, ...]]:
    _require("version", 0, reader.integer("version", 1), VERSION)
    chain_id = reader.integer("chain id", 8)
    rollup_id = reader.integer("rollup id", 20)
    batch_number = reader.integer("batch number", 8)
    _require("slots", reader.offset, reader.integer("slots", 4), parameters.slots)
    next_before = _decode_next(reader, "next index before", parameters)
    next_after = _decode_next(reader, "next index after", parameters)
    root_before = _decode_element(reader, "root before")
    root_after = _decode_element(reader, "root after")
    start = reader.offset
    entries = tuple(
        (reader.integer(f"token of fee entry {i}", 4), reader.integer(f"account of fee entry {i}", 4))
        for i in range(parameters.fee_tokens)
    )
    try:
        require_fee_entries(entries, parameters)
    except StateError as error:
        raise NonCanonicalData("fee entries", start, str(error), "what a batch may have") from error
    return chain_id, rollup_id, batch_number, next_before, next_after, root_before, root_after, entries


def _decode_next(reader: _Reader, name: str, parameters: BatchParameters) -> int:
    offset = reader.offset
    index = reader.integer(name, 5)
    if index > parameters.capacity:
        raise NonCanonicalData(name, offset, str(index), f"at most {parameters.capacity}")
    return index


def _decode_element(reader: _Reader, name: str) -> int:
    offset = reader.offset
    value = reader.integer(name, 32)
    if value >= FR_MODULUS:
        raise NonCanonicalData(name, offset, str(value), f"a number below r = {FR_MODULUS}")
    return value


def _decode_record(reader: _Reader, parameters: BatchParameters) -> SlotRecord:
    offset = reader.offset
    nibble = reader.peek() >> 4
    kind = _decode_kind(nibble, offset)
    size = _SHORT_BYTES if kind in SHORT else _RECORD_BYTES
    e0 = reader.integer("record", size) << 8 * (_RECORD_BYTES - size)
    record = SlotRecord(
        kind,
        bool(nibble & _NULLIFIED),
        first=_bits(e0, 204, 32),
        second=_bits(e0, 172, 32),
        fee_code=_bits(e0, 160, FEE_CODE_BITS),
        amount_field=_bits(e0, 32, 128),
        token=_bits(e0, 0, 32),
    )
    _require_canonical(record, offset, parameters)
    eth_address = _decode_address(reader, record) if kind in ADDRESSED else 0
    ax, ay = (_decode_element(reader, name) if kind in KEYED else 0 for name in ("ax", "ay"))
    return replace(record, eth_address=eth_address, ax=ax, ay=ay)


def _decode_address(reader: _Reader, record: SlotRecord) -> int:
    offset = reader.offset
    eth_address = reader.integer("address", 20)
    if eth_address == 0:
        raise NonCanonicalData(f"address of a {_name(record)}", offset, "0", "an address other than zero")
    return eth_address


def _decode_kind(nibble: int, offset: int) -> Kind:
    if nibble in (Kind.TRANSFER, Kind.WITHDRAW, Kind.CHANGE_KEY, Kind.TRANSFER_TO_NEW):
        return Kind(nibble)
    if nibble & ~_NULLIFIED in (Kind.DEPOSIT, Kind.FORCED_EXIT):
        return Kind(nibble & ~_NULLIFIED)
    raise UnknownKind(offset, nibble)


_UNUSED: dict[Kind, tuple[str, ...]] = {
    Kind.DEPOSIT: ("first", "fee_code"),
    Kind.TRANSFER: (),
    Kind.WITHDRAW: ("second",),
    Kind.FORCED_EXIT: ("second", "fee_code"),
    Kind.CHANGE_KEY: ("second", "amount_field"),
    Kind.TRANSFER_TO_NEW: (),
}
_NEVER_RESERVED: dict[Kind, tuple[str, ...]] = {
    Kind.DEPOSIT: ("second",),
    Kind.TRANSFER: ("first", "second"),
    Kind.WITHDRAW: ("first",),
    Kind.FORCED_EXIT: (),
    Kind.CHANGE_KEY: ("first",),
    Kind.TRANSFER_TO_NEW: ("first", "second"),
}


def _require_canonical(record: SlotRecord, offset: int, parameters: BatchParameters) -> None:
    unused = _UNUSED[record.kind]
    if record.kind == Kind.FORCED_EXIT and record.nullified:
        unused += ("amount_field", "token")
    for name in unused:
        _require(f"{name} of a {_name(record)}", offset, getattr(record, name), 0)
    for name in ("first", "second"):
        index = getattr(record, name)
        if index >= parameters.capacity:
            raise NonCanonicalData(name, offset, str(index), f"an index below {parameters.capacity}")
        turned_away = record.kind == Kind.DEPOSIT and record.nullified  # by a tree without a free index
        if index == 0 and name in _NEVER_RESERVED[record.kind] and not turned_away:
            raise NonCanonicalData(f"{name} of a {_name(record)}", offset, "0", "an index above 0")
    exact = "the code with the smallest exponent that is exact"
    amount_code = record.amount_field >> TRANSFER_AMOUNT_SHIFT
    if record.kind in SHORT and not is_canonical_amount_code(amount_code):
        raise NonCanonicalData("amount code", offset, f"{amount_code:#010x}", exact)
    if not is_canonical_fee_code(record.fee_code):
        raise NonCanonicalData("fee code", offset, f"{record.fee_code:#05x}", exact)


def _require(name: str, offset: int, found: int, expected: int) -> None:
    if found != expected:
        raise NonCanonicalData(name, offset, str(found), str(expected))


def _bits(value: int, shift: int, width: int) -> int:
    return value >> shift & ((1 << width) - 1)


def _name(record: SlotRecord) -> str:
    return record.kind.name.lower().replace("_", " ")
