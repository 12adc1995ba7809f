"""The key file: round trip, damage of every kind, and the cache."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zkrollup.groth16.prove import prove
from zkrollup.groth16.proving_key import ARRAYS, MAGIC, KeyFileError, ProvingKey
from zkrollup.groth16.setup import cached_key, key_path
from zkrollup.verifier import verify


@pytest.fixture
def path(small: Any, tmp_path: Path) -> Path:
    target = tmp_path / "key.zkrpk"
    small.key.save(target)
    return target


def test_file__holds_what_was_saved_and_proves(small: Any, path: Path) -> None:
    loaded = ProvingKey.load(path)
    for name in ARRAYS:
        assert np.array_equal(getattr(loaded, name), getattr(small.key, name)), name
    assert loaded.verifying_key == small.key.verifying_key
    proof = prove(loaded, small.r1cs, small.witness, small.engine)
    assert verify(loaded.verifying_key, list(small.witness.public), proof)


def test_file__says_insecure_in_plain_text(path: Path) -> None:
    """V7."""
    assert b"INSECURE: one party made this key" in path.read_bytes()


@pytest.mark.parametrize("keep", [0, 1, 47, 48, 200, 4095, 4096, 5000, -1, -4096])
def test_file__truncated_is_said_so(path: Path, keep: int) -> None:
    """V10."""
    data = path.read_bytes()
    path.write_bytes(data[:keep] if keep >= 0 else data[: len(data) + keep])
    with pytest.raises(KeyFileError, match=r"truncated|not a zkrollup proving key"):
        ProvingKey.load(path)


def test_file__longer_than_it_says_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(KeyFileError, match="longer"):
        ProvingKey.load(path)


@pytest.mark.parametrize("length", [2**31, 2**32 - 1, 2**64 - 1])
def test_file__absurd_header_length_is_refused(path: Path, length: int) -> None:
    """V10."""
    data = bytearray(path.read_bytes())
    data[8:16] = length.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match="truncated"):
        ProvingKey.load(path)


def test_file__flipped_header_bit_is_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match="checksum"):
        ProvingKey.load(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("num_columns", 10**6), ("num_public", 0), ("domain_size", 2), ("sections", []), ("sections", [{}])],
)
def test_file__header_that_does_not_fit_its_arrays_is_refused(path: Path, field: str, value: Any) -> None:
    data = path.read_bytes()
    length = int.from_bytes(data[8:16], "little")
    header = json.loads(data[48 : 48 + length])
    header[field] = value
    raw = json.dumps(header).encode()
    raw += b" " * (length - len(raw))
    if len(raw) != length:
        raw = json.dumps(header, separators=(",", ":")).encode().ljust(length)
    body = MAGIC + len(raw).to_bytes(8, "little") + hashlib.sha256(raw).digest() + raw
    path.write_bytes(body + data[len(body) :])
    with pytest.raises(KeyFileError):
        ProvingKey.load(path)


def test_cache__makes_a_key_once_and_replaces_a_damaged_one(small: Any, tmp_path: Path) -> None:
    first, cached = cached_key(small.r1cs, small.engine, tmp_path)
    assert not cached
    again, cached = cached_key(small.r1cs, small.engine, tmp_path)
    assert cached
    assert again.verifying_key == first.verifying_key
    path = key_path(small.r1cs.digest, tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="truncated"):
        third, cached = cached_key(small.r1cs, small.engine, tmp_path)
    assert not cached
    assert third.verifying_key != first.verifying_key
    assert path.with_suffix(".damaged").exists()


def test_cached_key__says_before_the_setup_that_the_cache_cannot_be(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("zkrollup.groth16.setup.unsafe_setup", lambda *_: pytest.fail("a key was made"))
    with pytest.raises(OSError, match=r"ZKROLLUP_CACHE names another folder for keys: '.*/file/keys'"):
        cached_key(small.r1cs, small.engine, tmp_path / "file" / "keys")


def test_cached_key__names_the_file_that_does_not_fit_the_disk(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(key: ProvingKey, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ProvingKey, "save", full)
    with pytest.raises(OSError, match=f"No space left on device; ZKROLLUP_CACHE .*: '{tmp_path}/"):
        cached_key(small.r1cs, small.engine, tmp_path)
