"""A batch: transactions one after the other, padding, then the fees to their accounts.

This module must not know of circuits, proofs or L1. A batch is decided in full before anything is
written, and written in one commit: an exception leaves the state exactly as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zkrollup.state.accounts import IDENTITY, Change
from zkrollup.state.context import UNUSED_FEE_ENTRY, BatchContext
from zkrollup.state.exceptions import (
    BatchFull,
    DepthMismatch,
    FeeAccountMissing,
    NoopBeforeTransaction,
    TransactionError,
)
from zkrollup.state.public_data import header_elements, slot_elements, slot_record
from zkrollup.state.trace import BatchTrace, Kind, LeafUpdate, SlotTrace
from zkrollup.state.transactions import Noop, SignedTransaction, Transaction
from zkrollup.state.transition import Ledger, Transition, credit, transition
from zkrollup.state.tree import StateTree

__all__ = ["BuiltBatch", "SetAside", "apply_batch", "build_batch"]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A signed transaction that was left out of a batch, where it stood, and why."""

    position: int
    transaction: SignedTransaction
    reason: TransactionError


@dataclass(frozen=True, slots=True)
class BuiltBatch:
    """The batch that was applied, its transactions, those left out, and those after its last slot."""

    trace: BatchTrace
    applied: tuple[Transaction, ...]
    set_aside: tuple[SetAside, ...]
    remaining: tuple[Transaction, ...]


def apply_batch(state: StateTree, transactions: Iterable[Transaction], context: BatchContext) -> BatchTrace:
    """Apply all transactions as one batch and return what happened.

    Raises the first transaction's :class:`TransactionError`, its place named; :class:`BatchFull`,
    :class:`NoopBeforeTransaction`, :class:`DepthMismatch`; for a fee entry
    :class:`FeeAccountMissing`, :class:`TokenMismatch`, :class:`BalanceOverflow`. The state is then as
    it was.
    """
    given = list(transactions)
    wanted = _without_padding(given)
    _require_fit(state, given, context)
    ledger = Ledger(state)
    decided = [_decide(ledger, place, transaction, context) for place, transaction in enumerate(wanted)]
    return _finish(state, ledger, decided, context)


def build_batch(state: StateTree, transactions: Iterable[Transaction], context: BatchContext) -> BuiltBatch:
    """Apply what can be applied, in order, until the slots are full.

    A signed transaction that breaks a rule is set aside with its exception and the next one is taken;
    a request from L1 is never set aside, so what it raises ends the batch. Noops are dropped.
    Otherwise as :func:`apply_batch`.
    """
    given = [transaction for transaction in transactions if not isinstance(transaction, Noop)]
    _require_fit(state, (), context)
    ledger = Ledger(state)
    decided: list[Transition] = []
    applied: list[Transaction] = []
    set_aside: list[SetAside] = []
    position = 0
    while position < len(given) and len(decided) < context.parameters.slots:
        transaction = given[position]
        try:
            decided.append(_decide(ledger, position, transaction, context))
            applied.append(transaction)
        except TransactionError as error:
            if not isinstance(transaction, SignedTransaction):
                raise
            set_aside.append(SetAside(position, transaction, error))
        position += 1
    trace = _finish(state, ledger, decided, context)
    return BuiltBatch(trace, tuple(applied), tuple(set_aside), tuple(given[position:]))


# -- deciding ----------------------------------------------------------------------------------------


def _without_padding(transactions: Sequence[Transaction]) -> list[Transaction]:
    """The transactions before the noops at the end; raises :class:`NoopBeforeTransaction`."""
    end = len(transactions)
    while end and isinstance(transactions[end - 1], Noop):
        end -= 1
    for position, transaction in enumerate(transactions[:end]):
        if isinstance(transaction, Noop):
            raise NoopBeforeTransaction(position)
    return list(transactions[:end])


def _require_fit(state: StateTree, transactions: Sequence[Transaction], context: BatchContext) -> None:
    if state.depth != context.parameters.depth:
        raise DepthMismatch(state.depth, context.parameters.depth)
    if len(transactions) > context.parameters.slots:
        raise BatchFull(context.parameters.slots, place=f"transaction {context.parameters.slots}")


def _decide(ledger: Ledger, position: int, transaction: Transaction, context: BatchContext) -> Transition:
    try:
        decision = transition(ledger, transaction, context)
    except TransactionError as error:
        error.place = f"transaction {position} ({transaction.kind.name.lower()})"
        raise
    ledger.apply(decision.first, decision.second)
    return decision


def _fee_credits(ledger: Ledger, fees: Sequence[int], context: BatchContext) -> list[Change]:
    """Credit each entry's sum to its account; an unused entry is the identity on index 0.

    No account is credited twice: entries have different tokens, and an account has one.
    """
    return [
        IDENTITY if entry == UNUSED_FEE_ENTRY else _fee_credit(ledger, place, *entry, fee)
        for place, (entry, fee) in enumerate(zip(context.fee_entries, fees, strict=True))
    ]


def _fee_credit(ledger: Ledger, place: int, token: int, index: int, fee: int) -> Change:
    account = ledger.account(index)
    if account.is_empty:
        raise FeeAccountMissing(index, token, place=f"fee entry {place}")
    try:
        return credit(index, account, token, fee)
    except TransactionError as error:
        error.place = f"fee entry {place}"
        raise


# -- writing down ------------------------------------------------------------------------------------


def _finish(
    state: StateTree, ledger: Ledger, decided: Sequence[Transition], context: BatchContext
) -> BatchTrace:
    """Hash what was decided, write the trace, commit."""
    sums = _running_fees(decided, context)
    fee_changes = _fee_credits(ledger, sums[-1], context)
    changes = [change for decision in decided for change in (decision.first, decision.second)]
    prepared = state.prepare([*changes, IDENTITY, *fee_changes], batch_number=context.batch_number)
    updates = prepared.updates
    last, padding = 2 * len(decided), updates[2 * len(decided)]
    slots = [
        _slot(decision, updates[2 * i], updates[2 * i + 1], sums[i]) for i, decision in enumerate(decided)
    ]
    noop = _slot(Transition(Kind.NOOP), padding, padding, sums[-1])
    slots += [noop] * (context.parameters.slots - len(slots))
    trace = _batch(state.root, updates[-1].root_after, slots, updates[last + 1 :], sums[-1], context)
    state.commit(prepared)
    return trace


def _running_fees(decided: Sequence[Transition], context: BatchContext) -> list[tuple[int, ...]]:
    """The fee sums before each slot, and at last after all of them."""
    sums = [0] * context.parameters.fee_tokens
    running = [tuple(sums)]
    for decision in decided:
        if decision.fee_entry is not None:
            sums[decision.fee_entry] += decision.fee
        running.append(tuple(sums))
    return running


def _slot(
    decision: Transition, first: LeafUpdate, second: LeafUpdate, fees_before: tuple[int, ...]
) -> SlotTrace:
    return SlotTrace(
        kind=decision.kind,
        nullified=decision.nullified,
        first=first,
        second=second,
        amount=decision.amount,
        amount_code=decision.amount_code,
        fee=decision.fee,
        fee_code=decision.fee_code,
        token=decision.token,
        eth_address=decision.eth_address,
        key=decision.key,
        signature=decision.signature,
        fee_entry=decision.fee_entry,
        fees_before=fees_before,
        elements=slot_elements(slot_record(decision)),
    )


def _batch(
    root_before: int,
    root_after: int,
    slots: Sequence[SlotTrace],
    fee_updates: Sequence[LeafUpdate],
    fees: tuple[int, ...],
    context: BatchContext,
) -> BatchTrace:
    return BatchTrace(
        parameters=context.parameters,
        chain_id=context.chain_id,
        rollup_id=context.rollup_id,
        batch_number=context.batch_number,
        root_before=root_before,
        root_after=root_after,
        fee_entries=context.fee_entries,
        slots=tuple(slots),
        fee_updates=tuple(fee_updates),
        fees=fees,
        header=header_elements(
            context.chain_id,
            context.rollup_id,
            context.batch_number,
            context.parameters.slots,
            root_before,
            root_after,
            context.fee_entries,
        ),
    )
