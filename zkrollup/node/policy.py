"""What an operator decides about a node: fees, limits and times.

This module must not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from zkrollup.node.mempool import Limits

__all__ = ["Policy"]


@dataclass(frozen=True)
class Policy:
    """Fees, limits and times of a node; every one of them may differ after a restart.

    Attributes:
        fee_accounts: token -> account that its fees are credited to; in other tokens no fee can be paid.
        min_fees: token -> the least fee that a transaction may pay. As soon as one of them is above 0, no
            other tokens are taken: anybody can register a token, and would pay nothing in it.
        weights: token -> what one unit of it counts for when fees in several tokens are compared (1 where
            none is named).
        limits: of the mempool.
        max_nonce_gap: how far ahead of its account a nonce may be.
        gap_seconds: how long a transaction waits for the nonces before it.
        batch_seconds: how long a transaction or request waits at most for its batch to fill up.
        max_in_flight: how many batches may be built and not executed yet.
        request_share: the part of a batch's slots and of its gas that requests from L1 may take while signed
            transactions wait; those that are due within ``deadline_margin`` blocks take all that they need.
        keep: the last executed batches whose transactions, data and proof are kept although they are final;
            ``None``: all.
        confirmations: how many blocks of L1 after a batch was seen executed it is final.
        batch_gas: the most gas that a batch may take on L1, where that is less than L1 allows.
    """

    fee_accounts: Mapping[int, int] = field(default_factory=dict)
    min_fees: Mapping[int, int] = field(default_factory=dict)
    weights: Mapping[int, Fraction] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    max_nonce_gap: int = 64
    gap_seconds: int = 600
    batch_seconds: float = 1.0
    max_in_flight: int = 8
    request_share: Fraction = Fraction(1, 2)
    deadline_margin: int = 7_200
    keep: int | None = None
    confirmations: int = 64
    batch_gas: int | None = None

    def min_fee(self, token: int) -> int | None:
        """The least fee of a transaction in this token; ``None`` where the token is not taken."""
        return self.min_fees.get(token, None if any(self.min_fees.values()) else 0)
