"""BabyJubJub against circomlibjs, and the laws of a group."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import babyjubjub as curve
from zkrollup.crypto.babyjubjub import BASE8, GENERATOR, IDENTITY, ORDER
from zkrollup.crypto.tables import COFACTOR, MODULUS, MONTGOMERY_A, MONTGOMERY_B, A, D

SCALARS = st.integers(0, 8 * ORDER) | st.sampled_from([0, 1, ORDER - 1, ORDER, ORDER + 1, 8 * ORDER])


def test_add__equals_circomlibjs(vectors):
    for case in vectors("babyjubjub/add"):
        assert curve.add(tuple(case["p"]), tuple(case["q"])) == tuple(case["sum"])


def test_mul__equals_circomlibjs(vectors):
    for case in vectors("babyjubjub/mul"):
        p, product = tuple(case["p"]), tuple(case["product"])
        assert curve.mul(p, case["scalar"]) == product
        if p == BASE8:
            assert curve.mul_base8(case["scalar"]) == product


def test_pack__equals_circomlibjs_and_unpack_undoes_it(vectors):
    for case in vectors("babyjubjub/pack"):
        point = tuple(case["p"])
        assert curve.pack(point).hex() == case["packed"]
        assert curve.unpack(bytes.fromhex(case["packed"])) == point
        assert curve.in_subgroup(point) is case["in_subgroup"]


@settings(max_examples=25, deadline=None)
@given(SCALARS, SCALARS)
def test_group__multiplication_distributes(m, n):
    p, q = curve.mul(GENERATOR, m), curve.mul(GENERATOR, n)
    assert curve.add(p, q) == curve.mul(GENERATOR, m + n)
    assert curve.add(p, curve.negate(p)) == IDENTITY
    assert curve.double(p) == curve.mul(p, 2)
    assert curve.is_on_curve(p)


@settings(max_examples=25, deadline=None)
@given(st.integers(-ORDER, 2 * ORDER))
def test_mul_base8__equals_its_slow_twin(scalar):
    assert curve.mul_base8(scalar) == curve.mul(BASE8, scalar % ORDER)


def test_parameters__belong_together():
    # a is a square and d is not: the addition law is complete.
    assert pow(A, (MODULUS - 1) // 2, MODULUS) == 1
    assert pow(D, (MODULUS - 1) // 2, MODULUS) == MODULUS - 1
    assert (MONTGOMERY_A * (A - D) - 2 * (A + D)) % MODULUS == 0
    assert (MONTGOMERY_B * (A - D) - 4) % MODULUS == 0
    assert curve.is_on_curve(GENERATOR)
    assert curve.mul(GENERATOR, COFACTOR) == BASE8
    assert curve.mul(BASE8, ORDER) == IDENTITY
    assert curve.mul(GENERATOR, 4 * ORDER) != IDENTITY  # so the generator's order is 8 l, not less
    assert curve.in_subgroup(BASE8)
    assert not curve.in_subgroup(GENERATOR)


def test_is_on_curve__refuses_coordinates_that_are_not_canonical():
    x, y = BASE8
    assert curve.is_on_curve((x, y))
    for point in [(x + MODULUS, y), (x, y + MODULUS), (x - MODULUS, y), (x, y + 1), (0, 0), (x, float(y))]:
        assert not curve.is_on_curve(point)


def test_mul__refuses_a_negative_scalar():
    with pytest.raises(ValueError, match="scalar: expected >= 0, got -1"):
        curve.mul(BASE8, -1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(31), "expected 32 bytes, got 31"),
        (bytes(33), "expected 32 bytes, got 33"),
        (MODULUS.to_bytes(32, "little"), "expected y < r"),
        (((1 << 255) - 1).to_bytes(32, "little"), "expected y < r"),
        ((1 | 1 << 255).to_bytes(32, "little"), "x is 0 and its sign bit is set"),
        ((MODULUS - 1 | 1 << 255).to_bytes(32, "little"), "x is 0 and its sign bit is set"),
        ((2).to_bytes(32, "little"), "no point of the curve has y = 2"),
    ],
)
def test_unpack__refuses_every_second_form_of_a_point(data, message):
    with pytest.raises(ValueError, match=message):
        curve.unpack(data)
