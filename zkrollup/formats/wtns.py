"""circom's witness file ``.wtns``: the values of all wires, the constant one first.

This module must not know the circuit that the witness is meant for.

Section 1: size of an element (4), the prime, number of values (4). Section 2: the values, canonical.

Reference: iden3/snarkjs, src/wtns_utils.js.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.engine.file_arrays import FileFault
from zkrollup.engine.interface import U64, Engine

from .binfile import BinFile, BinFileWriter, Reader
from .scalars import check_field, first_not_canonical

__all__ = ["WtnsFile"]

_KIND, _VERSION = b"wtns", 2
_HEADER, _VALUES = 1, 2


@dataclass(frozen=True, eq=False)
class WtnsFile:
    """A witness: ``values`` has shape (n, 4), canonical; value 0 is the constant one."""

    values: U64

    @staticmethod
    def read_montgomery(path: str | os.PathLike[str], engine: Engine) -> U64:
        """The values in Montgomery form, (n, 4), straight from the mapped file. Raises as :meth:`read`."""
        body, count = _open(path)
        data = body.view("values", 32 * count)
        body.finish()
        first = int.from_bytes(data[:32].tobytes(), "little")
        if first != 1:
            raise body.error("value 0", first, "the constant one")
        try:
            return engine.fr_from_bytes(data)
        except FileFault as fault:
            raise body.error(fault.field, fault.found, fault.expected) from None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> WtnsFile:
        """Raises FormatError when the file is damaged, of another field, or holds a value >= r."""
        body, count = _open(path)
        mapped = body.array("values", count, "<u8", width=4)
        body.finish()
        values = np.array(mapped, dtype=np.uint64, order="C")  # aligned, and nobody else's
        if values[0].tolist() != [1, 0, 0, 0]:
            raise body.error("value 0", int.from_bytes(values[0].tobytes(), "little"), "the constant one")
        bad = first_not_canonical(values)
        if bad is not None:
            value = int.from_bytes(values[bad].astype("<u8").tobytes(), "little")
            raise body.error(f"value {bad}", value, "a field element below r")
        return cls(values)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file as snarkjs reads it; ValueError for values that :meth:`read` would refuse."""
        values = self.values
        if values.dtype != np.uint64 or values.ndim != 2 or values.shape[1] != 4 or not len(values):
            raise ValueError(f"values: expected uint64 of shape (n, 4), got {values.dtype} {values.shape}")
        if values[0].tolist() != [1, 0, 0, 0]:
            raise ValueError("values: the first is not the constant one")
        bad = first_not_canonical(values)
        if bad is not None:
            raise ValueError(f"values: number {bad} is not below r")
        with BinFileWriter(path, _KIND, _VERSION) as out:
            with out.section(_HEADER) as section:
                section.u32(32)
                section.integer(FR_MODULUS)
                section.u32(len(values))
            with out.section(_VALUES) as section:
                section.array(values)


def _open(path: str | os.PathLike[str]) -> tuple[Reader, int]:
    """A cursor at the values, and how many the header says there are."""
    file = BinFile.open(path, _KIND, _VERSION)
    header = file.reader(_HEADER)
    check_field(header)
    count = header.u32("number of values")
    header.finish()
    if not count:
        raise header.error("number of values", count, "at least the constant one")
    return file.reader(_VALUES), count
