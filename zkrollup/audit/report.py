"""What an audit found, as data and as text.

This module must not analyse anything.
"""

from __future__ import annotations

import enum
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zkrollup.audit.claims import ClaimsReport
from zkrollup.audit.facts import Reason
from zkrollup.audit.model import Constraints, WireClaim
from zkrollup.audit.search import Freedom, WitnessPair
from zkrollup.cs.scalar_field import MODULUS
from zkrollup.engine.convert import fr_from_ints
from zkrollup.formats.wtns import WtnsFile

__all__ = ["AuditReport", "Kind", "Verdict"]

_SHOWN = 10


class Kind(enum.Enum):
    """What is known of a wire that is not an input."""

    UNIQUE = "unique"
    """Two satisfying witnesses with the same inputs agree on it: proved."""
    FREE = "free"
    """Two satisfying witnesses with the same inputs disagree on it: here they are."""
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Verdict:
    """``reason``: the rule and rows that show uniqueness. ``pair``: the witnesses that show freedom.

    ``idle``: nothing else depends on the wire. It stands only in products, the other factors and all else
    in these rows being unique, and it is no output: whatever its value, no other wire changes (the
    inverse in an is-zero test, when the tested value is zero).
    ``conditional``: undecided, but unique unless one of the report's ``assumed`` factors is zero.
    ``claimed``: unique, or idle, only given the author's claims in the report.
    An undecided wire with a ``pair`` is free if both witnesses have the same lost inputs: nobody can tell.
    """

    kind: Kind
    reason: Reason | None = None
    pair: WitnessPair | None = None
    idle: bool = False
    conditional: bool = False
    claimed: bool = False


@dataclass(frozen=True, eq=False)
class AuditReport:
    """The findings on one system.

    ``verdicts``: by wire, for every wire that is not an input. ``kernel``: first-order freedoms at the
    witnesses, as wires that move together; ``rank`` that of the Jacobian at the first witness (None without
    one). ``constants``: wires with one possible value. ``unforced_booleans``: (wire, use).
    ``duplicate_rows``: (row, the earlier row that it repeats). ``redundant_rows``: rows without a product
    that others imply. ``assumed``: (row, wire) where a wire is unique only if its factor is not zero.
    ``claims``: what the author claims, of which the accepted ones are taken for true: unique wires whose
    verdict says ``claimed`` are so given these.
    ``contradiction``: a row that nothing satisfies, then there is no witness and all verdicts are void.
    ``notes``: what was left out, and why.
    """

    system: Constraints
    verdicts: Mapping[int, Verdict]
    pairs: tuple[WitnessPair, ...]
    unused_inputs: tuple[int, ...]
    unused_wires: tuple[int, ...]
    constants: Mapping[int, int]
    unforced_booleans: tuple[tuple[int, str], ...]
    duplicate_rows: tuple[tuple[int, int], ...]
    redundant_rows: tuple[int, ...]
    kernel: tuple[Freedom, ...]
    rank: int | None
    assumed: tuple[tuple[int, int], ...]
    contradiction: int | None
    witnesses: int
    seconds: float
    claims: ClaimsReport = field(default_factory=ClaimsReport)
    notes: tuple[str, ...] = field(default=())

    # -- asking ----------------------------------------------------------------------------------------
    def of(self, kind: Kind) -> list[int]:
        """The wires with this verdict."""
        return [w for w, v in self.verdicts.items() if v.kind is kind]

    @cached_property
    def free(self) -> list[int]:
        return self.of(Kind.FREE)

    @cached_property
    def undecided(self) -> list[int]:
        return self.of(Kind.UNDECIDED)

    @cached_property
    def harmful(self) -> list[int]:
        """The free wires on which something depends: all but the idle ones."""
        return [w for w in self.free if not self.verdicts[w].idle]

    @cached_property
    def open(self) -> list[int]:
        """The undecided wires on which something depends."""
        return [w for w in self.undecided if not self.verdicts[w].idle]

    @property
    def decided_share(self) -> float:
        """The part of the wires asked for that is unique or free, or that a claim says nothing depends on:
        given the claims. 1.0 when none is asked for."""
        total = len(self.verdicts)
        left = sum(1 for w in self.undecided if not self.verdicts[w].claimed)
        return (total - left) / total if total else 1.0

    @property
    def decided_share_without_claims(self) -> float:
        """The part of the wires asked for that is shown unique or free, whatever anybody claims."""
        total = len(self.verdicts)
        shown = sum(
            1
            for v in self.verdicts.values()
            if v.kind is Kind.FREE or (v.kind is Kind.UNIQUE and not v.claimed)
        )
        return shown / total if total else 1.0

    @property
    def exit_code(self) -> int:
        """0: every wire that matters is unique, given the claims; 1: one is free, or a claim is false;
        3: some are undecided, none is free."""
        if self.harmful or self.claims.refuted:
            return 1
        return 3 if self.open or self.contradiction is not None else 0

    def verdict(self, name: str) -> Verdict:
        """The verdict on a wire by its name; KeyError when no wire that is asked for has it."""
        for wire, verdict in self.verdicts.items():
            if self.system.name(wire) == name:
                return verdict
        raise KeyError(name)

    # -- showing ---------------------------------------------------------------------------------------
    def _named(self, wire: int) -> str:
        place = self.system.place(wire)
        return self.system.name(wire) + (f" ({place})" if place else "")

    def _row(self, row: int) -> str:
        place = self.system.row_place(row)
        return f"row {row}" + (f" {place}" if place else "")

    def _list(self, title: str, lines: list[str]) -> list[str]:
        if not lines:
            return []
        more = [f"    … and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
        return [f"  {title}:", *(f"    {line}" for line in lines[:_SHOWN]), *more]

    def _claims(self) -> list[str]:
        told = self.claims
        lines = []
        if told.accepted:
            claimed = sum(1 for v in self.verdicts.values() if v.claimed)
            lines.append(
                f"  GIVEN {len(told.accepted):,} CLAIMS of the author, taken for true and not shown here: "
                f"{claimed:,} of these wires. Without them decided {self.decided_share_without_claims:.2%}"
            )
            lines += self._claim_lines(told.accepted)
            if told.attacked:
                lines.append(f"    a witness against {told.attacked:,} of them was looked for")
        if told.refuted:
            lines.append(f"  FALSE: {len(told.refuted):,} claims, at a satisfying witness, so not used:")
            lines += self._claim_lines(told.refuted)
        if told.ignored:
            lines.append(f"  not used: {len(told.ignored):,} claims:")
            lines += self._claim_lines(told.ignored)
        return lines

    @staticmethod
    def _claim_lines(claims: tuple[WireClaim, ...]) -> list[str]:
        lines = ClaimsReport.grouped(claims)
        return [f"    {n:,} × {what}: {reason} ({place})" for n, what, reason, place in lines]

    def __str__(self) -> str:
        s = self.system
        counts = Counter(v.kind for v in self.verdicts.values())
        lines = [
            f"{s.title}: {s.num_rows:,} constraints, {len(self.verdicts):,} wires asked for, "
            f"{len(s.inputs):,} given",
            f"  unique {counts[Kind.UNIQUE]:,}, free {counts[Kind.FREE]:,}, undecided "
            f"{counts[Kind.UNDECIDED]:,}; decided {self.decided_share:.2%}",
        ]
        lines += self._claims()
        if self.contradiction is not None:
            lines.append(
                f"  NO WITNESS: {self._row(self.contradiction)} cannot hold, so the rest says nothing"
            )
        if s.lost_inputs:
            some = ", ".join(s.lost_inputs[:4]) + (", …" if len(s.lost_inputs) > 4 else "")
            lines.append(
                f"  {len(s.lost_inputs):,} private inputs have no wire: {some}. Whether a second witness has "
                "the same inputs cannot be told, so nothing is called free; compile with --O1, or declare "
                "the inputs public"
            )
        shown: set[int] = set()
        for wire in self.harmful:
            pair = self.verdicts[wire].pair
            assert pair is not None
            if id(pair) in shown:
                continue
            shown.add(id(pair))
            if len(shown) > _SHOWN:
                lines.append(f"  … and {len(self.pairs) - _SHOWN:,} more witness pairs")
                break
            lines.append(
                f"  FREE: a second witness, same inputs, differs on {len(pair.differing):,} wires "
                f"(found by {pair.found_by}):"
            )
            lines += [
                f"    {self._named(w)}: {pair.first[w]} or {pair.second[w]}" for w in pair.differing[:_SHOWN]
            ]
            if len(pair.differing) > _SHOWN:
                lines.append(f"    … and {len(pair.differing) - _SHOWN:,} more")
        idle = [w for w in self.free if self.verdicts[w].idle]
        lines += self._list("free, but nothing depends on it", [self._named(w) for w in idle])
        conditional = [w for w in self.open if self.verdicts[w].conditional]
        plain = [w for w in self.open if not self.verdicts[w].conditional]
        lines += self._list("undecided", [self._named(w) for w in plain])
        if conditional:
            lines.append(
                f"  undecided, but unique unless a factor is zero: {len(conditional):,} wires, by "
                f"{len(self.assumed):,} factors:"
            )
            lines += [f"    {self._row(row)}, for {s.name(wire)}" for row, wire in self.assumed[:_SHOWN]]
            if len(self.assumed) > _SHOWN:
                lines.append(f"    … and {len(self.assumed) - _SHOWN:,} more")
        rest = [w for w in self.undecided if self.verdicts[w].idle and not self.verdicts[w].claimed]
        lines += self._list("undecided, but nothing depends on it", [self._named(w) for w in rest])
        unreal = [f for f in self.kernel if not f.real]
        lines += self._list(
            "first-order freedoms without a second witness",
            [f"{len(f.wires):,} wires move, {', '.join(s.name(w) for w in f.wires[:4])}" for f in unreal],
        )
        lines += self._list("inputs in no constraint", [self._named(w) for w in self.unused_inputs])
        lines += self._list("wires in no constraint", [self._named(w) for w in self.unused_wires])
        lines += self._list(
            "used as 0 or 1, never forced to be",
            [f"{self._named(w)}: {use}" for w, use in self.unforced_booleans],
        )
        lines += self._list("constant", [f"{self._named(w)} = {v}" for w, v in self.constants.items()])
        lines += self._list(
            "rows that repeat another", [f"{self._row(i)} repeats row {j}" for i, j in self.duplicate_rows]
        )
        lines += self._list("linear rows that others imply", [self._row(i) for i in self.redundant_rows])
        if self.rank is not None:
            lines.append(f"  rank of the Jacobian: {self.rank:,} of {len(self.verdicts):,}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def to_json(self, *, verdicts: bool = True) -> dict[str, Any]:
        """Plain data: names for wires, decimal strings for field elements."""
        s = self.system
        counts = Counter(v.kind for v in self.verdicts.values())
        number = {id(pair): i for i, pair in enumerate(self.pairs)}
        out: dict[str, Any] = {
            "title": s.title,
            "constraints": s.num_rows,
            "wires": s.num_wires,
            "asked": len(self.verdicts),
            "unique": counts[Kind.UNIQUE],
            "free": counts[Kind.FREE],
            "undecided": counts[Kind.UNDECIDED],
            "free_idle": len(self.free) - len(self.harmful),
            "undecided_idle": len(self.undecided) - len(self.open),
            "lost_inputs": list(s.lost_inputs),
            "conditional": sum(1 for v in self.verdicts.values() if v.conditional),
            "decided_share": self.decided_share,
            "decided_share_without_claims": self.decided_share_without_claims,
            "claimed": sum(1 for v in self.verdicts.values() if v.claimed),
            "claims": self.claims.to_json(),
            "exit_code": self.exit_code,
            "contradiction": self.contradiction,
            "witnesses": self.witnesses,
            "jacobian_rank": self.rank,
            "kernel": [{"wires": [s.name(w) for w in f.wires], "real": f.real} for f in self.kernel],
            "pairs": [
                {
                    "found_by": pair.found_by,
                    "differing": {
                        s.name(w): [str(pair.first[w]), str(pair.second[w])] for w in pair.differing
                    },
                }
                for pair in self.pairs
            ],
            "assumed": [{"row": row, "wire": s.name(wire)} for row, wire in self.assumed],
            "unused_inputs": [s.name(w) for w in self.unused_inputs],
            "unused_wires": [s.name(w) for w in self.unused_wires],
            "constants": {s.name(w): str(v) for w, v in self.constants.items()},
            "unforced_booleans": [{"wire": s.name(w), "use": use} for w, use in self.unforced_booleans],
            "duplicate_rows": [list(item) for item in self.duplicate_rows],
            "redundant_rows": list(self.redundant_rows),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }
        if verdicts:
            listed = []
            for wire, v in self.verdicts.items():
                entry: dict[str, Any] = {"wire": wire, "name": s.name(wire), "verdict": v.kind.value}
                if v.reason is not None:
                    entry |= {"rule": v.reason.rule, "rows": list(v.reason.rows)}
                if v.pair is not None:
                    entry["pair"] = number[id(v.pair)]
                if v.idle:
                    entry["idle"] = True
                if v.claimed:
                    entry["claimed"] = True
                if v.conditional:
                    entry["conditional"] = True
                listed.append(entry)
            out["signals"] = listed
        return out

    def write_pair(
        self,
        second: str | os.PathLike[str],
        first: str | os.PathLike[str] | None = None,
        pair: WitnessPair | None = None,
    ) -> WitnessPair:
        """Write the second witness of a pair as ``.wtns`` (and the first); by default of the worst pair.

        ValueError when there is no pair, or the field is not that of ``.wtns`` files here.
        """
        if self.system.modulus != MODULUS:
            raise ValueError(f"{self.system.title}: a .wtns is written for BN254's scalar field only")
        if pair is None:
            wires = self.harmful or self.free
            if not wires:
                raise ValueError(f"{self.system.title}: no second witness was found, so none is written")
            pair = self.verdicts[wires[0]].pair
            assert pair is not None
        WtnsFile(fr_from_ints(pair.second)).write(Path(second))
        if first is not None:
            WtnsFile(fr_from_ints(pair.first)).write(Path(first))
        return pair
