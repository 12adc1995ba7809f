"""Any node that speaks Ethereum's JSON-RPC over HTTP; transactions are signed here and sent raw.

This module must not know what is called. Before a transaction is sent it is tried by ``eth_call``, as wallets
do, so that one that would revert says why, costs nothing and makes no block.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

from .signing import Senders
from .transport import GAS_LIMIT, EvmError, Log, Receipt, Reverted, address_text

__all__ = ["JsonRpcError", "JsonRpcTransport", "NodeUnreachable", "NotEnoughEther", "NotMined"]


class JsonRpcError(EvmError):
    """The node refused a request."""

    def __init__(self, method: str, code: object, message: object, data: object) -> None:
        super().__init__(f"{method}: the node answered error {code}: {message}")
        self.method, self.code, self.message, self.data = method, code, message, data


class NodeUnreachable(EvmError):
    """No answer of JSON-RPC came from there."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url}: no Ethereum node answers there: {why}")
        self.url = url


class NotMined(EvmError):
    """A transaction was sent and is in no block yet."""

    def __init__(self, transaction: str, seconds: float) -> None:
        super().__init__(f"transaction {transaction} is in no block after {seconds:g} s; it may still come")
        self.transaction = transaction


class NotEnoughEther(EvmError):
    """A sender that cannot pay for a transaction."""

    def __init__(self, sender: int, balance: int, gas: int, price: int, value: int) -> None:
        needed = gas * price + value
        sent = f", and {value:,} sent along" if value else ""
        super().__init__(
            f"sender {address_text(sender)} has {balance:,} wei; the transaction may take {needed:,}: "
            f"{gas:,} gas at up to {price:,} wei{sent}; send it {needed - balance:,} wei or more"
        )
        self.sender, self.balance, self.needed = sender, balance, needed


class JsonRpcTransport:
    """The node at ``url``, with senders of these private keys, who pay their own fees.

    ``faucet``, one of the senders, is whose wei :meth:`give` gives. ``mine`` works where the node has
    ``anvil_mine`` or ``evm_mine``, as those for development have.

    Raises :class:`NodeUnreachable`, :class:`JsonRpcError`, :class:`MissingLibrary`.
    """

    name = "json-rpc"
    exact_gas = True

    def __init__(
        self, url: str, *, keys: Iterable[int], faucet: int | None = None, timeout: float = 60.0
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._senders = Senders(keys)
        self._faucet = faucet
        self._requests = 0
        self._chain_id = self._number("eth_chainId")

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
            raise NodeUnreachable(self._url, str(error)) from error
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

    def _send(self, to: int | None, data: bytes, sender: int, value: int) -> Receipt:
        self._senders.require(sender)
        tip = 10**9
        base = int(self.request("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", "0x0"), 16)
        held = self._number("eth_getBalance", address_text(sender), "latest")
        price = 2 * base + tip
        if held < _TRANSFER_GAS * price + value:  # not even tried: nodes say so in words of their own
            raise NotEnoughEther(sender, held, _TRANSFER_GAS, price, value)
        output = self._eth_call(to, data, "pending", sender=sender, value=value)
        fields: dict[str, Any] = {} if to is None else {"to": to}
        fields |= {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": self._number("eth_getTransactionCount", address_text(sender), "pending"),
            "gas": self._gas(to, data, sender, value),
            "maxFeePerGas": price,
            "maxPriorityFeePerGas": tip,
            "data": data,
            "value": value,
        }
        if held < fields["gas"] * price + value:
            raise NotEnoughEther(sender, held, fields["gas"], price, value)
        raw = self._senders.sign(sender, fields)
        transaction = self.request("eth_sendRawTransaction", "0x" + raw.hex())
        found = self._receipt(transaction)
        used = int(found["gasUsed"], 16)
        self._senders.paid(sender, used * int(found["effectiveGasPrice"], 16))
        if int(found["status"], 16) != 1:  # another transaction came first and changed what this one met
            before = hex(int(found["blockNumber"], 16))
            self._eth_call(to, data, before, sender=sender, value=value)
            raise Reverted(b"", f"transaction {transaction} failed after {used:,} gas")
        created = found.get("contractAddress")
        logs = tuple(map(_log, found["logs"]))
        return Receipt(
            int(found["blockNumber"], 16),
            used,
            logs,
            b"" if to is None else output,
            int(created, 16) if created else None,
        )

    def _gas(self, to: int | None, data: bytes, sender: int, value: int) -> int:
        """A quarter more than the node says that it takes: a chain wants all of it paid in advance."""
        fields = {"from": address_text(sender), "data": "0x" + data.hex(), "value": hex(value)}
        if to is not None:
            fields["to"] = address_text(to)
        try:
            needed = self._number("eth_estimateGas", fields, "pending")
        except JsonRpcError as error:
            if error.code != _NO_SUCH_METHOD:
                raise
            return GAS_LIMIT
        return min(needed + needed // 4, GAS_LIMIT)

    def _receipt(self, transaction: str) -> Any:
        end = time.monotonic() + self._timeout
        pause = 0.01
        while (found := self.request("eth_getTransactionReceipt", transaction)) is None:
            if time.monotonic() > end:
                raise NotMined(transaction, self._timeout)
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        return found

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


_NO_SUCH_METHOD = -32601

_TRANSFER_GAS = 21_000
"""The least that any transaction takes."""

_FAILED = ("revert", "evm error", "out of gas", "invalid opcode", "invalid jump", "stack underflow")
"""What nodes say of a call that failed, as opposed to one that they would not try."""
