"""The byte form and the three public inputs, against the layout written out by hand."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.keccak import keccak256
from zkrollup.crypto.poseidon import poseidon_reference
from zkrollup.state import BatchParameters, ForcedExit, Kind, apply_batch
from zkrollup.state.exceptions import DataTooLong, DataTruncated, NonCanonicalData, OutOfRange, UnknownKind
from zkrollup.state.public_data import (
    PublicData,
    SlotRecord,
    challenge,
    commitment,
    commitment_chain,
    decode,
    encode,
    fingerprint,
    public_data,
    public_inputs,
)

PARAMETERS = BatchParameters(slots=8, depth=3, fee_tokens=2)
HEADER_BYTES = 1 + 8 + 20 + 8 + 4 + 5 + 5 + 32 + 32 + 2 * 8
LAST = FR_MODULUS - 1
RECORDS = (
    SlotRecord(Kind.DEPOSIT, second=5, amount_field=2**128 - 1, token=7, eth_address=0xDE, ax=3, ay=LAST),
    SlotRecord(Kind.TRANSFER, first=1, second=2, fee_code=3, amount_field=1000 << 96),
    SlotRecord(Kind.WITHDRAW, first=3, fee_code=1 << 7 | 100, amount_field=99, token=8, eth_address=0xEE),
    SlotRecord(Kind.FORCED_EXIT, first=4, amount_field=5, token=6, eth_address=2**160 - 1),
    SlotRecord(Kind.FORCED_EXIT, nullified=True, first=63, eth_address=1),
    SlotRecord(Kind.CHANGE_KEY, first=6, fee_code=2, ax=LAST, ay=4),
    SlotRecord(
        Kind.TRANSFER_TO_NEW,
        first=7,
        second=8,
        fee_code=1,
        amount_field=9 << 96,
        eth_address=0xFE,
        ax=1,
        ay=2,
    ),
)
SIZES = (114, 14, 50, 50, 50, 78, 98)
DATA = PublicData(PARAMETERS, 31337, 0xA11CE, 9, 5, 64, 111, LAST, ((7, 3), (0, 0)), RECORDS)


def test_encode__is_this_layout() -> None:
    assert encode(DATA) == b"".join(
        [
            b"\x02",
            (31337).to_bytes(8),
            (0xA11CE).to_bytes(20),
            (9).to_bytes(8),
            (8).to_bytes(4),
            (5).to_bytes(5),
            (64).to_bytes(5),
            (111).to_bytes(32),
            LAST.to_bytes(32),
            (7).to_bytes(4) + (3).to_bytes(4) + bytes(8),
            (1 << 236 | 5 << 172 | (2**128 - 1) << 32 | 7).to_bytes(30),
            (0xDE).to_bytes(20) + (3).to_bytes(32) + LAST.to_bytes(32),
            (2 << 108 | 1 << 76 | 2 << 44 | 3 << 32 | 1000).to_bytes(14),
            (3 << 236 | 3 << 204 | (1 << 7 | 100) << 160 | 99 << 32 | 8).to_bytes(30) + (0xEE).to_bytes(20),
            (4 << 236 | 4 << 204 | 5 << 32 | 6).to_bytes(30) + b"\xff" * 20,
            (12 << 236 | 63 << 204).to_bytes(30) + (1).to_bytes(20),
            (5 << 108 | 6 << 76 | 2 << 32).to_bytes(14) + LAST.to_bytes(32) + (4).to_bytes(32),
            (6 << 108 | 7 << 76 | 8 << 44 | 1 << 32 | 9).to_bytes(14),
            (0xFE).to_bytes(20) + (1).to_bytes(32) + (2).to_bytes(32),
        ]
    )


def test_transfer__takes_14_bytes_and_a_noop_none() -> None:
    empty = replace(DATA, records=())
    assert len(encode(empty)) == HEADER_BYTES
    assert len(encode(replace(DATA, records=RECORDS[1:2]))) == HEADER_BYTES + 14


def test_records__take_as_many_bytes_as_the_table_says() -> None:
    empty = len(encode(replace(DATA, records=())))
    assert tuple(len(encode(replace(DATA, records=(record,)))) - empty for record in RECORDS) == SIZES


def test_vector__has_four_elements_a_slot_and_zeros_for_noops() -> None:
    data = replace(DATA, records=RECORDS[1:3])
    vector = data.vector()
    assert len(vector) == PARAMETERS.num_elements == 4 + 2 + 4 * 8
    first, second = 2 << 240 | 31337 << 160 | 0xA11CE, 9 << 112 | 8 << 80 | 5 << 40 | 64
    assert vector[:6] == (first, second, 111, LAST, 7 << 32 | 3, 0)
    assert vector[6:10] == (2 << 236 | 1 << 204 | 2 << 172 | 3 << 160 | 1000 << 128, 0, 0, 0)
    assert vector[10:12] == (3 << 236 | 3 << 204 | (1 << 7 | 100) << 160 | 99 << 32 | 8, 0xEE)
    assert vector[12:] == (0,) * 26
    assert data.present() == (*vector[:7], *vector[10:12])


def test_commitment__is_a_poseidon_chain_over_the_whole_vector() -> None:
    vector = DATA.vector()
    tag = int.from_bytes(b"zkrollup/data/v1", "big")
    c = tag * 2**64 + len(vector)
    chain = [c]
    padded = [*vector, *[0] * (-len(vector) % 15)]
    for start in range(0, len(padded), 15):
        c = poseidon_reference([c, *padded[start : start + 15]])
        chain.append(c)
    assert commitment(vector) == c
    assert commitment_chain(vector) == tuple(chain)


def test_commitment__binds_the_length() -> None:
    vector = DATA.vector()[:14]
    assert len({commitment(vector[:n]) for n in (13, 14)} | {commitment((*vector, 0))}) == 3


def test_fingerprint__is_the_polynomial_with_the_first_element_leading() -> None:
    present, z = DATA.present(), 987654321
    terms = [value * pow(z, len(present) - 1 - i, FR_MODULUS) for i, value in enumerate(present)]
    assert fingerprint(present, z) == sum(terms) % FR_MODULUS
    assert fingerprint((), z) == 0


def test_challenge__is_keccak_of_everything_that_was_fixed_before() -> None:
    present = DATA.present()
    digest = keccak256(b"".join(value.to_bytes(32) for value in present))
    preimage = (
        b"zkrollup/challenge/v1" + (31337).to_bytes(32) + (0xC0DE).to_bytes(20) + digest + (5).to_bytes(32)
    )
    assert challenge(31337, 0xC0DE, present, 5) == int.from_bytes(keccak256(preimage)) % FR_MODULUS


def test_challenge__refuses_values_out_of_range() -> None:
    for chain_id, contract, c in ((2**64, 1, 1), (1, 2**160, 1), (1, 1, FR_MODULUS)):
        with pytest.raises(OutOfRange):
            challenge(chain_id, contract, (1,), c)


def test_public_inputs__of_a_batch_are_commitment_challenge_and_fingerprint(seeded, context, wallets) -> None:
    trace = apply_batch(seeded(), [wallets[5].deposit(3), ForcedExit(1, 5)], context())
    data = public_data(trace)
    c, z, y = public_inputs(data, 0xC0DE)
    assert c == commitment(data.vector())
    assert z == challenge(data.chain_id, 0xC0DE, data.present(), c)
    assert y == fingerprint(data.present(), z)


# -- decoding ----------------------------------------------------------------------------------------


def test_decode__gives_back_what_was_encoded() -> None:
    assert decode(encode(DATA), PARAMETERS) == DATA


def test_decode__refuses_every_truncation() -> None:
    whole = encode(DATA)
    ends, end = {HEADER_BYTES}, HEADER_BYTES
    for size in SIZES:
        end += size
        ends.add(end)
    for length in range(len(whole)):
        if length in ends:
            assert len(decode(whole[:length], PARAMETERS).records) < len(RECORDS)
        else:
            with pytest.raises(DataTruncated) as caught:
                decode(whole[:length], PARAMETERS)
            assert caught.value.offset <= length < caught.value.offset + caught.value.needed


def test_decode__refuses_bytes_after_the_last_slot() -> None:
    with pytest.raises(DataTooLong) as caught:
        decode(encode(replace(DATA, records=(*RECORDS, RECORDS[1]))) + b"\x20", PARAMETERS)
    assert (caught.value.extra, caught.value.slots) == (1, 8)
    with pytest.raises(DataTooLong):
        decode(encode(replace(DATA, records=(*RECORDS, RECORDS[1], RECORDS[2]))), PARAMETERS)


@pytest.mark.parametrize("nibble", [0, 7, 8, 10, 11, 13, 14, 15])
def test_decode__refuses_kinds_without_a_record(nibble: int) -> None:
    data = encode(replace(DATA, records=())) + bytes([nibble << 4]) + bytes(49)
    with pytest.raises(UnknownKind) as caught:
        decode(data, PARAMETERS)
    assert (caught.value.offset, caught.value.nibble) == (HEADER_BYTES, nibble)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"root_before": FR_MODULUS}, "root before"),
        ({"root_after": FR_MODULUS}, "root after"),
        ({"root_after": 2**256 - 1}, "root after"),
        ({"fee_entries": ((7, 3), (7, 4))}, "fee entries"),
        ({"fee_entries": ((7, 0), (0, 0))}, "fee entries"),
        ({"fee_entries": ((7, 64), (0, 0))}, "fee entries"),
        ({"parameters": replace(PARAMETERS, slots=6)}, "slots"),
        ({"next_before": 65}, "next index before"),
        ({"next_after": 65}, "next index after"),
        ({"next_after": 2**40 - 1}, "next index after"),
    ],
)
def test_decode__refuses_headers_that_cannot_be(change, name) -> None:
    with pytest.raises(NonCanonicalData) as caught:
        decode(encode(replace(DATA, **change)), PARAMETERS)
    assert caught.value.name == name


def test_decode__refuses_another_version() -> None:
    for version in (0, 1, 3, 255):
        with pytest.raises(NonCanonicalData, match="version at byte 0"):
            decode(bytes([version]) + encode(DATA)[1:], PARAMETERS)


@pytest.mark.parametrize(
    ("record", "change", "name"),
    [
        (0, {"first": 1}, "first of a deposit"),
        (0, {"fee_code": 1}, "fee_code of a deposit"),
        (0, {"second": 0}, "second of a deposit"),
        (0, {"second": 64}, "second"),
        (1, {"first": 0}, "first of a transfer"),
        (1, {"second": 0}, "second of a transfer"),
        (1, {"first": 64}, "first"),
        (1, {"second": 2**32 - 1}, "second"),
        (1, {"amount_field": (1 << 27 | 1) << 96}, "amount code"),
        (1, {"amount_field": 1 << 27 << 96}, "amount code"),
        (1, {"fee_code": 1 << 7 | 1}, "fee code"),
        (1, {"fee_code": 31 << 7}, "fee code"),
        (2, {"second": 1}, "second of a withdraw"),
        (2, {"first": 0}, "first of a withdraw"),
        (2, {"fee_code": 1 << 7 | 12}, "fee code"),
        (3, {"second": 1}, "second of a forced exit"),
        (3, {"fee_code": 1}, "fee_code of a forced exit"),
        (3, {"first": 64}, "first"),
        (4, {"amount_field": 1}, "amount_field of a forced exit"),
        (4, {"token": 1}, "token of a forced exit"),
        (0, {"eth_address": 0}, "address of a deposit"),
        (2, {"eth_address": 0}, "address of a withdraw"),
        (3, {"eth_address": 0}, "address of a forced exit"),
        (4, {"eth_address": 0}, "address of a forced exit"),
        (6, {"eth_address": 0}, "address of a transfer to new"),
        (0, {"ax": FR_MODULUS}, "ax"),
        (0, {"ay": 2**256 - 1}, "ay"),
        (5, {"ax": FR_MODULUS}, "ax"),
        (5, {"ay": FR_MODULUS}, "ay"),
        (6, {"ax": FR_MODULUS + 1}, "ax"),
        (6, {"ay": FR_MODULUS}, "ay"),
        (5, {"second": 1}, "second of a change key"),
        (5, {"first": 0}, "first of a change key"),
        (5, {"first": 64}, "first"),
        (5, {"amount_field": 1 << 96}, "amount_field of a change key"),
        (5, {"amount_field": 1 << 27 << 96}, "amount_field of a change key"),
        (5, {"fee_code": 31 << 7}, "fee code"),
        (6, {"first": 0}, "first of a transfer to new"),
        (6, {"second": 0}, "second of a transfer to new"),
        (6, {"second": 64}, "second"),
        (6, {"amount_field": 1 << 27 << 96}, "amount code"),
        (6, {"fee_code": 31 << 7}, "fee code"),
    ],
)
def test_decode__refuses_records_that_are_not_canonical(record, change, name) -> None:
    records = [replace(old, **change) if i == record else old for i, old in enumerate(RECORDS)]
    with pytest.raises(NonCanonicalData) as caught:
        decode(encode(replace(DATA, records=tuple(records))), PARAMETERS)
    assert caught.value.name == name


def test_decode__takes_a_nullified_deposit_with_its_amount() -> None:
    for second in (5, 0):
        data = replace(DATA, records=(replace(RECORDS[0], nullified=True, second=second),))
        assert decode(encode(data), PARAMETERS) == data


def test_decode__accepts_nothing_but_what_encode_gives_back() -> None:
    """Whatever bytes are accepted, encoding them gives exactly those bytes."""
    random_ = random.Random(5)
    whole = encode(DATA)
    accepted = 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(random_.choice((1, 1, 2, 3))):
            data[random_.randrange(len(data))] = random_.randrange(256)
        try:
            decoded = decode(bytes(data), PARAMETERS)
        except ValueError:
            continue
        accepted += 1
        assert encode(decoded) == bytes(data)
    assert accepted > 300
