"""The eight-lane transforms against the generic path and Python integers, at every size up to 2^14."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.engine import available_cpu_paths, fr_from_ints, get_engine, ints_from_limbs
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64, Block, Layout, Matrix

needs_ifma = pytest.mark.skipif("ifma" not in available_cpu_paths(), reason="no AVX-512 IFMA here")


def random_vector(n: int, seed: int) -> U64:
    limbs = np.random.default_rng(seed).integers(0, 1 << 64, (n, 4), dtype=np.uint64)
    limbs[:, 3] >>= np.uint64(3)  # below 2^253, so below r
    return limbs


def edge_vectors(n: int) -> list[U64]:
    """All r-1; r-1 and 0 in turns; a single r-1; 0 and 1 by the bits of a number."""
    largest = fr_from_ints([R - 1])
    turns = fr_from_ints([R - 1 if i % 2 else 0 for i in range(n)])
    single = np.zeros((n, 4), dtype=np.uint64)
    single[n // 3] = largest[0]
    bits = fr_from_ints([i.bit_count() % 2 for i in range(n)])
    return [np.repeat(largest, n, axis=0), turns, single, bits]


@needs_ifma
@pytest.mark.parametrize("coset", [False, True], ids=["domain", "coset"])
@pytest.mark.parametrize("log_n", range(15))
def test_transforms_on_eight_lanes__give_the_generic_path_s_bytes(log_n: int, coset: bool) -> None:
    n = 1 << log_n
    generic = get_engine("native", cpu="portable", threads=1)
    inputs = [random_vector(n, log_n), *edge_vectors(n)]
    for which, a in enumerate(inputs):
        values, coefficients = generic.ntt(a, coset=coset), generic.intt(a, coset=coset)
        for threads in (1, 3) if which == 0 else (2,):
            engine = get_engine("native", cpu="ifma", threads=threads)
            assert np.array_equal(engine.ntt(a, coset=coset), values), (which, threads)
            assert np.array_equal(engine.intt(a, coset=coset), coefficients), (which, threads)


@needs_ifma
@pytest.mark.parametrize("coset", [False, True], ids=["domain", "coset"])
@pytest.mark.parametrize("log_n", [6, 7, 8, 9])
def test_transforms_on_eight_lanes__give_the_values_of_the_polynomial(log_n: int, coset: bool) -> None:
    n = 1 << log_n
    engine = get_engine("native", cpu="ifma", threads=1)
    limbs = random_vector(n, log_n)
    coefficients = ints_from_limbs(limbs)
    got = ints_from_limbs(engine.fr_from_mont(engine.ntt(engine.fr_to_mont(limbs), coset=coset)))
    g = pow(5, (R - 1) // (2 * n), R)
    for i in range(n):
        x, value = pow(g, 2 * i + coset, R), 0
        for coefficient in reversed(coefficients):
            value = (value * x + coefficient) % R
        assert got[i] == value, i


@needs_ifma
@settings(max_examples=25, deadline=None)
@given(log_n=st.integers(6, 12), coset=st.booleans(), data=st.data())
def test_transforms_on_eight_lanes__agree_on_vectors_of_few_values(
    log_n: int, coset: bool, data: st.DataObject
) -> None:
    """Values near 0 and near r, in Montgomery's form or not, each at places that hypothesis picks."""
    few = data.draw(
        st.lists(st.sampled_from([0, 1, 2, R - 1, R - 2, R // 2, (1 << 253) - 1]), min_size=1, max_size=6)
    )
    seed = data.draw(st.integers(0, 2**32 - 1))
    at = np.random.default_rng(seed).integers(0, len(few), 1 << log_n)
    a = fr_from_ints(few)[at]
    generic, engine = (get_engine("native", cpu=cpu, threads=2) for cpu in ("portable", "ifma"))
    assert np.array_equal(engine.ntt(a, coset=coset), generic.ntt(a, coset=coset))
    assert np.array_equal(engine.intt(a, coset=coset), generic.intt(a, coset=coset))


def products(instances: int) -> Layout:
    """instances rows x y = z over own wires, one public column."""

    def row(column: int) -> Matrix:
        return Matrix(np.array([0, 1], np.uint32), np.array([column], np.uint32), np.array([1], np.uint32))

    constants = get_engine("native", threads=1).fr_to_mont(fr_from_ints([0, 1, R - 1]))
    links = np.zeros((instances, 1), np.uint32)
    block = Block(1, 1, 3, instances, row(1), row(2), row(3), constants, links, 2, 0)
    return Layout(2 + 3 * instances, 1, instances, (block,))


@needs_ifma
@pytest.mark.parametrize("log_n", range(3, 15))
def test_groth16_quotient__on_eight_lanes_gives_the_generic_path_s_bytes(log_n: int) -> None:
    """Domains that are full, and barely over half; wires random and all r-1."""
    generic = get_engine("native", cpu="portable", threads=2)
    for instances in ((1 << log_n) - 2, (1 << (log_n - 1)) - 1):
        layout = products(instances)
        assert layout.domain_size == 1 << log_n
        for witness in (random_vector(layout.num_columns, log_n), edge_vectors(layout.num_columns)[0]):
            expected = generic.groth16_quotient(layout, witness)
            for threads in (1, 3):
                engine = get_engine("native", cpu="ifma", threads=threads)
                assert np.array_equal(engine.groth16_quotient(layout, witness), expected)
