"""SHA-256 against hashlib and its twin."""

from __future__ import annotations

import hashlib
import random
import time

import pytest

from zkrollup.audit import Constraints, Kind, audit
from zkrollup.crypto import sha256 as twin
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.sha256 import sha256, sha256_compress
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied


def standard_bits(data: bytes) -> list[int]:
    """Bits in the order of the standard: the most significant one of a byte first."""
    return [byte >> (7 - k) & 1 for byte in data for k in range(8)]


def word_bits(word: int) -> list[int]:
    return [word >> i & 1 for i in range(32)]


NAMES = [f"s{k}" for k in range(8)] + [f"w{k}" for k in range(16)]


@pytest.fixture(scope="module")
def compression(record):
    def body(cs, i):
        out = sha256_compress(cs, [i[n] for n in NAMES[:8]], [i[n] for n in NAMES[8:]])
        return {f"out{k}": word for k, word in enumerate(out)}

    return record(body, bool_arrays=dict.fromkeys(NAMES, 32))


def given(words):
    return {name: word_bits(word) for name, word in zip(NAMES, words, strict=True)}


TOP = 0xFFFFFFFF
RNG = random.Random(256)
CASES = [
    [0] * 24,
    [TOP] * 24,
    [TOP, 0] * 12,
    *([RNG.randrange(1 << 32) for _ in range(24)] for _ in range(2)),
]


def test_compress__takes_17445_rows(compression, rows_of):
    assert rows_of(compression) == 17_445  # circomlib's Sha256compression: 30,328


@pytest.mark.parametrize("words", CASES, ids=["zeros", "ones", "mixed", "random 1", "random 2"])
def test_compress__agrees_with_its_twin(compression, engine, words):
    check = assert_satisfied(compression, inputs=given(words), engine=engine)
    for k, word in enumerate(twin.compress(words[:8], words[8:])):
        assert [check[f"out{k}[{i}]"] for i in range(32)] == word_bits(word)


def test_compress__catches_lies(compression):
    rng = random.Random(1)
    hints = rng.sample(list(compression.hints), 12)
    assert assert_lies_caught(compression, inputs=given(CASES[-1]), hints=hints) >= 12


@pytest.mark.slow
def test_compress__binds_every_wire(compression):
    assert_every_wire_bound(compression, inputs=given(CASES[-1]))


@pytest.mark.slow
def test_compress__leaves_no_signal_undecided(compression):
    report = audit(Constraints.from_template(compression), [])
    assert {verdict.kind for verdict in report.verdicts.values()} == {Kind.UNIQUE}


def test_compress__refuses_each_wrong_bit_by_its_label(compression):
    last = [h for h in compression.hints if h.kind == "bits" and h.scope == "round"][-1]
    assert_unsatisfied(
        compression,
        inputs=given(CASES[-1]),
        by="round/bit of a 35-bit number",
        override={last: lambda v: [1 - v[0], *v[1:]]},
    )


def test_compress__refuses_other_shapes():
    cs = ConstraintSystem("sha")
    words = [cs.input_bool_array(f"w{k}", 32) for k in range(24)]
    with pytest.raises(ValueError, match="the state of SHA-256: expected 8 words of 32 bits"):
        sha256_compress(cs, words[:7], words[8:])
    with pytest.raises(ValueError, match="the block of SHA-256: expected 16 words of 32 bits"):
        sha256_compress(cs, words[:8], words[9:])


@pytest.mark.parametrize(("size", "rows"), [(3, 16_398), (55, 17_115), (56, 29_926), (64, 30_054)])
def test_sha256__is_hashlibs(size, rows, record, rows_of, engine):
    template = record(lambda cs, i: {"out": sha256(cs, i["m"])}, bool_arrays={"m": 8 * size})
    assert rows_of(template) == rows
    for data in (bytes(size), b"\xff" * size, random.Random(size).randbytes(size)):
        check = assert_satisfied(template, inputs={"m": standard_bits(data)}, engine=engine)
        assert [check[f"out[{i}]"] for i in range(256)] == standard_bits(hashlib.sha256(data).digest())


def test_sha256__of_nothing_is_known_while_recording():
    cs = ConstraintSystem("empty")
    out = sha256(cs, [])
    assert [bit.constant_value for bit in out] == standard_bits(hashlib.sha256(b"").digest())


def test_sha256__records_a_block_in_a_few_seconds():
    cs = ConstraintSystem("time")
    message = cs.input_bool_array("m", 440)
    start = time.perf_counter()
    sha256(cs, message)
    assert time.perf_counter() - start < 10  # 0.35 s on an idle core
