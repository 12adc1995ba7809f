"""What happened in a batch, in the form that a circuit consumes: plain frozen data.

This module must not know how a transition is decided; whoever reads a trace recomputes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from zkrollup.crypto.merkle import Children
from zkrollup.state.accounts import Account
from zkrollup.state.parameters import BatchParameters

__all__ = ["BY_ADDRESS", "GROUP_TAG", "BatchTrace", "Element", "Kind", "LeafUpdate", "SlotTrace"]

Element = tuple[bool, int]
"""One element of the public data vector: whether it is present, and its value (0 when absent)."""


class Kind(IntEnum):
    """The kinds of slots, as the public data writes them."""

    NOOP = 0
    DEPOSIT = 1
    TRANSFER = 2
    WITHDRAW = 3
    FORCED_EXIT = 4
    CHANGE_KEY = 5
    TRANSFER_TO_NEW = 6


BY_ADDRESS = 7
"""The code of a transfer by address in the signed message; no record has it."""

GROUP_TAG = int.from_bytes(b"zkrollup/group/v1", "big")
"""Where the hash of a group's members begins."""


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

    ``amount_code`` is 0 unless it is a transfer. ``token`` is the sender's of a signed kind, which a
    short record does not publish. ``eth_address`` is element 1 or 0, but of a transfer ``by_address``
    the address that was signed; ``key`` is elements 2 and 3 or zeros. ``signature`` is (r8x, r8y, s);
    ``valid_until``, ``memo`` and ``group`` are what was signed, 0 of an unsigned kind. ``fee_entry`` is
    the fee entry that ``fee`` is added to, ``None`` when there is no fee; ``fees_before`` are the sums
    before this slot, ``next_before`` is the index that a new account would get. ``group_before`` is the
    group that the slot before left open, 0 when none, ``accumulator_before`` the hash of its members so
    far, the group tag when none.
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
    by_address: bool
    valid_until: int
    memo: int
    group: int
    next_before: int
    group_before: int
    accumulator_before: int
    elements: tuple[Element, Element, Element, Element]


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """A whole batch: ``parameters.slots`` slots (noops last), then one credit per fee entry.

    ``next_before`` and ``next_after`` are the index of the next new account before the first slot and
    after the last. ``fee_entries`` are (token, account), (0, 0) when unused; ``fees`` their sums;
    ``header`` the first elements of the public data vector.
    """

    parameters: BatchParameters
    chain_id: int
    rollup_id: int
    batch_number: int
    next_before: int
    next_after: int
    root_before: int
    root_after: int
    fee_entries: tuple[tuple[int, int], ...]
    slots: tuple[SlotTrace, ...]
    fee_updates: tuple[LeafUpdate, ...]
    fees: tuple[int, ...]
    header: tuple[int, ...]
