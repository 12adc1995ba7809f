"""The workbench applied to a pair of circuits: every tool of ours, and what each of them reports.

This module must not know any particular flaw. A pair is a module in the folder ``pairs`` with

- a docstring: the flaw, then ``Source:``, ``Exploit:`` and ``Repair:``;
- ``record(cs, repaired)`` for our builder, or ``rows(c, repaired)`` for rows as circom would make them;
- ``PROPERTIES``: the properties that the flaw breaks, by their numbers;
- ``FLAGGED_BY``: tool -> what it must name in the broken circuit (see :data:`TOOLS`);
- ``VALID``: inputs that both circuits accept; ``INVALID``: ``(inputs, label)`` that must be refused, where
  the row so labelled refuses them in the repaired circuit; either is a list, or a dictionary of two where
  the repair changes a hash: for the broken circuit (False) and for the repaired one (True);
- if needed ``EXPLAINED``: wires of the repaired circuit that may change alone, and why; ``UNDECIDED``:
  those that the audit proves neither unique nor free, and why; ``SLOW = True``.

Usage: PYTHONPATH=. python tests/broken/workbench.py [--write] [--slow] [NAME ...]

Prints what the tools say of each pair; ``--write`` puts the table into the README beside this file.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from zkrollup.audit import AuditReport, Constraints, audit
from zkrollup.cs import ConstraintSystem, FreezeError, Template
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.testing import assert_lies_caught, mutate_witness

__all__ = ["TOOLS", "CircomRows", "Findings", "Pair", "Sum", "examine", "load_pairs", "table"]

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- pairs:begin -->", "<!-- pairs:end -->"

TOOLS = {
    "free": "the audit shows a second witness with the same inputs",
    "accepted": "inputs that must be refused satisfy every row",
    "lie": "a hint answers with something else and no row objects",
    "mutation": "a wire is changed alone and no row objects",
    "unused": "an input or a computed wire is in no row (the audit says so, or freeze refuses)",
    "boolean": "the audit names a wire that is used as a bit or selector and never forced to be one",
    "idle row": "the audit names a row that says nothing: empty, repeated or implied by others",
}


# ======================================================================================================
# Rows as circom would make them
# ======================================================================================================
class Sum:
    """A linear combination of wires."""

    def __init__(self, terms: Mapping[int, int]) -> None:
        self.terms = {wire: k % MODULUS for wire, k in terms.items() if k % MODULUS}

    def __add__(self, other: Sum | int) -> Sum:
        out = dict(self.terms)
        for wire, k in _sum(other).terms.items():
            out[wire] = out.get(wire, 0) + k
        return Sum(out)

    __radd__ = __add__

    def __mul__(self, k: int) -> Sum:
        return Sum({wire: v * k for wire, v in self.terms.items()})

    __rmul__ = __mul__

    def __neg__(self) -> Sum:
        return self * -1

    def __sub__(self, other: Sum | int) -> Sum:
        return self + -_sum(other)

    def __rsub__(self, other: int) -> Sum:
        return _sum(other) - self


def _sum(value: Sum | int) -> Sum:
    return value if isinstance(value, Sum) else Sum({0: value})


class CircomRows:
    """Signals with ``<--`` and rows with ``===``: nothing is constrained unless :meth:`enforce` says so."""

    def __init__(self) -> None:
        self.names = ["one"]
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.recipes: dict[int, Callable[[dict[str, int]], int]] = {}
        self.rows: list[tuple[Mapping[int, int], Mapping[int, int], Mapping[int, int]]] = []
        self.labels: list[str] = []

    def _wire(self, name: str) -> Sum:
        self.names.append(name)
        return Sum({len(self.names) - 1: 1})

    def input(self, name: str) -> Sum:
        out = self._wire(name)
        self.inputs.append(len(self.names) - 1)
        return out

    def signal(self, name: str, value: Callable[[dict[str, int]], int]) -> Sum:
        """``name <-- value``; the value is a function of the values before it, by name."""
        out = self._wire(name)
        self.recipes[len(self.names) - 1] = value
        return out

    def output(self, name: str, value: Callable[[dict[str, int]], int]) -> Sum:
        out = self.signal(name, value)
        self.outputs.append(len(self.names) - 1)
        return out

    def enforce(self, a: Sum | int, b: Sum | int, c: Sum | int, label: str) -> None:
        """``a * b === c``."""
        self.rows.append((_sum(a).terms, _sum(b).terms, _sum(c).terms))
        self.labels.append(label)

    def product(self, name: str, a: Sum, b: Sum) -> Sum:
        """``name <== a * b``."""
        out = self.signal(name, lambda v: self._value(a, v) * self._value(b, v))
        self.enforce(a, b, out, name)
        return out

    def bits(self, name: str, x: Sum, n: int, boolean: Callable[[int], bool] = lambda i: True) -> list[Sum]:
        """``n`` wires with ``x`` as their sum, weighted 2^i; a row makes bit i a bit where ``boolean(i)``."""
        out = []
        for i in range(n):
            bit = self.signal(f"{name}[{i}]", lambda v, i=i: self._value(x, v) >> i & 1)
            if boolean(i):
                self.enforce(bit, bit - 1, 0, f"{name}[{i}] is a bit")
            out.append(bit)
        self.enforce(1, _total(bit * (1 << i) for i, bit in enumerate(out)), x, f"{name} recompose")
        return out

    def _value(self, x: Sum, values: Mapping[str, int]) -> int:
        return sum(k * values[self.names[wire]] for wire, k in x.terms.items()) % MODULUS

    def constraints(self, title: str) -> Constraints:
        made = Constraints.from_rows(
            MODULUS, len(self.names), self.inputs, self.rows, self.outputs, dict(enumerate(self.names))
        )
        labels = self.labels
        return Constraints(**{**made.__dict__, "title": title, "row_place": lambda row: f"'{labels[row]}'"})

    def witness(self, inputs: Mapping[str, int]) -> list[int]:
        values: dict[str, int] = {"one": 1}
        for wire, name in enumerate(self.names):
            if wire in self.recipes:
                values[name] = self.recipes[wire](values) % MODULUS
            elif wire:
                values[name] = inputs[name] % MODULUS
        return [values[name] for name in self.names]


def _total(sums: Any) -> Sum:
    out = Sum({})
    for s in sums:
        out = out + s
    return out


# ======================================================================================================
# Pairs
# ======================================================================================================
@dataclass(frozen=True)
class Pair:
    """One module of the folder ``pairs``; see the head of this file."""

    module: ModuleType

    @property
    def name(self) -> str:
        return self.module.__name__

    @property
    def form(self) -> str:
        return "rows" if hasattr(self.module, "rows") else "builder"

    @property
    def properties(self) -> tuple[str, ...]:
        return tuple(self.module.PROPERTIES)

    @property
    def flagged_by(self) -> Mapping[str, Sequence[str]]:
        return self.module.FLAGGED_BY

    def valid(self, repaired: bool) -> Sequence[Mapping[str, object]]:
        found = self.module.VALID
        return found[repaired] if isinstance(found, dict) else found

    def invalid(self, repaired: bool) -> Sequence[tuple[Mapping[str, object], str]]:
        found = getattr(self.module, "INVALID", ())
        return found[repaired] if isinstance(found, dict) else found

    @property
    def explained(self) -> Mapping[str, str]:
        return getattr(self.module, "EXPLAINED", {})

    @property
    def undecided(self) -> Mapping[str, str]:
        return getattr(self.module, "UNDECIDED", {})

    def is_named_undecided(self, wire: str) -> bool:
        """By its own name or by that of its scope, what stands before the slash."""
        return wire in self.undecided or wire.rpartition("/")[0] in self.undecided

    @property
    def is_slow(self) -> bool:
        """Whether its circuits take seconds to audit."""
        return bool(getattr(self.module, "SLOW", False))

    @property
    def title(self) -> str:
        return (self.module.__doc__ or "").strip().partition("\n")[0]

    def circuit(self, repaired: bool) -> Circuit:
        """Record one of the two. Raises FreezeError when our builder refuses it."""
        title = f"{self.name}, {'repaired' if repaired else 'broken'}"
        if self.form == "rows":
            c = CircomRows()
            self.module.rows(c, repaired)
            return Circuit(c.constraints(title), rows=c)
        cs = ConstraintSystem(title)
        self.module.record(cs, repaired)
        template = cs.freeze()
        return Circuit(Constraints.from_template(template), template=template)


@dataclass(frozen=True)
class Circuit:
    """A circuit of either form."""

    constraints: Constraints
    template: Template | None = None
    rows: CircomRows | None = None

    def run(self, inputs: Mapping[str, Any]) -> tuple[list[int], list[str]]:
        """The values of all wires, computed honestly, and the labels of the rows that fail."""
        if self.rows is not None:
            values = self.rows.witness(inputs)
            return values, [self.rows.labels[i] for i in self.constraints.violations(values)]
        assert self.template is not None
        links = {k: v for k, v in inputs.items() if k in self.template.links}
        check = self.template.check(links, {k: v for k, v in inputs.items() if k not in links})
        return check.values, [f.label for f in check.failures]

    def name(self, wire: int) -> str:
        """A wire by the name under which the circuit hands it out, if it does."""
        exports = self.template.exports if self.template is not None else {}
        return next((name for name, column in exports.items() if column == wire), self.constraints.name(wire))

    def scope(self, wire: int) -> str:
        """The scope that a wire was made in, with a slash, or nothing."""
        path = self.template.wire_scope(wire) if self.template is not None else ""
        return f"{path}/" if path else ""

    def tell_lies(self, inputs: Mapping[str, Any], allowed: Sequence[str]) -> str | None:
        """A lie of a single hint that no row notices."""
        if self.template is None:
            return None
        links = {k: v for k, v in inputs.items() if k in self.template.links}
        own = {k: v for k, v in inputs.items() if k not in links}
        try:
            assert_lies_caught(self.template, links, own, allowed=allowed)
        except AssertionError as error:
            return str(error)
        return None

    def mutate(self, values: list[int]) -> list[str]:
        """Names of the wires, inputs aside, that may change alone."""
        if self.template is not None:
            given = self.constraints.inputs
            free = mutate_witness(self.template, values)
            return [self.name(wire.column) for wire in free if wire.column not in given]
        rng = random.Random(0)
        found = []
        for wire in set(range(1, self.constraints.num_wires)) - self.constraints.inputs:
            for value in ((values[wire] + 1) % MODULUS, 0, rng.randrange(MODULUS)):
                changed = [*values[:wire], value, *values[wire + 1 :]]
                if value != values[wire] and not self.constraints.violations(changed):
                    found.append(self.constraints.name(wire))
                    break
        return found


@dataclass
class Findings:
    """What the tools say of one circuit: tool -> the names or texts reported. ``refused``: the labels of the
    rows that refuse each invalid input. ``report``: that of the audit, None when freeze refused."""

    by_tool: dict[str, list[str]] = field(default_factory=dict)
    refused: list[list[str]] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    report: AuditReport | None = None
    num_rows: int = 0
    seconds: float = 0.0

    def add(self, tool: str, names: Sequence[str]) -> None:
        if names:
            self.by_tool.setdefault(tool, []).extend(names)


def examine(pair: Pair, repaired: bool) -> Findings:
    """Every tool on one of the two circuits; AssertionError when it refuses inputs that it must accept."""
    start = time.monotonic()
    out = Findings()
    try:
        circuit = pair.circuit(repaired)
    except FreezeError as error:
        out.add("unused", [problem.name for problem in error.problems])
        return out
    witnesses = []
    for inputs in pair.valid(repaired):
        values, failed = circuit.run(inputs)
        assert not failed, f"{circuit.constraints.title} refuses {inputs}: {failed}"
        witnesses.append(values)
        lie = circuit.tell_lies(inputs, list(pair.explained))
        out.add("lie", [lie] if lie else [])
        out.add("mutation", [name for name in circuit.mutate(values) if name not in pair.explained])
    for inputs, _ in pair.invalid(repaired):
        values, failed = circuit.run(inputs)
        out.refused.append(failed)
        if not failed:
            out.add("accepted", [str(inputs)])
            witnesses.append(values)
    report = audit(circuit.constraints, witnesses)
    system = report.system
    out.report = report
    out.num_rows = system.num_rows
    out.add("free", [circuit.name(w) for w in report.harmful])
    out.undecided = [circuit.scope(w) + circuit.name(w) for w in report.open]
    out.add("unused", [circuit.name(w) for w in (*report.unused_inputs, *report.unused_wires)])
    out.add("boolean", [circuit.name(w) for w, _ in report.unforced_booleans])
    rows = {*report.redundant_rows, *(row for row, _ in report.duplicate_rows)}
    out.add("idle row", [str(system.row_place(row)).strip("'") for row in sorted(rows)])
    out.seconds = time.monotonic() - start
    return out


def load_pairs() -> list[Pair]:
    pairs = []
    for path in sorted((HERE / "pairs").glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        pairs.append(Pair(module))
    return pairs


def table(pairs: Sequence[Pair]) -> str:
    """The manifest: one line a pair."""
    lines = ["| Pair | Flaw | Form | Breaks | Flagged by |", "|---|---|---|---|---|"]
    for pair in pairs:
        tools = ", ".join(pair.flagged_by)
        lines.append(
            f"| [{pair.name}](pairs/{pair.name}.py) | {pair.title} | {pair.form} | "
            f"{', '.join(pair.properties)} | {tools} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--slow", action="store_true", help="those that take long as well")
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    pairs = load_pairs()
    if words.write:
        readme = HERE / "README.md"
        head, _, rest = readme.read_text().partition(BEGIN)
        readme.write_text(f"{head}{BEGIN}\n{table(pairs)}\n{END}{rest.partition(END)[2]}")
        return 0
    wrong = 0
    for pair in pairs:
        if pair.name not in words.names if words.names else pair.is_slow and not words.slow:
            continue
        try:
            broken, repaired = examine(pair, False), examine(pair, True)
        except Exception as error:  # one pair that cannot be examined must not hide the others
            print(f"{pair.name}: {type(error).__name__}: {error}")
            wrong += 1
            continue
        named = {tool: [n[:60] for n in names[:3]] for tool, names in broken.by_tool.items()}
        missing = [
            f"{tool}: {want}"
            for tool, wants in pair.flagged_by.items()
            for want in wants or ("",)
            if not any(want in name for name in broken.by_tool.get(tool, []))
        ]
        undecided = [w for w in repaired.undecided if not pair.is_named_undecided(w)]
        clear = not repaired.by_tool and not undecided
        wrong += bool(missing or not clear)
        print(f"{'ok ' if clear and not missing else 'BAD'} {pair.name}: {named}, missing {missing}")
        print(
            f"    repaired: {repaired.by_tool or 'clear'}, undecided {repaired.undecided[:8]}; refused "
            f"{[labels[:1] for labels in repaired.refused]}; {repaired.num_rows} rows, "
            f"{broken.seconds:.2f} + {repaired.seconds:.2f} s",
            flush=True,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
