"""Phase 1: powers of tau made, contributed to, prepared and checked, against snarkjs's own files."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zkrollup.bn254 import g1, g2
from zkrollup.engine import Engine, get_engine
from zkrollup.engine.interface import U64
from zkrollup.formats.contributions import Beacon, TauContribution
from zkrollup.formats.ptau import Ptau, write_ptau
from zkrollup.formats.r1cs import R1csFile
from zkrollup.groth16.ceremony import setup_from_ptau
from zkrollup.groth16.powers import (
    InvalidPowers,
    contribute_ptau,
    contribute_ptau_beacon,
    first_challenge,
    new_ptau,
    prepare_ptau,
    verify_ptau,
)
from zkrollup.groth16.transcript import g1_to_limbs, g2_to_limbs, limbs

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
CEREMONY = VECTORS / "ceremony"
G1_77 = g1_to_limbs(g1.mul(g1.GENERATOR, 77))
G2_77 = g2_to_limbs(g2.mul(g2.GENERATOR, 77))


@pytest.fixture(scope="module", params=["native", pytest.param("numba", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Engine:
    return get_engine(request.param)


def rewritten(
    source: Ptau,
    path: Path,
    *,
    lagrange: Any = None,
    **changes: Any,
) -> Ptau:
    parts: dict[str, Any] = {
        name: np.array(getattr(source, name))
        for name in ("tau_g1", "tau_g2", "alpha_tau_g1", "beta_tau_g1", "beta_g2")
    }
    parts |= {"power": source.power, "ceremony_power": source.ceremony_power}
    write_ptau(path, **(parts | {"contributions": source.contributions} | changes), lagrange=lagrange)
    return Ptau.load(path)


def test_powers_of_snarkjs__are_accepted_and_prepared_to_the_same_bytes(
    engine: Engine, tmp_path: Path
) -> None:
    raw = Ptau.load(CEREMONY / "raw_5.ptau")
    assert not verify_ptau(raw, engine).prepared
    prepare_ptau(raw, tmp_path / "x.ptau", engine)
    assert (tmp_path / "x.ptau").read_bytes() == (CEREMONY / "prepared_5.ptau").read_bytes()
    found = verify_ptau(Ptau.load(tmp_path / "x.ptau"), engine)
    assert found.prepared
    assert [one.name for one, _ in found.contributions] == ["first", "", "a beacon"]
    assert len({response for _, response in found.contributions}) == 3


def test_powers_of_ours__go_from_nothing_to_a_key(engine: Engine, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    paths = [tmp_path / f"{i}.ptau" for i in range(4)]
    assert new_ptau(paths[0], 5) == first_challenge(5)
    first = contribute_ptau(Ptau.load(paths[0]), paths[1], "Ada", engine, lambda *what: told.append(what))
    beacon = Beacon(b"a public value", 10)
    second = contribute_ptau_beacon(Ptau.load(paths[1]), paths[2], "", beacon, engine)
    prepare_ptau(Ptau.load(paths[2]), paths[3], engine)
    powers = Ptau.load(paths[3])
    found = verify_ptau(powers, engine)
    assert [response for _, response in found.contributions] == [first, second]
    assert found.contributions[0][0].name == "Ada"
    assert found.contributions[1][0].beacon == beacon
    assert ("tau_g1", 63, 63) in told
    assert ("hash", 160, 160) in told
    layout = R1csFile.read(VECTORS / "circom" / "mixed.r1cs").layout()
    one, two = (setup_from_ptau(layout, Ptau.load(path), engine) for path in (paths[2], paths[3]))
    for name in ("ic", "a", "b1", "b2", "l", "h"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_powers_cut_out_of_a_ceremony__are_accepted_but_not_contributed_to(tmp_path: Path) -> None:
    engine, whole = get_engine(), Ptau.load(CEREMONY / "raw_6.ptau")
    cut = rewritten(
        whole,
        tmp_path / "x.ptau",
        power=4,
        tau_g1=np.array(whole.tau_g1[:31]),
        tau_g2=np.array(whole.tau_g2[:16]),
        alpha_tau_g1=np.array(whole.alpha_tau_g1[:16]),
        beta_tau_g1=np.array(whole.beta_tau_g1[:16]),
    )
    assert len(verify_ptau(cut, engine).contributions) == 3
    with pytest.raises(ValueError, match=r"cut out of a ceremony for 2\^6"):
        contribute_ptau(cut, tmp_path / "y.ptau", "", engine)


@pytest.mark.parametrize(
    ("part", "index", "text"),
    [
        ("tau_g1", 0, r"section 2 \(tau_g1\): point 0 is not the generator"),
        ("tau_g1", 1, r"section 2 \(tau_g1\): point 1 is not the last contribution's"),
        ("tau_g1", 62, r"section 2 \(tau_g1\): no powers of one tau"),
        ("tau_g1", 31, r"section 2 \(tau_g1\): no powers of one tau"),
        ("tau_g2", 0, r"section 3 \(tau_g2\): point 0 is not the generator"),
        ("tau_g2", 1, r"section 3 \(tau_g2\): point 1 is not the last contribution's"),
        ("tau_g2", 31, r"section 3 \(tau_g2\): no powers of one tau"),
        ("alpha_tau_g1", 0, r"section 4 \(alpha_tau_g1\): point 0 is not the last contribution's"),
        ("alpha_tau_g1", 17, r"section 4 \(alpha_tau_g1\): no powers of one tau"),
        ("beta_tau_g1", 0, r"section 5 \(beta_tau_g1\): point 0 is not the last contribution's"),
        ("beta_tau_g1", 31, r"section 5 \(beta_tau_g1\): no powers of one tau"),
        ("beta_g2", 0, r"section 6 \(beta_g2\) is not the last contribution's"),
    ],
)
def test_powers_with_one_point_changed__are_refused(tmp_path: Path, part: str, index: int, text: str) -> None:
    source = Ptau.load(CEREMONY / "raw_5.ptau")
    points = np.array(getattr(source, part)).reshape(-1, 16 if "g2" in part else 8)
    points[index] = limbs(G2_77 if "g2" in part else G1_77)[0]
    shaped = points.reshape(getattr(source, part).shape)
    with pytest.raises(InvalidPowers, match=text):
        verify_ptau(rewritten(source, tmp_path / "x.ptau", **{part: shaped}), get_engine())


@pytest.mark.parametrize("part", ["tau_g1", "tau_g2", "alpha_tau_g1", "beta_tau_g1", "beta_g2"])
def test_points_outside_their_groups__are_refused(tmp_path: Path, part: str) -> None:
    """By the check, and by a contribution, whose products would tell about its secrets."""
    source, engine = Ptau.load(CEREMONY / "raw_5.ptau"), get_engine()
    points = np.array(getattr(source, part)).reshape(-1, 16 if "g2" in part else 8)
    place = min(3, len(points) - 1)
    for wrong in (0, 1):  # infinite; off the curve
        points[place] = 0
        points[place, 4] = wrong
        powers = rewritten(source, tmp_path / "x.ptau", **{part: points.reshape(getattr(source, part).shape)})
        text = rf"\({part}\): point {place} is not a finite point of its group"
        with pytest.raises(InvalidPowers, match=text):
            verify_ptau(powers, engine)
        with pytest.raises(InvalidPowers, match=text):
            contribute_ptau(powers, tmp_path / "y.ptau", "", engine)
    assert not (tmp_path / "y.ptau").exists()


@pytest.mark.parametrize(
    ("part", "level"),
    [("tau_g1", 0), ("tau_g1", 5), ("tau_g1", 6), ("tau_g2", 5), ("alpha_tau_g1", 1), ("beta_tau_g1", 5)],
)
def test_lagrange_points_with_one_changed__are_refused(tmp_path: Path, part: str, level: int) -> None:
    source = Ptau.load(CEREMONY / "prepared_5.ptau")

    def lagrange(name: str, at: int) -> U64:
        found = source.lagrange_tau_g1(at) if name == "tau_g1" else getattr(source.lagrange(at), name)
        points = np.array(found)
        if (name, at) == (part, level):
            points[-1] = limbs(G2_77 if name == "tau_g2" else G1_77)[0]
        return points

    powers = rewritten(source, tmp_path / "x.ptau", lagrange=lagrange)
    with pytest.raises(InvalidPowers, match=rf"\({part}\): level {level} does not hold the Lagrange points"):
        verify_ptau(powers, get_engine())


def test_contributions__with_one_part_changed_are_refused(tmp_path: Path) -> None:
    """V8: every field of the second of three, one at a time; each answer says which contribution."""
    source, engine = Ptau.load(CEREMONY / "raw_5.ptau"), get_engine()
    first, second, third = source.contributions
    seen: set[str] = set()

    def refused(changed: tuple[TauContribution, ...], text: str) -> None:
        with pytest.raises(InvalidPowers, match=text):
            verify_ptau(rewritten(source, tmp_path / "x.ptau", contributions=changed), engine)

    def attempt(text: str, **change: Any) -> None:
        seen.update(change)
        refused((first, replace(second, **change), third), text)

    attempt("contribution 2: its tau in G1 is not the one before times", tau_g1=G1_77)
    attempt("contribution 2: its tau in G2 is not the one before times", tau_g2=G2_77)
    attempt("contribution 2: its alpha in G1 is not", alpha_g1=G1_77)
    attempt("contribution 2: its beta in G1 is not", beta_g1=G1_77)
    attempt("contribution 2: its beta in G2 is not", beta_g2=G2_77)
    for name in ("tau", "alpha", "beta"):
        proof = getattr(second, name)
        for part, point in (("g1_s", G1_77), ("g1_sx", G1_77), ("g2_spx", G2_77)):
            attempt(
                f"contribution 2: its proof does not show that its maker knew {name}",
                **{name: replace(proof, **{part: point})},
            )
    attempt("contribution 2: s: the point at infinity", tau=replace(second.tau, g1_s=bytes(64)))
    attempt(r"contribution 3 \(a beacon\): its proof does not show", next_challenge=bytes(64))
    attempt("contribution 2: its points for tau are not those of its beacon", beacon=Beacon(b"x", 10))
    attempt("contribution 2: .* 129 waiting", partial_hash=bytes(200) + b"\x81" + bytes(15))
    assert seen | {"name"} == {field.name for field in fields(TauContribution)}
    refused((), "nobody contributed")
    refused((first, second), r"section 2 \(tau_g1\): point 1 is not the last contribution's")
    refused((first, second, replace(third, next_challenge=bytes(64))), "names another challenge")
    refused((first, second, replace(third, partial_hash=second.partial_hash)), "names another challenge")
    longer = replace(third, beacon=Beacon(b"x", 33))
    refused((first, second, longer), r"a beacon of 2\^33 iterations; 2\^32 can be checked")


def test_new_powers__refuse_a_power_out_of_range(tmp_path: Path) -> None:
    for power in (0, 29):
        with pytest.raises(ValueError, match="expected 1 to 28"):
            new_ptau(tmp_path / "x.ptau", power)
