"""Calls, answers, errors and events of a contract as bytes, by its ABI and by our dataclasses.

This module must not know what any of them means. Addresses are integers here, as everywhere in the library;
what does not fit its Solidity type is refused before it is encoded.

Reference: Solidity's "Contract ABI Specification".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.events import EVENTS, Event
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.reverts import REVERTS, Revert
from zkrollup.l1.solidity import abi_names, abi_types, indexed_names, selector, topic
from zkrollup.state.accounts import require_bits
from zkrollup.state.exceptions import OutOfRange

from .transport import EvmError, Log, MissingLibrary, Reverted

__all__ = ["Abi", "UnknownError", "decode_event", "decode_revert", "header_of"]

_Record = TypeVar("_Record")


class UnknownError(EvmError):
    """A contract reverted with data that is none of its errors: a panic, a halt, or another contract."""

    def __init__(self, reverted: Reverted) -> None:
        super().__init__(f"none of the contract's errors: {reverted}")
        self.data = reverted.data


def _codec() -> Any:
    try:
        import eth_abi
    except ImportError as error:
        raise MissingLibrary("eth-abi", "l1") from error
    return eth_abi


class Abi:
    """The functions of a contract, from the compiler's JSON."""

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self._inputs: dict[str, list[Any]] = {"constructor": []}
        self._outputs: dict[str, list[Any]] = {}
        for entry in entries:
            if entry["type"] == "function":
                self._inputs[entry["name"]] = list(entry["inputs"])
                self._outputs[entry["name"]] = list(entry["outputs"])
            elif entry["type"] == "constructor":
                self._inputs["constructor"] = list(entry["inputs"])

    @property
    def functions(self) -> tuple[str, ...]:
        return tuple(self._outputs)

    def selector(self, name: str) -> bytes:
        """The 4 bytes that a call of this function begins with."""
        return keccak256(f"{name}({','.join(map(_type, self._inputs[name]))})".encode("ascii"))[:4]

    def encode_call(self, name: str, *arguments: Any) -> bytes:
        """Calldata; raises :class:`OutOfRange` for an argument that does not fit its type."""
        return self.selector(name) + self._encode(name, arguments)

    def encode_constructor(self, *arguments: Any) -> bytes:
        """What follows the creation code; raises :class:`OutOfRange`."""
        return self._encode("constructor", arguments)

    def _encode(self, name: str, arguments: Sequence[Any]) -> bytes:
        inputs = self._inputs[name]
        if len(arguments) != len(inputs):
            raise TypeError(f"{name}: expected {len(inputs)} arguments, got {len(arguments)}")
        values = [_to_abi(one, value) for one, value in zip(inputs, arguments, strict=True)]
        return bytes(_codec().encode([_type(one) for one in inputs], values))

    def decode_call(self, name: str, data: bytes) -> tuple[Any, ...] | None:
        """The arguments of calldata; None when it is of another function."""
        if data[:4] != self.selector(name):
            return None
        return _decode([_type(one) for one in self._inputs[name]], data[4:])

    def decode_answer(self, name: str, data: bytes) -> Any:
        """What a function returned: the value where there is one, else all of them."""
        values = _decode([_type(one) for one in self._outputs[name]], data)
        return values[0] if len(values) == 1 else values


def decode_revert(reverted: Reverted) -> Revert | UnknownError:
    """The error that a contract raised, as one of :mod:`zkrollup.l1.reverts`."""
    for kind in REVERTS:
        if reverted.data[:4] == selector(kind):
            try:
                values = _decode(list(abi_types(kind)), reverted.data[4:])
            except _codec().exceptions.DecodingError:
                break
            return kind(**dict(zip(abi_names(kind), values, strict=True)))
    return UnknownError(reverted)


def decode_event(log: Log) -> Event | None:
    """The event that a log is of, as one of :mod:`zkrollup.l1.events`; None for any other."""
    for kind in EVENTS:
        if log.topics and log.topics[0] == topic(kind):
            break
    else:
        return None
    types = dict(zip(abi_names(kind), abi_types(kind), strict=True))
    indexed = indexed_names(kind)
    values = {
        name: _decode([types[name]], word)[0] for name, word in zip(indexed, log.topics[1:], strict=True)
    }
    plain = [name for name in types if name not in indexed]
    values |= zip(plain, _decode([types[name] for name in plain], log.data), strict=True)
    if "header" in values:
        values["header"] = header_of(values["header"])
    return kind(**values)


def header_of(values: Sequence[Any]) -> BatchHeader:
    """The struct from its members."""
    return BatchHeader(*values)


def _decode(types: list[str], data: bytes) -> tuple[Any, ...]:
    values = _codec().decode(types, data)
    return tuple(_from_abi(text, value) for text, value in zip(types, values, strict=True))


def _from_abi(text: str, value: Any) -> Any:
    if text == "address":
        return int(value, 16)
    if text.startswith("(") and isinstance(value, tuple):
        return tuple(int(v, 16) if isinstance(v, str) else v for v in value)
    return value


def _type(entry: Mapping[str, Any]) -> str:
    """The canonical type: a struct is the types of its members in parentheses."""
    text: str = entry["type"]
    if text.startswith("tuple"):
        return "(" + ",".join(map(_type, entry["components"])) + ")" + text.removeprefix("tuple")
    return text


def _to_abi(entry: Mapping[str, Any], value: Any) -> Any:
    text, name = entry["type"], entry["name"]
    if text == "tuple":
        members = _members(value)
        return tuple(
            _to_abi(member, given) for member, given in zip(entry["components"], members, strict=True)
        )
    if text.endswith("]"):
        inner = dict(entry, type=text[: text.rindex("[")])
        return [_to_abi(inner, one) for one in value]
    if text == "address":
        require_bits(name, value, 160)
        return value.to_bytes(20, "big")
    if text.startswith("uint"):
        require_bits(name, int(value) if isinstance(value, int) else value, int(text[4:]))
        return int(value)
    if text == "bytes32":
        if not isinstance(value, bytes) or len(value) != 32:
            raise OutOfRange(name, value, 256)
        return value
    return value


def _members(value: Any) -> tuple[Any, ...]:
    """The fields of a dataclass, or the members as they are."""
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(getattr(value, one.name) for one in fields(value))
    return tuple(value)
