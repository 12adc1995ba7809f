"""Where the files lie that circom2 and snarkjs made (tests/vectors/circom/generate.mjs)."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def circom() -> Path:
    return Path(__file__).resolve().parent.parent / "vectors" / "circom"
