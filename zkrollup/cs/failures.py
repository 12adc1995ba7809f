"""Failures as values: which constraint does not hold, where it was written, the values it saw, and why.

This module must not know how a row was found to fail; it only describes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zkrollup.cs.places import Place
from zkrollup.cs.scalar_field import MODULUS, signed

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Cause", "Failure", "Operand", "SeamFailure", "formula", "sum_text", "value_text"]

_SHOWN_TERMS = 8
SHOWN_OPERANDS = 12
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
class Cause:
    """Why a row does not hold, where its wires tell.

    ``kind``: ``range`` (a number does not fit the bits asked of it), ``division`` (a divisor is 0),
    ``boolean`` (a value is neither 0 nor 1), ``hint`` (a wire has another value than its hint computes).
    ``place`` is the line that asked for the bits, the quotient or the value.
    """

    kind: str
    text: str
    place: Place | None

    def __str__(self) -> str:
        return f"because {self.text}; asked for at {self.place}" if self.place else f"because {self.text}"


@dataclass(frozen=True)
class Failure:
    """A row that does not hold: ``left != right`` where the row says that a product equals a sum.

    ``subject`` is what the instance stands for, as a transaction: text that the caller of
    ``R1CS.witness`` gave.
    """

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
    causes: tuple[Cause, ...] = ()
    subject: str = ""

    @property
    def file(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    def within(self, part: str, instance: int, subject: str = "") -> Failure:
        return replace(self, part=part, instance=instance, subject=subject)

    @property
    def path(self) -> str:
        """Part, instance and scope: ``slots[3]/signature/on_curve``."""
        head = f"{self.part}[{self.instance}]" if self.part else self.template
        return f"{head}/{self.scope}" if self.scope else head

    @property
    def title(self) -> str:
        """One line: where, and which constraint."""
        return f"{self.path}: '{self.label}' does not hold"

    def __str__(self) -> str:
        lines = [self.title]
        if self.subject:
            lines.append(f"  in {self.subject}")
        lines += [f"  at {self.place}", f"  {self.formula}", f"  {self.sides}"]
        lines += [f"    {o}" for o in self.operands[:SHOWN_OPERANDS]]
        more = len(self.operands) - SHOWN_OPERANDS
        if more > 0:
            lines.append(f"    … and {more} more")
        return "\n".join([*lines, *(f"  {cause}" for cause in self.causes)])

    @property
    def sides(self) -> str:
        where = ", where" if self.operands else ""
        return f"left {value_text(self.left)}, right {value_text(self.right)}{where}"

    def to_json(self) -> dict[str, Any]:
        """Plain data; values of the field as decimal strings, since most JSON readers lose long numbers."""
        return {
            "path": self.path,
            "part": self.part,
            "instance": self.instance,
            "subject": self.subject,
            "template": self.template,
            "row": self.row,
            "scope": self.scope,
            "label": self.label,
            **_place_json(self.place),
            "formula": self.formula,
            "left": str(self.left),
            "right": str(self.right),
            "operands": [
                {"name": o.name, "value": str(o.value), **_place_json(o.place)} for o in self.operands
            ],
            "causes": [{"kind": c.kind, "text": c.text, **_place_json(c.place)} for c in self.causes],
        }

    def __rich__(self) -> RenderableType:
        from zkrollup.cs.failure_views import failure_rich

        return failure_rich(self)

    def _repr_html_(self) -> str:
        from zkrollup.cs.failure_views import failure_html

        return failure_html(self)


@dataclass(frozen=True)
class SeamFailure(Failure):
    """A link was given another value than that of the wire it is connected to.

    ``left`` is the given value, ``right`` that of the source; ``place`` is where the link was declared.
    The rows of the system use the source's wire, so the values computed from the link are wrong.
    """

    link: str = ""
    source: str = ""

    @property
    def title(self) -> str:
        return f"{self.path}: link '{self.link}' was given another value than {self.source} has"

    def __str__(self) -> str:
        subject = f"\n  in {self.subject}" if self.subject else ""
        return (
            f"{self.path}: link '{self.link}' was given {value_text(self.left)}, but {self.source} "
            f"is {value_text(self.right)}{subject}\n  declared at {self.place}"
        )

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"link": self.link, "source": self.source}


def _place_json(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"file": None, "line": None}
    called = {"called_from": f"{place.caller_file}:{place.caller_line}"} if place.caller_file else {}
    return {"file": place.file, "line": place.line, **called}


def value_text(value: int) -> str:
    """A field element for people: small ones (also negative) in decimal, others in hexadecimal."""
    near = signed(value)
    return str(near) if -(1 << 32) < near < _LONG else f"{value:#066x}"


def _fraction(value: int) -> tuple[int, int] | None:
    """``value`` as numerator / 2^m with a small numerator, where it is one; the top bit of a number is what
    the others leave over, divided by a power of two."""
    for m in range(1, 254):
        value = value * 2 % MODULUS
        if abs(signed(value)) < 1 << 16:
            return signed(value), m
    return None


def _term(name: str, coefficient: int) -> tuple[bool, str]:
    """Whether a term is negative, and its text without the sign; a constant has no name."""
    k, below = signed(coefficient), ""
    if abs(k) >= _LONG and (fraction := _fraction(coefficient)) is not None:
        k = fraction[0]
        below = f"/{1 << fraction[1]}" if fraction[1] <= 16 else f"/2^{fraction[1]}"
    size = f"{abs(k)}"
    if abs(k) >= _LONG:
        digits = f"{abs(k):x}"
        size = f"0x{digits[:4]}…{digits[-4:]}"
    text = size if not name else name if abs(k) == 1 else f"{size}*{name}"
    return k < 0, text + below


def sum_text(terms: Sequence[tuple[str, int]]) -> str:
    """``3*x - y/8 + 7`` from (name, coefficient); the name of a constant is the empty string."""
    text = ""
    for name, coefficient in terms[:_SHOWN_TERMS]:
        negative, term = _term(name, coefficient)
        if not text:
            text = f"-{term}" if negative else term
        else:
            text += f" - {term}" if negative else f" + {term}"
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


def instances_text(instances: Sequence[int]) -> str:
    """``3``, ``0..7``, ``0, 2..5, … of 40 instances``: ascending numbers for people."""
    runs = list(_runs(instances))
    text = ", ".join(f"{a}" if a == b else f"{a}..{b}" for a, b in runs[:3])
    return text if len(runs) <= 3 else f"{text}, … of {len(instances):,} instances"


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for n in numbers:
        if last is not None and n == last + 1:
            last = n
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = n
    if first is not None and last is not None:
        yield first, last
