"""Claims: what a circuit's author has proved on paper and no row says, for the analysis of a circuit.

This module must not know how a claim is used. A claim costs no row and no wire and is no part of a
template's digest: it changes neither what is proved nor who accepts it. It speaks of satisfying witnesses
only, and is tested on each of them that somebody checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zkrollup.cs.failures import Failure, Operand, sum_text, value_text
from zkrollup.cs.places import Place
from zkrollup.cs.scalar_field import MODULUS

__all__ = ["Claim", "ClaimFailure"]


@dataclass(frozen=True)
class Claim:
    """``nonzero``: in every satisfying witness the sum ``terms`` (column, coefficient) is not zero.
    ``determined``: any two satisfying witnesses that agree on the columns ``by`` agree on ``columns`` and on
    the sums ``sums``.
    ``idle``: ``columns`` may have several values, and nothing outside them depends on which.

    ``reason`` is the proof, or where it stands; ``place`` the line that claims.
    """

    kind: str
    terms: tuple[tuple[int, int], ...]
    columns: tuple[int, ...]
    by: tuple[int, ...]
    reason: str
    scope: str
    place: Place
    sums: tuple[tuple[tuple[int, int], ...], ...] = ()

    def value(self, values: Mapping[int, int] | Sequence[int]) -> int:
        """What the sum of a nonzero claim is."""
        return sum(k * values[column] for column, k in self.terms) % MODULUS

    def failure(
        self, template: str, names: Sequence[tuple[str, int]], operands: tuple[Operand, ...]
    ) -> ClaimFailure:
        """Told on a witness in which the sum is zero."""
        return ClaimFailure(
            template=template,
            row=-1,
            scope=self.scope,
            label=f"claim: {self.reason}",
            place=self.place,
            formula=f"{sum_text(names)} is not 0",
            left=0,
            right=0,
            operands=operands,
        )


@dataclass(frozen=True)
class ClaimFailure(Failure):
    """A claim that a sum is never zero, on a satisfying witness in which it is: the author is wrong."""

    @property
    def title(self) -> str:
        reason = self.label.removeprefix("claim: ")
        return f"{self.path}: every constraint holds, but this claim is false: {reason}"

    @property
    def sides(self) -> str:
        return f"but it is {value_text(self.left)}" + (", where" if self.operands else "")
