"""Curves like secp256k1 over small primes, on which every gadget is quick, and their twins.

Made by the same rule as secp256k1: ``4 p = l^2 + 27 m^2``, p = 7 (mod 12), an order p + 1 - t for one of
the six traces that is a prime below p, b the least with a point of that order.
"""

from __future__ import annotations

from zkrollup.crypto.weierstrass import ShortWeierstrass
from zkrollup.gadgets.endomorphism import EndomorphicCurve

__all__ = ["CURVE_24", "CURVE_31", "twin_of"]

CURVE_24 = EndomorphicCurve(
    p=9279607, b=3, generator=(1, 2), order=9278053, beta=7238693, root=5472441, limb_bits=12
)
CURVE_31 = EndomorphicCurve(
    p=1549329343,
    b=39,
    generator=(2, 460524303),
    order=1549253731,
    beta=777420610,
    root=1116775672,
    limb_bits=16,
)


def twin_of(curve: EndomorphicCurve) -> ShortWeierstrass:
    return ShortWeierstrass(curve.p, 0, curve.b, curve.generator, curve.order)
