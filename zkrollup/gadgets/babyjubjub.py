"""BabyJubJub in a circuit: complete Edwards formulas, cheap Montgomery chains, scalar multiplication.

This module must not know signatures. Points are pairs of signals; nothing here is on the curve unless a
docstring says that it is assumed or demanded.

Two forms. Edwards a x^2 + y^2 = 1 + d x^2 y^2 has a complete addition (a is a square, d is not) at six
rows. Montgomery v^2 = u^3 + A u^2 + u, with u = (1 + y) / (1 - y) and v = u / x, has chords and tangents:
three rows an addition, four a doubling, five for 2P + Q; but a chord needs P != Q and P != -Q, or its
slope is 0/0 and a prover may choose it. The identity has no Montgomery coordinates.

Torsion as a guard. The curve is cyclic of order 8 l. Let T2 = (0, -1) be its point of order 2 and
T4 = (1/sqrt(a), 0) one of order 4. Two points whose components in the 8-torsion differ up to sign are
neither equal nor opposite, whatever their scalars; a point with a torsion component is never the
identity. So the chains below carry known torsion points along, which makes every chord distinct and
every result finite for *all* scalars, without a single complete addition; at the end the torsion
point is taken off in Edwards form, where adding T2 or T4 is linear: (x, y) + T2 = (-x, -y) and
(x, y) + T4 = (y / sqrt(a), -sqrt(a) x). In Montgomery form T2 is (0, 0) and P + T2 = (1/u, -v/u^2).

References: H. Hisil, K. K. Wong, G. Carter, E. Dawson, "Twisted Edwards Curves Revisited", 2008;
P. L. Montgomery, "Speeding the Pollard and elliptic curve methods of factorization", 1987 (curve and
chords); K. Eisenträger, K. Lauter, P. L. Montgomery, "Fast elliptic curve arithmetic and improved Weil
pairing evaluation", 2003 (2P + Q without the ordinate of P + Q).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from zkrollup.crypto.tables import BASE8, MODULUS, MONTGOMERY_A, ORDER, A, D
from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets.bits import assert_first_difference, windows
from zkrollup.gadgets.compare import assert_nonzero
from zkrollup.gadgets.curve_tables import (
    Point,
    constant_multiple,
    constant_sum,
    montgomery_coordinates,
    torsion,
)

__all__ = [
    "Edwards",
    "Montgomery",
    "add",
    "add_distinct",
    "add_t4",
    "assert_double",
    "assert_on_curve",
    "curve_residue",
    "cofactor_multiple",
    "double",
    "double_add_distinct",
    "double_from_squares",
    "double_montgomery",
    "multiply",
    "multiply_base8",
    "multiply_base8_plus_t4",
    "multiply_fixed",
    "multiply_plus_t2",
    "negate",
    "subtract_t4",
    "t4_montgomery",
    "to_edwards",
    "to_montgomery",
]

_SCALAR_BITS = MODULUS.bit_length()
_ORDER_BITS = ORDER.bit_length()

# Why denominators are not zero, for the analysis; the proofs are in the docstrings below.
_DISTINCT = "both points are on the curve, neither equal nor opposite (the gadget's assumption)"
_NOT_OPPOSITE = "2p + q is not the identity, and q is not either (the gadget's assumption)"
_SMOOTH = "the curve is smooth: where v = 0 the row of the slope has no solution"


class Edwards(NamedTuple):
    """Twisted Edwards coordinates; the identity is (0, 1)."""

    x: Field
    y: Field


class Montgomery(NamedTuple):
    """Montgomery coordinates; the identity has none."""

    u: Field
    v: Field


# ======================================================================================================
# Edwards form
# ======================================================================================================
def assert_on_curve(cs: ConstraintSystem, p: Edwards) -> None:
    """Demand a x^2 + y^2 = 1 + d x^2 y^2. Assumes: nothing. Rows: 3."""
    xx, yy = p.x.square(), p.y.square()
    (xx * (A - D * yy)).assert_equal(1 - yy, label="point is on BabyJubJub")


def curve_residue(p: Edwards) -> Field:
    """a x^2 + y^2 - 1 - d x^2 y^2, which is 0 exactly on the curve. Assumes: nothing. Rows: 3."""
    xx, yy = p.x.square(), p.y.square()
    return xx * (A - D * yy) + yy - 1


def negate(p: Edwards) -> Edwards:
    """-p. Rows: none."""
    return Edwards(-p.x, p.y)


def add(cs: ConstraintSystem, p: Edwards, q: Edwards) -> Edwards:
    """p + q, in all cases. Assumes: both are on the curve. Rows: 6; 3 when one is a constant."""
    beta, gamma = p.x * q.y, p.y * q.x
    delta = (p.y - A * p.x) * (q.x + q.y)  # = y1 y2 - a x1 x2 - a beta + gamma
    cross = D * (beta * gamma)
    x = _quotient(cs, beta + gamma, 1 + cross, "complete addition")
    y = _quotient(cs, delta + A * beta - gamma, 1 - cross, "complete addition")
    return Edwards(x, y)


def double(cs: ConstraintSystem, p: Edwards) -> Edwards:
    """2 p, in all cases. Assumes: p is on the curve. Rows: 5."""
    return double_from_squares(cs, p, p.x.square(), p.y.square())


def double_from_squares(cs: ConstraintSystem, p: Edwards, xx: Field, yy: Field) -> Edwards:
    """2 p, in all cases, where x^2 and y^2 are known. Assumes: p is on the curve. Rows: 3."""
    axx = A * xx
    complete = "p is on the curve: this is 1 +- d x^2 y^2, and neither d nor -d is a square"
    x = _quotient(cs, 2 * (p.x * p.y), axx + yy, "complete doubling", complete)
    y = _quotient(cs, yy - axx, 2 - axx - yy, "complete doubling", complete)
    return Edwards(x, y)


def assert_double(cs: ConstraintSystem, p: Edwards, twice: Edwards, label: str) -> None:
    """Demand twice = 2 p, in all cases. Assumes: p is on the curve. Rows: 5."""
    axx, yy = A * p.x.square(), p.y.square()
    cs.enforce(axx + yy, twice.x, 2 * (p.x * p.y), label=f"{label} (x)")
    cs.enforce(2 - axx - yy, twice.y, yy - axx, label=f"{label} (y)")


def add_t4(p: Edwards) -> Edwards:
    """p + T4. Assumes: p is on the curve. Rows: none."""
    x4 = torsion(4)[0]
    return Edwards(x4 * p.y, -A * x4 * p.x)


def subtract_t4(p: Edwards) -> Edwards:
    """p - T4. Assumes: p is on the curve. Rows: none."""
    x4 = torsion(4)[0]
    return Edwards(-x4 * p.y, A * x4 * p.x)


# ======================================================================================================
# Montgomery form
# ======================================================================================================
def to_montgomery(cs: ConstraintSystem, p: Edwards) -> Montgomery:
    """The Montgomery coordinates of p.

    Assumes: p is on the curve and neither the identity (then no witness satisfies the rows) nor T2 (then
    v is free). Rows: 2.
    """
    u = _quotient(cs, 1 + p.y, 1 - p.y, "to Montgomery form")
    return Montgomery(
        u, _quotient(cs, u, p.x, "to Montgomery form", "the point is on the curve, not the identity, not T2")
    )


def to_edwards(cs: ConstraintSystem, p: Montgomery) -> Edwards:
    """The Edwards coordinates of p.

    Assumes: p is on the curve and not T2 (then x is free). No point has u = -1, and v = 0 only at T2.
    Rows: 2.
    """
    x = _quotient(cs, p.u, p.v, "to Edwards form", "the point is not T2, and v = 0 only there")
    return Edwards(x, _quotient(cs, p.u - 1, p.u + 1, "to Edwards form"))


def add_distinct(cs: ConstraintSystem, p: Montgomery, q: Montgomery) -> Montgomery:
    """p + q by the chord. Assumes: both are on the curve, p != q and p != -q. Rows: 3."""
    slope = _quotient(cs, q.v - p.v, q.u - p.u, "chord", _DISTINCT)
    u = cs.materialise(slope.square() - MONTGOMERY_A - p.u - q.u)
    return Montgomery(u, cs.materialise(slope * (p.u - u) - p.v))


def t4_montgomery(cs: ConstraintSystem) -> Montgomery:
    """The constant T4: where a chain of chords may start that adds points without torsion. Rows: none."""
    u, v = montgomery_coordinates(torsion(4))
    return Montgomery(cs.constant(u), cs.constant(v))


def double_montgomery(cs: ConstraintSystem, p: Montgomery) -> Montgomery:
    """2 p by the tangent.

    Assumes: p is on the curve. No witness satisfies the rows at v = 0, that is at T2: the curve is smooth,
    so 3 u^2 + 2 A u + 1 is not zero there. Rows: 4; 3 where u^2 is a wire already.
    """
    return _tangent(cs, p, p.u.square())


def double_add_distinct(cs: ConstraintSystem, p: Montgomery, q: Montgomery) -> Montgomery:
    """2p + q as (p + q) + p by two chords, the ordinate of p + q left out.

    Assumes: both are on the curve, p != q, p != -q, and 2p + q is not the identity. (q is not the
    identity, so p + q != p; 2p + q != identity means p + q != -p.) Rows: 5.

    The second chord has the slope ``s - first`` with ``s = 2 v_p / (u_p - u_(p+q))``.
    """
    first = _quotient(cs, q.v - p.v, q.u - p.u, "chord", _DISTINCT)
    middle = cs.materialise(first.square() - MONTGOMERY_A - p.u - q.u)
    second = _quotient(cs, 2 * p.v, p.u - middle, "chord", _NOT_OPPOSITE) - first
    u = cs.materialise(second.square() - MONTGOMERY_A - p.u - middle)
    return Montgomery(u, cs.materialise(second * (p.u - u) - p.v))


def cofactor_multiple(cs: ConstraintSystem, p: Edwards) -> Montgomery:
    """8 p, and the demand that p is on the curve and 8 p is not the identity.

    Theorem: the result is 8 p, of order l. Assumes: nothing. Rows: 16.

    Complete for every p with 8 p != identity: p is neither the identity nor T2, and the doublings meet
    p, 2 p and 4 p, none of order 2. Sound: the rows put (u, v) on the Montgomery curve. If u != 0 then
    v x = u gives v != 0, and (x, y) is the Edwards point of (u, v), on its curve. If u = 0 then v = 0, and
    the first tangent has no slope. Points of order 2, 4, 8 reach T2, where a doubling has no slope.
    """
    u = _quotient(cs, 1 + p.y, 1 - p.y, "key to Montgomery form")
    v = _quotient(cs, u, p.x, "key to Montgomery form", "x = 0 makes u = 0, then v = 0: no tangent there")
    uu = cs.materialise(u.square())
    (u * (uu + MONTGOMERY_A * u + 1)).assert_equal(cs.materialise(v.square()), label="key is on BabyJubJub")
    p2 = _tangent(cs, Montgomery(u, v), uu)
    return double_montgomery(cs, double_montgomery(cs, p2))


def _tangent(cs: ConstraintSystem, p: Montgomery, uu: Field) -> Montgomery:
    slope = _quotient(cs, 3 * uu + 2 * MONTGOMERY_A * p.u + 1, 2 * p.v, "tangent", _SMOOTH)
    u = cs.materialise(slope.square() - MONTGOMERY_A - 2 * p.u)
    return Montgomery(u, cs.materialise(slope * (p.u - u) - p.v))


def _quotient(
    cs: ConstraintSystem, numerator: Field, denominator: Field, label: str, reason: str = ""
) -> Field:
    """The q with q * denominator = numerator; free where both vanish, which callers exclude. Rows: 1.

    ``reason``: why the denominator is not zero, where the rows around do not say it at sight.
    """
    q = cs.hint_divide_or_zero(numerator, denominator)
    cs.enforce(denominator, q, numerator, label=label)
    if reason:
        cs.claim_nonzero(denominator, reason=reason)
    return q


# ======================================================================================================
# Fixed base
# ======================================================================================================
def multiply_base8(cs: ConstraintSystem, bits: Sequence[Bool]) -> Edwards:
    """S * BASE8 for S = sum(bits[i] * 2**i), in all cases. Rows: 2 more than multiply_base8_plus_t4."""
    return multiply_fixed(cs, BASE8, bits)


def multiply_fixed(cs: ConstraintSystem, base: Point, bits: Sequence[Bool]) -> Edwards:
    """S * base for a constant point and S = sum(bits[i] * 2**i), in all cases.

    Ranges: 1 to 253 bits; base of order l (``ValueError`` otherwise). Assumes: each bit is 0 or 1. Rows: 2
    more than :func:`multiply_base8_plus_t4`, 418 for 251 bits.
    """
    return subtract_t4(to_edwards(cs, _multiply_fixed_plus_t4(cs, base, bits)))


def multiply_base8_plus_t4(cs: ConstraintSystem, bits: Sequence[Bool]) -> Montgomery:
    """S * BASE8 + T4 for S = sum(bits[i] * 2**i); a point of the curve with v != 0.

    Ranges: 1 to 253 bits. Assumes: each bit is 0 or 1. Rows: 1 for the top two bits and 5 for each three
    below them; 416 for 251 bits.

    The window of bits 3i .. 3i+2, worth w, contributes (2 w - 7) H with H = (8^i / 2) BASE8: one of eight
    points that come in opposite pairs, and none the identity. In signs s = 2 bit - 1 the factor 2 w - 7
    is 4 s2 + 2 s1 + s0. Abscissas do not change when all signs do, so that
    u = c0 + c1 s0 s1 + c2 s0 s2 + c3 s1 s2, which is one square, k (s0 + (c3/c2) s1 + (c3/c1) s2)^2, plus
    a constant. Ordinates change sign, so v is a combination of s0, s1, s2 and s0 s1 s2, and s0 u is one
    with coefficient c3 at the latter: one product more. Three rows add. The top two bits choose among
    four arbitrary points, which include T4 and take back what the windows add too much.

    The sum so far always has the torsion component T4, the windows' points have none: chords are
    distinct and no sum is the identity, whatever the scalar.
    """
    return _multiply_fixed_plus_t4(cs, BASE8, bits)


def _multiply_fixed_plus_t4(cs: ConstraintSystem, base: Point, bits: Sequence[Bool]) -> Montgomery:
    if not 1 <= len(bits) <= 253:
        raise ValueError(f"a scalar of {len(bits)} bits: expected 1 to 253")
    if not _has_prime_order(base):
        raise ValueError(f"base {base}: expected a point of BabyJubJub of order l")
    padded = [*bits, *[cs.constant_bool(False)] * ((2 - len(bits)) % 3)]
    windows_below = len(padded) // 3
    low, high = padded[-2:]
    both = low & high
    total = Montgomery(
        *(
            cs.linear([(low, c[1] - c[0]), (high, c[2] - c[0]), (both, c[3] - c[2] - c[1] + c[0])], c[0])
            for c in _top_table(base, windows_below)
        )
    )
    for i, table in enumerate(_window_tables(base, windows_below)):
        s0, s1, s2 = (cs.linear([(bit, 2)], -1) for bit in padded[3 * i : 3 * i + 3])
        square = cs.linear([(s0, 1), (s1, table.u1), (s2, table.u2)]).square()
        u = cs.linear([(square, table.u_scale)], table.u_constant)
        v = cs.linear([(s0 * u, table.v_scale), (s0, table.v0), (s1, table.v1), (s2, table.v2)])
        total = add_distinct(cs, total, Montgomery(u, v))
    return total


class _Window(NamedTuple):
    """u = u_constant + u_scale (s0 + u1 s1 + u2 s2)^2; v = v_scale s0 u + v0 s0 + v1 s1 + v2 s2."""

    u1: int
    u2: int
    u_scale: int
    u_constant: int
    v_scale: int
    v0: int
    v1: int
    v2: int


@cache
def _has_prime_order(p: Point) -> bool:
    x, y = p
    on_curve = (
        0 <= x < MODULUS and 0 <= y < MODULUS and not (A * x * x + y * y - 1 - D * x * x * y * y) % MODULUS
    )
    return on_curve and p != (0, 1) and constant_multiple(p, ORDER) == (0, 1)


@cache
def _window_tables(base: Point, count: int) -> tuple[_Window, ...]:
    tables = []
    base = constant_multiple(base, (ORDER + 1) // 2)
    for _ in range(count):
        twice = constant_sum(base, base)
        odd = [base]
        for _ in range(3):
            odd.append(constant_sum(odd[-1], twice))
        tables.append(_window(*zip(*map(montgomery_coordinates, odd), strict=True)))
        base = constant_multiple(base, 8)
    return tuple(tables)


def _window(us: Sequence[int], vs: Sequence[int]) -> _Window:
    """From the coordinates of H, 3H, 5H, 7H."""
    r, quarter = MODULUS, pow(4, -1, MODULUS)
    # Magnitude 4 s2 + 2 s1 + s0 at s2 = 1: (s0, s1) = (-,-) is 1, (+,-) is 3, (-,+) is 5, (+,+) is 7.
    u1, u3, u5, u7 = us
    c0 = (u1 + u3 + u5 + u7) * quarter % r
    c1 = (u1 - u3 - u5 + u7) * quarter % r  # s0 s1
    c2 = (-u1 + u3 - u5 + u7) * quarter % r  # s0 s2
    c3 = (-u1 - u3 + u5 + u7) * quarter % r  # s1 s2
    v1, v3, v5, v7 = vs
    d0 = (-v1 + v3 - v5 + v7) * quarter % r  # s0
    d1 = (-v1 - v3 + v5 + v7) * quarter % r  # s1
    d2 = (v1 + v3 + v5 + v7) * quarter % r  # s2
    d3 = (v1 - v3 - v5 + v7) * quarter % r  # s0 s1 s2
    if not c1 * c2 * c3 % r:
        raise AssertionError("a window's abscissas have no single square")
    b1, b2 = c3 * pow(c2, -1, r) % r, c3 * pow(c1, -1, r) % r
    k = c1 * c2 * pow(2 * c3, -1, r) % r
    e = d3 * pow(c3, -1, r) % r
    return _Window(
        u1=b1,
        u2=b2,
        u_scale=k,
        u_constant=(c0 - k * (1 + b1 * b1 + b2 * b2)) % r,
        v_scale=e,
        v0=(d0 - e * c0) % r,
        v1=(d1 - e * c1) % r,
        v2=(d2 - e * c2) % r,
    )


@cache
def _top_table(base: Point, windows_below: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Abscissas and ordinates of k 8^n B + (8^n - 1)/2 B + T4 for k = 0 .. 3, n windows below."""
    n = 8**windows_below
    scalars = ((k * n + (n - 1) * (ORDER + 1) // 2) % ORDER for k in range(4))
    points = [constant_sum(constant_multiple(base, scalar), torsion(4)) for scalar in scalars]
    us, vs = zip(*map(montgomery_coordinates, points), strict=True)
    return us, vs


# ======================================================================================================
# Variable base
# ======================================================================================================
def multiply(cs: ConstraintSystem, p: Montgomery, scalar: Field) -> Edwards:
    """h * p for the canonical value h of ``scalar``, in all cases.

    Assumes: p has order l. Rows: 5 more than :func:`multiply_plus_t2`.
    """
    # T4 once more, since T2 itself (h * p the identity) has no Edwards coordinates by to_edwards.
    shifted = add_distinct(cs, multiply_plus_t2(cs, p, scalar), t4_montgomery(cs))
    q = subtract_t4(to_edwards(cs, shifted))
    return Edwards(-q.x, -q.y)


def multiply_plus_t2(cs: ConstraintSystem, p: Montgomery, scalar: Field) -> Montgomery:
    """h * p + T2 for the canonical value h of ``scalar``, 0 <= h < r, in all cases; never the identity.

    Assumes: p is a point of order l. Rows: 1586.

    *Digits.* Let b_0 .. b_253 be the bits of h, X_j = h >> j, and s_j = 2 b_j - 1. From m = 1, the
    step m -> 2m + s_j over j = 253, 252, ... leads to m = 2 X_j + 1. The digit s_j enters as the wire
    z_j = s_j v for an ordinate v != 0: the row z_j^2 = v^2 allows the two values v and -v and no
    other, which makes the digit a sign and gives the ordinate of Q = s_j p at once, in one row. What is
    linear in the bits is linear in the z_j / v, so demands on the bits are stated times v.

    *Chords.* The chain holds P = m p + t, t in {0, T2}. A step computes 2 P + Q with Q = s_j p + q where
    q = T2 if t = 0 and q = 0 if t = T2; the next t is q. Since t != q, P and Q differ in their torsion and
    so do P and -Q: P != Q, P != -Q, also while leading zeros keep m at 1. The other thing that a step
    needs is that 2 P + Q is not the identity. Down to j = 4 it is (2 X_j + 1) p + q with
    0 < 2 X_j + 1 <= 2 X_4 + 1 <= (r - 1) / 8 + 1 < l, since 8 l exceeds r, so it is not. Thus 250 steps
    give P = (2 X_4 + 1) p. (That h < r is demanded below; a witness with other digits fails there.)

    *The end.* Near the end 2 X_j + 1 may pass l, so the last four bits go elsewhere. Three doublings
    give 8 P = (16 X_4 + 8) p, finite at each since P has order l. A chain of its own from s_3 p, by two steps
    with the digits s_2 and s_1, gives e p with e = 4 s_3 + 2 s_2 + s_1 odd and |e| <= 7: as above, and never
    the identity. To it the point T2 (b_0 = 1) or -p + T2 (b_0 = 0) is added; it has another torsion
    component, so the chord is distinct. The sum is (h mod 16 - 8) p + T2, since
    e = 2 (h mod 16 >> 1) - 7. A last chord adds 8 P, which has no torsion component, and gives
    h p + T2: no identity there either, and no multiple of l has mattered.

    *Canonical.* The bits recompose h modulo r, and to a number below r: by :func:`assert_first_difference`
    on the prefixes (r >> s) - X_s. Digits of the two kinds have different ordinates, so a prefix costs one
    row that brings them to one scale.
    """
    r = MODULUS
    u, v = p
    inverse = assert_nonzero(cs, u, label="abscissa of the base is not zero")
    ratio = cs.materialise(-inverse.square())  # ordinate of p + T2 over that of p
    w = cs.materialise(ratio * v)
    plain, guarded = p, Montgomery(inverse, w)
    squares = {False: cs.materialise(v.square()), True: cs.materialise(w.square())}

    def is_guarded(j: int) -> bool:
        """Whether digit j comes with T2."""
        return j % 2 == 1 if j > 3 else j == 2

    # What remains of h below bit j, in scratch values, one less-than a bit.
    rest: list[Field] = [cs.constant(0)] * (_SCALAR_BITS + 1)
    rest[_SCALAR_BITS] = scalar
    digits: list[Field] = [cs.constant(0)] * _SCALAR_BITS
    with cs.scope("digits"):
        for j in reversed(range(_SCALAR_BITS)):
            clear = cs.scratch_less_than(rest[j + 1], 1 << j)
            rest[j] = cs.linear([(rest[j + 1], 1), (clear, 1 << j)], -(1 << j))
            if j == 0:
                last = cs.assert_bool(cs.hint_value(1 - clear), label="last bit")
                continue
            z = cs.hint_value(cs.scratch_product(1 - 2 * clear, w if is_guarded(j) else v))
            cs.enforce(z, z, squares[is_guarded(j)], label="digit is plus or minus one")
            digits[j] = z
        minus = Montgomery(cs.materialise(~last * inverse), cs.materialise(~last * -w))

    with cs.scope("canonical"):
        width, shifts = windows(_SCALAR_BITS, r, rows_per_window=2)
        scaled: list[Field] = []
        guarded_sum: Field = cs.constant(0)
        plain_sum: Field = cs.constant(0)
        end = _SCALAR_BITS
        for s in shifts:
            low = max(s, 1)
            for kind in (False, True):
                terms = [(digits[j], 1 << (j - s)) for j in range(low, end) if is_guarded(j) is kind]
                before = guarded_sum if kind else plain_sum
                after = cs.linear([(before, 1 << (end - s)), *terms])
                if kind:
                    guarded_sum = after
                else:
                    plain_sum = after
            end = s
            # 2 w X_s = w (sum of 2^(j-s) over the digits) + guarded + ratio * plain  [+ 2 w b_0]
            known = (1 << (_SCALAR_BITS - s)) - (1 << (low - s))
            twice = [(w, known), (guarded_sum, 1), (ratio * plain_sum, 1)]
            if s == 0:
                twice += [(w, 2), (minus.v, 2)]
                (w * (2 * scalar)).assert_equal(cs.linear(twice), label="digits recompose the scalar")
            scaled.append(cs.linear([(w, 2 * (r >> s)), *((f, -k) for f, k in twice)]))
        values = []
        for s in shifts:  # (r >> s) - (h >> s)
            unit = pow(1 << s, -1, r)
            values.append(cs.linear([(scalar, -unit), (rest[s], unit)], r >> s))
        assert_first_difference(cs, scaled, values, width, "scalar is canonical", scale=2 * w)
        cs.claim_determined(
            [*digits[1:], last],
            by=[scalar, u, v],
            reason="v and w are not zero: digits are signs, and recompose the scalar to a number below r",
        )

    with cs.scope("chain"):
        total = plain
        for j in reversed(range(4, _SCALAR_BITS)):
            point = guarded if is_guarded(j) else plain
            total = double_add_distinct(cs, total, Montgomery(point.u, digits[j]))
        for _ in range(3):
            total = double_montgomery(cs, total)
    with cs.scope("last bits"):
        end_point = Montgomery(plain.u, digits[3])
        for j in (2, 1):
            point = guarded if is_guarded(j) else plain
            end_point = double_add_distinct(cs, end_point, Montgomery(point.u, digits[j]))
        return add_distinct(cs, total, add_distinct(cs, end_point, minus))
