"""Symbol files: every line four fields, or the line is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.formats.binfile import FormatError
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile


def test_symbols__are_written_as_circom_wrote_them(circom: Path, tmp_path: Path) -> None:
    SymFile.read(circom / "mixed.sym").write(tmp_path / "again.sym")
    assert (tmp_path / "again.sym").read_bytes() == (circom / "mixed.sym").read_bytes()


def test_symbols__name_the_wires_of_the_witness(circom: Path) -> None:
    symbols = SymFile.read(circom / "mixed.sym")
    values = WtnsFile.read(circom / "mixed.wtns").values[:, 0]
    for name, value in (("main.s", 12), ("main.a[0]", 3), ("main.a[1]", 5), ("main.x", 100), ("main.z", 0)):
        wire = symbols.wire_of(name)
        assert wire is not None
        assert values[wire] == value
        assert name in symbols.names_of(wire)
    assert symbols.wire_of("main.zero.in") is None
    with pytest.raises(KeyError):
        symbols.wire_of("main.nothing")


def test_symbols__agree_with_the_labels_of_the_constraints(circom: Path) -> None:
    symbols = SymFile.read(circom / "mixed.sym")
    labels = R1csFile.read(circom / "mixed.r1cs").wire_to_label
    kept = symbols.wires >= 0
    assert np.array_equal(labels[symbols.wires[kept]], symbols.labels[kept].astype(np.uint64))


NAMES = st.from_regex(r"\Amain(\.[a-z_]{1,5}(\[[0-9]{1,3}\])?){1,3}\Z")
LINES = st.tuples(st.integers(0, 2**63 - 1), st.integers(-1, 2**32 - 1), st.integers(0, 2**63 - 1), NAMES)


@settings(deadline=None, max_examples=60)
@given(st.lists(LINES, max_size=10))
def test_symbols__read_back_what_was_written(lines: list[tuple[int, int, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.sym")
        columns = [np.array([line[i] for line in lines], dtype=np.int64) for i in range(3)]
        SymFile(*columns, tuple(line[3] for line in lines)).write(path)
        read = SymFile.read(path)
        assert list(zip(read.labels, read.wires, read.components, read.names, strict=True)) == lines


@pytest.mark.parametrize(
    "line",
    [
        b"1,1,0\n",
        b"1,1,0,\n",
        b"1,1,0,main.a",
        b"1,-2,0,main.a\n",
        b"01,1,0,main.a\n",
        b"1,1,0,main.a,b\n",
        b"1,1,0,main a\n",
        b"1,1,0,\xd9\xa1\n",
        "١,1,0,main.a\n".encode(),
        b"1,4294967296,0,main.a\n",
        b"9223372036854775808,1,0,main.a\n",
        b"9" * 5000 + b",1,0,main.a\n",
        b"1,1,0," + b"a" * 20000 + b"\n",
        b"\n",
    ],
)
def test_symbols__name_the_line_that_is_wrong(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "x.sym").write_bytes(b"1,1,0,main.a\n" + line)
    with pytest.raises(FormatError, match=r"x\.sym: line 2") as caught:
        SymFile.read(tmp_path / "x.sym")
    assert len(str(caught.value)) < 400


def test_symbols__refuse_to_write_what_would_not_read_back(tmp_path: Path) -> None:
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="would not read back"):
        SymFile(one, one, one, ("main\n1,1,1,evil",)).write(tmp_path / "x")
    with pytest.raises(ValueError, match="differ in length"):
        SymFile(one, one, one, ()).write(tmp_path / "x")
    assert not (tmp_path / "x").exists()
