"""What BLAKE2b consists of, for those who compute it in Python: constants, and a check of lengths.

This module must not know who hashes what.

References: RFC 7693, sections 2.6 and 2.7.
"""

from __future__ import annotations

from zkrollup.engine.interface import EngineError

__all__ = ["BLOCK_BYTES", "ORDER", "START", "require_blocks"]

BLOCK_BYTES = 128

START = (
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
)  # fmt: skip
"""The first chain value, but for the parameters; the lower half of what a block is mixed into."""

_TEN = [
    [int(digit, 16) for digit in row]
    for row in (
        "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
        "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
    )
]  # fmt: skip
ORDER = [*_TEN, *_TEN[:2]]
"""For each of twelve rounds, which words of the block it takes in turn."""


def require_blocks(length: int, hashed: int) -> None:
    """EngineError unless ``length`` bytes are whole blocks that may follow ``hashed`` bytes."""
    if length % BLOCK_BYTES:
        raise EngineError(f"blake2b_blocks: blocks: expected a multiple of {BLOCK_BYTES} bytes, got {length}")
    if not 0 <= hashed < (1 << 63) - length:
        raise EngineError(f"blake2b_blocks: hashed: expected 0 .. 2^63 - 1 with the blocks, got {hashed}")
