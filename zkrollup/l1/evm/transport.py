"""What the rollup needs of a chain, and nothing more: deploy code, send calldata, read, let blocks pass.

This module must not know what is called: it sees addresses and bytes. Every transport keeps one rule about
blocks: a transaction that succeeds makes a block and runs in it, one that reverts raises and leaves no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "FORKS",
    "GAS_LIMIT",
    "EvmError",
    "Log",
    "MissingLibrary",
    "Receipt",
    "Reverted",
    "Transport",
    "UnknownSender",
    "WrongFork",
    "address_bytes",
    "address_text",
    "fork_of",
    "pairing_gas",
    "require_fork",
]

GAS_LIMIT = 16_000_000
"""Of one transaction; below the 2^24 that EIP-7825 (Osaka) allows."""


class EvmError(Exception):
    """Base of what a transport refuses."""


class Reverted(EvmError):
    """The called contract undid everything. ``data`` is what it said, empty for a failed instruction."""

    def __init__(self, data: bytes, reason: str = "") -> None:
        super().__init__(
            f"reverted with {len(data)} bytes of data 0x{data.hex()}" + (reason and f": {reason}")
        )
        self.data = data
        self.reason = reason


class UnknownSender(EvmError):
    """A transport that signs transactions holds no key for this address."""

    def __init__(self, address: int) -> None:
        super().__init__(
            f"sender {address:#042x}: this transport has no private key for it; give it one of `keys`"
        )
        self.address = address


class MissingLibrary(EvmError, ImportError):
    """An EVM library that is not installed."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed: pip install 'zkrollup[{extra}]'")
        self.library, self.extra = library, extra


class WrongFork(EvmError):
    """The EVM follows other rules than those asked for."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"expected an EVM by the rules of {expected}, found those of {found}")
        self.found, self.expected = found, expected


@dataclass(frozen=True, slots=True)
class Log:
    """An event as the chain keeps it."""

    block: int
    address: int
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that succeeded. ``address`` is that of a contract it created; ``output`` is empty where
    the chain does not tell what was returned."""

    block: int
    gas_used: int
    logs: tuple[Log, ...]
    output: bytes
    address: int | None = None


class Transport(Protocol):
    """A chain with senders. Addresses are integers of 160 bits, amounts wei."""

    name: str
    exact_gas: bool
    """Whether ``gas_used`` is what a public chain by the same rules would charge, from the second
    transaction on."""

    @property
    def chain_id(self) -> int: ...

    @property
    def block_number(self) -> int:
        """Of the latest block."""
        ...

    @property
    def gas_limit(self) -> int:
        """What one transaction may take now: a block's limit, or :data:`GAS_LIMIT` where that is less."""
        ...

    def deploy(self, code: bytes, *, sender: int, value: int = 0) -> Receipt:
        """Runs creation code in a new block; raises :class:`Reverted`."""
        ...

    def transact(self, to: int, data: bytes, *, sender: int, value: int = 0) -> Receipt:
        """Calls a contract in a new block; raises :class:`Reverted`."""
        ...

    def call(self, to: int, data: bytes) -> bytes:
        """What a contract answers on the state of the latest block; raises :class:`Reverted`."""
        ...

    def probe(self, code: bytes) -> bytes | None:
        """What creation code returns, keeping nothing; None when it fails."""
        ...

    def mine(self, blocks: int = 1) -> None:
        """Lets blocks without transactions pass."""
        ...

    def balance(self, address: int) -> int:
        """Wei, as if transactions cost no fees and nobody had been given wei to pay them."""
        ...

    def give(self, address: int, amount: int) -> None:
        """More wei to an address, in no block or in one of its own."""
        ...

    def code(self, address: int) -> bytes:
        """A contract's; empty for any other address."""
        ...

    def logs(self, address: int, first_block: int = 0) -> list[Log]:
        """A contract's events since then, in order."""
        ...

    def calldata(self, block: int, to: int | None) -> list[bytes]:
        """Calldata of the successful transactions to a contract in a block, in order; ``None``: to any."""
        ...


def address_bytes(address: int) -> bytes:
    """20 bytes."""
    return address.to_bytes(20, "big")


def address_text(address: int) -> str:
    """``0x`` and 40 lower-case digits."""
    return f"{address:#042x}"


# -- which rules run ------------------------------------------------------------------------------------

_RETURN_TOP = bytes.fromhex("60005260206000f3")  # mstore(0, top), return(0, 32)

_STATIC_CALL_TO = "600060006000600060{:02x}5afa"  # no input, no output, all gas

# Before Prague there is nothing at 11, and a call of nothing succeeds; BLS12_G1ADD (EIP-2537) takes no empty
# input. Jumps over an invalid instruction when the call failed.
_BLS = _STATIC_CALL_TO.format(11) + "15601157fe5b6000"

_PROBES: tuple[tuple[str, bytes], ...] = (
    ("Shanghai", bytes.fromhex("5f") + _RETURN_TOP),  # PUSH0, EIP-3855
    ("Cancun", bytes.fromhex("6000600060005e6000") + _RETURN_TOP),  # MCOPY, EIP-5656
    ("Prague", bytes.fromhex(_BLS) + _RETURN_TOP),
    ("Osaka", bytes.fromhex("60011e") + _RETURN_TOP),  # CLZ, EIP-7939
)

FORKS = ("Istanbul", *(name for name, _ in _PROBES))
"""What :func:`fork_of` tells apart, oldest first; the first stands for all until Shanghai."""


def pairing_gas(transport: Transport) -> int:
    """Gas of a pairing check of no pairs: 45,000 since Istanbul (EIP-1108), 100,000 before (15 or so where
    nothing is at address 8)."""
    # The same code around a call of the identity (4), which costs 15, so that what is around goes away.
    return _call_gas(transport, 8) - _call_gas(transport, 4) + 15


def _call_gas(transport: Transport, address: int) -> int:
    """Gas between two GAS instructions around a call with no input."""
    code = bytes.fromhex("5a" + _STATIC_CALL_TO.format(address) + "505a9003") + _RETURN_TOP
    answer = transport.probe(code)
    if answer is None:
        raise WrongFork("no fork (a call of a precompile fails)", FORKS[0])
    return int.from_bytes(answer, "big")


def fork_of(transport: Transport) -> str:
    """The newest of :data:`FORKS` whose rules run, found by what their instructions do.

    A name given to a library is not asked: some take a name that they do not know for the newest rules.
    """
    cost = pairing_gas(transport)
    if cost != 45_000:
        raise WrongFork(f"a fork where a pairing of no pairs costs {cost:,} gas", FORKS[0])
    found = FORKS[0]
    for name, code in _PROBES:
        if transport.probe(code) is None:
            break
        found = name
    return found


def require_fork(transport: Transport, expected: str) -> None:
    """Raises :class:`WrongFork` unless exactly these rules run."""
    found = fork_of(transport)
    if found != expected:
        raise WrongFork(found, expected)
