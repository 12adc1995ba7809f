"""What happened in a batch, in the form that a circuit consumes: plain frozen data.

This module must not know how a transition is decided; whoever reads a trace recomputes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from zkrollup.crypto.merkle import Children
from zkrollup.state.accounts import Account
from zkrollup.state.parameters import BatchParameters

__all__ = ["BatchTrace", "Element", "Kind", "LeafUpdate", "SlotTrace"]

Element = tuple[bool, int]
"""One element of the public data vector: whether it is present, and its value (0 when absent)."""


class Kind(IntEnum):
    """The kinds of slots, as the public data writes them."""

    NOOP = 0
    DEPOSIT = 1
    TRANSFER = 2
    WITHDRAW = 3
    FORCED_EXIT = 4


@dataclass(frozen=True, slots=True)
class LeafUpdate:
    """One leaf goes from ``before`` to ``after``; the identity when they are equal.

    ``path`` has one entry a level, the leaf's level first: the four children, before the update, of
    the node above. The index's base-4 digits, least significant at the leaf's level, say which child
    lies on the path.
    """

    index: int
    before: Account
    after: Account
    path: tuple[Children, ...]
    root_before: int
    root_after: int


@dataclass(frozen=True, slots=True)
class SlotTrace:
    """One slot: its two leaf updates in order (debit, then credit) and all values that it decided.

    ``amount_code`` is 0 unless it is a transfer. ``token`` is that of the public data for all kinds
    but the transfer, whose token is the sender's. ``eth_address`` is element 1 or 0, ``key`` elements
    2 and 3 or zeros. ``signature`` is (r8x, r8y, s). ``fee_entry`` is the fee entry that ``fee`` is
    added to, ``None`` when there is no fee; ``fees_before`` are the sums before this slot.
    """

    kind: Kind
    nullified: bool
    first: LeafUpdate
    second: LeafUpdate
    amount: int
    amount_code: int
    fee: int
    fee_code: int
    token: int
    eth_address: int
    key: tuple[int, int]
    signature: tuple[int, int, int] | None
    fee_entry: int | None
    fees_before: tuple[int, ...]
    elements: tuple[Element, Element, Element, Element]


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """A whole batch: ``parameters.slots`` slots (noops last), then one credit per fee entry.

    ``fee_entries`` are (token, account), (0, 0) when unused; ``fees`` their sums; ``header`` the
    first elements of the public data vector.
    """

    parameters: BatchParameters
    chain_id: int
    rollup_id: int
    batch_number: int
    root_before: int
    root_after: int
    fee_entries: tuple[tuple[int, int], ...]
    slots: tuple[SlotTrace, ...]
    fee_updates: tuple[LeafUpdate, ...]
    fees: tuple[int, ...]
    header: tuple[int, ...]
