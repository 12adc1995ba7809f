"""The Solidity side of errors, events and structs: names, selectors and words that others computed."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from zkrollup.crypto.keccak import keccak256
from zkrollup.l1 import events, reverts
from zkrollup.l1.headers import BatchHeader, genesis_header
from zkrollup.l1.queue import hash_request, request_hash
from zkrollup.l1.solidity import abi_encode, abi_names, abi_types, indexed_names, selector, signature, topic
from zkrollup.state import Deposit, ForcedExit
from zkrollup.state.exceptions import OutOfRange


def test_selector__is_what_solidity_computes() -> None:
    """Both errors are common enough for their selectors to stand in public tables."""
    assert selector(reverts.ZeroAddress).hex() == "d92e233d"
    assert selector(reverts.ZeroAmount).hex() == "1f2a2005"


def test_signature__has_the_arguments_in_order() -> None:
    assert signature(reverts.RequestMismatch) == "RequestMismatch(uint64,bytes32,bytes32)"
    assert signature(reverts.WrongRollup) == "WrongRollup(address,address)"
    assert signature(events.BatchExecuted) == "BatchExecuted(uint64,uint256,uint256,uint64)"
    members = ",".join(abi_types(BatchHeader))
    assert signature(events.BatchCommitted) == f"BatchCommitted(uint64,({members}))"
    assert indexed_names(events.WithdrawalPending) == ("owner", "token")


def test_selectors__and_topics_are_all_different() -> None:
    assert len({selector(kind) for kind in reverts.REVERTS}) == len(reverts.REVERTS) > 40
    assert len({topic(kind) for kind in events.EVENTS}) == len(events.EVENTS) == 17


@pytest.mark.parametrize("kind", reverts.REVERTS, ids=lambda kind: kind.__name__)
def test_revert__says_its_values_and_can_be_sent_between_processes(kind) -> None:
    types = abi_types(kind)
    values = [bytes([i + 1]) * 32 if text == "bytes32" else i + 1 for i, text in enumerate(types)]
    error = kind(*values)
    text = str(error)
    assert text.startswith(f"{kind.label}: ")
    assert "{" not in text
    if "bytes32" in types:
        assert f"0x{bytes([types.index('bytes32') + 1]).hex() * 32}" in text
    assert pickle.loads(pickle.dumps(error)).values() == error.values()
    assert list(error.values()) == ["place", *abi_names(kind)]


def test_revert__names_the_field_that_is_not_canonical() -> None:
    error = reverts.NonCanonical(reverts.Field.FEE_ACCOUNT, 119)
    assert str(error).startswith("non-canonical data: the fee account at byte 119 has a value")
    assert "Field 77" in str(reverts.NonCanonical(77, 0))
    assert "the deposit cap cannot be" in str(reverts.InvalidConfig(reverts.ConfigItem.DEPOSIT_CAP))


def test_header__is_eleven_words_in_the_struct_s_order() -> None:
    header = BatchHeader(1, 2, 3, 4, 5, 6, 7, 8, b"\x09" * 32, b"\x0a" * 32, 11)
    words = [abi_encode(header)[i : i + 32] for i in range(0, 352, 32)]
    assert [int.from_bytes(word, "big") for word in words[:8]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert words[8:10] == [b"\x09" * 32, b"\x0a" * 32]
    assert int.from_bytes(words[10], "big") == 11
    assert header.hash == keccak256(abi_encode(header))


@pytest.mark.parametrize("name", list(BatchHeader.__dataclass_fields__))
def test_header__hash_changes_with_every_field(name: str) -> None:
    header = genesis_header(5, 1)
    value = getattr(header, name)
    other = b"\x01" * 32 if isinstance(value, bytes) else value + 1
    assert replace(header, **{name: other}).hash != header.hash


@pytest.mark.parametrize(
    "change", [{"number": 2**64}, {"root_after": -1}, {"skeleton": bytes(31)}, {"next_index": True}]
)
def test_header__that_is_no_struct_has_no_hash(change) -> None:
    with pytest.raises(OutOfRange, match=rf"BatchHeader\.{next(iter(change))} is "):
        _ = replace(genesis_header(5, 1), **change).hash


def test_request__is_packed_into_105_bytes() -> None:
    ax, ay = 995203441582195749578291179787384436505546430278305826713579947235728471134, 5
    exit_bytes = b"\x04" + (9).to_bytes(4, "big") + bytes(16 + 64) + (0xE0).to_bytes(20, "big")
    assert len(exit_bytes) == 105
    assert hash_request(ForcedExit(9, 0xE0)) == keccak256(exit_bytes)
    packed = (
        b"\x01"
        + (7).to_bytes(4, "big")
        + (50).to_bytes(16, "big")
        + ax.to_bytes(32, "big")
        + ay.to_bytes(32, "big")
        + (0xE0).to_bytes(20, "big")
    )
    assert request_hash(1, 7, 50, ax, ay, 0xE0) == keccak256(packed)


def test_request__hash_of_a_deposit_binds_all_that_was_paid_for() -> None:
    from zkrollup.testing.rollup import make_wallets

    first, second = make_wallets(2)
    deposit = first.deposit(50)
    others = [
        replace(deposit, amount=51),
        replace(deposit, token=8),
        replace(deposit, eth_address=1),
        second.deposit(50),
    ]
    assert isinstance(deposit, Deposit)
    assert len({hash_request(request) for request in [deposit, *others]}) == 5
