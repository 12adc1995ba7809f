"""``audit``: circom's constraints examined for signals that nothing determines. It must not know how."""

from __future__ import annotations

import json
from pathlib import Path

from zkrollup.audit import Constraints, UnsatisfiedError, audit
from zkrollup.cli.show import say
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.formats.wtns import WtnsFile

__all__ = ["audit_file"]


def audit_file(
    r1cs: Path,
    *,
    wtns: Path | None,
    sym: Path | None,
    seconds: float | None,
    seed: int,
    write_witness: Path | None,
    json_output: bool,
) -> int:
    """Audits a file, prints the report and returns the exit code: 0, 1 (something is free) or 3 (undecided).

    Raises ValueError or OSError for bad input, among it a witness that does not satisfy the constraints.
    """
    if write_witness is not None and not write_witness.parent.is_dir():
        raise FileNotFoundError(f"{write_witness}: the folder {write_witness.parent} does not exist")
    witnesses = []
    if wtns is not None:
        witnesses.append(ints_from_limbs(WtnsFile.read(wtns).values))
    constraints = Constraints.from_file(r1cs, sym)
    if witnesses and len(witnesses[0]) != constraints.num_wires:
        raise ValueError(
            f"{wtns}: {len(witnesses[0])} values, but {r1cs} is a circuit of {constraints.num_wires} wires"
        )
    try:
        report = audit(constraints, witnesses, seconds=seconds, seed=seed)
    except UnsatisfiedError as error:
        raise ValueError(
            f"{wtns}: does not satisfy {r1cs}: {len(error.rows)} of {constraints.num_rows} constraints "
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
