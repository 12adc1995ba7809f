"""Section 10 of a key and section 7 of powers of tau: read, written, refused when damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254.fields import FQ_MODULUS
from zkrollup.formats.binfile import BinFile, BinFileWriter, FormatError, Reader
from zkrollup.formats.contributions import (
    Beacon,
    Contribution,
    KnowledgeProof,
    TauContribution,
    read_contributions,
    read_tau_contributions,
    write_contributions,
    write_tau_contributions,
)

FILES = Path(__file__).resolve().parent.parent / "vectors" / "groth16_files"

ONE = Contribution(b"\x01" * 64, b"\x02" * 64, b"\x03" * 64, b"\x04" * 128, b"\x05" * 64, "Ada")
PROOF = KnowledgeProof(b"\x06" * 64, b"\x07" * 64, b"\x08" * 128)
TAU = TauContribution(
    b"\x01" * 64, b"\x02" * 128, b"\x03" * 64, b"\x04" * 64, b"\x05" * 128,
    PROOF, replace(PROOF, g1_s=b"\x09" * 64), replace(PROOF, g2_spx=b"\x0a" * 128),
    b"\x0b" * 216, b"\x0c" * 64, "Grace",
)  # fmt: skip
BEACON = Beacon(bytes(range(1, 33)), 10)


def reader(data: bytes) -> Reader:
    return Reader(np.frombuffer(data, np.uint8), "some.zkey", 10)


def keys_bytes(folder: Path, *contributions: Contribution) -> bytes:
    with BinFileWriter(folder / "x", b"zkey", 1) as out, out.section(10) as section:
        write_contributions(section, b"\x11" * 64, contributions)
    return BinFile.open(folder / "x", b"zkey", 1).section(10).tobytes()


def taus_bytes(folder: Path, *contributions: TauContribution) -> bytes:
    with BinFileWriter(folder / "x", b"ptau", 1) as out, out.section(7) as section:
        write_tau_contributions(section, contributions)
    return BinFile.open(folder / "x", b"ptau", 1).section(7).tobytes()


def test_snarkjs_contribution__is_read_and_written_byte_for_byte(tmp_path: Path) -> None:
    data = BinFile.open(FILES / "chain.zkey", b"zkey", 1).section(10).tobytes()
    circuit_hash, (only,) = read_contributions(reader(data))
    assert only.name == "two"
    assert only.beacon is None
    with BinFileWriter(tmp_path / "x", b"zkey", 1) as out, out.section(10) as section:
        write_contributions(section, circuit_hash, (only,))
    assert BinFile.open(tmp_path / "x", b"zkey", 1).section(10).tobytes() == data


@settings(deadline=None, max_examples=30)
@given(name=st.text(st.characters(blacklist_categories=["Cs"]), max_size=64), exponent=st.integers(0, 63))
def test_contributions__survive_writing(
    tmp_path_factory: pytest.TempPathFactory, name: str, exponent: int
) -> None:
    folder = tmp_path_factory.mktemp("x")
    fits = len(name.encode("utf-16-le")) <= 128
    parties = (replace(ONE, name=name), replace(ONE, beacon=Beacon(b"\x00\xff", exponent)))
    found = read_contributions(reader(keys_bytes(folder, *parties)))[1]
    assert found[1] == parties[1]
    assert (found[0] == parties[0]) == fits
    powers = (TAU, replace(TAU, name="", beacon=Beacon(b"\x07" * 255, exponent)))
    assert read_tau_contributions(reader(taus_bytes(folder, *powers))) == powers


def test_contributions__are_refused_at_every_truncation(tmp_path: Path) -> None:
    """V10."""
    key, tau = keys_bytes(tmp_path, ONE, replace(ONE, beacon=BEACON)), taus_bytes(tmp_path, TAU)
    for length in range(len(key)):
        with pytest.raises(FormatError, match=r"some\.zkey: section 10: "):
            read_contributions(reader(key[:length]))
    for length in range(len(tau)):
        with pytest.raises(FormatError):
            read_tau_contributions(reader(tau[:length]))
    with pytest.raises(FormatError, match="1 more bytes"):
        read_contributions(reader(key + b"\0"))


def test_contributions__with_huge_lengths_are_refused(tmp_path: Path) -> None:
    """V10: the number of contributions and the length of their parameters."""
    key = keys_bytes(tmp_path, ONE)
    for place in (64, len(key) - 9):
        for value in (2**31, 2**32 - 1):
            with pytest.raises(FormatError) as caught:
                read_contributions(reader(key[:place] + value.to_bytes(4, "little") + key[place + 4 :]))
            assert "\n" not in str(caught.value)


def test_parameters__say_what_is_wrong(tmp_path: Path) -> None:
    key = keys_bytes(tmp_path, replace(ONE, name="", beacon=BEACON))
    tail = len(key) - 36  # iterations (2), value (2 + 32)
    assert key[tail - 8 : tail] == b"\1\0\0\0\x24\0\0\0"
    for at, byte, text in (
        (tail - 8, 2, "type: found 2"),
        (tail - 8, 0, "neither for a person"),
        (tail, 4, "parameter: found 4, expected 1 to 3"),
        (tail + 2, 2, "parameter: found 2, expected 3 to 3"),
        (tail + 3, 33, "expected 33 bytes"),
        (tail + 2, 1, "parameter: found 1, expected 3 to 3"),
    ):
        with pytest.raises(FormatError, match=text):
            read_contributions(reader(key[:at] + bytes([byte]) + key[at + 1 :]))
    named = keys_bytes(tmp_path, ONE)
    with pytest.raises(FormatError, match="name: found b'A\\\\xffa', expected UTF-8"):
        read_contributions(reader(named[:-2] + b"\xff" + named[-1:]))


def test_point__above_the_modulus_is_refused(tmp_path: Path) -> None:
    big = replace(ONE, g1_sx=bytes(32) + FQ_MODULUS.to_bytes(32, "little"))
    with pytest.raises(FormatError, match="contribution 1, s times the secret: found 2188"):
        read_contributions(reader(keys_bytes(tmp_path, big)))


def test_writing__refuses_parts_of_another_length(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="contribution 1, g1_s: 63 bytes, expected 64"):
        keys_bytes(tmp_path, replace(ONE, g1_s=bytes(63)))
    with pytest.raises(ValueError, match="a beacon has 1 to 255 bytes"):
        keys_bytes(tmp_path, replace(ONE, beacon=Beacon(b"", 10)))
