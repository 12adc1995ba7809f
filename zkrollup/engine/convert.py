"""Conversion between Python integers and limb arrays, in bulk.

Must not know any engine, nor the Montgomery form: everything here is canonical or plain 256-bit integers.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from zkrollup.engine.interface import U64, EngineError

__all__ = ["FQ_MODULUS", "FR_MODULUS", "fq_from_ints", "fr_from_ints", "ints_from_limbs"]

FR_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
FQ_MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583


def _from_ints(ints: Iterable[int], modulus: int) -> U64:
    data = b"".join([(x % modulus).to_bytes(32, "little") for x in ints])
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4)


def fr_from_ints(ints: Iterable[int]) -> U64:
    """Integers of any size and sign -> ``(n, 4)`` canonical, reduced modulo r."""
    return _from_ints(ints, FR_MODULUS)


def fq_from_ints(ints: Iterable[int]) -> U64:
    """Integers of any size and sign -> ``(n, 4)`` canonical, reduced modulo q."""
    return _from_ints(ints, FQ_MODULUS)


def ints_from_limbs(array: U64) -> list[int]:
    """``(..., 4)`` little-endian 64-bit limbs -> a flat list of integers, whatever their size.

    Raises :class:`EngineError` when the last axis is not four limbs of ``uint64``.
    """
    if array.dtype != np.uint64 or array.ndim < 1 or array.shape[-1] != 4:
        raise EngineError(
            f"ints_from_limbs: expected uint64 of shape (..., 4), got {array.dtype} {array.shape}"
        )
    data = np.ascontiguousarray(array).astype("<u8", copy=False).tobytes()
    from_bytes = int.from_bytes
    return [from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]
