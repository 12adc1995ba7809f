"""The two engines side by side: the same inputs give the same bytes, and refusals the same words."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import poseidon_parameters
from zkrollup.engine import (
    TEMPORARY,
    Block,
    EngineError,
    Layout,
    Matrix,
    Opcode,
    PoseidonParameters,
    Program,
    SetupResult,
    available_cpu_paths,
    fq_from_ints,
    fr_from_ints,
    get_engine,
)
from zkrollup.engine.convert import FQ_MODULUS as Q
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64

PATHS = available_cpu_paths()
pytestmark = pytest.mark.skipif(not PATHS, reason="the native engine was not built")
NUMBA: Any = get_engine("numba", threads=2)
EDGES = [0, 1, 2, R - 1, R - 2, (R - 1) // 2, 1 << 253, (1 << 128) - 1, 1 << 64, (1 << 256) % R]


@pytest.fixture(scope="module", params=PATHS)
def native(request: pytest.FixtureRequest) -> Any:
    return get_engine("native", cpu=request.param, threads=2)


def mont(values: list[int], *shape: int) -> U64:
    return fr_from_ints([(x << 256) % R for x in values]).reshape(*(shape or (-1,)), 4)


def some(n: int, seed: int = 1) -> list[int]:
    """The edges first, then random elements."""
    source = random.Random(seed)
    return [*EDGES, *(source.randrange(R) for _ in range(n))][:n]


def assert_same(left: Any, right: Any) -> None:
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    assert left.tobytes() == right.tobytes()


def refusal(call: Any) -> str:
    with pytest.raises(EngineError) as caught:
        call()
    return str(caught.value)


# -- vectors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1000, 9001])
def test_fields__give_the_same_bytes(native: Any, n: int) -> None:
    for field, pack, modulus in (("fr", fr_from_ints, R), ("fq", fq_from_ints, Q)):
        a = pack([*some(n), modulus - 1][-n:] if n else [])
        b = np.ascontiguousarray(pack(some(n, 2))[::-1])
        for name in ("to_mont", "from_mont", "inverse"):
            assert_same(getattr(native, f"{field}_{name}")(a), getattr(NUMBA, f"{field}_{name}")(a))
        for name in ("add", "sub", "mul"):
            method = f"{field}_{name}"
            assert_same(getattr(native, method)(a, b), getattr(NUMBA, method)(a, b))


@pytest.mark.parametrize("coset", [False, True])
@pytest.mark.parametrize("bits", [0, 1, 2, 3, 4, 7, 10, 13])
def test_transforms__give_the_same_bytes(native: Any, bits: int, coset: bool) -> None:
    a = mont(some(1 << bits))
    assert_same(native.ntt(a, coset=coset), NUMBA.ntt(a, coset=coset))
    assert_same(native.intt(a, coset=coset), NUMBA.intt(a, coset=coset))


# -- curve -----------------------------------------------------------------------------------------


def generator(group: str) -> U64:
    g1 = [1, 2]
    g2 = [
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ]
    return fq_from_ints([(x << 256) % Q for x in (g1 if group == "g1" else g2)]).reshape(-1)


@pytest.mark.parametrize("group", ["g1", "g2"])
@pytest.mark.parametrize("n", [0, 1, 2, 33, 700])
def test_fixed_base_and_msm__give_the_same_bytes(native: Any, group: str, n: int) -> None:
    """Points with infinity, equal and opposite ones among them; scalars with edges, small and equal ones."""
    logs = [*some(n), 7, 7, R - 7][-n:] if n else []
    base = generator(group)
    fixed = f"{group}_fixed_base"
    points = getattr(native, fixed)(base, mont(logs))
    assert_same(points, getattr(NUMBA, fixed)(base, mont(logs)))
    msm = f"{group}_msm"
    for scalars in (some(n, 3)[::-1], [5] * n, [k % 2 for k in range(n)], [R - 1] * n, [0] * n):
        assert_same(getattr(native, msm)(points, mont(scalars)), getattr(NUMBA, msm)(points, mont(scalars)))


@pytest.mark.parametrize("group", ["g1", "g2"])
def test_add__gives_the_same_bytes(native: Any, group: str) -> None:
    """All pairs of 0, 1, 2, -1, -2 and a random multiple of the generator."""
    logs = [0, 1, 2, R - 1, R - 2, 987654321]
    points = getattr(native, f"{group}_fixed_base")(generator(group), mont(logs))
    left = np.repeat(points, len(logs), axis=0)
    right = np.tile(points, (len(logs), 1))
    add = f"{group}_add"
    assert_same(getattr(native, add)(left, right), getattr(NUMBA, add)(left, right))


def test_point_checks__give_the_same_answers(native: Any) -> None:
    """Points, infinity, mutated points, unreduced coordinates, and points of the twist by chance."""
    source = random.Random(4)
    for group, name in (("g1", "g1_is_on_curve"), ("g2", "g2_is_in_subgroup")):
        points = getattr(native, f"{group}_fixed_base")(generator(group), mont(some(40)))
        for i in range(12, 40):
            points[i, source.randrange(points.shape[1])] ^= np.uint64(1 << source.randrange(64))
        points[11, -4:] = np.frombuffer((Q + 2).to_bytes(32, "little"), np.uint64)
        got = getattr(native, name)(points)
        assert_same(got, getattr(NUMBA, name)(points))
        assert got[:10].all()
        assert not got[11:].any()


# -- circuits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [2, 3, 5, 6, 17])
def test_poseidon__gives_the_same_bytes(native: Any, t: int) -> None:
    table = poseidon_parameters(t)
    parameters = PoseidonParameters(
        t, table.rounds_full, table.rounds_partial, table.round_constants_canonical(), table.mds_canonical()
    )
    inputs = mont(some(19 * (t - 1)), 19, t - 1)
    assert_same(native.poseidon(parameters, inputs), NUMBA.poseidon(parameters, inputs))


UNARY = [Opcode.COPY, Opcode.INVERSE_OR_ZERO, Opcode.IS_ZERO]
BINARY = [Opcode.MUL, Opcode.ADD, Opcode.SUB, Opcode.DIVIDE_OR_ZERO, Opcode.LESS_THAN]


def random_program(source: random.Random, length: int) -> Program:
    links, inputs = source.randint(1, 3), source.randint(1, 3)
    readable = list(range(links + inputs))
    own, temporaries = inputs, 0
    words: list[int] = []
    for _ in range(length):
        count = source.choice([1, 1, 1, 1, 2, 65, 254])
        if source.random() < 0.4:
            target = TEMPORARY + temporaries
            temporaries += count
        else:
            target = links + own
            own += count
        a, b = source.choice(readable), source.choice(readable)
        if count == 1 and source.random() < 0.4:
            terms = [
                x for _ in range(source.randint(0, 9)) for x in (source.choice(readable), source.randrange(6))
            ]
            operands = [Opcode.LC, target, source.randrange(6), *terms]
        elif count == 1 and source.random() < 0.3:
            operands = [source.choice(UNARY), target, a]
        elif count == 1:
            operands = [source.choice(BINARY), target, a, b]
        elif count == 2:
            operands = [Opcode.DIVMOD, target, target + 1, a, b]
        else:
            operands = [Opcode.BITS, target, a, count]
        words += [operands[0] | len(operands) << 8, *operands[1:]]
        readable += range(target, target + count)
    table = mont([0, 1, R - 1, R - 5, 7, source.randrange(R)])
    return Program(np.array(words, np.uint32), table, links, inputs, own, temporaries)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 40), length=st.integers(0, 60), n=st.integers(1, 19))
def test_replay__gives_the_same_bytes(seed: int, length: int, n: int) -> None:
    source = random.Random(seed)
    program = random_program(source, length)
    links = [x for _ in range(n) for x in [1, *(source.choice(EDGES) for _ in range(program.num_links - 1))]]
    inputs = [source.choice([*EDGES, source.randrange(R)]) for _ in range(n * program.num_inputs)]
    arguments = mont(links, n, program.num_links), mont(inputs, n, program.num_inputs)
    expected = NUMBA.replay(program, *arguments)
    for cpu in PATHS:
        assert_same(get_engine("native", cpu=cpu, threads=2).replay(program, *arguments), expected)


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, 40),
    word=st.one_of(st.integers(0, 30), st.integers(TEMPORARY, TEMPORARY + 2), st.integers(0, 2**32 - 1)),
)
def test_replay__mutated_programs_are_refused_in_the_same_words(at: int, word: int) -> None:
    """V12: for any changed word both engines refuse, in the same words, or both give the same bytes."""
    program = random_program(random.Random(8), 12)
    words = program.words.copy()
    words[at % len(words)] = word
    changed = Program(
        words,
        program.constants,
        program.num_links,
        program.num_inputs,
        program.num_own,
        program.num_temporaries,
    )
    arguments = (
        mont([1, 2, 3][: program.num_links], 1, program.num_links),
        mont([R - 1, 5, 6][: program.num_inputs], 1, program.num_inputs),
    )
    outcomes = []
    for engine in (get_engine("native", threads=1), NUMBA):
        try:
            outcomes.append(engine.replay(changed, *arguments).tolist())
        except EngineError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def random_layout(seed: int) -> tuple[Layout, U64]:
    source = random.Random(seed)

    def matrix(rows: int, columns: int) -> Matrix:
        lengths = [source.randint(0, 6) for _ in range(rows)]
        total = sum(lengths)
        return Matrix(
            np.cumsum([0, *lengths]).astype(np.uint32),
            np.array([source.randrange(columns) for _ in range(total)], np.uint32),
            np.array([source.randrange(7) for _ in range(total)], np.uint32),
        )

    num_public = source.randint(0, 3)
    shapes = [(5, 3, 4, 6), (70, 2, 30, 1), (3, 1, 1, 40)]  # rows, links, own, instances
    num_columns = num_public + 1 + sum(own * n for _, _, own, n in shapes)
    column, row = num_public + 1, 0
    blocks = []
    for rows, links, own, n in shapes:
        table = [[0, *(source.randrange(num_columns) for _ in range(links - 1))] for _ in range(n)]
        a, b, c = (matrix(rows, links + own) for _ in range(3))
        constants = mont([0, 1, R - 1, *some(14, seed)[10:]])
        blocks.append(Block(rows, links, own, n, a, b, c, constants, np.array(table, np.uint32), column, row))
        column += own * n
        row += rows * n
    values = [1, *(source.choice([*EDGES, source.randrange(R)]) for _ in range(num_columns - 1))]
    return Layout(num_columns, num_public, row, tuple(blocks)), mont(values)


@pytest.mark.parametrize("seed", range(4))
def test_r1cs_and_quotient__give_the_same_bytes(native: Any, seed: int) -> None:
    layout, witness = random_layout(seed)
    for left, right in zip(
        native.r1cs_products(layout, witness), NUMBA.r1cs_products(layout, witness), strict=True
    ):
        assert_same(left, right)
    assert_same(native.r1cs_violations(layout, witness), NUMBA.r1cs_violations(layout, witness))
    assert_same(native.groth16_quotient(layout, witness), NUMBA.groth16_quotient(layout, witness))


# -- Groth16 ---------------------------------------------------------------------------------------


def multiplication() -> tuple[Layout, U64, U64]:
    """x y = z with z public, fifty times over links; the layout, a witness, the public inputs canonical."""

    def row(*entries: tuple[int, int]) -> Matrix:
        return Matrix(
            np.array([0, len(entries)], np.uint32),
            np.array([c for c, _ in entries], np.uint32),
            np.array([k for _, k in entries], np.uint32),
        )

    n = 50
    z = [x * (x + 3) % R for x in some(n)]
    block = Block(
        1,
        2,
        2,
        n,
        row((2, 1)),
        row((3, 1), (0, 3)),
        row((1, 1)),
        mont([0, 1, R - 1, 1]),
        np.array([[0, 1 + i] for i in range(n)], np.uint32),
        1 + n,
        0,
    )
    own = [v for x in some(n) for v in (x, (x + 2) % R)]
    return Layout(1 + 3 * n, n, n, (block,)), mont([1, *z, *own]), fr_from_ints(z)


def prove(engine: Any, layout: Layout, key: SetupResult, witness: U64) -> U64:
    """A proof with fixed blinding factors, so that both engines must make the same bytes."""
    r, s = 1234567, 7654321
    one, r_mont, s_mont, minus_rs = (mont([x]) for x in (1, r, s, -r * s % R))

    def msm(width: int, *terms: tuple[U64, U64]) -> U64:
        points = np.concatenate([p.reshape(-1, width) for p, _ in terms])
        scalars = np.concatenate([k for _, k in terms])
        return engine.g1_msm(points, scalars) if width == 8 else engine.g2_msm(points, scalars)

    b_values = witness[key.b_columns]
    a = msm(8, (key.alpha1, one), (key.a, witness), (key.delta1, r_mont))
    b = msm(16, (key.beta2, one), (key.b2, b_values), (key.delta2, s_mont))
    b1 = msm(8, (key.beta1, one), (key.b1, b_values), (key.delta1, s_mont))
    h = engine.groth16_quotient(layout, witness)
    private = witness[layout.num_public + 1 :]
    c = msm(8, (key.l, private), (key.h, h), (a, s_mont), (b1, r_mont), (key.delta1, minus_rs))
    return np.concatenate([a, b, c])


def vk_bytes(key: SetupResult) -> bytes:
    return b"".join(x.tobytes() for x in (key.alpha1, key.beta2, key.gamma2, key.delta2, key.ic))


def test_groth16__each_engine_proves_with_the_other_ones_key(native: Any) -> None:
    """Same bytes of a proof from either, verified by both; every mutation judged alike."""
    layout, witness, public = multiplication()
    assert not len(NUMBA.r1cs_violations(layout, witness))
    source = random.Random(3)
    for maker in (native, NUMBA):
        key = maker.groth16_setup(layout)
        proof = prove(native, layout, key, witness)
        assert_same(proof, prove(NUMBA, layout, key, witness))
        proofs, publics = np.tile(proof, (40, 1)), np.tile(public, (40, 1, 1))
        for i in range(1, 40):
            if i < 30:
                proofs[i, source.randrange(32)] ^= np.uint64(1 << source.randrange(64))
            else:
                publics[i, source.randrange(len(public)), source.randrange(4)] ^= np.uint64(1 << i)
        holds = native.groth16_verify(vk_bytes(key), proofs, publics)
        assert_same(holds, NUMBA.groth16_verify(vk_bytes(key), proofs, publics))
        assert holds.tolist() == [True] + [False] * 39


def test_groth16_setup__leaves_the_same_shapes_and_columns(native: Any) -> None:
    layout, _ = random_layout(2)
    left, right = native.groth16_setup(layout), NUMBA.groth16_setup(layout)
    assert_same(left.b_columns, right.b_columns)
    for name in ("alpha1", "beta1", "delta1", "beta2", "gamma2", "delta2", "ic", "a", "b1", "b2", "l", "h"):
        a, b = getattr(left, name), getattr(right, name)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        zeros = a.reshape(-1, a.shape[-1]).any(axis=1)
        assert np.array_equal(zeros, b.reshape(-1, b.shape[-1]).any(axis=1)), name  # the same columns vanish


def test_refusals__use_the_same_words(native: Any) -> None:
    """V12: an engine can be exchanged without a caller noticing, in its errors too."""
    good = mont(some(8))
    high = good.copy()
    high[5] = 2**64 - 1
    points = NUMBA.g1_fixed_base(generator("g1"), good)
    layout, witness = random_layout(1)
    block = layout.blocks[0]
    links = block.links.copy()
    links[2, 1] = 10**6
    broken = Layout(
        layout.num_columns,
        layout.num_public,
        layout.num_rows,
        (Block(*(links if v is block.links else v for v in vars(block).values())), *layout.blocks[1:]),
    )
    proofs, public = np.zeros((1, 32), np.uint64), np.zeros((1, 2, 4), np.uint64)
    key = bytes(range(256)) * 2 + bytes(128)
    for call in (
        lambda e: e.fr_to_mont(high),
        lambda e: e.fr_mul(good, high),
        lambda e: e.fq_add(high, good),
        lambda e: e.fr_inverse(good[:, :3].copy()),
        lambda e: e.fr_add(good, good[:7].copy()),
        lambda e: e.fr_add(good.astype(np.int64), good),
        lambda e: e.fr_add(good[::2], good[::2]),
        lambda e: e.fr_add([1], good),
        lambda e: e.g1_msm(points, good[:7].copy()),
        lambda e: e.g1_msm(points, high),
        lambda e: e.r1cs_products(layout, witness[:-1].copy()),
        lambda e: e.r1cs_products(broken, witness),
        lambda e: e.groth16_setup(Layout(3, 3, 1, ())),
        lambda e: e.groth16_setup(Layout(3, 0, 1 << 27, ())),
        lambda e: e.groth16_verify(b"1", proofs, public),
        lambda e: e.groth16_verify(bytes(640), proofs, public),
        lambda e: e.groth16_verify(key, proofs, public),
        lambda e: e.groth16_verify(key, proofs, public[:, :1].copy()),
        lambda e: e.groth16_verify(key, proofs[:, :31].copy(), public),
    ):
        assert refusal(lambda call=call: call(native)) == refusal(lambda call=call: call(NUMBA))
