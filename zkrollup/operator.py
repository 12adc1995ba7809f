"""A whole rollup in one process: the one place that wires state, circuit, prover and L1.

Every rule lives elsewhere; this module must only pass values on, in one direction:
transactions → state → trace → assignment → witness → proof → L1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zkrollup.circuits.batch import BatchCircuit, batch_circuit
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.tables import MODULUS, poseidon_parameters
from zkrollup.engine import get_engine
from zkrollup.engine.convert import fr_from_ints, ints_from_limbs
from zkrollup.engine.interface import Engine, PoseidonParameters
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.prove import prove
from zkrollup.groth16.proving_key import ProvingKey
from zkrollup.groth16.setup import cached_key
from zkrollup.l1 import Config, KeyVerifier, RollupContract, World
from zkrollup.l1.interface import VerifierBehaviour
from zkrollup.l1.model import MADE_TOKENS
from zkrollup.l1.world import Verifier
from zkrollup.state import (
    BatchContext,
    BatchParameters,
    BatchTrace,
    Deposit,
    ForcedExit,
    StateTree,
    Transaction,
    apply_batch,
    sign_transaction,
)
from zkrollup.state.public_data import PublicInputs, encode, public_data, public_inputs
from zkrollup.state.transactions import Request, Signed

__all__ = ["ProvenBatch", "Rollup", "UnsubmittedBatch", "engine_hasher"]

Hasher = Callable[[Sequence[Sequence[int]]], Sequence[int]]

Progress = Callable[[str, float], None]
"""Called with the name of a phase and the part of it that is done, 0 as it begins."""

PROVER_PHASES = 3
"""How many phases the prover reports: the check of the witness, the sums, the blinding."""

DEFAULT_CHAIN_ID = 31337
DEFAULT_CONTRACT = 0x5A6B526F6C6C75700000000000000000000001


def engine_hasher(engine: Engine) -> Hasher:
    """Poseidon of many tuples of one length at once, on the engine; canonical integers in and out."""
    parameters: dict[int, PoseidonParameters] = {}

    def hash_all(inputs: Sequence[Sequence[int]]) -> list[int]:
        if not inputs:
            return []
        width = len(inputs[0]) + 1
        if width not in parameters:
            table = poseidon_parameters(width)
            parameters[width] = PoseidonParameters(
                t=width,
                rounds_full=table.rounds_full,
                rounds_partial=table.rounds_partial,
                round_constants=table.round_constants_canonical(),
                mds=table.mds_canonical(),
            )
        flat = fr_from_ints([value for row in inputs for value in row])
        mont = engine.fr_to_mont(flat).reshape(len(inputs), width - 1, 4)
        return ints_from_limbs(engine.fr_from_mont(engine.poseidon(parameters[width], mont)))

    return hash_all


@dataclass
class ProvenBatch:
    """A batch that was executed and proved: what L1 needs, and what it took.

    ``data`` is the byte form of the public data; ``seconds`` are by phase.
    """

    trace: BatchTrace
    data: bytes
    inputs: PublicInputs
    proof: Proof
    seconds: dict[str, float] = field(default_factory=dict)


class UnsubmittedBatch(RuntimeError):
    """The state is ahead of the contract, so that another batch would be built on what L1 may never accept,
    and would take the queue's requests a second time."""

    def __init__(self, root: int, accepted: int) -> None:
        super().__init__(
            f"operator: the state's root is {root:#x}, the contract's {accepted:#x}; submit the batch that "
            "was proved before proving another, or discard() it"
        )
        self.root, self.accepted = root, accepted


class Rollup:
    """A rollup with an operator, in memory: accounts, circuit, proving key, and its contract on L1.

    Arguments: ``slots``, ``depth``, ``fee_tokens`` as :class:`BatchParameters`; ``engine`` (default:
    what the environment chooses); ``state`` (default: an empty one in memory); ``key_directory``
    (default: the user's cache); ``progress`` hears of each phase as it begins and advances;
    ``exit_verifier`` checks exits from the frozen contract (default: there are none).

    The key is a one-party key, INSECURE by construction: made when no cached one fits the circuit.
    """

    def __init__(
        self,
        slots: int = 8,
        *,
        depth: int = 16,
        fee_tokens: int = 2,
        chain_id: int = DEFAULT_CHAIN_ID,
        contract_address: int = DEFAULT_CONTRACT,
        engine: Engine | None = None,
        state: StateTree | None = None,
        key_directory: Path | None = None,
        progress: Progress | None = None,
        exit_verifier: Verifier | None = None,
    ) -> None:
        self.parameters = BatchParameters(slots, depth, fee_tokens)
        self.chain_id, self.rollup_id = chain_id, contract_address
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self.engine = engine if engine is not None else get_engine()
        self.hasher = engine_hasher(self.engine)
        self.state = state if state is not None else StateTree.in_memory(depth, self.hasher)
        with self._phase("circuit", self.seconds):
            self.circuit: BatchCircuit = batch_circuit(self.parameters)
        with self._phase("key", self.seconds):
            self.key, self.key_was_cached = self._key(key_directory)
        self._accepted = self.state.snapshot()
        self.contract = self._deploy(chain_id, contract_address, exit_verifier)

    def _deploy(self, chain_id: int, address: int, exit_verifier: Verifier | None) -> RollupContract:
        """The contract in a world of its own, its genesis backed."""
        world = World()
        self.operator, self.governor = world.accounts[:2]
        checked = KeyVerifier(self.key.verifying_key, allow_insecure_key=True)
        exits = VerifierBehaviour.REJECTS if exit_verifier is None else exit_verifier
        config = Config(
            verifier=world.deploy_verifier(checked),
            exit_verifier=world.deploy_verifier(exits),
            operator=self.operator,
            governor=self.governor,
            genesis_root=self.state.root,
            genesis_next_index=self.state.next_index,
            parameters=self.parameters,
            rollup_id=self.rollup_id,
        )
        contract = RollupContract(config, world=world, chain_id=chain_id, address=address)
        holdings: dict[int, int] = {}
        for _, account in self.state.accounts():
            holdings[account.token] = holdings.get(account.token, 0) + account.balance
        contract.back(holdings)
        return contract

    def _key(self, directory: Path | None) -> tuple[ProvingKey, bool]:
        def advance(phase: str, done: int, total: int) -> None:
            self._tell(f"key: {phase}", done / max(total, 1))

        return cached_key(self.circuit.r1cs, self.engine, directory, advance)

    # -- users ---------------------------------------------------------------------------------------

    def deposit(self, owner: PrivateKey, *, token: int, amount: int, eth_address: int) -> None:
        """Pays ``amount`` in on L1 for the owner's key: creates the account, or tops it up.

        Raises what the contract reverts with.
        """
        self.request(Deposit(token, amount, *owner.public_key, eth_address))

    def request(self, request: Request) -> None:
        """Queues a deposit or a forced exit on L1, sent by the address that it names.

        The model's world gives a depositor the money first, and makes the tokens up to ``MADE_TOKENS``.
        """
        if isinstance(request, ForcedExit):
            self.contract.request_exit(request.account, sender=request.eth_address)
            return
        if request.token <= MADE_TOKENS:
            self.contract.back({request.token: 0})
            self.contract.fund(request.eth_address, request.token, request.amount)
        key = (request.ax, request.ay)
        self.contract.deposit(
            request.token, request.amount, *key, request.eth_address, sender=request.eth_address
        )

    def request_exit(self, account: int, *, eth_address: int) -> None:
        """Asks L1 to force the whole balance of an account out."""
        self.request(ForcedExit(account, eth_address))

    def withdraw(self, eth_address: int, token: int) -> int:
        """Has L1 pay all that is pending; returns the amount."""
        return self.contract.withdraw(eth_address, token, sender=eth_address)

    def sign(self, transaction: Signed, owner: PrivateKey) -> Signed:
        """The transaction with the owner's signature for this chain and rollup."""
        return sign_transaction(transaction, owner, self.chain_id, self.rollup_id)

    # -- operator ------------------------------------------------------------------------------------

    def prove_batch(
        self, transactions: Iterable[Transaction] = (), *, fee_accounts: Mapping[int, int] | None = None
    ) -> ProvenBatch:
        """Executes L1's waiting requests, then ``transactions``, and proves what happened.

        Requests come first, as many as fit. ``fee_accounts`` maps a token to the account that its fees
        are credited to. Raises what the state machine raises; the state is then as it was.
        """
        signed = list(transactions)
        room = self.parameters.slots - len(signed)
        requests = [queued.request for queued in self.contract.queue[: max(room, 0)]]
        return self.prove_in_order([*requests, *signed], fee_accounts=fee_accounts)

    def prove_in_order(
        self, transactions: Iterable[Transaction], *, fee_accounts: Mapping[int, int] | None = None
    ) -> ProvenBatch:
        """Executes exactly these, L1's requests among them in the queue's order, and proves it.

        When anything raises, the state is as it was before. Raises :class:`UnsubmittedBatch` while L1 has not
        accepted the batch before.
        """
        seconds: dict[str, float] = {}
        context = BatchContext(
            parameters=self.parameters,
            chain_id=self.chain_id,
            rollup_id=self.rollup_id,
            batch_number=self.contract.executed + 1,
            fee_entries=tuple((fee_accounts or {}).items()),
        )
        phases = iter(range(1, PROVER_PHASES + 1))

        def observe(name: str, took: float) -> None:
            seconds[f"prove: {name}"] = took
            self._tell("prove", next(phases, PROVER_PHASES) / PROVER_PHASES)

        if self.state.root != self.contract.root:
            raise UnsubmittedBatch(self.state.root, self.contract.root)
        self._accepted = before = self.state.snapshot()
        try:
            with self._phase("execute", seconds):
                trace = apply_batch(self.state, transactions, context)
            with self._phase("public data", seconds):
                published = public_data(trace)
                inputs = public_inputs(published, self.contract.address, self.hasher)
            with self._phase("assign", seconds):
                public, parts = self.circuit.assignment(
                    trace, z=inputs.challenge, hasher=self.hasher, modulus=MODULUS
                )
            with self._phase("witness", seconds):
                witness = self.circuit.r1cs.witness(
                    self.engine, public=public, parts=parts, describe=self.circuit.describe(trace)
                )
            with self._phase("prove", seconds):
                proof = prove(
                    self.key,
                    self.circuit.r1cs,
                    witness,
                    self.engine,
                    observe=observe,
                )
        except BaseException:
            self.state.restore(before)
            raise
        return ProvenBatch(trace, encode(published), inputs, proof, seconds)

    def submit(self, batch: ProvenBatch) -> None:
        """Hands the batch to the contract; raises the contract's exception when it reverts."""
        with self._phase("l1", batch.seconds):
            self.contract.submit_batch(
                self.contract.header(self.contract.executed),
                batch.data,
                batch.inputs.commitment,
                batch.proof,
                sender=self.operator,
            )

    def discard(self) -> None:
        """Forgets a batch that was proved and will not be submitted: the state is again what L1 accepted."""
        if self.state.root != self.contract.root:
            self.state.restore(self._accepted)

    def _tell(self, phase: str, part: float) -> None:
        if self.progress is not None:
            self.progress(phase, part)

    @contextmanager
    def _phase(self, name: str, seconds: dict[str, float]) -> Iterator[None]:
        self._tell(name, 0.0)
        start = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - start
