"""The native engine on bytes of files: coefficients become sparse matrices, scalars Montgomery vectors.

Must not know the files around these bytes. :mod:`zkrollup.engine.file_arrays` is the slow twin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zkrollup.engine import file_arrays as twin
from zkrollup.engine.file_arrays import U8, FileFault
from zkrollup.engine.interface import U32, U64, EngineError, Matrix, ZkeyEntries
from zkrollup.engine.native_base import NativeBase

__all__ = ["FilesMixin"]

_ROOM = 1 << 12  # constants for which there is room at first; most circuits have fewer


class FilesMixin(NativeBase):
    """Readers of mapped bytes, at any address."""

    def _words(self, count: int) -> U32:
        return np.empty(count, dtype=np.uint32)

    def _bytes(self, what: str, data: Any, width: int) -> int:
        """How many items of ``width`` bytes there are; EngineError where they do not fill the array."""
        self._check(f"{what}: data", data, (None,), np.uint8)
        if len(data) % width:
            raise EngineError(f"{what}: data: expected a multiple of {width} bytes, got {len(data)}")
        return len(data) // width

    def fr_from_bytes(self, data: U8) -> U64:
        """As :class:`zkrollup.engine.interface.Engine` says."""
        out = self._empty(self._bytes("fr_from_bytes", data, 32), 4)
        bad = self._ffi.new("size_t *")
        status = self._lib.zkr_fr_from_bytes(
            self._handle, self._out(out), self._in(data, "uint8_t"), len(out), bad
        )
        if status == self._lib.ZKR_NOTCANONICAL:
            at = int(bad[0])
            value = int.from_bytes(data[32 * at : 32 * at + 32].tobytes(), "little")
            raise FileFault(f"value {at}", value, "a field element below r")
        self._ok("fr_from_bytes", status)
        return out

    def zkey_entries(self, data: U8, domain: int, columns: int, num_public: int) -> ZkeyEntries:
        """As :class:`zkrollup.engine.interface.Engine` says."""
        what = "zkey_entries"
        count = self._bytes(what, data, twin.ZKEY_ENTRY.itemsize)
        twin.check_sizes(what, domain=domain, columns=columns, num_public=num_public)
        indptr_a, indptr_b = self._words(domain + 1), self._words(domain + 1)
        cols, coefs = self._words(count), self._words(count)
        out, fault = self._ffi.new("zkr_zkey_entries *"), self._ffi.new("zkr_file_fault *")
        out.indptr_a, out.indptr_b = self._out(indptr_a, "uint32_t"), self._out(indptr_b, "uint32_t")
        out.cols, out.coefs = self._out(cols, "uint32_t"), self._out(coefs, "uint32_t")
        status, room = self._lib.ZKR_TOO_MANY, _ROOM
        while status == self._lib.ZKR_TOO_MANY:
            constants = self._empty(room, 4)
            out.constants, out.max_constants = self._out(constants), room
            status = self._lib.zkr_zkey_read_entries(
                self._handle, out, self._in(data, "uint8_t"), count, domain, columns, num_public, fault
            )
            room = out.num_constants
        if status == self._lib.ZKR_BADARGS and fault.kind:
            raise self._entry_fault(data, fault, domain, columns, num_public)
        self._ok(what, status)
        rows, num_a = out.num_rows, out.num_a
        b = slice(out.begin_b, out.begin_b + out.num_b)
        return ZkeyEntries(
            rows,
            Matrix(indptr_a[: rows + 1], cols[:num_a], coefs[:num_a]),
            Matrix(indptr_b[: rows + 1], cols[b], coefs[b]),
            constants[: out.num_constants].copy(),
        )

    def _entry_fault(self, data: U8, fault: Any, domain: int, columns: int, num_public: int) -> FileFault:
        at = int(fault.index)
        if fault.kind == self._lib.ZKR_FILE_PUBLIC:
            return twin.public_fault(num_public)
        if fault.kind == self._lib.ZKR_FILE_VALUE:
            return twin.value_fault(at)
        matrix, row, column = data[44 * at : 44 * at + 12].view("<u4").tolist()
        return twin.entry_fault(matrix, row, column, at, domain, columns)

    def r1cs_terms(self, data: U8, rows: int, columns: int) -> tuple[Matrix, Matrix, Matrix, U64]:
        """As :class:`zkrollup.engine.interface.Engine` says."""
        what = "r1cs_terms"
        self._check(f"{what}: data", data, (None,), np.uint8)
        twin.check_sizes(what, rows=rows, columns=columns)
        if 12 * rows > len(data):
            raise EngineError(f"{what}: {len(data)} bytes cannot hold {rows} constraints")
        lib, fault = self._lib, self._ffi.new("zkr_file_fault *")
        source = self._in(data, "uint8_t")
        indptr = [self._words(rows + 1) for _ in range(3)]
        pointers = self._ffi.new("uint32_t *[3]", [self._out(x, "uint32_t") for x in indptr])
        status = lib.zkr_r1cs_walk(pointers, source, len(data), rows, fault)
        if status == lib.ZKR_BADARGS and fault.kind:
            raise self._terms_fault(data, fault, rows, columns)
        self._ok(what, status)

        counts = [int(x[-1]) for x in indptr]
        cols, coefs = ([self._words(n) for n in counts] for _ in range(2))
        out = self._ffi.new("zkr_r1cs_terms *")
        for m in range(3):
            out.indptr[m], out.room[m] = pointers[m], counts[m]
            out.cols[m], out.coefs[m] = self._out(cols[m], "uint32_t"), self._out(coefs[m], "uint32_t")
        status, room = lib.ZKR_TOO_MANY, _ROOM
        while status == lib.ZKR_TOO_MANY:
            constants = self._empty(room, 4)
            out.constants, out.max_constants = self._out(constants), room
            status = lib.zkr_r1cs_read_terms(self._handle, out, source, len(data), rows, columns, fault)
            room = out.num_constants
        if status == lib.ZKR_BADARGS and fault.kind:
            raise self._terms_fault(data, fault, rows, columns)
        self._ok(what, status)
        a, b, c = (Matrix(indptr[m], cols[m], coefs[m]) for m in range(3))
        return a, b, c, constants[: out.num_constants].copy()

    def _terms_fault(self, data: U8, fault: Any, rows: int, columns: int) -> FileFault:
        kind, at, found = fault.kind, int(fault.index), int(fault.found)
        if kind == self._lib.ZKR_FILE_TERMS:
            return twin.terms_fault(at, found, rows)
        if kind == self._lib.ZKR_FILE_END:
            return twin.end_fault(found, rows)
        if kind == self._lib.ZKR_FILE_TOTAL:
            return twin.total_fault(found)
        if kind == self._lib.ZKR_FILE_COLUMN:
            return twin.column_fault(at, found, columns)
        value = int.from_bytes(data[found : found + 32].tobytes(), "little")
        return twin.coefficient_fault(at, value)
