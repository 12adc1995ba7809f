"""The container: sections found, bounds kept, files replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.formats.binfile import MAX_SECTIONS, BinFile, BinFileWriter, FormatError, Reader


def container(*sections: tuple[int, bytes], kind: bytes = b"test", version: int = 1) -> bytes:
    parts = [kind, version.to_bytes(4, "little"), len(sections).to_bytes(4, "little")]
    for number, data in sections:
        parts += [number.to_bytes(4, "little"), len(data).to_bytes(8, "little"), data]
    return b"".join(parts)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=40)), max_size=6))
def test_file__reads_back_what_was_written(sections: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        with BinFileWriter(path, b"test", 3) as out:
            for number, data in sections:
                with out.section(number) as section:
                    section.bytes(data)
        assert path.read_bytes() == container(*sections, version=3)
        file = BinFile.open(path, b"test", 3)
        assert file.version == 3
        found = [(n, bytes(file.data[o : o + size])) for n, at in file.sections.items() for o, size in at]
        assert sorted(found) == sorted(sections)


def test_section__is_a_view_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(container((7, b"abc")))
    section = BinFile.open(path, b"test", 1).section(7)
    assert isinstance(section, np.memmap)
    assert bytes(section) == b"abc"
    assert not section.flags.writeable


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file: found 0 bytes, expected at least the 12 bytes of a header"),
        (container(kind=b"zkey"), "kind: found b'zkey', expected b'test'"),
        (container(version=0), "version: found 0, expected 1"),
        (container(version=2), "version: found 2, expected 1"),
        (container((1, b"")) + b"!", "end: found 1 more bytes, expected the file to end after 1 sections"),
        (container((1, b"abc"))[:-1], "length of section 1: found 3, expected at most 2"),
        (
            container()[:8] + b"\xff\xff\xff\xff",
            "number of sections: found 4294967295, expected at most 0 in a file of 12 bytes",
        ),
        (
            container(*[(1, b"")] * (MAX_SECTIONS + 1)),
            "number of sections: found 1025, expected at most 1024 in a file of 12312 bytes",
        ),
    ],
)
def test_open__names_what_is_wrong(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        BinFile.open(path, b"test", 1)
    assert str(caught.value) == f"{path}: {message}"
    assert (caught.value.path, caught.value.section) == (path, None)


def test_open__refuses_a_pipe_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="no regular file"):
        BinFile.open(tmp_path / "pipe", b"test", 1)
    with pytest.raises(FileNotFoundError):
        BinFile.open(tmp_path / "nothing", b"test", 1)


@pytest.mark.parametrize(("sections", "found"), [((), 0), (((2, b""), (2, b"x")), 2)])
def test_section__must_be_there_once(
    tmp_path: Path, sections: tuple[tuple[int, bytes], ...], found: int
) -> None:
    path = tmp_path / "x"
    path.write_bytes(container(*sections))
    file = BinFile.open(path, b"test", 1)
    assert len(file.sections.get(2, [])) == found
    with pytest.raises(FormatError, match=rf"x: section 2: occurrences: found {found}, expected 1"):
        file.section(2)


def test_reader__reads_in_turn_and_stops_at_the_end() -> None:
    data = np.frombuffer(bytes(range(1, 24)), dtype=np.uint8)
    reader = Reader(data, "f", 4)
    assert reader.u32("a") == 0x04030201
    assert reader.u64("b") == 0x0C0B0A0908070605
    assert reader.array("c", 2, "<u2", width=2).tolist() == [[0x0E0D, 0x100F], [0x1211, 0x1413]]
    assert reader.field("d", 0x1700, 2) == 0x1615
    assert reader.remaining == 1


def test_reader__names_the_field_it_could_not_read() -> None:
    reader = Reader(np.zeros(5, dtype=np.uint8), "f", 4)
    reader.u32("first")
    for read in (
        lambda: reader.u32("next"),
        lambda: reader.u64("next"),
        lambda: reader.bytes("next", 2**64 - 1),
        lambda: reader.integer("next", 2**31),
        lambda: reader.array("next", 2**64 - 1, "<u8", width=4),
        lambda: reader.view("next", -1),
    ):
        with pytest.raises(
            FormatError, match="f: section 4: next: found 1 bytes at offset 4, expected"
        ) as caught:
            read()
        assert caught.value.field == "next"
    assert reader.remaining == 1  # a refused read takes nothing
    with pytest.raises(FormatError, match="end: found 1 more bytes, expected the section to end at 4"):
        reader.finish()


def test_reader__refuses_a_field_element_that_is_not_canonical() -> None:
    reader = Reader(np.array([7, 0, 6, 0], dtype=np.uint8), "f", 1)
    with pytest.raises(FormatError, match="x: found 7, expected a field element below 7"):
        reader.field("x", 7, 2)
    assert reader.field("x", 7, 2) == 6


def test_error__shortens_what_it_found() -> None:
    error = FormatError("f", 1, "x", "9" * 5000, "less")
    assert len(str(error)) < 150
    assert error.found == "9" * 5000


def test_writer__leaves_the_old_file_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(OverflowError), BinFileWriter(path, b"test", 1) as out, out.section(1) as section:
        section.u32(2**32)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_writer__refuses_a_section_within_a_section(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="another section is still open"),
        BinFileWriter(tmp_path / "x", b"test", 1) as out,
        out.section(1),
        out.section(2),
    ):
        pass
    assert os.listdir(tmp_path) == []


def test_writer__names_the_file_that_does_not_fit_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(OSError, match=f"No space left on device: '{path}'"), BinFileWriter(path, b"test", 1):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())
