"""``audit``: constraints, circom's or ours, searched for what nothing determines. It must not know how."""

from __future__ import annotations

import json
from pathlib import Path

from zkrollup.audit import Constraints, UnsatisfiedError, audit
from zkrollup.cli.circuits import find_circuit
from zkrollup.cli.files import require_outputs
from zkrollup.cli.show import say
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
    if witnesses and len(witnesses[0]) != constraints.num_wires:
        raise ValueError(
            f"{wtns}: {len(witnesses[0])} values, but {circuit} is a circuit of {constraints.num_wires} wires"
        )
    try:
        report = audit(constraints, witnesses, seconds=seconds, seed=seed, claims=claims)
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
        from zkrollup.circuits.batch import batch_circuit
        from zkrollup.state import BatchParameters

        return Constraints.from_template(batch_circuit(BatchParameters(1, _SLOT_DEPTH)).templates["slots"])
    found = find_circuit(circuit)
    if found.template is not None:
        return Constraints.from_template(found.template)
    return Constraints.from_r1cs(found.r1cs)
