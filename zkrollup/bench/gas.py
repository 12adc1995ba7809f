"""What the rollup costs on L1: gas and bytes by kind of transaction and size of batch, measured in py-evm.

This module must not know how the contract works: it deploys it, calls it, and reads receipts. Proofs are made
with a key whose secrets are known, so that no circuit has to be proved; the verifier and its gas are real.
Indices, amounts, addresses, keys and roots look random and are the same in every run, so the gas is too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any

from zkrollup.bench.machine import machine
from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.l1.evm.contract import EvmL1
from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.evm.signing import address_of
from zkrollup.l1.evm.transport import fork_of
from zkrollup.l1.evm.verifier_code import verifier_creation_code
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.interface import Config
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import (
    TRANSFER_AMOUNT_SHIFT,
    PublicData,
    SlotRecord,
    challenge,
    encode,
    fingerprint,
)
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import Deposit
from zkrollup.testing.rollup import SimulatedKey

__all__ = [
    "BATCH_KINDS",
    "BASE_GAS",
    "BatchCost",
    "CallCost",
    "GasReport",
    "ProvingCost",
    "calldata_gas",
    "costs_page",
    "measure_gas",
    "measure_proving",
]

BASE_GAS = 21_000
"""Of any transaction."""

DEPTH = 16
FEE_TOKENS = 2
ACCOUNTS = 1 << 20
"""Indices are below it, as in a rollup with a million accounts."""

LIFETIME = 20
"""Of a request: so that few blocks pass until the contract can be frozen. It changes no gas."""

OTHER_SIZES = 64
"""Batches of other kinds than transfers are measured up to this size: their costs are linear."""

BATCH_KINDS: dict[str, Kind] = {
    "transfer": Kind.TRANSFER,
    "transfer to new": Kind.TRANSFER_TO_NEW,
    "change key": Kind.CHANGE_KEY,
    "withdraw": Kind.WITHDRAW,
    "deposit": Kind.DEPOSIT,
    "forced exit": Kind.FORCED_EXIT,
}
OPERATOR, USER = address_of(1), address_of(2)
ETHER = 10**18
KEY = PrivateKey(b"the user's key, of 32 bytes, ok!").public_key


def calldata_gas(data: bytes) -> int:
    """4 for a zero byte, 16 for any other (EIP-2028)."""
    zeros = data.count(0)
    return 4 * zeros + 16 * (len(data) - zeros)


@dataclass(frozen=True, slots=True)
class BatchCost:
    """A batch with ``count`` transactions of one kind, committed, proved and executed by one call.

    ``fixed`` and ``fixed_calldata`` are those of a batch of none.
    """

    kind: str
    count: int
    bytes_each: float
    gas: int
    calldata: int
    fixed: int
    fixed_calldata: int

    @property
    def each(self) -> float:
        """All gas by the number of transactions."""
        return self.gas / self.count

    @property
    def beyond(self) -> float:
        """Gas of a transaction beyond the fixed part of its batch."""
        return (self.gas - self.fixed) / self.count

    @property
    def calldata_each(self) -> float:
        """Of that, what its bytes cost."""
        return (self.calldata - self.fixed_calldata) / self.count


@dataclass(frozen=True, slots=True)
class CallCost:
    """One call, with the gas of its calldata."""

    name: str
    gas: int
    calldata: int


@dataclass(frozen=True, slots=True)
class ProvingCost:
    """A batch of so many slots: rows, and the median time of a proof; None where it was not measured."""

    slots: int
    constraints: int
    seconds: float | None = None
    threads: int = 0


@dataclass
class GasReport:
    """All that was measured, and by which rules."""

    fork: str
    fixed: int = 0
    verification: int = 0
    batches: list[BatchCost] = field(default_factory=list)
    calls: list[CallCost] = field(default_factory=list)
    proving: list[ProvingCost] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=machine)

    def to_json(self) -> str:
        """Everything, with what follows for each transaction."""
        document = asdict(self)
        for row, batch in zip(document["batches"], self.batches, strict=True):
            row |= {"each": batch.each, "beyond": batch.beyond, "calldata_each": batch.calldata_each}
        return json.dumps(document, indent=1) + "\n"


class _Bench:
    """A rollup in py-evm that takes any batch it is told to."""

    def __init__(self, slots: int) -> None:
        self.chain = EthTesterTransport(keys=(1, 2, 3))
        self.key = SimulatedKey()
        self.draw = Random(7)
        for address in (OPERATOR, USER):
            self.chain.give(address, 1000 * ETHER)
        made = self.chain.deploy(
            verifier_creation_code(self.key.verifying_key, allow_insecure=True), sender=OPERATOR
        )
        assert made.address is not None
        self.costs = [CallCost("deploy a verifier", made.gas_used, 0)]
        self.config = Config(
            verifier=made.address,
            exit_verifier=made.address,
            operator=OPERATOR,
            governor=USER,
            genesis_root=self._element(),
            parameters=BatchParameters(slots, DEPTH, FEE_TOKENS),
            genesis_next_index=ACCOUNTS,
            request_lifetime=LIFETIME,
            upgrade_delay=2 * LIFETIME,
        )
        self.l1 = EvmL1.deploy(self.chain, self.config, sender=OPERATOR)
        assert self.l1.deployment is not None
        self.costs.append(CallCost("deploy the rollup", self.l1.deployment.gas_used, 0))
        self.last = self.l1.header(0)
        self.queue: list[SlotRecord] = []

    def _element(self) -> int:
        return self.draw.randrange(FR_MODULUS)

    def _index(self) -> int:
        return self.draw.randrange(1, ACCOUNTS)

    def _address(self) -> int:
        return self.draw.randrange(1, 1 << 160)

    def cost(self, name: str, call: Callable[[], object]) -> int:
        """Gas of the last transaction of a call, which is noted under this name."""
        call()
        receipt = self.l1.last_receipt
        assert receipt is not None
        (sent,) = self.chain.calldata(receipt.block, self.l1.address)
        if name:
            self.costs.append(CallCost(name, receipt.gas_used, calldata_gas(sent)))
        return receipt.gas_used

    # -- records ---------------------------------------------------------------------------------------

    def records(self, kind: Kind, count: int) -> list[SlotRecord]:
        """So many transactions of a kind; requests are queued first."""
        if kind in (Kind.DEPOSIT, Kind.FORCED_EXIT):
            while len(self.queue) < count:
                self._request(kind)
            records, self.queue = self.queue, []
            return records
        return [self._record(kind) for _ in range(count)]

    def _record(self, kind: Kind) -> SlotRecord:
        amount = self.draw.randrange(1, 1 << 27) * 10 ** self.draw.randrange(10, 16)
        fee = encode_fee(self.draw.randrange(1, 1 << 7) * 10**12)
        code = encode_amount(amount) << TRANSFER_AMOUNT_SHIFT
        first, second = self._index(), self._index()
        if kind == Kind.TRANSFER:
            return SlotRecord(kind, first=first, second=second, fee_code=fee, amount_field=code)
        if kind == Kind.TRANSFER_TO_NEW:
            return SlotRecord(
                kind,
                first=first,
                second=second,
                fee_code=fee,
                amount_field=code,
                eth_address=self._address(),
                ax=self._element(),
                ay=self._element(),
            )
        if kind == Kind.CHANGE_KEY:
            return SlotRecord(kind, first=first, fee_code=fee, ax=self._element(), ay=self._element())
        return SlotRecord(kind, first=first, fee_code=fee, amount_field=amount, eth_address=self._address())

    def _request(self, kind: Kind) -> None:
        if kind == Kind.DEPOSIT:
            amount = self.draw.randrange(1, 1 << 60)
            self.cost("", lambda: self.l1.deposit(0, amount, *KEY, USER, sender=USER))
            record = SlotRecord(
                kind, second=self._index(), amount_field=amount, eth_address=USER, ax=KEY[0], ay=KEY[1]
            )
        else:
            account = self._index()
            self.cost("", lambda: self.l1.request_exit(account, sender=USER))
            amount = self.draw.randrange(1, 1 << 50)  # which is there to be withdrawn
            record = SlotRecord(kind, first=account, amount_field=amount, eth_address=USER)
        self.queue.append(record)

    # -- batches ---------------------------------------------------------------------------------------

    def batch(self, records: Sequence[SlotRecord]) -> tuple[bytes, int, Any]:
        """Data, commitment and a proof of whatever these records say."""
        published = PublicData(
            self.config.parameters,
            self.chain.chain_id,
            self.l1.rollup_id,
            self.last.number + 1,
            self.last.next_index,
            self.last.next_index,
            self.last.root_after,
            self._element(),
            ((0, self._index()), (1, self._index())),
            tuple(records),
        )
        commitment, present = self._element(), published.present()
        z = challenge(self.chain.chain_id, self.l1.address, present, commitment)
        proof = self.key.unsafe_prove((commitment, z, fingerprint(present, z)))
        return encode(published), commitment, proof

    def submit(self, records: Sequence[SlotRecord]) -> tuple[int, int, int]:
        """All at once: gas, gas of the calldata, bytes of data."""
        data, commitment, proof = self.batch(records)

        def call() -> None:
            self.last = self.l1.submit_batch(self.last, data, commitment, proof, sender=OPERATOR)

        gas = self.cost("", call)
        (sent,) = self.chain.calldata(self.chain.block_number, self.l1.address)
        return gas, calldata_gas(sent), len(data)

    def steps(self, records: Sequence[SlotRecord], names: str) -> None:
        """Commit, prove and execute, one after the other."""
        data, commitment, proof = self.batch(records)
        committed: list[BatchHeader] = []
        self.cost(
            f"commit {names}",
            lambda: committed.append(self.l1.commit_batch(self.last, data, commitment, sender=OPERATOR)),
        )
        self.last = committed[0]
        self.cost(f"prove {names}", lambda: self.l1.prove_batch(self.last, proof, sender=OPERATOR))
        paid = b"".join(
            record.eth_address.to_bytes(20, "big") + bytes(4) + record.amount_field.to_bytes(16, "big")
            for record in records
            if record.kind == Kind.WITHDRAW
        )
        self.cost(f"execute {names}", lambda: self.l1.execute_batch(self.last, paid, sender=OPERATOR))


def _verification(bench: _Bench) -> int:
    """What the verifier itself costs, called by a transaction, without that and its calldata."""
    from zkrollup.groth16.solidity import calldata

    inputs = [bench._element() for _ in range(3)]
    call = calldata(bench.key.unsafe_prove(inputs), inputs)
    receipt = bench.chain.transact(bench.config.verifier, call, sender=OPERATOR)
    return receipt.gas_used - BASE_GAS - calldata_gas(call)


def measure_gas(
    sizes: Iterable[int] = (8, 64),
    kinds: Iterable[str] = tuple(BATCH_KINDS),
    *,
    calls: bool = True,
    tell: Callable[[str], None] = lambda text: None,
) -> GasReport:
    """Gas of batches of each kind and size, and of each call of users and operator.

    Kinds other than transfers are measured at sizes up to ``OTHER_SIZES``.

    Raises ``ValueError`` for a kind that is none, :class:`~zkrollup.l1.evm.transport.MissingLibrary`.
    """
    sizes, kinds = sorted(set(sizes)), list(kinds)
    for kind in kinds:
        if kind not in BATCH_KINDS:
            raise ValueError(f"kind {kind!r}: expected one of {', '.join(BATCH_KINDS)}")
    bench = _Bench(max([*sizes, 64]))
    report = GasReport(fork_of(bench.chain))
    tell("an empty batch")
    bench.submit([])  # the first one fills storage that later ones find
    report.fixed, fixed_calldata, fixed_bytes = bench.submit([])
    report.verification = _verification(bench)
    for kind in kinds:
        for count in sizes:
            if count > OTHER_SIZES and BATCH_KINDS[kind] != Kind.TRANSFER:
                continue
            tell(f"{count} × {kind}")
            gas, spent, size = bench.submit(bench.records(BATCH_KINDS[kind], count))
            each = (size - fixed_bytes) / count
            report.batches.append(BatchCost(kind, count, each, gas, spent, report.fixed, fixed_calldata))
    if calls:
        tell("calls")
        _measure_calls(bench)
    report.calls = bench.costs
    return report


def _measure_calls(bench: _Bench) -> None:
    l1 = bench.l1
    deposit = Deposit(0, ETHER, *KEY, USER)
    bench.steps(bench.records(Kind.TRANSFER, 64), "a batch of 64 transfers")
    bench.cost("deposit ETH", lambda: l1.deposit(0, ETHER, *KEY, USER, sender=USER))
    exits_from = bench.draw.randrange(1, ACCOUNTS)
    bench.cost("request an exit", lambda: l1.request_exit(exits_from, sender=USER))
    owed = replace(bench.records(Kind.WITHDRAW, 1)[0], eth_address=USER, amount_field=ETHER // 2)
    first = SlotRecord(
        Kind.DEPOSIT,
        second=bench.draw.randrange(1, ACCOUNTS),
        amount_field=ETHER,
        eth_address=USER,
        ax=KEY[0],
        ay=KEY[1],
    )
    forced = SlotRecord(Kind.FORCED_EXIT, first=exits_from, amount_field=1, eth_address=USER)
    bench.submit([first, forced, owed])
    bench.cost("withdraw ETH", lambda: l1.withdraw(USER, 0, sender=USER))
    number = l1.num_requests
    l1.deposit(0, ETHER, *KEY, USER, sender=USER)
    tail = l1.request(number).deadline + 1 - l1.block_number
    bench.chain.mine(tail)
    bench.cost("freeze", lambda: l1.freeze(sender=USER))
    bench.cost("cancel a deposit", lambda: l1.cancel_deposit(number, deposit, sender=USER))
    index, balance = bench.draw.randrange(1, ACCOUNTS), ETHER
    proof = bench.key.unsafe_prove((bench.last.root_after, index << 192 | USER, balance))
    bench.cost("exit", lambda: l1.exit(bench.last, index, 0, balance, USER, proof, sender=USER))


def measure_proving(
    constraints: Iterable[int], prove: Iterable[int], *, threads: int, runs: int = 3
) -> list[ProvingCost]:
    """Rows of batches of so many slots; for those of ``prove``, which need keys, also the time of a proof."""
    from zkrollup.bench.run import measure
    from zkrollup.bench.subjects import Variant, batch_circuit_with_key, prove_cases
    from zkrollup.circuits.batch import batch_circuit
    from zkrollup.engine import get_engine

    timed = sorted(set(prove))
    found = []
    for slots in sorted({*constraints, *timed}):
        seconds = None
        if slots in timed:
            variant = Variant(get_engine().cpu, threads)
            cases = prove_cases([batch_circuit_with_key(slots, DEPTH)], [variant])
            seconds = measure("prove", cases, runs=runs).rows[0].seconds
        rows = batch_circuit(BatchParameters(slots, DEPTH, FEE_TOKENS)).r1cs.num_constraints
        found.append(ProvingCost(slots, rows, seconds, threads if seconds is not None else 0))
    return found


# -- tables ----------------------------------------------------------------------------------------------

PUBLISHED = (
    ("Hermez", "14", "1,040", "2,048"),
    ("Loopring", "22", "2,965", ""),
    ("zkSync Lite", "20", "", ""),
)
"""Bytes and gas of a transfer, and the size of the batch, as their makers published them."""

BATCH_HEADER = (
    "kind",
    "in a batch",
    "bytes each",
    "gas",
    "gas each",
    "beyond the fixed part",
    "of it calldata",
)
CALL_HEADER = ("call", "gas", "of it calldata")
PROVING_HEADER = ("slots", "constraints", "a slot", "seconds", "threads", "seconds a slot")
COMPARISON_HEADER = ("rollup", "bytes a transfer", "gas a transfer", "in a batch")


def batch_rows(report: GasReport) -> list[tuple[str, ...]]:
    """A line for each batch."""
    return [
        (
            row.kind,
            f"{row.count:,}",
            f"{row.bytes_each:g}",
            f"{row.gas:,}",
            f"{row.each:,.0f}",
            f"{row.beyond:,.0f}",
            f"{row.calldata_each:,.0f}",
        )
        for row in report.batches
    ]


def call_rows(report: GasReport) -> list[tuple[str, ...]]:
    """A line for each call; of a deployment the calldata is the code, which is not told apart."""
    return [
        (call.name, f"{call.gas:,}", f"{call.calldata:,}" if call.calldata else "") for call in report.calls
    ]


def proving_rows(report: GasReport) -> list[tuple[str, ...]]:
    """A line for each size."""
    return [
        (
            f"{row.slots:,}",
            f"{row.constraints:,}",
            f"{row.constraints / row.slots:,.0f}",
            "" if row.seconds is None else f"{row.seconds:.3g}",
            str(row.threads or ""),
            "" if row.seconds is None else f"{row.seconds / row.slots:.3g}",
        )
        for row in report.proving
    ]


def comparison_rows(report: GasReport) -> list[tuple[str, ...]]:
    """Our transfers in the largest batch that was measured, beside what others published."""
    ours = max((row for row in report.batches if row.kind == "transfer"), key=lambda row: row.count)
    mine = ("zkrollup", f"{ours.bytes_each:g}", f"{ours.each:,.0f}", f"{ours.count:,}")
    return [mine, *PUBLISHED]


def fixed_line(report: GasReport) -> str:
    """The fixed part in words."""
    return (
        f"An empty batch costs {report.fixed:,} gas, all at once, by the rules of {report.fork}: "
        f"{BASE_GAS:,} for the transaction, {report.verification:,} for the verification of its proof, the "
        "rest for the header, its calldata, storage and events. Slots that are not used cost nothing."
    )


def machine_line(report: GasReport) -> str:
    """Where proofs were timed."""
    facts = report.machine
    day = facts["date"][:10]
    return f"Timed on {facts['processor']}, {facts['cores']} cores, load {facts['load']}, on {day}."


BEGIN, END = "<!-- costs:begin -->", "<!-- costs:end -->"


def costs_page(page: str, report: GasReport) -> str:
    """The page with its tables measured anew; raises ``ValueError`` where it has no place for them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} and {END}, between which the tables go")
    parts = [
        f"## Batches\n\n{fixed_line(report)}",
        _table(BATCH_HEADER, batch_rows(report)),
        "## Calls",
        _table(CALL_HEADER, call_rows(report)),
        "## Proving",
        _table(PROVING_HEADER, proving_rows(report)),
        machine_line(report),
        "## Beside others",
        _table(COMPARISON_HEADER, comparison_rows(report)),
    ]
    return before + begin + "\n\n" + "\n\n".join(parts) + "\n\n" + end + after


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
