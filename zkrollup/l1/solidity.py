"""The Solidity types of Python fields, and what follows from them: signatures, selectors, words.

This module must not know any error, event or struct: it reads the annotations of dataclasses.

A field's type is an alias below, for instance ``number: UInt64``. Only types that take one word of 32
bytes occur, and structs of them.

Reference: Solidity's "Contract ABI Specification".
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from zkrollup.crypto.keccak import keccak256
from zkrollup.state.exceptions import OutOfRange

__all__ = [
    "Address",
    "Bytes32",
    "Indexed",
    "UInt8",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "abi_encode",
    "abi_names",
    "abi_types",
    "indexed_names",
    "selector",
    "signature",
    "topic",
]


class Indexed:
    """Marks a field of an event that is a topic of its log: ``Annotated[UInt64, Indexed]``."""


UInt8 = Annotated[int, "uint8"]
UInt32 = Annotated[int, "uint32"]
UInt64 = Annotated[int, "uint64"]
UInt128 = Annotated[int, "uint128"]
UInt256 = Annotated[int, "uint256"]
Address = Annotated[int, "address"]
Bytes32 = Annotated[bytes, "bytes32"]


@cache
def _layout(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """(name, type, indexed) of each field that has a Solidity type, in order."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for item in fields(kind):
        hint = hints[item.name]
        if get_origin(hint) is Annotated:
            _, *marks = get_args(hint)
            found.append((item.name, next(mark for mark in marks if isinstance(mark, str)), Indexed in marks))
        elif is_dataclass(hint) and isinstance(hint, type):
            found.append((item.name, "(" + ",".join(abi_types(hint)) + ")", False))
    return tuple(found)


def abi_names(kind: type) -> tuple[str, ...]:
    """The names of the fields that have a Solidity type, in order."""
    return tuple(name for name, _, _ in _layout(kind))


def abi_types(kind: type) -> tuple[str, ...]:
    """The canonical types of these fields; a struct is the types of its members in parentheses."""
    return tuple(text for _, text, _ in _layout(kind))


def indexed_names(kind: type) -> tuple[str, ...]:
    """The names of the fields that are topics."""
    return tuple(name for name, _, is_indexed in _layout(kind) if is_indexed)


def signature(kind: type) -> str:
    """The name of the class and its types, as Solidity hashes them: ``WrongChain(uint64,uint64)``."""
    return f"{kind.__name__}({','.join(abi_types(kind))})"


def selector(kind: type) -> bytes:
    """The 4 bytes that an error's data begins with."""
    return topic(kind)[:4]


def topic(kind: type) -> bytes:
    """The 32 bytes of an event's first topic."""
    return keccak256(signature(kind).encode("ascii"))


def abi_encode(value: Any) -> bytes:
    """``abi.encode`` of the typed fields of a dataclass: one word each, structs in place.

    Raises :class:`OutOfRange` for a value that does not fit its type.
    """
    kind: type = type(value)
    return b"".join(
        _word(getattr(value, name), text, f"{kind.__name__}.{name}") for name, text, _ in _layout(kind)
    )


def _word(value: Any, text: str, place: str) -> bytes:
    if is_dataclass(value):
        return abi_encode(value)
    if text == "bytes32":
        if type(value) is not bytes or len(value) != 32:
            raise OutOfRange(place, value, 256)
        return value
    bits = 160 if text == "address" else int(text.removeprefix("uint"))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
        raise OutOfRange(place, value, bits)
    return value.to_bytes(32, "big")
