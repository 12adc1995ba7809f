"""Do other tools accept our proofs, keys and witnesses, and we theirs? Runs tests/crosscheck, all of it.

Usage: python benches/peers/crosscheck.py [pytest's options]

circom2, circomlib and snarkjs are installed by npm into benches/chains/node_modules where node is there;
groth16py comes with ``pip install .[peers]``. What is missing is named and skipped.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent


def main() -> int:
    """The exit code of the tests."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print(
            "crosscheck: without node and npm nothing is checked against circom and snarkjs", file=sys.stderr
        )
    else:
        sys.path.insert(0, str(BENCHES / "chains"))
        import make

        make.install()
    if importlib.util.find_spec("groth16py") is None:
        print("crosscheck: without groth16py nothing is checked against arkworks", file=sys.stderr)
    root = BENCHES.parent
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    command = ["-m", "pytest", "tests/crosscheck", "-m", "slow or not slow", "-rs", *sys.argv[1:]]
    return subprocess.run(
        [sys.executable, *command], cwd=root, env=os.environ | {"PYTHONPATH": paths}, check=False
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
