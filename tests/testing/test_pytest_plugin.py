"""The pytest plugin, in pytest runs of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

CIRCUIT = """
from zkrollup.cs import ConstraintSystem
from zkrollup.testing import assert_satisfied, assert_unsatisfied

def template(redundant=False):
    cs = ConstraintSystem("product")
    x, y = cs.input("x"), cs.input("y")
    z = x * y
    if redundant:
        cs.enforce(y, x, z, "once more")
    cs.export("z", z)
    return cs.freeze()
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run pytest with the plugin on one test file."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run_one(body: str, *options: str, code: int = 0) -> str:
        file = pytester.path / f"test_{len(list(pytester.path.glob('*.py')))}.py"
        for old in pytester.path.glob("test_*.py"):
            old.rename(old.with_suffix(".old.py").with_name(f"old_{old.name}"))
        file.write_text(CIRCUIT + body)
        plain = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
        done = pytester.runpytest_inprocess(*plain, *_plugin(), *options)
        told = done.stdout.str() + done.stderr.str()
        assert done.ret == code, told
        return told

    return run_one


def _plugin() -> list[str]:
    """Where zkrollup is installed pytest finds the plugin by itself; in a checkout it has to be named."""
    from importlib.metadata import entry_points

    installed = [e for e in entry_points(group="pytest11") if e.value == "zkrollup.testing.pytest_plugin"]
    return [] if installed else ["-p", "zkrollup.testing.pytest_plugin"]


def test_plugin__loads_nothing_that_is_not_asked_for() -> None:
    code = (
        "import sys, zkrollup.testing.pytest_plugin; "
        "print([m for m in sys.modules if m.startswith(('numpy', 'numba', 'hypothesis', 'zkrollup.cs'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_fixtures__are_engines(run) -> None:
    run(
        """
def test_engines(zkrollup_engine, zkrollup_reference_engine):
    assert zkrollup_engine.name in ("native", "numba")
    assert zkrollup_reference_engine.name == "reference"
"""
    )


SNAPSHOT = """
def test_counts(circuit_snapshot):
    circuit_snapshot(template())
"""


def test_snapshots__are_written_then_compared(run, pytester: pytest.Pytester) -> None:
    told = run(SNAPSHOT, code=1)
    assert "circuit snapshot 'product' in circuit_snapshots.json: nothing is committed" in told
    run(SNAPSHOT, "--circuit-snapshots")
    file = pytester.path / "circuit_snapshots.json"
    assert json.loads(file.read_text())["product"]["constraints"] == 1
    run(SNAPSHOT)
    changed = SNAPSHOT.replace("template()", "template(redundant=True)")
    told = run(changed, code=1)
    assert "'constraints': 1," in told
    assert "'constraints': 2," in told
    assert "run pytest --circuit-snapshots and commit the file" in told


@pytest.mark.parametrize("text", ["garbage", "[1]", "[" * 100_000])
def test_circuit_snapshot__damaged_file_is_named(run, pytester: pytest.Pytester, text: str) -> None:
    file = pytester.path / "circuit_snapshots.json"
    file.write_text(text)
    told = run(SNAPSHOT, code=1)
    assert f"{file}: not a file of circuit snapshots (" in told
    assert "pytest_plugin.py" not in told


def test_snapshots__written_by_a_whole_run_forget_what_is_gone(run, pytester: pytest.Pytester) -> None:
    file = pytester.path / "circuit_snapshots.json"
    file.write_text('{"gone": {}}')
    run(SNAPSHOT, "--circuit-snapshots", "-k", "counts")
    assert set(json.loads(file.read_text())) == {"gone", "product"}
    run(SNAPSHOT, "--circuit-snapshots")
    assert set(json.loads(file.read_text())) == {"product"}


def test_snapshots__one_name_has_one_meaning(run) -> None:
    body = """
def test_counts(circuit_snapshot):
    circuit_snapshot(template(), "it")
    circuit_snapshot(template(redundant=True), "it")
"""
    assert "asked for twice with other counts" in run(body, "--circuit-snapshots", code=1)


SATISFIED = """
def test_product():
    assert_satisfied(template(redundant=False), {}, {"x": 2, "y": 3})
"""


def test_mutation__passes_where_every_row_is_missed(run) -> None:
    told = run(SATISFIED, "--mutation")
    assert "1 templates with 1 rows: every wire changed, every row dropped; all of it was noticed" in told


def test_mutation__fails_and_lists_what_survives(run, pytester: pytest.Pytester) -> None:
    body = SATISFIED.replace("redundant=False", "redundant=True")
    run(body)
    told = run(body, "--mutation", code=1)
    assert "row 1 'once more' at" in told
    known = pytester.path / "known.json"
    known.write_text('{"rows": {"once more": "twice is safer", "product": "the same"}, "wires": {}}')
    run(body, "--mutation", f"--mutation-explained={known}")
    known.write_text('{"rows": {"once more": "x", "product": "y", "gone": "z"}}')
    assert "stale explanation 'gone'" in run(body, "--mutation", f"--mutation-explained={known}", code=1)


CHOICE = """
def test_choice():
    cs = ConstraintSystem("choice")
    b, x, y = cs.input_bool("b"), cs.input("x"), cs.input("y")
    cs.export("out", b * (x - y) + y)
    t = cs.freeze()
    assert_satisfied(t, {}, {"b": 0, "x": 5, "y": 7})
    assert_satisfied(t, {}, {"b": 1, "x": 5, "y": 7})
    assert_unsatisfied(t, {}, {"b": 2, "x": 5, "y": 7}, by="b is boolean")
"""


def test_mutation__wants_an_input_to_matter_in_one_case_at_least(run) -> None:
    run(CHOICE, "--mutation")
    one_case = CHOICE.replace('    assert_satisfied(t, {}, {"b": 1, "x": 5, "y": 7})\n', "")
    told = run(one_case, "--mutation", code=1)
    assert "free wire x may be 6 instead of 5" in told
    assert "what nobody noticed is above" in told


def test_mutation__lists_a_computed_wire_that_one_case_leaves_free(run) -> None:
    body = """
def test_inverse():
    cs = ConstraintSystem("zero")
    x = cs.input("x")
    inverse, zero = cs.hint_inverse_or_zero(x), cs.hint_is_zero(x)
    cs.enforce(x, inverse, 1 - zero)
    cs.enforce(x, zero, 0)
    cs.export("zero", zero)
    t = cs.freeze()
    assert_satisfied(t, {}, {"x": 5})
    assert_satisfied(t, {}, {"x": 0})
"""
    assert "free wire inverse_or_zero#0 may be 1 instead of 0" in run(body, "--mutation", code=1)


def test_mutation__refuses_half_a_request(run, pytester: pytest.Pytester) -> None:
    assert "give both" in run(SATISFIED, "--mutation-explained=x", code=4)
    missing = pytester.path / "missing.json"
    told = run(SATISFIED, "--mutation", f"--mutation-explained={missing}", code=4)
    assert "--mutation-explained: " in told
    assert "in one process" in run(SATISFIED, "--mutation", "-n", "2", code=4)
    assert "writes files: run it in one process" in run(SNAPSHOT, "--circuit-snapshots", "-n", "2", code=4)
