"""Builds the documentation: the pages of docs/ and the reference of every public module, as HTML.

    pip install '.[docs]'
    python docs/build.py            # into build/docs; open build/docs/index.html
    python docs/build.py FOLDER

This file must not know what is documented. Public is: a package with ``__all__``, as one page; every module
of a package without one; and what ``ALSO`` names. In the pages a name in code style, as
``zkrollup.testing.lie``, becomes a link to its place in the reference.

Exit code 1 when pdoc warns, or a public name has no docstring.
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import html
import importlib
import inspect
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pdoc
import pdoc.doc
import pdoc.render
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

import zkrollup

__all__ = ["build", "main", "public_modules", "undocumented"]

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
ALSO = (
    "zkrollup.operator",
    "zkrollup.testing.strategies",
    "zkrollup.engine.interface",
    "zkrollup.state.transactions",
    "zkrollup.state.transition",
    "zkrollup.state.public_data",
    "zkrollup.l1.interface",
    "zkrollup.l1.evm",
)
NOT_PUBLIC = ("zkrollup.__main__", "zkrollup.cli", "zkrollup.bench")
TITLE = "zkrollup"
ORDER = [
    "tutorial",
    "failures",
    "circom",
    "auditors",
    "transactions",
    "operators",
    "node",
    "l1",
    "costs",
    "gadgets",
]
_PRIVATE = re.compile(r" for zkrollup[\w.]*\._[a-z]\w*[.:]")
_NAME = re.compile(r"<code>(zkrollup(?:\.\w+)+)</code>")


def public_modules() -> list[str]:
    """The modules that have a page in the reference, in order of their names."""
    names = {"zkrollup", *ALSO}
    todo = ["zkrollup"]
    while todo:
        package = importlib.import_module(todo.pop())
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if found.name in NOT_PUBLIC or found.name.rpartition(".")[2].startswith("_"):
                continue
            if not found.ispkg:
                if package.__name__ != "zkrollup":
                    names.add(found.name)
                continue
            module = importlib.import_module(found.name)
            names.add(found.name)
            if not hasattr(module, "__all__"):
                todo.append(found.name)
    return sorted(names)


def undocumented(modules: Mapping[str, pdoc.doc.Module]) -> list[str]:
    """Modules, and the functions and classes that they list, without a docstring of their own."""
    missing = {name for name, module in modules.items() if not module.docstring}
    for module in modules.values():
        for word in getattr(module.obj, "__all__", ()):
            found = getattr(module.obj, word)
            if not (inspect.isfunction(found) or inspect.isclass(found)):
                continue  # a constant, which is shown with its value, or an alias
            text = vars(found).get("__doc__") if inspect.isclass(found) else found.__doc__
            if not text or text.startswith(f"{found.__name__}("):  # as dataclasses make them up
                missing.add(f"{found.__module__}.{found.__qualname__}")
    return sorted(missing)


@contextlib.contextmanager
def _names_for_annotations(modules: Iterable[ModuleType]) -> Iterator[None]:
    """Lets pdoc evaluate annotations where a function lost the names of its module.

    Methods of a NamedTuple and strategies made with ``composite`` have none, and an alias that another module
    hands on has those of that module. Names are looked up among builtins last, so public ones are put there.
    """
    known: dict[str, object] = {"Sequence": Sequence, "Callable": Callable, "Mapping": Mapping, "Path": Path}
    known["SearchStrategy"] = importlib.import_module("hypothesis.strategies").SearchStrategy
    for module in modules:
        for name in getattr(module, "__all__", ()):
            known.setdefault(name, getattr(module, name))
    added = {name: value for name, value in known.items() if name not in vars(builtins)}
    vars(builtins).update(added)
    try:
        yield
    finally:
        for name in added:
            del vars(builtins)[name]


def _imported() -> list[ModuleType]:
    """The public modules, with the names that some fetch only on first use: pdoc looks for what is there."""
    found = [importlib.import_module(name) for name in public_modules()]
    for module in found:
        for name in getattr(module, "__all__", ()):
            vars(module)[name] = getattr(module, name)
    return found


def build(folder: Path, *, search: bool = True) -> list[str]:
    """Writes the site; returns what is wrong with it: warnings of pdoc, public names without a docstring."""
    version = f"zkrollup {zkrollup.__version__}"
    pdoc.render.configure(docformat="google", footer_text=version, search=search)
    found = _imported()
    with warnings.catch_warnings(record=True) as caught, _names_for_annotations(found):
        warnings.simplefilter("always")
        modules = {module.__name__: pdoc.doc.Module(module) for module in found}
        reference = folder / "api"
        for name, module in modules.items():
            page = reference / f"{name.replace('.', '/')}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(pdoc.render.html_module(module, modules), encoding="utf-8")
        (reference / "index.html").write_text(pdoc.render.html_index(modules), encoding="utf-8")
        if search:
            (reference / "search.js").write_text(pdoc.render.search_index(modules), encoding="utf-8")
    told = {str(warning.message) for warning in caught}
    problems = sorted(f"pdoc: {text}" for text in told if not _PRIVATE.search(text))
    problems += [f"{name} has no docstring" for name in undocumented(modules)]
    pages = sorted(DOCS.glob("*.md"), key=lambda page: _place(page.stem))
    for page in pages:
        problems += _write_page(page, pages, folder, modules)
    first = pages[0].stem
    (folder / "index.html").write_text(
        f'<!doctype html><meta http-equiv="refresh" content="0; url={first}.html">\n', encoding="utf-8"
    )
    return problems


def _place(stem: str) -> tuple[int, str]:
    return (ORDER.index(stem) if stem in ORDER else len(ORDER), stem)


def _write_page(
    page: Path, pages: list[Path], folder: Path, modules: Mapping[str, pdoc.doc.Module]
) -> list[str]:
    problems: list[str] = []

    def link(match: re.Match[str]) -> str:
        target = _address(match[1], modules)
        if target is None:
            problems.append(f"{page.name}: {match[1]} is not in the reference")
            return match[0]
        return f'<a href="{target}">{match[0]}</a>'

    body = _NAME.sub(link, _markdown().render(page.read_text(encoding="utf-8")))
    body = re.sub(r'href="([\w-]+)\.md', r'href="\1.html', body)
    body = re.sub(r"<h([1-4])>(.*?)</h\1>", _heading, body)
    links = "".join(f'<a href="{other.stem}.html">{html.escape(_title(other))}</a>' for other in pages)
    text = _PAGE.format(
        title=html.escape(f"{_title(page)} - {TITLE}"),
        style=_STYLE + HtmlFormatter().get_style_defs("pre"),
        links=f'{links}<a href="api/index.html">Reference</a>',
        body=body,
    )
    (folder / f"{page.stem}.html").write_text(text, encoding="utf-8")
    return problems


def _address(name: str, modules: Mapping[str, pdoc.doc.Module]) -> str | None:
    """Where the reference documents a name; None when it does not."""
    words = name.split(".")
    for cut in range(len(words), 0, -1):
        module = modules.get(".".join(words[:cut]))
        if module is None:
            continue
        page = f"api/{module.fullname.replace('.', '/')}.html"
        inside = ".".join(words[cut:])
        if not inside:
            return page
        return f"{page}#{inside}" if module.get(inside) is not None else None
    return None


def _markdown() -> MarkdownIt:
    def colour(code: str, language: str, attributes: str) -> str:
        if language in ("", "text"):
            return ""
        return highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=True))

    return MarkdownIt("commonmark", {"highlight": colour}).enable("table")


def _heading(match: re.Match[str]) -> str:
    words = html.unescape(re.sub(r"<[^>]*>", "", match[2])).lower()
    anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
    return f'<h{match[1]} id="{anchor}">{match[2]}</h{match[1]}>'


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{style}</style></head>
<body><nav>{links}</nav><main>{body}</main></body>
</html>
"""
_STYLE = """
body{margin:0;font:16px/1.55 system-ui,sans-serif;color:#222}
nav{padding:.7em 1em;border-bottom:1px solid #ddd;display:flex;gap:1.2em;flex-wrap:wrap}
main{max-width:52em;margin:auto;padding:0 1em 4em}
pre{background:#f6f8fa;padding:.8em;overflow-x:auto;line-height:1.35}
code{font-size:.92em}
table{border-collapse:collapse}td,th{border:1px solid #ddd;padding:.25em .6em}
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: built, nothing is wrong; 1: built, and what is wrong is printed."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    parser.add_argument("--check", action="store_true", help="build nothing, only look for docstrings")
    parser.add_argument(
        "--no-search", action="store_true", help="leave the search out: a quarter of the time"
    )
    options = parser.parse_args(arguments)
    folder = options.folder
    if options.check:
        problems = undocumented({module.__name__: pdoc.doc.Module(module) for module in _imported()})
        print("\n".join(f"{name} has no docstring" for name in problems), end="", file=sys.stderr)
        return int(bool(problems))
    problems = build(folder, search=not options.no_search)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{folder / 'index.html'}: {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
