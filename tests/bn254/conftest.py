"""A point of the twist outside G2, and py_ecc as the oracle."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from zkrollup.bn254.g2 import G2Point

# py_ecc raises the interpreter's recursion limit to 100,000 when it is imported, for every test after it;
# C code that trusts the limit, such as json's parser, then overflows the stack.
_limit = sys.getrecursionlimit()
import py_ecc.optimized_bn128  # noqa: E402

sys.setrecursionlimit(_limit)


@pytest.fixture(scope="session")
def twist_point() -> G2Point:
    """On the twist with x = 1; its order is a multiple of r and of the cofactor's primes."""
    return (
        (1, 0),
        (
            3610091866386166428467545612961983990332663701371483510632385378352395651980,
            15975588672102553735566230729081043132501226101599136527557730645158523614371,
        ),
    )


@pytest.fixture(scope="session")
def to_oracle() -> Callable[[tuple[int, ...]], Any]:
    """An element of Fq12 as py_ecc has it: a polynomial in w with w^12 = 18 w^6 - 82, so i = w^6 - 9."""

    def convert(a: tuple[int, ...]) -> Any:
        coefficients = [0] * 12
        for place, power in enumerate((0, 2, 4, 1, 3, 5)):
            re, im = a[2 * place : 2 * place + 2]
            coefficients[power] += re - 9 * im
            coefficients[power + 6] += im
        return py_ecc.optimized_bn128.FQ12(coefficients)

    return convert
