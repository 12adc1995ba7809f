"""JSON-RPC 2.0 as such: bodies in, bodies out, and how often somebody may ask.

This module must not know the methods, HTTP, or the node.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from zkrollup.node import errors
from zkrollup.state.exceptions import Refusal

__all__ = ["Handler", "RateLimiter", "answer", "parse"]

log = logging.getLogger("zkrollup.node")

Handler = Callable[[dict[str, Any]], Awaitable[Any]]
"""A method: its named parameters in, its JSON result out; raises a :class:`Refusal`."""

MAX_BRACKETS = 100_000


class RateLimiter:
    """So many requests a second for each client, and a burst at once (a bucket of tokens each).

    ``clock`` gives seconds. At most ``clients`` are remembered, those that came last.
    """

    def __init__(self, rate: int, burst: int, clock: Callable[[], float], *, clients: int = 10_000) -> None:
        self.rate, self.burst = rate, burst
        self._clock = clock
        self._clients = clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, requests: int = 1) -> None:
        """Counts requests of a client; raises :class:`RateLimited` when they are too many."""
        now = self._clock()
        tokens, since = self._buckets.pop(client, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - since) * self.rate)
        enough = tokens >= requests
        self._buckets[client] = (tokens - requests if enough else tokens, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        if not enough:
            wait = (min(requests, self.burst) - tokens) / self.rate
            raise errors.RateLimited(self.rate, self.burst, round(max(wait, 0.001), 3))


def parse(body: bytes) -> Any:
    """The JSON of a body; raises :class:`ParseError`. Numbers are exact: a fraction stays a string."""
    try:
        text = body.decode("utf-8")
        if text.count("[") + text.count("{") > MAX_BRACKETS:
            raise ValueError(f"more than {MAX_BRACKETS} brackets")
        return json.loads(
            text, parse_float=lambda number: number, parse_constant=_refuse_constant, object_pairs_hook=_once
        )
    except RecursionError:
        raise errors.ParseError("nested too deeply") from None
    except ValueError as error:
        raise errors.ParseError(_short(str(error))) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {_short(name)!r} stands twice in one object")
        found[name] = value
    return found


async def answer(request: Any, methods: Mapping[str, Handler]) -> dict[str, Any] | None:
    """The answer to one request; ``None`` for a notification, which wants none."""
    identifier = request.get("id") if isinstance(request, dict) else None
    if isinstance(identifier, bool) or not isinstance(identifier, str | int | None):
        identifier = None
    try:
        result = await _call(request, methods)
    except Refusal as refusal:
        error = errors.error_object(refusal)
    except Exception as failure:
        log.exception("internal error")
        error = {
            "code": errors.INTERNAL_ERROR,
            "message": f"internal error: {type(failure).__name__}; the node's log has more",
            "data": {"reason": type(failure).__name__},
        }
    else:
        if "id" not in request:
            return None
        return {"jsonrpc": "2.0", "id": identifier, "result": result}
    if isinstance(request, dict) and "id" not in request and error["code"] != errors.InvalidRequest.code:
        return None
    return {"jsonrpc": "2.0", "id": identifier, "error": error}


async def _call(request: Any, methods: Mapping[str, Handler]) -> Any:
    if not isinstance(request, dict):
        raise errors.InvalidRequest("the request", _kind(request), "an object")
    if request.get("jsonrpc") != "2.0":
        raise errors.InvalidRequest("jsonrpc", _kind(request.get("jsonrpc")), '"2.0"')
    if "id" in request and (
        isinstance(request["id"], bool) or not isinstance(request["id"], str | int | None)
    ):
        raise errors.InvalidRequest("id", _kind(request["id"]), "a string, an integer or null")
    method = request.get("method")
    if not isinstance(method, str):
        raise errors.InvalidRequest("method", _kind(method), "a string")
    unknown = sorted(set(request) - {"jsonrpc", "id", "method", "params"})
    if unknown:
        raise errors.InvalidRequest(
            "the request", f"with the member {_short(unknown[0])!r}", "no more members"
        )
    if method not in methods:
        raise errors.MethodNotFound(_short(method), tuple(sorted(methods)))
    params = request.get("params", {})
    if not isinstance(params, dict):
        raise errors.InvalidParams("params", _kind(params), "an object: parameters go by name")
    return await methods[method](params)


def _kind(value: Any) -> str:
    return _short(json.dumps(value)) if isinstance(value, str | int | float | None) else type(value).__name__


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
