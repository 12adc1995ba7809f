"""The optimal ate pairing of BN254 for the numba engine, and Groth16's equation on it.

This module must not know keys, files or circuits; its callers have checked curve and subgroup.

Fq12 is Fq2[w]/(w^6 - xi), xi = 9 + i, an element being the six rows of a buffer of Fq2 coefficients,
lowest first; products are plain (36 products in Fq2), which is short and enough here. The twist
y^2 = x^3 + 3/xi lies in the curve over Fq12 by (x, y) -> (x w^2, y w^3). Factors of Fq2 in a line are
dropped: the final exponentiation sends them to one.

References:
    F. Vercauteren, "Optimal pairings", IEEE Trans. Inf. Theory 56 (2010).
    M. Scott et al., "On the final exponentiation for calculating pairings on ordinary elliptic
    curves", Pairing 2009: the hard part in base q, with coefficients that are polynomials in x.
    J. Groth, "On the size of pairing-based non-interactive arguments", EUROCRYPT 2016.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from zkrollup.engine.convert import FQ_MODULUS
from zkrollup.engine.interface import U64
from zkrollup.engine.numba_curve import (
    Field,
    fq2_add,
    fq2_inverse,
    fq2_mul,
    fq2_square,
    fq2_sub,
    infinity,
    scalar_multiple,
    store_point,
    to_affine,
    xyzz_add,
    xyzz_add_affine,
)
from zkrollup.engine.numba_field import (
    FQ_ONE,
    ZERO,
    Element,
    Vector,
    fq_add,
    fq_mul,
    fq_sub,
    load,
    mont_words,
)
from zkrollup.engine.numba_jit import kernel

__all__ = ["frobenius_table", "loop_bits", "verify_proofs"]

CURVE_X = 4965661367192848881
X = np.uint64(CURVE_X)
NIL = np.uint64(0)
UNIT = np.uint64(1)


# -- tables, once a process --------------------------------------------------------------------
def _fq2_power(base: tuple[int, int], exponent: int) -> tuple[int, int]:
    q = FQ_MODULUS
    out, power = (1, 0), base
    while exponent:
        if exponent & 1:
            out = ((out[0] * power[0] - out[1] * power[1]) % q, (out[0] * power[1] + out[1] * power[0]) % q)
        power = ((power[0] ** 2 - power[1] ** 2) % q, 2 * power[0] * power[1] % q)
        exponent >>= 1
    return out


@cache
def frobenius_table() -> U64:
    """Row 6 (n - 1) + k: xi^(k (q^n - 1)/6), Montgomery, so that (c w^k)^(q^n) = c^(q^n) row w^k."""
    rows = [_fq2_power((9, 1), k * (FQ_MODULUS**n - 1) // 6) for n in (1, 2, 3) for k in range(6)]
    table = np.array([[w for c in row for w in mont_words(c, FQ_MODULUS)] for row in rows], np.uint64)
    table.flags.writeable = False
    return table


@cache
def loop_bits() -> Any:
    """Bits of 6 x + 2 below the top one, highest first."""
    bits = np.array([int(b) for b in f"{6 * CURVE_X + 2:b}"[1:]], np.uint8)
    bits.flags.writeable = False
    return bits


# -- Fq12 ----------------------------------------------------------------------------------------
@kernel
def get2(rows: Vector, i: int) -> Field:
    """The Fq2 element in row i."""
    return (
        (rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3]),
        (rows[i, 4], rows[i, 5], rows[i, 6], rows[i, 7]),
    )


@kernel
def put2(rows: Vector, i: int, x: Field) -> None:
    """Write the Fq2 element in row i."""
    for k in range(4):
        rows[i, k] = x[0][k]
        rows[i, k + 4] = x[1][k]


@kernel
def times_xi(a: Field) -> Field:
    """(9 + i) a."""
    twice = fq2_add(a, a)
    four = fq2_add(twice, twice)
    nine = fq2_add(fq2_add(four, four), a)
    return fq_sub(nine[0], a[1]), fq_add(nine[1], a[0])


@kernel
def scale(a: Field, s: Element) -> Field:
    """a s for a in Fq2, s in Fq."""
    return fq_mul(a[0], s), fq_mul(a[1], s)


@kernel
def copy(a: Vector, out: Vector) -> None:
    """out = a (numba's slice assignment would bring broadcasting and its errors into every kernel)."""
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[i, k] = a[i, k]


@kernel
def clear(out: Vector) -> None:
    """out = 0."""
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[i, k] = NIL


@kernel
def fq12_mul(a: Vector, b: Vector, out: Vector) -> None:
    """out = a b; ``out`` is neither."""
    for k in range(6):
        low = (ZERO, ZERO)
        high = (ZERO, ZERO)
        for i in range(6):
            if i <= k:
                low = fq2_add(low, fq2_mul(get2(a, i), get2(b, k - i)))
            else:
                high = fq2_add(high, fq2_mul(get2(a, i), get2(b, k + 6 - i)))
        put2(out, k, fq2_add(low, times_xi(high)))


@kernel
def fq12_mul_line(f: Vector, l0: Field, l1: Field, l3: Field, scratch: Vector) -> None:
    """f = f (l0 + l1 w + l3 w^3)."""
    for k in range(6):
        part1 = fq2_mul(get2(f, (k + 5) % 6), l1)
        part3 = fq2_mul(get2(f, (k + 3) % 6), l3)
        if k < 1:
            part1 = times_xi(part1)
        if k < 3:
            part3 = times_xi(part3)
        put2(scratch, k, fq2_add(fq2_add(fq2_mul(get2(f, k), l0), part1), part3))
    copy(scratch, f)


@kernel
def fq12_one(f: Vector) -> None:
    """f = 1."""
    clear(f)
    put2(f, 0, (FQ_ONE, ZERO))


@kernel
def fq12_conjugate(a: Vector, out: Vector) -> None:
    """out = a^(q^6): the inverse of an element of the cyclotomic subgroup."""
    for k in range(6):
        x = get2(a, k)
        if k % 2 == 1:
            x = fq2_sub((ZERO, ZERO), x)
        put2(out, k, x)


@kernel
def fq12_frobenius(a: Vector, out: Vector, n: int, table: Vector) -> None:
    """out = a^(q^n), n in 1..3."""
    for k in range(6):
        x = get2(a, k)
        if n % 2 == 1:
            x = (x[0], fq_sub(ZERO, x[1]))
        put2(out, k, fq2_mul(x, get2(table, 6 * (n - 1) + k)))


@kernel
def fq12_inverse(a: Vector, out: Vector) -> None:
    """out = 1/a: a^(q^6)/N with N = a a^(q^6) in Fq6 = Fq2[w^2], inverted by its cofactors."""
    bar = np.empty((6, 8), np.uint64)
    norm = np.empty((6, 8), np.uint64)
    fq12_conjugate(a, bar)
    fq12_mul(a, bar, norm)
    n0 = get2(norm, 0)
    n1 = get2(norm, 2)
    n2 = get2(norm, 4)
    t0 = fq2_sub(fq2_square(n0), times_xi(fq2_mul(n1, n2)))
    t1 = fq2_sub(times_xi(fq2_square(n2)), fq2_mul(n0, n1))
    t2 = fq2_sub(fq2_square(n1), fq2_mul(n0, n2))
    d = fq2_add(fq2_mul(n0, t0), times_xi(fq2_add(fq2_mul(n2, t1), fq2_mul(n1, t2))))
    d = fq2_inverse(d)
    clear(norm)
    put2(norm, 0, fq2_mul(t0, d))
    put2(norm, 2, fq2_mul(t1, d))
    put2(norm, 4, fq2_mul(t2, d))
    fq12_mul(bar, norm, out)


@kernel
def fq12_power(a: Vector, exponent: Any, out: Vector) -> None:
    """out = a^exponent, 64-bit; ``out`` is not ``a``."""
    scratch = np.empty((6, 8), np.uint64)
    fq12_one(out)
    for k in range(64):
        fq12_mul(out, out, scratch)
        copy(scratch, out)
        if (exponent >> np.uint64(63 - k)) & UNIT:
            fq12_mul(out, a, scratch)
            copy(scratch, out)


# -- the pairing ---------------------------------------------------------------------------------
@kernel
def double_step(t: Vector, j: int, px: Element, py: Element, f: Vector, scratch: Vector) -> None:
    """Multiply f by the tangent at T_j in (px, py), then double T_j (rows 3j.. of t: X, Y, Z, Jacobian).

    The slope is 3 X^2 / (2 Y Z) on the twist; the line is scaled by 2 Y Z^3:
    2 Y Z^3 py - 3 X^2 Z^2 px w + (3 X^3 - 2 Y^2) w^3.
    """
    x = get2(t, 3 * j)
    y = get2(t, 3 * j + 1)
    z = get2(t, 3 * j + 2)
    xx = fq2_square(x)
    yy = fq2_square(y)
    zz = fq2_square(z)
    xx3 = fq2_add(fq2_add(xx, xx), xx)
    yz = fq2_mul(y, z)
    z3 = fq2_add(yz, yz)
    l0 = scale(fq2_mul(z3, zz), py)
    l1 = scale(fq2_mul(xx3, zz), fq_sub(ZERO, px))
    l3 = fq2_sub(fq2_mul(xx3, x), fq2_add(yy, yy))
    s = fq2_mul(x, yy)
    s = fq2_add(s, s)
    s = fq2_add(s, s)
    x3 = fq2_sub(fq2_square(xx3), fq2_add(s, s))
    yyyy = fq2_square(yy)
    yyyy = fq2_add(yyyy, yyyy)
    yyyy = fq2_add(yyyy, yyyy)
    yyyy = fq2_add(yyyy, yyyy)
    put2(t, 3 * j, x3)
    put2(t, 3 * j + 1, fq2_sub(fq2_mul(xx3, fq2_sub(s, x3)), yyyy))
    put2(t, 3 * j + 2, z3)
    fq12_mul_line(f, l0, l1, l3, scratch)


@kernel
def add_step(
    t: Vector, j: int, qx: Field, qy: Field, px: Element, py: Element, f: Vector, scratch: Vector
) -> None:
    """Multiply f by the line through T_j and Q in (px, py), then add Q to T_j.

    With h = qx Z^2 - X, r = qy Z^3 - Y the slope is r/(Z h); the line is scaled by Z h:
    Z h py - r px w + (r qx - Z h qy) w^3.
    """
    x = get2(t, 3 * j)
    y = get2(t, 3 * j + 1)
    z = get2(t, 3 * j + 2)
    zz = fq2_square(z)
    h = fq2_sub(fq2_mul(qx, zz), x)
    r = fq2_sub(fq2_mul(fq2_mul(qy, zz), z), y)
    z3 = fq2_mul(z, h)
    hh = fq2_square(h)
    hhh = fq2_mul(hh, h)
    v = fq2_mul(x, hh)
    x3 = fq2_sub(fq2_sub(fq2_square(r), hhh), fq2_add(v, v))
    put2(t, 3 * j, x3)
    put2(t, 3 * j + 1, fq2_sub(fq2_mul(r, fq2_sub(v, x3)), fq2_mul(y, hhh)))
    put2(t, 3 * j + 2, z3)
    l1 = scale(r, fq_sub(ZERO, px))
    l3 = fq2_sub(fq2_mul(r, qx), fq2_mul(z3, qy))
    fq12_mul_line(f, scale(z3, py), l1, l3, scratch)


@kernel
def miller(p: Vector, q: Vector, f: Vector, table: Vector, bits: Any) -> None:
    """f = product of the Miller functions f_(6x+2, q_j)(p_j) with both Frobenius lines.

    Arguments: affine p (count, 8) and q (count, 16), q in the subgroup; a pair with infinity gives 1.
    """
    count = p.shape[0]
    t = np.empty((3 * count, 8), np.uint64)
    scratch = np.empty((6, 8), np.uint64)
    live = np.empty(count, np.bool_)
    for j in range(count):
        in_p = NIL
        in_q = NIL
        for k in range(8):
            in_p |= p[j, k]
            in_q |= q[j, k] | q[j, k + 8]
        live[j] = in_p != NIL and in_q != NIL
        for k in range(8):
            t[3 * j, k] = q[j, k]
            t[3 * j + 1, k] = q[j, k + 8]
        put2(t, 3 * j + 2, (FQ_ONE, ZERO))
    fq12_one(f)
    pair = q.reshape(2 * count, 8)
    coordinate = p.reshape(2 * count, 4)
    for i in range(bits.shape[0]):
        fq12_mul(f, f, scratch)
        copy(scratch, f)
        for j in range(count):
            if live[j]:
                px = load(coordinate, 2 * j)
                py = load(coordinate, 2 * j + 1)
                double_step(t, j, px, py, f, scratch)
                if bits[i] != 0:
                    add_step(t, j, get2(pair, 2 * j), get2(pair, 2 * j + 1), px, py, f, scratch)
    for j in range(count):
        if live[j]:
            px = load(coordinate, 2 * j)
            py = load(coordinate, 2 * j + 1)
            x = get2(pair, 2 * j)
            y = get2(pair, 2 * j + 1)
            x1 = fq2_mul((x[0], fq_sub(ZERO, x[1])), get2(table, 2))
            y1 = fq2_mul((y[0], fq_sub(ZERO, y[1])), get2(table, 3))
            add_step(t, j, x1, y1, px, py, f, scratch)
            x2 = fq2_mul(x, get2(table, 8))
            y2 = fq2_sub((ZERO, ZERO), fq2_mul(y, get2(table, 9)))
            add_step(t, j, x2, y2, px, py, f, scratch)


@kernel
def final_exponentiation(f: Vector, out: Vector, table: Vector) -> None:
    """out = f^((q^12 - 1)/r).

    The easy part is (q^6 - 1)(q^2 + 1). The hard part (q^4 - q^2 + 1)/r is
    q^3 + (6x^2 + 1) q^2 - (36x^3 + 18x^2 + 12x - 1) q - (36x^3 + 30x^2 + 18x + 2),
    taken as products of powers of g, a = g^x, b = g^(x^2), c = g^(x^3), inverses being conjugates.
    """
    g = np.empty((6, 8), np.uint64)
    h = np.empty((6, 8), np.uint64)
    a = np.empty((6, 8), np.uint64)
    b = np.empty((6, 8), np.uint64)
    c = np.empty((6, 8), np.uint64)
    fq12_inverse(f, a)
    fq12_conjugate(f, b)
    fq12_mul(a, b, h)
    fq12_frobenius(h, a, 2, table)
    fq12_mul(a, h, g)
    fq12_power(g, X, a)
    fq12_power(a, X, b)
    fq12_power(b, X, c)

    fq12_frobenius(g, out, 3, table)
    # q^2: b^6 g
    fq12_power(b, np.uint64(6), h)
    fq12_mul(h, g, f)
    fq12_frobenius(f, h, 2, table)
    fq12_mul(out, h, f)
    copy(f, out)
    # q: g / (c^36 b^18 a^12) and 1: 1 / (c^36 b^30 a^18 g^2); their common part is (c^6 b^3 a^2)^6
    fq12_power(c, np.uint64(6), h)
    fq12_power(b, np.uint64(3), c)
    fq12_mul(h, c, f)
    fq12_power(a, np.uint64(2), h)
    fq12_mul(h, f, c)
    fq12_power(c, np.uint64(6), h)  # c^36 b^18 a^12
    fq12_conjugate(h, c)
    fq12_mul(c, g, f)
    fq12_frobenius(f, c, 1, table)
    fq12_mul(out, c, f)
    copy(f, out)
    # what the last one has more: b^12 a^6 g^2 = ((b^2 a)^3 g)^2
    fq12_mul(b, b, c)
    fq12_mul(c, a, f)
    fq12_power(f, np.uint64(3), c)
    fq12_mul(c, g, f)
    fq12_mul(f, f, c)
    fq12_mul(c, h, f)
    fq12_conjugate(f, c)
    fq12_mul(out, c, f)
    copy(f, out)


@kernel
def verify_proofs(
    alpha: Vector,
    beta: Vector,
    gamma: Vector,
    delta: Vector,
    ic: Vector,
    a: Vector,
    b: Vector,
    c: Vector,
    public: Any,
    table: Vector,
    bits: Any,
    out: Any,
    start: int,
    stop: int,
) -> None:
    """Where out[i] is true, set it to e(A, B) = e(alpha, beta) e(ic . (1, public), gamma) e(C, delta).

    Points affine Montgomery and checked, public inputs (m, n, 4) canonical below r.
    """
    p = np.empty((4, 8), np.uint64)
    q = np.empty((4, 16), np.uint64)
    f = np.empty((6, 8), np.uint64)
    g = np.empty((6, 8), np.uint64)
    one = np.empty((6, 8), np.uint64)
    sums = np.empty((1, 16), np.uint64)
    fq12_one(one)
    points = ic.reshape(2 * ic.shape[0], 4)
    for i in range(start, stop):
        if not out[i]:
            continue
        total = xyzz_add_affine(infinity(ZERO), load(points, 0), load(points, 1))
        for j in range(public.shape[1]):
            k = (public[i, j, 0], public[i, j, 1], public[i, j, 2], public[i, j, 3])
            x = load(points, 2 * j + 2)
            total = xyzz_add(total, scalar_multiple(x, load(points, 2 * j + 3), k))
        store_point(sums, 0, total)
        to_affine(sums, p, 2, 1, ZERO)
        minus = fq_sub(ZERO, (a[i, 4], a[i, 5], a[i, 6], a[i, 7]))
        for word in range(4):
            p[0, word] = a[i, word]
            p[0, word + 4] = minus[word]
            p[1, word] = alpha[0, word]
            p[1, word + 4] = alpha[0, word + 4]
            p[3, word] = c[i, word]
            p[3, word + 4] = c[i, word + 4]
        for word in range(16):
            q[0, word] = b[i, word]
            q[1, word] = beta[0, word]
            q[2, word] = gamma[0, word]
            q[3, word] = delta[0, word]
        miller(p, q, f, table, bits)
        final_exponentiation(f, g, table)
        same = True
        for row in range(6):
            for word in range(8):
                same = same and g[row, word] == one[row, word]
        out[i] = same
