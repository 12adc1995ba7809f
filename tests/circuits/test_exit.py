"""The exit circuit: what an honest claim is, and every part of a dishonest one refused by name."""

from __future__ import annotations

import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.audit import Constraints, Kind, audit
from zkrollup.circuits.exit import EXIT_INPUTS, exit_circuit, exit_claim, record_exit
from zkrollup.cli import main
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.merkle import root_from_path
from zkrollup.crypto.tables import MODULUS
from zkrollup.engine import get_engine
from zkrollup.engine.interface import Engine
from zkrollup.exit_proof import WrongExitKey, exit_key, make_exit_proof
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.proving_key import WrongCircuitError
from zkrollup.groth16.setup import key_path
from zkrollup.operator import engine_hasher
from zkrollup.state import Account, StateTree
from zkrollup.state.accounts import EMPTY_ACCOUNT
from zkrollup.state.exceptions import IndexOutsideTree, UnknownAccount
from zkrollup.testing import assert_every_row_needed, assert_every_wire_bound, assert_lies_caught
from zkrollup.verifier import verify

SNAPSHOTS = Path(__file__).with_name("exit_snapshots.json")
DEPTH = 2
OWNERS = [PrivateKey(bytes([i + 1]) * 32) for i in range(4)]
ADDRESSES = [0xE0, 2**160 - 1, 1, 0xE3]


def account(owner: int, token: int = 7, balance: int = 1000, nonce: int = 0) -> Account:
    """An account of one of the four owners."""
    return Account(token, nonce, balance, *OWNERS[owner].public_key, ADDRESSES[owner])


ACCOUNTS = [
    account(0),
    account(1, token=2**32 - 1, balance=2**128 - 1, nonce=2**40 - 1),
    account(2, token=0, balance=0),
    account(3, nonce=9),
]


def seeded(depth: int = DEPTH, engine: Engine | None = None) -> StateTree:
    """Accounts 1 to 4."""
    state = (
        StateTree.in_memory(depth) if engine is None else StateTree.in_memory(depth, engine_hasher(engine))
    )
    state.seed(ACCOUNTS)
    return state


def given_values(state: StateTree, index: int) -> tuple[dict[str, int], dict[str, Any]]:
    """Links and inputs of the template, honest."""
    public, parts = exit_circuit(state.depth).assignment(state.prove(index))
    return dict(public), parts["exit"][0]


def labels(links: dict[str, int], inputs: dict[str, Any]) -> set[str]:
    """``scope/label`` of every row that these values break."""
    check = exit_circuit(DEPTH).template.check(links, inputs)
    return {f"{failure.scope}/{failure.label}" for failure in check.failures}


@pytest.mark.parametrize("index", [1, 2, 3, 4])
def test_exit__honest_claim_satisfies(index: int) -> None:
    """At the ends of every range."""
    state = seeded()
    links, inputs = given_values(state, index)
    assert links["root"] == state.root
    assert links["claim"] == index << 192 | ACCOUNTS[index - 1].token << 160 | ADDRESSES[index - 1]
    assert links["balance"] == ACCOUNTS[index - 1].balance
    assert labels(links, inputs) == set()


@settings(max_examples=10, deadline=None)
@given(
    index=st.integers(0, 15),
    token=st.integers(0, 2**32 - 1),
    nonce=st.integers(0, 2**40 - 1),
    balance=st.integers(0, 2**128 - 1),
    owner=st.integers(0, 2**160 - 1),
    siblings=st.lists(st.integers(0, MODULUS - 1), min_size=8, max_size=8),
)
def test_exit__root_is_that_of_the_plain_path(
    index: int, token: int, nonce: int, balance: int, owner: int, siblings: list[int]
) -> None:
    """The twin: any leaf at any place beside any siblings, through plain integers and through the circuit."""
    leaf = Account(token, nonce, balance, *OWNERS[0].public_key, owner)
    path = [tuple(siblings[:4]), tuple(siblings[4:])]
    current, full = leaf.leaf(), []
    for level, children in enumerate(path):
        place = index >> 2 * level & 3
        full.append((*children[:place], current, *children[place + 1 :]))
        current = root_from_path(current, place, [full[-1]])
    update = replace(seeded().prove(1), index=index, before=leaf, path=tuple(full), root_before=current)
    public, parts = exit_circuit(DEPTH).assignment(update)
    assert public["root"] == root_from_path(leaf.leaf(), index, full)
    assert exit_circuit(DEPTH).template.check(public, parts["exit"][0]).satisfied


def test_exit__binds_every_wire() -> None:
    """C1, C16: the links, which are the public inputs, among them."""
    assert_every_wire_bound(exit_circuit(DEPTH).template, *given_values(seeded(), 4))


def test_exit__catches_every_lie() -> None:
    """C3."""
    assert assert_lies_caught(exit_circuit(DEPTH).template, *given_values(seeded(), 4)) > 250


def test_exit__needs_every_row() -> None:
    """C2: no row of it could be deleted unnoticed."""
    state = seeded()
    valid = [given_values(state, index) for index in (1, 4)]
    assert_every_row_needed(exit_circuit(DEPTH).template, valid)


def test_exit__is_determined_by_its_inputs() -> None:
    """C4: every wire is proved unique, from the rows alone."""
    template = exit_circuit(DEPTH).template
    links, inputs = given_values(seeded(), 4)
    report = audit(Constraints.from_template(template), [template.check(links, inputs).values], claims=False)
    assert report.decided_share == 1.0
    assert {verdict.kind for verdict in report.verdicts.values()} == {Kind.UNIQUE}


AT_ITS_PLACE = "C leaf/level 0/the child stands at its place"
NAMED = "A claim/the claim names index, token and owner"


@pytest.mark.parametrize(
    ("name", "value", "answers"),
    [
        ("index", 3, {AT_ITS_PLACE, NAMED}),
        ("token", 8, {AT_ITS_PLACE, NAMED}),
        ("owner", 0xBAD, {AT_ITS_PLACE, NAMED}),
        ("nonce", 1, {AT_ITS_PLACE}),
        ("ax", 5, {AT_ITS_PLACE}),
        ("ay", 5, {AT_ITS_PLACE}),
    ],
)
def test_exit__secret_that_is_not_the_leafs_is_refused(name: str, value: int, answers: set[str]) -> None:
    """C10: each field of the account is bound by the leaf."""
    links, inputs = given_values(seeded(), 1)
    assert labels(links, inputs | {name: value}) == answers


@pytest.mark.parametrize(
    ("name", "value", "answers"),
    [
        ("root", 5, {"C leaf/the leaf is in the tree"}),
        ("balance", 1001, {AT_ITS_PLACE}),
        ("balance", 0, {AT_ITS_PLACE}),
        ("claim", exit_claim(2, ACCOUNTS[0]), {NAMED}),
        ("claim", exit_claim(1, replace(ACCOUNTS[0], token=8)), {NAMED}),
        ("claim", exit_claim(1, replace(ACCOUNTS[0], eth_address=0xBAD)), {NAMED}),
    ],
)
def test_exit__public_input_that_is_not_the_leafs_is_refused(
    name: str, value: int, answers: set[str]
) -> None:
    links, inputs = given_values(seeded(), 1)
    assert labels(links | {name: value}, inputs) == answers


@pytest.mark.parametrize(
    ("name", "value"),
    [("index", 1), ("token", 8), ("owner", 0xBAD)],
)
def test_exit__claim_that_agrees_with_a_lie_is_refused_by_the_leaf(name: str, value: int) -> None:
    """Whoever forges claim and secrets alike still has to find the leaf under the root."""
    links, inputs = given_values(seeded(), 4)
    inputs |= {name: value}
    links["claim"] = inputs["index"] << 192 | inputs["token"] << 160 | inputs["owner"]
    answers = labels(links, inputs)
    assert AT_ITS_PLACE in answers
    assert NAMED not in answers


@pytest.mark.parametrize("index", [0, 5])
def test_exit__empty_leaf_is_nobodys(index: int) -> None:
    """Index 0 and a leaf not given out yet: under the root, but no account."""
    state = seeded()
    assert state.account(index) == EMPTY_ACCOUNT
    assert labels(*given_values(state, index)) == {"B account/the account exists"}


class Unchecked(Account):
    """An account whose numbers nobody ranged."""

    def __post_init__(self) -> None:
        """Checks nothing, unlike the account's own."""


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        # Each leaf really stands under its root: only the range answers.
        ({"token": 2**32}, "input 'token' = .* does not fit its"),
        ({"nonce": 2**40}, "input 'nonce' = .* does not fit its"),
        ({"eth_address": 2**160}, "input 'owner' = .* does not fit its"),
    ],
)
def test_exit__secret_out_of_range_has_no_assignment(change: dict[str, int], answer: str) -> None:
    """C15: a token of 2^32 is index + 1 and token 0 to whoever reads the claim."""
    fields = {n: getattr(ACCOUNTS[0], n) for n in ("token", "nonce", "balance", "ax", "ay", "eth_address")}
    leaf = Unchecked(**(fields | change))
    links, inputs = under_its_own_root(leaf)
    with pytest.raises(ValueError, match=answer):
        labels(links, inputs)


@pytest.mark.parametrize("balance", [2**128, MODULUS - 1])
def test_exit__balance_out_of_range_is_refused(balance: int) -> None:
    """C5, C6."""
    fields = {n: getattr(ACCOUNTS[0], n) for n in ("token", "nonce", "ax", "ay", "eth_address")}
    links, inputs = under_its_own_root(Unchecked(balance=balance, **fields))
    answers = labels(links, inputs)
    assert answers
    assert all(answer.startswith("A claim/") and answer != NAMED for answer in answers), answers


def under_its_own_root(leaf: Account) -> tuple[dict[str, int], dict[str, Any]]:
    """Values for a leaf at index 1 whose hashes are right, whatever it holds."""
    update = seeded().prove(1)
    hash_of_leaf = leaf.leaf()
    level = (update.path[0][0], hash_of_leaf, *update.path[0][2:])
    above = root_from_path(hash_of_leaf, 1, [level])
    path = (level, (above, *update.path[1][1:]))
    root = root_from_path(hash_of_leaf, 1, path)
    public, parts = exit_circuit(DEPTH).assignment(replace(update, before=leaf, path=path, root_before=root))
    return dict(public), parts["exit"][0]


@pytest.mark.parametrize("depth", [0, 17])
def test_exit__depth_has_bounds(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth: {depth} levels; expected 1 to 16"):
        record_exit(depth)


def test_exit__path_of_another_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="path: 3 levels; this circuit is for 2"):
        exit_circuit(2).assignment(seeded(3).prove(1))


def counts() -> dict[str, Any]:
    """What the snapshot holds, at depth 16."""
    circuit = exit_circuit(16)
    return {
        "depth": 16,
        "constraints": circuit.r1cs.num_constraints,
        "domain": circuit.r1cs.layout.domain_size,
        "scopes": {
            phase: sum(
                rows
                for scope, rows in circuit.template.counts_by_scope().items()
                if (scope.partition("/")[0] or "inputs") == phase
            )
            for phase in ("inputs", "A claim", "B account", "C leaf")
        },
        "digest": circuit.r1cs.digest,
    }


def test_counts__are_those_of_the_snapshot() -> None:
    """``ZKROLLUP_SNAPSHOTS=write pytest tests/circuits`` writes the file anew."""
    found = counts()
    if os.environ.get("ZKROLLUP_SNAPSHOTS") == "write":
        SNAPSHOTS.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(SNAPSHOTS.read_text())
    assert sum(found["scopes"].values()) == found["constraints"]


def test_exit_proof__verifies_for_its_inputs_and_no_others(tmp_path: Path) -> None:
    """R8: at depth 16, key under 10 MB on disk, proof under a second on one core (median of five)."""
    engine = get_engine(threads=1)
    key, cached = exit_key(16, engine=engine, directory=tmp_path)
    assert not cached
    assert key_path(key.circuit_digest, tmp_path).stat().st_size < 10_000_000
    state = seeded(16, engine)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        made = make_exit_proof(state, 4, key, engine=engine)
        seconds.append(time.process_time() - start)
    assert statistics.median(seconds) < 1.0
    assert made.inputs == (state.root, exit_claim(4, ACCOUNTS[3]), 1000)
    assert (made.account, made.token, made.owner, made.balance) == (4, 7, 0xE3, 1000)
    assert made.inputs._fields == EXIT_INPUTS
    assert verify(key.verifying_key, made.inputs, made.proof)
    for name, value in made.inputs._asdict().items():
        wrong = made.inputs._replace(**{name: (value + 1) % MODULUS})
        assert not verify(key.verifying_key, wrong, made.proof)


def test_exit_proof__nobody_has_no_proof(engine: Engine, tmp_path: Path) -> None:
    state = seeded(DEPTH, engine)
    key, _ = exit_key(DEPTH, engine=engine, directory=tmp_path)
    with pytest.raises(UnknownAccount, match="there is no account 5"):
        make_exit_proof(state, 5, key, engine=engine)
    with pytest.raises(UnknownAccount, match="there is no account 0"):
        make_exit_proof(state, 0, key, engine=engine)
    with pytest.raises(IndexOutsideTree, match="index 16 is not below 16"):
        make_exit_proof(state, 16, key, engine=engine)
    with pytest.raises(WrongCircuitError):
        make_exit_proof(seeded(3, engine), 1, key, engine=engine)


def test_exit_proof__is_made_with_the_key_of_a_ceremony(engine: Engine, tmp_path: Path) -> None:
    """From the exported constraints to a proof, by the commands that a ceremony's members run."""

    def run(*words: object) -> None:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        assert not ended.value.code

    r1cs = tmp_path / "exit.r1cs"
    run("export", "r1cs", r1cs, "--circuit", "zkrollup.circuits.exit:exit_r1cs(1)")
    run("ptau", "new", 10, tmp_path / "0.ptau")
    run("ptau", "contribute", tmp_path / "0.ptau", tmp_path / "1.ptau", "--name", "one")
    run("setup", r1cs, tmp_path / "0.zkey", "--ptau", tmp_path / "1.ptau")
    run("contribute", tmp_path / "0.zkey", tmp_path / "1.zkey", "--name", "two")
    run("check-key", r1cs, tmp_path / "1.ptau", tmp_path / "1.zkey")
    key = Zkey.load(tmp_path / "1.zkey", engine)
    assert not key.verifying_key.insecure

    state = StateTree.in_memory(1, engine_hasher(engine))
    state.seed(ACCOUNTS[:3])
    made = make_exit_proof(state, 2, key, engine=engine)
    assert made.inputs == (state.root, exit_claim(2, ACCOUNTS[1]), 2**128 - 1)
    assert verify(key.verifying_key, made.inputs, made.proof)
    with pytest.raises(
        WrongExitKey, match=r"1\.zkey: not the key of exits from a tree of 2 levels: 9.. wires"
    ):
        make_exit_proof(seeded(DEPTH, engine), 1, key, engine=engine)
