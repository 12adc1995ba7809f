"""The two prime fields of BN254 as plain Python integers.

This module must not know the curve's points. A field element is an ``int`` in ``0 .. modulus - 1``
(*canonical*); the functions take the modulus, so that they serve Fr and Fq alike.

References: EIP-196 (moduli); H. Cohen, "A Course in Computational Algebraic Number Theory",
algorithm 1.5.1 (square roots after Tonelli and Shanks).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

__all__ = [
    "FQ_MODULUS",
    "FR_MODULUS",
    "batch_inverse",
    "inverse",
    "is_canonical",
    "require_canonical",
    "sqrt",
]

FR_MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""r, the order of G1, G2 and GT: the scalar field, over which circuits are written."""

FQ_MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""q, the field of the points' coordinates."""


def is_canonical(value: object, modulus: int) -> bool:
    """Whether ``value`` is an ``int`` (no ``bool``) in ``0 .. modulus - 1``."""
    return type(value) is int and 0 <= value < modulus


def require_canonical(value: object, modulus: int, what: str) -> int:
    """Return ``value``; raise ``TypeError`` or ``ValueError`` naming ``what`` unless it is canonical."""
    if type(value) is not int:
        raise TypeError(f"{what}: expected an int, got {type(value).__name__}")
    if not 0 <= value < modulus:
        raise ValueError(f"{what}: expected 0 <= value < {modulus}, got {value}")
    return value


def inverse(value: int, modulus: int) -> int:
    """1 / value; raises ``ZeroDivisionError`` for zero."""
    if value % modulus == 0:
        raise ZeroDivisionError("zero has no inverse")
    return pow(value, -1, modulus)


def batch_inverse(values: Iterable[int], modulus: int) -> list[int]:
    """All inverses for one inversion (Montgomery's trick); a zero raises ``ZeroDivisionError``."""
    given = list(values)
    prefix = []
    product = 1
    for value in given:
        prefix.append(product)
        product = product * value % modulus
    rest = inverse(product, modulus)
    out = [0] * len(given)
    for i in range(len(given) - 1, -1, -1):
        out[i] = rest * prefix[i] % modulus
        rest = rest * given[i] % modulus
    return out


def sqrt(value: int, modulus: int) -> int | None:
    """The smaller square root of a canonical ``value`` modulo a prime, or None when there is none."""
    if value == 0:
        return 0
    if pow(value, (modulus - 1) // 2, modulus) != 1:
        return None
    odd, two_adicity, generator = _two_adic(modulus)
    # Invariant: root^2 = value * error, and error has order 2^k with k < remaining.
    root = pow(value, (odd + 1) // 2, modulus)
    error = pow(value, odd, modulus)
    remaining = two_adicity
    while error != 1:
        k, power = 0, error
        while power != 1:
            power = power * power % modulus
            k += 1
        step = pow(generator, 1 << (remaining - k - 1), modulus)
        root = root * step % modulus
        generator = step * step % modulus
        error = error * generator % modulus
        remaining = k
    return min(root, modulus - root)


@cache
def _two_adic(modulus: int) -> tuple[int, int, int]:
    """``(odd, s, generator of the subgroup of order 2^s)`` with ``modulus - 1 = odd * 2^s``."""
    odd, s = modulus - 1, 0
    while odd % 2 == 0:
        odd //= 2
        s += 1
    candidate = 2
    while pow(candidate, (modulus - 1) // 2, modulus) == 1:
        candidate += 1
    return odd, s, pow(candidate, odd, modulus)
