"""Where on a tape each value is written, and what a temporary held: for explaining, not for proving.

This module must not know of rows or names. Temporaries are no part of a witness; what one held is worked
out again from the columns that its instructions read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from zkrollup.cs.hints import HINTS, PYTHON_HINT
from zkrollup.cs.scalar_field import MINUS_ONE, MODULUS
from zkrollup.engine.interface import Opcode

__all__ = ["Operands", "TapeIndex"]

_MOST_TERMS = 300


class TapeIndex:
    """``written[column]``: the word at which the column's instruction begins, -1 for links and inputs."""

    def __init__(self, flat: Sequence[int], num_columns: int) -> None:
        self.flat, self.num_columns = flat, num_columns
        written = np.full(num_columns, -1, dtype=np.int64)
        self._temporaries: dict[int, list[int]] = {}
        at = 0
        while at < len(flat):
            opcode, first = flat[at] & 255, flat[at + 1]
            if first >= num_columns:
                self._temporaries.setdefault(first, []).append(at)
            elif opcode == Opcode.DIVMOD:
                written[[first, flat[at + 2]]] = at
            elif opcode == Opcode.BITS:
                written[first : first + flat[at + 3]] = at
            elif opcode == PYTHON_HINT:
                written[first : first + flat[at + 2]] = at
            else:
                written[first] = at
            at += flat[at] >> 8
        self.written: npt.NDArray[np.int64] = written

    def defined(self, temporary: int, before: int) -> int:
        """The instruction whose value a temporary holds for the instruction at ``before``."""
        places = self._temporaries[temporary]
        return places[bisect_left(places, before) - 1]

    def reads(self, at: int) -> list[int]:
        """The cells that an instruction reads."""
        flat, end = self.flat, at + (self.flat[at] >> 8)
        opcode = flat[at] & 255
        if opcode == Opcode.LC:
            return list(flat[at + 3 : end : 2])
        if opcode == Opcode.BITS:
            return [flat[at + 2]]
        if opcode == Opcode.DIVMOD:
            return list(flat[at + 3 : end])
        if opcode == PYTHON_HINT:
            return list(flat[at + 4 : end])
        return list(flat[at + 2 : end])


class Operands:
    """What instructions read, on given values of the columns."""

    def __init__(
        self, index: TapeIndex, constants: Sequence[int], values: Mapping[int, int] | Sequence[int]
    ) -> None:
        self._index, self._constants, self._values = index, constants, values
        self._known: dict[int, int] = {}

    def value(self, cell: int, at: int) -> int:
        """The value of a cell as the instruction at word ``at`` reads it."""
        index = self._index
        if cell < index.num_columns:
            return self._values[cell]
        root = index.defined(cell, at)
        todo = [root]
        while todo:
            place = todo[-1]
            if place in self._known:
                todo.pop()
                continue
            inner = (index.defined(c, place) for c in index.reads(place) if c >= index.num_columns)
            missing = [d for d in inner if d not in self._known]
            if missing:
                todo.extend(missing)
            else:
                self._known[place] = self._compute(place)
                todo.pop()
        return self._known[root]

    def _compute(self, at: int) -> int:
        flat, constants = self._index.flat, self._constants
        opcode = flat[at] & 255
        read = [self.value(cell, at) for cell in self._index.reads(at)]
        if opcode == Opcode.LC:
            coefs = flat[at + 4 : at + (flat[at] >> 8) : 2]
            total = sum(constants[k] * v for k, v in zip(coefs, read, strict=True))
            return (constants[flat[at + 2]] + total) % MODULUS
        if opcode == Opcode.MUL:
            return read[0] * read[1] % MODULUS
        if opcode == Opcode.ADD:
            return (read[0] + read[1]) % MODULUS
        if opcode == Opcode.SUB:
            return (read[0] - read[1]) % MODULUS
        if opcode == Opcode.COPY:
            return read[0]
        answer = HINTS[opcode](*read)  # of one value: scratch comparisons
        assert isinstance(answer, int)
        return answer

    def honest(self, at: int) -> list[int] | None:
        """What the hint at a word answers to what it reads; None for one written in Python."""
        flat = self._index.flat
        opcode = flat[at] & 255
        if opcode == PYTHON_HINT:
            return None
        read = [self.value(cell, at) for cell in self._index.reads(at)]
        if opcode == Opcode.COPY:
            return read
        answer = HINTS[opcode](*read, *([flat[at + 3]] if opcode == Opcode.BITS else []))
        return [answer] if isinstance(answer, int) else list(answer)  # type: ignore[call-overload]

    def linear(self, cell: int, at: int) -> dict[int, int] | None:
        """A cell as {column: coefficient}, 0 for the constant; None where it is no short sum of columns."""
        index, flat, constants = self._index, self._index.flat, self._constants
        terms: dict[int, int] = {}
        todo = [(cell, at, 1)]
        while todo:
            cell, at, scale = todo.pop()
            if len(terms) + len(todo) > _MOST_TERMS:
                return None
            if cell < index.num_columns:
                terms[cell] = (terms.get(cell, 0) + scale) % MODULUS
                continue
            place = index.defined(cell, at)
            opcode, read = flat[place] & 255, index.reads(place)
            if opcode == Opcode.LC:
                terms[0] = (terms.get(0, 0) + scale * constants[flat[place + 2]]) % MODULUS
                coefs = [constants[k] for k in flat[place + 4 : place + (flat[place] >> 8) : 2]]
            elif opcode in (Opcode.ADD, Opcode.COPY):
                coefs = [1] * len(read)
            elif opcode == Opcode.SUB:
                coefs = [1, MINUS_ONE]
            else:
                return None
            todo += [(c, place, scale * k % MODULUS) for c, k in zip(read, coefs, strict=True)]
        return {c: k for c, k in sorted(terms.items()) if k}
