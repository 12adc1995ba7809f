"""A whole node in one directory, on an L1 elsewhere: any Ethereum node that speaks JSON-RPC.

This module must not run anything: it opens files in the right order, and hands over what belongs together.

In the directory: ``node.db`` (state, mempool, batches), the verifying keys, ``contract.json`` (the rollup's
address), ``lock``. A rollup that has none yet is deployed: two verifiers, then the contract, with the sender
as its operator and governor. Whoever kills the node in the middle of that leaves a contract that nobody uses.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from zkrollup.exit_proof import exit_key
from zkrollup.groth16.keys import VerifyingKey
from zkrollup.l1.evm.contract import EvmL1
from zkrollup.l1.evm.transport import Transport
from zkrollup.l1.evm.verifier_code import verifier_creation_code
from zkrollup.l1.interface import Config
from zkrollup.node.embedded import MakeProver
from zkrollup.node.errors import L1Mismatch
from zkrollup.node.opening import CONTRACT, EXIT_KEY, OpenNode, begin, keep, load_key, open_store, save_key
from zkrollup.node.policy import Policy
from zkrollup.node.prover import TIME_LIMIT, WorkerProver
from zkrollup.node.sequencer import Sequencer
from zkrollup.state.hashing import Hasher
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.tree import empty_root

__all__ = ["deploy", "open_external"]


DEVELOPMENT_CHAINS = frozenset({1337, 31337})
"""The chain ids of Ethereum nodes that are for trying things out: anvil, Hardhat, Ganache, geth --dev."""


def open_external(
    directory: Path,
    parameters: BatchParameters,
    transport: Transport,
    sender: int,
    policy: Policy | None = None,
    *,
    contract: int | None = None,
    make_prover: MakeProver | None = None,
    key_directory: Path | None = None,
    threads: int | None = None,
    proof_seconds: float = TIME_LIMIT,
    hasher: Hasher | None = None,
    allow_insecure: bool = False,
) -> OpenNode:
    """Opens, or begins, the rollup of ``directory`` on the chain behind ``transport``.

    ``contract`` is one that was deployed before, from the empty tree and for this prover's key; without it
    the directory says which, or a new one is deployed. ``transport`` signs for ``sender``, the operator.
    A key that one party made is deployed on a chain for development only, or when ``allow_insecure`` says so.
    Raises :class:`InsecureKey`, :class:`DirectoryInUse`, :class:`StateFileMismatch`, :class:`NewerStateFile`,
    :class:`L1Mismatch`, and what the transport raises.
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
        key = prover.verifying_key if known is None else known
        if known is None:
            exits = key if make_prover is not None else _exit_key(parameters.depth, key_directory)
            save_key(directory, exits, EXIT_KEY)
            save_key(directory, key)
        exits = load_key(directory, EXIT_KEY) or key
        recorded = _recorded(directory)
        if contract is not None and recorded not in (None, contract):
            raise L1Mismatch("address", f"{contract:#042x}", f"{recorded:#042x}")
        address = recorded if contract is None else contract
        if address is None:
            address = deploy(transport, parameters, key, exits, sender, allow_insecure=allow_insecure).address
        _record(directory, address, parameters)
        l1 = EvmL1.attach(transport, address, genesis_root=empty_root(parameters.depth))
        if l1.parameters != parameters:
            raise L1Mismatch("sizes", l1.parameters, parameters)
        if l1.operator != sender:
            raise L1Mismatch("operator", f"{l1.operator:#042x}", f"{sender:#042x}")
        store = open_store(directory, l1, hasher)
        opened.callback(store.close)
        sequencer = Sequencer(store, Policy() if policy is None else policy)
        return OpenNode(directory, l1, sender, store, sequencer, prover, opened.pop_all())


def deploy(
    transport: Transport,
    parameters: BatchParameters,
    key: VerifyingKey,
    exits: VerifyingKey,
    sender: int,
    *,
    allow_insecure: bool = False,
) -> EvmL1:
    """A new rollup: a verifier for each key, and the contract. Raises :class:`InsecureKey` as
    :func:`open_external`, and what the transport raises."""
    allowed = allow_insecure or transport.chain_id in DEVELOPMENT_CHAINS
    verifiers = []
    for each in (key, exits):
        receipt = transport.deploy(verifier_creation_code(each, allow_insecure=allowed), sender=sender)
        assert receipt.address is not None
        verifiers.append(receipt.address)
    config = Config(
        verifier=verifiers[0],
        exit_verifier=verifiers[1],
        operator=sender,
        governor=sender,
        genesis_root=empty_root(parameters.depth),
        parameters=parameters,
    )
    return EvmL1.deploy(transport, config, sender=sender)


def _exit_key(depth: int, directory: Path | None) -> VerifyingKey:
    return exit_key(depth, directory=directory)[0].verifying_key


def _recorded(directory: Path) -> int | None:
    path = directory / CONTRACT
    return int(json.loads(path.read_text())["address"], 16) if path.exists() else None


def _record(directory: Path, address: int, parameters: BatchParameters) -> None:
    draft = directory / (CONTRACT + ".new")
    with draft.open("w") as file:
        file.write(json.dumps({"address": f"0x{address:040x}"} | asdict(parameters)) + "\n")
        file.flush()
        os.fsync(file.fileno())
    keep(draft, directory / CONTRACT)
