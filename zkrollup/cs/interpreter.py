"""Replaying a tape in Python integers: the slow twin of ``Engine.replay``, one instance at a time.

This module must not know of rows, names or engines. It is what *check* runs on, and what computes the
witness of a part whose template has hints written in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from zkrollup.cs.errors import ConstraintSystemError, integer_of, type_text
from zkrollup.cs.hints import HINTS, PYTHON_HINT, PythonHint
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.interface import Opcode

__all__ = ["HintRaised", "Lie", "run"]

Lie = int | Sequence[int] | Callable[[list[int]], "int | Sequence[int]"]
"""What an overridden hint answers: values, or a function of the honest answer."""

_FIRST_HINT = Opcode.BITS


class HintRaised(Exception):
    """A hint written in Python failed: ``text`` says how, ``column`` is the first that it writes."""

    def __init__(self, column: int, operands: list[int], text: str) -> None:
        super().__init__(text)
        self.column, self.operands, self.text = column, operands, text


def run(
    flat: Sequence[int],
    constants: Sequence[int],
    cells: list[int],
    python_hints: Sequence[PythonHint] = (),
    hint_lies: Mapping[int, Lie] | None = None,
    cell_lies: Mapping[int, int] | None = None,
) -> None:
    """Replay ``flat`` (see :class:`zkrollup.cs.tape.FinishedTape`) over ``cells``, in place.

    Arguments:
        constants: integers below r.
        cells: columns (links and inputs filled), then scratch cells.
        hint_lies: by the first column that a hint writes: what it answers instead.
        cell_lies: by column: the value it is given instead of what an instruction writes.
    """
    i, end = 0, len(flat)
    lies, forced = hint_lies or {}, cell_lies or {}
    for column, value in forced.items():
        cells[column] = value
    while i < end:
        head = flat[i]
        opcode, size = head & 255, head >> 8
        dst = flat[i + 1]
        if opcode == Opcode.MUL:
            cells[dst] = cells[flat[i + 2]] * cells[flat[i + 3]] % MODULUS
        elif opcode == Opcode.ADD:
            cells[dst] = (cells[flat[i + 2]] + cells[flat[i + 3]]) % MODULUS
        elif opcode == Opcode.SUB:
            cells[dst] = (cells[flat[i + 2]] - cells[flat[i + 3]]) % MODULUS
        elif opcode == Opcode.LC:
            total = constants[flat[i + 2]]
            for j in range(i + 3, i + size, 2):
                total += constants[flat[j + 1]] * cells[flat[j]]
            cells[dst] = total % MODULUS
        elif opcode == Opcode.COPY:
            cells[dst] = cells[flat[i + 2]]
        elif opcode >= _FIRST_HINT:
            answer, dst = _answer(opcode, flat, i, size, cells, python_hints)
            cells[dst : dst + len(answer)] = answer
        else:
            raise ConstraintSystemError(f"the tape has an unknown opcode {opcode} at word {i}")
        if lies and dst in lies:
            count = _written(opcode, flat, i)
            cells[dst : dst + count] = _lie(lies[dst], cells[dst : dst + count])
        if forced:
            for column in forced.keys() & set(range(dst, dst + _written(opcode, flat, i))):
                cells[column] = forced[column]
        i += size


def _written(opcode: int, flat: Sequence[int], i: int) -> int:
    if opcode == Opcode.BITS:
        return flat[i + 3]
    if opcode == PYTHON_HINT:
        return flat[i + 2]
    return 2 if opcode == Opcode.DIVMOD else 1


def _answer(
    opcode: int, flat: Sequence[int], i: int, size: int, cells: list[int], python_hints: Sequence[PythonHint]
) -> tuple[list[int], int]:
    """The honest answer and its first column."""
    dst = flat[i + 1]
    if opcode == Opcode.BITS:
        a = cells[flat[i + 2]]
        return [(a >> k) & 1 for k in range(flat[i + 3])], dst
    if opcode == PYTHON_HINT:
        count, function = flat[i + 2], python_hints[flat[i + 3]]
        return _python_answer(function, [cells[c] for c in flat[i + 4 : i + size]], count, dst), dst
    if opcode == Opcode.DIVMOD:
        if flat[i + 2] != dst + 1:
            raise ConstraintSystemError("the tape scatters a quotient and its remainder")
        return [*HINTS[opcode](cells[flat[i + 3]], cells[flat[i + 4]])], dst  # type: ignore[misc]
    operands = [cells[c] for c in flat[i + 2 : i + size]]
    return [HINTS[opcode](*operands)], dst  # type: ignore[list-item]


def _python_answer(function: PythonHint, operands: list[int], count: int, column: int) -> list[int]:
    name = getattr(function, "__qualname__", repr(function))
    try:
        got: object = function(*operands)
        one = integer_of(got) is not None or isinstance(got, str | bytes) or not isinstance(got, Iterable)
        answers = [got] if one else [*got]  # type: ignore[misc]
    except Exception as error:
        text = f"the Python hint {name} raised {type(error).__name__}: {error}"
        raise HintRaised(column, operands, text) from error
    values = []
    for answer in answers:
        value = integer_of(answer)
        if value is None:
            text = f"the Python hint {name} gave {answer!r} ({type_text(answer)}), expected an integer"
            raise HintRaised(column, operands, text)
        values.append(value % MODULUS)
    if len(values) != count:
        raise HintRaised(column, operands, f"the Python hint {name} gave {len(values)} values, not {count}")
    return values


def _lie(lie: Lie, honest: list[int]) -> list[int]:
    told = lie(list(honest)) if callable(lie) else lie
    values = [told] if isinstance(told, int) else list(told)
    if len(values) != len(honest):
        raise ConstraintSystemError(
            f"a hint has {len(honest)} outputs, the override gives {len(values)} values"
        )
    return [v % MODULUS for v in values]
