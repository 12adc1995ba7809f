"""The native engine: the C core behind the Engine interface. Nobody else loads the extension.

Must not know circuits, gadgets or rollup rules; it moves checked numpy buffers into C and back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.engine.blake2b_tables import BLOCK_BYTES, require_blocks
from zkrollup.engine.interface import U64, EngineError
from zkrollup.engine.native_base import NativeBase
from zkrollup.engine.native_circuits import CircuitsMixin
from zkrollup.engine.native_files import FilesMixin
from zkrollup.engine.native_points import PointsMixin
from zkrollup.engine.native_prove import ProveMixin

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

    def fr_mul_repeat(self, a: U64, b: U64, rounds: int) -> U64:
        self._check("fr_mul_repeat: a", a, (32, 4))
        self._check("fr_mul_repeat: b", b, (4,))
        if not 0 <= rounds < 1 << 40:
            raise EngineError(f"fr_mul_repeat: rounds: expected 0 .. 2^40 - 1, got {rounds}")
        out = a.copy()
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_fr_mul_repeat(self._handle, self._out(out), self._in(b), rounds, bad)
        if status == self._lib.ZKR_NOTCANONICAL:
            side, at = ("a", bad[0]) if bad[0] < len(a) else ("b", 0)
            raise self._not_canonical(f"fr_mul_repeat: {side}", at, "fr")
        self._ok("fr_mul_repeat", status)
        return out

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


class _Transforms(NativeBase):
    """Number-theoretic transforms over Fr."""

    def _transform(self, operation: str, a: U64, coset: bool) -> U64:
        self._check(f"{operation}: a", a, (None, 4))
        n = len(a)
        limit = 27 if coset else 28
        if n == 0 or n & (n - 1) or n > 1 << limit:
            raise EngineError(f"{operation}: expected a power of two of elements, at most 2^{limit}, got {n}")
        out = np.empty_like(a, order="C")
        bad = self._ffi.new("size_t *")
        flags = self._lib.ZKR_NTT_COSET if coset else 0
        function: Any = getattr(self._lib, f"zkr_fr_{operation}")
        status = function(self._handle, self._out(out), self._in(a), n, flags, bad)
        if status == self._lib.ZKR_NOTCANONICAL:
            raise self._not_canonical(f"{operation}: a", bad[0], "fr")
        self._ok(operation, status)
        return out

    def ntt(self, a: U64, *, coset: bool = False) -> U64:
        return self._transform("ntt", a, coset)

    def intt(self, a: U64, *, coset: bool = False) -> U64:
        return self._transform("intt", a, coset)


class _Curve(NativeBase):
    """G1 and G2 in bulk. Points are not required to be on the curve; sums of others mean nothing."""

    def _sum(self, operation: str, out: U64, names: tuple[str, str], first: U64, second: U64, n: int) -> U64:
        bad, which = self._ffi.new("size_t *"), self._ffi.new("int *")
        function: Any = getattr(self._lib, f"zkr_{operation}")
        status = function(self._handle, self._out(out), self._in(first), self._in(second), n, bad, which)
        if status == self._lib.ZKR_NOTCANONICAL:
            index = int(bad[0])
            if which[0] == self._lib.ZKR_BAD_SCALAR:
                raise self._not_canonical(f"{operation}: {names[1]}", index, "fr")
            name = names[0]
            if operation.endswith("_add") and index >= n:
                name, index = names[1], index - n
            raise self._not_canonical(f"{operation}: {name}", index, "fq")
        self._ok(operation, status)
        return out

    def _msm(self, operation: str, width: int, bases: U64, scalars: U64) -> U64:
        self._check(f"{operation}: bases", bases, (None, width))
        self._check(f"{operation}: scalars", scalars, (len(bases), 4))
        return self._sum(operation, self._empty(width), ("bases", "scalars"), bases, scalars, len(bases))

    def _fixed_base(self, operation: str, width: int, base: U64, scalars: U64) -> U64:
        self._check(f"{operation}: base", base, (width,))
        self._check(f"{operation}: scalars", scalars, (None, 4))
        n = len(scalars)
        return self._sum(operation, self._empty(n, width), ("base", "scalars"), base, scalars, n)

    def _add(self, operation: str, width: int, a: U64, b: U64) -> U64:
        self._check(f"{operation}: a", a, (None, width))
        self._check(f"{operation}: b", b, (len(a), width))
        return self._sum(operation, np.empty_like(a, order="C"), ("a", "b"), a, b, len(a))

    def _ask(self, operation: str, width: int, points: U64) -> npt.NDArray[np.bool_]:
        self._check(f"{operation}: points", points, (None, width))
        out = np.empty(len(points), dtype=np.bool_)
        function: Any = getattr(self._lib, f"zkr_{operation}")
        self._ok(operation, function(self._handle, self._out(out, "uint8_t"), self._in(points), len(points)))
        return out

    def g1_msm(self, bases: U64, scalars: U64) -> U64:
        return self._msm("g1_msm", 8, bases, scalars)

    def g2_msm(self, bases: U64, scalars: U64) -> U64:
        return self._msm("g2_msm", 16, bases, scalars)

    def g1_fixed_base(self, base: U64, scalars: U64) -> U64:
        return self._fixed_base("g1_fixed_base", 8, base, scalars)

    def g2_fixed_base(self, base: U64, scalars: U64) -> U64:
        return self._fixed_base("g2_fixed_base", 16, base, scalars)

    def g1_add(self, a: U64, b: U64) -> U64:
        return self._add("g1_add", 8, a, b)

    def g2_add(self, a: U64, b: U64) -> U64:
        return self._add("g2_add", 16, a, b)

    def g1_is_on_curve(self, points: U64) -> npt.NDArray[np.bool_]:
        return self._ask("g1_is_on_curve", 8, points)

    def g2_is_on_curve(self, points: U64) -> npt.NDArray[np.bool_]:
        """On the twist, whatever the order of the point; infinity counts."""
        return self._ask("g2_is_on_curve", 16, points)

    def g2_is_in_subgroup(self, points: U64) -> npt.NDArray[np.bool_]:
        return self._ask("g2_is_in_subgroup", 16, points)


class _Hash(NativeBase):
    """BLAKE2b, whose state a ceremony records."""

    def blake2b_blocks(self, chain: U64, blocks: npt.NDArray[np.uint8], hashed: int) -> U64:
        what = "blake2b_blocks"
        self._check(f"{what}: chain", chain, (8,))
        self._check(f"{what}: blocks", blocks, (None,), np.uint8)
        require_blocks(len(blocks), hashed)
        out, data = chain.copy(), self._in(blocks, "uint8_t")
        count = len(blocks) // BLOCK_BYTES
        self._ok(what, self._lib.zkr_blake2b_blocks(self._out(out), data, count, hashed))
        return out


class NativeEngine(_Vectors, _Transforms, _Curve, PointsMixin, CircuitsMixin, ProveMixin, FilesMixin, _Hash):
    """All of :class:`zkrollup.engine.interface.Engine` on the C core."""
