"""The way out by commands, at an Ethereum node: transactions signed and paid for by whoever leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("eth_abi")

from evm_world import ACCOUNTS, EvmWorld, Surroundings
from node_server import FAUCET_KEY, Node

from zkrollup.cli import main
from zkrollup.engine.interface import Engine
from zkrollup.exit_proof import exit_key
from zkrollup.groth16.setup import key_path
from zkrollup.l1.evm.contract import EvmL1, WrongGenesis
from zkrollup.l1.evm.json_rpc_transport import JsonRpcTransport
from zkrollup.l1.evm.signing import TEST_KEYS, address_of
from zkrollup.l1.evm.transport import MissingLibrary
from zkrollup.l1.interface import Config, VerifierBehaviour
from zkrollup.l1.world import stamp
from zkrollup.state import Account, BatchContext, BatchParameters, StateTree, apply_batch
from zkrollup.state.public_data import encode, public_data
from zkrollup.testing.rollup import Wallet, make_wallets

PARAMETERS = BatchParameters(2, 2, 1)
GENESIS = [Account(7, 2, 5, *make_wallets(2)[1].key.public_key, ACCOUNTS[3])]
USER_KEY = TEST_KEYS[3]
USER = ACCOUNTS[3]
BEGGAR_KEY = 0xBE66A2


@pytest.fixture
def node() -> Iterator[Node]:
    try:
        made = Node()
    except MissingLibrary as error:
        pytest.skip(str(error))
    yield made
    made.close()


def run(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    shown = capsys.readouterr()
    assert (ended.value.code or 0) == code, shown
    return shown.err if code else shown.out


def test_leaving__a_rollup_whose_operator_is_gone_by_commands_alone(
    node: Node, capsys: pytest.CaptureFixture[str], engine: Engine, tmp_path: Path
) -> None:
    """R8: request, freeze, restore, exit with a real proof, payment; each refused by name before its time,
    and for somebody without money."""
    key, _ = exit_key(PARAMETERS.depth, engine=engine, directory=tmp_path)
    transport = JsonRpcTransport(node.url, keys=(*TEST_KEYS, FAUCET_KEY), faucet=address_of(FAUCET_KEY))
    chain = Surroundings(transport)
    state = StateTree.in_memory(PARAMETERS.depth)
    state.seed(GENESIS)
    world = EvmWorld.start(
        chain,
        Config(
            verifier=chain.deploy_verifier(VerifierBehaviour.ACCEPTS),
            exit_verifier=chain.deploy_verifier(key.verifying_key),
            operator=chain.accounts[0],
            governor=chain.accounts[1],
            genesis_root=state.root,
            genesis_next_index=state.next_index,
            parameters=PARAMETERS,
            request_lifetime=8,
            upgrade_delay=50,
        ),
    )
    wallet = Wallet(make_wallets(1)[0].key, USER, world.chain_id, world.rollup_id)
    with pytest.raises(WrongGenesis, match=rf"but from what has the hash 0x{world.batch_hash(0).hex()}"):
        EvmL1.attach(transport, world.address, genesis_root=state.root)
    world.deposit(0, 1000, *wallet.key.public_key, USER, sender=USER)
    context = BatchContext(PARAMETERS, world.chain_id, world.rollup_id, 1, ((0, 0),))
    data = encode(public_data(apply_batch(state, [wallet.deposit(1000, token=0)], context)))
    world.submit_batch(world.header(0), data, 0, stamp(()), sender=chain.accounts[0])

    user, beggar = tmp_path / "user", tmp_path / "beggar"
    user.write_text(f"{USER_KEY:064x}\n")
    beggar.write_text(f"0x{BEGGAR_KEY:064x}")
    contract, genesis = ("--contract", f"{world.address:#042x}"), tmp_path / "genesis.json"
    where = (*contract, "--genesis", genesis)
    genesis.write_text(json.dumps([asdict(GENESIS[0]) | {"eth_address": "0x" + "05" * 20}]))
    for wrong in (contract, where):
        told = run(capsys, "restore", node.url, tmp_path / "state.db", *wrong, code=2)
        assert "it did not start from root 0x" in told
        assert f"but from root {world.config.genesis_root:#066x}" in told
    genesis.write_text(json.dumps([asdict(GENESIS[0]) | {"eth_address": f"{USER:#042x}"}]))
    files = (tmp_path / "proof.json", tmp_path / "public.json")
    exits = ("--key", key_path(key.circuit_digest, tmp_path), "--l1", node.url, *where, "--send", "--l1-key")

    with pytest.raises(WrongGenesis, match="but from this root with another next index"):
        EvmL1.attach(transport, world.address, genesis_root=world.config.genesis_root)
    told = run(capsys, "l1", "freeze", node.url, *where, "--l1-key", user, code=1)
    assert "cannot be frozen yet: no request waits; `zkrollup l1 request-exit` makes one" in told
    words = ("l1", "request-exit", node.url, 2, *where, "--l1-key")
    told = run(capsys, *words, beggar, code=2)
    assert f"sender {address_of(BEGGAR_KEY):#042x} has 0 wei; the transaction may take " in told
    assert "wei or more" in told
    asked = json.loads(run(capsys, *words, user, "--json"))
    assert asked["request"] == 1
    told = run(capsys, *words, user, "--sender", f"{USER:#042x}", code=2)
    assert "--sender: at an Ethereum node the owner of --l1-key calls" in told
    run(capsys, "restore", node.url, tmp_path / "state.db", *where)
    told = run(capsys, "exit", tmp_path / "state.db", 2, *files, *exits, user, code=1)
    assert f"is not frozen; it can be from block {asked['deadline'] + 1} on" in told

    transport.mine(9)
    run(capsys, "l1", "freeze", node.url, *where, "--l1-key", user)
    before = transport.request("eth_getBalance", f"{USER:#042x}", "latest")
    left = json.loads(run(capsys, "exit", tmp_path / "state.db", 2, *files, *exits, user, "--json"))
    assert (left["balance"], left["paid"]) == ("1000", "1000")
    assert world.holdings(0) == 0
    after = transport.request("eth_getBalance", f"{USER:#042x}", "latest")
    assert int(after, 16) < int(before, 16) + 1000  # the gas of two calls
    told = run(capsys, "exit", tmp_path / "state.db", 2, *files, *exits, user, code=1)
    assert "account 2 has left already; it is paid out" in told
    told = run(capsys, "l1", "withdraw", node.url, f"{USER:#042x}", *where, "--l1-key", user, code=1)
    assert "nothing of token 0 is pending" in told
    told = run(capsys, "l1", "request-exit", node.url, 2, *where, "--l1-key", user, code=1)
    assert "the contract refuses: frozen" in told


def test_deposit__by_command_is_paid_by_its_caller_and_owned_by_the_wallet(
    node: Node, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    transport = JsonRpcTransport(node.url, keys=(*TEST_KEYS, FAUCET_KEY), faucet=address_of(FAUCET_KEY))
    chain = Surroundings(transport)
    verifier = chain.deploy_verifier(VerifierBehaviour.ACCEPTS)
    root = StateTree.in_memory(PARAMETERS.depth).root
    config = Config(verifier, verifier, chain.accounts[0], chain.accounts[1], root, parameters=PARAMETERS)
    world = EvmWorld.start(chain, config)
    user, wallet, other = tmp_path / "user", tmp_path / "wallet", tmp_path / "other"
    user.write_text(f"{USER_KEY:064x}\n")
    run(capsys, "wallet", "new", wallet, "--eth-address", f"{USER:#042x}")
    run(capsys, "wallet", "new", other)
    words = ("--amount", 1000, "--contract", f"{world.address:#042x}", "--l1-key", user)

    told = run(capsys, "l1", "deposit", node.url, other, *words, code=2)
    assert f"the caller {USER:#042x}; make a wallet with `zkrollup wallet new --eth-address`" in told
    assert world.num_requests == 0
    paid = json.loads(run(capsys, "l1", "deposit", node.url, wallet, *words, "--json"))
    assert paid == {"request": 0, "token": 0, "amount": "1000", "owner": f"{USER:#042x}"}
    assert world.holdings(0) == 1000
    run(capsys, "l1", "deposit", node.url, other, *words, "--for-another")
    status = json.loads(run(capsys, "l1", "status", node.url, *words[2:4], "--json"))
    assert [one["amount"] for one in status["waiting"]] == ["1000", "1000"]
    told = run(capsys, "l1", "deposit", node.url, wallet, *words[2:], "--amount", 0, code=1)
    assert "the contract refuses: zero amount" in told
    told = run(capsys, "l1", "deposit", tmp_path, wallet, "--amount", 1, code=2)
    assert "a chain inside a node takes deposits by `zkrollup wallet deposit`" in told
