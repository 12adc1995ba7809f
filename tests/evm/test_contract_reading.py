"""The contract and its Python twin read the same data: the same header, or the same error with its values.

Data is made at random, of every kind of record and for every shape of batch, then changed in one place or
another; what the contract in revm and :mod:`zkrollup.l1.reading` say of it is compared whole. The public
inputs of the proof (z and y) are part of the header.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

pytest.importorskip("pyrevm", reason="pyrevm is not installed: pip install 'zkrollup[l1]'")

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.crypto.babyjubjub import BASE8, mul
from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.headers import BatchHeader, genesis_header
from zkrollup.l1.reading import Place, pack_payments, read_batch
from zkrollup.l1.reverts import Field, NonCanonicalCommitment, Revert
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import challenge, fingerprint

from . import rollup_driver as driver

DEPOSIT, TRANSFER, WITHDRAW, FORCED_EXIT, CHANGE_KEY, TRANSFER_TO_NEW = range(1, 7)
NULLIFIED = 8
KEYS = [mul(BASE8, scalar) for scalar in (1, 2, 77)]
OWNERS = [0xA1 << 152 | 7, 0xB2, (1 << 160) - 1]
LEAST_MANTISSA, GREATEST_MANTISSA = 13421773, (1 << 27) - 1


class Setting:
    """One rollup with a queue of requests, and the header after which batches are read."""

    def __init__(self, rng: Random) -> None:
        self.parameters = BatchParameters(
            slots=rng.choice([1, 2, 3, 5, 9]),
            depth=rng.choice([1, 2, 8, 15, 16, 16]),
            fee_tokens=rng.randrange(4),
        )
        self.chain_id = rng.choice([1, 1337, (1 << 64) - 1])
        self.chain = driver.Chain(self.chain_id)
        verifier = driver.Contract(self.chain, "MockVerifier", 0).address
        self.rollup_id = rng.choice([0, 0x1234, (1 << 160) - 1])
        root = rng.randrange(R)
        next_index = rng.randrange(1, self.parameters.capacity + 1)
        shape = (self.parameters.slots, self.parameters.depth, self.parameters.fee_tokens)
        powers = (driver.DEPLOYER, driver.DEPLOYER)
        configuration = (
            verifier, verifier, *powers, self.rollup_id, root, next_index, *shape, 1 << 96, 100, 50, 200
        )  # fmt: skip
        self.rollup = driver.Contract(self.chain, "Rollup", configuration)
        self.rollup_id = self.rollup_id or self.rollup.address
        self.requests: list[tuple[int, int, int, int, int, int]] = []
        for _ in range(rng.randrange(8)):
            self._request(rng)
        consumed = rng.randrange(len(self.requests) + 1)
        self.previous = genesis_header(root, next_index)
        if rng.random() < 0.5:
            self.previous = BatchHeader(
                rng.choice([1, 5, (1 << 40)]), 0, root, next_index, consumed, 0, 0, 0, bytes(32), bytes(32), 0
            )

    def _request(self, rng: Random) -> None:
        owner = rng.choice(OWNERS)
        if rng.random() < 0.5:
            amount, key = rng.choice([1, 10**18, (1 << 96) - 1]), rng.choice(KEYS)
            self.chain.fund(owner, amount)
            self.rollup.deposit(0, amount, *key, owner, sender=owner, value=amount)
            self.requests.append((DEPOSIT, 0, amount, *key, owner))
        else:
            account = rng.randrange(self.parameters.capacity)
            self.rollup.requestExit(account, sender=owner)
            self.requests.append((FORCED_EXIT, account, 0, 0, 0, owner))

    def place(self) -> Place:
        before = self.previous
        return Place(
            self.chain_id,
            self.rollup_id,
            before.number + 1,
            self.parameters,
            before.next_index,
            before.root_after,
            before.requests_consumed,
        )

    def hashes(self) -> list[bytes]:
        sizes = (1, 4, 16, 32, 32, 20)
        return [
            keccak256(
                b"".join(value.to_bytes(size, "big") for value, size in zip(request, sizes, strict=True))
            )
            for request in self.requests
        ]

    # -- data ---------------------------------------------------------------------------------------

    def data(self, rng: Random) -> bytes:
        """Data of a batch that is read to its end."""
        records, consumed = [], self.previous.requests_consumed
        for _ in range(rng.randrange(self.parameters.slots + 1)):
            kind = rng.choice(
                [TRANSFER, TRANSFER, WITHDRAW, CHANGE_KEY, TRANSFER_TO_NEW, DEPOSIT, FORCED_EXIT]
            )
            if kind in (DEPOSIT, FORCED_EXIT):
                if consumed == len(self.requests):
                    continue
                records.append(self._requested(rng, self.requests[consumed]))
                consumed += 1
            else:
                records.append(self._signed(rng, kind))
        return self._header(rng) + b"".join(records)

    def _header(self, rng: Random) -> bytes:
        place, p = self.place(), self.parameters
        entries, tokens = b"", set()
        for _ in range(p.fee_tokens):
            token = rng.choice([0, 1, 2, 3, (1 << 32) - 1])
            if token in tokens or rng.random() < 0.3:
                entries += bytes(8)
                continue
            tokens.add(token)
            entries += token.to_bytes(4, "big") + rng.randrange(1, p.capacity).to_bytes(4, "big")
        return b"".join((
            b"\x02",
            place.chain_id.to_bytes(8, "big"),
            place.rollup_id.to_bytes(20, "big"),
            place.number.to_bytes(8, "big"),
            p.slots.to_bytes(4, "big"),
            place.next_before.to_bytes(5, "big"),
            rng.choice([place.next_before, p.capacity]).to_bytes(5, "big"),
            place.root_before.to_bytes(32, "big"),
            rng.choice([0, R - 1, rng.randrange(R)]).to_bytes(32, "big"),
            entries,
        ))  # fmt: skip

    def _index(self, rng: Random) -> int:
        return rng.choice([1, self.parameters.capacity - 1, rng.randrange(1, self.parameters.capacity)])

    def _signed(self, rng: Random, kind: int) -> bytes:
        second = self._index(rng) if kind in (TRANSFER, TRANSFER_TO_NEW) else 0
        fee = rng.choice([rng.randrange(128), rng.randrange(1, 32) << 7 | rng.choice([13, 127])])
        amount = rng.choice([0, 1, GREATEST_MANTISSA, 31 << 27 | LEAST_MANTISSA, 1 << 27 | GREATEST_MANTISSA])
        owner = rng.choice(OWNERS).to_bytes(20, "big")
        key = b"".join(rng.choice([0, 1, R - 1]).to_bytes(32, "big") for _ in "xy")
        if kind == WITHDRAW:
            return record(kind, self._index(rng), 0, fee, rng.choice([0, 1, (1 << 128) - 1]), 7) + owner
        if kind == CHANGE_KEY:
            return record(kind, self._index(rng), 0, fee, 0, 0)[:14] + key
        short = record(kind, self._index(rng), second, fee, amount << 96, 0)[:14]
        return short if kind == TRANSFER else short + owner + key

    def _requested(self, rng: Random, request: tuple[int, int, int, int, int, int]) -> bytes:
        kind, target, amount, ax, ay, owner = request
        nullified = NULLIFIED * (rng.random() < 0.4)
        address = owner.to_bytes(20, "big")
        if kind == FORCED_EXIT:
            paid, token = (
                (0, 0) if nullified else (rng.choice([0, 1, (1 << 128) - 1]), rng.randrange(1 << 32))
            )
            return record(kind | nullified, target, 0, 0, paid, token) + address
        second = 0 if nullified and rng.random() < 0.5 else self._index(rng)
        key = ax.to_bytes(32, "big") + ay.to_bytes(32, "big")
        return record(kind | nullified, 0, second, 0, amount, target) + address + key

    def wild(self, rng: Random) -> bytes:
        """A record of some kind with a value or two that it may not have."""
        capacity, tiny = self.parameters.capacity, 1 << 27 | LEAST_MANTISSA - 1
        nibble = rng.choice([*range(1, 7), 9, 12])
        first = 0 if nibble in (1, 9) else self._index(rng)
        second = self._index(rng) if nibble in (1, 2, 6) else 0
        fee = 0 if nibble in (1, 4, 9, 12) else rng.choice([0, 127, 1 << 7 | 13])
        amount = 0 if nibble in (5, 12) else rng.choice([0, GREATEST_MANTISSA << 96])
        token, owner, key = 0, rng.choice(OWNERS), list(rng.choice(KEYS))
        wrong_index = rng.choice([0, capacity, (1 << 32) - 1]) % (1 << 32)
        for _ in range(rng.randrange(1, 3)):
            match rng.randrange(9):
                case 0:
                    first = rng.choice([wrong_index, 1])
                case 1:
                    second = rng.choice([wrong_index, 1])
                case 2:
                    fee = rng.choice([1, 1 << 7, 31 << 7 | 12, 4095])
                case 3:
                    amount = rng.choice([1, tiny << 96, 1 << 27 + 96, 31 << 27 + 96])
                case 4:
                    token = rng.choice([1, (1 << 32) - 1])
                case 5:
                    owner = 0
                case 6:
                    key[0] = rng.choice([R, (1 << 256) - 1])
                case 7:
                    key[1] = rng.choice([R, R + 1])
                case _:
                    nibble = rng.randrange(16)
        short = nibble in (2, 5, 6)
        blob = record(nibble, first, second, fee, amount, token)[: 14 if short else 30]
        blob += owner.to_bytes(20, "big") * (nibble in (1, 3, 4, 6, 9, 12))
        return blob + b"".join(value.to_bytes(32, "big") for value in key) * (nibble in (1, 5, 6, 9))

    # -- the two answers ------------------------------------------------------------------------------

    def by_python(self, data: bytes, commitment: int) -> BatchHeader:
        before = self.previous
        reading = read_batch(data, self.place(), self.hashes())
        if commitment >= R:
            raise NonCanonicalCommitment(commitment)
        z = challenge(self.chain_id, self.rollup.address, reading.elements, commitment)
        return BatchHeader(
            number=before.number + 1,
            root_before=before.root_after,
            root_after=reading.root_after,
            next_index=reading.next_after,
            requests_consumed=reading.requests_after,
            commitment=commitment,
            challenge=z,
            fingerprint=fingerprint(reading.elements, z),
            skeleton=reading.skeleton,
            withdrawals=keccak256(pack_payments(reading.payments)),
            requests_before=before.requests_consumed,
        )

    def by_contract(self, data: bytes, commitment: int) -> BatchHeader:
        return driver.header(self.rollup.previewBatch(self.previous, data, commitment))  # type: ignore[no-any-return]


def record(nibble: int, first: int, second: int, fee: int, amount: int, token: int) -> bytes:
    e0 = nibble << 236 | first << 204 | second << 172 | fee << 160 | amount << 32 | token
    return e0.to_bytes(30, "big")


def changed(rng: Random, data: bytes, header_bytes: int) -> bytes:
    """Data with something in it that may not be so."""
    blob = bytearray(data)
    way = rng.randrange(8)
    if way == 0:
        return bytes(blob[: rng.randrange(len(blob))])
    if way == 1:
        return bytes(blob) + rng.randbytes(rng.choice([1, 13, 14, 50, 98, 114]))
    if way == 2:
        return bytes(blob) + data[header_bytes:][: rng.choice([14, 50])]
    begin = rng.choice([0, header_bytes]) % len(blob)
    place = rng.randrange(begin, len(blob))
    if way == 3:
        blob[place] ^= 1 << rng.randrange(8)
    elif way == 4:
        blob[place] = rng.choice([0, 255])
    elif way == 5:
        size = rng.choice([2, 4, 8, 14, 20, 32])
        blob[place : place + size] = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])
    elif way == 6:
        blob[83:115] = rng.choice([R, R + 1, (1 << 256) - 1]).to_bytes(32, "big")
    else:
        blob[place] = rng.randrange(256)
    return bytes(blob)


def answer(read: Any, data: bytes, commitment: int) -> Any:
    """The header, or the error's name and values."""
    try:
        return read(data, commitment)
    except Revert as error:
        return type(error).__name__, error.values()


def compare(seed: int, settings: int, cases: int) -> Counter[str]:
    """How often each error was met (non-canonical data by its field), and 'read' for none."""
    rng = Random(seed)
    met: Counter[str] = Counter()
    for _ in range(settings):
        setting = Setting(rng)
        header_bytes = 115 + 8 * setting.parameters.fee_tokens
        for case in range(cases):
            data = setting.data(rng)
            if case % 4 == 1:
                data = data[:header_bytes] + setting.wild(rng) + data[header_bytes:]
            elif case % 4:
                data = changed(rng, data, header_bytes)
            commitment = rng.choice([0, R - 1, rng.randrange(R)]) if rng.random() < 0.98 else R
            expected = answer(setting.by_python, data, commitment)
            assert answer(setting.by_contract, data, commitment) == expected, data.hex()
            name, values = expected if type(expected) is tuple else ("read", {})
            met[Field(values["field"]).name if name == "NonCanonical" else name] += 1
    return met


OFTEN = {
    "read",
    "DataTruncated",
    "DataTooLong",
    "UnknownKind",
    "WrongRoot",
    "NoSuchRequest",
    "RequestMismatch",
}
WRONG = {"WrongVersion", "WrongChain", "WrongRollup", "WrongBatchNumber", "WrongSlots", "WrongNextIndex"}


def test_contract__reads_as_its_python_twin_does() -> None:
    """C15, R5, R6: every value in one form; z and y as in Python."""
    met = compare(seed=5, settings=40, cases=100)
    assert met["read"] > 1000
    assert met.keys() >= OFTEN | {field.name for field in Field}, met


@pytest.mark.slow
def test_contract__reads_as_its_python_twin_does_thirty_thousand_times() -> None:
    """C15, R5, R6, R1: every part of the header of data binds the batch to its place."""
    met = compare(seed=6, settings=300, cases=100)
    assert met.total() == 30_000
    assert met.keys() >= OFTEN | WRONG | {"NonCanonicalCommitment"} | {field.name for field in Field}, met
