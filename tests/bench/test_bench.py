"""The stopwatch, the counts of products, reports and their page."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zkrollup.bench import products
from zkrollup.bench.page import count, duration, page, percent
from zkrollup.bench.report import Report, Row, compare
from zkrollup.bench.run import measure
from zkrollup.bench.stopwatch import Timing, alternate
from zkrollup.bench.subjects import (
    Case,
    Variant,
    batch_witness,
    msm_cases,
    ntt_cases,
    random_scalars,
    verify_cases,
)
from zkrollup.bn254 import g1, g2, pairing
from zkrollup.engine import get_engine
from zkrollup.engine.convert import fr_from_ints, ints_from_limbs

HERE = Variant(get_engine().cpu, 1)


def row(**changes: object) -> Row:
    plain = Row("G1 MSM", 1 << 16, "2^16", "ifma", 1, (0.2, 0.1, 0.4), 1e7, 2.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


# -- stopwatch ----------------------------------------------------------------------------------


def test_alternate__warms_up_and_takes_turns_in_both_directions() -> None:
    heard: list[str] = []
    timings = alternate({"a": lambda: heard.append("a"), "b": lambda: heard.append("b")}, 3)
    assert "".join(heard) == "ab" + "ab" + "ba" + "ab"
    assert {key: len(timing.runs) for key, timing in timings.items()} == {"a": 3, "b": 3}
    with pytest.raises(ValueError, match="runs: expected at least 1, got 0"):
        alternate({"a": lambda: None}, 0)


def test_timing__is_median_fastest_and_slowest() -> None:
    timing = Timing((3.0, 1.0, 2.0, 10.0))
    assert (timing.median, timing.best, timing.worst) == (2.5, 1.0, 10.0)


# -- products -----------------------------------------------------------------------------------


def test_msm_products__are_those_of_the_best_window() -> None:
    assert products.msm_additions(0) == 0
    for n in (1, 100, 1 << 16, 1 << 20):
        all_windows = [-(-254 // c) * (n + 2**c) for c in range(1, 28)]
        assert products.msm_additions(n) == min(all_windows)
    assert products.msm_products("g1", 1 << 16, ones=10) == 6 * (products.msm_additions(1 << 16) + 10)
    assert products.msm_products("g2", 1 << 16) * 6 == products.msm_products("g1", 1 << 16) * 17


def test_scalar_kinds__counts_zeros_ones_and_others() -> None:
    scalars = fr_from_ints([0, 1, 1, 2, -1, 1 << 64, (1 << 64) + 1, 0])
    assert products.scalar_kinds(scalars) == (2, 2, 4)


def test_ntt_products__of_small_transforms_are_the_textbook_count() -> None:
    """Two passes of rows and columns: butterflies whose factor is not one, and two products of the twist."""
    for log in (2, 3, 4, 8):
        n = 1 << log
        rows, columns = 1 << log // 2, 1 << (log - log // 2)

        def butterflies(m: int) -> int:
            return sum(m // (2 * half) * (half - 1) for half in (1 << k for k in range(m.bit_length() - 1)))

        expected = butterflies(rows) * columns + butterflies(columns) * rows + 2 * n
        assert products.ntt_products(log, "ntt") == pytest.approx(expected)
    assert products.ntt_products(16, "ntt", "ifma") < products.ntt_products(16, "ntt", "adx")
    assert products.ntt_products(16, "quotient") > 6 * products.ntt_products(16, "ntt")


def test_program_counts__of_a_tape_that_multiplies_and_inverts() -> None:
    from zkrollup.cs import ConstraintSystem

    cs = ConstraintSystem("counted", parameters={})
    x = cs.input("x")
    cs.export("y", x * x * 3 + 5)
    counts = products.program_counts(cs.freeze().program)
    assert counts["products"] >= 2
    assert counts["inversions"] == 0


def test_verify_products__are_those_of_the_pairings_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pairs, the lines of one of them made on the way, counted in the pure-Python twin."""
    cost = {"fq12_mul": 54, "fq12_square": 36, "fq12_mul_line": 39 + 4, "fq12_cyclotomic_square": 18}
    spent = 0

    def counted(name: str) -> None:
        original = getattr(pairing, name)

        def call(*arguments: object) -> object:
            nonlocal spent
            spent += cost[name]
            return original(*arguments)

        monkeypatch.setattr(pairing, name, call)

    for name in cost:
        counted(name)
    lines = pairing.prepare(g2.GENERATOR)
    f = pairing.miller_loop([(g1.GENERATOR, lines)] * 3)
    doublings = len(pairing._LOOP)
    pairing.final_exponentiation(f)
    lines_of_b = 27 * doublings + 33 * (len(lines) - doublings)
    assert products.verify_products(0) == spent + lines_of_b + 54 + 100
    assert products.verify_products(3) - products.verify_products(0) == 3 * 64 * 11


# -- measuring ----------------------------------------------------------------------------------


def test_measure__gives_a_row_a_case_with_the_cost_of_a_product() -> None:
    told: list[str] = []
    report = measure("msm", msm_cases([3, 4], [HERE], ["g1"]), runs=2, tell=told.append)
    assert [(found.subject, found.label, found.cpu, len(found.runs)) for found in report.rows] == [
        ("G1 MSM", "2^3", HERE.cpu, 2),
        ("G1 MSM", "2^4", HERE.cpu, 2),
    ]
    assert told == ["G1 MSM, 2^3", "G1 MSM, 2^4"]
    for found in report.rows:
        assert found.product_ns is not None
        assert 0.1 < found.product_ns < 1e4
        assert found.limit == pytest.approx(found.products * found.product_ns * 1e-9)
        assert found.share is not None
    assert {"processor", "cores", "commit", "date", "native_paths"} <= report.machine.keys()


def test_measure__without_a_count_has_no_limit() -> None:
    case = Case("nothing", 1, "1", HERE, None, lambda: None)
    (found,) = measure("nothing", [[case]], runs=1).rows
    assert (found.product_ns, found.limit, found.share) == (None, None, None)


def test_cases__do_what_they_say() -> None:
    """The works compute: an NTT of the vector, proofs that hold, an MSM of zeros and ones."""
    (plain, *_) = ntt_cases([3], [HERE])
    engine = HERE.engine()
    assert plain[0].subject == "NTT"
    assert np.array_equal(plain[0].work(), engine.ntt(random_scalars(engine, 8, 1)))
    (verified,) = verify_cases([3], [HERE], 2)
    assert verified[0].work().tolist() == [True, True, True]  # type: ignore[attr-defined]
    assert (verified[0].label, verified[0].products) == ("3 proofs", 3 * products.verify_products(2))
    (bits,) = msm_cases([4], [HERE], ["g1"], bits_share=100)
    assert bits[0].subject == "G1 MSM, 100 % bits"
    assert bits[0].products <= 6 * 16


def test_random_scalars__of_all_bits_are_zero_or_one() -> None:
    engine = HERE.engine()
    values = ints_from_limbs(engine.fr_from_mont(random_scalars(engine, 50, 1, 100)))
    assert set(values) == {0, 1}


def test_batch_witness__satisfies_its_circuit() -> None:
    engine = get_engine()
    batch = batch_witness(1, 1, engine)
    r1cs = batch.circuit.r1cs
    assert r1cs.check(engine, r1cs.witness(engine, public=batch.public, parts=batch.parts)) == []


# -- reports ------------------------------------------------------------------------------------


def test_row__limit_is_products_times_cost_over_threads() -> None:
    assert row().seconds == 0.2
    assert row().limit == pytest.approx(0.02)
    assert row(threads=2).limit == pytest.approx(0.01)
    assert row().share == pytest.approx(0.1)


def test_report__returns_from_json(tmp_path: Path) -> None:
    report = Report("msm", {"processor": "x"}, (row(), row(threads=2, products=None, product_ns=None)))
    path = tmp_path / "a.json"
    path.write_text(report.to_json())
    assert Report.load(path) == report
    first = json.loads(report.to_json())["rows"][0]
    assert (first["seconds"], first["min"], first["max"]) == (0.2, 0.1, 0.4)
    assert first["share_of_limit"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": [{"subject": 5}]}, r"rows\[0\]: subject: expected a string"),
        ({"rows": [3]}, r"rows\[0\]: row: expected an object"),
        ({"version": 2}, "version: expected 1, got 2"),
        ({"format": "other"}, "expected what `zkrollup bench --json` writes"),
        ({"rows": {}}, "expected bench, machine and rows"),
    ],
)
def test_report__damaged_files_are_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = tmp_path / "bad.json"
    good = json.loads(Report("msm", {}, (row(),)).to_json())
    path.write_text(json.dumps(good | change))
    with pytest.raises(ValueError, match=words) as caught:
        Report.load(path)
    assert str(path) in str(caught.value)
    for runs in ([], [0], [-1.0], ["1"], None, [True], [1e400]):
        path.write_text(json.dumps(good | {"rows": [good["rows"][0] | {"runs": runs}]}))
        with pytest.raises(ValueError, match=r"rows\[0\]: runs: expected numbers of seconds"):
            Report.load(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", "[]"])
def test_report__what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="expected"):
        Report.load(path)


def test_compare__pairs_rows_by_what_they_measure() -> None:
    before = Report("msm", {}, (row(), row(threads=2), row(cpu="adx")))
    after = Report("msm", {}, (row(runs=(0.5, 0.6)), row(threads=2, runs=(0.2, 0.3)), row(size=4)))
    changes, missing = compare(before, after)
    assert [change.ratio for change in changes] == pytest.approx([2.75, 1.25])
    assert [change.clear for change in changes] == [True, False]
    assert [(lost.cpu, lost.size) for lost in missing] == [("adx", 1 << 16), ("ifma", 4)]


# -- page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1234.5, "1,234 s"),
        (1.234, "1.23 s"),
        (0.1, "100 ms"),
        (0.0123456, "12.3 ms"),
        (9.999e-4, "1.00 ms"),
        (2e-6, "2.00 µs"),
        (3.5e-8, "35.0 ns"),
    ],
)
def test_duration__has_three_figures_and_a_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_count_and_percent__are_short() -> None:
    assert (count(12_345_678), count(999), count(None), count(1.5e9)) == ("12.3 M", "999", "", "1.50 G")
    assert (percent(0.256), percent(None)) == ("26%", "")


def report_for_page() -> Report:
    rows = [
        row(
            size=1 << k,
            label=f"2^{k}",
            cpu=cpu,
            threads=threads,
            runs=(t * 0.9, t, t * 1.3),
            products=1e3 * 2**k,
        )
        for k, t in ((10, 1e-3), (12, 4e-3), (14, 2e-2))
        for cpu in ("ifma", "adx", "portable")
        for threads in (1, 2)
    ]
    hostile = row(subject="<script>alert(1)</script>", label='"><b>', cpu="numba", products=None)
    return Report("msm", {"processor": "<&>", "native_paths": ["ifma"]}, (*rows, hostile))


def test_page__needs_nothing_from_elsewhere_and_escapes_what_it_shows() -> None:
    text = page(report_for_page())
    assert not re.search(r"(?i)<script|<link|<img|url\(|https?://|@import|javascript:|\son\w+=", text)
    assert "&lt;script&gt;alert(1)" in text
    assert '"><b>' not in text
    assert "prefers-color-scheme: dark" in text


def test_page__is_well_formed_and_has_a_bar_a_row_and_no_number_that_is_none() -> None:
    text = page(report_for_page())
    body = text[text.index("<main>") : text.index("</main>") + len("</main>")]
    tree = ElementTree.fromstring(body)
    assert len(tree.findall(".//tbody/tr")) == 19
    titles = [title.text or "" for title in tree.iter("title")]
    assert sum("median" in title for title in titles) == 19
    assert "2¹⁴" in body
    assert "nan" not in body.lower().replace("finance", "")
    for element in tree.iter():
        for name in ("x", "y", "width", "height", "x1", "x2", "y1", "y2"):
            if name in element.attrib:
                assert -1 <= float(element.attrib[name]) <= 2000, (element.tag, element.attrib)


def test_page__of_one_size_or_no_rows_is_a_page_too() -> None:
    one = page(Report("prove", {}, (row(),)))
    assert "Scaling" not in one
    assert "Share of the limit" in one
    assert "Nothing was measured" in page(Report("msm", {}, ()))


def test_page__one_slow_run_does_not_flatten_the_bars() -> None:
    """Its whisker ends in an arrow; the bars of the others keep their length."""

    def longest_bar(text: str) -> float:
        return max(float(width) for width in re.findall(r'x="96.0" y="[0-9.]+" width="([0-9.]+)"', text))

    quiet = [row(runs=(0.1, 0.1, 0.11)), row(threads=2, runs=(0.05, 0.05, 0.06))]
    noisy = [*quiet[:1], row(threads=2, runs=(0.05, 0.05, 9.0))]
    before, after = (page(Report("msm", {}, tuple(rows))) for rows in (quiet, noisy))
    assert longest_bar(after) > 0.75 * longest_bar(before)
    assert "l5 4l-5 4" in after
    assert "l5 4l-5 4" not in before
