"""Transactions that are stuck: what replaces them, what is recognised, and what a crash leaves.

Time is a number here that tests set; the node takes transactions into a pool and mines what it is told to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("eth_account")

from evm_world import ACCOUNTS
from node_server import FAUCET_KEY, Node
from test_backends_transports import STORE, creation, word

from zkrollup.l1.evm.json_rpc_sending import (
    GWEI,
    Call,
    FeeAboveCap,
    FeePolicy,
    JsonRpcError,
    NotMined,
    Superseded,
)
from zkrollup.l1.evm.json_rpc_transport import JsonRpcTransport, NodeUnreachable
from zkrollup.l1.evm.outbox import Outbox
from zkrollup.l1.evm.signing import address_of
from zkrollup.l1.evm.transport import MissingLibrary, Receipt

SENDER = ACCOUNTS[0]
PATIENCE = 60.0


class Bench:
    """A node that holds transactions back, a contract there, and a sender who comes again and again."""

    def __init__(self, node: Node, path: Path) -> None:
        self.node = node
        self.path = path
        self.now = 1_000.0
        rich = JsonRpcTransport(node.url, keys=(FAUCET_KEY, 1), faucet=address_of(FAUCET_KEY))
        rich.give(SENDER, 10**20)
        address = rich.deploy(creation(STORE), sender=SENDER).address
        assert address is not None
        self.address = address
        self.first_nonce = int(node.eth_getTransactionCount(f"{SENDER:#042x}", "latest"), 16)
        self.before = set(node.raw)
        node.hold = True

    def transport(self, *, cap: int = 500 * GWEI, one_at_a_time: bool = True) -> JsonRpcTransport:
        """As a process that begins: all that it knows is in the file."""
        return JsonRpcTransport(
            self.node.url,
            keys=(1,),
            mined_within=0.0,
            fees=FeePolicy(cap=cap, patience=PATIENCE),
            outbox=Outbox(self.path),
            one_at_a_time=one_at_a_time,
            clock=lambda: self.now,
        )

    def call(self, value: int = 5, **options: Any) -> Receipt:
        return self.transport(**options).transact(self.address, word(value), sender=SENDER)

    def stuck(self, value: int = 5, **options: Any) -> NotMined:
        with pytest.raises(NotMined) as caught:
            self.call(value, **options)
        return caught.value

    @property
    def held(self) -> dict[str, Any]:
        """The one transaction in the pool."""
        ((place, fields),) = self.node.pool.items()
        assert place == (f"{SENDER:#042x}", self.nonce)
        return fields

    @property
    def nonce(self) -> int:
        """The sender's next one on the chain."""
        return int(self.node.eth_getTransactionCount(f"{SENDER:#042x}", "latest"), 16)

    @property
    def names(self) -> list[str]:
        """The hashes of all that the node was ever sent since the beginning."""
        return [name for name in self.node.raw if name not in self.before]

    def stored(self) -> list[int]:
        """What the contract was called with, in order: it logs nothing else."""
        return [int.from_bytes(log.data) for log in self.transport().logs(self.address)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    try:
        node = Node()
    except MissingLibrary as error:
        pytest.skip(str(error))
    yield Bench(node, tmp_path / "sent.json")
    node.close()


def test_stuck__transaction_is_replaced_by_one_that_pays_an_eighth_more(bench: Bench) -> None:
    first = bench.stuck()
    offered = bench.held
    assert (offered["hash"], offered["maxFeePerGas"]) == (first.transaction, first.fee)
    bench.now += PATIENCE - 1
    assert bench.stuck().transaction == first.transaction  # not yet
    bench.now += 1
    second = bench.stuck()
    assert second.transaction != first.transaction
    for fee in ("maxFeePerGas", "maxPriorityFeePerGas"):
        assert offered[fee] * 9 <= bench.held[fee] * 8 < (offered[fee] + 1) * 9
    assert len(bench.node.pool) == 1
    bench.node.mine_held()
    receipt = bench.call()
    assert [int.from_bytes(log.data) for log in receipt.logs] == [5]
    assert bench.nonce == bench.first_nonce + 1
    assert len(bench.names) == 2


@pytest.mark.parametrize("which", [0, 1, 2])
def test_stuck__call_is_recognised_whichever_of_its_transactions_is_mined(bench: Bench, which: int) -> None:
    for _ in range(3):
        bench.stuck()
        bench.now += PATIENCE
    bench.node.mine_held(bench.names[which])
    assert bench.call().block == bench.transport().block_number
    assert bench.stored() == [5]
    assert len(bench.names) == 3
    bench.node.hold = False
    bench.call()  # it was told: this is another one
    assert bench.stored() == [5, 5]


def test_stuck__transaction_pays_the_cap_and_no_more(bench: Bench) -> None:
    first = bench.stuck()
    cap = first.fee * 130 // 100
    fees = []
    for _ in range(4):
        bench.now += PATIENCE
        fees.append(bench.stuck(cap=cap))
    assert [fee.fee for fee in fees] == sorted(fee.fee for fee in fees)
    assert fees[-1].fee == fees[-2].fee <= cap
    assert [fee.capped for fee in fees] == [False, True, True, True]
    assert f"it offers {fees[-1].fee / GWEI:g} gwei, the most that is to be paid" in str(fees[-1])
    assert len(bench.names) == 3


def test_new__transaction_waits_for_blocks_that_cost_less_than_the_cap(bench: Bench) -> None:
    base = int(bench.node.eth_getBlockByNumber("latest", False)["baseFeePerGas"], 16)
    with pytest.raises(FeeAboveCap, match="the most that is to be paid"):
        bench.call(cap=base)
    assert bench.names == []
    assert bench.stuck(cap=base + 1).fee == base + 1


def test_stuck__pays_what_a_new_one_would_where_that_is_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.stuck()
    latest = bench.node.eth_getBlockByNumber("latest", False)
    monkeypatch.setattr(
        bench.node, "eth_getBlockByNumber", lambda *block: latest | {"baseFeePerGas": hex(90 * GWEI)}
    )
    bench.now += PATIENCE
    assert bench.stuck().fee == 2 * 90 * GWEI + bench.held["maxPriorityFeePerGas"]


def test_stuck__call_that_is_obsolete_gives_its_nonce_to_the_next(bench: Bench) -> None:
    first = bench.stuck(5)
    bench.stuck(6)
    assert len(bench.node.pool) == 1
    assert bench.held["nonce"] == bench.first_nonce
    assert bench.held["maxFeePerGas"] * 8 >= first.fee * 9
    bench.node.mine_held()
    bench.call(6)
    assert bench.stored() == [6]


def test_stuck__call_that_came_through_after_all_is_not_taken_for_the_next(bench: Bench) -> None:
    first = bench.stuck(5)
    bench.stuck(6)
    bench.node.mine_held(first.transaction)
    call = Call(bench.address, word(6), SENDER, 0)
    with pytest.raises(Superseded, match=f"transaction {first.transaction}, sent before with the same nonce"):
        bench.transport()._sending._follow(call)  # it was mined while the other one was waited for
    assert bench.stored() == [5]
    bench.node.hold = False
    bench.call(6)
    assert bench.stored() == [5, 6]


def test_another__call_has_a_nonce_of_its_own_unless_there_is_one_at_a_time(bench: Bench) -> None:
    bench.stuck(5, one_at_a_time=False)
    bench.stuck(6, one_at_a_time=False)
    assert sorted(nonce for _, nonce in bench.node.pool) == [bench.first_nonce, bench.first_nonce + 1]


def test_stuck__that_a_node_forgot_is_sent_to_it_again(bench: Bench) -> None:
    first = bench.stuck()
    bench.node.pool.clear()
    assert bench.stuck().transaction == first.transaction
    assert bench.held["hash"] == first.transaction
    assert len(bench.names) == 1


def test_nonce__that_somebody_else_used_is_given_up(bench: Bench) -> None:
    bench.stuck()
    bench.node.pool.clear()
    bench.node.hold = False
    other = JsonRpcTransport(bench.node.url, keys=(1,))  # the same key, elsewhere
    other.transact(bench.address, word(9), sender=SENDER)
    bench.call(5)
    assert bench.stored() == [9, 5]


def test_reorganisation__that_takes_a_block_back_is_followed_with_the_same_nonce(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.node.hold = False
    snapshot = bench.node.chain._tester.take_snapshot()
    bench.call()
    (name,) = bench.names
    bench.node.chain._tester.revert_to_snapshot(snapshot)
    bench.node.chain._logs.clear()
    bench.call()
    assert bench.names == [name]
    assert bench.nonce == bench.first_nonce + 1


def test_reorganisation__that_drops_more_than_the_last_leaves_no_gap_of_nonces(bench: Bench) -> None:
    bench.node.hold = False
    snapshot = bench.node.chain._tester.take_snapshot()
    bench.call(5)
    bench.call(6)
    bench.node.chain._tester.revert_to_snapshot(snapshot)
    bench.node.chain._logs.clear()
    assert bench.nonce == bench.first_nonce
    bench.call(8)
    bench.call(6)
    assert bench.stored() == [8, 6]
    assert bench.nonce == bench.first_nonce + 2


def test_pool__that_demands_more_than_most_is_given_more(bench: Bench) -> None:
    bench.stuck()
    first = bench.held["maxFeePerGas"]
    bench.node.bump = 40
    bench.now += PATIENCE
    bench.stuck()
    assert bench.held["maxFeePerGas"] * 10 >= first * 14
    assert bench.node.eth_getTransactionReceipt(bench.held["hash"]) is None


def test_refused__transaction_leaves_no_trace(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bench.node.answer

    def answer(request: dict[str, Any]) -> Any:
        if request["method"] == "eth_sendRawTransaction":
            return {"error": {"code": -32000, "message": "intrinsic gas too low"}}
        return real(request)

    monkeypatch.setattr(bench.node, "answer", answer)
    with pytest.raises(JsonRpcError, match="intrinsic gas too low"):
        bench.call()
    assert Outbox(bench.path).last(SENDER) is None


def test_outbox__that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    for text in ("[", "[]", '{"0x1": {"nonce": 1, "attempts": [], "raw": "", "told": false}}', '{"x": 1}'):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"sent\.json: not what an outbox writes"):
            Outbox(path).last(SENDER)


# -- crashes ---------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone."""


def crashing(bench: Bench, at: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """The process dies at its step number ``at``: before a request reaches the node, before its answer comes
    back, before the outbox is written, or after. The answer tells whether it did."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == at + 1:
            raise Crash

    request, keep = JsonRpcTransport.request, Outbox.keep

    def asked(self: JsonRpcTransport, *arguments: Any) -> Any:
        step()
        answer = request(self, *arguments)
        step()
        return answer

    def kept(self: Outbox, *arguments: Any) -> None:
        step()
        keep(self, *arguments)
        step()

    monkeypatch.setattr(JsonRpcTransport, "request", asked)
    monkeypatch.setattr(Outbox, "keep", kept)
    return lambda: steps > at


@pytest.mark.parametrize("mined", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_crash__at_any_step_of_a_replacement_makes_the_call_once(bench: Bench, mined: int) -> None:
    """R9: a call, its replacement, and what follows, cut off at every request and every write; then whichever
    of the transactions that the node was sent comes into a block, the call is made once."""
    at = 0
    crashes = 0
    while True:
        before, begun = len(bench.stored()), bench.nonce
        known = set(bench.node.raw)
        with pytest.MonkeyPatch.context() as patch:
            died = crashing(bench, at, patch)
            try:
                for _ in range(2):
                    with pytest.raises(NotMined):
                        bench.call()
                    bench.now += PATIENCE
            except Crash:
                crashes += 1
            finished = not died()
        bench.stuck()  # the next process makes the call again
        assert len(bench.node.pool) == 1, at
        assert bench.nonce == begun
        sent = [name for name in bench.node.raw if name not in known]
        kept = Outbox(bench.path).last(SENDER)
        assert kept is not None
        assert {attempt.hash for attempt in kept.attempts} >= set(sent)  # each one would be recognised
        bench.node.mine_held(sent[min(mined, len(sent) - 1)])
        bench.call()
        assert len(bench.stored()) == before + 1, at
        assert bench.nonce == begun + 1
        if finished:
            break
        at += 1
    assert crashes == at > 20


def test_crash__before_the_receipt_was_told_gives_it_again(bench: Bench) -> None:
    bench.stuck()
    bench.node.mine_held()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Outbox, "keep", lambda *_: (_ for _ in ()).throw(Crash()))
        with pytest.raises(Crash):
            bench.call()
    bench.call()
    assert bench.stored() == [5]


def test_lost__answer_of_the_node_is_no_second_transaction(bench: Bench) -> None:
    real = bench.node.answer

    def answer(request: dict[str, Any]) -> Any:
        found = real(request)
        return b"" if request["method"] == "eth_sendRawTransaction" else found

    bench.node.answer = answer  # type: ignore[method-assign]
    with pytest.raises(NodeUnreachable):
        bench.call()
    bench.node.answer = real  # type: ignore[method-assign]
    bench.node.mine_held()
    bench.call()
    assert bench.stored() == [5]
    assert json.loads(bench.path.read_text())[f"{SENDER:#042x}"]["told"] is True
