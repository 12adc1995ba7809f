"""The main job, shown: accounts, signed transactions, batch, proof, verification, L1.

It must not compute anything itself; :class:`zkrollup.operator.Rollup` does.
"""

from __future__ import annotations

import json
import random
import resource
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from zkrollup.cli import StatementFalse
from zkrollup.cli.files import require_outputs, write_text
from zkrollup.cli.show import print_mapping, print_rows, progress_steps
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.operator import DEFAULT_CHAIN_ID, DEFAULT_CONTRACT, ProvenBatch, Rollup
from zkrollup.state import (
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    Transaction,
    TransactionError,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    sign_transaction,
)
from zkrollup.state.transactions import SignedTransaction, format_transactions, read_transactions
from zkrollup.verifier import verify

__all__ = ["Scenario", "generate", "run_demo"]

TOKEN = 0
OPERATOR = 1
FIRST_DEPOSIT = 10**21
PHASES_PER_BATCH = 6  # execute, public data, assign, witness, prove, l1


@dataclass
class Scenario:
    """Transactions in order, and the account that collects the operator's fees by token."""

    transactions: list[Transaction] = field(default_factory=list)
    fee_accounts: dict[int, int] = field(default_factory=dict)


def generate(count: int, *, chain_id: int, rollup_id: int, capacity: int) -> Scenario:
    """``count`` transactions of every kind but groups, valid when applied in order to an empty state.

    The first deposit creates the operator's account. Keys come from the operating system's generator;
    who pays whom is drawn by an ordinary one.
    """
    draw = random.Random(count)
    accounts = max(1, min(count, 1 + max(2, count // 4), capacity - 1, 64))
    owners = [PrivateKey(secrets.token_bytes(32)) for _ in range(accounts)]
    addresses = [0xA0000 + i for i in range(accounts)]
    nonces = [0] * accounts
    opened = accounts
    scenario = Scenario(fee_accounts={TOKEN: OPERATOR} if count else {})
    for owner, address in zip(owners, addresses, strict=True):
        scenario.transactions.append(Deposit(TOKEN, FIRST_DEPOSIT, *owner.public_key, address))
    for i in range(count - accounts):
        sender, recipient = draw.randrange(accounts), draw.randrange(accounts)
        if i == count - accounts - 1 and accounts > 1 and count > 4:
            scenario.transactions.append(ForcedExit(accounts, addresses[-1]))
            continue
        amount = draw.randrange(1, 1000) * 10**15
        fee = draw.randrange(1, 100) * 10**12
        paid = (TOKEN, amount, fee, nonces[sender])
        signer = owners[sender]
        asked: SignedTransaction = Transfer(sender + 1, recipient + 1, *paid)
        if i % 5 == 1:
            asked = Withdraw(sender + 1, addresses[sender], *paid)
        elif i % 16 == 3:
            asked = TransferToAddress(sender + 1, addresses[recipient], *paid)
        elif i % 16 == 7:
            owners[sender] = PrivateKey(secrets.token_bytes(32))
            asked = ChangeKey(sender + 1, *owners[sender].public_key, TOKEN, fee, nonces[sender])
        elif i % 16 == 10 and opened + 1 < capacity:
            opened += 1
            newcomer = PrivateKey(secrets.token_bytes(32))
            asked = TransferToNew(sender + 1, *newcomer.public_key, 0xA0000 + opened, *paid)
        scenario.transactions.append(sign_transaction(asked, signer, chain_id, rollup_id))
        nonces[sender] += 1
    return scenario


def cut(transactions: Sequence[Transaction], slots: int) -> list[list[Transaction]]:
    """The transactions in batches of at most ``slots``, no group in two of them."""
    pieces: list[list[Transaction]] = [[]]
    for unit in _units(transactions):
        if pieces[-1] and len(pieces[-1]) + len(unit) > slots:
            pieces.append([])
        pieces[-1] += unit
    return pieces


def _units(transactions: Sequence[Transaction]) -> Iterator[list[Transaction]]:
    """Each transaction alone, but those of a group that stand together."""
    for group, members in groupby(transactions, lambda transaction: getattr(transaction, "group", 0)):
        if group:
            yield list(members)
        else:
            yield from ([member] for member in members)


def load(source: str, *, slots: int, capacity: int) -> Scenario:
    """What ``--txs`` asks for: a number of generated transactions, or those of a file."""
    if source.isascii() and source.isdigit():
        count = int(source)
        if not 1 <= count <= 1 << 20:
            raise ValueError(f"--txs: {count} transactions; expected 1 to {1 << 20}, or a file")
        return generate(count, chain_id=DEFAULT_CHAIN_ID, rollup_id=DEFAULT_CONTRACT, capacity=capacity)
    transactions = list(read_transactions(Path(source)))
    if not transactions:
        raise ValueError(f"--txs {source}: no transactions in it; expected one JSON object a line")
    return Scenario(transactions, {TOKEN: OPERATOR})


def run_demo(
    *,
    slots: int,
    transactions: str | None,
    depth: int,
    fee_tokens: int,
    save: Path | None,
    json_output: bool,
) -> None:
    """Runs the demo and prints a table, or one JSON object. Raises StatementFalse when a check fails."""
    require_outputs([save], [None if transactions is None else Path(transactions)])
    start = time.perf_counter()
    scenario = load(transactions or str(slots), slots=slots, capacity=4**depth)
    if save is not None:
        write_text(save, format_transactions(scenario.transactions))
    signed_at = time.perf_counter()
    pieces = cut(scenario.transactions, slots)
    with progress_steps("zkrollup demo", 2 + PHASES_PER_BATCH * len(pieces), quiet=json_output) as step:
        rollup = Rollup(slots, depth=depth, fee_tokens=fee_tokens, progress=step)
        batches = []
        verify_seconds = 0.0
        verified = accepted = True
        for number, piece in enumerate(pieces):
            offset = sum(map(len, pieces[:number]))
            batch = prove_piece(rollup, piece, scenario, offset)
            began = time.perf_counter()
            verified &= verify(rollup.key.verifying_key, list(batch.inputs), batch.proof)
            verify_seconds += time.perf_counter() - began
            rollup.submit(batch)
            accepted &= rollup.contract.root == batch.trace.root_after == rollup.state.root
            batches.append(batch)
    seconds = dict(rollup.seconds)
    seconds["sign"] = signed_at - start
    for batch in batches:
        for name, took in batch.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + took
    seconds["verify"] = verify_seconds
    seconds["total"] = time.perf_counter() - start
    result = summary(rollup, scenario, batches, seconds, verified=verified, accepted=accepted)
    if json_output:
        print(json.dumps(result))
    else:
        show(rollup, result)
    if not (verified and accepted):
        raise StatementFalse("demo: the proof does not verify or L1 did not take the batch")


def prove_piece(rollup: Rollup, piece: list[Transaction], scenario: Scenario, offset: int) -> ProvenBatch:
    """Queues a piece's L1 requests on L1, then executes and proves the piece in its own order."""
    for transaction in piece:
        if isinstance(transaction, Deposit | ForcedExit):
            rollup.request(transaction)
    try:
        return rollup.prove_in_order(piece, fee_accounts=scenario.fee_accounts)
    except TransactionError as error:
        if offset and error.place:
            error.place += f" of the batch that begins with transaction {offset}"
        raise


def summary(
    rollup: Rollup,
    scenario: Scenario,
    batches: list[ProvenBatch],
    seconds: dict[str, float],
    *,
    verified: bool,
    accepted: bool,
) -> dict[str, Any]:
    """The demo's result as one object."""
    r1cs = rollup.circuit.r1cs
    kinds = {kind.name.lower(): 0 for kind in Kind}
    for batch in batches:
        for slot in batch.trace.slots:
            kinds[slot.kind.name.lower()] += 1
    return {
        "verified": verified,
        "l1_accepted": accepted,
        "slots": rollup.parameters.slots,
        "depth": rollup.parameters.depth,
        "batches": len(batches),
        "transactions": len(scenario.transactions),
        "kinds": kinds,
        "constraints": r1cs.num_constraints,
        "constraints_per_slot": rollup.circuit.constraints_per_slot,
        "public_data_bytes": sum(len(batch.data) for batch in batches),
        "proof_bytes": 256,
        "key_bytes": rollup.key.num_bytes,
        "key_cached": rollup.key_was_cached,
        "key_insecure": rollup.key.insecure,
        "circuit_digest": r1cs.digest,
        "state_root_before": hex(batches[0].trace.root_before),
        "state_root_after": hex(batches[-1].trace.root_after),
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "engine": rollup.engine.name,
        "cpu": rollup.engine.cpu,
        "threads": rollup.engine.threads,
    }


def show(rollup: Rollup, result: dict[str, Any]) -> None:
    """The same for people."""
    seconds = result["seconds"]
    facts = {
        "transactions": ", ".join(f"{n} {kind}" for kind, n in result["kinds"].items() if n),
        "state root before": result["state_root_before"],
        "state root after": result["state_root_after"],
        "constraints": f"{result['constraints']:,} ({result['constraints_per_slot']:,} a slot)",
        "public data": f"{result['public_data_bytes']:,} bytes",
        "proof": f"{result['proof_bytes']} bytes",
        "proving key": f"{result['key_bytes'] / 1e6:,.1f} MB, "
        + ("cached" if result["key_cached"] else "made now")
        + (", INSECURE: made by one party" if result["key_insecure"] else ""),
        "proof verified": "yes" if result["verified"] else "NO",
        "accepted by L1": "yes" if result["l1_accepted"] else "NO",
        "engine": f"{result['engine']}, {result['cpu']}, {result['threads']} threads",
        "peak memory": f"{result['peak_memory_bytes'] / 1e6:,.0f} MB",
    }
    batches, slots = result["batches"], result["slots"]
    title = f"{batches} batch{'es' * (batches > 1)} of {slots} slot{'s' * (slots > 1)}"
    print_mapping(title, facts)
    print_rows("Seconds", ("phase", "seconds"), ((name, f"{took:.3f}") for name, took in seconds.items()))
