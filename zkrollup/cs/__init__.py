"""The constraint system: circuits recorded once as templates, assembled into a uniform R1CS.

This package must not know of gadgets, of the rollup's rules, or of any proof system; it uses engines
only through their interface.
"""

from zkrollup.cs.check import Check
from zkrollup.cs.claims import Claim, ClaimFailure
from zkrollup.cs.errors import (
    AssemblyError,
    AssignmentError,
    ConstraintSystemError,
    FreezeError,
    HintError,
    Problem,
)
from zkrollup.cs.failure_list import FailureGroup, Failures
from zkrollup.cs.failures import Cause, Failure, Operand, SeamFailure
from zkrollup.cs.places import Place
from zkrollup.cs.r1cs import R1CS, Witness
from zkrollup.cs.recorder import ConstraintSystem
from zkrollup.cs.signals import Bool, Field, UInt
from zkrollup.cs.system import Part, System, Wire
from zkrollup.cs.template import HintSite, InputSpec, Template

__all__ = [
    "R1CS",
    "Part",
    "System",
    "Wire",
    "Witness",
    "AssemblyError",
    "AssignmentError",
    "Bool",
    "Cause",
    "Check",
    "Claim",
    "ClaimFailure",
    "ConstraintSystem",
    "ConstraintSystemError",
    "Failure",
    "FailureGroup",
    "Failures",
    "Field",
    "FreezeError",
    "HintError",
    "HintSite",
    "InputSpec",
    "Operand",
    "Place",
    "Problem",
    "SeamFailure",
    "Template",
    "UInt",
]
