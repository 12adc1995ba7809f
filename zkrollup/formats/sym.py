"""circom's symbol file ``.sym``: which wire carries which signal.

This module must not know the circuit itself.

One line a signal: ``label,wire,component,name``; the wire is -1 where the compiler simplified it away.
A file cut within a line is refused; one cut between lines cannot be told from a shorter one.

Reference: iden3/circom, documentation "Formats: sym".
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .binfile import FormatError, named

__all__ = ["SymFile"]

_LINE = re.compile(
    rb"(0|[1-9][0-9]{0,18}),(-1|0|[1-9][0-9]{0,9}),(0|[1-9][0-9]{0,18}),([!-+\--~]{1,4096})\r?\n"
)
_MAX_LINE = 1 << 13
_MAX_WIRE = 2**32 - 1
_MAX_LABEL = 2**63 - 1


@dataclass(frozen=True, eq=False)
class SymFile:
    """The signals in the file's order, as columns of equal length; ``wires`` is -1 for none."""

    labels: npt.NDArray[np.int64]
    wires: npt.NDArray[np.int64]
    components: npt.NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> SymFile:
        """Raises FormatError, which names the line, unless every line is four fields in range."""
        path = Path(path)
        if not stat.S_ISREG(path.stat().st_mode):
            raise FormatError(path, None, "file", "no regular file", "a text file")
        labels, wires, components, names = [], [], [], []
        with path.open("rb") as file:
            lines = iter(lambda: file.readline(_MAX_LINE), b"")
            for index, line in enumerate(lines, start=1):
                match = _LINE.fullmatch(line)
                if match is None:
                    raise FormatError(path, None, f"line {index}", line, "label,wire,component,name, newline")
                label, wire, component, name = match.groups()
                labels.append(int(label))
                wires.append(int(wire))
                components.append(int(component))
                names.append(name.decode("ascii"))
                for field, value, limit in (
                    ("label", labels[-1], _MAX_LABEL),
                    ("wire", wires[-1], _MAX_WIRE),
                    ("component", components[-1], _MAX_LABEL),
                ):
                    if value > limit:
                        raise FormatError(path, None, f"line {index}: {field}", value, f"at most {limit}")
        return cls(
            np.array(labels, dtype=np.int64),
            np.array(wires, dtype=np.int64),
            np.array(components, dtype=np.int64),
            tuple(names),
        )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the lines; ValueError when the columns differ in length or a line would not read back."""
        if not len(self.labels) == len(self.wires) == len(self.components) == len(self.names):
            raise ValueError("sym: labels, wires, components and names differ in length")
        lines = []
        columns = (self.labels.tolist(), self.wires.tolist(), self.components.tolist(), self.names)
        for label, wire, component, name in zip(*columns, strict=True):
            line = f"{label},{wire},{component},{name}\n".encode()
            if not _LINE.fullmatch(line) or wire > _MAX_WIRE:
                raise ValueError(f"sym: {line!r} would not read back")
            lines.append(line)
        Path(path).write_bytes(b"".join(lines))

    @staticmethod
    def write_wires(
        path: str | os.PathLike[str], names: Iterable[str], wires: Iterable[int] | None = None
    ) -> None:
        """Writes one line for each name: the first is wire 1, and each wire is its own label.

        ``wires``: the wire of each name, when they are not 1, 2, ... in order. All belong to component 0.
        Nothing is kept of what was written; the file appears complete or not at all. Raises ValueError for
        a name that would not read back.
        """
        target = Path(path)
        temporary = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
        try:
            with named(target), temporary.open("xb") as file:
                numbered = enumerate(names, start=1) if wires is None else zip(wires, names, strict=True)
                for wire, name in numbered:
                    line = f"{wire},{wire},0,{name}\n".encode()
                    if not _LINE.fullmatch(line):
                        raise ValueError(f"sym: {line!r} would not read back")
                    file.write(line)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def wire_of(self, name: str) -> int | None:
        """The wire of the signal with this full name; None when it was simplified away.

        Raises KeyError when there is no such signal.
        """
        try:
            index = self.names.index(name)
        except ValueError:
            raise KeyError(name) from None
        wire = int(self.wires[index])
        return None if wire < 0 else wire

    def names_of(self, wire: int) -> tuple[str, ...]:
        """The names of all signals that this wire carries."""
        return tuple(self.names[i] for i in np.flatnonzero(self.wires == wire))
