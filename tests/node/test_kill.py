"""A node that is killed with SIGKILL while it works, with real proofs: nothing is lost, nothing repeated.

The same driver is ``benches/node.py``, which prints what it measured.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("aiohttp", reason="needs the extra zkrollup[node]")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """benches/node.py."""
    spec = spec_from_file_location("benches_node", ROOT / "benches" / "node.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_node__killed_once_loses_and_repeats_nothing(bench: ModuleType, tmp_path: Path) -> None:
    """R9."""
    result = bench.run(
        transactions=20, kills=1, slots=8, depth=3, directory=tmp_path, wallets=4, most_seconds_alive=2.0
    )
    assert (result["transactions"], result["lost"], result["repeated"]) == (20, 0, 0)
    assert result["kills"] == 1


@pytest.mark.slow
def test_node__killed_ten_times_loses_and_repeats_none_of_a_thousand(
    bench: ModuleType, tmp_path: Path
) -> None:
    """R9."""
    result = bench.run(
        transactions=1_000, kills=10, slots=16, depth=4, directory=tmp_path, most_seconds_alive=8.0
    )
    assert (result["transactions"], result["kills"]) == (1_000, 10)
    assert (result["lost"], result["repeated"]) == (0, 0)
