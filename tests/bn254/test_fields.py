"""Fr and Fq: the few functions over plain integers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254.fields import (
    FQ_MODULUS,
    FR_MODULUS,
    batch_inverse,
    inverse,
    is_canonical,
    require_canonical,
    sqrt,
)
from zkrollup.bn254.g2 import X

MODULI = pytest.mark.parametrize("p", [FR_MODULUS, FQ_MODULUS], ids=["Fr", "Fq"])


def test_moduli__are_those_of_the_barreto_naehrig_parameter():
    assert FQ_MODULUS == 36 * X**4 + 36 * X**3 + 24 * X**2 + 6 * X + 1
    assert FR_MODULUS == 36 * X**4 + 36 * X**3 + 18 * X**2 + 6 * X + 1
    assert FQ_MODULUS + 1 - FR_MODULUS == 6 * X**2 + 1


@MODULI
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_sqrt__undoes_squares_and_refuses_the_others(p, data):
    value = data.draw(st.integers(0, p - 1) | st.sampled_from([0, 1, p - 1]))
    root = sqrt(value * value % p, p)
    assert root == min(value, -value % p)
    if value:
        non_residue = next(k for k in range(2, 50) if pow(k, (p - 1) // 2, p) == p - 1)
        assert sqrt(non_residue * value * value % p, p) is None


@MODULI
def test_inverse__is_one_over_and_refuses_zero(p):
    values = [1, 2, p - 1, 12345, p // 2]
    assert [v * inverse(v, p) % p for v in values] == [1] * 5
    assert batch_inverse(values, p) == [inverse(v, p) for v in values]
    assert batch_inverse([], p) == []
    with pytest.raises(ZeroDivisionError):
        inverse(p, p)
    with pytest.raises(ZeroDivisionError):
        batch_inverse([1, 0, 2], p)


@MODULI
def test_canonical__means_an_integer_below_the_modulus(p):
    assert [is_canonical(v, p) for v in (0, p - 1, p, -1, True, 1.0, "1")] == [True, True, *[False] * 5]
    assert require_canonical(p - 1, p, "x") == p - 1
    with pytest.raises(ValueError, match="x: expected 0 <= value < "):
        require_canonical(p, p, "x")
    with pytest.raises(TypeError, match="x: expected an int, got bool"):
        require_canonical(True, p, "x")
