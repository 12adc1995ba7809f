"""A whole node in one directory, with an L1 inside.

This module must not run anything: it opens files in the right order, and hands over what belongs together.

In the directory: ``node.db`` (state, mempool, batches), ``l1.db`` (the embedded chain), ``operator.key`` (a
wallet that the fees go to), the verifying keys, ``lock``. A directory is one process's at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from zkrollup.exit_proof import exit_key
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.l1.interface import Config, L1World, VerifierBehaviour
from zkrollup.l1.model import DEFAULT_ADDRESS, DEFAULT_CHAIN_ID, RollupContract
from zkrollup.l1.world import KeyVerifier, World
from zkrollup.node.client import Wallet
from zkrollup.node.devchain import DevChain
from zkrollup.node.opening import EXIT_KEY, OpenNode, begin, keep, load_key, open_store, save_key
from zkrollup.node.policy import Policy
from zkrollup.node.prover import TIME_LIMIT, Prover, WorkerProver
from zkrollup.node.sequencer import Sequencer
from zkrollup.state.hashing import Hasher
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.tree import empty_root

__all__ = ["Embedded", "MakeProver", "open_chain", "open_embedded"]

MakeProver = Callable[[VerifyingKey | None], Prover]
"""Makes the prover; its argument is the key that the rollup was begun with, ``None`` for a new one."""

FEE_TOKEN = 0
FEE_ACCOUNT = 1
FIRST_DEPOSIT = 10**18


@dataclass
class Embedded(OpenNode):
    """A node that is open, with the chain inside it and the wallet that its fees go to."""

    chain: DevChain
    operator: Wallet

    @property
    def world(self) -> L1World:
        """The embedded chain."""
        return self.chain.world


def open_embedded(
    directory: Path,
    parameters: BatchParameters,
    policy: Policy | None = None,
    *,
    make_prover: MakeProver | None = None,
    key_directory: Path | None = None,
    threads: int | None = None,
    proof_seconds: float = TIME_LIMIT,
    hasher: Hasher | None = None,
) -> Embedded:
    """Opens, or begins, a rollup in ``directory``.

    A new one waits for the prover's key, deploys the contract on the embedded chain and pays in for the
    operator's account, which is account 1 and takes the fees in ETH. Raises :class:`DirectoryInUse`,
    :class:`StateFileMismatch`, :class:`NewerStateFile`.
    """
    with ExitStack() as opened:
        begin(directory, opened)
        known = load_key(directory)
        prover = (
            WorkerProver(
                parameters,
                key_directory=key_directory,
                threads=threads,
                expected=known,
                time_limit=proof_seconds,
            )
            if make_prover is None
            else make_prover(known)
        )
        opened.callback(prover.close)
        if known is None and make_prover is None:
            save_key(
                directory, exit_key(parameters.depth, directory=key_directory)[0].verifying_key, EXIT_KEY
            )
        key = prover.verifying_key if known is None else known
        if known is None:
            save_key(directory, key)
        operator = _operator(directory)
        chain = open_chain(directory / "l1.db", parameters, key, load_key(directory, EXIT_KEY))
        opened.callback(chain.close)
        _pay_in(chain.world, operator)
        policy = Policy() if policy is None else policy
        if not policy.fee_accounts and parameters.fee_tokens:
            policy = replace(policy, fee_accounts={FEE_TOKEN: FEE_ACCOUNT})
        store = open_store(directory, chain.world, hasher)
        opened.callback(store.close)
        return Embedded(
            directory,
            chain.world,
            chain.world.accounts[0],
            store,
            Sequencer(store, policy),
            prover,
            opened.pop_all(),
            chain,
            operator,
        )


def open_chain(
    path: Path, parameters: BatchParameters, key: VerifyingKey, exits: VerifyingKey | None = None
) -> DevChain:
    """The embedded chain with the rollup's contract on it; without a key for ``exits`` nobody can exit.

    Raises :class:`StateFileMismatch`.
    """
    genesis = {
        "chain id": DEFAULT_CHAIN_ID,
        "contract": DEFAULT_ADDRESS,
        "slots": parameters.slots,
        "depth": parameters.depth,
        "fee tokens": parameters.fee_tokens,
        "verifying key": key.digest,
        "exit key": "" if exits is None else exits.digest,
    }

    def make(repeating: Callable[[], bool]) -> L1World:
        checked = KeyVerifier(key, allow_insecure_key=True)
        world = World()
        accounts = world.accounts
        verifier = world.deploy_verifier(lambda inputs, proof: repeating() or checked(inputs, proof))
        config = Config(
            verifier=verifier,
            exit_verifier=world.deploy_verifier(
                VerifierBehaviour.REJECTS if exits is None else KeyVerifier(exits, allow_insecure_key=True)
            ),
            operator=accounts[0],
            governor=accounts[1],
            genesis_root=empty_root(parameters.depth),
            parameters=parameters,
        )
        return RollupContract(config, world=world)

    return DevChain(path, make, genesis)


def _pay_in(world: L1World, operator: Wallet) -> None:
    """The operator's account is the first one."""
    if world.num_requests == 0:
        world.fund(operator.eth_address, FEE_TOKEN, FIRST_DEPOSIT)
        world.deposit(
            FEE_TOKEN,
            FIRST_DEPOSIT,
            *operator.key.public_key,
            operator.eth_address,
            sender=operator.eth_address,
        )


def _operator(directory: Path) -> Wallet:
    path = directory / "operator.key"
    if not path.exists():
        draft = directory / "operator.key.new"
        draft.unlink(missing_ok=True)
        Wallet.create(draft)
        keep(draft, path)
    return Wallet.load(path)
