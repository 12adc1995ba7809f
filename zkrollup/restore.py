"""The state rebuilt from L1 alone: every executed batch is fetched, checked against what the contract keeps
of it, and replayed; the end is the contract's root, or an error that names what differs.

It must not know which L1 it reads, and believes it as little as it can. The contract's storage is what
counts: a header must have the hash that is stored, data the skeleton and root of its header. An L1 node that
lies about events or calldata is caught by that; one that lies about storage is caught where it contradicts
itself. Nothing of an operator's is asked for.

What a batch costs: its bytes once through keccak, and Poseidon for each leaf that it changes and each node
above them, a node above several of them once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.events import RequestQueued
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.interface import L1
from zkrollup.l1.queue import request_hash
from zkrollup.state import Account, StateTree
from zkrollup.state.exceptions import StateError
from zkrollup.state.public_data import PublicData, decode
from zkrollup.state.replay import replay_all

__all__ = ["WINDOW", "Restored", "RestoreRefused", "read_genesis", "restore", "waiting_requests"]

WINDOW = 64
"""How many batches are hashed together and committed at once."""

Progress = Callable[[int, int], None]
"""Called with the batches that are restored and how many there are in all."""

_ROOT_AFTER = slice(83, 115)
"""Of a batch's data: after version, chain id, rollup id, batch number, slots, both indices, root before."""


@dataclass(eq=False)
class RestoreRefused(StateError, ValueError):
    """What L1 has does not lead to the contract's root, or not from the state that is there."""

    name: str
    found: str
    expected: str
    label = "cannot restore"
    problem = "{name} is {found}"
    remedy = "expected {expected}"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. ``batches`` and ``num_bytes`` count what this call replayed; ``waiting`` are L1's
    requests that no executed batch has consumed."""

    batches: int
    num_bytes: int
    batch_number: int
    root: int
    next_index: int
    waiting: tuple[RequestQueued, ...]


def restore(
    l1: L1,
    state: StateTree,
    *,
    genesis: Iterable[Account] = (),
    window: int = WINDOW,
    progress: Progress | None = None,
) -> Restored:
    """Bring ``state``, empty or restored earlier, to the last executed batch.

    Arguments:
        genesis: the accounts that the contract's first root had, where it was not the empty tree's: L1 does
            not have them. Read for a state without batches and accounts only.
        window: how many batches are one commit. After an error the state holds the windows before.

    Raises :class:`RestoreRefused`; a :class:`~zkrollup.state.exceptions.PublicDataError` or what
    :func:`~zkrollup.state.replay.replay_all` raises, with the batch's number, where data is malformed.
    """
    last = l1.executed
    _begin(l1, state, genesis, last)
    begin, num_bytes = state.batch_number, 0
    batches: list[PublicData] = []
    for number in range(begin + 1, last + 1):
        data = _batch(l1, number)
        num_bytes += len(data)
        batches.append(_decoded(l1, number, data))
        if len(batches) == window or number == last:
            replay_all(state, batches)
            batches.clear()
            if progress is not None:
                progress(number - begin, last - begin)
    header = _header(l1, last)
    _require(last, "root", hex(state.root), hex(header.root_after))
    _require(last, "next index", state.next_index, header.next_index)
    if l1.executed == last:  # else the contract has moved on meanwhile, and this is its state of before
        _require(last, "the contract's root", hex(l1.root), hex(state.root))
        _require(last, "the contract's next index", l1.next_index, state.next_index)
    return Restored(last - begin, num_bytes, last, state.root, state.next_index, waiting_requests(l1, header))


def read_genesis(path: Path) -> list[Account]:
    """The accounts of a genesis file: a JSON list of objects, the first one account 1.

    Each has ``token``, ``balance``, ``ax``, ``ay`` as integers or their decimal digits, ``eth_address`` as
    ``0x`` and 40 digits, and ``nonce`` where it is not 0. Raises :class:`RestoreRefused` naming the file, the
    account and the field, ``OSError``.
    """
    try:
        forms = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RestoreRefused(
            "the file", f"no JSON ({error})", "a list of accounts", place=str(path)
        ) from None
    if not isinstance(forms, list):
        raise RestoreRefused("the file", "no list", "a list of accounts", place=str(path))
    return [_genesis_account(path, index, form) for index, form in enumerate(forms, start=1)]


def _genesis_account(path: Path, index: int, form: object) -> Account:
    def refused(name: str, found: object, expected: str) -> RestoreRefused:
        return RestoreRefused(f"account {index}{name}", str(found), expected, place=str(path))

    if not isinstance(form, dict):
        raise refused("", "no object", "an object")
    names = [item.name for item in fields(Account)]
    for name in form:
        if name not in names:
            raise refused(f": {name!r}", "unknown", f"one of {', '.join(names)}")
    values: dict[str, int] = {}
    for name in names:
        value = form.get(name, 0 if name == "nonce" else None)
        pattern, base, expected = _FORMS["eth_address" if name == "eth_address" else ""]
        if isinstance(value, str) and pattern.fullmatch(value):
            value = int(value, base)
        elif type(value) is not int or base == 16:
            raise refused(f": {name}", "missing" if value is None else repr(value)[:80], expected)
        values[name] = value
    try:
        return Account(**values)
    except StateError as error:
        error.place = f"{path}: account {index}"
        raise


_FORMS = {
    "": (re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII), 10, "an integer, or its decimal digits"),
    "eth_address": (re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII), 16, "0x and 40 hexadecimal digits"),
}


def waiting_requests(l1: L1, header: BatchHeader) -> tuple[RequestQueued, ...]:
    """The requests that no batch up to this one consumed, oldest first, as the events say them.

    Raises :class:`RestoreRefused` when one is missing, or is not what the contract stores the hash of (a
    deposit that was cancelled after a freeze has none left).
    """
    events = (logged.event for logged in l1.events())
    queued = {event.number: event for event in events if isinstance(event, RequestQueued)}
    waiting = range(header.requests_consumed, l1.num_requests)
    for number in waiting:
        if number not in queued:
            raise RestoreRefused(f"the event of request {number}", "missing", "one RequestQueued for each")
        found, stored = _request_hash(queued[number]), l1.request(number).hash
        if stored not in (found, bytes(32)):
            raise RestoreRefused(
                f"the event of request {number}", f"of a request with the hash {found.hex()}", stored.hex()
            )
    return tuple(queued[number] for number in waiting)


def _request_hash(event: RequestQueued) -> bytes:
    return request_hash(event.kind, event.target, event.amount, event.ax, event.ay, event.owner)


def _begin(l1: L1, state: StateTree, genesis: Iterable[Account], last: int) -> None:
    """Demand that the state is one of this contract's, the genesis or a batch that was executed."""
    depth, number = l1.parameters.depth, state.batch_number
    if state.depth != depth:
        raise RestoreRefused("depth of the state", str(state.depth), f"{depth}, the contract's")
    before = state.snapshot()
    if number == 0 and state.next_index == 1:
        accounts = list(genesis)
        if accounts:
            state.seed(accounts)
    if number > last:
        raise RestoreRefused("batch of the state", str(number), f"at most {last}, the last executed one")
    if number == 0:
        config = l1.config
        wanted = (config.genesis_root, config.genesis_next_index)
        if (state.root, state.next_index) != wanted:
            found, expected = (
                f"root {root:#x}, next index {index}"
                for root, index in ((state.root, state.next_index), wanted)
            )
            state.restore(before)  # whoever has the right accounts may try again
            raise RestoreRefused(
                "genesis", found, f"{expected}: give the accounts that the contract began with"
            )
        return
    header = _header(l1, number)
    if state.root != header.root_after:
        raise RestoreRefused(
            "root of the state", hex(state.root), f"{header.root_after:#x}, of the contract's batch {number}"
        )


def _header(l1: L1, number: int) -> BatchHeader:
    """A header that has the hash which the contract stores."""
    try:
        header = l1.header(number)
    except KeyError:
        raise RestoreRefused(
            "header", "missing", "one for each executed batch", place=_place(number)
        ) from None
    _require(number, "hash of the header", header.hash.hex(), l1.batch_hash(number).hex())
    _require(number, "number in the header", header.number, number)
    return header


def _batch(l1: L1, number: int) -> bytes:
    """A batch's data, as its header says."""
    try:
        data = l1.batch_data(number)
    except KeyError:
        raise RestoreRefused("data", "missing", "what it was committed with", place=_place(number)) from None
    header = _header(l1, number)
    blanked = data[: _ROOT_AFTER.start] + bytes(32) + data[_ROOT_AFTER.stop :]
    _require(number, "hash of the data without its root", keccak256(blanked).hex(), header.skeleton.hex())
    root = int.from_bytes(data[_ROOT_AFTER], "big")
    _require(number, "root after", hex(root), hex(header.root_after))
    return data


def _decoded(l1: L1, number: int, data: bytes) -> PublicData:
    try:
        batch = decode(data, l1.parameters)
    except StateError as error:
        error.place = _place(number)
        raise
    _require(number, "chain id", batch.chain_id, l1.chain_id)
    _require(number, "rollup id", batch.rollup_id, l1.rollup_id)
    return batch


def _require(number: int, name: str, found: object, expected: object) -> None:
    if found != expected:
        raise RestoreRefused(name, str(found), str(expected), place=_place(number))


def _place(number: int) -> str:
    return f"batch {number}"
