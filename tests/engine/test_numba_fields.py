"""The numba engine's field vectors against Python integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.engine import EngineError, fq_from_ints, fr_from_ints, get_engine, ints_from_limbs
from zkrollup.engine.convert import FQ_MODULUS, FR_MODULUS
from zkrollup.engine.interface import U64

Pack = Callable[[list[int]], U64]
FIELDS = [("fr", FR_MODULUS, fr_from_ints), ("fq", FQ_MODULUS, fq_from_ints)]
EACH_FIELD = pytest.mark.parametrize(("field", "modulus", "pack"), FIELDS, ids=["fr", "fq"])


def edges(modulus: int) -> list[int]:
    near = [0, 1, 2, modulus - 1, modulus - 2, (modulus - 1) // 2, (modulus + 1) // 2, (1 << 256) % modulus]
    limbs = [(1 << 32) - 1, 1 << 32, (1 << 64) - 1, 1 << 64, (1 << 128) - 1, (1 << 253) + (1 << 31)]
    full = [(0xFFFFFFFF << 32 * i) % modulus for i in range(8)]
    return [*near, *limbs, *full]


@pytest.mark.parametrize("threads", [1, 3])
@EACH_FIELD
def test_field_vectors__agree_with_integers(field: str, modulus: int, pack: Pack, threads: int) -> None:
    """Every operation on all pairs of edges and on enough random elements for several ranges."""
    engine = get_engine("numba", threads=threads)
    random = np.random.default_rng(5)
    pairs = [(x, y) for x in edges(modulus) for y in edges(modulus)]
    filler = [int.from_bytes(random.bytes(40), "little") % modulus for _ in range(9000)]
    a = [x for x, _ in pairs] + filler
    b = [y for _, y in pairs] + filler[::-1]
    to_mont, from_mont = getattr(engine, f"{field}_to_mont"), getattr(engine, f"{field}_from_mont")
    am, bm = to_mont(pack(a)), to_mont(pack(b))
    assert ints_from_limbs(am) == [(x << 256) % modulus for x in a]
    assert ints_from_limbs(from_mont(am)) == a

    def result(operation: str, *arguments: U64) -> list[int]:
        return ints_from_limbs(from_mont(getattr(engine, f"{field}_{operation}")(*arguments)))

    assert result("add", am, bm) == [(x + y) % modulus for x, y in zip(a, b, strict=True)]
    assert result("sub", am, bm) == [(x - y) % modulus for x, y in zip(a, b, strict=True)]
    assert result("mul", am, bm) == [x * y % modulus for x, y in zip(a, b, strict=True)]
    assert result("mul", am, am) == [x * x % modulus for x in a]
    few = slice(0, 2500)
    assert result("inverse", am[few]) == [pow(x, -1, modulus) if x else 0 for x in a[few]]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
@EACH_FIELD
def test_products__agree_with_integers_on_arbitrary_elements(
    field: str, modulus: int, pack: Pack, data: st.DataObject
) -> None:
    engine = get_engine("numba", threads=1)
    elements = st.one_of(st.sampled_from(edges(modulus)), st.integers(0, modulus - 1))
    a = data.draw(st.lists(elements, min_size=1, max_size=20))
    b = [data.draw(elements) for _ in a]
    got = ints_from_limbs(getattr(engine, f"{field}_mul")(pack(a), pack(b)))
    inverse = pow(1 << 256, -1, modulus)
    assert got == [x * y * inverse % modulus for x, y in zip(a, b, strict=True)]


@EACH_FIELD
def test_inverse__steps_over_zeros_wherever_they_stand(field: str, modulus: int, pack: Pack) -> None:
    engine = get_engine("numba", threads=1)
    inverse, from_mont = getattr(engine, f"{field}_inverse"), getattr(engine, f"{field}_from_mont")
    for values in ([0], [0, 0, 0], [0, 5], [5, 0], [0, 5, 0, 0, 7, 0]):
        array = getattr(engine, f"{field}_to_mont")(pack(values))
        expected = [pow(x, -1, modulus) if x else 0 for x in values]
        assert ints_from_limbs(from_mont(inverse(array))) == expected


@EACH_FIELD
def test_field_vectors__take_empty_and_read_only_arrays(field: str, modulus: int, pack: Pack) -> None:
    engine = get_engine("numba", threads=2)
    empty = np.empty((0, 4), np.uint64)
    frozen = pack([3, modulus - 1])
    frozen.flags.writeable = False
    for operation in ("to_mont", "from_mont", "inverse"):
        assert getattr(engine, f"{field}_{operation}")(empty).shape == (0, 4)
        assert getattr(engine, f"{field}_{operation}")(frozen).shape == (2, 4)
    for operation in ("add", "sub", "mul"):
        assert getattr(engine, f"{field}_{operation}")(empty, empty).shape == (0, 4)
        assert getattr(engine, f"{field}_{operation}")(frozen, frozen).shape == (2, 4)
    assert ints_from_limbs(frozen) == [3, modulus - 1]


@EACH_FIELD
def test_field_vectors__refuse_elements_at_or_above_the_modulus(field: str, modulus: int, pack: Pack) -> None:
    """V12: p, p + 1 and 2^256 - 1 are named by their index, in whichever argument they stand."""
    engine = get_engine("numba", threads=2)
    good = pack(list(range(5000)))
    letter = {"fr": "r", "fq": "q"}[field]
    for value in (modulus, modulus + 1, (1 << 256) - 1):
        bad = good.copy()
        bad[4321] = np.frombuffer(value.to_bytes(32, "little"), np.uint64)
        message = f"element 4321 is not below the modulus {letter}"
        for operation in ("to_mont", "from_mont", "inverse"):
            with pytest.raises(EngineError, match=f"{field}_{operation}: a: {message}"):
                getattr(engine, f"{field}_{operation}")(bad)
        for operation in ("add", "sub", "mul"):
            with pytest.raises(EngineError, match=f"{field}_{operation}: a: {message}"):
                getattr(engine, f"{field}_{operation}")(bad, good)
            with pytest.raises(EngineError, match=f"{field}_{operation}: b: {message}"):
                getattr(engine, f"{field}_{operation}")(good, bad)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ([[1, 0, 0, 0]], "expected a numpy array, got list"),
        (np.zeros((3, 4), np.int64), "expected dtype uint64, got int64"),
        (np.zeros((3, 4)), "expected dtype uint64, got float64"),
        (np.zeros((3, 5), np.uint64), r"expected shape \(n, 4\), got \(3, 5\)"),
        (np.zeros(4, np.uint64), r"expected shape \(n, 4\), got \(4,\)"),
        (np.zeros((3, 4, 1), np.uint64), r"expected shape \(n, 4\), got \(3, 4, 1\)"),
        (np.zeros((6, 4), np.uint64)[::2], "expected a C-contiguous array"),
        (np.zeros((4, 4), np.uint64).T, "expected a C-contiguous array"),
    ],
)
def test_field_vectors__refuse_arrays_of_another_kind(argument: U64, message: str) -> None:
    """V12: the message names the method, the argument and what was expected."""
    engine = get_engine("numba", threads=1)
    with pytest.raises(EngineError, match=f"fr_to_mont: a: {message}"):
        engine.fr_to_mont(argument)
    with pytest.raises(EngineError, match="fq_mul: b: "):
        engine.fq_mul(np.zeros((3, 4), np.uint64), argument)


def test_field_vectors__refuse_lengths_that_differ() -> None:
    engine = get_engine("numba", threads=1)
    with pytest.raises(EngineError, match=r"fr_add: b: expected shape \(3, 4\), got \(2, 4\)"):
        engine.fr_add(np.zeros((3, 4), np.uint64), np.zeros((2, 4), np.uint64))


@pytest.mark.parametrize("threads", [0, -1, 1025, True, "2", 2.0])
def test_engine__refuses_a_number_of_threads_that_is_none(threads: int) -> None:
    from zkrollup.engine.numba_engine import NumbaEngine

    with pytest.raises(EngineError, match=r"threads: expected an integer in 1\.\.1024"):
        NumbaEngine(threads=threads)


def test_engine__says_what_it_is() -> None:
    from zkrollup.engine.numba_engine import NumbaEngine

    engine = NumbaEngine()
    assert (engine.name, engine.cpu) == ("numba", "numba")
    assert engine.threads >= 1
