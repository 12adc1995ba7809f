"""BLAKE2b's blocks on both engines, against plain Python and hashlib, and what they refuse."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import pytest

from zkrollup.engine import EngineError, available_cpu_paths, get_engine
from zkrollup.groth16.blake2b import Blake2b


@pytest.fixture(params=["native", "numba"])
def engine(request: pytest.FixtureRequest) -> Any:
    if request.param == "native" and not available_cpu_paths():
        pytest.skip("the native engine was not built")
    return get_engine(request.param)


def drawn(length: int) -> bytes:
    return random.Random(length).randbytes(length)


@pytest.mark.parametrize("blocks", [0, 1, 2, 33])
@pytest.mark.parametrize("offset", [0, 1])
def test_blocks__move_the_chain_as_plain_python_does_at_any_address(
    engine: Any, blocks: int, offset: int
) -> None:
    chain = np.array(Blake2b()._chain, dtype=np.uint64)
    before, data = chain.copy(), drawn(128 * blocks + 1)
    held = np.frombuffer(bytes(offset) + data, dtype=np.uint8)[offset : offset + 128 * blocks]
    assert engine.blake2b_blocks(chain, held, 0).tolist() == Blake2b(data)._chain
    assert np.array_equal(chain, before)


def test_blocks__count_bytes_beyond_32_bits(engine: Any) -> None:
    """The state of one who hashed 2^40 bytes, resumed with and without an engine."""
    state = bytearray(Blake2b(drawn(128)).partial())
    state[192:200] = (1 << 40).to_bytes(8, "little")
    plain, fast = Blake2b.resume(bytes(state)), Blake2b.resume(bytes(state), engine)
    for one in (plain, fast):
        one.update(drawn(300))
    assert fast.partial() == plain.partial()


@pytest.mark.parametrize("lengths", [[0], [1, 127, 1], [128, 128], [129, 0, 383], [1000, 25, 4096]])
def test_hash__agrees_with_hashlib_and_with_plain_python(engine: Any, lengths: list[int]) -> None:
    fast, plain, theirs = Blake2b(engine=engine), Blake2b(), hashlib.blake2b(digest_size=64)
    for length in lengths:
        for one in (fast, plain, theirs):
            one.update(drawn(length))
        assert fast.partial() == plain.partial()
        assert fast.digest() == theirs.digest()


def test_blocks__refuse_what_cannot_be(engine: Any) -> None:
    chain, block = np.zeros(8, dtype=np.uint64), np.zeros(128, dtype=np.uint8)
    for arguments, message in (
        ((chain[:7], block, 0), r"blake2b_blocks: chain: expected shape \(8"),
        ((chain, block.view(np.uint64), 0), "blake2b_blocks: blocks: expected dtype uint8, got uint64"),
        ((chain, block[:127], 0), "blake2b_blocks: blocks: expected a multiple of 128 bytes, got 127"),
        ((chain, block, -1), r"blake2b_blocks: hashed: expected 0 .. 2\^63 - 1 with the blocks, got -1"),
        ((chain, block, (1 << 63) - 128), "hashed: expected"),
    ):
        with pytest.raises(EngineError, match=message):
            engine.blake2b_blocks(*arguments)
    engine.blake2b_blocks(chain, block, (1 << 63) - 256)
