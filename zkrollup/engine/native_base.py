"""The ground the native engine's parts share: the loaded library, argument checks, statuses.

Must not know what any kernel computes; only how a numpy buffer reaches C and how a status becomes an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.engine.interface import U64, EngineError

__all__ = ["NativeBase", "cpu_paths", "load_native"]


def load_native() -> tuple[Any, Any]:
    """The ``(ffi, lib)`` of the compiled core; ImportError when it was not built."""
    from zkrollup.engine import _native  # type: ignore[attr-defined]

    return _native.ffi, _native.lib


def cpu_paths() -> list[str]:
    """The instruction-set paths that run on this machine, slowest first."""
    _, lib = load_native()
    return [
        name for name in ("portable", "adx", "ifma") if lib.zkr_cpu_available(name.encode()) == lib.ZKR_OK
    ]


class NativeBase:
    """An engine handle and the checks every part uses."""

    name = "native"

    def __init__(self, *, threads: int, cpu: str | None = None) -> None:
        """``cpu``: ``portable``, ``adx``, ``ifma`` or None for the best here. Raises EngineError."""
        self._ffi, self._lib = load_native()
        handle = self._ffi.new("zkr_engine **")
        if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 1024:
            raise EngineError(f"threads: expected an integer in 1..1024, got {threads!r}")
        status = self._lib.zkr_engine_new(handle, (cpu or "").encode(), threads)
        if status == self._lib.ZKR_UNSUPPORTED:
            raise EngineError(f"cpu path {cpu!r} is not available here; available: {', '.join(cpu_paths())}")
        if status == self._lib.ZKR_BADARGS:
            raise EngineError(f"unknown cpu path {cpu!r}; known: portable, adx, ifma")
        self._ok("engine", status)
        self._handle = self._ffi.gc(handle[0], self._lib.zkr_engine_free)
        self.cpu: str = self._ffi.string(self._lib.zkr_engine_cpu(self._handle)).decode()
        self.threads: int = threads

    # -- statuses ------------------------------------------------------------------------------

    def _ok(self, what: str, status: int) -> None:
        """Turns a status into an EngineError (MemoryError for ZKR_NOMEM) that names the call."""
        if status == self._lib.ZKR_OK:
            return
        text = self._ffi.string(self._lib.zkr_status_text(status)).decode()
        if status == self._lib.ZKR_NOMEM:
            raise MemoryError(f"{what}: {text}")
        raise EngineError(f"{what}: {text}")

    # -- arguments -----------------------------------------------------------------------------

    def _check(
        self, what: str, array: Any, shape: tuple[int | None, ...], dtype: npt.DTypeLike = np.uint64
    ) -> None:
        """Refuses anything but a C-contiguous array of this dtype and shape (None: any length)."""
        if not isinstance(array, np.ndarray):
            raise EngineError(f"{what}: expected a numpy array, got {type(array).__name__}")
        if array.dtype != np.dtype(dtype):
            raise EngineError(f"{what}: expected dtype {np.dtype(dtype)}, got {array.dtype}")
        if len(array.shape) != len(shape) or any(
            want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
        ):
            wanted = ", ".join("n" if want is None else str(want) for want in shape)
            raise EngineError(f"{what}: expected shape ({wanted}), got {array.shape}")
        if not array.flags.c_contiguous:
            raise EngineError(f"{what}: expected a C-contiguous array (numpy.ascontiguousarray makes one)")

    def _in(self, array: npt.NDArray[Any], ctype: str = "uint64_t") -> Any:
        """A const pointer to a checked array's data; the array must outlive the call."""
        return self._ffi.cast(f"{ctype} *", array.ctypes.data)

    def _out(self, array: npt.NDArray[Any], ctype: str = "uint64_t") -> Any:
        """A pointer to a checked array's data that C may write to."""
        if not array.flags.writeable:
            raise EngineError("output: the array is read-only")
        return self._ffi.cast(f"{ctype} *", array.ctypes.data)

    def _not_canonical(self, what: str, index: int, field: str) -> EngineError:
        modulus = "r" if field == "fr" else "q"
        return EngineError(f"{what}: element {index} is not below the modulus {modulus}")

    def _empty(self, *shape: int) -> U64:
        return np.empty(shape, dtype=np.uint64)
