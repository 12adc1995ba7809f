"""What the rollup's contract logs.

This module must not know when something is logged.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BatchAccepted", "Event", "RequestQueued", "WithdrawalPaid", "WithdrawalPending"]


@dataclass(frozen=True, slots=True)
class RequestQueued:
    """A deposit or a forced exit waits for a batch; it is due at block ``deadline``."""

    number: int
    deadline: int


@dataclass(frozen=True, slots=True)
class BatchAccepted:
    """A batch moved the root; requests below ``requests_consumed`` are done."""

    batch_number: int
    root_before: int
    root_after: int
    requests_consumed: int


@dataclass(frozen=True, slots=True)
class WithdrawalPending:
    """``amount`` more of ``token`` can be withdrawn by ``address``."""

    address: int
    token: int
    amount: int


@dataclass(frozen=True, slots=True)
class WithdrawalPaid:
    """``amount`` of ``token`` was paid to ``address``."""

    address: int
    token: int
    amount: int


Event = RequestQueued | BatchAccepted | WithdrawalPending | WithdrawalPaid
