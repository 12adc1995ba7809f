"""The HTTP interface: every refusal has its code and its values, and answers say what is so."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("aiohttp", reason="needs the extra zkrollup[node]")

from zkrollup.node import errors
from zkrollup.node.api import ServerLimits
from zkrollup.node.client import CallRefused, NodeClient, NodeUnreachable, check_inclusion
from zkrollup.node.jsonrpc import RateLimiter, parse
from zkrollup.node.policy import Policy
from zkrollup.state import Transfer
from zkrollup.state import exceptions as state
from zkrollup.state.transactions import sign_group, transaction_to_dict
from zkrollup.testing.rollup import Wallet, make_wallets
from zkrollup.testing.served import Served, serve

CHAIN = {"chain_id": 31337, "rollup_id": "0x005a6b526f6c6c75700000000000000000000001"}
LIMITS = ServerLimits(body_bytes=20_000, requests_in_body=5, rate=100_000, burst=100_000)


def wallets() -> list[Wallet]:
    rollup_id = int(CHAIN["rollup_id"], 16)
    return [replace(wallet, chain_id=31337, rollup_id=rollup_id) for wallet in make_wallets(2)]


def deposit(client: NodeClient, wallet: Wallet, amount: int = 1_000) -> int:
    """Pays in and waits for the account."""
    ax, ay = wallet.key.public_key
    key = {"token": 0, "ax": str(ax), "ay": str(ay), "eth_address": f"0x{wallet.eth_address:040x}"}
    client.call("dev_deposit", amount=str(amount), **key)
    for _ in range(600):
        try:
            return int(client.call("find_account", **key)["account"])
        except CallRefused as refusal:
            if refusal.code != errors.NoSuchAccount.code:
                raise
            time.sleep(0.05)
    raise AssertionError("no account")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node where wallets 0 and 1 have 1,000 each in accounts 2 and 3."""
    with serve(tmp_path_factory.mktemp("api"), limits=LIMITS) as made:
        client = NodeClient(made.url)
        assert [deposit(client, wallet) for wallet in wallets()] == [2, 3]
        yield made


@pytest.fixture
def client(served: Served) -> NodeClient:
    return NodeClient(served.url)


def post(served: Served, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON of a raw body."""
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    sent = {"Content-Type": "application/json"} | (headers or {})
    connection.request("POST", "/", body, sent, encode_chunked="Transfer-Encoding" in sent)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def refusal(client: NodeClient, method: str, **params: Any) -> CallRefused:
    with pytest.raises(CallRefused) as caught:
        client.call(method, **params)
    return caught.value


def submission(transaction: Any, **changes: Any) -> dict[str, Any]:
    return {"transaction": transaction_to_dict(transaction), **CHAIN, **changes}


# -- the way of a transaction ------------------------------------------------------------------------


def test_node__executes_a_transfer_that_was_submitted_over_http(client: NodeClient) -> None:
    owner = wallets()[0]
    before = client.call("account", account=2)
    transfer = owner.sign(Transfer(2, 3, 0, 7, 1, before["next_nonce"]))
    receipt = client.submit(transfer, 31337, int(CHAIN["rollup_id"], 16))
    found = client.wait(receipt["id"], timeout=60)
    assert found["transaction"] == transaction_to_dict(transfer)
    after = client.call("account", account=2)
    assert int(after["balance"]) == int(before["balance"]) - 8
    assert after["nonce"] == before["nonce"] + 1
    batch = client.call("batch", number=found["batch"])
    assert (batch["status"], batch["transactions"], batch["requests"]) == ("executed", 1, 0)
    assert client.call("submit", **submission(transfer)) == {
        "id": receipt["id"],
        "status": "batched",
        "known": True,
    }


def test_node__takes_groups(client: NodeClient) -> None:
    nonces = [client.call("account", account=account)["next_nonce"] for account in (2, 3)]
    pair = [Transfer(2, 3, 0, 5, 0, nonces[0]), Transfer(3, 2, 0, 6, 0, nonces[1])]
    signed = sign_group(pair, [wallet.key for wallet in wallets()], 31337, int(CHAIN["rollup_id"], 16))
    forms = [transaction_to_dict(member) for member in signed]
    receipts = client.call("submit_group", transactions=forms, **CHAIN)
    found = [client.wait(receipt["id"], timeout=60) for receipt in receipts]
    assert found[0]["batch"] == found[1]["batch"]
    assert found[1]["slot"] == found[0]["slot"] + 1
    assert found[0]["group"] == [receipt["id"] for receipt in receipts]


def test_proof__hashes_up_to_the_root_and_a_changed_one_does_not(client: NodeClient) -> None:
    answer = client.call("proof", account=2)
    assert check_inclusion(answer)
    assert not check_inclusion({**answer, "balance": "999999"})
    assert not check_inclusion({**answer, "account": 3})
    assert not check_inclusion({**answer, "root": "0x" + "00" * 32})


def test_info_health_metrics__say_where_the_node_stands(served: Served, client: NodeClient) -> None:
    info = client.call("info")
    assert (info["chain_id"], info["rollup_id"]) == (CHAIN["chain_id"], CHAIN["rollup_id"])
    assert (info["slots"], info["depth"], info["embedded_l1"]) == (4, 3, True)
    parts = urlsplit(served.url)
    for path, text in (("/health", '"status": "ok"'), ("/metrics", "zkrollup_last_executed_batch ")):
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        assert text in response.read().decode()
        connection.close()


# -- refusals ----------------------------------------------------------------------------------------


def test_submit__answers_each_refusal_with_a_code_and_its_values(client: NodeClient) -> None:
    owner = wallets()[0]
    nonce = client.call("account", account=2)["next_nonce"]
    good = owner.sign(Transfer(2, 3, 0, 5, 0, nonce))
    form = transaction_to_dict(good)
    cases: list[tuple[dict[str, Any], int, dict[str, Any]]] = [
        (submission(good, chain_id=1), 2001, {"reason": "WrongChainId", "found": 1, "expected": 31337}),
        (submission(good, rollup_id="0x" + "11" * 20), 2002, {"reason": "WrongRollupId"}),
        (
            submission(owner.sign(Transfer(2, 3, 8, 5, 0, nonce))),
            2003,
            {"reason": "UnknownToken", "token": 8, "known": [0]},
        ),
        (submission(replace(good, signature=None)), 2005, {"reason": "NotSigned", "nonce": nonce}),
        (
            submission(owner.sign(Transfer(2, 3, 0, 5, 0, nonce + 65))),
            2006,
            {"reason": "NonceTooFar", "expected": nonce, "limit": 64},
        ),
        (
            {"transaction": {**form, "amount": "12x"}, **CHAIN},
            2100,
            {"reason": "TransactionFormatError", "found": "'12x'"},
        ),
        (
            {"transaction": {**form, "amount": 1.5}, **CHAIN},
            2100,
            {"reason": "TransactionFormatError", "found": "'1.5'"},
        ),
        (
            {"transaction": {**form, "amount": str(2**128)}, **CHAIN},
            2100,
            {"reason": "TransactionFormatError", "expected": "an integer from 0 to 2^128 - 1"},
        ),
        (
            submission(owner.sign(Transfer(9, 3, 0, 5, 0, 0))),
            2101,
            {"reason": "UnknownAccount", "account": 9},
        ),
        (submission(replace(good, amount=6)), 2102, {"reason": "WrongSignature", "account": 2}),
        (
            submission(owner.sign(Transfer(2, 3, 0, 5_000, 0, nonce))),
            2110,
            {"reason": "Overdrawn", "account": 2, "amount": 5_000},
        ),
        (
            submission(owner.sign(Transfer(2, 3, 0, 5, 0, nonce, valid_until=0))),
            2117,
            {"reason": "Expired", "valid_until": 0},
        ),
        (
            submission(owner.sign(Transfer(2, 3, 0, 2**27 + 1, 0, nonce))),
            2107,
            {"reason": "UnencodableAmount", "amount": 2**27 + 1},
        ),
        (
            {"transaction": {"kind": "forced_exit", "account": 2, "eth_address": "0x" + "11" * 20}, **CHAIN},
            2004,
            {"reason": "UnsupportedKind"},
        ),
        ({"transaction": form, "chain_id": 31337}, -32602, {"reason": "InvalidParams", "found": "missing"}),
        ({"transaction": form, **CHAIN, "more": 1}, -32602, {"reason": "InvalidParams", "found": "unknown"}),
        ({"transaction": form, **CHAIN, "chain_id": "0x1"}, -32602, {"reason": "InvalidParams"}),
        ({"transaction": form, **CHAIN, "rollup_id": "0x1"}, -32602, {"reason": "InvalidParams"}),
    ]
    for params, code, values in cases:
        found = refusal(client, "submit", **params)
        assert found.code == code, found
        assert {key: found.data.get(key) for key in values} == values, found
        assert found.message


def test_submit__names_a_stale_nonce(client: NodeClient) -> None:
    owner = wallets()[1]
    nonce = client.call("account", account=3)["next_nonce"]
    receipt = client.submit(owner.sign(Transfer(3, 2, 0, 1, 0, nonce)), 31337, int(CHAIN["rollup_id"], 16))
    client.wait(receipt["id"], timeout=60)
    found = refusal(client, "submit", **submission(owner.sign(Transfer(3, 2, 0, 2, 0, nonce))))
    assert (found.code, found.data["expected"]) == (2104, nonce + 1)


def test_questions__about_what_is_not_there_have_their_own_codes(client: NodeClient) -> None:
    assert refusal(client, "transaction", id="0x" + "00" * 32).code == 4001
    assert refusal(client, "batch", number=10**6).code == 4002
    assert refusal(client, "account", account=50).code == 4003
    assert refusal(client, "proof", account=50).code == 4003
    assert refusal(client, "transaction", id="5").code == -32602
    assert refusal(client, "dev_withdraw", owner="0x" + "11" * 20, token=0).code == 5001
    found = refusal(client, "nothing")
    assert (found.code, "submit" in found.data["known"]) == (-32601, True)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([2**31, 2**32, 2**40, 2**64, 2**128, 2**256, -(2**255), 10**77, 10**78, 0.5])
    | st.sampled_from(
        ["", "0", "00", "-1", "1e5", "0x", "0x" + "f" * 40, "0x" + "0" * 64, "9" * 78, "٣", "\0"]
    )
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_calls__with_anything_in_any_place_are_refused_with_a_reason(served: Served, data) -> None:
    owner = wallets()[0]
    form = transaction_to_dict(owner.sign(Transfer(2, 3, 0, 5, 0, 10**6)))
    key = {"token": 0, "ax": "1", "ay": "2", "eth_address": "0x" + "11" * 20}
    calls: dict[str, dict[str, Any]] = {
        "submit": {"transaction": form, **CHAIN},
        "submit_group": {"transactions": [form, form], **CHAIN},
        "transaction": {"id": "0x" + "00" * 32},
        "account": {"account": 50},
        "find_account": key,
        "proof": {"account": 50},
        "batch": {"number": 10**6},
        "dev_deposit": {"amount": 1, **key},
        "dev_request_exit": {"account": 10**6, "sender": "0x" + "11" * 20},
        "dev_withdraw": {"owner": "0x" + "11" * 20, "token": 0},
    }
    method = data.draw(st.sampled_from(sorted(calls)))
    request: Any = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": json.loads(json.dumps(calls[method])),
    }
    for _ in range(data.draw(st.integers(0, 2))):
        place: Any = request
        while isinstance(place, dict | list) and place:
            name = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[name], dict | list) or data.draw(st.integers(0, 3)) == 0:
                place[name] = data.draw(values)
                break
            place = place[name]
    if request["method"] == "dev_mine":
        return
    _, answer = post(served, json.dumps(request).encode())
    if answer is not None and "error" in answer:
        assert answer["error"]["code"] != errors.INTERNAL_ERROR, (request, answer)
        assert answer["error"]["data"]["reason"]


def test_body__that_is_no_request_is_refused_by_name(served: Served) -> None:
    cases: list[tuple[bytes, int]] = [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"NaN", -32700),
        (b'{"jsonrpc":"2.0","jsonrpc":"2.0"}', -32700),
        (b"1" * 5_000, -32700),
        (b"[" * 10_000, -32700),
        (b"[]", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"info"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"info"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"info","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"info","more":1}', -32600),
        (b"5", -32600),
    ]
    for body, code in cases:
        _, answer = post(served, body)
        assert answer["error"]["code"] == code, (body[:60], answer)
        assert answer["error"]["data"]["reason"]


def test_body__over_the_limit_is_refused_with_both_sizes(served: Served) -> None:
    body = b" " * (LIMITS.body_bytes + 1)
    status, answer = post(served, body)
    assert status == 413
    assert answer["error"]["data"] == {"reason": "BodyTooLarge", "size": 20_001, "limit": 20_000}

    def pieces() -> Iterator[bytes]:
        yield from [b" " * 10_000] * 3

    status, answer = post(served, pieces(), {"Transfer-Encoding": "chunked"})  # type: ignore[arg-type]
    assert (status, answer["error"]["code"]) == (413, 1001)


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_body__that_a_page_in_a_browser_could_send_is_refused(served: Served, kind: str) -> None:
    status, answer = post(served, b'{"jsonrpc":"2.0","id":1,"method":"info"}', {"Content-Type": kind})
    assert status == 415
    assert answer["error"]["code"] == 1006
    assert answer["error"]["data"] == {"reason": "WrongContentType", "found": kind}


def test_body__may_name_its_encoding(served: Served) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"info"}'
    status, answer = post(served, body, {"Content-Type": "Application/JSON; charset=utf-8"})
    assert status == 200
    assert "result" in answer


def test_body__with_too_many_requests_is_refused(served: Served) -> None:
    one = {"jsonrpc": "2.0", "id": 1, "method": "info"}
    _, answer = post(served, json.dumps([one] * 6).encode())
    assert answer["error"]["data"] == {"reason": "BatchTooLong", "found": 6, "limit": 5}
    _, answers = post(served, json.dumps([one, {**one, "id": 2, "method": "x"}]).encode())
    assert [sorted(answer) for answer in answers] == [["id", "jsonrpc", "result"], ["error", "id", "jsonrpc"]]


def test_notification__gets_no_answer(served: Served) -> None:
    assert post(served, b'{"jsonrpc":"2.0","method":"info"}') == (204, None)
    assert post(served, b'{"jsonrpc":"2.0","method":"nothing"}') == (204, None)


def test_rate__is_limited_for_each_client(tmp_path: Path) -> None:
    with serve(tmp_path, limits=ServerLimits(rate=1, burst=3), run=False) as served:
        client = NodeClient(served.url)
        for _ in range(3):
            client.call("info")
        found = refusal(client, "info")
        assert (found.code, found.data["rate"], found.data["burst"]) == (1002, 1, 3)
        assert 0 < found.data["retry_after"] <= 1


def test_rate__comes_back_with_time_and_clients_do_not_share() -> None:
    now = [0.0]
    limiter = RateLimiter(2, 4, lambda: now[0], clients=2)
    limiter.take("a", 4)
    limiter.take("b", 1)
    with pytest.raises(errors.RateLimited, match=r"try again in 0\.5 seconds"):
        limiter.take("a")
    now[0] = 0.5
    limiter.take("a")
    with pytest.raises(errors.RateLimited):
        limiter.take("a")


def test_pool__that_is_full_refuses_with_what_it_would_take(tmp_path: Path) -> None:
    from zkrollup.node.mempool import Limits

    with serve(tmp_path, policy=Policy(limits=Limits(transactions=1), batch_seconds=0)) as served:
        client = NodeClient(served.url)
        owner = wallets()[0]
        assert deposit(client, owner) == 2
        served.node.sequencer.policy = replace(served.node.sequencer.policy, batch_seconds=1e9)
        client.call("submit", **submission(owner.sign(Transfer(2, 2, 0, 1, 5, 0))))
        found = refusal(client, "submit", **submission(owner.sign(Transfer(2, 2, 0, 1, 9, 1))))
        assert (found.code, found.data["limit"], found.data["lowest"]) == (3001, 1, "5")
        found = refusal(client, "submit", **submission(owner.sign(Transfer(2, 2, 0, 2, 5, 0))))
        assert (found.code, found.data["needed"]) == (3003, "5.5")


def test_client__says_who_does_not_answer() -> None:
    with pytest.raises(
        NodeUnreachable, match=r"http://127.0.0.1:9: no node answers there: connection refused"
    ):
        NodeClient("http://127.0.0.1:9").call("info")
    with pytest.raises(ValueError, match="expected http://host:port"):
        NodeClient("ftp://x")


@pytest.mark.parametrize("body", [b"[5]", b'{"detail": "Not Found"}', b'{"error": "busy"}', b"<html>", b"5"])
def test_client__takes_no_other_server_for_a_node(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    client = NodeClient("http://127.0.0.1:9")
    monkeypatch.setattr(client, "_exchange", lambda sent: body)
    with pytest.raises(NodeUnreachable, match="is no node of a rollup: it answers"):
        client.call("info")


def test_parse__keeps_numbers_exact() -> None:
    assert parse(b'{"a": 123456789012345678901234567890, "b": 1.10}') == {
        "a": 123456789012345678901234567890,
        "b": "1.10",
    }


def test_parse__finds_a_name_that_stands_twice_in_linear_time() -> None:
    names = [*range(40_000), 39_999]
    body = "{" + ",".join(f'"{name}":0' for name in names) + "}"
    begin = time.process_time()
    with pytest.raises(errors.ParseError, match="'39999' stands twice"):
        parse(body.encode())
    assert time.process_time() - begin < 5  # comparing each with each takes over half a minute


def test_codes__every_rule_of_a_transaction_has_one() -> None:
    rules = [state.TransactionError]
    for rule in rules:
        rules += rule.__subclasses__()
    assert {rule.__name__ for rule in rules[1:]} <= set(errors._STATE_CODES)


def test_codes__are_all_different_and_all_in_the_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "node.md").read_text()
    rows = dict(re.findall(r"^\| (-?\d+) \| `(\w+)` \|", page, re.MULTILINE))
    codes = {
        str(kind.code): name
        for name, kind in vars(errors).items()
        if isinstance(kind, type)
        and issubclass(kind, errors.NodeRefusal)
        and kind.code != errors.INTERNAL_ERROR
    }
    codes |= {str(code): name for name, code in errors._STATE_CODES.items()}
    assert rows == codes


# -- slow clients ------------------------------------------------------------------------------------


def sent(served: Served, *parts: bytes, pause: float = 0.0) -> bytes:
    """All that a connection answers until the node closes it."""
    url = urlsplit(served.url)
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        answer = b""
        while chunk := connection.recv(1 << 16):
            answer += chunk
    return answer


INFO = b'{"jsonrpc":"2.0","id":1,"method":"info"}'
HEADERS = (
    f"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: {len(INFO)}\r\n\r\n"
).encode()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = ServerLimits(body_seconds=0.3, idle_seconds=0.4)
    with serve(tmp_path_factory.mktemp("impatient"), limits=limits, run=False) as made:
        yield made


def test_body__that_does_not_come_is_answered_408_and_the_connection_closed(impatient: Served) -> None:
    head, _, body = sent(impatient, HEADERS + INFO[:7]).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in head
    error = json.loads(body)["error"]
    assert (error["code"], error["data"]) == (1007, {"reason": "BodyTooSlow", "size": 7, "seconds": 0.3})
    assert "7 bytes of the body have come in 0.3 seconds, and it is not whole" in error["message"]


def test_body__that_trickles_is_cut_off_too(impatient: Served) -> None:
    """The time is that of the whole body, not of each piece."""
    answer = sent(impatient, HEADERS, *(INFO[i : i + 1] for i in range(6)), pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_connection__that_is_silent_is_closed(impatient: Served) -> None:
    assert sent(impatient) == b""
    assert sent(impatient, HEADERS[:20]) == b""  # headers that do not end
    answer = sent(impatient, HEADERS + INFO)
    assert answer.startswith(b"HTTP/1.1 200 ")  # and was kept for another request until then
    assert b"Connection: close" not in answer
