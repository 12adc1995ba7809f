"""Where in the source a signal or a constraint was recorded: interned positions, read lazily.

This module must not know what is recorded; it sees only Python frames.
"""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import NamedTuple

__all__ = ["Place", "Places"]

_AUTHOR, _GADGET, _INTERNAL = 0, 1, 2
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_GADGETS = os.path.join(os.path.dirname(_HERE[:-1]), "gadgets") + os.sep


class Place(NamedTuple):
    """A source line: the innermost one outside ``zkrollup.cs`` and, when that is in a gadget, its caller."""

    file: str
    line: int
    caller_file: str = ""
    caller_line: int = 0

    def __str__(self) -> str:
        text = f"{_short(self.file)}:{self.line}"
        if self.caller_file:
            text += f" (called at {_short(self.caller_file)}:{self.caller_line})"
        return text


def _short(file: str) -> str:
    here = os.getcwd() + os.sep
    return file[len(here) :] if file.startswith(here) else file


def _room(file: str) -> int:
    path = os.path.abspath(file)
    if path.startswith(_HERE):
        return _INTERNAL
    return _GADGET if path.startswith(_GADGETS) else _AUTHOR


def _line(code: CodeType, offset: int) -> int:
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return line if line is not None else code.co_firstlineno
    return code.co_firstlineno


class Places:
    """A table of positions. :meth:`here` costs well under a microsecond: it stores the code object and
    the instruction offset; the line is worked out when somebody asks for it."""

    __slots__ = ("_entries", "_index", "_rooms")

    def __init__(self) -> None:
        self._index: dict[tuple[int, int, int, int], int] = {}
        self._entries: list[tuple[CodeType, int, CodeType, int]] = []
        self._rooms: dict[str, int] = {}

    def here(self) -> int:
        """The index of the position that is recording now."""
        rooms = self._rooms
        frame = sys._getframe(1)
        inner = None
        while True:
            file = frame.f_code.co_filename
            room = rooms.get(file)
            if room is None:
                room = rooms[file] = _room(file)
            if room != _INTERNAL and inner is None:
                inner = frame
            if room == _AUTHOR:
                break
            if frame.f_back is None:
                break
            frame = frame.f_back
        inner = inner or frame
        code, caller = inner.f_code, frame.f_code
        key = (id(code), inner.f_lasti, id(caller), frame.f_lasti)
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self._entries)
            self._entries.append((code, inner.f_lasti, caller, frame.f_lasti))  # keeps the ids alive
        return index

    def __getitem__(self, index: int) -> Place:
        code, offset, caller, caller_offset = self._entries[index]
        if caller is code:
            return Place(code.co_filename, _line(code, offset))
        return Place(code.co_filename, _line(code, offset), caller.co_filename, _line(caller, caller_offset))
