"""The verifier on snarkjs's own proof. What it must refuse is in tests/security/test_verifier.py."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zkrollup.verifier import Proof, VerifyingKey, verify, verify_bytes
from zkrollup.verifier.groth16 import _prepare

REPOSITORY = Path(__file__).parents[2]
SNARKJS = REPOSITORY / "tests" / "vectors" / "groth16" / "product"


@pytest.fixture(scope="module")
def vk():
    return VerifyingKey.load(SNARKJS / "verification_key.json")


@pytest.fixture(scope="module")
def proof():
    return Proof.load(SNARKJS / "proof.json")


@pytest.fixture(scope="module")
def public():
    return [int(value) for value in json.loads((SNARKJS / "public.json").read_text())]


def test_verify__accepts_snarkjs_proof(vk, public, proof):
    assert verify(vk, public, proof)
    assert verify_bytes(vk, b"".join(value.to_bytes(32, "big") for value in public), proof.to_bytes())


def test_verify__says_false_to_another_statement(vk, public, proof):
    assert not verify(vk, [public[0], public[1] + 1], proof)
    assert not verify(vk, [public[1], public[0]], proof)
    assert not verify(vk, [0, 0], proof)
    assert not verify(vk, public, Proof(proof.c, proof.b, proof.a))


def test_verify__takes_less_than_half_a_second_with_nothing_prepared(vk, public, proof):
    _prepare.cache_clear()
    start = time.perf_counter()
    assert verify(vk, public, proof)
    assert time.perf_counter() - start < 0.5


def test_verifier__loads_nothing_but_bn254_and_the_keys():
    code = """
import sys
before = set(sys.modules)
import zkrollup.verifier
added = set(sys.modules) - before
ours = {name for name in added if name.startswith("zkrollup.")}
ours -= {"zkrollup.groth16", "zkrollup.groth16.keys"}
print(sorted(name for name in ours if name.split(".")[1] not in ("bn254", "verifier")))
print(sorted({n.split(".")[0] for n in added} - {"zkrollup"} - set(sys.stdlib_module_names)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "[]"], done.stdout
