"""A batch that does not hold names the transaction, and why, where the wires tell."""

from __future__ import annotations

from typing import Any

import pytest

from zkrollup.circuits.batch import describe_slot
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import AssignmentError, Failures
from zkrollup.operator import engine_hasher
from zkrollup.state import ChangeKey, Transfer, TransferToAddress, TransferToNew, Withdraw
from zkrollup.state.transition import transition


def failures(workshop: Any, transaction: Any, **change: int) -> Failures:
    """Of a batch with this transaction, its slot's inputs changed."""
    trace = workshop.apply(transaction)
    r1cs, engine = workshop.circuit.r1cs, workshop.engine
    public, parts = workshop.circuit.assignment(trace, z=99, hasher=engine_hasher(engine), modulus=MODULUS)
    for name, by in change.items():
        parts["slots"][0][name] += by
    describe = workshop.circuit.describe(trace)
    return r1cs.check(engine, r1cs.witness(engine, public, parts, describe=describe))


def test_overdraft__names_transfer_difference_and_line(workshop: Any) -> None:
    asked = workshop.sign(Transfer(1, 2, 0, 900, 0, 0), 0)
    found = failures(workshop, asked, first_balance=-101)
    first = next(f for f in found if f.causes)
    assert first.subject == "Transfer(sender=1, recipient=2, token=0, amount=900, fee=0, nonce=0)"
    assert repr(asked).startswith(first.subject[:-1])
    assert first.path.startswith("slots[0]/")
    (cause,) = first.causes
    assert cause.text.endswith(" = -1 does not fit 128 bits")
    assert cause.place is not None
    assert "transaction.py" in f"{cause.place}"
    assert "in Transfer(sender=1, recipient=2, token=0, amount=900, fee=0, nonce=0)" in str(found)


def test_slots__are_described_by_kind(workshop: Any) -> None:
    trace = workshop.apply(workshop.sign(Withdraw(2, 0xE1, 0, 5, 0, 0), 1))
    assert [describe_slot(slot) for slot in trace.slots] == [
        "Withdraw(sender=2, eth_address=0x00000000000000000000000000000000000000e1, token=0, amount=5, "
        "fee=0, nonce=0)",
        "Noop()",
    ]
    assert workshop.circuit.describe(trace)["fees"](0) == "fees in token 0 to account 3"


def test_newer_kinds__are_described_as_they_are_made(workshop: Any) -> None:
    key = PrivateKey(b"k" * 32).public_key
    pay = TransferToAddress(2, 0xE0, 0, 5, 0, 0)
    trace = workshop.apply(workshop.sign(pay, 1), workshop.sign(TransferToNew(1, *key, 9, 0, 5, 0, 0), 0))
    address = "eth_address=0x00000000000000000000000000000000000000"
    assert [describe_slot(slot) for slot in trace.slots] == [
        f"TransferToAddress(sender=2, {address}e0, token=0, amount=5, fee=0, nonce=0, recipient=1)",
        f"TransferToNew(sender=1, account=5, {address}09, token=0, amount=5, fee=0, nonce=0)",
    ]
    again = workshop.forge(
        transition(workshop.state, workshop.sign(ChangeKey(3, *key, 0, 0, 0), 2), workshop.context)
    )
    assert describe_slot(again.slots[0]) == "ChangeKey(sender=3, token=0, fee=0, nonce=0)"


def test_range__of_an_input_names_slot_and_transfer(workshop: Any) -> None:
    asked = workshop.sign(Transfer(1, 2, 0, 900, 0, 0), 0)
    with pytest.raises(AssignmentError) as caught:
        failures(workshop, asked, first_index=1 << 40)
    assert caught.value.subject.startswith("Transfer(sender=1, ")
    assert (caught.value.part, caught.value.instance, caught.value.name) == ("slots", 0, "first_index")
