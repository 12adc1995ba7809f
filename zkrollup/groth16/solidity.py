"""A Groth16 verifier for Ethereum as Solidity source, and the calldata that calls it.

This module must not know what the public inputs mean, nor how a proof is made.

The contract answers as :func:`zkrollup.verifier.verify` does, except that what is malformed there (an
exception) is ``false`` here. Its function has the name and the arguments of snarkjs's verifier, so that it
can stand in that one's place.

References: EIP-196 and EIP-197 (the precompiled contracts and their encodings), EIP-1108 (their cost);
Solidity's "Contract ABI Specification".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from zkrollup.bn254.encoding import MalformedInput
from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.crypto.keccak import keccak256

from .keys import Proof, VerifyingKey

__all__ = ["InsecureKey", "MAX_PUBLIC_INPUTS", "calldata", "function_signature", "verifier_contract"]

MAX_PUBLIC_INPUTS = 250
"""More constants would not fit the 24,576 bytes that a contract may have (EIP-170)."""

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


class InsecureKey(ValueError):
    """One party made this key and could forge proofs under it: no contract without ``allow_insecure``."""


def function_signature(num_public: int) -> str:
    """What Solidity hashes into the function's selector; no array for no public inputs (there is none of
    length 0 in Solidity)."""
    inputs = f",uint256[{num_public}]" if num_public else ""
    return f"verifyProof(uint256[2],uint256[2][2],uint256[2]{inputs})"


def calldata(proof: Proof, public_inputs: Sequence[int]) -> bytes:
    """The bytes of a call of ``verifyProof``: selector, A, B (imaginary parts first), C, public inputs.

    Raises MalformedInput for an input outside 0 .. r - 1, of which a contract would say false.
    """
    for i, value in enumerate(public_inputs):
        if not 0 <= value < FR_MODULUS:
            raise MalformedInput(f"public input {i}", f"expected 0 <= x < r, got {value}")
    selector = keccak256(function_signature(len(public_inputs)).encode("ascii"))[:4]
    return selector + proof.to_bytes() + b"".join(value.to_bytes(32, "big") for value in public_inputs)


def verifier_contract(
    vk: VerifyingKey,
    *,
    name: str = "Groth16Verifier",
    allow_insecure: bool = False,
    made_by: str = "zkrollup",
) -> str:
    """Solidity source of a contract that verifies proofs under ``vk`` and no other key.

    Arguments:
        vk: the key, whose checks run once more (gamma = +-delta is a DegenerateKey).
        name: the contract's.
        allow_insecure: make a contract for a one-party key too, which then says so in its source.
        made_by: program and version, for a comment.
    Raises:
        InsecureKey, DegenerateKey; MalformedInput for a name that is none or too many public inputs.
    """
    vk.validate()
    if not _IDENTIFIER.fullmatch(name):
        raise MalformedInput("contract name", f"expected a Solidity identifier, got {name!r}")
    if vk.num_public > MAX_PUBLIC_INPUTS:
        raise MalformedInput(
            "verifying key",
            f"{vk.num_public} public inputs: at most {MAX_PUBLIC_INPUTS} fit a contract's 24,576 bytes; "
            "hash them into one",
        )
    if vk.insecure and not allow_insecure:
        raise InsecureKey(
            "verifying key: INSECURE, one party made it and could forge proofs; use the key of a ceremony, "
            "or --allow-insecure for a test network"
        )
    n = vk.num_public
    warning = _WARNING if vk.insecure else ""
    security = _SECURITY if vk.insecure else ""
    inputs = f",\n        uint256[{n}] calldata inputs" if n else ""
    return (
        "// SPDX-License-Identifier: Apache-2.0\n"
        f"{warning}"
        "pragma solidity ^0.8.0;\n\n"
        "/// @title Verifier of Groth16 proofs over BN254 (alt_bn128) under one verifying key\n"
        f"/// @notice Written by {made_by} from a key with {n} public input{'' if n == 1 else 's'}"
        f"{' for the circuit ' + vk.circuit_digest if vk.circuit_digest else ''}.\n"
        "/// @dev The constants are those of verification_key.json, in decimal as there.\n"
        f"{security}"
        f"contract {name} {{\n"
        "    /// @notice Which key this is: sha256 of alpha, beta, gamma, delta, IC as EIP-196 and EIP-197\n"
        "    /// encode them.\n"
        f"    bytes32 public constant KEY_DIGEST = 0x{vk.digest};\n\n"
        f"{_constants(vk)}\n"
        f"{_DOCUMENTATION.format(inputs=_INPUTS_DOC if n else '')}"
        "    function verifyProof(\n"
        "        uint256[2] calldata a,\n"
        "        uint256[2][2] calldata b,\n"
        f"        uint256[2] calldata c{inputs}\n"
        "    ) external view returns (bool holds) {\n"
        f"{_body(n)}"
        "    }\n"
        "}\n"
    )


_WARNING = """\
//
//   !!!  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  !!!
//
//   ONE PARTY MADE THE KEY OF THIS CONTRACT. Whoever made it can have kept its toxic waste and can then
//   forge proofs of anything, which this contract will accept. For tests. Never let it guard value.
//
//   !!!  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  INSECURE  !!!
//
"""

_SECURITY = "/// @custom:security INSECURE: one party made the key and can forge proofs. For tests only.\n"

_INPUTS_DOC = "    /// @param inputs the public inputs, in the circuit's order\n"

_DOCUMENTATION = """\
    /// @notice Whether a proof holds for these public inputs.
    /// @dev False, never a revert, for: a public input >= r (it would say the same as a smaller one); a
    /// coordinate >= q; a point off its curve, outside its subgroup, or at infinity; a proof that does not
    /// hold; a chain without the precompiled contracts; too little gas. Precompiles burn what they are given
    /// when points are no points: such a call costs all but a 64th of its gas.
    /// A valid proof can be turned into others for the same inputs by anyone: key nothing on its bytes.
    /// @param a A of the proof: x, y
    /// @param b B of the proof: x, y, the imaginary part of each first (EIP-197)
    /// @param c C of the proof: x, y
{inputs}    /// @return holds e(a, b) = e(alpha, beta) e(IC0 + sum of inputs[i] IC(i+1), gamma) e(c, delta)
"""


def _constants(vk: VerifyingKey) -> str:
    """Field moduli and the key's points."""
    lines = [
        f"    uint256 private constant Q = {FQ_MODULUS}; // coordinates",
        f"    uint256 private constant R = {FR_MODULUS}; // scalars",
        "",
    ]
    lines += _g1("ALPHA", vk.alpha1)
    for name, point in (("BETA", vk.beta2), ("GAMMA", vk.gamma2), ("DELTA", vk.delta2)):
        lines.append("")
        for coordinate, (real, imaginary) in zip("XY", point, strict=True):
            lines.append(f"    uint256 private constant {name}_{coordinate}_IM = {imaginary};")
            lines.append(f"    uint256 private constant {name}_{coordinate}_RE = {real};")
    lines.append("")
    for i, ic in enumerate(vk.ic):
        lines += _g1(f"IC{i}", ic)
    return "\n".join(lines) + "\n"


def _g1(name: str, point: tuple[int, int]) -> list[str]:
    return [f"    uint256 private constant {name}_{c} = {v};" for c, v in zip("XY", point, strict=True)]


def _body(num_public: int) -> str:
    """The function's assembly. The sum over the public inputs is made where the pairing wants it, in words
    behind it that gamma takes afterwards."""
    lines = ["/// @solidity memory-safe-assembly", "assembly {"]
    if num_public:
        lines += [
            "    // Adds s * (x, y) to the point at `sum`; uses the three words behind it.",
            "    function addTerm(sum, x, y, s) -> done {",
            "        let product := add(sum, 0x40)",
            "        mstore(product, x)",
            "        mstore(add(product, 0x20), y)",
            "        mstore(add(product, 0x40), s)",
            "        done := staticcall(gas(), 7, product, 0x60, product, 0x40)",
            "        done := and(done, eq(returndatasize(), 0x40))",
            "        done := and(done, staticcall(gas(), 6, sum, 0x80, sum, 0x40))",
            "        done := and(done, lt(s, R))",
            "    }",
            "",
        ]
    lines += [
        "    // The pairing's input: (-a, b), (alpha, beta), (sum, gamma), (c, delta), 192 bytes each.",
        "    let p := mload(0x40)",
        "    calldatacopy(p, a, 0x40)",
        "    calldatacopy(add(p, 0x40), b, 0x80)",
        "    calldatacopy(add(p, 0x240), c, 0x40)",
    ]
    # words of the proof where they were copied to: A, B, C
    words = [0x00, 0x20, 0x40, 0x60, 0x80, 0xA0, 0x240, 0x260]
    first, *rest = (f"lt(mload({_at(word)}), Q)" for word in words)
    lines.append(f"    let good := {first}")
    lines += [f"    good := and(good, {check})" for check in rest]
    lines += [
        "    // Points at infinity, which the pairing would take.",
        "    good := and(good, gt(or(mload(p), mload(add(p, 0x20))), 0))",
        "    good := and(good, gt(or(mload(add(p, 0x240)), mload(add(p, 0x260))), 0))",
        "    let b0 := or(mload(add(p, 0x40)), mload(add(p, 0x60)))",
        "    good := and(good, gt(or(b0, or(mload(add(p, 0x80)), mload(add(p, 0xa0)))), 0))",
        "    mstore(add(p, 0x20), sub(Q, mload(add(p, 0x20))))",
        "",
        "    let sum := add(p, 0x180)",
        "    mstore(sum, IC0_X)",
        "    mstore(add(p, 0x1a0), IC0_Y)",
    ]
    for i in range(num_public):
        place = "inputs" if i == 0 else f"add(inputs, {32 * i:#x})"
        lines.append(f"    good := and(good, addTerm(sum, IC{i + 1}_X, IC{i + 1}_Y, calldataload({place})))")
    lines.append("")
    for word, constant in [
        (0x0C0, "ALPHA_X"),
        (0x0E0, "ALPHA_Y"),
        *_g2_words(0x100, "BETA"),
        *_g2_words(0x1C0, "GAMMA"),
        *_g2_words(0x280, "DELTA"),
    ]:
        lines.append(f"    mstore({_at(word)}, {constant})")
    lines += [
        "",
        "    if good {",
        "        good := staticcall(gas(), 8, p, 0x300, 0x00, 0x20)",
        "        good := and(good, eq(returndatasize(), 0x20))",
        "        holds := and(good, eq(mload(0x00), 1))",
        "    }",
        "}",
    ]
    return "".join(f"        {line}\n" if line else "\n" for line in lines)


def _at(word: int) -> str:
    return f"add(p, {word:#x})" if word else "p"


def _g2_words(begin: int, name: str) -> list[tuple[int, str]]:
    parts = ("X_IM", "X_RE", "Y_IM", "Y_RE")
    return [(begin + 32 * i, f"{name}_{part}") for i, part in enumerate(parts)]
