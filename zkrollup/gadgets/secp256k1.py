"""Multiples of points of secp256k1, of its generator, of any point, and sums of both.

This module must not know what points and scalars are for. Curves ``y^2 = x^3 + b`` of prime order with an
endomorphism are all treated alike; tests take a small one.

The relation. No multiple is computed: the prover names the result R and integers that make R's own equation
short. Let n be the order, w act on points as ``(x, y) -> (beta x, y)``, which multiplies by ``root``. For any
u there are a = a_1 + a_2 w and v = v_1 + v_2 w with ``a + v u = 0 (mod n)``, four numbers of a quarter of n's
bits (:mod:`zkrollup.gadgets.eisenstein`). The circuit demands

    v R + a Q + k G = O                                                                         (1)
    a + v u = 0,  k + v t = 0  (mod n)                                                          (2)

for R = u Q + t G, with k of n's bits and absent without t. Since v is not 0 modulo n (below), (1) and (2) say
R = -(a/v) Q - (k/v) G = u Q + t G. So 66 doublings do for secp256k1 instead of 256, or 128 with the
endomorphism alone. (The endomorphism: Gallant, Lambert, Vanstone, CRYPTO 2001; a short relation in place of
a scalar: A. Antipa et al., "Accelerated verification of ECDSA signatures", SAC 2005.)

Digits. P and S are R and Q, or Q and R where the prover says so (``swapped``). The numbers of P and S,

    p_1 = sum d_i 2^i,  p_2 = sum d_i b_i 2^i,  s_1 = sum d_i b'_i 2^i,  s_2 = sum d_i b''_i 2^i,   i < m,

share the signs d_i = +-1, b_i being 0 or 1 (A. Faz-Hernandez, P. Longa, A. Sanchez, "Efficient and secure
algorithms for GLV-based scalar multiplication", 2015). So every column of digits names one of 8 points
``P + b wP + b' S + b'' wS`` and a sign, and none is infinity.

Complete: the four numbers are not all even, so P can be the point with one that is odd, and multiplication of
all by w or w^2 makes that the first. With the signs of an odd p_1, sums of the d_i 2^i reach every integer
from ``-(2^m - 1 - p_1)/2`` to ``(2^m - 1 + p_1)/2``, once each: enough when 3 (8 n / 3)^(1/4) < 2^m.

v is not 0 modulo n: p_1 is odd, so (p_1, p_2) is not (0, 0), and ``p_1 + p_2 root = 0 (mod n)`` would make
n divide the norm p_1^2 - p_1 p_2 + p_2^2, which is positive and below 3 4^m < n. Hence the pair of P is not
0. If that is v's, there it is; if it is a's, v = 0 would give a = 0 by (2).

The multiple of G. k is a sum of odd digits d_i times 2^(8 i), |d_i| < 2^8: an odd number, which each class
modulo n has between -n and n. The points d_i 2^(8 i) G are constants, chosen and added. The first needs no
addition, since the sum starts with ``d_0 2^-m G``; nor does the last, taken from what the sum must end with.

Exceptional cases. The sum starts at a constant point H that nobody knows a multiple of, besides that digit,
and (1) is shown as "the sum is 2^m H". Each step is ``2 A + T = A + (A + T)``. Slopes are named by the prover
and bound by ``slope (x - x') = y - y'``, so they are free only where a point is added to itself:

- A + T: the x of both are shown to be apart (:meth:`EmulatedField.assert_apart`), as in every other sum;
- A + (A + T): ``slope' (x_(A+T) - x_A) = -2 y_A``, where y_A is not 0 as the order is odd: with the same x
  nothing fits.

So an exceptional case has no witness: never a forged one. **Assumed for completeness**: no partial sum
meets a point of the table. Whoever knows a multiple of H, or makes R one of the six points ``w^i Q`` and
``-w^i Q``, can build such a case; a hashed message or an honest key meets one with probability about
2^-240. Also the results u Q = O and u Q + t G = O have no witness, since R has coordinates.

Rows. y is never reduced: it stays a sum of products (:class:`Wide`), as does the x of A + T. A step takes
three elements: the slope to A + T, the sum of both slopes, and x; an addition takes a slope and x. Designs
were compared by 352 rows an element and 79 a further identity:

- 256 doublings and 128 additions in windows of 4 bits, for u Q + t G: about 360,000 rows;
- the endomorphism, 128 steps with columns of two digits, and 30 additions of constants: about 200,000;
- the relation, 66 steps with columns of four digits, and 30 additions of constants: 122,000, taken here.

A step has 1,327 rows: 768 for the ranges of its elements, 327 for quotients and carries, 104 for products,
125 to choose T, 3 to keep it apart from A. An addition of a constant has 870, of which 120 choose among 128.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zkrollup.cs import Bool, ConstraintSystem, Field
from zkrollup.gadgets import eisenstein
from zkrollup.gadgets.bits import from_bits
from zkrollup.gadgets.emulated import Element, EmulatedField, Operand, Wide
from zkrollup.gadgets.endomorphism import SECP256K1, WINDOW_BITS, EndomorphicCurve, Point
from zkrollup.gadgets.select import one_hot_bits
from zkrollup.gadgets.weierstrass import EmulatedCurve, EmulatedPoint, assert_on_curve

__all__ = [
    "Solved",
    "assert_relation",
    "coordinates",
    "multiply",
    "multiply_generator",
    "multiply_two",
    "scalars",
]


def coordinates(curve: EndomorphicCurve = SECP256K1) -> EmulatedField:
    """The field of the coordinates."""
    return EmulatedField(curve.p, curve.limb_bits)


def scalars(curve: EndomorphicCurve = SECP256K1) -> EmulatedField:
    """The integers modulo the order."""
    return EmulatedField(curve.order, curve.limb_bits)


# -- the public gadgets ------------------------------------------------------------------------------------


def multiply_generator(
    cs: ConstraintSystem, scalar: Element, curve: EndomorphicCurve = SECP256K1
) -> EmulatedPoint:
    """``scalar G``. Demands that the scalar is not 0 modulo n: infinity has no coordinates.

    Ranges: an element of ``scalars(curve)``, not necessarily below n. Assumes: nothing. Rows: 27,996.
    """
    scalars(curve)._own(scalar)
    with cs.scope("digits"):
        windows, k = _windows(cs, curve, [scalar], lambda u: u)
        scalars(curve).assert_zero(cs, (), [(1, k), (-1, scalar)], label="the digits are the scalar's")
    # H comes in with the first window and goes with the last.
    x, y = curve.start
    with cs.scope("window 0"):
        point = _constant_point(cs, curve, windows[0], curve.signed_window(0, (x, y)))
    total: Sum = (point.x, point.y)
    last = len(windows) - 1
    for i, window in enumerate(windows[1:], 1):
        with cs.scope(f"window {i}"):
            if i == last:
                entry = _constant_point(cs, curve, window, curve.signed_window(i, (x, -y % curve.p)))
                total = _add(cs, coordinates(curve), total, (entry.x, entry.y))
            else:
                total = _add(
                    cs, coordinates(curve), total, _signed_entry(cs, curve, window, curve.windows[i])
                )
    return EmulatedPoint(total[0], coordinates(curve).reduced(cs, (), [(1, total[1])]))


def multiply(
    cs: ConstraintSystem, scalar: Element, point: EmulatedPoint, curve: EndomorphicCurve = SECP256K1
) -> EmulatedPoint:
    """``scalar point``. Demands that it is not infinity.

    Ranges: an element of ``scalars(curve)``, not necessarily below n. **Assumes: the point is on the
    curve** (:func:`zkrollup.gadgets.weierstrass.assert_on_curve`). No witness for scalars of +-1, +-root and
    +-root^2: see the head of this file. Rows: 94,970.
    """
    n, modulo_n = curve.order, scalars(curve)
    modulo_n._own(scalar)

    def solve(u: int, x: int, y: int) -> Solved:
        return Solved(curve.multiply(u % n, (x, y)), u, None)

    result, v, a, _ = assert_relation(cs, point, [scalar, point.x, point.y], solve, False, curve)
    modulo_n.assert_zero(cs, [(1, v, scalar)], [(1, a)], label="the relation is the scalar's")
    return result


def multiply_two(
    cs: ConstraintSystem,
    scalar: Element,
    of_generator: Element,
    point: EmulatedPoint,
    curve: EndomorphicCurve = SECP256K1,
) -> EmulatedPoint:
    """``scalar point + of_generator G``. Demands that it is not infinity. Ranges and assumptions as
    :func:`multiply`. Rows: 122,055."""
    n, modulo_n = curve.order, scalars(curve)
    modulo_n._own(scalar, of_generator)

    def solve(u: int, t: int, x: int, y: int) -> Solved:
        total = curve.add(curve.multiply(u % n, (x, y)), curve.multiply(t % n, curve.generator))
        return Solved(total, u, t)

    operands = [scalar, of_generator, point.x, point.y]
    result, v, a, k = assert_relation(cs, point, operands, solve, True, curve)
    assert k is not None
    modulo_n.assert_zero(cs, [(1, v, scalar)], [(1, a)], label="the relation is the point's scalar's")
    modulo_n.assert_zero(
        cs, [(1, v, of_generator)], [(1, k)], label="the relation is the generator's scalar's"
    )
    return result


# -- the relation ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Solved:
    """What a prover knows: R (None where there is none) = u Q + t G."""

    result: Point | None
    u: int
    t: int | None


def assert_relation(
    cs: ConstraintSystem,
    point: EmulatedPoint,
    operands: Sequence[Element],
    solve: Callable[..., Solved],
    with_generator: bool,
    curve: EndomorphicCurve = SECP256K1,
) -> tuple[EmulatedPoint, Wide, Wide, Wide | None]:
    """``(R, v, a, k)`` with ``v R + a Q + k G = O`` for the point Q, R on the curve, v and a not both 0
    modulo n.

    ``solve(*values of the operands)`` tells the prover what R is to be. Nothing here binds v, a, k to
    scalars: the caller does, so that v = 0 would make a = 0. k is None without the generator.
    Assumes: Q on the curve.
    """
    f, m = coordinates(curve), curve.num_steps
    with cs.scope("relation"):
        r, swapped, signs, digits, windows, k = _hinted_relation(cs, operands, solve, with_generator, curve)
    with cs.scope("result"):
        assert_on_curve(cs, EmulatedCurve(coordinates(curve), 0, curve.b), r)
        first, second = _swap(cs, f, swapped, r, point)
    with cs.scope("scalars"):
        pairs = _pairs(cs, curve, signs, digits)
        v, a = _swap_columns(cs, curve, swapped, *pairs)
    with cs.scope("table"):
        table = _Table.of(cs, curve, first, second)
    start = EmulatedPoint(*(f.constant(cs, c) for c in curve.start))
    if windows:
        with cs.scope("window 0"):
            start = _constant_point(cs, curve, windows[0], curve.starts)
    total: Sum = (start.x, start.y)
    for i in reversed(range(m)):
        with cs.scope(f"step {i}"):
            entry = table.entry(cs, f, signs[i], [row[i] for row in digits])
            total = _double_add(cs, f, total, entry)
    last = len(windows) - 1
    for i, window in enumerate(windows[1:-1], 1):
        with cs.scope(f"window {i}"):
            total = _add(cs, f, total, _signed_entry(cs, curve, window, curve.windows[i]))
    with cs.scope("end"):
        end = curve.end
        if windows:
            points = curve.signed_window(last, end, negated=True)
            goal = _constant_point(cs, curve, windows[last], points, materialised=False)
        else:
            goal = EmulatedPoint(f.constant(cs, end[0]), f.constant(cs, end[1]))
        f.assert_zero(cs, (), [(1, total[0]), (-1, goal.x)], label="the sum ends where it must, x")
        f.assert_zero(cs, (), [(1, total[1]), (-1, goal.y)], label="the sum ends where it must, y")
    return r, v, a, k


def _hinted_relation(
    cs: ConstraintSystem,
    operands: Sequence[Element],
    solve: Callable[..., Solved],
    with_generator: bool,
    curve: EndomorphicCurve,
) -> tuple[EmulatedPoint, Bool, list[Bool], list[list[Bool]], list[Window], Wide | None]:
    """R, whether Q comes first, the signs, the digits of the other three numbers, those of k, and k."""
    f, n, m = coordinates(curve), curve.order, curve.num_steps

    def answer(*values: int) -> list[int]:
        known = solve(*_integers(operands, values))
        x, y = known.result or (0, 0)
        a, v = eisenstein.short_relation(n, curve.root, known.u % n)
        swapped = not (v[0] & 1 or v[1] & 1)
        odd = a if swapped else v
        for turn in ((1, 0), (0, 1), (-1, -1)):
            if eisenstein.multiply(turn, odd)[0] & 1:
                a, v = eisenstein.multiply(turn, a), eisenstein.multiply(turn, v)
                break
        (p1, p2), (s1, s2) = (a, v) if swapped else (v, a)
        chosen = (p1 + (1 << m) - 1) // 2
        signs = [chosen >> i & 1 for i in range(m)]
        digits = [_digits(number, signs) for number in (p2, s1, s2)]
        out = [*f.limbs_of(x), *f.limbs_of(y), int(swapped), *signs, *(d for row in digits for d in row)]
        if known.t is not None:
            out += _window_digits(curve, -(v[0] + v[1] * curve.root) * known.t)
        return out

    count = 2 * f.num_limbs + 1 + 4 * m + (curve.num_windows * WINDOW_BITS if with_generator else 0)
    hinted = cs.hint_python(answer, [limb for x in operands for limb in x.limbs], count)
    x, y = (f.from_limbs(cs, hinted[i * f.num_limbs : (i + 1) * f.num_limbs]) for i in (0, 1))
    bits = [cs.assert_bool(bit) for bit in hinted[2 * f.num_limbs :]]
    swapped, signs = bits[0], bits[1 : 1 + m]
    digits = [bits[1 + i * m : 1 + (i + 1) * m] for i in (1, 2, 3)]
    windows = _cut(cs, bits[1 + 4 * m :])
    k = _window_sum(cs, curve, windows) if with_generator else None
    return EmulatedPoint(x, y), swapped, signs, digits, windows, k


def _integers(operands: Sequence[Element], values: Sequence[int]) -> list[int]:
    """For hints: the integers of elements whose limbs come one after the other."""
    out, at = [], 0
    for x in operands:
        out.append(x.over._integer(values[at : at + len(x.limbs)], x.ranges))
        at += len(x.limbs)
    return out


def _digits(number: int, signs: Sequence[int]) -> list[int]:
    """Which of the +-2^i add up to the number."""
    out = []
    for sign in signs:
        out.append(number & 1)
        number = (number - out[-1] * (2 * sign - 1)) // 2
    return out


def _pairs(
    cs: ConstraintSystem, curve: EndomorphicCurve, signs: Sequence[Bool], digits: Sequence[Sequence[Bool]]
) -> list[tuple[Wide, Wide]]:
    """The numbers of both points: ``(p_1, p_2)`` and ``(s_1, s_2)``."""
    numbers = [_sum_of_signed(cs, curve, [(cs.linear([(s, 2)], -1), 1) for s in signs])]
    for row in digits:
        signed = [cs.linear([(b & s, 2), (b, -1)]) for b, s in zip(row, signs, strict=True)]
        numbers.append(_sum_of_signed(cs, curve, [(x, 1) for x in signed]))
    return [(numbers[0], numbers[1]), (numbers[2], numbers[3])]


def _sum_of_signed(
    cs: ConstraintSystem, curve: EndomorphicCurve, digits: Sequence[tuple[Field, int]], bits: int = 1
) -> Wide:
    """``sum digits[i] 2^(bits i)``, each of the absolute value that stands with it at most. No row."""
    w = curve.limb_bits
    parts: list[list[tuple[Field, int]]] = []
    bounds: list[int] = []
    for i, (digit, bound) in enumerate(digits):
        column, shift = divmod(bits * i, w)
        if column == len(parts):
            parts.append([])
            bounds.append(0)
        parts[column].append((digit, 1 << shift))
        bounds[column] += bound << shift
    columns = tuple(cs.linear(part) for part in parts)
    return Wide(scalars(curve), columns, tuple((-bound, bound) for bound in bounds))


def _swap_columns(
    cs: ConstraintSystem,
    curve: EndomorphicCurve,
    swapped: Bool,
    first: tuple[Wide, Wide],
    second: tuple[Wide, Wide],
) -> tuple[Wide, Wide]:
    """``(v, a)``: the numbers of both points, turned back, each ``z_1 + z_2 root``."""
    modulo_n = scalars(curve)
    chosen: list[list[Wide]] = [[], []]
    for one, other in zip(first, second, strict=True):
        moved = [swapped * (y - x) for x, y in zip(one.columns, other.columns, strict=True)]
        ranges = tuple(
            (min(x[0], y[0]), max(x[1], y[1])) for x, y in zip(one.ranges, other.ranges, strict=True)
        )
        turned = [x + z for x, z in zip(one.columns, moved, strict=True)]
        back = [y - z for y, z in zip(other.columns, moved, strict=True)]
        chosen[0].append(Wide(modulo_n, tuple(turned), ranges))
        chosen[1].append(Wide(modulo_n, tuple(back), ranges))
    root = modulo_n.constant(cs, curve.root)
    v, a = (modulo_n.wide(cs, [(1, root, z2)], [(1, z1)]) for z1, z2 in chosen)
    return v, a


def _swap(
    cs: ConstraintSystem, f: EmulatedField, flag: Bool, p: EmulatedPoint, q: EmulatedPoint
) -> tuple[EmulatedPoint, EmulatedPoint]:
    """(q, p) when the flag is 1. Rows: one a limb and coordinate, as both have the bounds of the larger."""

    def swap(a: Element, b: Element) -> tuple[Element, Element]:
        moved = [flag * (y - x) for x, y in zip(a.limbs, b.limbs, strict=True)]
        bounds = tuple(max(x, y) for x, y in zip(a.bounds, b.bounds, strict=True))
        first = tuple(x + z for x, z in zip(a.limbs, moved, strict=True))
        return Element(f, first, bounds), Element(
            f, tuple(y - z for y, z in zip(b.limbs, moved, strict=True)), bounds
        )

    (x1, x2), (y1, y2) = swap(p.x, q.x), swap(p.y, q.y)
    return EmulatedPoint(x1, y1), EmulatedPoint(x2, y2)


# -- steps -------------------------------------------------------------------------------------------------

Sum = tuple[Element, Operand]


def _add(cs: ConstraintSystem, f: EmulatedField, total: Sum, entry: Sum) -> Sum:
    """The sum of two points whose x are shown to be apart; the y of the result is not reduced."""
    (x, y), (x_entry, y_entry) = total, entry
    f.assert_apart(cs, x, x_entry)
    across = f.wide(cs, (), [(1, x_entry), (-1, x)])
    slope = f.divide_unchecked(cs, (), [(1, y_entry), (-1, y)], across)
    out = f.reduced(cs, [(1, slope, slope)], [(-1, x), (-1, x_entry)])
    return out, f.wide(cs, [(1, slope, f.wide(cs, (), [(1, x_entry), (-1, out)]))], [(-1, y_entry)])


def _double_add(cs: ConstraintSystem, f: EmulatedField, total: Sum, entry: Sum) -> Sum:
    """``2 A + T = A + (A + T)``: see the head of this file. With l the slope of A and T and l' that of A and
    A + T, the element named is l + l', which is ``-2 y_A / (x_(A+T) - x_A)``."""
    (x, y), (x_entry, y_entry) = total, entry
    f.assert_apart(cs, x, x_entry)
    across = f.wide(cs, (), [(1, x_entry), (-1, x)])
    slope = f.divide_unchecked(cs, (), [(1, y_entry), (-1, y)], across)
    x_sum = f.wide(cs, [(1, slope, slope)], [(-1, x), (-1, x_entry)])
    both = f.divide_unchecked(cs, (), [(-2, y)], f.wide(cs, (), [(1, x_sum), (-1, x)]))
    second = f.wide(cs, (), [(1, both), (-1, slope)])
    out = f.reduced(cs, [(1, second, second)], [(-1, x), (-1, x_sum)])
    return out, f.wide(cs, [(1, second, f.wide(cs, (), [(1, x), (-1, out)]))], [(-1, y)])


# -- tables ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Table:
    """The 8 points ``P + b wP + b' S + b'' wS``. With ``1 + w + w^2 = 0``, those with b = 1 are -w^2 times P,
    P - wS, P - w^2 S and P + S, so that there are five y up to sign."""

    xs: tuple[Element, ...]
    ys: tuple[Element, ...]

    @classmethod
    def of(cls, cs: ConstraintSystem, curve: EndomorphicCurve, p: EmulatedPoint, s: EmulatedPoint) -> _Table:
        f = coordinates(curve)
        beta, beta_squared = (f.constant(cs, curve.beta**k) for k in (1, 2))
        once = f.multiply(cs, s.x, beta)
        turned = [s.x, once, f.negative(cs, f.add(cs, s.x, once))]  # beta^2 = -1 - beta

        def plus(power: int, sign: int) -> EmulatedPoint:
            """P + w^power S, or P less that."""
            y = f.wide(cs, (), [(sign, s.y)])
            x, wide = _add(cs, f, (p.x, p.y), (turned[power], y))
            return EmulatedPoint(x, f.reduced(cs, (), [(1, wide)]))

        points = [p, plus(0, 1), plus(1, 1), plus(2, -1), plus(1, -1)]
        images = [f.multiply(cs, points[i].x, beta_squared) for i in (0, 4, 3, 1)]
        return cls((*(point.x for point in points[:4]), *images), tuple(point.y for point in points))

    def entry(self, cs: ConstraintSystem, f: EmulatedField, sign: Bool, digits: Sequence[Bool]) -> Sum:
        """The point of three digits b, b', b'', with y negated where the sign is 0."""
        b, low, high = digits
        hot = one_hot_bits(cs, [low, high, b])
        x = f.choose(cs, hot, self.xs)
        # By (low, high, b): P; + S; + wS; - w^2 S; then -w^2 times P; P - wS; P - w^2 S; P + S.
        which = [hot[0] + hot[4], hot[1] + hot[7], hot[2], hot[3] + hot[6], hot[5]]
        y = f.choose(cs, [Bool.unchecked(h) for h in which], self.ys)
        # +1 where the sign is 1 and b is 0, or the sign is 0 and b is 1.
        turn = (2 * sign - 1) * (1 - 2 * b)
        columns = tuple(turn * limb for limb in y.limbs)
        return x, Wide(f, columns, tuple((-bound, bound) for bound in y.bounds))


Window = tuple[list[Bool], Bool]


def _windows(
    cs: ConstraintSystem,
    curve: EndomorphicCurve,
    operands: Sequence[Element],
    scalar: Callable[..., int],
) -> tuple[list[Window], Wide]:
    """The digits of a scalar as the prover names them, and the number they stand for."""

    def answer(*values: int) -> list[int]:
        return _window_digits(curve, scalar(*_integers(operands, values)))

    count = curve.num_windows * WINDOW_BITS
    hinted = cs.hint_python(answer, [limb for x in operands for limb in x.limbs], count)
    windows = _cut(cs, [cs.assert_bool(bit) for bit in hinted])
    return windows, _window_sum(cs, curve, windows)


def _cut(cs: ConstraintSystem, bits: Sequence[Bool]) -> list[Window]:
    size = WINDOW_BITS
    return [(list(bits[i : i + size - 1]), bits[i + size - 1]) for i in range(0, len(bits), size)]


def _window_digits(curve: EndomorphicCurve, scalar: int) -> list[int]:
    """For each window the bits of j and the sign, 1 for +: digits +-(2 j + 1) whose sum is the scalar modulo
    n, or that less n, whichever is odd."""
    scalar %= curve.order
    if scalar % 2 == 0:
        scalar -= curve.order
    size, count = WINDOW_BITS, curve.num_windows
    rest = (scalar + (1 << size * count) - 1) // 2  # in base 2^8, of digits (d + 255) / 2
    out = []
    for _ in range(count):
        digit = 2 * (rest & (1 << size) - 1) - (1 << size) + 1
        rest >>= size
        out += [(abs(digit) - 1) // 2 >> i & 1 for i in range(size - 1)] + [int(digit > 0)]
    return out


def _window_sum(cs: ConstraintSystem, curve: EndomorphicCurve, windows: Sequence[Window]) -> Wide:
    """``sum +-(2 j + 1) 2^(8 i)``. Rows: one a window."""
    digits = []
    for index, sign in windows:
        size = cs.linear([(from_bits(cs, index), 2)], 1)
        digits.append((cs.linear([(sign * size, 2), (size, -1)]), (1 << WINDOW_BITS) - 1))
    return _sum_of_signed(cs, curve, digits, WINDOW_BITS)


def _signed_entry(
    cs: ConstraintSystem, curve: EndomorphicCurve, window: Window, points: Sequence[Point]
) -> Sum:
    """The point of a window's digit: its x, and its y with the sign."""
    index, sign = window
    f, hot = coordinates(curve), one_hot_bits(cs, index)
    x, y = _of_constants(cs, f, hot, [p[0] for p in points]), _limbs(cs, f, hot, [p[1] for p in points])
    turn = cs.linear([(sign, 2)], -1)
    columns = tuple(turn * limb for limb in y)
    return x, Wide(f, columns, tuple((-((1 << n) - 1), (1 << n) - 1) for n in f.widths))


def _constant_point(
    cs: ConstraintSystem,
    curve: EndomorphicCurve,
    window: Window,
    points: Sequence[Point],
    materialised: bool = True,
) -> EmulatedPoint:
    """The point of a window's digit, among those with a sign of 0 and then those with 1."""
    index, sign = window
    f, hot = coordinates(curve), one_hot_bits(cs, [*index, sign])
    x, y = (_of_constants(cs, f, hot, [p[c] for p in points], materialised) for c in (0, 1))
    return EmulatedPoint(x, y)


def _of_constants(
    cs: ConstraintSystem,
    f: EmulatedField,
    hot: Sequence[Bool],
    values: Sequence[int],
    materialised: bool = True,
) -> Element:
    """The value whose bit is 1. Rows: none, or one a limb so that what comes after is short."""
    limbs = _limbs(cs, f, hot, values)
    if materialised:
        limbs = [cs.materialise(limb) for limb in limbs]
    return Element(f, tuple(limbs), tuple((1 << n) - 1 for n in f.widths))


def _limbs(cs: ConstraintSystem, f: EmulatedField, hot: Sequence[Bool], values: Sequence[int]) -> list[Field]:
    limbs = [f.limbs_of(value) for value in values]
    return [cs.linear([(h, limb[i]) for h, limb in zip(hot, limbs, strict=True)]) for i in range(f.num_limbs)]
