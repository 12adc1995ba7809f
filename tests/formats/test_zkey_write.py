"""Keys that we write: snarkjs's bytes where snarkjs made the points, and what we made reads back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.interface import Engine, Layout, SetupResult
from zkrollup.formats import zkey_write
from zkrollup.formats.binfile import BinFile
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey, write_zkey
from zkrollup.groth16.keys import DegenerateKey
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.verifier import verify

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"
POINTS = (
    "alpha1",
    "beta1",
    "delta1",
    "beta2",
    "gamma2",
    "delta2",
    "ic",
    "a",
    "b_columns",
    "b1",
    "b2",
    "l",
    "h",
)
MakeLayout = Callable[[int, tuple[int, ...]], Layout]


def points_of(key: Zkey) -> SetupResult:
    points = {name: getattr(key, name) for name in POINTS}
    return SetupResult(**points | {name: points[name][key.b_columns] for name in ("b1", "b2")})


@pytest.mark.parametrize("name", ["chain.zkey", "uncontributed.zkey"])
def test_write_zkey__gives_snarkjss_bytes_for_snarkjss_points(
    tmp_path: Path, engine: Engine, name: str
) -> None:
    key = Zkey.load(FILES / name, engine, uncontributed=True)
    write_zkey(
        tmp_path / name,
        key.layout,
        points_of(key),
        engine,
        circuit_hash=key.circuit_hash,
        contributions=key.contributions,
    )
    assert Zkey.load(tmp_path / name, engine, uncontributed=True).contributions == key.contributions
    if name == "uncontributed.zkey":
        assert (tmp_path / name).read_bytes() == (FILES / name).read_bytes()
    # a contribution changes the order of sections in snarkjs's files, not what they hold
    ours, theirs = BinFile.open(tmp_path / name, b"zkey", 1), BinFile.open(FILES / name, b"zkey", 1)
    assert sorted(ours.sections) == sorted(theirs.sections)
    for number in ours.sections:
        assert np.array_equal(ours.section(number), theirs.section(number)), f"section {number}"


def test_write_zkey__a_key_from_circoms_constraints_proves_circoms_witness(
    tmp_path: Path, engine: Engine
) -> None:
    layout = R1csFile.read(FILES / "chain.r1cs").layout()
    points = engine.groth16_setup(layout)
    write_zkey(tmp_path / "ours.zkey", layout, points, engine)
    key = Zkey.load(tmp_path / "ours.zkey", engine)
    assert key.verifying_key.insecure
    assert (key.contributions, key.circuit_hash) == ((), bytes(64))
    for name in POINTS:
        assert np.array_equal(getattr(points_of(key), name), getattr(points, name)), name
    key.check_points(engine)
    witness = WtnsFile.read(FILES / "chain.wtns").values
    proof = prove_unchecked(key, key.layout, engine.fr_to_mont(witness), engine)
    public = [int.from_bytes(x.tobytes(), "little") for x in witness[1 : key.num_public + 1]]
    assert verify(key.verifying_key, public, proof)
    assert not verify(key.verifying_key, [*public[:-1], public[-1] + 1], proof)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 16])
@pytest.mark.parametrize("instances", [(1,), (5,), (2, 1, 3)])
def test_write_zkey__instances_are_unrolled_row_by_row(
    tmp_path: Path,
    engine: Engine,
    make_layout: MakeLayout,
    monkeypatch: pytest.MonkeyPatch,
    instances: tuple[int, ...],
    chunk: int,
) -> None:
    monkeypatch.setattr(zkey_write, "_CHUNK", chunk)
    for seed in range(5):
        layout = make_layout(seed, instances)
        points = engine.groth16_setup(layout)
        if not points.ic.any(axis=1).all():
            points = replace(points, ic=np.tile(points.alpha1, (len(points.ic), 1)))
        path = tmp_path / f"{seed}.zkey"
        write_zkey(path, layout, points, engine)
        key = Zkey.load(path, engine)
        assert (key.layout.num_rows, key.layout.num_columns) == (layout.num_rows, layout.num_columns)
        for name in POINTS:
            assert np.array_equal(getattr(points_of(key), name), getattr(points, name)), name
        values = np.random.default_rng(seed).integers(1, 1 << 62, size=layout.num_columns).tolist()
        witness = engine.fr_to_mont(fr_from_ints([1, *values[1:]]))
        ours = engine.r1cs_products(layout, witness)
        theirs = engine.r1cs_products(key.layout, witness)
        assert np.array_equal(ours[0], theirs[0])
        assert np.array_equal(ours[1], theirs[1])


def test_write_zkey__points_that_do_not_fit_the_layout_are_refused_and_nothing_is_written(
    tmp_path: Path, engine: Engine
) -> None:
    key = Zkey.load(FILES / "chain.zkey", engine)
    points = points_of(key)
    path = tmp_path / "some.zkey"
    for wrong, words in (
        (replace(points, a=points.a[1:]), r"a: expected uint64 of shape \(26, 8\), got uint64 \(25, 8\)"),
        (replace(points, h=points.h.astype(np.int64)), r"h: .* got int64"),
        (replace(points, b_columns=points.b_columns[::-1]), "b_columns: expected ascending columns below 26"),
        (replace(points, b_columns=points.b_columns + np.uint32(20)), "b_columns: .* below 26"),
    ):
        with pytest.raises(ValueError, match=words):
            write_zkey(path, key.layout, wrong, engine)
    with pytest.raises(ValueError, match="hash of the circuit: 63 bytes, expected 64"):
        write_zkey(path, key.layout, points, engine, circuit_hash=bytes(63))
    assert os.listdir(tmp_path) == []


def test_zkey__an_uncontributed_key_loads_when_asked_for_and_has_no_verifying_key(engine: Engine) -> None:
    """V3."""
    key = Zkey.load(FILES / "uncontributed.zkey", engine, uncontributed=True)
    assert key.contributions == ()
    assert np.array_equal(key.gamma2, key.delta2)
    with pytest.raises(DegenerateKey, match=r"uncontributed\.zkey.*gamma2 equals delta2"):
        _ = key.verifying_key


def test_zkey__contributions_are_read_with_the_key(engine: Engine) -> None:
    key = Zkey.load(FILES / "chain.zkey", engine)
    assert [one.name for one in key.contributions] == ["two"]
    assert len(key.circuit_hash) == 64
    assert any(key.circuit_hash)
    assert not key.verifying_key.insecure
    assert key.contributions[-1].delta_after == key.delta1.tobytes()
