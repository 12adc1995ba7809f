"""How the numba engine compiles its kernels: on first use, cached on disk, without the interpreter's lock.

This module must not know what the kernels compute.

numba keys a cached function by its own file alone, so a caller would go on using the old machine code
of a function that it calls in another file. The cache of this package is therefore keyed by the text
of all modules with kernels, and of those whose constants they take up. Where no cache can be written,
kernels are compiled anew in each process.

References: numba documentation, "Notes on caching".
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast, overload

import numba
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

__all__ = ["kernel"]

F = TypeVar("F", bound=Callable[..., Any])


_CONSTANTS = ("blake2b_tables.py", "convert.py", "interface.py")
_NO_KERNELS = ("numba_checks.py", "numba_engine.py")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name in _CONSTANTS or (path.name.startswith("numba_") and path.name not in _NO_KERNELS):
            digest.update(path.read_bytes())
    return digest.hexdigest()


_SOURCES = _fingerprint()


class _Cache(FunctionCache):
    """numba's cache of one function, keyed by the text of the whole engine as well."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        key: tuple[Any, ...] = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]
        return (*key, _SOURCES)


@overload
def kernel(function: F, /) -> F: ...
@overload
def kernel(*, inline: bool) -> Callable[[F], F]: ...
def kernel(function: F | None = None, /, *, inline: bool = False) -> F | Callable[[F], F]:
    """Make a function a kernel: nopython, releasing the interpreter's lock, never raising.

    Arguments:
        function: what to compile, at its first call for each combination of argument types.
        inline: always inline it into its callers (for short functions of constants).
    """

    def decorate(target: F) -> F:
        dispatcher: Any = numba.njit(nogil=True, error_model="numpy", forceinline=inline)(target)
        if isinstance(dispatcher, Dispatcher):
            with contextlib.suppress(RuntimeError):  # numba's way to say that no place is writable
                dispatcher._cache = _Cache(target)  # type: ignore[attr-defined, no-untyped-call]
        return cast(F, dispatcher)

    return decorate if function is None else decorate(function)
