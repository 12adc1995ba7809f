"""The sums of a proof in one call, against multiples known beforehand and against the numba engine.

Keys are made of known multiples of the generators, so that each sum is checked by one multiplication.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zkrollup.engine import (
    EngineError,
    Layout,
    available_cpu_paths,
    get_engine,
    ints_from_limbs,
)
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U32, U64, ProofSums
from zkrollup.engine.prove_memory import MemoryBoundError, least_memory, steps_within, sums_memory

sys.path.insert(0, str(Path(__file__).parent))
from test_native_curve import G1, G2, many, mont
from test_native_groth16 import random_circuit

PATHS = available_cpu_paths()
pytestmark = pytest.mark.skipif(not PATHS, reason="the native engine was not built")
paths = pytest.mark.parametrize("cpu", PATHS)
NAMES = [field.name for field in fields(ProofSums)]


@dataclass
class Key:
    """The queries of a key, and by which number each point multiplies the generator."""

    a: U64
    b_columns: U32
    b1: U64
    b2: U64
    l: U64  # noqa: E741
    h: U64
    multipliers: dict[str, list[int]]


def make_key(layout: Layout, seed: int, *, in_b: float = 0.4, infinite: float = 0.1) -> Key:
    """Random queries; that share of A's points is infinite, that share of the wires is in B."""
    draw = random.Random(seed)
    n, m = layout.num_columns, layout.domain_size
    columns = [c for c in range(n) if draw.random() < in_b]
    multipliers, arrays = {}, {}
    counts = {"a": n, "b1": len(columns), "b2": len(columns), "l": n - layout.num_public - 1, "h": m}
    for name, count in counts.items():
        group = G2 if name == "b2" else G1
        known, points = many(group, max(counts.values()), seed)
        shift = draw.randrange(len(known))
        multipliers[name] = (known[shift:] + known[:shift])[:count]
        arrays[name] = np.roll(points, -shift, axis=0)[:count].copy()
    for i in range(n):
        if draw.random() < infinite:
            multipliers["a"][i] = 0
            arrays["a"][i] = 0
    return Key(b_columns=np.array(columns, dtype=np.uint32), multipliers=multipliers, **arrays)


def expected(key: Key, layout: Layout, witness: list[int]) -> dict[str, U64]:
    """The five sums by plain integers; the quotient is the engine's, which has its own tests."""
    engine = get_engine("native", cpu="portable", threads=1)
    quotient = ints_from_limbs(engine.fr_from_mont(engine.groth16_quotient(layout, mont(witness))))
    in_b = [witness[c] for c in key.b_columns]
    scalars = {"a": witness, "b1": in_b, "b2": in_b, "l": witness[layout.num_public + 1 :], "h": quotient}
    return {
        name: (G2 if name == "b2" else G1).multiple(
            sum(k * s for k, s in zip(key.multipliers[name], scalars[name], strict=True))
        )
        for name in NAMES
    }


def assert_sums(got: ProofSums, wanted: dict[str, U64]) -> None:
    for name in NAMES:
        assert np.array_equal(getattr(got, name), wanted[name]), name


def layout_of(wires: int) -> Layout:
    """A circuit of about that many wires."""
    return random_circuit(1, instances=max(1, wires // 9 - 1)).layout


def witness_of(kind: str, count: int, seed: int = 0) -> list[int]:
    draw = random.Random(seed)
    one: Callable[[], int] = {
        "random": lambda: draw.randrange(R),
        "bits": lambda: draw.choice(
            [0, 0, 1, 1, 1, R - 1, 2, draw.randrange(R) if draw.random() < 0.1 else 0]
        ),
        "minus one": lambda: R - 1,
        "all equal": lambda: 0x1234567890ABCDEF << 130,
        "one bucket": lambda: 3,
        "zeros": lambda: 0,
        "edges": lambda: draw.choice([0, 1, R - 1, R - 2, (R - 1) // 2, (R + 1) // 2, 1 << 253, 1 << 15]),
    }[kind]
    return [one() for _ in range(count)]


@paths
@pytest.mark.parametrize("kind", ["random", "bits", "minus one", "all equal", "one bucket", "zeros", "edges"])
def test_groth16_sums__are_those_of_the_known_multiples(cpu: str, kind: str) -> None:
    layout = layout_of(600)
    key = make_key(layout, 5)
    witness = witness_of(kind, layout.num_columns)
    wanted = expected(key, layout, witness)
    for threads in (1, 2, 3, 8):
        engine = get_engine("native", cpu=cpu, threads=threads)
        assert_sums(engine.groth16_sums(key, layout, mont(witness)), wanted)


@paths
@pytest.mark.parametrize("wires", [1, 90, 127, 128, 140, 5000])
def test_groth16_sums__hold_around_the_sizes_where_the_method_changes(cpu: str, wires: int) -> None:
    layout = layout_of(wires)
    for in_b, infinite in ((0.3, 0.0), (0.02, 0.9), (1.0, 0.2), (0.0, 1.0)):
        key = make_key(layout, 6, in_b=in_b, infinite=infinite)
        witness = witness_of("random" if in_b else "bits", layout.num_columns)
        engine = get_engine("native", cpu=cpu, threads=2)
        assert_sums(engine.groth16_sums(key, layout, mont(witness)), expected(key, layout, witness))


@paths
@pytest.mark.parametrize("bits", [5, 8, 13, 16])
def test_groth16_sums__hold_for_windows_of_any_size(cpu: str, bits: int) -> None:
    layout = layout_of(3000)
    key = make_key(layout, 7, in_b=0.1)
    witness = witness_of("random", layout.num_columns)
    engine = get_engine("native", cpu=cpu, threads=2)
    assert engine._lib.zkr_engine_set_window(engine._handle, bits) == 0
    try:
        assert_sums(engine.groth16_sums(key, layout, mont(witness)), expected(key, layout, witness))
    finally:
        engine._lib.zkr_engine_set_window(engine._handle, 0)
    assert engine._lib.zkr_engine_set_window(engine._handle, 17) == engine._lib.ZKR_BADARGS


@paths
def test_groth16_sums__equal_and_opposite_points_meet_in_one_bucket(cpu: str) -> None:
    layout = layout_of(700)
    key = make_key(layout, 8, infinite=0)
    for name in ("a", "b1", "b2", "l", "h"):
        points, multipliers = getattr(key, name), key.multipliers[name]
        first, negated, multiplier = points[0].copy(), points[0].copy(), multipliers[0]
        half = len(negated) // 2
        engine = get_engine("native", cpu="portable", threads=1)
        zero = np.zeros((half // 4, 4), dtype=np.uint64)
        negated[half:] = engine.fq_sub(zero, negated[half:].reshape(-1, 4)).reshape(-1)
        for i in range(len(points)):
            points[i], multipliers[i] = (first, multiplier) if i % 3 else (negated, R - multiplier)
    for kind in ("all equal", "one bucket", "random"):
        witness = witness_of(kind, layout.num_columns)
        got = get_engine("native", cpu=cpu, threads=2).groth16_sums(key, layout, mont(witness))
        assert_sums(got, expected(key, layout, witness))


def whole_b(key: Key, layout: Layout) -> Key:
    """The same with a point for each wire in B, those outside b_columns wrong."""
    b1, b2 = (np.full((layout.num_columns, width), 7, dtype=np.uint64) for width in (8, 16))
    b1[key.b_columns], b2[key.b_columns] = key.b1, key.b2
    return Key(key.a, key.b_columns, b1, b2, key.l, key.h, key.multipliers)


def mapped(key: Key, folder: Path, shift: int) -> Key:
    """The same with all queries in one mapped file, each ``shift`` bytes behind a multiple of 16."""
    names = ("a", "b1", "b2", "l", "h")
    blob, offsets = bytearray(), {}
    for name in names:
        blob += bytes(-len(blob) % 16 + shift)
        offsets[name] = len(blob)
        blob += getattr(key, name).tobytes()
    path = folder / f"key{shift}_{len(key.b1)}"
    path.write_bytes(blob)
    data = np.memmap(path, dtype=np.uint8, mode="r")
    views = {}
    for name in names:
        array = getattr(key, name)
        views[name] = data[offsets[name] : offsets[name] + array.nbytes].view("<u8").reshape(array.shape)
    return Key(b_columns=key.b_columns, multipliers=key.multipliers, **views)


@paths
def test_groth16_sums__read_keys_where_they_lie(cpu: str, tmp_path: Path) -> None:
    layout = layout_of(2000)
    key = make_key(layout, 9)
    witness = witness_of("random", layout.num_columns)
    wanted = expected(key, layout, witness)
    engine = get_engine("native", cpu=cpu, threads=2)
    for shift in (0, 4, 9):
        for lying in (mapped(key, tmp_path, shift), mapped(whole_b(key, layout), tmp_path, shift)):
            assert_sums(engine.groth16_sums(lying, layout, mont(witness)), wanted)


@pytest.mark.parametrize("name", ["native", "numba"])
def test_groth16_sums__within_a_bound_are_the_same(name: str, tmp_path: Path) -> None:
    layout = layout_of(2000 if name == "native" else 200)
    key = make_key(layout, 10)
    witness = witness_of("random", layout.num_columns)
    wanted = expected(key, layout, witness)
    engine = get_engine(name, threads=2)
    lying = mapped(whole_b(key, layout), tmp_path, 4)
    least, most = least_memory(lying, layout, 2), sums_memory(lying, layout, 2)
    assert least < most
    kinds = set()
    for memory in (least, least + (most - least) // 20, (least + most) // 2, most - 1, most):
        kinds.add(len(steps_within(memory, lying, layout, 2)))
        assert_sums(engine.groth16_sums(lying, layout, mont(witness), memory=memory), wanted)
    assert len(kinds) > 2
    with pytest.raises(MemoryBoundError) as caught:
        engine.groth16_sums(lying, layout, mont(witness), memory=least - 1)
    assert caught.value.least == least
    need = -(-least >> 20)
    assert str(caught.value).startswith(
        f"memory: a proof with this key needs at least {need} MiB at once, got "
    )


def test_groth16_sums__may_run_in_two_threads_at_once() -> None:
    layout = layout_of(3000)
    key = make_key(layout, 11)
    engine = get_engine("native", threads=3)
    witnesses = [witness_of(kind, layout.num_columns, 3) for kind in ("random", "bits")]
    wanted = [expected(key, layout, witness) for witness in witnesses]
    results: list[list[ProofSums]] = [[], []]

    def work(which: int) -> None:
        values = mont(witnesses[which])
        for _ in range(5):
            results[which].append(engine.groth16_sums(key, layout, values))

    workers = [threading.Thread(target=work, args=(which,)) for which in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for which in range(2):
        assert len(results[which]) == 5
        for got in results[which]:
            assert_sums(got, wanted[which])


def test_groth16_sums__numba_agrees() -> None:
    layout = layout_of(300)
    key = make_key(layout, 12)
    witness = witness_of("edges", layout.num_columns)
    for each in (key, whole_b(key, layout)):
        got = get_engine("numba", threads=2).groth16_sums(each, layout, mont(witness))
        assert_sums(got, expected(key, layout, witness))


def refusal(engine: Any, key: Key, layout: Layout, witness: U64) -> str:
    with pytest.raises(EngineError) as caught:
        engine.groth16_sums(key, layout, witness)
    return str(caught.value)


def test_groth16_sums__refusals_name_what_is_wrong() -> None:
    layout = layout_of(300)
    key = make_key(layout, 13)
    witness = mont(witness_of("random", layout.num_columns))
    native, numba = get_engine("native", threads=2), get_engine("numba", threads=2)

    def changed(**arrays: Any) -> Key:
        return Key(**{f.name: arrays.get(f.name, getattr(key, f.name)) for f in fields(Key)})

    n = layout.num_columns
    for broken, text in (
        (changed(a=key.a[1:]), f"groth16_sums: a: expected shape ({n}, 8), got ({n - 1}, 8)"),
        (changed(h=key.h[:-1]), f"groth16_sums: h: expected shape ({layout.domain_size}, 8)"),
        (changed(b1=key.b1[1:]), f"groth16_sums: b1: expected shape ({len(key.b_columns)}, 8)"),
        (changed(b_columns=key.b_columns[::-1].copy()), "groth16_sums: b_columns: expected columns below"),
        (changed(b_columns=key.b_columns + np.uint32(n)), f"expected columns below {n}, ascending"),
    ):
        for engine in (native, numba):
            assert text in refusal(engine, broken, layout, witness)
    high = witness.copy()
    high[17] = 2**64 - 1
    for engine in (native, numba):
        told = refusal(engine, key, layout, high)
        assert "groth16_sums: witness: element 17 is not below the modulus r" in told
    for name in NAMES:
        points = getattr(key, name).copy()
        points[3, 4:8] = 2**64 - 1
        told = refusal(native, changed(**{name: points}), layout, witness)
        assert told == f"groth16_sums: {name}: point 3 has a coordinate that is not below the modulus q"
