"""Real proofs from signed transactions to the contract, on a small tree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zkrollup import PrivateKey, Rollup, Transfer, Withdraw
from zkrollup.bn254 import FR_MODULUS, g1, g2
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import Revert
from zkrollup.l1.reverts import DataTruncated, NothingPending, ProofRejected, UnknownKind, WrongBatchNumber
from zkrollup.state import ChangeKey, TransferToAddress, TransferToNew, sign_group
from zkrollup.state.exceptions import Overdrawn, ReusedNonce, WrongSignature
from zkrollup.verifier import verify

ALICE, BOB = PrivateKey(b"a" * 32), PrivateKey(b"b" * 32)
ALICE_L1, BOB_L1 = 0xA11CE, 0xB0B


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def rollup(keys: Path, engine: Any) -> Rollup:
    """Two slots, depth 2, with Alice (1) and Bob (2) created by a first proved batch."""
    rollup = Rollup(2, depth=2, fee_tokens=1, engine=engine, key_directory=keys)
    rollup.deposit(ALICE, token=0, amount=1000, eth_address=ALICE_L1)
    rollup.deposit(BOB, token=0, amount=500, eth_address=BOB_L1)
    rollup.submit(rollup.prove_batch())
    return rollup


def pay(rollup: Rollup, amount: int = 100, nonce: int = 0, fee: int = 0) -> Transfer:
    return rollup.sign(Transfer(1, 2, 0, amount, fee, nonce), ALICE)


def test_batch__moves_balances_and_both_roots(rollup: Rollup) -> None:
    batch = rollup.prove_batch([pay(rollup, 100, fee=3)], fee_accounts={0: 2})
    assert verify(rollup.key.verifying_key, batch.inputs, batch.proof)
    rollup.submit(batch)
    assert rollup.contract.root == rollup.state.root == rollup.state.recompute_root()
    assert (rollup.state.account(1).balance, rollup.state.account(2).balance) == (897, 603)


def test_batch__of_every_newer_kind_is_proved_and_accepted(rollup: Rollup) -> None:
    """A group that swaps, a change of key, payment by address under the new key, and to a new account."""
    carol = PrivateKey(b"c" * 32)
    rollup.deposit(carol, token=0, amount=10, eth_address=0xCA)
    swap = sign_group(
        [Transfer(1, 2, 0, 100, 0, 0), Transfer(2, 1, 0, 30, 0, 0, valid_until=2, memo=7)],
        [ALICE, BOB],
        rollup.chain_id,
        rollup.rollup_id,
    )
    rollup.submit(rollup.prove_in_order(swap))
    renewed = rollup.sign(ChangeKey(1, *carol.public_key, 0, 1, 1), ALICE)
    by_address = rollup.sign(TransferToAddress(1, BOB_L1, 0, 29, 0, 2), carol)
    rollup.submit(rollup.prove_in_order([renewed, by_address], fee_accounts={0: 2}))
    opened = rollup.sign(TransferToNew(2, *ALICE.public_key, 0xD0, 0, 600, 0, 1), BOB)
    rollup.submit(rollup.prove_batch([opened]))
    assert [rollup.state.account(i).balance for i in (1, 2, 3, 4)] == [900, 0, 10, 600]
    assert rollup.contract.root == rollup.state.root == rollup.state.recompute_root()
    assert rollup.contract.next_index == rollup.state.next_index == 5


def test_batch__withdrawal_is_paid_once(rollup: Rollup) -> None:
    """R2."""
    rollup.submit(rollup.prove_batch([rollup.sign(Withdraw(1, 0xA11CE, 0, 250, 0, 0), ALICE)]))
    assert rollup.withdraw(ALICE_L1, 0) == 250
    with pytest.raises(NothingPending):
        rollup.withdraw(ALICE_L1, 0)


def test_batch__forced_exit_pays_its_owner_and_nobody_else(rollup: Rollup) -> None:
    """C17."""
    rollup.request_exit(1, eth_address=BOB_L1)
    rollup.request_exit(1, eth_address=ALICE_L1)
    rollup.submit(rollup.prove_batch())
    assert rollup.contract.pending_withdrawal(BOB_L1, 0) == 0
    assert rollup.withdraw(ALICE_L1, 0) == 1000
    assert rollup.state.account(1).balance == 0


def test_batch__supply_is_conserved_through_real_proofs(rollup: Rollup) -> None:
    """R10."""
    rollup.submit(
        rollup.prove_batch(
            [pay(rollup, 100, fee=1), rollup.sign(Withdraw(2, 0xB0B, 0, 7, 0, 0), BOB)], fee_accounts={0: 1}
        )
    )
    held = sum(account.balance for _, account in rollup.state.accounts())
    assert held + rollup.contract.pending_withdrawal(BOB_L1, 0) == 1500


def test_batch__submitted_twice_reverts(rollup: Rollup) -> None:
    """R1."""
    batch = rollup.prove_batch([pay(rollup)])
    rollup.submit(batch)
    with pytest.raises(WrongBatchNumber):
        rollup.submit(batch)


@pytest.mark.parametrize("place", [1, 9, 29, 40, 120, 129, 133])
def test_batch__any_changed_byte_of_its_data_reverts(rollup: Rollup, place: int) -> None:
    """R1, R6: version, chain, rollup, batch number, roots, fee entries and records are all bound."""
    batch = rollup.prove_batch([pay(rollup)])
    data = bytearray(batch.data)
    data[place % len(data)] ^= 1
    before = (rollup.contract.root, rollup.contract.executed)
    with pytest.raises(Revert):
        rollup.submit(replace(batch, data=bytes(data)))
    assert (rollup.contract.root, rollup.contract.executed) == before
    rollup.submit(batch)


def test_batch__proof_for_another_commitment_reverts(rollup: Rollup) -> None:
    """R6."""
    batch = rollup.prove_batch([pay(rollup)])
    with pytest.raises(ProofRejected):
        rollup.contract.submit_batch(
            rollup.contract.header(rollup.contract.executed),
            batch.data,
            (batch.inputs.commitment + 1) % FR_MODULUS,
            batch.proof,
            sender=rollup.operator,
        )


def test_batch__rerandomised_proof_is_accepted(rollup: Rollup) -> None:
    """V5: A/k, kB, C is a proof too; nothing keys on proof bytes."""
    batch = rollup.prove_batch([pay(rollup)])
    k, inverse = 7, pow(7, -1, FR_MODULUS)
    other = Proof(g1.mul(batch.proof.a, inverse), g2.mul(batch.proof.b, k), batch.proof.c)
    assert other != batch.proof
    rollup.submit(replace(batch, proof=other))


def test_batch__truncated_data_reverts(rollup: Rollup) -> None:
    batch = rollup.prove_batch([pay(rollup)])
    with pytest.raises(DataTruncated):
        rollup.submit(replace(batch, data=batch.data[:-1]))
    with pytest.raises(UnknownKind):
        rollup.submit(replace(batch, data=batch.data + b"\0"))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda rollup: pay(rollup, 1001), Overdrawn),
        (lambda rollup: replace(pay(rollup), amount=101), WrongSignature),
        (lambda rollup: rollup.sign(Transfer(1, 2, 0, 1, 0, 0), BOB), WrongSignature),
    ],
)
def test_batch__a_bad_transaction_leaves_the_state_as_it_was(rollup: Rollup, make: Any, error: type) -> None:
    root = rollup.state.root
    with pytest.raises(error):
        rollup.prove_batch([make(rollup)])
    assert rollup.state.root == root


def test_batch__replayed_transaction_is_refused(rollup: Rollup) -> None:
    payment = pay(rollup)
    rollup.submit(rollup.prove_batch([payment]))
    root = rollup.state.root
    with pytest.raises(ReusedNonce):
        rollup.prove_batch([payment])
    assert rollup.state.root == root


def test_batch__a_failing_prover_leaves_the_state_as_it_was(
    rollup: Rollup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("the prover ran out of memory")

    root = rollup.state.root
    monkeypatch.setattr("zkrollup.operator.prove", fail)
    with pytest.raises(MemoryError):
        rollup.prove_batch([pay(rollup)])
    assert rollup.state.root == root
    monkeypatch.undo()
    rollup.submit(rollup.prove_batch([pay(rollup)]))


def test_requests__come_before_transactions_and_wait_when_there_is_no_room(rollup: Rollup) -> None:
    for _ in range(3):
        rollup.deposit(BOB, token=0, amount=1, eth_address=BOB_L1)
    rollup.submit(rollup.prove_batch([pay(rollup)]))
    assert len(rollup.contract.queue) == 2
    rollup.submit(rollup.prove_batch())
    assert rollup.contract.queue == ()
    assert rollup.state.account(2).balance == 603
