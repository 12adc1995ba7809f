"""The author's claims in an audit: tested on every witness at hand, attacked, and taken for true otherwise.

This module must not know what is concluded from a claim.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from zkrollup.audit.model import Constraints, WireClaim
from zkrollup.audit.propagate import Propagation
from zkrollup.audit.search import find_witness

__all__ = ["Claims", "ClaimsReport"]

_ATTACK_ROWS = 60_000  # rows times attacked claims, in all
_ATTACKS = 64
_NODES = 60
_WORDS = {
    "nonzero": "a sum is never zero",
    "determined": "wires are determined",
    "idle": "nothing depends on these wires",
}


@dataclass(frozen=True)
class ClaimsReport:
    """``accepted``: taken for true. ``refuted``: false at a satisfying witness, so not used. ``ignored``: not
    used because the caller said so, or because an idle wire has company that is not known. ``attacked``:
    against how many a witness was sought."""

    accepted: tuple[WireClaim, ...] = ()
    refuted: tuple[WireClaim, ...] = ()
    ignored: tuple[WireClaim, ...] = ()
    attacked: int = 0

    @staticmethod
    def grouped(claims: Iterable[WireClaim]) -> list[tuple[int, str, str, str]]:
        """(how many, what, reason, place) of claims that are made in one line."""
        counts = Counter((c.kind, c.reason, c.place) for c in claims)
        return [(n, _WORDS[kind], reason, place) for (kind, reason, place), n in counts.items()]

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"attacked": self.attacked}
        for name in ("accepted", "refuted", "ignored"):
            claims: tuple[WireClaim, ...] = getattr(self, name)
            counts = Counter((c.kind, c.scope, c.reason, c.place) for c in claims)
            out[name] = [
                {"kind": kind, "scope": scope, "reason": reason, "place": place, "count": n}
                for (kind, scope, reason, place), n in counts.items()
            ]
        return out


class Claims:
    """The claims on one system: ``accepted`` are those not refuted so far, none when not to be taken."""

    def __init__(self, system: Constraints, take: bool) -> None:
        self.system = system
        self.accepted = system.claims if take else ()
        self.refuted: tuple[WireClaim, ...] = ()
        self._ignored = () if take else system.claims
        self._attacked = 0
        self._seen: dict[tuple[object, ...], tuple[int, ...]] = {}

    def told(self) -> ClaimsReport:
        return ClaimsReport(self.accepted, self.refuted, self._ignored, self._attacked)

    def test(self, witnesses: Iterable[Sequence[int]]) -> bool:
        """Evaluate the claims on satisfying witnesses; whether one is refuted, which is then dropped."""
        before = len(self.refuted)
        for witness in witnesses if self.accepted else ():
            false = [c for c in self.accepted if self._is_false(c, witness)]
            if false:
                gone = {id(c) for c in false}
                self.refuted += tuple(false)
                self.accepted = tuple(c for c in self.accepted if id(c) not in gone)
        return len(self.refuted) > before

    def _is_false(self, claim: WireClaim, witness: Sequence[int]) -> bool:
        if claim.kind == "nonzero":
            return not sum(k * witness[w] for w, k in claim.terms.items()) % self.system.modulus
        if claim.kind == "determined":
            sums = (sum(k * witness[w] for w, k in terms.items()) for terms in claim.sums)
            values = (*(witness[w] for w in claim.wires), *(v % self.system.modulus for v in sums))
            key = (id(claim), tuple(witness[w] for w in claim.by))
            return self._seen.setdefault(key, values) != values
        return False

    def attack(self, rules: Propagation, seed: int, deadline: float | None) -> None:
        """Look for witnesses in which sums are zero although claimed not to be: a few from each line."""
        lines: dict[tuple[str, str], list[WireClaim]] = {}
        for claim in self.accepted:
            if claim.kind == "nonzero":
                lines.setdefault((claim.reason, claim.place), []).append(claim)
        if not lines:
            return
        chosen = [c for group in lines.values() for c in (group[0], group[len(group) // 2], group[-1])]
        chosen = list({id(c): c for c in chosen}.values())
        left = max(len(lines), min(_ATTACKS, _ATTACK_ROWS // max(1, self.system.num_rows)))
        for claim in chosen[:: max(1, -(-len(chosen) // left))]:
            if deadline is not None and time.monotonic() > deadline:
                return
            if all(claim is not c for c in self.accepted):
                continue
            self._attacked += 1
            found = find_witness(rules, zero=[claim.terms], seed=seed, nodes=_NODES, deadline=deadline)
            if found is not None:
                self.test([found])

    def idle(self, rules: Propagation) -> frozenset[int]:
        """Wires that a claim calls idle, where all others in their rows are unique and none is an output.

        A claim of which that is not so is ignored.
        """
        found: set[int] = set()
        count, outputs = self.system.num_rows, set(self.system.outputs)
        kept = []
        for claim in self.accepted:
            if claim.kind != "idle":
                kept.append(claim)
                continue
            wires = set(claim.wires)
            open_wires = {w for w in wires if not rules.unique[w]}
            rows = {r for w in open_wires for r in rules.touching[w] if r < count}
            if open_wires & outputs or any(
                w not in wires and not rules.unique[w] for r in rows for side in rules.rows[r] for w in side
            ):
                self._ignored += (claim,)
                continue
            kept.append(claim)
            found |= open_wires
        self.accepted = tuple(kept)
        return frozenset(found)
