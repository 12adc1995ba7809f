"""Tools for testing circuits: checkers, lying hints, witness mutation, a reference engine.

This package must not be imported by anything that proves or verifies; it is for tests, ours and users'.
"""

from zkrollup.testing.circuits import (
    FreeWire,
    assert_every_wire_bound,
    assert_lies_caught,
    assert_satisfied,
    assert_unsatisfied,
    find_hints,
    lie,
    mutate_witness,
)
from zkrollup.testing.reference_engine import ReferenceEngine

__all__ = [
    "FreeWire",
    "ReferenceEngine",
    "assert_every_wire_bound",
    "assert_lies_caught",
    "assert_satisfied",
    "assert_unsatisfied",
    "find_hints",
    "lie",
    "mutate_witness",
]
