"""The verifier contract of a key as bytecode, without a compiler: solc's code with the key put in.

This module must not know what the key's circuit is. The template comes from
tests/evm/make_verifier_template.py, which also shows that the result is what solc makes of
:func:`zkrollup.groth16.solidity.verifier_contract`, byte for byte.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from zkrollup.bn254.encoding import MalformedInput
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.groth16.solidity import InsecureKey

from .artifacts import CONTRACTS

__all__ = ["TEMPLATE", "key_numbers", "verifier_creation_code", "verifier_runtime_code"]

TEMPLATE = CONTRACTS / "Groth16Verifier.template.json"

NUM_PUBLIC = 3


def key_numbers(vk: VerifyingKey) -> dict[str, int]:
    """The constants of the contract's source by name."""
    numbers = {"ALPHA_X": vk.alpha1[0], "ALPHA_Y": vk.alpha1[1], "KEY_DIGEST": int(vk.digest, 16)}
    for name, point in (("BETA", vk.beta2), ("GAMMA", vk.gamma2), ("DELTA", vk.delta2)):
        for coordinate, (real, imaginary) in zip("XY", point, strict=True):
            numbers |= {f"{name}_{coordinate}_RE": real, f"{name}_{coordinate}_IM": imaginary}
    for i, (x, y) in enumerate(vk.ic):
        numbers |= {f"IC{i}_X": x, f"IC{i}_Y": y}
    return numbers


@cache
def _template() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    return document


def verifier_runtime_code(vk: VerifyingKey, *, allow_insecure: bool = False) -> bytes:
    """The code of a contract that verifies proofs under ``vk`` and no other key.

    Raises :class:`MalformedInput` unless the key has three public inputs, :class:`DegenerateKey`, and
    :class:`InsecureKey` for a key that one party made, unless ``allow_insecure``.
    """
    vk.validate()
    if vk.num_public != NUM_PUBLIC:
        raise MalformedInput("verifying key", f"expected {NUM_PUBLIC} public inputs, got {vk.num_public}")
    if vk.insecure and not allow_insecure:
        raise InsecureKey(
            "verifying key: INSECURE, one party made it and could forge proofs; use the key of a ceremony, "
            "or allow_insecure=True for a test network"
        )
    numbers = key_numbers(vk)
    parts: list[bytes] = []
    places: dict[str, int] = {}
    holes: list[tuple[int, str]] = []
    at = 0
    for piece in _template()["runtime"]:
        what, _, name = piece.partition(" ")
        if what == "key":
            code = _push(numbers[name])
        elif what == "target":
            holes.append((len(parts), name))
            code = bytes(3)
        elif what == "place":
            places[name] = at
            code = b""
        else:
            code = bytes.fromhex(what)
        parts.append(code)
        at += len(code)
    for index, target in holes:
        parts[index] = b"\x61" + places[target].to_bytes(2, "big")
    return b"".join(parts)


def verifier_creation_code(vk: VerifyingKey, *, allow_insecure: bool = False) -> bytes:
    """The code that deploys :func:`verifier_runtime_code`; raises what that raises."""
    runtime = verifier_runtime_code(vk, allow_insecure=allow_insecure)
    before, _, after = _template()["creation"]
    size = b"\x61" + len(runtime).to_bytes(2, "big")
    return bytes.fromhex(before) + size + bytes.fromhex(after) + runtime


def _push(value: int) -> bytes:
    """The shortest push of a number."""
    size = max(1, value.bit_length() + 7 >> 3)
    return bytes([0x5F + size]) + value.to_bytes(size, "big")
