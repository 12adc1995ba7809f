"""Witness files: as snarkjs reads them, canonical values only."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.engine.convert import fr_from_ints, ints_from_limbs
from zkrollup.formats.binfile import BinFileWriter, FormatError
from zkrollup.formats.scalars import first_not_canonical
from zkrollup.formats.wtns import WtnsFile


def raw(values: list[int]) -> np.ndarray:
    data = b"".join(x.to_bytes(32, "little") for x in values)
    return np.frombuffer(data, dtype="<u8").astype(np.uint64).reshape(-1, 4)


def write(path: Path, values: list[int], prime: int = FR_MODULUS, size: int = 32) -> Path:
    with BinFileWriter(path, b"wtns", 2) as out:
        with out.section(1) as section:
            section.u32(size)
            section.integer(prime, size)
            section.u32(len(values))
        with out.section(2) as section:
            for x in values:
                section.integer(x, size)
    return path


def test_witness__holds_what_snarkjs_reads(circom: Path) -> None:
    theirs = json.loads((circom / "mixed.wtns.json").read_text())
    assert ints_from_limbs(WtnsFile.read(circom / "mixed.wtns").values) == [int(x) for x in theirs]


def test_witness__is_written_as_snarkjs_wrote_it(circom: Path, tmp_path: Path) -> None:
    WtnsFile.read(circom / "mixed.wtns").write(tmp_path / "again.wtns")
    assert (tmp_path / "again.wtns").read_bytes() == (circom / "mixed.wtns").read_bytes()


EDGES = st.sampled_from([0, 1, FR_MODULUS - 1, 2**64 - 1, 2**192, 2**253])


@settings(deadline=None, max_examples=60)
@given(st.lists(EDGES | st.integers(0, FR_MODULUS - 1), max_size=20))
def test_witness__reads_back_what_was_written(values: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.wtns")
        WtnsFile(fr_from_ints([1, *values])).write(path)
        read = WtnsFile.read(path).values
        assert ints_from_limbs(read) == [1, *values]
        assert read.flags.aligned
        assert read.flags.c_contiguous


NEAR = st.sampled_from([FR_MODULUS + d for d in (-1, 0, 1, 2**64, -(2**64), 2**128, -(2**128), 2**192)])


@settings(deadline=None, max_examples=200)
@given(st.lists(NEAR | st.integers(0, 2**256 - 1), max_size=8))
def test_first_not_canonical__is_what_plain_integers_say(values: list[int]) -> None:
    slow = next((i for i, x in enumerate(values) if x >= FR_MODULUS), None)
    assert first_not_canonical(raw(values)) == slow


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "section 1: number of values: found 0, expected at least the constant one"),
        ([2], "section 2: value 0: found 2, expected the constant one"),
        ([1, 5, FR_MODULUS], f"section 2: value 2: found {FR_MODULUS}, expected a field element below r"),
    ],
)
def test_witness__refuses_wrong_values(tmp_path: Path, values: list[int], message: str) -> None:
    path = write(tmp_path / "x", values)
    with pytest.raises(FormatError) as caught:
        WtnsFile.read(path)
    assert str(caught.value) == f"{path}: {message}"
    with pytest.raises(ValueError, match=r"^values: "):
        WtnsFile(raw(values)).write(tmp_path / "y")


def test_witness__of_another_curve_is_named(tmp_path: Path) -> None:
    bls = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
    with pytest.raises(FormatError, match=r"section 1: prime: .*expected BN254's r") as caught:
        WtnsFile.read(write(tmp_path / "x", [1], prime=bls))
    assert "BLS12-381" in str(caught.value.found)
    with pytest.raises(FormatError, match=r"Goldilocks.*expected BN254's r"):
        WtnsFile.read(write(tmp_path / "x", [1], prime=2**64 - 2**32 + 1, size=8))
    with pytest.raises(FormatError, match="section 1: n8: found 40, expected 32"):
        WtnsFile.read(write(tmp_path / "x", [1], size=40))
