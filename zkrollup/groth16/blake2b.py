"""BLAKE2b with 64 bytes of digest whose state can be taken out and put back.

This module must not know what is hashed. ``hashlib`` hides its state; only the record of a contribution to
powers of tau needs it: 216 bytes, little-endian,

    0    the block that waits (128)
    128  the chain value, eight 64-bit words
    192  how many bytes are hashed (8), how many wait (8): 1 to 128 once any came; 8 bytes of zeros

An engine hashes hundreds of megabytes a second; without one it is done in plain Python, a thousand times
slower: enough for a few blocks, and the engines' slow twin.

References: RFC 7693; snarkjs 0.7, src/misc.js (``toPartialHash``).
"""

from __future__ import annotations

import struct

import numpy as np

from zkrollup.engine.blake2b_tables import BLOCK_BYTES, ORDER, START
from zkrollup.engine.interface import Engine

__all__ = ["PARTIAL_BYTES", "Blake2b"]

PARTIAL_BYTES = 216
_MASK = (1 << 64) - 1
_LANES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


class Blake2b:
    """A hasher; ``update`` and ``digest`` as in ``hashlib``, :meth:`partial` and :meth:`resume` besides."""

    def __init__(self, data: bytes = b"", engine: Engine | None = None) -> None:
        self._chain = [START[0] ^ 0x01010040, *START[1:]]
        self._hashed = 0
        self._waiting = b""
        self._engine = engine
        self.update(data)

    def update(self, data: bytes) -> None:
        """Absorbs ``data``. The last block waits, full or not, since it is hashed differently."""
        waiting = self._waiting + data
        length = max(0, len(waiting) - 1) // BLOCK_BYTES * BLOCK_BYTES
        if self._engine is not None and length:
            blocks = np.frombuffer(waiting, dtype=np.uint8, count=length)
            chain = np.array(self._chain, dtype=np.uint64)
            self._chain = self._engine.blake2b_blocks(chain, blocks, self._hashed).tolist()
            self._hashed += length
        else:
            for begin in range(0, length, BLOCK_BYTES):
                self._hashed += BLOCK_BYTES
                block = waiting[begin : begin + BLOCK_BYTES]
                self._chain = _compress(self._chain, block, self._hashed, last=False)
        self._waiting = waiting[length:]

    def digest(self) -> bytes:
        """The hash (64 bytes) of everything so far; more may follow."""
        length = self._hashed + len(self._waiting)
        block = self._waiting.ljust(BLOCK_BYTES, b"\0")
        return struct.pack("<8Q", *_compress(self._chain, block, length, last=True))

    def partial(self) -> bytes:
        """The state, 216 bytes."""
        block = self._waiting.ljust(BLOCK_BYTES, b"\0")
        return struct.pack("<128s8QQQ8x", block, *self._chain, self._hashed, len(self._waiting))

    @classmethod
    def resume(cls, partial: bytes, engine: Engine | None = None) -> Blake2b:
        """The hasher whose state :meth:`partial` took out; ValueError for 216 bytes that are none."""
        block, *words = struct.unpack("<128s8QQQ8x", partial)
        *chain, hashed, waiting = words
        if waiting > BLOCK_BYTES or hashed % BLOCK_BYTES or hashed >= 1 << 62:
            raise ValueError(f"state of a hash: {hashed} bytes hashed and {waiting} waiting, no such state")
        out = cls(engine=engine)
        out._chain, out._hashed, out._waiting = chain, hashed, block[:waiting]
        return out


def _compress(chain: list[int], block: bytes, length: int, *, last: bool) -> list[int]:
    m = struct.unpack("<16Q", block)
    v = [*chain, *START]
    v[12] ^= length & _MASK
    v[13] ^= length >> 64
    if last:
        v[14] ^= _MASK
    for turn in range(12):
        order = ORDER[turn]
        for i, (ia, ib, ic, id_) in enumerate(_LANES):
            a, b, c, d = v[ia], v[ib], v[ic], v[id_]
            a = (a + b + m[order[2 * i]]) & _MASK
            d ^= a
            d = d >> 32 | (d << 32) & _MASK
            c = (c + d) & _MASK
            b ^= c
            b = b >> 24 | (b << 40) & _MASK
            a = (a + b + m[order[2 * i + 1]]) & _MASK
            d ^= a
            d = d >> 16 | (d << 48) & _MASK
            c = (c + d) & _MASK
            b ^= c
            b = b >> 63 | (b << 1) & _MASK
            v[ia], v[ib], v[ic], v[id_] = a, b, c, d
    return [h ^ x ^ y for h, x, y in zip(chain, v[:8], v[8:], strict=True)]
