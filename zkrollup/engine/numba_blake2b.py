"""BLAKE2b's compression of whole blocks, for the numba engine.

This module must not know any hash as a whole: padding, the last block and the digest are the caller's.

References: RFC 7693, section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine.blake2b_tables import BLOCK_BYTES, ORDER, START
from zkrollup.engine.numba_jit import kernel

__all__ = ["compress_blocks"]

_START, _ORDER = np.array(START, dtype=np.uint64), np.array(ORDER, dtype=np.uint8)
_BLOCK, _ALL = np.uint64(BLOCK_BYTES), np.uint64(64)
_BY = (np.uint64(32), np.uint64(24), np.uint64(16), np.uint64(63))


@kernel(inline=True)
def _rotate(word: Any, by: Any) -> Any:
    return word >> by | word << (_ALL - by)


@kernel(inline=True)
def _mix(a: Any, b: Any, c: Any, d: Any, x: Any, y: Any) -> Any:
    a = a + b + x
    d = _rotate(d ^ a, _BY[0])
    c = c + d
    b = _rotate(b ^ c, _BY[1])
    a = a + b + y
    d = _rotate(d ^ a, _BY[2])
    c = c + d
    b = _rotate(b ^ c, _BY[3])
    return a, b, c, d


@kernel
def compress_blocks(chain: Any, blocks: Any, hashed: Any) -> None:
    """``chain`` (8) in place, by ``blocks`` (n, 16), none of them the last; ``hashed`` bytes came before."""
    for i in range(len(blocks)):
        hashed += _BLOCK
        m = blocks[i]
        a0, a1, a2, a3 = chain[0], chain[1], chain[2], chain[3]
        b0, b1, b2, b3 = chain[4], chain[5], chain[6], chain[7]
        c0, c1, c2, c3 = _START[0], _START[1], _START[2], _START[3]
        d0, d1, d2, d3 = _START[4] ^ hashed, _START[5], _START[6], _START[7]
        for turn in range(12):
            o = _ORDER[turn]
            a0, b0, c0, d0 = _mix(a0, b0, c0, d0, m[o[0]], m[o[1]])
            a1, b1, c1, d1 = _mix(a1, b1, c1, d1, m[o[2]], m[o[3]])
            a2, b2, c2, d2 = _mix(a2, b2, c2, d2, m[o[4]], m[o[5]])
            a3, b3, c3, d3 = _mix(a3, b3, c3, d3, m[o[6]], m[o[7]])
            a0, b1, c2, d3 = _mix(a0, b1, c2, d3, m[o[8]], m[o[9]])
            a1, b2, c3, d0 = _mix(a1, b2, c3, d0, m[o[10]], m[o[11]])
            a2, b3, c0, d1 = _mix(a2, b3, c0, d1, m[o[12]], m[o[13]])
            a3, b0, c1, d2 = _mix(a3, b0, c1, d2, m[o[14]], m[o[15]])
        chain[0] ^= a0 ^ c0
        chain[1] ^= a1 ^ c1
        chain[2] ^= a2 ^ c2
        chain[3] ^= a3 ^ c3
        chain[4] ^= b0 ^ d0
        chain[5] ^= b1 ^ d1
        chain[6] ^= b2 ^ d2
        chain[7] ^= b3 ^ d3
