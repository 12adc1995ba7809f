"""Keccak-256 as Ethereum uses it (the padding before SHA-3 was standardised), and its permutation.

This module must not know what is hashed. The digest wraps pycryptodome, imported on first use; the
permutation is the plain twin of the gadget.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.hash_tables import keccak_rotations, keccak_round_constants

__all__ = ["keccak256", "keccak_f"]

_MASK = (1 << 64) - 1


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of ``data``."""
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=data).digest()


def keccak_f(lanes: Sequence[int]) -> list[int]:
    """Keccak-f[1600] of 25 lanes of 64 bits, lane (x, y) at ``x + 5 y`` (FIPS 202, section 3.3)."""
    a = list(lanes)
    rotations = keccak_rotations()
    for constant in keccak_round_constants():
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        b = [0] * 25
        for x in range(5):
            for y in range(5):
                b[y + 5 * ((2 * x + 3 * y) % 5)] = _rotate(a[x + 5 * y] ^ d[x], rotations[x][y])
        a = [b[i] ^ ~b[i - i % 5 + (i + 1) % 5] & b[i - i % 5 + (i + 2) % 5] for i in range(25)]
        a[0] ^= constant
    return a


def _rotate(x: int, k: int) -> int:
    return (x << k | x >> (64 - k)) & _MASK
