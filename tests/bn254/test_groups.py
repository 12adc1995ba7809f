"""G1 and G2: group laws, py_ecc, and who is in the subgroup."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as oracle

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS

SCALAR = st.integers(0, FR_MODULUS + 5) | st.sampled_from(
    [0, 1, 2, FR_MODULUS - 1, FR_MODULUS, FR_MODULUS + 1]
)
COFACTOR = 2 * FQ_MODULUS - FR_MODULUS


@settings(max_examples=15, deadline=None)
@given(SCALAR, SCALAR)
def test_g1__multiplies_and_adds_as_py_ecc(m, n):
    p, q = g1.mul(g1.GENERATOR, m), g1.mul(g1.GENERATOR, n)
    assert g1.is_on_curve(p)
    if m % FR_MODULUS:
        assert p == tuple(c.n for c in oracle.normalize(oracle.multiply(oracle.G1, m)))
    assert g1.add(p, q) == g1.mul(g1.GENERATOR, m + n)
    assert g1.add(p, g1.negate(p)) == g1.INFINITY
    assert g1.double(p) == g1.mul(p, 2)


@settings(max_examples=6, deadline=None)
@given(SCALAR, SCALAR)
def test_g2__multiplies_and_adds_as_py_ecc(m, n):
    p, q = g2.mul(g2.GENERATOR, m), g2.mul(g2.GENERATOR, n)
    assert g2.in_subgroup(p)
    if m % FR_MODULUS:
        assert p == tuple(
            tuple(int(x) for x in c.coeffs) for c in oracle.normalize(oracle.multiply(oracle.G2, m))
        )
    assert g2.add(p, q) == g2.mul(g2.GENERATOR, m + n)
    assert g2.add(p, g2.negate(p)) == g2.INFINITY
    assert g2.double(p) == g2.mul(p, 2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(SCALAR, SCALAR | st.integers(0, 1 << 32)), max_size=5))
def test_g1_msm__is_the_sum_of_products(terms):
    points = [g1.mul(g1.GENERATOR, m) for m, _ in terms]
    expected = g1.mul(g1.GENERATOR, sum(m * n for m, n in terms))
    assert g1.msm(points, [n for _, n in terms]) == expected


def test_g1_msm__meets_equal_and_opposite_points():
    p = g1.mul(g1.GENERATOR, 7)
    big = FR_MODULUS - 3
    assert g1.msm([p, p], [big, big]) == g1.mul(p, 2 * big)
    assert g1.msm([p, g1.negate(p)], [big, big]) == g1.INFINITY
    assert g1.msm([g1.INFINITY, p], [5, 0]) == g1.INFINITY
    with pytest.raises(ValueError, match="1 points, 2 scalars"):
        g1.msm([p], [1, 2])


def test_mul__takes_negative_scalars_modulo_r():
    assert g1.mul(g1.GENERATOR, -1) == g1.negate(g1.GENERATOR)
    assert g2.mul(g2.GENERATOR, -1) == g2.negate(g2.GENERATOR)


def test_curve_checks__refuse_what_is_off_or_not_canonical():
    x, y = g1.GENERATOR
    for point in [(x, y + 1), (x + FQ_MODULUS, y), (x, y - FQ_MODULUS), (True, 2), (x, 2.0)]:
        assert not g1.is_on_curve(point)
    (x0, x1), (y0, y1) = g2.GENERATOR
    for point in [((x0, x1), (y1, y0)), ((x0 + FQ_MODULUS, x1), (y0, y1)), ((x0, x1), (y0, y1 - FQ_MODULUS))]:
        assert not g2.is_on_curve(point)
        assert not g2.in_subgroup(point)


def test_subgroup_check__equals_multiplication_by_r(twist_point):
    """The twist has r (2 q - r) points; 10069 and 5864401 divide the second factor."""
    assert COFACTOR % (10069 * 5864401) == 0
    order = FR_MODULUS * COFACTOR
    small = g2.mul(twist_point, order // 10069)
    larger = g2.mul(twist_point, order // 5864401)
    inside = g2.mul(twist_point, COFACTOR)
    for point, expected in [
        (g2.INFINITY, True),
        (g2.GENERATOR, True),
        (inside, True),
        (twist_point, False),
        (small, False),
        (larger, False),
        (g2.add(g2.GENERATOR, small), False),
        (g2.add(inside, larger), False),
    ]:
        assert g2.is_on_curve(point)
        assert (g2.mul(point, FR_MODULUS) == g2.INFINITY) is expected
        assert g2.in_subgroup(point) is expected


def test_psi__acts_on_g2_as_q():
    point = g2.mul(g2.GENERATOR, 12345)
    assert g2.psi(point) == g2.mul(point, FQ_MODULUS % FR_MODULUS)
