"""Exceptions of the constraint system: what an author or a caller did wrong, and where.

A constraint that does not hold is not an exception; see :mod:`zkrollup.cs.failures`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "AssemblyError",
    "AssignmentError",
    "ConstraintSystemError",
    "FreezeError",
    "HintError",
    "Problem",
    "given_text",
    "integer_of",
    "range_text",
    "type_text",
]


class ConstraintSystemError(Exception):
    """The author of a circuit asked for something that has no meaning."""


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a template or a system from being frozen."""

    kind: str
    """``unused input``, ``unused link``, ``unconstrained hint``, ``duplicate name``, ``not connected`` …"""
    name: str
    text: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.file else self.text


class FreezeError(ConstraintSystemError):
    """A template cannot be frozen; ``problems`` holds every reason, not only the first."""

    def __init__(self, what: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{what} cannot be frozen:", *(f"  {p}" for p in self.problems)]))


class AssemblyError(ConstraintSystemError):
    """Parts of a system were connected in a way that has no meaning."""


class AssignmentError(ValueError):
    """The values given for a template are missing, unknown, of a wrong type or out of range.

    ``part``, ``instance``, ``name`` and ``expected`` say of which value, where that is one, and what it
    could have been; ``subject`` what the instance stands for, where the caller said so.
    """

    def __init__(
        self,
        message: str,
        *,
        part: str = "",
        instance: int | None = None,
        name: str = "",
        expected: str = "",
        subject: str = "",
    ) -> None:
        super().__init__(message)
        self.part, self.instance, self.name = part, instance, name
        self.expected, self.subject = expected, subject


def range_text(bits: int) -> str:
    """The integers that fit so many bits, for messages."""
    return f"0 .. {(1 << bits) - 1}" if bits <= 32 else f"0 .. 2^{bits} - 1"


def integer_of(value: object) -> int | None:
    """An integer of Python's, numpy's or whoever's as Python's; None for what is none, floats among them."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def type_text(value: object) -> str:
    """A value's type, for messages: ``float``, ``numpy.float64``."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def given_text(value: int) -> str:
    """A value that was given, for messages: in decimal unless it is far too long to be meant."""
    return str(value) if value.bit_length() <= 300 else f"an integer of {value.bit_length():,} bits"


class HintError(ConstraintSystemError):
    """A hint written in Python raised, or gave the wrong number of values, while a witness was computed.

    ``place`` is the line that asked for it; ``operands`` what it was given.
    """

    def __init__(
        self, where: str, scope: str, place: str, problem: str, operands: str, subject: str = ""
    ) -> None:
        self.where, self.scope, self.place = where, scope, place
        self.problem, self.operands, self.subject = problem, operands, subject
        path = f"{where}/{scope}" if scope else where
        of = f" in {subject}" if subject else ""
        super().__init__(f"{path}: {problem}; asked for at {place} with {operands or 'no operands'}{of}")

    def within(self, part: str, instance: int, subject: str) -> HintError:
        """The same error, told of an instance of a part."""
        where = f"{part}[{instance}]"
        return HintError(where, self.scope, self.place, self.problem, self.operands, subject)
