"""Bytes of files, read by C and by numpy: the same matrices, and the same words about damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zkrollup.engine import available_cpu_paths, file_arrays, get_engine
from zkrollup.engine.convert import FR_MODULUS as R
from zkrollup.engine.convert import fr_from_ints, ints_from_limbs
from zkrollup.engine.file_arrays import ZKEY_ENTRY, FileFault
from zkrollup.engine.interface import EngineError, Matrix

pytestmark = pytest.mark.skipif(not available_cpu_paths(), reason="the native engine was not built")

ABSURD = (0, 1, 2, 7, 1 << 31, (1 << 32) - 1)


@pytest.fixture(scope="module", params=available_cpu_paths() or ["none"])
def native(request: pytest.FixtureRequest) -> Any:
    return get_engine("native", cpu=request.param, threads=3)


def anywhere(data: bytes) -> Any:
    """The bytes at an odd address."""
    return np.frombuffer(b"\0" + data, dtype=np.uint8)[1:]


def said(read: Callable[[], Any]) -> Any:
    """What comes of reading: matrices and constants flattened, or the fault's words."""
    try:
        result = read()
    except FileFault as fault:
        return fault.field, str(fault.found), str(fault.expected)
    parts = (
        list(result) if isinstance(result, tuple) else [result.num_rows, result.a, result.b, result.constants]
    )
    flat: list[Any] = []
    for part in parts:
        flat += [part.indptr, part.cols, part.coefs] if isinstance(part, Matrix) else [part]
    return [x.tolist() if isinstance(x, np.ndarray) else x for x in flat]


# -- .zkey -----------------------------------------------------------------------------------------


def some_entries(
    draw: np.random.Generator, count: int, distinct: int, ascending: bool
) -> tuple[Any, int, int]:
    """Entries of a key with 3 public columns, and its numbers of rows and columns."""
    rows, columns = int(draw.integers(1, count + 2)), int(draw.integers(4, 40))
    pool = fr_from_ints(
        [0, 1 << 512, -1 << 512, *(int.from_bytes(draw.bytes(40), "little") for _ in range(distinct))]
    )
    entries = np.zeros(count + 4, dtype=ZKEY_ENTRY)
    body = entries[:count]
    body["matrix"] = draw.integers(0, 2, count)
    body["row"] = np.sort(draw.integers(0, rows, count)) if ascending else draw.integers(0, rows, count)
    body["column"] = draw.integers(0, columns, count)
    body["value"] = pool[draw.integers(0, len(pool), count)]
    entries["column"][count:] = np.arange(4)
    entries["row"][count:] = rows + np.arange(4)
    entries["value"][count:] = pool[1]
    return entries, rows, columns


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize(
    ("count", "distinct"), [(0, 1), (1, 1), (50, 3), (3000, 9000), (300_000, 50), (200_000, 60_000)]
)
def test_zkey_entries__c_and_numpy_sort_alike(
    native: Any, count: int, distinct: int, ascending: bool
) -> None:
    """300,000 entries are read in three parts, whose values are numbered apart and then together."""
    draw = np.random.default_rng(count)
    entries, rows, columns = some_entries(draw, count, distinct, ascending)
    data = anywhere(entries.tobytes())
    ours, twins = (
        read(data, 1 << 19, columns, 3) for read in (native.zkey_entries, file_arrays.zkey_entries)
    )
    assert ours.num_rows == twins.num_rows == rows
    for name in ("a", "b"):
        for part in ("indptr", "cols", "coefs"):
            one, two = (getattr(getattr(x, name), part) for x in (ours, twins))
            assert np.array_equal(one, two), f"{name}.{part}"
            assert one.dtype == np.uint32
    assert np.array_equal(ours.constants, twins.constants)
    assert ints_from_limbs(ours.constants[:3]) == [0, (1 << 256) % R, (-1 << 256) % R]


def test_zkey_entries__all_of_a_before_all_of_b_is_as_good_an_order(native: Any) -> None:
    entries, rows, columns = some_entries(np.random.default_rng(8), 200_000, 9, ascending=True)
    by_matrix = entries[np.argsort(entries["matrix"], kind="stable")]
    one, two = (native.zkey_entries(anywhere(x.tobytes()), 1 << 19, columns, 3) for x in (entries, by_matrix))
    for name in ("a", "b"):
        assert np.array_equal(getattr(one, name).indptr, getattr(two, name).indptr)
        assert np.array_equal(getattr(one, name).cols, getattr(two, name).cols)
    assert one.num_rows == rows


@pytest.mark.parametrize("count", [40, 150_000])
def test_zkey_entries__damaged_ones_are_refused_in_the_same_words(native: Any, count: int) -> None:
    draw = np.random.default_rng(5)
    good, rows, columns = some_entries(draw, count, 5, ascending=True)
    seen = set()
    for _ in range(400 if count < 100 else 12):
        entries = good.copy()
        for _ in range(int(draw.integers(1, 3))):
            field = draw.choice(["matrix", "row", "column", "value"])
            at = (
                int(draw.integers(0, len(entries)))
                if draw.integers(0, 3)
                else len(entries) - int(draw.integers(1, 5))
            )
            if field == "value":
                value = int(draw.choice([0, 1, 2])) or (R, R - 1, (1 << 256) - 1)[int(draw.integers(0, 3))]
                entries[field][at] = [value >> 64 * i & (1 << 64) - 1 for i in range(4)]
            else:
                entries[field][at] = draw.choice([*ABSURD, rows, columns])
        data = anywhere(entries.tobytes())
        ours = said(lambda data=data: native.zkey_entries(data, rows + 4, columns, 3))
        assert ours == said(lambda data=data: file_arrays.zkey_entries(data, rows + 4, columns, 3))
        seen.add(ours[0].split(" of ")[0] if isinstance(ours, tuple) else "read")
    if count < 100:
        assert seen == {"matrix", "row", "column", "value", "last rows", "read"}


def test_zkey_entries__sizes_that_cannot_be_are_refused_by_both(native: Any) -> None:
    good, rows, columns = some_entries(np.random.default_rng(5), 30, 5, ascending=True)
    data = np.frombuffer(good.tobytes(), dtype=np.uint8)
    for read in (native.zkey_entries, file_arrays.zkey_entries):
        for sizes in ((0, columns, 3), (rows + 4, 0, 3), (rows + 4, 3, 3), (1 << 32, columns, 3), (-1, 4, 3)):
            with pytest.raises(EngineError, match="zkey_entries: "):
                read(data, *sizes)
        with pytest.raises(EngineError, match="multiple of 44 bytes"):
            read(data[:-1], rows + 4, columns, 3)


# -- .r1cs -----------------------------------------------------------------------------------------


def some_terms(draw: np.random.Generator, rows: int, distinct: int) -> tuple[bytes, int]:
    """Constraints as a file has them, and the number of columns."""
    columns = int(draw.integers(1, 50))
    pool = [0, 1, R - 1, *(int.from_bytes(draw.bytes(32), "little") % R for _ in range(distinct))]
    packed = [x.to_bytes(32, "little") for x in pool]
    pieces = []
    for count in draw.integers(0, 4, 3 * rows).tolist():
        pieces.append(count.to_bytes(4, "little"))
        for column, which in draw.integers(0, 1 << 30, (count, 2)).tolist():
            pieces.append((column % columns).to_bytes(4, "little") + packed[which % len(packed)])
    return b"".join(pieces), columns


@pytest.mark.parametrize(("rows", "distinct"), [(0, 1), (1, 1), (40, 3), (3000, 9000), (60_000, 20)])
def test_r1cs_terms__c_and_numpy_read_alike(native: Any, rows: int, distinct: int) -> None:
    data, columns = some_terms(np.random.default_rng(rows), rows, distinct)
    ours, twins = (
        read(anywhere(data), rows, columns) for read in (native.r1cs_terms, file_arrays.r1cs_terms)
    )
    for one, two in zip(ours[:3], twins[:3], strict=True):
        for part in ("indptr", "cols", "coefs"):
            assert np.array_equal(getattr(one, part), getattr(two, part)), part
    assert np.array_equal(ours[3], twins[3])
    assert ints_from_limbs(ours[3][:3]) == [0, 1, R - 1]


def test_r1cs_terms__damaged_ones_are_refused_in_the_same_words(native: Any) -> None:
    draw = np.random.default_rng(6)
    rows = 6
    good, columns = some_terms(draw, rows, 4)
    seen = set()
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(int(draw.integers(1, 3))):
            at = 4 * int(draw.integers(0, len(data) // 4))
            kind = draw.integers(0, 5)
            if kind == 0:
                data[at : at + 4] = int(draw.choice(ABSURD)).to_bytes(4, "little")
            elif kind == 1:
                data[at] = int(draw.integers(0, 256))
            elif kind == 2 and len(data) > 12 * rows + 40:
                del data[-int(draw.integers(1, 40)) :]
            elif kind == 3:
                data += bytes(int(draw.integers(1, 9)))
            else:
                data[at : at + 32] = b"\xff" * len(data[at : at + 32])
        seen_by = [
            said(lambda read=read, data=bytes(data): read(anywhere(data), rows, columns))
            for read in (native.r1cs_terms, file_arrays.r1cs_terms)
        ]
        assert seen_by[0] == seen_by[1]
        seen.add(seen_by[0][0].split(", ")[-1] if isinstance(seen_by[0], tuple) else "read")
    assert seen == {"number of terms", "wire", "coefficient", "end", "read"}


def test_r1cs_terms__sizes_that_cannot_be_are_refused_by_both(native: Any) -> None:
    data = np.zeros(36, dtype=np.uint8)
    for read in (native.r1cs_terms, file_arrays.r1cs_terms):
        for sizes in ((4, 5), (-1, 5), (3, 0), (3, 1 << 32)):
            with pytest.raises(EngineError, match="r1cs_terms: "):
                read(data, *sizes)


# -- scalars ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 7, 8, 2049, 70_000])
def test_fr_from_bytes__is_the_montgomery_form_of_what_the_bytes_say(native: Any, count: int) -> None:
    draw = np.random.default_rng(count)
    values = fr_from_ints(
        [0, 1, R - 1, *(int.from_bytes(draw.bytes(32), "little") for _ in range(count))][:count]
    )
    assert np.array_equal(native.fr_from_bytes(anywhere(values.tobytes())), native.fr_to_mont(values))
    assert np.array_equal(file_arrays.scalars(anywhere(values.tobytes())), values)


def test_fr_from_bytes__names_the_first_value_that_is_too_large(native: Any) -> None:
    values = fr_from_ints(range(9000))
    for at in (8999, 5000, 0):
        values[at] = [R >> 64 * i & (1 << 64) - 1 for i in range(4)]
        for read in (native.fr_from_bytes, file_arrays.scalars):
            with pytest.raises(FileFault, match=f"value {at}: found {R}, expected a field element below r"):
                read(anywhere(values.tobytes()))
    with pytest.raises(EngineError, match="multiple of 32 bytes"):
        native.fr_from_bytes(np.zeros(33, dtype=np.uint8))
