"""The tape: what a template computes, as a run of 32-bit words that engines replay.

This module must not know of signals or rows: it sees operands, constants and hint opcodes. While
recording, wires and temporaries have provisional numbers and temporaries are never reused;
:meth:`Tape.finish` renumbers the wires and gives temporaries as few scratch slots as liveness allows.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from zkrollup.cs.errors import ConstraintSystemError
from zkrollup.engine.interface import TEMPORARY, U32, Opcode

__all__ = ["FinishedTape", "Tape"]

_ADD, _SUB, _MUL, _LC, _COPY = Opcode.ADD, Opcode.SUB, Opcode.MUL, Opcode.LC, Opcode.COPY
_KINDS3 = b"\0\1\2\2"
_MAX_WORDS = (1 << 24) - 1


@dataclass(frozen=True, eq=False)
class FinishedTape:
    """``words`` as in :class:`zkrollup.engine.interface.Program`; ``flat`` is the same with each temporary
    t written as ``num_columns + t``, for the interpreter."""

    words: U32
    flat: list[int]
    num_temporaries: int


class Tape:
    """Words under construction. ``kinds`` has one byte a word: 0 literal, 1 destination, 2 operand."""

    __slots__ = ("kinds", "num_instructions", "num_temporaries", "words")

    def __init__(self) -> None:
        self.words = array("I")
        self.kinds = bytearray()
        self.num_temporaries = 0
        self.num_instructions = 0

    def temporary(self) -> int:
        t = self.num_temporaries
        self.num_temporaries = t + 1
        return t | TEMPORARY

    def binary(self, opcode: int, dst: int, a: int, b: int) -> None:
        self.words.extend((opcode | 4 << 8, dst, a, b))
        self.kinds += _KINDS3
        self.num_instructions += 1

    def copy(self, dst: int, a: int) -> None:
        self.words.extend((_COPY | 3 << 8, dst, a))
        self.kinds += b"\0\1\2"
        self.num_instructions += 1

    def linear(self, dst: int, constant: int, operands: list[int], coefs: list[int]) -> None:
        """dst = constant + sum(coefs * operands); ``constant`` and ``coefs`` index the constants, whose
        first three are 0, 1, -1."""
        n = len(operands)
        if constant == 0 and n == 2:
            if coefs[0] == 1 and coefs[1] == 1:
                self.binary(_ADD, dst, operands[0], operands[1])
                return
            if coefs[0] == 1 and coefs[1] == 2:
                self.binary(_SUB, dst, operands[0], operands[1])
                return
            if coefs[0] == 2 and coefs[1] == 1:
                self.binary(_SUB, dst, operands[1], operands[0])
                return
        elif constant == 0 and n == 1 and coefs[0] == 1:
            self.copy(dst, operands[0])
            return
        total = 3 + 2 * n
        if total > _MAX_WORDS:
            raise ConstraintSystemError(f"a linear combination of {n} terms does not fit an instruction")
        words = self.words
        words.append(_LC | total << 8)
        words.append(dst)
        words.append(constant)
        for i in range(n):
            words.append(operands[i])
            words.append(coefs[i])
        self.kinds += b"\0\1\0" + b"\2\0" * n
        self.num_instructions += 1

    def hint(
        self, opcode: int, dsts: list[int], before: list[int], operands: list[int], after: list[int]
    ) -> None:
        """A hint: destinations, literals ``before``, operands, literals ``after``."""
        total = 1 + len(dsts) + len(before) + len(operands) + len(after)
        if total > _MAX_WORDS:
            raise ConstraintSystemError(f"a hint of {total} words does not fit an instruction")
        self.words.extend((opcode | total << 8, *dsts, *before, *operands, *after))
        self.kinds += (
            b"\0" + b"\1" * len(dsts) + b"\0" * len(before) + b"\2" * len(operands) + b"\0" * len(after)
        )
        self.num_instructions += 1

    def finish(self, columns: U32) -> FinishedTape:
        """Renumber: ``columns[provisional wire]`` is the final column."""
        words = np.array(self.words, dtype=np.uint32)
        kinds = np.frombuffer(bytes(self.kinds), dtype=np.uint8)
        operand = kinds != 0
        temporary = operand & (words >= TEMPORARY)
        wire = operand & ~temporary
        words[wire] = columns[words[wire]]
        flat = words.astype(np.int64)
        num_slots = 0
        at = np.flatnonzero(temporary)
        if len(at):
            ids = (words[at] & (TEMPORARY - 1)).astype(np.int64)
            slots, num_slots = _assign_slots(at, ids, kinds[at] == 1, self.num_temporaries)
            words[at] = slots[ids].astype(np.uint32) | np.uint32(TEMPORARY)
            flat[at] = slots[ids] + len(columns)
        return FinishedTape(words, flat.tolist(), num_slots)


def _assign_slots(
    at: np.ndarray, ids: np.ndarray, is_destination: np.ndarray, count: int
) -> tuple[np.ndarray, int]:
    """Scratch slots by liveness: a slot is free again after the instruction of its value's last use.

    Positions are compared in words. A destination stands before the operands of its instruction, so a
    value that dies in an instruction still holds its slot while the destination is chosen.
    """
    defined = np.full(count, -1, dtype=np.int64)
    defined[ids[is_destination]] = at[is_destination]
    last = np.zeros(count, dtype=np.int64)
    np.maximum.at(last, ids, at)
    births = np.argsort(defined, kind="stable")
    deaths = np.argsort(last, kind="stable")
    birth_at, death_at = defined[births].tolist(), last[deaths].tolist()
    dying = deaths.tolist()
    slots = [0] * count
    free: list[int] = []
    used = d = 0
    for t, born in zip(births.tolist(), birth_at, strict=True):
        while d < count and death_at[d] < born:
            free.append(slots[dying[d]])
            d += 1
        if free:
            slots[t] = free.pop()
        else:
            slots[t] = used
            used += 1
    return np.array(slots, dtype=np.int64), used
