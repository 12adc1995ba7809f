"""The bytes of coefficients in files become sparse matrices, in numpy: what the C core does, slower.

This module must not know the files around these bytes, nor how a path or a section is named.

Both engines number constants alike: 0, 1, -1, then the others in the order of their first appearance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .convert import FR_MODULUS, fr_from_ints, ints_from_limbs
from .interface import U32, U64, EngineError, Matrix, ZkeyEntries

__all__ = [
    "FileFault",
    "TERM_WORDS",
    "U8",
    "ZKEY_ENTRY",
    "check_sizes",
    "coefficient_fault",
    "column_fault",
    "end_fault",
    "entry_fault",
    "first_not_canonical",
    "public_fault",
    "r1cs_combination",
    "r1cs_terms",
    "scalars",
    "terms_fault",
    "total_fault",
    "value_fault",
    "zkey_entries",
]

U8 = npt.NDArray[np.uint8]

ZKEY_ENTRY = np.dtype([("matrix", "<u4"), ("row", "<u4"), ("column", "<u4"), ("value", "<u8", (4,))])
"""One coefficient of a .zkey; its value is times 2^512 modulo r."""

TERM_WORDS = 9
"""A term of an .r1cs: the column and eight 32-bit words of its coefficient."""

_CHUNK = 1 << 18  # terms gathered at a time: 9 MiB
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
_LIMBS = [FR_MODULUS >> (64 * i) & (2**64 - 1) for i in range(4)]


class FileFault(EngineError):
    """Bytes of a file that cannot be: which ``field``, what was ``found`` there and what ``expected``."""

    def __init__(self, field: str, found: object, expected: object) -> None:
        super().__init__(f"{field}: found {found}, expected {expected}")
        self.field, self.found, self.expected = field, found, expected


def first_not_canonical(values: U64) -> int | None:
    """``(n, 4)`` limbs -> the index of the first value >= r, or None."""
    suspects: npt.NDArray[np.int64] = np.flatnonzero(values[:, 3] >= np.uint64(_LIMBS[3]))
    if not len(suspects):
        return None
    rows = values[suspects]
    below = np.zeros(len(rows), dtype=np.bool_)
    for limb, bound in enumerate(_LIMBS):  # the most significant limb has the last word
        column = rows[:, limb]
        below = (column < np.uint64(bound)) | ((column == np.uint64(bound)) & below)
    bad = suspects[~below]
    return int(bad[0]) if len(bad) else None


class _Distinct:
    """Numbers values in the order of their first appearance: a circuit has few among millions."""

    def __init__(self, known: U64) -> None:
        self._number = {data: i for i, data in enumerate(_rows(known))}

    def numbers(self, values: U64) -> U32:
        """``(n, 4)`` limbs -> their numbers. Sorts by a hash, then compares in full."""
        with np.errstate(over="ignore"):
            key = values @ _MIX
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        if not np.array_equal(values[first][inverse], values):  # somebody made hashes collide
            _, first, inverse = np.unique(values, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)
        numbers = np.empty(len(first), dtype=np.uint32)
        known = self._number
        numbers[order] = [known.setdefault(data, len(known)) for data in _rows(values[first[order]])]
        return numbers[inverse.reshape(-1)]

    def values(self) -> U64:
        """``(k, 4)`` limbs in the order of their numbers."""
        return np.frombuffer(b"".join(self._number), dtype="<u8").astype(np.uint64).reshape(-1, 4)


def _rows(values: U64) -> list[bytes]:
    data = np.ascontiguousarray(values).astype("<u8", copy=False).tobytes()
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def check_sizes(what: str, **sizes: int) -> None:
    """Raises EngineError unless every size is an integer of 32 bits (and there is a column, a domain)."""
    for name, value in sizes.items():
        least = 0 if name in ("rows", "num_public") else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 1 << 32:
            raise EngineError(f"{what}: {name}: expected an integer in {least}..2^32-1, got {value!r}")
    if sizes.get("num_public", -1) >= sizes["columns"]:
        raise EngineError(f"{what}: num_public: expected fewer than the {sizes['columns']} columns")


# -- .zkey -----------------------------------------------------------------------------------------


def entry_fault(matrix: int, row: int, column: int, at: int, domain: int, columns: int) -> FileFault:
    """What is wrong with the indices of entry ``at``: the first of them that is out of range."""
    fields = (("matrix", matrix, 2), ("row", row, domain), ("column", column, columns))
    name, found, limit = next(field for field in fields if field[1] >= field[2])
    return FileFault(f"{name} of entry {at}", found, f"below {limit}")


def value_fault(at: int) -> FileFault:
    """The value of entry ``at`` is r or more."""
    return FileFault(f"value of entry {at}", "a number not below r", "a field element")


def public_fault(num_public: int) -> FileFault:
    """The last rows are not those of the public columns."""
    return FileFault("last rows", "others", f"{num_public + 1} rows of A, each with 1 at its own public wire")


def zkey_entries(data: U8, domain: int, columns: int, num_public: int) -> ZkeyEntries:
    """As ``Engine.zkey_entries`` says."""
    check_sizes("zkey_entries", domain=domain, columns=columns, num_public=num_public)
    if data.dtype != np.uint8 or data.ndim != 1 or len(data) % ZKEY_ENTRY.itemsize:
        raise EngineError(f"zkey_entries: data: expected uint8, a multiple of {ZKEY_ENTRY.itemsize} bytes")
    entries = data.view(ZKEY_ENTRY)
    # Copied column by column: each is contiguous and aligned from here on.
    matrix, rows, cols = (np.array(entries[name]) for name in ("matrix", "row", "column"))
    wrong = np.flatnonzero((matrix >= 2) | (rows >= domain) | (cols >= columns))
    if len(wrong):
        at = int(wrong[0])
        raise entry_fault(int(matrix[at]), int(rows[at]), int(cols[at]), at, domain, columns)
    num_rows = (int(rows.max()) if len(rows) else 0) - num_public
    if num_rows < 0 or not len(rows):
        raise public_fault(num_public)
    table = _Distinct(fr_from_ints([0, 1 << 512, -1 << 512]))
    coefs = table.numbers(np.ascontiguousarray(entries["value"], dtype=np.uint64))
    values = table.values()
    bad = first_not_canonical(values)
    if bad is not None:
        raise value_fault(int(np.flatnonzero(coefs == bad)[0]))
    last = rows.astype(np.int64) >= num_rows
    identity = np.arange(num_public + 1)
    if not (
        np.count_nonzero(last) == num_public + 1
        and not matrix[last].any()
        and np.array_equal(np.sort(cols[last]), identity)
        and np.array_equal(rows[last], cols[last] + num_rows)
        and (coefs[last] == 1).all()
    ):
        raise public_fault(num_public)
    a, b = (
        _csr(rows[chosen], cols[chosen], coefs[chosen], num_rows)
        for chosen in (~last & (matrix == 0), ~last & (matrix == 1))
    )
    unscale = pow(1 << 256, -1, FR_MODULUS)
    return ZkeyEntries(num_rows, a, b, fr_from_ints([x * unscale for x in ints_from_limbs(values)]))


def _csr(rows: U32, cols: U32, coefs: U32, num_rows: int) -> Matrix:
    """Entries of one row keep their order."""
    if np.any(rows[1:] < rows[:-1]):
        order = np.argsort(rows, kind="stable")
        rows, cols, coefs = rows[order], cols[order], coefs[order]
    indptr = np.zeros(num_rows + 1, dtype=np.uint32)
    indptr[1:] = np.cumsum(np.bincount(rows, minlength=num_rows))
    return Matrix(indptr, np.ascontiguousarray(cols), np.ascontiguousarray(coefs))


def scalars(data: U8) -> U64:
    """``Engine.fr_from_bytes`` without the change of form: canonical limbs, aligned."""
    if data.dtype != np.uint8 or data.ndim != 1 or len(data) % 32:
        raise EngineError("fr_from_bytes: data: expected uint8, a multiple of 32 bytes")
    values = np.array(data.view("<u8").reshape(-1, 4), dtype=np.uint64, order="C")
    bad = first_not_canonical(values)
    if bad is not None:
        raise FileFault(f"value {bad}", ints_from_limbs(values[bad : bad + 1])[0], "a field element below r")
    return values


# -- .r1cs -----------------------------------------------------------------------------------------


def r1cs_combination(number: int) -> str:
    """How errors name a linear combination."""
    return f"constraint {number // 3}, {'ABC'[number % 3]}"


def terms_fault(number: int, found: int, rows: int) -> FileFault:
    """Combination ``number`` says that it has more terms than fit."""
    more = "" if number == 3 * rows - 1 else " and what follows"
    return FileFault(f"{r1cs_combination(number)}, number of terms", found, f"the section to hold it{more}")


def end_fault(left: int, rows: int) -> FileFault:
    """Bytes after the last constraint."""
    if not rows:
        return FileFault("end", f"{left} bytes", "none, for no constraints")
    return FileFault("end", f"{left} more bytes", f"{rows} constraints to fill it")


def total_fault(terms: int) -> FileFault:
    """More terms than an index can say."""
    return FileFault("terms", terms, "less than 2^32")


def column_fault(number: int, found: int, columns: int) -> FileFault:
    """A term's column is out of range."""
    return FileFault(f"{r1cs_combination(number)}, wire", found, f"below {columns}")


def coefficient_fault(number: int, found: int) -> FileFault:
    """A term's coefficient is r or more."""
    return FileFault(f"{r1cs_combination(number)}, coefficient", found, "a field element below r")


def r1cs_terms(data: U8, rows: int, columns: int) -> tuple[Matrix, Matrix, Matrix, U64]:
    """As ``Engine.r1cs_terms`` says.

    Term k of all, in linear combination j, begins at word 9 k + j + 1: one walk along the counts tells
    where everything is, and numpy gathers it.
    """
    check_sizes("r1cs_terms", rows=rows, columns=columns)
    if data.dtype != np.uint8 or data.ndim != 1 or 12 * rows > len(data):
        raise EngineError(
            f"r1cs_terms: data: expected uint8, at least 12 bytes for each of {rows} constraints"
        )
    counts = _walk(data, rows)
    terms = int(counts.sum(dtype=np.int64))
    if terms >= 1 << 32:
        raise total_fault(terms)
    words = data[: len(data) // 4 * 4].view("<u4")
    combination = np.repeat(np.arange(3 * rows, dtype=np.uint32), counts)
    cols = np.empty(terms, dtype=np.uint32)
    coefs = np.empty(terms, dtype=np.uint32)
    table = _Distinct(fr_from_ints([0, 1, -1]))
    windows = np.lib.stride_tricks.sliding_window_view(words, TERM_WORDS) if terms else words
    for begin in range(0, terms, _CHUNK):
        end = min(begin + _CHUNK, terms)
        gathered = windows[TERM_WORDS * np.arange(begin, end, dtype=np.int64) + combination[begin:end] + 1]
        cols[begin:end] = gathered[:, 0]
        limbs = np.ascontiguousarray(gathered[:, 1:], dtype="<u4").view("<u8").astype(np.uint64, copy=False)
        coefs[begin:end] = table.numbers(limbs)
    wrong = np.flatnonzero(cols >= columns)
    if len(wrong):
        at = int(wrong[0])
        raise column_fault(int(combination[at]), int(cols[at]), columns)
    constants = table.values()
    bad = first_not_canonical(constants)
    if bad is not None:
        at = int(np.flatnonzero(coefs == bad)[0])
        raise coefficient_fault(int(combination[at]), ints_from_limbs(constants[bad : bad + 1])[0])
    side = combination % np.uint32(3)
    matrices = []
    for which in range(3):
        mine = side == which
        indptr = np.zeros(rows + 1, dtype=np.uint32)
        np.cumsum(counts[which::3], out=indptr[1:])
        matrices.append(Matrix(indptr, cols[mine], coefs[mine]))
    a, b, c = matrices
    return a, b, c, constants


def _walk(data: U8, rows: int) -> npt.NDArray[np.int64]:
    """The number of terms of each of the 3 * rows linear combinations, which fill ``data`` exactly.

    One step a combination: where the next begins is known only from the count of this one.
    """
    cells = data[: len(data) // 4 * 4].data.cast("I")
    counts: list[int] = []
    place = 0
    for number in range(3 * rows):
        if place >= len(cells):
            raise terms_fault(number - 1, counts[-1], rows)
        count = cells[place]
        if 36 * count > len(data) - 4 * place - 4:
            raise terms_fault(number, count, rows)
        counts.append(count)
        place += 1 + TERM_WORDS * count
    if 4 * place < len(data):
        raise end_fault(len(data) - 4 * place, rows)
    return np.array(counts, dtype=np.int64)
