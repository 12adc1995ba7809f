"""Writes Groth16 keys as snarkjs does: ``.zkey`` from a layout and the points of a setup.

This module must not know how the points were made, nor whether anybody may trust them.

The format is described in :mod:`zkrollup.formats.zkey`. Sections stand in snarkjs's order (1, 2, 4, 3, 9, 8,
5, 6, 7, 10) and the entries of section 4 row by row, those of A before those of B, so that a key made
from the same powers of tau has the same bytes as snarkjs's. Everything is written in pieces: beside the
points that the caller has, a few MiB are needed, and the coefficients of one instance where a template has
several.

Reference: snarkjs 0.7, src/zkey_new.js.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zkrollup.bn254.fields import FQ_MODULUS, FR_MODULUS
from zkrollup.engine.convert import fr_from_ints
from zkrollup.engine.file_arrays import ZKEY_ENTRY as ENTRY
from zkrollup.engine.interface import U32, U64, Block, Engine, Layout, SetupResult

from .binfile import BinFileWriter, SectionWriter
from .contributions import Contribution, write_contributions

__all__ = ["MAX_DOMAIN", "write_zkey"]

MAX_DOMAIN = 1 << 27
"""The quotient needs roots of unity of twice the size, and 2^28 is the largest."""

_CHUNK = 1 << 16  # entries or points made at a time
Entries = npt.NDArray[Any]


def write_zkey(
    path: str | os.PathLike[str],
    layout: Layout,
    points: SetupResult,
    engine: Engine,
    *,
    circuit_hash: bytes = bytes(64),
    contributions: Sequence[Contribution] = (),
) -> None:
    """Writes the key; the file appears complete under its name, or not at all.

    Arguments: ``points`` of a setup for ``layout``, affine Montgomery, as :class:`SetupResult` says;
    ``circuit_hash``: the 64 bytes that bind contributions to a circuit (zeros: a key without a ceremony);
    ``contributions``: who changed delta since, in order. Without any the key is one party's, and readers
    mark it insecure. Raises ValueError when the points do not fit the layout, and OSError.
    """
    _check(layout, points)
    wires, public = layout.num_columns, layout.num_public
    with BinFileWriter(path, b"zkey", 1) as out:
        with out.section(1) as section:
            section.u32(1)
        with out.section(2) as section:
            for modulus in (FQ_MODULUS, FR_MODULUS):
                section.u32(32)
                section.integer(modulus)
            for count in (wires, public, layout.domain_size):
                section.u32(count)
            for point in (points.alpha1, points.beta1, points.beta2):
                section.array(point)
            for point in (points.gamma2, points.delta1, points.delta2):
                section.array(point)
        with out.section(4) as section:
            _write_entries(section, layout, engine)
        for number, array in ((3, points.ic), (9, points.h), (8, points.l), (5, points.a)):
            with out.section(number) as section:
                section.array(array)
        for number, array in ((6, points.b1), (7, points.b2)):
            with out.section(number) as section:
                _write_scattered(section, array, points.b_columns, wires)
        with out.section(10) as section:
            write_contributions(section, circuit_hash, tuple(contributions))


def _check(layout: Layout, points: SetupResult) -> None:
    wires, public, finite = layout.num_columns, layout.num_public, len(points.b_columns)
    for name, shape in (
        ("alpha1", (8,)),
        ("beta1", (8,)),
        ("delta1", (8,)),
        ("beta2", (16,)),
        ("gamma2", (16,)),
        ("delta2", (16,)),
        ("ic", (public + 1, 8)),
        ("a", (wires, 8)),
        ("b1", (finite, 8)),
        ("b2", (finite, 16)),
        ("l", (wires - public - 1, 8)),
        ("h", (layout.domain_size, 8)),
    ):
        array = getattr(points, name)
        if array.dtype != np.uint64 or array.shape != shape:
            raise ValueError(
                f"zkey: {name}: expected uint64 of shape {shape}, got {array.dtype} {array.shape}"
            )
    columns = points.b_columns
    if finite and (np.any(columns[1:] <= columns[:-1]) or int(columns[-1]) >= wires):
        raise ValueError(f"zkey: b_columns: expected ascending columns below {wires}")
    if layout.domain_size > MAX_DOMAIN:
        raise ValueError(f"zkey: {layout.num_rows} rows need a domain above {MAX_DOMAIN}")


def _write_scattered(section: SectionWriter, points: U64, columns: U32, wires: int) -> None:
    """A point for each wire: ``points`` at their columns, infinity elsewhere."""
    for begin in range(0, wires, _CHUNK):
        end = min(begin + _CHUNK, wires)
        low, high = np.searchsorted(columns, [begin, end]).tolist()
        piece = np.zeros((end - begin, points.shape[1]), dtype=np.uint64)
        piece[columns[low:high] - np.uint32(begin)] = points[low:high]
        section.array(piece)


def _write_entries(section: SectionWriter, layout: Layout, engine: Engine) -> None:
    count = sum(block.instances * (len(block.a.cols) + len(block.b.cols)) for block in layout.blocks)
    count += layout.num_public + 1
    if count >= 1 << 32:
        raise ValueError(f"zkey: {count} coefficients in A and B, expected fewer than 2^32")
    section.u32(count)
    for block in layout.blocks:
        # Montgomery once more is the x 2^512 that the file has.
        values = engine.fr_to_mont(np.ascontiguousarray(block.constants))
        pieces: Iterable[Entries] = _pieces(block, values)
        if block.instances > 1:
            pieces = list(pieces)
        own = np.arange(block.num_own, dtype=np.uint32)
        for instance in range(block.instances):
            columns = np.concatenate(
                [block.links[instance], own + np.uint32(block.own_base + instance * block.num_own)]
            )
            for piece in pieces:
                section.array(_placed(piece, columns, block.row_base + instance * block.num_rows))
    public = np.zeros(layout.num_public + 1, dtype=ENTRY)
    public["column"] = np.arange(layout.num_public + 1)
    public["row"] = layout.num_rows + public["column"]
    public["value"] = engine.fr_to_mont(fr_from_ints([1 << 256]))
    section.array(public)


def _pieces(block: Block, values: U64) -> Iterator[Entries]:
    """A template's entries in runs of rows, with local rows and columns."""
    spans = [matrix.indptr.astype(np.int64) for matrix in (block.a, block.b)]
    total = spans[0] + spans[1]
    begin = 0
    while begin < block.num_rows:
        end = max(begin + 1, int(np.searchsorted(total, total[begin] + _CHUNK, side="right")) - 1)
        out = np.empty(int(total[end] - total[begin]), dtype=ENTRY)
        for which, (matrix, span) in enumerate(zip((block.a, block.b), spans, strict=True)):
            low, high = int(span[begin]), int(span[end])
            rows = np.repeat(np.arange(begin, end), np.diff(span[begin : end + 1]))
            # Before an entry of A stand B's of earlier rows; before one of B, A's of its own row too.
            place = np.arange(low, high) - low + (spans[1 - which][rows + which] - spans[1 - which][begin])
            out["matrix"][place] = which
            out["row"][place] = rows
            out["column"][place] = matrix.cols[low:high]
            out["value"][place] = values[matrix.coefs[low:high]]
        yield out
        begin = end


def _placed(piece: Entries, columns: U32, first_row: int) -> Entries:
    """The entries of one instance, with the file's rows and wires."""
    out = piece.copy()
    out["row"] += np.uint32(first_row)
    out["column"] = columns[piece["column"]]
    return out
