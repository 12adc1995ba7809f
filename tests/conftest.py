"""What all tests share: which slow tests take their turn, and engines made once."""

from __future__ import annotations

import sys
import time

import pytest

from zkrollup.engine import get_engine
from zkrollup.engine.interface import Engine


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slow-part",
        default="all",
        help="which slow tests to run: 'all', 'K/N' for part K (from 0) of N, or 'auto' for a twelfth "
        "that changes daily",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    part = config.getoption("--slow-part")
    if part == "all":
        return
    if part == "auto":
        part = f"{int(time.time() // 86400) % 12}/12"
    turn, parts = (int(word) for word in part.split("/"))
    slow = sorted(item.nodeid for item in items if item.get_closest_marker("slow"))
    mine = set(slow[turn::parts])
    chosen, left = [], []
    for item in items:
        waits = item.get_closest_marker("slow") and item.nodeid not in mine
        (left if waits else chosen).append(item)
    items[:] = chosen
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine that the environment chooses (ZKROLLUP_ENGINE, ZKROLLUP_CPU)."""
    return get_engine()


@pytest.fixture(autouse=True)
def _recursion_limit() -> None:
    """py_ecc raises the interpreter's recursion limit on import; tests run under the ordinary one."""
    sys.setrecursionlimit(1000)
