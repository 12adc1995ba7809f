"""What a command loads before it works: nothing that it does not need, since people wait for it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from zkrollup.cli.direct import direct
assert direct(["prove", "a.zkey", "b.wtns", "c.json", "d.json"])
from zkrollup.engine import get_engine
get_engine()
print(*sorted(sys.modules))
"""


def test_prove__loads_neither_numba_nor_typer_nor_rich_nor_the_rollup() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "zkrollup.formats.zkey" in loaded
    unwanted = ["typer", "pydantic", "rich", "zkrollup.state", "zkrollup.cs", "zkrollup.circuits"]
    if "zkrollup.engine.native" in loaded:
        unwanted.append("numba")
    assert not [name for name in unwanted if name in loaded]
