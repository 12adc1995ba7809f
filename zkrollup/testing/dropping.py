"""Dropping constraints: take each row away in turn; the tests or the analysis must notice.

This module must not know any particular circuit.

No system is ever built without a row. An assignment that breaks exactly one row is what the system without
that row would accept, so one evaluation of all rows on many wrong assignments tries all rows at once.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zkrollup.audit import Constraints, Jacobian, propagate
from zkrollup.audit.without import Without
from zkrollup.cs import R1CS, Check, Template, Witness
from zkrollup.cs.scalar_field import MODULUS, from_mont
from zkrollup.engine.interface import U64, Engine
from zkrollup.testing.batched import Batched, first_writes, operands_read
from zkrollup.testing.bulk import changes, first_refusals, in_order, latest_writes, peel
from zkrollup.testing.explained import Explained
from zkrollup.testing.lies import replay_changes
from zkrollup.testing.mutation import Touches

__all__ = [
    "Assignment",
    "DropReport",
    "Notice",
    "Survivor",
    "assert_every_row_needed",
    "drop_constraints",
    "instance_values",
]

Assignment = (
    Check
    | Mapping[str, object]
    | tuple[Mapping[str, object] | None, Mapping[str, object] | None]
    | Sequence[int]
)
"""What an assignment may be given as: a :class:`~zkrollup.cs.Check`, inputs by name, (links, inputs) by
name, or the values of all local columns."""

_FEW = 8  # wires of a row that lie one by one
_PARTNERS = 3  # neighbours in a sum with which a wire lies

WAYS = ("invalid", "mutation", "rank", "relation", "cut", "lie", "propagation")


@dataclass(frozen=True)
class Notice:
    """Why a row is missed when it is gone. ``how`` is one of

    - ``invalid``: an invalid assignment of the tests is refused by this row alone;
    - ``mutation``: so is a valid witness in which one wire was changed;
    - ``rank``: without it the Jacobian over the wires that are computed loses rank at a valid witness: a
      wire becomes free, to first order;
    - ``relation``: the Jacobian over all wires, inputs and links among them, loses rank: other statements
      become acceptable, to first order;
    - ``cut`` (only with ``cuts=True``): of the circuit cut off behind the row - the rows all of whose wires
      were written when the row's last wire was - this row alone refuses a valid witness in which one wire
      was changed. So what was recorded up to the row does not imply it, and without it accepts another
      witness; whether something recorded later would still refuse, this does not say;
    - ``lie``: this row alone refuses a witness in which an input, a computed wire, or two wires of one sum
      lie and the rest follows the lie (links and inputs that only one row compares with something may
      follow too);
    - ``propagation``: without it the inputs are no longer seen to determine every wire that they determine
      with it.
    """

    row: int
    how: str
    by: str


@dataclass(frozen=True)
class Survivor:
    """A row that nothing missed: redundant, or not tested. ``reason`` when somebody explained it."""

    row: int
    scope: str
    label: str
    place: str
    formula: str
    reason: str = ""

    @property
    def names(self) -> tuple[str, str]:
        """What an explanation may call it: its label, and that after its scope."""
        return self.label, f"{self.scope}/{self.label}" if self.scope else self.label

    def __str__(self) -> str:
        return f"row {self.row} {self.names[1]!r} at {self.place}: {self.formula}"


@dataclass(frozen=True, eq=False)
class DropReport:
    """What :func:`drop_constraints` found; ``seconds`` by step."""

    template: Template
    noticed: Mapping[int, Notice]
    survivors: tuple[Survivor, ...]
    explained: tuple[Survivor, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows were noticed in which way."""
        found = Counter(notice.how for notice in self.noticed.values())
        return {how: found[how] for how in WAYS if found[how]}

    def __str__(self) -> str:
        ways = ", ".join(f"{count} by {how}" for how, count in self.counts.items())
        head = (
            f"{self.template.name!r}: {len(self.noticed)} of {self.template.num_constraints} rows are missed "
            f"when dropped ({ways}); {len(self.explained)} explained, {len(self.survivors)} survive"
        )
        return "\n".join([head, *(f"  {survivor}" for survivor in self.survivors)])


def drop_constraints(
    template: Template,
    valid: Iterable[Assignment],
    invalid: Iterable[Assignment] | Mapping[str, Assignment] = (),
    *,
    explained: Explained | Mapping[str, str] | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    seconds: float | None = None,
    cuts: bool = False,
) -> DropReport:
    """Drop every row in turn: which ones does nobody miss?

    Arguments:
        valid: satisfying assignments, at least one; the more of the circuit's cases they show, the fewer
            rows look useless. ValueError when one does not satisfy.
        invalid: assignments that must be refused, by name or not. ValueError when one is accepted.
        explained: labels (or ``scope/label``), with reasons, of rows that may survive; a pattern that
            explains no survivor stays :attr:`~zkrollup.testing.Explained.stale`.
        seconds: about how long the last step, propagation once for each row still left, may take; rows
            that it does not reach are survivors.
        cuts: let a row count as missed when the circuit cut off behind it misses it (``cut`` in
            :class:`Notice`). For circuits of tens of thousands of rows in which the rest does not follow a
            lie, bits that feed further sums: all rows at once instead of a propagation for each.

    Returns:
        a report: for each row who misses it, see :class:`Notice`, and the survivors with their lines.
    """
    job = _Job(template, engine, seed)
    witnesses = [(name, job.values(given)) for name, given in _named(valid)]
    if not witnesses:
        raise ValueError(f"drop_constraints: {template.name!r}: no valid assignment was given")
    wrong = [(name, job.values(given)) for name, given in _named(invalid)]
    job.run("invalid", lambda: job.evaluate(witnesses, wrong))
    job.run("mutation", lambda: job.mutate(witnesses))
    job.run("rank", lambda: job.pivots(witnesses, "rank"))
    if cuts:
        job.run("relation", lambda: job.pivots(witnesses, "relation"))
        job.run("cut", lambda: job.cut(witnesses))
    job.run("rank", lambda: job.rank(witnesses, "rank"))
    if not cuts:
        job.run("relation", lambda: job.pivots(witnesses, "relation"))
    job.run("relation", lambda: job.rank(witnesses, "relation"))
    job.run("lie", lambda: job.lie(witnesses, "valid"))
    job.run("lie", lambda: job.lie(wrong, "invalid"))
    job.run("propagation", lambda: job.propagate(seconds))
    known = Explained.of(explained)
    survivors: list[Survivor] = []
    excused: list[Survivor] = []
    for row in job.left():
        failure = template.explain(row, witnesses[0][1])
        place = str(template.row_place(row))
        found = Survivor(row, template.row_scope(row), template.row_label(row), place, failure.formula)
        reason = known.reason(*found.names)
        if reason is None:
            survivors.append(found)
        else:
            excused.append(Survivor(row, found.scope, found.label, place, found.formula, reason))
    return DropReport(template, job.noticed, tuple(survivors), tuple(excused), job.seconds)


def assert_every_row_needed(
    template: Template,
    valid: Iterable[Assignment],
    invalid: Iterable[Assignment] | Mapping[str, Assignment] = (),
    *,
    explained: Explained | Mapping[str, str] | None = None,
    engine: Engine | None = None,
    seed: int = 0,
    seconds: float | None = None,
    cuts: bool = False,
) -> DropReport:
    """AssertionError with label, line and formula of every row that :func:`drop_constraints` lets go."""
    report = drop_constraints(
        template,
        valid,
        invalid,
        explained=explained,
        engine=engine,
        seed=seed,
        seconds=seconds,
        cuts=cuts,
    )
    if report.survivors:
        raise AssertionError(f"{report}\nadd an invalid assignment that they refuse, or explain them")
    return report


def instance_values(system: R1CS, part: str, instance: int, witness: Witness) -> list[int]:
    """The values of one instance's local columns in the witness of a system, for :func:`drop_constraints`.

    Raises ValueError for a part that the system does not have.
    """
    values = witness.values
    for known in system.parts:
        if known.name == part:
            block = known.block
            links = values[block.links[instance].astype(np.int64)]
            start = block.own_base + instance * block.num_own
            return [*from_mont(links), *from_mont(values[start : start + block.num_own])]
    raise ValueError(f"system {system.name!r} has no part {part!r}; it has {[p.name for p in system.parts]}")


def _named(
    assignments: Iterable[Assignment] | Mapping[str, Assignment],
) -> list[tuple[str, Assignment]]:
    if isinstance(assignments, Mapping):
        return list(assignments.items())
    return [(f"#{i}", given) for i, given in enumerate(assignments)]


class _Job:
    """One run: the rows noticed so far, and the ways to notice more."""

    def __init__(self, template: Template, engine: Engine | None, seed: int) -> None:
        self.template, self.seed = template, seed
        self.batched = Batched(template, engine)
        self.noticed: dict[int, Notice] = {}
        self.seconds: dict[str, float] = {}
        self._sums: dict[int, list[tuple[int, int]]] | None = None
        self._shown: dict[tuple[str, str], np.ndarray] = {}
        self._hinted = frozenset(c for site in template.hints for c in site.columns)

    def values(self, given: Assignment) -> list[int]:
        template = self.template
        if isinstance(given, Check):
            return given.values
        if isinstance(given, Mapping):
            return template.solve(template.link_values({}), template.input_values(given))
        if isinstance(given, tuple) and len(given) == 2 and not isinstance(given[0], int):
            links, inputs = given
            link_values, input_values = template.link_values(links or {}), template.input_values(inputs or {})
            return template.solve(link_values, input_values)
        return [int(v) for v in given]

    def run(self, name: str, step: Callable[[], None]) -> None:
        if len(self.noticed) == self.template.num_constraints and name != "invalid":
            return
        start = time.monotonic()
        step()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start

    def left(self) -> list[int]:
        return [row for row in range(self.template.num_constraints) if row not in self.noticed]

    def note(self, row: int, how: str, by: str) -> None:
        self.noticed.setdefault(row, Notice(row, how, by))

    # -- the ways --------------------------------------------------------------------------------------
    def evaluate(
        self, witnesses: Sequence[tuple[str, list[int]]], wrong: Sequence[tuple[str, list[int]]]
    ) -> None:
        template = self.template
        for (name, _), failing in zip(witnesses, self._failing(witnesses), strict=True):
            if failing:
                first = f"{template.row_label(failing[0])!r} at {template.row_place(failing[0])}"
                raise ValueError(
                    f"drop_constraints: {template.name!r}: valid assignment {name} breaks {len(failing)} "
                    f"rows, the first is {first}"
                )
        for (name, _), failing in zip(wrong, self._failing(wrong), strict=True):
            if not failing:
                raise ValueError(
                    f"drop_constraints: {template.name!r}: invalid assignment {name} breaks no row"
                )
            if len(failing) == 1:
                self.note(failing[0], "invalid", f"invalid assignment {name}")

    def _failing(self, witnesses: Sequence[tuple[str, list[int]]]) -> list[list[int]]:
        out: list[list[int]] = []
        for start in range(0, len(witnesses), self.batched.at_once):
            some = [values for _, values in witnesses[start : start + self.batched.at_once]]
            out += self.batched.violations(self.batched.columns(some))
        return out

    def mutate(self, witnesses: Sequence[tuple[str, list[int]]]) -> None:
        """Wires changed by +1, -1, to 0, by twice their value (for factors that must not both vanish), and
        to the other value with which one of their rows holds."""
        for name, values in witnesses:
            base, touches, latest = self._touches(values)
            for how, deltas in changes(self.batched, touches, base, in_order(touches, latest)):
                broken = touches.broken(np.ascontiguousarray(deltas))
                broken &= touches.column != 0
                lone = broken & (touches.per_column(broken) == 1)[touches.column]
                for at in np.flatnonzero(lone).tolist():
                    self._note_change(int(touches.row[at]), int(touches.column[at]), "mutation", name, how)

    def cut(self, witnesses: Sequence[tuple[str, list[int]]]) -> None:
        """The same changes, objections that come later not being heard."""
        for name, values in witnesses:
            base, touches, latest = self._touches(values)
            order = in_order(touches, latest)
            ways = changes(self.batched, touches, base, order)
            for row, column, how in first_refusals(touches, order, latest, ways):
                self._note_change(row, column, "cut", name, how)

    def _touches(self, values: Sequence[int]) -> tuple[U64, Touches, np.ndarray]:
        base = self.batched.columns([values])[0]
        touches = Touches(self.batched, base)
        return base, touches, latest_writes(self.template, touches)

    def _note_change(self, row: int, column: int, way: str, name: str, how: str) -> None:
        if row not in self.noticed:
            self.note(row, way, f"valid assignment {name} with {self.template.wire_name(column)} {how}")

    def pivots(self, witnesses: Sequence[tuple[str, list[int]]], how: str) -> None:
        """The rows that counting alone shows to be in no dependency of the Jacobian's rows."""
        given = self.template.num_links + self.template.num_inputs
        columns = np.arange(self.batched.num_columns)
        for name, values in witnesses:
            _, touches, _ = self._touches(values)
            every = np.ones(touches.num_rows, dtype=bool)
            shown = peel(touches, columns >= given, every)
            if how == "relation":  # what is independent over some of the wires is so over all of them
                shown = peel(touches, columns > 0, ~shown)
            self._shown[how, name] = shown
            for row in self.left():
                if shown[row]:
                    self.note(row, how, f"the rank at valid assignment {name}")

    def rank(self, witnesses: Sequence[tuple[str, list[int]]], how: str) -> None:
        """The dependencies of the rows that :meth:`pivots` leaves, by elimination."""
        system = Constraints.from_template(self.template)
        everything = frozenset(range(1, system.num_wires))
        wires = everything - system.inputs if how == "rank" else everything
        for name, values in witnesses:
            if not self.left():
                return
            rest = np.flatnonzero(~self._shown[how, name]).tolist()
            rows = [system.row(row) for row in rest]
            jacobian = Jacobian(system, values, wires, rows=rows, keep_operations=True)
            independent = set(rest).difference(rest[at] for at in jacobian.dependent_rows(self.seed))
            for row in self.left():
                if row in independent:
                    self.note(row, how, f"the rank at valid assignment {name}")

    def lie(self, witnesses: Sequence[tuple[str, list[int]]], which: str) -> None:
        """Lies about the wires of the rows still left, everything else recomputed from them.

        On an invalid assignment a lie hides what the rule behind the row looks at.
        """
        repairable = self._repairable()
        written = first_writes(self.template)
        for name, values in witnesses:
            left = set(self.left())
            changes: dict[tuple[tuple[int, int], ...], None] = {}
            broken = self.template.check_wires(values).failures if which == "invalid" else ()
            for row in sorted(left):
                for change in self._lies_for(row, values, written, [failure.row for failure in broken]):
                    changes.setdefault(tuple(change.items()))
            asked = [dict(change) for change in changes]
            for change, failing in zip(asked, replay_changes(self.batched, values, asked), strict=True):
                lone = [row for row in failing if row not in repairable] or failing
                for row in (*(lone if len(lone) == 1 else ()), *(failing if len(failing) == 1 else ())):
                    if row in left:
                        lies = ", ".join(f"{self.template.wire_name(c)} = {v}" for c, v in change.items())
                        self.note(row, "lie", f"{which} assignment {name} with {lies}")

    def _lies_for(
        self, row: int, values: Sequence[int], written: np.ndarray, broken: Sequence[int]
    ) -> Iterator[dict[int, int]]:
        """Inputs of the row, the wires that it sees last, its hints, and pairs of wires that keep a sum."""
        template = self.template
        given = template.num_links + template.num_inputs
        wires = sorted({c for side in range(3) for c, _ in template.rows.terms(side, row) if c})
        latest = max((int(written[c]) for c in wires), default=0)
        rng = random.Random(self.seed + row)
        last = [c for c in wires if c >= given and written[c] == latest]
        hinted = sorted((c for c in wires if c in self._hinted and c not in last), key=lambda c: -written[c])
        few = wires if len(wires) <= _FEW else ()
        for c in dict.fromkeys((*last[:_FEW], *hinted[:_FEW], *(c for c in few if c < given))):
            for value in (values[c] + 1, 1 - values[c], 0, 2, rng.randrange(MODULUS)):
                if (value - values[c]) % MODULUS:
                    yield {c: value % MODULUS}
        for c in last[:_FEW]:
            for other in broken:
                mended = self._mending(c, other, values)
                if mended is not None and other != row:
                    yield {c: mended}
        if len(wires) <= 2:
            for c in wires:
                yield from self._pairs(c, values)

    def _mending(self, wire: int, row: int, values: Sequence[int]) -> int | None:
        """The value of a wire with which a broken row holds, when it stands on one side of it."""
        sides = [dict(self.template.rows.terms(side, row)) for side in range(3)]
        a, b, c = (sum(k * values[w] for w, k in side.items()) for side in sides)
        x, y, z = (side.get(wire, 0) for side in sides)
        slope = (x * b + y * a - z) % MODULUS
        if x * y or not slope:
            return None
        return (values[wire] - (a * b - c) * pow(slope, -1, MODULUS)) % MODULUS

    def _pairs(self, wire: int, values: Sequence[int]) -> Iterator[dict[int, int]]:
        """The wire and a neighbour in some sum: the neighbour flips between 0 and 1, or changes its sign,
        and the wire makes up for it."""
        rows = self.template.rows
        for side, row in self._places(wire):
            terms = dict(rows.terms(side, row))
            near = sorted((c for c in terms if c and c != wire), key=lambda c: (abs(c - wire), c))
            for other in near[:_PARTNERS]:
                flipped = 1 - values[other] if values[other] in (0, 1) else -values[other]
                moved = terms[other] * (values[other] - flipped) * pow(terms[wire], -1, MODULUS)
                yield {other: flipped % MODULUS, wire: (values[wire] + moved) % MODULUS}

    def _places(self, wire: int) -> list[tuple[int, int]]:
        """Two (side, row) at most in which the wire stands in a sum with others."""
        if self._sums is None:
            self._sums = {}
            for side, (indptr, cols, _) in enumerate(self.template.rows.sides):
                for row in range(self.template.num_constraints):
                    if indptr[row + 1] - indptr[row] > 1:
                        for i in range(indptr[row], indptr[row + 1]):
                            self._sums.setdefault(cols[i], []).append((side, row))
        return self._sums.get(wire, [])[:2]

    def _repairable(self) -> frozenset[int]:
        """Rows that a link or an input of their own can always satisfy, whatever the rest is."""
        template = self.template
        given = template.num_links + template.num_inputs
        read = operands_read(template)
        rows = template.rows
        where: dict[int, list[tuple[int, int]]] = {}
        for side, (indptr, cols, _) in enumerate(rows.sides):
            for row in range(rows.num_rows):
                for i in range(indptr[row], indptr[row + 1]):
                    if 0 < cols[i] < given:
                        where.setdefault(cols[i], []).append((side, row))
        out = set()
        for column, places in where.items():
            if len(places) == 1 and column not in read:
                side, row = places[0]
                other = rows.terms(1 - side, row) if side < 2 else [(0, 1)]
                if [c for c, _ in other] == [0] and other[0][1] % MODULUS:
                    out.add(row)
        return frozenset(out)

    def propagate(self, seconds: float | None) -> None:
        """Rows whose conclusions are lost without them, confirmed by running all rules anew."""
        deadline = None if seconds is None else time.monotonic() + seconds
        system = Constraints.from_template(self.template)
        rules = propagate(system)
        wires, without = system.num_wires, Without(rules)
        whole = sum(rules.unique[:wires])  # behind them come sums that the rules gave a wire of their own
        for row in self.left():
            if deadline is not None and time.monotonic() > deadline:
                return
            if without.lost(row) and sum(propagate(system, row).unique[:wires]) < whole:
                self.note(row, "propagation", "uniqueness is no longer proved without it")
