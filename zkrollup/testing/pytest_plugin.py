"""The pytest plugin: fixtures for engines, committed row counts, mutation of whatever the tests check.

This module must not import anything of zkrollup before a test asks for it: pytest loads it wherever zkrollup
is installed, and people who test something else should not notice.

Fixtures
    ``zkrollup_engine``: the engine that the environment chooses; ``zkrollup_reference_engine``: its twin.
    ``circuit_snapshot``: ``circuit_snapshot(template)`` compares the template's counts with those committed
    in ``circuit_snapshots.json`` beside the test; a change is a failure that shows both.

Options
    ``--circuit-snapshots``: write the counts instead of comparing them, to accept a change. A file loses the
    entries that a whole run of its tests no longer asks for.
    ``--mutation``: after the tests, take every template that ``assert_satisfied`` saw, with some witnesses
    that were accepted and all assignments that ``assert_unsatisfied`` saw refused; mutate every wire and
    drop every constraint. What nobody notices is listed, and the run fails: rows that nobody misses, computed
    wires that some witness leaves free, links and inputs that all of them leave free. In one process only,
    not with xdist.
    ``--mutation-explained=FILE``: what may go unnoticed: a JSON object with ``wires`` and ``rows``, each an
    object of patterns and reasons (:class:`zkrollup.testing.Explained`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from zkrollup.cs import Check, Template
    from zkrollup.engine.interface import Engine
    from zkrollup.testing.mutation import FreeWire
    from zkrollup.testing.reference_engine import ReferenceEngine

__all__ = [
    "circuit_snapshot",
    "pytest_addoption",
    "pytest_configure",
    "zkrollup_engine",
    "zkrollup_reference_engine",
]

SNAPSHOT_FILE = "circuit_snapshots.json"
_WITNESSES = 6  # of one template that are kept; the more, the longer a mutation run takes


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("zkrollup", "testing circuits with zkrollup")
    group.addoption("--circuit-snapshots", action="store_true", help="write circuit counts, do not compare")
    group.addoption(
        "--mutation", action="store_true", help="mutate wires and drop constraints of all templates tested"
    )
    group.addoption("--mutation-explained", metavar="FILE", help="JSON: what may go unnoticed, and why")


def pytest_configure(config: pytest.Config) -> None:
    many = getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput")
    if many and config.getoption("--circuit-snapshots", default=False):
        raise pytest.UsageError("--circuit-snapshots writes files: run it in one process, without -n")
    if config.getoption("--mutation", default=False):
        if many:
            raise pytest.UsageError(
                "--mutation collects what all tests saw: run it in one process, without -n"
            )
        config.pluginmanager.register(_Mutation(config), "zkrollup-mutation")
    elif config.getoption("--mutation-explained", default=None):
        raise pytest.UsageError("--mutation-explained says what --mutation may overlook: give both")


# -- engines -----------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def zkrollup_engine() -> Engine:
    """The engine that the environment chooses (ZKROLLUP_ENGINE, ZKROLLUP_CPU, ZKROLLUP_THREADS)."""
    from zkrollup.engine import get_engine

    return get_engine()


@pytest.fixture(scope="session")
def zkrollup_reference_engine() -> ReferenceEngine:
    """The slow twin of an engine's replay and sparse products, in plain Python."""
    from zkrollup.testing.reference_engine import ReferenceEngine

    return ReferenceEngine()


# -- snapshots ---------------------------------------------------------------------------------------
class _Snapshots:
    """The snapshot files of a session: what they say and what was asked of them."""

    def __init__(self, writing: bool) -> None:
        self.writing = writing
        self.asked: dict[Path, dict[str, dict[str, int]]] = {}

    @staticmethod
    def committed(file: Path) -> dict[str, Any]:
        """What a snapshot file says; nothing when there is none. AssertionError when it is damaged."""
        __tracebackhide__ = True
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(known, dict):
                raise ValueError("no object")
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            raise AssertionError(
                f"{file}: not a file of circuit snapshots ({error}); restore it, or remove it and run pytest "
                "--circuit-snapshots"
            ) from None
        return known

    def compare(self, file: Path, name: str, counts: dict[str, int]) -> None:
        __tracebackhide__ = True  # of pytest's: the test's own line is what matters
        before = self.asked.setdefault(file, {}).setdefault(name, counts)
        if before != counts:
            raise AssertionError(
                f"circuit snapshot {name!r} is asked for twice with other counts in {file.name}"
            )
        if self.writing:
            return
        known = self.committed(file)
        if known.get(name) != counts:
            was = known.get(name, "nothing")
            raise AssertionError(
                f"circuit snapshot {name!r} in {file.name}: {was} is committed, the template has {counts}; "
                "if that is meant, run pytest --circuit-snapshots and commit the file"
            )

    def write(self, complete: bool) -> None:
        for file, counts in self.asked.items():
            kept = {} if complete else self.committed(file)
            file.write_text(json.dumps(dict(sorted((kept | counts).items())), indent=1) + "\n")


@pytest.fixture(scope="session")
def _circuit_snapshots(request: pytest.FixtureRequest) -> Iterator[_Snapshots]:
    config = request.config
    snapshots = _Snapshots(config.getoption("--circuit-snapshots"))
    yield snapshots
    if snapshots.writing:
        chosen = config.getoption("keyword") or config.getoption("markexpr") or config.getoption("deselect")
        partial = chosen or any("::" in arg for arg in config.args) or request.session.testsfailed
        snapshots.write(complete=not partial)


@pytest.fixture
def circuit_snapshot(request: pytest.FixtureRequest, _circuit_snapshots: _Snapshots) -> Callable[..., None]:
    """``circuit_snapshot(template, name=None)``: its counts are those committed beside the test."""
    file = Path(request.path).with_name(SNAPSHOT_FILE)

    def compare(template: Template, name: str | None = None) -> None:
        __tracebackhide__ = True
        counts = {
            "constraints": template.num_constraints,
            "wires": template.num_own,
            "inputs": template.num_inputs,
            "links": template.num_links - 1,
            "nonzero": template.matrices.num_nonzero,
        }
        _circuit_snapshots.compare(file, name or template.name, counts)

    return compare


# -- mutation ----------------------------------------------------------------------------------------
class _Seen:
    """What the tests showed of one template."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.valid: dict[tuple[int, ...], None] = {}
        self.invalid: dict[tuple[int, ...], None] = {}


class _Mutation:
    """Collects every check of every template, and mutates when the tests are done."""

    def __init__(self, config: pytest.Config) -> None:
        from zkrollup.testing import Explained, circuits

        self.seen: dict[str, _Seen] = {}
        self.report: list[str] = []
        self.failed = False
        path = config.getoption("--mutation-explained")
        try:
            lists = Explained.read_sections(path, "wires", "rows") if path else [Explained(), Explained()]
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"--mutation-explained: {error}") from None
        self.wires, self.rows = lists
        circuits.observers.append(self.note)

    def note(self, check: Check) -> None:
        seen = self.seen.setdefault(check.template.digest, _Seen(check.template))
        table = seen.valid if check.satisfied else seen.invalid
        if check.satisfied and len(table) >= _WITNESSES:
            return
        table.setdefault(tuple(check.values))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from zkrollup.testing import circuits, drop_constraints

        circuits.observers.remove(self.note)
        templates = rows = 0
        for seen in self.seen.values():
            if not seen.valid:
                continue
            rows += seen.template.num_constraints
            free = self._free(seen)
            dropped = drop_constraints(
                seen.template, list(seen.valid), list(seen.invalid), explained=self.rows
            )
            if free or dropped.survivors:
                self.report.append(str(dropped))
                self.report += [f"  free wire {wire}" for wire in free]
                self.failed = True
            templates += 1
        self.report.append(
            f"{templates} templates with {rows} rows: every wire changed, every row dropped; "
            + ("what nobody noticed is above" if self.failed else "all of it was noticed or is explained")
        )
        for known in (self.wires, self.rows):
            if known.stale:
                self.report += [f"{known.source}: stale explanation {pattern!r}" for pattern in known.stale]
                self.failed = True
        if self.failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _free(self, seen: _Seen) -> list[FreeWire]:
        """Computed wires that some witness leaves free; links and inputs that every witness leaves free:
        an input may be without effect in one case or another."""
        from zkrollup.testing import mutate_witness

        template = seen.template
        given = template.num_links + template.num_inputs
        found: dict[int, list[FreeWire]] = {}
        for values in seen.valid:
            for wire in mutate_witness(template, values):
                found.setdefault(wire.column, []).append(wire)
        free = [
            wires[0]
            for column, wires in sorted(found.items())
            if column >= given or len(wires) == len(seen.valid)
        ]
        return [wire for wire in free if self.wires.reason(*wire.names) is None]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("mutation of circuits")
        for line in self.report:
            terminalreporter.write_line(line)
