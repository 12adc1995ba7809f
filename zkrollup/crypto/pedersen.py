"""Pedersen hash of bits to a point of BabyJubJub, circomlib's: windows of four bits, segments of 50 windows.

This module must not know circuits.

Segment s has the base point P_s. Its window w of bits (b0, b1, b2, b3) contributes
``(1 - 2 b3) (1 + b0 + 2 b1 + 4 b2) 32^w P_s``; missing bits are 0. The hash is the sum of all.

What it is worth. A collision among messages of one length gives a relation among the base points, so it
is as hard as discrete logarithms. It is **not** a random oracle: it is linear in its windows. Lengths are
not separated: trailing zero bits that fill up a window change nothing. The ordinate alone does not
determine a message: (x, y) and (-x, y) are opposite, and messages of opposite windows have them.

References: D. Chaum, E. van Heijst, B. Pfitzmann, "Cryptographically strong undeniable signatures,
unconditionally secure for the signer", 1991; the Zcash protocol specification, 5.4.1.7 (windows with a
sign); circomlib (base points and their order).
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.crypto import babyjubjub
from zkrollup.crypto.babyjubjub import ORDER, Point
from zkrollup.crypto.tables import PEDERSEN_BASES, PEDERSEN_SEGMENT_BITS, PEDERSEN_WINDOW_BITS

__all__ = ["bits_of", "pedersen_hash"]


def bits_of(data: bytes) -> list[int]:
    """The bits of each byte, least significant first."""
    return [byte >> i & 1 for byte in data for i in range(8)]


def pedersen_hash(bits: Sequence[int]) -> Point:
    """The hash of 1 to 2000 bits (circomlibjs: ``pedersenHash.hash``, unpacked).

    Raises ``ValueError`` for another number of bits or a value that is not 0 or 1.
    """
    if not 1 <= len(bits) <= PEDERSEN_SEGMENT_BITS * len(PEDERSEN_BASES):
        raise ValueError(f"Pedersen hash of {len(bits)} bits: expected 1 to 2000")
    if set(bits) - {0, 1}:
        raise ValueError("Pedersen hash: expected bits, each 0 or 1")
    total = babyjubjub.IDENTITY
    for start, base in zip(range(0, len(bits), PEDERSEN_SEGMENT_BITS), PEDERSEN_BASES, strict=False):
        segment = bits[start : start + PEDERSEN_SEGMENT_BITS]
        scalar = 0
        for w in range(0, len(segment), PEDERSEN_WINDOW_BITS):
            window = [*segment[w : w + PEDERSEN_WINDOW_BITS], 0, 0, 0]
            magnitude = 1 + window[0] + 2 * window[1] + 4 * window[2]
            scalar += (1 - 2 * window[3]) * magnitude << (5 * w // 4)
        total = babyjubjub.add(total, babyjubjub.mul(base, scalar % ORDER))
    return total
