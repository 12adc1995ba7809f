"""What the node knows of L1 at one moment, taken all at once.

This module must not know what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zkrollup.state.transactions import Request

__all__ = ["L1View", "WaitingRequest"]


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A request in the contract's queue: its number, the last block before it is due, and what it asks."""

    number: int
    deadline: int
    request: Request


@dataclass(frozen=True, slots=True)
class L1View:
    """The contract's counters, and the requests that no executed batch has consumed.

    ``roots`` are the roots after the batches that stand on L1 and are not executed, by number; ``tokens``
    are those registered; ``gas_limit`` is what one call may take, ``None`` where calls take nothing;
    ``uncredited`` says whether the last executed batch has payments that are not credited yet.
    """

    block_number: int
    root: int
    committed: int
    proved: int
    executed: int
    requests_consumed: int
    requests: tuple[WaitingRequest, ...] = ()
    tokens: frozenset[int] = frozenset({0})
    frozen: bool = False
    roots: Mapping[int, int] = field(default_factory=dict)
    gas_limit: int | None = None
    uncredited: bool = False
