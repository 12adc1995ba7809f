"""Circuits that a command line names: found, and written as circom's files. It must not know what they say.

A circuit is ``MODULE:NAME`` or ``MODULE:NAME(INTEGER, ...)``: a template, a system, or a function that
records one, in a module that can be imported from here; with shapes, a gadget that is recorded alone.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zkrollup.cs import R1CS, ConstraintSystem, ConstraintSystemError, System, Template, Witness
from zkrollup.cs.symbols import private_inputs, wire_names
from zkrollup.engine.interface import Engine
from zkrollup.formats.r1cs import WireOrder, write_layout
from zkrollup.formats.sym import SymFile
from zkrollup.formats.wtns import WtnsFile

__all__ = ["NamedCircuit", "find_circuit", "read_values", "write_files"]

_SPEC = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)(?:\(\s*([-\d\s,]*)\))?")
_MAIN = "main"


@dataclass(frozen=True)
class NamedCircuit:
    """A system, and the columns that it hands out. ``template`` when it is one template alone: then links are
    the public inputs, and exports the outputs (but those that are inputs)."""

    r1cs: R1CS
    outputs: tuple[int, ...] = ()
    template: Template | None = None

    @classmethod
    def of(cls, template: Template) -> NamedCircuit:
        """A template as circom's main component."""
        system = System(template.name, public=list(template.links))
        part = system.add(_MAIN, template)
        for link in template.links:
            part.connect(link, system.public(link))
        r1cs = system.freeze()
        given = template.num_links + template.num_inputs
        own_base = r1cs.parts[0].block.own_base
        columns = sorted({c for c in template.exports.values() if c >= given})
        return cls(r1cs, tuple(own_base + c - template.num_links for c in columns), template)

    def witness(self, engine: Engine, values: Mapping[str, Any], source: str) -> Witness:
        """All wires, from a template's links and inputs by name, or from a system's ``public`` and ``parts``.

        ValueError when a name is missing or unknown, or a value out of range; nothing is checked yet.
        """
        if self.template is not None:
            flat = {name.partition("[")[0] for name in self.template.links}
            public = {name: value for name, value in values.items() if name.partition("[")[0] in flat}
            inputs = {name: value for name, value in values.items() if name not in public}
            links = self.template.link_values(public)[1:]
            return self.r1cs.witness(
                engine, public=dict(zip(self.template.links, links, strict=True)), parts={_MAIN: [inputs]}
            )
        wrong = sorted(values.keys() - {"public", "parts"})
        if wrong:
            raise ValueError(f"{source}: {wrong[0]!r} is not known; a system has 'public' and 'parts'")
        return self.r1cs.witness(engine, public=values.get("public", {}), parts=values.get("parts", {}))


def find_circuit(spec: str, shapes: str | None = None, *, option: str = "") -> NamedCircuit:
    """The circuit that ``MODULE:NAME`` or ``MODULE:NAME(INTEGER, ...)`` names; see the module's docstring.

    ``shapes``: JSON, name to shape, as :func:`zkrollup.testing.record_gadget` takes it. ``option``: where the
    name stood. ValueError says what is wrong with the name, or what the author's code raised, and where.
    """
    place = f"{option} {spec}".lstrip()
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"{option} {spec!r}: expected MODULE:NAME or MODULE:NAME(INTEGER, ...)".lstrip())
    module, path, given = match.groups()
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    with _authors_code(place):
        found: Any = importlib.import_module(module)
    for word in path.split("."):
        try:
            found = getattr(found, word)
        except AttributeError:
            raise ValueError(f"{place}: {module} has no {path!r}") from None
    arguments = [_integer(place, word) for word in given.split(",")] if given and given.strip() else []
    if shapes is not None:
        return NamedCircuit.of(_gadget(place, found, shapes))
    if callable(found):
        found = _call(place, found, arguments)
    found = getattr(found, "r1cs", found)
    if isinstance(found, ConstraintSystem | System):
        with _authors_code(place):
            found = found.freeze()
    if isinstance(found, Template):
        return NamedCircuit.of(found)
    if not isinstance(found, R1CS):
        raise ValueError(f"{place}: gave a {type(found).__name__}, expected a template or a system")
    return NamedCircuit(found)


@contextmanager
def _authors_code(place: str) -> Iterator[None]:
    """What the author's module raises becomes a ValueError: one line, with the line that raised it."""
    try:
        yield
    except MemoryError:
        raise
    except ModuleNotFoundError as error:
        raise ValueError(f"{place}: no module {error.name!r} here or installed") from None
    except ConstraintSystemError as error:
        raise ValueError(f"{place}: {error}") from error
    except SyntaxError as error:
        raise ValueError(f"{place}: {error.filename}:{error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith(("<", ours))
        ]
        where = f", at {os.path.relpath(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
        raise ValueError(f"{place}: {type(error).__name__}: {error}{where}") from error


def _integer(place: str, word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{place}: {word.strip()!r} is not an integer") from None


def _call(place: str, function: Callable[..., object], arguments: Sequence[int]) -> object:
    import inspect

    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        wanted = f"{getattr(function, '__name__', 'it')}{inspect.signature(function)}"
        raise ValueError(
            f"{place}: {error}; {wanted} takes integers in parentheses, a gadget needs --shapes"
        ) from None
    with _authors_code(place):
        return function(*arguments)


def _gadget(place: str, gadget: Callable[..., object], shapes: str) -> Template:
    from zkrollup.testing import record_gadget

    try:
        parsed = json.loads(shapes)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"--shapes: no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise ValueError(f"--shapes: expected an object, name to shape, not {type(parsed).__name__}")
    with _authors_code(f"{place} with --shapes {shapes}"):
        return record_gadget(gadget, parsed)


def read_values(path: Path) -> dict[str, Any]:
    """A JSON object of integers by name, or of strings of them as circom has it, with lists and objects."""

    def integers(value: Any, place: str) -> Any:
        if isinstance(value, dict):
            return {name: integers(item, f"{place}.{name}") for name, item in value.items()}
        if isinstance(value, list):
            return [integers(item, f"{place}[{i}]") for i, item in enumerate(value)]
        if isinstance(value, str):
            try:
                return int(value, 0)
            except ValueError:
                pass
        elif isinstance(value, int):
            return int(value)
        raise ValueError(f"{path}: {place}: expected an integer, not {value!r}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise ValueError(f"the name {name!r} stands twice in one object")
            found[name] = value
        return found

    try:
        parsed = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise ValueError(f"{path}: expected an object, names to values, not {type(parsed).__name__}")
    return {name: integers(value, name) for name, value in parsed.items()}


def write_files(
    circuit: NamedCircuit,
    engine: Engine,
    out: Path,
    *,
    sym: Path | None = None,
    wtns: Path | None = None,
    witness: Witness | None = None,
) -> None:
    """Writes the constraints in circom's order of wires, and the names and the witness in the same order."""
    layout = circuit.r1cs.layout
    order = WireOrder.of(layout, outputs=circuit.outputs, private=private_inputs(circuit.r1cs))
    if wtns is not None and witness is not None:
        WtnsFile(engine.fr_from_mont(witness.values[order.columns])).write(wtns)
    write_layout(out, layout, engine, order=order)
    if sym is not None:
        wires = (int(wire) for wire in order.wires[1:])
        SymFile.write_wires(sym, wire_names(circuit.r1cs), wires)
