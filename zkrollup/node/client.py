"""A wallet's side of the node: a key that signs where it lies, and calls over HTTP.

This module must not import the node, nor send a secret anywhere: what leaves is signed.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.keccak import keccak256
from zkrollup.crypto.poseidon import poseidon
from zkrollup.state.accounts import Account
from zkrollup.state.transactions import Signed, SignedTransaction, sign_transaction, transaction_to_dict

__all__ = ["CallRefused", "NodeClient", "NodeUnreachable", "Wallet", "check_inclusion"]


class NodeUnreachable(OSError):
    """Nobody answers at this address, or not as a node does; the call may or may not have arrived."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url, self.reason = url, reason


class CallRefused(ValueError):
    """The node refuses a call: the JSON-RPC error's ``code``, and the reason's values in ``data``."""

    def __init__(self, method: str, code: int, message: str, data: dict[str, Any]) -> None:
        super().__init__(f"{method}: {message} (code {code})")
        self.method, self.code, self.message, self.data = method, code, message, data


@dataclass(frozen=True)
class Wallet:
    """A key, and the address on L1 that its accounts belong to. Its ``repr`` shows nothing secret."""

    key: PrivateKey
    eth_address: int

    @classmethod
    def create(cls, path: Path, eth_address: int | None = None) -> Wallet:
        """A new wallet in a new file that only its owner can read; raises ``FileExistsError``.

        Without an address, one is derived from the key: good on the embedded L1 only, where nobody needs
        a key of that address.
        """
        seed = secrets.token_bytes(32)
        if eth_address is None:
            eth_address = int.from_bytes(keccak256(b"zkrollup/wallet/address" + seed)[12:])
        text = json.dumps({"seed": seed.hex(), "eth_address": f"0x{eth_address:040x}"}) + "\n"
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(opened, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(opened)
        except OSError as error:
            path.unlink()  # made above, and nobody has a key that is half written
            raise OSError(error.errno, error.strerror, str(path)) from error
        return cls(PrivateKey(seed), eth_address)

    @classmethod
    def load(cls, path: Path) -> Wallet:
        """The wallet in a file; raises ``OSError``, ``ValueError`` naming the file and what is wrong."""
        try:
            found = json.loads(path.read_text())
            address = int(found["eth_address"], 16)
            if not 0 <= address < 1 << 160:
                raise ValueError("an address has 160 bits")
            return cls(PrivateKey(bytes.fromhex(found["seed"])), address)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                f'{path}: not a wallet ({type(error).__name__}); expected {{"seed": 64 hex digits, '
                '"eth_address": "0x.."}'
            ) from None

    def sign(self, transaction: Signed, chain_id: int, rollup_id: int) -> Signed:
        """The transaction with this wallet's signature for that chain and rollup."""
        return sign_transaction(transaction, self.key, chain_id, rollup_id)


class NodeClient:
    """Calls of a node at ``url``, ``http://host:port``, over one connection, opened again as needed."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url}: expected http://host:port")
        self.url = url
        self._host, self._port, self._timeout = parts.hostname, parts.port or 80, timeout
        self._connection: http.client.HTTPConnection | None = None
        self._id = 0

    def call(self, method: str, **params: Any) -> Any:
        """The result of a call; raises :class:`CallRefused`, :class:`NodeUnreachable`."""
        return self.call_many([(method, params)])[0]

    def call_many(self, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
        """The results of several calls in one body, in order; raises the first refusal."""
        requests = []
        for method, params in calls:
            self._id += 1
            requests.append({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        answers = self._post(requests if len(requests) > 1 else requests[0])
        if not isinstance(answers, list):
            answers = [answers]
        results = []
        for request, answer in zip(requests, answers, strict=False):
            if "error" in answer:
                error = answer["error"]
                raise CallRefused(
                    str(request["method"]), error["code"], error["message"], error.get("data", {})
                )
            results.append(answer["result"])
        return results

    def submit(self, transaction: SignedTransaction, chain_id: int, rollup_id: int) -> dict[str, Any]:
        """Hands a signed transaction in; it is on the node's disk when this returns."""
        return dict(
            self.call(
                "submit",
                transaction=transaction_to_dict(transaction),
                chain_id=chain_id,
                rollup_id=f"0x{rollup_id:040x}",
            )
        )

    def wait(
        self, transaction_id: str, status: str = "executed", *, timeout: float = 600.0
    ) -> dict[str, Any]:
        """The transaction once it is as far as ``status``; raises ``TimeoutError``, or ``ValueError`` when
        it was dropped."""
        order = ("waiting", "built", "proved", "committed", "executed")
        deadline = time.monotonic() + timeout
        while True:
            found: dict[str, Any] = self.call("transaction", id=transaction_id)
            if found["status"] == "dropped":
                raise ValueError(f"transaction {transaction_id}: {found['reason']['message']}")
            if order.index(found["status"]) >= order.index(status):
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"transaction {transaction_id}: {found['status']} after {timeout} seconds")
            time.sleep(0.2)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, content: Any) -> Any:
        body = json.dumps(content, separators=(",", ":")).encode()
        try:
            answer = self._exchange(body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            why = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise NodeUnreachable(self.url, f"no node answers there: {why[:1].lower()}{why[1:]}") from error
        try:
            found = json.loads(answer)
            if not all(map(_is_answer, found if isinstance(found, list) else [found])):
                raise ValueError("no JSON-RPC 2.0")
        except ValueError:
            raise NodeUnreachable(self.url, f"is no node of a rollup: it answers {answer[:40]!r}") from None
        return found

    def _exchange(self, body: bytes) -> bytes:
        for attempt in (1, 2):
            fresh = self._connection is None
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            try:
                self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
                return self._connection.getresponse().read()
            except (http.client.HTTPException, ConnectionError):
                self.close()
                if fresh or attempt == 2:  # one that had been idle may have been closed at the other end
                    raise
        raise AssertionError("unreachable")


def _is_answer(one: object) -> bool:
    """Whether this has the shape of an answer of JSON-RPC 2.0."""
    if not isinstance(one, dict):
        return False
    error = one.get("error")
    return (
        "result" in one if error is None else isinstance(error, dict) and {"code", "message"} <= error.keys()
    )


def check_inclusion(answer: dict[str, Any]) -> bool:
    """Whether the answer of ``proof`` holds: its account, hashed up its path, gives its root.

    That the root is the rollup's is for L1 to say.
    """
    index = int(answer["account"])
    account = Account(
        answer["token"],
        answer["nonce"],
        int(answer["balance"]),
        int(answer["ax"]),
        int(answer["ay"]),
        int(answer["eth_address"], 16),
    )
    node = account.leaf()
    for level in answer["path"]:
        children = tuple(int(child, 16) for child in level)
        if len(children) != 4 or children[index & 3] != node:
            return False
        node, index = poseidon(children), index >> 2
    return node == int(answer["root"], 16) and index == 0
