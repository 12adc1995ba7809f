"""Compiled contracts as they are committed: ABI and bytecode in JSON beside their sources.

This module must not know what a contract does. The files are written by the compiler's script only, and CI
demands that compiling again gives the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["CONTRACTS", "Artifact", "BrokenArtifact", "load_artifact"]

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
"""Where the rollup's contracts are."""


class BrokenArtifact(ValueError):
    """A file that is not what the compiler's script writes."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract. ``creation`` takes the constructor's arguments behind it, ``runtime`` has zeros where
    immutable values go."""

    name: str
    abi: tuple[dict[str, Any], ...]
    creation: bytes
    runtime: bytes


@cache
def load_artifact(name: str, folder: Path = CONTRACTS) -> Artifact:
    """The contract of this name; raises :class:`FileNotFoundError`, :class:`BrokenArtifact`."""
    path = folder / f"{name}.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Artifact(
            name, tuple(document["abi"]), _code(document["bytecode"]), _code(document["deployedBytecode"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenArtifact(path, f"expected abi, bytecode and deployedBytecode, got {error!r}") from error


def _code(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
