"""What the numba engine demands of its arguments: each refusal names what, where and what was expected.

This module must not know how anything is computed; after these checks no kernel leaves an array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.engine import numba_circuit as codes
from zkrollup.engine.convert import FR_MODULUS
from zkrollup.engine.interface import (
    TEMPORARY,
    U64,
    Block,
    EngineError,
    Layout,
    Matrix,
    PoseidonParameters,
    Program,
)
from zkrollup.engine.numba_field import FQ, FR, first_unreduced, words

__all__ = ["array", "instances", "layout", "poseidon_parameters", "program", "readonly", "reduced", "vector"]

MAX_INDEX = 2**32
"""Columns and rows of a layout are below this: indices are 32-bit words."""
MAX_WIRES = 2**28 + 1
"""Links, own wires and temporaries of a program are below this."""


def readonly(a: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view: numba compiles once for it, whether the caller's array is writable or not."""
    view = a.view()
    view.flags.writeable = False
    return view


def array(
    what: str, a: Any, shape: tuple[int | None, ...], dtype: npt.DTypeLike = np.uint64
) -> npt.NDArray[Any]:
    """A read-only view of a C-contiguous array of this dtype and shape (None: any length)."""
    if not isinstance(a, np.ndarray):
        raise EngineError(f"{what}: expected a numpy array, got {type(a).__name__}")
    if a.dtype != np.dtype(dtype):
        raise EngineError(f"{what}: expected dtype {np.dtype(dtype)}, got {a.dtype}")
    if a.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(a.shape, shape, strict=True)
    ):
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        wanted += "," if len(shape) == 1 else ""
        raise EngineError(f"{what}: expected shape ({wanted}), got {a.shape}")
    if not a.flags.c_contiguous:
        raise EngineError(f"{what}: expected a C-contiguous array (numpy.ascontiguousarray makes one)")
    return readonly(a)


def reduced(what: str, a: npt.NDArray[Any], field: str = "fr") -> None:
    """Refuse an array (..., 4 k) of which some element is not below the modulus."""
    rows = readonly(a.reshape(-1, 4))
    bad = first_unreduced(rows, FR if field == "fr" else FQ, 0, len(rows))
    if bad >= 0:
        modulus = "r" if field == "fr" else "q"
        raise EngineError(f"{what}: element {bad} is not below the modulus {modulus}")


def vector(what: str, a: Any, length: int | None = None, field: str = "fr") -> U64:
    """A vector of reduced elements, read-only."""
    view = array(what, a, (length, 4))
    reduced(what, view, field)
    return view


def _count(what: str, value: Any, least: int, below: int = MAX_INDEX) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value < below:
        raise EngineError(f"{what}: expected an integer in {least}..{below - 1}, got {value!r}")
    return int(value)


def _constants(what: str, a: Any) -> U64:
    view = vector(what, a)
    begin = [words((value << 256) % FR_MODULUS) for value in (0, 1, -1)]
    if len(view) < 3 or not np.array_equal(view[:3], np.array(begin, np.uint64)):
        raise EngineError(f"{what}: expected 0, 1, -1 in Montgomery form first")
    return view


def poseidon_parameters(p: PoseidonParameters) -> tuple[U64, U64]:
    """The round constants and the matrix, canonical and checked."""
    if not isinstance(p, PoseidonParameters):
        raise EngineError(f"poseidon: parameters: expected PoseidonParameters, got {type(p).__name__}")
    t = _count("poseidon: parameters.t", p.t, 2, 18)
    full = _count("poseidon: parameters.rounds_full", p.rounds_full, 2, 1025)
    partial = _count("poseidon: parameters.rounds_partial", p.rounds_partial, 0, 1025)
    if full % 2:
        raise EngineError(f"poseidon: parameters.rounds_full: expected an even number, got {full}")
    constants = vector("poseidon: parameters.round_constants", p.round_constants, (full + partial) * t)
    return constants, vector("poseidon: parameters.mds", p.mds, t * t)


_WRONG = {
    codes.BAD_OPCODE: "no instruction has the opcode {opcode}",
    codes.BAD_LENGTH: "an instruction with the opcode {opcode} cannot have {length} words",
    codes.TRUNCATED: "the instruction has {length} words, which goes beyond the end",
    codes.BAD_OPERAND: "there is no {operand}",
    codes.UNWRITTEN: "{operand} is read before it is written",
    codes.BAD_CONSTANT: "there is no constant {word}",
    codes.BAD_DESTINATION: "{operand} cannot be written, or a run of results from it goes too far: "
    "results are temporaries, or own wires after the inputs",
    codes.REPEATED: "{operand}, or one in a run of results from it, is written a second time",
    codes.BAD_COUNT: f"an element has at most {codes.MAX_BITS} bits, not {{word}}",
}


def program(p: Program) -> tuple[npt.NDArray[Any], U64, int]:
    """The words, constants and number of used temporaries of a program that cannot leave its arrays."""
    if not isinstance(p, Program):
        raise EngineError(f"replay: program: expected Program, got {type(p).__name__}")
    links = _count("replay: program: num_links", p.num_links, 1, MAX_WIRES)
    own = _count("replay: program: num_own", p.num_own, 0, MAX_WIRES)
    inputs = _count("replay: program: num_inputs", p.num_inputs, 0, MAX_WIRES)
    if inputs > own:
        raise EngineError(f"replay: program: {inputs} inputs among {own} own wires cannot be")
    temporaries = _count("replay: program: num_temporaries", p.num_temporaries, 0, MAX_WIRES)
    tape = array("replay: program: words", p.words, (None,), np.uint32)
    constants = _constants("replay: program: constants", p.constants)
    written = np.zeros(links + own, np.bool_)
    written[: links + inputs] = True
    scratch = np.zeros(temporaries, np.bool_)
    wrong, at = codes.check_program(tape, len(constants), links + inputs, written, scratch)
    if wrong:
        word = int(tape[at])
        operand = f"temporary {word - TEMPORARY}" if word >= TEMPORARY else f"local column {word}"
        detail = _WRONG[wrong].format(word=word, opcode=word & 0xFF, length=word >> 8, operand=operand)
        raise EngineError(f"replay: program: word {at}: {detail}")
    if not written.all():
        missing = int(np.argmin(written))
        raise EngineError(f"replay: program: own wire {missing - links} is never written")
    used = np.flatnonzero(scratch)
    return tape, constants, int(used[-1]) + 1 if used.size else 0


def instances(p: Program, links: Any, inputs: Any) -> tuple[U64, U64]:
    """The link and input values of each instance, Montgomery and checked."""
    links = array("replay: links", links, (None, p.num_links, 4))
    inputs = array("replay: inputs", inputs, (len(links), p.num_inputs, 4))
    reduced("replay: links", links)
    reduced("replay: inputs", inputs)
    off = np.flatnonzero((links[:, 0] != np.array(words((1 << 256) % FR_MODULUS))).any(axis=1))
    if off.size:
        raise EngineError(f"replay: links: link 0 of instance {off[0]} is not one")
    return links, inputs


def _matrix(where: str, m: Matrix, rows: int, columns: int, constants: int) -> Matrix:
    if not isinstance(m, Matrix):
        raise EngineError(f"{where}: expected Matrix, got {type(m).__name__}")
    indptr = array(f"{where}.indptr", m.indptr, (rows + 1,), np.uint32)
    cols = array(f"{where}.cols", m.cols, (None,), np.uint32)
    coefs = array(f"{where}.coefs", m.coefs, (len(cols),), np.uint32)
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if indptr[0] != 0 or falls.size or indptr[-1] != len(cols):
        bad = 0 if indptr[0] != 0 else int(falls[0]) + 1 if falls.size else rows
        raise EngineError(f"{where}.indptr[{bad}]: expected 0 .. {len(cols)}, ascending")
    for name, values, limit in (("cols", cols, columns), ("coefs", coefs, constants)):
        above = np.flatnonzero(values >= limit)
        if above.size:
            k = int(above[0])
            raise EngineError(f"{where}.{name}[{k}] = {values[k]}: expected below {limit}")
    return Matrix(indptr, cols, coefs)


def _block(where: str, b: Block, x: Layout, column: int, row: int) -> Block:
    """A checked block whose own columns and rows lie behind ``column`` and ``row``."""
    if not isinstance(b, Block):
        raise EngineError(f"{where}: expected Block, got {type(b).__name__}")
    rows = _count(f"{where}.num_rows", b.num_rows, 0)
    links = _count(f"{where}.num_links", b.num_links, 1)
    own = _count(f"{where}.num_own", b.num_own, 0)
    count = _count(f"{where}.instances", b.instances, 0)
    own_base = _count(f"{where}.own_base", b.own_base, 0)
    row_base = _count(f"{where}.row_base", b.row_base, 0)
    table = array(f"{where}.links", b.links, (count, links), np.uint32)
    if own_base < column or own_base + count * own > x.num_columns:
        raise EngineError(f"{where}: own columns from {own_base} on overlap others or leave the layout")
    if row_base < row or row_base + count * rows > x.num_rows:
        raise EngineError(f"{where}: rows from {row_base} on overlap others or leave the layout")
    constants = _constants(f"{where}.constants", b.constants)
    wrong = table >= x.num_columns
    wrong[:, 0] |= table[:, 0] != 0
    if wrong.any():
        i, c = divmod(int(np.argmax(wrong)), links)
        expected = f"a column below {x.num_columns}" + (", and 0 in place 0" if c == 0 else "")
        raise EngineError(f"{where}.links[{i}, {c}] = {table[i, c]}: expected {expected}")
    matrix_a, matrix_b, matrix_c = (
        _matrix(f"{where}.{name}", matrix, rows, links + own, len(constants))
        for name, matrix in (("a", b.a), ("b", b.b), ("c", b.c))
    )
    return Block(rows, links, own, count, matrix_a, matrix_b, matrix_c, constants, table, own_base, row_base)


def layout(what: str, x: Layout) -> Layout:
    """The same layout with read-only arrays, every index of which is within its range."""
    if not isinstance(x, Layout):
        raise EngineError(f"{what}: layout: expected Layout, got {type(x).__name__}")
    num_public = _count(f"{what}: num_public", x.num_public, 0)
    num_columns = _count(f"{what}: num_columns", x.num_columns, 0)
    num_rows = _count(f"{what}: num_rows", x.num_rows, 0)
    if num_public >= num_columns:
        raise EngineError(
            f"{what}: {num_columns} columns cannot hold the constant and {num_public} public columns"
        )
    column, row = num_public + 1, 0
    blocks = []
    for i, given in enumerate(x.blocks):
        block = _block(f"{what}: blocks[{i}]", given, x, column, row)
        column = block.own_base + block.instances * block.num_own
        row = block.row_base + block.instances * block.num_rows
        blocks.append(block)
    return Layout(num_columns, num_public, num_rows, tuple(blocks))
