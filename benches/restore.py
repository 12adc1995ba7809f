"""How long does it take to rebuild the state from L1, and to leave? Batches are made, restored into memory
and a file, and an account's exit is proved.

Usage: python benches/restore.py [--batches 1000] [--slots 8] [--depth 16] [--accounts 64] [--threads 1]
       [--write]

The batches are signed transactions of all kinds, mostly transfers, executed by the state machine and
submitted to the model of the contract, which reads their bytes and checks no proof. Before any clock starts
the work is counted: bytes, keccak blocks, and Poseidon hashes of leaves and nodes. The exit's key is made
anew; its proof takes the path, the witness, its check and the proof. --write keeps the figures in
benches/results/restore.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zkrollup.bench.machine import commit, cores, processor_name
from zkrollup.engine import get_engine
from zkrollup.exit_proof import exit_key, make_exit_proof
from zkrollup.groth16.setup import key_path
from zkrollup.operator import engine_hasher
from zkrollup.restore import restore
from zkrollup.state import BatchParameters, ChangeKey, ForcedExit, StateTree, TransferToNew
from zkrollup.state.public_data import decode
from zkrollup.testing.rollup import SimulatedRollup, Wallet, make_wallets, unsafe_accept_any_proof

RESULTS = Path(__file__).parent / "results" / "restore.json"
TOKEN, FEE_ACCOUNT = 7, 1
KECCAK_RATE = 136
HEADER_BYTES = 11 * 32


def lived(batches: int, parameters: BatchParameters, accounts: int, hasher: Any) -> SimulatedRollup:
    """A rollup whose contract has executed this many full batches."""
    state = StateTree.in_memory(parameters.depth, hasher)
    rollup = SimulatedRollup(parameters, state=state, verifier=unsafe_accept_any_proof)
    wallets = make_wallets(accounts)
    opened = 0
    for number in range(1, batches + 1):
        count = parameters.slots
        if opened < accounts:
            fresh = wallets[opened : opened + count]
            opened += len(fresh)
            for wallet in fresh:
                rollup.deposit(wallet.deposit(10**12))
            trace = rollup.apply()
        else:
            trace = rollup.apply(script(rollup, wallets, number, count), ((TOKEN, FEE_ACCOUNT),))
        rollup.submit_call(*without_proof(rollup, trace))
    return rollup


def script(rollup: SimulatedRollup, wallets: Sequence[Wallet], number: int, count: int) -> list[Any]:
    """A full batch: transfers, and every so often one of each other kind. Queues a request now and then."""
    transactions: list[Any] = []
    used: dict[int, int] = {}

    def signer(step: int) -> tuple[int, int, Wallet]:
        place = (number * count + step) % len(wallets)
        nonce = rollup.state.account(place + 1).nonce + used.get(place, 0)
        used[place] = used.get(place, 0) + 1
        return place + 1, nonce, wallets[place]

    if number % 5 == 0:
        rollup.deposit(wallets[number % len(wallets)].deposit(1000))
        rollup.request(ForcedExit(number % len(wallets) + 1, 0xBAD))
        count -= 2
    for step in range(count):
        index, nonce, wallet = signer(step)
        if number % 7 == 0 and step == 0:
            transactions.append(wallet.withdraw(index, 5, fee=1, nonce=nonce))
        elif number % 11 == 0 and step == 1:
            key = wallet.key.public_key
            transactions.append(wallet.sign(TransferToNew(index, *key, 0xF000 + number, TOKEN, 3, 1, nonce)))
        elif number % 13 == 0 and step == 2:
            transactions.append(wallet.sign(ChangeKey(index, *wallet.key.public_key, TOKEN, 1, nonce)))
        else:
            other = (index + number) % len(wallets) + 1
            transactions.append(wallet.transfer(index, other, 10 + step, fee=1, nonce=nonce))
    return transactions


def without_proof(rollup: SimulatedRollup, trace: Any) -> tuple[bytes, int, Any]:
    """A call whose commitment and proof nobody checks."""
    from zkrollup.l1.world import stamp
    from zkrollup.state.public_data import encode, public_data

    return encode(public_data(trace)), 0, stamp(())


def counted(rollup: SimulatedRollup, window: int) -> dict[str, int]:
    """The work of restoring: what is read, and what is hashed."""
    l1, parameters = rollup.contract, rollup.parameters
    hashes = leaves = num_bytes = blocks = 0
    for number in range(1, l1.executed + 1):
        data = l1.batch_data(number)
        num_bytes += len(data)
        blocks += len(data) // KECCAK_RATE + 1 + HEADER_BYTES // KECCAK_RATE + 1
        level = touched(decode(data, parameters))
        leaves += len(level)
        hashes += len(level)
        for _ in range(parameters.depth):
            level = {index >> 2 for index in level}
            hashes += len(level)
    return {
        "batches": l1.executed,
        "bytes": num_bytes,
        "keccak_blocks": blocks,
        "poseidon_leaves": leaves,
        "poseidon": hashes,
        "window": window,
    }


def touched(data: Any) -> set[int]:
    """The leaves that a batch changes, but for a nullified request's."""
    indices = {i for r in data.records if not r.nullified for i in (r.first, r.second)}
    fees = {account for _, account in data.fee_entries if any(r.fee_code for r in data.records)}
    return (indices | fees) - {0}


def exit_figures(state: StateTree, threads: int) -> dict[str, float]:
    """The size of the key's file, and the median of five proofs, elapsed and of CPU time."""
    engine = get_engine(threads=threads)
    elapsed, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        key, _ = exit_key(state.depth, engine=engine, directory=Path(folder))
        size = key_path(key.circuit_digest, Path(folder)).stat().st_size
        for account in range(1, 6):
            start, used = time.perf_counter(), time.process_time()
            make_exit_proof(state, account, key, engine=engine)
            elapsed.append(time.perf_counter() - start)
            cpu.append(time.process_time() - used)
    return {
        "key_bytes": size,
        "rows": key.num_rows,
        "median_seconds": round(statistics.median(elapsed), 4),
        "median_cpu_seconds": round(statistics.median(cpu), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--depth", type=int, default=16)
    parser.add_argument("--accounts", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    parameters = BatchParameters(arguments.slots, arguments.depth, 2)
    hasher = engine_hasher(get_engine(threads=arguments.threads))
    rollup = lived(arguments.batches, parameters, arguments.accounts, hasher)
    work = counted(rollup, arguments.window)
    print(f"{processor_name()}; commit {commit()}; batches of {arguments.slots}, depth {arguments.depth}:")
    print("  " + ", ".join(f"{value:,} {name}" for name, value in work.items()))

    seconds: dict[str, dict[str, float]] = {}
    for where in ("memory", "file"):
        with tempfile.TemporaryDirectory() as folder:
            if where == "memory":
                state = StateTree.in_memory(arguments.depth, hasher)
            else:
                state = StateTree.open(Path(folder) / "state.db", arguments.depth, hasher)
            start, cpu = time.perf_counter(), time.process_time()
            done = restore(rollup.contract, state, window=arguments.window)
            seconds[where] = {
                "elapsed": round(time.perf_counter() - start, 2),
                "cpu": round(time.process_time() - cpu, 2),
            }
            assert done.batches == arguments.batches
            assert state.root == rollup.contract.root == state.recompute_root()
            if where == "memory":
                leaving = exit_figures(state, arguments.threads)
            state.close()
        print(f"  into {where}: {seconds[where]['elapsed']} s, {seconds[where]['cpu']} s of CPU time")
    print("  exit: " + ", ".join(f"{value:,} {name}" for name, value in leaving.items()))
    if arguments.write:
        figures = {
            "machine": {"processor": processor_name(), "cores": cores(), "commit": commit()},
            "slots": arguments.slots,
            "depth": arguments.depth,
            "accounts": rollup.state.next_index - 1,
            "threads": arguments.threads,
            "work": work,
            "seconds": seconds,
            "exit": leaving,
        }
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
