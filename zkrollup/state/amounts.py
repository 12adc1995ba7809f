"""The decimal floating-point codes of amounts (32 bits) and fees (12 bits).

This module must not know who pays what to whom.

A code is ``exponent << m | mantissa`` with five bits of exponent and m = 27 bits of mantissa for an
amount, m = 7 for a fee; its value is ``mantissa * 10**exponent``. The *canonical* code of a value is
the one with the smallest exponent that holds it exactly; all others are refused in public data.
"""

from __future__ import annotations

from zkrollup.state.exceptions import OutOfRange, UnencodableAmount, UnencodableFee

__all__ = [
    "AMOUNT_CODE_BITS",
    "AMOUNT_MANTISSA_BITS",
    "EXPONENT_BITS",
    "FEE_CODE_BITS",
    "FEE_MANTISSA_BITS",
    "amount_below",
    "decode_amount",
    "decode_fee",
    "encode_amount",
    "encode_fee",
    "fee_below",
    "is_canonical_amount_code",
    "is_canonical_fee_code",
]

EXPONENT_BITS = 5
AMOUNT_MANTISSA_BITS = 27
FEE_MANTISSA_BITS = 7
AMOUNT_CODE_BITS = EXPONENT_BITS + AMOUNT_MANTISSA_BITS
FEE_CODE_BITS = EXPONENT_BITS + FEE_MANTISSA_BITS

_SCALES: tuple[int, ...] = tuple(10**exponent for exponent in range(1 << EXPONENT_BITS))


def encode_amount(amount: int) -> int:
    """The canonical 32-bit code of ``amount``; raises :class:`UnencodableAmount` when it has none."""
    code = _encode(amount, AMOUNT_MANTISSA_BITS)
    if code is None:
        raise UnencodableAmount(amount, amount_below(amount))
    return code


def decode_amount(code: int) -> int:
    """The value of any 32-bit amount code, canonical or not (up to (2^27 - 1) * 10^31, above 2^128)."""
    return _decode(code, AMOUNT_MANTISSA_BITS, "amount code")


def encode_fee(fee: int) -> int:
    """The canonical 12-bit code of ``fee``; raises :class:`UnencodableFee` when it has none."""
    code = _encode(fee, FEE_MANTISSA_BITS)
    if code is None:
        raise UnencodableFee(fee, fee_below(fee))
    return code


def decode_fee(code: int) -> int:
    """The value of any 12-bit fee code, canonical or not (at most 127 * 10^31)."""
    return _decode(code, FEE_MANTISSA_BITS, "fee code")


def is_canonical_amount_code(code: int) -> bool:
    """Whether ``code`` is the one that :func:`encode_amount` gives for its value."""
    return _encode(decode_amount(code), AMOUNT_MANTISSA_BITS) == code


def is_canonical_fee_code(code: int) -> bool:
    """Whether ``code`` is the one that :func:`encode_fee` gives for its value."""
    return _encode(decode_fee(code), FEE_MANTISSA_BITS) == code


def amount_below(amount: int) -> int:
    """The greatest encodable amount that is not above ``amount`` (0 for a negative one)."""
    return _below(amount, AMOUNT_MANTISSA_BITS)


def fee_below(fee: int) -> int:
    """The greatest encodable fee that is not above ``fee`` (0 for a negative one)."""
    return _below(fee, FEE_MANTISSA_BITS)


def _encode(value: int, mantissa_bits: int) -> int | None:
    if value < 0:
        return None
    mantissa, exponent = value, 0
    while mantissa >> mantissa_bits:
        mantissa, remainder = divmod(mantissa, 10)
        exponent += 1
        if remainder or exponent == len(_SCALES):
            return None
    return exponent << mantissa_bits | mantissa


def _decode(code: int, mantissa_bits: int, name: str) -> int:
    if not 0 <= code < 1 << (mantissa_bits + EXPONENT_BITS):
        raise OutOfRange(name, code, mantissa_bits + EXPONENT_BITS)
    exponent, mantissa = code >> mantissa_bits, code & ((1 << mantissa_bits) - 1)
    return mantissa * _SCALES[exponent]


def _below(value: int, mantissa_bits: int) -> int:
    greatest = (1 << mantissa_bits) - 1
    return max(min(max(value, 0) // scale, greatest) * scale for scale in _SCALES)
