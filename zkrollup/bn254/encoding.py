"""Points of BN254 as bytes, as EIP-196 and EIP-197 have them, and the checks a point from outside needs.

This module must not know what the points are for. Coordinates are 32 bytes big-endian and below q; G1
is x, y (64 bytes); G2 is x.im, x.re, y.im, y.re (128 bytes, imaginary part first); infinity is all
zeros. Each point has exactly one accepted form.

References: EIP-196, EIP-197.
"""

from __future__ import annotations

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS
from zkrollup.bn254.g1 import G1Point
from zkrollup.bn254.g2 import G2Point

__all__ = [
    "G1_BYTES",
    "G2_BYTES",
    "CoordinateNotCanonical",
    "MalformedInput",
    "NotInSubgroup",
    "NotOnCurve",
    "PointAtInfinity",
    "WrongLength",
    "check_g1",
    "check_g2",
    "g1_from_bytes",
    "g1_to_bytes",
    "g2_from_bytes",
    "g2_to_bytes",
]

G1_BYTES = 64
G2_BYTES = 128


class MalformedInput(ValueError):
    """Data that is not what it should be, as opposed to a statement that is false. ``what`` names it."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(f"{what}: {message}")
        self.what = what


class WrongLength(MalformedInput):
    """``expected`` and ``got`` count bytes."""

    def __init__(self, what: str, expected: int, got: int) -> None:
        super().__init__(what, f"expected {expected} bytes, got {got}")
        self.expected, self.got = expected, got


class CoordinateNotCanonical(MalformedInput):
    """A coordinate that is not an integer in 0 .. q - 1."""

    def __init__(self, what: str, value: object) -> None:
        super().__init__(what, f"expected a coordinate 0 <= x < q, got {value!r}")
        self.value = value


class NotOnCurve(MalformedInput):
    """A point that does not satisfy the curve's equation."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "not on the curve")


class NotInSubgroup(MalformedInput):
    """A point of the twist that is not a multiple of G2's generator."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "on the twist, but outside the subgroup of order r")


class PointAtInfinity(MalformedInput):
    """The point at infinity, where a proof or key must not have it."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "the point at infinity is not accepted here")


def check_g1(point: G1Point, what: str, *, infinity: bool = False) -> G1Point:
    """Return ``point`` when it is in G1 (infinity only when asked for), or raise :class:`MalformedInput`."""
    for value in _pair(point, what):
        _check_coordinate(value, what)
    if point == g1.INFINITY and not infinity:
        raise PointAtInfinity(what)
    if not g1.is_on_curve(point):
        raise NotOnCurve(what)
    return point


def check_g2(point: G2Point, what: str, *, infinity: bool = False) -> G2Point:
    """Return ``point`` when it is in G2 (infinity only when asked for), or raise :class:`MalformedInput`."""
    for coordinate in _pair(point, what):
        for value in _pair(coordinate, what):
            _check_coordinate(value, what)
    if point == g2.INFINITY and not infinity:
        raise PointAtInfinity(what)
    if not g2.is_on_curve(point):
        raise NotOnCurve(what)
    if not g2.in_subgroup(point):
        raise NotInSubgroup(what)
    return point


def g1_to_bytes(point: G1Point) -> bytes:
    """64 bytes; infinity gives zeros."""
    x, y = point
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def g2_to_bytes(point: G2Point) -> bytes:
    """128 bytes, imaginary parts first; infinity gives zeros."""
    (x0, x1), (y0, y1) = point
    return b"".join(value.to_bytes(32, "big") for value in (x1, x0, y1, y0))


def g1_from_bytes(data: bytes, what: str = "G1 point", *, infinity: bool = True) -> G1Point:
    """The point of 64 bytes, by EIP-196's rules (infinity is accepted unless refused here)."""
    if len(data) != G1_BYTES:
        raise WrongLength(what, G1_BYTES, len(data))
    x, y = (int.from_bytes(data[i : i + 32], "big") for i in (0, 32))
    return check_g1((x, y), what, infinity=infinity)


def g2_from_bytes(data: bytes, what: str = "G2 point", *, infinity: bool = True) -> G2Point:
    """The point of 128 bytes, by EIP-197's rules (infinity is accepted unless refused here)."""
    if len(data) != G2_BYTES:
        raise WrongLength(what, G2_BYTES, len(data))
    x1, x0, y1, y0 = (int.from_bytes(data[i : i + 32], "big") for i in (0, 32, 64, 96))
    return check_g2(((x0, x1), (y0, y1)), what, infinity=infinity)


def _pair(value: object, what: str) -> tuple[object, ...]:
    """A list is refused as well: it equals no tuple, so [0, 0] would not be seen to be infinity."""
    if type(value) is not tuple or len(value) != 2:
        raise MalformedInput(what, f"expected a tuple of two, got {repr(value)[:80]}")
    return value


def _check_coordinate(value: object, what: str) -> None:
    if type(value) is not int or not 0 <= value < FQ_MODULUS:
        raise CoordinateNotCanonical(what, value)
