"""The plain twins of SHA-256 and Keccak-f against other libraries."""

from __future__ import annotations

import hashlib
import random

import pytest
from Crypto.Hash import keccak

from zkrollup.crypto import hash_tables
from zkrollup.crypto.keccak import keccak_f
from zkrollup.crypto.sha256 import pad, sha256

RATE = 136


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 119, 120, 300])
def test_sha256__is_hashlibs(size):
    data = random.Random(size).randbytes(size)
    assert sha256(data) == hashlib.sha256(data).digest()
    assert (size + len(pad(size))) % 64 == 0


def test_tables__begin_as_printed_in_the_standards():
    # FIPS 180-4, sections 4.2.2 and 5.3.3; FIPS 202, table 2 and the lanes of iota
    assert hash_tables.sha256_round_constants()[:2] == (0x428A2F98, 0x71374491)
    assert hash_tables.sha256_round_constants()[63] == 0xC67178F2
    assert hash_tables.sha256_initial_state()[0] == 0x6A09E667
    assert hash_tables.keccak_round_constants()[1:3] == (0x8082, 0x800000000000808A)
    assert hash_tables.keccak_round_constants()[23] == 0x8000000080008008
    assert hash_tables.keccak_rotations()[1] == (1, 44, 10, 45, 2)


@pytest.mark.parametrize("size", [0, 135, 136, 272])
def test_keccak_f__makes_the_sponge_of_pycryptodome(size):
    data = random.Random(size).randbytes(size)
    padded = bytearray(data + bytes(RATE - size % RATE))
    padded[size] ^= 0x01
    padded[-1] ^= 0x80
    state = [0] * 25
    for i in range(0, len(padded), RATE):
        for lane in range(RATE // 8):
            state[lane] ^= int.from_bytes(padded[i + 8 * lane : i + 8 * lane + 8], "little")
        state = keccak_f(state)
    digest = b"".join(lane.to_bytes(8, "little") for lane in state[:4])
    assert digest == keccak.new(digest_bits=256, data=data).digest()
