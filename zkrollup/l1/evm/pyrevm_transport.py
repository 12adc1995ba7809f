"""A chain in memory by pyrevm (revm in Rust): fast, any sender, exact in everything but gas.

This module must not know what is called. The journal of revm is kept over all transactions, so that storage
stays warm: gas is what a chain would charge only for the first transaction in a fresh chain, and
``exact_gas`` is False. Forks up to Cancun.
"""

from __future__ import annotations

import re
from typing import Any

from .transport import GAS_LIMIT, Log, MissingLibrary, Receipt, Reverted, address_text, require_fork

__all__ = ["PyrevmTransport"]

_REVERT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")
_FAUCET = 0xFA0CE7
"""Makes probes and reads."""

_PADDING = 33


class PyrevmTransport:
    """A fresh chain by the rules of ``fork``, which are asserted by what its instructions do and cost.

    Without ``auto_mine`` time stands still: every transaction runs in the block behind the latest, and only
    :meth:`mine` makes blocks.

    Raises :class:`MissingLibrary`, :class:`WrongFork`.
    """

    name = "pyrevm"
    exact_gas = False

    def __init__(self, *, chain_id: int = 31337, fork: str = "Cancun", auto_mine: bool = True) -> None:
        try:
            import pyrevm
        except ImportError as error:
            raise MissingLibrary("pyrevm", "l1") from error
        self._pyrevm: Any = pyrevm
        self._fork = fork
        self._chain_id = chain_id
        self._auto_mine = auto_mine
        self._block = 0
        self._logs: list[Log] = []
        self._calls: list[tuple[int, int, bytes]] = []
        self._evm = self._fresh()
        self._set_block(1)
        require_fork(self, fork)

    def _fresh(self) -> Any:
        env = self._pyrevm.Env(cfg=self._pyrevm.CfgEnv(chain_id=self._chain_id))
        # Title case: any name that pyrevm does not know means its newest rules.
        return self._pyrevm.EVM(env=env, spec_id=self._fork.title())

    def _set_block(self, number: int) -> None:
        block = self._pyrevm.BlockEnv(number=number, timestamp=12 * number, prevrandao=bytes(32))
        self._evm.set_block_env(block)

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def block_number(self) -> int:
        return self._block

    @property
    def gas_limit(self) -> int:
        return GAS_LIMIT

    def deploy(self, code: bytes, *, sender: int, value: int = 0) -> Receipt:
        self._set_block(self._block + 1)
        try:
            address = self._evm.deploy(address_text(sender), code, value=value, gas=GAS_LIMIT)
        except RuntimeError as error:
            raise _reverted(error) from error
        return self._receipt(b"", int(address, 16))

    def transact(self, to: int, data: bytes, *, sender: int, value: int = 0) -> Receipt:
        self._set_block(self._block + 1)
        try:
            output = self._evm.message_call(
                address_text(sender), address_text(to), calldata=data, value=value, gas=GAS_LIMIT
            )
        except RuntimeError as error:
            raise _reverted(error) from error
        self._calls.append((self._block + 1, to, data))
        return self._receipt(bytes(output), None)

    def _receipt(self, output: bytes, address: int | None) -> Receipt:
        block = self._block + 1
        self._block += self._auto_mine
        result = self._evm.result
        logs = tuple(
            Log(block, int(log.address, 16), tuple(map(bytes, log.data[0])), bytes(log.data[1]))
            for log in result.logs
        )
        self._logs += logs
        return Receipt(block, result.gas_used, logs, output, address)

    def call(self, to: int, data: bytes) -> bytes:
        self._set_block(self._block)
        try:
            return bytes(
                self._evm.message_call(
                    address_text(_FAUCET), address_text(to), calldata=data, gas=GAS_LIMIT, is_static=True
                )
            )
        except RuntimeError as error:
            raise _reverted(error) from error

    def probe(self, code: bytes) -> bytes | None:
        evm = self._fresh()
        try:
            address = evm.deploy(address_text(_FAUCET), code, gas=GAS_LIMIT)
        except RuntimeError:
            return None
        return _code(evm, address)

    def mine(self, blocks: int = 1) -> None:
        self._block += blocks

    def balance(self, address: int) -> int:
        return int(self._evm.get_balance(address_text(address)))

    def give(self, address: int, amount: int) -> None:
        self._evm.set_balance(address_text(address), self.balance(address) + amount)

    def code(self, address: int) -> bytes:
        return _code(self._evm, address_text(address))

    def logs(self, address: int, first_block: int = 0) -> list[Log]:
        return [log for log in self._logs if log.address == address and log.block >= first_block]

    def calldata(self, block: int, to: int | None) -> list[bytes]:
        return [data for number, target, data in self._calls if number == block and to in (target, None)]


def _code(evm: Any, address: str) -> bytes:
    """revm keeps code for its jumps with 33 zeros behind it."""
    padded = bytes(evm.get_code(address) or bytes(_PADDING))
    return padded[: len(padded) - _PADDING]


def _reverted(error: RuntimeError) -> Reverted:
    match = _REVERT.search(str(error))
    return Reverted(bytes.fromhex(match[1])) if match else Reverted(b"", str(error))
