"""Any node that speaks Ethereum's JSON-RPC over HTTP; transactions are signed here and sent raw.

This module must not know what is called. Before a transaction is sent it is tried by ``eth_call``, as wallets
do, so that one that would revert says why, costs nothing and makes no block. How one comes into a block is
:mod:`~zkrollup.l1.evm.json_rpc_sending`'s matter.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from .json_rpc_sending import (
    Call,
    FeeAboveCap,
    FeePolicy,
    JsonRpcError,
    NotEnoughEther,
    NotMined,
    Sending,
    Superseded,
    TooMuchGas,
    gas_limit_of,
)
from .outbox import Outbox
from .signing import Senders
from .transport import GAS_LIMIT, EvmError, Log, Receipt, Reverted, address_text

__all__ = [
    "FeeAboveCap",
    "FeePolicy",
    "JsonRpcError",
    "JsonRpcTransport",
    "NodeUnreachable",
    "NotEnoughEther",
    "NotMined",
    "Superseded",
    "TooMuchGas",
]


class NodeUnreachable(EvmError):
    """No answer of JSON-RPC came from there."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: no Ethereum node answers there: {why}")
        self.url = url


class JsonRpcTransport:
    """The node at ``url``, with senders of these private keys, who pay their own fees.

    Arguments:
        faucet: one of the senders, whose wei :meth:`give` gives.
        timeout: seconds for each answer of the node.
        mined_within: seconds for a transaction until :class:`NotMined` is raised (default: ``timeout``).
        fees: what transactions pay, and when more.
        outbox: where transactions are noted before they are sent; one in a file outlives the process.
        one_at_a_time: each call follows from what the chain says when it is made, so that it takes the place
            of one that was made before and is in no block yet. Otherwise only the same call made again does
            not get a nonce of its own.
        clock: seconds since the epoch.

    ``mine`` works where the node has ``anvil_mine`` or ``evm_mine``, as those for development have.

    Raises :class:`NodeUnreachable`, :class:`JsonRpcError`, :class:`MissingLibrary`.
    """

    name = "json-rpc"
    exact_gas = True

    def __init__(
        self,
        url: str,
        *,
        keys: Iterable[int],
        faucet: int | None = None,
        timeout: float = 60.0,
        mined_within: float | None = None,
        fees: FeePolicy | None = None,
        outbox: Outbox | None = None,
        one_at_a_time: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise NodeUnreachable(url, "expected http://host:port")
        self._url = url
        self._timeout = timeout
        self._senders = Senders(keys)
        self._faucet = faucet
        self._requests = 0
        self._chain_id = self._number("eth_chainId")
        self._sending = Sending(
            lambda method, *params: self.request(method, *params),
            lambda call, block: self._eth_call(
                call.to, call.data, block, sender=call.sender, value=call.value
            ),
            self._senders,
            fees=FeePolicy() if fees is None else fees,
            outbox=Outbox() if outbox is None else outbox,
            one_at_a_time=one_at_a_time,
            mined_within=timeout if mined_within is None else mined_within,
            clock=clock,
        )

    # -- the protocol --------------------------------------------------------------------------------

    def request(self, method: str, *params: Any) -> Any:
        """The result of one request; raises :class:`JsonRpcError`, :class:`NodeUnreachable`."""
        self._requests += 1
        body = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": params}
        http_request = urllib.request.Request(
            self._url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(http_request, timeout=self._timeout) as response:
                answer = json.load(response)
        except (urllib.error.URLError, OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)  # of an URLError: what its connection ran into
            raise NodeUnreachable(self._url, getattr(reason, "strerror", None) or str(reason)) from error
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise NodeUnreachable(self._url, "the answer is not JSON-RPC 2.0")
        if answer.get("error") is not None:
            refusal = answer["error"] if isinstance(answer["error"], dict) else {"message": answer["error"]}
            raise JsonRpcError(method, refusal.get("code"), refusal.get("message"), refusal.get("data"))
        return answer["result"]

    def _number(self, method: str, *params: Any) -> int:
        return int(self.request(method, *params), 16)

    # -- transport -----------------------------------------------------------------------------------

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def block_number(self) -> int:
        return self._number("eth_blockNumber")

    def deploy(self, code: bytes, *, sender: int, value: int = 0) -> Receipt:
        return self._send(None, code, sender, value)

    def transact(self, to: int, data: bytes, *, sender: int, value: int = 0) -> Receipt:
        return self._send(to, data, sender, value)

    @property
    def gas_limit(self) -> int:
        return gas_limit_of(self.request("eth_getBlockByNumber", "latest", False))

    def _send(self, to: int | None, data: bytes, sender: int, value: int) -> Receipt:
        found, output = self._sending.send(Call(to, data, sender, value))
        used = int(found["gasUsed"], 16)
        if int(found["status"], 16) != 1:  # another transaction came first and changed what this one met
            before = hex(int(found["blockNumber"], 16))
            self._eth_call(to, data, before, sender=sender, value=value)
            raise Reverted(b"", f"transaction {found['transactionHash']} failed after {used:,} gas")
        created = found.get("contractAddress")
        logs = tuple(map(_log, found["logs"]))
        return Receipt(
            int(found["blockNumber"], 16),
            used,
            logs,
            b"" if to is None else output,
            int(created, 16) if created else None,
        )

    def _eth_call(
        self, to: int | None, data: bytes, block: str, *, sender: int | None = None, value: int = 0
    ) -> bytes:
        fields = {"data": "0x" + data.hex(), "value": hex(value), "gas": hex(GAS_LIMIT)}
        if to is not None:
            fields["to"] = address_text(to)
        if sender is not None:
            fields["from"] = address_text(sender)
        try:
            return bytes.fromhex(self.request("eth_call", fields, block)[2:])
        except JsonRpcError as error:
            raise Reverted(_revert_data(error), str(error.message)) from error

    def call(self, to: int, data: bytes) -> bytes:
        return self._eth_call(to, data, "latest")

    def probe(self, code: bytes) -> bytes | None:
        try:
            return self._eth_call(None, code, "latest")
        except Reverted:
            return None

    def mine(self, blocks: int = 1) -> None:
        try:
            self.request("anvil_mine", hex(blocks))
        except JsonRpcError:
            for _ in range(blocks):
                self.request("evm_mine")

    def balance(self, address: int) -> int:
        wei = self._number("eth_getBalance", address_text(address), "latest")
        return self._senders.without_fees(address, wei)

    def give(self, address: int, amount: int) -> None:
        if self._faucet is None:
            raise ValueError("give: this transport was made without a faucet")
        self._send(address, b"", self._faucet, amount)

    def code(self, address: int) -> bytes:
        return bytes.fromhex(self.request("eth_getCode", address_text(address), "latest")[2:])

    def logs(self, address: int, first_block: int = 0) -> list[Log]:
        wanted = {"address": address_text(address), "fromBlock": hex(first_block), "toBlock": "latest"}
        return [_log(found) for found in self.request("eth_getLogs", wanted)]

    def calldata(self, block: int, to: int | None) -> list[bytes]:
        found = self.request("eth_getBlockByNumber", hex(block), True)
        calls = []
        for transaction in found["transactions"] if found else []:
            if transaction["to"] is None or to not in (int(transaction["to"], 16), None):
                continue
            receipt = self.request("eth_getTransactionReceipt", transaction["hash"])
            if int(receipt["status"], 16) == 1:
                calls.append(bytes.fromhex(transaction["input"][2:]))
        return calls


def _log(found: Any) -> Log:
    return Log(
        int(found["blockNumber"], 16),
        int(found["address"], 16),
        tuple(bytes.fromhex(topic[2:]) for topic in found["topics"]),
        bytes.fromhex(found["data"][2:]),
    )


def _revert_data(error: JsonRpcError) -> bytes:
    """Nodes put it into ``error.data``, as text or as an object that holds it."""
    data = error.data
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and data.startswith("0x"):
        return bytes.fromhex(data[2:])
    message = str(error.message).lower()
    if error.code == 3 or any(words in message for words in _FAILED):
        return b""
    raise error


_FAILED = ("revert", "evm error", "out of gas", "invalid opcode", "invalid jump", "stack underflow")
"""What nodes say of a call that failed, as opposed to one that they would not try."""
