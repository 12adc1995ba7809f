"""SHA-256 in plain integers (FIPS 180-4): the twin of the gadget, block by block.

This module must not know of circuits. For speed use ``hashlib``, which knows no single compression.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto.hash_tables import sha256_initial_state, sha256_round_constants

__all__ = ["compress", "pad", "sha256"]

_MASK = 0xFFFFFFFF


def _rotate(x: int, k: int) -> int:
    return (x >> k | x << (32 - k)) & _MASK


def compress(state: Sequence[int], block: Sequence[int]) -> tuple[int, ...]:
    """The state of 8 words after a block of 16 words."""
    w = list(block)
    for t in range(16, 64):
        small0 = _rotate(w[t - 15], 7) ^ _rotate(w[t - 15], 18) ^ w[t - 15] >> 3
        small1 = _rotate(w[t - 2], 17) ^ _rotate(w[t - 2], 19) ^ w[t - 2] >> 10
        w.append((small1 + w[t - 7] + small0 + w[t - 16]) & _MASK)
    a, b, c, d, e, f, g, h = state
    for k, word in zip(sha256_round_constants(), w, strict=True):
        big1 = _rotate(e, 6) ^ _rotate(e, 11) ^ _rotate(e, 25)
        t1 = h + big1 + (e & f ^ ~e & g) + k + word
        big0 = _rotate(a, 2) ^ _rotate(a, 13) ^ _rotate(a, 22)
        t2 = big0 + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = (t1 + t2) & _MASK, a, b, c, (d + t1) & _MASK, e, f, g
    return tuple((x + y) & _MASK for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def pad(num_bytes: int) -> bytes:
    """What follows a message of that many bytes: a one, zeros, its length in bits in 64 bits."""
    return b"\x80" + b"\0" * (-(num_bytes + 9) % 64) + (8 * num_bytes).to_bytes(8, "big")


def sha256(data: bytes) -> bytes:
    """The 32-byte digest of ``data``."""
    padded = data + pad(len(data))
    state: tuple[int, ...] = sha256_initial_state()
    for i in range(0, len(padded), 64):
        block = padded[i : i + 64]
        state = compress(state, [int.from_bytes(block[j : j + 4], "big") for j in range(0, 64, 4)])
    return b"".join(word.to_bytes(4, "big") for word in state)
