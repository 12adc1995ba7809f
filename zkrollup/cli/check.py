"""``check``: does a witness satisfy circom's constraints; which fail, on what values? It must not prove."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from zkrollup.cli.files import require_outputs, write_text
from zkrollup.cli.show import say
from zkrollup.cs import Cause, Failure, Failures, Operand, Place
from zkrollup.cs.failure_list import Heading
from zkrollup.cs.failures import formula, value_text
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine import get_engine
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import U64, Matrix
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile

__all__ = ["check_file", "file_failures"]

Terms = list[tuple[int, int]]


class _Row(Place):
    """A constraint of a file, where others have a source line."""

    def __str__(self) -> str:
        return f"constraint {self.line} of {self.file}"


def check_file(r1cs: Path, wtns: Path, *, sym: Path | None, html: Path | None, json_output: bool) -> int:
    """Evaluates every constraint and prints those that fail; the exit code: 0, or 1 when one does.

    Raises ValueError or OSError for bad input.
    """
    require_outputs([html], [r1cs, wtns, sym])
    file, values = R1csFile.read(r1cs, get_engine()), WtnsFile.read(wtns).values
    if len(values) != file.num_wires:
        raise ValueError(f"{wtns}: {len(values)} values, but {r1cs} is a circuit of {file.num_wires} wires")
    failures = file_failures(r1cs, file, values, SymFile.read(sym) if sym else None)
    if html is not None:
        title = f"<!doctype html><meta charset=utf-8><title>{len(failures)} failures</title>"
        write_text(html, title + failures._repr_html_())
    say(json.dumps(failures.to_json()) if json_output else str(failures))
    return 1 if failures else 0


def file_failures(path: Path, file: R1csFile, limbs: U64, sym: SymFile | None) -> Failures:
    """The constraints that a witness (canonical) violates, in the file's order, with signals by name.

    A constraint's scope is the component that all its named signals lie in; constraints count from 0.
    """
    engine, layout = get_engine(), file.layout()
    witness = engine.fr_to_mont(np.ascontiguousarray(limbs))
    rows = engine.r1cs_violations(layout, witness).tolist()
    wires = {w for row in rows for m in (file.a, file.b, file.c) for w in _columns(m, row)}
    used_wires = sorted(wires)
    values = dict(zip(used_wires, ints_from_limbs(limbs[used_wires]), strict=True))
    names = _names(wires, sym)
    constants = ints_from_limbs(file.constants)

    def terms(row: int) -> tuple[Terms, Terms, Terms]:
        a, b, c = (
            [(w, constants[k]) for w, k in zip(_columns(m, row), _coefs(m, row), strict=True)]
            for m in (file.a, file.b, file.c)
        )
        return a, b, c

    def heading(k: int) -> Heading:
        used = [w for side in terms(rows[k]) for w, _ in side if w]
        label = f"constraint {rows[k]}"
        return Heading("", _component([names[w] for w in used]), label, _Row(str(path), rows[k]))

    def explain(k: int) -> Failure:
        sides, head = terms(rows[k]), heading(k)
        dots = [sum(k * values[w] for w, k in side) % MODULUS for side in sides]
        named = [
            [(names[w], k) for w, k in side if w] + [("", k) for w, k in side if not w] for side in sides
        ]
        used = dict.fromkeys(w for side in sides for w, _ in side if w)
        return Failure(
            template=path.stem,
            row=rows[k],
            scope=head.scope,
            label=head.label,
            place=head.place,
            formula=formula(*named),
            left=dots[0] * dots[1] % MODULUS,
            right=dots[2],
            operands=tuple(Operand(names[w], values[w], None) for w in used),
            causes=_boolean(sides, names, values),
        )

    keys = np.array(rows, dtype=np.int64)
    return Failures(
        path.stem,
        file.num_constraints,
        keys,
        np.zeros(len(rows), dtype=np.int64),
        explain,
        heading,
        order="in the file's order",
    )


def _boolean(
    sides: tuple[Terms, Terms, Terms], names: dict[int, str], values: Mapping[int, int]
) -> tuple[Cause, ...]:
    """For x (x - 1) = 0, in any form, with an x that is neither."""
    wires = {w for side in sides for w, _ in side if w}
    if len(wires) != 1:
        return ()
    (wire,) = wires

    def holds(x: int) -> bool:
        a, b, c = (sum(k * (x if w else 1) for w, k in side) for side in sides)
        return (a * b - c) % MODULUS == 0

    if not holds(0) or not holds(1):
        return ()
    return (Cause("boolean", f"{names[wire]} = {value_text(values[wire])} is neither 0 nor 1", None),)


def _names(wires: set[int], sym: SymFile | None) -> dict[int, str]:
    names = {wire: f"wire{wire}" for wire in wires}
    if sym is not None:
        seen: set[int] = set()
        for wire, name in zip(sym.wires.tolist(), sym.names, strict=True):
            if wire in wires and wire not in seen:
                seen.add(wire)
                names[wire] = name
    return names


def _component(names: Sequence[str]) -> str:
    """``main/hash``: the components that these signals have in common."""
    paths = [name.split(".")[:-1] for name in names]
    common = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common)


def _columns(matrix: Matrix, row: int) -> list[int]:
    found: list[int] = matrix.cols[matrix.indptr[row] : matrix.indptr[row + 1]].tolist()
    return found


def _coefs(matrix: Matrix, row: int) -> list[int]:
    found: list[int] = matrix.coefs[matrix.indptr[row] : matrix.indptr[row + 1]].tolist()
    return found
