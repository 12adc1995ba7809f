"""Batch Poseidon on every native path against the permutation as the paper states it, in Python integers."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.engine import (
    EngineError,
    PoseidonParameters,
    available_cpu_paths,
    fr_from_ints,
    get_engine,
    ints_from_limbs,
)
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64, Engine

pytestmark = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")

PATHS = available_cpu_paths()
EDGES = [0, 1, 2, R - 1, R - 2, (R - 1) // 2, 1 << 253, (1 << 256) % R, (1 << 260) % R]


def parameters(t: int, full: int, partial: int, seed: int = 1) -> PoseidonParameters:
    """Random round constants with edges among them; a Cauchy matrix, whose minors are all regular."""
    source = random.Random(seed)
    constants = [
        source.choice([source.randrange(R), source.choice(EDGES)]) for _ in range((full + partial) * t)
    ]
    xs = source.sample(range(1, 1 << 60), 2 * t)
    mds = [pow(x + y, -1, R) for x in xs[:t] for y in xs[t:]]
    return PoseidonParameters(t, full, partial, fr_from_ints(constants), fr_from_ints(mds))


def plain(p: PoseidonParameters, inputs: list[int]) -> int:
    """The permutation of [0, inputs]: constants, S-box on all lanes or the first, matrix, every round."""
    constants, mds = ints_from_limbs(p.round_constants), ints_from_limbs(p.mds)
    t, half = p.t, p.rounds_full // 2
    state = [0, *inputs]
    for i in range(p.rounds_full + p.rounds_partial):
        state = [(x + c) % R for x, c in zip(state, constants[i * t : (i + 1) * t], strict=True)]
        boxes = 1 if half <= i < half + p.rounds_partial else t
        state = [pow(x, 5, R) for x in state[:boxes]] + state[boxes:]
        state = [
            sum(m * x for m, x in zip(mds[j * t : (j + 1) * t], state, strict=True)) % R for j in range(t)
        ]
    return state[0]


def mont(engine: Engine, rows: list[list[int]]) -> U64:
    return engine.fr_to_mont(fr_from_ints([x for row in rows for x in row])).reshape(len(rows), -1, 4)


def hashes(engine: Engine, p: PoseidonParameters, rows: list[list[int]]) -> list[int]:
    return ints_from_limbs(engine.fr_from_mont(engine.poseidon(p, mont(engine, rows))))


@pytest.mark.parametrize("t", range(2, 18))
def test_poseidon__agrees_with_the_plain_permutation(t: int) -> None:
    """Every width, as many partial rounds as needed to meet the lazy bounds; edges in every lane."""
    source = random.Random(t)
    p = parameters(t, 8, 70)
    rows = [[edge] * (t - 1) for edge in EDGES]
    rows += [[source.choice([source.randrange(R), *EDGES]) for _ in range(t - 1)] for _ in range(10)]
    expected = [plain(p, row) for row in rows]
    for cpu in PATHS:
        assert hashes(get_engine("native", cpu=cpu, threads=1), p, rows) == expected, cpu


@pytest.mark.parametrize(("full", "partial"), [(2, 0), (2, 1), (4, 2), (6, 17), (8, 300)])
def test_poseidon__agrees_for_any_number_of_rounds(full: int, partial: int) -> None:
    p = parameters(3, full, partial)
    rows = [[x, y] for x in EDGES for y in EDGES[:3]]
    expected = [plain(p, row) for row in rows]
    for cpu in PATHS:
        assert hashes(get_engine("native", cpu=cpu, threads=1), p, rows) == expected, cpu


@pytest.mark.parametrize("cpu", PATHS)
def test_poseidon__gives_the_same_for_any_batch_and_threads(cpu: str) -> None:
    """Full groups of lanes, groups left over, more than one slice for a thread, and none at all."""
    p = parameters(4, 8, 56)
    one, many = (get_engine("native", cpu=cpu, threads=1), get_engine("native", cpu=cpu, threads=3))
    source = random.Random(5)
    inputs = mont(one, [[source.randrange(R) for _ in range(3)] for _ in range(600)])
    expected = many.poseidon(p, inputs)
    for n in [0, 1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 255, 257]:
        assert np.array_equal(one.poseidon(p, inputs[:n].copy()), expected[:n]), n


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_poseidon__agrees_on_arbitrary_inputs(data: st.DataObject) -> None:
    elements = st.one_of(st.sampled_from(EDGES), st.integers(0, R - 1))
    t = data.draw(st.integers(2, 6))
    p = parameters(t, 8, 20, seed=t)
    rows = data.draw(st.lists(st.lists(elements, min_size=t - 1, max_size=t - 1), min_size=1, max_size=5))
    expected = [plain(p, row) for row in rows]
    for cpu in PATHS:
        assert hashes(get_engine("native", cpu=cpu, threads=1), p, rows) == expected, cpu


@pytest.mark.parametrize("cpu", PATHS)
def test_poseidon__refuses_inputs_at_or_above_the_modulus(cpu: str) -> None:
    """V12: the element is named."""
    p = parameters(3, 8, 5)
    inputs = np.zeros((20, 2, 4), dtype=np.uint64)
    inputs[13, 1] = fr_from_ints([R - 1])[0]
    engine = get_engine("native", cpu=cpu, threads=2)
    engine.poseidon(p, inputs)
    inputs[13, 1, 0] += np.uint64(1)
    with pytest.raises(EngineError, match="poseidon: inputs: element 27 is not below the modulus r"):
        engine.poseidon(p, inputs)


def test_poseidon__refuses_malformed_parameters_and_inputs() -> None:
    """V12: shapes, ranges, singular matrices and non-canonical constants, each with its message."""
    engine = get_engine("native", threads=1)
    good = parameters(3, 8, 5)
    inputs = np.zeros((2, 2, 4), dtype=np.uint64)
    high = good.round_constants.copy()
    high[7] = np.uint64(2**64 - 1)
    high_mds = good.mds.copy()
    high_mds[4] = np.uint64(2**64 - 1)
    singular = fr_from_ints([1, 2, 3, 4, 5, 6, 7, 10, 12])
    cases = [
        (replace(good, t=1), "t must be an integer in 2..17, got 1"),
        (replace(good, t=18), "t must be an integer in 2..17, got 18"),
        (replace(good, rounds_full=7), "rounds_full must be even, got 7"),
        (replace(good, rounds_partial=-1), "rounds_partial must be an integer in 0..1024, got -1"),
        (replace(good, rounds_partial=6), r"round_constants: expected shape \(42, 4\), got \(39, 4\)"),
        (replace(good, mds=good.mds[:8].copy()), r"mds: expected shape \(9, 4\), got \(8, 4\)"),
        (replace(good, round_constants=high), "round_constants: element 7 is not below the modulus r"),
        (replace(good, mds=high_mds), "mds: element 4 is not below the modulus r"),
        (replace(good, mds=singular), "mds has no sparse form"),
    ]
    for p, message in cases:
        with pytest.raises(EngineError, match=message):
            engine.poseidon(p, inputs)
    with pytest.raises(EngineError, match=r"poseidon: inputs: expected shape \(n, 2, 4\), got \(2, 3, 4\)"):
        engine.poseidon(good, np.zeros((2, 3, 4), dtype=np.uint64))
