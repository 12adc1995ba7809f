"""Tools for testing circuits: checkers, lying hints, witness mutation, a reference engine.

This package must not be imported by anything that proves or verifies; it is for tests, ours and users'.
"""

from zkrollup.testing.circuits import (
    assert_satisfied,
    assert_unsatisfied,
    find_hints,
    lie,
)
from zkrollup.testing.dropping import (
    DropReport,
    Notice,
    Survivor,
    assert_every_row_needed,
    drop_constraints,
    instance_values,
)
from zkrollup.testing.equivalence import Shape, assert_equivalent, record_gadget
from zkrollup.testing.explained import Explained
from zkrollup.testing.lies import LieReport, ToldLie, assert_lies_caught, tell_lies
from zkrollup.testing.mutation import (
    FreeWire,
    assert_every_wire_bound,
    mutate_witness,
    mutate_witness_slow,
)
from zkrollup.testing.reference_engine import ReferenceEngine

__all__ = [
    "DropReport",
    "Notice",
    "Shape",
    "Survivor",
    "assert_equivalent",
    "record_gadget",
    "assert_every_row_needed",
    "drop_constraints",
    "instance_values",
    "Explained",
    "FreeWire",
    "LieReport",
    "ReferenceEngine",
    "ToldLie",
    "assert_every_wire_bound",
    "assert_lies_caught",
    "assert_satisfied",
    "assert_unsatisfied",
    "find_hints",
    "lie",
    "mutate_witness",
    "mutate_witness_slow",
    "tell_lies",
]
