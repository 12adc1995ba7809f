"""The seam at which an engine's Poseidon replaces the pure-Python one.

This module must not know what is hashed, nor any engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zkrollup.crypto.poseidon import poseidon

__all__ = ["Hasher", "hash_each"]

Hasher = Callable[[Sequence[Sequence[int]]], Sequence[int]]
"""Poseidon of many (at least one) input tuples of one length at once; canonical integers in and out."""


def hash_each(inputs: Sequence[Sequence[int]]) -> list[int]:
    """The default hasher: pure Python, one after the other."""
    return [poseidon(values) for values in inputs]
