"""Tools for testing circuits: strategies, checkers, equivalence, mutation, dropped constraints, lies.

This package must not be imported by anything that proves or verifies; it is for tests, ours and users'.
Importing it loads nothing else: the names below are fetched from their modules on first use, so that the
pytest plugin costs nothing where nobody uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zkrollup.testing.circuits import assert_satisfied, assert_unsatisfied, find_hints, lie
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
    from zkrollup.testing.small_field import ExhaustiveReport, exhaustive

__all__ = [
    "DropReport",
    "ExhaustiveReport",
    "Explained",
    "FreeWire",
    "LieReport",
    "Notice",
    "ReferenceEngine",
    "Shape",
    "Survivor",
    "ToldLie",
    "assert_equivalent",
    "assert_every_row_needed",
    "assert_every_wire_bound",
    "assert_lies_caught",
    "assert_satisfied",
    "assert_unsatisfied",
    "drop_constraints",
    "exhaustive",
    "find_hints",
    "instance_values",
    "lie",
    "mutate_witness",
    "mutate_witness_slow",
    "record_gadget",
    "tell_lies",
]

_HOME = {
    "DropReport": "dropping",
    "ExhaustiveReport": "small_field",
    "Explained": "explained",
    "FreeWire": "mutation",
    "LieReport": "lies",
    "Notice": "dropping",
    "ReferenceEngine": "reference_engine",
    "Shape": "equivalence",
    "Survivor": "dropping",
    "ToldLie": "lies",
    "assert_equivalent": "equivalence",
    "assert_every_row_needed": "dropping",
    "assert_every_wire_bound": "mutation",
    "assert_lies_caught": "lies",
    "assert_satisfied": "circuits",
    "assert_unsatisfied": "circuits",
    "drop_constraints": "dropping",
    "exhaustive": "small_field",
    "find_hints": "circuits",
    "instance_values": "dropping",
    "lie": "circuits",
    "mutate_witness": "mutation",
    "mutate_witness_slow": "mutation",
    "record_gadget": "equivalence",
    "tell_lies": "lies",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
