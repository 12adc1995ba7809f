"""The native engine's transforms against direct evaluation, on every path this machine has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.engine import EngineError, available_cpu_paths, fr_from_ints, get_engine, ints_from_limbs
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64, Engine

pytestmark = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")

PATHS = available_cpu_paths()


def random_vector(n: int, seed: int) -> tuple[list[int], U64]:
    """Integers below r and the same as canonical limbs."""
    random = np.random.default_rng(seed)
    limbs = random.integers(0, 1 << 64, (n, 4), dtype=np.uint64)
    limbs[:, 3] >>= np.uint64(3)  # below 2^253, so below r
    return ints_from_limbs(limbs), limbs


def evaluate(coefficients: list[int], point: int) -> int:
    value = 0
    for c in reversed(coefficients):
        value = (value * point + c) % R
    return value


def points(n: int, coset: bool) -> list[int]:
    w = pow(5, (R - 1) // n, R)
    at = pow(5, (R - 1) // (2 * n), R) if coset else 1
    result = []
    for _ in range(n):
        result.append(at)
        at = at * w % R
    return result


def transform(engine: Engine, name: str, canonical: U64, coset: bool) -> list[int]:
    out = getattr(engine, name)(engine.fr_to_mont(canonical), coset=coset)
    return ints_from_limbs(engine.fr_from_mont(out))


@pytest.mark.parametrize("coset", [False, True], ids=["domain", "coset"])
@pytest.mark.parametrize("cpu", PATHS)
def test_ntt__gives_all_values_in_natural_order(cpu: str, coset: bool) -> None:
    engine = get_engine("native", cpu=cpu, threads=2)
    for log_n in range(8):
        n = 1 << log_n
        coefficients, limbs = random_vector(n, log_n)
        expected = [evaluate(coefficients, x) for x in points(n, coset)]
        assert transform(engine, "ntt", limbs, coset) == expected
        assert transform(engine, "intt", fr_from_ints(expected), coset) == coefficients


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("coset", [False, True], ids=["domain", "coset"])
@pytest.mark.parametrize("cpu", PATHS)
def test_ntt__of_several_passes_agrees_at_sampled_points(cpu: str, coset: bool, threads: int) -> None:
    """Sizes around the change from one block to rows and columns, odd and even logarithms."""
    engine = get_engine("native", cpu=cpu, threads=threads)
    for log_n in (10, 11, 12, 13, 15):
        n = 1 << log_n
        coefficients, limbs = random_vector(n, log_n)
        mont = engine.fr_to_mont(limbs)
        values = engine.ntt(mont, coset=coset)
        at = points(n, coset)
        for i in (0, 1, n // 2 - 1, n // 3, n - 1):
            got = ints_from_limbs(engine.fr_from_mont(values[i : i + 1]))
            assert got == [evaluate(coefficients, at[i])], (log_n, i)
        assert np.array_equal(engine.intt(values, coset=coset), mont)


@pytest.mark.parametrize("cpu", PATHS)
def test_ntt__of_vectors_with_known_transforms(cpu: str) -> None:
    """Zero, a constant, x, and the all (r-1) vector, at a size of several passes."""
    engine = get_engine("native", cpu=cpu, threads=2)
    n = 1 << 12
    zero = fr_from_ints([0] * n)
    assert not engine.ntt(zero).any()
    constant = fr_from_ints([7] + [0] * (n - 1))
    assert transform(engine, "ntt", constant, True) == [7] * n
    monomial = fr_from_ints([0, 1] + [0] * (n - 2))
    for coset in (False, True):
        assert transform(engine, "ntt", monomial, coset) == points(n, coset)
    assert transform(engine, "ntt", fr_from_ints([R - 1] * n), False) == [(-n) % R] + [0] * (n - 1)


@settings(max_examples=15, deadline=None)
@given(log_n=st.integers(0, 11), seed=st.integers(0, 2**32 - 1), coset=st.booleans(), data=st.data())
def test_ntt__is_linear_inverted_by_intt_and_the_same_on_every_path(
    log_n: int, seed: int, coset: bool, data: st.DataObject
) -> None:
    reference = get_engine("native", cpu="portable", threads=1)
    _, a = random_vector(1 << log_n, seed)
    _, b = random_vector(1 << log_n, seed + 1)
    expected = reference.ntt(a, coset=coset)
    both = reference.ntt(reference.fr_add(a, b), coset=coset)
    assert np.array_equal(both, reference.fr_add(expected, reference.ntt(b, coset=coset)))
    engine = get_engine("native", cpu=data.draw(st.sampled_from(PATHS)), threads=2)
    assert np.array_equal(engine.ntt(a, coset=coset), expected)
    assert np.array_equal(engine.intt(expected, coset=coset), a)


def test_ntt__agrees_with_galois_polynomials() -> None:
    galois = pytest.importorskip("galois")
    field = galois.GF(R, primitive_element=5, verify=False)
    engine = get_engine("native", threads=1)
    coefficients, limbs = random_vector(16, 5)
    polynomial = galois.Poly(coefficients[::-1], field=field)
    for coset in (False, True):
        expected = [int(v) for v in polynomial(field(points(16, coset)))]
        assert transform(engine, "ntt", limbs, coset) == expected


def test_ntt__refuses_lengths_and_elements_that_cannot_be() -> None:
    """V12: a length that is no power of two, and an element at the modulus."""
    engine = get_engine("native", threads=1)
    for n in (0, 3, 1000):
        with pytest.raises(EngineError, match=rf"ntt: expected a power of two of elements, .* got {n}"):
            engine.ntt(np.zeros((n, 4), dtype=np.uint64))
    bad = np.zeros((8, 4), dtype=np.uint64)
    bad[5] = np.frombuffer(R.to_bytes(32, "little"), dtype=np.uint64)
    with pytest.raises(EngineError, match="intt: a: element 5 is not below the modulus r"):
        engine.intt(bad, coset=True)
