"""The pure-Python Groth16 verifier: what a contract with the precompiles of EIP-196 and EIP-197 does.

This package must not know circuits, engines or the rollup: it needs ``bn254`` and a verifying key, and
nothing that is not in Python's own library.
"""

from __future__ import annotations

from zkrollup.bn254.encoding import (
    CoordinateNotCanonical,
    MalformedInput,
    NotInSubgroup,
    NotOnCurve,
    PointAtInfinity,
    WrongLength,
)
from zkrollup.groth16.keys import DegenerateKey, Proof, VerifyingKey
from zkrollup.verifier.groth16 import (
    PublicInputNotCanonical,
    WrongNumberOfPublicInputs,
    verify,
    verify_bytes,
)

__all__ = [
    "CoordinateNotCanonical",
    "DegenerateKey",
    "MalformedInput",
    "NotInSubgroup",
    "NotOnCurve",
    "PointAtInfinity",
    "Proof",
    "PublicInputNotCanonical",
    "VerifyingKey",
    "WrongLength",
    "WrongNumberOfPublicInputs",
    "verify",
    "verify_bytes",
]
