"""Accounts: what the leaf binds, and which values there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.poseidon import poseidon_reference
from zkrollup.state.accounts import EMPTY_ACCOUNT, Account
from zkrollup.state.exceptions import OutOfRange
from zkrollup.state.parameters import BatchParameters

FULL = Account(2**32 - 1, 2**40 - 1, 2**128 - 1, FR_MODULUS - 2, FR_MODULUS - 2, 2**160 - 1)


def test_leaf__is_poseidon_of_five_inputs() -> None:
    account = Account(token=3, nonce=5, balance=7, ax=11, ay=13, eth_address=17)
    assert account.leaf() == poseidon_reference((3 + 5 * 2**32, 7, 11, 13, 17))
    assert EMPTY_ACCOUNT.leaf() == poseidon_reference((0,) * 5)


@pytest.mark.parametrize("account", [EMPTY_ACCOUNT, FULL])
def test_leaf__changes_with_every_field(account: Account) -> None:
    changed = {
        replace(account, **{name: getattr(account, name) ^ 1}).leaf()
        for name in ("token", "nonce", "balance", "ax", "ay", "eth_address")
    }
    assert len(changed | {account.leaf()}) == 7


@pytest.mark.parametrize(
    ("name", "first_refused"),
    [
        ("token", 2**32),
        ("nonce", 2**40),
        ("balance", 2**128),
        ("ax", FR_MODULUS),
        ("ay", FR_MODULUS),
        ("eth_address", 2**160),
    ],
)
def test_account__refuses_values_out_of_range(name: str, first_refused: int) -> None:
    for value in (first_refused, -1, True, 1.0, "1"):
        with pytest.raises(OutOfRange, match=name):
            replace(EMPTY_ACCOUNT, **{name: value})
    replace(EMPTY_ACCOUNT, **{name: first_refused - 1})


@pytest.mark.parametrize(
    "sizes",
    [{"slots": 0}, {"slots": 2**20 + 1}, {"depth": 0}, {"depth": 17}, {"fee_tokens": -1}, {"slots": True}],
)
def test_parameters__refuse_sizes_that_cannot_be(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(sizes))):
        BatchParameters(**({"slots": 1} | sizes))
