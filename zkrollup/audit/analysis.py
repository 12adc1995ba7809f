"""The audit of a system: propagation, then the Jacobian and the search for second witnesses, then the rest.

This module must not know how each step works; it decides their order and shares out the time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from zkrollup.audit.claims import Claims
from zkrollup.audit.facts import Reason
from zkrollup.audit.jacobian import Jacobian
from zkrollup.audit.lint import (
    duplicate_rows,
    linear_rows_made_of_others,
    unforced_booleans,
    unused_wires,
)
from zkrollup.audit.model import Circuit, Constraints
from zkrollup.audit.propagate import Propagation
from zkrollup.audit.report import AuditReport, Kind, Verdict
from zkrollup.audit.search import Search, find_witness

__all__ = ["UnsatisfiedError", "audit"]

_TRIES = 3
_ELSEWHERE = 16


class UnsatisfiedError(ValueError):
    """A given witness does not satisfy the rows, so nothing was analysed. ``rows``: those that fail."""

    def __init__(self, text: str, rows: tuple[int, ...]) -> None:
        super().__init__(text)
        self.rows = rows


def audit(
    circuit: Circuit,
    witnesses: Sequence[Sequence[int]] = (),
    *,
    seconds: float | None = None,
    seed: int = 0,
    special_inputs: bool = True,
    claims: bool = True,
) -> AuditReport:
    """Which wires do the inputs determine?

    Arguments:
        circuit: a template, a system, the path of an ``.r1cs`` file, or the :class:`Constraints` of one.
        witnesses: satisfying values of all wires, wire 0 first. Without any, one is looked for.
        seconds: about how long it may take; None: until the bounded search is done.
        seed: of all random choices; the same call gives the same report unless time runs out.
        special_inputs: search for witnesses with other inputs too, where a factor that pins a wire is zero.
        claims: take the author's claims for true, except those that a witness refutes; the report lists
            them, and says what is unique only given them.

    Returns:
        a report. Raises :class:`UnsatisfiedError` for a witness that does not satisfy the rows,
        :class:`ValueError` for one of the wrong length, and what :meth:`Constraints.of` raises.
    """
    constraints = Constraints.of(circuit)
    start = time.monotonic()
    deadline = None if seconds is None else start + seconds
    notes: list[str] = []
    p = constraints.modulus
    given = [[int(v) % p for v in witness] for witness in witnesses]
    for i, witness in enumerate(given):
        _demand_satisfied(constraints, i, witness)
    # A lone call of pure propagation is quick; leave most of the time to the search.
    rules = Propagation(constraints, deadline=deadline).run()
    if deadline is not None and time.monotonic() > deadline:
        notes.append("time ran out during propagation")
    proved = bytes(rules.unique)
    claimed = Claims(constraints, claims)
    claimed.test(given)
    claimed.attack(rules, seed, deadline)
    rules.accept(claimed.accepted)
    search = Search(rules, seed=seed, deadline=deadline)
    search.proved, search.explained = proved, claimed.idle(rules)
    if not given and search.undecided():
        found = _some_witness(rules, seed, deadline)
        if found is None:
            notes.append("no witness was given and none was found: nothing could be shown free")
        else:
            given = [found]
    for witness in given:
        search.quickly_at(witness)
    if special_inputs and search.undecided():
        search.at_aliases()
        search.at_common_zeros(given[0] if given else None)
    for witness in given:
        search.at(witness)
    if special_inputs and search.undecided():
        search.at_zeros(given[0] if given else None)
        _elsewhere(search, seed, deadline)
    if claimed.test(w for pair in search.pairs for w in (pair.first, pair.second)):
        # what was built on these claims falls: once more without them
        gone = {id(c) for c in claimed.refuted}
        rest = replace(constraints, claims=tuple(c for c in constraints.claims if id(c) not in gone))
        again = audit(rest, witnesses, seconds=seconds, seed=seed, special_inputs=special_inputs)
        told = replace(again.claims, refuted=claimed.refuted + again.claims.refuted)
        return replace(again, system=constraints, claims=told)
    if not search.finished:
        notes.append("time ran out during the search for second witnesses")
    elif search.stopped:
        notes.append(
            "the search for second witnesses ended after many tries in vain, with wires left untried"
        )

    rank = None
    if given and (deadline is None or time.monotonic() < deadline):
        jacobian = Jacobian(constraints, given[0], deadline=deadline)
        rank = jacobian.rank if jacobian.complete else None
    redundant, complete = linear_rows_made_of_others(
        rules, None if deadline is None else max(1.0, deadline - time.monotonic())
    )
    if not complete:
        notes.append("time ran out while looking for redundant rows")
    unused_inputs, bare = unused_wires(rules)
    booleans = unforced_booleans(rules)

    known = bytes(rules.unique)
    reasons = dict(rules.reasons)
    idle = {w for w in range(1, constraints.num_wires) if not known[w] and _is_idle(rules, w)}
    constants = {
        w: domain.values[0]
        for w, domain in enumerate(rules.domains[: constraints.num_wires])
        if w and domain is not None and domain.values is not None and len(domain.values) == 1
    }
    contradiction = rules.impossible
    if not all(known[1:]):
        rules.assume_factors(None if seconds is None else max(2.0, seconds / 10))
    verdicts: dict[int, Verdict] = {}
    for wire in range(1, constraints.num_wires):
        if wire in constraints.inputs:
            continue
        if known[wire]:
            verdicts[wire] = Verdict(
                Kind.UNIQUE, reason=reasons.get(wire, Reason("", (), 0)), claimed=not proved[wire]
            )
        elif wire in search.pair_of:
            pair = search.pairs[search.pair_of[wire]]
            kind = Kind.UNDECIDED if constraints.lost_inputs else Kind.FREE
            explained = wire in search.explained and wire not in idle
            verdicts[wire] = Verdict(kind, pair=pair, idle=explained or wire in idle, claimed=explained)
        elif wire in search.explained and wire not in idle:
            verdicts[wire] = Verdict(Kind.UNDECIDED, idle=True, claimed=True)
        else:
            verdicts[wire] = Verdict(Kind.UNDECIDED, idle=wire in idle, conditional=bool(rules.unique[wire]))
    return AuditReport(
        system=constraints,
        verdicts=verdicts,
        pairs=tuple(search.pairs),
        unused_inputs=tuple(unused_inputs),
        unused_wires=tuple(bare),
        constants=constants,
        unforced_booleans=tuple(booleans),
        duplicate_rows=tuple(duplicate_rows(constraints)),
        redundant_rows=tuple(redundant),
        kernel=tuple(search.freedoms),
        rank=rank,
        assumed=tuple(rules.assumed),
        contradiction=contradiction,
        claims=claimed.told(),
        witnesses=len(given),
        seconds=time.monotonic() - start,
        notes=tuple(notes),
    )


def _demand_satisfied(constraints: Constraints, index: int, witness: Sequence[int]) -> None:
    wrong = constraints.violations(witness)
    if wrong:
        place = constraints.row_place(wrong[0])
        where = f"row {wrong[0]}" + (f" {place}" if place else "")
        raise UnsatisfiedError(
            f"{constraints.title}: witness {index} does not satisfy the constraints: "
            f"{len(wrong)} of {constraints.num_rows} rows fail, the first is {where}",
            tuple(wrong),
        )


def _some_witness(rules: Propagation, seed: int, deadline: float | None) -> list[int] | None:
    for attempt in range(_TRIES):
        found = find_witness(rules, seed=seed + attempt, deadline=deadline)
        if found is not None:
            return found
    return None


def _elsewhere(search: Search, seed: int, deadline: float | None) -> None:
    """Search around witnesses with random inputs, as long as one in two of them shows something new."""
    idle = 0
    for attempt in range(_ELSEWHERE):
        left = len(search.undecided())
        if not left or idle == 2 or (deadline is not None and time.monotonic() > deadline):
            return
        found = find_witness(search.rules, seed=seed + _TRIES + attempt, deadline=deadline)
        if found is not None:
            search.at(found)
        idle = idle + 1 if len(search.undecided()) == left else 0


def _is_idle(rules: Propagation, wire: int) -> bool:
    """Whether no other wire can change with this one: see :class:`Verdict`."""
    if wire in rules.system.outputs or not rules.touching[wire]:
        return False
    for row in rules.touching[wire]:
        if rules.linear[row] is not None or rules.unknown[row] != 1:
            return False
        a, b, c = rules.rows[row]
        if wire in c or (wire in a) == (wire in b):
            return False
    return True
