"""The node's JSON-RPC interface over HTTP: ``POST /``, ``GET /health``, ``GET /metrics``.

This module must not decide anything: it reads parameters, asks the node, and writes answers. Each refusal has
a code of its own and its values in ``data`` (``docs/node.md``). Integers above 2^53 are decimal strings in
answers, addresses ``0x`` and 40 digits, ids and roots ``0x`` and 64.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zkrollup.l1.interface import L1World
from zkrollup.l1.reverts import Revert
from zkrollup.node import errors
from zkrollup.node.jsonrpc import Handler, RateLimiter, answer, parse
from zkrollup.node.service import Node
from zkrollup.node.store import StoredBatch, StoredTransaction
from zkrollup.state.accounts import ADDRESS_BITS, BALANCE_BITS, INDEX_BITS, TOKEN_BITS, AccountKey
from zkrollup.state.exceptions import OutOfRange, Refusal, StateError
from zkrollup.state.transactions import SignedTransaction, transaction_from_dict, transaction_to_dict

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Api", "ServerLimits"]

LINGERING_SECONDS = 2.0
"""How long the rest of a body that was refused is read, so that its sender gets to read why."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bytes of a body, requests in one list, requests a second and at once of one client; seconds in which a
    body must have come, and for which a connection may be silent before the next request is whole."""

    body_bytes: int = 1 << 20
    requests_in_body: int = 256
    rate: int = 200
    burst: int = 1_000
    body_seconds: float = 30.0
    idle_seconds: float = 60.0


class Api:
    """The methods of a node, and the web application that offers them.

    ``world`` is the embedded L1, for the methods that begin with ``dev_``; without it there are none.
    """

    def __init__(
        self, node: Node, limits: ServerLimits | None = None, *, world: L1World | None = None
    ) -> None:
        self.node = node
        self.limits = ServerLimits() if limits is None else limits
        self.world = world
        self.limiter = RateLimiter(self.limits.rate, self.limits.burst, time.monotonic)
        self.methods: dict[str, Handler] = {
            "submit": self.submit,
            "submit_group": self.submit_group,
            "transaction": self.transaction,
            "account": self.account,
            "find_account": self.find_account,
            "proof": self.proof,
            "batch": self.batch,
            "info": self.info,
        }
        if world is not None:
            self.methods |= {
                "dev_deposit": self.dev_deposit,
                "dev_request_exit": self.dev_request_exit,
                "dev_withdraw": self.dev_withdraw,
                "dev_mine": self.dev_mine,
            }

    # -- HTTP ------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        """The web application."""
        from aiohttp import web

        application = web.Application(client_max_size=self.limits.body_bytes + 1)
        application.router.add_post("/", self._post)
        application.router.add_get("/health", self._health)
        application.router.add_get("/metrics", self._metrics)
        return application

    def runner(self, *, shutdown_timeout: float) -> web.AppRunner:
        """What serves the application; connections that are silent, or without whole headers, are closed."""
        from aiohttp import web

        return web.AppRunner(
            self.application(),
            access_log=None,
            shutdown_timeout=shutdown_timeout,
            keepalive_timeout=self.limits.idle_seconds,
            lingering_time=LINGERING_SECONDS,
        )

    async def _post(self, request: web.Request) -> web.Response:
        try:
            body = await self._body(request)
            found = parse(body)
            requests = found if isinstance(found, list) else [found]
            if not requests:
                raise errors.InvalidRequest("the list of requests", "empty", "one request or more")
            if len(requests) > self.limits.requests_in_body:
                raise errors.BatchTooLong(len(requests), self.limits.requests_in_body)
            self.limiter.take(request.remote or "", len(requests))
        except Refusal as refusal:
            error = {"jsonrpc": "2.0", "id": None, "error": errors.error_object(refusal)}
            response = _response(error, status=_HTTP_STATUS.get(type(refusal), 400))
            if isinstance(refusal, errors.BodyTooSlow):
                response.force_close()  # what comes of the body now is no request
            return response
        answers = [await answer(one, self.methods) for one in requests]
        wanted = [one for one in answers if one is not None]
        if not wanted:
            return _empty()
        return _response(wanted if isinstance(found, list) else wanted[0])

    async def _body(self, request: web.Request) -> bytes:
        limit = self.limits.body_bytes
        said = request.headers.get("Content-Type", "")
        if said.partition(";")[0].strip().lower() not in _CONTENT_TYPES:
            raise errors.WrongContentType(said[:80])
        if request.content_length is not None and request.content_length > limit:
            raise errors.BodyTooLarge(request.content_length, limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                async for chunk in request.content.iter_chunked(1 << 16):
                    body += chunk
                    if len(body) > limit:
                        raise errors.BodyTooLarge(len(body), limit)
        except TimeoutError:
            raise errors.BodyTooSlow(len(body), self.limits.body_seconds) from None
        return bytes(body)

    async def _health(self, request: web.Request) -> web.Response:
        node = self.node
        trouble = node.progress.last_error
        if node.stopping:
            trouble = "stopping"
        elif node.view is None:
            trouble = trouble or "L1 was not reached yet"
        elif node.view.frozen:
            trouble = "the contract is frozen"
        elif not trouble and (proving := node.progress.proving) is not None and proving.gave_up:
            trouble = (
                f"batch {proving.batch} is not proved after {proving.attempts} attempts: {proving.failure}"
            )
        healthy = not trouble
        facts = {"status": "ok" if healthy else "unavailable", "reason": trouble}
        return _response(facts, status=200 if healthy else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        from aiohttp import web

        summary, progress = await self.node.summary(), self.node.progress
        values: dict[str, float] = {
            "transactions_accepted_total": progress.accepted,
            "transactions_refused_total": progress.refused,
            "batches_built_total": progress.built,
            "batches_proved_total": progress.proved,
            "proof_failures_total": progress.proof_failures,
            "batches_executed_total": progress.executed,
            "batches_dropped_by_l1_total": progress.dropped_by_l1,
            "batches_rebuilt_total": progress.rebuilt,
            "l1_calls_total": progress.l1_calls,
            "l1_failures_total": progress.l1_failures,
            "transactions_waiting": summary["waiting"],
            "batches_in_flight": summary["in_flight"],
            "last_batch": summary["last_batch"],
            "last_proved_batch": summary["last_proved"],
            "last_executed_batch": summary["last_executed"],
            "last_build_seconds": progress.build_seconds,
            "last_prove_seconds": progress.prove_seconds,
            "uptime_seconds": time.time() - progress.started,
        }
        lines = []
        for name, value in values.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            lines.append(f"# TYPE zkrollup_{name} {kind}\nzkrollup_{name} {value:g}\n")
        return web.Response(text="".join(lines), content_type="text/plain")

    # -- transactions ----------------------------------------------------------------------------

    async def submit(self, params: dict[str, Any]) -> Any:
        """One signed transaction: ``transaction``, ``chain_id``, ``rollup_id``."""
        reader = _Params(params, ("transaction", "chain_id", "rollup_id"))
        transaction = _signed(reader.get("transaction"), "transaction")
        return (await self._submit([transaction], reader))[0]

    async def submit_group(self, params: dict[str, Any]) -> Any:
        """A whole group of signed transactions in order: ``transactions``, ``chain_id``, ``rollup_id``."""
        reader = _Params(params, ("transactions", "chain_id", "rollup_id"))
        forms = reader.get("transactions")
        slots = self.node.sequencer.store.identity.slots
        if not isinstance(forms, list) or not forms:
            raise errors.InvalidParams("transactions", _shown(forms), "a list of transactions")
        if len(forms) > slots:
            raise errors.GroupTooLarge(len(forms), slots)
        signed = [_signed(form, f"transactions[{place}]") for place, form in enumerate(forms)]
        return await self._submit(signed, reader)

    async def _submit(self, transactions: list[SignedTransaction], reader: _Params) -> list[dict[str, Any]]:
        if self.node.stopping:
            raise errors.NodeStopping()
        chain_id, rollup_id = reader.number("chain_id", 64), reader.address("rollup_id")
        receipts = await self.node.submit(transactions, chain_id, rollup_id)
        return [
            {"id": _word(receipt.id), "status": receipt.status, "known": receipt.known}
            for receipt in receipts
        ]

    async def transaction(self, params: dict[str, Any]) -> Any:
        """What became of a transaction: ``id``."""
        identifier = _Params(params, ("id",)).word("id")

        def work() -> Any:
            store = self.node.sequencer.store
            stored = store.find_transaction(identifier)
            if stored is None:
                raise errors.NoSuchTransaction(_word(identifier))
            batch = None if stored.batch is None else store.batch(stored.batch)
            return _transaction(stored, batch)

        return await self.node.core(work)

    # -- state -----------------------------------------------------------------------------------

    async def account(self, params: dict[str, Any]) -> Any:
        """An account as built so far: ``account``."""
        index = _Params(params, ("account",)).number("account", INDEX_BITS)
        return await self.node.core(self._account, index)

    def _account(self, index: int) -> dict[str, Any]:
        sequencer = self.node.sequencer
        account = sequencer.state.account(index)
        if account.is_empty:
            raise errors.NoSuchAccount(str(index))
        waiting = sequencer.mempool.waiting(index)
        following = account.nonce
        for nonce in waiting:
            following += nonce == following
        return {
            "account": index,
            "token": account.token,
            "balance": str(account.balance),
            "nonce": account.nonce,
            "next_nonce": following,
            "waiting_nonces": waiting,
            "ax": str(account.ax),
            "ay": str(account.ay),
            "eth_address": _address(account.eth_address),
            "batch": sequencer.state.batch_number,
        }

    async def find_account(self, params: dict[str, Any]) -> Any:
        """The account of a key: ``token``, ``ax``, ``ay``, ``eth_address``."""
        reader = _Params(params, ("token", "ax", "ay", "eth_address"))
        key = AccountKey(
            reader.number("token", TOKEN_BITS),
            reader.number("ax", 254),
            reader.number("ay", 254),
            reader.address("eth_address"),
        )

        def work() -> Any:
            index = self.node.sequencer.state.find(key)
            if index is None:
                raise errors.NoSuchAccount(f"of token {key.token} with this key and address")
            return self._account(index)

        return await self.node.core(work)

    async def proof(self, params: dict[str, Any]) -> Any:
        """An account's path to the root after the last batch built: ``account``."""
        index = _Params(params, ("account",)).number("account", INDEX_BITS)

        def work() -> Any:
            state, store = self.node.sequencer.state, self.node.sequencer.store
            if state.account(index).is_empty:
                raise errors.NoSuchAccount(str(index))
            update = state.prove(index)
            batch = store.batch(state.batch_number)
            return {
                **self._account(index),
                "leaf": _word(state.account(index).leaf()),
                "path": [[_word(child) for child in level] for level in update.path],
                "root": _word(state.root),
                "batch_status": "executed" if batch is None else batch.status,
            }

        return await self.node.core(work)

    async def batch(self, params: dict[str, Any]) -> Any:
        """A batch and what became of it: ``number``."""
        number = _Params(params, ("number",)).number("number", 53)

        def work() -> Any:
            store = self.node.sequencer.store
            found = store.batch(number)
            if found is None:
                raise errors.NoSuchBatch(number, store.last_batch())
            return _batch(found) | {"prover": self.node.proving_facts(number)}

        return await self.node.core(work)

    async def info(self, params: dict[str, Any]) -> Any:
        """Which rollup this is, and where it stands."""
        _Params(params, ())
        facts = await self.node.summary()
        facts["rollup_id"], facts["contract"] = _address(facts["rollup_id"]), _address(facts["contract"])
        facts["root"] = _word(facts["root"])
        for name in ("fee_accounts", "min_fees"):
            facts[name] = {str(token): value for token, value in facts[name].items()}
        facts["embedded_l1"] = self.world is not None
        return facts

    # -- the embedded L1 -------------------------------------------------------------------------

    async def dev_deposit(self, params: dict[str, Any]) -> Any:
        """Pays in on the embedded L1 with money made for it: ``token``, ``amount``, ``ax``, ``ay``,
        ``eth_address``."""
        reader = _Params(params, ("token", "amount", "ax", "ay", "eth_address"))
        token, amount = reader.number("token", TOKEN_BITS), reader.number("amount", BALANCE_BITS)
        ax, ay, owner = reader.number("ax", 254), reader.number("ay", 254), reader.address("eth_address")

        def work(world: L1World) -> Any:
            world.fund(owner, token, amount)
            return {"request": world.deposit(token, amount, ax, ay, owner, sender=owner)}

        return await self._dev(work)

    async def dev_request_exit(self, params: dict[str, Any]) -> Any:
        """Forces an account's balance out on the embedded L1: ``account``, ``sender``."""
        reader = _Params(params, ("account", "sender"))
        account, sender = reader.number("account", INDEX_BITS), reader.address("sender")
        return await self._dev(lambda world: {"request": world.request_exit(account, sender=sender)})

    async def dev_withdraw(self, params: dict[str, Any]) -> Any:
        """Pays out what is pending on the embedded L1: ``owner``, ``token``."""
        reader = _Params(params, ("owner", "token"))
        owner, token = reader.address("owner"), reader.number("token", TOKEN_BITS)
        return await self._dev(lambda world: {"amount": str(world.withdraw(owner, token, sender=owner))})

    async def dev_mine(self, params: dict[str, Any]) -> Any:
        """Lets time pass on the embedded L1: ``blocks``."""
        blocks = _Params(params, ("blocks",)).number("blocks", 32)

        def work(world: L1World) -> Any:
            world.mine(blocks)
            return {"block": world.block_number}

        return await self._dev(work)

    async def _dev(self, work: Any) -> Any:
        try:
            result = await self.node.on_l1(work, self.world)
        except Revert as revert:
            raise errors.RevertedByL1(type(revert).__name__, str(revert)) from revert
        except (StateError, OverflowError) as error:
            raise errors.InvalidParams("params", _shown(str(error)), "what the contract can take") from error
        await self.node.wake()
        return result


# -- parameters --------------------------------------------------------------------------------------

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_WORD = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_HTTP_STATUS: dict[type[Refusal], int] = {
    errors.BodyTooLarge: 413,
    errors.BodyTooSlow: 408,
    errors.WrongContentType: 415,
    errors.RateLimited: 429,
}
_CONTENT_TYPES = {"application/json", "application/json-rpc", "application/jsonrequest"}


class _Params:
    """The parameters of a call: exactly those of these names."""

    def __init__(self, params: dict[str, Any], names: Sequence[str]) -> None:
        self._params = params
        expected = "the parameters " + ", ".join(names) if names else "no parameters"
        for name in names:
            if name not in params:
                raise errors.InvalidParams(name, "missing", expected)
        for name in params:
            if name not in names:
                raise errors.InvalidParams(_shown(name), "unknown", expected)

    def get(self, name: str) -> Any:
        return self._params[name]

    def number(self, name: str, bits: int) -> int:
        """An integer, or its decimal digits in a string."""
        value = self._params[name]
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = int(value)
        if type(value) is not int or not 0 <= value < 1 << bits:
            expected = f"an integer from 0 to 2^{bits} - 1, or its decimal digits as a string"
            raise errors.InvalidParams(name, _shown(self._params[name]), expected)
        return value

    def address(self, name: str) -> int:
        value = self._params[name]
        if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
            raise errors.InvalidParams(name, _shown(value), "0x and 40 hexadecimal digits")
        return int(value, 16)

    def word(self, name: str) -> int:
        value = self._params[name]
        if not isinstance(value, str) or not _WORD.fullmatch(value):
            raise errors.InvalidParams(name, _shown(value), "0x and 64 hexadecimal digits")
        return int(value, 16)


def _signed(form: Any, name: str) -> SignedTransaction:
    try:
        transaction = transaction_from_dict(form, source=name)
    except OutOfRange as error:
        raise errors.InvalidParams(f"{name}.{error.name}", _shown(error.value), "a smaller number") from error
    if not isinstance(transaction, SignedTransaction):
        raise errors.UnsupportedKind(transaction.kind.name.lower())
    return transaction


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."


# -- answers -----------------------------------------------------------------------------------------


def _word(value: int) -> str:
    return f"0x{value:064x}"


def _address(value: int) -> str:
    assert value < 1 << ADDRESS_BITS
    return f"0x{value:040x}"


def _transaction(stored: StoredTransaction, batch: StoredBatch | None) -> dict[str, Any]:
    status = stored.status if batch is None else batch.status
    return {
        "id": _word(stored.id),
        "status": status,
        "transaction": transaction_to_dict(stored.transaction),
        "group": [_word(member) for member in stored.group] if len(stored.group) > 1 else None,
        "batch": stored.batch,
        "slot": stored.slot,
        "reason": stored.reason,
    }


def _batch(batch: StoredBatch) -> dict[str, Any]:
    return {
        "number": batch.number,
        "status": batch.status,
        "transactions": batch.signed + batch.num_requests,
        "requests": batch.num_requests,
        "foreign": batch.foreign,
        "forgotten": batch.is_forgotten,
        "data": "0x" + batch.data.hex(),
        "commitment": _word(batch.inputs.commitment),
        "challenge": _word(batch.inputs.challenge),
        "fingerprint": _word(batch.inputs.fingerprint),
        "proof": None if batch.proof is None else "0x" + batch.proof.to_bytes().hex(),
        "root_before": _word(batch.root_before),
        "root_after": _word(batch.root_after),
        "requests_before": batch.requests_before,
        "requests_after": batch.requests_after,
        "built_at": batch.built_at,
        "proved_at": batch.proved_at,
        "executed_at": batch.executed_at,
    }


def _response(content: Any, *, status: int = 200) -> web.Response:
    from aiohttp import web

    return web.json_response(content, status=status)


def _empty() -> web.Response:
    from aiohttp import web

    return web.Response(status=204)
