"""Points as EIP-196 and EIP-197 bytes: one form each, every other refused by its own exception."""

from __future__ import annotations

import pytest

from zkrollup.bn254 import encoding as e
from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS as Q

P = g1.mul(g1.GENERATOR, 77)
W = g2.mul(g2.GENERATOR, 77)


def test_bytes__return_to_the_same_point():
    for point in (P, g1.GENERATOR, g1.INFINITY):
        assert e.g1_from_bytes(e.g1_to_bytes(point)) == point
    for point in (W, g2.GENERATOR, g2.INFINITY):
        assert e.g2_from_bytes(e.g2_to_bytes(point)) == point


def test_g2_bytes__begin_with_the_imaginary_part():
    # The generator as EIP-197 prints it.
    assert e.g2_to_bytes(g2.GENERATOR).hex() == (
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    )


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_g1_bytes__have_one_length(length):
    with pytest.raises(e.WrongLength, match=f"A: expected 64 bytes, got {length}") as caught:
        e.g1_from_bytes(bytes(length), "A")
    assert (caught.value.what, caught.value.expected, caught.value.got) == ("A", 64, length)


@pytest.mark.parametrize("length", [0, 64, 127, 129])
def test_g2_bytes__have_one_length(length):
    with pytest.raises(e.WrongLength, match=f"expected 128 bytes, got {length}"):
        e.g2_from_bytes(bytes(length))


@pytest.mark.parametrize("place", range(2))
def test_g1_bytes__refuse_a_coordinate_plus_q(place):
    data = bytearray(e.g1_to_bytes(P))
    coordinate = P[place] + Q
    data[32 * place : 32 * place + 32] = coordinate.to_bytes(32, "big")
    with pytest.raises(e.CoordinateNotCanonical, match="expected a coordinate 0 <= x < q") as caught:
        e.g1_from_bytes(bytes(data))
    assert caught.value.value == coordinate


@pytest.mark.parametrize("place", range(4))
def test_g2_bytes__refuse_a_coordinate_plus_q(place):
    data = bytearray(e.g2_to_bytes(W))
    coordinate = int.from_bytes(data[32 * place : 32 * place + 32], "big") + Q
    data[32 * place : 32 * place + 32] = coordinate.to_bytes(32, "big")
    with pytest.raises(e.CoordinateNotCanonical):
        e.g2_from_bytes(bytes(data))


def test_infinity__has_one_form():
    for place in range(2):
        data = bytearray(64)
        data[32 * place : 32 * place + 32] = Q.to_bytes(32, "big")
        with pytest.raises(e.CoordinateNotCanonical):
            e.g1_from_bytes(bytes(data))


def test_points__off_the_curve_or_outside_the_subgroup_are_refused(twist_point):
    with pytest.raises(e.NotOnCurve, match="A: not on the curve"):
        e.check_g1((1, 1), "A")
    with pytest.raises(e.NotOnCurve, match="B: not on the curve"):
        e.check_g2(((1, 0), (1, 0)), "B")
    with pytest.raises(e.NotInSubgroup, match="B: on the twist, but outside the subgroup of order r"):
        e.g2_from_bytes(e.g2_to_bytes(twist_point), "B")


def test_infinity__is_accepted_only_when_asked_for():
    assert e.check_g1(g1.INFINITY, "A", infinity=True) == g1.INFINITY
    assert e.check_g2(g2.INFINITY, "B", infinity=True) == g2.INFINITY
    with pytest.raises(e.PointAtInfinity):
        e.check_g1(g1.INFINITY, "A")
    with pytest.raises(e.PointAtInfinity):
        e.check_g2(g2.INFINITY, "B")
    with pytest.raises(e.PointAtInfinity):
        e.g1_from_bytes(bytes(64), infinity=False)
    with pytest.raises(e.PointAtInfinity):
        e.g2_from_bytes(bytes(128), infinity=False)


@pytest.mark.parametrize("value", [True, 1.0, None, -1])
def test_coordinates__must_be_integers(value):
    with pytest.raises(e.CoordinateNotCanonical):
        e.check_g1((value, 2), "A")
