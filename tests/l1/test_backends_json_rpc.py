"""The JSON-RPC transport against a node of ours: the same protocol as the others, and how nodes fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from evm_world import ACCOUNTS, Surroundings
from node_server import FAUCET_KEY, Node
from scenarios import SCENARIOS
from test_backends_scenarios import Chains
from test_backends_transports import NUMBER, STORE, creation, word

from zkrollup.l1.evm.json_rpc_transport import (
    JsonRpcError,
    JsonRpcTransport,
    NodeUnreachable,
    NotMined,
    TooMuchGas,
)
from zkrollup.l1.evm.signing import TEST_KEYS, address_of
from zkrollup.l1.evm.transport import GAS_LIMIT, MissingLibrary, Reverted, UnknownSender, fork_of

SENDER = ACCOUNTS[0]


@pytest.fixture
def node() -> Iterator[Node]:
    try:
        made = Node()
    except MissingLibrary as error:
        pytest.skip(str(error))
    yield made
    made.close()


@pytest.fixture
def chain(node: Node) -> JsonRpcTransport:
    keys = (*TEST_KEYS, FAUCET_KEY)
    chain = JsonRpcTransport(node.url, keys=keys, faucet=address_of(FAUCET_KEY), timeout=5)
    chain.give(SENDER, 10**18)
    return chain


def deployed(chain: JsonRpcTransport, runtime: bytes) -> int:
    address = chain.deploy(creation(runtime), sender=SENDER).address
    assert address is not None
    return address


def test_transaction__is_signed_mined_and_found(chain: JsonRpcTransport, node: Node) -> None:
    assert chain.chain_id == node.chain.chain_id
    assert fork_of(chain) == "Prague"
    address = deployed(chain, STORE)
    assert chain.code(address) == STORE
    before = chain.block_number
    receipt = chain.transact(address, word(5), sender=SENDER)
    assert (receipt.block, chain.block_number, receipt.output) == (before + 1, before + 1, word(5))
    assert chain.calldata(receipt.block, address) == [word(5)]
    assert chain.calldata(receipt.block, address + 1) == []
    (log,) = receipt.logs
    assert (log.topics, log.data) == ((word(0xAA),), word(5))
    assert chain.logs(address) == [log]
    assert chain.balance(SENDER) == 10**18
    assert receipt.gas_used > 21_000


def test_transaction__takes_a_quarter_more_gas_than_the_node_says(
    chain: JsonRpcTransport, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = deployed(chain, STORE)
    monkeypatch.setattr(node, "eth_estimateGas", lambda fields, block: hex(30_000), raising=False)
    with pytest.raises(Reverted, match="failed after 37,500 gas"):  # it takes more
        chain.transact(address, word(5), sender=SENDER)
    monkeypatch.setattr(node, "eth_estimateGas", lambda fields, block: hex(60_000), raising=False)
    assert 50_000 > chain.transact(address, word(5), sender=SENDER).gas_used > 40_000


def test_transaction__that_fits_no_block_is_not_sent(
    chain: JsonRpcTransport, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = deployed(chain, STORE)
    assert chain.gas_limit == GAS_LIMIT < 30_000_000
    monkeypatch.setattr(node, "eth_estimateGas", lambda fields, block: hex(GAS_LIMIT + 1), raising=False)
    with pytest.raises(TooMuchGas, match="takes 16,000,001 gas; here one may take 16,000,000"):
        chain.transact(address, word(5), sender=SENDER)
    latest = node.eth_getBlockByNumber("latest", False)
    monkeypatch.setattr(node, "eth_getBlockByNumber", lambda *block: latest | {"gasLimit": hex(50_000)})
    assert chain.gas_limit == 50_000
    monkeypatch.setattr(node, "eth_estimateGas", lambda fields, block: hex(50_000), raising=False)
    chain.transact(address, word(5), sender=SENDER)  # all of a block
    monkeypatch.setattr(node, "eth_estimateGas", lambda fields, block: hex(50_001), raising=False)
    with pytest.raises(TooMuchGas, match="takes 50,001 gas; here one may take 50,000"):
        chain.transact(address, word(5), sender=SENDER)


def test_time__passes_by_whichever_method_the_node_has(chain: JsonRpcTransport) -> None:
    address = deployed(chain, NUMBER)
    before = chain.block_number
    chain.mine(3)
    assert chain.block_number == before + 3
    assert int.from_bytes(chain.call(address, b""), "big") == before + 3


def test_refused_transaction__is_not_sent(chain: JsonRpcTransport) -> None:
    address = deployed(chain, STORE)
    before = (chain.block_number, chain.balance(SENDER))
    with pytest.raises(Reverted, match="execution reverted") as caught:
        chain.transact(address, word(7), sender=SENDER)
    assert caught.value.data == word(7)
    assert (chain.block_number, chain.balance(SENDER)) == before
    assert chain.probe(bytes.fromhex("fe")) is None


def test_transaction__that_no_block_takes_is_said_so(chain: JsonRpcTransport, node: Node) -> None:
    address = deployed(chain, STORE)
    node.hold = True
    impatient = JsonRpcTransport(node.url, keys=(1,), mined_within=0.1)
    with pytest.raises(NotMined, match=r"is in no block after 0\.1 s; it may still come") as caught:
        impatient.transact(address, word(1), sender=SENDER)
    assert list(node.raw)[-1] == caught.value.transaction


def test_transaction__of_an_unknown_sender_is_not_asked_for(chain: JsonRpcTransport) -> None:
    with pytest.raises(UnknownSender):
        chain.transact(1, b"", sender=0xBEEF)
    with pytest.raises(ValueError, match="made without a faucet"):
        JsonRpcTransport(chain._url, keys=(1,)).give(1, 1)


@pytest.mark.parametrize(
    ("broken", "error", "text"),
    [
        (lambda request: b"<html>busy</html>", NodeUnreachable, "no Ethereum node answers there"),
        (lambda request: [1], NodeUnreachable, "the answer is not JSON-RPC"),
        (
            lambda request: {"error": {"code": -32005, "message": "limit exceeded"}},
            JsonRpcError,
            "eth_blockNumber: the node answered error -32005: limit exceeded",
        ),
        (lambda request: {"error": "no"}, JsonRpcError, "eth_blockNumber: the node answered error None: no"),
    ],
)
def test_node__that_fails_is_named(
    broken: object, error: type[Exception], text: str, chain: JsonRpcTransport, node: Node
) -> None:
    node.break_next = broken  # type: ignore[assignment]
    with pytest.raises(error, match=text):
        _ = chain.block_number


@pytest.mark.parametrize(
    ("refusal", "data"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x0102"}, b"\1\2"),
        ({"code": -32000, "message": "reverted", "data": {"data": "0x03", "hash": "0x"}}, b"\3"),
        ({"code": -32603, "message": "EVM error InvalidJump"}, b""),
        ({"code": -32000, "message": "out of gas"}, b""),
    ],
)
def test_revert__is_read_as_nodes_tell_it(
    refusal: dict[str, object], data: bytes, chain: JsonRpcTransport, node: Node
) -> None:
    node.break_next = lambda request: {"error": refusal}
    with pytest.raises(Reverted) as caught:
        chain.call(SENDER, b"")
    assert caught.value.data == data


def test_refusal__that_is_no_revert_stays_one(chain: JsonRpcTransport, node: Node) -> None:
    node.break_next = lambda request: {"error": {"code": -32000, "message": "insufficient funds"}}
    with pytest.raises(JsonRpcError, match="insufficient funds"):
        chain.call(SENDER, b"")


def test_scenario__has_the_model_s_log_over_json_rpc(node: Node) -> None:
    """R1, R2, R3: the contract on a node, transactions signed here."""
    keys = (*TEST_KEYS, FAUCET_KEY)
    chains = Chains(lambda: JsonRpcTransport(node.url, keys=keys, faucet=address_of(FAUCET_KEY)))
    found = SCENARIOS["own_rollup_id"](chains.deploy)
    assert found == SCENARIOS["own_rollup_id"](chains.mirrored())
    assert isinstance(chains.started[0][0], Surroundings)
