"""The eight-lane kernels behind the field vectors: every length around their groups, all edges, unaligned."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from zkrollup.engine import available_cpu_paths, fq_from_ints, fr_from_ints, get_engine, ints_from_limbs
from zkrollup.engine.convert import FQ_MODULUS, FR_MODULUS
from zkrollup.engine.interface import U64

pytestmark = pytest.mark.skipif("ifma" not in available_cpu_paths(), reason="no AVX-512 IFMA here")

Pack = Callable[[list[int]], U64]
FIELDS = [("fr", FR_MODULUS, fr_from_ints), ("fq", FQ_MODULUS, fq_from_ints)]
UNARY = ("to_mont", "from_mont", "inverse")
BINARY = ("mul",)


@pytest.mark.parametrize(("field", "p", "pack"), FIELDS, ids=["fr", "fq"])
def test_ifma_vectors__agree_with_portable_ones_at_every_length(field: str, p: int, pack: Pack) -> None:
    """0 .. 80 elements: whole groups of four vectors, vectors and elements left over."""
    source = random.Random(field)
    edges = [0, 1, p - 1, p - 2, (1 << 256) % p, (1 << 260) % p, (1 << 52) - 1, 1 << 52, 1 << 253]
    a = pack([source.choice([*edges, source.randrange(p)]) for _ in range(80)])
    b = pack([source.choice([*edges, source.randrange(p)]) for _ in range(80)])
    ifma = get_engine("native", cpu="ifma", threads=1)
    portable = get_engine("native", cpu="portable", threads=1)
    for operation in (*UNARY, *BINARY):
        name = f"{field}_{operation}"
        arguments = (a, b) if operation in BINARY else (a,)
        expected = getattr(portable, name)(*arguments)
        for n in range(81):
            got = getattr(ifma, name)(*(x[:n] for x in arguments))
            assert np.array_equal(got, expected[:n]), (name, n)


@pytest.mark.parametrize(("field", "p", "pack"), FIELDS, ids=["fr", "fq"])
def test_ifma_vectors__take_arrays_at_any_address(field: str, p: int, pack: Pack) -> None:
    """Elements need not lie on a boundary of 32 or 64 bytes."""
    source = random.Random(field)
    a = [source.randrange(p) for _ in range(50)]
    ifma = get_engine("native", cpu="ifma", threads=1)
    for offset in range(8):
        room = np.zeros(50 * 4 + 8, dtype=np.uint64)
        array = room[offset : offset + 200].reshape(50, 4)
        array[:] = pack(a)
        mont = getattr(ifma, f"{field}_to_mont")(array)
        assert ints_from_limbs(mont) == [(x << 256) % p for x in a]


def test_ifma_inverse__gives_zero_for_zero_wherever_it_stands() -> None:
    """Vectors of zeros only, and a single element that is not, in every lane."""
    ifma = get_engine("native", cpu="ifma", threads=1)
    zeros = np.zeros((70, 4), dtype=np.uint64)
    assert not ifma.fr_inverse(zeros).any()
    value = ifma.fr_to_mont(fr_from_ints([7]))[0]
    expected = (pow(7, -1, FR_MODULUS) << 256) % FR_MODULUS
    for at in range(70):
        one = zeros.copy()
        one[at] = value
        got = ints_from_limbs(ifma.fr_inverse(one))
        assert got == [0] * at + [expected] + [0] * (69 - at)
