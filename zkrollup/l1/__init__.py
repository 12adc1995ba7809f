"""What the chain does: a model of the rollup's contract in Python.

This package must not know of circuits, constraint systems, engines or provers: it sees bytes and proofs.
"""

from __future__ import annotations

from zkrollup.l1.model import QueuedRequest, RollupContract
from zkrollup.l1.plain_reverts import Revert

__all__ = ["QueuedRequest", "Revert", "RollupContract"]
