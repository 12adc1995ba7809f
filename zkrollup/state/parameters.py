"""The sizes of a batch, fixed when a circuit is recorded.

This module must not know of circuits or keys, only which sizes make sense.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.state.exceptions import InvalidParameter

__all__ = ["MAX_DEPTH", "MAX_FEE_TOKENS", "MAX_SLOTS", "BatchParameters"]

MAX_SLOTS = 1 << 20
MAX_DEPTH = 16  # an index is written in 32 bits, two a level
MAX_FEE_TOKENS = 16


@dataclass(frozen=True, slots=True)
class BatchParameters:
    """How many transactions a batch holds, how deep the 4-ary state tree is, how many fee tokens it takes.

    Raises :class:`InvalidParameter` for sizes outside 1..2^20 slots, 1..16 levels, 0..16 fee tokens.
    """

    slots: int
    depth: int = 16
    fee_tokens: int = 2

    def __post_init__(self) -> None:
        _require("slots", self.slots, 1, MAX_SLOTS)
        _require("depth", self.depth, 1, MAX_DEPTH)
        _require("fee_tokens", self.fee_tokens, 0, MAX_FEE_TOKENS)

    @property
    def capacity(self) -> int:
        """The number of leaves, 4^depth; index 0 is reserved."""
        return 1 << (2 * self.depth)

    @property
    def num_elements(self) -> int:
        """The length of the public data vector, empties included."""
        return 4 + self.fee_tokens + 4 * self.slots


def _require(name: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise InvalidParameter(name, value, f"an integer from {low} to {high}")
