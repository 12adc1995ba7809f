"""ECDSA over a short Weierstrass curve, and Ethereum's addresses: the twin of the gadget, clear and slow.

This module must not be used where time may tell a secret. Source: SEC 1, version 2.0, section 4.1. Messages
are given as the integer of their hash, signatures as (r, s).
"""

from __future__ import annotations

from zkrollup.crypto.keccak import keccak256
from zkrollup.crypto.weierstrass import SECP256K1, Point, ShortWeierstrass

__all__ = ["ethereum_address", "sign", "verify"]


def sign(secret: int, digest: int, nonce: int, curve: ShortWeierstrass = SECP256K1) -> tuple[int, int]:
    """(r, s) for a nonce that the caller must never use twice nor tell; ``ValueError`` if r or s would be
    0."""
    point = curve.multiply(nonce % curve.order, curve.generator)
    r = 0 if point is None else point[0] % curve.order
    s = pow(nonce, -1, curve.order) * (digest + r * secret) % curve.order
    if not r or not s:
        raise ValueError("this nonce makes r or s zero; take another")
    return r, s


def verify(
    digest: int,
    r: int,
    s: int,
    key: Point,
    *,
    low_s: bool = False,
    curve: ShortWeierstrass = SECP256K1,
) -> bool:
    """Whether ``0 < r, s < n``, the key is a point but infinity with coordinates in [0, p), and r is the
    abscissa of ``(digest / s) G + (r / s) key`` modulo n. ``low_s``: also s <= (n - 1) / 2."""
    n = curve.order
    if not 0 < r < n or not 0 < s < n or (low_s and s > (n - 1) // 2):
        return False
    if key is None or not all(0 <= c < curve.p for c in key) or not curve.contains(key):
        return False
    inverse = pow(s, -1, n)
    point = curve.add(
        curve.multiply(digest * inverse % n, curve.generator), curve.multiply(r * inverse % n, key)
    )
    return point is not None and point[0] % n == r


def ethereum_address(key: tuple[int, int]) -> int:
    """The last 160 bits of Keccak-256 of both coordinates, 32 bytes each, big-endian."""
    digest = keccak256(b"".join(c.to_bytes(32, "big") for c in key))
    return int.from_bytes(digest[12:], "big")
