"""Does the exported contract answer as it must in a real EVM, and what does a proof cost there?

Usage, with node, and an interpreter that has zkrollup and pyrevm (neither is needed to test zkrollup):

    cp tests/evm/package.json tests/evm/compile.mjs /some/empty/folder
    npm install --prefix /some/empty/folder
    python tests/evm/check_verifier.py --solc /some/empty/folder [--write]

Compiles the contract with solc, deploys it in revm, and calls it with valid proofs, with each number of a
proof and each public input changed, made not canonical (+ q, + r), and with points off the curve, outside
the subgroup and at infinity. Exits with 1 when an answer is wrong or a proof with three public inputs costs
more than 230,000 gas as a transaction. ``--write`` stores contracts, calls, answers and gas in
tests/vectors/evm/verifier.json, which tests/evm/test_verifier_contract.py runs through an EVM of its own,
and the contract of snarkjs's key beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from zkrollup.bn254 import FQ_MODULUS as Q
from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254 import g2
from zkrollup.groth16.keys import Proof, VerifyingKey, load_public_inputs
from zkrollup.groth16.solidity import calldata, function_signature, verifier_contract
from zkrollup.testing.proofs import simulated_proof

TESTS = Path(__file__).resolve().parents[1]
RESULT = TESTS / "vectors" / "evm" / "verifier.json"
SNARKJS = TESTS / "vectors" / "groth16_files"
FORK = "SHANGHAI"
CALLER = "0x1000000000000000000000000000000000000001"
GAS_AIM = 230_000


def outside_subgroup() -> tuple[tuple[int, int], tuple[int, int]]:
    """A point of the twist that is not in G2."""
    for x in range(1, 100):
        for point in g2_points_with(x):
            if not g2.in_subgroup(point):
                return point
    raise AssertionError("no such point among the first")


def g2_points_with(x: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Points (x, y) of the twist for a real x, by square roots in Fq2."""
    inverse = pow(82, -1, Q)  # b = 3 / (9 + i) = 3 (9 - i) / 82
    real, imaginary = (x**3 + 27 * inverse) % Q, -3 * inverse % Q
    root = pow(real * real + imaginary * imaginary, (Q + 1) // 4, Q)
    for half in ((real + root) * pow(2, -1, Q) % Q, (real - root) * pow(2, -1, Q) % Q):
        y0 = pow(half, (Q + 1) // 4, Q)
        if y0 and y0 * y0 % Q == half:
            point = ((x, 0), (y0, imaginary * pow(2 * y0, -1, Q) % Q))
            if g2.is_on_curve(point):
                return [point]
    return []


def calls(proof: Proof, inputs: list[int]) -> list[tuple[str, bytes, bool | None]]:
    """Name, calldata, and the answer that it must get (None: a revert)."""
    valid = calldata(proof, inputs)
    words = [int.from_bytes(valid[i : i + 32], "big") for i in range(4, len(valid), 32)]

    def patched(changes: dict[int, int]) -> bytes:
        changed = [changes.get(i, word) for i, word in enumerate(words)]
        return valid[:4] + b"".join(word.to_bytes(32, "big") for word in changed)

    names = ["a.x", "a.y", "b.x.im", "b.x.re", "b.y.im", "b.y.re", "c.x", "c.y"]
    found: list[tuple[str, bytes, bool | None]] = [("valid", valid, True)]
    for i, name in enumerate(names):
        found.append((f"{name} + 1", patched({i: (words[i] + 1) % Q}), False))
        found.append((f"{name} + q", patched({i: words[i] + Q}), False))
        found.append((f"{name} = 2^256 - 1", patched({i: 2**256 - 1}), False))
    for i in range(len(inputs)):
        found.append((f"input {i} + 1", patched({8 + i: (words[8 + i] + 1) % R}), False))
        found.append((f"input {i} + r", patched({8 + i: words[8 + i] + R}), False))
        found.append((f"input {i} = 2^256 - 1", patched({8 + i: 2**256 - 1}), False))
    (x0, x1), (y0, y1) = outside_subgroup()
    (bx0, bx1), (by0, by1) = g2.negate(proof.b)
    negated = {1: Q - words[1], 2: bx1, 3: bx0, 4: by1, 5: by0}
    found += [
        ("a and b negated", patched(negated), True),
        ("a negated", patched({1: Q - words[1]}), False),
        ("a at infinity", patched({0: 0, 1: 0}), False),
        ("a at infinity, y = q", patched({0: 0, 1: Q}), False),
        ("b at infinity", patched({2: 0, 3: 0, 4: 0, 5: 0}), False),
        ("c at infinity", patched({6: 0, 7: 0}), False),
        ("b outside the subgroup", patched({2: x1, 3: x0, 4: y1, 5: y0}), False),
        ("b with its parts exchanged", patched({2: words[3], 3: words[2], 4: words[5], 5: words[4]}), False),
        ("a and c exchanged", patched({0: words[6], 1: words[7], 6: words[0], 7: words[1]}), False),
        ("all zeros", patched(dict.fromkeys(range(len(words)), 0)), False),
        ("one byte short", valid[:-1], None),
        ("no function of the contract", b"\xff" * 4 + valid[4:], None),
        ("more bytes behind", valid + bytes(32), True),
    ]
    return found


def compiled(source: str, folder: Path) -> dict[str, Any]:
    """What solc makes of a source: version and contracts."""
    done = subprocess.run(
        ["node", "compile.mjs"], input=source, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def examine(name: str, key: tuple[VerifyingKey, Proof, list[int]], folder: Path) -> dict[str, Any]:
    """Compiles, deploys and calls one contract; what it answered and cost."""
    import pyrevm

    vk, proof, inputs = key
    source = verifier_contract(vk, allow_insecure=True)
    made = compiled(source, folder)
    contract = made["contracts"]["Groth16Verifier"]
    assert function_signature(vk.num_public) in contract["selectors"], contract["selectors"]
    evm = pyrevm.EVM(spec_id=FORK)
    evm.set_balance(CALLER, 10**20)
    address = evm.deploy(CALLER, bytes.fromhex(contract["creation"]))
    deployment = evm.result.gas_used
    answers, wrong = [], 0
    for what, data, expected in calls(proof, inputs):
        try:
            output = evm.message_call(CALLER, address, calldata=data, gas=1_000_000)
            answer = {bytes(31) + b"\1": True, bytes(32): False}[bytes(output)]
        except RuntimeError:
            answer = None
        if answer is not expected:
            wrong += 1
            print(f"{name}: {what}: answered {answer}, expected {expected}", file=sys.stderr)
        answers.append({"what": what, "data": data.hex(), "answer": answer, "gas": evm.result.gas_used})
    return {
        "key": json.loads(vk.to_json()),
        "source_sha256": sha256(source.encode()).hexdigest(),
        "solc": made["version"],
        "selector": contract["selectors"][function_signature(vk.num_public)],
        "runtime": contract["runtime"],
        "runtime_bytes": len(contract["runtime"]) // 2,
        "deployment_gas": deployment,
        "gas": answers[0]["gas"],
        "calls": answers,
        "wrong": wrong,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--solc", type=Path, required=True, help="folder with compile.mjs and node_modules")
    parser.add_argument("--write", action="store_true", help=f"store the result in {RESULT.name}")
    options = parser.parse_args()
    key = VerifyingKey.load(SNARKJS / "verification_key.json")
    proof, inputs = Proof.load(SNARKJS / "proof.json"), load_public_inputs(SNARKJS / "public.json")
    keys = {"snarkjs's, 3 public inputs": (key, proof, inputs)}
    keys |= {f"{n} public inputs": simulated_proof(n) for n in (0, 1, 3, 100)}
    found = {name: examine(name, key, options.solc) for name, key in keys.items()}
    for name, result in found.items():
        print(
            f"{name}: a proof {result['gas']:,} gas as a transaction, "
            f"deployment {result['deployment_gas']:,}, "
            f"{result['runtime_bytes']:,} bytes; {len(result['calls'])} calls, {result['wrong']} wrong"
        )
    worst = max(result["gas"] for name, result in found.items() if "3 public" in name)
    if worst > GAS_AIM:
        print(f"a proof with three public inputs costs {worst:,} gas, more than {GAS_AIM:,}", file=sys.stderr)
    if options.write:
        kept = {name: result for name, result in found.items() if name[0] not in "1"}
        document = {"evm": f"revm by pyrevm, {FORK}", "contracts": kept}
        document["gas"] = {name: result["gas"] for name, result in found.items()}
        RESULT.write_text(json.dumps(document, indent=1) + "\n")
        RESULT.with_suffix(".sol").write_text(verifier_contract(key))
    return int(worst > GAS_AIM or any(result["wrong"] for result in found.values()))


if __name__ == "__main__":
    sys.exit(main())
