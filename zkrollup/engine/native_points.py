"""The native engine's vectors of points: scalings, inverse transforms, sparse sums, secret scalars.

Must not know what the points are for: ceremonies and keys are its callers' business.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from zkrollup.engine.interface import U32, U64, EngineError
from zkrollup.engine.native_base import NativeBase

__all__ = ["NativeSecretScalar", "PointsMixin"]

_MAX_EXPONENT = 2**63


class PointsMixin(NativeBase):
    """Vectors of points; see :class:`zkrollup.engine.interface.Engine`."""

    def _refused(self, what: str, status: int, bad: int, kind: int, *, scalars: str, columns: Any) -> None:
        lib = self._lib
        if status == lib.ZKR_NOTCANONICAL:
            if kind == lib.ZKR_BAD_SCALAR:
                raise self._not_canonical(f"{what}: {scalars}", bad, "fr")
            raise self._not_canonical(f"{what}: points", bad, "fq")
        if status == lib.ZKR_BADARGS and kind:
            indptr, rows, coefs, points, constants = columns
            if kind == lib.ZKR_BAD_INDPTR:
                raise EngineError(
                    f"{what}: indptr[{bad}] = {indptr[bad]}: expected from 0 to {len(rows)}, ascending"
                )
            name, array, limit = (
                ("rows", rows, len(points)) if kind == lib.ZKR_BAD_ROW else ("coefs", coefs, len(constants))
            )
            raise EngineError(f"{what}: {name}[{bad}] = {array[bad]}: expected below {limit}")
        self._ok(what, status)

    def _scale_points(self, operation: str, width: int, points: U64, scalars: U64) -> U64:
        self._check(f"{operation}: points", points, (None, width))
        self._check(f"{operation}: scalars", scalars, (None, 4))
        if len(scalars) not in (1, len(points)):
            raise EngineError(
                f"{operation}: scalars: expected shape ({len(points)}, 4), or (1, 4) for one in common, "
                f"got {scalars.shape}"
            )
        out = self._empty(len(points), width)
        bad, kind = self._ffi.new("size_t *"), self._ffi.new("int *")
        function: Any = getattr(self._lib, f"zkr_{operation}")
        status = function(
            self._handle,
            self._out(out),
            self._in(points),
            len(points),
            self._in(scalars),
            len(scalars),
            bad,
            kind,
        )
        self._refused(operation, status, bad[0], kind[0], scalars="scalars", columns=None)
        return out

    def g1_scale(self, points: U64, scalars: U64) -> U64:
        return self._scale_points("g1_scale", 8, points, scalars)

    def g2_scale(self, points: U64, scalars: U64) -> U64:
        return self._scale_points("g2_scale", 16, points, scalars)

    def _intt_points(self, operation: str, width: int, points: U64) -> U64:
        self._check(f"{operation}: points", points, (None, width))
        n = len(points)
        if n == 0 or n & (n - 1) or n > 1 << 28:
            raise EngineError(f"{operation}: expected a power of two of points, at most 2^28, got {n}")
        out = self._empty(n, width)
        bad = self._ffi.new("size_t *")
        function: Any = getattr(self._lib, f"zkr_{operation}")
        status = function(self._handle, self._out(out), self._in(points), n, bad)
        self._refused(operation, status, bad[0], 0, scalars="", columns=None)
        return out

    def g1_intt_points(self, points: U64) -> U64:
        return self._intt_points("g1_intt_points", 8, points)

    def g2_intt_points(self, points: U64) -> U64:
        return self._intt_points("g2_intt_points", 16, points)

    def _sparse_sums(
        self, operation: str, width: int, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64
    ) -> U64:
        self._check(f"{operation}: points", points, (None, width))
        self._check(f"{operation}: indptr", indptr, (None,), "uint32")
        self._check(f"{operation}: rows", rows, (None,), "uint32")
        self._check(f"{operation}: coefs", coefs, (len(rows),), "uint32")
        self._check(f"{operation}: constants", constants, (None, 4))
        if len(indptr) == 0:
            raise EngineError(f"{operation}: indptr: expected one element more than columns, got none")
        out = self._empty(len(indptr) - 1, width)
        columns = self._ffi.new(
            "zkr_columns *",
            {
                "indptr": self._in(indptr, "uint32_t"),
                "rows": self._in(rows, "uint32_t"),
                "coefs": self._in(coefs, "uint32_t"),
                "constants": self._in(constants),
                "num_columns": len(out),
                "num_entries": len(rows),
                "num_constants": len(constants),
            },
        )
        bad, kind = self._ffi.new("size_t *"), self._ffi.new("int *")
        function: Any = getattr(self._lib, f"zkr_{operation}")
        status = function(self._handle, self._out(out), columns, self._in(points), len(points), bad, kind)
        self._refused(
            operation,
            status,
            bad[0],
            kind[0],
            scalars="constants",
            columns=(indptr, rows, coefs, points, constants),
        )
        return out

    def g1_sparse_sums(self, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64) -> U64:
        return self._sparse_sums("g1_sparse_sums", 8, points, indptr, rows, coefs, constants)

    def g2_sparse_sums(self, points: U64, indptr: U32, rows: U32, coefs: U32, constants: U64) -> U64:
        return self._sparse_sums("g2_sparse_sums", 16, points, indptr, rows, coefs, constants)

    def secret_scalar(self) -> NativeSecretScalar:
        return NativeSecretScalar(self)


class NativeSecretScalar:
    """A scalar that only C sees; see :class:`zkrollup.engine.interface.SecretScalar`."""

    def __init__(self, engine: PointsMixin) -> None:
        self._engine = engine
        handle = engine._ffi.new("zkr_secret **")
        engine._ok("secret_scalar", engine._lib.zkr_secret_new(handle))
        self._handle = engine._ffi.gc(handle[0], engine._lib.zkr_secret_free)
        self._open = True

    def _secret(self, what: str) -> Any:
        if not self._open:
            raise EngineError(f"{what}: the secret scalar was wiped")
        return self._handle

    def _scale(self, group: str, width: int, points: U64, inverse: bool) -> U64:
        engine, what = self._engine, f"secret {group}_scale"
        secret = self._secret(what)
        engine._check(f"{what}: points", points, (None, width))
        out = engine._empty(len(points), width)
        bad = engine._ffi.new("size_t *")
        function: Any = getattr(engine._lib, f"zkr_secret_{group}_scale")
        status = function(
            engine._handle, secret, engine._out(out), engine._in(points), len(points), int(inverse), bad
        )
        engine._refused(what, status, bad[0], 0, scalars="", columns=None)
        return out

    def g1_scale(self, points: U64, *, inverse: bool = False) -> U64:
        return self._scale("g1", 8, points, inverse)

    def g2_scale(self, points: U64, *, inverse: bool = False) -> U64:
        return self._scale("g2", 16, points, inverse)

    def _scale_powers(
        self, group: str, width: int, points: U64, start: NativeSecretScalar | None, first_exponent: int
    ) -> U64:
        engine, what = self._engine, f"secret {group}_scale_powers"
        secret = self._secret(what)
        engine._check(f"{what}: points", points, (None, width))
        if start is None:
            factor = engine._ffi.NULL
        elif isinstance(start, NativeSecretScalar):
            factor = start._secret(f"{what}: start")
        else:
            raise EngineError(
                f"{what}: start: expected a secret scalar of the native engine, got {type(start).__name__}"
            )
        if (
            isinstance(first_exponent, bool)
            or not isinstance(first_exponent, int)
            or not 0 <= first_exponent < _MAX_EXPONENT
        ):
            raise EngineError(
                f"{what}: first_exponent: expected an integer in 0..2^63-1, got {first_exponent!r}"
            )
        out = engine._empty(len(points), width)
        bad = engine._ffi.new("size_t *")
        function: Any = getattr(engine._lib, f"zkr_secret_{group}_scale_powers")
        status = function(
            engine._handle,
            secret,
            factor,
            engine._out(out),
            engine._in(points),
            len(points),
            first_exponent,
            bad,
        )
        engine._refused(what, status, bad[0], 0, scalars="", columns=None)
        return out

    def g1_scale_powers(
        self, points: U64, start: NativeSecretScalar | None = None, first_exponent: int = 0
    ) -> U64:
        return self._scale_powers("g1", 8, points, start, first_exponent)

    def g2_scale_powers(
        self, points: U64, start: NativeSecretScalar | None = None, first_exponent: int = 0
    ) -> U64:
        return self._scale_powers("g2", 16, points, start, first_exponent)

    def wipe(self) -> None:
        if self._open:
            self._open = False
            self._engine._ffi.release(self._handle)

    def __enter__(self) -> NativeSecretScalar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()
