"""A node for tests: Ethereum's JSON-RPC over HTTP, with eth-tester behind, on a thread of this process.

It must not know of rollups. It answers what our JSON-RPC transport asks. With ``hold`` transactions wait in a
pool until :meth:`Node.mine_held` takes one; one that offers ``bump`` percent more replaces another one of its
sender and nonce. ``break_next`` answers the next request in place of the node.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.evm.eth_tester_transport import FAUCET_KEY, EthTesterTransport
from zkrollup.l1.evm.transport import Log, Reverted

__all__ = ["FAUCET_KEY", "Node"]


class Refused(Exception):
    """What a pool does not take, in a node's words."""


class Node:
    """Serves a fresh chain until it is closed."""

    def __init__(self) -> None:
        self.chain = EthTesterTransport(keys=())
        self.hold = False
        self.bump = 10
        self.pool: dict[tuple[str, int], dict[str, Any]] = {}
        self.raw: dict[str, str] = {}
        """Every transaction that was ever taken, by its hash."""
        self.break_next: Callable[[dict[str, Any]], Any] | None = None
        self._lock = threading.Lock()
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with node._lock:
                    body = node.answer(request)
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: dict[str, Any]) -> Any:
        """The response to a request; bytes are sent as they are."""
        if self.break_next is not None:
            broken, self.break_next = self.break_next, None
            return broken(request)
        envelope = {"jsonrpc": "2.0", "id": request["id"]}
        method = getattr(self, request["method"], None)
        if method is None:
            return envelope | {"error": {"code": -32601, "message": f"no method {request['method']}"}}
        try:
            return envelope | {"result": method(*request["params"])}
        except Reverted as reverted:
            said = {"code": 3, "message": "execution reverted", "data": "0x" + reverted.data.hex()}
            return envelope | {"error": said}
        except Refused as refused:
            return envelope | {"error": {"code": -32000, "message": str(refused)}}

    # -- methods -------------------------------------------------------------------------------------------

    def eth_chainId(self) -> str:
        return hex(self.chain.chain_id)

    def eth_blockNumber(self) -> str:
        return hex(self.chain.block_number)

    def eth_getBlockByNumber(self, block: str, full: bool) -> Any:
        found = self.chain._tester.get_block_by_number(
            "latest" if block == "latest" else int(block, 16), True
        )
        transactions = [
            {"to": sent["to"] or None, "hash": sent["hash"], "input": sent["data"]}
            for sent in found["transactions"]
        ]
        return {
            "baseFeePerGas": hex(found["base_fee_per_gas"]),
            "gasLimit": hex(found["gas_limit"]),
            "transactions": transactions,
        }

    def eth_getTransactionCount(self, address: str, block: str) -> str:
        nonce = self.chain._chain.get_vm().state.get_nonce(bytes.fromhex(address[2:]))
        while block == "pending" and (address.lower(), nonce) in self.pool:
            nonce += 1
        return hex(nonce)

    def eth_getBalance(self, address: str, block: str) -> str:
        return hex(self.chain._chain.get_vm().state.get_balance(bytes.fromhex(address[2:])))

    def eth_getCode(self, address: str, block: str) -> str:
        return "0x" + self.chain.code(int(address, 16)).hex()

    def eth_call(self, fields: dict[str, str], block: str) -> str:
        sender = int(fields["from"], 16) if "from" in fields else self.chain._faucet
        to = int(fields["to"], 16) if "to" in fields else None
        data, value = bytes.fromhex(fields["data"][2:]), int(fields["value"], 16)
        return "0x" + self.chain._run(to, data, sender=sender, value=value, head=block == "latest").hex()

    def eth_sendRawTransaction(self, raw: str) -> str:
        from eth_account import Account
        from eth_account.typed_transactions import TypedTransaction
        from hexbytes import HexBytes

        name = "0x" + keccak256(bytes.fromhex(raw[2:])).hex()
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        place = Account.recover_transaction(raw).lower(), int(fields["nonce"])
        if place[1] < int(self.eth_getTransactionCount(place[0], "latest"), 16):
            raise Refused("nonce too low")
        there = self.pool.get(place)
        if there is not None and there["hash"] == name:
            raise Refused("already known")
        if there is not None and any(
            100 * fields[fee] < (100 + self.bump) * there[fee]
            for fee in ("maxFeePerGas", "maxPriorityFeePerGas")
        ):
            raise Refused("replacement transaction underpriced")
        self.raw[name] = raw
        if not self.hold:
            return str(self.chain._tester.send_raw_transaction(raw))
        self.pool[place] = dict(fields) | {"hash": name}
        return name

    def mine_held(self, name: str | None = None) -> str:
        """Puts the one transaction of the pool into a block, or an earlier one that it replaced."""
        ((place, there),) = self.pool.items()
        del self.pool[place]
        return str(self.chain._tester.send_raw_transaction(self.raw[name or there["hash"]]))

    def eth_getTransactionReceipt(self, transaction: str) -> Any:
        from eth_tester.exceptions import TransactionNotFound

        try:
            return self._receipt(transaction)
        except TransactionNotFound:
            return None

    def _receipt(self, transaction: str) -> Any:
        found = self.chain._tester.get_transaction_receipt(transaction)
        logs = [
            Log(
                found["block_number"],
                int(log["address"], 16),
                tuple(bytes.fromhex(str(topic)[2:]) for topic in log["topics"]),
                bytes.fromhex(str(log["data"])[2:]),
            )
            for log in found["logs"]
        ]
        self.chain._logs += [log for log in logs if log not in self.chain._logs]
        return {
            "transactionHash": transaction,
            "gasUsed": hex(found["gas_used"]),
            "effectiveGasPrice": hex(found["effective_gas_price"]),
            "status": hex(found["status"]),
            "blockNumber": hex(found["block_number"]),
            "contractAddress": found["contract_address"],
            "logs": [_log(log) for log in logs],
        }

    def eth_getLogs(self, wanted: dict[str, str]) -> Any:
        return [
            _log(log) for log in self.chain.logs(int(wanted["address"], 16), int(wanted["fromBlock"], 16))
        ]

    def evm_mine(self) -> str:
        self.chain.mine()
        return "0x0"


def _log(log: Log) -> dict[str, Any]:
    return {
        "blockNumber": hex(log.block),
        "address": f"{log.address:#042x}",
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
    }
