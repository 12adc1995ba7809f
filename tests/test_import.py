"""Importing the package is cheap and loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zkrollup


def fresh(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import__stays_under_100_ms() -> None:
    code = "import time; t = time.perf_counter(); import zkrollup; print(time.perf_counter() - t)"
    assert min(float(fresh(code)) for _ in range(3)) < 0.1


def test_import__loads_no_heavy_library() -> None:
    loaded = fresh("import sys, zkrollup; print(' '.join(sys.modules))").split()
    assert not {"numba", "galois", "py_ecc", "matplotlib", "numpy", "rich", "typer"} & set(loaded)


def test_verifier__loads_neither_engine_nor_constraint_system() -> None:
    loaded = fresh("import sys, zkrollup.verifier; print(' '.join(sys.modules))").split()
    assert not [name for name in loaded if name.startswith(("zkrollup.engine", "zkrollup.cs", "numpy"))]


def test_package__every_name_it_promises_is_there() -> None:
    for name in zkrollup.__all__:
        assert getattr(zkrollup, name) is not None


def test_package__an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(AttributeError, match="Rollup"):
        _ = zkrollup.Nonsense
