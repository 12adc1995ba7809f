"""Every format, damaged in thousands of ways under a memory limit: read, or refused in one clear line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from zkrollup.cs import R1CS, ConstraintSystem, System
from zkrollup.engine.interface import Engine
from zkrollup.groth16.setup import unsafe_setup

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
GOOD = {
    "r1cs": VECTORS / "circom" / "mixed.r1cs",
    "wtns": VECTORS / "groth16_files" / "chain.wtns",
    "sym": VECTORS / "circom" / "mixed.sym",
    "zkey": VECTORS / "groth16_files" / "chain.zkey",
    "ptau": VECTORS / "ceremony" / "prepared_5.ptau",
    "proof": VECTORS / "groth16_files" / "proof.json",
    "public": VECTORS / "groth16_files" / "public.json",
    "vkey": VECTORS / "groth16_files" / "verification_key.json",
}


def square() -> R1CS:
    """Knows x with x * x = y."""
    cs = ConstraintSystem("square", parameters={})
    (cs.input("x").square()).assert_equal(cs.link("y"))
    system = System("square", public=["y"])
    system.add("square", cs.freeze()).connect("y", system.public("y"))
    return system.freeze()


@pytest.fixture(scope="session")
def our_key(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "good.zkrpk"
    unsafe_setup(square(), engine).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: these tests write many small files."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        yield Path(name)


def fuzz(kind: str, good: Path, folder: Path, count: int, seed: int) -> dict[str, int]:
    """What the program fuzz_files.py says; fails with its words."""
    done = subprocess.run(
        [sys.executable, HERE / "fuzz_files.py", kind, good, folder, str(count), str(seed)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    result: dict[str, int] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("kind", [*GOOD, "key"])
def test_damaged_file__is_read_or_refused_in_one_line(kind: str, our_key: Path, folder: Path) -> None:
    """V10."""
    result = fuzz(kind, GOOD.get(kind, our_key), folder, 2000, seed=1)
    assert result["read"] > 20
    assert result["refused"] > 500


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*GOOD, "key"])
def test_damaged_files__a_hundred_thousand_are_read_or_refused_in_one_line(
    kind: str, our_key: Path, folder: Path
) -> None:
    """V10, at length."""
    result = fuzz(kind, GOOD.get(kind, our_key), folder, 100_000, seed=2)
    assert result["read"] + result["refused"] >= 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
def test_memory_limit__ends_a_reader_that_takes_more(folder: Path) -> None:
    with pytest.raises(AssertionError, match="MemoryError"):
        fuzz("greedy", GOOD["public"], folder, 1, seed=1)
