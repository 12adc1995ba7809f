"""The flame graph's page: well-formed, self-contained, escaped, its widths right."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from zkrollup.circuits.batch import batch_circuit
from zkrollup.cs import ConstraintSystem
from zkrollup.profile import flame_graph, profile
from zkrollup.state import BatchParameters

VOID = {"meta", "input"}


class Page(HTMLParser):
    """Balanced tags; the frames of each graph."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.graphs: dict[str, list[dict[str, str]]] = {}
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("class") == "graph":
            self.graphs[given["data-weight"]] = []
        if given.get("class") == "f":
            list(self.graphs.values())[-1].append(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        assert tag == "rect"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return flame_graph(profile(batch_circuit(BatchParameters(2, 2)).r1cs))


def test_page__needs_nothing_from_elsewhere(page: str) -> None:
    assert re.findall(r"https?://[^\"]*", page) == ["http://www.w3.org/2000/svg"] * 3
    assert not re.search(r"\b(src|href)=|url\(|@import|fetch\(|import\(", page)
    assert "prefers-color-scheme:dark" in page


def test_frames__lie_within_their_parents_and_are_as_wide_as_their_share(page: str) -> None:
    graphs = Page(page).graphs
    assert list(graphs) == ["constraints", "nonzeros", "b_columns"]
    found = profile(batch_circuit(BatchParameters(2, 2)).r1cs)
    for weight, frames in graphs.items():
        above: dict[int, tuple[float, float]] = {}
        for frame in frames:
            x, width, depth = (float(frame[f"data-{k}"]) for k in "xwd")
            above[int(depth)] = x, width
            if depth:
                outer_x, outer_width = above[int(depth) - 1]
                assert outer_x - 1e-5 <= x
                assert x + width <= outer_x + outer_width + 1e-5
        slots = next(frame for frame in frames if frame["data-n"] == "slots ×2")
        share = found.by_scope()["slots ×2"][weight] / found.totals[weight]
        assert float(slots["data-w"]) == pytest.approx(share, abs=1e-5)


def test_names__are_escaped() -> None:
    cs = ConstraintSystem("<b>&\"'")
    with cs.scope("<script>alert(1)<"):
        cs.assert_equal(cs.input("x") * cs.input("y"), 4)
    text = flame_graph(profile(cs.freeze()))
    assert "<b>" not in text
    assert "alert(1)<" not in text
    assert text.count("<script>") == 1
    assert any(f["data-n"] == "<script>alert(1)<" for f in Page(text).graphs["constraints"])
