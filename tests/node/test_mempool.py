"""The mempool's order, limits, replacement and eviction."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.node.errors import AccountQueueFull, PoolFull, ReplacementUnderpriced
from zkrollup.node.mempool import Entry, Limits, Mempool, Unit
from zkrollup.state import Transfer


class Pool:
    """A mempool, and a counter that tells its entries apart."""

    def __init__(self, **limits: int) -> None:
        self.pool = Mempool(Limits(**limits))
        self.count = 0

    def unit(self, *members: tuple[int, int], fee: int = 0, received: float = 0.0) -> Unit:
        """A unit of (account, nonce) that pays ``fee`` a slot."""
        entries = []
        for account, nonce in members:
            self.count += 1
            transfer = Transfer(account, 1, 0, 5, fee, nonce)
            entries.append(Entry(self.count, transfer, self.count, received))
        return Unit(tuple(entries), Fraction(fee))

    def put(self, *members: tuple[int, int], fee: int = 0, received: float = 0.0) -> Unit:
        unit = self.unit(*members, fee=fee, received=received)
        self.pool.apply(self.pool.plan(unit))
        return unit

    def order(self, slots: int = 99, nonces: dict[int, int] | None = None) -> list[list[tuple[int, int]]]:
        """What would be applied, as (account, nonce)."""
        found = self.pool.select(slots, lambda account: (nonces or {}).get(account, 0))
        return [[(entry.sender, entry.nonce) for entry in unit.entries] for unit in found]


def test_select__takes_the_highest_fee_first_and_the_older_of_two_equals() -> None:
    pool = Pool()
    pool.put((1, 0), fee=5)
    pool.put((2, 0), fee=9)
    pool.put((3, 0), fee=5)
    assert pool.order() == [[(2, 0)], [(1, 0)], [(3, 0)]]


def test_select__keeps_the_nonces_of_an_account_in_order_whatever_they_pay() -> None:
    pool = Pool()
    pool.put((1, 1), fee=100)
    pool.put((1, 0), fee=1)
    pool.put((2, 0), fee=50)
    assert pool.order() == [[(2, 0)], [(1, 0)], [(1, 1)]]


def test_select__holds_what_stands_behind_a_gap() -> None:
    pool = Pool()
    pool.put((1, 0))
    pool.put((1, 2))
    assert pool.order() == [[(1, 0)]]
    assert pool.order(nonces={1: 2}) == [[(1, 2)]]
    pool.put((1, 1))
    assert pool.order() == [[(1, 0)], [(1, 1)], [(1, 2)]]


def test_select__takes_groups_whole_and_when_each_member_is_next() -> None:
    pool = Pool()
    pool.put((1, 0), (2, 1), fee=9)
    assert pool.order() == []
    pool.put((2, 0), fee=1)
    pool.put((3, 0), fee=5)
    assert pool.order() == [[(3, 0)], [(2, 0)], [(1, 0), (2, 1)]]
    assert pool.order(slots=3) == [[(3, 0)], [(2, 0)]]  # the third slot does not hold the group


def test_select__goes_on_with_smaller_units_when_a_group_does_not_fit() -> None:
    pool = Pool()
    pool.put((1, 0), (2, 0), fee=9)
    pool.put((3, 0), fee=5)
    assert pool.order(slots=1) == [[(3, 0)]]


def test_select__takes_a_group_with_several_nonces_of_one_account() -> None:
    pool = Pool()
    pool.put((1, 1), (1, 2))
    pool.put((1, 0))
    assert pool.order() == [[(1, 0)], [(1, 1), (1, 2)]]


def test_plan__replaces_for_a_tenth_more_and_not_for_less() -> None:
    pool = Pool()
    before = pool.put((1, 0), fee=100)
    with pytest.raises(ReplacementUnderpriced, match="pay 110 or more") as caught:
        pool.put((1, 0), fee=109)
    assert (caught.value.account, caught.value.nonce) == (1, 0)
    assert before.entries[0].id in pool.pool
    pool.put((1, 0), fee=110)
    assert before.entries[0].id not in pool.pool
    assert len(pool.pool) == 1


def test_plan__replaces_nothing_for_the_same_fee_of_zero() -> None:
    pool = Pool()
    pool.put((1, 0))
    with pytest.raises(ReplacementUnderpriced, match="pay 1 or more"):
        pool.put((1, 0))
    pool.put((1, 0), fee=1)


def test_plan__replaces_a_whole_group_by_one_of_its_nonces() -> None:
    pool = Pool()
    pool.put((1, 0), (2, 0), fee=10)
    pool.put((2, 0), fee=11)
    assert pool.order() == [[(2, 0)]]


def test_plan__evicts_the_cheapest_last_of_a_queue_when_full() -> None:
    pool = Pool(transactions=3)
    pool.put((1, 0), fee=1)
    pool.put((1, 1), fee=50)
    pool.put((2, 0), fee=7)
    unit = pool.unit((3, 0), fee=8)
    plan = pool.pool.plan(unit)
    assert [[e.sender for e in victim.entries] for victim in plan.evicted] == [[2]]  # not 1: 1's last pays 50
    assert len(pool.pool) == 3
    pool.pool.apply(plan)
    assert pool.order() == [[(3, 0)], [(1, 0)], [(1, 1)]]


def test_plan__refuses_what_pays_no_more_than_the_cheapest_when_full() -> None:
    pool = Pool(transactions=2)
    pool.put((1, 0), fee=5)
    pool.put((2, 0), fee=6)
    with pytest.raises(PoolFull, match="2 transactions wait, the least of them pays 5 a slot and this one 5"):
        pool.put((3, 0), fee=5)
    with pytest.raises(PoolFull):
        pool.put((3, 0), (4, 0), (5, 0), fee=99)  # more than the pool holds at all
    assert len(pool.pool) == 2


def test_plan__never_evicts_the_queue_that_the_newcomer_continues() -> None:
    pool = Pool(transactions=2)
    pool.put((1, 0), fee=1)
    pool.put((1, 1), fee=1)
    with pytest.raises(PoolFull):
        pool.put((1, 2), fee=50)


def test_plan__limits_what_one_account_has_waiting() -> None:
    pool = Pool(per_account=2)
    pool.put((1, 0))
    pool.put((1, 1))
    with pytest.raises(AccountQueueFull, match="account 1 has 2 transactions waiting"):
        pool.put((1, 2))
    pool.put((1, 1), fee=1)  # a replacement needs no room
    pool.put((2, 0))


def test_stranded__finds_what_waits_behind_a_gap_for_too_long() -> None:
    pool = Pool()
    pool.put((1, 0), received=1.0)
    late = pool.put((1, 2), received=1.0)
    pool.put((1, 3), received=9.0)
    found = pool.pool.stranded(5.0, lambda account: 0)
    assert [unit for unit, _ in found] == [late]
    assert not pool.pool.stranded(0.5, lambda account: 0)


actions = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), min_size=1, max_size=3, unique=True),
        st.integers(0, 20),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(actions, st.integers(1, 8))
def test_pool__holds_its_limits_and_gives_out_applicable_orders(sequence, slots) -> None:
    pool = Pool(transactions=8, per_account=4)
    for members, fee in sequence:
        before = sorted(id(unit) for unit in pool.pool.units())
        try:
            pool.put(*sorted(members), fee=fee)
        except (AccountQueueFull, PoolFull, ReplacementUnderpriced):
            assert sorted(id(unit) for unit in pool.pool.units()) == before
        assert len(pool.pool) <= 8
        assert all(len(pool.pool.waiting(account)) <= 4 for account in range(1, 5))
        assert sum(len(unit) for unit in pool.pool.units()) == len(pool.pool)
    nonces: dict[int, int] = {}
    order = pool.order(slots)
    for unit in order:
        for account, nonce in unit:
            assert nonces.get(account, 0) == nonce
            nonces[account] = nonce + 1
    assert sum(map(len, order)) <= slots
