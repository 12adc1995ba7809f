"""The mempool's order: who waits, who is next, who has to go.

This module must not know of files, states or clocks: it is told nonces and times, and answers plans. A plan
changes nothing until it is applied, so that the file can be written in between.

One *unit* is a transaction, or a group of them that goes whole. An account's units stand by nonce; across
accounts the unit that pays most for each slot goes first, the older one of two that pay the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from zkrollup.node.errors import AccountQueueFull, PoolFull, ReplacementUnderpriced
from zkrollup.state.transactions import SignedTransaction

__all__ = ["Entry", "Limits", "Mempool", "Plan", "Unit"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed transaction that waits: its id (the message that was signed) and when it came."""

    id: int
    transaction: SignedTransaction
    sequence: int
    received: float

    @property
    def sender(self) -> int:
        """The account that pays."""
        return self.transaction.sender

    @property
    def nonce(self) -> int:
        """The nonce that it uses."""
        return self.transaction.nonce


@dataclass(frozen=True, slots=True)
class Unit:
    """What goes whole, in order; ``price`` is the fee for each slot, weighted so that tokens compare."""

    entries: tuple[Entry, ...]
    price: Fraction

    @property
    def sequence(self) -> int:
        """When its first transaction came, as a place in the order of arrival."""
        return self.entries[0].sequence

    @property
    def senders(self) -> frozenset[int]:
        """The accounts that pay."""
        return frozenset(entry.sender for entry in self.entries)

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many wait, in all and of one account, and by how much a replacement must pay more."""

    transactions: int = 10_000
    per_account: int = 64
    bump_percent: int = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What taking a unit in would do: it comes, others go because it takes their nonce, or for room."""

    unit: Unit
    replaced: tuple[Unit, ...] = ()
    evicted: tuple[Unit, ...] = ()


@dataclass
class Mempool:
    """The units that wait."""

    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._queues: dict[int, dict[int, Unit]] = {}
        self._ids: dict[int, Unit] = {}

    def __len__(self) -> int:
        """The number of transactions that wait."""
        return len(self._ids)

    def __contains__(self, transaction_id: int) -> bool:
        return transaction_id in self._ids

    def units(self) -> Iterator[Unit]:
        """Every unit once, in the order of arrival."""
        yield from sorted({id(unit): unit for unit in self._ids.values()}.values(), key=lambda u: u.sequence)

    def waiting(self, account: int) -> list[int]:
        """The nonces that wait of one account, ascending."""
        return sorted(self._queues.get(account, ()))

    def entry(self, account: int, nonce: int) -> Entry | None:
        """What waits of an account with a nonce."""
        unit = self._queues.get(account, {}).get(nonce)
        return (
            None if unit is None else next(e for e in unit.entries if (e.sender, e.nonce) == (account, nonce))
        )

    # -- taking in -------------------------------------------------------------------------------

    def plan(self, unit: Unit) -> Plan:
        """What taking ``unit`` in would do.

        Raises :class:`ReplacementUnderpriced`, :class:`AccountQueueFull`, :class:`PoolFull`.
        """
        replaced = self._replaced(unit)
        self._require_room_of_accounts(unit, replaced)
        excess = len(self) - sum(map(len, replaced)) + len(unit) - self.limits.transactions
        evicted: list[Unit] = []
        if excess > 0:
            for victim in self._by_worth(without=[*replaced]):
                if excess <= 0:
                    break
                if victim.price >= unit.price or victim.senders & unit.senders:
                    raise PoolFull(self.limits.transactions, _decimal(victim.price), _decimal(unit.price))
                evicted.append(victim)
                excess -= len(victim)
            if excess > 0:
                raise PoolFull(self.limits.transactions, _decimal(unit.price), _decimal(unit.price))
        return Plan(unit, tuple(replaced), tuple(evicted))

    def apply(self, plan: Plan) -> None:
        """Make a plan so."""
        for unit in (*plan.replaced, *plan.evicted):
            self.remove(unit)
        self.restore(plan.unit)

    def restore(self, unit: Unit) -> None:
        """Put a unit in without asking whether there is room: it was acknowledged already."""
        for entry in unit.entries:
            self._queues.setdefault(entry.sender, {})[entry.nonce] = unit
            self._ids[entry.id] = unit

    def remove(self, unit: Unit) -> None:
        """Take a unit out, if it is in."""
        for entry in unit.entries:
            if self._ids.pop(entry.id, None) is None:
                continue
            queue = self._queues[entry.sender]
            del queue[entry.nonce]
            if not queue:
                del self._queues[entry.sender]

    def unit(self, transaction_id: int) -> Unit | None:
        """The unit that this transaction waits in."""
        return self._ids.get(transaction_id)

    def _replaced(self, unit: Unit) -> list[Unit]:
        replaced: dict[int, Unit] = {}
        for entry in unit.entries:
            other = self._queues.get(entry.sender, {}).get(entry.nonce)
            if other is None:
                continue
            needed = other.price * (100 + self.limits.bump_percent) / 100
            if unit.price < needed or unit.price == other.price:
                raise ReplacementUnderpriced(
                    entry.sender, entry.nonce, _decimal(unit.price), _decimal(needed or Fraction(1))
                )
            replaced[id(other)] = other
        return list(replaced.values())

    def _require_room_of_accounts(self, unit: Unit, replaced: Iterable[Unit]) -> None:
        leaving = [entry.sender for other in replaced for entry in other.entries]
        coming = [entry.sender for entry in unit.entries]
        for account in unit.senders:
            waits = len(self._queues.get(account, ())) - leaving.count(account)
            if waits + coming.count(account) > self.limits.per_account:
                raise AccountQueueFull(account, self.limits.per_account)

    def _by_worth(self, without: Iterable[Unit]) -> Iterator[Unit]:
        """The units that could go without leaving a gap behind: each account's last, the cheapest first."""
        gone = {id(unit) for unit in without}
        remaining = {account: sorted(queue) for account, queue in self._queues.items()}

        def last(account: int) -> Unit | None:
            nonces = remaining[account]
            while nonces and id(self._queues[account][nonces[-1]]) in gone:
                nonces.pop()
            return self._queues[account][nonces[-1]] if nonces else None

        heap: list[tuple[Fraction, int, int, Unit]] = []

        def push(account: int) -> None:
            unit = last(account)
            if unit is not None:
                heapq.heappush(heap, (unit.price, -unit.sequence, account, unit))

        for account in remaining:
            push(account)
        while heap:
            _, _, _, unit = heapq.heappop(heap)
            if id(unit) in gone:
                continue
            gone.add(id(unit))
            yield unit
            for account in unit.senders:
                push(account)

    # -- giving out ------------------------------------------------------------------------------

    def select(
        self,
        slots: int,
        nonce_of: Callable[[int], int],
        accepts: Callable[[Unit], bool] = lambda unit: True,
        *,
        spare: int = 0,
    ) -> list[Unit]:
        """The units to apply next, in order, of at most ``slots`` transactions together.

        ``nonce_of`` is the state's nonce of an account; what ``accepts`` refuses waits, and so does what
        comes after it in its accounts' queues. A group for which there is no room left waits like that,
        and smaller units take the room. When all slots are taken, units of at most ``spare`` more
        transactions follow, for those that may fail.
        """
        nonces: dict[int, int] = {}
        heap: list[tuple[Fraction, int, Unit]] = []
        seen: set[int] = set()

        def consider(account: int) -> None:
            if account not in nonces:
                nonces[account] = nonce_of(account)
            unit = self._queues.get(account, {}).get(nonces[account])
            if unit is None or id(unit) in seen or not accepts(unit):
                return
            if self._is_next(unit, nonces, nonce_of):
                seen.add(id(unit))
                heapq.heappush(heap, (-unit.price, unit.sequence, unit))

        for account in self._queues:
            consider(account)
        chosen: list[Unit] = []
        while heap and slots + spare:
            _, _, unit = heapq.heappop(heap)
            if len(unit) <= slots:
                slots -= len(unit)
            elif slots == 0 and len(unit) <= spare:
                spare -= len(unit)
            else:
                continue
            chosen.append(unit)
            for entry in unit.entries:
                nonces[entry.sender] = entry.nonce + 1
            for account in unit.senders:
                consider(account)
        return chosen

    @staticmethod
    def _is_next(unit: Unit, nonces: Mapping[int, int], nonce_of: Callable[[int], int]) -> bool:
        """Whether each member has its account's next nonce when its turn comes."""
        used: dict[int, int] = {}
        for entry in unit.entries:
            expected = used.get(entry.sender)
            if expected is None:
                expected = nonces.get(entry.sender)
            if expected is None:
                expected = nonce_of(entry.sender)
            if entry.nonce != expected:
                return False
            used[entry.sender] = entry.nonce + 1
        return True

    def outdated(self, nonce_of: Callable[[int], int]) -> list[Unit]:
        """The units that can never be applied because one of their nonces is used."""
        return [
            unit
            for unit in self.units()
            if any(entry.nonce < nonce_of(entry.sender) for entry in unit.entries)
        ]

    def stranded(self, before: float, nonce_of: Callable[[int], int]) -> list[tuple[Unit, Entry]]:
        """The units that came before that time and wait behind a gap, with the entry that it is before."""
        found = []
        for account, queue in self._queues.items():
            expected = nonce_of(account)
            for nonce in sorted(queue):
                unit = queue[nonce]
                if nonce == expected:
                    expected += 1
                elif unit.entries[0].received < before:
                    found.append((unit, next(e for e in unit.entries if e.sender == account)))
        return list({id(unit): (unit, entry) for unit, entry in found}.values())


def _decimal(price: Fraction) -> str:
    """A price for people: an integer where it is one."""
    return str(price.numerator) if price.denominator == 1 else f"{float(price):.6g}"
