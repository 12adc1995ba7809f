"""A whole rollup against a node, as a user would run it: deploy, deposit, prove, withdraw, freeze, exit.

Usage, with a node for development (`npm install @foundry-rs/anvil`; its program in the PATH, or named):

    python tests/l1/anvil.py [--anvil PROGRAM | --url URL --faucet PRIVATE_KEY]

Everything goes over JSON-RPC: transactions are signed here and sent by eth_sendRawTransaction, proofs are
real, under keys made on the spot. Prints each step with its block and gas. It must not know anvil from
another node, but that time there passes by ``anvil_mine`` or ``evm_mine``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.exit_proof import exit_key, make_exit_proof
from zkrollup.l1 import reverts
from zkrollup.l1.evm.contract import EvmL1
from zkrollup.l1.evm.json_rpc_transport import JsonRpcTransport, NodeUnreachable
from zkrollup.l1.evm.signing import address_of
from zkrollup.l1.evm.transport import fork_of
from zkrollup.l1.evm.verifier_code import verifier_creation_code
from zkrollup.l1.interface import Config
from zkrollup.operator import Rollup
from zkrollup.restore import restore
from zkrollup.state import StateTree, Transaction, Transfer, Withdraw

FAUCET_KEY = 0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80
"""Of anvil's first account, which everybody knows."""

OPERATOR, GOVERNOR, ALICE, BOB = range(101, 105)  # private keys on L1
ETHER = 10**18
DEPTH = 3
LIFETIME = 30


def find_anvil() -> str | None:
    """The program: ZKROLLUP_ANVIL, or ``anvil`` in the PATH."""
    return os.environ.get("ZKROLLUP_ANVIL") or shutil.which("anvil")


@contextmanager
def running(program: str) -> Iterator[str]:
    """Starts a node on a free port; gives its URL, and ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--silent"], stdout=subprocess.DEVNULL, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                JsonRpcTransport(url, keys=(), timeout=5)
                break
            except NodeUnreachable:
                if process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        os.killpg(process.pid, 15)  # npm's anvil is a script that starts the program
        process.wait(10)


def play(url: str, faucet_key: int = FAUCET_KEY, key_directory: Path | None = None) -> list[str]:
    """The whole story; asserts each step, returns what to tell."""
    told: list[str] = []
    keys = (faucet_key, OPERATOR, GOVERNOR, ALICE, BOB)
    chain = JsonRpcTransport(url, keys=keys, faucet=address_of(faucet_key))
    operator, governor, alice, bob = (address_of(key) for key in keys[1:])
    told.append(f"chain {chain.chain_id}, rules of {fork_of(chain)}")
    for address in (operator, alice, bob):
        chain.give(address, 10 * ETHER)

    # keys: made here, by one party, for this test network only
    shape = {"depth": DEPTH, "fee_tokens": 1, "key_directory": key_directory}
    trial = Rollup(4, **shape)  # type: ignore[arg-type]
    exits, _ = exit_key(DEPTH, directory=key_directory)
    verifiers = []
    for name, key in (("verifier", trial.key), ("exit verifier", exits)):
        made = chain.deploy(verifier_creation_code(key.verifying_key, allow_insecure=True), sender=operator)
        assert made.address is not None
        verifiers.append(made.address)
        told.append(f"block {made.block}: {name} deployed for {made.gas_used:,} gas")
    config = Config(
        *verifiers,
        operator=operator,
        governor=governor,
        genesis_root=trial.state.root,
        parameters=trial.parameters,
        request_lifetime=LIFETIME,
        operator_delay=20,
        upgrade_delay=2 * LIFETIME,
    )
    l1 = EvmL1.deploy(chain, config, sender=operator)
    assert l1.deployment is not None
    told.append(
        f"block {l1.deployment.block}: rollup deployed at {l1.address:#042x} for "
        f"{l1.deployment.gas_used:,} gas"
    )
    # the operator's own state, circuit and prover, with the model of the contract beside the real one
    rollup = Rollup(4, chain_id=chain.chain_id, contract_address=l1.address, **shape)  # type: ignore[arg-type]

    def tell(what: str) -> None:
        assert l1.last_receipt is not None
        told.append(f"block {l1.last_receipt.block}: {what} for {l1.last_receipt.gas_used:,} gas")

    def submit(*transactions: Transaction) -> None:
        batch = rollup.prove_batch(transactions, fee_accounts={0: 2} if transactions else None)
        before = l1.header(l1.executed)
        header = l1.submit_batch(before, batch.data, batch.inputs.commitment, batch.proof, sender=operator)
        tell(f"batch {header.number}, {len(batch.data)} bytes, proved and executed")
        rollup.submit(batch)
        assert l1.root == rollup.contract.root == rollup.state.root
        assert l1.batch_data(header.number) == batch.data
        try:
            l1.submit_batch(before, batch.data, batch.inputs.commitment, batch.proof, sender=operator)
        except reverts.UnknownBatch:
            pass
        else:
            raise AssertionError("a batch was accepted twice")

    wallets = {alice: PrivateKey(b"a" * 32), bob: PrivateKey(b"b" * 32)}
    for owner, wallet in wallets.items():
        l1.deposit(0, ETHER, *wallet.public_key, owner, sender=owner)
        tell("deposit of 1 ether")
        rollup.deposit(wallet, token=0, amount=ETHER, eth_address=owner)
    submit()
    submit(
        rollup.sign(Transfer(1, 2, 0, ETHER // 4, ETHER // 100, 0), wallets[alice]),
        rollup.sign(Withdraw(2, bob, 0, ETHER // 2, 0, 0), wallets[bob]),
    )
    held = l1.balance_of(bob, 0)
    assert l1.withdraw(bob, 0, sender=alice) == ETHER // 2
    tell("withdrawal of 0.5 ether")
    assert l1.balance_of(bob, 0) == held + ETHER // 2

    # the operator is gone: a request that nobody serves freezes the contract, and users prove themselves out
    l1.request_exit(1, sender=alice)
    tell("exit requested")
    chain.mine(LIFETIME)
    l1.freeze(sender=bob)
    tell("frozen")
    # all that they have is the chain and the contract's address
    state = StateTree.in_memory(DEPTH)
    found = EvmL1.attach(chain, l1.address, genesis_root=state.root)
    restored = restore(found, state)
    assert (state.root, restored.batches) == (rollup.state.root, 2)
    told.append(
        f"state of batch {restored.batch_number} restored from {restored.num_bytes} bytes of calldata"
    )
    last = found.header(found.executed)
    for owner, index in ((alice, 1), (bob, 2)):
        leaves = make_exit_proof(state, index, exits)
        l1.exit(last, index, leaves.token, leaves.balance, leaves.owner, leaves.proof, sender=owner)
        tell(f"exit of account {index}")
        l1.withdraw(owner, 0, sender=owner)
    assert l1.holdings(0) == 0, "everybody is out"
    told.append(f"{len(l1.events())} events; the contract holds {l1.holdings(0)}")
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--anvil", default=find_anvil(), help="the node's program")
    parser.add_argument("--url", help="a node that runs already")
    parser.add_argument(
        "--faucet", type=lambda text: int(text, 16), default=FAUCET_KEY, help="key, hexadecimal"
    )
    options = parser.parse_args()
    if options.url:
        print(*play(options.url, int(options.faucet, 16)), sep="\n")
    elif options.anvil:
        with running(options.anvil) as url:
            print(*play(url), sep="\n")
    else:
        print("no anvil: npm install @foundry-rs/anvil, and name its program by --anvil", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
