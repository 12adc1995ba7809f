"""Lists of what is known and why it is harmless: name patterns with a reason each, none of them stale.

This module must not know what is being explained - wires that a mutation may change, rows that can go.

A pattern is a name, or a name with ``*`` for any run of characters; everything else, brackets too, stands
for itself. It may also be written with the scope in front, ``scope/path/name``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["Explained"]


class Explained:
    """Patterns and reasons. It remembers which patterns matched, so that :meth:`assert_used` can refuse
    explanations of things that are no longer there.

    Arguments:
        reasons: pattern to reason; a reason must say something (ValueError).
        source: what to name in errors, the file that holds the list.
    """

    def __init__(self, reasons: Mapping[str, str] | None = None, source: str = "explanations") -> None:
        self.source = source
        self.reasons = dict(reasons or {})
        for pattern, reason in self.reasons.items():
            if not isinstance(reason, str) or not reason.strip():
                raise ValueError(f"{source}: {pattern!r} has no reason; say why it is harmless")
        self._matchers = {pattern: _matcher(pattern) for pattern in self.reasons}
        self._used: set[str] = set()

    @classmethod
    def of(cls, given: Explained | Mapping[str, str] | Collection[str] | None) -> Explained:
        """An explained list from one, from a mapping, or from bare names whose reasons stand beside them."""
        if isinstance(given, Explained):
            return given
        if given is None or isinstance(given, Mapping):
            return cls(given)
        return cls(dict.fromkeys(given, "listed by the caller"), "allowed")

    @classmethod
    def read(cls, path: str | os.PathLike[str], section: str | None = None) -> Explained:
        """From a JSON object of patterns and reasons, or from the object under one of its keys.

        Raises ValueError when the file is not of that form; a section that is not there is empty.
        """
        found = _object(path)
        if section is None:
            return cls(found, os.fspath(path))
        return cls._section(path, found, section)

    @classmethod
    def read_sections(cls, path: str | os.PathLike[str], *sections: str) -> list[Explained]:
        """One list for each section of a JSON object, in this order; empty for those that are not there.

        Raises ValueError as :meth:`read` does, and for a section of another name.
        """
        found = _object(path)
        for name in found:
            if name not in sections:
                expected = " and ".join(repr(section) for section in sections)
                raise ValueError(f"{os.fspath(path)}: unknown section {name!r}, expected {expected}")
        return [cls._section(path, found, section) for section in sections]

    @classmethod
    def _section(cls, path: str | os.PathLike[str], found: Mapping[str, Any], section: str) -> Explained:
        source, reasons = f"{os.fspath(path)} [{section}]", found.get(section, {})
        if not isinstance(reasons, dict):
            raise ValueError(f"{source}: expected an object of patterns and reasons")
        return cls(reasons, source)

    def reason(self, *names: str) -> str | None:
        """The reason of the first pattern that matches one of the names; None when none does."""
        for pattern, matcher in self._matchers.items():
            if any(matcher.fullmatch(name) for name in names):
                self._used.add(pattern)
                return self.reasons[pattern]
        return None

    @property
    def stale(self) -> list[str]:
        """The patterns that have matched nothing so far."""
        return [pattern for pattern in self.reasons if pattern not in self._used]

    def assert_used(self) -> None:
        """Every explanation explained something. AssertionError names those that did not."""
        if self.stale:
            listed = "\n".join(f"  {pattern!r}: {self.reasons[pattern]}" for pattern in self.stale)
            raise AssertionError(
                f"{self.source}: stale explanations, nothing needs them any more; remove them:\n{listed}"
            )

    @staticmethod
    def assert_all_used(lists: Iterable[Explained]) -> None:
        """:meth:`assert_used` for several lists."""
        for one in lists:
            one.assert_used()

    def __len__(self) -> int:
        return len(self.reasons)

    def __repr__(self) -> str:
        return f"<Explained {self.source}: {len(self)} patterns, {len(self.stale)} unused so far>"


def _matcher(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def _object(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{os.fspath(path)}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{os.fspath(path)}: expected an object of patterns and reasons")
    return found
