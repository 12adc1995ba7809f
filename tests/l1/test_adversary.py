"""An operator who cheats, a governor who tries, users who grief: against one contract or several in step.

The state machine decides what is true: a proof is a stamp, and only honest batches and honest leaves are
stamped, except in the rule that plays a broken prover. Whatever the others try is refused and changes
nothing, money is conserved, the deadline holds, and in the end everybody gets out with everything.

:class:`Adversary` asks ``worlds()`` for its contracts. Where there are several, every call must end alike on
all of them: :class:`Lockstep`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from models import deploy_model
from scenarios import Batch, Settings, attempt

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import BatchHeader, L1World, reverts
from zkrollup.l1.events import RequestQueued
from zkrollup.l1.interface import ETH, TokenBehaviour, VerifierBehaviour
from zkrollup.l1.reverts import Revert
from zkrollup.l1.world import stamp
from zkrollup.state import Account, BatchContext, BatchParameters, Deposit, StateTree, build_batch, empty_root
from zkrollup.state.exceptions import BalanceOverflow
from zkrollup.state.public_data import PublicData, encode, public_data, public_inputs
from zkrollup.state.transactions import (
    ChangeKey,
    ForcedExit,
    Request,
    SignedTransaction,
    Transfer,
    TransferToNew,
    Withdraw,
    sign_transaction,
)

PARAMETERS = BatchParameters(slots=4, depth=2, fee_tokens=1)
CAP = (1 << 128) - 1
LIFETIME, OPERATOR_DELAY, UPGRADE_DELAY = 12, 8, 18

PEOPLE = range(2, 6)
OPERATOR, GOVERNOR, STRANGER = 0, 1, 6
KEYS = {person: PrivateKey(bytes([person + 1]) * 32) for person in PEOPLE}
PERSON_OF_KEY = {key.public_key: person for person, key in KEYS.items()}

people = st.sampled_from(PEOPLE)
tokens = st.sampled_from([ETH, 1, 2])
amounts = st.integers(1, 3000) | st.sampled_from([1, 10**18, CAP - 1])
indices = st.integers(0, 15)


class Lockstep:
    """Several contracts as one: every call ends alike on all, and every view is the same."""

    def __init__(self, worlds: Sequence[L1World]) -> None:
        self.worlds = list(worlds)
        self._seen = [len(world.events()) for world in self.worlds]
        self._mine_others(self.worlds[0].block_number)

    def __getattr__(self, name: str) -> Any:
        values = [getattr(world, name) for world in self.worlds]
        if callable(values[0]):
            return lambda *args, **options: self._call(name, *args, **options)
        assert all(value == values[0] for value in values), (name, values)
        return values[0]

    def mine(self, blocks: int) -> None:
        """Let time pass for all of them."""
        self.worlds[0].mine(blocks)
        self._mine_others(self.worlds[0].block_number)

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        ends = []
        for world in self.worlds:
            started = world.block_number
            ends.append(attempt(lambda w=world: getattr(w, name)(*args, **options)))
            if world is self.worlds[0]:
                mined = world.block_number > started and ends[0][1] is None
                self._mine_others(world.block_number - mined)  # to the block that the call ran in
        result, error = ends[0]
        for other_result, other in ends[1:]:
            assert type(other) is type(error), (name, args, error, other)
            assert error is None or other.values() == error.values(), (name, error, other)
            assert other_result == result, (name, result, other_result)
        self._mine_others(self.worlds[0].block_number)
        self._compare_news()
        if error is not None:
            raise error
        return result

    def _mine_others(self, block: int) -> None:
        """The first one's clock is everybody's."""
        for world in self.worlds[1:]:
            if world.block_number < block:
                world.mine(block - world.block_number)

    def _compare_news(self) -> None:
        news = []
        for i, world in enumerate(self.worlds):
            logged = world.events()
            news.append([item.event for item in logged[self._seen[i] :]])
            self._seen[i] = len(logged)
        assert all(new == news[0] for new in news), news


@dataclass
class Step:
    """A batch on its way: what was built, its header, and the accounts after it."""

    batch: Batch
    accounts: dict[int, Account]
    header: BatchHeader | None = None


class Adversary(RuleBasedStateMachine):
    """R10: after each step balances, what is pending and what is queued are what the contract holds."""

    @classmethod
    def worlds(cls) -> Sequence[L1World]:
        """Fresh contracts with :meth:`settings`; the first one is asked where their answers agree."""
        return [deploy_model(cls.deployed())]

    @classmethod
    def deployed(cls) -> Settings:
        return Settings(
            parameters=PARAMETERS,
            genesis_root=empty_root(PARAMETERS.depth),
            deposit_cap=CAP,
            request_lifetime=LIFETIME,
            operator_delay=OPERATOR_DELAY,
            upgrade_delay=UPGRADE_DELAY,
        )

    @initialize()
    def start(self) -> None:
        self.l1: Any = Lockstep(self.worlds())
        self.who = list(self.l1.accounts)
        self.state = StateTree.in_memory(PARAMETERS.depth)
        self.requests: list[Request] = []
        self.deadlines: list[int] = []
        self.cancelled: set[int] = set()
        self.taken = 0
        self.mempool: list[SignedTransaction] = []
        self.waiting: list[Step] = []  # built and committed, not executed
        self.proved = 0  # of them
        self.uncredited: dict[int, bytes] = {}  # withdrawals of executed batches
        self.past: list[Step] = []  # executed
        self.accounts: dict[int, Account] = {}  # after the last executed batch
        self.leavers = 0  # requests made until the last proposal
        self.active_from: int | None = None  # the standing proposal's, lapsed or not
        self.frozen = False
        self.refuser = self.l1.deploy_refuser()
        for behaviour in (TokenBehaviour.PLAIN, TokenBehaviour.FEE_ON_TRANSFER):
            self.l1.register_token(self.l1.deploy_token(behaviour), sender=self.who[STRANGER])
        self.deposit(2, ETH, 1000)
        self.deposit(3, 1, 1000)
        self.deposit(4, 2, 1000)
        self.submit_at_once(4)

    @property
    def tip(self) -> BatchHeader:
        return self.l1.header(self.l1.committed)

    def refused(self, call: Callable[[], Any], *kinds: type[Revert]) -> Revert:
        """The call must be refused, and change nothing."""
        before = self.digest()
        with pytest.raises(kinds or Revert) as caught:
            call()
        assert self.digest() == before
        return caught.value

    def digest(self) -> tuple[Any, ...]:
        l1 = self.l1
        return (
            (l1.committed, l1.proved, l1.executed, l1.root, l1.next_index, l1.requests_consumed),
            (l1.num_requests, l1.frozen, l1.operator, l1.verifier, l1.exit_verifier),
            [l1.holdings(token) for token in range(3)],
            self.pending(),
        )

    def pending(self) -> dict[tuple[int, int], int]:
        owners = [*self.who[: STRANGER + 1], self.refuser]
        found = {
            (owner, token): self.l1.pending_withdrawal(owner, token) for owner in owners for token in range(3)
        }
        return {key: amount for key, amount in found.items() if amount}

    # -- users ---------------------------------------------------------------------------------------

    @precondition(lambda self: not self.frozen)
    @rule(person=people, token=tokens, amount=amounts)
    def deposit(self, person: int, token: int, amount: int) -> None:
        """Also so much that a balance would overflow: nobody can be stopped by it."""
        owner, amount = self.who[person], min(amount, 10**18) if token == ETH else amount
        if token != ETH:
            self.l1.fund(owner, token, amount)
        before = self.l1.holdings(token)
        self.l1.deposit(token, amount, *KEYS[person].public_key, owner, sender=owner)
        arrived = self.l1.holdings(token) - before
        assert arrived == amount - (amount // 100 if token == 2 else 0)
        self.queue(Deposit(token, arrived, *KEYS[person].public_key, owner))

    @precondition(lambda self: not self.frozen)
    @rule(person=people, account=indices)
    def request_exit(self, person: int, account: int) -> None:
        """Of one's own account, of somebody else's, of one that is not there: all are queued."""
        self.l1.request_exit(account, sender=self.who[person])
        self.queue(ForcedExit(account, self.who[person]))

    def queue(self, request: Request) -> None:
        logged = self.l1.events()[-1].event
        assert isinstance(logged, RequestQueued)
        assert logged.number == len(self.requests) == self.l1.num_requests - 1
        self.requests.append(request)
        self.deadlines.append(logged.deadline)

    @precondition(lambda self: not self.frozen)
    @rule(
        sender=st.integers(1, 6),
        recipient=st.integers(0, 6),
        amount=st.sampled_from([0, 1, 7, 500, 10**18]),
        form=st.sampled_from([Transfer, Transfer, Withdraw, TransferToNew, ChangeKey]),
        signer=st.none() | people,
    )
    def send(self, sender: int, recipient: int, amount: int, form: type, signer: int | None) -> None:
        """Sign something, not always with the right key, not always covered."""
        account = self.state.account(sender)
        if account.is_empty:
            return
        nonce = account.nonce + sum(transaction.sender == sender for transaction in self.mempool)
        other = KEYS[2 + recipient % len(KEYS)]
        to = self.refuser if recipient == 6 else self.who[2 + recipient % len(KEYS)]
        transaction: SignedTransaction
        if form is Transfer:
            transaction = Transfer(sender, recipient, account.token, amount, 0, nonce)
        elif form is Withdraw:
            transaction = Withdraw(sender, to, account.token, amount, 0, nonce)
        elif form is TransferToNew:
            transaction = TransferToNew(sender, *other.public_key, to, account.token, amount, 0, nonce)
        else:
            transaction = ChangeKey(sender, *other.public_key, account.token, 0, nonce)
        person = PERSON_OF_KEY[account.ax, account.ay] if signer is None else signer
        signed = sign_transaction(transaction, KEYS[person], self.l1.chain_id, self.l1.rollup_id)
        self.mempool.append(signed)

    @rule(person=people, token=tokens, again=st.booleans())
    def withdraw(self, person: int, token: int, again: bool) -> None:
        """What is pending is paid once, whoever asks; a second claim is refused."""
        owner, sender = self.who[person], self.who[STRANGER]
        pending = self.l1.pending_withdrawal(owner, token)
        if pending:
            before = self.l1.holdings(token)
            assert self.l1.withdraw(owner, token, sender=sender) == pending
            assert self.l1.holdings(token) == before - pending
        if again or not pending:
            self.refused(lambda: self.l1.withdraw(owner, token, sender=owner), reverts.NothingPending)

    @rule()
    def withdraw_to_who_refuses(self) -> None:
        """It keeps its claim, and nobody else's payment waits for it."""
        if self.l1.pending_withdrawal(self.refuser, ETH):
            call = lambda: self.l1.withdraw(self.refuser, ETH, sender=self.who[STRANGER])  # noqa: E731
            self.refused(call, reverts.TransferFailed)

    # -- the operator, honest ------------------------------------------------------------------------

    def build(self, take: int) -> Step:
        """The next honest batch on the tip: some of the queue's requests, then what can be taken."""
        snapshot, before = self.state.snapshot(), self.taken
        number = (self.waiting[-1].batch.published.batch_number if self.waiting else self.l1.executed) + 1
        context = BatchContext(PARAMETERS, self.l1.chain_id, self.l1.rollup_id, number)
        requests = self.requests[before : before + min(take, PARAMETERS.slots)]
        try:
            built = build_batch(self.state, [*requests, *self.mempool], context)
        except BalanceOverflow:
            built = build_batch(self.state, requests, context)
        self.mempool = []
        self.taken += len(requests)
        return Step(self.batch_of(public_data(built.trace), snapshot, before), dict(self.state.accounts()))

    def batch_of(self, published: PublicData, snapshot: Any = None, before: int = 0) -> Batch:
        inputs = public_inputs(published, self.l1.address)
        return Batch(published, inputs.commitment, stamp(inputs), snapshot, before)

    def forget(self, step: Step) -> None:
        self.state.restore(step.batch.snapshot)
        self.taken = step.batch.requests_before

    def submit(self, data: bytes, commitment: int, proof: Proof, sender: int = OPERATOR) -> BatchHeader:
        previous = self.l1.header(self.l1.executed)
        return self.l1.submit_batch(previous, data, commitment, proof, sender=self.who[sender])

    @precondition(lambda self: not self.frozen)
    @rule(take=st.integers(0, 4))
    def commit(self, take: int) -> None:
        step = self.build(take)
        batch = step.batch
        operator = self.who[OPERATOR]
        step.header = self.l1.commit_batch(self.tip, batch.data, batch.commitment, sender=operator)
        self.waiting.append(step)

    @precondition(lambda self: not self.frozen and self.proved < len(self.waiting))
    @rule()
    def prove(self) -> None:
        step = self.waiting[self.proved]
        self.l1.prove_batch(step.header, step.batch.proof, sender=self.who[STRANGER])
        self.proved += 1

    @precondition(lambda self: not self.frozen and self.proved)
    @rule(cheat=st.sampled_from([None, b"", b"\x00", "double", "more"]))
    def execute(self, cheat: Any) -> None:
        step = self.waiting[0]
        right = step.batch.withdrawals
        lies = {"double": right * 2, "more": right[:-1] + bytes([(right or b"\x01")[-1] ^ 1])}
        wrong = lies.get(cheat, cheat) if isinstance(cheat, str) else cheat
        sender = self.who[STRANGER]
        if wrong is not None and wrong != right:
            call = lambda: self.l1.execute_batch(step.header, wrong, sender=sender)  # noqa: E731
            self.refused(call, reverts.WrongWithdrawals)
        self.l1.execute_batch(step.header, right, sender=sender)
        self.proved -= 1
        self.executed(self.waiting.pop(0))

    @precondition(lambda self: not self.frozen and self.proved)
    @rule(sender=st.sampled_from([OPERATOR, STRANGER]))
    def execute_without_credits(self, sender: int) -> None:
        """Only by whose turn it is."""
        step, l1 = self.waiting[0], self.l1
        call = lambda: l1.execute_without_credits(step.header, sender=self.who[sender])  # noqa: E731
        if sender != OPERATOR and l1.block_number <= l1.last_executed_block + OPERATOR_DELAY:
            self.refused(call, reverts.NotOperator)
            return
        call()
        self.uncredited[l1.executed] = step.batch.withdrawals
        self.proved -= 1
        self.executed(self.waiting.pop(0))

    @rule(which=st.integers(0, 10), count=st.integers(0, 4))
    def credit(self, which: int, count: int) -> None:
        """R2: each payment once, to the end, frozen or not; and no others."""
        sender = self.who[STRANGER]
        if not self.uncredited:
            number = which % (self.l1.committed + 2)
            call = lambda: self.l1.credit_withdrawals(number, b"", count, sender=sender)  # noqa: E731
            self.refused(call, reverts.NothingUncredited)
            return
        number = sorted(self.uncredited)[which % len(self.uncredited)]
        left = self.uncredited.pop(number)
        for wrong in (left + left[-40:] if left else b"\x00", left[40:] + left[:40], left[40:]):
            if wrong != left:
                call = lambda wrong=wrong: self.l1.credit_withdrawals(number, wrong, count, sender=sender)  # type: ignore[misc]  # noqa: E731
                self.refused(call, reverts.WrongWithdrawals)
        self.l1.credit_withdrawals(number, left, count, sender=sender)
        if left[40 * count :]:
            self.uncredited[number] = left[40 * count :]

    def executed(self, step: Step) -> None:
        self.past.append(step)
        self.accounts = step.accounts
        assert self.l1.root == step.batch.published.root_after

    @precondition(lambda self: not self.frozen and not self.waiting)
    @rule(take=st.integers(0, 4))
    def submit_at_once(self, take: int) -> None:
        step = self.build(take)
        self.submit(step.batch.data, step.batch.commitment, step.batch.proof)
        self.executed(step)

    @precondition(lambda self: len(self.waiting) > self.proved)
    @rule(keep=st.integers(0, 3), sender=st.sampled_from([OPERATOR, STRANGER]))
    def revert(self, keep: int, sender: int) -> None:
        """Only what is not proved, and only by whom it concerns."""
        l1 = self.l1
        to = l1.executed + min(keep, len(self.waiting) - 1)
        call = lambda: l1.revert_batches(to, sender=self.who[sender])  # noqa: E731
        silent = l1.block_number > l1.last_executed_block + OPERATOR_DELAY
        if sender != OPERATOR and not silent and not self.frozen:
            self.refused(call, reverts.NotOperator)
            return
        if to < l1.proved:
            self.refused(call, reverts.NothingToRevert)
            return
        call()
        kept = to - l1.executed
        self.forget(self.waiting[kept])
        del self.waiting[kept:]

    # -- the operator, cheating ----------------------------------------------------------------------

    def tampered(self, step: Step, how: str, a: int, b: int) -> tuple[bytes, int] | None:
        """Another batch for the same place: (data, commitment); None where it comes out the same."""
        batch, published = step.batch, step.batch.published
        records, data = list(published.records), batch.data
        i, j = (a % len(records), b % len(records)) if records else (0, 0)
        other: PublicData | None = None
        if how == "swap" and records:
            records[i], records[j] = records[j], records[i]
            other = replace(published, records=tuple(records))
        elif how == "repeat" and records:
            other = replace(published, records=(*records, records[i])[-PARAMETERS.slots :])
        elif how == "drop" and records:
            other = replace(published, records=tuple(records[:i] + records[i + 1 :]))
        elif how == "root":
            other = replace(published, root_after=(published.root_after + 1 + a) % FR_MODULUS)
        elif how == "next index":
            other = replace(published, next_after=a % 17)
        elif how == "chain":
            other = replace(published, chain_id=published.chain_id + 1)
        elif how == "rollup":
            other = replace(published, rollup_id=published.rollup_id ^ 1)
        elif how == "number":
            other = replace(published, batch_number=published.batch_number + 1)
        elif how == "root + r":
            changed = data[:83] + (published.root_after + FR_MODULUS).to_bytes(32, "big") + data[115:]
            return changed, batch.commitment
        elif how == "key + r" and records and records[i].ax:
            records[i] = replace(records[i], ax=records[i].ax + FR_MODULUS)
            return encode(replace(published, records=tuple(records))), batch.commitment
        elif how == "bit":
            changed = bytearray(data)
            changed[a % len(data)] ^= 1 << b % 8
            return bytes(changed), batch.commitment
        elif how == "cut":
            return data[: a % len(data)], batch.commitment
        elif how == "append":
            return data + bytes([b % 256] * (1 + a % 60)), batch.commitment
        if other is None or encode(other) == data:
            return None
        return encode(other), self.batch_of(other).commitment if b % 2 else batch.commitment

    ways = st.sampled_from(
        [
            *("swap", "repeat", "drop", "root", "next index", "chain", "rollup", "number"),
            *("root + r", "key + r", "bit", "cut", "append"),
        ]
    )

    @precondition(lambda self: not self.frozen and not self.waiting)
    @rule(
        how=ways, a=st.integers(0, 400), b=st.integers(0, 400), take=st.integers(0, 4), honest=st.booleans()
    )
    def submit_something_else(self, how: str, a: int, b: int, take: int, honest: bool) -> None:
        """R1, R5, R6: whatever is changed, no proof that exists holds for it."""
        step = self.build(take)
        tampered = self.tampered(step, how, a, b)
        if tampered is not None:
            proofs = [step.batch.proof, *(old.batch.proof for old in self.past[-2:])]
            self.refused(lambda: self.submit(*tampered, proofs[a % len(proofs)]))
        if honest:
            self.submit(step.batch.data, step.batch.commitment, step.batch.proof)
            self.executed(step)
        else:
            self.forget(step)

    @precondition(lambda self: not self.frozen and self.past)
    @rule(which=st.integers(0, 50), later=st.booleans())
    def replay(self, which: int, later: bool) -> None:
        """R1: a batch is taken once; nor is it taken again under the next number."""
        batch = self.past[which % len(self.past)].batch
        if later:
            published = replace(batch.published, batch_number=self.l1.executed + 1)
            self.refused(lambda: self.submit(encode(published), batch.commitment, batch.proof))
        self.refused(lambda: self.submit(batch.data, batch.commitment, batch.proof))

    @precondition(lambda self: not self.frozen and not self.waiting)
    @rule(take=st.integers(0, 4), there=st.sampled_from(["contract", "chain"]))
    def replay_from_elsewhere(self, take: int, there: str) -> None:
        """R1, R6: a proof of just this data, made for another contract or chain, is none."""
        step = self.build(take)
        published = step.batch.published
        if there == "chain":
            inputs = public_inputs(replace(published, chain_id=published.chain_id + 1), self.l1.address)
        else:
            inputs = public_inputs(published, self.l1.address ^ 1)
        call = lambda: self.submit(step.batch.data, inputs.commitment, stamp(inputs))  # noqa: E731
        self.refused(call, reverts.ProofRejected)
        self.forget(step)

    @precondition(lambda self: not self.frozen)
    @rule(how=ways, a=st.integers(0, 400), b=st.integers(0, 400), take=st.integers(0, 4))
    def commit_something_else(self, how: str, a: int, b: int, take: int) -> None:
        """R3: what is committed and not true is never proved, hence never executed, and is cleared away."""
        l1, operator, stranger = self.l1, self.who[OPERATOR], self.who[STRANGER]
        step = self.build(take)
        tampered = self.tampered(step, how, a, b)
        if tampered is not None:
            header, error = attempt(lambda: l1.commit_batch(self.tip, *tampered, sender=operator))
            if error is None:
                number = l1.committed
                for proof in (
                    step.batch.proof,
                    *(old.batch.proof for old in [*self.past[-2:], *self.waiting]),
                ):
                    call = lambda p=proof: l1.prove_batch(header, p, sender=stranger)  # noqa: E731
                    self.refused(call, reverts.ProofRejected, reverts.NotNext)
                withdrawals = step.batch.withdrawals
                call = lambda: l1.execute_batch(header, withdrawals, sender=stranger)  # noqa: E731
                self.refused(call, reverts.NotProved, reverts.NotNext)
                l1.revert_batches(number - 1, sender=operator)
                self.refused(lambda: l1.prove_batch(header, step.batch.proof, sender=stranger))
        self.forget(step)

    @precondition(lambda self: not self.frozen)
    @rule(take=st.integers(0, 4))
    def submit_as_a_stranger(self, take: int) -> None:
        """Only when the operator is silent, and only with a proof; never a commitment alone."""
        l1, stranger = self.l1, self.who[STRANGER]
        if self.waiting:
            self.refused(lambda: l1.commit_batch(self.tip, b"", 0, sender=stranger), reverts.NotOperator)
            return
        step = self.build(take)
        batch = step.batch
        call = lambda: self.submit(batch.data, batch.commitment, batch.proof, STRANGER)  # noqa: E731
        if l1.block_number > l1.last_executed_block + OPERATOR_DELAY:
            call()
            self.executed(step)
        else:
            self.refused(call, reverts.NotOperator)
            self.forget(step)

    @precondition(lambda self: not self.frozen and not self.waiting)
    @rule(take=st.integers(0, 4), execute=st.booleans())
    def broken_prover(self, take: int, execute: bool) -> None:
        """R7: a false batch that has a proof is refuted by the true one's, before it pays or after."""
        l1, operator, stranger = self.l1, self.who[OPERATOR], self.who[STRANGER]
        step = self.build(take)
        true = step.batch
        false = self.batch_of(
            replace(true.published, root_after=(true.published.root_after + 1) % FR_MODULUS)
        )
        previous = self.tip
        header = l1.commit_batch(previous, false.data, false.commitment, sender=operator)
        l1.prove_batch(header, false.proof, sender=operator)
        if execute:  # what it pays is what the true one pays; only the root is false
            l1.execute_batch(header, false.withdrawals, sender=operator)
        proof = true.proof
        self.refused(
            lambda: l1.report_conflict(
                previous, header, false.data, false.commitment, false.proof, sender=stranger
            ),
            reverts.SameRoot,
        )
        l1.report_conflict(previous, header, true.data, true.commitment, proof, sender=stranger)
        assert l1.frozen
        self.frozen = True
        if execute:  # exits are against a false root: nobody's leaf is under it, so that the test ends here
            self.accounts = step.accounts
            self.past.append(step)
            self.false_root = True
        else:
            self.forget(step)

    false_root = False

    # -- the governor --------------------------------------------------------------------------------

    @precondition(lambda self: not self.frozen)
    @rule()
    def propose(self) -> None:
        verifier = self.l1.deploy_verifier(VerifierBehaviour.STAMP)
        self.refused(
            lambda: self.l1.propose_verifier(verifier, verifier, sender=self.who[OPERATOR]),
            reverts.NotGovernor,
        )
        block = self.l1.block_number
        self.l1.propose_verifier(verifier, verifier, sender=self.who[GOVERNOR])
        self.leavers = len(self.requests)
        self.active_from = block + UPGRADE_DELAY

    @rule()
    def cancel_proposal(self) -> None:
        cancel = lambda person: self.l1.cancel_proposal(sender=self.who[person])  # noqa: E731
        self.refused(lambda: cancel(STRANGER), reverts.NotGovernor)
        if self.active_from is None:
            self.refused(lambda: cancel(GOVERNOR), reverts.NothingProposed)
        else:
            cancel(GOVERNOR)
            self.active_from = None

    @rule()
    def activate(self) -> None:
        """When it happens, it does in the proposal's window, and who asked to leave before the proposal has
        left: no verifier of the governor's ever judges a request that was made in time to leave before it."""
        before = self.l1.block_number
        _, error = attempt(lambda: self.l1.activate_verifier(sender=self.who[STRANGER]))
        if self.frozen:
            assert isinstance(error, reverts.Frozen)
        if error is None:
            assert self.active_from is not None
            assert self.active_from <= before <= self.active_from + UPGRADE_DELAY
            self.active_from = None
            assert self.l1.requests_consumed >= self.leavers
            early = [deadline for deadline in self.deadlines if deadline < before]
            assert self.l1.requests_consumed >= len(early)

    # -- time ----------------------------------------------------------------------------------------

    @rule(blocks=st.sampled_from([1, 3, LIFETIME // 2]))
    def pass_time(self, blocks: int) -> None:
        self.l1.mine(blocks)

    @precondition(lambda self: not self.frozen)
    @rule()
    def freeze(self) -> None:
        """Exactly when the oldest request that no executed batch took is due."""
        consumed = self.l1.requests_consumed
        due = consumed < len(self.requests) and self.deadlines[consumed] < self.l1.block_number
        call = lambda: self.l1.freeze(sender=self.who[STRANGER])  # noqa: E731
        if due:
            call()
            self.frozen = True
        else:
            error = self.refused(call, reverts.NotDue)
            expected = self.deadlines[consumed] if consumed < len(self.requests) else 0
            assert error.values() == reverts.NotDue(consumed, expected).values()

    @precondition(lambda self: self.frozen)
    @rule(step=st.sampled_from(["deposit", "exit", "commit", "prove", "execute", "submit", "freeze"]))
    def go_on_when_frozen(self, step: str) -> None:
        """Nothing moves any more."""
        l1, header, someone = self.l1, self.l1.header(self.l1.committed), self.who[OPERATOR]
        key = KEYS[2].public_key
        proof = stamp((1, 2, 3))
        calls: dict[str, Callable[[], Any]] = {
            "deposit": lambda: l1.deposit(ETH, 1, *key, someone, sender=someone),
            "exit": lambda: l1.request_exit(1, sender=someone),
            "commit": lambda: l1.commit_batch(header, b"", 0, sender=someone),
            "prove": lambda: l1.prove_batch(header, proof, sender=someone),
            "execute": lambda: l1.execute_batch(header, b"", sender=someone),
            "submit": lambda: l1.submit_batch(header, b"", 0, proof, sender=someone),
            "freeze": lambda: l1.freeze(sender=someone),
        }
        self.refused(calls[step], reverts.Frozen)

    # -- the way out ---------------------------------------------------------------------------------

    def exit_call(self, index: int, account: Account, proof: Proof | None = None, **lies: Any) -> None:
        told = replace(account, **lies)
        inputs = (self.l1.root, index << 192 | account.token << 160 | account.eth_address, account.balance)
        self.l1.exit(
            self.l1.header(self.l1.executed),
            index,
            told.token,
            told.balance,
            told.eth_address,
            proof or stamp(inputs),
            sender=self.who[STRANGER],
        )

    def cheat_on_the_way_out(self, index: int, account: Account) -> None:
        """Nobody leaves with more, as somebody else, in another token, or from another account."""
        for lies in (
            {"balance": (account.balance + 1) % (1 << 128)},
            {"eth_address": self.who[STRANGER]},
            {"token": account.token ^ 1},
        ):
            self.refused(lambda lies=lies: self.exit_call(index, account, **lies), reverts.ProofRejected)
        self.refused(lambda: self.exit_call(index ^ 1, account, stamp((self.l1.root, 1, 2))))

    @precondition(lambda self: self.frozen and not self.false_root)
    @rule(which=st.integers(0, 20))
    def exit_one(self, which: int) -> None:
        if not self.accounts:
            return
        index, account = sorted(self.accounts.items())[which % len(self.accounts)]
        if self.l1.exited(index):
            self.refused(lambda: self.exit_call(index, account), reverts.AlreadyExited)
            return
        self.cheat_on_the_way_out(index, account)
        self.exit_call(index, account)

    @precondition(lambda self: self.frozen)
    @rule(which=st.integers(0, 20))
    def cancel_one(self, which: int) -> None:
        consumed = self.l1.requests_consumed
        number = which % (len(self.requests) + 1)
        request = self.requests[number] if number < len(self.requests) else self.requests[0]
        deposit = (
            request if isinstance(request, Deposit) else Deposit(ETH, 1, *KEYS[2].public_key, self.who[2])
        )
        call = lambda: self.l1.cancel_deposit(number, deposit, sender=self.who[STRANGER])  # noqa: E731
        if number < consumed:
            self.refused(call, reverts.AlreadyConsumed)
        elif number == len(self.requests):
            self.refused(call, reverts.NoSuchRequest)
        elif number in self.cancelled:
            self.refused(call, reverts.AlreadyCancelled)
        elif not isinstance(request, Deposit):
            self.refused(call, reverts.RequestMismatch)
        else:
            more = replace(deposit, amount=deposit.amount + 1)
            self.refused(
                lambda: self.l1.cancel_deposit(number, more, sender=self.who[2]), reverts.RequestMismatch
            )
            call()
            self.cancelled.add(number)

    def teardown(self) -> None:
        """R8: whatever happened, the contract can be frozen and everybody gets everything."""
        if not hasattr(self, "l1"):
            return
        l1, sender = self.l1, self.who[STRANGER]
        if not self.frozen:
            if l1.requests_consumed == len(self.requests):
                self.request_exit(2, 1)
            l1.mine(max(0, self.deadlines[l1.requests_consumed] + 1 - l1.block_number))
            self.freeze()
            assert l1.frozen
        if self.false_root:
            return
        for index, account in self.accounts.items():
            if not l1.exited(index):
                self.exit_call(index, account)
        for number in range(l1.requests_consumed, len(self.requests)):
            request = self.requests[number]
            if isinstance(request, Deposit) and number not in self.cancelled:
                l1.cancel_deposit(number, request, sender=sender)
        for number, left in self.uncredited.items():
            l1.credit_withdrawals(number, left, len(left), sender=sender)
        kept = l1.pending_withdrawal(self.refuser, ETH)
        for owner, token in self.pending():
            if (owner, token) != (self.refuser, ETH):
                l1.withdraw(owner, token, sender=sender)
        assert [l1.holdings(token) for token in range(3)] == [kept, 0, 0]

    # -- always --------------------------------------------------------------------------------------

    @invariant()
    def money_is_conserved(self) -> None:
        """R10."""
        if not hasattr(self, "l1"):
            return
        pending = self.pending()
        consumed = self.l1.requests_consumed
        for token in range(3):
            balances = sum(
                account.balance
                for index, account in self.accounts.items()
                if account.token == token and not self.l1.exited(index)
            )
            queued = sum(
                request.amount
                for number, request in enumerate(self.requests)
                if isinstance(request, Deposit)
                and request.token == token
                and number >= consumed
                and number not in self.cancelled
            )
            owed = sum(amount for (_, t), amount in pending.items() if t == token)
            left = sum(
                int.from_bytes(payments[place + 24 : place + 40], "big")
                for payments in self.uncredited.values()
                for place in range(0, len(payments), 40)
                if int.from_bytes(payments[place + 20 : place + 24], "big") == token
            )
            assert balances + queued + owed + left == self.l1.holdings(token)

    @invariant()
    def counters_are_in_order(self) -> None:
        """R3: executed <= proved <= committed, and only what stands there has a hash."""
        if not hasattr(self, "l1"):
            return
        l1 = self.l1
        assert l1.executed <= l1.proved <= l1.committed
        assert l1.batch_hash(l1.committed + 1) == bytes(32)
        assert l1.requests_consumed <= l1.num_requests == len(self.requests)


TestAdversary = Adversary.TestCase
TestAdversary.settings = settings(
    max_examples=30, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
def test_adversary__gains_nothing_in_the_long_run() -> None:
    """R10: five times as much of the same."""
    run_state_machine_as_test(
        Adversary,
        settings=settings(
            max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
