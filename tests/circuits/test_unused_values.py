"""What a kind does not use is pinned as well: an input that nobody needs must not be a prover's to choose."""

from __future__ import annotations

from typing import Any

import pytest

from zkrollup.state import Deposit, ForcedExit, Transaction, Transfer, Withdraw

Parts = dict[str, list[dict[str, Any]]]

KINDS: dict[str, list[Transaction]] = {
    "transfer": [Transfer(1, 2, 0, 100, 5, 0)],
    "withdraw": [Withdraw(1, 0xE9, 0, 100, 5, 0)],
    "exit": [ForcedExit(1, 0xE0)],
    "nullified exit": [ForcedExit(1, 0xBAD)],
    "noop": [],
}


def applied(workshop: Any, kind: str) -> Any:
    if kind == "deposit":
        return workshop.apply(Deposit(9, 70, *workshop.state.account(1).key[1:3], 0xE9))
    if kind == "top-up":
        token, ax, ay, eth_address = workshop.state.account(1).key
        return workshop.apply(Deposit(token, 70, ax, ay, eth_address))
    signed = [workshop.sign(t, 0) if isinstance(t, Transfer | Withdraw) else t for t in KINDS[kind]]
    return workshop.apply(*signed)


@pytest.mark.parametrize(
    ("kind", "name", "value", "answer"),
    [
        ("deposit", "first_nonce_after", 1, "D first leaf/unused nonce is zero"),
        ("nullified exit", "first_nonce_after", 1, "D first leaf/unused nonce is zero"),
        ("noop", "first_nonce_after", 1, "D first leaf/unused nonce is zero"),
        ("withdraw", "second_nonce", 1, "E second leaf/unused second nonce is zero"),
        ("deposit", "second_nonce", 1, "E second leaf/unused second nonce is zero"),
        ("noop", "second_nonce", 1, "E second leaf/unused second nonce is zero"),
        ("deposit", "first_index", 1, "D first leaf/unused first leaf is leaf 0"),
        ("noop", "first_index", 1, "D first leaf/unused first leaf is leaf 0"),
        ("withdraw", "second_index", 1, "E second leaf/unused second leaf is leaf 0"),
        ("exit", "second_index", 1, "E second leaf/unused second leaf is leaf 0"),
        ("noop", "second_index", 1, "E second leaf/unused second leaf is leaf 0"),
        ("transfer", "key_x", 1, "D first leaf/key/only kinds with a key carry one"),
        ("transfer", "key_y", 1, "D first leaf/key/only kinds with a key carry one"),
        ("withdraw", "key_x", 1, "D first leaf/key/only kinds with a key carry one"),
        ("exit", "key_y", 1, "D first leaf/key/only kinds with a key carry one"),
        ("noop", "key_x", 1, "D first leaf/key/only kinds with a key carry one"),
        ("transfer", "eth_address", 1, "H public data/only kinds with an address carry one"),
        ("noop", "eth_address", 1, "H public data/only kinds with an address carry one"),
        ("withdraw", "amount_mantissa", 1, "B amounts/only transfers carry an amount code"),
        ("exit", "amount_exponent", 1, "B amounts/only transfers carry an amount code"),
        ("noop", "amount_exponent", 1, "B amounts/only transfers carry an amount code"),
        ("deposit", "fee_exponent", 1, "B amounts/only signed transactions pay a fee"),
        ("exit", "fee_mantissa", 1, "B amounts/only signed transactions pay a fee"),
        ("noop", "fee_exponent", 1, "B amounts/only signed transactions pay a fee"),
        ("nullified exit", "token", 1, "D first leaf/noop and nullified exit name no token"),
        ("nullified exit", "amount", 1, "D first leaf/noop and nullified exit move no amount"),
        ("noop", "nullified", 1, "A kind/only L1 requests can be nullified"),
        ("withdraw", "nullified", 1, "A kind/only L1 requests can be nullified"),
        ("deposit", "second_packed", 1, "E second leaf/a created leaf was empty: packed"),
        ("deposit", "second_balance", 1, "E second leaf/a created leaf was empty: balance"),
        ("deposit", "second_ax", 1, "E second leaf/a created leaf was empty: ax"),
        ("deposit", "second_eth_address", 1, "E second leaf/a created leaf was empty: eth_address"),
        ("top-up", "key_x", 1, "E second leaf/top-up keeps ax"),
        ("top-up", "key_y", 1, "E second leaf/top-up keeps ay"),
        ("top-up", "eth_address", 1, "E second leaf/top-up keeps eth_address"),
        ("transfer", "fee_entry_0", 0, "F fees/the whole fee is credited once"),
        ("transfer", "fee_entry_1", 1, "F fees/the whole fee is credited once"),
    ],
)
def test_slot__pins_what_its_kind_does_not_use(
    workshop: Any, kind: str, name: str, value: int, answer: str
) -> None:
    """C1, C4, C13."""
    trace = applied(workshop, kind)
    assert workshop.failures(trace) == set()

    def twist(parts: Parts) -> None:
        parts["slots"][0][name] = value

    assert answer in workshop.failures(trace, twist)


@pytest.mark.parametrize(
    ("entry", "name", "value", "answer"),
    [
        (1, "fee_token_1", 1, "A entry/an unused entry has token 0"),
        (0, "fee_token_0", 7, "B leaf/the operator's account has the entry's token"),
        (0, "fee_account_0", 9, "B leaf/level 0/the child stands at its place"),
        (1, "fee_account_1", 9, "B leaf/the operator's account exists"),
    ],
)
def test_fee_entry__is_unused_or_an_account_of_its_token(
    workshop: Any, entry: int, name: str, value: int, answer: str
) -> None:
    """C10, C13."""
    trace = workshop.apply()

    def twist(parts: Parts) -> None:
        parts["header"][0][name] = value

    failures = workshop.failures(trace, twist)
    assert answer in failures
    assert not any(failure.startswith("A kind") for failure in failures)


def test_fee_credit__nonce_of_an_unused_entry_is_zero(workshop: Any) -> None:
    """C4."""

    def twist(parts: Parts) -> None:
        parts["fees"][1]["nonce"] = 1

    assert workshop.failures(workshop.apply(), twist) == {"B leaf/unused nonce is zero"}


def test_fee_credit__balance_of_2_128_is_unsatisfiable(workshop: Any) -> None:
    """C6: the operator's own account overflows no more than another."""
    account = workshop.state.account(3)
    trace = workshop.apply(workshop.sign(Transfer(1, 2, 0, 100, 5, 0), 0))
    assert workshop.failures(trace) == set()
    assert workshop.state.account(3).balance == account.balance + 5

    def twist(parts: Parts) -> None:
        parts["fees"][0]["leaf_balance"] = 2**128 - 5

    failures = workshop.failures(trace, twist)
    assert any(failure.startswith("B leaf/balance stays below 2^128/") for failure in failures), failures


@pytest.mark.parametrize("name", ["C", "y"])
def test_outputs__are_the_public_inputs(workshop: Any, name: str) -> None:
    """C16: both are compared with what was computed."""
    template = workshop.circuit.templates["outputs"]
    links = {"C": 3, "C_public": 3, "y": 4, "y_public": 4, "group": 0}
    assert template.check(links, {}).satisfied
    for end in (name, f"{name}_public"):
        failures = template.check(links | {end: 5}, {}).failures
        assert [failure.label for failure in failures] == [f"public input {name} is the computed one"]
