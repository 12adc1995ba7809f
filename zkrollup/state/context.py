"""What one batch fixes for all its transactions: where it will be accepted, and which fees it takes.

This module must not know of accounts' contents or of the tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zkrollup.state.accounts import (
    ADDRESS_BITS,
    BATCH_NUMBER_BITS,
    CHAIN_ID_BITS,
    INDEX_BITS,
    TOKEN_BITS,
    require_bits,
)
from zkrollup.state.exceptions import DuplicateFeeToken, IndexOutsideTree, ReservedAccount, TooManyFeeEntries
from zkrollup.state.parameters import BatchParameters

__all__ = ["UNUSED_FEE_ENTRY", "BatchContext", "FeeEntry", "require_fee_entries"]

FeeEntry = tuple[int, int]
"""(token, account that its fees go to)."""

UNUSED_FEE_ENTRY: FeeEntry = (0, 0)


@dataclass(frozen=True, slots=True)
class BatchContext:
    """Chain, rollup and number of a batch, and its fee entries (filled up with unused ones).

    Raises :class:`OutOfRange` and what :func:`require_fee_entries` raises.
    """

    parameters: BatchParameters
    chain_id: int
    rollup_id: int
    batch_number: int
    fee_entries: tuple[FeeEntry, ...] = ()

    def __post_init__(self) -> None:
        require_bits("chain_id", self.chain_id, CHAIN_ID_BITS)
        require_bits("rollup_id", self.rollup_id, ADDRESS_BITS)
        require_bits("batch_number", self.batch_number, BATCH_NUMBER_BITS)
        entries = tuple((token, account) for token, account in self.fee_entries)
        require_fee_entries(entries, self.parameters)
        unused = (UNUSED_FEE_ENTRY,) * (self.parameters.fee_tokens - len(entries))
        object.__setattr__(self, "fee_entries", entries + unused)

    def fee_entry(self, token: int) -> int | None:
        """The place of the entry that takes fees in ``token``, ``None`` when there is none."""
        for place, entry in enumerate(self.fee_entries):
            if entry != UNUSED_FEE_ENTRY and entry[0] == token:
                return place
        return None


def require_fee_entries(entries: Sequence[FeeEntry], parameters: BatchParameters) -> None:
    """Raise unless there are at most F entries, each unused or a token with an account, no token twice.

    Raises :class:`TooManyFeeEntries`, :class:`OutOfRange`, :class:`ReservedAccount`,
    :class:`IndexOutsideTree`, :class:`DuplicateFeeToken`.
    """
    if len(entries) > parameters.fee_tokens:
        raise TooManyFeeEntries(len(entries), parameters.fee_tokens)
    seen: set[int] = set()
    for place, (token, account) in enumerate(entries):
        require_bits("token of a fee entry", token, TOKEN_BITS)
        require_bits("account of a fee entry", account, INDEX_BITS)
        if (token, account) == UNUSED_FEE_ENTRY:
            continue
        if account == 0:
            raise ReservedAccount("fee account", place=f"fee entry {place}")
        if account >= parameters.capacity:
            raise IndexOutsideTree(account, parameters.capacity, place=f"fee entry {place}")
        if token in seen:
            raise DuplicateFeeToken(token, place=f"fee entry {place}")
        seen.add(token)
