"""Short Weierstrass curves over any prime field, affine: the twin of the gadget, clear and slow.

This module must not know of circuits, nor be used where time may tell a secret.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SECP256K1", "ShortWeierstrass"]

Point = tuple[int, int] | None


@dataclass(frozen=True)
class ShortWeierstrass:
    """``y^2 = x^3 + a x + b`` modulo ``p``, with a generator of prime order; ``None`` is infinity."""

    p: int
    a: int
    b: int
    generator: tuple[int, int]
    order: int

    def contains(self, point: Point) -> bool:
        if point is None:
            return True
        x, y = point
        return (y * y - x**3 - self.a * x - self.b) % self.p == 0

    def add(self, left: Point, right: Point) -> Point:
        if left is None or right is None:
            return left if right is None else right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2:
            if (y1 + y2) % self.p == 0:
                return None
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p) % self.p
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p) % self.p
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, k: int, point: Point) -> Point:
        """``k`` times the point, k >= 0."""
        total: Point = None
        while k:
            if k & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            k >>= 1
        return total


# SEC 2, version 2.0, section 2.4.1.
SECP256K1 = ShortWeierstrass(
    p=2**256 - 2**32 - 977,
    a=0,
    b=7,
    generator=(
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
    order=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
)
