"""The hints in plain Python: what each hint opcode of a tape computes, on integers below r.

A hint computes a value and constrains nothing; this module must not know of signals or rows. Every
function is total. The engines' versions are compared with these by tests.
"""

from __future__ import annotations

from collections.abc import Callable

from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.interface import Opcode

__all__ = ["HINTS", "HINT_NAMES", "PYTHON_HINT", "VALUE_HINT", "PythonHint"]

PythonHint = Callable[..., "int | list[int] | tuple[int, ...]"]

PYTHON_HINT = 255
"""Opcode of a hint written in Python, which no engine replays: dst count function operand*."""


VALUE_HINT = 254
"""Kind of a hint that is the value of an expression; on the tape it is a plain COPY into its wire."""


def bits(a: int, n: int) -> list[int]:
    return [(a >> i) & 1 for i in range(n)]


def inverse_or_zero(a: int) -> int:
    return pow(a, -1, MODULUS) if a else 0


def divide_or_zero(a: int, b: int) -> int:
    return a * pow(b, -1, MODULUS) % MODULUS if b else 0


def is_zero(a: int) -> int:
    return int(a == 0)


def divmod_or_zero(a: int, b: int) -> tuple[int, int]:
    return divmod(a, b) if b else (0, a)


def less_than(a: int, b: int) -> int:
    return int(a < b)


HINTS: dict[int, Callable[..., object]] = {
    Opcode.BITS: bits,
    Opcode.INVERSE_OR_ZERO: inverse_or_zero,
    Opcode.DIVIDE_OR_ZERO: divide_or_zero,
    Opcode.IS_ZERO: is_zero,
    Opcode.DIVMOD: divmod_or_zero,
    Opcode.LESS_THAN: less_than,
}

HINT_NAMES = {
    Opcode.BITS: "bits",
    Opcode.INVERSE_OR_ZERO: "inverse_or_zero",
    Opcode.DIVIDE_OR_ZERO: "divide_or_zero",
    Opcode.IS_ZERO: "is_zero",
    Opcode.DIVMOD: "divmod",
    Opcode.LESS_THAN: "less_than",
    PYTHON_HINT: "python",
    VALUE_HINT: "value",
}
