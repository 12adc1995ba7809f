"""The native engine: the C core behind the Engine interface. Nobody else loads the extension.

Must not know circuits, gadgets or rollup rules; it moves checked numpy buffers into C and back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine.interface import U64
from zkrollup.engine.native_base import NativeBase
from zkrollup.engine.native_circuits import CircuitsMixin
from zkrollup.engine.native_groth16 import Groth16Mixin

__all__ = ["NativeEngine"]


class _Vectors(NativeBase):
    """Field vectors; see :class:`zkrollup.engine.interface.Engine` for encodings."""

    def _unary(self, operation: str, field: str, a: U64) -> U64:
        what = f"{field}_{operation}: a"
        self._check(what, a, (None, 4))
        out = np.empty_like(a, order="C")
        bad = self._ffi.new("size_t *")
        function: Any = getattr(self._lib, f"zkr_{field}_{operation}")
        status = function(self._handle, self._out(out), self._in(a), len(a), bad)
        if status == self._lib.ZKR_NOTCANONICAL:
            raise self._not_canonical(what, bad[0], field)
        self._ok(f"{field}_{operation}", status)
        return out

    def _binary(self, operation: str, field: str, a: U64, b: U64) -> U64:
        what = f"{field}_{operation}"
        self._check(f"{what}: a", a, (None, 4))
        self._check(f"{what}: b", b, (len(a), 4))
        out = np.empty_like(a, order="C")
        bad = self._ffi.new("size_t *")
        function: Any = getattr(self._lib, f"zkr_{field}_{operation}")
        status = function(self._handle, self._out(out), self._in(a), self._in(b), len(a), bad)
        if status == self._lib.ZKR_NOTCANONICAL:
            index = bad[0]
            side, at = ("a", index) if index < len(a) else ("b", index - len(a))
            raise self._not_canonical(f"{what}: {side}", at, field)
        self._ok(what, status)
        return out

    def fr_to_mont(self, canonical: U64) -> U64:
        return self._unary("to_mont", "fr", canonical)

    def fr_from_mont(self, mont: U64) -> U64:
        return self._unary("from_mont", "fr", mont)

    def fq_to_mont(self, canonical: U64) -> U64:
        return self._unary("to_mont", "fq", canonical)

    def fq_from_mont(self, mont: U64) -> U64:
        return self._unary("from_mont", "fq", mont)

    def fr_add(self, a: U64, b: U64) -> U64:
        return self._binary("add", "fr", a, b)

    def fr_sub(self, a: U64, b: U64) -> U64:
        return self._binary("sub", "fr", a, b)

    def fr_mul(self, a: U64, b: U64) -> U64:
        return self._binary("mul", "fr", a, b)

    def fr_inverse(self, a: U64) -> U64:
        return self._unary("inverse", "fr", a)

    def fq_add(self, a: U64, b: U64) -> U64:
        return self._binary("add", "fq", a, b)

    def fq_sub(self, a: U64, b: U64) -> U64:
        return self._binary("sub", "fq", a, b)

    def fq_mul(self, a: U64, b: U64) -> U64:
        return self._binary("mul", "fq", a, b)

    def fq_inverse(self, a: U64) -> U64:
        return self._unary("inverse", "fq", a)


class NativeEngine(_Vectors, CircuitsMixin, Groth16Mixin):
    """All of :class:`zkrollup.engine.interface.Engine` on the C core."""
