"""Circuits of ours as circom's files: instances in a row, and circom's own bytes where it made them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.interface import Engine, Layout
from zkrollup.formats import r1cs
from zkrollup.formats.binfile import BinFile
from zkrollup.formats.r1cs import R1csFile, WireOrder, write_layout
from zkrollup.formats.sym import SymFile

MakeLayout = Callable[[int, tuple[int, ...]], Layout]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
@pytest.mark.parametrize("instances", [(1,), (6,), (2, 1, 3)])
def test_write_layout__unrolls_every_instance(
    tmp_path: Path,
    engine: Engine,
    make_layout: MakeLayout,
    monkeypatch: pytest.MonkeyPatch,
    instances: tuple[int, ...],
    chunk: int,
) -> None:
    monkeypatch.setattr(r1cs, "_CHUNK", chunk)
    path = tmp_path / "x.r1cs"
    for seed in range(8):
        layout = make_layout(seed, instances)
        write_layout(path, layout, engine)
        file = R1csFile.read(path, engine)
        assert (file.num_wires, file.num_constraints) == (layout.num_columns, layout.num_rows)
        assert (file.num_public_outputs, file.num_public_inputs) == (0, layout.num_public)
        assert np.array_equal(file.wire_to_label, np.arange(layout.num_columns))
        draw = np.random.default_rng(seed)
        values = [1, *(int.from_bytes(draw.bytes(32), "little") for _ in range(layout.num_columns - 1))]
        witness = engine.fr_to_mont(fr_from_ints(values))
        ours, theirs = (engine.r1cs_products(x, witness) for x in (layout, file.layout()))
        assert all(np.array_equal(one, two) for one, two in zip(ours, theirs, strict=True))


def test_write_layout__gives_circoms_constraints_back_byte_for_byte(
    circom: Path, tmp_path: Path, engine: Engine
) -> None:
    source = circom / "mixed.r1cs"
    file = R1csFile.read(source)
    write_layout(tmp_path / "x.r1cs", file.layout(), engine, num_public_outputs=file.num_public_outputs)
    theirs, ours = BinFile.open(source, b"r1cs", 1), BinFile.open(tmp_path / "x.r1cs", b"r1cs", 1)
    assert np.array_equal(ours.section(2), theirs.section(2))
    again = R1csFile.read(tmp_path / "x.r1cs")
    assert (again.num_public_outputs, again.num_public_inputs) == (
        file.num_public_outputs,
        file.num_public_inputs,
    )


def test_write_layout__a_layout_with_a_hole_is_refused_and_nothing_is_written(
    tmp_path: Path, engine: Engine, make_layout: MakeLayout
) -> None:
    layout = make_layout(1, (2, 1))
    first, second = layout.blocks
    moved = replace(layout, blocks=(first, replace(second, row_base=second.row_base + 1)))
    expected = first.instances * first.num_rows
    with pytest.raises(ValueError, match=f"block 1 begins at row {expected + 1}, expected {expected}"):
        write_layout(tmp_path / "x.r1cs", moved, engine)
    with pytest.raises(
        ValueError, match=f"blocks have {layout.num_rows} rows, expected {layout.num_rows + 1}"
    ):
        write_layout(tmp_path / "x.r1cs", replace(layout, num_rows=layout.num_rows + 1), engine)
    with pytest.raises(ValueError, match=f"{layout.num_public + 1} public outputs among {layout.num_public}"):
        write_layout(tmp_path / "x.r1cs", layout, engine, num_public_outputs=layout.num_public + 1)
    assert os.listdir(tmp_path) == []


def test_write_wires__are_read_back_as_symbols(tmp_path: Path) -> None:
    path = tmp_path / "x.sym"
    SymFile.write_wires(path, iter(["out", "slots[3].sender.balance"]))
    symbols = SymFile.read(path)
    assert symbols.names == ("out", "slots[3].sender.balance")
    assert symbols.wire_of("slots[3].sender.balance") == 2
    assert symbols.labels.tolist() == symbols.wires.tolist() == [1, 2]


@pytest.mark.parametrize("name", ["", "a,b", "two words", "é"])
def test_write_wires__a_name_that_would_not_read_back_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="would not read back"):
        SymFile.write_wires(tmp_path / "x.sym", ["fine", name])
    assert os.listdir(tmp_path) == []


def test_write_layout__order_moves_the_wires_and_nothing_else(
    tmp_path: Path, engine: Engine, make_layout: MakeLayout
) -> None:
    path = tmp_path / "x.r1cs"
    for seed in range(4):
        layout = make_layout(seed, (2, 1, 3))
        draw = np.random.default_rng(seed)
        own = draw.permutation(np.arange(layout.num_public + 1, layout.num_columns))
        outputs, private = own[:2].tolist(), own[2:5].astype(np.uint32)
        order = WireOrder.of(layout, outputs=outputs, private=private)
        write_layout(path, layout, engine, order=order)
        file = R1csFile.read(path, engine)
        assert (file.num_public_outputs, file.num_public_inputs) == (2, layout.num_public)
        assert file.num_private_inputs == 3
        assert sorted(order.columns.tolist()) == list(range(layout.num_columns))
        assert order.columns[:3].tolist() == [0, *outputs]
        values = [1, *(int.from_bytes(draw.bytes(32), "little") for _ in range(layout.num_columns - 1))]
        witness = engine.fr_to_mont(fr_from_ints(values))
        ours = engine.r1cs_products(layout, witness)
        theirs = engine.r1cs_products(file.layout(), np.ascontiguousarray(witness[order.columns]))
        assert all(np.array_equal(one, two) for one, two in zip(ours, theirs, strict=True))


def test_wire_order__refuses_columns_that_it_cannot_move(make_layout: MakeLayout) -> None:
    layout = make_layout(0, (2,))
    last = np.array([layout.num_columns - 1], dtype=np.uint32)
    with pytest.raises(ValueError, match="a column is named twice among outputs and private inputs"):
        WireOrder.of(layout, outputs=last.tolist(), private=last)
    for wrong in (layout.num_public, layout.num_columns):
        with pytest.raises(ValueError, match="outputs and private inputs are columns"):
            WireOrder.of(layout, outputs=[wrong], private=last[:0])
