"""Engines: bulk arithmetic behind one interface, and the choice of one.

Must not know circuits, gadgets or rollup rules. Importing this package loads neither numba nor the C core.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from zkrollup.engine.convert import fq_from_ints, fr_from_ints, ints_from_limbs
from zkrollup.engine.interface import (
    TEMPORARY,
    Block,
    Engine,
    EngineError,
    Layout,
    Matrix,
    Opcode,
    PoseidonParameters,
    Program,
    SetupResult,
)

if TYPE_CHECKING:
    from typing import Literal

__all__ = [
    "TEMPORARY",
    "Block",
    "Engine",
    "EngineError",
    "Layout",
    "Matrix",
    "Opcode",
    "PoseidonParameters",
    "Program",
    "SetupResult",
    "available_cpu_paths",
    "fq_from_ints",
    "fr_from_ints",
    "get_engine",
    "ints_from_limbs",
]

_NOTICE = (
    "zkrollup: the native engine was not built (no C compiler at install time); "
    "using the numba engine, which is several times slower."
)
_noticed = False


def _native_missing() -> bool:
    import importlib.util

    return importlib.util.find_spec("zkrollup.engine._native") is None


def available_cpu_paths() -> list[str]:
    """Instruction-set paths of the native engine that run here, slowest first; [] when it was not built."""
    if _native_missing():
        return []
    from zkrollup.engine.native_base import cpu_paths

    return cpu_paths()


def _threads(threads: int | None) -> int:
    if threads is None:
        text = os.environ.get("ZKROLLUP_THREADS", "")
        if not text:
            return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
            raise EngineError(f"ZKROLLUP_THREADS: expected an integer in 1..1024, got {text!r}")
        return int(text)
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
        raise EngineError(f"threads: expected an integer in 1..1024, got {threads!r}")
    return threads


def get_engine(
    name: Literal["native", "numba"] | str | None = None,
    *,
    threads: int | None = None,
    cpu: str | None = None,
) -> Engine:
    """The engine to use.

    Arguments: ``name``: ``native`` or ``numba``; None takes ZKROLLUP_ENGINE, else native when it was
    built, else numba with one notice on standard error. ``threads``: 1..1024; None takes
    ZKROLLUP_THREADS, else every core this process may use. ``cpu``: ``portable``, ``adx`` or ``ifma``
    for the native engine; None takes ZKROLLUP_CPU, else the best that this machine has.

    Raises :class:`EngineError` for an unknown name, a cpu path that is unknown or not available here,
    or the native engine asked for by name where it was not built.
    """
    global _noticed
    wanted = name if name is not None else os.environ.get("ZKROLLUP_ENGINE") or None
    if wanted not in (None, "native", "numba"):
        raise EngineError(f"unknown engine {wanted!r}; known: native, numba")
    count = _threads(threads)
    path = cpu if cpu is not None else os.environ.get("ZKROLLUP_CPU") or None
    if wanted != "numba":
        if not _native_missing():
            from zkrollup.engine.native import NativeEngine

            return NativeEngine(threads=count, cpu=path)
        if wanted == "native":
            raise EngineError("the native engine was not built: install a C compiler and reinstall zkrollup")
        if not _noticed:
            _noticed = True
            print(_NOTICE, file=sys.stderr)
    if cpu is not None:
        raise EngineError(f"cpu path {cpu!r}: the numba engine has none to choose")
    from zkrollup.engine.numba_engine import NumbaEngine

    return NumbaEngine(threads=count)
