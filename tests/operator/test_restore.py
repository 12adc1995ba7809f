"""State rebuilt from what L1 has, and nothing else; and every way in which an L1 can be wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zkrollup.crypto.keccak import keccak256
from zkrollup.engine.interface import Engine
from zkrollup.exit_proof import exit_key, make_exit_proof
from zkrollup.l1.events import LoggedEvent, RequestQueued
from zkrollup.l1.reverts import AlreadyExited, ProofRejected
from zkrollup.l1.world import KeyVerifier
from zkrollup.operator import engine_hasher
from zkrollup.restore import RestoreRefused, read_genesis, restore
from zkrollup.state import (
    Account,
    BatchParameters,
    ChangeKey,
    Deposit,
    ForcedExit,
    StateTree,
    TransferToNew,
)
from zkrollup.state.exceptions import DataTruncated, Overdrawn, ReplayRefused
from zkrollup.state.public_data import decode, encode
from zkrollup.testing.rollup import SimulatedRollup, make_wallets, unsafe_accept_any_proof

PARAMETERS = BatchParameters(4, 3, 2)
WALLETS = make_wallets(6)
FEES = ((7, 3),)


def lived(batches: int = 5, **options: Any) -> SimulatedRollup:
    """A rollup with an empty genesis, four accounts by deposits, and some batches of all kinds.

    Two requests are waiting in the end.
    """
    rollup = SimulatedRollup(PARAMETERS, verifier=unsafe_accept_any_proof, **options)
    one, two, three = WALLETS[1:4]
    for i in range(1, 5):
        rollup.deposit(WALLETS[i].deposit(1000, token=8 if i == 4 else 7))
    rollup.submit(rollup.apply())
    scripts: list[Callable[[], Sequence[Any]]] = [
        lambda: [one.transfer(1, 2, 10, fee=1), two.transfer(2, 1, 20, fee=1), one.withdraw(1, 5, nonce=1)],
        lambda: [
            one.sign(TransferToNew(1, *WALLETS[5].key.public_key, 0xF5, 7, 30, 1, 2)),
            two.sign(ChangeKey(2, *WALLETS[5].key.public_key, 7, 1, 1)),
        ],
        lambda: [WALLETS[5].transfer(2, 5, 40, nonce=2), three.withdraw(3, 50)],
        list,
    ]
    for script in scripts[: batches - 1]:
        if script is scripts[2]:
            rollup.request(ForcedExit(1, one.eth_address))
            rollup.request(ForcedExit(2, 0xBAD))
        rollup.submit(rollup.apply(script(), FEES))
    rollup.deposit(WALLETS[5].deposit(77))
    rollup.request(ForcedExit(3, three.eth_address))
    return rollup


def empty(**options: Any) -> StateTree:
    """Where everybody begins."""
    return StateTree.in_memory(PARAMETERS.depth, **options)


def same(one: StateTree, other: StateTree) -> bool:
    """Whether two states agree in all but how many commits led there."""
    metas = [replace(state.meta, version=0) for state in (one, other)]
    return metas[0] == metas[1] and list(one.accounts()) == list(other.accounts())


@pytest.mark.parametrize("window", [1, 2, 64])
def test_restore__ends_with_the_contracts_root(window: int) -> None:
    """R8."""
    rollup = lived()
    state = empty()
    told: list[tuple[int, int]] = []
    done = restore(rollup.contract, state, window=window, progress=lambda *at: told.append(at))
    assert same(state, rollup.state)
    assert (done.batches, done.batch_number, done.root) == (5, 5, rollup.contract.root)
    assert done.num_bytes == sum(len(rollup.contract.batch_data(n)) for n in range(1, 6))
    assert done.next_index == rollup.contract.next_index == 6
    assert [event.kind for event in done.waiting] == [1, 4]
    assert told[-1] == (5, 5)
    assert state.recompute_root() == rollup.contract.root


def test_restore__goes_on_where_it_stopped(tmp_path: Path) -> None:
    rollup = lived(3)
    state = StateTree.open(tmp_path / "state.db", PARAMETERS.depth)
    assert restore(rollup.contract, state).batches == 3
    assert restore(rollup.contract, state).batches == 0
    state.close()
    rollup.submit(rollup.apply())
    state = StateTree.open(tmp_path / "state.db", PARAMETERS.depth)
    done = restore(rollup.contract, state)
    assert (done.batches, done.batch_number, done.waiting) == (1, 4, ())
    assert same(state, rollup.state)
    state.close()


def test_restore__leaves_what_is_not_executed_alone() -> None:
    """A batch that is committed, or proved, may still be reverted."""
    rollup = lived(2)
    before = StateTree.in_memory(PARAMETERS.depth)
    restore(rollup.contract, before)
    data, commitment, _ = rollup.call(rollup.apply())
    header = rollup.contract.header(2)
    rollup.contract.commit_batch(header, data, commitment, sender=rollup.operator)
    state = empty()
    assert restore(rollup.contract, state).batch_number == 2
    assert same(state, before)


def test_restore__begins_with_the_accounts_of_the_genesis() -> None:
    accounts = [WALLETS[i].account() for i in (1, 2)]
    rollup = SimulatedRollup(PARAMETERS, accounts, verifier=unsafe_accept_any_proof)
    rollup.submit(rollup.apply([WALLETS[1].transfer(1, 2, 10)]))
    state = empty()
    with pytest.raises(RestoreRefused, match=r"genesis is root .*give the accounts that the contract began"):
        restore(rollup.contract, state)
    with pytest.raises(RestoreRefused, match=r"genesis is root 0x\w+, next index 2; expected root 0x\w+"):
        restore(rollup.contract, state, genesis=accounts[:1])
    restore(rollup.contract, state, genesis=accounts)
    assert same(state, rollup.state)


def test_genesis_file__is_read_as_it_says(tmp_path: Path) -> None:
    file = tmp_path / "genesis.json"
    account = {"token": 7, "balance": str(2**100), "ax": 5, "ay": "6", "eth_address": "0x" + "ab" * 20}
    file.write_text(json.dumps([account, account | {"nonce": 3, "token": "8"}]))
    one = Account(7, 0, 2**100, 5, 6, int("ab" * 20, 16))
    assert read_genesis(file) == [one, replace(one, nonce=3, token=8)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "the file is no JSON"),
        ("{}", "the file is no list; expected a list of accounts"),
        ("[1]", "account 1 is no object"),
        ('[{"balanec": 1}]', "account 1: 'balanec' is unknown; expected one of token, nonce, balance, ax"),
        ("[{}]", "account 1: token is missing; expected an integer"),
        ('[{"token": true}]', "account 1: token is True; expected an integer"),
        ('[{"token": "1e3"}]', "account 1: token is '1e3'; expected an integer"),
        ('[{"token": 4294967296, "balance": 1, "ax": 1, "ay": 1, "eth_address": "ADDRESS"}]', "token"),
        ('[{"token": 0, "balance": 1, "ax": 1, "ay": 1, "eth_address": 5}]', "eth_address is 5; expected 0x"),
    ],
)
def test_genesis_file__that_says_no_accounts_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "genesis.json"
    file.write_text(text.replace("ADDRESS", "0x" + "1" * 40))
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        read_genesis(file)
    assert str(file) in str(caught.value)


class Liar:
    """An L1 that says something else about one thing."""

    def __init__(self, l1: Any, **lies: Any) -> None:
        self._l1 = l1
        self._lies = lies

    def __getattr__(self, name: str) -> Any:
        return self._lies[name] if name in self._lies else getattr(self._l1, name)


def missing(*_: int) -> Any:
    """Nothing is there."""
    raise KeyError


def changed(function: Callable[[int], Any], number: int, value: Any) -> Callable[[int], Any]:
    """The same function, with another value at one place."""
    return lambda n: value if n == number else function(n)


def _for_another(logged: LoggedEvent) -> LoggedEvent:
    """The same event, but a request in it is somebody else's."""
    event = logged.event
    return logged._replace(event=replace(event, owner=0xBAD)) if isinstance(event, RequestQueued) else logged


LIES: dict[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "no data": (lambda l1: {"batch_data": missing}, "in batch 1: data is missing"),
    "no header": (lambda l1: {"header": missing}, "in batch 1: header is missing"),
    "a header that is not stored": (
        lambda l1: {"header": changed(l1.header, 2, replace(l1.header(2), commitment=5))},
        "in batch 2: hash of the header is ",
    ),
    "another batch's header": (
        lambda l1: {
            "header": changed(l1.header, 2, l1.header(1)),
            "batch_hash": changed(l1.batch_hash, 2, l1.batch_hash(1)),
        },
        "in batch 2: number in the header is 1; expected 2",
    ),
    "data with a changed bit": (
        lambda l1: {"batch_data": changed(l1.batch_data, 3, l1.batch_data(3)[:-1] + b"\x99")},
        "in batch 3: hash of the data without its root is ",
    ),
    "data with another root": (
        lambda l1: {
            "batch_data": changed(
                l1.batch_data, 3, l1.batch_data(3)[:83] + bytes(31) + b"\x05" + l1.batch_data(3)[115:]
            )
        },
        "in batch 3: root after is 0x5; expected 0x",
    ),
    "data cut short": (
        lambda l1: {"batch_data": changed(l1.batch_data, 3, l1.batch_data(3)[:90])},
        "in batch 3: hash of the data without its root is ",
    ),
    "another chain": (lambda l1: {"chain_id": 5}, "in batch 1: chain id is 31337; expected 5"),
    "another rollup": (lambda l1: {"rollup_id": 5}, "in batch 1: rollup id is .*; expected 5"),
    "another root": (lambda l1: {"root": 5}, "in batch 5: the contract's root is 0x5; expected 0x"),
    "another next index": (
        lambda l1: {"next_index": 9},
        "in batch 5: the contract's next index is 9; expected 6",
    ),
    "a request that was not made": (
        lambda l1: {"events": lambda first=0: [_for_another(logged) for logged in l1.events(first)]},
        "the event of request 6 is of a request with the hash .*; expected ",
    ),
    "a request without an event": (
        lambda l1: {"num_requests": l1.num_requests + 1},
        "the event of request 8 is missing",
    ),
}


@pytest.mark.parametrize("case", LIES)
def test_restore__names_what_an_l1_says_wrongly(case: str) -> None:
    rollup = lived()
    lies, text = LIES[case]
    with pytest.raises(RestoreRefused, match=text):
        restore(Liar(rollup.contract, **lies(rollup.contract)), empty())


def rewritten(l1: Any, number: int, data: bytes) -> Liar:
    """An L1 whose storage agrees with the lie: header and hash fit the data."""
    skeleton = keccak256(data[:83] + bytes(32) + data[115:])
    root = int.from_bytes(data[83:115], "big")
    header = replace(l1.header(number), skeleton=skeleton, root_after=root)
    return Liar(
        l1,
        batch_data=changed(l1.batch_data, number, data),
        header=changed(l1.header, number, header),
        batch_hash=changed(l1.batch_hash, number, header.hash),
    )


def test_restore__refuses_storage_that_does_not_follow() -> None:
    """An L1 that lies about its storage too still has to give batches that lead to each other."""
    rollup = lived()
    l1 = rollup.contract
    batch = decode(l1.batch_data(2), PARAMETERS)
    wrong_root = rewritten(l1, 2, encode(replace(batch, root_after=5)))
    with pytest.raises(ReplayRefused, match="in batch 2: root after is 0x5; expected 0x"):
        restore(wrong_root, empty(), window=1)
    first, *rest = batch.records
    too_much = replace(first, amount_field=10**6 << 96)
    overdrawn = rewritten(l1, 2, encode(replace(batch, records=(too_much, *rest))))
    with pytest.raises(Overdrawn, match=r"in batch 2, slot 0 \(transfer\): "):
        restore(overdrawn, empty())
    with pytest.raises(DataTruncated, match="in batch 2: "):
        restore(rewritten(l1, 2, l1.batch_data(2)[:-1]), empty())


def test_restore__keeps_what_was_right_before_the_lie() -> None:
    rollup = lived()
    lies = {"batch_data": changed(rollup.contract.batch_data, 4, b"")}
    state = empty()
    with pytest.raises(RestoreRefused, match="in batch 4"):
        restore(Liar(rollup.contract, **lies), state, window=2)
    assert state.batch_number == 2
    restore(rollup.contract, state)
    assert same(state, rollup.state)


def test_restore__refuses_a_state_of_something_else() -> None:
    rollup, other = lived(3), lived(2)
    with pytest.raises(RestoreRefused, match="depth of the state is 2; expected 3, the contract's"):
        restore(rollup.contract, StateTree.in_memory(2))
    with pytest.raises(RestoreRefused, match="batch of the state is 3; expected at most 2"):
        restore(other.contract, rollup.state)
    foreign = SimulatedRollup(PARAMETERS, verifier=unsafe_accept_any_proof)
    foreign.submit(foreign.apply())
    with pytest.raises(RestoreRefused, match=r"root of the state is 0x.*, of the contract's batch 1"):
        restore(rollup.contract, foreign.state)


def test_exit__of_everybody_with_what_l1_has_and_no_operator(engine: Engine, tmp_path: Path) -> None:
    """R8: the operator is gone, the contract frozen; everybody who restores gets everybody's balance out."""
    key, _ = exit_key(PARAMETERS.depth, engine=engine, directory=tmp_path)
    rollup = lived()
    l1 = rollup.contract
    l1.exit_verifier = l1.world.deploy_verifier(KeyVerifier(key.verifying_key, allow_insecure_key=True))
    l1.mine(l1.config.request_lifetime + 1)
    l1.freeze(sender=l1.accounts[5])

    state = empty(hasher=engine_hasher(engine))
    restore(l1, state)
    header = l1.header(l1.executed)
    owed: dict[tuple[int, int], int] = {}
    for index, account in state.accounts():
        made = make_exit_proof(state, index, key, engine=engine)
        call = (header, index, made.token, made.balance, made.owner)
        with pytest.raises(ProofRejected):
            l1.exit(header, index, made.token, made.balance + 1, made.owner, made.proof, sender=1)
        l1.exit(*call, made.proof, sender=1)
        with pytest.raises(AlreadyExited):
            l1.exit(*call, made.proof, sender=1)
        owed[made.owner, made.token] = owed.get((made.owner, made.token), 0) + account.balance
    for (owner, token), amount in owed.items():
        pending = l1.pending_withdrawal(owner, token)
        assert pending >= amount
        if pending:
            before = l1.balance_of(owner, token)
            l1.withdraw(owner, token, sender=1)
            assert l1.balance_of(owner, token) == before + pending


def test_waiting__requests_are_those_of_the_events() -> None:
    rollup = lived()
    waiting = restore(rollup.contract, empty()).waiting
    assert all(isinstance(event, RequestQueued) for event in waiting)
    assert [event.number for event in waiting] == [6, 7]
    assert [queued.request.eth_address for queued in rollup.contract.queue] == [e.owner for e in waiting]


def test_waiting__requests_may_have_been_cancelled() -> None:
    """The contract's hash of it is zeros then, and nothing is left to compare with."""
    rollup = lived()
    l1 = rollup.contract
    l1.mine(l1.config.request_lifetime + 1)
    l1.freeze(sender=1)
    deposit = restore(l1, empty()).waiting[0]
    l1.cancel_deposit(
        deposit.number,
        Deposit(deposit.target, deposit.amount, deposit.ax, deposit.ay, deposit.owner),
        sender=1,
    )
    assert [event.number for event in restore(l1, empty()).waiting] == [6, 7]
