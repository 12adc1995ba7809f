"""What the rollup costs on L1: the limits that it keeps, and the page that shows it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from zkrollup.bench import gas as costs
from zkrollup.bench.gas import BatchCost, GasReport, calldata_gas, costs_page, measure_gas
from zkrollup.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "costs.md"


@pytest.fixture(scope="module")
def report() -> GasReport:
    pytest.importorskip("eth_tester", reason="pip install 'zkrollup[l1-exact]'")
    return measure_gas((8,), ("transfer",), calls=False)


def shown(page: str) -> dict[tuple[str, str], int]:
    """Gas by kind and size, from the page's table."""
    page = page.partition(costs.BEGIN)[2].partition("## Calls")[0]
    rows = re.findall(r"^\| ([a-z ]+) \| ([\d,]+) \| \d+ \| ([\d,]+) \|", page, re.MULTILINE)
    return {(kind, count): int(gas.replace(",", "")) for kind, count, gas in rows}


def test_transfer__keeps_its_limits(report: GasReport) -> None:
    """14 bytes; 900 gas beyond the fixed part, of which 260 are calldata; the aims, well kept."""
    (row,) = report.batches
    assert row.bytes_each == 14
    assert row.beyond <= 600 <= 900
    assert row.calldata_each <= 224 <= 260


def test_verification__of_three_public_inputs_keeps_its_limit(report: GasReport) -> None:
    assert 181_000 < report.verification < 230_000 - costs.BASE_GAS


def test_page__shows_what_is_measured(report: GasReport) -> None:
    """Within a hundredth: the roots drawn before a batch have other zeros. When this fails: the command of
    docs/costs.md, and look at the gas in the diff."""
    found = shown(PAGE.read_text(encoding="utf-8"))
    assert found["transfer", "8"] == pytest.approx(report.batches[0].gas, rel=0.01)
    assert {kind for kind, _ in found} == set(costs.BATCH_KINDS)


def test_page__is_rewritten_between_its_marks_only(report: GasReport) -> None:
    page = PAGE.read_text(encoding="utf-8")
    made = costs_page(page, replace(report, calls=[], proving=[]))
    before, _, rest = page.partition(costs.BEGIN)
    assert made.startswith(before + costs.BEGIN)
    assert made.endswith(rest.partition(costs.END)[2])
    assert shown(made) == {("transfer", "8"): report.batches[0].gas}
    with pytest.raises(ValueError, match="between which the tables go"):
        costs_page("# A page without marks", report)


def test_calldata__zeros_are_cheaper() -> None:
    assert calldata_gas(bytes(3) + b"\1\2") == 3 * 4 + 2 * 16


def test_cost__is_divided_among_the_transactions() -> None:
    row = BatchCost("transfer", 10, 14.0, gas=6_000, calldata=2_500, fixed=1_000, fixed_calldata=500)
    assert (row.each, row.beyond, row.calldata_each) == (600, 500, 200)


def test_command__prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("eth_tester", reason="pip install 'zkrollup[l1-exact]'")
    with pytest.raises(SystemExit) as ended:
        main(["bench", "gas", "--sizes", "1", "--kinds", "change key", "--json"])
    assert ended.value.code == 0
    document = json.loads(capsys.readouterr().out)
    assert document["fork"] == "Prague"
    (row,) = document["batches"]
    assert (row["kind"], row["count"], row["bytes_each"]) == ("change key", 1, 78)
    assert {call["name"] for call in document["calls"]} >= {"deposit ETH", "exit", "freeze", "withdraw ETH"}
    assert document["proving"][0]["seconds"] is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--kinds", "gift"], "--kinds: expected some of transfer, transfer to new"),
        (["--sizes", "0"], "--sizes: expected numbers in 1 .. 4096"),
        (["--kinds", "deposit", "--write", "page.md"], "--kinds: a page needs transfers"),
    ],
)
def test_command__refuses_by_name(options: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "gas", *options])
    assert ended.value.code == 2
    assert text in capsys.readouterr().err
