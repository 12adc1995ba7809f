"""The reference builds without a warning, and every public module, class and function has a docstring."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pdoc", reason="the reference is built by pdoc: pip install '.[docs]'")

ROOT = Path(__file__).resolve().parents[2]


def test_reference__every_public_module_class_and_function_has_a_docstring() -> None:
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_build__has_no_warning_and_links_pages_with_the_reference(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--no-search", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    for page in (ROOT / "docs").glob("*.md"):
        assert (tmp_path / f"{page.stem}.html").exists()
        links = re.findall(r'href="([^":#]+)["#]', (tmp_path / f"{page.stem}.html").read_text())
        places = {link: (page.parent if link.startswith("../") else tmp_path) / link for link in links}
        assert [link for link, place in places.items() if not place.exists()] == [], page
    tutorial = (tmp_path / "tutorial.html").read_text()
    assert '<a href="api/zkrollup/testing.html#assert_equivalent">' in tutorial
    assert '<a href="auditors.html">' in tutorial
    for name, member in [
        ("testing", "assert_equivalent"),
        ("audit", "audit"),
        ("gadgets/poseidon", "poseidon"),
    ]:
        assert f'id="{member}"' in (tmp_path / "api" / "zkrollup" / f"{name}.html").read_text()


def test_build__a_name_without_a_docstring_is_told(tmp_path: Path) -> None:
    code = (
        "import sys, types; sys.path.insert(0, sys.argv[1]); import build, pdoc.doc\n"
        "module = types.ModuleType('m', 'Something.')\n"
        'exec(\'from dataclasses import dataclass\\n__all__ = ["f", "g", "C", "D", "K"]\\nK = 1\\n\'\n'
        "     'def f():\\n    pass\\ndef g():\\n    \"Told.\"\\nclass C:\\n    pass\\n'\n"
        "     '@dataclass\\nclass D:\\n    x: int\\n', vars(module) | {'__name__': 'm'}, vars(module))\n"
        "print(build.undocumented({'m': pdoc.doc.Module(module)}))\n"
    )
    command = [sys.executable, "-c", code, str(ROOT / "docs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "['m.C', 'm.D', 'm.f']\n", done.stderr
