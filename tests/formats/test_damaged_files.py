"""Damaged files of every format end in one clear error, quickly and without great allocations (V10)."""

from __future__ import annotations

import os
import random
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from zkrollup.formats.binfile import BinFile, FormatError
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile

from . import memory
from .memory import bounded

File = R1csFile | WtnsFile | SymFile

READERS: dict[str, Callable[[Path], File]] = {
    "mixed.r1cs": R1csFile.read,
    "mixed.wtns": WtnsFile.read,
    "mixed.sym": SymFile.read,
}
LIMIT = 1 << 18  # bytes that one read may allocate; the files have at most 3 KB
HUGE = (2**31, 2**32 - 1, 2**64 - 1)


@pytest.fixture
def tracing() -> Iterator[None]:
    """Traces allocations, numpy's included, so that :func:`read` sees them."""
    with memory.tracing():
        yield


def read(name: str, path: Path) -> File:
    """Reads the file; fails when that allocates more than LIMIT at any time (only while tracing)."""
    if not tracemalloc.is_tracing():
        return READERS[name](path)
    return bounded(LIMIT, lambda: READERS[name](path))


def test_read__notices_an_array(tracing: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The limit itself is able to fail."""
    monkeypatch.setitem(READERS, "greedy", lambda path: np.empty(LIMIT + 1, dtype=np.uint8))
    with pytest.raises(AssertionError, match=f"{LIMIT} are allowed"):
        read("greedy", tmp_path)


def test_read__forgives_what_is_not_its_own(
    tracing: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another thread's arrays, in two attempts of three, are no fault of the reader's."""
    sizes = iter([LIMIT + 1, LIMIT + 1, 1])
    monkeypatch.setitem(READERS, "lucky", lambda path: np.empty(next(sizes), dtype=np.uint8))
    assert len(read("lucky", tmp_path)) == LIMIT + 1  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: these tests write many small files."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.mark.parametrize("name", ["mixed.r1cs", "mixed.wtns"])
def test_truncated_file__is_refused_at_every_length(
    circom: Path, folder: Path, tracing: None, name: str
) -> None:
    """V10: every truncation."""
    data = (circom / name).read_bytes()
    path = folder / name
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(FormatError):
            read(name, path)


def test_truncated_symbols__are_refused_unless_cut_between_lines(circom: Path, folder: Path) -> None:
    """V10: every truncation that can be told from a shorter file."""
    data = (circom / "mixed.sym").read_bytes()
    path = folder / "x.sym"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        if length == 0 or data[length - 1 : length] == b"\n":
            assert len(SymFile.read(path).names) == data[:length].count(b"\n")
        else:
            with pytest.raises(FormatError):
                SymFile.read(path)


def length_fields(path: Path, name: str) -> list[tuple[int, int, str]]:
    """(offset, bytes, name) of every length and count in the file."""
    kind = name.rpartition(".")[2].encode()
    file = BinFile.open(path, kind, 2)
    fields = [(8, 4, "number of sections")]
    places = {number: at for number, (at,) in file.sections.items()}
    fields += [(offset - 8, 8, f"length of section {n}") for n, (offset, _) in places.items()]
    header = places[1][0]
    fields.append((header, 4, "n8"))
    if kind == b"wtns":
        return [*fields, (header + 36, 4, "number of values")]
    names = ("wires", "public outputs", "public inputs", "private inputs")
    fields += [(header + 36 + 4 * i, 4, field) for i, field in enumerate(names)]
    fields += [(header + 52, 8, "labels"), (header + 60, 4, "constraints")]
    offset, length = places[2]
    place = offset
    while place < offset + length:
        fields.append((place, 4, f"terms at {place}"))
        place += 4 + 36 * int.from_bytes(file.data[place : place + 4].tobytes(), "little")
    return fields


@pytest.mark.parametrize("name", ["mixed.r1cs", "mixed.wtns"])
def test_huge_length__is_refused_wherever_it_stands(
    circom: Path, folder: Path, tracing: None, name: str
) -> None:
    """V10: every length field set to 2^31, 2^32 - 1, 2^64 - 1.

    The number of labels counts signals of another file and nothing here depends on it: only it may be huge.
    """
    data = (circom / name).read_bytes()
    path = folder / name
    fields = length_fields(circom / name, name)
    assert len(fields) > (50 if name == "mixed.r1cs" else 4)
    for offset, width, field in fields:
        for value in HUGE:
            if value >= 1 << (8 * width):
                continue
            path.write_bytes(data[:offset] + value.to_bytes(width, "little") + data[offset + width :])
            if field == "labels":
                assert read(name, path).num_labels == value  # type: ignore[union-attr]
                continue
            with pytest.raises(FormatError) as caught:
                read(name, path)
            assert "\n" not in str(caught.value)
            assert len(str(caught.value)) < 400


def mutated(data: bytes, random: random.Random) -> bytes:
    """One to three random damages: flipped bytes, extreme numbers, cuts, repetitions, insertions."""
    damaged = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(damaged) + 1)
        end = min(len(damaged), at + random.randrange(1, 64))
        kind = random.randrange(6)
        if kind == 0:
            damaged[at : at + 1] = bytes([random.randrange(256)])
        elif kind == 1:
            width = random.choice((4, 8))
            at -= at % 4
            value = random.choice((0, 1, 2, 2**31, 2**32 - 1, 2**63, 2**64 - 1)) % (1 << 8 * width)
            damaged[at : at + width] = value.to_bytes(width, "little")
        elif kind == 2:
            del damaged[at:end]
        elif kind == 3:
            damaged[at:at] = damaged[at:end]
        elif kind == 4:
            damaged[at:at] = random.randbytes(random.randrange(1, 16))
        else:
            del damaged[at:]
    return bytes(damaged)


def fuzz(name: str, source: Path, folder: Path, count: int, seed: int) -> tuple[int, int]:
    """Reads ``count`` damaged files; what is accepted must be written and read again. (accepted, refused)"""
    data, draw = source.read_bytes(), random.Random(seed)
    path, again = folder / name, folder / f"again.{name}"
    accepted = refused = 0
    for _ in range(count):
        path.write_bytes(mutated(data, draw))
        try:
            file = read(name, path)
        except FormatError as error:
            if not str(error).startswith(f"{path}: "):
                raise
            refused += 1
            continue
        accepted += 1
        file.write(again)
        written = again.read_bytes()
        read(name, again).write(again)
        assert again.read_bytes() == written
        if isinstance(file, R1csFile):
            assert file.layout().num_rows == file.num_constraints
    return accepted, refused


@pytest.mark.parametrize("name", sorted(READERS))
def test_mutated_file__is_refused_or_read(circom: Path, folder: Path, tracing: None, name: str) -> None:
    """V10, at random."""
    accepted, refused = fuzz(name, circom / name, folder, 2500, seed=1)
    assert accepted > 50
    assert refused > 500


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(READERS))
def test_mutated_files__a_hundred_thousand_are_refused_or_read(circom: Path, folder: Path, name: str) -> None:
    """V10, at random and at length."""
    accepted, refused = fuzz(name, circom / name, folder, 100_000, seed=2)
    assert accepted + refused == 100_000
