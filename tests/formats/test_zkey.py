"""Reading snarkjs's keys: what a good one gives, and that no bad one gives more than a clear error."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254.encoding import MalformedInput
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import Engine
from zkrollup.formats.binfile import FormatError
from zkrollup.formats.wtns import WtnsFile
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.keys import DegenerateKey, VerifyingKey
from zkrollup.groth16.prove import prove_unchecked
from zkrollup.verifier import verify

from .memory import bounded

FILES = Path(__file__).parents[1] / "vectors" / "groth16_files"
GOOD = (FILES / "chain.zkey").read_bytes()
WIRES, PUBLIC, DOMAIN, ROWS = 26, 3, 32, 23
Q_AT, R_AT, WIRES_AT, POINTS_AT = 4, 40, 72, 84  # offsets in section 2
ENTRY = 44


def sections(data: bytes) -> dict[int, tuple[int, int]]:
    """Number -> offset and length of its contents."""
    found, at = {}, 12
    for _ in range(struct.unpack_from("<I", data, 8)[0]):
        number, length = struct.unpack_from("<IQ", data, at)
        found[number] = (at + 12, length)
        at += 12 + length
    return found


PLACES = sections(GOOD)


def patched(section: int, offset: int, new: bytes) -> bytes:
    """The good key with some bytes of a section replaced."""
    at = PLACES[section][0] + offset
    return GOOD[:at] + new + GOOD[at + len(new) :]


def with_section(section: int, contents: bytes) -> bytes:
    """The good key with a section's contents replaced by others of any length."""
    at, length = PLACES[section]
    return GOOD[: at - 8] + len(contents).to_bytes(8, "little") + contents + GOOD[at + length :]


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@pytest.fixture(scope="module")
def zkey(engine: Engine) -> Zkey:
    return Zkey.load(FILES / "chain.zkey", engine)


@pytest.fixture(scope="module")
def witness() -> Any:
    return WtnsFile.read(FILES / "chain.wtns").values


@pytest.fixture
def load(tmp_path: Path, engine: Engine) -> Callable[[bytes], Zkey]:
    """Loads bytes as a file; fails when that takes memory out of proportion to them (V10)."""

    def loader(data: bytes) -> Zkey:
        path = tmp_path / "some.zkey"
        path.write_bytes(data)
        return bounded(4 << 20, lambda: Zkey.load(path, engine))

    return loader


# -- what a good file gives ------------------------------------------------------------------------


def test_zkey__sizes_are_the_circuits(zkey: Zkey) -> None:
    layout = zkey.layout
    assert (layout.num_columns, layout.num_public, layout.num_rows) == (WIRES, PUBLIC, ROWS)
    assert layout.domain_size == len(zkey.h) == DOMAIN
    assert len(zkey.a) == WIRES
    assert len(zkey.l) == WIRES - PUBLIC - 1
    assert len(zkey.b1) == len(zkey.b2) == WIRES
    in_b = np.flatnonzero(zkey.b1.any(axis=1))
    assert np.array_equal(in_b, zkey.b_columns)
    assert np.array_equal(in_b, np.flatnonzero(zkey.b2.any(axis=1)))


def test_zkey__verifying_key_is_the_one_that_snarkjs_exports(zkey: Zkey) -> None:
    exported = VerifyingKey.load(FILES / "verification_key.json")
    assert zkey.verifying_key.to_bytes() == exported.to_bytes()


def test_zkey__points_lie_on_their_curves(zkey: Zkey, engine: Engine) -> None:
    zkey.check_points(engine)


def test_zkey__layout_computes_what_the_entries_say(zkey: Zkey, engine: Engine, witness: Any) -> None:
    """The slow twin: entry by entry, in plain integers."""
    at, _ = PLACES[4]
    values = ints_from_limbs(witness)
    wanted = [[0] * DOMAIN, [0] * DOMAIN]
    unscale = pow(1 << 512, -1, R)
    for i in range(struct.unpack_from("<I", GOOD, at)[0]):
        matrix, row, column = struct.unpack_from("<3I", GOOD, at + 4 + ENTRY * i)
        value = int.from_bytes(GOOD[at + 16 + ENTRY * i : at + 48 + ENTRY * i], "little")
        wanted[matrix][row] = (wanted[matrix][row] + value * unscale * values[column]) % R
    a, b, c = engine.r1cs_products(zkey.layout, engine.fr_to_mont(witness))
    assert ints_from_limbs(engine.fr_from_mont(a)) == wanted[0][:ROWS]
    assert ints_from_limbs(engine.fr_from_mont(b)) == wanted[1][:ROWS]
    assert not c.any()
    assert any(wanted[1][:ROWS])


def test_zkey__entries_may_come_in_any_order(
    zkey: Zkey, engine: Engine, witness: Any, load: Callable[[bytes], Zkey]
) -> None:
    at, length = PLACES[4]
    entries = np.frombuffer(GOOD[at + 4 : at + length], dtype=f"V{ENTRY}")
    shuffled = np.random.default_rng(1).permutation(entries)
    values = engine.fr_to_mont(witness)
    other = load(patched(4, 4, shuffled.tobytes()))
    for one, two in zip(
        engine.r1cs_products(zkey.layout, values), engine.r1cs_products(other.layout, values), strict=True
    ):
        assert np.array_equal(one, two)


def test_zkey__constants_are_distinct_and_begin_with_0_1_minus_1(zkey: Zkey, engine: Engine) -> None:
    constants = ints_from_limbs(engine.fr_from_mont(zkey.layout.blocks[0].constants))
    assert constants[:3] == [0, 1, R - 1]
    assert len(set(constants)) == len(constants) > 3


def test_zkey__our_proof_is_accepted_under_the_key_that_snarkjs_exports(
    zkey: Zkey, engine: Engine, witness: Any
) -> None:
    """And a second one differs in every element: V6."""
    public = json.loads((FILES / "public.json").read_text())
    assert [str(x) for x in ints_from_limbs(witness[1 : PUBLIC + 1])] == public
    vk = VerifyingKey.load(FILES / "verification_key.json")
    one, two = (prove_unchecked(zkey, zkey.layout, engine.fr_to_mont(witness), engine) for _ in range(2))
    assert verify(vk, [int(x) for x in public], one) is True
    assert one.a != two.a
    assert one.b != two.b
    assert one.c != two.c


@pytest.mark.parametrize("wire", range(1, WIRES))
def test_zkey__a_proof_from_any_wrong_wire_does_not_hold(
    zkey: Zkey, engine: Engine, witness: Any, wire: int
) -> None:
    """The key has no C, so nothing but the proof says that a witness is wrong."""
    values = witness.copy()
    values[wire] = [77, 0, 0, 0]
    made = prove_unchecked(zkey, zkey.layout, engine.fr_to_mont(values), engine)
    holds = engine.groth16_verify(
        zkey.verifying_key.to_montgomery_bytes(),
        np.frombuffer(made.to_montgomery_bytes(), dtype=np.uint64).reshape(1, 32),
        np.ascontiguousarray(values[1 : PUBLIC + 1]).reshape(1, PUBLIC, 4),
    )
    assert not holds[0]


# -- what a bad file gives -------------------------------------------------------------------------


def test_zkey__a_key_that_nobody_contributed_to_is_refused(engine: Engine) -> None:
    """V3."""
    with pytest.raises(DegenerateKey, match=r"uncontributed\.zkey.*gamma2 equals delta2"):
        Zkey.load(FILES / "uncontributed.zkey", engine)


def test_zkey__every_truncation_is_an_error(load: Callable[[bytes], Zkey]) -> None:
    """V10."""
    boundaries = {at + shift for at, length in PLACES.values() for shift in (-12, -1, 0, 1, length - 1)}
    for length in sorted(boundaries | set(range(0, len(GOOD), 211)) | {len(GOOD) - 1}):
        with pytest.raises(FormatError):
            load(GOOD[:length])


@pytest.mark.parametrize("value", [0, 1 << 31, (1 << 32) - 1])
@pytest.mark.parametrize(
    "at",
    [
        8,
        *(at - 12 for number, (at, _) in PLACES.items() if number != 10),  # nobody reads 10
        *(PLACES[2][0] + offset for offset in (0, 36, WIRES_AT, WIRES_AT + 4, WIRES_AT + 8)),
        PLACES[1][0],
        PLACES[4][0],
    ],
)
def test_zkey__absurd_numbers_are_errors(load: Callable[[bytes], Zkey], at: int, value: int) -> None:
    """V10."""
    with pytest.raises(FormatError):
        load(GOOD[:at] + u32(value) + GOOD[at + 4 :])


@pytest.mark.parametrize("value", [0, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize("section", sorted(PLACES))
def test_zkey__absurd_lengths_are_errors(load: Callable[[bytes], Zkey], section: int, value: int) -> None:
    """V10."""
    at = PLACES[section][0] - 8
    with pytest.raises(FormatError):
        load(GOOD[:at] + value.to_bytes(8, "little") + GOOD[at + 8 :])


@pytest.mark.parametrize("section", range(1, 10))
def test_zkey__a_section_with_more_or_less_in_it_is_named(
    load: Callable[[bytes], Zkey], section: int
) -> None:
    at, length = PLACES[section]
    contents = GOOD[at : at + length]
    for changed in (contents + bytes(1), contents[:-1], contents + bytes(64), b""):
        with pytest.raises(FormatError) as caught:
            load(with_section(section, changed))
        assert caught.value.section == section


@pytest.mark.parametrize(("number", "name"), [(2, "plonk"), (10, "fflonk"), (7, "7")])
def test_zkey__another_protocol_is_named(load: Callable[[bytes], Zkey], number: int, name: str) -> None:
    with pytest.raises(FormatError, match=f"section 1: protocol: found {name}, expected groth16"):
        load(patched(1, 0, u32(number)))


def test_zkey__another_curve_is_refused(load: Callable[[bytes], Zkey]) -> None:
    for offset, name in ((Q_AT, "q"), (R_AT, "r")):
        with pytest.raises(FormatError, match=f"section 2: {name}: .* expected BN254's"):
            load(patched(2, offset, (R + 2).to_bytes(32, "little")))
    bls = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
    with pytest.raises(FormatError, match="n8q: found 48, expected 32, as BN254 has"):
        load(with_section(2, u32(48) + bls.to_bytes(48, "little") + bytes(1000)))


@pytest.mark.parametrize(
    ("name", "offset", "size"),
    [
        ("alpha1", 0, 64),
        ("beta1", 64, 64),
        ("beta2", 128, 128),
        ("gamma2", 256, 128),
        ("delta1", 384, 64),
        ("delta2", 448, 128),
    ],
)
def test_zkey__a_single_point_must_be_finite_canonical_and_of_its_group(
    load: Callable[[bytes], Zkey], name: str, offset: int, size: int
) -> None:
    for wrong in (bytes(size), b"\xff" * size, b"\x01" + bytes(size - 1)):
        with pytest.raises(MalformedInput, match=rf"some\.zkey: .*{name}"):
            load(patched(2, POINTS_AT + offset, wrong))


def test_zkey__an_infinite_ic_point_is_refused(load: Callable[[bytes], Zkey]) -> None:
    with pytest.raises(MalformedInput, match=r"some\.zkey: .*ic\[2\]"):
        load(patched(3, 128, bytes(64)))


def test_zkey__gamma_must_not_be_delta(load: Callable[[bytes], Zkey]) -> None:
    """V3."""
    at = PLACES[2][0] + POINTS_AT
    with pytest.raises(DegenerateKey):
        load(patched(2, POINTS_AT + 256, GOOD[at + 448 : at + 576]))


@pytest.mark.parametrize(
    ("offset", "new", "words"),
    [
        (4, u32(2), "matrix of entry 0: found 2, expected below 2"),
        (8, u32(DOMAIN), f"row of entry 0: found {DOMAIN}, expected below {DOMAIN}"),
        (12, u32(WIRES), f"column of entry 0: found {WIRES}, expected below {WIRES}"),
        (16, R.to_bytes(32, "little"), "value of entry 0"),
        (16, b"\xff" * 32, "value of entry 0"),
        (8, u32(DOMAIN - 1), "last rows"),  # moves the end, so the public rows are elsewhere
        (8, u32(ROWS), "last rows"),  # a second entry in a public row
    ],
)
def test_zkey__a_wrong_entry_is_named(
    load: Callable[[bytes], Zkey], offset: int, new: bytes, words: str
) -> None:
    with pytest.raises(FormatError, match=rf"section 4: {words}"):
        load(patched(4, offset, new))


@pytest.mark.parametrize(("offset", "new"), [(0, u32(1)), (8, u32(0)), (12, bytes(32))])
def test_zkey__public_rows_must_be_the_identity(
    load: Callable[[bytes], Zkey], offset: int, new: bytes
) -> None:
    last = PLACES[4][1] - ENTRY
    with pytest.raises(FormatError, match="section 4: last rows"):
        load(patched(4, last + offset, new))


@pytest.mark.parametrize("section", [5, 6, 7, 8, 9])
def test_zkey__check_points_names_the_wrong_one(
    load: Callable[[bytes], Zkey], engine: Engine, section: int
) -> None:
    width = 128 if section == 7 else 64
    at = 6 * width
    key = load(patched(section, at, GOOD[PLACES[section][0] + at + 8 :][:8]))
    with pytest.raises(FormatError, match=rf"section {section}: .*\[6\]"):
        key.check_points(engine)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_zkey__changed_bytes_give_a_key_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine, data: st.DataObject
) -> None:
    """V10."""
    changed = bytearray(GOOD)
    head = PLACES[2][0] + POINTS_AT
    for _ in range(data.draw(st.integers(1, 3))):
        start, size = data.draw(st.sampled_from([(0, head), PLACES[4], (0, len(GOOD))]))
        at = data.draw(st.integers(start, start + size - 1))
        changed[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.zkey"
    path.write_bytes(changed)
    try:
        outcome = str(Zkey.load(path, engine).path)
    except (FormatError, MalformedInput) as error:
        outcome = str(error)
    assert str(path) in outcome
