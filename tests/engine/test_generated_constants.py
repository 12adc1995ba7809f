"""The C core's constants: what is committed is what native/gen writes, and its check tells when it is not.

The tables of Poseidon are checked beside their readers, in tests/crypto.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = sorted((ROOT / "native" / "gen").glob("gen_*_constants.py"))


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A generator in a repository without its output."""
    shutil.copytree(ROOT / "native" / "gen", tmp_path / "native" / "gen")
    (tmp_path / "native" / "src").mkdir()
    return tmp_path / "native" / "gen" / "gen_glv_constants.py"


@pytest.mark.parametrize("script", GENERATORS, ids=lambda script: script.stem)
def test_constants__are_what_the_generator_writes(script: Path) -> None:
    """Generators assert the facts that the C code rests on, too."""
    done = run(script, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_generator__writes_the_committed_file(copy: Path) -> None:
    assert run(copy).returncode == 0
    written = copy.parents[1] / "src" / "glv_constants.h"
    assert written.read_bytes() == (ROOT / "native" / "src" / "glv_constants.h").read_bytes()


@pytest.mark.parametrize("before", [None, b"other text"], ids=["missing", "different"])
def test_check__names_the_file_that_differs_and_leaves_it(copy: Path, before: bytes | None) -> None:
    output = copy.parents[1] / "src" / "glv_constants.h"
    if before is not None:
        output.write_bytes(before)
    done = run(copy, "--check")
    assert done.returncode == 1
    assert done.stderr == f"{output}: differs from what gen_glv_constants.py generates\n"
    assert (output.read_bytes() if output.exists() else None) == before
