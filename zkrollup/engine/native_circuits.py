"""The native engine's batch Poseidon and tape replay.

Must not know what a circuit means: programs and parameters are plain arrays.
"""

from __future__ import annotations

from zkrollup.engine.native_base import NativeBase

__all__ = ["CircuitsMixin"]


class CircuitsMixin(NativeBase):
    """Batch Poseidon and tape replay over the native core."""
