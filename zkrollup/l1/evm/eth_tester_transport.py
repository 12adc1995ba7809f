"""A chain in memory by eth-tester with py-evm (Python): exact gas, real blocks, signed transactions, slow.

This module must not know what is called. A Groth16 check takes most of a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .signing import TEST_KEYS, Senders
from .transport import (
    GAS_LIMIT,
    Log,
    MissingLibrary,
    Receipt,
    Reverted,
    address_bytes,
    require_fork,
)

__all__ = ["EthTesterTransport"]

ENDOWMENT = 10**24
"""Wei that every sender has for fees."""

FAUCET_KEY = 0xFA0CE7
_FEE_PER_GAS = 10**10


class EthTesterTransport:
    """A fresh chain by the rules of ``fork``, with senders of these private keys.

    Raises :class:`MissingLibrary`, :class:`WrongFork`.
    """

    name = "eth-tester"
    exact_gas = True

    def __init__(self, *, fork: str = "Prague", keys: Iterable[int] = TEST_KEYS) -> None:
        try:
            import eth.vm.forks
            from eth.vm.spoof import SpoofTransaction
            from eth_tester import EthereumTester, PyEVMBackend
        except ImportError as error:
            raise MissingLibrary("eth-tester[py-evm]", "l1-exact") from error
        rules = getattr(eth.vm.forks, f"{fork}VM", None)
        if rules is None:
            raise ValueError(f"fork: py-evm has none of the name {fork!r}")
        self._spoof: Any = SpoofTransaction
        self._senders = Senders([*keys, FAUCET_KEY])
        *_, self._faucet = self._senders.addresses
        wealth = dict.fromkeys(self._senders.addresses, ENDOWMENT)
        wealth[self._faucet] = 1 << 200
        state = {
            address_bytes(address): {"balance": wei, "nonce": 0, "code": b"", "storage": {}}
            for address, wei in wealth.items()
        }
        backend = PyEVMBackend(
            genesis_parameters=PyEVMBackend.generate_genesis_params({"gas_limit": 30_000_000}),
            genesis_state=state,
            vm_configuration=((0, rules),),
        )
        self._chain: Any = backend.chain
        self._tester: Any = EthereumTester(backend)
        for address in self._senders.addresses:
            self._senders.given(address, wealth[address])
        self._logs: list[Log] = []
        self._calls: list[tuple[int, int, bytes]] = []
        self._answers_at = b""  # the state of a block does not change: answers are kept until the next
        self._answers: dict[tuple[int, bytes], bytes] = {}
        require_fork(self, fork)

    @property
    def chain_id(self) -> int:
        return int(self._chain.chain_id)

    @property
    def block_number(self) -> int:
        return int(self._chain.get_canonical_head().block_number)

    @property
    def gas_limit(self) -> int:
        return GAS_LIMIT

    def deploy(self, code: bytes, *, sender: int, value: int = 0) -> Receipt:
        return self._send({"data": code, "value": value}, sender)

    def transact(self, to: int, data: bytes, *, sender: int, value: int = 0) -> Receipt:
        receipt = self._send({"to": to, "data": data, "value": value}, sender)
        self._calls.append((receipt.block, to, data))
        return receipt

    def _send(self, fields: dict[str, Any], sender: int) -> Receipt:
        raw = self._senders.sign(
            sender,
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": self._chain.get_vm().state.get_nonce(address_bytes(sender)),
                "gas": GAS_LIMIT,
                "maxFeePerGas": _FEE_PER_GAS,
                "maxPriorityFeePerGas": 0,
                **fields,
            },
        )
        before = self._tester.take_snapshot()
        receipt = self._tester.get_transaction_receipt(self._tester.send_raw_transaction("0x" + raw.hex()))
        if not receipt["status"]:
            self._tester.revert_to_snapshot(before)
            self._run(fields.get("to"), fields["data"], sender=sender, value=fields["value"])
            raise Reverted(b"", f"a transaction failed after {receipt['gas_used']:,} gas")
        self._senders.paid(sender, receipt["gas_used"] * receipt["effective_gas_price"])
        logs = tuple(
            Log(
                receipt["block_number"],
                int(log["address"], 16),
                tuple(_bytes(topic) for topic in log["topics"]),
                _bytes(log["data"]),
            )
            for log in receipt["logs"]
        )
        self._logs += logs
        created = receipt["contract_address"]
        return Receipt(
            receipt["block_number"], receipt["gas_used"], logs, b"", int(created, 16) if created else None
        )

    def _run(self, to: int | None, data: bytes, *, sender: int, value: int = 0, head: bool = False) -> bytes:
        """What a transaction would return in the next block, or in the latest, keeping nothing; raises
        :class:`Reverted`."""
        vm = self._chain.get_vm(self._chain.get_canonical_head() if head else None)
        builder = vm.get_transaction_builder()
        unsigned = builder.create_unsigned_transaction(
            nonce=vm.state.get_nonce(address_bytes(sender)),
            gas_price=_FEE_PER_GAS,
            gas=GAS_LIMIT,
            to=b"" if to is None else address_bytes(to),
            value=value,
            data=data,
        )
        snapshot = vm.state.snapshot()
        computation = vm.state.apply_transaction(self._spoof(unsigned, from_=address_bytes(sender)))
        output = bytes(computation.output)
        error = computation.error if computation.is_error else None
        vm.state.revert(snapshot)
        if error is not None:
            raise Reverted(output, "" if output else repr(error))
        return output

    def call(self, to: int, data: bytes) -> bytes:
        head = self._chain.get_canonical_head().hash
        if head != self._answers_at:
            self._answers_at, self._answers = head, {}
        if (to, data) not in self._answers:
            self._answers[to, data] = self._run(to, data, sender=self._faucet, head=True)
        return self._answers[to, data]

    def probe(self, code: bytes) -> bytes | None:
        try:
            return self._run(None, code, sender=self._faucet)
        except Reverted:
            return None

    def mine(self, blocks: int = 1) -> None:
        if blocks:
            self._tester.mine_blocks(blocks)

    def balance(self, address: int) -> int:
        wei = self._chain.get_vm().state.get_balance(address_bytes(address))
        return self._senders.without_fees(address, wei)

    def give(self, address: int, amount: int) -> None:
        self._send({"to": address, "data": b"", "value": amount}, self._faucet)

    def code(self, address: int) -> bytes:
        return bytes(self._chain.get_vm().state.get_code(address_bytes(address)))

    def logs(self, address: int, first_block: int = 0) -> list[Log]:
        return [log for log in self._logs if log.address == address and log.block >= first_block]

    def calldata(self, block: int, to: int | None) -> list[bytes]:
        return [data for number, target, data in self._calls if number == block and to in (target, None)]


def _bytes(value: Any) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
