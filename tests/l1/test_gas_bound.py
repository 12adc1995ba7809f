"""That a batch takes no more gas than the node reckons with when it builds one."""

from __future__ import annotations

import pytest

pytest.importorskip("eth_tester", reason="needs the extra zkrollup[l1-exact]")

from zkrollup.bench.gas import FEE_TOKENS, KEY, OPERATOR, USER, _Bench
from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.reading import pack_payments
from zkrollup.node.gas import SLOT_GAS, bound, credits_at_once, execution_bound
from zkrollup.state.public_data import SlotRecord
from zkrollup.state.trace import Kind

KEYS = range(1, 9)


class Bench(_Bench):
    """With more senders, each of whom asks once."""

    def __init__(self) -> None:
        super().__init__(8)
        self.asked: list[int] = []

    def dearest(self, kind: Kind, count: int) -> list[SlotRecord]:
        """Transactions of a kind as they cost most: each pays somebody new, a deposit back."""
        if kind == Kind.DEPOSIT:
            owners = [self._address() for _ in range(count)]
            for owner in owners:
                self.cost("", lambda owner=owner: self.l1.deposit(0, 10**17 + 1, *KEY, owner, sender=USER))
            return [
                SlotRecord(
                    kind, amount_field=10**17 + 1, eth_address=owner, ax=KEY[0], ay=KEY[1], nullified=True
                )
                for owner in owners
            ]
        if kind == Kind.FORCED_EXIT:
            owners = list(self.chain._senders.addresses)[:count]
            accounts = [self._index() for _ in owners]
            for owner, account in zip(owners, accounts, strict=True):
                self.cost("", lambda o=owner, a=account: self.l1.request_exit(a, sender=o))
            return [
                SlotRecord(kind, first=account, amount_field=(1 << 50) - 1, eth_address=owner)
                for owner, account in zip(owners, accounts, strict=True)
            ]
        return self.records(kind, count)


@pytest.fixture(scope="module")
def bench() -> Bench:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zkrollup.bench.gas.EthTesterTransport", lambda keys: EthTesterTransport(keys=KEYS))
        made = Bench()
    made.submit([])  # the first batch writes words that are zero
    return made


@pytest.mark.parametrize(
    "kind",
    [
        Kind.WITHDRAW,
        Kind.DEPOSIT,
        *(
            pytest.param(kind, marks=pytest.mark.slow)
            for kind in SLOT_GAS
            if kind not in (Kind.WITHDRAW, Kind.DEPOSIT)
        ),
    ],
    ids=lambda kind: kind.name.lower(),
)
def test_bound__holds_for_batches_of_each_kind_and_is_no_more_than_a_fifth_above_it(
    bench: Bench, kind: Kind
) -> None:
    count = 6
    empty, _, _ = bench.submit([])
    found, _, _ = bench.submit(bench.dearest(kind, count))
    assert found <= bound([kind] * count, FEE_TOKENS)
    assert empty <= bound([], FEE_TOKENS) <= 1.2 * empty
    each = (found - empty) / count
    assert each <= SLOT_GAS[kind] <= max(1.2 * each, each + 250)


def test_bound__holds_for_executions_and_for_credits_in_parts(bench: Bench) -> None:
    records = bench.dearest(Kind.WITHDRAW, 6)
    for apart in (False, True):
        if apart:
            records = bench.dearest(Kind.WITHDRAW, 6)
        data, commitment, proof = bench.batch(records)
        l1 = bench.l1
        bench.last = l1.commit_batch(bench.last, data, commitment, sender=OPERATOR)
        l1.prove_batch(bench.last, proof, sender=OPERATOR)
        owed = pack_payments([(record.eth_address, 0, record.amount_field) for record in records])
        if not apart:
            l1.execute_batch(bench.last, owed, sender=OPERATOR)
            assert 0.8 * execution_bound(6) < used(bench) <= execution_bound(6)
            continue
        l1.execute_without_credits(bench.last, sender=OPERATOR)
        assert used(bench) < 70_000  # however many there are
        l1.credit_withdrawals(bench.last.number, owed, 4, sender=OPERATOR)
        assert credits_at_once(6, used(bench)) <= 4  # four are not taken to cost less than they do
        assert used(bench) <= execution_bound(6)


def used(bench: Bench) -> int:
    """Gas of the last call."""
    receipt = bench.l1.last_receipt
    assert receipt is not None
    return receipt.gas_used
