"""A node with all its stages running: an L1 that changes its mind, and one that somebody else uses too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="needs the extra zkrollup[node]")

from zkrollup.node.client import NodeClient
from zkrollup.state import Transfer
from zkrollup.testing.rollup import Wallet, make_wallets
from zkrollup.testing.served import Served, serve


def until(holds: Callable[[], bool]) -> None:
    """Returns when it holds."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Client:
    """One wallet with 1,000 in account 2."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.calls = NodeClient(served.url)
        identity = served.parts.store.identity
        self.chain_id, self.rollup_id = identity.chain_id, identity.rollup_id
        self.wallet: Wallet = replace(make_wallets(1)[0], chain_id=self.chain_id, rollup_id=self.rollup_id)
        ax, ay = self.wallet.key.public_key
        until(lambda: self.calls.call("info")["last_executed"] == 1)
        self.calls.call(
            "dev_deposit",
            token=0,
            amount=1_000,
            ax=str(ax),
            ay=str(ay),
            eth_address=f"0x{self.wallet.eth_address:040x}",
        )
        until(lambda: self.calls.call("info")["last_executed"] == 2)

    def pay(self, nonce: int) -> str:
        """Submits a transfer; its id."""
        transfer = self.wallet.sign(Transfer(2, 1, 0, 5, 1, nonce))
        return str(self.calls.submit(transfer, self.chain_id, self.rollup_id)["id"])


def test_node__submits_again_what_a_reorganisation_dropped(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        client = Client(served)
        paid = client.pay(0)
        client.calls.wait(paid, timeout=60)
        chain = served.parts.chain
        before = chain.num_calls
        served.call(served.node.on_l1(chain.forget, 1))
        until(lambda: served.node.progress.dropped_by_l1 == 1)
        client.calls.wait(paid, timeout=60)
        until(lambda: chain.num_calls == before)
        client.calls.wait(client.pay(1), timeout=60)
        assert client.calls.call("account", account=2)["balance"] == "988"


def test_node__takes_over_what_it_lost_and_goes_on(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        client = Client(served)
        client.calls.wait(client.pay(0), timeout=60)
        last = client.calls.call("info")["last_executed"]
    for path in tmp_path.glob("node.db*"):
        path.unlink()
    with serve(tmp_path) as served:
        calls = NodeClient(served.url)
        until(lambda: calls.call("info")["last_executed"] == last)
        assert served.node.progress.adopted == last
        assert calls.call("account", account=2)["balance"] == "994"
        client.calls = calls
        calls.wait(client.pay(1), timeout=60)
        assert calls.call("batch", number=last)["foreign"] is True
        assert calls.call("batch", number=last + 1)["foreign"] is False


def test_node__says_in_its_health_when_l1_does_not_answer(tmp_path: Path) -> None:
    import http.client
    import json
    from urllib.parse import urlsplit

    with serve(tmp_path) as served:
        client = Client(served)
        parts = urlsplit(served.url)

        def health() -> tuple[int, str]:
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
            connection.request("GET", "/health")
            response = connection.getresponse()
            text = json.load(response)["reason"]
            connection.close()
            return response.status, text

        assert health() == (200, "")
        observe = served.node.observer.observe

        def fails(beyond: int):
            raise OSError("connection refused")

        served.node.observer.observe = fails  # type: ignore[method-assign]
        until(lambda: health()[0] == 503)
        assert health()[1] == "L1 does not answer: connection refused"
        paid = client.pay(0)  # is taken all the same
        served.node.observer.observe = observe  # type: ignore[method-assign]
        client.calls.wait(paid, timeout=60)
        until(lambda: health() == (200, ""))
