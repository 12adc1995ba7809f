"""The specification of the rollup: accounts, transactions, batches, public data, and where they are kept.

This package must not know of circuits, engines, proofs or L1. :func:`apply_batch` decides what a batch
does; circuits consume the trace that it returns and decide nothing again.
"""

from __future__ import annotations

from zkrollup.state.accounts import EMPTY_ACCOUNT, Account, AccountKey
from zkrollup.state.batch import BuiltBatch, SetAside, apply_batch, build_batch
from zkrollup.state.context import BatchContext
from zkrollup.state.exceptions import GroupIncomplete, StateError, TransactionError
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.trace import BatchTrace, Kind, LeafUpdate, SlotTrace
from zkrollup.state.transactions import (
    ChangeKey,
    Deposit,
    ForcedExit,
    Noop,
    Transaction,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    group_hash,
    parse_transactions,
    sign_group,
    sign_transaction,
)
from zkrollup.state.tree import StateTree, empty_root

__all__ = [
    "EMPTY_ACCOUNT",
    "Account",
    "AccountKey",
    "BatchContext",
    "BatchParameters",
    "BatchTrace",
    "BuiltBatch",
    "ChangeKey",
    "Deposit",
    "ForcedExit",
    "GroupIncomplete",
    "Kind",
    "LeafUpdate",
    "Noop",
    "SetAside",
    "SlotTrace",
    "StateError",
    "StateTree",
    "Transaction",
    "TransactionError",
    "Transfer",
    "TransferToAddress",
    "TransferToNew",
    "Withdraw",
    "apply_batch",
    "build_batch",
    "empty_root",
    "group_hash",
    "parse_transactions",
    "sign_group",
    "sign_transaction",
]
