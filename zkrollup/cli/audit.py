"""``audit``: constraints, circom's or ours, searched for what nothing determines. It must not know how."""

from __future__ import annotations

import json
from pathlib import Path

from zkrollup.audit import Constraints, UnsatisfiedError, audit
from zkrollup.cli.circuits import find_circuit
from zkrollup.cli.files import require_outputs
from zkrollup.cli.show import say
from zkrollup.cs import Template
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.formats.wtns import WtnsFile

__all__ = ["audit_circuit"]

_SLOT_DEPTH = 16


def audit_circuit(
    circuit: str,
    *,
    wtns: Path | None,
    sym: Path | None,
    seconds: float | None,
    seed: int,
    write_witness: Path | None,
    claims: bool,
    json_output: bool,
) -> int:
    """Audits a file or a circuit of ours, prints the report and returns its exit code: 0, 1 or 3.

    Raises ValueError or OSError for bad input, among it a witness that does not satisfy the constraints.
    """
    require_outputs([write_witness], [Path(circuit), wtns, sym])
    witnesses = []
    if wtns is not None:
        witnesses.append(ints_from_limbs(WtnsFile.read(wtns).values))
    constraints = _constraints(circuit, sym)
    ours = circuit == "slot" and not witnesses
    if ours:
        witnesses = _empty_slots()
    if witnesses and len(witnesses[0]) != constraints.num_wires:
        raise ValueError(
            f"{wtns}: {len(witnesses[0])} values, but {circuit} is a circuit of {constraints.num_wires} wires"
        )
    try:
        report = audit(
            constraints, witnesses, seconds=seconds, seed=seed, claims=claims, special_inputs=not ours
        )
    except UnsatisfiedError as error:
        raise ValueError(
            f"{wtns}: does not satisfy {circuit}: {len(error.rows)} of {constraints.num_rows} constraints "
            f"fail, the first is number {error.rows[0]}; nothing was analysed"
        ) from error
    written = None
    if write_witness is not None and report.pairs:
        first = None if wtns is not None else write_witness.with_suffix(".first.wtns")
        pair = report.write_pair(write_witness, first)
        if wtns is not None and list(pair.first) != witnesses[0]:
            first = write_witness.with_suffix(".first.wtns")
            report.write_pair(write_witness, first, pair)
        written = f"second witness: {write_witness}" + (f"; the first: {first}" if first else "")
    if json_output:
        say(json.dumps(report.to_json()))
    else:
        say(str(report))
        if written is not None:
            say(written)
        elif write_witness is not None:
            say(f"{write_witness}: not written, no second witness was found")
    return report.exit_code


def _constraints(circuit: str, sym: Path | None) -> Constraints:
    if circuit != "slot" and ":" not in Path(circuit).name:
        if not circuit.endswith(".r1cs") and not Path(circuit).exists():
            raise ValueError(f"{circuit}: no such file; expected FILE.r1cs, slot or MODULE:FUNCTION")
        return Constraints.from_file(circuit, sym)
    if sym is not None:
        raise ValueError(f"--sym: names belong to a .r1cs file, not to {circuit}")
    if circuit == "slot":
        return Constraints.from_template(_slot())
    found = find_circuit(circuit)
    if found.template is not None:
        return Constraints.from_template(found.template)
    return Constraints.from_r1cs(found.r1cs)


def _slot() -> Template:
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.state import BatchParameters

    return batch_circuit(BatchParameters(1, _SLOT_DEPTH)).templates["slots"]


def _empty_slots() -> list[list[int]]:
    """Witnesses of an unused slot, in an empty tree and in a full one: where tests for zero find zero."""
    from zkrollup.circuits.batch import slot_values
    from zkrollup.engine import get_engine
    from zkrollup.operator import engine_hasher
    from zkrollup.state import BatchContext, BatchParameters, StateTree, apply_batch

    template = _slot()
    state = StateTree.in_memory(_SLOT_DEPTH, engine_hasher(get_engine()))
    trace = apply_batch(state, (), BatchContext(BatchParameters(1, _SLOT_DEPTH), 1, 1, 1, ()))
    values = dict(slot_values(trace.slots[0], trace.batch_number))
    links = {name: values.pop(name, 0) for name in template.links}
    full = links | {"next_index": 1 << 2 * _SLOT_DEPTH}
    return [template.check(given, values).values for given in (links, full)]
