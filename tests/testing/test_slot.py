"""The slot circuit under mutation: every wire killed or explained, every dropped row missed or explained.

What is explained stands in ``explained.json``, and an explanation that nothing needs any more is an error.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from zkrollup.testing import (
    Explained,
    drop_constraints,
    mutate_witness,
    mutate_witness_slow,
    tell_lies,
)

FILE = Path(__file__).with_name("explained.json")


def test_slot__every_wire_is_killed_or_explained(slot_workshop) -> None:
    """In each of the valid slots; and every lie of a hint is caught or explained."""
    known = Explained.read(FILE, "wires of a slot")
    template = slot_workshop.template
    for values in slot_workshop.valid():
        free = [w for w in mutate_witness(template, values) if known.reason(*w.names) is None]
        assert free == []
        accepted = tell_lies(template, values).accepted
        assert [lie for lie in accepted if known.reason(*lie.names) is None] == []
    known.assert_used()


def test_slot__mutations_are_those_of_the_slow_twin(slot_workshop) -> None:
    template, values = slot_workshop.template, slot_workshop.valid()[5]
    assert mutate_witness(template, values) == mutate_witness_slow(template, values)


def test_slot__of_the_full_tree_is_mutated_in_two_seconds(slot_workshop) -> None:
    workshop = type(slot_workshop)(slot_workshop.engine, 16, {})
    values = workshop.honest([], 1)[0]
    mutate_witness(workshop.template, values)
    start = time.process_time()
    mutate_witness(workshop.template, values)
    assert time.process_time() - start < 2.0


@pytest.mark.slow
def test_slot__of_the_full_tree__every_wire_is_killed_or_explained(slot_workshop) -> None:
    """In each of the valid slots over 16 levels, with the same explanations."""
    known = Explained.read(FILE, "wires of a slot")
    workshop = type(slot_workshop)(slot_workshop.engine, 16, {})
    assert workshop.template.num_constraints > 20_000
    for values in workshop.valid():
        free = [w for w in mutate_witness(workshop.template, values) if known.reason(*w.names) is None]
        assert free == []


@pytest.mark.slow
def test_slot__every_dropped_row_is_missed_or_explained(slot_workshop) -> None:
    known = Explained.read(FILE, "rows of a slot")
    report = drop_constraints(
        slot_workshop.template, slot_workshop.valid(), slot_workshop.invalid(), explained=known
    )
    assert report.survivors == (), str(report)
    known.assert_used()
    assert len(report.noticed) >= 0.99 * slot_workshop.template.num_constraints
