"""The pairing against py_ecc and against bilinearity."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bn128 as oracle

from zkrollup.bn254 import g1, g2
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.bn254.pairing import final_exponentiation, miller_loop, pairing, pairing_check, prepare
from zkrollup.bn254.tower import FQ12_ONE, fq12_mul

SCALAR = st.integers(1, FR_MODULUS - 1)


def power(f, exponent):
    out = FQ12_ONE
    for bit in bin(exponent)[2:]:
        out = fq12_mul(out, out)
        if bit == "1":
            out = fq12_mul(out, f)
    return out


def test_pairing__is_py_eccs_to_the_power_of_the_exponentiations_factor(to_oracle):
    p, q = g1.mul(g1.GENERATOR, 12345), g2.mul(g2.GENERATOR, 6789)
    reference = oracle.pairing(oracle.multiply(oracle.G2, 6789), oracle.multiply(oracle.G1, 12345))
    factor = 2 * g2.X * (6 * g2.X**2 + 3 * g2.X + 1)
    assert factor % FR_MODULUS != 0
    assert to_oracle(pairing(p, q)) == reference**factor


def test_final_exponentiation__is_the_power_it_claims():
    f = tuple(pow(7, 50 + i, FQ_MODULUS) for i in range(12))
    exponent = (FQ_MODULUS**12 - 1) // FR_MODULUS * 2 * g2.X * (6 * g2.X**2 + 3 * g2.X + 1)
    assert final_exponentiation(f) == power(f, exponent)


@settings(max_examples=5, deadline=None)
@given(SCALAR, SCALAR)
def test_pairing__is_bilinear_and_not_degenerate(m, n):
    p, q = g1.mul(g1.GENERATOR, m), g2.mul(g2.GENERATOR, n)
    assert pairing(p, q) == pairing(g1.mul(p, n), g2.mul(g2.GENERATOR, m * pow(m, -1, FR_MODULUS)))
    assert pairing(p, q) != FQ12_ONE
    assert power(pairing(p, q), FR_MODULUS) == FQ12_ONE
    whole = g1.mul(g1.GENERATOR, m * n)
    assert pairing_check([(p, q), (g1.negate(whole), g2.GENERATOR)])
    assert not pairing_check([(p, q), (whole, g2.GENERATOR)])


def test_miller_loop__shared_is_the_product():
    pairs = [(g1.mul(g1.GENERATOR, k), prepare(g2.mul(g2.GENERATOR, k + 10))) for k in (1, 2, 3)]
    product = FQ12_ONE
    for pair in pairs:
        product = fq12_mul(product, miller_loop([pair]))
    assert final_exponentiation(miller_loop(pairs)) == final_exponentiation(product)


def test_pairing__with_infinity_is_one():
    assert pairing(g1.INFINITY, g2.GENERATOR) == FQ12_ONE
    assert pairing(g1.GENERATOR, g2.INFINITY) == FQ12_ONE
    assert pairing_check([])
    assert pairing_check([(g1.INFINITY, g2.INFINITY)])
    assert not pairing_check([(g1.INFINITY, g2.GENERATOR), (g1.GENERATOR, g2.GENERATOR)])


def test_prepare__refuses_a_point_whose_multiples_vanish():
    # Not on the twist, but y = 0: doubling needs 1 / 0.
    with pytest.raises(ValueError, match="outside the subgroup"):
        prepare(((1, 0), (0, 0)))
