"""A batch: transactions one after the other, groups whole, padding, then the fees to their accounts.

This module must not know of circuits, proofs or L1. A batch is decided in full before anything is
written, and written in one commit: an exception leaves the state exactly as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from zkrollup.state.accounts import IDENTITY, Change
from zkrollup.state.context import UNUSED_FEE_ENTRY, BatchContext
from zkrollup.state.exceptions import (
    BatchFull,
    DepthMismatch,
    FeeAccountMissing,
    GroupIncomplete,
    GroupInterrupted,
    GroupTooLarge,
    NoopBeforeTransaction,
    TransactionError,
    UnencodableFee,
)
from zkrollup.state.public_data import header_elements, slot_elements, slot_record
from zkrollup.state.trace import GROUP_TAG, BatchTrace, Kind, LeafUpdate, SlotTrace
from zkrollup.state.transactions import (
    Noop,
    SignedTransaction,
    Transaction,
    group_step,
    transaction_name,
)
from zkrollup.state.transition import Ledger, Transition, credit, transition
from zkrollup.state.tree import StateTree

__all__ = ["BuiltBatch", "SetAside", "apply_batch", "build_batch"]


@dataclass(frozen=True, slots=True)
class SetAside:
    """A signed transaction that was left out of a batch, where it stood, and why.

    The members of a group are set aside together, for the reason of the one that ``reason`` names.
    """

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

    Raises the first transaction's :class:`TransactionError`, its place named (of a group that is cut or
    interrupted :class:`GroupIncomplete`, :class:`GroupInterrupted`); :class:`BatchFull`,
    :class:`NoopBeforeTransaction`, :class:`DepthMismatch`; for a fee entry
    :class:`FeeAccountMissing`, :class:`TokenMismatch`, :class:`BalanceOverflow`. The state is then as
    it was.
    """
    given = list(transactions)
    wanted = _without_padding(given)
    _require_fit(state, given, context)
    ledger = Ledger(state)
    return _finish(state, ledger, _decide_all(ledger, wanted, 0, context), context)


def build_batch(state: StateTree, transactions: Iterable[Transaction], context: BatchContext) -> BuiltBatch:
    """Apply what can be applied, in order, until the slots are full.

    A signed transaction that breaks a rule is set aside with its exception and the next one is taken;
    of a group all members are. A group that does not fit into the slots that are left ends the batch. A
    request from L1 is never set aside, so what it raises ends the batch. Noops are dropped. Otherwise as
    :func:`apply_batch`.
    """
    given = [transaction for transaction in transactions if not isinstance(transaction, Noop)]
    _require_fit(state, (), context)
    slots = context.parameters.slots
    ledger = Ledger(state)
    decided: list[Transition] = []
    applied: list[Transaction] = []
    set_aside: list[SetAside] = []
    position = 0
    while position < len(given) and len(decided) < slots:
        unit = _unit(given, position, context)
        if slots >= len(unit) > slots - len(decided):
            break
        try:
            decided += _decide_unit(ledger, unit, position, context)
            applied += unit
        except TransactionError as error:
            for place, transaction in enumerate(unit, start=position):
                if not isinstance(transaction, SignedTransaction):
                    raise
                set_aside.append(SetAside(place, transaction, error))
        position += len(unit)
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


def _unit(given: Sequence[Transaction], position: int, context: BatchContext) -> Sequence[Transaction]:
    """What stands or falls together from ``position`` on: one transaction, or a group up to its last member.

    Of a group that is not whole, all that stands there of it.
    """
    group = _group(given[position])
    if group == 0:
        return given[position : position + 1]
    end, accumulator = position, GROUP_TAG
    while end < len(given) and accumulator != group:
        member = given[end]
        if not isinstance(member, SignedTransaction) or member.group != group:
            break
        accumulator = group_step(accumulator, _core(member, context))
        end += 1
    return given[position:end]


def _group(transaction: Transaction) -> int:
    return transaction.group if isinstance(transaction, SignedTransaction) else 0


def _core(transaction: SignedTransaction, context: BatchContext) -> int:
    """0, with which no group is whole, for a fee that cannot be signed."""
    try:
        return transaction.core(context.chain_id, context.rollup_id)
    except UnencodableFee:
        return 0


def _decide_unit(
    ledger: Ledger, unit: Sequence[Transaction], position: int, context: BatchContext
) -> list[Transition]:
    """All of it, or an exception and the ledger as it was."""
    if len(unit) > context.parameters.slots:
        raise GroupTooLarge(
            _group(unit[0]), len(unit), context.parameters.slots, place=_place(position, unit[0])
        )
    attempt = Ledger(ledger)
    decided = _decide_all(attempt, unit, position, context)
    for decision in decided:
        ledger.apply(decision.first, decision.second)
    return decided


def _decide_all(
    ledger: Ledger, transactions: Sequence[Transaction], position: int, context: BatchContext
) -> list[Transition]:
    """One after the other, the first one at ``position``; raises where a group is cut or interrupted."""
    decided: list[Transition] = []
    open_group, accumulator, members = 0, GROUP_TAG, 0
    for place, transaction in enumerate(transactions, start=position):
        if open_group not in (0, _group(transaction)):
            raise GroupInterrupted(open_group, _group(transaction), place=_place(place, transaction))
        decision = _decide(ledger, place, transaction, context)
        decided.append(decision)
        members += 1
        open_group, accumulator = _next_link(decision, accumulator)
        if open_group == 0:
            members = 0
    if open_group:
        last = position + len(transactions) - 1
        raise GroupIncomplete(open_group, members, place=_place(last, transactions[-1]))
    return decided


def _next_link(decision: Transition, accumulator: int) -> tuple[int, int]:
    """The group that this decision leaves open, or 0, and the hash of its members so far."""
    if decision.group:
        accumulator = group_step(accumulator, decision.core)
        if accumulator != decision.group:
            return decision.group, accumulator
    return 0, GROUP_TAG


def _place(position: int, transaction: Transaction) -> str:
    return f"transaction {position} ({transaction_name(transaction)})"


def _decide(ledger: Ledger, position: int, transaction: Transaction, context: BatchContext) -> Transition:
    try:
        decision = transition(ledger, transaction, context)
    except TransactionError as error:
        error.place = _place(position, transaction)
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
    links = _running_links(decided, state.next_index)
    fee_changes = _fee_credits(ledger, sums[-1], context)
    changes = [change for decision in decided for change in (decision.first, decision.second)]
    prepared = state.prepare([*changes, IDENTITY, *fee_changes], batch_number=context.batch_number)
    updates = prepared.updates
    last, padding = 2 * len(decided), updates[2 * len(decided)]
    slots = [
        _slot(decision, updates[2 * i], updates[2 * i + 1], sums[i], links[i])
        for i, decision in enumerate(decided)
    ]
    noop = _slot(Transition(Kind.NOOP), padding, padding, sums[-1], links[-1])
    slots += [noop] * (context.parameters.slots - len(slots))
    trace = _batch(
        (state.root, updates[-1].root_after),
        (state.next_index, links[-1].next_index),
        slots,
        updates[last + 1 :],
        sums[-1],
        context,
    )
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


class _Links(NamedTuple):
    """What a slot finds besides root and fees: the next index, and the open group with its hash so far."""

    next_index: int
    group: int = 0
    accumulator: int = GROUP_TAG


def _running_links(decided: Sequence[Transition], next_index: int) -> list[_Links]:
    """What each slot finds, and at last what is left after all of them."""
    running = [_Links(next_index)]
    for decision in decided:
        next_index += decision.creates
        running.append(_Links(next_index, *_next_link(decision, running[-1].accumulator)))
    return running


def _slot(
    decision: Transition, first: LeafUpdate, second: LeafUpdate, fees_before: tuple[int, ...], links: _Links
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
        by_address=decision.by_address,
        valid_until=decision.valid_until,
        memo=decision.memo,
        group=decision.group,
        next_before=links.next_index,
        group_before=links.group,
        accumulator_before=links.accumulator,
        elements=slot_elements(slot_record(decision)),
    )


def _batch(
    roots: tuple[int, int],
    next_indices: tuple[int, int],
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
        next_before=next_indices[0],
        next_after=next_indices[1],
        root_before=roots[0],
        root_after=roots[1],
        fee_entries=context.fee_entries,
        slots=tuple(slots),
        fee_updates=tuple(fee_updates),
        fees=fees,
        header=header_elements(
            context.chain_id,
            context.rollup_id,
            context.batch_number,
            context.parameters.slots,
            *next_indices,
            *roots,
            context.fee_entries,
        ),
    )
