"""How the numba engine compiles: nothing at import, from a cache that notices changed sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import zkrollup.engine
from zkrollup.engine import fr_from_ints, get_engine, numba_jit

PACKAGE = Path(zkrollup.engine.__file__).parent

ADD = """
import numpy as np
from zkrollup.engine.numba_engine import NumbaEngine
from zkrollup.engine import numba_field as field
compiled = [name for name in vars(field) if getattr(getattr(field, name), "signatures", None)]
assert not compiled, compiled
engine = NumbaEngine(threads=1)
ones = np.ones((3, 4), np.uint64)
assert (engine.fr_add(ones, ones) == 2).all()
stats = field.vec_add.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def installed(tmp_path: Path) -> Path:
    """The engine's modules copied as an installation would lay them out."""
    target = tmp_path / "site" / "zkrollup" / "engine"
    target.mkdir(parents=True)
    (target.parent / "__init__.py").touch()  # a folder without one would give way to an installed package
    for source in PACKAGE.glob("*.py"):
        shutil.copy(source, target / source.name)
    return tmp_path / "site"


def run(site: Path) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON", "ZKROLLUP_"))}
    done = subprocess.run(
        [sys.executable, "-c", ADD],
        env={**kept, "PYTHONPATH": str(site)},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_cache__of_an_installed_package_is_used_and_notices_changed_sources(tmp_path: Path) -> None:
    """Import compiles nothing; the second process loads; a change of another module compiles anew."""
    site = installed(tmp_path)
    assert run(site) == "0 1"
    assert run(site) == "1 0"
    other = site / "zkrollup" / "engine" / "numba_ntt.py"
    other.write_text(other.read_text() + "\n# changed\n")
    assert run(site) == "0 1"


def test_cache__may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numba finds no writable place it raises: kernels are then compiled in each process."""

    def nowhere(function: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(numba_jit, "_Cache", nowhere)

    @numba_jit.kernel
    def twice(x: int) -> int:
        return x + x

    assert twice(21) == 42
    assert sum(twice.stats.cache_hits.values()) == 0  # type: ignore[attr-defined]


def test_engine__serves_several_threads_at_once() -> None:
    """Calls from many Python threads on one engine give each its own result."""
    engine = get_engine("numba", threads=3)
    a = [fr_from_ints(list(range(k, k + 20000))) for k in range(6)]
    results: dict[int, bool] = {}

    def work(k: int) -> None:
        doubled = engine.fr_add(a[k], a[k])
        results[k] = all(
            np.array_equal(engine.fr_sub(engine.fr_add(a[k], a[k]), a[k]), a[k]) for _ in range(5)
        ) and np.array_equal(doubled, fr_from_ints([2 * x for x in range(k, k + 20000)]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(6), True)


def test_engine__works_in_a_forked_child() -> None:
    """The pool's threads are gone after a fork: the child makes its own."""
    engine = get_engine("numba", threads=3)
    a = fr_from_ints(list(range(20000)))
    engine.fr_add(a, a)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if np.array_equal(engine.fr_sub(engine.fr_add(a, a), a), a) else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
