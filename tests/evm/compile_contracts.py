"""Compiles the contracts whose sources lie here into the committed JSON files beside them.

Usage, with node (which neither the package nor its tests need):

    cp tests/evm/package.json tests/evm/standard_json.mjs /some/empty/folder
    npm install --prefix /some/empty/folder
    python tests/evm/compile_contracts.py --solc /some/empty/folder [--check]

Each contract gets NAME.json: its sources' digest, compiler, settings, ABI, creation and runtime bytecode.
``--check`` writes nothing and exits with 1 when a file is not what would be written. Without ``--solc`` (or
the folder's name in ZKROLLUP_SOLC) only the digest of sources and settings can be compared: that finds a
source that was changed and not compiled.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "zkrollup" / "l1" / "contracts"
MOCKS = ROOT / "tests" / "evm" / "mocks"
COMPILER = "0.8.28"
SIZE_LIMIT = 24_576  # EIP-170

SETTINGS: dict[str, Any] = {
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 1000},
    "viaIR": True,
    # no digest of comments behind the code: the same code is the same bytes
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}

WRITTEN: dict[str, Path] = {
    "Rollup": CONTRACTS,
    "MockVerifier": MOCKS,
    "MockToken": MOCKS,
    "MockRefuser": MOCKS,
    "MockReenterer": MOCKS,
}


def sources(folder: Path) -> dict[str, str]:
    """The sources that the contracts of a folder are made of, by the names under which they import."""
    folders = [CONTRACTS] if folder == CONTRACTS else [CONTRACTS, folder]
    return {path.name: path.read_text() for place in folders for path in sorted(place.glob("*.sol"))}


def digest(folder: Path) -> str:
    """One number for all that decides what a compiler writes."""
    return sha256(json.dumps([sources(folder), SETTINGS], sort_keys=True).encode()).hexdigest()


def compiled(folder: Path, solc: Path) -> dict[str, dict[str, Any]]:
    """What solc makes of a folder's contracts; warnings are errors."""
    question = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources(folder).items()},
        "settings": SETTINGS
        | {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}}},
    }
    done = subprocess.run(
        ["node", "standard_json.mjs"], input=json.dumps(question), cwd=solc, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    made = json.loads(done.stdout)
    if made.get("errors"):
        raise SystemExit("\n".join(error["formattedMessage"] for error in made["errors"]))
    if not made["version"].startswith(COMPILER + "+"):
        raise SystemExit(f"solc {made['version']}: expected {COMPILER}")
    found = {}
    for contracts in made["contracts"].values():
        for name, parts in contracts.items():
            if WRITTEN.get(name) == folder:
                found[name] = {
                    "contractName": name,
                    "source_sha256": digest(folder),
                    "compiler": made["version"],
                    "settings": SETTINGS,
                    "abi": parts["abi"],
                    "bytecode": "0x" + parts["evm"]["bytecode"]["object"],
                    "deployedBytecode": "0x" + parts["evm"]["deployedBytecode"]["object"],
                }
    return found


def text(artifact: dict[str, Any]) -> str:
    """The file's text, an entry of the ABI a line."""
    lines = []
    for key, value in artifact.items():
        if key == "abi":
            entries = ",\n  ".join(json.dumps(entry) for entry in value)
            lines.append(f' "abi": [\n  {entries}\n ]' if value else ' "abi": []')
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--solc", type=Path, default=os.environ.get("ZKROLLUP_SOLC"))
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    solc = Path(options.solc) if options.solc else None
    if solc is None and not options.check:
        parser.error("--solc: which folder has standard_json.mjs and node_modules?")
    if solc is not None and shutil.which("node") is None:
        parser.error("no node to run solc with")
    wrong = []
    for folder in (CONTRACTS, MOCKS):
        made = {} if solc is None else compiled(folder, solc)
        for name in (name for name, place in WRITTEN.items() if place == folder):
            path = folder / f"{name}.json"
            if solc is None:
                kept = json.loads(path.read_text())
                if (kept["source_sha256"], kept["settings"]) != (digest(folder), SETTINGS):
                    wrong.append(f"{path.relative_to(ROOT)}: compiled from other sources or settings")
                continue
            size = len(made[name]["deployedBytecode"]) // 2 - 1
            print(f"{name}: {size:,} bytes")
            if size > SIZE_LIMIT:
                wrong.append(f"{name}: {size:,} bytes, more than {SIZE_LIMIT:,}")
            if not options.check:
                path.write_text(text(made[name]))
            elif path.read_text() != text(made[name]):
                wrong.append(f"{path.relative_to(ROOT)}: solc {COMPILER} makes another one of the sources")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
