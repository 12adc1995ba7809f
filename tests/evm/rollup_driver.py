"""The committed contracts in revm, called by their ABI: small and fast, for the contract's own tests.

It must not know what a call should answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import astuple, is_dataclass
from pathlib import Path
from typing import Any

import pyrevm

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1.events import EVENTS
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.reverts import REVERTS, Revert
from zkrollup.l1.solidity import abi_names, abi_types, indexed_names, selector, topic

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "zkrollup" / "l1" / "contracts", ROOT / "tests" / "evm" / "mocks")
FORK = "Cancun"  # in title case: pyrevm takes any other name for its newest rules
ERRORS = {selector(kind): kind for kind in REVERTS}
TOPICS = {topic(kind): kind for kind in EVENTS}
DEPLOYER = 0xD0


class BareRevert(Exception):
    """A revert without one of the rollup's errors; the argument is what it returned."""


def artifact(name: str) -> dict[str, Any]:
    """The committed JSON of a contract."""
    path = next(folder / f"{name}.json" for folder in FOLDERS if (folder / f"{name}.json").exists())
    return json.loads(path.read_text())


def canonical(entry: dict[str, Any]) -> str:
    """The type of an ABI's argument, tuples in parentheses."""
    if entry["type"].startswith("tuple"):
        return f"({','.join(map(canonical, entry['components']))}){entry['type'][5:]}"
    return str(entry["type"])


def encode(entries: Sequence[dict[str, Any]], values: Sequence[Any]) -> bytes:
    """abi.encode of arguments: words, fixed arrays and structs of them, and bytes."""
    head, tail = [], b""
    parts = [
        None if entry["type"] == "bytes" else _static(value)
        for entry, value in zip(entries, values, strict=True)
    ]
    size = sum(32 if part is None else len(part) for part in parts)
    for part, value in zip(parts, values, strict=True):
        if part is None:
            head.append((size + len(tail)).to_bytes(32, "big"))
            tail += len(value).to_bytes(32, "big") + value + bytes(-len(value) % 32)
        else:
            head.append(part)
    return b"".join(head) + tail


def _static(value: Any) -> bytes:
    if is_dataclass(value):
        value = astuple(value)  # type: ignore[arg-type]
    if isinstance(value, (tuple, list)):
        return b"".join(map(_static, value))
    if isinstance(value, bytes):
        return value.rjust(32, b"\0")
    return int(value).to_bytes(32, "big")


def hex_address(address: int) -> str:
    return f"{address:#042x}"


class Contract:
    """A deployed contract: ``contract.name(*arguments, sender=..., value=...)`` calls its function."""

    def __init__(self, chain: Chain, name: str, *arguments: Any) -> None:
        self.chain = chain
        made = artifact(name)
        self.abi = {entry["name"]: entry for entry in made["abi"] if entry["type"] == "function"}
        constructor = next((entry for entry in made["abi"] if entry["type"] == "constructor"), {"inputs": []})
        code = bytes.fromhex(made["bytecode"][2:]) + encode(constructor["inputs"], arguments)
        try:
            self.address = int(chain.evm.deploy(hex_address(DEPLOYER), code), 16)
        except RuntimeError as error:
            raise revert_of(error) from None
        self.deployment_gas = chain.evm.result.gas_used

    def data(self, name: str, *arguments: Any) -> bytes:
        """The calldata of a call."""
        inputs = self.abi[name]["inputs"]
        signature = f"{name}({','.join(map(canonical, inputs))})"
        return keccak256(signature.encode())[:4] + encode(inputs, arguments)

    def __getattr__(self, name: str) -> Any:
        if name not in self.abi:
            raise AttributeError(name)

        def call(*arguments: Any, sender: int = DEPLOYER, value: int = 0) -> bytes:
            view = self.abi[name]["stateMutability"] in ("view", "pure")
            return self.chain.call(sender, self.address, self.data(name, *arguments), value, view)

        return call

    def number(self, name: str, *arguments: Any) -> int:
        """What a view of one word says."""
        return int.from_bytes(getattr(self, name)(*arguments), "big")


class Chain:
    """An EVM of one fork in which nothing else lives."""

    def __init__(self, chain_id: int = 1) -> None:
        self.evm = pyrevm.EVM(
            env=pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=chain_id), block=pyrevm.BlockEnv(number=1)),
            spec_id=FORK,
        )
        self.block_number = 1
        self.fund(DEPLOYER, 10**24)

    def fund(self, address: int, amount: int) -> None:
        self.evm.set_balance(hex_address(address), amount)

    def mine(self, blocks: int = 1) -> None:
        self.block_number += blocks
        self.evm.set_block_env(pyrevm.BlockEnv(number=self.block_number))

    def call(self, sender: int, to: int, data: bytes, value: int = 0, is_static: bool = False) -> bytes:
        """What a call returns; an error of the rollup's as its exception."""
        try:
            return bytes(
                self.evm.message_call(
                    hex_address(sender), hex_address(to), calldata=data, value=value, is_static=is_static
                )
            )
        except RuntimeError as error:
            raise revert_of(error) from None

    @property
    def gas(self) -> int:
        """What the last call cost as a transaction."""
        return int(self.evm.result.gas_used)

    def events(self) -> list[Any]:
        """What the last call logged, other contracts' logs left out."""
        found = []
        for log in self.evm.result.logs:
            kind = TOPICS.get(_word(log.topics[0]))
            if kind is None:
                continue
            topics = [_word(word) for word in log.topics[1:]]
            payload = bytes(log.data[1] if isinstance(log.data, tuple) else log.data)
            values = []
            for name, text in zip(abi_names(kind), abi_types(kind), strict=True):
                if name in indexed_names(kind):
                    values.append(_value(topics.pop(0), text))
                elif text.startswith("("):
                    values.append(header(payload[:352]))
                    payload = payload[352:]
                else:
                    values.append(_value(payload[:32], text))
                    payload = payload[32:]
            found.append(kind(*values))
        return found


def header(data: bytes) -> BatchHeader:
    """A BatchHeader from its 11 words."""
    words = [data[i : i + 32] for i in range(0, 352, 32)]
    return BatchHeader(
        *(_value(word, text) for word, text in zip(words, abi_types(BatchHeader), strict=True))
    )


def revert_of(error: RuntimeError) -> Revert | BareRevert:
    """The exception of the error that an EVM's message tells."""
    match = re.search(r"output: 0x([0-9a-f]*)", str(error))
    data = bytes.fromhex(match.group(1)) if match else b""
    kind = ERRORS.get(data[:4])
    if kind is None:
        return BareRevert(str(error))
    words = [data[i : i + 32] for i in range(4, len(data), 32)]
    return kind(*(_value(word, text) for word, text in zip(words, abi_types(kind), strict=True)))


def _word(value: Any) -> bytes:
    return bytes.fromhex(value[2:]) if isinstance(value, str) else bytes(value)


def _value(word: bytes, text: str) -> Any:
    return word if text == "bytes32" else int.from_bytes(word, "big")
