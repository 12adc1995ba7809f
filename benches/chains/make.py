"""Makes the circuits that the prover's benches use: chains of circomlib's Poseidon, compiled by circom.

Usage: python benches/chains/make.py FOLDER [--only chain_16_o1 …] [--no-keys] [--again]

Writes NAME.r1cs, NAME.sym, NAME.wtns and NAME.zkey for each of chain_16_o1, chain_18_o1, chain_20_o1 (just
below 2^16, 2^18 and 2^20 constraints, circom's --O1, which keeps linear constraints) and chain_16_o2
(--O2, no linear constraints, dense rows). Files that are there already are kept unless ``--again``.
Needs node and npm: circom2 (circom as WebAssembly), circomlib and snarkjs go into this folder's
node_modules, which git ignores. The keys are one-party keys of ours: whoever makes one could forge.
It must not know how anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"

ROWS = {"O1": 517, "O2": 240}
"""Constraints of one two-input hash, as circom2 0.2.23 simplifies circomlib 2.0.5."""

CHAINS = {
    "chain_16_o1": (16, "O1"),
    "chain_16_o2": (16, "O2"),
    "chain_18_o1": (18, "O1"),
    "chain_20_o1": (20, "O1"),
}

SNARKJS = """
import * as snarkjs from "snarkjs";
await snarkjs.wtns.calculate(JSON.parse(process.argv[1]), process.argv[2], process.argv[3]);
process.exit(0);
"""


def install() -> None:
    """The npm packages, once."""
    if not (MODULES / "circom2" / "cli.js").is_file():
        if shutil.which("npm") is None:
            raise SystemExit("make.py: npm is not installed; it brings circom2, circomlib and snarkjs")
        subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=HERE, check=True, stdout=sys.stderr)


def hashes(log_size: int, level: str) -> int:
    """How many hashes fit a domain of 2^log_size, with its rows for one and the public output."""
    return ((1 << log_size) - 2) // ROWS[level]


def compile_chain(work: Path, length: int, level: str) -> tuple[Path, Path, Path]:
    """The .r1cs, .sym and witness program of a chain of ``length`` hashes."""
    shutil.copy(HERE / "chain.circom", work)
    source = work / "main.circom"
    source.write_text(f'pragma circom 2.0.0;\ninclude "chain.circom";\ncomponent main = Chain({length});\n')
    compiler = ["node", str(MODULES / "circom2" / "cli.js")]
    # circom2 sees only folders below its own, so paths are relative to a folder above all of them
    top = os.path.commonpath([work, MODULES])
    main, libraries, out = (os.path.relpath(path, top) for path in (source, MODULES, work))
    options = ["--r1cs", "--sym", "--wasm", f"--{level}", "-l", libraries, "-o", out]
    subprocess.run([*compiler, main, *options], cwd=top, check=True, stdout=sys.stderr)
    return work / "main.r1cs", work / "main.sym", work / "main_js" / "main.wasm"


def compute_witness(program: Path, inputs: dict[str, str], path: Path) -> None:
    """The witness as circom's own program computes it, written by snarkjs."""
    subprocess.run(
        ["node", "--input-type=module", "-e", SNARKJS, json.dumps(inputs), str(program), str(path)],
        cwd=HERE, check=True, stdout=sys.stderr,
    )  # fmt: skip


def make_key(r1cs: Path, zkey: Path) -> None:
    """A one-party key for these constraints, by our setup."""
    from zkrollup.engine import get_engine
    from zkrollup.formats.r1cs import R1csFile
    from zkrollup.formats.zkey_write import write_zkey

    engine = get_engine()
    layout = R1csFile.read(r1cs).layout()
    write_zkey(zkey, layout, engine.groth16_setup(layout), engine)


def make(name: str, folder: Path, *, keys: bool, again: bool) -> None:
    """The files of one chain, those that are not there yet."""
    log_size, level = CHAINS[name]
    targets = {kind: folder / f"{name}.{kind}" for kind in ("r1cs", "sym", "wtns", "zkey")}
    wanted = [kind for kind in targets if again or not targets[kind].is_file()]
    if {"r1cs", "sym", "wtns"} & set(wanted):
        with tempfile.TemporaryDirectory(dir=HERE, prefix=".work-") as scratch:
            work = Path(scratch)
            r1cs, sym, program = compile_chain(work, hashes(log_size, level), level)
            compute_witness(program, {"start": "1", "key": "12345678901234567890"}, work / "main.wtns")
            for made, kind in ((r1cs, "r1cs"), (sym, "sym"), (work / "main.wtns", "wtns")):
                shutil.move(made, targets[kind])
    if keys and "zkey" in wanted:
        make_key(targets["r1cs"], targets["zkey"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", choices=CHAINS, help="some of the chains")
    parser.add_argument("--no-keys", action="store_true", help="no .zkey")
    parser.add_argument("--again", action="store_true", help="make what is there already, too")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    install()
    for name in options.only or CHAINS:
        start = time.perf_counter()
        make(name, options.folder, keys=not options.no_keys, again=options.again)
        print(f"{name}: {time.perf_counter() - start:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
