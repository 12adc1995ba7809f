"""What the gadgets' tests share: recording one gadget, and the vectors made by circomlibjs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from zkrollup.cs import ConstraintSystem, Field, Template

Body = Callable[[ConstraintSystem, dict[str, Any]], "Mapping[str, Field] | None"]


@pytest.fixture(scope="session")
def record() -> Callable[..., Template]:
    """``record(body, fields="x y", bools="b", arrays={"lanes": 4})`` records one gadget.

    ``body(cs, inputs)`` returns what to export by name. Inputs are declared in the scope "inputs".
    """

    def run(
        body: Body,
        fields: str = "",
        bools: str = "",
        arrays: Mapping[str, int] | None = None,
        bool_arrays: Mapping[str, int] | None = None,
    ) -> Template:
        cs = ConstraintSystem("gadget")
        with cs.scope("inputs"):
            inputs: dict[str, Any] = {name: cs.input(name) for name in fields.split()}
            inputs |= {name: cs.input_bool(name) for name in bools.split()}
            inputs |= {name: cs.input_array(name, n) for name, n in (arrays or {}).items()}
            inputs |= {name: cs.input_bool_array(name, n) for name, n in (bool_arrays or {}).items()}
        outputs: Mapping[str, Field | Sequence[Field]] = body(cs, inputs) or {}
        for name, out in outputs.items():
            if isinstance(out, Field):
                cs.export(name, out)
            else:
                cs.export_array(name, out)
        return cs.freeze()

    return run


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Template], int]:
    """The rows of a recorded gadget without those of its inputs."""

    def count(template: Template) -> int:
        return template.num_constraints - template.counts_by_scope().get("inputs", 0)

    return count


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], list[dict[str, Any]]]:
    """``vectors("eddsa/keys")`` is that file's list of cases, decimal strings turned into ints."""
    folder = Path(__file__).parents[1] / "vectors"

    def number(value: Any) -> Any:
        if isinstance(value, list):
            return [number(item) for item in value]
        return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 80 else value

    def load(name: str) -> list[dict[str, Any]]:
        cases = json.loads((folder / f"{name}.json").read_text())
        return [{k: v if k in ("packed", "seed") else number(v) for k, v in c.items()} for c in cases]

    return load
