"""A profile's counts by scope as a file to commit, and the change against it.

This module must not know lines: moving code is no change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkrollup.profile.model import WEIGHTS, Profile

__all__ = ["Change", "Comparison", "compare", "read_snapshot", "write_snapshot"]

_FORMAT = "zkrollup profile 1"
_WATCHED = ("constraints", "nonzeros", "b_columns")
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Change:
    """A scope's counts before and after; the empty path is the circuit. None: it was, or is, not there."""

    scope: str
    before: Counts | None
    after: Counts | None

    def by(self, weight: str) -> int:
        return (self.after or {}).get(weight, 0) - (self.before or {}).get(weight, 0)

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            counts = self.after or self.before or {}
            sign = "+" if self.before is None else "-"
            what = "new" if self.before is None else "gone"
            return f"{self.scope or '(all)'}: {what}, {sign}{counts['constraints']:,} constraints"
        said = [
            f"{name.replace('_', ' ')} {self.before[name]:,} → {self.after[name]:,} ({self.by(name):+,})"
            for name in WEIGHTS
            if self.by(name)
        ]
        return f"{self.scope or '(all)'}: {', '.join(said)}"


@dataclass(frozen=True)
class Comparison:
    """Scopes that changed, the circuit first; ``larger``: by how much what is watched grew, in per cent."""

    changes: tuple[Change, ...]
    larger: dict[str, float]

    def exceeds(self, percent: float) -> bool:
        """Whether constraints, nonzeros or columns in B grew by more than that."""
        return any(grown > percent for grown in self.larger.values())

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) if self.changes else "no change"

    def to_json(self) -> dict[str, Any]:
        return {
            "changes": [{"scope": c.scope, "before": c.before, "after": c.after} for c in self.changes],
            "larger_percent": self.larger,
        }


def write_snapshot(profile: Profile, path: Path) -> None:
    """Counts by scope as JSON, a scope a line."""
    scopes = ",\n".join(f"  {json.dumps(p)}: {json.dumps(c)}" for p, c in profile.by_scope().items())
    head = f'"format": {json.dumps(_FORMAT)},\n "name": {json.dumps(profile.name)}'
    path.write_text(f'{{{head},\n "scopes": {{\n{scopes}\n }}}}\n', encoding="utf-8")


def read_snapshot(path: Path) -> dict[str, dict[str, int]]:
    """Counts by scope. Raises ValueError naming the file and what was expected."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(
            f"{path}: not JSON ({error}); expected what `zkrollup profile --write` wrote"
        ) from None
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ValueError(f"{path}: no snapshot of a profile; expected {_FORMAT!r} as its format")
    scopes = data.get("scopes")
    if not isinstance(scopes, dict) or "" not in scopes:
        raise ValueError(f'{path}: scopes: expected an object with the counts of the circuit under ""')
    for scope, counts in scopes.items():
        if not isinstance(counts, dict) or any(type(counts.get(name)) is not int for name in WEIGHTS):
            raise ValueError(f"{path}: scope {scope!r}: expected the integers {', '.join(WEIGHTS)}")
    return {scope: {name: counts[name] for name in WEIGHTS} for scope, counts in scopes.items()}


def compare(profile: Profile, before: Mapping[str, Counts]) -> Comparison:
    """What changed since a snapshot."""
    after = profile.by_scope()
    changes = [
        Change(scope, before.get(scope), after.get(scope))
        for scope in dict.fromkeys((*after, *before))
        if before.get(scope) != after.get(scope)
    ]
    larger = {}
    for name in _WATCHED:
        old, new = before[""][name], after[""][name]
        if new > old:
            larger[name] = 100 * (new - old) / max(old, 1)
    return Comparison(tuple(sorted(changes, key=lambda c: c.scope != "")), larger)
