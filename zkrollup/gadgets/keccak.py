"""Keccak-f[1600] and the digests on it: Keccak-256 as Ethereum uses it, SHA3-256.

This module must not know what is hashed. Lanes are bits, least significant first, lane (x, y) at
``x + 5 y``; messages and digests are bits in the order of FIPS 202, the first bit of a byte its least
significant one.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.hash_tables import keccak_rotations, keccak_round_constants
from zkrollup.cs import Bool, ConstraintSystem
from zkrollup.gadgets.words import Word, chi, constant, rotate_left, xor

__all__ = ["keccak256", "keccak_f", "sha3_256"]

_RATE_BITS = 1088
_LANES = 25


def keccak_f(cs: ConstraintSystem, lanes: Sequence[Word]) -> list[list[Bool]]:
    """The permutation: FIPS 202, section 3.3, with 24 rounds.

    Ranges: 25 lanes of 64 bits (``ValueError`` otherwise). Assumes: each bit is 0 or 1. Rows: 92,160 =
    24 * (640 + 1600 + 1600), fewer for known lanes.

    theta takes two rows for each of 320 column parities (five bits, three at a time) and one for each
    of 1600 bits (itself and two parities, three bits again); rho and pi move; chi takes one row a bit;
    iota flips known bits for nothing.
    """
    if [len(lane) for lane in lanes] != [64] * _LANES:
        raise ValueError("the state of Keccak-f: expected 25 lanes of 64 bits")
    a: list[Word] = list(lanes)
    rotations = keccak_rotations()
    for round_constant in keccak_round_constants():
        with cs.scope("theta"):
            parity = [xor(cs, *a[x::5]) for x in range(5)]
            after = [
                xor(cs, a[i], parity[(i - 1) % 5], rotate_left(parity[(i + 1) % 5], 1)) for i in range(_LANES)
            ]
        b: list[Word] = list(after)
        for x in range(5):
            for y in range(5):
                b[y + 5 * ((2 * x + 3 * y) % 5)] = rotate_left(after[x + 5 * y], rotations[x][y])
        with cs.scope("chi"):
            a = [chi(cs, b[i], b[i - i % 5 + (i + 1) % 5], b[i - i % 5 + (i + 2) % 5]) for i in range(_LANES)]
        a[0] = xor(cs, a[0], constant(cs, round_constant, 64))
    return [list(lane) for lane in a]


def keccak256(cs: ConstraintSystem, message: Sequence[Bool]) -> list[Bool]:
    """The 256 bits of the Keccak-256 digest of a message whose length is fixed, padded with 1 0* 1.

    Ranges: whole bytes (``ValueError`` otherwise). Assumes: each bit is 0 or 1. Rows: at most 92,160 for
    each of ``m // 1088 + 1`` blocks of a message of m bits, and one for each bit absorbed after the
    first block; the first block, whose capacity is known, takes 91,960 with 1080 bits of message.
    """
    return _sponge(cs, message, 0x01)


def sha3_256(cs: ConstraintSystem, message: Sequence[Bool]) -> list[Bool]:
    """The 256 bits of SHA3-256: :func:`keccak256` with the standard's domain bits 0 1 before the padding."""
    return _sponge(cs, message, 0x06)


def _sponge(cs: ConstraintSystem, message: Sequence[Bool], domain: int) -> list[Bool]:
    if len(message) % 8:
        raise ValueError(f"a message of {len(message)} bits; expected whole bytes")
    tail = bytearray(_RATE_BITS // 8 - len(message) // 8 % (_RATE_BITS // 8))
    tail[0] ^= domain
    tail[-1] ^= 0x80
    padded = [*message, *constant(cs, int.from_bytes(tail, "little"), 8 * len(tail))]
    state: list[Word] = [constant(cs, 0, 64)] * _LANES
    for i in range(0, len(padded), _RATE_BITS):
        with cs.scope(f"block {i // _RATE_BITS}"):
            block = [padded[j : j + 64] for j in range(i, i + _RATE_BITS, 64)]
            absorbed = [xor(cs, lane, word) for lane, word in zip(state, block, strict=False)]
            state = [*keccak_f(cs, [*absorbed, *state[len(block) :]])]
    return [bit for lane in state[:4] for bit in lane]
