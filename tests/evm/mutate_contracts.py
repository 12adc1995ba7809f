"""Does anybody notice when the contract forgets a check, an entry or an event? Each is left out in turn.

Usage, with node, solc (see compile_contracts.py) and pyrevm:

    python tests/evm/mutate_contracts.py --solc /some/folder [--part I/N] [--only REGEX] [--list]

In a copy of the sources one statement is taken out (every revert, every call of a ``_require...``, every
store, every event, every condition that ends the fast reading of transfers), solc compiles what is left, and
the contract's tests run in revm until one fails. Prints the survivors; exits with 1 when there are some that
are not in ``EQUIVALENT``. A mutant takes about 30 seconds of one core.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FILES = ("Rollup.sol", "BatchData.sol")
TESTS = (
    "tests/evm/test_contract_behaviour.py",
    "tests/evm/test_contract_reading.py",
    "tests/l1/test_backends_scenarios.py",
)
LEFT_OUT = (
    r"revert [\w.]+\([^;]*\);",
    r"(?<=\n)\s+_require\w+\([^;]*\);",
    r"(?<=\n)\s+(?:status|s)\.\w+ = [^;]*;",
    r"(?<=\n)\s+status = s;",
    r"(?<=\n)\s+delete [^;]*;",
    r"(?<=\n)\s+(?:exited|requestHash|pending|batchHash|tokens|tokenNumber)\[[^;]*= [^;]*;",
    r"(?<=\n)\s+emit [^;]*;",
    r"(?<=\n)\s+bad := or\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)",
)
EQUIVALENT: dict[str, str] = {}
"""Statements by file and text, and why nothing changes without them."""


class Mutant(NamedTuple):
    """A statement that is left out."""

    file: str
    line: int
    statement: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.file}: {' '.join(self.statement.split())}"


def _compile_contracts() -> Any:
    path = ROOT / "tests" / "evm" / "compile_contracts.py"
    spec = importlib.util.spec_from_file_location("compile_contracts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPILER = _compile_contracts()


def mutants() -> list[Mutant]:
    """Every statement of the kinds above, in the order of the sources."""
    found = []
    for file in FILES:
        text = (COMPILER.CONTRACTS / file).read_text()
        for pattern in LEFT_OUT:
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start() + len(match[0]) - len(match[0].lstrip())) + 1
                if text.splitlines()[line - 1].lstrip().startswith("//"):
                    continue
                instead = "" if match[0].lstrip().startswith("bad") else "{}"
                source = text[: match.start()] + instead + text[match.end() :]
                found.append(Mutant(file, line, match[0].strip(), source))
    return sorted(found, key=lambda mutant: (FILES.index(mutant.file), mutant.line))


def compiled(mutant: Mutant, solc: Path) -> dict[str, str] | None:
    """The code of the contract without the statement; None when that is no program."""
    sources = COMPILER.sources(COMPILER.CONTRACTS) | {mutant.file: mutant.source}
    steps = {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": "dhfoDgvulfnTUtnIf[]:"}}
    question = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": COMPILER.SETTINGS
        | {"optimizer": {"enabled": True, "runs": 200, "details": steps}}
        | {
            "outputSelection": {
                "Rollup.sol": {"Rollup": ["evm.bytecode.object", "evm.deployedBytecode.object"]}
            }
        },
    }
    done = subprocess.run(
        ["node", "standard_json.mjs"],
        input=json.dumps(question),
        cwd=solc,
        capture_output=True,
        text=True,
        check=True,
    )
    made = json.loads(done.stdout)
    if any(error["severity"] == "error" for error in made.get("errors", [])):
        return None
    code = made["contracts"]["Rollup.sol"]["Rollup"]["evm"]
    return {part: "0x" + code[part]["object"] for part in ("bytecode", "deployedBytecode")}


def noticed_by(code: dict[str, str], folder: Path) -> str | None:
    """The first test that fails with this code, None when all pass."""
    path = folder / "zkrollup" / "l1" / "contracts" / "Rollup.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | code))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", "not py_evm", *TESTS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    return failed[1] if failed else done.stdout[-500:]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--solc", type=Path, help="folder with standard_json.mjs and node_modules")
    parser.add_argument("--part", default="1/1", help="I/N: only every N-th statement, from the I-th on")
    parser.add_argument(
        "--only", metavar="REGEX", default="", help="only statements in whose name this is found"
    )
    parser.add_argument("--list", action="store_true", help="name the statements and stop")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    chosen = [mutant for mutant in mutants() if re.search(options.only, mutant.name)][part - 1 :: parts]
    if options.list:
        print("\n".join(f"{mutant.line}: {mutant.name}" for mutant in chosen))
        return 0
    if options.solc is None:
        parser.error("--solc: which folder has standard_json.mjs and node_modules?")
    survivors = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "copy"
        copytree(ROOT, folder, symlinks=True, ignore=ignore_patterns(".git", "build", ".hypothesis"))
        for mutant in chosen:
            code = compiled(mutant, options.solc)
            answer = "is no program" if code is None else noticed_by(code, folder) or "SURVIVES"
            print(f"{mutant.line}: {mutant.name}: {answer}", flush=True)
            if answer == "SURVIVES" and mutant.name not in EQUIVALENT:
                survivors.append(mutant)
    print(f"{len(chosen)} statements, {len(survivors)} survivors")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
