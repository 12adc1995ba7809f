"""Mutated proofs, inputs and data: the contract in revm and the model refuse each for the same reason.

The key is of a real circuit (two slots, a tree of 16 accounts), the verifier solc's code with that key, the
proofs are the prover's. Every mutation is tried before the valid batch is submitted to both. One that the
reader lets pass must give both the same header, public inputs included, and must fail at the verifier.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from evm_world import EvmWorld, Surroundings

from zkrollup.bn254 import FQ_MODULUS as Q
from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254 import g1, g2
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.exit_proof import exit_key, make_exit_proof
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.proving_key import ProvingKey
from zkrollup.l1 import RollupContract, reverts
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.transport import MissingLibrary
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.interface import Config, VerifierBehaviour
from zkrollup.l1.world import KeyVerifier, World
from zkrollup.operator import Rollup
from zkrollup.state import StateTree, Transfer, Withdraw
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.transactions import Deposit

PARTS = 10
PER_PART = 1_000
QUICK = 150
WORD = 1 << 256
ALICE, BOB = PrivateKey(b"a" * 32), PrivateKey(b"b" * 32)


@dataclass(frozen=True)
class Call:
    """The arguments of a submission."""

    previous: BatchHeader
    data: bytes
    commitment: int
    proof: Proof


class Pair:
    """The model and the contract in revm, of one address on one chain, and three batches for them."""

    def __init__(
        self,
        around: Surroundings,
        model: RollupContract,
        evm: EvmWorld,
        calls: list[Call],
        state: StateTree,
        exits: ProvingKey,
    ) -> None:
        self.model, self.evm, self.calls = model, evm, calls
        self.state, self.exits = state, exits  # after the last batch
        self.done = 0
        self.operator = around.accounts[0]

    def advance(self) -> None:
        """Submits the next valid batch to both."""
        call = self.calls[self.done]
        arguments = (call.previous, call.data, call.commitment, call.proof)
        assert self.model.submit_batch(*arguments, sender=self.operator) == self.evm.submit_batch(
            *arguments, sender=self.operator
        )
        self.done += 1

    def outcomes(self, call: Call) -> tuple[Any, Any]:
        """What the two make of a call: the error and its values, or "accepted"."""
        return self.both("submit_batch", call.previous, call.data, call.commitment, call.proof)

    def both(self, name: str, *arguments: Any) -> tuple[Any, Any]:
        """What the two make of any call by the operator."""
        found: list[Any] = []
        for l1 in (self.model, self.evm):
            try:
                getattr(l1, name)(*arguments, sender=self.operator)
                found.append("accepted")
            except reverts.Revert as error:
                found.append((type(error).__name__, error.values()))
        return found[0], found[1]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return made_pair()


def made_pair() -> Pair:
    """Two deposits; a transfer and a withdrawal; a withdrawal: each a batch with a real proof."""
    try:
        around = Surroundings(PyrevmTransport(auto_mine=False))
    except MissingLibrary as error:
        pytest.skip(str(error))
    operator, governor, alice, bob = around.accounts[:4]
    sizes = BatchParameters(slots=2, depth=2, fee_tokens=1)
    # the contract's address is in the challenge: an operator that is to prove for it must know it
    address = contract_address(around, sizes)
    rollup = Rollup(2, depth=2, fee_tokens=1, chain_id=around.transport.chain_id, contract_address=address)
    exits, _ = exit_key(2)
    config = Config(
        verifier=around.deploy_verifier(rollup.key.verifying_key),
        exit_verifier=around.deploy_verifier(exits.verifying_key),
        operator=operator,
        governor=governor,
        genesis_root=rollup.state.root,
        parameters=sizes,
        rollup_id=rollup.rollup_id,
    )
    evm = EvmWorld.start(around, config)
    assert evm.address == address
    world = World()
    world.accounts = around.accounts
    for account in around.accounts:
        world.mint(0, account, 1 << 100)
    world.deploy_verifier(KeyVerifier(rollup.key.verifying_key, allow_insecure_key=True), config.verifier)
    world.deploy_verifier(KeyVerifier(exits.verifying_key, allow_insecure_key=True), config.exit_verifier)
    model = RollupContract(config, world=world, chain_id=evm.chain_id, address=address)
    for key, owner in ((ALICE, alice), (BOB, bob)):
        rollup.request(deposit := Deposit(0, 10**6, *key.public_key, owner))
        for l1 in (evm, model):
            l1.deposit(0, 10**6, deposit.ax, deposit.ay, owner, sender=owner)
    batches = [
        [],
        [
            rollup.sign(Transfer(1, 2, 0, 5_000, 10, 0), ALICE),
            rollup.sign(Withdraw(2, bob, 0, 70_001, 20, 0), BOB),
        ],
        [rollup.sign(Withdraw(1, alice, 0, 9, 0, 1), ALICE)],
    ]
    calls = []
    for transactions in batches:
        batch = rollup.prove_batch(transactions, fee_accounts={0: 2} if transactions else None)
        previous = rollup.contract.header(rollup.contract.executed)
        calls.append(Call(previous, batch.data, batch.inputs.commitment, batch.proof))
        rollup.submit(batch)
    return Pair(around, model, evm, calls, rollup.state, exits)


def contract_address(around: Surroundings, sizes: BatchParameters) -> int:
    """Where the first account's first contract will be: tried on a chain of its own."""
    trial = Surroundings(PyrevmTransport(auto_mine=False))
    verifier = trial.deploy_verifier(VerifierBehaviour.REJECTS)
    return EvmWorld.start(
        trial, Config(verifier, verifier, around.accounts[0], around.accounts[0], 5, sizes)
    ).address


# -- mutations -------------------------------------------------------------------------------------------


def coordinates(proof: Proof) -> list[int]:
    (bx0, bx1), (by0, by1) = proof.b
    return [*proof.a, bx0, bx1, by0, by1, *proof.c]


def proof_of(words: list[int]) -> Proof:
    ax, ay, bx0, bx1, by0, by1, cx, cy = words
    return Proof((ax, ay), ((bx0, bx1), (by0, by1)), (cx, cy))


def outside_subgroup() -> g2.G2Point:
    """A point of the twist that is not in G2 (tests/evm/make_precompile_vectors.py says how it is found)."""
    x = 3
    while True:
        inverse = pow(82, -1, Q)
        real, imaginary = (x**3 + 27 * inverse) % Q, -3 * inverse % Q
        root = pow(real * real + imaginary * imaginary, (Q + 1) // 4, Q)
        for half in ((real + root) * pow(2, -1, Q) % Q, (real - root) * pow(2, -1, Q) % Q):
            y0 = pow(half, (Q + 1) // 4, Q)
            if y0 and y0 * y0 % Q == half:
                point = ((x, 0), (y0, imaginary * pow(2 * y0, -1, Q) % Q))
                if g2.is_on_curve(point) and not g2.in_subgroup(point):
                    return point
        x += 1


OUTSIDE = outside_subgroup()


def mutated_proof(proof: Proof, others: list[Proof], draw: random.Random) -> Proof:
    """Another proof, whose parts may be points or not."""
    words = coordinates(proof)
    at = draw.randrange(8)
    kind = draw.randrange(12)
    if kind == 0:
        words[at] = (words[at] + 1) % Q
    elif kind == 1:
        words[at] += Q * draw.randint(1, 4)
    elif kind == 2:
        words[at] = draw.choice([0, 1, Q - 1, Q, R, WORD - 1])
    elif kind == 3:
        words[at] ^= 1 << draw.randrange(256)
    elif kind == 4:
        words[at] = draw.randrange(WORD)
    elif kind == 5:
        part = draw.choice([(0, 1), (2, 3, 4, 5), (6, 7)])
        for i in part:
            words[i] = 0
    elif kind == 6:
        i, j = draw.sample(range(8), 2)
        words[i], words[j] = words[j], words[i]
    elif kind == 7:
        return replace(proof, a=g1.mul(g1.GENERATOR, draw.randrange(1, R)))
    elif kind == 8:
        return replace(proof, c=g1.negate(proof.c) if draw.random() < 0.3 else g1.add(proof.c, g1.GENERATOR))
    elif kind == 9:
        return replace(proof, b=draw.choice([OUTSIDE, g2.negate(proof.b), g2.double(proof.b), g2.GENERATOR]))
    elif kind == 10:
        other = draw.choice(others)
        return replace(
            proof, **{part: getattr(other, part) for part in draw.choice(["a", "b", "c", "ab", "abc"])}
        )
    else:
        return replace(proof, a=proof.c, c=proof.a)
    return proof_of(words)


def mutated_data(data: bytes, others: list[bytes], draw: random.Random) -> bytes:
    """Other bytes; those of the header more often than their share."""
    changed = bytearray(data)
    kind = draw.randrange(10)
    at = draw.randrange(len(data))
    if kind <= 2:
        changed[at] ^= 1 << draw.randrange(8)
    elif kind == 3:
        changed[at] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
    elif kind == 4:
        return data[:at]
    elif kind == 5:
        return data + bytes(draw.randrange(256) for _ in range(draw.randint(1, 60)))
    elif kind == 6:
        del changed[at : at + draw.randint(1, 40)]
    elif kind == 7:
        changed[at:at] = bytes(draw.randint(1, 40))
    elif kind == 8:
        begin = draw.choice([83, 51, 115, 123])  # roots, fee entry, records
        value = draw.choice([0, 1, R - 1, R, WORD - 1, draw.randrange(R)])
        changed[begin : begin + 32] = value.to_bytes(32, "big")
    else:
        other = draw.choice(others)
        cut = draw.randrange(max(1, min(len(data), len(other))))
        return data[:cut] + other[cut:]
    return bytes(changed)


def mutated_commitment(commitment: int, draw: random.Random) -> int:
    return draw.choice(
        [
            (commitment + 1) % R,
            commitment + R,
            commitment ^ 1 << draw.randrange(256),
            draw.randrange(R),
            draw.randrange(WORD),
            draw.choice([0, 1, R - 1, R, R + 1, Q, WORD - 1]),
        ]
    )


def mutated_header(header: BatchHeader, draw: random.Random) -> BatchHeader:
    """The header before with one field changed."""
    name = draw.choice(["number", "root_after", "next_index", "requests_consumed", "skeleton", "commitment"])
    value = getattr(header, name)
    if isinstance(value, bytes):
        return replace(header, skeleton=bytes([value[0] ^ 1]) + value[1:])
    return replace(header, **{name: value ^ 1 << draw.randrange(20)})


def mutations(pair: Pair, seed: int, count: int) -> Iterator[tuple[str, Call]]:
    """So many changed calls of the batch that is next, none of them the valid one."""
    draw = random.Random(seed)
    valid = pair.calls[pair.done]
    others = [call for call in pair.calls if call is not valid]
    while count:
        what = draw.choice(
            ["proof", "proof", "proof", "data", "data", "data", "data", "commitment", "header"]
        )
        if what == "proof":
            call = replace(valid, proof=mutated_proof(valid.proof, [o.proof for o in others], draw))
        elif what == "data":
            call = replace(valid, data=mutated_data(valid.data, [o.data for o in others], draw))
        elif what == "commitment":
            call = replace(valid, commitment=mutated_commitment(valid.commitment, draw))
        else:
            call = replace(valid, previous=mutated_header(valid.previous, draw))
        if call != valid:
            count -= 1
            yield what, call


def examine(pair: Pair, seed: int, count: int) -> Counter[str]:
    """Tries mutations; what they were refused for."""
    reasons: Counter[str] = Counter()
    for what, call in mutations(pair, seed, count):
        by_model, by_evm = pair.outcomes(call)
        assert by_model == by_evm, (what, call)
        assert by_model != "accepted", (what, call)
        reasons[by_model[0]] += 1
        if what in ("data", "commitment") and by_model[0] == "ProofRejected":
            inputs = pair.model.public_inputs(call.data, call.commitment)
            header = pair.evm.preview_batch(call.previous, call.data, call.commitment)
            assert (header.commitment, header.challenge, header.fingerprint) == tuple(inputs)
    return reasons


def test_mutations__are_refused_by_model_and_evm_for_the_same_reason(pair: Pair) -> None:
    """V1, V4, V9, R1, R3, R5, R6: some; all ten thousand take their turn in parts."""
    reasons: Counter[str] = Counter()
    for seed in range(len(pair.calls)):
        if pair.done == seed:
            reasons += examine(pair, seed, QUICK // len(pair.calls))
            pair.advance()
    assert reasons["ProofRejected"] > QUICK // 4
    assert len(reasons) >= 8, reasons
    assert pair.model.root == pair.evm.root
    assert pair.evm.executed == len(pair.calls)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_mutations__ten_thousand(part: int) -> None:
    """V1, V4, V9, R1, R3, R5, R6."""
    pair = made_pair()
    for _ in range(part % len(pair.calls)):
        pair.advance()
    reasons = examine(pair, 1000 + part, PER_PART)
    assert reasons.total() == PER_PART
    pair.advance()
    assert pair.model.header(pair.done) == pair.evm.header(pair.done)


def test_mutated_exits__are_refused_by_model_and_evm_for_the_same_reason() -> None:
    """R2, R8, V9: another index, token, balance or owner than was proved, another root, another proof."""
    pair = made_pair()
    while pair.done < len(pair.calls):
        pair.advance()
    assert pair.both("request_exit", 1) == ("accepted",) * 2
    for l1 in (pair.model, pair.evm):
        l1.mine(l1.config.request_lifetime + 1)
    assert pair.both("freeze") == ("accepted",) * 2
    last, before = pair.evm.header(pair.done), pair.evm.header(pair.done - 1)
    made = {index: make_exit_proof(pair.state, index, pair.exits) for index in (1, 2)}
    draw = random.Random(5)
    reasons: Counter[str] = Counter()
    for index, leaves in made.items():
        valid = (last, leaves.account, leaves.token, leaves.balance, leaves.owner, leaves.proof)
        assert leaves.balance > 0
        other = made[3 - index]
        for place, value in [
            (0, before),
            (0, replace(last, root_after=last.root_after ^ 1)),
            (1, 0),
            (1, 3 - index),
            (1, 16),
            (1, 2**32 - 1),
            (2, 1),
            (2, 2**32 - 1),
            (3, 0),
            (3, leaves.balance - 1),
            (3, leaves.balance + 1),
            (3, other.balance),
            (3, 2**128 - 1),
            (4, 0),
            (4, other.owner),
            (4, leaves.owner ^ 1 << 159),
            (5, other.proof),
            (5, pair.calls[0].proof),
            *((5, mutated_proof(leaves.proof, [other.proof], draw)) for _ in range(30)),
        ]:
            call = (*valid[:place], value, *valid[place + 1 :])
            if call == valid:
                continue
            by_model, by_evm = pair.both("exit", *call)
            assert by_model == by_evm, (place, value)
            assert by_model != "accepted", (place, value)
            reasons[by_model[0]] += 1
        assert pair.both("exit", *valid) == ("accepted",) * 2
        by_model, by_evm = pair.both("exit", *valid)
        assert by_model == by_evm
        assert by_model[0] == "AlreadyExited"
    assert set(reasons) == {"UnknownBatch", "OutsideTree", "ProofRejected", "AlreadyExited"}
    owner = made[1].owner
    assert pair.model.pending_withdrawal(owner, 0) == pair.evm.pending_withdrawal(owner, 0) > 0
