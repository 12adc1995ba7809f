"""Importing the package is cheap and loads nothing heavy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import zkrollup


def fresh(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
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


def test_import__in_a_checkout_takes_the_installed_package(tmp_path: Path) -> None:
    """`python` started where the sources lie finds them first; they lack circuits and the built engine."""
    checkout = tmp_path / "zkrollup"
    checkout.mkdir()
    shutil.copy(zkrollup.__file__, checkout)
    code = "import zkrollup, zkrollup.circuits.batch as b; print(zkrollup.__file__, b.__file__)"
    installed = {"PYTHONPATH": str(Path(zkrollup.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | installed,
        capture_output=True,
        text=True,
        check=True,
    )
    found, circuits = done.stdout.split()
    assert found == str(checkout / "__init__.py")
    assert not circuits.startswith(str(tmp_path))


def test_import__in_a_checkout_that_was_never_installed_says_what_to_do(tmp_path: Path) -> None:
    checkout = tmp_path / "zkrollup"
    checkout.mkdir()
    shutil.copy(zkrollup.__file__, checkout)
    code = "import sys; sys.path[:] = [p for p in sys.path if 'python3' in p and 'site-packages' not in p]; "
    code += f"sys.path.insert(0, {str(tmp_path)!r}); import zkrollup"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install ." in done.stderr
