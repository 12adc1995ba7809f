"""Why a row does not hold: the hints whose answers it uses are compared with what they were asked.

Hints are total functions: 300 has 8 low bits like any number, and 1/0 is answered with 0. The rows object
later; here the question is found again. This module must not know how rows are evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from zkrollup.cs.failures import Cause, sum_text, value_text
from zkrollup.cs.hints import HINT_NAMES, VALUE_HINT
from zkrollup.cs.tape_index import Operands
from zkrollup.engine.interface import Opcode

if TYPE_CHECKING:
    from zkrollup.cs.template import Template

__all__ = ["find_causes"]

_MOST_CAUSES = 4
_DIVISOR = {Opcode.INVERSE_OR_ZERO: 0, Opcode.DIVIDE_OR_ZERO: 1, Opcode.DIVMOD: 1}


def find_causes(
    template: Template,
    columns: Iterable[int],
    values: Mapping[int, int] | Sequence[int],
    *,
    boolean: int | None = None,
    definition: bool = False,
) -> tuple[Cause, ...]:
    """Causes for a failing row that uses these local columns, the most telling first.

    ``boolean``: the column that the row says is 0 or 1, if that is all it says. ``definition``: the row only
    says what a wire is, so that it holds for every honest witness, whatever its hints were asked.
    """
    read = Operands(template.tape_index, template.matrices.values, values)
    hints = dict.fromkeys(h for c in columns if (h := template.hint_of_column(c)) is not None)
    causes: list[Cause] = []
    for number in hints:
        causes += _of_hint(template, number, read, values, definition)
        if len(causes) >= _MOST_CAUSES:
            break
    if boolean is not None and not causes and values[boolean] > 1:
        name = template.wire_name(boolean)
        causes.append(Cause("boolean", f"{name} = {value_text(values[boolean])} is neither 0 nor 1", None))
    order = {"hint": 1}
    return tuple(sorted(causes, key=lambda cause: order.get(cause.kind, 0))[:_MOST_CAUSES])


def _of_hint(
    template: Template,
    number: int,
    read: Operands,
    values: Mapping[int, int] | Sequence[int],
    definition: bool,
) -> list[Cause]:
    site = template.hints[number]
    at = int(template.tape_index.written[site.columns[0]])
    opcode = template.tape_index.flat[at] & 255
    cells = template.tape_index.reads(at)
    if opcode == Opcode.BITS and not definition:
        asked, width = read.value(cells[0], at), template.hint_width(number)
        if asked >> width:
            text = f"{_what(template, read, cells[0], at)} does not fit {width} bit{'s' * (width > 1)}"
            return [Cause("range", text, site.place)]
    elif opcode in _DIVISOR and not definition:
        divisor = cells[_DIVISOR[opcode]]
        if read.value(divisor, at) == 0:
            problem = "has no inverse" if opcode == Opcode.INVERSE_OR_ZERO else "is a divisor"
            return [Cause("division", f"{_what(template, read, divisor, at)} {problem}", site.place)]
    honest = read.honest(at)
    for k, column in enumerate(site.columns if honest is not None else ()):
        assert honest is not None
        if honest[k] != values[column]:
            kind = HINT_NAMES[VALUE_HINT] if opcode == Opcode.COPY else site.kind
            text = (
                f"{template.wire_name(column)} = {value_text(values[column])}, but hint_{kind} computes "
                f"{value_text(honest[k])}"
            )
            return [Cause("hint", text, site.place)]
    return []


def _what(template: Template, read: Operands, cell: int, at: int) -> str:
    """``balance - amount = -5``: what an instruction reads, by name where it is a short sum."""
    value = value_text(read.value(cell, at))
    terms = read.linear(cell, at)
    if terms is None:
        return f"a computed value, {value},"
    named = template.name_terms([(c, k) for c, k in terms.items()])
    text = sum_text(named)
    return value if text == value else f"{text} = {value}"
