"""The text of exceptions, and that they survive the way between processes."""

from __future__ import annotations

import pickle

import pytest

from zkrollup.l1 import world
from zkrollup.state import exceptions
from zkrollup.state.exceptions import Overdrawn, Refusal, ReusedNonce

EXAMPLES = {"int": 3, "str": "text", "object": "thing", "tuple[int, ...]": (1, 2)}


def concrete(module) -> list[type[Refusal]]:
    found = [getattr(module, name) for name in module.__all__]
    return [
        kind
        for kind in found
        if isinstance(kind, type)
        and issubclass(kind, Refusal)
        and (kind.problem or "line" in kind.__annotations__)
    ]


def example(kind: type[Refusal]) -> Refusal:
    values = {
        name: EXAMPLES[annotation]
        for base in kind.__mro__
        for name, annotation in vars(base).get("__annotations__", {}).items()
        if not annotation.startswith("ClassVar") and name != "place"
    }
    return kind(**values)


def test_error_text__has_label_values_place_and_remedy() -> None:
    error = ReusedNonce(4, 1, 2)
    assert str(error) == "reused nonce: account 4 has used nonce 1 already; sign again with nonce 2"
    error.place = "transaction 5 (transfer)"
    assert str(error) == (
        "reused nonce in transaction 5 (transfer): account 4 has used nonce 1 already; "
        "sign again with nonce 2"
    )
    assert str(Overdrawn(1, 10, 9, 2)) == (
        "overdrawn: account 1 holds 10, less than amount 9 plus fee 2; lower the amount or deposit first"
    )


@pytest.mark.parametrize(
    "kind", [*concrete(exceptions), *concrete(world)], ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
def test_exceptions__say_all_their_values_and_pickle(kind: type[Refusal]) -> None:
    error = example(kind)
    text = str(error)
    assert kind.label in text
    assert kind.label != Refusal.label
    assert "{" not in text
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is kind
    assert (copied.values(), str(copied)) == (error.values(), text)
