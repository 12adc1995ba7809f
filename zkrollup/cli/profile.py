"""``profile``: where a circuit's constraints come from and what a proof will cost. It must not know how."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zkrollup.cli.circuits import find_circuit
from zkrollup.cli.files import require_outputs, write_text
from zkrollup.cli.show import print_plain, say
from zkrollup.engine import get_engine
from zkrollup.engine.interface import U64
from zkrollup.formats.r1cs import R1csFile
from zkrollup.formats.sym import SymFile
from zkrollup.profile import (
    WEIGHTS,
    Density,
    Node,
    Prediction,
    Profile,
    compare,
    density,
    flame_graph,
    predict,
    profile,
    read_snapshot,
    write_snapshot,
)
from zkrollup.profile.cost import ACCURACY

__all__ = ["profile_circuit"]


def profile_circuit(
    circuit: str,
    *,
    slots: int,
    depth: int,
    sym: Path | None,
    wtns: Path | None,
    sample: bool,
    by: str,
    levels: int,
    lines: bool,
    folded: Path | None,
    html: Path | None,
    against: Path | None,
    threshold: float,
    write: Path | None,
    json_output: bool,
) -> int:
    """Profiles a circuit, prints it, writes the files that were asked for; the exit code: 0, or 1 when it is
    larger than the snapshot by more than ``threshold`` per cent.

    Raises ValueError or OSError for bad input.
    """
    if by not in WEIGHTS:
        raise ValueError(f"--by {by}: expected one of {', '.join(WEIGHTS)}")
    require_outputs([folded, html, write], [Path(circuit), sym, wtns])
    before = read_snapshot(against) if against is not None else None
    found, witness = _subject(circuit, slots, depth, sym, sample)
    if wtns is not None:
        witness = _witness(wtns, found, circuit)
    engine = get_engine()
    facts, cost = density(found.layout), predict(found.layout, engine, witness)
    if folded is not None:
        write_text(folded, found.folded(by))
    if html is not None:
        write_text(html, flame_graph(found))
    if write is not None:
        write_snapshot(found, write)
    change = compare(found, before) if before is not None else None
    if json_output:
        told: dict[str, Any] = found.to_json() | {"density": facts.to_json(), "prover": cost.to_json()}
        if change is not None:
            told["against"] = change.to_json()
        say(json.dumps(told))
    else:
        _show(found, facts, cost, by, levels, lines)
        if change is not None:
            say(f"\nagainst {against}:")
            say(str(change))
    return 1 if change is not None and change.exceeds(threshold) else 0


# -- what is profiled --------------------------------------------------------------------------------
def _subject(
    circuit: str, slots: int, depth: int, sym: Path | None, sample: bool
) -> tuple[Profile, U64 | None]:
    if sample and circuit != "batch":
        raise ValueError(f"--sample: only `batch` can be sampled, not {circuit}; give a witness by --wtns")
    if sym is not None and not circuit.endswith(".r1cs"):
        raise ValueError(f"--sym: names belong to a .r1cs file, not to {circuit}")
    if circuit in ("batch", "slot"):
        return _batch(circuit, slots, depth, sample)
    if circuit.endswith(".r1cs"):
        engine = get_engine()
        file = R1csFile.read(circuit, engine)
        names = SymFile.read(sym) if sym is not None else None
        return profile(file, sym=names, name=Path(circuit).stem), None
    return _from_module(circuit), None


def _batch(circuit: str, slots: int, depth: int, sample: bool) -> tuple[Profile, U64 | None]:
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.state import BatchParameters

    whole = batch_circuit(BatchParameters(slots, depth))
    if circuit == "slot":
        return profile(whole.templates["slots"], name="slot"), None
    found = profile(whole.r1cs, name=f"batch of {slots} slot{'s' * (slots > 1)}, depth {depth}")
    if not sample:
        return found, None
    from zkrollup.bench.subjects import batch_witness

    engine = get_engine()
    batch = batch_witness(slots, depth, engine)
    witness = batch.circuit.r1cs.witness(engine, public=batch.public, parts=batch.parts)
    return found, engine.fr_from_mont(witness.values)


def _from_module(name: str) -> Profile:
    """A circuit of the user's: ``MODULE:FUNCTION``, found from the working directory too."""
    if ":" not in name:
        raise ValueError(
            f"{name}: expected batch, slot, FILE.r1cs or MODULE:FUNCTION, as circuits.mine:build_circuit"
        )
    found = find_circuit(name)
    return profile(found.r1cs if found.template is None else found.template)


def _witness(wtns: Path, found: Profile, circuit: str) -> U64:
    from zkrollup.formats.wtns import WtnsFile

    values = WtnsFile.read(wtns).values
    if len(values) != found.layout.num_columns:
        raise ValueError(
            f"{wtns}: {len(values)} values, but {circuit} has {found.layout.num_columns} columns"
        )
    return values


# -- for people --------------------------------------------------------------------------------------
def _show(found: Profile, facts: Density, cost: Prediction, by: str, levels: int, lines: bool) -> None:
    totals = found.totals
    say(
        f"{found.name}: {totals['constraints']:,} constraints, {totals['nonzeros']:,} nonzeros, "
        f"{found.layout.num_columns:,} columns, domain 2^{found.layout.domain_size.bit_length() - 1}"
        + (f", digest {found.digest[:16]}" if found.digest else "")
    )
    say("")
    print_plain(
        ("scope", *(name.replace("_", " ") for name in WEIGHTS), f"% of {by.replace('_', ' ')}"),
        _tree(found.tree(lines).merged(), by, levels),
    )
    say("")
    print_plain(
        ("matrix", "nonzeros", "a row", "most in a row", "1 or -1", "empty rows"),
        (
            (
                name,
                f"{m.nonzeros:,}",
                f"{m.per_row:.2f}",
                f"{m.most_in_a_row:,}",
                f"{100 * m.share_of_units:.1f} %",
                f"{m.empty_rows:,}",
            )
            for name, m in (("A", facts.a), ("B", facts.b), ("C", facts.c))
        ),
    )
    say(
        f"{facts.columns_in_b:,} of {facts.columns:,} columns are in B: the bases of B1 and B2; "
        f"{facts.linear_rows:,} rows have no product"
    )
    say("")
    print_plain(("phase of a proof", "size", "0", "1", "million products", "seconds"), _phases(cost))
    if cost.seconds is None:
        say(f"no times: the share of the limit that {cost.path} reaches is not known")
    else:
        say(f"on {cost.path}, {cost.threads} thread{'s' * (cost.threads > 1)}; {ACCURACY}")
    if not cost.with_witness:
        say("without a witness every scalar is taken for random; --wtns or --sample counts 0 and 1")


def _tree(root: Node, by: str, levels: int) -> Iterator[tuple[str, ...]]:
    whole = max(root.weight(by), 1)

    def rows(node: Node, depth: int) -> Iterator[tuple[str, ...]]:
        counts = (f"{node.weight(name):,}" for name in WEIGHTS)
        yield ("  " * depth + node.name, *counts, f"{100 * node.weight(by) / whole:.1f}")
        if depth < levels:
            for child in node.heaviest(by):
                yield from rows(child, depth + 1)

    return rows(root, 0)


def _phases(cost: Prediction) -> Iterator[tuple[str, ...]]:
    for phase in cost.phases:
        is_sum = phase.name.startswith("sum")
        yield (
            phase.name,
            f"{phase.size:,}",
            f"{phase.zeros:,}" if is_sum and cost.with_witness else "",
            f"{phase.ones:,}" if is_sum and cost.with_witness else "",
            f"{phase.products / 1e6:,.2f}",
            "" if phase.seconds is None else f"{phase.seconds:.4f}",
        )
    seconds = "" if cost.seconds is None else f"{cost.seconds:.4f}"
    yield ("together", "", "", "", f"{cost.products / 1e6:,.2f}", seconds)
