"""G1 and G2 of BN254 for the numba engine: one code for both groups, and sums of many points.

This module must not know circuits or proofs.

The coordinates of a point are elements of Fq (four words) or of Fq2 = Fq[i]/(i^2 + 1) (a pair of
those); numba's typing picks the arithmetic, so that each function below is compiled once for each
group. Affine points lie in buffers, one a row, infinity as zeros. Running sums are kept as
(X, Y, ZZ, ZZZ) with x = X/ZZ, y = Y/ZZZ, ZZ^3 = ZZZ^2, infinity as ZZ = 0. All formulas here are
complete: equal and opposite points and infinity are told apart.

References:
    D. J. Bernstein, T. Lange, Explicit-Formulas Database, "XYZZ coordinates for short Weierstrass
    curves": madd-2008-s, add-2008-s, dbl-2008-s-1 (by Sutherland).
    N. Pippenger, "On the evaluation of powers and related problems", FOCS 1976; here with the signed
    digits of a window method, buckets summed from the top.
    E. F. Brickell et al., "Fast exponentiation with precomputation", EUROCRYPT 1992: fixed bases.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from zkrollup.engine.convert import FQ_MODULUS
from zkrollup.engine.numba_field import (
    FQ,
    FQ_ONE,
    FR,
    ONE,
    ZERO,
    Element,
    Index,
    Vector,
    fq_add,
    fq_mul,
    fq_sub,
    inverse_mod,
    is_reduced,
    is_zero,
    load,
    mont_mul,
    mont_words,
    mul_mod,
)
from zkrollup.engine.numba_jit import kernel

__all__ = [
    "FQ2_ZERO",
    "G1_B",
    "G2_B",
    "check_points",
    "fixed_base",
    "fixed_table",
    "fq2_add",
    "fq2_inverse",
    "fq2_mul",
    "fq2_sub",
    "msm_combine",
    "msm_digits",
    "msm_window",
    "pairwise_add",
    "scalar_multiple",
    "to_affine",
    "xyzz_add_affine",
]

Field = Any
"""An element of Fq or Fq2."""
Point = Any
"""(X, Y, ZZ, ZZZ)."""

FQ2_ZERO = (ZERO, ZERO)
NIL = np.uint64(0)
UNIT = np.uint64(1)
TOP = np.uint64(63)


def _twist_b() -> tuple[int, int]:
    """3 / (9 + i): the constant of the twist y^2 = x^3 + 3/xi that carries G2."""
    norm = pow(82, -1, FQ_MODULUS)  # (9 + i)(9 - i)
    return 27 * norm % FQ_MODULUS, -3 * norm % FQ_MODULUS


G1_B = mont_words(3, FQ_MODULUS)
G2_B = (mont_words(_twist_b()[0], FQ_MODULUS), mont_words(_twist_b()[1], FQ_MODULUS))


# -- Fq2 -----------------------------------------------------------------------------------------
@kernel
def fq2_add(a: Field, b: Field) -> Field:
    """a + b in Fq2."""
    return fq_add(a[0], b[0]), fq_add(a[1], b[1])


@kernel
def fq2_sub(a: Field, b: Field) -> Field:
    """a - b in Fq2."""
    return fq_sub(a[0], b[0]), fq_sub(a[1], b[1])


@kernel
def fq2_mul(a: Field, b: Field) -> Field:
    """a b in Fq2, three products (Karatsuba)."""
    low = fq_mul(a[0], b[0])
    high = fq_mul(a[1], b[1])
    cross = fq_mul(fq_add(a[0], a[1]), fq_add(b[0], b[1]))
    return fq_sub(low, high), fq_sub(fq_sub(cross, low), high)


@kernel
def fq2_square(a: Field) -> Field:
    """a^2 in Fq2: (a0 + a1)(a0 - a1) + 2 a0 a1 i."""
    cross = fq_mul(a[0], a[1])
    return fq_mul(fq_add(a[0], a[1]), fq_sub(a[0], a[1])), fq_add(cross, cross)


@kernel
def fq2_inverse(a: Field) -> Field:
    """1/a in Fq2, 0 for 0: the conjugate over the norm."""
    norm = fq_add(fq_mul(a[0], a[0]), fq_mul(a[1], a[1]))
    norm = inverse_mod(norm, FQ_ONE, FQ)
    return fq_mul(a[0], norm), fq_mul(fq_sub(ZERO, a[1]), norm)


# -- either field --------------------------------------------------------------------------------
def add(a: Field, b: Field) -> Field:
    """a + b."""


def sub(a: Field, b: Field) -> Field:
    """a - b."""


def mul(a: Field, b: Field) -> Field:
    """a b."""


def square(a: Field) -> Field:
    """a^2."""


def inverse(a: Field) -> Field:
    """1/a, 0 for 0."""


def zero(a: Field) -> Any:
    """Whether a = 0."""


def unit(like: Field) -> Field:
    """The one of the field that ``like`` belongs to."""


def null(like: Field) -> Field:
    """The zero of the field that ``like`` belongs to."""


def reduced(a: Field) -> Any:
    """Whether the words of each component are below q."""


def get(like: Field, rows: Vector, i: Any, k: Index) -> Field:
    """Coordinate k, in the field of ``like``, of the point in row i."""


def put(x: Field, rows: Vector, i: Any, k: Index) -> None:
    """Write coordinate k of the point in row i."""


@kernel(inline=True)
def _get4(rows: Vector, i: Any, j: Any) -> Element:
    return rows[i, j], rows[i, j + 1], rows[i, j + 2], rows[i, j + 3]


@kernel(inline=True)
def _put4(x: Element, rows: Vector, i: Any, j: Any) -> None:
    rows[i, j] = x[0]
    rows[i, j + 1] = x[1]
    rows[i, j + 2] = x[2]
    rows[i, j + 3] = x[3]


@kernel(inline=True)
def _put8(x: Field, rows: Vector, i: Any, j: Any) -> None:
    _put4(x[0], rows, i, j)
    _put4(x[1], rows, i, j + 4)


def _either(generic: Any, in_base: Any, in_extension: Any) -> None:
    """Give numba both meanings of a function, told apart by the type of its first argument."""

    def choose(element: Any, *_: Any) -> Any:
        return in_base if isinstance(element[0], types.Integer) else in_extension

    overload(generic, strict=False, jit_options={"forceinline": True})(choose)


_either(add, lambda a, b: fq_add(a, b), lambda a, b: fq2_add(a, b))
_either(sub, lambda a, b: fq_sub(a, b), lambda a, b: fq2_sub(a, b))
_either(mul, lambda a, b: fq_mul(a, b), lambda a, b: fq2_mul(a, b))
_either(square, lambda a: fq_mul(a, a), lambda a: fq2_square(a))
_either(inverse, lambda a: inverse_mod(a, FQ_ONE, FQ), lambda a: fq2_inverse(a))
_either(zero, lambda a: is_zero(a), lambda a: is_zero(a[0]) and is_zero(a[1]))
_either(unit, lambda like: FQ_ONE, lambda like: (FQ_ONE, ZERO))
_either(null, lambda like: ZERO, lambda like: (ZERO, ZERO))
_either(reduced, lambda a: is_reduced(a, FQ), lambda a: is_reduced(a[0], FQ) and is_reduced(a[1], FQ))
_either(
    get,
    lambda like, rows, i, k: _get4(rows, i, 4 * k),
    lambda like, rows, i, k: (_get4(rows, i, 8 * k), _get4(rows, i, 8 * k + 4)),
)
_either(
    put,
    lambda x, rows, i, k: _put4(x, rows, i, 4 * k),
    lambda x, rows, i, k: _put8(x, rows, i, 8 * k),
)


# -- the group -----------------------------------------------------------------------------------
@kernel
def xyzz_double(p: Point) -> Point:
    """2 p. No point of either curve has order two, so Y = 0 only at infinity."""
    u = add(p[1], p[1])
    v = square(u)
    w = mul(u, v)
    s = mul(p[0], v)
    m = square(p[0])
    m = add(add(m, m), m)
    x = sub(square(m), add(s, s))
    y = sub(mul(m, sub(s, x)), mul(w, p[1]))
    return x, y, mul(v, p[2]), mul(w, p[3])


@kernel
def xyzz_add_affine(p: Point, x2: Field, y2: Field) -> Point:
    """p + (x2, y2), complete."""
    if zero(x2) and zero(y2):
        return p
    if zero(p[2]):
        one = unit(x2)
        return x2, y2, one, one
    h = sub(mul(x2, p[2]), p[0])
    r = sub(mul(y2, p[3]), p[1])
    if zero(h):
        if zero(r):
            return xyzz_double(p)
        nil = null(x2)
        return nil, nil, nil, nil
    hh = square(h)
    hhh = mul(h, hh)
    q = mul(p[0], hh)
    x = sub(sub(square(r), hhh), add(q, q))
    y = sub(mul(r, sub(q, x)), mul(p[1], hhh))
    return x, y, mul(p[2], hh), mul(p[3], hhh)


@kernel
def xyzz_add(a: Point, b: Point) -> Point:
    """a + b, complete."""
    if zero(b[2]):
        return a
    if zero(a[2]):
        return b
    u = mul(a[0], b[2])
    s = mul(a[1], b[3])
    h = sub(mul(b[0], a[2]), u)
    r = sub(mul(b[1], a[3]), s)
    if zero(h):
        if zero(r):
            return xyzz_double(a)
        nil = null(u)
        return nil, nil, nil, nil
    hh = square(h)
    hhh = mul(h, hh)
    q = mul(u, hh)
    x = sub(sub(square(r), hhh), add(q, q))
    y = sub(mul(r, sub(q, x)), mul(s, hhh))
    return x, y, mul(mul(a[2], b[2]), hh), mul(mul(a[3], b[3]), hhh)


@kernel(inline=True)
def infinity(like: Field) -> Point:
    """The neutral element."""
    nil = null(like)
    return nil, nil, nil, nil


@kernel
def load_point(rows: Vector, i: Any, like: Field) -> Point:
    """Row i of a buffer of running sums."""
    return get(like, rows, i, 0), get(like, rows, i, 1), get(like, rows, i, 2), get(like, rows, i, 3)


@kernel
def store_point(rows: Vector, i: Any, p: Point) -> None:
    """Write row i of a buffer of running sums."""
    put(p[0], rows, i, 0)
    put(p[1], rows, i, 1)
    put(p[2], rows, i, 2)
    put(p[3], rows, i, 3)


@kernel
def to_affine(sums: Vector, out: Vector, first: Index, count: Index, like: Field) -> None:
    """out[first + i] = sums[i] for i < count, with one inversion.

    With t = 1/ZZZ: y = Y t and, as ZZZ^2 = ZZ^3, 1/ZZ = (ZZ t)^2.
    """
    prefix = np.empty((count, sums.shape[1]), np.uint64)
    running = unit(like)
    for i in range(count):
        put(running, prefix, i, 0)
        z = get(like, sums, i, 3)
        if not zero(z):
            running = mul(running, z)
    running = inverse(running)
    for k in range(count):
        i = count - 1 - k
        z = get(like, sums, i, 3)
        if zero(z):
            put(null(like), out, first + i, 0)
            put(null(like), out, first + i, 1)
        else:
            t = mul(running, get(like, prefix, i, 0))
            running = mul(running, z)
            put(mul(get(like, sums, i, 0), square(mul(get(like, sums, i, 2), t))), out, first + i, 0)
            put(mul(get(like, sums, i, 1), t), out, first + i, 1)


@kernel
def scalar_multiple(x: Field, y: Field, k: Element) -> Point:
    """k (x, y) for a canonical 256-bit k, from its top bit down."""
    sum_ = infinity(x)
    for i in range(4):
        word = k[3 - i]
        for _ in range(64):
            sum_ = xyzz_double(sum_)
            if word >> TOP:
                sum_ = xyzz_add_affine(sum_, x, y)
            word <<= UNIT
    return sum_


# -- many points ---------------------------------------------------------------------------------
BATCH = 1024
"""Points made affine with one inversion."""


@kernel
def pairwise_add(a: Vector, b: Vector, out: Vector, start: Index, stop: Index, like: Field) -> None:
    """out[i] = a[i] + b[i], affine."""
    sums = np.empty((min(BATCH, stop - start), 2 * a.shape[1]), np.uint64)
    for base in range(start, stop, BATCH):
        count = min(BATCH, stop - base)
        for i in range(count):
            p = xyzz_add_affine(infinity(like), get(like, a, base + i, 0), get(like, a, base + i, 1))
            p = xyzz_add_affine(p, get(like, b, base + i, 0), get(like, b, base + i, 1))
            store_point(sums, i, p)
        to_affine(sums, out, base, count, like)


@kernel
def check_points(points: Vector, out: Any, b: Field, subgroup: bool, start: Index, stop: Index) -> None:
    """Whether each point is on y^2 = x^3 + b with reduced coordinates (and r times it is infinity)."""
    order = (FR[0], FR[1], FR[2], FR[3])
    for i in range(start, stop):
        x = get(b, points, i, 0)
        y = get(b, points, i, 1)
        if zero(x) and zero(y):
            out[i] = True
        elif not (reduced(x) and reduced(y)):
            out[i] = False
        else:
            good = zero(sub(square(y), add(mul(square(x), x), b)))
            if good and subgroup:
                good = zero(scalar_multiple(x, y, order)[2])
            out[i] = good


@kernel
def signed_digits(scalar: Element, digits: Any, i: Index, bits: Index) -> None:
    """Column i of ``digits``: the digits of a canonical scalar below 2^254, least significant first.

    Each is in -2^(bits-1) .. 2^(bits-1), and there are ``digits.shape[0]`` >= 255/bits of them, so
    that the last carry is taken up.
    """
    half = 1 << (bits - 1)
    carry = 0
    for w in range(digits.shape[0]):
        at = w * bits
        word = at >> 6
        shift = at & 63
        value = np.uint64(0)
        if word < 4:
            chosen = scalar[0]  # a tuple takes no variable index when its parts are in registers
            if word == 1:
                chosen = scalar[1]
            elif word == 2:
                chosen = scalar[2]
            elif word == 3:
                chosen = scalar[3]
            value = chosen >> np.uint64(shift)
            if shift + bits > 64 and word < 3:
                following = scalar[1]
                if word == 1:
                    following = scalar[2]
                elif word == 2:
                    following = scalar[3]
                value |= following << np.uint64(64 - shift)
        digit = np.int64(value & np.uint64((1 << bits) - 1)) + carry
        carry = 0
        if digit > half:
            digit -= 1 << bits
            carry = 1
        digits[w, i] = digit


@kernel
def msm_digits(scalars: Vector, digits: Any, bits: Index, start: Index, stop: Index) -> None:
    """Signed digits of Montgomery scalars, one window a row."""
    for i in range(start, stop):
        signed_digits(mont_mul(load(scalars, i), ONE, FR), digits, i, bits)


@kernel
def add_signed(p: Point, points: Vector, i: Any, digit: Index, like: Field) -> Point:
    """p + points[i], or p - points[i] when the digit is negative."""
    y = get(like, points, i, 1)
    if digit < 0:
        y = sub(null(like), y)
    return xyzz_add_affine(p, get(like, points, i, 0), y)


@kernel
def msm_window(bases: Vector, digits: Any, out: Vector, window: Index, half: Index, like: Field) -> None:
    """out[window] = sum_i digits[window, i] bases[i], as a running sum.

    Buckets by absolute value; the sum over j of j bucket[j] as a sum of partial sums from the top.
    """
    buckets = np.zeros((half, 2 * bases.shape[1]), np.uint64)
    for i in range(bases.shape[0]):
        digit = np.int64(digits[window, i])
        if digit != 0:
            k = abs(digit) - 1
            store_point(buckets, k, add_signed(load_point(buckets, k, like), bases, i, digit, like))
    partial = infinity(like)
    total = infinity(like)
    for j in range(half):
        partial = xyzz_add(partial, load_point(buckets, half - 1 - j, like))
        total = xyzz_add(total, partial)
    store_point(out, window, total)


@kernel
def msm_combine(sums: Vector, out: Vector, bits: Index, like: Field) -> None:
    """out[0] = sum_w 2^(bits w) sums[w], affine."""
    windows = sums.shape[0]
    total = infinity(like)
    for w in range(windows):
        for _ in range(bits):
            total = xyzz_double(total)
        total = xyzz_add(total, load_point(sums, windows - 1 - w, like))
    store_point(sums, 0, total)
    to_affine(sums, out, 0, 1, like)


@kernel
def fixed_table(base: Vector, table: Vector, bits: Index, window: Index, half: Index, like: Field) -> None:
    """table[window half + j] = (j + 1) 2^(bits window) base[0], affine, for j < half."""
    sums = np.empty((half, 2 * base.shape[1]), np.uint64)
    p = xyzz_add_affine(infinity(like), get(like, base, 0, 0), get(like, base, 0, 1))
    for _ in range(bits * window):
        p = xyzz_double(p)
    total = infinity(like)
    for j in range(half):
        total = xyzz_add(total, p)
        store_point(sums, j, total)
    to_affine(sums, table, window * half, half, like)


@kernel
def fixed_base(
    table: Vector,
    scalars: Vector,
    out: Vector,
    bits: Index,
    half: Index,
    start: Index,
    stop: Index,
    like: Field,
) -> None:
    """out[i] = scalars[i] base, affine, from a table of :func:`fixed_table`; Montgomery scalars.

    The digits, from which scalars can be told, are wiped before the return.
    """
    windows = table.shape[0] // half
    digits = np.zeros((windows, 1), np.int32)
    sums = np.empty((min(BATCH, stop - start), 2 * out.shape[1]), np.uint64)
    for first in range(start, stop, BATCH):
        count = min(BATCH, stop - first)
        for i in range(count):
            signed_digits(mul_mod(load(scalars, first + i), ONE, FR), digits, 0, bits)
            p = infinity(like)
            for w in range(windows):
                digit = np.int64(digits[w, 0])
                if digit != 0:
                    p = add_signed(p, table, w * half + abs(digit) - 1, digit, like)
            store_point(sums, i, p)
        to_affine(sums, out, first, count, like)
    for w in range(windows):
        digits[w, 0] = 0
