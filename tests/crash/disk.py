"""What a disk may hold after a crash, from the record of what a process did to its files.

This module must not know what the files mean.

Three disks of one record cut before operation k:

*killed*: the process died, the machine did not: every operation before k has happened, in order; of
operation k, when it is a write, a part may have happened (a torn write).

*power lost*: what was synced is there. Of what was not, each 512-byte sector of each write is there or not,
each change of a length likewise; of the names that were made, changed or taken away since their folder was
synced, the first few are, in order, as journalling file systems have it.

Assumed, as SQLite does of an ordinary disk: a sector is old or new and its neighbours are left alone; a
sync that returns has happened.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

SECTOR = 512
_HEAD = struct.Struct("=BIQQ")


class What(IntEnum):
    """Kinds of operations, as record.c numbers them."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    RENAME = 5
    UNLINK = 6
    MKDIR = 7
    SYNC_FOLDER = 8


@dataclass(frozen=True)
class Operation:
    """One line of a record; ``path`` is relative to the folder, "" the folder itself.

    ``data``: what is written; of a rename the path after.
    """

    what: What
    path: str
    offset: int
    data: bytes

    def __str__(self) -> str:
        size = f" {len(self.data)} bytes at {self.offset}" if self.what == What.WRITE else ""
        return f"{self.what.name.lower()} {self.path or '.'}{size}"


def read_record(log: Path, folder: Path) -> list[Operation]:
    """The operations in their order; ``ValueError`` when the log does not hold what it says."""
    data = log.read_bytes() if log.exists() else b""
    found: list[Operation] = []
    at = 8
    while at < len(data):
        what, path_length, offset, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        path = data[at : at + path_length].decode()
        at += path_length
        payload = data[at : at + length]
        at += length
        if what == What.RENAME:
            payload = _relative(payload.decode(), folder).encode()
        found.append(Operation(What(what), _relative(path, folder), offset, payload))
    count = int.from_bytes(data[:8], "little")
    if (at != len(data) and data) or count != len(found):
        raise ValueError(f"{log}: {len(found)} operations in {len(data)} bytes, {count} counted")
    return found


def _relative(path: str, folder: Path) -> str:
    relative = Path(path).relative_to(folder)
    return "" if relative == Path() else str(relative)


@dataclass
class _Change:
    """A write or a truncation that was not synced yet."""

    offset: int
    data: bytes | None  # None: the length becomes `offset`


@dataclass
class _File:
    """Contents: as they were when last synced, and what was done since."""

    durable: bytes = b""
    changes: list[_Change] = field(default_factory=list)
    is_folder: bool = False

    def now(self) -> bytes:
        """What the process sees."""
        return _applied(self.durable, self.changes)

    def after_power_loss(self, source: random.Random) -> bytes:
        """The synced contents, and of the rest what the disk happened to write."""
        kept: list[_Change] = []
        for change in self.changes:
            if change.data is None:
                if source.random() < 0.5:
                    kept.append(change)
                continue
            for start, end in _sectors(change.offset, len(change.data)):
                if source.random() < 0.5:
                    kept.append(_Change(start, change.data[start - change.offset : end - change.offset]))
        return _applied(self.durable, kept)


def _applied(contents: bytes, changes: Sequence[_Change]) -> bytes:
    out = bytearray(contents)
    for change in changes:
        if change.data is None:
            out[change.offset :] = b"\0" * max(0, change.offset - len(out))
            continue
        end = change.offset + len(change.data)
        out += b"\0" * max(0, end - len(out))
        out[change.offset : end] = change.data
    return bytes(out)


def _sectors(offset: int, length: int) -> Iterator[tuple[int, int]]:
    """The parts of offset .. offset + length that lie in one sector each."""
    at = offset
    while at < offset + length:
        end = min((at // SECTOR + 1) * SECTOR, offset + length)
        yield at, end
        at = end


Names = dict[str, _File]


class Disk:
    """Files under one folder, followed through a record."""

    def __init__(self) -> None:
        self._names: Names = {}
        self._pending: list[tuple[str, Names]] = []  # folder changed, and all names after that
        self._synced: Names = {}

    def apply(self, operation: Operation) -> None:
        """Let one operation happen."""
        path = operation.path
        match operation.what:
            case What.CREATE | What.MKDIR:
                self._rename({path: _File(is_folder=operation.what == What.MKDIR)}, path)
            case What.WRITE:
                self._names[path].changes.append(_Change(operation.offset, operation.data))
            case What.TRUNCATE:
                self._names[path].changes.append(_Change(operation.offset, None))
            case What.SYNC:
                file = self._names[path]
                file.durable, file.changes = file.now(), []
            case What.RENAME:
                after = operation.data.decode()
                file = self._names.pop(path)
                self._rename({after: file}, after)
            case What.UNLINK:
                self._names.pop(path)
                self._rename({}, path)
            case What.SYNC_FOLDER:
                self._sync_names(path)

    def _rename(self, more: Names, path: str) -> None:
        self._names = self._names | more
        self._pending.append((str(Path(path).parent).removeprefix("."), dict(self._names)))

    def _sync_names(self, folder: str) -> None:
        """What changed in ``folder`` is durable, and in order whatever changed before it."""
        places = [place for place, (changed, _) in enumerate(self._pending) if changed == folder]
        if places:
            self._synced = self._pending[places[-1]][1]
            del self._pending[: places[-1] + 1]

    def torn(self, operation: Operation, length: int) -> dict[str, bytes]:
        """As :meth:`killed`, when the first ``length`` bytes of a write have happened besides."""
        assert operation.what == What.WRITE
        changes = [*self._names[operation.path].changes, _Change(operation.offset, operation.data[:length])]
        return self.killed() | {operation.path: _applied(self._names[operation.path].durable, changes)}

    def contents(self, name: str) -> bytes:
        """One file as the process sees it; nothing when there is none."""
        return self._names[name].now() if name in self._names else b""

    def killed(self) -> dict[str, bytes]:
        """Contents by name, as the system has them."""
        return {name: file.now() for name, file in self._names.items() if not file.is_folder}

    def power_lost(self, source: random.Random) -> dict[str, bytes]:
        """Contents by name that the disk may have. The same ``source`` gives the same disk."""
        states = [self._synced, *(names for _, names in self._pending)]
        names = states[source.randrange(len(states))]
        return {
            name: file.after_power_loss(source) for name, file in sorted(names.items()) if not file.is_folder
        }

    def nothing_kept(self) -> dict[str, bytes]:
        """The disk that wrote nothing that it did not have to."""
        return {name: file.durable for name, file in self._synced.items() if not file.is_folder}


def cuts(operations: Sequence[Operation]) -> Iterator[tuple[int, Disk, Operation | None, bytes]]:
    """Each instant of a record: how many operations have happened, the disk, the operation that comes (none
    at the end), and what FOLDER/acknowledged held: what somebody outside had been told."""
    disk = Disk()
    for place, operation in enumerate([*operations, None]):
        yield place, disk, operation, disk.contents("acknowledged")
        if operation is not None:
            disk.apply(operation)


def lay_out(contents: dict[str, bytes], folder: Path) -> None:
    """Write these files, and no others, into an empty folder."""
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read_back(folder: Path) -> dict[str, bytes]:
    """The files of a folder as :meth:`Disk.killed` has them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }
