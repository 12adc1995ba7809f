"""The three BN254 precompiles: a twin in Python and two EVMs answer every edge case alike (V4, V9)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.evm.precompiles import (
    EC_ADD,
    EC_MUL,
    EC_PAIRING,
    PRECOMPILES,
    ec_add,
    ec_mul,
    ec_pairing,
    gas_cost,
)
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.transport import MissingLibrary, Reverted, Transport

TESTS = Path(__file__).resolve().parents[1]
VECTORS: list[dict[str, Any]] = json.loads((TESTS / "vectors" / "evm" / "precompiles.json").read_text())


def answers(transport: Transport, cases: list[dict[str, Any]]) -> list[str | None]:
    """What an EVM says to each case; None for a failed call."""
    found: list[str | None] = []
    for case in cases:
        try:
            found.append(transport.call(case["address"], bytes.fromhex(case["input"])).hex())
        except Reverted as reverted:
            found.append(None if reverted.data == b"" else f"data {reverted.data.hex()}")
    return found


def disagreements(found: list[str | None], cases: list[dict[str, Any]]) -> list[str]:
    return [
        f"{case['address']} {case['name']}: {answer}"
        for answer, case in zip(found, cases, strict=True)
        if answer != case["answer"]
    ]


@pytest.fixture(scope="module")
def pyrevm() -> Transport:
    try:
        return PyrevmTransport()
    except MissingLibrary as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def py_evm() -> Transport:
    try:
        return EthTesterTransport()
    except MissingLibrary as error:
        pytest.skip(str(error))


def test_vectors__are_what_their_script_writes() -> None:
    script = TESTS / "evm" / "make_precompile_vectors.py"
    done = subprocess.run([sys.executable, str(script), "--check"], check=False)
    assert done.returncode == 0


def test_vectors__hold_accepted_and_failed_calls_of_each_precompile() -> None:
    for address in PRECOMPILES:
        mine = [case for case in VECTORS if case["address"] == address]
        assert len(mine) >= 45
        assert sum(case["answer"] is None for case in mine) >= 25
        assert sum(case["answer"] is not None for case in mine) >= 13
        assert len({case["name"] for case in mine}) == len(mine)
        assert len({case["input"] for case in mine}) >= len(mine) - 4


def test_twin__answers_every_vector() -> None:
    """V4, V9."""
    for case in VECTORS:
        answer = PRECOMPILES[case["address"]](bytes.fromhex(case["input"]))
        assert (answer.hex() if answer is not None else None) == case["answer"], case["name"]
        assert gas_cost(case["address"], bytes.fromhex(case["input"])) == case["gas"]


def test_twin__reads_missing_bytes_as_zeros_but_not_in_a_pairing() -> None:
    """V9."""
    assert ec_add(b"") == bytes(64)
    assert ec_mul(b"") == bytes(64)
    assert ec_pairing(b"") == bytes(31) + b"\1"
    assert ec_pairing(bytes(191)) is None


def test_pyrevm__answers_every_vector_as_the_twin(pyrevm: Transport) -> None:
    """V4, V9."""
    assert disagreements(answers(pyrevm, VECTORS), VECTORS) == []


def test_py_evm__answers_every_sum_and_product_as_the_twin(py_evm: Transport) -> None:
    """V4, V9."""
    cases = [case for case in VECTORS if case["address"] in (EC_ADD, EC_MUL)]
    assert disagreements(answers(py_evm, cases), cases) == []


def test_py_evm__answers_pairings_that_have_no_valid_points_as_the_twin(py_evm: Transport) -> None:
    """V4, V9: one in four; all take their turn."""
    cases = [case for case in VECTORS if case["address"] == EC_PAIRING and case["answer"] is None][::4]
    assert disagreements(answers(py_evm, cases), cases) == []


@pytest.mark.slow
def test_py_evm__answers_every_pairing_as_the_twin(py_evm: Transport) -> None:
    """V4, V9."""
    cases = [case for case in VECTORS if case["address"] == EC_PAIRING]
    assert disagreements(answers(py_evm, cases), cases) == []


def test_disagreements__are_seen() -> None:
    """The comparison is able to fail."""
    case = next(case for case in VECTORS if case["answer"])
    assert disagreements([None], [case]) == [f"{case['address']} {case['name']}: None"]
