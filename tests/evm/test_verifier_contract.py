"""The contract that solc compiled (``check_verifier.py --write``), run call by call in a small EVM of ours.

The EVM knows the instructions that the contract needs and no gas; the precompiles are the pure-Python
curve. What a real EVM answered is recorded beside each call, and so is what it cost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from zkrollup.bn254 import g1
from zkrollup.bn254.encoding import MalformedInput, check_g1, check_g2
from zkrollup.bn254.pairing import pairing_check
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.groth16.solidity import verifier_contract

RESULT = json.loads((Path(__file__).parents[1] / "vectors" / "evm" / "verifier.json").read_text())
CONTRACTS: dict[str, Any] = RESULT["contracts"]
WORD = (1 << 256) - 1


class Reverted(Exception):
    """The contract undid the call."""


def numbers(data: bytes) -> list[int]:
    """32-byte words."""
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]


def joined(values: tuple[int, int]) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def precompile(address: int, data: bytes) -> bytes | None:
    """EIP-196 and EIP-197; None is failure."""

    def point(x: int, y: int) -> tuple[int, int]:
        if (x, y) != (0, 0):
            check_g1((x, y), "point")
        return (x, y)

    try:
        if address == 6:
            ax, ay, bx, by = numbers(data.ljust(128, b"\0")[:128])
            return joined(g1.add(point(ax, ay), point(bx, by)))
        if address == 7:
            x, y, s = numbers(data.ljust(96, b"\0")[:96])
            return joined(g1.mul(point(x, y), s))
        pairs = []
        for i in range(0, len(data), 192):
            x, y, x1, x0, y1, y0 = numbers(data[i : i + 192])
            twist = ((x0, x1), (y0, y1))
            check_g2(twist, "point")
            pairs.append((point(x, y), twist))
        return int(pairing_check(pairs)).to_bytes(32, "big")
    except MalformedInput:
        return None


def run(code: bytes, data: bytes) -> bytes:
    """What a call returns."""
    stack: list[int] = []
    memory = bytearray(1 << 14)
    returned = b""
    at = 0
    pop, push = stack.pop, stack.append
    binary: dict[int, Callable[[int, int], int]] = {
        0x01: lambda a, b: a + b,
        0x02: lambda a, b: a * b,
        0x03: lambda a, b: a - b,
        0x10: lambda a, b: int(a < b),
        0x11: lambda a, b: int(a > b),
        0x12: lambda a, b: int((a ^ 1 << 255) < (b ^ 1 << 255)),
        0x14: lambda a, b: int(a == b),
        0x16: lambda a, b: a & b,
        0x17: lambda a, b: a | b,
        0x1B: lambda a, b: b << a if a < 256 else 0,
        0x1C: lambda a, b: b >> a if a < 256 else 0,
    }
    while True:
        op = code[at]
        at += 1
        if op in binary:
            push(binary[op](pop(), pop()) & WORD)
        elif 0x60 <= op <= 0x7F:
            size = op - 0x5F
            push(int.from_bytes(code[at : at + size], "big"))
            at += size
        elif 0x80 <= op <= 0x8F:
            push(stack[-(op - 0x7F)])
        elif 0x90 <= op <= 0x9F:
            depth = op - 0x8F + 1
            stack[-1], stack[-depth] = stack[-depth], stack[-1]
        elif op == 0x15:
            push(int(pop() == 0))
        elif op == 0x19:
            push(WORD ^ pop())
        elif op == 0x34:
            push(0)  # no ether with the call
        elif op == 0x35:
            place = pop()
            push(int.from_bytes(data[place : place + 32].ljust(32, b"\0"), "big"))
        elif op == 0x36:
            push(len(data))
        elif op == 0x37:
            to, begin, size = pop(), pop(), pop()
            memory[to : to + size] = data[begin : begin + size].ljust(size, b"\0")
        elif op == 0x3D:
            push(len(returned))
        elif op == 0x50:
            pop()
        elif op == 0x51:
            place = pop()
            push(int.from_bytes(memory[place : place + 32], "big"))
        elif op == 0x52:
            place = pop()
            memory[place : place + 32] = pop().to_bytes(32, "big")
        elif op in (0x56, 0x57):
            target = pop()
            if op == 0x56 or pop():
                assert code[target] == 0x5B
                at = target
        elif op == 0x5A:
            push(1_000_000)
        elif op == 0x5B:
            continue
        elif op == 0xFA:
            _, address, begin, size, to, room = (pop() for _ in range(6))
            result = precompile(address, bytes(memory[begin : begin + size]))
            returned = result or b""
            memory[to : to + min(room, len(returned))] = returned[:room]
            push(int(result is not None))
        elif op in (0xF3, 0xFD):
            place, size = pop(), pop()
            if op == 0xFD:
                raise Reverted
            return bytes(memory[place : place + size])
        else:
            raise AssertionError(f"instruction {op:#x} at {at - 1}")


@pytest.mark.parametrize("name", CONTRACTS)
def test_contract__is_the_one_that_was_compiled(name: str) -> None:
    """When this fails: tests/evm/check_verifier.py --write, and look at the gas in the diff."""
    contract = CONTRACTS[name]
    vk = VerifyingKey.from_json(json.dumps(contract["key"]))
    source = verifier_contract(vk, allow_insecure=True)
    assert sha256(source.encode()).hexdigest() == contract["source_sha256"]


@pytest.mark.parametrize("name", CONTRACTS)
def test_bytecode__answers_every_call_as_a_real_evm_did(name: str) -> None:
    contract = CONTRACTS[name]
    code = bytes.fromhex(contract["runtime"])
    for call in contract["calls"]:
        try:
            answer = {bytes(31) + b"\1": True, bytes(32): False}[run(code, bytes.fromhex(call["data"]))]
        except Reverted:
            answer = None
        assert answer is call["answer"], call["what"]
    accepted = [call["what"] for call in contract["calls"] if call["answer"]]
    assert accepted == ["valid", "a and b negated", "more bytes behind"]
    assert contract["wrong"] == 0


def test_bytecode__a_proof_with_three_public_inputs_costs_at_most_230000_gas() -> None:
    costs = [cost for name, cost in RESULT["gas"].items() if "3 public" in name]
    assert len(costs) == 2
    assert max(costs) <= 230_000


def test_bytecode__holds_the_digest_of_its_key() -> None:
    for contract in CONTRACTS.values():
        digest = VerifyingKey.from_json(json.dumps(contract["key"])).digest
        assert digest in contract["runtime"]


def test_small_evm__a_precompile_refuses_what_is_no_point() -> None:
    """The EVM itself is able to answer false."""
    assert precompile(6, joined((1, 3))) is None
    assert precompile(8, bytes(192)) is None
    assert precompile(7, joined((1, 2)) + (3).to_bytes(32, "big")) == joined(g1.mul((1, 2), 3))
