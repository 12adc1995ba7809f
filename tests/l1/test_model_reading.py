"""The contract's reader against the rollup's decoder: two programs for one format."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import record

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.queue import request_hash
from zkrollup.l1.reading import RECORD_BYTES, BatchReading, Place, pack_payments, read_batch
from zkrollup.l1.reverts import Revert
from zkrollup.state import BatchParameters
from zkrollup.state.exceptions import PublicDataError
from zkrollup.state.public_data import PublicData, SlotRecord, decode
from zkrollup.state.trace import Kind

PARAMETERS = BatchParameters(slots=3, depth=2, fee_tokens=2)
PLACE = Place(31337, 0xA11CE, 5, PARAMETERS, 4, 1234, 2)
QUEUED = [bytes(32), bytes(32)]

indices = st.sampled_from([0, 1, 2, 15, 16, 2**32 - 1])
codes = st.sampled_from([0, 1, 10, 127, 128, 1 << 7 | 10, 1 << 7 | 127, 5 << 7 | 13, 2**12 - 1])
amounts = st.sampled_from([0, 1, 10, 1 << 27 | 10, 3 << 27 | (1 << 27) - 1, 2**32 - 1]).map(
    lambda code: code << 96
)
words = st.sampled_from([0, 1, 5, FR_MODULUS - 1, FR_MODULUS, 2**256 - 1])


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """The bytes of a record that often keeps all rules and seldom breaks more than one."""
    nibble = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 9, 12]) | st.integers(0, 15))
    kind = nibble & 7
    one = draw(st.integers(0, 8))  # which of the fields is drawn freely
    free = lambda place, strategy, right: draw(strategy) if place == one else right  # noqa: E731
    first = free(0, indices, 0 if kind == 1 else 3)
    second = free(1, indices, 3 if kind in (1, 2, 6) else 0)
    fee = free(2, codes, 0 if kind in (1, 4) else 7)
    nothing = kind == 5 or nibble == 12
    amount = free(3, amounts | st.integers(0, 2**128 - 1), 0 if nothing else 9 << 96)
    token = free(4, st.sampled_from([0, 1, 2**32 - 1]), 0 if nothing else 7)
    address = free(5, st.sampled_from([0, 1, 2**160 - 1]), 0xE0)
    e0 = record(nibble, first & 0xFFFFFFFF, second, fee, amount, token)
    short = kind in (2, 5, 6)
    tail = address.to_bytes(20, "big") if kind in (1, 3, 4, 6) else b""
    if kind in (1, 5, 6):
        tail += free(6, words, 11).to_bytes(32, "big") + free(7, words, 12).to_bytes(32, "big")
    return e0[:14] + tail if short else e0 + tail


@st.composite
def batches(draw: st.DrawFn) -> bytes:
    """The bytes of a batch, some of them altered, cut or added."""
    entries = draw(
        st.lists(
            st.tuples(st.sampled_from([0, 1, 7]), st.sampled_from([0, 1, 15, 16])), min_size=2, max_size=2
        )
        | st.just([(7, 1), (0, 0)])
    )
    header = b"".join((
        b"\x02",
        PLACE.chain_id.to_bytes(8, "big"),
        PLACE.rollup_id.to_bytes(20, "big"),
        PLACE.number.to_bytes(8, "big"),
        (3).to_bytes(4, "big"),
        PLACE.next_before.to_bytes(5, "big"),
        draw(st.sampled_from([4, 4, 4, 16, 17])).to_bytes(5, "big"),
        PLACE.root_before.to_bytes(32, "big"),
        draw(st.sampled_from([5, 5, 5, FR_MODULUS - 1, FR_MODULUS])).to_bytes(32, "big"),
        *(token.to_bytes(4, "big") + account.to_bytes(4, "big") for token, account in entries),
    ))  # fmt: skip
    data = bytearray(header + b"".join(draw(st.lists(records(), max_size=4))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1]))):
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    cut = draw(st.sampled_from([0, 0, 0, 1, 13]))
    return bytes(data[: len(data) - cut]) + draw(st.sampled_from([b"", b"", b"", b"\x00", b"\x25"]))


def decoded(data: bytes) -> PublicData | None:
    try:
        return decode(data, PARAMETERS)
    except PublicDataError:
        return None


def stands_there(batch: PublicData) -> bool:
    """Whether the header says what the place is."""
    found = (batch.chain_id, batch.rollup_id, batch.batch_number, batch.next_before, batch.root_before)
    return found == (PLACE.chain_id, PLACE.rollup_id, PLACE.number, PLACE.next_before, PLACE.root_before)


def request_of(slot: SlotRecord) -> bytes | None:
    key = (slot.ax, slot.ay)
    if slot.kind == Kind.DEPOSIT:
        return request_hash(1, slot.token, slot.amount_field, *key, slot.eth_address)
    return request_hash(4, slot.first, 0, 0, 0, slot.eth_address) if slot.kind == Kind.FORCED_EXIT else None


def read(data: bytes, queue: list[bytes]) -> BatchReading | None:
    try:
        return read_batch(data, PLACE, queue)
    except Revert:
        return None


@settings(max_examples=400, deadline=None)
@given(batches())
def test_reader__accepts_exactly_what_the_decoder_accepts(data: bytes) -> None:
    """C15, R5: the same bytes, with the same elements, requests and payments."""
    batch = decoded(data)
    if batch is None or not stands_there(batch):
        assert read(data, QUEUED) is None
        return
    requests = [found for slot in batch.records if (found := request_of(slot)) is not None]
    reading = read(data, QUEUED + requests)
    assert reading is not None
    assert tuple(reading.elements) == batch.present()
    assert (reading.root_after, reading.next_after) == (batch.root_after, batch.next_after)
    assert reading.requests_after == 2 + len(requests)
    zeroed = data[:83] + bytes(32) + data[115:]
    assert reading.skeleton == keccak256(zeroed)
    pays = [
        slot
        for slot in batch.records
        if slot.amount_field
        and (slot.kind in (Kind.WITHDRAW, Kind.FORCED_EXIT) or (slot.kind == Kind.DEPOSIT and slot.nullified))
    ]
    assert reading.payments == [(slot.eth_address, slot.token, slot.amount_field) for slot in pays]
    assert len(pack_payments(reading.payments)) == 40 * len(pays)
    if requests:
        assert read(data, QUEUED + requests[:-1]) is None
        assert read(data, [*QUEUED, *requests[:-1], bytes(32)]) is None


@settings(max_examples=60, deadline=None)
@given(batches(), st.integers(0, 300), st.binary(min_size=1, max_size=4))
def test_reader__ends_with_a_revert_on_any_bytes(data: bytes, at: int, splice: bytes) -> None:
    """Nothing but a named error, whatever is spliced in and wherever the data ends."""
    for given_data in (data[:at], data[:at] + splice, data[:at] + splice + data[at:]):
        read(given_data, QUEUED)


def test_record__has_the_length_that_the_format_says() -> None:
    assert RECORD_BYTES == {1: 114, 2: 14, 3: 50, 4: 50, 5: 78, 6: 98}


def test_place__of_another_batch_refuses_the_same_bytes() -> None:
    """R1: a header that continues one batch continues no other."""
    data = bytearray(131)
    data[0] = 2
    for offset, value, size in (
        (1, 31337, 8),
        (9, 0xA11CE, 20),
        (29, 5, 8),
        (37, 3, 4),
        (41, 4, 5),
        (51, 1234, 32),
    ):
        data[offset : offset + size] = value.to_bytes(size, "big")
    assert read_batch(bytes(data), PLACE, QUEUED).requests_after == 2
    for change in ({"chain_id": 1}, {"rollup_id": 1}, {"number": 6}, {"next_before": 5}, {"root_before": 1}):
        with pytest.raises(Revert) as caught:
            read_batch(bytes(data), replace(PLACE, **change), QUEUED)
        assert type(caught.value).__name__.startswith("Wrong")
