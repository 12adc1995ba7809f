"""The constants of SHA-256 and Keccak-f[1600], computed as their standards define them.

This module must not know of curves, circuits or messages; the hashes in and outside a circuit share it.

References: FIPS 180-4, sections 4.2.2 and 5.3.3; FIPS 202, section 3.2.
"""

from __future__ import annotations

from functools import cache
from math import isqrt

__all__ = [
    "KECCAK_ROUNDS",
    "SHA256_ROUNDS",
    "keccak_rotations",
    "keccak_round_constants",
    "sha256_initial_state",
    "sha256_round_constants",
]

SHA256_ROUNDS = 64
KECCAK_ROUNDS = 24


@cache
def sha256_round_constants() -> tuple[int, ...]:
    """The first 32 bits of the fractional parts of the cube roots of the first 64 primes."""
    return tuple(_cube_root(p << 96) & 0xFFFFFFFF for p in _primes(SHA256_ROUNDS))


@cache
def sha256_initial_state() -> tuple[int, ...]:
    """The first 32 bits of the fractional parts of the square roots of the first 8 primes."""
    return tuple(isqrt(p << 64) & 0xFFFFFFFF for p in _primes(8))


@cache
def keccak_round_constants() -> tuple[int, ...]:
    """The 24 lanes of iota: bit 2^j - 1 of lane i is rc(j + 7 i), from the register x^8+x^6+x^5+x^4+1."""
    register, stream = 1, []
    for _ in range(7 * KECCAK_ROUNDS):
        stream.append(register & 1)
        register <<= 1
        if register & 0x100:
            register ^= 0x171
    return tuple(sum(stream[7 * i + j] << ((1 << j) - 1) for j in range(7)) for i in range(KECCAK_ROUNDS))


@cache
def keccak_rotations() -> tuple[tuple[int, ...], ...]:
    """``rotations[x][y]``: by how much rho turns the lane (x, y) to the left."""
    out = [[0] * 5 for _ in range(5)]
    x, y = 1, 0
    for t in range(24):
        out[x][y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return tuple(map(tuple, out))


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % p for p in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root(n: int) -> int:
    """The largest x with x^3 <= n."""
    x = 1 << -(-n.bit_length() // 3)
    while (y := (2 * x + n // (x * x)) // 3) < x:
        x = y
    return x
