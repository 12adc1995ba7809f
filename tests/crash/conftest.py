"""The recorder, built by the system's C compiler, and processes that run under it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .disk import Operation, read_record

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@dataclass(frozen=True)
class Recorder:
    """Runs scripts of this folder with the recorder preloaded."""

    library: Path

    def environment(self, folder: Path, log: Path, *, kill_at: int = 0, torn: int = -1) -> dict[str, str]:
        """Variables under which a process is recorded, and killed before operation ``kill_at``."""
        return os.environ | {
            "LD_PRELOAD": str(self.library),
            "CRASH_FOLDER": str(folder.resolve()),
            "CRASH_LOG": str(log),
            "CRASH_AT": str(kill_at),
            "CRASH_TORN": str(torn),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(
        self, script: str, folder: Path, log: Path, *arguments: object, kill_at: int = 0, torn: int = -1
    ) -> tuple[int, list[Operation]]:
        """The exit code (negative: the signal) and the operations that happened."""
        log.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, str(HERE / script), str(folder), *map(str, arguments)],
            env=self.environment(folder, log, kill_at=kill_at, torn=torn),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode in (0, -9), done.stderr
        return done.returncode, read_record(log, folder.resolve())


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """The recorder; skips where there is no Linux or no compiler."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the recorder is preloaded the way Linux does it")
    compiler = os.environ.get("CC") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build the recorder with")
    library = tmp_path_factory.mktemp("recorder") / "record.so"
    source = HERE / "record.c"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    built = subprocess.run(
        [compiler, *flags, "-o", str(library), str(source), "-ldl", "-lpthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return Recorder(library)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder whose syncs cost nothing, where the system has one: recovery alone is of interest there."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="zkrollup-crash-", dir=shared))
    yield folder
    shutil.rmtree(folder)


def fresh(parent: Path) -> Path:
    """An empty folder."""
    folder = parent / "after"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
