"""What the analysis works on: rows over wires, which wires are given, and what people call them.

This module must not know any method of analysis, nor how a circuit was written: a template of ours, a
system of templates and an ``.r1cs`` of circom all become :class:`Constraints`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from zkrollup.cs import R1CS, ConstraintSystem, System, Template
from zkrollup.cs.scalar_field import MODULUS, from_mont
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import U32, Block, Matrix
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile

__all__ = ["Circuit", "Constraints", "Row", "RowTerms", "WireClaim"]

RowTerms = Mapping[int, int]
"""A linear combination: wire -> coefficient, wire 0 being the constant one."""

Row = tuple[RowTerms, RowTerms, RowTerms]
"""a * b = c."""


class WireClaim(NamedTuple):
    """What an author claims of all satisfying witnesses, see :class:`zkrollup.cs.Claim`; over wires.

    ``nonzero``: the sum ``terms`` is not zero. ``determined``: ``by`` determine ``wires`` and ``sums``.
    ``idle``: nothing but ``wires`` depends on them.
    """

    kind: str
    terms: RowTerms
    wires: tuple[int, ...]
    by: tuple[int, ...]
    reason: str
    scope: str
    place: str
    sums: tuple[RowTerms, ...] = ()


def _claims(template: Template, wire: Callable[[int], int], scope: str = "") -> Iterator[WireClaim]:
    for c in template.claims:
        yield WireClaim(
            c.kind,
            {wire(column): k for column, k in c.terms},
            tuple(wire(column) for column in c.columns),
            tuple(wire(column) for column in c.by),
            c.reason,
            f"{scope}/{c.scope}" if scope and c.scope else scope or c.scope,
            str(c.place),
            tuple({wire(column): k for column, k in terms} for terms in c.sums),
        )


def _number(wire: int) -> str:
    return f"wire{wire}"


def _nowhere(index: int) -> str | None:
    return None


@dataclass(frozen=True, eq=False)
class Constraints:
    """Rows <a, w> <b, w> = <c, w> over wires w, w[0] = 1, modulo a prime.

    ``inputs``: wires whose values are given (the constant one is not counted); ``outputs``: wires that
    the circuit hands out, which somebody relies on. Every wire but the inputs is asked for: do the inputs
    determine it? ``a``, ``b``, ``c`` have one row a constraint, ``coefs`` index ``constants``.
    ``claims``: what the author has proved elsewhere, which is taken for true only where somebody asks for it.
    ``lost_inputs``: inputs that have no wire, because a compiler solved a constraint for them and dropped
    both; nothing tells what they were, so two witnesses that agree on all ``inputs`` may differ in them.
    """

    modulus: int
    num_wires: int
    inputs: frozenset[int]
    outputs: tuple[int, ...]
    a: Matrix
    b: Matrix
    c: Matrix
    constants: tuple[int, ...]
    title: str = "constraints"
    lost_inputs: tuple[str, ...] = ()
    claims: tuple[WireClaim, ...] = ()
    wire_name: Callable[[int], str] = field(default=_number, repr=False)
    wire_place: Callable[[int], str | None] = field(default=_nowhere, repr=False)
    row_place: Callable[[int], str | None] = field(default=_nowhere, repr=False)

    # -- reading ---------------------------------------------------------------------------------------
    @property
    def num_rows(self) -> int:
        return len(self.a.indptr) - 1

    @property
    def num_nonzero(self) -> int:
        return len(self.a.cols) + len(self.b.cols) + len(self.c.cols)

    def name(self, wire: int) -> str:
        """What people call a wire."""
        return "one" if wire == 0 else self.wire_name(wire)

    def place(self, wire: int) -> str | None:
        """Where a wire was created, when that is known."""
        return self.wire_place(wire)

    def terms(self, side: int, row: int) -> dict[int, int]:
        """One row of a (0), b (1) or c (2): coefficients by wire, without zeros, repeated wires added up."""
        m = (self.a, self.b, self.c)[side]
        begin, end = int(m.indptr[row]), int(m.indptr[row + 1])
        out: dict[int, int] = {}
        for wire, k in zip(m.cols[begin:end].tolist(), m.coefs[begin:end].tolist(), strict=True):
            out[wire] = (out.get(wire, 0) + self.constants[k]) % self.modulus
        return {wire: k for wire, k in out.items() if k}

    def row(self, row: int) -> Row:
        return self.terms(0, row), self.terms(1, row), self.terms(2, row)

    def rows(self) -> Iterator[Row]:
        """Every row in turn; quicker than asking for each."""
        p, constants = self.modulus, self.constants
        sides = [
            (m.indptr.tolist(), m.cols.tolist(), [constants[k] for k in m.coefs.tolist()])
            for m in (self.a, self.b, self.c)
        ]
        for row in range(self.num_rows):
            out = []
            for indptr, cols, coefs in sides:
                begin, end = indptr[row], indptr[row + 1]
                terms = dict(zip(cols[begin:end], coefs[begin:end], strict=True))
                if len(terms) != end - begin:
                    terms = {}
                    for i in range(begin, end):
                        terms[cols[i]] = (terms.get(cols[i], 0) + coefs[i]) % p
                if 0 in terms.values():
                    terms = {wire: k for wire, k in terms.items() if k}
                out.append(terms)
            yield out[0], out[1], out[2]

    def violations(self, values: Sequence[int]) -> list[int]:
        """The rows that do not hold on the values of all wires, ascending."""
        if len(values) != self.num_wires:
            raise ValueError(f"{self.title}: {len(values)} values for {self.num_wires} wires")
        p = self.modulus
        if values[0] != 1:
            raise ValueError(f"{self.title}: wire 0 is the constant one, not {values[0]}")
        return [
            i
            for i, (a, b, c) in enumerate(self.rows())
            if (_dot(a, values) * _dot(b, values) - _dot(c, values)) % p
        ]

    # -- making ----------------------------------------------------------------------------------------
    @classmethod
    def from_rows(
        cls,
        modulus: int,
        num_wires: int,
        inputs: Iterable[int],
        rows: Iterable[Row],
        outputs: Iterable[int] = (),
        names: Mapping[int, str] | None = None,
    ) -> Constraints:
        """From plain dictionaries, for small systems over any prime."""
        constants: dict[int, int] = {0: 0, 1: 1, modulus - 1: 2} if modulus > 2 else {0: 0, 1: 1}
        parts: list[tuple[list[int], list[int], list[int]]] = [([0], [], []) for _ in range(3)]
        for row in rows:
            for (indptr, cols, coefs), terms in zip(parts, row, strict=True):
                for wire, k in sorted(terms.items()):
                    if not 0 <= wire < num_wires:
                        raise ValueError(f"a row names wire {wire}, but there are {num_wires}")
                    if k % modulus:
                        cols.append(wire)
                        coefs.append(constants.setdefault(k % modulus, len(constants)))
                indptr.append(len(cols))
        a, b, c = (
            Matrix(np.array(i, np.uint32), np.array(j, np.uint32), np.array(k, np.uint32))
            for i, j, k in parts
        )
        known = dict(names or {})
        return cls(
            modulus,
            num_wires,
            frozenset(inputs) - {0},
            tuple(outputs),
            a,
            b,
            c,
            tuple(constants),
            wire_name=lambda wire: known.get(wire, f"wire{wire}"),
        )

    @classmethod
    def of(cls, circuit: Circuit) -> Constraints:
        """A template's, a system's or an ``.r1cs`` file's; constraints are returned as they are.

        Raises TypeError for anything else, FormatError as :meth:`from_file` does.
        """
        if isinstance(circuit, Constraints):
            return circuit
        if isinstance(circuit, Template):
            return cls.from_template(circuit)
        if isinstance(circuit, R1CS):
            return cls.from_r1cs(circuit)
        if isinstance(circuit, str | os.PathLike):
            return cls.from_file(circuit)
        advice = "; freeze() it first" if isinstance(circuit, ConstraintSystem | System) else ""
        raise TypeError(
            "expected Constraints, a Template, an R1CS or the path of an .r1cs file, "
            f"got {type(circuit).__name__}{advice}"
        )

    @classmethod
    def from_template(cls, template: Template) -> Constraints:
        """One instance of a template: links and inputs are given, exports are handed out."""
        m = template.matrices
        given = template.num_links + template.num_inputs

        def wire_place(wire: int) -> str | None:
            return None if wire == 0 else str(template.wire_place(wire))

        def row_place(row: int) -> str | None:
            scope = template.row_scope(row)
            label = f"{scope}/{template.row_label(row)}" if scope else template.row_label(row)
            return f"'{label}' at {template.row_place(row)}"

        return cls(
            MODULUS,
            template.num_links + template.num_own,
            frozenset(range(1, given)),
            tuple(sorted(set(template.exports.values()))),
            m.a,
            m.b,
            m.c,
            m.values,
            title=f"template {template.name!r}",
            claims=tuple(_claims(template, int)),
            wire_name=template.wire_name,
            wire_place=wire_place,
            row_place=row_place,
        )

    @classmethod
    def from_r1cs(cls, system: R1CS) -> Constraints:
        """A whole system: public inputs and the inputs of every instance are given.

        A link is the wire it is connected to. Nothing is handed out: what a system says is in its rows.
        """
        layout = system.layout
        constants: dict[int, int] = {}
        pieces: list[list[tuple[U32, U32, U32]]] = [[], [], []]
        inputs = set(range(1, layout.num_public + 1))
        for part in system.parts:
            block = part.block
            numbers = np.array(
                [constants.setdefault(v, len(constants)) for v in from_mont(block.constants)], dtype=np.uint32
            )
            for pile, m in zip(pieces, (block.a, block.b, block.c), strict=True):
                pile.append(_spread(block, m, numbers))
            for i in range(block.instances):
                base = block.own_base + i * block.num_own
                inputs.update(range(base, base + part.template.num_inputs))
        claims: list[WireClaim] = []
        for part in system.parts:
            block = part.block
            for i in range(block.instances if part.template.claims else 0):
                columns = [
                    *block.links[i].tolist(),
                    *range(block.own_base + i * block.num_own, block.own_base + (i + 1) * block.num_own),
                ]
                claims += _claims(part.template, columns.__getitem__, f"{part.name}[{i}]")
        a, b, c = (_stack(pile) for pile in pieces)
        located: dict[str, npt.NDArray[np.int64]] = {
            "bases": np.array([p.block.own_base for p in system.parts], dtype=np.int64)
        }

        def owner(wire: int) -> tuple[int, int, int]:
            k = int(np.searchsorted(located["bases"], wire, side="right")) - 1
            block = system.parts[k].block
            instance, offset = divmod(wire - block.own_base, block.num_own)
            return k, instance, block.num_links + offset

        def wire_name(wire: int) -> str:
            if wire <= layout.num_public:
                return system.public_names[wire - 1]
            k, instance, column = owner(wire)
            return f"{system.parts[k].name}[{instance}].{system.parts[k].template.wire_name(column)}"

        def wire_place(wire: int) -> str | None:
            if wire <= layout.num_public:
                return None
            k, _, column = owner(wire)
            return str(system.parts[k].template.wire_place(column))

        def row_place(row: int) -> str | None:
            part, instance, local = system.locate(row)
            t = part.template
            scope = t.row_scope(local)
            label = f"{scope}/{t.row_label(local)}" if scope else t.row_label(local)
            return f"'{part.name}[{instance}]/{label}' at {t.row_place(local)}"

        return cls(
            MODULUS,
            layout.num_columns,
            frozenset(inputs),
            (),
            a,
            b,
            c,
            tuple(constants),
            title=f"system {system.name!r}",
            claims=tuple(claims),
            wire_name=wire_name,
            wire_place=wire_place,
            row_place=row_place,
        )

    @classmethod
    def from_r1cs_file(
        cls, file: R1csFile, sym: SymFile | None = None, title: str = "constraints"
    ) -> Constraints:
        """circom's constraints: public and private inputs are given, outputs are handed out.

        circom numbers the labels of the main component's signals outputs first, then public inputs, then
        private ones, so that the labels tell which wires are private inputs, although some have no wire
        (those in no constraint, and with ``--O2`` those that a linear constraint was solved for).
        """
        first = 1 + file.num_public_outputs
        given = set(range(first, first + file.num_public_inputs))
        labels = file.wire_to_label
        low, high = 1 + file.num_public, 1 + file.num_public + file.num_private_inputs
        private = (labels >= np.uint64(low)) & (labels < np.uint64(high))
        private[: 1 + file.num_public] = False
        given.update(np.flatnonzero(private).tolist())
        names: dict[int, str] = {}
        lost = [f"label {k}" for k in sorted(set(range(low, high)) - set(labels.tolist()))]
        if sym is not None:
            called = dict(zip(sym.labels.tolist(), sym.names, strict=True))
            lost = [called.get(int(label.split()[1]), label) for label in lost]
            inside = (sym.wires >= 0) & (sym.wires < file.num_wires)
            at = np.flatnonzero(inside)[::-1]  # the first signal of a wire has the last word
            own = labels[sym.wires[at]] == sym.labels[at].astype(np.uint64)
            for i in [*at.tolist(), *at[own].tolist()]:
                names[int(sym.wires[i])] = sym.names[i]
        return cls(
            MODULUS,
            file.num_wires,
            frozenset(given),
            tuple(range(1, first)),
            file.a,
            file.b,
            file.c,
            tuple(ints_from_limbs(file.constants)),
            title=title,
            lost_inputs=tuple(lost),
            wire_name=lambda wire: names.get(wire, f"wire{wire}"),
        )

    @classmethod
    def from_file(
        cls, r1cs: str | os.PathLike[str], sym: str | os.PathLike[str] | None = None
    ) -> Constraints:
        """An ``.r1cs`` and, for names, its ``.sym``.

        Raises FormatError when a file is damaged or of another field than BN254's scalars.
        """
        names = SymFile.read(sym) if sym is not None else None
        return cls.from_r1cs_file(R1csFile.read(r1cs), names, title=os.fspath(r1cs))


Circuit = Constraints | Template | R1CS | str | os.PathLike[str]
"""What can be audited: see :meth:`Constraints.of`."""


def _dot(terms: RowTerms, values: Sequence[int]) -> int:
    return sum(k * values[wire] for wire, k in terms.items())


def _spread(block: Block, m: Matrix, numbers: U32) -> tuple[U32, U32, U32]:
    """The rows of all instances of a block: (lengths, columns of the system, constants)."""
    lengths = np.tile(np.diff(m.indptr), block.instances)
    local = m.cols
    is_link = local < block.num_links
    cols = np.empty((block.instances, len(local)), dtype=np.uint32)
    cols[:, is_link] = block.links[:, local[is_link]]
    own = local[~is_link].astype(np.int64) - block.num_links + block.own_base
    cols[:, ~is_link] = own + block.num_own * np.arange(block.instances, dtype=np.int64)[:, None]
    return lengths, cols.reshape(-1), np.tile(numbers[m.coefs], block.instances)


def _stack(pieces: Sequence[tuple[U32, U32, U32]]) -> Matrix:
    if not pieces:
        empty = np.zeros(0, dtype=np.uint32)
        return Matrix(np.zeros(1, dtype=np.uint32), empty, empty)
    lengths, cols, coefs = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    indptr = np.zeros(len(lengths) + 1, dtype=np.uint32)
    np.cumsum(lengths, out=indptr[1:])
    return Matrix(indptr, cols, coefs)
