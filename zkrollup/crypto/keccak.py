"""Keccak-256 as Ethereum uses it (the padding before SHA-3 was standardised).

This module must not know what is hashed. It wraps pycryptodome, imported on first use.
"""

from __future__ import annotations

__all__ = ["keccak256"]


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest of ``data``."""
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=data).digest()
