"""What a command loads before it works: nothing that it does not need, since people wait for it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import zkrollup.cli.app, zkrollup.cli.groth16, zkrollup.engine
print(*sorted(sys.modules))
"""


def test_prove__loads_neither_numba_nor_rich_nor_the_rollup() -> None:
    loaded = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert "zkrollup.formats.zkey" in loaded.split()
    for unwanted in ("numba", "rich", "zkrollup.state", "zkrollup.cs", "zkrollup.circuits"):
        assert unwanted not in loaded.split()
