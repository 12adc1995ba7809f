"""A node on the contract itself, in a real EVM in this process."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyrevm", reason="needs the extra zkrollup[l1]")

from zkrollup.groth16.keys import VerifyingKey
from zkrollup.groth16.solidity import InsecureKey
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.node.errors import L1Mismatch
from zkrollup.node.external import open_external
from zkrollup.node.opening import CONTRACT, known_parameters
from zkrollup.node.prover import prove_checked
from zkrollup.node.submitter import Observer, Submitter, perform
from zkrollup.state import Transfer
from zkrollup.state.parameters import BatchParameters
from zkrollup.testing.node import SimulatedProver
from zkrollup.testing.rollup import make_wallets

PARAMETERS = BatchParameters(4, 3, 1)


def step(parts) -> None:
    """Builds, proves and submits once."""
    observer, submitter = Observer(parts.l1), Submitter(parts.sequencer)
    batch = parts.sequencer.build(observer.observe(parts.store.requests_after()), force=True)
    assert batch is not None
    proof = prove_checked(parts.prover, parts.sequencer.trace(batch.number), batch.inputs)
    assert parts.sequencer.keep_proof(batch, proof)
    found = submitter.reconcile(observer.observe(parts.store.requests_after()))
    assert found.call is not None
    perform(parts.l1, found.call, parts.sender)
    assert submitter.reconcile(observer.observe(parts.store.requests_after())).call is None


def test_node__executes_batches_on_the_contract_and_finds_it_again(tmp_path: Path) -> None:
    transport = PyrevmTransport()
    sender = 0x5E4DE6
    transport.give(sender, 10**20)
    prover = SimulatedProver()

    def opened():
        return closing(
            open_external(tmp_path, PARAMETERS, transport, sender, make_prover=lambda known: prover)
        )

    with opened() as parts:
        l1, identity = parts.l1, parts.store.identity
        (wallet,) = make_wallets(1)
        l1.deposit(0, 1_000, *wallet.key.public_key, wallet.eth_address, sender=sender)
        step(parts)
        assert l1.executed == 1
        address = l1.address
    with opened() as parts:
        assert parts.l1.address == address
        owner = replace(wallet, chain_id=identity.chain_id, rollup_id=identity.rollup_id)
        (receipt,) = parts.sequencer.submit(
            [owner.sign(Transfer(1, 1, 0, 5, 0, 0))],
            chain_id=identity.chain_id,
            rollup_id=identity.rollup_id,
            tokens=frozenset({0}),
        )
        step(parts)
        stored = parts.store.find_transaction(receipt.id)
        assert (stored.batch, parts.store.batch(2).status) == (2, "executed")
        assert parts.l1.root == parts.store.state.root


def test_node__puts_no_key_of_one_party_on_a_chain_that_holds_value_unless_told(tmp_path: Path) -> None:
    """V7."""
    transport = PyrevmTransport(chain_id=1)
    transport.give(0x5E4DE6, 10**20)

    def open_with(**options: bool):
        return open_external(
            tmp_path, PARAMETERS, transport, 0x5E4DE6, make_prover=lambda known: KeyOfOneParty(), **options
        )

    with pytest.raises(InsecureKey, match="INSECURE, one party made it"):
        open_with()
    assert not (tmp_path / CONTRACT).exists()
    with closing(open_with(allow_insecure=True)) as parts:
        address = parts.l1.address
    with closing(open_with()) as parts:
        assert parts.l1.address == address


class KeyOfOneParty(SimulatedProver):
    """A prover whose key says of itself how it was made."""

    @property
    def verifying_key(self) -> VerifyingKey:
        """It."""
        return replace(super().verifying_key, insecure=True)


def test_node__refuses_a_contract_of_other_sizes_or_of_another_operator(tmp_path: Path) -> None:
    transport = PyrevmTransport()
    transport.give(0x5E4DE6, 10**20)

    def open_with(name: str, **changes):
        given = {"parameters": PARAMETERS, "sender": 0x5E4DE6, "contract": None} | changes
        return open_external(
            tmp_path / name,
            given["parameters"],
            transport,
            given["sender"],
            contract=given["contract"],
            make_prover=lambda known: SimulatedProver(),
        )

    with closing(open_with("first")) as parts:
        address = parts.l1.address
    (
        tmp_path / "first" / "node.db"
    ).unlink()  # may be lost: the state is on L1, and the sizes beside the address
    assert known_parameters(tmp_path / "first") == PARAMETERS
    with pytest.raises(L1Mismatch, match="sizes is"):
        open_with("second", parameters=BatchParameters(8, 3, 1), contract=address)
    with pytest.raises(L1Mismatch, match=r"operator is '0x0+5e4de6'; the node was set up for '0x0+7'"):
        open_with("third", sender=7, contract=address)
    with pytest.raises(L1Mismatch, match=r"address is '0x0+8'"):
        open_with("first", contract=8)
