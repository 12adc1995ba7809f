"""The native engine's curve arithmetic against py_ecc, on every path this machine has.

Points are made from known multiples of the generator, so that every sum is checked by one multiplication.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from py_ecc import optimized_bn128 as bn

from zkrollup.engine import EngineError, available_cpu_paths, fr_from_ints, get_engine
from zkrollup.engine.convert import FQ_MODULUS, fq_from_ints
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64

pytestmark = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")

PATHS = available_cpu_paths()
EDGES = [
    0,
    1,
    R - 1,
    2,
    R - 2,
    (R - 1) // 2,
    (R + 1) // 2,
    1 << 127,
    1 << 253,
    15,
    16,
    (1 << 16) - 1,
    1 << 15,
]


@dataclass(frozen=True, eq=False)
class Group:
    """One group with its generator in py_ecc and the engine's methods by prefix."""

    name: str
    generator: Any
    width: int

    def coordinates(self, point: Any) -> list[int]:
        if bn.is_inf(point):
            return [0] * (self.width // 4)
        x, y = bn.normalize(point)
        return [int(x), int(y)] if self.width == 8 else [int(c) for c in (*x.coeffs, *y.coeffs)]

    def pack(self, points: list[Any]) -> U64:
        """py_ecc points -> (n, width) affine Montgomery."""
        flat = fq_from_ints(c for p in points for c in self.coordinates(p))
        return get_engine("native", cpu="portable", threads=1).fq_to_mont(flat).reshape(-1, self.width)

    def multiple(self, k: int) -> U64:
        return self.pack([bn.multiply(self.generator, k % R)])[0]


G1, G2 = Group("g1", bn.G1, 8), Group("g2", bn.G2, 16)
groups = pytest.mark.parametrize("group", [G1, G2], ids=["g1", "g2"])
paths = pytest.mark.parametrize("cpu", PATHS)


@cache
def known(group: Group) -> tuple[list[int], list[Any], U64]:
    """Multipliers, with the edges first, their points, and those packed."""
    generator = random.Random(11)
    multipliers = EDGES + [generator.randrange(R) for _ in range(20)]
    points = [bn.multiply(group.generator, k) for k in multipliers]
    return multipliers, points, group.pack(points)


def mont(values: list[int]) -> U64:
    return get_engine("native", cpu="portable", threads=1).fr_to_mont(fr_from_ints(values))


@cache
def many(group: Group, n: int, seed: int) -> tuple[list[int], U64]:
    """n random multipliers and their points, made by the portable path from `known`-tested code."""
    generator = random.Random(seed)
    multipliers = [generator.randrange(R) for _ in range(n)]
    engine = get_engine("native", cpu="portable", threads=1)
    make = engine.g1_fixed_base if group.width == 8 else engine.g2_fixed_base
    return multipliers, make(group.multiple(1), mont(multipliers))


@groups
@paths
def test_fixed_base__agrees_with_py_ecc(group: Group, cpu: str) -> None:
    multipliers, _, packed = known(group)
    for threads in (1, 2):
        multiply = getattr(get_engine("native", cpu=cpu, threads=threads), f"{group.name}_fixed_base")
        assert np.array_equal(multiply(group.multiple(1), mont(multipliers)), packed)
        assert not multiply(np.zeros(group.width, dtype=np.uint64), mont(multipliers)).any()
        assert multiply(group.multiple(1), mont([])).shape == (0, group.width)
        other = multiply(packed[20], mont([3, R - 1]))
        assert np.array_equal(other[0], group.multiple(3 * multipliers[20]))
        assert np.array_equal(other[1], group.multiple(-multipliers[20]))


@groups
@paths
def test_fixed_base__in_long_runs_agrees_with_sums(group: Group, cpu: str) -> None:
    """Several chunks and threads; [a]P + [b]P = [a + b]P for all of them at once."""
    engine = get_engine("native", cpu=cpu, threads=2)
    multiply, add = getattr(engine, f"{group.name}_fixed_base"), getattr(engine, f"{group.name}_add")
    n = 2500
    generator = random.Random(5)
    a = [generator.randrange(R) for _ in range(n)]
    b = [generator.randrange(R) if i % 3 else (R - a[i]) % R for i in range(n)]
    base = known(group)[2][18]
    left = add(multiply(base, mont(a)), multiply(base, mont(b)))
    right = multiply(base, mont([(x + y) % R for x, y in zip(a, b, strict=True)]))
    assert np.array_equal(left, right)


@groups
@paths
def test_add__is_complete(group: Group, cpu: str) -> None:
    """Different, equal, opposite and infinite operands, in every combination of the known points."""
    _, points, packed = known(group)
    add = getattr(get_engine("native", cpu=cpu, threads=2), f"{group.name}_add")
    chosen = [0, 1, 2, 3, 4, 5, 6, 14]
    pairs = [(i, j) for i in chosen for j in chosen]
    got = add(packed[[i for i, _ in pairs]], packed[[j for _, j in pairs]])
    assert np.array_equal(got, group.pack([bn.add(points[i], points[j]) for i, j in pairs]))


@groups
@paths
@pytest.mark.parametrize("n", [0, 1, 2, 33])
def test_msm__of_few_points_agrees_with_py_ecc(group: Group, cpu: str, n: int) -> None:
    multipliers, points, packed = known(group)
    engine = get_engine("native", cpu=cpu, threads=2)
    expected = (bn.Z1 if group.width == 8 else bn.Z2) if n == 0 else None
    for k, p in zip(multipliers[:n], points[::-1][:n], strict=True):
        term = bn.multiply(p, k)
        expected = term if expected is None else bn.add(expected, term)
    got = getattr(engine, f"{group.name}_msm")(packed[::-1][:n].copy(), mont(multipliers[:n]))
    assert np.array_equal(got, group.pack([expected])[0])


def scalar_cases(n: int) -> dict[str, list[int]]:
    generator = random.Random(3)
    return {
        "random": [generator.randrange(R) for _ in range(n)],
        "all zero": [0] * n,
        "all one": [1] * n,
        "all minus one": [R - 1] * n,
        "all equal": [generator.randrange(R)] * n,
        "bits": [generator.randrange(2) for _ in range(n)],
        "small": [generator.randrange(1 << 20) for _ in range(n)],
        "edges": [EDGES[generator.randrange(len(EDGES))] for _ in range(n)],
        "a single one": [0] * (n - 1) + [R - 7],
        "mostly bits": [generator.randrange(R) if i % 10 == 0 else i & 1 for i in range(n)],
        "powers of two": [pow(2, i % 254, R) for i in range(n)],
    }


@paths
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("case", list(scalar_cases(1)))
def test_msm__of_many_points_is_right_whatever_the_scalars(case: str, threads: int, cpu: str) -> None:
    """Sizes on both sides of a block of the bucket pass (4096 entries)."""
    engine = get_engine("native", cpu=cpu, threads=threads)
    for n in (128, 700, 9000):
        multipliers, points = many(G1, 9000, 1)
        scalars = scalar_cases(n)[case]
        total = sum(k * s for k, s in zip(multipliers, scalars, strict=False))
        assert np.array_equal(engine.g1_msm(points[:n].copy(), mont(scalars)), G1.multiple(total)), n


@paths
@pytest.mark.parametrize("case", ["random", "all equal", "mostly bits", "edges"])
def test_msm__in_g2_is_right_whatever_the_scalars(case: str, cpu: str) -> None:
    engine = get_engine("native", cpu=cpu, threads=2)
    n = 3000
    multipliers, points = many(G2, n, 2)
    scalars = scalar_cases(n)[case]
    total = sum(k * s for k, s in zip(multipliers, scalars, strict=True))
    assert np.array_equal(engine.g2_msm(points, mont(scalars)), G2.multiple(total))


@groups
@paths
def test_msm__takes_equal_opposite_and_infinite_points(group: Group, cpu: str) -> None:
    """Buckets whose points are all the same, cancel in pairs, or are infinite."""
    multipliers, _, packed = known(group)
    msm = getattr(get_engine("native", cpu=cpu, threads=2), f"{group.name}_msm")
    n = 600
    scalar = 0x1234567 << 90
    k = multipliers[20]
    same = np.tile(packed[20], (n, 1))
    assert np.array_equal(msm(same, mont([scalar] * n)), group.multiple(n * k * scalar))
    assert np.array_equal(msm(same, mont([scalar, R - scalar] * (n // 2))), group.multiple(0))
    opposite = same.copy()
    opposite[::2] = group.multiple(-k)
    assert not msm(opposite, mont([scalar] * n)).any()
    infinite = np.zeros_like(same)
    assert not msm(infinite, mont([scalar] * n)).any()
    infinite[7] = packed[20]
    assert np.array_equal(msm(infinite, mont([scalar] * n)), group.multiple(k * scalar))


@pytest.mark.slow
@paths
def test_msm__with_the_widest_windows_agrees_with_fixed_base(cpu: str) -> None:
    """2^17 points: windows of fifteen bits and lanes of several steps in the bucket reduction."""
    engine = get_engine("native", cpu=cpu, threads=2)
    n = 1 << 17
    generator = np.random.default_rng(1)
    s, t = (generator.integers(0, 1 << 61, (n, 4), dtype=np.uint64) for _ in range(2))
    points = engine.g1_fixed_base(G1.multiple(1), s)
    inner = engine.fr_mul(s, t)
    while len(inner) > 1:
        half = len(inner) // 2
        inner = engine.fr_add(inner[:half].copy(), inner[half:].copy())
    assert np.array_equal(engine.g1_msm(points, t), engine.g1_fixed_base(G1.multiple(1), inner)[0])


@paths
def test_curve_checks__tell_points_from_others(cpu: str) -> None:
    """V4: infinity passes; a wrong coordinate, x + q, and a point of the twist of another order do not."""
    engine = get_engine("native", cpu=cpu, threads=2)
    q_limbs = np.frombuffer(FQ_MODULUS.to_bytes(32, "little"), dtype=np.uint64)
    for group, ask in ((G1, engine.g1_is_on_curve), (G2, engine.g2_is_in_subgroup)):
        packed = known(group)[2]
        assert ask(packed).all()
        wrong = packed.copy()
        wrong[:, -2] ^= np.uint64(1)
        assert not ask(wrong).any()
        shifted = packed.copy()  # an equal coordinate, not canonical
        low = [int(v) for v in shifted[1, :4]]
        value = sum(v << (64 * i) for i, v in enumerate(low)) + FQ_MODULUS
        shifted[1, :4] = np.frombuffer(value.to_bytes(32, "little"), dtype=np.uint64)
        assert ask(shifted).tolist() == [i != 1 for i in range(len(shifted))]
        at_modulus = np.zeros_like(packed[:1])
        at_modulus[0, -4:] = q_limbs
        assert not ask(at_modulus).any()
        assert ask(np.zeros((3, group.width), dtype=np.uint64)).all()
        assert ask(packed[:0]).shape == (0,)


def twist_points_of_any_order(count: int) -> list[Any]:
    """Points of y^2 = x^3 + 3/(9+i) over Fq2, by the complex square root: almost none of order r."""
    p = FQ_MODULUS

    def square_root(c: Any) -> Any | None:
        a, b = (int(v) for v in c.coeffs)
        norm = pow(a * a + b * b, (p + 1) // 4, p)
        if norm * norm % p != (a * a + b * b) % p:
            return None
        for sign in (1, -1):
            half = (a + sign * norm) * pow(2, -1, p) % p
            x = pow(half, (p + 1) // 4, p)
            if x and x * x % p == half:
                return bn.FQ2([x, b * pow(2 * x, -1, p) % p])
        return None

    found: list[Any] = []
    x = 1
    while len(found) < count:
        candidate = bn.FQ2([x, 3])
        y = square_root(candidate * candidate * candidate + bn.b2)
        if y is not None:
            found.append((candidate, y, bn.FQ2.one()))
        x += 1
    return found


@paths
def test_subgroup_check__refuses_points_of_the_twist_outside_the_subgroup(cpu: str) -> None:
    """V4: on the twist, not of order r; and multiplied by the cofactor they pass."""
    engine = get_engine("native", cpu=cpu, threads=1)
    points = twist_points_of_any_order(6)
    packed = G2.pack(points)
    assert engine.g2_is_on_curve(packed).all()  # type: ignore[attr-defined]
    assert not engine.g2_is_in_subgroup(packed).any()
    cofactor = 2 * FQ_MODULUS - R
    assert engine.g2_is_in_subgroup(G2.pack([bn.multiply(p, cofactor) for p in points])).all()
    # a sum of a good point and a bad one is bad
    mixed = engine.g2_add(packed, known(G2)[2][1:7].copy())
    assert not engine.g2_is_in_subgroup(mixed).any()


def test_curve__names_what_is_wrong_with_an_argument() -> None:
    """V12: shapes, lengths, and the index of the first point or scalar that is not reduced."""
    engine = get_engine("native", threads=2)
    points, scalars = known(G1)[2].copy(), mont(known(G1)[0])
    cases: list[tuple[Any, str]] = [
        (lambda: engine.g1_msm(points, scalars[:-1].copy()), r"g1_msm: scalars: expected shape \(33, 4\)"),
        (lambda: engine.g2_msm(points, scalars), r"g2_msm: bases: expected shape \(n, 16\), got \(33, 8\)"),
        (lambda: engine.g1_fixed_base(points, scalars), r"g1_fixed_base: base: expected shape \(8\)"),
        (lambda: engine.g1_add(points, points[:-1].copy()), r"g1_add: b: expected shape \(33, 8\)"),
        (lambda: engine.g1_is_on_curve(points[::2]), "g1_is_on_curve: points: expected a C-contiguous array"),
    ]
    bad_points = points.copy()
    bad_points[9, 4:] = np.uint64(2**64 - 1)
    bad_scalars = scalars.copy()
    bad_scalars[8] = np.uint64(2**64 - 1)
    cases += [
        (lambda: engine.g1_msm(bad_points, scalars), "g1_msm: bases: element 9 is not below the modulus q"),
        (lambda: engine.g1_msm(points, bad_scalars), "g1_msm: scalars: element 8 is not below the modulus r"),
        (lambda: engine.g1_fixed_base(bad_points[9], scalars), "g1_fixed_base: base: element 0 is not below"),
        (lambda: engine.g1_fixed_base(points[1], bad_scalars), "g1_fixed_base: scalars: element 8 is not"),
        (lambda: engine.g1_add(bad_points, points), "g1_add: a: element 9 is not below the modulus q"),
        (lambda: engine.g1_add(points, bad_points), "g1_add: b: element 9 is not below the modulus q"),
    ]
    for call, message in cases:
        with pytest.raises(EngineError, match=message):
            call()


def test_abi__answers_impossible_arguments_with_a_status() -> None:
    """V12: NULL pointers, unknown flags and lengths beyond the limits never reach a kernel."""
    from zkrollup.engine.native_base import load_native

    ffi, lib = load_native()
    holder = ffi.new("zkr_engine **")
    assert lib.zkr_engine_new(ffi.NULL, b"", 1) == lib.ZKR_BADARGS
    assert lib.zkr_engine_new(holder, ffi.NULL, 1) == lib.ZKR_BADARGS
    assert lib.zkr_engine_new(holder, b"", 0) == lib.ZKR_BADARGS
    assert lib.zkr_engine_new(holder, b"mmx", 1) == lib.ZKR_BADARGS
    assert holder[0] == ffi.NULL
    assert lib.zkr_engine_new(holder, b"", 1) == lib.ZKR_OK
    engine = ffi.gc(holder[0], lib.zkr_engine_free)
    limbs: npt.NDArray[np.uint64] = np.zeros(64, dtype=np.uint64)
    data, none = ffi.cast("uint64_t *", limbs.ctypes.data), ffi.NULL
    statuses = {
        "no engine": lib.zkr_fr_mul(none, data, data, data, 1, none),
        "no output": lib.zkr_fr_mul(engine, none, data, data, 1, none),
        "no input": lib.zkr_fr_inverse(engine, data, none, 1, none),
        "a length that overflows": lib.zkr_fr_add(engine, data, data, data, 2**64 - 1, none),
        "transform of none": lib.zkr_fr_ntt(engine, data, data, 0, 0, none),
        "transform of three": lib.zkr_fr_ntt(engine, data, data, 3, 0, none),
        "transform of 2^29": lib.zkr_fr_ntt(engine, data, data, 1 << 29, 0, none),
        "coset of 2^28": lib.zkr_fr_intt(engine, data, data, 1 << 28, 1, none),
        "unknown flags": lib.zkr_fr_intt(engine, data, data, 4, 2, none),
        "msm without output": lib.zkr_g1_msm(engine, none, data, data, 1, none, none),
        "msm without bases": lib.zkr_g2_msm(engine, data, none, data, 1, none, none),
        "msm too long": lib.zkr_g1_msm(engine, data, data, data, 1 << 31, none, none),
        "fixed base without base": lib.zkr_g1_fixed_base(engine, data, none, data, 1, none, none),
        "sum without operand": lib.zkr_g2_add(engine, data, data, none, 1, none, none),
        "question without points": lib.zkr_g1_is_on_curve(engine, ffi.NULL, none, 1),
    }
    assert {name for name, status in statuses.items() if status != lib.ZKR_BADARGS} == set()
    assert lib.zkr_engine_threads(none) == 0
    assert ffi.string(lib.zkr_status_text(99)) == b"unknown status"
