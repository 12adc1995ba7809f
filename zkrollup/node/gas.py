"""What a batch takes on L1 at most, known before it is built: a batch that is proved cannot be made smaller.

This module must not know how a batch is chosen. The figures are bounds, somewhat above what
``tests/l1/test_gas_bound.py`` measures in an EVM: `submitBatch`, with each payment the first one to its owner
in its token (a new word of storage, 22,100 gas), each request paid back, and each byte of data not zero. What
memory costs beyond its size, 70 gas a transfer in a batch of 2^14 of them, is within the bound of a transfer.
"""

from __future__ import annotations

from collections.abc import Iterable

from zkrollup.state.trace import Kind

__all__ = ["BATCH_GAS", "FEE_TOKEN_GAS", "SLOT_GAS", "bound", "credits_at_once", "execution_bound"]

BATCH_GAS = 305_000
"""Of a batch without transactions: itself, its proof, its header."""

FEE_TOKEN_GAS = 1_000
"""Of an entry of the header that says where a token's fees go."""

SLOT_GAS: dict[Kind, int] = {
    Kind.TRANSFER: 700,
    Kind.TRANSFER_TO_NEW: 4_000,
    Kind.CHANGE_KEY: 3_200,
    Kind.WITHDRAW: 27_500,
    Kind.FORCED_EXIT: 31_000,
    Kind.DEPOSIT: 33_500,
}
"""Of a transaction by its kind."""


def bound(kinds: Iterable[Kind], fee_tokens: int) -> int:
    """Of a whole batch."""
    return BATCH_GAS + FEE_TOKEN_GAS * fee_tokens + sum(SLOT_GAS[kind] for kind in kinds)


EXECUTION_GAS = 60_000
"""Of an execution, or of a call that credits, without payments."""

CREDIT_GAS = 26_500
"""Of a payment that is credited, to somebody new."""

HANDED_GAS = 720
"""Of a payment that is handed over: 40 bytes of calldata, read and hashed, and memory for them."""


def execution_bound(payments: int) -> int:
    """Of the execution of a batch that was proved before."""
    return EXECUTION_GAS + (HANDED_GAS + CREDIT_GAS) * payments


def credits_at_once(handed: int, limit: int | None) -> int:
    """How many of the payments that are handed over can be credited in one call; one at least."""
    if limit is None:
        return handed
    return max(1, min(handed, (limit - EXECUTION_GAS - HANDED_GAS * handed) // CREDIT_GAS))
