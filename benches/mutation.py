"""Which wires and rows of every gadget matter: each wire mutated, each row dropped, on small instances.

    python benches/mutation.py            # the table, of all gadgets (four minutes)
    python benches/mutation.py NAME...    # only cases whose names hold one of these
    python benches/mutation.py --write    # into docs/mutation.md

Cases and explanations are those of the tests: tests/gadgets/registry.py and explained.json beside it.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from zkrollup.testing import drop_constraints, mutate_witness

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/mutation.md"
REGISTRY = ROOT / "tests/gadgets/registry.py"
BEGIN, END = "<!-- mutation: begin -->", "<!-- mutation: end -->"
HEAD = (
    "| Case | Wires | Explained | Rows | By a witness | By rank | By a cut | By analysis | Explained |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def registry() -> ModuleType:
    """The module of the cases, loaded once."""
    name = "zkrollup_gadget_registry"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, REGISTRY)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@dataclass(frozen=True)
class Measured:
    """What became of one case: ``free`` and ``survivors`` are what nobody explained, ``stale`` explanations
    that nothing needs."""

    name: str
    wires: int
    explained_wires: int
    free: tuple[str, ...]
    rows: int
    ways: dict[str, int]
    explained_rows: int
    survivors: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def line(self) -> str:
        """The case's row of the table."""
        n = self.ways.get
        witness = n("invalid", 0) + n("mutation", 0) + n("lie", 0)
        rank = n("rank", 0) + n("relation", 0)
        counts = (
            self.wires,
            self.explained_wires,
            self.rows,
            witness,
            rank,
            n("cut", 0),
            n("propagation", 0),
        )
        return "| " + " | ".join([self.name, *(f"{c:,}" for c in counts), f"{self.explained_rows:,}"]) + " |"


def measure(case: Any) -> Measured:
    """Mutate every wire in every valid assignment of a case, and drop every row.

    A wire that is computed has to be killed in each assignment; an input in one of them (that other inputs
    have the same answer is no flaw, that no assignment ever minds would be). ValueError when an assignment
    does not satisfy.
    """
    module = registry()
    template = case.record()
    checks = [template.check({}, given) for given in case.valid]
    known_wires, known_rows = module.explained("wires", case.name), module.explained("rows", case.name)
    given = template.num_links + template.num_inputs
    times: Counter[int] = Counter()
    found: dict[int, Any] = {}
    for check in checks:
        for wire in mutate_witness(template, check.values):
            times[wire.column] += 1
            if wire.column >= given or times[wire.column] == len(checks):
                found[wire.column] = wire
    free = [wire for wire in found.values() if known_wires.reason(*wire.names) is None]
    report = drop_constraints(template, checks, case.invalid(template), explained=known_rows, cuts=case.cuts)
    return Measured(
        case.name,
        template.num_links + template.num_own - 1,
        len(found) - len(free),
        tuple(str(wire) for wire in free),
        template.num_constraints,
        dict(report.counts),
        len(report.explained),
        tuple(str(survivor) for survivor in report.survivors),
        (*known_wires.stale, *known_rows.stale),
    )


def page_lines() -> dict[str, str]:
    """The lines of the committed table by case."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    shown, _, _ = rest.partition(END)
    lines = [line for line in shown.splitlines() if line.startswith("| ") and not line.startswith("| Case")]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of cases; all when none")
    parser.add_argument("--write", action="store_true", help="put the lines into docs/mutation.md")
    arguments = parser.parse_args()
    lines = page_lines() if PAGE.exists() else {}
    cases = registry().CASES
    open_questions = 0
    for name, case in cases.items():
        if arguments.names and not any(part in name for part in arguments.names):
            continue
        start = time.process_time()
        measured = measure(case)
        lines[name] = measured.line
        print(measured.line, f"{time.process_time() - start:.1f} s", flush=True)
        for what in (*measured.free, *measured.survivors, *(f"stale: {s}" for s in measured.stale)):
            open_questions += 1
            print(f"  {what}", flush=True)
    if arguments.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if not end:
            print(f"{PAGE}: expected {BEGIN} and {END}", file=sys.stderr)
            return 1
        table = "\n".join([HEAD, *(lines[name] for name in cases if name in lines)])
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
    return 1 if open_questions else 0


if __name__ == "__main__":
    sys.exit(main())
