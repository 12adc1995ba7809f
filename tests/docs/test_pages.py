"""The pages in docs/ run as they stand, and print what they show."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    """docs/run.py."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("docs_run", ROOT / "docs" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def write(folder: Path, text: str) -> Path:
    """A page."""
    page = folder / "page.md"
    page.write_text(text)
    return page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page__runs_and_prints_what_it_shows(page: Path, runner: ModuleType, tmp_path: Path) -> None:
    outcomes = runner.run_page(page, tmp_path)
    for one in outcomes:
        assert one.matches, f"{page.name}:{one.block.shown_line} prints\n{one.printed}"
    for one in outcomes:
        assert one.printed is not None or one.block.reason or one.block.title, one.block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page__says_what_it_is_for_and_links_to_what_exists(page: Path) -> None:
    text = page.read_text()
    title, blank, first = text.splitlines()[:3]
    assert title.startswith("# ")
    assert not blank
    assert first.startswith("This page is for "), first
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text):
        if target and "://" not in target:
            assert (page.parent / target).exists(), target
    for target, heading in re.findall(r"\]\(([^):]*)#([^)]*)\)", text):
        headings = re.findall(r"^#+ (.*)$", (page.parent / (target or page.name)).read_text(), re.MULTILINE)
        anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert heading in anchors, (target, heading)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page__names_what_exists(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for name in re.findall(r"`(zkrollup(?:\.\w+)+)`", text):
        words = name.split(".")
        for cut in range(len(words), 0, -1):
            try:
                found: object = importlib.import_module(".".join(words[:cut]))
            except ModuleNotFoundError:
                continue
            for word in words[cut:]:
                assert hasattr(found, word), name
                found = getattr(found, word)
            break


def test_runner__a_block_that_shows_something_else_is_noticed(runner: ModuleType, tmp_path: Path) -> None:
    page = write(tmp_path, "```python\nprint('1.5 s')\nprint(6 * 7)\n```\n\n```text\n… s\n41\n```\n")
    folder = tmp_path / "f"
    folder.mkdir()
    (outcome,) = runner.run_page(page, folder)
    assert not outcome.matches
    assert runner.rewrite(page, [outcome]) == 1
    assert page.read_text().endswith("\n```text\n… s\n42\n```\n")


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nb\nc\n", False),
        ("a … c\n", "a b c\n", True),
        ("a … c\n", "a b\nc\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nb\nc\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_runner__an_ellipsis_stands_for_what_it_says(
    runner: ModuleType, shown: str, printed: str, alike: bool
) -> None:
    assert runner.Outcome(runner.Block("python", "", 1, shown=shown), printed).matches is alike


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```\nx\n```\n", "page.md:1: a block without a language"),
        ("\n```rust\nx\n```\n", "page.md:2: a block in rust is neither run nor marked"),
        ("```python\nx\n", "page.md:1: a block that does not end"),
        ("```text\nx\n```\n", "page.md:1: shows output, but nothing before it prints"),
        ("```python\nx = 1\n\nx.y\n```\n", "page.md:4: AttributeError"),
        ("```sh\nfalse\n```\n", "page.md:2: exit code 1"),
        ("<!-- files: nothing/*.r1cs -->\n", r"nothing/\*.r1cs: no such file in the repository"),
    ],
)
def test_runner__a_page_that_does_not_run_is_told_with_its_line(
    runner: ModuleType, tmp_path: Path, text: str, told: str
) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    with pytest.raises(runner.PageError, match=told):
        runner.run_page(write(tmp_path, text), folder)


def test_runner__files_namespace_and_places_are_those_of_one_script(
    runner: ModuleType, tmp_path: Path
) -> None:
    page = write(
        tmp_path,
        '```python title="mine.py"\nX = 2\n```\n\n```python\nimport mine\n```\n\n```python\n'
        "import sys\nprint(mine.X, sys._getframe().f_lineno, sys._getframe().f_code.co_filename)\n```\n\n"
        "```text\n2 3 page.py\n```\n\n<!-- not run: needs node -->\n```js\nx\n```\n\n"
        "```sh\nls mine.py\n```\n",
    )
    folder = tmp_path / "f"
    folder.mkdir()
    outcomes = runner.run_page(page, folder)
    assert all(one.matches for one in outcomes)
    assert [one.printed for one in outcomes] == [None, "", "2 3 page.py\n", None, "mine.py\n"]
    assert outcomes[3].block.reason == "needs node"
    assert "mine" not in sys.modules
