"""Keccak-f[1600] and its digests against the twin, pycryptodome and hashlib."""

from __future__ import annotations

import hashlib
import random

import pytest

from zkrollup.crypto import keccak as twin
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.keccak import keccak256, keccak_f, sha3_256
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied


def standard_bits(data: bytes) -> list[int]:
    """Bits in the order of FIPS 202: the least significant one of a byte first."""
    return [byte >> k & 1 for byte in data for k in range(8)]


def lane_bits(lane: int) -> list[int]:
    return [lane >> i & 1 for i in range(64)]


@pytest.fixture(scope="module")
def permutation(record):
    def body(cs, i):
        out = keccak_f(cs, [i[f"l{k}"] for k in range(25)])
        return {f"out{k}": lane for k, lane in enumerate(out)}

    return record(body, bool_arrays={f"l{k}": 64 for k in range(25)})


TOP = (1 << 64) - 1


def given(lanes):
    return {f"l{k}": lane_bits(lane) for k, lane in enumerate(lanes)}


def test_keccak_f__takes_92160_rows(permutation, rows_of):
    # Exporting the bits that the last iota flips takes a row for each of its four ones.
    assert rows_of(permutation) == 92_160 + 4


@pytest.mark.parametrize("kind", ["zeros", "ones", "random"])
def test_keccak_f__agrees_with_its_twin(permutation, engine, kind):
    rng = random.Random(1600)
    lanes = {"zeros": [0] * 25, "ones": [TOP] * 25, "random": [rng.getrandbits(64) for _ in range(25)]}[kind]
    check = assert_satisfied(permutation, inputs=given(lanes), engine=engine)
    for k, lane in enumerate(twin.keccak_f(lanes)):
        assert [check[f"out{k}[{i}]"] for i in range(64)] == lane_bits(lane)


def test_keccak_f__catches_lies(permutation):
    rng = random.Random(2)
    hints = rng.sample(list(permutation.hints), 4)
    lanes = [rng.getrandbits(64) for _ in range(25)]
    assert assert_lies_caught(permutation, inputs=given(lanes), hints=hints) >= 4
    for label, scope in (("chi", "chi"), ("xor of three", "theta")):
        site = [h for h in permutation.hints if h.scope == scope][1000]
        assert_unsatisfied(
            permutation,
            inputs=given(lanes),
            by=f"{scope}/{label}",
            only=True,
            override={site: lambda v: [1 - v[0]]},
        )


@pytest.mark.slow
def test_keccak_f__binds_every_wire(permutation):
    rng = random.Random(3)
    assert_every_wire_bound(permutation, inputs=given([rng.getrandbits(64) for _ in range(25)]))


def test_keccak_f__refuses_other_shapes():
    cs = ConstraintSystem("keccak")
    with pytest.raises(ValueError, match="the state of Keccak-f: expected 25 lanes of 64 bits"):
        keccak_f(cs, [cs.input_bool_array("l", 64)] * 24)


@pytest.mark.parametrize(("size", "rows"), [(4, 88_826), (135, 91_960)])
def test_keccak256__is_ethereums(size, rows, record, rows_of, engine):
    template = record(lambda cs, i: {"out": keccak256(cs, i["m"])}, bool_arrays={"m": 8 * size})
    assert rows_of(template) == rows + 4  # as above
    data = random.Random(size).randbytes(size)
    check = assert_satisfied(template, inputs={"m": standard_bits(data)}, engine=engine)
    assert [check[f"out[{i}]"] for i in range(256)] == standard_bits(twin.keccak256(data))


@pytest.mark.slow
@pytest.mark.parametrize("size", [200])
def test_keccak256__of_two_blocks_is_ethereums(size, record, engine):
    template = record(lambda cs, i: {"out": keccak256(cs, i["m"])}, bool_arrays={"m": 8 * size})
    data = random.Random(size).randbytes(size)
    check = assert_satisfied(template, inputs={"m": standard_bits(data)}, engine=engine)
    assert [check[f"out[{i}]"] for i in range(256)] == standard_bits(twin.keccak256(data))


@pytest.mark.parametrize("size", [0, 136, 300])
def test_digests__of_known_messages_are_known_while_recording(size):
    data = random.Random(size).randbytes(size)
    for gadget, want in ((keccak256, twin.keccak256(data)), (sha3_256, hashlib.sha3_256(data).digest())):
        cs = ConstraintSystem("known")
        out = gadget(cs, [cs.constant_bool(bool(bit)) for bit in standard_bits(data)])
        assert [bit.constant_value for bit in out] == standard_bits(want)


def test_keccak256__refuses_a_part_of_a_byte():
    cs = ConstraintSystem("keccak")
    with pytest.raises(ValueError, match="a message of 7 bits; expected whole bytes"):
        keccak256(cs, cs.input_bool_array("m", 7))
