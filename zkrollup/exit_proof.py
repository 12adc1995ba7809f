"""The proof with which somebody leaves a frozen rollup, from the state alone.

It must not know how the state was come by, nor how L1 pays. Any copy of the state will do, one restored
from what L1 saw first of all; no signature is needed, because the proof names the owner who is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from zkrollup.circuits.exit import ExitCircuit, exit_circuit
from zkrollup.cs import Witness
from zkrollup.cs.symbols import private_inputs
from zkrollup.engine import get_engine
from zkrollup.engine.convert import ints_from_limbs
from zkrollup.engine.interface import Engine
from zkrollup.formats.r1cs import WireOrder
from zkrollup.formats.zkey import Zkey
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.prove import UnsatisfiedError, prove, prove_unchecked
from zkrollup.groth16.proving_key import ProvingKey
from zkrollup.groth16.setup import Progress, cached_key
from zkrollup.state import StateTree
from zkrollup.state.exceptions import IndexOutsideTree, UnknownAccount
from zkrollup.verifier import verify

__all__ = ["ExitInputs", "ExitProof", "WrongExitKey", "exit_key", "make_exit_proof"]


class ExitInputs(NamedTuple):
    """The three public inputs: the state root, ``index << 192 | token << 160 | owner``, the balance."""

    root: int
    claim: int
    balance: int


@dataclass(frozen=True)
class ExitProof:
    """What the contract's ``exit`` takes besides a header: who leaves with what, and the proof of it."""

    account: int
    token: int
    owner: int
    inputs: ExitInputs
    proof: Proof

    @property
    def balance(self) -> int:
        """What is paid."""
        return self.inputs.balance


def exit_key(
    depth: int = 16,
    *,
    engine: Engine | None = None,
    directory: Path | None = None,
    progress: Progress | None = None,
) -> tuple[ProvingKey, bool]:
    """A one-party key for exits, INSECURE by construction, and whether it came from the cache.

    Good for tests and demonstrations; a contract that holds value gets a key from a ceremony over
    ``zkrollup export r1cs --circuit zkrollup.circuits.exit:exit_r1cs``.
    """
    engine = get_engine() if engine is None else engine
    return cached_key(exit_circuit(depth).r1cs, engine, directory, progress)


class WrongExitKey(ValueError):
    """A ceremony's key is not that of exits from a tree of this depth: its sizes differ, or its proofs do
    not hold for a witness that satisfies."""

    def __init__(self, key: Path, depth: int, problem: str) -> None:
        self.key, self.depth = key, depth
        super().__init__(f"{key}: not the key of exits from a tree of {depth} levels: {problem}")


def make_exit_proof(
    state: StateTree, account: int, key: ProvingKey | Zkey, *, engine: Engine | None = None
) -> ExitProof:
    """The proof that the account stands in the state as it is now.

    ``key``: a one-party key, or the .zkey of a ceremony over ``zkrollup export r1cs``'s file.

    Raises :class:`IndexOutsideTree`, :class:`UnknownAccount` when nobody has the index, and
    :class:`~zkrollup.groth16.proving_key.WrongCircuitError` or :class:`WrongExitKey` when the key is not that
    of exits from a tree of the state's depth.
    """
    if not 0 <= account < state.capacity:
        raise IndexOutsideTree(account, state.capacity)
    leaf = state.prove(account)
    if leaf.before.is_empty:
        raise UnknownAccount(account)
    engine = get_engine() if engine is None else engine
    circuit = exit_circuit(state.depth)
    if isinstance(key, ProvingKey):
        key.require_circuit(circuit.r1cs.digest)
    public, parts = circuit.assignment(leaf)
    witness = circuit.r1cs.witness(engine, public=public, parts=parts, describe=circuit.describe(leaf))
    if isinstance(key, ProvingKey):
        proof = prove(key, circuit.r1cs, witness, engine)
    else:
        proof = _prove_with_file(key, circuit, witness, engine)
    return ExitProof(account, leaf.before.token, leaf.before.eth_address, ExitInputs(**public), proof)


def _prove_with_file(key: Zkey, circuit: ExitCircuit, witness: Witness, engine: Engine) -> Proof:
    """A proof with a ceremony's key, whose wires are in circom's order; it is verified, since the file does
    not say which circuit it is for."""
    r1cs = circuit.r1cs
    if failures := r1cs.check(engine, witness):
        raise UnsatisfiedError(failures)
    ours, theirs = ((x.num_columns, x.num_public) for x in (r1cs.layout, key.layout))
    if ours != theirs:
        found = f"{theirs[0]} wires, {theirs[1]} public; expected {ours[0]} and {ours[1]}"
        raise WrongExitKey(key.path, circuit.depth, found)
    order = WireOrder.of(r1cs.layout, outputs=(), private=private_inputs(r1cs))
    values = witness.values[order.columns]
    proof = prove_unchecked(key, key.layout, values, engine)
    public = ints_from_limbs(engine.fr_from_mont(values[1 : key.num_public + 1]))
    if not verify(key.verifying_key, public, proof):
        raise WrongExitKey(key.path, circuit.depth, "its proofs do not hold")
    return proof
