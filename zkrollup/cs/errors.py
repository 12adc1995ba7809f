"""Exceptions of the constraint system: what an author or a caller did wrong, and where.

A constraint that does not hold is not an exception; see :mod:`zkrollup.cs.failures`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["AssemblyError", "AssignmentError", "ConstraintSystemError", "FreezeError", "Problem"]


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
    """The values given for a template are missing, unknown, of a wrong type or out of range."""
