"""The float codes at their edges and against exhaustive search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkrollup.state.amounts import (
    AMOUNT_CODE_BITS,
    FEE_CODE_BITS,
    amount_below,
    decode_amount,
    decode_fee,
    encode_amount,
    encode_fee,
    fee_below,
    is_canonical_amount_code,
    is_canonical_fee_code,
)
from zkrollup.state.exceptions import OutOfRange, UnencodableAmount, UnencodableFee


def test_encode_amount__holds_edges_exactly() -> None:
    for amount, code in [
        (0, 0),
        (1, 1),
        (10, 10),
        (2**27 - 1, 2**27 - 1),
        (10**8, 10**8),
        ((2**27 - 1) * 10, 1 << 27 | 2**27 - 1),
        ((2**27 - 1) * 10**31, 31 << 27 | 2**27 - 1),
    ]:
        assert encode_amount(amount) == code
        assert decode_amount(code) == amount


@pytest.mark.parametrize("power", range(39))
def test_encode_amount__holds_every_power_of_ten(power: int) -> None:
    assert decode_amount(encode_amount(10**power)) == 10**power


@pytest.mark.parametrize(
    "amount",
    [
        -1,
        2**27,
        2**27 + 1,
        2**27 * 10,
        2**128 - 1,
        10**9 + 1,
        (2**27 - 1) * 10**31 + 1,
        10**40,
        2**27 * 10**31,
    ],
)
def test_encode_amount__refuses_what_no_code_holds(amount: int) -> None:
    with pytest.raises(UnencodableAmount) as caught:
        encode_amount(amount)
    assert caught.value.amount == amount
    below = caught.value.below
    assert below <= max(amount, 0)
    assert decode_amount(encode_amount(below)) == below


@pytest.mark.parametrize("fee", [-1, 128, 129, 1281, 10**34, 128 * 10**31, 127 * 10**31 + 1])
def test_encode_fee__refuses_what_no_code_holds(fee: int) -> None:
    with pytest.raises(UnencodableFee) as caught:
        encode_fee(fee)
    assert (caught.value.fee, caught.value.below) == (fee, fee_below(fee))


def test_fee_codes__are_canonical_exactly_when_encoding_gives_them() -> None:
    smallest = {}
    for code in range(1 << FEE_CODE_BITS):
        smallest.setdefault(decode_fee(code), code)
    for code in range(1 << FEE_CODE_BITS):
        assert encode_fee(decode_fee(code)) == smallest[decode_fee(code)]
        assert is_canonical_fee_code(code) == (smallest[decode_fee(code)] == code)


def test_fee_below__is_the_greatest_encodable_one() -> None:
    encodable = sorted(decode_fee(code) for code in range(1 << FEE_CODE_BITS))
    for fee in (0, 1, 127, 128, 129, 999, 1000, 1279, 1280, 12_345, 10**33, 10**40):
        assert fee_below(fee) == max(value for value in encodable if value <= fee)


@given(st.integers(0, 2**AMOUNT_CODE_BITS - 1))
def test_amount_code__round_trips_to_the_smallest_exponent(code: int) -> None:
    canonical = encode_amount(decode_amount(code))
    assert decode_amount(canonical) == decode_amount(code)
    assert canonical >> 27 <= code >> 27
    assert is_canonical_amount_code(code) == (canonical == code)


@given(st.integers(0, 2**128 - 1))
def test_amount_below__loses_less_than_the_last_digit_of_the_mantissa(amount: int) -> None:
    below = amount_below(amount)
    assert decode_amount(encode_amount(below)) == below <= amount
    assert amount - below <= max(0, amount) // 10**7


@pytest.mark.parametrize(("decode", "bits"), [(decode_amount, 32), (decode_fee, 12)])
def test_decode__refuses_codes_of_another_width(decode, bits: int) -> None:
    for code in (-1, 1 << bits):
        with pytest.raises(OutOfRange):
            decode(code)
