"""What a batch costs by kind and size, exactly, against committed figures: a change shows as a changed line.

Each call is the first one of a fresh EVM that got the contract's code and storage, because gas is right
there only (revm's journal keeps storage warm). Numbers are as wide as their fields and bytes are random, so
that calldata costs what it can cost at most, but for zeros in them. ``python tests/evm/test_contract_gas.py``
prints the figures.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("pyrevm", reason="pyrevm is not installed: pip install 'zkrollup[l1]'")

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.crypto.babyjubjub import BASE8
from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.solidity import calldata
from zkrollup.l1.evm.verifier_code import verifier_creation_code
from zkrollup.l1.headers import BatchHeader, genesis_header
from zkrollup.testing.proofs import SimulatedKey


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


driver = _load("rollup_driver")
OPERATOR = 0xABCDEF0123456789ABCDEF0123456789ABCDEF01
SLOTS, DEPTH, FEE_TOKENS = 64, 16, 2
ROOT, NEXT_INDEX, COMMITMENT = R // 3, 1 << 31 | 12345, R // 5
LOWEST = 1 << 24  # of an index, so that none of its bytes need be zero
REQUESTS = ("deposit", "forced exit")

FIGURES: dict[str, int] = {
    "transfer": 525,
    "transfer, calldata": 224,
    "change of key": 2_950,
    "change of key, calldata": 1_161,
    "transfer to a new account": 3_709,
    "transfer to a new account, calldata": 1_564,
    "withdraw": 26_692,
    "withdraw, calldata": 666,
    "deposit": 3_994,
    "deposit, calldata": 1_680,
    "forced exit": 27_142,
    "forced exit, calldata": 642,
    "a proof alone": 228_810,
    "submit, no records": 279_174,
    "submit, 64 transfers": 312_720,
    "commit, 64 transfers": 99_457,
    "prove": 242_853,
    "execute, no withdrawals": 36_814,
    "deposit of ETH": 53_313,
    "request of an exit": 51_237,
}


class Setting:
    """A rollup with a verifier of a key, and ``requests`` deposits or forced exits in its queue."""

    def __init__(self, kind: str, count: int) -> None:
        self.rng = Random(f"{kind}")
        self.chain = driver.Chain()
        self.chain.fund(OPERATOR, 10**30)
        self.key = SimulatedKey()
        code = verifier_creation_code(self.key.verifying_key, allow_insecure=True)
        self.verifier = int(self.chain.evm.deploy(driver.hex_address(driver.DEPLOYER), code), 16)
        powers = (self.verifier, self.verifier, OPERATOR, OPERATOR)
        sizes = (SLOTS, DEPTH, FEE_TOKENS, 1 << 96, 50_400, 7_200, 100_800)
        self.rollup = driver.Contract(self.chain, "Rollup", (*powers, 0, ROOT, NEXT_INDEX, *sizes))
        self.previous = genesis_header(ROOT, NEXT_INDEX)
        self.owners: list[int] = []
        self.data = self._header() + b"".join(self._record(kind) for _ in range(count))

    def call(self, name: str, *arguments: Any, value: int = 0, sender: int = OPERATOR) -> bytes:
        return getattr(self.rollup, name)(*arguments, sender=sender, value=value)  # type: ignore[no-any-return]

    def gas(self, name: str, *arguments: Any, value: int = 0) -> int:
        """What a call costs as the first transaction in its block, without running it here."""
        return self._gas(self.rollup.address, self.rollup.data(name, *arguments), value)

    def verification_gas(self) -> int:
        """What a proof costs that is sent to the verifier alone."""
        header, proof = self._header_and_proof()
        inputs = [header.commitment, header.challenge, header.fingerprint]
        return self._gas(self.verifier, calldata(proof, inputs))

    def _gas(self, to: int, data: bytes, value: int = 0) -> int:
        fresh = driver.Chain()
        fresh.mine(self.chain.block_number - 1)
        fresh.fund(OPERATOR, 10**30)
        for address in (self.rollup.address, self.verifier):
            self._copy(fresh, address)
        fresh.call(OPERATOR, to, data, value)
        return fresh.gas  # type: ignore[no-any-return]

    def _copy(self, fresh: Any, address: int) -> None:
        text, evm = driver.hex_address(address), self.chain.evm
        code = bytes(evm.get_code(text))[:-33]  # revm's own copy has zeros behind it
        account = driver.pyrevm.AccountInfo(nonce=1, balance=evm.get_balance(text), code=code)
        fresh.evm.insert_account_info(text, account)
        for slot in self._places():
            if value := evm.storage(text, slot):
                fresh.evm.insert_account_storage(text, slot, value)

    def _places(self) -> Iterable[int]:
        """Where the contract can have stored anything: variables, arrays behind them, mappings."""
        for base in range(24):
            yield base
            first = _keccak(base)
            yield from range(first, first + 20)
            for key in range(70):
                yield _keccak(key, base)
            for owner in (*self.owners, OPERATOR):
                yield _keccak(0, _keccak(owner, base))

    # -- data ---------------------------------------------------------------------------------------

    def _header(self) -> bytes:
        return b"".join((
            b"\x02",
            (1).to_bytes(8, "big"),
            self.rollup.address.to_bytes(20, "big"),
            (1).to_bytes(8, "big"),
            SLOTS.to_bytes(4, "big"),
            NEXT_INDEX.to_bytes(5, "big"),
            (NEXT_INDEX + 1).to_bytes(5, "big"),
            ROOT.to_bytes(32, "big"),
            (R // 7).to_bytes(32, "big"),
            *(self._below(1 << 32).to_bytes(4, "big") for _ in range(2 * FEE_TOKENS)),
        ))  # fmt: skip

    def _below(self, bound: int) -> int:
        return self.rng.randrange(LOWEST, bound)

    def _record(self, kind: str) -> bytes:
        first, second = self._below(1 << 32), self._below(1 << 32)
        owner = self.rng.randrange(1 << 152, 1 << 160)
        fee, code = 7 << 7 | self.rng.randrange(13, 128), 9 << 27 | self.rng.randrange(13421773, 1 << 27)
        key = b"".join(self.rng.randrange(1 << 248, R).to_bytes(32, "big") for _ in "xy")
        amount = self.rng.randrange(1 << 88, 1 << 96)
        address = owner.to_bytes(20, "big")
        if kind == "transfer":
            return _e0(2, first, second, fee, code << 96)[:14]
        if kind == "change of key":
            return _e0(5, first, 0, fee, 0)[:14] + key
        if kind == "transfer to a new account":
            return _e0(6, first, second, fee, code << 96)[:14] + address + key
        if kind == "withdraw":
            return _e0(3, first, 0, fee, amount) + address
        if kind == "forced exit":
            self.chain.fund(owner, 10**18)
            self.call("requestExit", first, sender=owner)
            return _e0(4, first, 0, 0, amount) + address
        assert kind == "deposit"
        self.call("deposit", 0, amount, *BASE8, owner, value=amount)
        return _e0(1, 0, second, 0, amount) + address + b"".join(part.to_bytes(32, "big") for part in BASE8)

    # -- batches --------------------------------------------------------------------------------------

    def _header_and_proof(self) -> tuple[BatchHeader, Proof]:
        header = driver.header(self.call("previewBatch", self.previous, self.data, COMMITMENT))
        return header, self.key.unsafe_prove([header.commitment, header.challenge, header.fingerprint])

    def proof(self) -> list[int]:
        made = self._header_and_proof()[1].to_bytes()
        return [int.from_bytes(made[i : i + 32], "big") for i in range(0, 256, 32)]

    def submit_gas(self) -> int:
        return self.gas("submitBatch", self.previous, self.data, COMMITMENT, self.proof())

    def calldata_gas(self) -> int:
        """Of the data alone."""
        return sum(16 if byte else 4 for byte in self.data)


def _e0(nibble: int, first: int, second: int, fee: int, amount: int) -> bytes:
    return (nibble << 236 | first << 204 | second << 172 | fee << 160 | amount << 32).to_bytes(30, "big")


def _keccak(*words: int) -> int:
    return int.from_bytes(keccak256(b"".join(word.to_bytes(32, "big") for word in words)), "big")


def each(kind: str, few: int, many: int) -> tuple[float, float]:
    """Gas of one more record of a kind in a batch submitted at once, and the calldata's part of it."""
    less, more = Setting(kind, few), Setting(kind, many)
    gas = (more.submit_gas() - less.submit_gas()) / (many - few)
    return gas, (more.calldata_gas() - less.calldata_gas()) / (many - few)


def figures() -> dict[str, int]:
    """Gas of calls, and of one more record of each kind (64 and 32, of requests 12 and 6), rounded up."""
    found = {}
    for kind in ("transfer", "change of key", "transfer to a new account", "withdraw", *REQUESTS):
        gas, of_data = each(kind, *((6, 12) if kind in REQUESTS else (32, 64)))
        found[kind] = -int(-gas // 1)
        found[f"{kind}, calldata"] = -int(-of_data // 1)
    found["a proof alone"] = Setting("transfer", 0).verification_gas()
    found["submit, no records"] = Setting("transfer", 0).submit_gas()
    full = Setting("transfer", 64)
    found["submit, 64 transfers"] = full.submit_gas()
    found["commit, 64 transfers"] = full.gas("commitBatch", full.previous, full.data, COMMITMENT)
    proof = full.proof()
    header = driver.header(full.call("commitBatch", full.previous, full.data, COMMITMENT))
    found["prove"] = full.gas("proveBatch", header, proof)
    full.call("proveBatch", header, proof)
    found["execute, no withdrawals"] = full.gas("executeBatch", header, b"")
    full.call("deposit", 0, 10**18, *BASE8, OPERATOR, value=10**18)
    found["deposit of ETH"] = full.gas("deposit", 0, 10**18, *BASE8, OPERATOR, value=10**18)
    found["request of an exit"] = full.gas("requestExit", 0x12345678)
    return found


def test_gas__is_what_was_committed() -> None:
    assert figures() == FIGURES


def test_gas__keeps_to_the_aims() -> None:
    assert FIGURES["transfer"] <= 900
    assert FIGURES["transfer, calldata"] <= 260
    assert FIGURES["a proof alone"] <= 230_000


if __name__ == "__main__":
    for name, gas in figures().items():
        print(f'    "{name}": {gas:_},')
