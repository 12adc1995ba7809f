"""Fq2 and Fq12 against py_ecc's polynomials."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254 import tower
from zkrollup.bn254.fields import FQ_MODULUS as Q
from zkrollup.bn254.pairing import final_exponentiation

COORDINATE = st.integers(0, Q - 1) | st.sampled_from([0, 1, Q - 1])
FQ2 = st.tuples(COORDINATE, COORDINATE)
FQ12 = st.tuples(*[COORDINATE] * 12)


@settings(max_examples=40, deadline=None)
@given(FQ2, FQ2)
def test_fq2__is_a_field(a, b):
    assert tower.fq2_mul(a, b) == tower.fq2_mul(b, a)
    assert tower.fq2_square(a) == tower.fq2_mul(a, a)
    assert tower.fq2_conjugate(a) == tower.fq2_pow(a, Q)
    assert tower.fq2_sub(tower.fq2_add(a, b), b) == a
    assert tower.fq2_add(a, tower.fq2_neg(a)) == tower.FQ2_ZERO
    if a != tower.FQ2_ZERO:
        assert tower.fq2_mul(a, tower.fq2_inverse(a)) == tower.FQ2_ONE


@settings(max_examples=40, deadline=None)
@given(FQ12, FQ12)
def test_fq12__multiplies_as_py_ecc(to_oracle, a, b):
    assert to_oracle(tower.fq12_mul(a, b)) == to_oracle(a) * to_oracle(b)
    assert to_oracle(tower.fq12_square(a)) == to_oracle(a) * to_oracle(a)
    line = (1, 0, 0, 0, 0, 0, *b[:4], 0, 0)
    assert tower.fq12_mul_line(a, b[:2], b[2:4]) == tower.fq12_mul(a, line)
    assert all(0 <= c < Q for c in (*tower.fq12_mul(a, b), *tower.fq12_mul_line(a, b[:2], b[2:4])))


@settings(max_examples=10, deadline=None)
@given(FQ12)
def test_fq12__inverts(a):
    if any(a):
        assert tower.fq12_mul(a, tower.fq12_inverse(a)) == tower.FQ12_ONE


def test_inverse_of_zero__is_an_error():
    with pytest.raises(ZeroDivisionError):
        tower.fq12_inverse((0,) * 12)
    with pytest.raises(ZeroDivisionError):
        tower.fq2_inverse((0, 0))


@pytest.mark.parametrize("power", [1, 2, 3])
def test_frobenius__is_the_power_of_q(to_oracle, power):
    a = tuple(pow(3, 100 + i, Q) for i in range(12))
    assert to_oracle(tower.fq12_frobenius(a, power)) == to_oracle(a) ** (Q**power)


def test_conjugate__is_six_frobenius_maps():
    a = tuple(pow(5, 100 + i, Q) for i in range(12))
    assert tower.fq12_conjugate(a) == tower.fq12_frobenius(tower.fq12_frobenius(a, 3), 3)


@settings(max_examples=10, deadline=None)
@given(FQ12)
def test_cyclotomic_square__squares_in_the_cyclotomic_subgroup(a):
    if any(a):
        f = final_exponentiation(a)
        assert tower.fq12_cyclotomic_square(f) == tower.fq12_square(f)
