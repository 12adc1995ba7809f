"""EdDSA over BabyJubJub with Poseidon as the challenge's hash, byte-compatible with circomlibjs.

This module must not know what a message means: a message is one field element.

A key is a seed of 32 bytes. Signing is deterministic and **not constant time**: it is made for
operators' tests, demos and wallets on trusted machines, not where an attacker can time it.

The rule of :func:`verify`, which the circuit states too: A and R8 are on the curve with canonical
coordinates, 0 <= S < l, 8 A is not the identity, and S * BASE8 = R8 + h * 8 A with
h = Poseidon(R8x, R8y, Ax, Ay, M). It is cofactorless in R8: a torsion component in R8 fails the
equation; one in A vanishes from 8 A but not from h, so every (A, M) has its own signatures.

References: D. J. Bernstein, N. Duif, T. Lange, P. Schwabe, B.-Y. Yang, "High-speed high-security
signatures", 2011; circomlibjs (encodings); K. Chalkias, F. Garillot, V. Nikolaenko, "Taming the many
EdDSAs", 2020 (what can differ between verifiers).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from zkrollup.bn254.fields import is_canonical, require_canonical
from zkrollup.crypto import babyjubjub
from zkrollup.crypto.babyjubjub import COFACTOR, IDENTITY, ORDER, Point
from zkrollup.crypto.blake512 import blake512
from zkrollup.crypto.poseidon import poseidon
from zkrollup.crypto.tables import MODULUS

__all__ = ["Challenge", "PrivateKey", "Signature", "public_key", "sign", "verify", "verify_with"]

Challenge = Callable[[Point, Point], int]
"""What hashes R8, A and a message that it knows to a scalar."""


class Signature(NamedTuple):
    """R8 = (r8x, r8y) and the scalar s, canonical integers."""

    r8x: int
    r8y: int
    s: int

    def pack(self) -> bytes:
        """The 64-byte form of circomlibjs: packed R8, then s as 32 bytes little-endian."""
        return babyjubjub.pack((self.r8x, self.r8y)) + self.s.to_bytes(32, "little")

    @classmethod
    def unpack(cls, data: bytes) -> Signature:
        """The inverse of :meth:`pack`; ``ValueError`` for another length, a bad R8 or s >= l."""
        if len(data) != 64:
            raise ValueError(f"packed signature: expected 64 bytes, got {len(data)}")
        s = int.from_bytes(data[32:], "little")
        if s >= ORDER:
            raise ValueError(f"packed signature: expected s < l, got {s}")
        return cls(*babyjubjub.unpack(data[:32]), s)


class PrivateKey:
    """A seed of 32 bytes and what follows from it. Its ``repr`` shows the public key only."""

    def __init__(self, seed: bytes) -> None:
        if not isinstance(seed, bytes | bytearray):
            raise TypeError(f"private key: expected 32 bytes, not {type(seed).__name__}")
        if len(seed) != 32:
            raise ValueError(f"private key: expected 32 bytes, got {len(seed)}")
        digest = bytearray(blake512(seed))
        digest[0] &= 0xF8
        digest[31] = digest[31] & 0x7F | 0x40
        self._scalar = int.from_bytes(digest[:32], "little")  # a multiple of the cofactor
        self._prefix = bytes(digest[32:])

    def __repr__(self) -> str:
        return f"PrivateKey(public_key={self.public_key})"

    @cached_property
    def public_key(self) -> Point:
        """A = (scalar / 8) * BASE8."""
        return babyjubjub.mul_base8(self._scalar // COFACTOR)

    def sign(self, message: int) -> Signature:
        """Sign one canonical field element; ``ValueError`` when it is not canonical."""
        require_canonical(message, MODULUS, "message")
        return self.sign_with(message.to_bytes(32, "little"), lambda r8, key: poseidon([*r8, *key, message]))

    def sign_with(self, data: bytes, challenge: Challenge) -> Signature:
        """Sign under another hash: ``data`` is the message that the nonce is made from, ``challenge`` the
        hash of R8, A and that message."""
        nonce = int.from_bytes(blake512(self._prefix + data), "little") % ORDER
        r8 = babyjubjub.mul_base8(nonce)
        return Signature(*r8, (nonce + challenge(r8, self.public_key) * self._scalar) % ORDER)


def public_key(seed: bytes) -> Point:
    """The public key of a 32-byte seed (circomlibjs: ``prv2pub``)."""
    return PrivateKey(seed).public_key


def sign(seed: bytes, message: int) -> Signature:
    """Sign with a seed (circomlibjs: ``signPoseidon``); keep a :class:`PrivateKey` to sign many."""
    return PrivateKey(seed).sign(message)


def verify(key: Point, message: int, signature: Signature | tuple[int, int, int]) -> bool:
    """Whether ``signature`` is one of ``message`` under ``key``, by the rule at the head of this file.

    ``message`` must be canonical (``ValueError``); whatever key and signature hold gives True or False.
    """
    require_canonical(message, MODULUS, "message")
    return verify_with(key, signature, lambda r8, a: poseidon([*r8, *a, message]))


def verify_with(key: Point, signature: Signature | tuple[int, int, int], challenge: Challenge) -> bool:
    """:func:`verify` under another hash: ``challenge`` hashes R8, A and the message."""
    r8x, r8y, s = signature
    r8 = (r8x, r8y)
    if not (babyjubjub.is_on_curve(key) and babyjubjub.is_on_curve(r8) and is_canonical(s, ORDER)):
        return False
    key8 = babyjubjub.mul(key, COFACTOR)
    if key8 == IDENTITY:
        return False
    # 8 A has order l, so the challenge may be reduced.
    h = challenge(r8, key) % ORDER
    return babyjubjub.mul_base8(s) == babyjubjub.add(r8, babyjubjub.mul(key8, h))
