"""The numba engine's transforms against sums written out in Python integers."""

from __future__ import annotations

import random

import numpy as np
import pytest

from zkrollup.engine import EngineError, fr_from_ints, get_engine, ints_from_limbs
from zkrollup.engine.convert import FR_MODULUS as R


def evaluate(coefficients: list[int], x: int) -> int:
    total = 0
    for c in reversed(coefficients):
        total = (total * x + c) % R
    return total


def points(size: int, coset: bool) -> list[int]:
    """The powers of w, or the odd powers of the generator of twice the domain."""
    w = pow(5, (R - 1) // size, R)
    g = pow(5, (R - 1) // (2 * size), R) if coset else 1
    assert g * g % R == w or not coset
    return [g * pow(w, i, R) % R for i in range(size)]


def vectors(size: int) -> list[list[int]]:
    source = random.Random(size)
    return [
        [source.randrange(R) for _ in range(size)],
        [0] * size,
        [1] + [0] * (size - 1),
        [0] * (size - 1) + [R - 1],
        [R - 1] * size,
    ]


@pytest.mark.parametrize("coset", [False, True])
@pytest.mark.parametrize("size", [1, 2, 4, 8, 64])
def test_ntt__evaluates_the_polynomial_at_each_point(size: int, coset: bool) -> None:
    engine = get_engine("numba", threads=1)
    for values in vectors(size):
        array = engine.fr_to_mont(fr_from_ints(values))
        got = engine.ntt(array, coset=coset)
        assert ints_from_limbs(engine.fr_from_mont(got)) == [evaluate(values, x) for x in points(size, coset)]
        assert np.array_equal(engine.intt(got, coset=coset), array)


@pytest.mark.parametrize("coset", [False, True])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_ntt__is_the_same_on_any_number_of_threads(threads: int, coset: bool) -> None:
    """Large enough that threads take passes on their own; checked at a few points and by its inverse."""
    size = 1 << 13
    source = random.Random(9)
    values = [source.randrange(R) for _ in range(size)]
    engine = get_engine("numba", threads=threads)
    array = engine.fr_to_mont(fr_from_ints(values))
    got = engine.ntt(array, coset=coset)
    plain = ints_from_limbs(engine.fr_from_mont(got))
    for i in (0, 1, 2, size // 2, size - 1, 4711):
        assert plain[i] == evaluate(values, points(size, coset)[i])
    assert np.array_equal(engine.intt(got, coset=coset), array)


@pytest.mark.parametrize("name", ["ntt", "intt"])
def test_ntt__refuses_other_lengths_and_unreduced_values(name: str) -> None:
    """V12: lengths that are no power of two, and r itself."""
    engine = get_engine("numba", threads=1)
    for length in (0, 3, 5, 1000):
        with pytest.raises(EngineError, match=rf"{name}: a: expected a power of two .*got {length}"):
            getattr(engine, name)(np.zeros((length, 4), np.uint64))
    bad = np.zeros((4, 4), np.uint64)
    bad[3] = np.frombuffer(R.to_bytes(32, "little"), np.uint64)
    with pytest.raises(EngineError, match=f"{name}: a: element 3 is not below the modulus r"):
        getattr(engine, name)(bad)
