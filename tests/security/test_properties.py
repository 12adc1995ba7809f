"""The table of properties: every test that it names exists and names the property in turn."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROW = re.compile(r"\| ([CVR]\d+) \| [^|]+ \| (.+) \|")
NEEDED = [
    *(f"C{i}" for i in range(1, 19)),
    *(f"V{i}" for i in range(1, 13)),
    *(f"R{i}" for i in range(1, 11)),
]


def table() -> dict[str, list[tuple[str, str]]]:
    """Property to (file, test)."""
    rows = {}
    for line in Path(__file__).with_name("README.md").read_text(encoding="utf-8").splitlines():
        if match := ROW.fullmatch(line):
            cells = [cell.split(": ", 1) for cell in match[2].split("<br>")]
            rows[match[1]] = [(file, name) for file, names in cells for name in re.findall(r"`(\w+)`", names)]
    return rows


@pytest.mark.parametrize("name", NEEDED)
def test_property__has_a_test(name: str) -> None:
    assert table().get(name), f"no test in the table answers for {name}"


@pytest.mark.parametrize("name", table())
def test_property__names_tests_that_name_it(name: str) -> None:
    for file, test in table()[name]:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        docstrings = [
            ast.get_docstring(node) or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == test
        ]
        assert docstrings, f"{file} has no {test}"
        assert any(re.search(rf"\b{name}\b", text) for text in docstrings), f"{test} does not name {name}"
