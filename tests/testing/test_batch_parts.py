"""The templates around the slots under mutation: header, fee credits, commitment and outputs.

What is explained stands in ``explained.json``, by the part's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zkrollup.circuits.batch import update_values
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.tables import MODULUS
from zkrollup.operator import engine_hasher
from zkrollup.state import BatchContext, BatchParameters, Transfer, apply_batch, sign_transaction
from zkrollup.testing import Explained, drop_constraints, instance_values, mutate_witness

FILE = Path(__file__).with_name("explained.json")
PARTS = ("header", "fees", "commitment", "outputs")
SLOTS = 2


@pytest.fixture(scope="module")
def parts(slot_workshop) -> dict[str, list[list[int]]]:
    """Every part's values in batches with two, one and no collector of fees."""
    chain, rollup = slot_workshop.context(SLOTS).chain_id, slot_workshop.context(SLOTS).rollup_id
    parameters = BatchParameters(SLOTS, slot_workshop.depth, 2)
    asked = [(Transfer(1, 2, 0, 100, 5, 0), 0), (Transfer(4, 4, 7, 0, 9, 0), 3)]
    circuit = slot_workshop.circuit(SLOTS)
    found: dict[str, list[list[int]]] = {name: [] for name in PARTS}
    for number, entries in ((1, ((0, 3), (7, 4))), (2**32 - 1, ((0, 3),)), (7, ())):
        context = BatchContext(parameters, chain, rollup, number, entries)
        trace = apply_batch(slot_workshop.state(), signed(asked[: len(entries)], chain, rollup), context)
        hasher = engine_hasher(slot_workshop.engine)
        public, values = circuit.assignment(trace, z=0x1234567, hasher=hasher, modulus=MODULUS)
        witness = circuit.r1cs.witness(slot_workshop.engine, public=public, parts=values)
        for part in circuit.r1cs.parts:
            if part.name in found:
                found[part.name] += [
                    instance_values(circuit.r1cs, part.name, i, witness) for i in range(part.block.instances)
                ]
    return found


def signed(asked: Any, chain: int, rollup: int) -> list[Any]:
    keys = [PrivateKey(bytes([owner + 1]) * 32) for owner in range(5)]
    return [sign_transaction(transaction, keys[owner], chain, rollup) for transaction, owner in asked]


def refused(slot_workshop, part: str) -> dict[str, Any]:
    """Fees for an account that does not exist."""
    if part != "fees":
        return {}
    nobody = slot_workshop.state().prove(9)
    links = {"root": nobody.root_before, "token": 0, "account": 9, "fee": 5}
    return {"an operator who does not exist": (links, update_values("leaf", nobody) | {"nonce": 0})}


@pytest.mark.parametrize("part", PARTS)
def test_part__every_wire_is_killed_or_explained(part, parts, slot_workshop) -> None:
    """In each batch; an input or a link in one of them."""
    template = slot_workshop.circuit(SLOTS).templates[part]
    known = Explained.read(FILE, f"wires of {part}")
    given = template.num_links + template.num_inputs
    each = [{w.column: w for w in mutate_witness(template, values)} for values in parts[part]]
    always = set.intersection(*(set(found) for found in each))
    free = {c: w for found in each for c, w in found.items() if c >= given or c in always}
    assert [str(w) for w in free.values() if known.reason(*w.names) is None] == []
    known.assert_used()


@pytest.mark.parametrize("part", PARTS)
def test_part__every_dropped_row_is_missed_or_explained(part, parts, slot_workshop) -> None:
    template = slot_workshop.circuit(SLOTS).templates[part]
    known = Explained.read(FILE, f"rows of {part}")
    report = drop_constraints(template, parts[part], refused(slot_workshop, part), explained=known)
    assert report.survivors == (), str(report)
    known.assert_used()
