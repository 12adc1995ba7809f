"""Points of short Weierstrass curves over another field, secp256k1 above all: on the curve, sum, double.

This module must not know what points stand for. Coordinates are emulated; infinity has none here.

Exceptional cases. ``add_distinct`` is the chord: it has no answer for P + P, P - P or infinity, and
**assumes** that the x of both points differ modulo p (``assert_distinct`` shows it). ``double`` is the
tangent: right for every point but infinity where no point has y = 0, which is so on a curve of odd order
such as secp256k1. Multiples are in ``zkrollup.gadgets.secp256k1``.

For comparison, circom-ecdsa's templates for 4 registers of 64 bits, compiled by circom2 0.2.23 --O2:
Secp256k1PointOnCurve 1,126 constraints, Secp256k1AddUnequal 2,515, Secp256k1Double 2,955; here 223, 1,064
and 1,083, and 8 more for coordinates shown to be below p, as theirs are.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.emulated import Element, EmulatedField, Product

__all__ = [
    "SECP256K1",
    "EmulatedCurve",
    "EmulatedPoint",
    "add_distinct",
    "assert_distinct",
    "assert_on_curve",
    "double",
]


@dataclass(frozen=True)
class EmulatedCurve:
    """``y^2 = x^3 + a x + b``, of odd order."""

    field: EmulatedField
    a: int
    b: int


@dataclass(frozen=True)
class EmulatedPoint:
    """A point that is not infinity, by coordinates that may be any of their class modulo p."""

    x: Element
    y: Element


# SEC 2, version 2.0, section 2.4.1. The width is the one that would be chosen.
SECP256K1 = EmulatedCurve(EmulatedField(2**256 - 2**32 - 977, limb_bits=26), 0, 7)


def assert_on_curve(cs: ConstraintSystem, curve: EmulatedCurve, point: EmulatedPoint) -> None:
    """Demand ``y^2 = x^3 + a x + b (mod p)``. Assumes: nothing. Rows: 223 on secp256k1."""
    f, x, y = curve.field, point.x, point.y
    terms = [(-1, f.constant(cs, curve.b))]
    products: list[Product] = [(1, y, y), (-1, f.wide(cs, [(1, x, x)]), x)]
    if curve.a % f.modulus:
        products.append((-1, f.constant(cs, curve.a), x))
    f.assert_zero(cs, products, terms, label="the point is on the curve")


def assert_distinct(cs: ConstraintSystem, curve: EmulatedCurve, p: EmulatedPoint, q: EmulatedPoint) -> None:
    """Demand that the x differ modulo p: P is neither Q nor -Q. Assumes: nothing. Rows: 356."""
    curve.field.inverse(cs, curve.field.subtract(cs, p.x, q.x))


def add_distinct(
    cs: ConstraintSystem, curve: EmulatedCurve, p: EmulatedPoint, q: EmulatedPoint
) -> EmulatedPoint:
    """P + Q. **Assumes: both on the curve, with different x modulo p** (with the same, the slope of
    the chord is free, and so is the result). Rows: 1064."""
    f = curve.field
    slope = f.divide_unchecked(cs, (), [(1, q.y), (-1, p.y)], f.subtract(cs, q.x, p.x))
    return _third(cs, f, slope, p, q)


def double(cs: ConstraintSystem, curve: EmulatedCurve, p: EmulatedPoint) -> EmulatedPoint:
    """2 P. Assumes: P on the curve, which is of odd order (else y may be 0). Rows: 1083."""
    f = curve.field
    terms = [(1, f.constant(cs, curve.a))] if curve.a % f.modulus else []
    slope = f.divide_unchecked(cs, [(3, p.x, p.x)], terms, f.multiple(cs, 2, p.y))
    return _third(cs, f, slope, p, p)


def _third(
    cs: ConstraintSystem, f: EmulatedField, slope: Element, p: EmulatedPoint, q: EmulatedPoint
) -> EmulatedPoint:
    """The mirror image of the third point on the line through p and q."""
    x = f.reduced(cs, [(1, slope, slope)], [(-1, p.x), (-1, q.x)])
    y = f.reduced(cs, [(1, slope, f.subtract(cs, p.x, x))], [(-1, p.y)])
    return EmulatedPoint(x, y)
