"""Powers of tau: snarkjs's files are read and written back byte for byte, damaged ones refused (V10)."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from zkrollup.engine.interface import U64
from zkrollup.formats.binfile import BinFile, FormatError
from zkrollup.formats.ptau import Ptau, write_ptau

from .memory import bounded, tracing

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "ceremony"
LIMIT = 1 << 18


def rewrite(powers: Ptau, path: Path) -> bytes:
    def lagrange(name: str, level: int) -> U64:
        if name == "tau_g1":
            points = powers.lagrange_tau_g1(level)
            assert points is not None
            return points
        return np.asarray(getattr(powers.lagrange(level), name))

    write_ptau(
        path,
        power=powers.power,
        ceremony_power=powers.ceremony_power,
        tau_g1=powers.tau_g1,
        tau_g2=powers.tau_g2,
        alpha_tau_g1=powers.alpha_tau_g1,
        beta_tau_g1=powers.beta_tau_g1,
        beta_g2=powers.beta_g2,
        contributions=powers.contributions,
        lagrange=lagrange if powers.prepared else None,
    )
    return path.read_bytes()


@pytest.mark.parametrize("name", ["prepared_5.ptau", "raw_5.ptau", "raw_6.ptau"])
def test_snarkjs_powers__are_read_and_written_byte_for_byte(name: str, tmp_path: Path) -> None:
    powers = Ptau.load(VECTORS / name)
    assert (powers.power, powers.ceremony_power) == (int(name[-6]), int(name[-6]))
    assert powers.prepared == name.startswith("prepared")
    assert [(one.name, one.beacon is None) for one in powers.contributions] == [
        ("first", True),
        ("", True),
        ("a beacon", False),
    ]
    assert rewrite(powers, tmp_path / "x.ptau") == (VECTORS / name).read_bytes()


def test_level__outside_the_file_is_refused() -> None:
    powers = Ptau.load(VECTORS / "prepared_5.ptau")
    with pytest.raises(ValueError, match=r"Lagrange points for 2\^6, there are 2\^0 to 2\^5"):
        powers.lagrange(6)
    assert powers.lagrange_tau_g1(6) is not None
    with pytest.raises(ValueError, match=r"2\^7, there are 2\^0 to 2\^6"):
        powers.lagrange_tau_g1(7)
    assert Ptau.load(VECTORS / "raw_5.ptau").lagrange(5) is None


def test_powers_cut_out_of_a_larger_ceremony__are_read(tmp_path: Path) -> None:
    whole, path = Ptau.load(VECTORS / "raw_6.ptau"), tmp_path / "cut.ptau"
    write_ptau(
        path,
        power=4,
        ceremony_power=6,
        tau_g1=whole.tau_g1[:31],
        tau_g2=whole.tau_g2[:16],
        alpha_tau_g1=whole.alpha_tau_g1[:16],
        beta_tau_g1=whole.beta_tau_g1[:16],
        beta_g2=whole.beta_g2,
        contributions=whole.contributions,
    )
    cut = Ptau.load(path)
    assert (cut.power, cut.ceremony_power, len(cut.tau_g1)) == (4, 6, 31)
    assert cut.contributions == whole.contributions


def test_truncated_powers__are_refused_at_every_length(tmp_path: Path) -> None:
    """V10: every truncation, without great allocations."""
    data, path = (VECTORS / "raw_5.ptau").read_bytes(), tmp_path / "x.ptau"
    with tracing():
        for length in [*range(200), *range(200, len(data), 97)]:
            path.write_bytes(data[:length])
            with pytest.raises(FormatError) as caught:
                bounded(LIMIT, lambda: Ptau.load(path))
            assert "\n" not in str(caught.value)


def test_powers_with_huge_lengths__are_refused(tmp_path: Path) -> None:
    """V10: every length and count set to 2^31, 2^32 - 1, 2^64 - 1."""
    source = VECTORS / "prepared_5.ptau"
    data, path = source.read_bytes(), tmp_path / "x.ptau"
    places = {number: at for number, (at,) in BinFile.open(source, b"ptau", 1).sections.items()}
    header, parties = places[1][0], places[7][0]
    fields = [(8, 4), (header, 4), (header + 36, 4), (header + 40, 4), (parties, 4)]
    fields += [(offset - 8, 8) for offset, _ in places.values()]
    for offset, width in fields:
        for value in (2**31, 2**32 - 1, 2**64 - 1):
            if value < 1 << (8 * width):
                path.write_bytes(data[:offset] + value.to_bytes(width, "little") + data[offset + width :])
                with pytest.raises(FormatError) as caught:
                    Ptau.load(path)
                assert "\n" not in str(caught.value)
                assert len(str(caught.value)) < 400


def test_header__says_what_is_wrong(tmp_path: Path) -> None:
    data, path = (VECTORS / "raw_5.ptau").read_bytes(), tmp_path / "x.ptau"
    header = BinFile.open(VECTORS / "raw_5.ptau", b"ptau", 1).sections[1][0][0]
    for offset, byte, text in (
        (header, 48, "section 1: n8: found 48, expected 32"),
        (header + 4, data[header + 4] ^ 1, "section 1: q: found 2188"),
        (header + 36, 6, "section 1: power of the ceremony: found 5, expected 6 to 28"),
        (header + 36, 4, "section 2: powers of tau in G1: found 4032 bytes, expected 1984: 31 points of 64"),
        (header + 36, 0, "section 1: power: found 0, expected 1 to 28"),
        (header + 40, 29, "power of the ceremony: found 29, expected 5 to 28"),
    ):
        path.write_bytes(data[:offset] + bytes([byte]) + data[offset + 1 :])
        with pytest.raises(FormatError) as caught:
            Ptau.load(path)
        assert text in str(caught.value)


def test_half_prepared_powers__are_refused(tmp_path: Path) -> None:
    source = VECTORS / "prepared_5.ptau"
    data, path = bytearray(source.read_bytes()), tmp_path / "x.ptau"
    (at, _), = BinFile.open(source, b"ptau", 1).sections[14]  # fmt: skip
    data[at - 12] = 99
    path.write_bytes(data)
    with pytest.raises(FormatError, match="section 14: occurrences: found 0, expected 1"):
        Ptau.load(path)


def test_mutated_powers__are_refused_or_read(tmp_path: Path) -> None:
    """V10, at random."""
    data, path, draw = (VECTORS / "raw_5.ptau").read_bytes(), tmp_path / "x.ptau", random.Random(1)
    refused = 0
    for _ in range(800):
        damaged = bytearray(data)
        at = draw.randrange(len(data))
        if draw.random() < 0.7:
            at = draw.choice([*range(72), *range(len(data) - 4560, len(data))])
        damaged[at : at + draw.randrange(1, 5)] = draw.randbytes(draw.randrange(6))
        path.write_bytes(damaged)
        try:
            powers = Ptau.load(path)
        except FormatError as error:
            if not str(error).startswith(f"{path}: "):
                raise
            refused += 1
        else:
            assert Ptau.load(path).contributions == powers.contributions
    assert 200 < refused < 800


def test_writing__refuses_arrays_that_do_not_fit_the_power(tmp_path: Path) -> None:
    powers = Ptau.load(VECTORS / "raw_5.ptau")
    with pytest.raises(ValueError, match=r"tau_g2: uint64 \(31, 16\), expected uint64 \(32, 16\)"):
        write_ptau(
            tmp_path / "x.ptau",
            power=5,
            tau_g1=powers.tau_g1,
            tau_g2=powers.tau_g2[:31],
            alpha_tau_g1=powers.alpha_tau_g1,
            beta_tau_g1=powers.beta_tau_g1,
            beta_g2=powers.beta_g2,
        )
    assert not list(tmp_path.iterdir())
