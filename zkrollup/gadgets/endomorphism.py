"""A curve with an endomorphism as plain integers: points, tables of multiples, a point to start sums from.

This module must not know of circuits. What is here feeds hints and constants; the tests hold it against
``zkrollup.crypto.weierstrass``, which it must not import.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

__all__ = ["SECP256K1", "WINDOW_BITS", "EndomorphicCurve", "Point"]

Point = tuple[int, int]

WINDOW_BITS = 8


@dataclass(frozen=True)
class EndomorphicCurve:
    """``y^2 = x^3 + b`` modulo p of prime order n, with ``(beta x, y) = root (x, y)``; None is infinity.

    ``limb_bits``: of the limbs of numbers modulo p and n in a circuit. ``ValueError`` where beta and root
    do not fit, or where the order is too small for the proof at the head of ``zkrollup.gadgets.secp256k1``.
    """

    p: int
    b: int
    generator: Point
    order: int
    beta: int
    root: int
    limb_bits: int

    def __post_init__(self) -> None:
        x, y = self.generator
        if self.multiply(self.root, (x, y)) != (self.beta * x % self.p, y) or self.beta in (0, 1):
            raise ValueError(
                "a curve's beta and root do not fit: expected (beta x, y) = root (x, y), beta != 1"
            )
        if 3 << 2 * self.num_steps >= self.order:
            bits = self.order.bit_length()
            raise ValueError(f"an order of {bits} bits is too small: a short relation may be trivial")

    @cached_property
    def num_steps(self) -> int:
        """m: the least with 3 (8 n / 3)^(1/4) < 2^m, that is 216 n < 16^m."""
        return next(m for m in range(1, 1 << 10) if 216 * self.order < 1 << 4 * m)

    @cached_property
    def num_windows(self) -> int:
        return -(-self.order.bit_length() // WINDOW_BITS)

    def contains(self, point: Point) -> bool:
        x, y = point
        return (y * y - x**3 - self.b) % self.p == 0

    def add(self, left: Point | None, right: Point | None) -> Point | None:
        """Total: of points that are not on the curve some answer, as hints need."""
        if left is None or right is None:
            return left if right is None else right
        (x1, y1), (x2, y2) = left, right
        if (x1 - x2) % self.p:
            rise, run = y2 - y1, x2 - x1
        elif (y1 + y2) % self.p and y1 % self.p:
            rise, run = 3 * x1 * x1, 2 * y1
        else:
            return None
        slope = rise * pow(run, -1, self.p) % self.p
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, k: int, point: Point | None) -> Point | None:
        """``k`` times the point, k >= 0."""
        total: Point | None = None
        while k:
            if k & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            k >>= 1
        return total

    @cached_property
    def start(self) -> Point:
        """The point of the first x = SHA-256("zkrollup start" || one byte, from 0) mod p on the curve, with
        even y: nobody knows which multiple of another point it is. Needs p = 3 (mod 4)."""
        for counter in range(1 << 8):
            digest = hashlib.sha256(b"zkrollup start" + bytes([counter])).digest()
            x = int.from_bytes(digest, "big") % self.p
            y = pow(x**3 + self.b, (self.p + 1) // 4, self.p)
            if y and self.contains((x, y)):
                return x, y if y % 2 == 0 else self.p - y
        raise ValueError("none of 256 abscissas is that of a point; is p = 3 (mod 4)?")

    @cached_property
    def end(self) -> Point:
        """What becomes of the start by doubling it in each step: 2^m times it."""
        return self._affine(self.multiply(1 << self.num_steps, self.start))

    @cached_property
    def windows(self) -> list[list[Point]]:
        """``(2 j + 1) 2^(8 i) G`` for j < 128, for each window i."""
        found = []
        base = self.generator
        for _ in range(self.num_windows):
            twice, row = self.add(base, base), [base]
            for _ in range((1 << WINDOW_BITS - 1) - 1):
                row.append(self._affine(self.add(row[-1], twice)))
            found.append(row)
            for _ in range(WINDOW_BITS):
                base = self._affine(self.add(base, base))
        return found

    def signed_window(self, i: int, added: Point, negated: bool = False) -> list[Point]:
        """``added + d 2^(8 i) G``, or ``added - d 2^(8 i) G``, for d = -(2 j + 1), then for d = 2 j + 1."""
        return self._signed(self.windows[i], added, negated)

    @cached_property
    def starts(self) -> list[Point]:
        """``start + d 2^-m G``, d as in :meth:`signed_window`: doubled m times each is ``end + d G``."""
        part = self.multiply(pow(2, -self.num_steps, self.order), self.generator)
        twice, row = self.add(part, part), [self._affine(part)]
        for _ in range((1 << WINDOW_BITS - 1) - 1):
            row.append(self._affine(self.add(row[-1], twice)))
        return self._signed(row, self.start, False)

    def _signed(self, multiples: list[Point], added: Point, negated: bool) -> list[Point]:
        turned = [self.negative(point) for point in multiples]
        both = [*multiples, *turned] if negated else [*turned, *multiples]
        return [self._affine(self.add(added, point)) for point in both]

    def negative(self, point: Point) -> Point:
        return point[0], -point[1] % self.p

    @staticmethod
    def _affine(point: Point | None) -> Point:
        if point is None:
            raise ValueError("a table of multiples would hold infinity; is the order too small?")
        return point


# SEC 2, version 2.0, section 2.4.1; beta and root are cube roots of unity, which the tests compute.
SECP256K1 = EndomorphicCurve(
    p=2**256 - 2**32 - 977,
    b=7,
    generator=(
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
    order=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    beta=0x7AE96A2B657C07106E64479EAC3434E99CF0497512F58995C1396C28719501EE,
    root=0x5363AD4CC05C30E0A5261C028812645A122E22EA20816678DF02967C1B23BD72,
    limb_bits=26,
)
