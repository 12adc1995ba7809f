"""The way out through a real EVM: restore from calldata and events, then leave with a real proof."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("eth_abi")
pytest.importorskip("pyrevm")

from evm_world import EvmWorld, Surroundings

from zkrollup.engine.interface import Engine
from zkrollup.exit_proof import exit_key, make_exit_proof
from zkrollup.l1.evm.abi import Abi
from zkrollup.l1.evm.artifacts import load_artifact
from zkrollup.l1.evm.contract import EvmL1
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.interface import Config, VerifierBehaviour
from zkrollup.l1.reverts import AlreadyExited, NothingPending, ProofRejected
from zkrollup.l1.world import stamp
from zkrollup.operator import engine_hasher
from zkrollup.restore import restore
from zkrollup.state import BatchContext, BatchParameters, ForcedExit, StateTree, TransferToNew, apply_batch
from zkrollup.state.public_data import encode, public_data
from zkrollup.testing.rollup import Wallet, make_wallets

PARAMETERS = BatchParameters(4, 3, 1)


def test_exit__of_everybody_through_a_real_evm(engine: Engine, tmp_path: Path) -> None:
    """R8: batches of signed transactions, an operator who ignores a request, freeze, restore by a stranger
    who has the chain only, and everybody's balance out by proofs that the contract verifies."""
    hasher = engine_hasher(engine)
    key, _ = exit_key(PARAMETERS.depth, engine=engine, directory=tmp_path)
    chain = Surroundings(PyrevmTransport())
    operator, governor, stranger = chain.accounts[:3]
    state = StateTree.in_memory(PARAMETERS.depth, hasher)
    world = EvmWorld.start(
        chain,
        Config(
            verifier=chain.deploy_verifier(VerifierBehaviour.ACCEPTS),
            exit_verifier=chain.deploy_verifier(key.verifying_key),
            operator=operator,
            governor=governor,
            genesis_root=state.root,
            parameters=PARAMETERS,
            request_lifetime=20,
            upgrade_delay=50,
        ),
    )
    wallets = [
        Wallet(w.key, address, world.chain_id, world.rollup_id)
        for w, address in zip(make_wallets(3), chain.accounts[3:6], strict=True)
    ]
    queue = [wallet.deposit(1000, token=0) for wallet in wallets]
    for wallet in wallets:
        world.deposit(0, 1000, *wallet.key.public_key, wallet.eth_address, sender=wallet.eth_address)

    def submit(*transactions: object) -> None:
        context = BatchContext(PARAMETERS, world.chain_id, world.rollup_id, world.executed + 1, ((0, 1),))
        trace = apply_batch(state, list(transactions), context)  # type: ignore[arg-type]
        data = encode(public_data(trace))
        world.submit_batch(world.header(world.executed), data, 0, stamp(()), sender=operator)

    one, two, three = wallets
    submit(*queue)
    world.request_exit(2, sender=two.eth_address)
    submit(
        ForcedExit(2, two.eth_address),
        one.transfer(1, 3, 40, fee=1, token=0),
        three.sign(TransferToNew(3, *two.key.public_key, two.eth_address, 0, 60, 1, 0)),
        three.withdraw(3, 7, nonce=1, token=0),
    )
    world.request_exit(1, sender=one.eth_address)  # which the operator ignores
    world.mine(30)
    world.freeze(sender=stranger)
    assert world.frozen

    # All that the stranger has is the chain, and the contract's address.
    there = EvmL1.attach(chain.transport, world.address, genesis_root=StateTree.in_memory(3).root)
    rebuilt = StateTree.in_memory(PARAMETERS.depth, hasher)
    done = restore(there, rebuilt)
    assert (rebuilt.root, done.batches, len(done.waiting)) == (state.root, 2, 1)
    assert list(rebuilt.accounts()) == list(state.accounts())

    header = there.header(there.executed)
    for index, account in rebuilt.accounts():
        made = make_exit_proof(rebuilt, index, key, engine=engine)
        call = (header, index, made.token, made.balance, made.owner)
        with pytest.raises(ProofRejected):
            there.exit(header, index, 0, made.balance + 1, made.owner, made.proof, sender=stranger)
        with pytest.raises(ProofRejected):
            there.exit(header, index, 0, made.balance, stranger, made.proof, sender=stranger)
        there.exit(*call, made.proof, sender=stranger)
        with pytest.raises(AlreadyExited):
            there.exit(*call, made.proof, sender=stranger)
        assert account.balance == made.balance
    for wallet in wallets:
        before = there.balance_of(wallet.eth_address, 0)
        paid = there.withdraw(wallet.eth_address, 0, sender=stranger)
        assert there.balance_of(wallet.eth_address, 0) == before + paid
        with pytest.raises(NothingPending):
            there.withdraw(wallet.eth_address, 0, sender=stranger)
    assert there.holdings(0) == 0


FORWARDER = bytes.fromhex("602036038060206000376000600082600060006000355af115601d57005b60006000fd")
"""Calls whom the first word names with the rest of its calldata; reverts where that does."""


@pytest.mark.parametrize("through", ["a contract", "other calldata"])
def test_restore__reads_batches_that_were_not_sent_as_libraries_do(through: str) -> None:
    """R8: an operator that is a contract, as one of several owners is, or whose calldata has bytes that no
    encoder writes and the EVM does not look at."""
    chain = Surroundings(PyrevmTransport())
    operator, governor = chain.accounts[:2]
    state = StateTree.in_memory(PARAMETERS.depth)
    copy = b"\x60" + bytes([len(FORWARDER)]) + bytes.fromhex("600c60003960") + bytes([len(FORWARDER)])
    forwarder = chain.deploy_code(copy + bytes.fromhex("6000f3") + FORWARDER)
    world = EvmWorld.start(
        chain,
        Config(
            verifier=chain.deploy_verifier(VerifierBehaviour.ACCEPTS),
            exit_verifier=chain.deploy_verifier(VerifierBehaviour.ACCEPTS),
            operator=forwarder if through == "a contract" else operator,
            governor=governor,
            genesis_root=state.root,
            parameters=PARAMETERS,
        ),
    )
    wallet = make_wallets(1)[0]
    world.deposit(0, 1000, *wallet.key.public_key, wallet.eth_address, sender=governor)
    context = BatchContext(PARAMETERS, world.chain_id, world.rollup_id, 1, ((0, 0),))
    data = encode(public_data(apply_batch(state, [wallet.deposit(1000, token=0)], context)))
    call = Abi(load_artifact("Rollup").abi).encode_call("commitBatch", world.header(0), data, 0)
    assert len(data) % 32
    if through == "a contract":
        chain.transport.transact(forwarder, world.address.to_bytes(32) + call, sender=governor)
    else:
        chain.transport.transact(world.address, call[:-1] + b"\x01", sender=operator)
    world.prove_batch(world.header(1), stamp(()), sender=governor)
    world.execute_batch(world.header(1), b"", sender=governor)
    there = EvmL1.attach(chain.transport, world.address, genesis_root=StateTree.in_memory(3).root)
    rebuilt = StateTree.in_memory(PARAMETERS.depth)
    assert restore(there, rebuilt).root == state.root == world.root
