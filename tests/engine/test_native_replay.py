"""Tape replay on every native path against an interpreter in Python integers."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.engine import (
    TEMPORARY,
    EngineError,
    Opcode,
    Program,
    available_cpu_paths,
    fr_from_ints,
    get_engine,
    ints_from_limbs,
)
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.interface import U64

pytestmark = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")

PATHS = available_cpu_paths()
EDGES = [
    0,
    1,
    2,
    3,
    R - 1,
    R - 2,
    (R - 1) // 2,
    (R + 1) // 2,
    1 << 253,
    (1 << 128) - 1,
    (1 << 64),
    (1 << 256) % R,
]


def mont(values: list[int]) -> U64:
    return fr_from_ints([(x << 256) % R for x in values])


def plain(array: U64) -> list[int]:
    inverse = pow(1 << 256, -1, R)
    return [x * inverse % R for x in ints_from_limbs(array)]


class Tape:
    """Writes a program word by word."""

    def __init__(self, links: int = 1, inputs: int = 0, constants: list[int] | None = None) -> None:
        self.words: list[int] = []
        self.constants = [0, 1, R - 1, *(constants or [])]
        self.links, self.inputs, self.own, self.temporaries = links, inputs, inputs, 0

    def wire(self) -> int:
        self.own += 1
        return self.links + self.own - 1

    def wires(self, n: int) -> int:
        self.own += n
        return self.links + self.own - n

    def temporary(self) -> int:
        self.temporaries += 1
        return TEMPORARY | (self.temporaries - 1)

    def write(self, opcode: int, *operands: int) -> None:
        self.words += [opcode | (len(operands) + 1) << 8, *operands]

    def program(self) -> Program:
        return Program(
            np.array(self.words, dtype=np.uint32),
            mont(self.constants),
            self.links,
            self.inputs,
            self.own,
            self.temporaries,
        )


def interpret(program: Program, links: list[int], inputs: list[int]) -> list[int]:
    """The slow twin of replay for one instance: what each opcode says, on Python integers."""
    constants = plain(program.constants)
    columns: dict[int, int] = dict(enumerate([*links, *inputs]))
    words = program.words.tolist()
    at = 0
    while at < len(words):
        opcode, length = words[at] & 0xFF, words[at] >> 8
        dst, *rest = words[at + 1 : at + length]
        at += length
        if opcode == Opcode.MUL:
            columns[dst] = columns[rest[0]] * columns[rest[1]] % R
        elif opcode == Opcode.LC:
            terms = zip(rest[1::2], rest[2::2], strict=True)
            columns[dst] = (constants[rest[0]] + sum(constants[k] * columns[a] for a, k in terms)) % R
        elif opcode == Opcode.ADD:
            columns[dst] = (columns[rest[0]] + columns[rest[1]]) % R
        elif opcode == Opcode.SUB:
            columns[dst] = (columns[rest[0]] - columns[rest[1]]) % R
        elif opcode == Opcode.COPY:
            columns[dst] = columns[rest[0]]
        elif opcode == Opcode.BITS:
            a = columns[rest[0]]
            for i in range(rest[1]):
                columns[dst + i] = a >> i & 1
        elif opcode == Opcode.INVERSE_OR_ZERO:
            columns[dst] = pow(columns[rest[0]], R - 2, R)
        elif opcode == Opcode.DIVIDE_OR_ZERO:
            columns[dst] = columns[rest[0]] * pow(columns[rest[1]], R - 2, R) % R
        elif opcode == Opcode.IS_ZERO:
            columns[dst] = int(columns[rest[0]] == 0)
        elif opcode == Opcode.DIVMOD:
            a, b = columns[rest[1]], columns[rest[2]]
            columns[dst], columns[rest[0]] = divmod(a, b) if b else (0, a)
        elif opcode == Opcode.LESS_THAN:
            columns[dst] = int(columns[rest[0]] < columns[rest[1]])
        else:
            raise AssertionError(opcode)
    return [columns[program.num_links + i] for i in range(program.num_own)]


def agree(program: Program, links: list[list[int]], inputs: list[list[int]], threads: int = 1) -> None:
    """All paths give what the interpreter gives, instance by instance, and nothing but reduced elements."""
    n = len(links)
    link_array = mont([x for row in links for x in row]).reshape(n, program.num_links, 4)
    input_array = mont([x for row in inputs for x in row]).reshape(n, program.num_inputs, 4)
    expected = [interpret(program, row, given) for row, given in zip(links, inputs, strict=True)]
    for cpu in PATHS:
        out = get_engine("native", cpu=cpu, threads=threads).replay(program, link_array, input_array)
        assert max(ints_from_limbs(out), default=0) < R
        got = plain(out)
        rows = [got[i * program.num_own : (i + 1) * program.num_own] for i in range(n)]
        assert rows == expected, cpu


UNARY = [Opcode.COPY, Opcode.INVERSE_OR_ZERO, Opcode.IS_ZERO]
BINARY = [Opcode.MUL, Opcode.ADD, Opcode.SUB, Opcode.DIVIDE_OR_ZERO, Opcode.LESS_THAN]


def random_program(source: random.Random, num_instructions: int) -> Program:
    tape = Tape(
        source.randint(1, 4),
        source.randint(0, 4),
        [source.choice([*EDGES, source.randrange(R)]) for _ in range(6)],
    )
    readable = list(range(tape.links + tape.inputs))

    def new() -> int:
        if source.random() < 0.5:
            return tape.wire()
        used = [x for x in readable if x & TEMPORARY]
        return source.choice(used) if used and source.random() < 0.5 else tape.temporary()

    def read() -> int:
        return source.choice(readable[-6:] if source.random() < 0.6 else readable)

    for _ in range(num_instructions):
        kind = source.random()
        results: list[int]
        if kind < 0.45:
            a, b = read(), read()
            results = [new()]
            tape.write(source.choice(BINARY[:3] if source.random() < 0.8 else BINARY), *results, a, b)
        elif kind < 0.75:
            count = source.choice([0, 1, 2, 3, 5, 9, 70, 150])
            small = source.random() < 0.5
            terms = []
            for _ in range(count):
                terms += [read(), source.randrange(3 if small else len(tape.constants))]
            results = [new()]
            tape.write(Opcode.LC, *results, source.randrange(len(tape.constants)), *terms)
        elif kind < 0.85:
            a = read()
            results = [new()]
            tape.write(source.choice(UNARY), *results, a)
        elif kind < 0.93:
            a, n = read(), source.choice([0, 1, 2, 8, 64, 65, 254])
            if source.random() < 0.7:
                first = tape.wires(n)
            else:
                first = TEMPORARY | tape.temporaries
                tape.temporaries += n
            results = list(range(first, first + n))
            if n:
                tape.write(Opcode.BITS, first, a, n)
        else:
            a, b = read(), read()
            results = [new(), new()]
            while results[1] == results[0]:
                results[1] = tape.temporary()
            tape.write(Opcode.DIVMOD, *results, a, b)
        readable += [x for x in results if x not in readable]
    return tape.program()


ELEMENTS = st.one_of(st.sampled_from(EDGES), st.integers(0, R - 1), st.integers(0, 1 << 40))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 40), size=st.integers(0, 60), data=st.data())
def test_replay__agrees_with_the_interpreter_on_random_programs(
    seed: int, size: int, data: st.DataObject
) -> None:
    """C3's other half: a hint's C twin computes what its Python definition says."""
    program = random_program(random.Random(seed), size)
    instances = data.draw(st.integers(1, 3))
    row = st.lists(ELEMENTS, min_size=program.num_links, max_size=program.num_links)
    links = [[1, *data.draw(row)[1:]] for _ in range(instances)]
    given_row = st.lists(ELEMENTS, min_size=program.num_inputs, max_size=program.num_inputs)
    agree(program, links, [data.draw(given_row) for _ in range(instances)])


@pytest.mark.parametrize("instances", [1, 7, 8, 9, 16, 21])
@pytest.mark.parametrize("threads", [1, 3])
def test_replay__agrees_for_any_number_of_instances(instances: int, threads: int) -> None:
    """Whole blocks, a partial last one, more blocks than threads; each instance with its own values."""
    source = random.Random(instances)
    program = random_program(random.Random(11), 120)
    values = [*EDGES, *(source.randrange(R) for _ in range(10))]
    links = [[1, *(source.choice(values) for _ in range(program.num_links - 1))] for _ in range(instances)]
    inputs = [[source.choice(values) for _ in range(program.num_inputs)] for _ in range(instances)]
    agree(program, links, inputs, threads)


def test_replay__hints_are_total_on_every_pair_of_edges() -> None:
    """All hints on all pairs of 0, 1, r - 1 and others, zero divisors among them."""
    tape = Tape(links=1, inputs=2)
    a, b = 1, 2
    for opcode in UNARY:
        tape.write(opcode, tape.wire(), a)
    for opcode in BINARY:
        tape.write(opcode, tape.wire(), a, b)
        tape.write(opcode, tape.wire(), a, a)
    tape.write(Opcode.DIVMOD, tape.wire(), tape.wire(), a, b)
    tape.write(Opcode.DIVMOD, tape.wire(), tape.wire(), a, a)
    tape.write(Opcode.BITS, tape.wires(254), a, 254)
    pairs = [[x, y] for x in EDGES for y in EDGES]
    agree(tape.program(), [[1] for _ in pairs], pairs)


def test_replay__lazy_sums_stay_in_bounds() -> None:
    """Values doubled and negated hundreds of times, and sums of hundreds of the largest terms."""
    tape = Tape(links=1, inputs=2, constants=[R - 1, 5, R - 5])
    x, y = 1, 2
    for _ in range(150):
        low, high, mixed, product = (tape.wire() for _ in range(4))
        tape.write(Opcode.SUB, low, x, y)
        tape.write(Opcode.ADD, high, x, y)
        tape.write(Opcode.SUB, mixed, low, high)
        tape.write(Opcode.MUL, product, low, high)
        x, y = high, mixed
    everything = list(range(tape.links + tape.own))
    for coefs in ([1], [2], [3], [4], [1, 2, 3, 4, 5, 0]):
        terms = [word for i, column in enumerate(everything) for word in (column, coefs[i % len(coefs)])]
        result = tape.wire()
        tape.write(Opcode.LC, result, 2, *terms)
        tape.write(Opcode.IS_ZERO, tape.wire(), result)
        tape.write(Opcode.MUL, tape.wire(), result, result)
    pairs = [[a, b] for a in EDGES for b in EDGES[:4]]
    agree(tape.program(), [[1] for _ in pairs], pairs)


def test_replay__reuses_temporaries_and_keeps_what_is_read_later() -> None:
    """A temporary that is operand and result at once, redefined, read across redefinitions of others."""
    tape = Tape(links=2, inputs=1, constants=[7])
    t, u = tape.temporary(), tape.temporary()
    tape.write(Opcode.ADD, t, 1, 2)
    tape.write(Opcode.COPY, u, t)
    for _ in range(5):
        tape.write(Opcode.MUL, t, t, t)
        tape.write(Opcode.LC, t, 3, t, 3, u, 2, t, 1)
        tape.write(Opcode.DIVMOD, t, tape.wire(), t, u)
        tape.write(Opcode.ADD, tape.wire(), t, u)
    run = tape.temporary()
    tape.temporaries += 3
    tape.write(Opcode.BITS, run, u, 4)
    tape.write(Opcode.BITS, run, run, 2)
    tape.write(Opcode.LC, tape.wire(), 0, run, 1, run + 1, 3, run + 2, 1, run + 3, 3)
    agree(tape.program(), [[1, x] for x in EDGES], [[x] for x in reversed(EDGES)])


@pytest.mark.parametrize("cpu", PATHS)
def test_replay__writes_into_a_part_of_a_larger_witness(cpu: str) -> None:
    engine = get_engine("native", cpu=cpu, threads=2)
    program = random_program(random.Random(3), 40)
    n, own = 11, program.num_own
    links = mont([1, *range(2, program.num_links + 1)] * n).reshape(n, program.num_links, 4)
    inputs = mont(list(range(n * program.num_inputs))).reshape(n, program.num_inputs, 4)
    witness = np.full((n * own + 20, 4), 99, dtype=np.uint64)
    part = witness[7 : 7 + n * own].reshape(n, own, 4)
    assert engine.replay(program, links, inputs, out=part) is part
    assert np.array_equal(part, engine.replay(program, links, inputs))
    assert (witness[:7] == 99).all()
    assert (witness[7 + n * own :] == 99).all()


@pytest.mark.parametrize("cpu", PATHS)
def test_replay__takes_no_instances_and_programs_without_wires(cpu: str) -> None:
    engine = get_engine("native", cpu=cpu, threads=2)
    empty = Tape().program()
    assert engine.replay(empty, mont([1] * 9).reshape(9, 1, 4), np.zeros((9, 0, 4), np.uint64)).shape == (
        9,
        0,
        4,
    )
    program = random_program(random.Random(3), 10)
    none = np.zeros((0, program.num_links, 4), np.uint64), np.zeros((0, program.num_inputs, 4), np.uint64)
    assert engine.replay(program, *none).shape == (0, program.num_own, 4)


def test_replay__forgets_programs_that_are_gone() -> None:
    from zkrollup.engine import native_circuits

    gc.collect()
    before = len(native_circuits._programs)
    program = Tape().program()
    get_engine("native", threads=1).replay(
        program, mont([1]).reshape(1, 1, 4), np.zeros((1, 0, 4), np.uint64)
    )
    assert len(native_circuits._programs) == before + 1
    del program
    gc.collect()
    assert len(native_circuits._programs) == before


# -- malformed programs: columns are 0 (one), 1 and 2 (inputs), 3 and 4 (own); one temporary -------

T0 = TEMPORARY
MUL, LC, COPY, BITS, DIVMOD = Opcode.MUL, Opcode.LC, Opcode.COPY, Opcode.BITS, Opcode.DIVMOD
GOOD = [MUL | 4 << 8, 3, 1, 2, COPY | 3 << 8, 4, 3]
MALFORMED: list[tuple[list[int], str]] = [
    ([6 | 3 << 8, 3, 1], "word 0: no instruction has the opcode 6"),
    ([0], "word 0: no instruction has the opcode 0"),
    ([MUL, 3, 1, 2], "word 0: an instruction with the opcode 1 cannot have 0 words"),
    ([MUL | 5 << 8, 3, 1, 2, 0], "word 0: an instruction with the opcode 1 cannot have 5 words"),
    ([COPY | 4 << 8, 3, 1, 1], "word 0: an instruction with the opcode 5 cannot have 4 words"),
    ([LC | 4 << 8, 3, 0, 1], "word 0: an instruction with the opcode 2 cannot have 4 words"),
    ([LC | 1 << 8], "word 0: an instruction with the opcode 2 cannot have 1 words"),
    ([*GOOD, MUL | 4 << 8, T0, 1], "word 7: the instruction has 4 words, which goes beyond the end"),
    ([LC | 0xFFFFFF << 8, 3, 0], "word 0: the instruction has 16777215 words, which goes beyond the end"),
    ([MUL | 4 << 8, 3, 1, 5], "word 3: there is no local column 5"),
    ([MUL | 4 << 8, 3, T0 | 1, 1], "word 2: there is no temporary 1"),
    ([MUL | 4 << 8, 3, 1, 0xFFFFFFFF], "word 3: there is no temporary 2147483647"),
    ([LC | 5 << 8, 3, 0, 7, 1], "word 3: there is no local column 7"),
    ([MUL | 4 << 8, 3, 4, 1], "word 2: local column 4 is read before it is written"),
    ([MUL | 4 << 8, 3, 3, 1], "word 2: local column 3 is read before it is written"),
    ([MUL | 4 << 8, 3, 1, T0], "word 3: temporary 0 is read before it is written"),
    ([LC | 3 << 8, 3, 4], "word 2: there is no constant 4"),
    ([LC | 5 << 8, 3, 0, 1, 4], "word 4: there is no constant 4"),
    ([COPY | 3 << 8, 2, 1], "word 1: local column 2 cannot be written"),
    ([COPY | 3 << 8, 0, 1], "word 1: local column 0 cannot be written"),
    ([COPY | 3 << 8, 5, 1], "word 1: local column 5 cannot be written"),
    ([COPY | 3 << 8, T0 | 1, 1], "word 1: temporary 1 cannot be written"),
    ([BITS | 4 << 8, 3, 1, 3], "word 1: local column 3 cannot be written, or a run of results"),
    ([BITS | 4 << 8, T0, 1, 2], "word 1: temporary 0 cannot be written, or a run of results"),
    ([BITS | 4 << 8, 3, 1, 255], "word 3: an element has at most 254 bits, not 255"),
    ([*GOOD, COPY | 3 << 8, 3, 1], "word 8: local column 3, or one in a run .* second time"),
    ([COPY | 3 << 8, 4, 1, BITS | 4 << 8, 3, 1, 2], "word 4: local column 3, or one in a run .* second time"),
    ([DIVMOD | 5 << 8, 3, 3, 1, 2], "word 2: local column 3, or one in a run .* second time"),
    ([DIVMOD | 5 << 8, T0, T0, 1, 2], "word 2: temporary 0, or one in a run .* second time"),
    (GOOD[:4], "own wire 3 is never written"),
    ([], "own wire 2 is never written"),
]


def malformed(words: list[int]) -> Program:
    return Program(np.array(words, dtype=np.uint32), mont([0, 1, R - 1, 9]), 1, 2, 4, 1)


@pytest.mark.parametrize(("words", "message"), MALFORMED, ids=[message[:40] for _, message in MALFORMED])
def test_replay__refuses_a_malformed_program(words: list[int], message: str) -> None:
    """V12: each kind of malformed tape is refused with the place of the word, before anything runs."""
    links, inputs = mont([1]).reshape(1, 1, 4), np.zeros((1, 2, 4), np.uint64)
    engine = get_engine("native", threads=1)
    engine.replay(malformed(GOOD), links, inputs)
    with pytest.raises(EngineError, match=f"replay: program: {message}"):
        engine.replay(malformed(words), links, inputs)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_replay__mutated_programs_are_refused_or_agree(data: st.DataObject) -> None:
    """V12: whatever one word becomes, the tape is refused or runs as the interpreter runs it."""
    words = [*GOOD, LC | 5 << 8, T0, 3, 3, 2, BITS | 4 << 8, T0, 4, 1, Opcode.LESS_THAN | 4 << 8, 5, T0, 4]
    at = data.draw(st.integers(0, len(words) - 1))
    words[at] = data.draw(
        st.one_of(st.integers(0, 8), st.integers(T0, T0 + 2), st.integers(0, (1 << 32) - 1))
    )
    program = Program(np.array(words, dtype=np.uint32), mont([0, 1, R - 1, 9]), 1, 2, 5, 1)
    try:
        get_engine("native", threads=1).replay(
            program, mont([1]).reshape(1, 1, 4), mont([5, 7]).reshape(1, 2, 4)
        )
    except EngineError:
        return
    agree(program, [[1]], [[5, 7]])


def test_replay__refuses_wrong_arguments() -> None:
    """V12: sizes, encodings, constants and arrays, each with its message."""
    engine = get_engine("native", threads=2)
    good = malformed(GOOD)
    links, inputs = mont([1] * 3).reshape(3, 1, 4), mont(list(range(6))).reshape(3, 2, 4)
    engine.replay(good, links, inputs)
    high_links, high_inputs, not_one = links.copy(), inputs.copy(), links.copy()
    high_links[1, 0] = high_inputs[2, 1] = fr_from_ints([R - 1])[0]
    high_links[1, 0, 0] += np.uint64(1)
    high_inputs[2, 1, 0] += np.uint64(1)
    not_one[2, 0, 0] += np.uint64(1)
    read_only = np.zeros((3, 4, 4), np.uint64)
    read_only.flags.writeable = False
    both = np.zeros((12, 4), np.uint64)
    high_constants = good.constants.copy()
    high_constants[3] = np.uint64(2**64 - 1)
    other_constants = good.constants.copy()
    other_constants[2] = other_constants[3]
    cases: list[tuple[Callable[[], object], str]] = [
        (
            lambda: engine.replay(good, links[:, :0].copy(), inputs),
            r"replay: links: expected shape \(n, 1, 4\)",
        ),
        (lambda: engine.replay(good, links, inputs[:2]), r"replay: inputs: expected shape \(3, 2, 4\)"),
        (
            lambda: engine.replay(good, links, inputs.astype(np.int64)),
            "replay: inputs: expected dtype uint64",
        ),
        (
            lambda: engine.replay(good, links, inputs, np.zeros((3, 5, 4), np.uint64)),
            "replay: out: expected shape",
        ),
        (lambda: engine.replay(good, links, inputs, np.zeros((3, 8, 4), np.uint64)[:, ::2]), "C-contiguous"),
        (lambda: engine.replay(good, links, inputs, read_only), "the array is read-only"),
        (lambda: engine.replay(good, links, both[:6].reshape(3, 2, 4), both.reshape(3, 4, 4)), "overlaps"),
        (
            lambda: engine.replay(good, high_links, inputs),
            "replay: links: element 1 is not below the modulus r",
        ),
        (
            lambda: engine.replay(good, links, high_inputs),
            "replay: inputs: element 5 is not below the modulus r",
        ),
        (lambda: engine.replay(good, not_one, inputs), "replay: links: link 0 of instance 2 is not one"),
        (
            lambda: engine.replay(replace(good, num_links=0), links, inputs),
            r"num_links must be an integer in 1\.\.",
        ),
        (
            lambda: engine.replay(replace(good, num_own=1 << 29), links, inputs),
            r"num_own must be an integer in 0\.\.",
        ),
        (
            lambda: engine.replay(replace(good, num_own=1), links, inputs),
            "2 inputs among 1 own wires cannot be",
        ),
        (
            lambda: engine.replay(replace(good, constants=high_constants), links, inputs),
            "constants: element 3 is not",
        ),
        (
            lambda: engine.replay(replace(good, constants=other_constants), links, inputs),
            "must begin with 0, 1, -1",
        ),
        (
            lambda: engine.replay(replace(good, constants=good.constants[:2]), links, inputs),
            "begin with 0, 1, -1",
        ),
        (
            lambda: engine.replay(replace(good, words=good.words.astype(np.uint64)), links, inputs),
            "dtype uint32",
        ),
    ]
    for call, message in cases:
        with pytest.raises(EngineError, match=message):
            call()
