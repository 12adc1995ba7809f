"""circom's constraint file ``.r1cs``: rows (A w)(B w) = C w over wires, as sparse matrices.

This module must not know how the circuit was written.

Section 1, the header: size of an element (4), the prime, wires (4), public outputs (4), public inputs (4),
private inputs (4), labels (8), constraints (4). Section 2: for every constraint its three linear
combinations, each a number of terms (4) and that many of wire (4) and coefficient (32, canonical).
Section 3: the label of every wire (8 each). Sections 4 and 5 are for PLONK's custom gates.
Wires are ordered [1, public outputs, public inputs, private inputs, the others]; circom counts a private
input even where it simplified its wire away, so their number says little about wires.

Reference: iden3/r1csfile, doc/r1cs_bin_format.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zkrollup.bn254.fields import FR_MODULUS
from zkrollup.engine import file_arrays
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.file_arrays import FileFault
from zkrollup.engine.interface import U32, U64, Block, Engine, Layout, Matrix

from .binfile import BinFile, BinFileWriter, Reader, SectionWriter
from .scalars import check_field, first_not_canonical, montgomery

__all__ = ["R1csFile", "WireOrder", "write_layout"]

_KIND, _VERSION = b"r1cs", 1
_HEADER, _CONSTRAINTS, _LABELS, _GATES, _GATE_USES = 1, 2, 3, 4, 5
_MAX_DOMAIN = 1 << 28  # the largest power of two that divides r - 1
Run = tuple[U32, npt.NDArray[np.int64], U32]
_CHUNK = 1 << 18  # terms written at a time: 9 MiB


@dataclass(frozen=True, eq=False)
class R1csFile:
    """An R1CS of BN254 with circom's numbers of wires.

    ``a``, ``b``, ``c``: columns are wires, ``coefs`` index ``constants`` (canonical, shape (k, 4), which
    begin with 0, 1, -1). ``wire_to_label[w]`` is the signal of ``.sym`` that wire w carries.
    """

    num_wires: int
    num_public_outputs: int
    num_public_inputs: int
    num_private_inputs: int
    num_labels: int
    num_constraints: int
    a: Matrix
    b: Matrix
    c: Matrix
    constants: U64
    wire_to_label: U64

    @classmethod
    def read(cls, path: str | os.PathLike[str], engine: Engine | None = None) -> R1csFile:
        """Raises FormatError when the file is damaged, of another field, or uses custom gates.

        With an engine, large files are read by it; without one by numpy, several times slower.
        """
        file = BinFile.open(path, _KIND, _VERSION)
        for number in (_GATES, _GATE_USES):
            if number in file.sections:
                gates = file.reader(number)
                count = gates.u32("custom gates")
                if count:
                    raise gates.error("custom gates", count, "none: they belong to PLONK, not to an R1CS")
        header = file.reader(_HEADER)
        check_field(header)
        wires = header.u32("wires")
        outputs, inputs = header.u32("public outputs"), header.u32("public inputs")
        private = header.u32("private inputs")
        labels, rows = header.u64("labels"), header.u32("constraints")
        header.finish()
        if wires < 1 + outputs + inputs:
            raise header.error("wires", wires, f"at least 1 + {outputs} + {inputs}")
        if labels < 1 + outputs + inputs + private:
            raise header.error("labels", labels, f"at least 1 + {outputs} + {inputs} + {private}")
        if rows + outputs + inputs + 1 > _MAX_DOMAIN:
            raise header.error("constraints", rows, f"{_MAX_DOMAIN} at most, public wires and one included")

        reader = file.reader(_LABELS)
        wire_to_label = np.array(reader.array("labels of the wires", wires, "<u8"), dtype=np.uint64)
        reader.finish()
        wrong = np.flatnonzero(wire_to_label >= np.uint64(labels))
        if len(wrong):
            at = int(wrong[0])
            raise reader.error(f"label of wire {at}", int(wire_to_label[at]), f"below {labels}")

        a, b, c, constants = _read_constraints(file.reader(_CONSTRAINTS), rows, wires, engine)
        return cls(wires, outputs, inputs, private, labels, rows, a, b, c, constants, wire_to_label)

    @property
    def num_public(self) -> int:
        """Public outputs and public inputs, in this order wires 1 .. num_public."""
        return self.num_public_outputs + self.num_public_inputs

    def layout(self) -> Layout:
        """The rows as one block with one instance, column w being wire w.

        Links are the constant one and the public wires; the rest is the block's own, in circom's order.
        """
        links = self.num_public + 1
        block = Block(
            num_rows=self.num_constraints,
            num_links=links,
            num_own=self.num_wires - links,
            instances=1,
            a=self.a,
            b=self.b,
            c=self.c,
            constants=montgomery(ints_from_limbs(self.constants)),
            links=np.arange(links, dtype=np.uint32).reshape(1, links),
            own_base=links,
            row_base=0,
        )
        return Layout(self.num_wires, self.num_public, self.num_constraints, (block,))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file as circom does; ValueError when the parts do not fit together."""
        self._check()
        with BinFileWriter(path, _KIND, _VERSION) as out:
            # in circom's order, so that what was read from circom is written back byte for byte
            with out.section(_CONSTRAINTS) as section:
                for words, _, _ in _runs((self.a, self.b, self.c), self.constants, self.num_constraints):
                    section.array(words)
            with out.section(_HEADER) as section:
                _write_header(
                    section,
                    self.num_wires,
                    (self.num_public_outputs, self.num_public_inputs, self.num_private_inputs),
                    self.num_labels,
                    self.num_constraints,
                )
            with out.section(_LABELS) as section:
                section.array(self.wire_to_label)

    def _check(self) -> None:
        if self.num_wires < 1 + self.num_public:
            raise ValueError(f"r1cs: {self.num_wires} wires do not hold one and the public wires")
        if self.num_labels < 1 + self.num_public + self.num_private_inputs:
            raise ValueError(f"r1cs: {self.num_labels} labels do not hold one and the inputs and outputs")
        if self.num_constraints + self.num_public + 1 > _MAX_DOMAIN:
            raise ValueError(f"r1cs: {self.num_constraints} constraints do not fit a domain of {_MAX_DOMAIN}")
        if self.wire_to_label.dtype != np.uint64 or self.wire_to_label.shape != (self.num_wires,):
            raise ValueError("r1cs: wire_to_label is not uint64 with one label a wire")
        if np.any(self.wire_to_label >= np.uint64(self.num_labels)):
            raise ValueError(f"r1cs: a wire has a label that is not below {self.num_labels}")
        if self.constants.dtype != np.uint64 or self.constants.ndim != 2 or self.constants.shape[1] != 4:
            raise ValueError("r1cs: constants are not uint64 of shape (k, 4)")
        if first_not_canonical(self.constants) is not None:
            raise ValueError("r1cs: a constant is not below r")
        for name, matrix in (("a", self.a), ("b", self.b), ("c", self.c)):
            ends = matrix.indptr.astype(np.int64)
            if len(ends) != self.num_constraints + 1 or ends[0] != 0 or np.any(np.diff(ends) < 0):
                raise ValueError(f"r1cs: {name}.indptr is no table of {self.num_constraints} rows")
            if not ends[-1] == len(matrix.cols) == len(matrix.coefs):
                raise ValueError(f"r1cs: {name}.cols or {name}.coefs do not fit {name}.indptr")
            if np.any(matrix.cols >= self.num_wires) or np.any(matrix.coefs >= len(self.constants)):
                raise ValueError(f"r1cs: {name} names a wire or constant that there is not")


@dataclass(frozen=True, eq=False)
class WireOrder:
    """circom's order of a layout's columns: [1, public outputs, public inputs, private inputs, the others].

    ``columns[w]`` is the column that becomes wire w.
    """

    columns: U32
    num_public_outputs: int
    num_public_inputs: int
    num_private_inputs: int

    @classmethod
    def of(cls, layout: Layout, *, outputs: Sequence[int] = (), private: U32) -> WireOrder:
        """All public columns count as inputs; ``outputs`` and ``private`` are other columns, each once.

        What a layout does not know, its caller says. Raises ValueError for a column that is public, named
        twice, or not there.
        """
        public = layout.num_public
        named = np.concatenate([np.array(outputs, dtype=np.int64), private.astype(np.int64)])
        if len(np.unique(named)) != len(named):
            raise ValueError("r1cs: a column is named twice among outputs and private inputs")
        if len(named) and not public < int(named.min()) <= int(named.max()) < layout.num_columns:
            raise ValueError(
                f"r1cs: outputs and private inputs are columns {public + 1} .. {layout.num_columns - 1}"
            )
        others = np.ones(layout.num_columns, dtype=bool)
        others[: public + 1] = False
        others[named] = False
        columns = np.concatenate(
            [
                [0],
                named[: len(outputs)],
                np.arange(1, public + 1),
                named[len(outputs) :],
                np.flatnonzero(others),
            ]
        )
        return cls(columns.astype(np.uint32), len(outputs), public, len(private))

    @property
    def wires(self) -> U32:
        """The wire that each column becomes."""
        out = np.empty_like(self.columns)
        out[self.columns] = np.arange(len(self.columns), dtype=np.uint32)
        return out


def write_layout(
    path: str | os.PathLike[str],
    layout: Layout,
    engine: Engine,
    *,
    num_public_outputs: int = 0,
    order: WireOrder | None = None,
) -> None:
    """Writes a layout as circom would, every instance's rows one after the other.

    Wire w is column w and carries label w; the first ``num_public_outputs`` of the public columns count as
    outputs, the others as inputs; no wire counts as a private input, since a layout does not know them.
    With an ``order``, wire w is the column that it says, and it says what counts as what.
    Takes the words of one instance of each template besides what the caller has (of a template with one
    instance, a few MiB). Raises ValueError when blocks leave rows out, or there are too many rows.
    """
    public, rows = layout.num_public, 0
    if not 0 <= num_public_outputs <= public:
        raise ValueError(f"r1cs: {num_public_outputs} public outputs among {public} public columns")
    for number, block in enumerate(layout.blocks):
        if block.row_base != rows:
            raise ValueError(f"r1cs: block {number} begins at row {block.row_base}, expected {rows}")
        rows += block.instances * block.num_rows
    if rows != layout.num_rows:
        raise ValueError(f"r1cs: the blocks have {rows} rows, expected {layout.num_rows}")
    if rows + public + 1 > _MAX_DOMAIN:
        raise ValueError(f"r1cs: {rows} constraints do not fit a domain of {_MAX_DOMAIN}")
    counts = (num_public_outputs, public - num_public_outputs, 0)
    wires: U32 | None = None
    if order is not None:
        counts = (order.num_public_outputs, order.num_public_inputs, order.num_private_inputs)
        wires = order.wires
    with BinFileWriter(path, _KIND, _VERSION) as out:
        with out.section(_CONSTRAINTS) as section:
            for block in layout.blocks:
                constants = engine.fr_from_mont(np.ascontiguousarray(block.constants))
                _write_block(section, block, constants, wires)
        with out.section(_HEADER) as section:
            _write_header(section, layout.num_columns, counts, layout.num_columns, rows)
        with out.section(_LABELS) as section:
            for begin in range(0, layout.num_columns, _CHUNK):
                end = min(begin + _CHUNK, layout.num_columns)
                section.array(np.arange(begin, end, dtype=np.uint64))


def _write_block(section: SectionWriter, block: Block, constants: U64, wires: U32 | None) -> None:
    """All instances: the words of the template, each time with other columns in them.

    ``wires``: the wire of each column; None when they are the same.
    """
    runs: Iterable[Run] = _runs((block.a, block.b, block.c), constants, block.num_rows)
    if block.instances > 1:
        runs = list(runs)
    own = np.arange(block.num_own, dtype=np.uint32)
    for instance in range(block.instances):
        first = np.uint32(block.own_base + instance * block.num_own)
        columns = np.concatenate([block.links[instance], own + first])
        if wires is not None:
            columns = wires[columns]
        for words, places, cols in runs:
            words[places] = columns[cols]
            section.array(words)


def _write_header(
    section: SectionWriter, wires: int, counts: tuple[int, int, int], labels: int, rows: int
) -> None:
    """``counts``: public outputs, public inputs, private inputs."""
    section.u32(32)
    section.integer(FR_MODULUS)
    for count in (wires, *counts):
        section.u32(count)
    section.u64(labels)
    section.u32(rows)


def _runs(matrices: tuple[Matrix, Matrix, Matrix], constants: U64, num_rows: int) -> Iterator[Run]:
    """Runs of rows of about ``_CHUNK`` terms, at least one row each: words, where columns stand, columns.

    ``constants`` are canonical. Every run has its own array of words.
    """
    ends = sum((m.indptr.astype(np.int64) for m in matrices), np.zeros(num_rows + 1, dtype=np.int64))
    coefficients = np.ascontiguousarray(constants.astype("<u8")).view("<u4").reshape(-1, 8)
    begin = 0
    while begin < num_rows:
        end = max(begin + 1, int(np.searchsorted(ends, ends[begin] + _CHUNK, side="right")) - 1)
        spans = [m.indptr[begin : end + 1].astype(np.int64) for m in matrices]
        counts = np.stack([np.diff(span) for span in spans], axis=1).reshape(-1)
        starts = np.concatenate([[0], np.cumsum(1 + 9 * counts)])
        words = np.empty(int(starts[-1]), dtype=np.uint32)
        words[starts[:-1]] = counts
        places, columns = [], []
        for which, (matrix, span) in enumerate(zip(matrices, spans, strict=True)):
            low, high = int(span[0]), int(span[-1])
            row = np.repeat(np.arange(end - begin), np.diff(span))
            place = starts[3 * row + which] + 1 + 9 * (np.arange(low, high) - span[row])
            for j in range(8):
                words[place + 1 + j] = coefficients[matrix.coefs[low:high], j]
            places.append(place)
            columns.append(matrix.cols[low:high])
        run = words, np.concatenate(places), np.concatenate(columns)
        words[run[1]] = run[2]
        yield run
        begin = end


def _read_constraints(
    reader: Reader, rows: int, wires: int, engine: Engine | None
) -> tuple[Matrix, Matrix, Matrix, U64]:
    section = reader.remaining
    if 12 * rows > section:
        raise reader.error("constraints", rows, f"at most {section // 12} in {section} bytes")
    read = file_arrays.r1cs_terms if engine is None else engine.r1cs_terms
    try:
        return read(reader.view("constraints", section), rows, wires)
    except FileFault as fault:
        raise reader.error(fault.field, fault.found, fault.expected) from None
