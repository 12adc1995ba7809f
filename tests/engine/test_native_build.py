"""Which engine is chosen, by argument and environment, and what a wrong choice says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zkrollup.engine import EngineError, available_cpu_paths, fr_from_ints, get_engine

ROOT = Path(__file__).resolve().parents[2]
needs_native = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")


@needs_native
def test_get_engine__honours_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKROLLUP_ENGINE", "native")
    monkeypatch.setenv("ZKROLLUP_CPU", "portable")
    monkeypatch.setenv("ZKROLLUP_THREADS", "3")
    engine = get_engine()
    assert (engine.name, engine.cpu, engine.threads) == ("native", "portable", 3)


@needs_native
def test_get_engine__prefers_arguments_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZKROLLUP_ENGINE", "no such engine")
    monkeypatch.setenv("ZKROLLUP_CPU", "no such path")
    monkeypatch.setenv("ZKROLLUP_THREADS", "no such number")
    engine = get_engine("native", threads=2, cpu="portable")
    assert (engine.name, engine.cpu, engine.threads) == ("native", "portable", 2)


@needs_native
def test_get_engine__takes_the_best_path_and_all_cores_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZKROLLUP_ENGINE", "ZKROLLUP_CPU", "ZKROLLUP_THREADS"):
        monkeypatch.delenv(name, raising=False)
    engine = get_engine()
    assert engine.cpu == available_cpu_paths()[-1]
    assert engine.threads == len(os.sched_getaffinity(0))


@needs_native
@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ZKROLLUP_ENGINE", "cuda", "unknown engine 'cuda'; known: native, numba"),
        ("ZKROLLUP_CPU", "sse9", "unknown cpu path 'sse9'; known: portable, adx, ifma"),
        ("ZKROLLUP_THREADS", "0", "ZKROLLUP_THREADS: expected an integer in 1..1024, got '0'"),
        ("ZKROLLUP_THREADS", "many", "ZKROLLUP_THREADS: expected an integer in 1..1024, got 'many'"),
    ],
)
def test_get_engine__refuses_an_unknown_choice(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv("ZKROLLUP_ENGINE", "native")
    monkeypatch.setenv(variable, value)
    with pytest.raises(EngineError, match=message):
        get_engine()


@needs_native
@pytest.mark.parametrize("threads", [0, -1, 1025, True, 1.5])
def test_get_engine__refuses_thread_counts_that_cannot_be(threads: int) -> None:
    with pytest.raises(EngineError, match=r"threads: expected an integer in 1\.\.1024"):
        get_engine("native", threads=threads)


def test_engine_package__loads_no_engine_when_imported() -> None:
    code = (
        "import sys, zkrollup.engine as e; "
        "print(sorted(m for m in sys.modules if m in "
        "('numba', 'galois', 'py_ecc', 'cffi', 'zkrollup.engine._native', 'zkrollup.engine.native')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@needs_native
def test_engine__still_computes_after_a_fork_with_threads_running() -> None:
    """The pool's threads do not live in the child: it starts its own."""
    engine = get_engine("native", threads=4)
    a = engine.fr_to_mont(fr_from_ints(range(20000)))
    expected = engine.fr_mul(a, a)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        same = bool(np.array_equal(engine.fr_mul(a, a), expected))
        os.write(write, b"same" if same else b"different")
        os._exit(0)
    os.close(write)
    answer = os.read(read, 16)
    os.close(read)
    _, status = os.waitpid(child, 0)
    assert (answer, status) == (b"same", 0)
