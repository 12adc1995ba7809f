"""BLAKE2b with 64 bytes of digest whose state can be taken out and put back, in plain Python.

This module must not know what is hashed. ``hashlib`` is a thousand times faster and hides its state; only the
record of a contribution to powers of tau needs it: 216 bytes, little-endian,

    0    the block that waits (128)
    128  the chain value, eight 64-bit words
    192  how many bytes are hashed (8), how many wait (8): 1 to 128 once any came; 8 bytes of zeros

References: RFC 7693; snarkjs 0.7, src/misc.js (``toPartialHash``).
"""

from __future__ import annotations

import struct

__all__ = ["PARTIAL_BYTES", "Blake2b"]

PARTIAL_BYTES = 216
_BLOCK = 128
_MASK = (1 << 64) - 1
_IV = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
_ORDER = [
    [int(digit, 16) for digit in row]
    for row in (
        "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
        "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
    )
]  # fmt: skip
_LANES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


class Blake2b:
    """A hasher; ``update`` and ``digest`` as in ``hashlib``, :meth:`partial` and :meth:`resume` besides."""

    def __init__(self, data: bytes = b"") -> None:
        self._chain = [_IV[0] ^ 0x01010040, *_IV[1:]]
        self._hashed = 0
        self._waiting = b""
        self.update(data)

    def update(self, data: bytes) -> None:
        """Absorbs ``data``. The last block waits, full or not, since it is hashed differently."""
        waiting = self._waiting + data
        blocks = max(0, len(waiting) - 1) // _BLOCK
        for i in range(blocks):
            self._hashed += _BLOCK
            self._chain = _compress(
                self._chain, waiting[i * _BLOCK : (i + 1) * _BLOCK], self._hashed, last=False
            )
        self._waiting = waiting[blocks * _BLOCK :]

    def digest(self) -> bytes:
        """The hash (64 bytes) of everything so far; more may follow."""
        length = self._hashed + len(self._waiting)
        block = self._waiting.ljust(_BLOCK, b"\0")
        return struct.pack("<8Q", *_compress(self._chain, block, length, last=True))

    def partial(self) -> bytes:
        """The state, 216 bytes."""
        block = self._waiting.ljust(_BLOCK, b"\0")
        return struct.pack("<128s8QQQ8x", block, *self._chain, self._hashed, len(self._waiting))

    @classmethod
    def resume(cls, partial: bytes) -> Blake2b:
        """The hasher whose state :meth:`partial` took out; ValueError for 216 bytes that are none."""
        block, *words = struct.unpack("<128s8QQQ8x", partial)
        *chain, hashed, waiting = words
        if waiting > _BLOCK or hashed % _BLOCK or hashed >= 1 << 62:
            raise ValueError(f"state of a hash: {hashed} bytes hashed and {waiting} waiting, no such state")
        out = cls()
        out._chain, out._hashed, out._waiting = chain, hashed, block[:waiting]
        return out


def _compress(chain: list[int], block: bytes, length: int, *, last: bool) -> list[int]:
    m = struct.unpack("<16Q", block)
    v = [*chain, *_IV]
    v[12] ^= length & _MASK
    v[13] ^= length >> 64
    if last:
        v[14] ^= _MASK
    for turn in range(12):
        order = _ORDER[turn % 10]
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
