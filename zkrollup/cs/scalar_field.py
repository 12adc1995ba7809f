"""The scalar field that constraints are written over: its modulus r, and how elements are encoded.

This module must not know of curves, signals or rows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from zkrollup.engine.convert import FR_MODULUS
from zkrollup.engine.interface import U64

__all__ = ["MINUS_ONE", "MODULUS", "MODULUS_BITS", "canonical_array", "from_mont", "mont_array", "signed"]

MODULUS = FR_MODULUS
MODULUS_BITS = MODULUS.bit_length()
MINUS_ONE = MODULUS - 1

_MONT_INVERSE = pow(1 << 256, -1, MODULUS)


def canonical_array(values: Iterable[int]) -> U64:
    """Integers below 2^256 as canonical limbs, shape ``(n, 4)``; the array may be read-only."""
    return np.frombuffer(b"".join([v.to_bytes(32, "little") for v in values]), dtype="<u8").reshape(-1, 4)


def mont_array(values: Iterable[int]) -> U64:
    """Integers as Montgomery limbs ``v * 2^256 mod r``, shape ``(n, 4)``."""
    return canonical_array([(v << 256) % MODULUS for v in values])


def from_mont(values: U64) -> list[int]:
    """Montgomery limbs of shape ``(n, 4)`` as integers below r."""
    data = np.ascontiguousarray(values, dtype="<u8").tobytes()
    return [
        int.from_bytes(data[i : i + 32], "little") * _MONT_INVERSE % MODULUS for i in range(0, len(data), 32)
    ]


def signed(value: int) -> int:
    """The representative of ``value`` mod r that is nearest to zero, for printing."""
    value %= MODULUS
    return value - MODULUS if value > MODULUS // 2 else value
