"""From an acknowledged transaction to a built batch: admission, the mempool on disk, and building.

This module must not know of HTTP, provers or calls of L1. Whatever it tells somebody is on disk first: a
submission returns after its transaction is committed, and a batch, its state, its nonces and what it takes
from the mempool are one transaction of the file.

The rules of transactions are :mod:`zkrollup.state`'s: admission applies a transaction to the state as built
so far, as if its nonce's turn had come, and asks what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from zkrollup.groth16.keys import Proof
from zkrollup.node import errors
from zkrollup.node.gas import SLOT_GAS, bound
from zkrollup.node.l1view import L1View, WaitingRequest
from zkrollup.node.mempool import Entry, Mempool, Unit
from zkrollup.node.policy import Policy
from zkrollup.node.store import NodeStore, StoredBatch, StoredTransaction
from zkrollup.state.accounts import Account
from zkrollup.state.batch import BuiltBatch, apply_batch, build_batch
from zkrollup.state.context import BatchContext, FeeEntry
from zkrollup.state.exceptions import NonceTooHigh, ReusedNonce, TransactionError
from zkrollup.state.public_data import encode, public_data, public_inputs
from zkrollup.state.trace import BatchTrace
from zkrollup.state.transactions import ChangeKey, SignedTransaction, Transaction, group_hash
from zkrollup.state.transition import Ledger, transition
from zkrollup.state.tree import StateTree

__all__ = ["LeftForGas", "Receipt", "Sequencer", "transaction_id"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submission returns: the transaction's id, and whether it was known already."""

    id: int
    status: str
    known: bool


@dataclass(frozen=True, slots=True)
class LeftForGas:
    """Why a batch is not fuller: so many transactions would have had a slot, and with them it could take more
    than ``limit`` gas on L1."""

    transactions: int
    limit: int


def transaction_id(transaction: SignedTransaction, chain_id: int, rollup_id: int) -> int:
    """The id of a transaction: the message that its owner signs, which holds everything that was asked.

    Raises :class:`UnencodableFee`.
    """
    return transaction.message(chain_id, rollup_id)


class Sequencer:
    """Takes transactions in, and builds batches of them.

    Arguments: ``store`` with the state; ``policy``; ``clock`` gives seconds since the epoch.
    """

    def __init__(self, store: NodeStore, policy: Policy, *, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.state = store.state
        self.policy = policy
        self.clock = clock
        self.mempool = Mempool(policy.limits)
        self._traces: dict[int, BatchTrace] = {}
        self._request_seen = (-1, 0.0)  # the oldest request that waits, and since when
        self._sequence = store.next_sequence()
        self.left_for_gas: LeftForGas | None = None
        """What the last batch left to the next one."""
        self.reload()

    def entries(self) -> Iterator[Entry]:
        """Every transaction that waits."""
        for unit in self.mempool.units():
            yield from unit.entries

    def reload(self) -> None:
        """Takes the mempool from the file, which somebody has changed."""
        self.mempool = Mempool(self.policy.limits)
        entries = {
            stored.id: (Entry(stored.id, stored.transaction, stored.sequence, stored.received), stored.group)
            for stored in self.store.waiting()
            if isinstance(stored.transaction, SignedTransaction)
        }
        for entry_id, (_, group) in entries.items():
            if group[0] == entry_id:
                members = [entries[member][0] for member in group if member in entries]
                self.mempool.restore(self._unit(members))

    def _unit(self, entries: Sequence[Entry]) -> Unit:
        weights = self.policy.weights
        fees = [
            entry.transaction.fee * Fraction(weights.get(entry.transaction.token, 1)) for entry in entries
        ]
        return Unit(tuple(entries), sum(fees, Fraction(0)) / len(fees))

    # -- admission -------------------------------------------------------------------------------

    def submit(
        self,
        transactions: Sequence[SignedTransaction],
        *,
        chain_id: int,
        rollup_id: int,
        tokens: frozenset[int] | None = None,
    ) -> list[Receipt]:
        """Takes one transaction, or the members of one group in order; on disk when this returns.

        What was acknowledged before is acknowledged again, and nothing else happens. ``tokens`` are those
        registered on L1, where that is known. Raises a :class:`NodeRefusal`, or what the state machine says
        to the transaction; nothing is kept then.
        """
        identity = self.store.identity
        if chain_id != identity.chain_id:
            raise errors.WrongChainId(chain_id, identity.chain_id)
        if rollup_id != identity.rollup_id:
            raise errors.WrongRollupId(rollup_id, identity.rollup_id)
        if len(transactions) > identity.slots:
            raise errors.GroupTooLarge(len(transactions), identity.slots)
        ids = [transaction_id(transaction, chain_id, rollup_id) for transaction in transactions]
        found = [self.store.find_transaction(entry_id) for entry_id in ids]
        if all(stored is not None and stored.status != "dropped" for stored in found):
            return [Receipt(stored.id, stored.status, True) for stored in found if stored is not None]
        self._require_group(transactions)
        self._require_admissible(transactions, tokens)
        self._require_applicable(transactions)
        now = self.clock()
        entries = [
            Entry(entry_id, transaction, self._sequence + place, now)
            for place, (entry_id, transaction) in enumerate(zip(ids, transactions, strict=True))
        ]
        plan = self.mempool.plan(self._unit(entries))
        with self.store.transaction():
            for unit in plan.evicted:
                self._drop(unit, errors.Evicted(self.policy.limits.transactions))
            for unit in plan.replaced:
                self._drop(unit, errors.Replaced(f"{ids[0]:#066x}"))
            for entry in entries:
                self.store.put_transaction(
                    StoredTransaction(entry.id, entry.sequence, entry.transaction, tuple(ids), now)
                )
        self._sequence += len(entries)
        self.mempool.apply(plan)
        return [Receipt(entry.id, "waiting", False) for entry in entries]

    def _require_group(self, transactions: Sequence[SignedTransaction]) -> None:
        """Raise unless the transactions are one alone, or a whole group."""
        identity = self.store.identity
        expected = 0
        if len(transactions) > 1 or transactions[0].group != 0:
            expected = group_hash(transactions, identity.chain_id, identity.rollup_id)
        for position, transaction in enumerate(transactions):
            if transaction.group != expected:
                raise errors.GroupMismatch(position, transaction.group, expected)

    def _require_admissible(
        self, transactions: Sequence[SignedTransaction], tokens: frozenset[int] | None
    ) -> None:
        nonces: dict[int, int] = {}
        for transaction in transactions:
            if tokens is not None and transaction.token not in tokens:
                raise errors.UnknownToken(transaction.token, tuple(sorted(tokens)))
            if transaction.signature is None:
                raise errors.NotSigned(transaction.sender, transaction.nonce)
            minimum = self.policy.min_fee(transaction.token)
            if minimum is None:
                raise errors.TokenNotTaken(transaction.token, tuple(sorted(self.policy.min_fees)))
            if transaction.fee < minimum:
                raise errors.FeeTooLow(transaction.fee, minimum, transaction.token)
            nonces.setdefault(transaction.sender, transaction.nonce)
        for account, nonce in nonces.items():
            self._require_nonce(account, nonce)
        number = self.state.batch_number + 1
        context = self._context(number, tuple(self.policy.fee_accounts.items()))
        ledger = Ledger(_AtNonces(self.state, nonces))
        for transaction in transactions:
            decision = transition(ledger, transaction, context)
            ledger.apply(decision.first, decision.second)

    def _require_applicable(self, transactions: Sequence[SignedTransaction]) -> None:
        """Raise where the pool is half full, unless each account has the nonces before these waiting, and the
        money for all of them: what may never be applied, and so never pays, must not crowd out the others."""
        if 2 * (len(self.mempool) + len(transactions)) <= self.policy.limits.transactions:
            return
        coming = {(transaction.sender, transaction.nonce): transaction for transaction in transactions}
        for account, last in sorted(coming):  # of an account the last one counts; the others hold if it does
            held = self.state.account(account)
            spent = 0
            for nonce in range(held.nonce, last + 1):
                transaction = coming.get((account, nonce))
                waiting = self.mempool.entry(account, nonce)
                if transaction is None and waiting is not None:
                    transaction = waiting.transaction
                if transaction is None:
                    raise errors.PoolBusy(len(self.mempool), account)
                spent += transaction.fee + (0 if isinstance(transaction, ChangeKey) else transaction.amount)
            if spent > held.balance:
                raise errors.PoolBusy(len(self.mempool), account)

    def _require_nonce(self, account: int, nonce: int) -> None:
        held = self.state.account(account)
        if held.is_empty:
            return  # the state machine says so, in its own order
        if nonce < held.nonce:
            raise ReusedNonce(account, nonce, held.nonce)
        if nonce > held.nonce + self.policy.max_nonce_gap:
            raise errors.NonceTooFar(account, nonce, held.nonce, self.policy.max_nonce_gap)

    def _drop(self, unit: Unit, reason: errors.NodeRefusal | TransactionError) -> None:
        for entry in unit.entries:
            self.store.drop(entry.id, errors.error_object(reason))

    # -- building --------------------------------------------------------------------------------

    def _nonce_of(self, account: int) -> int:
        return self.state.account(account).nonce

    def _nonces(self) -> Callable[[int], int]:
        """The same, each account read once: for a state that does not change meanwhile."""
        return lru_cache(maxsize=None)(self._nonce_of)

    def _context(self, number: int, entries: tuple[FeeEntry, ...]) -> BatchContext:
        identity = self.store.identity
        return BatchContext(identity.parameters, identity.chain_id, identity.rollup_id, number, entries)

    def _fee_entries(self) -> tuple[FeeEntry, ...]:
        """The accounts that can take fees now: those that exist and hold their token."""
        entries = []
        for token, index in self.policy.fee_accounts.items():
            account = self.state.account(index)
            if not account.is_empty and account.token == token:
                entries.append((token, index))
        return tuple(entries)

    def sweep(self) -> int:
        """Drops what has waited too long behind a gap, and what can never be applied because a batch of
        somebody else's used its nonce; returns how many transactions."""
        outdated = [(unit, self._used(unit)) for unit in self.mempool.outdated(self._nonces())]
        if outdated:
            with self.store.transaction():
                for unit, reason in outdated:
                    self._drop(unit, reason)
            for unit, _ in outdated:
                self.mempool.remove(unit)
        return len(outdated) + self._sweep_stranded()

    def _used(self, unit: Unit) -> ReusedNonce:
        entry = next(e for e in unit.entries if e.nonce < self._nonce_of(e.sender))
        return ReusedNonce(entry.sender, entry.nonce, self._nonce_of(entry.sender))

    def _sweep_stranded(self) -> int:
        seconds = self.policy.gap_seconds
        stranded = self.mempool.stranded(self.clock() - seconds, self._nonces())
        if stranded:
            with self.store.transaction():
                for unit, entry in stranded:
                    expected = self._nonce_of(entry.sender)
                    self._drop(unit, errors.NonceGapExpired(entry.sender, entry.nonce, expected, seconds))
            for unit, _ in stranded:
                self.mempool.remove(unit)
        return sum(len(unit) for unit, _ in stranded)

    def build(self, view: L1View, *, force: bool = False) -> StoredBatch | None:
        """Builds the next batch from L1's requests and the mempool, when it is time.

        It is time when the batch is full, or when something has waited ``policy.batch_seconds`` (or when
        ``force`` says so); never while ``policy.max_in_flight`` batches are not executed. The batch, its
        state and what it takes from the mempool are on disk when this returns. ``None``: nothing was built.
        """
        if len(self.store.status_numbers()) >= self.policy.max_in_flight or view.frozen:
            return None
        slots = self.store.identity.slots
        entries = self._fee_entries()
        units, requests = self._choose(view, entries)
        waiting = sum(map(len, units)) + len(requests)
        if not waiting:
            return None
        units, requests, left = self._within_gas(view, units, requests)
        full = waiting >= slots or left is not None
        if not full and not force and not self._is_late(units, bool(requests)):
            return None
        batch = self._build(units, [waiting.request for waiting in requests], entries)
        self.left_for_gas = None if batch is None else left
        return batch

    def _within_gas(
        self, view: L1View, units: list[Unit], requests: list[WaitingRequest]
    ) -> tuple[list[Unit], list[WaitingRequest], LeftForGas | None]:
        """What of a choice takes no more gas than one call of L1 may: the requests that come first, within
        their share unless they are due; each unit for which there is room then; and more requests in the room
        that is left. One request or unit is always taken, for nothing less can be tried."""
        limits = [limit for limit in (view.gas_limit, self.policy.batch_gas) if limit is not None]
        if not limits:
            return units, requests, None
        limit = min(limits)
        parameters = self.store.identity.parameters
        room = limit - bound((), parameters.fee_tokens)
        share = room * self.policy.request_share
        spent = taken = left = 0
        for waiting in requests:
            needed = SLOT_GAS[waiting.request.kind]
            if taken and spent + needed > (room if self._is_due(waiting, view) else share):
                break
            spent, taken = spent + needed, taken + 1
        kept: list[Unit] = []
        slots = parameters.slots - taken
        for unit in units:
            needed = sum(SLOT_GAS[entry.transaction.kind] for entry in unit.entries)
            if spent + needed <= room or not (taken or kept):
                kept.append(unit)
                spent += needed
            elif len(unit) <= slots:
                left += len(unit)
            slots -= min(slots, len(unit))
        for waiting in requests[taken:]:
            needed = SLOT_GAS[waiting.request.kind]
            if spent + needed > room:
                break
            spent, taken = spent + needed, taken + 1
        left += len(requests) - taken
        return kept, requests[:taken], LeftForGas(left, limit) if left else None

    def _is_due(self, waiting: WaitingRequest, view: L1View) -> bool:
        return waiting.deadline <= view.block_number + self.policy.deadline_margin

    def _choose(self, view: L1View, entries: Sequence[FeeEntry]) -> tuple[list[Unit], list[WaitingRequest]]:
        """The mempool's next units (more than a batch holds, as some may fail), and the requests' share.

        The share leaves room for the unit that pays most, unless requests are due: else a group as large
        as a batch would never have its turn while requests come.
        """
        slots = self.store.identity.slots
        fee_tokens = {token for token, _ in entries}

        def accepts(unit: Unit) -> bool:
            return all(e.transaction.fee == 0 or e.transaction.token in fee_tokens for e in unit.entries)

        consumed = self.store.requests_after()
        queue = [waiting for waiting in view.requests if waiting.number >= consumed][:slots]
        due = sum(self._is_due(waiting, view) for waiting in queue)
        share = min(len(queue), max(due, int(slots * self.policy.request_share)))
        nonces = self._nonces()
        first = self.mempool.select(slots, nonces, accepts)[:1]
        share = max(due, min(share, slots - sum(map(len, first))))
        units = self.mempool.select(slots - share, nonces, accepts, spare=slots)
        signed = sum(map(len, units))
        share = min(len(queue), max(share, slots - signed))
        return units, queue[:share]

    def _is_late(self, units: Sequence[Unit], has_requests: bool) -> bool:
        """Whether something has waited long enough; a request waits from when it was first seen."""
        now = self.clock()
        since = [entry.received for unit in units for entry in unit.entries]
        if has_requests:
            number = self.store.requests_after()
            if self._request_seen[0] != number:
                self._request_seen = (number, now)
            since.append(self._request_seen[1])
        return now - min(since, default=now) >= self.policy.batch_seconds

    def _build(
        self, units: Sequence[Unit], requests: Sequence[Transaction], entries: tuple[FeeEntry, ...]
    ) -> StoredBatch | None:
        number = self.state.batch_number + 1
        context = self._context(number, entries)
        given = [*requests, *(entry.transaction for unit in units for entry in unit.entries)]
        by_transaction = {id(entry.transaction): entry for unit in units for entry in unit.entries}
        gone: list[Unit] = []
        batch: StoredBatch | None = None
        trace: BatchTrace | None = None
        with self.store.transaction():
            before = self.state.snapshot()
            built = build_batch(self.state, given, context)
            gone += self._drop_set_aside(built, by_transaction)
            if built.applied:
                trace = built.trace
                batch = self._stored(trace, built.applied, len(requests))
                self.store.put_batch(batch)
                gone += self._place(built.applied, by_transaction, number)
            else:
                self.state.restore(before)
        for unit in gone:
            self.mempool.remove(unit)
        if batch is not None and trace is not None:
            self._traces[number] = trace
        return batch

    def _stored(self, trace: BatchTrace, applied: Sequence[Transaction], num_requests: int) -> StoredBatch:
        published = public_data(trace)
        consumed = self.store.requests_after()
        return StoredBatch(
            number=trace.batch_number,
            status="built",
            transactions=tuple(applied),
            signed=len(applied) - num_requests,
            fee_entries=trace.fee_entries,
            data=encode(published),
            inputs=public_inputs(published, self.store.identity.contract, self.state.hasher),
            proof=None,
            root_before=trace.root_before,
            root_after=trace.root_after,
            requests_before=consumed,
            requests_after=consumed + num_requests,
            built_at=self.clock(),
        )

    def _drop_set_aside(self, built: BuiltBatch, entries: dict[int, Entry]) -> list[Unit]:
        """Drops what failed, with its reason; what only waits for another nonce goes on waiting."""
        dropped: dict[int, Unit] = {}
        for aside in built.set_aside:
            unit = self.mempool.unit(entries[id(aside.transaction)].id)
            if unit is None or id(unit) in dropped or isinstance(aside.reason, NonceTooHigh):
                continue
            self._drop(unit, aside.reason)
            dropped[id(unit)] = unit
        return list(dropped.values())

    def _place(self, applied: Sequence[Transaction], entries: dict[int, Entry], number: int) -> list[Unit]:
        placed: dict[int, Unit] = {}
        for slot, transaction in enumerate(applied):
            entry = entries.get(id(transaction))
            if entry is None:
                continue  # a request from L1
            self.store.place(entry.id, number, slot)
            unit = self.mempool.unit(entry.id)
            if unit is not None:
                placed[id(unit)] = unit
        return list(placed.values())

    # -- after building --------------------------------------------------------------------------

    def trace(self, number: int) -> BatchTrace:
        """What a prover needs of a batch that is built and not proved yet.

        After a restart it is made again: the batches since the state before this one are applied once more
        to that state, and the roots compared; the file stays as it is. Raises :class:`RetraceFailed`,
        :class:`RollbackImpossible`, ``KeyError`` when there is no such batch.
        """
        if number not in self._traces:
            self._retrace(number)
        return self._traces[number]

    def _retrace(self, number: int) -> None:
        batches = self.store.batches(after=number - 1)
        if not batches or batches[0].number != number:
            raise KeyError(number)
        before = self.store.state_at(number - 1)
        if before is None:
            raise errors.RollbackImpossible(number - 1, self.store.oldest_state())
        with self.store.rehearsal():
            self.state.restore(before)
            for batch in batches:
                context = self._context(batch.number, batch.fee_entries)
                try:
                    trace = apply_batch(self.state, batch.transactions, context)
                except TransactionError as error:
                    raise errors.RetraceFailed(batch.number, 0, batch.root_after) from error
                if trace.root_after != batch.root_after:
                    raise errors.RetraceFailed(batch.number, trace.root_after, batch.root_after)
                if batch.proof is None:
                    self._traces[batch.number] = trace

    def keep_proof(self, batch: StoredBatch, proof: Proof) -> bool:
        """Keeps a proof that was verified; False when the batch is no longer the one that it proves."""
        with self.store.transaction():
            found = self.store.batch(batch.number)
            if found is None or found.status != "built" or found.data != batch.data:
                return False
            self.store.set_proof(batch.number, proof, self.clock())
        self._traces.pop(batch.number, None)
        return True

    def rollback(self, to: int) -> int:
        """Undoes the batches after number ``to``: their transactions wait again. Returns how many do.

        Raises :class:`RollbackImpossible`.
        """
        before = self.store.state_at(to)
        if before is None:
            raise errors.RollbackImpossible(to, self.store.oldest_state())
        with self.store.transaction():
            self.state.restore(before)
            waiting = self.store.forget_batches(after=to)
        self._traces = {number: trace for number, trace in self._traces.items() if number <= to}
        self.reload()
        return waiting


class _AtNonces:
    """The state with the nonces of some accounts as they will be when their transactions' turn comes."""

    def __init__(self, state: StateTree, nonces: dict[int, int]) -> None:
        self._state = state
        self._nonces = nonces
        self.capacity = state.capacity
        self.next_index = state.next_index
        self.find = state.find
        self.find_address = state.find_address

    def account(self, index: int) -> Account:
        """The account at ``index``, at the nonce that is asked for."""
        account = self._state.account(index)
        nonce = self._nonces.get(index)
        return account if nonce is None or account.is_empty else replace(account, nonce=nonce)
