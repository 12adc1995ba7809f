"""What the node does about L1: after a restart, a lost answer, a reorganisation, or another operator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from zkrollup.l1.events import LoggedEvent, RequestQueued
from zkrollup.l1.interface import L1
from zkrollup.l1.model import RollupContract
from zkrollup.node.errors import BatchForgotten, ContractFrozen, ForeignBatch, RollbackImpossible
from zkrollup.node.follow import follow
from zkrollup.node.gas import bound, execution_bound
from zkrollup.node.service import Node
from zkrollup.node.submitter import Call, credit_next, withdrawal_bytes
from zkrollup.restore import restore
from zkrollup.state import Kind, StateTree, Transfer, Withdraw
from zkrollup.state.transactions import TransferToNew, sign_group
from zkrollup.testing.node import StepNode
from zkrollup.testing.rollup import make_wallets

from .conftest import FIRST, Bank


def submitted(bank: Bank, *transactions) -> list[int]:
    return [receipt.id for transaction in transactions for receipt in bank.node.submit(transaction)]


def test_submitter__brings_a_batch_to_execution_and_says_so(bank: Bank) -> None:
    waiting = submitted(bank, bank.transfer())
    bank.node.build()
    assert bank.node.look().call is None
    assert bank.node.statuses(waiting) == ["built"]
    bank.node.prove()
    assert bank.node.statuses(waiting) == ["proved"]
    assert bank.node.submit_to_l1() == "submit"
    assert bank.node.look().call is None
    assert bank.node.statuses(waiting) == ["executed"]
    assert bank.node.l1.root == bank.node.store.state.root


@pytest.mark.parametrize("restarts", ["before", "after"])
def test_submitter__is_idempotent_when_the_answer_is_lost(bank: Bank, restarts: str) -> None:
    waiting = submitted(bank, bank.transfer())
    bank.node.build()
    bank.node.prove()
    calls = bank.node.chain.num_calls
    if restarts == "before":
        bank.node.restart()
    assert bank.node.submit_to_l1() == "submit"
    if restarts == "after":
        bank.node.restart()  # L1 took it, the node never noted that
    while bank.node.submit_to_l1() is not None:
        pass
    assert bank.node.chain.num_calls == calls + 1
    assert bank.node.statuses(waiting) == ["executed"]


def test_submitter__finishes_what_was_committed_step_by_step(bank: Bank) -> None:
    node = bank.node
    paid = bank.wallets[0].sign(Withdraw(FIRST, 0x77, 0, 9, 0, 0))
    waiting = submitted(bank, paid)
    batch = node.build()
    assert batch is not None
    operator = node.l1.accounts[0]
    node.l1.commit_batch(node.l1.header(1), batch.data, batch.inputs.commitment, sender=operator)
    assert node.look().call is None  # its proof is not there yet
    node.prove()
    assert node.submit_to_l1() == "prove"
    assert node.statuses(waiting) == ["committed"]
    node.restart()
    assert node.submit_to_l1() == "execute"
    assert node.look().call is None
    assert node.statuses(waiting) == ["executed"]
    assert node.l1.pending_withdrawal(0x77, 0) == 9
    assert withdrawal_bytes(batch.data, node.parameters) == bytes(19) + b"\x77" + bytes(4) + (9).to_bytes(16)


def test_reorganisation__submits_dropped_batches_again(bank: Bank) -> None:
    node = bank.node
    waiting = submitted(bank, bank.transfer(), bank.transfer(1))
    node.settle()
    more = submitted(bank, bank.transfer(nonce=1))
    node.settle()
    made = node.parts.prover.made
    node.chain.forget(2)
    found = node.look()
    assert (found.dropped, found.rebuilt) == (2, 0)
    assert node.statuses([*waiting, *more]) == ["proved"] * 3
    node.settle()
    assert node.statuses([*waiting, *more]) == ["executed"] * 3
    assert node.parts.prover.made == made  # the proofs still hold
    assert node.l1.root == node.store.state.root


def test_reorganisation__of_a_request_rebuilds_the_batches_after_it(bank: Bank) -> None:
    node = bank.node
    calls = node.chain.num_calls
    node.pay_in(bank.wallets[0], 40)
    waiting = submitted(bank, bank.transfer())
    node.settle()
    more = submitted(bank, bank.transfer(nonce=1))
    node.build()
    node.chain.forget(node.chain.num_calls - calls)
    node.pay_in(bank.wallets[1], 60)  # another request has the number now
    found = node.look()
    assert (found.dropped, found.rebuilt, found.waiting_again) == (1, 2, 2)
    assert node.statuses([*waiting, *more]) == ["waiting"] * 2
    node.settle()
    assert node.statuses([*waiting, *more]) == ["executed"] * 2
    assert node.store.state.account(FIRST).balance == 1_000 - 10
    assert node.store.state.account(FIRST + 1).balance == 1_000 + 10 + 60
    assert node.l1.root == node.store.state.root


def test_reorganisation__of_a_request_that_is_gone_rebuilds_too(bank: Bank) -> None:
    node = bank.node
    calls = node.chain.num_calls
    node.pay_in(bank.wallets[0], 40)
    node.build()
    node.chain.forget(node.chain.num_calls - calls)
    assert node.look().rebuilt == 1
    assert node.build() is None
    assert node.store.last_batch() == node.l1.executed


def test_observer__takes_no_request_that_is_not_the_contracts(bank: Bank) -> None:
    """An L1 node that is behind with its events, or lies: a batch of such a request would never be taken."""
    node = bank.node
    node.pay_in(bank.wallets[0], 40)
    logged = node.l1.events()
    last = logged[-1].event
    assert isinstance(last, RequestQueued)
    node.observer.l1 = Lagging(node.l1, [*logged[:-1], logged[-1]._replace(event=replace(last, amount=41))])
    with pytest.raises(OSError, match=f"the event of request {last.number} is not of the request"):
        node.build()
    node.observer.l1 = node.l1
    batch = node.build()
    assert batch is not None
    assert batch.num_requests == 1


class Lagging:
    """An L1 whose events are these."""

    def __init__(self, l1: L1, events: list[LoggedEvent]) -> None:
        self._l1, self._events = l1, events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._l1, name)

    def events(self, first_block: int = 0) -> list[LoggedEvent]:
        """What they are said to be."""
        return self._events


def test_reorganisation__beyond_the_journal_is_refused_by_name(bank: Bank) -> None:
    node = bank.node
    for table in ("journal", "journal_nodes", "journal_accounts"):
        node.store._db.execute(f"DELETE FROM {table}")
    node.chain.forget(node.chain.num_calls)
    with pytest.raises(RollbackImpossible, match="rebuilt from L1"):
        node.look()


def test_submitter__takes_back_a_committed_batch_that_was_rebuilt(bank: Bank) -> None:
    node = bank.node
    submitted(bank, bank.transfer())
    batch = node.build()
    assert batch is not None
    operator = node.l1.accounts[0]
    node.l1.commit_batch(node.l1.header(1), batch.data, batch.inputs.commitment, sender=operator)
    node.sequencer.rollback(1)
    waiting = submitted(bank, bank.transfer(1))
    node.build()
    node.prove()
    assert [node.submit_to_l1() for _ in range(3)] == ["revert", "submit", None]
    assert node.statuses(waiting) == ["executed"]


def executed_by_somebody_else(bank: Bank, *transactions) -> None:
    """A batch that L1 has executed, and that the node knows nothing of."""
    node = bank.node
    for transaction in transactions:
        node.submit(transaction)
    before = node.store.last_batch()
    node.build()
    node.prove()
    assert node.submit_to_l1() == "submit"
    node.sequencer.rollback(before)
    node.store._db.execute("DELETE FROM transactions WHERE status = 'waiting'")
    node.sequencer.reload()


def test_follow__takes_over_the_batch_of_somebody_else(bank: Bank) -> None:
    node = bank.node
    executed_by_somebody_else(bank, bank.transfer(amount=40), bank.transfer(1))
    with pytest.raises(ForeignBatch, match=r"batch 2 on L1 is 0x.*, the node's is none"):
        node.look()
    mine = submitted(bank, bank.transfer(2, amount=3))
    waits = submitted(bank, bank.transfer(1, amount=7))
    node.build()
    with pytest.raises(ForeignBatch, match=r"batch 2 on L1 is 0x.*, the node's is 0x"):
        node.look()
    found = follow(node.sequencer, node.l1)
    assert (found.common, found.adopted, found.discarded, found.waiting_again) == (1, 1, 1, 2)
    assert node.store.state.account(FIRST).balance == 1_000 - 40
    node.sequencer.sweep()
    assert node.statuses([*mine, *waits]) == ["waiting", "dropped"]  # its nonce was used by the other batch
    node.restart()
    node.settle()
    assert node.statuses(mine) == ["executed"]
    assert node.l1.root == node.store.state.root == node.store.state.recompute_root()


def test_follow__finds_the_nodes_own_transactions_in_the_batches_of_others(bank: Bank) -> None:
    node, rollup = bank.node, bank.node.store.identity.rollup_id
    new = make_wallets(9)[8]
    members = [Transfer(FIRST, 3, 0, 5, 0, 1), Transfer(FIRST + 1, 2, 0, 6, 0, 0)]
    keys = [wallet.key for wallet in bank.wallets[:2]]
    one, two = sign_group(members, keys, node.store.identity.chain_id, rollup)
    signed = [
        bank.wallets[0].sign(Withdraw(FIRST, 0x77, 0, 9, 2, 0)),
        bank.wallets[2].sign(TransferToNew(FIRST + 2, *new.key.public_key, 0x99, 0, 4, 1, 0)),
    ]
    other = bank.transfer(nonce=2)
    ids = submitted(bank, *signed)
    ids += [receipt.id for receipt in node.submit(one, two)]
    node.build()
    node.prove()
    assert node.submit_to_l1() == "submit"
    node.sequencer.rollback(1)  # as a node that has the same transactions and built nothing
    ids += submitted(bank, other)
    assert node.statuses(ids) == ["waiting"] * 5
    node.restart()
    follow(node.sequencer, node.l1)
    assert node.statuses(ids) == ["executed"] * 4 + ["waiting"]
    node.settle()
    assert node.statuses(ids) == ["executed"] * 5
    assert node.store.state.account(FIRST).nonce == 3


def test_follow__knows_as_executed_what_both_have(bank: Bank) -> None:
    """A batch of the node's own that was not known to be executed stands before those that are taken over."""
    node = bank.node
    ids = submitted(bank, bank.transfer())
    node.settle()
    executed_by_somebody_else(bank, bank.transfer(1))
    node.store.set_status(2, 2, "proved", node.now)  # as a node that has not looked since it called
    found = follow(node.sequencer, node.l1)
    assert (found.common, found.adopted) == (2, 1)
    assert node.store.status_numbers() == []
    assert node.statuses(ids) == ["executed"]


def test_follow__rebuilds_a_lost_file_from_l1(bank: Bank) -> None:
    node = bank.node
    submitted(bank, bank.transfer(fee=3))
    node.settle()
    meta, batches = node.store.state.meta, node.store.last_batch()
    node.parts.close()
    for path in node.directory.glob("node.db*"):
        path.unlink()
    node._open()
    with pytest.raises(ForeignBatch):
        node.look()
    assert follow(node.sequencer, node.l1).adopted == batches
    assert node.store.state.meta == meta
    submitted(bank, bank.transfer(nonce=1))
    node.settle()
    assert node.l1.executed == batches + 1


def test_follow__undoes_what_l1_forgets_again(bank: Bank) -> None:
    node = bank.node
    executed_by_somebody_else(bank, bank.transfer(amount=40))
    follow(node.sequencer, node.l1)
    node.chain.forget(1)
    found = node.look()
    assert (found.dropped, found.rebuilt) == (1, 1)
    assert node.store.state.account(FIRST).balance == 1_000
    assert node.l1.root == node.store.state.root


def test_submitter__executes_what_somebody_else_has_had_proved(bank: Bank) -> None:
    node, operator = bank.node, bank.node.l1.accounts[0]
    node.submit(bank.wallets[0].sign(Withdraw(FIRST, 0x77, 0, 9, 0, 0)))
    batch = node.build()
    assert batch is not None
    node.prove()
    proof = node.store.batch(2).proof
    node.l1.commit_batch(node.l1.header(1), batch.data, batch.inputs.commitment, sender=operator)
    node.l1.prove_batch(node.l1.header(2), proof, sender=operator)
    node.sequencer.rollback(1)
    assert node.submit_to_l1() == "execute"
    assert node.l1.pending_withdrawal(0x77, 0) == 9
    follow(node.sequencer, node.l1)
    assert node.look().call is None


def test_submitter__calls_nothing_when_the_contract_is_frozen(bank: Bank) -> None:
    node = bank.node
    node.pay_in(bank.wallets[0], 1)
    node.l1.mine(node.l1.config.request_lifetime + 2)
    node.l1.freeze(sender=node.l1.accounts[3])
    assert node.look().call is None
    assert node.build() is None


def test_chain__is_where_it_was_after_a_restart(node: StepNode) -> None:
    bank = Bank(node)
    submitted(bank, bank.transfer())
    node.settle()
    before = (node.l1.root, node.l1.block_number, node.l1.events(), node.l1.num_requests, node.l1.header(1))
    node.restart()
    assert (
        node.l1.root,
        node.l1.block_number,
        node.l1.events(),
        node.l1.num_requests,
        node.l1.header(1),
    ) == (before)


# -- what L1 may do while a stage is at work ---------------------------------------------------------


def at_work(bank: Bank, job: Callable[[Node], Coroutine[Any, Any, Any]]) -> Any:
    """What a node's stage returns."""
    parts = bank.node.parts
    node = Node(bank.node.sequencer, parts.prover, bank.node.l1, operator=parts.sender)

    async def run() -> Any:
        return await job(node)

    try:
        return asyncio.run(run())
    finally:
        node.close()


def test_prove__outlives_that_the_batch_is_rolled_back_meanwhile(bank: Bank) -> None:
    submitted(bank, bank.transfer())
    number = bank.node.build().number

    async def job(node: Node) -> tuple[bool, bool]:
        once = node.core

        async def core(work: Callable[..., Any], *arguments: Any) -> Any:
            found = await once(work, *arguments)
            if node.sequencer.store.batch(number) is not None:
                await once(node.sequencer.rollback, number - 1)
            return found

        node.core = core  # type: ignore[method-assign]
        return await node._prove_step(), await node._prove_step()

    assert at_work(bank, job) == (True, False)


def test_perform__outlives_that_the_batch_before_is_gone_meanwhile(bank: Bank) -> None:
    submitted(bank, bank.transfer())
    bank.node.build()
    bank.node.prove()
    batch = bank.node.store.batch(bank.node.store.last_batch())
    assert batch is not None
    ahead = replace(batch, number=batch.number + 5)

    async def job(node: Node) -> tuple[bool, str]:
        node.stopping = True  # so that it does not wait
        return await node._perform(Call("submit", ahead.number, ahead)), node.progress.last_error

    done, trouble = at_work(bank, job)
    assert not done
    assert trouble.startswith(f"submit of batch {ahead.number}: ")


def test_submit__is_refused_when_the_contract_is_frozen(bank: Bank) -> None:
    transfer, identity = bank.transfer(), bank.node.store.identity

    async def job(node: Node) -> None:
        node.view = replace(node.observer.observe(0), frozen=True)
        await node.submit([transfer], identity.chain_id, identity.rollup_id)

    with pytest.raises(ContractFrozen, match="leave with a proof"):
        at_work(bank, job)
    assert bank.node.store.counts() == {}


# -- more payments than L1 has gas for ---------------------------------------------------------------


def paying(bank: Bank) -> list[int]:
    """A proved batch that pays each wallet's owner 9, built where gas cost nothing."""
    node = bank.node
    transactions = [
        wallet.sign(Withdraw(FIRST + place, 0x77 + place, 0, 9, 0, 0))
        for place, wallet in enumerate(bank.wallets)
    ]
    ids = submitted(bank, *transactions)
    node.build()
    node.prove()
    return ids


def paid(node: StepNode) -> list[int]:
    return [node.l1.pending_withdrawal(0x77 + place, 0) for place in range(3)]


def allow(monkeypatch: pytest.MonkeyPatch, gas: int) -> None:
    """What a call may take on L1 from now on."""
    monkeypatch.setattr(RollupContract, "gas_limit", property(lambda self: gas))


def test_submitter__credits_in_parts_what_l1_has_not_gas_for_at_once(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, ids = bank.node, paying(bank)
    allow(monkeypatch, execution_bound(3) - 1)
    assert node.submit_to_l1() == "commit"
    assert node.submit_to_l1() == "prove"
    assert node.submit_to_l1() == "execute"
    assert paid(node) == [0, 0, 0]
    node.restart()
    assert node.submit_to_l1() == "credit"
    assert paid(node) == [9, 9, 0]
    assert node.statuses(ids) == ["executed"] * 3
    assert node.submit_to_l1() == "credit"
    assert paid(node) == [9, 9, 9]
    assert node.submit_to_l1() is None


def test_submitter__does_all_at_once_what_l1_has_gas_for(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    node = bank.node
    paying(bank)
    allow(monkeypatch, bound([Kind.WITHDRAW] * 3, 1))
    assert node.submit_to_l1() == "submit"
    assert node.submit_to_l1() is None
    assert paid(node) == [9, 9, 9]


@pytest.mark.parametrize("by_others", [1, 2])
def test_submitter__credits_what_others_left(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, by_others: int
) -> None:
    node = bank.node
    paying(bank)
    allow(monkeypatch, execution_bound(0))
    assert [node.submit_to_l1() for _ in range(3)] == ["commit", "prove", "execute"]
    owed = withdrawal_bytes(node.l1.batch_data(2), node.parameters)
    node.l1.credit_withdrawals(2, owed, by_others, sender=node.l1.accounts[7])
    assert [node.submit_to_l1() for _ in range(3 - by_others)] == ["credit"] * (3 - by_others)
    assert node.submit_to_l1() is None
    assert paid(node) == [9, 9, 9]
    assert credit_next(node.l1, 2, node.l1.accounts[7]) == 0


# -- what is not kept --------------------------------------------------------------------------------


def forgotten(node: StepNode) -> list[int]:
    return [batch.number for batch in node.store.batches(after=0) if batch.is_forgotten]


def lived(bank: Bank, batches: int, *, keep: int, confirmations: int) -> list[int]:
    """So many batches of one transfer each beside the first, each of them one block."""
    bank.node.sequencer.policy = replace(bank.node.policy, keep=keep, confirmations=confirmations)
    ids = []
    for nonce in range(batches):
        ids += submitted(bank, bank.transfer(nonce=nonce))
        bank.node.settle()
    return ids


def test_final__batches_are_forgotten_but_for_the_last_and_for_their_roots(bank: Bank) -> None:
    node = bank.node
    before = node.store.batch(1)
    ids = lived(bank, 4, keep=2, confirmations=1)
    assert node.store.last_executed() == 5
    node.l1.mine(1)
    node.look()
    assert forgotten(node) == [1, 2, 3]
    after = node.store.batch(1)
    assert after == replace(before, transactions=(), data=b"", proof=None, executed_at=after.executed_at)
    assert after.num_requests == before.num_requests == 4
    assert node.statuses(ids) == ["executed"] * 4
    assert [receipt.known for receipt in node.submit(bank.transfer())] == [True]
    node.restart()
    more = submitted(bank, bank.transfer(nonce=4))
    node.settle()
    assert node.statuses(more) == ["executed"]
    rebuilt = StateTree.in_memory(node.parameters.depth)
    assert restore(node.l1, rebuilt).root == node.store.state.root


def test_final__is_what_has_enough_blocks_behind_it_since_it_was_seen(bank: Bank) -> None:
    node = bank.node
    lived(bank, 3, keep=0, confirmations=10)
    assert forgotten(node) == []
    node.l1.mine(9)
    node.look()
    assert forgotten(node) == [1, 2, 3]  # seen one block each before the last
    node.l1.mine(1)
    assert node.look().forgotten == 1
    assert node.look().forgotten == 0
    assert forgotten(node) == [1, 2, 3, 4]


def test_final__begins_anew_when_l1_goes_back(bank: Bank) -> None:
    node = bank.node
    lived(bank, 3, keep=0, confirmations=3)
    node.chain.forget(1)
    node.look()
    node.l1.mine(10)
    node.settle()  # batch 4 once more, and only now
    assert node.store.last_executed() == 4
    for mined in (0, 2, 1):
        node.l1.mine(mined)
        node.look()
        assert (4 in forgotten(node)) == (mined == 1)


def test_reorganisation__beyond_what_was_final_is_refused_by_name(bank: Bank) -> None:
    node = bank.node
    lived(bank, 3, keep=0, confirmations=1)
    node.l1.mine(1)
    node.look()
    node.chain.forget(2 + 1)
    with pytest.raises(BatchForgotten, match=r"L1 has gone back to batch 2; what batch 3 held was not kept"):
        node.look()


def test_forgetting__goes_by_pieces(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zkrollup.node.submitter.FORGET_AT_ONCE", 2)
    node = bank.node
    lived(bank, 4, keep=0, confirmations=100)
    node.l1.mine(100)
    assert [node.look().forgotten for _ in range(4)] == [2, 2, 1, 0]


def test_nothing__is_forgotten_unless_it_is_asked_for(bank: Bank) -> None:
    submitted(bank, bank.transfer())
    bank.node.settle()
    bank.node.l1.mine(10_000)
    bank.node.settle()
    assert forgotten(bank.node) == []
