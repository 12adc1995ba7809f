"""Writes Groth16Verifier.template.json: the verifier as solc compiles it, without its key.

Usage, with node (which neither the package nor its tests need):

    cp tests/evm/package.json tests/evm/standard_json.mjs /some/empty/folder
    npm install --prefix /some/empty/folder
    python tests/evm/make_verifier_template.py --solc /some/empty/folder [--check]

The exported source for three public inputs is compiled twice, with numbers of 32 bytes for the key and with
numbers of 31. Where the two differ is where the key goes, and where code moved: jump targets and sizes.
zkrollup.l1.evm.verifier_code puts a key in. Then contracts of several keys, short numbers among them, are
compiled whole, and must come out the same. ``--check`` writes nothing and exits with 1 when the file is not
what would be written.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from zkrollup.bn254 import g1
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.groth16.solidity import verifier_contract
from zkrollup.l1.evm.verifier_code import TEMPLATE, key_numbers, verifier_creation_code
from zkrollup.testing.proofs import simulated_proof

SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 1_000_000},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}
NUM_PUBLIC = 3
Instruction = tuple[int, int, bytes]
"""Its place, its code, what it pushes."""


def compiled(source: str, folder: Path) -> tuple[str, bytes, bytes]:
    """solc's version, creation code and runtime code."""
    wanted = ["evm.bytecode.object", "evm.deployedBytecode.object"]
    question = {
        "language": "Solidity",
        "sources": {"verifier.sol": {"content": source}},
        "settings": SETTINGS | {"outputSelection": {"*": {"*": wanted}}},
    }
    done = subprocess.run(
        ["node", "standard_json.mjs"],
        input=json.dumps(question),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    made = json.loads(done.stdout)
    if made.get("errors"):
        raise SystemExit("\n".join(error["formattedMessage"] for error in made["errors"]))
    (contract,) = made["contracts"]["verifier.sol"].values()
    creation, runtime = (
        bytes.fromhex(contract["evm"][part]["object"]) for part in ("bytecode", "deployedBytecode")
    )
    assert creation.endswith(runtime)
    return made["version"], creation, runtime


def instructions(code: bytes) -> list[Instruction]:
    found, at = [], 0
    while at < len(code):
        size = code[at] - 0x5F if 0x60 <= code[at] <= 0x7F else 0
        found.append((at, code[at], code[at + 1 : at + 1 + size]))
        at += 1 + size
    return found


def placeholders(source: str, num_bytes: int) -> tuple[str, dict[int, str]]:
    """The source with numbers of this many bytes for those of the key, and which is which."""
    names: dict[int, str] = {}

    def number(name: str) -> int:
        value = int.from_bytes(bytes([0xA0 + len(names)]) * num_bytes, "big")
        names[value] = name
        return value

    def constant(match: re.Match[str]) -> str:
        if match[1] in ("Q", "R"):
            return match[0]
        return f"uint256 private constant {match[1]} = {number(match[1])};"

    source = re.sub(r"uint256 private constant (\w+) = \d+;", constant, source)
    digest = number("KEY_DIGEST").to_bytes(32, "big").hex()
    return re.sub(r"KEY_DIGEST = 0x[0-9a-f]{64}", f"KEY_DIGEST = 0x{digest}", source), names


def template(folder: Path) -> dict[str, Any]:
    """Pieces of code: hexadecimal text as it stands, or one of these.

    ``key NAME`` the shortest push of a number of the key; ``target N`` a push of two bytes, the place where
    ``place N`` stands; ``size`` a push of two bytes, the runtime code's length.
    """
    source = verifier_contract(simulated_proof(NUM_PUBLIC)[0], allow_insecure=True)
    long, long_names = placeholders(source, 32)
    short, short_names = placeholders(source, 31)
    version, long_creation, long_runtime = compiled(long, folder)
    _, short_creation, short_runtime = compiled(short, folder)
    first, second = instructions(long_runtime), instructions(short_runtime)
    assert len(first) == len(second)
    moved = {}  # place in the first -> place in the second, of every instruction
    for (at, code, _), (at2, code2, _) in zip(first, second, strict=True):
        moved[at] = at2
        assert code == code2 or (code, code2) == (0x7F, 0x7E), (hex(code), hex(code2))
    pieces: list[str] = []
    used: set[str] = set()
    targets: dict[int, int] = {}
    for (_, code, pushed), (_, _, pushed2) in zip(first, second, strict=True):
        if pushed != pushed2 and code == 0x61:
            place = int.from_bytes(pushed, "big")
            assert moved[place] == int.from_bytes(pushed2, "big")
            targets.setdefault(place, len(targets))
    for (at, code, pushed), (_, _, pushed2) in zip(first, second, strict=True):
        piece = (bytes([code]) + pushed).hex()
        if at in targets:
            assert code == 0x5B
            pieces.append(f"place {targets[at]}")
        if pushed != pushed2:
            value = int.from_bytes(pushed, "big")
            if code == 0x7F:
                name = long_names[value]
                assert short_names[int.from_bytes(pushed2, "big")] == name
                used.add(name)
                piece = f"key {name}"
            else:
                piece = f"target {targets[value]}"
        if " " not in piece and pieces and " " not in pieces[-1]:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    assert used == set(long_names.values()), set(long_names.values()) - used
    head, head2 = long_creation[: -len(long_runtime)], short_creation[: -len(short_runtime)]
    size = b"\x61" + len(long_runtime).to_bytes(2, "big")
    assert head.count(size) == 1
    before, after = head.split(size)
    assert before + b"\x61" + len(short_runtime).to_bytes(2, "big") + after == head2
    return {
        "description": "The verifier of zkrollup.groth16.solidity for three public inputs, without its key.",
        "compiler": version,
        "settings": SETTINGS,
        "creation": [before.hex(), "size", after.hex()],
        "runtime": pieces,
    }


def keys() -> list[VerifyingKey]:
    """Keys whose numbers take 32 bytes, 31, and fewer."""
    key = simulated_proof(NUM_PUBLIC)[0]
    found = [key]
    short = [i for i in range(1, 4000) if _g1_x_bytes(i) < 32]
    found += [replace(key, alpha1=g1.mul(g1.GENERATOR, i)) for i in short[:6]]
    found.append(replace(key, alpha1=g1.GENERATOR, ic=(g1.double(g1.GENERATOR), *key.ic[1:])))
    assert len(key_numbers(key)) == 23
    return found


def _g1_x_bytes(scalar: int) -> int:
    x, y = g1.mul(g1.GENERATOR, scalar)
    return min(x.bit_length(), y.bit_length()) + 7 >> 3


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--solc", type=Path, required=True, help="folder with standard_json.mjs and node_modules"
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    text = json.dumps(template(options.solc), indent=1) + "\n"
    wrong = options.check and TEMPLATE.read_text() != text
    if not options.check:
        TEMPLATE.write_text(text)
    if wrong:
        print(f"{TEMPLATE} is not what solc writes", file=sys.stderr)
        return 1
    tried = keys()
    for key in tried:
        _, creation, _ = compiled(verifier_contract(key, allow_insecure=True), options.solc)
        if creation != verifier_creation_code(key, allow_insecure=True):
            print(f"the code of key {key.digest} is not what solc writes", file=sys.stderr)
            return 1
    print(f"the code of {len(tried)} keys is solc's, byte for byte")
    return 0


if __name__ == "__main__":
    sys.exit(main())
