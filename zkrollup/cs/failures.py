"""Failures as values: which constraint does not hold, where it was written, and the values it saw.

This module must not know how a row was found to fail; it only describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zkrollup.cs.places import Place
from zkrollup.cs.scalar_field import signed

__all__ = ["Failure", "Operand", "SeamFailure", "formula", "sum_text"]

_SHOWN_TERMS = 8
_SHOWN_OPERANDS = 12
_LONG = 1 << 72


@dataclass(frozen=True)
class Operand:
    """A wire of a failing row: its name, its value, and where it was created."""

    name: str
    value: int
    place: Place | None

    def __str__(self) -> str:
        text = f"{self.name} = {value_text(self.value)}"
        return f"{text}   ({self.place})" if self.place is not None else text


@dataclass(frozen=True)
class Failure:
    """A row that does not hold: ``left != right`` where the row says that a product equals a sum."""

    template: str
    row: int
    scope: str
    label: str
    place: Place
    formula: str
    left: int
    right: int
    operands: tuple[Operand, ...]
    part: str = ""
    instance: int | None = None

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    def within(self, part: str, instance: int) -> Failure:
        return replace(self, part=part, instance=instance)

    @property
    def path(self) -> str:
        """Part, instance and scope: ``slots[3]/signature/on_curve``."""
        head = f"{self.part}[{self.instance}]" if self.part else self.template
        return f"{head}/{self.scope}" if self.scope else head

    def __str__(self) -> str:
        shown = [f"    {o}" for o in self.operands[:_SHOWN_OPERANDS]]
        more = len(self.operands) - _SHOWN_OPERANDS
        if more > 0:
            shown.append(f"    … and {more} more")
        return "\n".join(
            [
                f"{self.path}: '{self.label}' does not hold",
                f"  at {self.place}",
                f"  {self.formula}",
                f"  left {value_text(self.left)}, right {value_text(self.right)}, where",
                *shown,
            ]
        )


@dataclass(frozen=True)
class SeamFailure(Failure):
    """A link was given another value than that of the wire it is connected to.

    ``left`` is the given value, ``right`` that of the source; ``place`` is where the link was declared.
    The rows of the system use the source's wire, so the values computed from the link are wrong.
    """

    link: str = ""
    source: str = ""

    def __str__(self) -> str:
        return (
            f"{self.path}: link '{self.link}' was given {value_text(self.left)}, but {self.source} "
            f"is {value_text(self.right)}\n  declared at {self.place}"
        )


def value_text(value: int) -> str:
    """A field element for people: small ones (also negative) in decimal, others in hexadecimal."""
    near = signed(value)
    return str(near) if -(1 << 32) < near < _LONG else f"{value:#066x}"


def _coefficient(value: int) -> str:
    if value < _LONG:
        return str(value)
    digits = f"{value:x}"
    return f"0x{digits[:4]}…{digits[-4:]}"


def sum_text(terms: Sequence[tuple[str, int]]) -> str:
    """``3*x - y + 7`` from (name, coefficient); the name of a constant is the empty string."""
    text = ""
    for name, coefficient in terms[:_SHOWN_TERMS]:
        k = signed(coefficient)
        size = _coefficient(abs(k))
        term = size if not name else name if abs(k) == 1 else f"{size}*{name}"
        if not text:
            text = f"-{term}" if k < 0 else term
        else:
            text += f" - {term}" if k < 0 else f" + {term}"
    if len(terms) > _SHOWN_TERMS:
        text += f" + … {len(terms) - _SHOWN_TERMS} more terms"
    return text or "0"


def formula(a: Sequence[tuple[str, int]], b: Sequence[tuple[str, int]], c: Sequence[tuple[str, int]]) -> str:
    """The row a * b = c in the names of its wires; a row without a product as ``left = right``."""
    if not a or not b:
        plus = [(n, k) for n, k in c if signed(k) > 0]
        minus = [(n, -k) for n, k in c if signed(k) < 0]
        if len(plus) == 0:
            plus, minus = minus, plus
        return f"{sum_text(plus)} = {sum_text(minus)}"
    if b == [("", 1)]:
        return f"{sum_text(a)} = {sum_text(c)}"
    return f"{_factor(a)} * {_factor(b)} = {sum_text(c)}"


def _factor(terms: Sequence[tuple[str, int]]) -> str:
    text = sum_text(terms)
    return text if len(terms) == 1 and not text.startswith("-") else f"({text})"
