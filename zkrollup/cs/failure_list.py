"""All failures of a check, in the order of computation: first cause first, grouped, explained when asked.

This module must not know how rows are evaluated or described; it is given both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from zkrollup.cs.claims import ClaimFailure
from zkrollup.cs.failures import Failure, SeamFailure, instances_text
from zkrollup.cs.places import Place

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["SHOWN_FULL", "FailureGroup", "Failures", "Heading"]

SHOWN_FULL = 3
SHOWN_GROUPS = 12
_JSON_LIMIT = 1000
_NUMBERED = re.compile(r"\[\d+\]")

Ints = npt.NDArray[np.int64]


class Heading(NamedTuple):
    """What can be said of a failure without evaluating it."""

    part: str
    scope: str
    label: str
    place: Place


@dataclass(frozen=True, eq=False)
class FailureGroup:
    """Failures of one part, scope, label and line: ``count`` in all, of ``instances``; ``first`` of them.

    Labels that differ only in numbers in brackets, as those of a number's bits, are one: ``bits[…]``.
    """

    heading: Heading
    count: int
    instances: tuple[int, ...]
    first: Failure

    @property
    def where(self) -> str:
        part, scope = self.heading.part, self.heading.scope
        head = f"{part}[{instances_text(self.instances)}]" if part else self.first.template
        return f"{head}/{scope}" if scope else head

    def __str__(self) -> str:
        return f"{self.count:>7,} × {self.where} '{self.heading.label}' at {self.heading.place}"


class Failures(Sequence[Failure]):
    """The rows and seams that do not hold, in the order in which their values become known.

    A sequence of :class:`Failure`; each is explained when it is first asked for, so that thousands cost
    nothing until they are read. What fails first in the computation stands first: its consequences come
    after it. Equal to a list or tuple with equal failures.
    """

    def __init__(
        self,
        name: str,
        num_constraints: int,
        keys: Ints,
        instances: Ints,
        explain: Callable[[int], Failure],
        heading: Callable[[int], Heading],
        num_seams: int = 0,
        order: str = "in the order of computation",
        num_claims: int = 0,
    ) -> None:
        """``keys``: one number for each failure, equal for one row of one part in several instances;
        ``explain`` and ``heading`` take a position; ``num_seams`` of them are seams and ``num_claims``
        claims, not rows."""
        self.name = name
        self.num_constraints = num_constraints
        self._keys, self._instances = keys, instances
        self._explain, self._heading = explain, heading
        self._num_seams, self._num_claims = num_seams, num_claims
        self.order = order
        self._known: dict[int, Failure] = {}

    @classmethod
    def of(cls, name: str, num_constraints: int, failures: Iterable[Failure]) -> Failures:
        """From failures that are explained already, in their order."""
        known = tuple(failures)
        headings = [Heading(f.part, f.scope, f.label, f.place) for f in known]
        numbers = {heading: i for i, heading in enumerate(dict.fromkeys(headings))}
        return cls(
            name,
            num_constraints,
            np.array([numbers[h] for h in headings], dtype=np.int64),
            np.array([f.instance or 0 for f in known], dtype=np.int64),
            known.__getitem__,
            headings.__getitem__,
            sum(isinstance(f, SeamFailure) for f in known),
            num_claims=sum(isinstance(f, ClaimFailure) for f in known),
        )

    # -- a sequence ----------------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Failure: ...
    @overload
    def __getitem__(self, index: slice) -> list[Failure]: ...
    def __getitem__(self, index: int | slice) -> Failure | list[Failure]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"failure {index} of {len(self)}")
        found = self._known.get(at)
        if found is None:
            found = self._known[at] = self._explain(at)
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Failures | list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    # -- groups ----------------------------------------------------------------------------------------
    @cached_property
    def groups(self) -> tuple[FailureGroup, ...]:
        """Failures of the same constraint together, in the order of each group's first."""
        if not len(self):
            return ()
        keys, firsts, counts = np.unique(self._keys, return_index=True, return_counts=True)
        order = np.argsort(firsts, kind="stable")
        merged: dict[Heading, list[int]] = {}
        for k in order.tolist():
            heading = self._heading(int(firsts[k]))
            heading = heading._replace(label=_NUMBERED.sub("[…]", heading.label))
            merged.setdefault(heading, []).append(k)
        group_of = np.empty(len(keys), dtype=np.int64)
        for number, members in enumerate(merged.values()):
            group_of[members] = number
        group_of_failure = group_of[np.searchsorted(keys, self._keys)]
        by_group = np.argsort(group_of_failure, kind="stable")
        ends = np.cumsum(np.bincount(group_of_failure, minlength=len(merged)))
        groups = []
        start = 0
        for (heading, members), end in zip(merged.items(), ends.tolist(), strict=True):
            instances = tuple(np.unique(self._instances[by_group[start:end]]).tolist())
            first = self[int(firsts[members[0]])]
            count = int(counts[members].sum())
            if count == 1:
                heading = heading._replace(label=first.label)
            groups.append(FailureGroup(heading, count, instances, first))
            start = end
        return tuple(groups)

    # -- for people ------------------------------------------------------------------------------------
    @property
    def summary(self) -> str:
        """One line: how many of how many."""
        seams, claims = self._num_seams, self._num_claims
        rows = len(self) - seams - claims
        if not len(self):
            return f"{self.name}: all {self.num_constraints:,} constraints hold"
        said = []
        if rows:
            does = "does" if rows == 1 else "do"
            said.append(f"{rows:,} of {self.num_constraints:,} constraints {does} not hold")
        if seams:
            differ = " differs from its source" if seams == 1 else "s differ from their sources"
            said.append(f"{seams:,} link{differ}")
        if claims:
            false = " is false" if claims == 1 else "s are false"
            said.append(f"all {self.num_constraints:,} constraints hold, but {claims:,} claim{false}")
        return f"{self.name}: {', '.join(said)}"

    def __str__(self) -> str:
        if not len(self):
            return self.summary
        lines = [f"{self.summary}; {self.order}:"]
        lines += [str(group.first) for group in self.groups[:SHOWN_FULL]]
        return "\n".join([*lines, *self.rest])

    @property
    def rest(self) -> list[str]:
        """What follows the failures shown in full, a line a constraint; bounded."""
        follow = len(self) - min(SHOWN_FULL, len(self.groups))
        if not follow:
            return []
        again = [
            f"{g.count - 1:>7,} more of {g.where} '{g.heading.label}'"
            for g in self.groups[:SHOWN_FULL]
            if g.count > 1
        ]
        others = self.groups[SHOWN_FULL : SHOWN_FULL + SHOWN_GROUPS]
        lines = [f"{follow:,} more {'follows' if follow == 1 else 'follow'}:", *again, *map(str, others)]
        left = self.groups[SHOWN_FULL + SHOWN_GROUPS :]
        if left:
            count = sum(g.count for g in left)
            lines.append(f"{count:>7,} × of {len(left):,} other constraint{'s' * (len(left) > 1)}")
        return lines

    def __repr__(self) -> str:
        return f"<Failures of {self}>" if len(self) else f"<Failures of {self.name}: none>"

    def to_json(self, limit: int = _JSON_LIMIT) -> dict[str, Any]:
        """Plain data: the summary, all groups, and the first ``limit`` failures."""
        return {
            "system": self.name,
            "constraints": self.num_constraints,
            "failing": len(self),
            "groups": [
                {
                    "where": g.where,
                    "part": g.heading.part,
                    "scope": g.heading.scope,
                    "label": g.heading.label,
                    "file": g.heading.place.file,
                    "line": g.heading.place.line,
                    "count": g.count,
                    "instances": list(g.instances[:limit]),
                }
                for g in self.groups[:limit]
            ],
            "failures": [f.to_json() for f in self[:limit]],
            "left_out": max(len(self) - limit, 0),
        }

    def __rich__(self) -> RenderableType:
        from zkrollup.cs.failure_views import failures_rich

        return failures_rich(self)

    def _repr_html_(self) -> str:
        from zkrollup.cs.failure_views import failures_html

        return failures_html(self)
