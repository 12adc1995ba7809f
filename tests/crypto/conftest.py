"""Reads the vectors made by circomlibjs (tests/vectors/generate.mjs)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], list[dict[str, Any]]]:
    """``vectors("eddsa/keys")`` is that file's list of cases, decimal strings turned into ints."""
    folder = Path(__file__).parents[1] / "vectors"

    def number(value: Any) -> Any:
        if isinstance(value, list):
            return [number(item) for item in value]
        return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 80 else value

    def load(name: str) -> list[dict[str, Any]]:
        cases = json.loads((folder / f"{name}.json").read_text())
        hexadecimal = {"packed", "seed", "data", "digest"}
        return [{k: v if k in hexadecimal else number(v) for k, v in case.items()} for case in cases]

    return load
