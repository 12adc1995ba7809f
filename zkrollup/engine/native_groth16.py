"""The native engine's R1CS products and its Groth16 setup, quotient and verification.

Must not know what a circuit means: layouts and keys are plain arrays.
"""

from __future__ import annotations

from zkrollup.engine.native_base import NativeBase

__all__ = ["Groth16Mixin"]


class Groth16Mixin(NativeBase):
    """R1CS and Groth16 over the native core."""
