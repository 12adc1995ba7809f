"""Arithmetic in Fr and Fq for the numba engine: elements in registers, vectors in buffers.

This module must not know curves, polynomials or circuits.

An element in a kernel is a tuple of four 64-bit words, little-endian, Montgomery with R = 2^256. A
modulus is such a tuple followed by -1/p mod 2^32. Products split the words into eight limbs of 32
bits, each held in a 64-bit word, since numba has no product of two 64-bit words in 128 bits. All
constants are ``numpy.uint64``: numba makes a float of an unsigned word plus a signed one.

References:
    P. L. Montgomery, "Modular multiplication without trial division", Math. Comp. 44 (1985).
    C. K. Koc, T. Acar, B. S. Kaliski, "Analyzing and comparing Montgomery multiplication
    algorithms", IEEE Micro 16 (1996): the CIOS method.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine.convert import FQ_MODULUS, FR_MODULUS
from zkrollup.engine.numba_jit import kernel

__all__ = [
    "FQ",
    "FQ_ONE",
    "FR",
    "FR_ONE",
    "FR_SQUARED",
    "LANE",
    "ONE",
    "ZERO",
    "Element",
    "Index",
    "Modulus",
    "Vector",
    "add_mod",
    "equal",
    "first_unreduced",
    "fq_add",
    "fq_mul",
    "fq_sub",
    "fr_add",
    "fr_inverse",
    "fr_mul",
    "fr_power",
    "fr_sub",
    "inverse_mod",
    "is_reduced",
    "is_zero",
    "load",
    "mont_mul",
    "mont_words",
    "mul_mod",
    "reduced_flags",
    "store",
    "sub_mod",
    "vec_add",
    "vec_inverse",
    "vec_mul",
    "vec_repeat",
    "vec_scale",
    "vec_sub",
    "words",
]

Element = Any
"""Four ``uint64`` words of a field element (a type that only numba sees)."""
Modulus = Any
"""Four words of p and -1/p mod 2^32."""
Vector = Any
"""A C-contiguous ``uint64`` array of shape (n, 4)."""
Index = Any
"""A signed 64-bit integer, Python's or numpy's."""


def words(value: int, count: int = 4) -> tuple[Any, ...]:
    """The little-endian 64-bit words of a non-negative integer."""
    return tuple(np.uint64((value >> (64 * i)) & (2**64 - 1)) for i in range(count))


def mont_words(value: int, modulus: int) -> tuple[Any, ...]:
    """The words of ``value * 2**256 mod modulus``."""
    return words((value << 256) % modulus)


def _modulus(p: int) -> tuple[Any, ...]:
    return (*words(p), np.uint64(-pow(p, -1, 2**32) % 2**32))


FR = _modulus(FR_MODULUS)
FQ = _modulus(FQ_MODULUS)
FR_ONE = mont_words(1, FR_MODULUS)
FQ_ONE = mont_words(1, FQ_MODULUS)
FR_SQUARED = words(pow(2, 512, FR_MODULUS))
"""R^2 mod r: the product with it makes Montgomery words of canonical ones."""
ZERO = words(0)
ONE = words(1)

NIL = np.uint64(0)
UNIT = np.uint64(1)
TWO = np.uint64(2)
TOP = np.uint64(63)
LANE = np.uint64(32)
MASK = np.uint64(2**32 - 1)


# -- one element ---------------------------------------------------------------------------------
@kernel(inline=True)
def _carry(a: Any, b: Any, s: Any) -> Any:
    """The carry out of s = a + b + (0 or 1), from the top bits alone."""
    return ((a & b) | ((a | b) & ~s)) >> TOP


@kernel(inline=True)
def _borrow(a: Any, b: Any, d: Any) -> Any:
    """The borrow out of d = a - b - (0 or 1)."""
    return ((~a & b) | ((~a | b) & d)) >> TOP


@kernel(inline=True)
def _subtract(a: Element, b: Element) -> tuple[Element, Any]:
    """a - b over 256 bits, and the final borrow."""
    d0 = a[0] - b[0]
    c = _borrow(a[0], b[0], d0)
    d1 = a[1] - b[1] - c
    c = _borrow(a[1], b[1], d1)
    d2 = a[2] - b[2] - c
    c = _borrow(a[2], b[2], d2)
    d3 = a[3] - b[3] - c
    return (d0, d1, d2, d3), _borrow(a[3], b[3], d3)


@kernel(inline=True)
def _reduce(a: Element, p: Modulus) -> Element:
    """a - p when a >= p, else a; without a branch."""
    d, borrow = _subtract(a, (p[0], p[1], p[2], p[3]))
    keep = NIL - borrow
    return (
        d[0] ^ ((d[0] ^ a[0]) & keep),
        d[1] ^ ((d[1] ^ a[1]) & keep),
        d[2] ^ ((d[2] ^ a[2]) & keep),
        d[3] ^ ((d[3] ^ a[3]) & keep),
    )


@kernel(inline=True)
def add_mod(a: Element, b: Element, p: Modulus) -> Element:
    """a + b mod p for a, b < p < 2^255 (so the sum fits in 256 bits)."""
    s0 = a[0] + b[0]
    c = _carry(a[0], b[0], s0)
    s1 = a[1] + b[1] + c
    c = _carry(a[1], b[1], s1)
    s2 = a[2] + b[2] + c
    c = _carry(a[2], b[2], s2)
    s3 = a[3] + b[3] + c
    return _reduce((s0, s1, s2, s3), p)


@kernel(inline=True)
def sub_mod(a: Element, b: Element, p: Modulus) -> Element:
    """a - b mod p for a, b < p."""
    d, borrow = _subtract(a, b)
    fill = NIL - borrow
    q0 = p[0] & fill
    q1 = p[1] & fill
    q2 = p[2] & fill
    q3 = p[3] & fill
    s0 = d[0] + q0
    c = _carry(d[0], q0, s0)
    s1 = d[1] + q1 + c
    c = _carry(d[1], q1, s1)
    s2 = d[2] + q2 + c
    c = _carry(d[2], q2, s2)
    return (s0, s1, s2, d[3] + q3 + c)


@kernel(inline=True)
def _limbs(a: Any) -> Any:
    """Eight 32-bit limbs of four words."""
    return (
        a[0] & MASK,
        a[0] >> LANE,
        a[1] & MASK,
        a[1] >> LANE,
        a[2] & MASK,
        a[2] >> LANE,
        a[3] & MASK,
        a[3] >> LANE,
    )


@kernel(inline=True)
def _step(t: Any, x: Any, b: Any, p: Any, inverse: Any) -> Any:
    """One limb of CIOS: (t + x b + m p) / 2^32 with m such that the division is exact.

    Each sum is at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. The new top limb is the sum of two
    carries and stays below 2^32 because t < 2p < 2^255 at every step when b < p.
    """
    s0 = x * b[0] + t[0]
    s1 = x * b[1] + t[1] + (s0 >> LANE)
    s2 = x * b[2] + t[2] + (s1 >> LANE)
    s3 = x * b[3] + t[3] + (s2 >> LANE)
    s4 = x * b[4] + t[4] + (s3 >> LANE)
    s5 = x * b[5] + t[5] + (s4 >> LANE)
    s6 = x * b[6] + t[6] + (s5 >> LANE)
    s7 = x * b[7] + t[7] + (s6 >> LANE)
    m = (s0 * inverse) & MASK
    u0 = m * p[0] + (s0 & MASK)
    u1 = m * p[1] + (s1 & MASK) + (u0 >> LANE)
    u2 = m * p[2] + (s2 & MASK) + (u1 >> LANE)
    u3 = m * p[3] + (s3 & MASK) + (u2 >> LANE)
    u4 = m * p[4] + (s4 & MASK) + (u3 >> LANE)
    u5 = m * p[5] + (s5 & MASK) + (u4 >> LANE)
    u6 = m * p[6] + (s6 & MASK) + (u5 >> LANE)
    u7 = m * p[7] + (s7 & MASK) + (u6 >> LANE)
    return (
        u1 & MASK,
        u2 & MASK,
        u3 & MASK,
        u4 & MASK,
        u5 & MASK,
        u6 & MASK,
        u7 & MASK,
        (s7 >> LANE) + (u7 >> LANE),
    )


@kernel(inline=True)
def mont_mul(a: Element, b: Element, p: Modulus) -> Element:
    """a b / 2^256 mod p, reduced, for any a < 2^256 and b < p."""
    x = _limbs(a)
    y = _limbs(b)
    q = _limbs(p)
    t = (NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL)
    t = _step(t, x[0], y, q, p[4])
    t = _step(t, x[1], y, q, p[4])
    t = _step(t, x[2], y, q, p[4])
    t = _step(t, x[3], y, q, p[4])
    t = _step(t, x[4], y, q, p[4])
    t = _step(t, x[5], y, q, p[4])
    t = _step(t, x[6], y, q, p[4])
    t = _step(t, x[7], y, q, p[4])
    joined = (
        t[0] | (t[1] << LANE),
        t[2] | (t[3] << LANE),
        t[4] | (t[5] << LANE),
        t[6] | (t[7] << LANE),
    )
    return _reduce(joined, p)


@kernel
def mul_mod(a: Element, b: Element, p: Modulus) -> Element:
    """:func:`mont_mul` as a call, where code size matters more than the call."""
    return mont_mul(a, b, p)


@kernel
def fr_mul(a: Element, b: Element) -> Element:
    """a b in Fr, Montgomery."""
    return mont_mul(a, b, FR)


@kernel
def fr_add(a: Element, b: Element) -> Element:
    """a + b in Fr."""
    return add_mod(a, b, FR)


@kernel
def fr_sub(a: Element, b: Element) -> Element:
    """a - b in Fr."""
    return sub_mod(a, b, FR)


@kernel
def fq_mul(a: Element, b: Element) -> Element:
    """a b in Fq, Montgomery."""
    return mont_mul(a, b, FQ)


@kernel
def fq_add(a: Element, b: Element) -> Element:
    """a + b in Fq."""
    return add_mod(a, b, FQ)


@kernel
def fq_sub(a: Element, b: Element) -> Element:
    """a - b in Fq."""
    return sub_mod(a, b, FQ)


@kernel(inline=True)
def is_zero(a: Element) -> Any:
    """Whether all words are zero."""
    return (a[0] | a[1] | a[2] | a[3]) == NIL


@kernel(inline=True)
def equal(a: Element, b: Element) -> Any:
    """Whether two elements have the same words."""
    return ((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3])) == NIL


@kernel(inline=True)
def is_reduced(a: Element, p: Modulus) -> Any:
    """Whether a < p as an integer."""
    return _subtract(a, (p[0], p[1], p[2], p[3]))[1] == UNIT


@kernel
def inverse_mod(a: Element, one: Element, p: Modulus) -> Element:
    """a^(p - 2), Montgomery: the inverse, and 0 for 0. ``one`` is 2^256 mod p."""
    out = one
    power = a
    for i in range(4):
        word = p[i]
        if i == 0:
            word -= TWO  # p is odd and above 2, so this does not borrow
        for _ in range(64):
            if word & UNIT:
                out = mul_mod(out, power, p)
            power = mul_mod(power, power, p)
            word >>= UNIT
    return out


@kernel
def fr_inverse(a: Element) -> Element:
    """1/a in Fr, Montgomery; 0 for 0."""
    return inverse_mod(a, FR_ONE, FR)


@kernel
def fr_power(a: Element, exponent: Any) -> Element:
    """a^exponent in Fr, Montgomery, for a 64-bit exponent."""
    out = FR_ONE
    left = np.uint64(exponent)
    while left != NIL:
        if left & UNIT:
            out = fr_mul(out, a)
        a = fr_mul(a, a)
        left >>= UNIT
    return out


# -- buffers -------------------------------------------------------------------------------------
@kernel(inline=True)
def load(a: Vector, i: Any) -> Element:
    """Row i of a vector."""
    return (a[i, 0], a[i, 1], a[i, 2], a[i, 3])


@kernel(inline=True)
def store(a: Vector, i: Any, x: Element) -> None:
    """Write row i of a vector."""
    a[i, 0] = x[0]
    a[i, 1] = x[1]
    a[i, 2] = x[2]
    a[i, 3] = x[3]


@kernel
def first_unreduced(a: Vector, p: Modulus, start: int, stop: int) -> int:
    """The first row in start..stop-1 that is not below p, or -1."""
    for i in range(start, stop):
        if not is_reduced(load(a, i), p):
            return i
    return -1


@kernel
def reduced_flags(a: Vector, out: Any, p: Modulus, start: int, stop: int) -> None:
    """out[i] = whether row i is below p."""
    for i in range(start, stop):
        out[i] = is_reduced(load(a, i), p)


@kernel
def vec_add(a: Vector, b: Vector, out: Vector, p: Modulus, start: int, stop: int) -> None:
    """out = a + b for rows start..stop-1."""
    for i in range(start, stop):
        store(out, i, add_mod(load(a, i), load(b, i), p))


@kernel
def vec_sub(a: Vector, b: Vector, out: Vector, p: Modulus, start: int, stop: int) -> None:
    """out = a - b for rows start..stop-1."""
    for i in range(start, stop):
        store(out, i, sub_mod(load(a, i), load(b, i), p))


@kernel
def vec_mul(a: Vector, b: Vector, out: Vector, p: Modulus, start: int, stop: int) -> None:
    """out = a b, Montgomery, for rows start..stop-1."""
    for i in range(start, stop):
        store(out, i, mont_mul(load(a, i), load(b, i), p))


@kernel
def vec_scale(a: Vector, factor: Element, out: Vector, p: Modulus, start: int, stop: int) -> None:
    """out = factor a / 2^256 for rows start..stop-1: both changes of encoding are such a product."""
    for i in range(start, stop):
        store(out, i, mont_mul(load(a, i), factor, p))


@kernel
def vec_repeat(a: Vector, factor: Element, p: Modulus, rounds: int) -> None:
    """a = a factor^rounds, Montgomery, in place, by that many products for each row."""
    for _ in range(rounds):
        for i in range(len(a)):
            store(a, i, mont_mul(load(a, i), factor, p))


@kernel
def vec_inverse(a: Vector, out: Vector, one: Element, p: Modulus, start: int, stop: int) -> None:
    """out = 1/a, Montgomery, 0 for 0, for rows start..stop-1; ``out`` may be ``a``.

    Montgomery's trick: one inversion and three products an element. ``out`` holds the running
    products on the way up; zeros are stepped over.
    """
    prefix = np.empty((stop - start, 4), np.uint64)
    running = one
    for i in range(start, stop):
        x = load(a, i)
        store(prefix, i - start, running)
        if not is_zero(x):
            running = mul_mod(running, x, p)
    running = inverse_mod(running, one, p)
    for k in range(stop - start):
        i = stop - 1 - k
        x = load(a, i)
        if is_zero(x):
            store(out, i, x)
        else:
            store(out, i, mul_mod(running, load(prefix, i - start), p))
            running = mul_mod(running, x, p)
    for k in range(stop - start):
        store(prefix, k, ZERO)
