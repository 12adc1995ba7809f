"""The numba engine's Poseidon, tapes and rows against Python integers."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.poseidon import poseidon_reference
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
    fr_from_ints,
    get_engine,
    ints_from_limbs,
)
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64
from zkrollup.testing.reference_engine import ReferenceEngine

EDGES = [0, 1, 2, 3, R - 1, R - 2, (R - 1) // 2, (R + 1) // 2, 1 << 253, (1 << 128) - 1, 1 << 64, 1 << 63]
ELEMENTS = st.one_of(st.sampled_from(EDGES), st.integers(0, R - 1), st.integers(0, 1 << 40))


def mont(values: list[int], *shape: int) -> U64:
    return fr_from_ints([(x << 256) % R for x in values]).reshape(*(shape or (-1,)), 4)


def plain(array: U64) -> list[int]:
    inverse = pow(1 << 256, -1, R)
    return [x * inverse % R for x in ints_from_limbs(array)]


# -- Poseidon --------------------------------------------------------------------------------------


def parameters_of(t: int) -> PoseidonParameters:
    table = poseidon_parameters(t)
    return PoseidonParameters(
        t, table.rounds_full, table.rounds_partial, table.round_constants_canonical(), table.mds_canonical()
    )


@pytest.mark.parametrize("num_inputs", range(1, 17))
def test_poseidon__is_the_reference(num_inputs: int) -> None:
    """All widths of circomlib, on edges and random inputs, in more than one range."""
    engine = get_engine("numba", threads=2)
    source = random.Random(num_inputs)
    lists = [[source.choice(EDGES) for _ in range(num_inputs)] for _ in range(6)]
    lists += [[source.randrange(R) for _ in range(num_inputs)] for _ in range(6)]
    array = mont([x for row in lists for x in row], len(lists), num_inputs)
    expected = [poseidon_reference(row) for row in lists]
    parameters = parameters_of(num_inputs + 1)
    assert plain(engine.poseidon(parameters, array)) == expected
    repeated = np.ascontiguousarray(np.tile(array, (5, 1, 1)))
    assert plain(engine.poseidon(parameters, repeated)) == expected * 5
    assert engine.poseidon(parameters, array[:0]).shape == (0, 4)


def test_poseidon__refuses_wrong_parameters_and_inputs() -> None:
    engine = get_engine("numba", threads=1)
    good = parameters_of(3)
    inputs = mont([1, 2, 3, 4], 2, 2)
    high = inputs.copy()
    high[1, 0] = np.frombuffer(R.to_bytes(32, "little"), np.uint64)
    mds = good.mds.copy()
    mds[8] = 2**64 - 1
    for parameters, array, message in [
        (good, mont([1, 2, 3], 1, 3), r"inputs: expected shape \(n, 2, 4\), got \(1, 3, 4\)"),
        (good, inputs.astype(np.int64), "inputs: expected dtype uint64"),
        (good, high, "inputs: element 2 is not below the modulus r"),
        (dataclasses.replace(good, t=1), inputs, r"t: expected an integer in 2\.\.17, got 1"),
        (dataclasses.replace(good, t=4), inputs, r"round_constants: expected shape"),
        (dataclasses.replace(good, rounds_full=7), inputs, "rounds_full: expected an even number, got 7"),
        (dataclasses.replace(good, rounds_partial=56), inputs, "round_constants: expected shape"),
        (dataclasses.replace(good, mds=good.mds[:8]), inputs, r"mds: expected shape \(9, 4\)"),
        (dataclasses.replace(good, mds=mds), inputs, "mds: element 8 is not below the modulus r"),
    ]:
        with pytest.raises(EngineError, match=f"poseidon: .*{message}"):
            engine.poseidon(parameters, array)


# -- tapes -----------------------------------------------------------------------------------------

MUL, LC, ADD, COPY, BITS, DIVMOD = (
    Opcode.MUL,
    Opcode.LC,
    Opcode.ADD,
    Opcode.COPY,
    Opcode.BITS,
    Opcode.DIVMOD,
)
UNARY = [COPY, Opcode.INVERSE_OR_ZERO, Opcode.IS_ZERO]
BINARY = [MUL, ADD, Opcode.SUB, Opcode.DIVIDE_OR_ZERO, Opcode.LESS_THAN]
T0 = TEMPORARY


def instruction(opcode: int, *operands: int) -> list[int]:
    return [opcode | (len(operands) + 1) << 8, *operands]


def program_of(
    words: list[int], constants: list[int], links: int, inputs: int, own: int, temporaries: int
) -> Program:
    table = mont([0, 1, R - 1, *constants])
    return Program(np.array(words, np.uint32), table, links, inputs, own, temporaries)


def random_program(source: random.Random, length: int) -> Program:
    """Every instruction reads what is there already and writes a fresh wire or some temporary."""
    links, inputs = source.randint(1, 3), source.randint(0, 3)
    readable = list(range(links + inputs))
    own, temporaries = inputs, 0
    words: list[int] = []

    def fresh(count: int) -> int:
        nonlocal own, temporaries
        if source.random() < 0.4:
            temporaries += count
            return T0 + temporaries - count
        own += count
        return links + own - count

    def result() -> int:
        used = [x for x in readable if x >= T0]
        return source.choice(used) if used and source.random() < 0.3 else fresh(1)

    for _ in range(length):
        kind = source.choice(["unary", "binary", "binary", "linear", "linear", "bits", "divmod"])
        a, b = source.choice(readable), source.choice(readable)
        if kind == "unary":
            written = [result()]
            words += instruction(source.choice(UNARY), written[0], a)
        elif kind == "binary":
            written = [result()]
            words += instruction(source.choice(BINARY), written[0], a, b)
        elif kind == "linear":
            terms = [x for _ in range(source.choice([0, 1, 2, 40])) for x in (source.choice(readable), 0)]
            terms[1::2] = [source.randrange(6) for _ in terms[1::2]]
            written = [result()]
            words += instruction(LC, written[0], source.randrange(6), *terms)
        elif kind == "bits":
            count = source.choice([1, 2, 63, 64, 65, 254])
            first = fresh(count)
            written = list(range(first, first + count))
            words += instruction(BITS, first, a, count)
        else:
            written = [fresh(1), fresh(1)]
            words += instruction(DIVMOD, *written, a, b)
        readable += [x for x in written if x not in readable]
    constants = [source.choice(EDGES), source.randrange(R), R - 5]
    return program_of(words, constants, links, inputs, own, temporaries)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1 << 40), length=st.integers(0, 40), data=st.data())
def test_replay__is_the_reference_on_random_programs(seed: int, length: int, data: st.DataObject) -> None:
    """C3's other half: a hint's compiled twin computes what its Python definition says."""
    program = random_program(random.Random(seed), length)
    n = data.draw(st.integers(1, 3))
    links = [x for _ in range(n) for x in [1, *(data.draw(ELEMENTS) for _ in range(program.num_links - 1))]]
    inputs = [data.draw(ELEMENTS) for _ in range(n * program.num_inputs)]
    arguments = mont(links, n, program.num_links), mont(inputs, n, program.num_inputs)
    got = get_engine("numba", threads=2).replay(program, *arguments)
    assert np.array_equal(got, ReferenceEngine().replay(program, *arguments))


def test_replay__hints_are_total_on_every_pair_of_edges() -> None:
    """Zero divisors, equal operands, all 254 bits of r - 1; against results written out here."""
    words = []
    for k, opcode in enumerate(BINARY):
        words += instruction(opcode, 3 + k, 1, 2)
    for k, opcode in enumerate(UNARY):
        words += instruction(opcode, 8 + k, 1)
    words += instruction(DIVMOD, 11, 12, 1, 2) + instruction(BITS, 13, 1, 254)
    program = program_of(words, [], 1, 2, 266, 0)
    pairs = [(x, y) for x in EDGES for y in EDGES]
    got = plain(
        get_engine("numba", threads=3).replay(
            program, mont([1] * len(pairs), len(pairs), 1), mont([x for p in pairs for x in p], len(pairs), 2)
        )
    )
    for i, (x, y) in enumerate(pairs):
        inverse = pow(y, -1, R) if y else 0
        expected = [x, y, x * y % R, (x + y) % R, (x - y) % R, x * inverse % R, int(x < y)]
        expected += [x, pow(x, -1, R) if x else 0, int(x == 0), x // y if y else 0, x % y if y else x]
        expected += [x >> k & 1 for k in range(254)]
        assert got[266 * i : 266 * (i + 1)] == expected, (x, y)


def test_replay__an_operand_may_be_the_result() -> None:
    """Temporaries that are read and written by the same instruction, in every place."""
    words = instruction(COPY, T0, 1) + instruction(MUL, T0, T0, T0) + instruction(LC, T0, 2, T0, 3, T0, 1)
    words += instruction(DIVMOD, T0, T0 + 1, T0, 1) + instruction(BITS, T0 + 1, T0, 3)
    words += instruction(LC, 2, 0, T0, 1, T0 + 1, 1, T0 + 2, 3, T0 + 3, 3)
    program = program_of(words, [7], 1, 1, 2, 4)
    values = [3, 1000, 1 << 100]
    engine = get_engine("numba", threads=1)
    got = plain(engine.replay(program, mont([1] * 3, 3, 1), mont(values, 3, 1)))
    for i, x in enumerate(values):
        t = (x * x * 8 - 1) % R // x
        assert got[2 * i : 2 * i + 2] == [x, (t + (t & 1) + 7 * (t >> 1 & 1) + 7 * (t >> 2 & 1)) % R]


def test_replay__writes_into_a_part_of_a_larger_witness() -> None:
    engine = get_engine("numba", threads=2)
    program = program_of(instruction(MUL, 2, 1, 1), [], 1, 1, 2, 0)
    links, inputs = mont([1] * 5, 5, 1), mont([2, 3, 4, 5, 6], 5, 1)
    witness = np.full((20, 4), 99, np.uint64)
    part = witness[3:13].reshape(5, 2, 4)
    assert engine.replay(program, links, inputs, out=part) is part
    assert plain(part)[1::2] == [4, 9, 16, 25, 36]
    assert (witness[:3] == 99).all()
    assert (witness[13:] == 99).all()


GOOD = instruction(MUL, 3, 1, 2) + instruction(COPY, 4, 3)
MALFORMED: list[tuple[list[int], str]] = [
    ([6 | 3 << 8, 3, 1], "word 0: no instruction has the opcode 6"),
    ([0], "word 0: no instruction has the opcode 0"),
    ([MUL, 3, 1, 2], "word 0: an instruction with the opcode 1 cannot have 0 words"),
    (instruction(MUL, 3, 1, 2, 0), "word 0: an instruction with the opcode 1 cannot have 5 words"),
    (instruction(LC, 3, 0, 1), "word 0: an instruction with the opcode 2 cannot have 4 words"),
    (instruction(LC), "word 0: an instruction with the opcode 2 cannot have 1 words"),
    ([*GOOD, MUL | 4 << 8, T0, 1], "word 7: the instruction has 4 words, which goes beyond the end"),
    ([LC | 0xFFFFFF << 8, 3, 0], "word 0: the instruction has 16777215 words, which goes beyond the end"),
    (instruction(MUL, 3, 1, 5), "word 3: there is no local column 5"),
    (instruction(MUL, 3, T0 + 1, 1), "word 2: there is no temporary 1"),
    (instruction(MUL, 3, 1, 0xFFFFFFFF), "word 3: there is no temporary 2147483647"),
    (instruction(LC, 3, 0, 7, 1), "word 3: there is no local column 7"),
    (instruction(MUL, 3, 3, 1), "word 2: local column 3 is read before it is written"),
    (instruction(MUL, 3, 1, T0), "word 3: temporary 0 is read before it is written"),
    (instruction(LC, 3, 4), "word 2: there is no constant 4"),
    (instruction(LC, 3, 0, 1, 4), "word 4: there is no constant 4"),
    (instruction(COPY, 2, 1), "word 1: local column 2 cannot be written"),
    (instruction(COPY, 0, 1), "word 1: local column 0 cannot be written"),
    (instruction(COPY, 5, 1), "word 1: local column 5 cannot be written"),
    (instruction(COPY, T0 + 1, 1), "word 1: temporary 1 cannot be written"),
    (instruction(BITS, 3, 1, 3), "word 1: local column 3 cannot be written, or a run of results"),
    (instruction(BITS, T0 - 1, 1, 2), "word 1: local column 2147483647 cannot be written"),
    (instruction(BITS, T0, 1, 2), "word 1: temporary 0 cannot be written, or a run of results"),
    (instruction(BITS, 3, 1, 255), "word 3: an element has at most 254 bits, not 255"),
    ([*GOOD, *instruction(COPY, 3, 1)], "word 8: local column 3, or one in a run .* second time"),
    (instruction(DIVMOD, 3, 3, 1, 2), "word 2: local column 3, or one in a run .* second time"),
    (instruction(DIVMOD, T0, T0, 1, 2), "word 2: temporary 0, or one in a run .* second time"),
    (GOOD[:4], "own wire 3 is never written"),
    ([], "own wire 2 is never written"),
]


@pytest.mark.parametrize(("words", "message"), MALFORMED, ids=[m[:45] for _, m in MALFORMED])
def test_replay__refuses_a_malformed_program(words: list[int], message: str) -> None:
    """V12: each kind of malformed tape is refused with the place of the word, before anything runs."""
    engine = get_engine("numba", threads=1)
    links, inputs = mont([1], 1, 1), mont([5, 6], 1, 2)
    engine.replay(program_of(GOOD, [9], 1, 2, 4, 1), links, inputs)
    with pytest.raises(EngineError, match=f"replay: program: {message}"):
        engine.replay(program_of(words, [9], 1, 2, 4, 1), links, inputs)


@settings(max_examples=200, deadline=None)
@given(
    at=st.integers(0, 20),
    word=st.one_of(st.integers(0, 8), st.integers(T0, T0 + 2), st.integers(0, 2**32 - 1)),
)
def test_replay__mutated_programs_are_refused_or_agree(at: int, word: int) -> None:
    """V12: whatever one word becomes, the tape is refused or runs as the reference runs it."""
    words = GOOD + instruction(LC, T0, 3, 3, 2) + instruction(BITS, T0, 4, 1)
    words += instruction(Opcode.LESS_THAN, 5, T0, 4)
    words[at % len(words)] = word
    program = program_of(words, [9], 1, 2, 5, 1)
    arguments = mont([1], 1, 1), mont([5, 7], 1, 2)
    try:
        got = get_engine("numba", threads=1).replay(program, *arguments)
    except EngineError:
        return
    assert np.array_equal(got, ReferenceEngine().replay(program, *arguments))


def test_replay__refuses_wrong_arguments() -> None:
    """V12: sizes, encodings, constants and buffers, each with its message."""
    engine = get_engine("numba", threads=1)
    good = program_of(GOOD, [9], 1, 2, 4, 1)
    links, inputs = mont([1] * 3, 3, 1), mont([1, 2, 3, 4, 5, 6], 3, 2)
    out = np.zeros((3, 4, 4), np.uint64)
    frozen = out.copy()
    frozen.flags.writeable = False
    unreduced = inputs.copy()
    unreduced[1, 1] = np.frombuffer(R.to_bytes(32, "little"), np.uint64)
    constants = good.constants.copy()
    constants[3] = 2**64 - 1
    cases: list[tuple[Program, Any, Any, Any, str]] = [
        (good, mont([1, 1], 2, 1), inputs, None, r"inputs: expected shape \(2, 2, 4\), got \(3, 2, 4\)"),
        (good, mont([1] * 6, 3, 2), inputs, None, r"links: expected shape \(n, 1, 4\)"),
        (good, mont([1, 1, 2], 3, 1), inputs, None, "links: link 0 of instance 2 is not one"),
        (good, links, unreduced, None, "inputs: element 3 is not below the modulus r"),
        (good, links, inputs, out[:2], r"out: expected shape \(3, 4, 4\)"),
        (good, links, inputs, frozen, "out: the array is read-only"),
        (good, links, inputs, out.astype(np.int64), "out: expected dtype uint64"),
        (dataclasses.replace(good, num_links=0), links, inputs, None, "num_links: expected an integer in 1"),
        (dataclasses.replace(good, num_own=-1), links, inputs, None, "num_own: expected an integer in 0"),
        (dataclasses.replace(good, num_own=1), links, inputs, None, "2 inputs among 1 own wires cannot be"),
        (
            dataclasses.replace(good, words=good.words.astype(np.int32)),
            links,
            inputs,
            None,
            "words: .*uint32",
        ),
        (dataclasses.replace(good, constants=constants), links, inputs, None, "element 3 is not below"),
        (dataclasses.replace(good, constants=constants[[1, 0, 2]]), links, inputs, None, "expected 0, 1, -1"),
        (dataclasses.replace(good, constants=constants[:2]), links, inputs, None, "expected 0, 1, -1"),
    ]
    for program, some_links, some_inputs, some_out, message in cases:
        with pytest.raises(EngineError, match=f"replay: .*{message}"):
            engine.replay(program, some_links, some_inputs, out=some_out)
    copying = program_of([], [], 1, 4, 4, 0)
    with pytest.raises(EngineError, match="replay: out: expected memory apart from links and inputs"):
        engine.replay(copying, links, out, out=out)


# -- rows ------------------------------------------------------------------------------------------


def matrix(source: random.Random, rows: int, columns: int, num_constants: int, longest: int) -> Matrix:
    lengths = [source.randint(0, longest) for _ in range(rows)]
    total = sum(lengths)
    return Matrix(
        np.cumsum([0, *lengths]).astype(np.uint32),
        np.array([source.randrange(columns) for _ in range(total)], np.uint32),
        np.array([source.randrange(num_constants) for _ in range(total)], np.uint32),
    )


def random_layout(seed: int) -> tuple[Layout, list[int]]:
    """Two blocks with links into each other and a column that is no block's; any witness."""
    source = random.Random(seed)
    num_public = source.randint(0, 3)
    shapes = [(5, 3, 4, 6), (7, 2, 3, 1)]  # rows, links, own, instances
    num_columns = num_public + 2 + sum(own * n for _, _, own, n in shapes)
    column, row = num_public + 1, 0
    blocks = []
    for rows, links, own, n in shapes:
        table = [[0, *(source.randrange(num_columns) for _ in range(links - 1))] for _ in range(n)]
        constants = mont([0, 1, R - 1, *(source.choice([*EDGES, source.randrange(R)]) for _ in range(4))])
        a, b, c = (matrix(source, rows, links + own, len(constants), 5) for _ in range(3))
        blocks.append(Block(rows, links, own, n, a, b, c, constants, np.array(table, np.uint32), column, row))
        column += own * n
        row += rows * n
    witness = [1, *(source.choice([*EDGES, source.randrange(R)]) for _ in range(num_columns - 1))]
    return Layout(num_columns, num_public, row, tuple(blocks)), witness


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_r1cs__products_and_violations_are_the_reference(seed: int, threads: int) -> None:
    engine, reference = get_engine("numba", threads=threads), ReferenceEngine()
    layout, values = random_layout(seed)
    witness = mont(values)
    for got, expected in zip(
        engine.r1cs_products(layout, witness), reference.r1cs_products(layout, witness), strict=True
    ):
        assert np.array_equal(got, expected)
    violated = engine.r1cs_violations(layout, witness)
    assert violated.dtype == np.int64
    assert violated.tolist() == reference.r1cs_violations(layout, witness).tolist()
    assert violated.size


def test_r1cs__many_rows_go_through_several_ranges() -> None:
    """x_i * x_i = y_i for 3000 instances, two of them wrong."""
    n = 3000
    one = Matrix(np.array([0, 1], np.uint32), np.array([1], np.uint32), np.array([1], np.uint32))
    two = Matrix(np.array([0, 1], np.uint32), np.array([2], np.uint32), np.array([1], np.uint32))
    block = Block(
        1, 1, 2, n, one, one, two, mont([0, 1, R - 1]), np.zeros((n, 1), np.uint32), own_base=1, row_base=0
    )
    layout = Layout(1 + 2 * n, 0, n, (block,))
    values = [1] + [v for x in range(n) for v in (x, x * x)]
    engine = get_engine("numba", threads=3)
    assert engine.r1cs_violations(layout, mont(values)).tolist() == []
    values[2 + 2 * 17] += 1
    values[2 + 2 * 2999] = 0
    assert engine.r1cs_violations(layout, mont(values)).tolist() == [17, 2999]
    assert plain(engine.r1cs_products(layout, mont(values))[0]) == list(range(n))


def test_r1cs__rows_that_belong_to_no_block_are_zero() -> None:
    layout, values = random_layout(2)
    first, second = layout.blocks
    apart = dataclasses.replace(second, row_base=second.row_base + 2)
    wider = dataclasses.replace(layout, num_rows=layout.num_rows + 4, blocks=(first, apart))
    engine, witness = get_engine("numba", threads=2), mont(values)
    between = second.row_base
    for got, expected in zip(
        engine.r1cs_products(wider, witness), engine.r1cs_products(layout, witness), strict=True
    ):
        assert np.array_equal(got[:between], expected[:between])
        assert np.array_equal(got[between + 2 : -2], expected[between:])
        assert not got[between : between + 2].any()
        assert not got[-2:].any()
    moved = [row + 2 * (row >= between) for row in engine.r1cs_violations(layout, witness).tolist()]
    assert engine.r1cs_violations(wider, witness).tolist() == moved


def changed(array: Any, at: Any, value: int) -> Any:
    copy = array.copy()
    copy[at] = value
    return copy


def with_matrix(b: Block, name: str, **parts: Any) -> Block:
    return dataclasses.replace(b, **{name: dataclasses.replace(getattr(b, name), **parts)})


BROKEN: list[tuple[Callable[[Block], Block], str]] = [
    (lambda b: with_matrix(b, "a", cols=changed(b.a.cols, 0, 7)), r"\.a\.cols\[0\] = 7: expected below 7"),
    (lambda b: with_matrix(b, "b", coefs=changed(b.b.coefs, 1, 2**31)), r"\.b\.coefs\[1\] = 2147483648"),
    (lambda b: with_matrix(b, "c", indptr=changed(b.c.indptr, 0, 1)), r"\.c\.indptr\[0\]: expected 0"),
    (lambda b: with_matrix(b, "c", indptr=changed(b.c.indptr, 5, 99)), r"\.c\.indptr\[5\]: expected 0"),
    (
        lambda b: with_matrix(b, "a", indptr=changed(b.a.indptr, 2, 2**32 - 1)),
        r"\.a\.indptr\[3\]: .*ascending",
    ),
    (lambda b: with_matrix(b, "a", indptr=b.a.indptr[:-1]), r"\.a\.indptr: expected shape \(6,\)"),
    (lambda b: with_matrix(b, "a", coefs=b.a.coefs[:-1]), r"\.a\.coefs: expected shape"),
    (lambda b: dataclasses.replace(b, links=changed(b.links, (2, 1), 10**6)), r"\.links\[2, 1\] = 1000000"),
    (
        lambda b: dataclasses.replace(b, links=changed(b.links, (3, 0), 1)),
        r"\.links\[3, 0\] = 1: .*0 in place 0",
    ),
    (lambda b: dataclasses.replace(b, links=b.links.astype(np.int64)), r"\.links: expected dtype uint32"),
    (lambda b: dataclasses.replace(b, own_base=b.own_base + 99), "own columns from .* leave the layout"),
    (lambda b: dataclasses.replace(b, own_base=0), "own columns from 0 on overlap others"),
    (lambda b: dataclasses.replace(b, row_base=2**32 - 1), "rows from 4294967295 on overlap others or leave"),
    (lambda b: dataclasses.replace(b, row_base=5), r"blocks\[1\]: rows from .* on overlap others"),
    (lambda b: dataclasses.replace(b, instances=2**31), r"\.links: expected shape"),
    (lambda b: dataclasses.replace(b, num_own=-1), r"num_own: expected an integer in 0\.\."),
    (lambda b: dataclasses.replace(b, num_rows=True), r"num_rows: expected an integer in 0\.\."),
    (lambda b: dataclasses.replace(b, constants=b.constants[[1, 0, 2]]), "constants: expected 0, 1, -1"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_layout__refuses_what_cannot_be_and_says_where(
    change: Callable[[Block], Block], message: str
) -> None:
    """V12: no size or index of a layout reaches a kernel unchecked, whichever method is called."""
    layout, values = random_layout(0)
    broken = dataclasses.replace(layout, blocks=(change(layout.blocks[0]), layout.blocks[1]))
    engine, witness = get_engine("numba", threads=1), mont(values)
    for call in (
        lambda: engine.r1cs_products(broken, witness),
        lambda: engine.r1cs_violations(broken, witness),
        lambda: engine.groth16_quotient(broken, witness),
        lambda: engine.groth16_setup(broken),
    ):
        with pytest.raises(EngineError, match=message):
            call()


def test_r1cs__refuses_a_wrong_witness() -> None:
    layout, values = random_layout(1)
    engine, witness = get_engine("numba", threads=1), mont(values)
    for wrong in (witness[:-1], witness.astype(np.int64), witness[::-1], witness.reshape(-1)):
        with pytest.raises(EngineError, match="witness: expected"):
            engine.r1cs_products(layout, wrong)
    with pytest.raises(EngineError, match="witness: element 5 is not below the modulus r"):
        engine.r1cs_violations(layout, changed(witness, 5, 2**64 - 1))
    with pytest.raises(EngineError, match="3 columns cannot hold the constant and 3 public columns"):
        engine.groth16_setup(Layout(3, 3, 1, ()))
    with pytest.raises(EngineError, match=r"rows need a domain above 2\^27"):
        engine.groth16_setup(Layout(3, 0, 1 << 27, ()))
