"""Constraint files: the same rows as a plain reader and snarkjs find, and the engine accepts the witness."""

from __future__ import annotations

import json
import struct
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.engine import file_arrays
from zkrollup.engine.convert import fr_from_ints, ints_from_limbs
from zkrollup.engine.interface import Engine, Layout, Matrix
from zkrollup.formats import r1cs
from zkrollup.formats.binfile import BinFile, BinFileWriter, FormatError
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile

Combination = list[tuple[int, int]]  # (wire, coefficient)
Row = tuple[Combination, Combination, Combination]


def plain_rows(path: Path) -> list[Row]:
    """The slow twin: reads section 2 term by term."""
    section = BinFile.open(path, b"r1cs", 1).section(2).tobytes()
    place, combinations = 0, []
    while place < len(section):
        (count,) = struct.unpack_from("<I", section, place)
        place += 4
        terms = []
        for _ in range(count):
            (wire,) = struct.unpack_from("<I", section, place)
            terms.append((wire, int.from_bytes(section[place + 4 : place + 36], "little")))
            place += 36
        combinations.append(terms)
    return list(zip(combinations[0::3], combinations[1::3], combinations[2::3], strict=True))


def rows_of(file: R1csFile) -> list[Row]:
    constants = ints_from_limbs(file.constants)
    sides = []
    for matrix in (file.a, file.b, file.c):
        terms = [(w, constants[k]) for w, k in zip(matrix.cols.tolist(), matrix.coefs.tolist(), strict=True)]
        ends = matrix.indptr.tolist()
        sides.append([terms[i:j] for i, j in pairwise(ends)])
    return list(zip(*sides, strict=True))


def raw(
    path: Path, rows: list[Row], wires: int, *, outputs: int = 0, labels: int = 100, count: int = -1
) -> Path:
    """Writes a file term by term, right or wrong."""
    with BinFileWriter(path, b"r1cs", 1) as out:
        with out.section(1) as section:
            section.u32(32)
            section.integer(FR_MODULUS)
            for number in (wires, outputs, 0, 0):
                section.u32(number)
            section.u64(labels)
            section.u32(len(rows) if count < 0 else count)
        with out.section(2) as section:
            for row in rows:
                for combination in row:
                    section.u32(len(combination))
                    for wire, coefficient in combination:
                        section.u32(wire)
                        section.integer(coefficient)
        with out.section(3) as section:
            section.array(np.arange(wires, dtype=np.uint64))
    return path


WIRES = 9
COEFFICIENTS = st.sampled_from([0, 1, 2, FR_MODULUS - 1, 2**64]) | st.integers(0, FR_MODULUS - 1)
COMBINATIONS = st.lists(st.tuples(st.integers(0, WIRES - 1), COEFFICIENTS), max_size=6)
ROWS = st.lists(st.tuples(COMBINATIONS, COMBINATIONS, COMBINATIONS), max_size=12)


@pytest.mark.parametrize("chunk", [1, 5, 1 << 18])
@pytest.mark.parametrize("collide", [False, True])
@settings(deadline=None, max_examples=25)
@given(rows=ROWS)
def test_rows__are_those_of_the_plain_reader_and_are_written_back(
    chunk: int, collide: bool, rows: list[Row]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(r1cs, "_CHUNK", chunk)
        patch.setattr(file_arrays, "_CHUNK", chunk)
        if collide:  # every coefficient has the same hash
            patch.setattr(file_arrays, "_MIX", np.zeros(4, np.uint64))
        path = raw(Path(folder, "x.r1cs"), rows, WIRES)
        assert plain_rows(path) == rows
        file = R1csFile.read(path)
        assert rows_of(file) == rows
        constants = ints_from_limbs(file.constants)
        assert constants[:3] == [0, 1, FR_MODULUS - 1]
        assert len(set(constants)) == len(constants)
        file.write(Path(folder, "again.r1cs"))
        assert rows_of(R1csFile.read(Path(folder, "again.r1cs"))) == rows
        assert plain_rows(Path(folder, "again.r1cs")) == rows


def test_rows__are_those_that_snarkjs_reads(circom: Path) -> None:
    theirs = json.loads((circom / "mixed.r1cs.json").read_text())
    file = R1csFile.read(circom / "mixed.r1cs")
    assert [tuple(dict(side) for side in row) for row in rows_of(file)] == [
        tuple({int(wire): int(x) for wire, x in side.items()} for side in row)
        for row in theirs["constraints"]
    ]
    assert file.wire_to_label.tolist() == [int(x) for x in theirs["map"]]
    assert theirs["nVars"] == file.num_wires
    assert theirs["nOutputs"] == file.num_public_outputs
    assert theirs["nPubInputs"] == file.num_public_inputs
    assert theirs["nPrvInputs"] == file.num_private_inputs
    assert theirs["nLabels"] == file.num_labels
    assert theirs["nConstraints"] == file.num_constraints


@pytest.mark.parametrize("name", ["mixed.r1cs", "unused_inputs.r1cs"])
def test_file__is_written_as_circom_wrote_it(circom: Path, tmp_path: Path, name: str) -> None:
    R1csFile.read(circom / name).write(tmp_path / "again.r1cs")
    assert (tmp_path / "again.r1cs").read_bytes() == (circom / name).read_bytes()


def test_file__may_count_private_inputs_that_have_no_wire(circom: Path) -> None:
    file = R1csFile.read(circom / "unused_inputs.r1cs")
    assert (file.num_wires, file.num_private_inputs) == (4, 20)


def test_layout__is_satisfied_by_circoms_witness_and_by_no_other(circom: Path, engine: Engine) -> None:
    file = R1csFile.read(circom / "mixed.r1cs")
    layout = file.layout()
    values = WtnsFile.read(circom / "mixed.wtns").values
    assert engine.r1cs_violations(layout, engine.fr_to_mont(values)).tolist() == []

    rows = plain_rows(circom / "mixed.r1cs")
    witness = ints_from_limbs(values)
    for wire in range(1, file.num_wires):
        wrong = [x + (w == wire) for w, x in enumerate(witness)]
        a, b, c = ([sum(k * wrong[w] for w, k in row[side]) for row in rows] for side in range(3))
        broken = [i for i in range(len(rows)) if (a[i] * b[i] - c[i]) % FR_MODULUS]
        assert engine.r1cs_violations(layout, engine.fr_to_mont(fr_from_ints(wrong))).tolist() == broken
        assert broken


def test_layout__is_one_block_in_circoms_order(circom: Path) -> None:
    file = R1csFile.read(circom / "mixed.r1cs")
    layout = file.layout()
    (block,) = layout.blocks
    assert (layout.num_columns, layout.num_public, layout.num_rows) == (21, 4, 16)
    assert (block.instances, block.num_links, block.num_own, block.own_base) == (1, 5, 16, 5)
    assert block.links.tolist() == [[0, 1, 2, 3, 4]]
    montgomery = [x * 2**256 % FR_MODULUS for x in ints_from_limbs(file.constants)]
    assert ints_from_limbs(block.constants) == montgomery


def test_layout__may_have_no_wire_of_its_own(tmp_path: Path, engine: Engine) -> None:
    file = R1csFile.read(raw(tmp_path / "x", [([(1, 1)], [(1, 1)], [(1, 1)])], 2, outputs=1))
    layout = file.layout()
    assert isinstance(layout, Layout)
    for value, violated in ((0, []), (1, []), (2, [0])):
        witness = engine.fr_to_mont(fr_from_ints([1, value]))
        assert engine.r1cs_violations(layout, witness).tolist() == violated


def test_file__with_custom_gates_is_refused(circom: Path) -> None:
    with pytest.raises(
        FormatError, match="section 4: custom gates: found 1, expected none: they belong to PLONK"
    ):
        R1csFile.read(circom / "custom_gate.r1cs")


ONE: Combination = [(1, 1)]


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ([(ONE, ONE, [(3, 1)])], {}, "section 2: constraint 0, C, wire: found 3, expected below 3"),
        (
            [(ONE, ONE, ONE), (ONE, [(0, 1), (1, FR_MODULUS)], ONE)],
            {},
            f"section 2: constraint 1, B, coefficient: found {FR_MODULUS}, expected a field element below r",
        ),
        ([(ONE, ONE, ONE)], {"count": 0}, "section 2: end: found 120 bytes, expected none"),
        (
            [(ONE, ONE, ONE)] * 12,
            {"count": 11},
            "section 2: end: found 120 more bytes, expected 11 constraints to fill it",
        ),
        (
            [(ONE, ONE, ONE)],
            {"count": 2},
            "section 2: constraint 0, C, number of terms: found 1, expected the section to hold it and what",
        ),
        ([], {"count": 1}, "section 2: constraints: found 1, expected at most 0 in 0 bytes"),
        ([], {"count": 2**28}, "section 1: constraints: found 268435456, expected 268435456 at most, public"),
        ([], {"outputs": 3}, "section 1: wires: found 3, expected at least 1 + 3 + 0"),
        ([], {"labels": 0}, "section 1: labels: found 0, expected at least 1"),
        ([], {"labels": 2}, "section 3: label of wire 2: found 2, expected below 2"),
    ],
)
def test_file__names_what_is_wrong(
    tmp_path: Path, rows: list[Row], changes: dict[str, int], message: str
) -> None:
    path = raw(tmp_path / "x", rows, 3, **changes)
    with pytest.raises(FormatError) as caught:
        R1csFile.read(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_write__refuses_parts_that_do_not_fit(circom: Path, tmp_path: Path) -> None:
    file = R1csFile.read(circom / "mixed.r1cs")
    a = file.a
    wrong = {
        "do not hold one and the public": replace(file, num_wires=2),
        "labels do not hold": replace(file, num_labels=3),
        "do not fit a domain": replace(file, num_constraints=1 << 28),
        "one label a wire": replace(file, wire_to_label=file.wire_to_label[1:]),
        "that is not below 22": replace(file, num_labels=22),
        "not uint64 of shape": replace(file, constants=file.constants[:, :3]),
        "a constant is not below r": replace(file, constants=file.constants | np.uint64(1 << 63)),
        "a.indptr is no table of 16 rows": replace(file, a=Matrix(a.indptr[1:], a.cols, a.coefs)),
        "do not fit a.indptr": replace(file, a=Matrix(a.indptr, a.cols[1:], a.coefs)),
        "names a wire or constant": replace(file, a=Matrix(a.indptr, a.cols + np.uint32(20), a.coefs)),
    }
    for message, changed in wrong.items():
        with pytest.raises(ValueError, match=message):
            changed.write(tmp_path / "x")
    assert not list(tmp_path.iterdir())
