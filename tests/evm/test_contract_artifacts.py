"""The committed contracts: compiled from the sources beside them, small enough, and in Python's words."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from zkrollup.l1.events import EVENTS
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.reverts import REVERTS, ConfigItem, Field
from zkrollup.l1.solidity import abi_names, abi_types, indexed_names

HERE = Path(__file__).resolve().parent


def _compile_contracts() -> Any:
    spec = importlib.util.spec_from_file_location("compile_contracts", HERE / "compile_contracts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPILER = _compile_contracts()
ROLLUP = json.loads((COMPILER.CONTRACTS / "Rollup.json").read_text())


def _types(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"({','.join(_types({'inputs': item['components']}))})" if item["type"] == "tuple" else item["type"]
        for item in entry["inputs"]
    )


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda match: match.group(1).upper(), name)


@pytest.mark.parametrize("name", COMPILER.WRITTEN)
def test_artifact__was_compiled_from_the_sources_that_lie_here(name: str) -> None:
    folder = COMPILER.WRITTEN[name]
    kept = json.loads((folder / f"{name}.json").read_text())
    assert kept["contractName"] == name
    assert kept["source_sha256"] == COMPILER.digest(folder)
    assert kept["settings"] == COMPILER.SETTINGS
    assert kept["compiler"].startswith(COMPILER.COMPILER)


def test_rollup__fits_the_limit_of_a_contract_s_size() -> None:
    assert len(bytes.fromhex(ROLLUP["deployedBytecode"][2:])) < COMPILER.SIZE_LIMIT


def test_rollup__has_python_s_errors_and_no_others() -> None:
    of_contract = {entry["name"]: _types(entry) for entry in ROLLUP["abi"] if entry["type"] == "error"}
    assert of_contract == {kind.__name__: abi_types(kind) for kind in REVERTS}


def test_rollup__has_python_s_events_and_no_others() -> None:
    events = [entry for entry in ROLLUP["abi"] if entry["type"] == "event"]
    assert {entry["name"]: _types(entry) for entry in events} == {
        kind.__name__: abi_types(kind) for kind in EVENTS
    }
    for entry in events:
        kind = next(kind for kind in EVENTS if kind.__name__ == entry["name"])
        marked = [place for place, item in enumerate(entry["inputs"]) if item["indexed"]]
        assert marked == [place for place, name in enumerate(abi_names(kind)) if name in indexed_names(kind)]


def test_rollup__has_python_s_header() -> None:
    commit = next(entry for entry in ROLLUP["abi"] if entry.get("name") == "commitBatch")
    members = commit["inputs"][0]["components"]
    assert [(item["name"], item["type"]) for item in members] == [
        (_camel(name), text)
        for name, text in zip(abi_names(BatchHeader), abi_types(BatchHeader), strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "file", "enum"), [("Field", "BatchData", Field), ("ConfigItem", "IRollup", ConfigItem)]
)
def test_enum__has_python_s_members_in_their_order(name: str, file: str, enum: Any) -> None:
    source = (COMPILER.CONTRACTS / f"{file}.sol").read_text()
    match = re.search(rf"enum {name} \{{(.*?)\}}", source, re.S)
    assert match is not None
    members = [item.strip() for item in match.group(1).split(",")]
    assert [re.sub(r"(?<!^)([A-Z])", r"_\1", item).upper() for item in members] == [
        item.name for item in enum
    ]


def test_rollup__takes_eth_by_deposits_only() -> None:
    payable = [
        entry.get("name", entry["type"])
        for entry in ROLLUP["abi"]
        if entry.get("stateMutability") == "payable"
    ]
    assert payable == ["deposit"]


@pytest.mark.parametrize("file", ["IRollup", "BatchData", "Rollup", "IGroth16Verifier"])
def test_source__documents_everything_public(file: str) -> None:
    lines = (COMPILER.CONTRACTS / f"{file}.sol").read_text().splitlines()
    declared = [
        (number, line)
        for number, line in enumerate(lines)
        if re.match(
            r" {4}(function [^_]|event|error|struct|enum|constructor|[a-z].* (public|internal) )", line
        )
    ]
    assert declared
    undocumented = [line for number, line in declared if not lines[number - 1].startswith("    ///")]
    assert undocumented == []
