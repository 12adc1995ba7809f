"""Many witnesses of one template at once: replay, row values and violations through an engine.

This module must not know why anybody wants them; it turns integers into arrays and back and bounds the
memory taken at once. Arrays of *columns* have shape ``(witnesses, columns, 4)``, Montgomery, the constant
one first, as :meth:`zkrollup.cs.Template.solve` orders them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from zkrollup.cs import Template
from zkrollup.cs.interpreter import run
from zkrollup.cs.scalar_field import MODULUS, from_mont, mont_array
from zkrollup.engine import get_engine
from zkrollup.engine.interface import TEMPORARY, U64, Block, Engine, Layout, Opcode, Program

__all__ = ["Batched", "first_writes", "operands_read", "patched_program", "solve_forced"]

_BYTES_AT_ONCE = 1 << 26


class Batched:
    """One template on one engine.

    Arguments:
        engine: the one that the environment chooses when None.
    """

    def __init__(self, template: Template, engine: Engine | None = None) -> None:
        self.template = template
        self.engine: Engine = get_engine() if engine is None else engine
        self.num_columns = template.num_links + template.num_own
        widest = max(self.num_columns, 2 * template.num_constraints, 1)
        self.at_once = max(1, _BYTES_AT_ONCE // (32 * widest))
        """How many witnesses are worked on together."""

    def solve(self, assignments: Sequence[tuple[Sequence[int], Sequence[int]]]) -> U64:
        """The columns of each (link values with the one, input values).

        A template with hints in Python is replayed by the interpreter, one witness after the other.
        """
        template = self.template
        if not template.is_native:
            return self.columns([template.solve(links, inputs) for links, inputs in assignments])
        count = len(assignments)
        links = mont_array([v for given, _ in assignments for v in given])
        inputs = mont_array([v for _, given in assignments for v in given])
        out = np.empty((count, self.num_columns, 4), dtype=np.uint64)
        out[:, : template.num_links] = links.reshape(count, template.num_links, 4)
        out[:, template.num_links :] = self.engine.replay(
            template.program,
            np.ascontiguousarray(out[:, : template.num_links]),
            np.ascontiguousarray(inputs.reshape(count, template.num_inputs, 4)),
        )
        return out

    def columns(self, witnesses: Iterable[Sequence[int]]) -> U64:
        """Integers of all columns, witness by witness, as an array; they are reduced mod r."""
        rows = [mont_array([v % MODULUS for v in values]) for values in witnesses]
        return np.stack(rows) if rows else np.empty((0, self.num_columns, 4), dtype=np.uint64)

    def products(self, columns: U64) -> tuple[U64, U64, U64]:
        """A w, B w, C w of one witness, shape ``(rows, 4)`` each."""
        return self.engine.r1cs_products(self._layout(1), columns)

    def violations(self, columns: U64) -> list[list[int]]:
        """For each witness the rows that do not hold, ascending."""
        failing: list[list[int]] = [[] for _ in columns]
        rows = self.template.num_constraints
        for start in range(0, len(columns), self.at_once):
            some = columns[start : start + self.at_once]
            wrong = self.engine.r1cs_violations(self._layout(len(some)), self._global(some))
            for row in wrong.tolist():
                failing[start + row // rows].append(row % rows)
        return failing

    def exports(self, columns: U64) -> list[dict[str, int]]:
        """The exports of each witness by name."""
        names = list(self.template.exports)
        at = [self.template.exports[name] for name in names]
        values = from_mont(columns[:, at].reshape(-1, 4))
        return [
            dict(zip(names, values[i * len(at) : (i + 1) * len(at)], strict=True))
            for i in range(len(columns))
        ]

    def _global(self, columns: U64) -> U64:
        """The columns of a system that has these witnesses for instances."""
        links = self.template.num_links
        parts = [columns[0, :1], columns[:, 1:links].reshape(-1, 4), columns[:, links:].reshape(-1, 4)]
        return np.ascontiguousarray(np.concatenate(parts))

    def _layout(self, instances: int) -> Layout:
        t, m = self.template, self.template.matrices
        given = t.num_links - 1
        links = np.zeros((instances, t.num_links), dtype=np.uint32)
        links[:, 1:] = 1 + np.arange(instances * given, dtype=np.uint32).reshape(instances, given)
        block = Block(
            num_rows=t.num_constraints,
            num_links=t.num_links,
            num_own=t.num_own,
            instances=instances,
            a=m.a,
            b=m.b,
            c=m.c,
            constants=m.constants,
            links=links,
            own_base=1 + instances * given,
            row_base=0,
        )
        total = 1 + instances * (given + t.num_own)
        return Layout(total, instances * given, instances * t.num_constraints, (block,))


# -- the tape ----------------------------------------------------------------------------------------
def _instructions(words: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(position, opcode, size in words) of each instruction."""
    i, end = 0, len(words)
    while i < end:
        opcode, size = words[i] & 255, words[i] >> 8
        yield i, opcode, size
        i += size


def _destinations(words: Sequence[int], i: int, opcode: int) -> list[int]:
    dst = words[i + 1]
    if opcode == Opcode.BITS:
        return list(range(dst, dst + words[i + 3]))
    if opcode == Opcode.DIVMOD:
        return [dst, words[i + 2]]
    if opcode > Opcode.LESS_THAN:  # a hint in Python
        return list(range(dst, dst + words[i + 2]))
    return [dst]


def first_writes(template: Template) -> np.ndarray:
    """For each column the number of the instruction that writes it; 0 for links and inputs.

    What an instruction writes can only depend on columns with smaller numbers.
    """
    columns = template.num_links + template.num_own
    written = np.zeros(columns, dtype=np.int64)
    flat = template._tape.flat
    for number, (i, opcode, _) in enumerate(_instructions(flat), start=1):
        for dst in _destinations(flat, i, opcode):
            if dst < columns:
                written[dst] = number
    return written


def operands_read(template: Template) -> frozenset[int]:
    """The columns that some instruction reads."""
    columns = template.num_links + template.num_own
    flat = template._tape.flat
    read: set[int] = set()
    for i, opcode, size in _instructions(flat):
        if opcode == Opcode.LC:
            read.update(flat[i + 3 : i + size : 2])
        elif opcode == Opcode.BITS:
            read.add(flat[i + 2])
        elif opcode == Opcode.DIVMOD:
            read.update(flat[i + 3 : i + size])
        elif opcode > Opcode.LESS_THAN:  # a hint in Python
            read.update(flat[i + 4 : i + size])
        else:
            read.update(flat[i + 2 : i + size])
    return frozenset(c for c in read if c < columns)


def solve_forced(
    template: Template, links: Sequence[int], inputs: Sequence[int], forced: Mapping[int, int]
) -> list[int]:
    """All columns when these ones are given these values and the rest follows: the slow twin of
    replaying a :func:`patched_program`, and what templates with hints in Python need."""
    columns = template.num_links + template.num_own
    cells = [*links, *inputs]
    cells += [0] * (columns + template._tape.num_temporaries - len(cells))
    flat, constants = template._tape.flat, template.matrices.values
    run(flat, constants, cells, template._python_hints, None, forced)
    return cells[:columns]


def patched_program(template: Template, columns: Sequence[int]) -> Program:
    """The template's tape, in which each of these columns has a link of its own added to what it computes.

    The new links follow the template's, in the order of ``columns``, so that the own wires come out where
    they were. With all of them zero nothing changes; with one of them not, that wire lies and all that is
    computed from it follows the lie.
    """
    program = template.program
    old, extra = program.num_links, len(columns)
    delta = {column: old + k for k, column in enumerate(columns)}
    words = program.words.tolist()
    out: list[int] = []
    spare = program.num_temporaries
    width = 1

    def moved(operand: int) -> int:
        return operand + extra if old <= operand < TEMPORARY else operand

    for i, opcode, size in _instructions(words):
        dsts = _destinations(words, i, opcode)
        lying = any(dst in delta for dst in dsts)
        body = list(words[i : i + size])
        if opcode == Opcode.LC:
            body[1] = moved(body[1])
            body[3::2] = [moved(x) for x in body[3::2]]
        elif opcode == Opcode.BITS:
            body[1:3] = [moved(x) for x in body[1:3]]
        else:
            body[1:] = [moved(x) for x in body[1:]]
        if lying:
            held = [(spare + k) | TEMPORARY for k in range(len(dsts))]
            width = max(width, len(dsts))
            body[1] = held[0]
            if opcode == Opcode.DIVMOD:
                body[2] = held[1]
        out += body
        if lying:
            for dst, kept in zip(dsts, held, strict=True):
                if dst in delta:
                    out += [Opcode.ADD | 4 << 8, moved(dst), kept, delta[dst]]
                else:
                    out += [Opcode.COPY | 3 << 8, moved(dst), kept]
    return Program(
        words=np.array(out, dtype=np.uint32),
        constants=program.constants,
        num_links=old + extra,
        num_inputs=program.num_inputs,
        num_own=program.num_own,
        num_temporaries=spare + width,
    )
