"""What L1 has of the node's batches, and the next call that brings it on.

This module must not know how batches are built or proved. It never trusts its own memory of what was
submitted: each step begins with what the contract says now, so a restart, a lost answer and a reorganisation
are all the same to it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.headers import ZERO_HASH
from zkrollup.l1.interface import L1
from zkrollup.l1.queue import hash_request
from zkrollup.node.errors import BatchForgotten, ForeignBatch
from zkrollup.node.gas import bound, credits_at_once, execution_bound
from zkrollup.node.l1view import L1View, WaitingRequest
from zkrollup.node.sequencer import Sequencer
from zkrollup.node.store import StoredBatch
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import decode
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import Deposit, ForcedExit, Request

__all__ = [
    "Call",
    "Observer",
    "Reconciled",
    "Submitter",
    "credit_next",
    "perform",
    "withdrawal_bytes",
]

PAYMENT_BYTES = 40

FORGET_AT_ONCE = 256
"""Batches, so that one look stays short."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the contract that is due: ``submit``, ``commit``, ``prove``, ``execute``, ``credit`` or
    ``revert`` of a batch."""

    action: str
    number: int
    batch: StoredBatch | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a look at L1 has led to: batches that L1 forgot, transactions that wait again, the next call; and
    how many batches were final, so that their contents were forgotten."""

    dropped: int = 0
    rebuilt: int = 0
    waiting_again: int = 0
    call: Call | None = None
    forgotten: int = 0


class Observer:
    """Looks at the contract, and remembers the requests that it has read."""

    def __init__(self, l1: L1) -> None:
        self.l1 = l1
        self._requests: dict[int, Request] = {}

    def observe(self, beyond: int) -> L1View:
        """The contract as it is now, with the requests from the first unexecuted one on: those that the
        node's batches consumed before ``beyond``, and as many as a batch holds after that.

        Raises ``OSError`` where the L1 node's events do not go with its storage, as when it is behind."""
        l1 = self.l1
        consumed = l1.requests_consumed
        last = min(l1.num_requests, max(beyond, consumed) + l1.parameters.slots)
        executed, committed = l1.executed, l1.committed
        headers = {number: l1.header(number) for number in range(executed + 1, committed + 1)}
        return L1View(
            block_number=l1.block_number,
            root=l1.root,
            committed=committed,
            proved=l1.proved,
            executed=executed,
            requests_consumed=consumed,
            requests=tuple(self._read(number) for number in range(consumed, last)),
            tokens=frozenset(range(l1.num_tokens)),
            frozen=l1.frozen,
            roots={number: header.root_after for number, header in headers.items()},
            gas_limit=l1.gas_limit,
            uncredited=l1.uncredited(executed) != ZERO_HASH,
        )

    def _read(self, number: int) -> WaitingRequest:
        stored = self.l1.request(number)
        known = self._requests.get(number)
        if known is None or hash_request(known) != stored.hash:
            self._requests.update(requests_of(self.l1))
            known = self._requests[number]
            if stored.hash not in (hash_request(known), bytes(32)):  # zeros: a deposit that was cancelled
                raise OSError(f"the event of request {number} is not of the request that the contract has")
        return WaitingRequest(number, stored.deadline, known)


def requests_of(l1: L1) -> dict[int, Request]:
    """All requests that L1 has logged, by number; after a reorganisation the last one of each."""
    from zkrollup.l1.events import RequestQueued

    found: dict[int, Request] = {}
    for logged in l1.events():
        event = logged.event
        if not isinstance(event, RequestQueued):
            continue
        if event.kind == Kind.DEPOSIT:
            found[event.number] = Deposit(event.target, event.amount, event.ax, event.ay, event.owner)
        else:
            found[event.number] = ForcedExit(event.target, event.owner)
    return found


@dataclass
class Submitter:
    """Compares the node's batches with L1 and says what to call next."""

    sequencer: Sequencer
    clock: Callable[[], float] = time.time
    genesis_root: int = field(init=False)
    _seen: deque[tuple[int, int]] = field(init=False, default_factory=deque)
    """The last executed batch, and the block at which it was first seen to be that, oldest first."""
    _first_kept: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.genesis_root = self.sequencer.store.identity.genesis_root

    def reconcile(self, view: L1View) -> Reconciled:
        """Brings the file in line with what L1 says, then names the next call.

        Batches that L1 no longer has are to be submitted again, unless the requests in them are no longer
        those of the queue: then the state goes back, and their transactions wait again. Raises
        :class:`ForeignBatch` where L1 has executed a batch that is not the node's, which
        :mod:`zkrollup.node.follow` takes over; :class:`RollbackImpossible`, :class:`BatchForgotten`.
        """
        store = self.sequencer.store
        known = store.last_executed()
        dropped = max(0, known - view.executed)
        if view.executed > store.last_batch():
            raise ForeignBatch(view.executed, f"{view.root:#x}", "none")
        self._require_own_root(view)
        foreign = next((b for b in store.batches(after=view.executed) if b.foreign), None)
        if foreign is not None:  # taken over from L1, which has forgotten it
            waiting = self.sequencer.rollback(foreign.number - 1)
            return Reconciled(dropped, known - foreign.number + 1, waiting)
        if dropped:
            with store.transaction():
                store.set_status(view.executed + 1, known, "proved", self.clock())
        elif view.executed > known:
            with store.transaction():
                store.set_status(known + 1, view.executed, "executed", self.clock())
        pending = store.batches(after=view.executed)
        forgotten = next((batch for batch in pending if batch.is_forgotten), None)
        if forgotten is not None:
            raise BatchForgotten(forgotten.number, view.executed)
        misfit = next((batch for batch in pending if not self._fits(batch, view)), None)
        if misfit is not None:
            waiting = self.sequencer.rollback(misfit.number - 1)
            return Reconciled(dropped, len(pending) - (misfit.number - pending[0].number), waiting)
        self._mark_committed(pending, view)
        return Reconciled(dropped, call=self._next(pending, view), forgotten=self._forget_final(view))

    def _forget_final(self, view: L1View) -> int:
        """Forgets the contents of batches that are final and not among the last that are kept; how many."""
        policy, store, seen = self.sequencer.policy, self.sequencer.store, self._seen
        if policy.keep is None:
            return 0
        if seen and (view.executed < seen[-1][0] or view.block_number < seen[-1][1]):
            seen.clear()  # L1 went back: what is there now is new
        if not seen or view.executed > seen[-1][0]:
            seen.append((view.executed, view.block_number))
        while len(seen) > 1 and seen[1][1] + policy.confirmations <= view.block_number:
            seen.popleft()
        number, block = seen[0]
        if block + policy.confirmations > view.block_number:
            return 0
        if self._first_kept is None:
            self._first_kept = store.first_kept()
        first, last = self._first_kept, min(number, view.executed - policy.keep)
        if last < first or first == 0:
            return 0
        last = min(last, first + FORGET_AT_ONCE - 1)
        with store.transaction():
            found = store.forget_contents(first, last)
        self._first_kept = last + 1
        return found

    def _require_own_root(self, view: L1View) -> None:
        batch = self.sequencer.store.batch(view.executed)
        expected = self.genesis_root if view.executed == 0 else None if batch is None else batch.root_after
        if expected != view.root:
            raise ForeignBatch(
                view.executed, f"{view.root:#x}", "none" if expected is None else hex(expected)
            )

    @staticmethod
    def _fits(batch: StoredBatch, view: L1View) -> bool:
        """Whether the batch's requests are still the queue's."""
        queue: Mapping[int, WaitingRequest] = {waiting.number: waiting for waiting in view.requests}
        numbers = range(batch.requests_before, batch.requests_after)
        for number, request in zip(numbers, batch.transactions, strict=False):
            if number not in queue or queue[number].request != request:
                return False
        return True

    def _mark_committed(self, pending: list[StoredBatch], view: L1View) -> None:
        for batch in pending:
            stands = view.roots.get(batch.number) == batch.root_after
            if stands and batch.status == "proved":
                with self.sequencer.store.transaction():
                    self.sequencer.store.set_status(batch.number, batch.number, "committed", self.clock())
            elif not stands and batch.status == "committed":
                with self.sequencer.store.transaction():
                    self.sequencer.store.set_status(batch.number, batch.number, "proved", self.clock())

    @staticmethod
    def _next(pending: list[StoredBatch], view: L1View) -> Call | None:
        if view.frozen:
            return None
        batches = {batch.number: batch for batch in pending}
        if view.uncredited:
            return Call("credit", view.executed)  # whoever's it is
        if view.executed < view.proved:
            return Call("execute", view.executed + 1)  # whoever's it is
        for number in range(view.proved + 1, view.committed + 1):
            ours = batches.get(number)
            if ours is None or ours.root_after != view.roots.get(number):
                return Call("revert", number - 1)
        if view.proved < view.committed:
            batch = batches[view.proved + 1]
            return None if batch.proof is None else Call("prove", batch.number, batch)
        following = batches.get(view.committed + 1)
        if following is None or following.proof is None:
            return None
        kinds = [transaction.kind for transaction in following.transactions]
        fits = view.gas_limit is None or bound(kinds, len(following.fee_entries)) <= view.gas_limit
        return Call("submit" if fits else "commit", following.number, following)


def perform(l1: L1, call: Call, sender: int) -> None:
    """Makes a call. Raises what the contract raises."""
    if call.action == "revert":
        l1.revert_batches(call.number, sender=sender)
        return
    if call.action == "execute":
        _execute(l1, call.number, sender)
        return
    if call.action == "credit":
        credit_next(l1, call.number, sender)
        return
    batch = call.batch
    assert batch is not None
    assert batch.proof is not None
    if call.action == "prove":
        l1.prove_batch(l1.header(batch.number), batch.proof, sender=sender)
    elif call.action == "commit":
        previous = l1.header(batch.number - 1)
        l1.commit_batch(previous, batch.data, batch.inputs.commitment, sender=sender)
    else:
        previous = l1.header(batch.number - 1)
        l1.submit_batch(previous, batch.data, batch.inputs.commitment, batch.proof, sender=sender)


def _execute(l1: L1, number: int, sender: int) -> None:
    """Executes a batch, without its payments where they are more than one call can credit."""
    withdrawals = withdrawal_bytes(l1.batch_data(number), l1.parameters)
    limit = l1.gas_limit
    if limit is None or execution_bound(len(withdrawals) // PAYMENT_BYTES) <= limit:
        l1.execute_batch(l1.header(number), withdrawals, sender=sender)
    else:
        l1.execute_without_credits(l1.header(number), sender=sender)


def credit_next(l1: L1, number: int, sender: int) -> int:
    """Credits as many of the payments that an executed batch still owes as one call can; how many. Anybody
    may, frozen or not; 0 where it owes nothing."""
    owed = l1.uncredited(number)
    if owed == ZERO_HASH:
        return 0
    rest = _owed(withdrawal_bytes(l1.batch_data(number), l1.parameters), owed, l1.gas_limit)
    count = credits_at_once(len(rest) // PAYMENT_BYTES, l1.gas_limit)
    l1.credit_withdrawals(number, rest, count, sender=sender)
    return count


def _owed(withdrawals: bytes, wanted: bytes, limit: int | None) -> bytes:
    """The payments of a batch that have this hash: the last of them. Whoever credited some before has most
    likely credited as many at once as is done here."""
    rest = withdrawals
    while rest:
        if keccak256(rest) == wanted:
            return rest
        rest = rest[PAYMENT_BYTES * credits_at_once(len(rest) // PAYMENT_BYTES, limit) :]
    for place in range(0, len(withdrawals), PAYMENT_BYTES):
        if keccak256(withdrawals[place:]) == wanted:
            return withdrawals[place:]
    raise KeyError("the payments that the contract still owes")


def withdrawal_bytes(data: bytes, parameters: BatchParameters) -> bytes:
    """What a batch pays, as ``execute_batch`` takes it: address, token and amount of each payment."""
    paid = []
    for record in decode(data, parameters).records:
        refund = record.kind == Kind.DEPOSIT and record.nullified
        pays = refund or record.kind in (Kind.WITHDRAW, Kind.FORCED_EXIT)
        if pays and record.amount_field:
            paid.append(
                record.eth_address.to_bytes(20) + record.token.to_bytes(4) + record.amount_field.to_bytes(16)
            )
    return b"".join(paid)
