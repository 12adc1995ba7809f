"""Automatic lying: every output of every hint answers something else, and some constraint must object.

This module must not know any particular circuit.

How it is quick. A lie changes its wire and what is computed afterwards. A row all of whose wires are
written no later than the wire that lies says the same whatever comes after, so whether it objects is known
from the honest witness; nearly all lies end there. The others are replayed by the engine, many at once, on
the template's tape with one more link for each wire that lies (``patched_program``).
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zkrollup.cs import HintSite, Template
from zkrollup.cs.scalar_field import MODULUS, mont_array
from zkrollup.engine.interface import Engine
from zkrollup.testing.batched import Batched, first_writes, patched_program, solve_forced
from zkrollup.testing.circuits import assert_satisfied
from zkrollup.testing.explained import Explained
from zkrollup.testing.mutation import Touches

__all__ = ["LieReport", "ToldLie", "assert_lies_caught", "replay_changes", "tell_lies"]

_PATCHED_AT_ONCE = 512


@dataclass(frozen=True)
class ToldLie:
    """One wire given another value than the honest one, the rest computed honestly from it.

    ``hint``: the hint whose output it is; None for a wire that is computed without a hint.
    """

    name: str
    column: int
    honest: int
    value: int
    place: str
    scope: str
    hint: HintSite | None = None

    @property
    def names(self) -> tuple[str, str]:
        """What an explanation may call it: the wire's name, and that after its scope."""
        return self.name, f"{self.scope}/{self.name}" if self.scope else self.name

    def __str__(self) -> str:
        what = "the hint is" if self.hint is not None else "created"
        changed = f"{self.name} = {self.value} instead of {self.honest}"
        return f"{changed}; {what} at {self.place}, scope {self.scope!r}"


@dataclass(frozen=True, eq=False)
class LieReport:
    """``told``: how many lies; ``replayed``: how many had to be replayed to know; ``accepted``: those that
    no row objected to; ``alone``: row -> a lie to which this row alone objects."""

    told: int
    replayed: int
    accepted: tuple[ToldLie, ...]
    alone: Mapping[int, ToldLie] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"<LieReport: {self.told} lies, {self.replayed} replayed, {len(self.accepted)} accepted, "
            f"{len(self.alone)} rows alone in refusing one>"
        )


def tell_lies(
    template: Template,
    values: Sequence[int],
    *,
    columns: Iterable[int] | None = None,
    seed: int = 0,
    engine: Engine | None = None,
    ignore_rows: Collection[int] = (),
    want_alone: bool = False,
) -> LieReport:
    """Lie in one wire at a time: +1, 0, and a random value; everything after it follows the lie.

    Arguments:
        values: of all local columns, satisfying.
        columns: which wires lie; the outputs of all hints when None.
        ignore_rows: rows whose objections do not count (somebody can repair them).
        want_alone: also find the rows that are the only ones to object to a lie; more lies are replayed
            then.
    """
    site_of = {c: site for site in template.hints for c in site.columns}
    chosen = sorted(site_of) if columns is None else sorted(set(columns))
    chosen = [c for c in chosen if c >= template.num_links + template.num_inputs]
    rng = random.Random(seed)
    randoms = {c: rng.randrange(MODULUS) for c in chosen}
    batched = Batched(template, engine)
    base = batched.columns([values])[0]
    touches = Touches(batched, base)
    settled = _settled(template, touches)
    if ignore_rows:
        settled &= ~np.isin(touches.row, np.array(sorted(ignore_rows)))
    limit = 1 if want_alone else 0
    told = 0
    left: list[tuple[int, int]] = []
    for kind in range(3):
        others = [*values]
        for c in chosen:
            others[c] = ((values[c] + 1) % MODULUS, 0, randoms[c])[kind]
        asked = [c for c in chosen if others[c] != values[c]]
        asked = [c for c in asked if kind < 2 or others[c] not in ((values[c] + 1) % MODULUS, 0)]
        asked = [c for c in asked if not (kind == 1 and (values[c] + 1) % MODULUS == 0)]
        told += len(asked)
        deltas = batched.engine.fr_sub(batched.columns([others])[0], base)
        objections = touches.per_column(settled & touches.broken(deltas))
        left += [(c, others[c]) for c in asked if objections[c] <= limit]

    def lie(column: int, value: int) -> ToldLie:
        site = site_of.get(column)
        place = template.wire_place(column) if site is None else site.place
        scope = template.wire_scope(column) if site is None else site.scope
        name = template.wire_name(column)
        return ToldLie(name, column, values[column], value, str(place), scope, site)

    ignored = frozenset(ignore_rows)
    accepted: list[ToldLie] = []
    alone: dict[int, ToldLie] = {}
    replayed = replay_changes(batched, values, [{column: value} for column, value in left])
    for (column, value), failing in zip(left, replayed, strict=True):
        objecting = [row for row in failing if row not in ignored]
        if not objecting:
            accepted.append(lie(column, value))
        elif len(objecting) == 1 and objecting[0] not in alone:
            alone[objecting[0]] = lie(column, value)
    accepted.sort(key=lambda one: (one.column, one.value))
    return LieReport(told, len(left), tuple(accepted), alone)


def _settled(template: Template, touches: Touches) -> np.ndarray:
    """For each touch: whether no wire of the row is written after the touching one."""
    written = first_writes(template)
    latest = np.zeros(max(touches.num_rows, 1), dtype=np.int64)
    np.maximum.at(latest, touches.row, written[touches.column])
    return np.asarray(written[touches.column] == latest[touches.row])


def replay_changes(
    batched: Batched, values: Sequence[int], changes: Sequence[Mapping[int, int]]
) -> Iterator[list[int]]:
    """For each set of changes (column -> value) the rows that do not hold when all else is recomputed.

    A link or an input takes the value. A computed wire is moved by the difference between the value and
    the one in ``values``, so that it has that value unless what it is computed from changed as well.
    """
    template = batched.template
    first = template.num_links + template.num_inputs
    given = list(values[:first])
    if not template.is_native:
        for change in changes:
            cells = solve_forced(template, given[: template.num_links], given[template.num_links :], change)
            yield batched.violations(batched.columns([cells]))[0]
        return
    base = batched.columns([given])[0]
    for start in range(0, len(changes), _PATCHED_AT_ONCE):
        some = changes[start : start + _PATCHED_AT_ONCE]
        columns = list(dict.fromkeys(c for change in some for c in change if c >= first))
        place = {column: template.num_links + k for k, column in enumerate(columns)}
        program = patched_program(template, columns) if columns else template.program
        for at in range(0, len(some), batched.at_once):
            few = some[at : at + batched.at_once]
            links = np.zeros((len(few), program.num_links, 4), dtype=np.uint64)
            links[:, : template.num_links] = base[: template.num_links]
            inputs = np.repeat(base[None, template.num_links :], len(few), axis=0)
            for k, change in enumerate(few):
                for column, value in change.items():
                    if column >= first:
                        links[k, place[column]] = mont_array([(value - values[column]) % MODULUS])[0]
                    elif column >= template.num_links:
                        inputs[k, column - template.num_links] = mont_array([value % MODULUS])[0]
                    else:
                        links[k, column] = mont_array([value % MODULUS])[0]
            solved = np.empty((len(few), batched.num_columns, 4), dtype=np.uint64)
            solved[:, : template.num_links] = links[:, : template.num_links]
            solved[:, template.num_links :] = batched.engine.replay(program, links, inputs)
            yield from batched.violations(solved)


def assert_lies_caught(
    template: Template,
    links: Mapping[str, object] | None = None,
    inputs: Mapping[str, object] | None = None,
    *,
    hints: Iterable[HintSite] | None = None,
    allowed: Explained | Mapping[str, str] | Collection[str] = (),
    seed: int = 0,
    engine: Engine | None = None,
) -> int:
    """Whatever single hint lies, some constraint fails, although everything after it is computed honestly
    from the lie. Each output in turn is changed by +1, set to 0, and set at random.

    Arguments:
        hints: which hints; all when None.
        allowed: outputs that are free for these values: names, or patterns with reasons.

    Returns:
        how many lies were told.
    """
    honest = assert_satisfied(template, links, inputs)
    known = Explained.of(allowed)
    columns = [c for site in (template.hints if hints is None else hints) for c in site.columns]
    told = tell_lies(template, honest.values, columns=columns, seed=seed, engine=engine)
    excused = {c for c in columns if known.reasons and known.reason(*_names(template, c)) is not None}
    accepted = [one for one in told.accepted if one.column not in excused]
    if accepted:
        more = f" (and {len(accepted) - 1} more)" if len(accepted) > 1 else ""
        raise AssertionError(f"{template.name!r} accepts a lie: {accepted[0]}{more}")
    return told.told


def _names(template: Template, column: int) -> tuple[str, str]:
    name, scope = template.wire_name(column), template.wire_scope(column)
    return name, f"{scope}/{name}" if scope else name
