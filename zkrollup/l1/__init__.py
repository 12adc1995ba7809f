"""What the chain does: the rollup's contract behind one interface, and a model of it in Python.

This package must not know of circuits, constraint systems, engines or provers: it sees bytes and proofs.
"""

from __future__ import annotations

from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.interface import L1, Config, L1World
from zkrollup.l1.model import RollupContract
from zkrollup.l1.queue import QueuedRequest
from zkrollup.l1.reverts import Revert
from zkrollup.l1.world import KeyVerifier, World

__all__ = [
    "L1",
    "BatchHeader",
    "Config",
    "KeyVerifier",
    "L1World",
    "QueuedRequest",
    "Revert",
    "RollupContract",
    "World",
]
