"""The transports keep one protocol: blocks, reverts, logs, balances, forks; with the compiled verifier."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zkrollup.l1.evm.abi import Abi
from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.evm.json_rpc_transport import JsonRpcError, JsonRpcTransport, NodeUnreachable
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.signing import TEST_KEYS, Senders, address_of
from zkrollup.l1.evm.transport import (
    FORKS,
    MissingLibrary,
    Reverted,
    Transport,
    UnknownSender,
    WrongFork,
    fork_of,
    pairing_gas,
    require_fork,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "evm"
VERIFIER: dict[str, Any] = json.loads((VECTORS / "verifier.json").read_text())["contracts"][
    "snarkjs's, 3 public inputs"
]
SENDER = 0x7E5F4552091A69125D5DFCB7B8C2659029395BDF  # of private key 1


def creation(runtime: bytes) -> bytes:
    """Code that deploys this code."""
    return bytes.fromhex(f"61{len(runtime):04x}80600c6000396000f3") + runtime


# storage[0] = word of calldata; log1(that word, topic 0xaa); returns it; reverts with it when it is 7.
STORE = bytes.fromhex(
    "600035"  # word
    "80600055"  # sstore(0, word)
    "80600052"  # mstore(0, word)
    "600714601d57"  # if word == 7 goto 0x1d
    "60aa60206000a1"  # log1(0, 32, 0xaa)
    "60206000f3"  # return(0, 32)
    "5b60206000fd"  # 0x1d: revert(0, 32)
)

NUMBER = bytes.fromhex("4360005260206000f3")  # returns the block's number


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def made(kind: str) -> Transport:
    try:
        return {"pyrevm": PyrevmTransport, "eth-tester": EthTesterTransport}[kind]()
    except MissingLibrary as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=["pyrevm", "eth-tester"])
def transport(request: pytest.FixtureRequest) -> Transport:
    return made(request.param)


def deployed(transport: Transport, runtime: bytes) -> int:
    address = transport.deploy(creation(runtime), sender=SENDER).address
    assert address is not None
    return address


def test_transaction__makes_a_block_and_runs_in_it(transport: Transport) -> None:
    before = transport.block_number
    receipt = transport.deploy(creation(NUMBER), sender=SENDER)
    assert receipt.address is not None
    assert (receipt.block, transport.block_number) == (before + 1, before + 1)
    assert transport.code(receipt.address) == NUMBER
    assert int.from_bytes(transport.call(receipt.address, b""), "big") == before + 1
    transport.mine(5)
    assert int.from_bytes(transport.call(receipt.address, b""), "big") == before + 6


def test_transaction__is_found_by_its_block(transport: Transport) -> None:
    address = deployed(transport, STORE)
    first = transport.transact(address, word(1), sender=SENDER)
    second = transport.transact(address, word(2), sender=SENDER)
    assert transport.calldata(first.block, address) == [word(1)]
    assert transport.calldata(second.block, address) == [word(2)]
    assert transport.calldata(second.block, address + 1) == []
    assert [log.data for log in transport.logs(address)] == [word(1), word(2)]
    assert transport.logs(address, second.block) == list(second.logs)
    (log,) = second.logs
    assert (log.block, log.address, log.topics) == (second.block, address, (word(0xAA),))


def test_reverted_transaction__says_why_and_leaves_no_trace(transport: Transport) -> None:
    address = deployed(transport, STORE)
    transport.transact(address, word(5), sender=SENDER)
    before = (transport.block_number, transport.balance(SENDER), transport.logs(address))
    with pytest.raises(Reverted) as caught:
        transport.transact(address, word(7), sender=SENDER)
    assert caught.value.data == word(7)
    assert (transport.block_number, transport.balance(SENDER), transport.logs(address)) == before
    transport.transact(address, word(6), sender=SENDER)
    assert transport.block_number == before[0] + 1


def test_invalid_instruction__reverts_without_data(transport: Transport) -> None:
    address = deployed(transport, bytes.fromhex("fe"))
    for attempt in (
        lambda: transport.transact(address, b"", sender=SENDER),
        lambda: transport.call(address, b""),
    ):
        with pytest.raises(Reverted) as caught:
            attempt()
        assert caught.value.data == b""
        assert caught.value.reason


def test_call__changes_nothing(transport: Transport) -> None:
    address = deployed(transport, STORE)
    before = transport.block_number
    if transport.name == "eth-tester":
        assert transport.call(address, word(5)) == word(5)
    else:
        with pytest.raises(Reverted):  # a static call may not write
            transport.call(address, word(5))
    assert transport.block_number == before
    assert transport.logs(address) == []


def test_balance__counts_no_fees(transport: Transport) -> None:
    receiver = 0xB0B0_0000 + transport.block_number
    assert transport.balance(receiver) == 0
    transport.give(receiver, 77)
    transport.give(SENDER, 1000)
    before = transport.balance(SENDER)
    transport.transact(receiver, b"", sender=SENDER, value=10)
    assert transport.balance(receiver) == 87
    assert transport.balance(SENDER) == before - 10


def test_verifier__answers_recorded_calls(transport: Transport) -> None:
    """V9: the contract that solc compiled; the whole list runs in tests/evm."""
    address = deployed(transport, bytes.fromhex(VERIFIER["runtime"]))
    wanted = ("valid", "a.x + q", "b outside the subgroup", "input 0 + r", "one byte short")
    cases = [case for case in VERIFIER["calls"] if case["what"] in wanted]
    assert len(cases) == len(wanted)
    for case in cases:
        try:
            answer: bool | None = bool(
                int.from_bytes(transport.call(address, bytes.fromhex(case["data"])), "big")
            )
        except Reverted:
            answer = None
        assert answer is case["answer"], case["what"]


def test_gas__of_a_first_transaction_is_the_recorded_one(transport: Transport) -> None:
    """A proof with three public inputs costs what revm said when the contract was compiled, in both EVMs."""
    address = deployed(transport, bytes.fromhex(VERIFIER["runtime"]))
    valid = next(case for case in VERIFIER["calls"] if case["what"] == "valid")
    receipt = transport.transact(address, bytes.fromhex(valid["data"]), sender=SENDER)
    assert receipt.gas_used == valid["gas"] <= 230_000


def test_gas__of_later_transactions_is_exact_where_it_is_said_to_be() -> None:
    """Writing 2 over 1 costs 2,900 and a cold access 2,100, whatever an earlier transaction touched."""
    exact = made("eth-tester")
    address = deployed(exact, STORE)
    exact.transact(address, word(1), sender=SENDER)
    again = exact.transact(address, word(2), sender=SENDER).gas_used
    inexact = made("pyrevm")
    assert exact.exact_gas
    assert not inexact.exact_gas
    address = deployed(inexact, STORE)
    inexact.transact(address, word(1), sender=SENDER)
    assert inexact.transact(address, word(2), sender=SENDER).gas_used < again - 2_100


# -- forks -----------------------------------------------------------------------------------------------


def test_fork__is_found_by_what_runs(transport: Transport) -> None:
    assert pairing_gas(transport) == 45_000
    expected = {"pyrevm": "Cancun", "eth-tester": "Prague"}[transport.name]
    assert fork_of(transport) == expected
    require_fork(transport, expected)
    with pytest.raises(WrongFork, match=f"expected an EVM by the rules of Osaka, found those of {expected}"):
        require_fork(transport, "Osaka")


@pytest.mark.parametrize("fork", ["Istanbul", "Shanghai", "Cancun"])
def test_fork__that_was_asked_for_runs(fork: str) -> None:
    made("pyrevm")
    assert fork_of(PyrevmTransport(fork=fork)) == fork


def test_fork__that_an_evm_does_not_know_is_refused() -> None:
    """pyrevm takes any name it does not know for its newest rules."""
    made("pyrevm")
    with pytest.raises(WrongFork, match="expected an EVM by the rules of Prague, found those of Cancun"):
        PyrevmTransport(fork="Prague")
    with pytest.raises(WrongFork, match="expected an EVM by the rules of nonsense"):
        PyrevmTransport(fork="nonsense")
    made("eth-tester")
    with pytest.raises(ValueError, match="fork: py-evm has none of the name 'nonsense'"):
        EthTesterTransport(fork="nonsense")


def test_fork__before_istanbul_is_refused_by_the_gas_of_a_pairing() -> None:
    made("pyrevm")
    with pytest.raises(WrongFork, match="a pairing of no pairs costs 100,000 gas"):
        PyrevmTransport(fork="Petersburg")
    assert FORKS[0] == "Istanbul"


def test_pyrevm__chain_id_and_time_are_as_asked() -> None:
    made("pyrevm")
    still = PyrevmTransport(chain_id=(1 << 64) - 1, auto_mine=False)
    address = deployed(still, bytes.fromhex("4660005260206000f3"))
    assert int.from_bytes(still.call(address, b""), "big") == still.chain_id == (1 << 64) - 1
    assert still.block_number == 0
    still.transact(address, b"", sender=SENDER)
    assert still.block_number == 0
    still.mine(3)
    assert still.transact(address, b"", sender=SENDER).block == 4


# -- senders ---------------------------------------------------------------------------------------------


def test_senders__addresses_are_those_of_the_keys() -> None:
    pytest.importorskip("eth_account", reason="pip install 'zkrollup[l1]'")
    assert address_of(1) == SENDER
    assert Senders(TEST_KEYS).addresses[:2] == (SENDER, 0x2B5AD5C4795C026514F8317C7A215E218DCCD6CF)


def test_sender__without_a_key_is_refused_by_name() -> None:
    transport = made("eth-tester")
    with pytest.raises(
        UnknownSender, match="0x000000000000000000000000000000000000beef: this transport has no"
    ):
        transport.transact(1, b"", sender=0xBEEF)


def test_json_rpc__an_address_where_no_node_answers_is_named() -> None:
    pytest.importorskip("eth_account", reason="pip install 'zkrollup[l1]'")
    with pytest.raises(NodeUnreachable, match=r"http://127\.0\.0\.1:9: no Ethereum node answers there"):
        JsonRpcTransport("http://127.0.0.1:9", keys=(1,), timeout=2)


def test_json_rpc__errors_keep_method_code_and_message() -> None:
    error = JsonRpcError("eth_call", -32000, "insufficient funds", None)
    assert str(error) == "eth_call: the node answered error -32000: insufficient funds"


@pytest.mark.parametrize(
    ("library", "extra", "use"),
    [
        ("pyrevm", "l1", PyrevmTransport),
        ("eth_tester", "l1-exact", EthTesterTransport),
        ("eth_account", "l1", lambda: address_of(1)),
        ("eth_abi", "l1", lambda: Abi([]).encode_constructor()),
    ],
)
def test_library__that_is_missing_is_named_with_its_remedy(
    library: str, extra: str, use: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibrary, match=rf"is not installed: pip install 'zkrollup\[{extra}\]'"):
        use()
