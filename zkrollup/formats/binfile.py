"""The binary container of iden3's tools: a magic word, a version and numbered sections, memory-mapped.

This module must not know what any section holds.

File layout (all integers little-endian)::

    0   4   kind: b"r1cs", b"wtns", b"zkey", b"ptau"
    4   4   version
    8   4   number of sections
    12  ..  the sections, one after the other: number (4), length in bytes (8), contents

Nothing is allocated by what a file claims: a length is compared with the bytes that are there, then the
contents are views of the mapping. Bytes after the last section are refused, since a damaged number of
sections would otherwise hide the rest. The mapping is of the file as it was opened; whoever shortens it
meanwhile ends the process (as with every mapping), so writers here replace a file and never rewrite it.

References: iden3/binfileutils and iden3/r1csfile, doc/r1cs_bin_format.md.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

__all__ = ["BinFile", "BinFileWriter", "FormatError", "Reader", "SectionWriter", "U8", "named"]

U8 = npt.NDArray[np.uint8]

MAX_SECTIONS = 1024
"""More than any kind of file has; bounds the table of a file made of empty sections."""

_SHOWN = 80  # characters of a found value worth showing


class FormatError(ValueError):
    """A file is not what it should be: which file, section and field, what was found and expected.

    ``section`` is None for the container itself (kind, version, number of sections).
    """

    def __init__(
        self, path: str | os.PathLike[str], section: int | None, field: str, found: object, expected: object
    ) -> None:
        self.path, self.section, self.field = Path(path), section, field
        self.found, self.expected = found, expected
        shown = str(found)
        if len(shown) > _SHOWN:
            shown = shown[:_SHOWN] + "…"
        place = f"{self.path}: " + ("" if section is None else f"section {section}: ")
        super().__init__(f"{place}{field}: found {shown}, expected {expected}")


class Reader:
    """A cursor over one section, or over any run of bytes; every read is compared with what is left.

    ``position`` counts bytes. Each method takes the name of the field that it reads, for the error.
    """

    def __init__(self, data: U8, path: str | os.PathLike[str], section: int | None) -> None:
        self.data, self.path, self.section = data, Path(path), section
        self.position = 0

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self.data) - self.position

    def error(self, field: str, found: object, expected: object) -> FormatError:
        """A FormatError about this section, to be raised by the caller."""
        return FormatError(self.path, self.section, field, found, expected)

    def view(self, field: str, length: int) -> U8:
        """The next ``length`` bytes, not copied."""
        if not 0 <= length <= self.remaining:
            raise self.error(field, f"{self.remaining} bytes at offset {self.position}", f"{length} bytes")
        begin = self.position
        self.position += length
        return self.data[begin : self.position]

    def bytes(self, field: str, length: int) -> bytes:
        """The next ``length`` bytes, copied."""
        return self.view(field, length).tobytes()

    def u32(self, field: str) -> int:
        return int.from_bytes(self.bytes(field, 4), "little")

    def u64(self, field: str) -> int:
        return int.from_bytes(self.bytes(field, 8), "little")

    def integer(self, field: str, length: int) -> int:
        """An unsigned little-endian integer of ``length`` bytes."""
        return int.from_bytes(self.bytes(field, length), "little")

    def field(self, field: str, modulus: int, length: int = 32) -> int:
        """A canonical field element: an integer of ``length`` bytes below ``modulus``."""
        value = self.integer(field, length)
        if value >= modulus:
            raise self.error(field, value, f"a field element below {modulus}")
        return value

    def array(self, field: str, count: int, dtype: npt.DTypeLike, width: int = 1) -> npt.NDArray[Any]:
        """The next ``count`` items of ``width`` elements as ``(count,)`` or ``(count, width)``, not copied.

        The dtype must be little-endian; the view may be unaligned, as the file is.
        """
        kind = np.dtype(dtype)
        items = self.view(field, count * width * kind.itemsize).view(kind)
        return items if width == 1 else items.reshape(count, width)

    def finish(self) -> None:
        """Raises FormatError when bytes are left."""
        if self.remaining:
            raise self.error("end", f"{self.remaining} more bytes", f"the section to end at {self.position}")


@dataclass(frozen=True, eq=False)
class BinFile:
    """One opened file: ``sections`` maps a number to the (offset, length) of each section that has it."""

    path: Path
    kind: bytes
    version: int
    sections: dict[int, list[tuple[int, int]]]
    data: U8

    @classmethod
    def open(cls, path: str | os.PathLike[str], kind: bytes, max_version: int) -> BinFile:
        """Maps the file and reads its table of sections.

        Raises FormatError for another kind, a version outside 1 .. ``max_version``, or a table that does
        not fit the file; OSError when it cannot be read.
        """
        path = Path(path)
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FormatError(path, None, "file", "no regular file", "a file that can be memory-mapped")
        size = path.stat().st_size
        if size < 12:
            raise FormatError(path, None, "file", f"{size} bytes", "at least the 12 bytes of a header")
        data = np.memmap(path, dtype=np.uint8, mode="r")
        reader = Reader(data, path, None)
        magic = reader.bytes("kind", 4)
        if magic != kind:
            raise reader.error("kind", magic, kind)
        version = reader.u32("version")
        if not 1 <= version <= max_version:
            raise reader.error("version", version, f"1 to {max_version}" if max_version > 1 else 1)
        count = reader.u32("number of sections")
        room = min(MAX_SECTIONS, reader.remaining // 12)
        if count > room:
            raise reader.error("number of sections", count, f"at most {room} in a file of {size} bytes")
        sections: dict[int, list[tuple[int, int]]] = {}
        for index in range(count):
            number = reader.u32(f"number of the section at place {index}")
            length = reader.u64(f"length of section {number}")
            if length > reader.remaining:
                raise reader.error(f"length of section {number}", length, f"at most {reader.remaining}")
            sections.setdefault(number, []).append((reader.position, length))
            reader.position += length
        if reader.remaining:
            raise reader.error(
                "end", f"{reader.remaining} more bytes", f"the file to end after {count} sections"
            )
        return cls(path, kind, version, sections, data)

    def section(self, number: int) -> U8:
        """The contents of the section with this number, a view; FormatError unless there is exactly one."""
        places = self.sections.get(number, [])
        if len(places) != 1:
            raise FormatError(self.path, number, "occurrences", len(places), 1)
        offset, length = places[0]
        return self.data[offset : offset + length]

    def reader(self, number: int) -> Reader:
        """A cursor at the beginning of :meth:`section`."""
        return Reader(self.section(number), self.path, number)


class SectionWriter:
    """Appends little-endian values to the open section; values out of range raise OverflowError."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def u32(self, value: int) -> None:
        self._file.write(int(value).to_bytes(4, "little"))

    def u64(self, value: int) -> None:
        self._file.write(int(value).to_bytes(8, "little"))

    def integer(self, value: int, length: int = 32) -> None:
        """An unsigned integer of ``length`` bytes."""
        self._file.write(int(value).to_bytes(length, "little"))

    def bytes(self, data: bytes) -> None:
        self._file.write(data)

    def array(self, values: npt.NDArray[Any]) -> None:
        """The array's elements in C order, little-endian, each as wide as its dtype."""
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self._file.write(little.reshape(-1).view(np.uint8).data)


@contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Errors of the system that name no file, as those of writing do, name this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise


class BinFileWriter:
    """Writes one file: ``with BinFileWriter(path, b"wtns", 2) as out, out.section(1) as s: s.u32(32)``.

    Sections are written in the order of the calls. The file appears under its name when the ``with``
    block ends well, complete; otherwise what was there before stays.
    """

    def __init__(self, path: str | os.PathLike[str], kind: bytes, version: int) -> None:
        if len(kind) != 4:
            raise ValueError(f"kind: found {kind!r}, expected 4 bytes")
        self.path, self.kind, self.version = Path(path), kind, version
        self._count = 0
        self._open = False

    def __enter__(self) -> BinFileWriter:
        self._temporary = self.path.with_name(f".{self.path.name}.{os.urandom(8).hex()}")
        self._file: BinaryIO = open(self._temporary, "xb")
        self._file.write(self.kind + self.version.to_bytes(4, "little") + bytes(4))
        return self

    @contextmanager
    def section(self, number: int) -> Iterator[SectionWriter]:
        """Opens a section; its length is filled in when the block ends."""
        if self._open:
            raise RuntimeError(f"section {number}: another section is still open")
        self._open = True
        self._file.write(number.to_bytes(4, "little") + bytes(8))
        begin = self._file.tell()
        yield SectionWriter(self._file)
        end = self._file.tell()
        self._file.seek(begin - 8)
        self._file.write((end - begin).to_bytes(8, "little"))
        self._file.seek(end)
        self._count += 1
        self._open = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        done = False
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(self.path)  # a full disk says of no write which file it was
        try:
            with named(self.path), self._file:
                if error is None:
                    self._file.seek(8)
                    self._file.write(self._count.to_bytes(4, "little"))
            if error is None:
                os.replace(self._temporary, self.path)
                done = True
        finally:
            if not done:
                os.unlink(self._temporary)
