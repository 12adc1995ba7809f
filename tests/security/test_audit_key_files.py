"""What a supplier of key files can do: nothing but be refused, with the file's name.

A proving key's header carries its own checksum, so whoever writes the file can write any header.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zkrollup.cs import R1CS, ConstraintSystem, System, Witness
from zkrollup.engine.interface import Engine, EngineError
from zkrollup.groth16.keys import MalformedFile, VerifyingKey
from zkrollup.groth16.prove import prove
from zkrollup.groth16.proving_key import MAGIC, PAGE, KeyFileError, ProvingKey, WrongCircuitError
from zkrollup.groth16.setup import cached_key, key_path, unsafe_setup
from zkrollup.verifier import verify

Header = dict[str, Any]


def circuit(name: str = "cube") -> R1CS:
    """Knows x with x^3 = out."""
    cs = ConstraintSystem(name, parameters={})
    out, x = cs.link("out"), cs.input("x")
    (x.square() * x).assert_equal(out)
    system = System(name, public=["out"])
    system.add(name, cs.freeze()).connect("out", system.public("out"))
    return system.freeze()


def witness_of(r1cs: R1CS, engine: Engine) -> Witness:
    return r1cs.witness(engine, public={"out": 27}, parts={r1cs.name: [{"x": 3}]})


@pytest.fixture(scope="module")
def r1cs() -> R1CS:
    return circuit()


@pytest.fixture(scope="module")
def key(r1cs: R1CS, engine: Engine) -> ProvingKey:
    return unsafe_setup(r1cs, engine)


@pytest.fixture
def path(key: ProvingKey, tmp_path: Path) -> Path:
    target = tmp_path / "key.zkrpk"
    key.save(target)
    return target


def parts_of(path: Path) -> tuple[Header, bytes]:
    data = path.read_bytes()
    length = int.from_bytes(data[8:16], "little")
    start = -(-(48 + length) // PAGE) * PAGE
    return json.loads(data[48 : 48 + length]), data[start:]


def write_raw(path: Path, raw: bytes, arrays: bytes) -> None:
    """A file with this text for a header, its checksum right."""
    prefix = MAGIC + len(raw).to_bytes(8, "little") + hashlib.sha256(raw).digest() + raw
    path.write_bytes(prefix.ljust(-(-len(prefix) // PAGE) * PAGE, b"\0") + arrays)


def craft(path: Path, change: Callable[[Header], object]) -> None:
    """The file with its header changed in place."""
    header, arrays = parts_of(path)
    change(header)
    write_raw(path, json.dumps(header).encode(), arrays)


def section(name: str, field: str, value: Any) -> Callable[[Header], object]:
    def change(header: Header) -> None:
        next(s for s in header["sections"] if s["name"] == name)[field] = value

    return change


def field(name: str, value: Any) -> Callable[[Header], object]:
    def change(header: Header) -> None:
        header[name] = value

    return change


def drop(name: str) -> Callable[[Header], object]:
    return lambda header: header.pop(name)


HUGE = (2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, 10**30)

CRAFTED = {
    "object dtype": section("a", "dtype", "|O"),
    "object dtype of an empty array": lambda h: (
        section("h", "dtype", "|O")(h),
        section("h", "shape", [0, 8])(h),
    ),
    "dtype list": section("a", "dtype", [["x", "<u8"]]),
    "dtype of no size": section("a", "dtype", "|V0"),
    "dtype signed": section("b_columns", "dtype", "<i4"),
    "dtype floating": section("b_columns", "dtype", "<f4"),
    "dtype wide columns": section("b_columns", "dtype", "<u8"),
    "dtype big endian": section("a", "dtype", ">u8"),
    "shape negative": section("a", "shape", [-1, 8]),
    "shape of a string": section("a", "shape", "88"),
    "shape of floats": section("a", "shape", [1.0, 8]),
    "shape is a number": section("a", "shape", 8),
    "shape of many dimensions": section("a", "shape", [1] * 100),
    "shape without end": section("a", "shape", []),
    "offset negative": section("a", "offset", -4096),
    "offset beyond": section("a", "offset", 2**40),
    "offset overlapping": section("b1", "offset", 0),
    "offset odd": section("a", "offset", 1),
    "offset text": section("a", "offset", "0"),
    "offset null": section("a", "offset", None),
    "section twice": lambda h: h["sections"].append(h["sections"][0]),
    "section unknown": lambda h: h["sections"].append(
        {"name": "x", "dtype": "<u8", "shape": [1], "offset": 0}
    ),
    "section of another name": section("a", "name", "verifying_key"),
    "section of a field": section("a", "name", "insecure"),
    "sections null": field("sections", None),
    "sections number": field("sections", 5),
    "sections of numbers": field("sections", [1, 2]),
    "bytes text": field("bytes", "0"),
    "bytes null": field("bytes", None),
    "bytes floating": field("bytes", 0.5),
    "insecure null": field("insecure", None),
    "insecure number": field("insecure", 1),
    "insecure left out": drop("insecure"),
    "columns negative": field("num_columns", -1),
    "columns floating": field("num_columns", 3.0),
    "columns text": field("num_columns", "3"),
    "columns boolean": field("num_columns", True),
    "public negative": field("num_public", -1),
    "rows negative": field("num_rows", -1),
    "rows null": field("num_rows", None),
    "domain of zero": field("domain_size", 0),
    "digest number": field("circuit_digest", 5),
    "digest path": field("circuit_digest", "../../etc/passwd"),
    "verifying key null": field("verifying_key", None),
    "verifying key list": field("verifying_key", []),
    "verifying key left out": drop("verifying_key"),
    "verifying key damaged": lambda h: h["verifying_key"].update(vk_alpha_1=["1", "1", "1"]),
}
for huge in HUGE:
    CRAFTED |= {
        f"shape of {huge}": section("a", "shape", [huge, 8]),
        f"shape of nothing times {huge}": section("h", "shape", [0, huge]),
        f"shape {huge} squared": section("a", "shape", [huge, huge]),
        f"offset of {huge}": section("a", "offset", huge),
        f"{huge} columns": field("num_columns", huge),
        f"{huge} public inputs": field("num_public", huge),
        f"{huge} rows": field("num_rows", huge),
        f"domain of {huge}": field("domain_size", huge),
        f"{huge} bytes": field("bytes", huge),
    }


@pytest.mark.parametrize("name", CRAFTED)
def test_proving_key__crafted_header_is_refused(path: Path, name: str) -> None:
    """V7, V10: the file holds the specified elements at the specified places, or is refused by name."""
    craft(path, CRAFTED[name])
    with pytest.raises(KeyFileError, match=r"key\.zkrpk"):
        ProvingKey.load(path)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b"{",
        b"\xff\xfe",
        b'{"bytes": NaN}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"bytes": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_proving_key__header_that_is_no_object_is_refused(path: Path, raw: bytes) -> None:
    """V10: also where the parser would be led down by brackets."""
    write_raw(path, raw, b"")
    with pytest.raises(KeyFileError, match=r"key\.zkrpk"):
        ProvingKey.load(path)


def test_proving_key__the_untouched_file_is_read(
    path: Path, key: ProvingKey, r1cs: R1CS, engine: Engine
) -> None:
    """The crafting itself breaks nothing."""
    craft(path, lambda header: None)
    loaded = ProvingKey.load(path)
    assert loaded.verifying_key == key.verifying_key
    assert verify(loaded.verifying_key, [27], prove(loaded, r1cs, witness_of(r1cs, engine), engine))


def test_proving_key__cannot_launder_the_insecure_mark(path: Path) -> None:
    """V7: the mark in the header and the one in the verifying key are one mark."""
    craft(path, lambda header: header["verifying_key"].update(insecure=False))
    with pytest.raises(KeyFileError, match="insecure"):
        ProvingKey.load(path)


def test_proving_key__verifying_key_of_another_circuit_is_refused(path: Path) -> None:
    """V11: both carry the digest."""
    craft(path, lambda header: header["verifying_key"].update(circuit_digest="0" * 64))
    with pytest.raises(KeyFileError, match="circuit"):
        ProvingKey.load(path)


def test_proving_key__verifying_key_of_another_setup_is_refused(
    path: Path, r1cs: R1CS, engine: Engine, tmp_path: Path
) -> None:
    """V7, V11: proofs made with the one would never hold under the other."""
    other = json.loads(unsafe_setup(r1cs, engine).verifying_key.to_json())
    craft(path, lambda header: header.update(verifying_key=other))
    with pytest.raises(KeyFileError, match="verifying key"):
        ProvingKey.load(path)


def test_proving_key__verifying_key_with_other_inputs_is_refused(path: Path) -> None:
    """V11."""

    def more(header: Header) -> None:
        vk = header["verifying_key"]
        vk["IC"].append(vk["IC"][0])
        vk["nPublic"] += 1

    craft(path, more)
    with pytest.raises(KeyFileError, match="public"):
        ProvingKey.load(path)


@pytest.mark.parametrize("name", ["alpha1", "beta1", "delta1", "beta2", "delta2"])
@pytest.mark.parametrize("fill", [0, 1, 0xFF])
def test_proving_key__a_single_point_that_is_none_is_refused(path: Path, name: str, fill: int) -> None:
    """V6, V7: with delta at infinity a proof would not be blinded."""
    header, arrays = parts_of(path)
    place = next(s for s in header["sections"] if s["name"] == name)
    size = 8 * place["shape"][0]
    at = place["offset"]
    write_raw(path, json.dumps(header).encode(), arrays[:at] + bytes([fill]) * size + arrays[at + size :])
    with pytest.raises(KeyFileError, match=name):
        ProvingKey.load(path)


@pytest.mark.parametrize("name", ["a", "b1", "b2", "l", "h", "b_columns"])
@pytest.mark.parametrize("fill", [0, 1, 0xFF])
def test_proving_key__damaged_queries_make_no_valid_proof(
    path: Path, r1cs: R1CS, engine: Engine, name: str, fill: int
) -> None:
    """V11, V12: arrays are not under the checksum: damage gives an error or a proof that is refused."""
    header, arrays = parts_of(path)
    place = next(s for s in header["sections"] if s["name"] == name)
    size = int(np.prod(place["shape"])) * np.dtype(place["dtype"]).itemsize
    at = place["offset"]
    write_raw(path, json.dumps(header).encode(), arrays[:at] + bytes([fill]) * size + arrays[at + size :])
    try:
        loaded = ProvingKey.load(path)
        proof = prove(loaded, r1cs, witness_of(r1cs, engine), engine)
        holds = verify(loaded.verifying_key, [27], proof)
    except ValueError:
        return
    assert not holds


def test_prove__key_of_other_sizes_under_the_right_digest_is_refused(
    key: ProvingKey, r1cs: R1CS, engine: Engine
) -> None:
    """V11: the digest in a key is its supplier's claim; the sizes are compared too."""
    bigger = System("two", public=["out", "also"])
    cs = ConstraintSystem("two", parameters={})
    out, also, x = cs.link("out"), cs.link("also"), cs.input("x")
    (x.square() * x).assert_equal(out)
    (x.square() * x.square()).assert_equal(also)
    part = bigger.add("two", cs.freeze())
    part.connect("out", bigger.public("out"))
    part.connect("also", bigger.public("also"))
    other = replace(unsafe_setup(bigger.freeze(), engine), circuit_digest=r1cs.digest)
    with pytest.raises(WrongCircuitError, match="columns"):
        prove(other, r1cs, witness_of(r1cs, engine), engine)


def test_prove__witness_of_other_sizes_is_refused(key: ProvingKey, r1cs: R1CS, engine: Engine) -> None:
    """V12."""
    honest = witness_of(r1cs, engine)
    for values in (honest.values[:-1], np.vstack([honest.values, honest.values])):
        with pytest.raises(EngineError):
            prove(key, r1cs, replace(honest, values=np.ascontiguousarray(values)), engine, check=False)


def test_proving_key__degenerate_verifying_key_is_refused(path: Path) -> None:
    """V3: gamma = delta, also where the key comes with a proving key."""

    def degenerate(header: Header) -> None:
        header["verifying_key"]["vk_gamma_2"] = header["verifying_key"]["vk_delta_2"]

    craft(path, degenerate)
    with pytest.raises(KeyFileError, match="forged"):
        ProvingKey.load(path)


@pytest.mark.parametrize("text", ["[" * 10_000_000, '{"a":' * 2_000_000])
def test_verifying_key__brackets_cost_no_more_memory_than_the_text(text: str) -> None:
    """V10: the depth is counted as the text is read."""
    with pytest.raises(MalformedFile, match="levels"):
        VerifyingKey.from_json(text)


def test_cache__key_of_another_circuit_under_this_name_is_set_aside(
    r1cs: R1CS, engine: Engine, tmp_path: Path
) -> None:
    """V11: whoever swaps two files of the cache costs time, and nothing else."""
    unsafe_setup(circuit("another"), engine).save(key_path(r1cs.digest, tmp_path))
    with pytest.warns(UserWarning, match="made for circuit"):
        found, cached = cached_key(r1cs, engine, tmp_path)
    assert not cached
    assert found.circuit_digest == r1cs.digest
    assert verify(found.verifying_key, [27], prove(found, r1cs, witness_of(r1cs, engine), engine))
