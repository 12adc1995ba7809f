"""The native engine's field vectors against Python integers, on every path this machine has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.engine import EngineError, available_cpu_paths, get_engine, ints_from_limbs
from zkrollup.engine.convert import FQ_MODULUS, FR_MODULUS, fq_from_ints, fr_from_ints
from zkrollup.engine.interface import U64

pytestmark = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")

PATHS = available_cpu_paths()
FIELDS = [("fr", FR_MODULUS, fr_from_ints), ("fq", FQ_MODULUS, fq_from_ints)]
EDGES = {
    p: [0, 1, 2, p - 1, p - 2, (p - 1) // 2, (1 << 256) % p, 1 << 253, (1 << 64) - 1] for _, p, _ in FIELDS
}
EDGES = {p: [x % p for x in values] for p, values in EDGES.items()}

Pack = Callable[[list[int]], U64]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("cpu", PATHS)
@pytest.mark.parametrize(("field", "modulus", "pack"), FIELDS, ids=["fr", "fq"])
def test_field_vectors__agree_with_integers(
    field: str, modulus: int, pack: Pack, cpu: str, threads: int
) -> None:
    """Every operation on random and edge elements, more than one slice long."""
    engine = get_engine("native", cpu=cpu, threads=threads)
    assert (engine.cpu, engine.threads) == (cpu, threads)
    random = np.random.default_rng(7)
    edges = [(x, y) for x in EDGES[modulus] for y in EDGES[modulus]]
    filler = [int.from_bytes(random.bytes(40), "little") % modulus for _ in range(5000)]
    a = [x for x, _ in edges] + filler
    b = [y for _, y in edges] + filler[::-1]
    to_mont, from_mont = getattr(engine, f"{field}_to_mont"), getattr(engine, f"{field}_from_mont")
    am, bm = to_mont(pack(a)), to_mont(pack(b))
    assert ints_from_limbs(am) == [(x << 256) % modulus for x in a]

    def result(operation: str, *arguments: U64) -> list[int]:
        return ints_from_limbs(from_mont(getattr(engine, f"{field}_{operation}")(*arguments)))

    assert ints_from_limbs(from_mont(am)) == a
    assert result("add", am, bm) == [(x + y) % modulus for x, y in zip(a, b, strict=True)]
    assert result("sub", am, bm) == [(x - y) % modulus for x, y in zip(a, b, strict=True)]
    assert result("mul", am, bm) == [x * y % modulus for x, y in zip(a, b, strict=True)]
    assert result("mul", am, am) == [x * x % modulus for x in a]
    assert result("inverse", am) == [pow(x, -1, modulus) if x else 0 for x in a]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_fr_products__agree_with_integers_on_arbitrary_elements(data: st.DataObject) -> None:
    elements = st.one_of(st.sampled_from(EDGES[FR_MODULUS]), st.integers(0, FR_MODULUS - 1))
    a = data.draw(st.lists(elements, min_size=1, max_size=20))
    b = [data.draw(elements) for _ in a]
    for cpu in PATHS:
        engine = get_engine("native", cpu=cpu, threads=1)
        got = engine.fr_mul(engine.fr_to_mont(fr_from_ints(a)), engine.fr_to_mont(fr_from_ints(b)))
        assert ints_from_limbs(engine.fr_from_mont(got)) == [
            x * y % FR_MODULUS for x, y in zip(a, b, strict=True)
        ]


@pytest.mark.parametrize("cpu", PATHS)
@pytest.mark.parametrize(("field", "modulus", "pack"), FIELDS, ids=["fr", "fq"])
@pytest.mark.parametrize("offset", [0, 1, None])
def test_field_vectors__refuse_elements_at_or_above_the_modulus(
    field: str, modulus: int, pack: Pack, offset: int | None, cpu: str
) -> None:
    """V12: p, p + 1 and 2^256 - 1 are named by their index, in whichever argument they stand."""
    engine = get_engine("native", cpu=cpu, threads=2)
    good = pack(list(range(9000)))
    bad = good.copy()
    value = (1 << 256) - 1 if offset is None else modulus + offset
    bad[8500] = np.frombuffer(value.to_bytes(32, "little"), dtype=np.uint64)
    bad[8700] = bad[8500]
    for operation in ("to_mont", "from_mont", "inverse"):
        with pytest.raises(
            EngineError, match=rf"{field}_{operation}: a: element 8500 is not below the modulus"
        ):
            getattr(engine, f"{field}_{operation}")(bad)
    for operation in ("add", "sub", "mul"):
        with pytest.raises(EngineError, match=rf"{field}_{operation}: b: element 8500 is not below"):
            getattr(engine, f"{field}_{operation}")(good, bad)


def test_field_vectors__name_what_is_wrong_with_an_argument() -> None:
    """V12: dtype, shape, length and contiguity are checked before C sees anything."""
    engine = get_engine("native", threads=1)
    good = fr_from_ints(range(6))
    cases: list[tuple[object, str]] = [
        ([1, 2, 3, 4], "expected a numpy array, got list"),
        (good.astype(np.int64), "expected dtype uint64, got int64"),
        (good.reshape(-1), r"expected shape \(n, 4\), got \(24,\)"),
        (good.reshape(3, 8), r"expected shape \(n, 4\), got \(3, 8\)"),
        (good[::2], "expected a C-contiguous array"),
    ]
    for argument, message in cases:
        with pytest.raises(EngineError, match=message):
            engine.fr_to_mont(argument)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match=r"fr_mul: b: expected shape \(6, 4\), got \(5, 4\)"):
        engine.fr_mul(good, good[:5].copy())


def test_field_vectors__of_no_elements_are_empty() -> None:
    engine = get_engine("native", threads=2)
    empty = np.empty((0, 4), dtype=np.uint64)
    for operation in ("to_mont", "from_mont", "inverse"):
        assert getattr(engine, f"fr_{operation}")(empty).shape == (0, 4)
    assert engine.fq_mul(empty, empty).shape == (0, 4)


def test_conversion__takes_negative_and_large_integers_and_gives_back_limbs() -> None:
    assert ints_from_limbs(fr_from_ints([-1, FR_MODULUS, 1 << 300])) == [
        FR_MODULUS - 1,
        0,
        (1 << 300) % FR_MODULUS,
    ]
    assert ints_from_limbs(fq_from_ints([-1])) == [FQ_MODULUS - 1]
    assert ints_from_limbs(np.full((1, 2, 4), 2**64 - 1, dtype=np.uint64)) == [2**256 - 1] * 2
    with pytest.raises(EngineError, match=r"expected uint64 of shape \(..., 4\)"):
        ints_from_limbs(np.zeros((2, 3), dtype=np.uint64))


@pytest.mark.parametrize("cpu", [*PATHS, "numba"])
def test_repeated_products__are_a_power(cpu: str) -> None:
    """x y^k by k products, on random and edge elements; no product is skipped or done twice."""
    engine = get_engine("numba") if cpu == "numba" else get_engine("native", cpu=cpu, threads=1)
    draw = np.random.default_rng(3)
    values = (EDGES[FR_MODULUS] + [int.from_bytes(draw.bytes(40), "little") % FR_MODULUS for _ in range(32)])[
        :32
    ]
    x = engine.fr_to_mont(fr_from_ints(values))
    for y in (0, 1, FR_MODULUS - 1, values[20]):
        factor = engine.fr_to_mont(fr_from_ints([y]))[0]
        for rounds in (0, 1, 2, 3, 1000):
            got = ints_from_limbs(engine.fr_from_mont(engine.fr_mul_repeat(x, factor, rounds)))
            assert got == [v * pow(y, rounds, FR_MODULUS) % FR_MODULUS for v in values]


@pytest.mark.parametrize("engine", ["native", "numba"])
def test_repeated_products__name_what_is_wrong_with_an_argument(engine: str) -> None:
    chosen = get_engine(engine, threads=1)
    good, one = np.zeros((32, 4), dtype=np.uint64), np.zeros(4, dtype=np.uint64)
    with pytest.raises(EngineError, match="fr_mul_repeat: a: expected shape"):
        chosen.fr_mul_repeat(good[:31], one, 1)
    with pytest.raises(EngineError, match="fr_mul_repeat: b: expected shape"):
        chosen.fr_mul_repeat(good, good[:2], 1)
    with pytest.raises(EngineError, match="fr_mul_repeat: rounds: expected 0"):
        chosen.fr_mul_repeat(good, one, -1)
    bad = good.copy()
    bad[5] = 2**64 - 1
    with pytest.raises(EngineError, match="fr_mul_repeat: a: element 5 is not below the modulus r"):
        chosen.fr_mul_repeat(bad, one, 1)
    with pytest.raises(EngineError, match="fr_mul_repeat: b: element 0 is not below the modulus r"):
        chosen.fr_mul_repeat(good, bad[5], 1)
