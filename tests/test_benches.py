"""The benches' own arithmetic, and that README says what they measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHES = ROOT / "benches"


def load(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path = BENCHES) -> ModuleType:
    """A bench as a module, as it sees its neighbours."""
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop(name, None)
    module = __import__(name)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == folder
    return module


@pytest.mark.parametrize("name", ["figures", "prover_figures"])
def test_readme__shows_the_table_of_the_stored_figures(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = load(name, monkeypatch)
    stored = json.loads((BENCHES / "results" / f"{name}.json").read_text())
    _, _, rest = (ROOT / "README.md").read_text().partition(bench.BEGIN)
    shown, end, _ = rest.partition(bench.END)
    assert end
    assert shown.strip() == bench.table(stored).strip()


def test_readme__begins_with_figures_that_were_measured() -> None:
    def stored(name: str) -> Any:
        return json.loads((BENCHES / "results" / f"{name}.json").read_text())

    proof = stored("figures")["demos"]["big prove"]
    gnark = stored("prover_figures")["prove"]["chain_18_o1"]["gnark"]["times"]
    costs = (ROOT / "docs" / "costs.md").read_text()
    (transfer,) = (line.split("|") for line in costs.splitlines() if line.startswith("| transfer | 64 |"))
    head = " ".join((ROOT / "README.md").read_text().partition("## Two commands")[0].split())
    assert f"a batch of 64 transactions is proved in about {proof:.0f} s" in head
    assert f"a circom circuit of 2^18 rows {gnark:.0f} times as fast as by gnark" in head
    assert f"a transfer costs {transfer[3].strip()} bytes and about {round(int(transfer[6]), -1)} gas" in head


@pytest.mark.parametrize("log_size", [16, 18, 20])
@pytest.mark.parametrize("level", ["O1", "O2"])
def test_chains__fill_their_domain_and_no_more(
    log_size: int, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = load("make", monkeypatch, BENCHES / "chains")
    length = make.hashes(log_size, level)
    with_public_and_one = length * make.ROWS[level] + 2
    assert with_public_and_one <= 1 << log_size < with_public_and_one + make.ROWS[level]


def test_peers__ratio_is_the_median_of_the_rounds_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = load("peers", monkeypatch)
    row = peers.Row("chain", "prove", 2, {"zkrollup": [1.0, 2.0, 4.0], "other": [3.0, 4.0, 40.0]})
    assert row.ratio("other") == 3.0
    assert row.ratio("zkrollup") == 1.0
    assert row.ratio("absent") is None


def test_peers__a_prover_that_cannot_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    peers = load("peers", monkeypatch)
    prover = peers.Prover(peers.OURS, tmp_path, "nothing", 1)
    try:
        with pytest.raises(peers.NotInstalledError, match=r"FileNotFoundError: .*nothing\.zkey"):
            prover.ask("prove")
        with pytest.raises(peers.NotInstalledError, match="has no dance"):
            prover.ask("dance")
        assert prover.ask("ntt 4") > 0
    finally:
        prover.close()


def test_peers__a_process_that_fails_says_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = load("peers", monkeypatch)
    with pytest.raises(peers.NotInstalledError, match=r"exit code 3: no good$"):
        peers.run_process([sys.executable, "-c", "import sys; print('no good'); sys.exit(3)"], 1)


def test_prover_figures__who_is_asked_less_often_is_compared_with_its_own_rounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = load("prover_figures", monkeypatch)
    asked: list[str] = []

    class Fake:
        def __init__(self, name: str, seconds: list[float]) -> None:
            self.name, self.seconds = name, iter(seconds)

        def ask(self, request: str) -> float:
            asked.append(self.name)
            return next(self.seconds)

    provers = {"fast": Fake("fast", [9.0, 1.0, 2.0, 3.0]), "slow": Fake("slow", [5.0])}
    runs = bench.in_turn(provers, "prove", 3, {"slow": 1})
    assert asked == ["fast", "fast", "slow", "fast", "fast"]
    assert runs == {"fast": [1.0, 2.0, 3.0], "slow": [5.0]}
    assert bench.summary(runs, "fast")["slow"]["times"] == 5.0


def test_scaling__counts_end_with_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    scaling = load("scaling", monkeypatch)
    assert scaling.thread_counts(1) == [1]
    assert scaling.thread_counts(2) == [1, 2]
    assert scaling.thread_counts(14) == [1, 2, 3, 4, 6, 8, 12, 14]


def test_scaling__the_curve_has_a_line_for_each_task(monkeypatch: pytest.MonkeyPatch) -> None:
    scaling = load("scaling", monkeypatch)
    picture = scaling.svg({"prove": {1: 4.0, 2: 2.0}, "ntt": {1: 1.0, 2: 1.0}}, "title")
    assert picture.count("<polyline") == 2 + 2
    assert "46.0,374.0 374.0,46.0" in picture  # the ideal, which prove follows
    assert '<polyline points="210.0,210.0 374.0,46.0" fill="none" stroke="#1b6ca8"' in picture
