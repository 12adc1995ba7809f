"""A slot circuit: valid slots of every kind, and slots forged consistently but for one rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from zkrollup.bn254.fields import sqrt
from zkrollup.circuits.batch import BatchCircuit, batch_circuit
from zkrollup.crypto.babyjubjub import ORDER
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.poseidon import poseidon
from zkrollup.crypto.tables import MODULUS, A
from zkrollup.cs import Template
from zkrollup.engine.interface import Engine
from zkrollup.operator import engine_hasher
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    BatchTrace,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    StateTree,
    Transaction,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    apply_batch,
    sign_group,
    sign_transaction,
)
from zkrollup.state.accounts import EMPTY_ACCOUNT, Change
from zkrollup.state.amounts import encode_amount, encode_fee
from zkrollup.state.batch import _finish
from zkrollup.state.transactions import FOREVER
from zkrollup.state.transition import Ledger, Transition, transition
from zkrollup.testing import instance_values

CHAIN, ROLLUP = 31337, 0xC0FFEE
OWNERS = [PrivateKey(bytes([i + 1]) * 32) for i in range(5)]
T4 = sqrt(pow(A, -1, MODULUS), MODULUS)
"""(T4, 0) is on the curve."""


def account(owner: int, token: int = 0, balance: int = 1000) -> Account:
    return Account(token, 0, balance, *OWNERS[owner].public_key, 0xE0 + owner)


def signed(transaction: Any, owner: int) -> Any:
    return sign_transaction(transaction, OWNERS[owner], CHAIN, ROLLUP)


def agreed(transaction: Any) -> dict[str, Any]:
    """What a decision takes over from the transaction that was signed."""
    return {
        "signature": transaction.signature,
        "valid_until": transaction.valid_until,
        "memo": transaction.memo,
        "group": transaction.group,
        "core": transaction.core(CHAIN, ROLLUP),
    }


def counted_from(trace: BatchTrace, index: int) -> BatchTrace:
    """The batch as if its first new account were to have this index: the header says so, no slot does."""
    by = index - trace.next_before
    first, second, *rest = trace.header
    header = (first, second + (by << 40) + by, *rest)
    return replace(trace, next_before=index, next_after=trace.next_after + by, header=header)


class Unchecked(Account):
    """An account whose numbers nobody ranged."""

    def __post_init__(self) -> None:
        """Checks nothing, unlike the account's own."""


def raised(before: Account, amount: int) -> Account:
    parts = (before.token, before.nonce, before.balance + amount, before.ax, before.ay, before.eth_address)
    return Unchecked(*parts)


@dataclass
class SlotWorkshop:
    """Batches over one small state (1, 2 and 3 of token 0, 4 of token 7) and the slots that they give."""

    engine: Engine
    depth: int
    circuits: dict[int, BatchCircuit]

    @property
    def template(self) -> Template:
        return self.circuit(1).templates["slots"]

    def circuit(self, slots: int) -> BatchCircuit:
        if slots not in self.circuits:
            self.circuits[slots] = batch_circuit(BatchParameters(slots, self.depth, 2))
        return self.circuits[slots]

    def state(self) -> StateTree:
        tree = StateTree.in_memory(self.depth, engine_hasher(self.engine))
        tree.seed([account(0), account(1), account(2), account(3, token=7)])
        return tree

    def context(self, slots: int) -> BatchContext:
        return BatchContext(BatchParameters(slots, self.depth, 2), CHAIN, ROLLUP, 1, ((0, 3), (7, 4)))

    def slots(self, trace: Any, change: dict[str, Any] | None = None) -> list[list[int]]:
        """The values of all slots of a batch; ``change``: other inputs for the first."""
        circuit = self.circuit(len(trace.slots))
        trace = counted_from(trace, (change or {}).get("next_index", trace.next_before))
        public, parts = circuit.assignment(
            trace, z=0x1234567, hasher=engine_hasher(self.engine), modulus=MODULUS
        )
        parts["slots"][0].update(change or {})
        witness = circuit.r1cs.witness(self.engine, public=public, parts=parts)
        values = [instance_values(circuit.r1cs, "slots", i, witness) for i in range(len(trace.slots))]
        if change:  # of the header too, whose fingerprint the first slot goes on from
            given = self.template.num_links + self.template.num_inputs
            links, inputs = values[0][: self.template.num_links], values[0][self.template.num_links : given]
            values[0] = self.template.solve(links, inputs)
        return values

    def honest(
        self, transactions: Sequence[Transaction], slots: int, state: StateTree | None = None
    ) -> list[list[int]]:
        return self.slots(
            apply_batch(self.state() if state is None else state, transactions, self.context(slots))
        )

    def full(self) -> StateTree:
        """A state without a free index, as far as the slots can tell."""
        tree = self.state()
        last = Change(tree.capacity - 1, EMPTY_ACCOUNT, account(4))
        tree.commit(tree.prepare([last]))
        return tree

    def forged(
        self, decision: Transition, change: dict[str, Any] | None = None, before: Change | None = None
    ) -> list[int]:
        """The first slot of a batch of one decision that nobody checked: the hashes are right.

        ``before``: what happened to the state earlier.
        """
        state, context = self.state(), self.context(1)
        if before is not None:
            state.commit(state.prepare([before]))
        ledger = Ledger(state)
        ledger.apply(decision.first, decision.second)
        return self.slots(_finish(state, ledger, [decision], context), change)[0]

    def decided(self, transaction: Any) -> Transition:
        """What the rules make of a transaction of account 1."""
        return transition(self.state(), signed(transaction, 0), self.context(1))

    def sign(
        self,
        kind: int,
        sender: int,
        token: int,
        nonce: int,
        *,
        recipient: int = 0,
        amount: int = 0,
        key: tuple[int, int] = (0, 0),
    ) -> Any:
        """The signature of account 1's owner under a message that no wallet makes."""
        packed = kind + (sender << 4) + (recipient << 36) + (token << 68) + (nonce << 100) + (FOREVER << 152)
        core = poseidon([poseidon([CHAIN, ROLLUP]), packed % MODULUS, amount, 0, *key, 0])
        return OWNERS[0].sign(poseidon([core, 0]))

    # -- what is put through it ------------------------------------------------------------------------
    def valid(self) -> list[list[int]]:
        """Slots of every kind, at edges of amounts and fees."""
        fresh = PrivateKey(b"\x63" * 32).public_key
        asked = [
            signed(Transfer(1, 2, 0, 100, 5, 0), 0),
            signed(Transfer(2, 2, 0, 1, 0, 0), 1),
            signed(Transfer(1, 3, 0, 0, 120, 1), 0),
            signed(Withdraw(2, 0xE9, 0, 50, 3, 1), 1),
            signed(Withdraw(4, 0xE9, 7, 1000, 0, 0), 3),
            Deposit(0, 77, *fresh, 0xEE),
            Deposit(0, 2**127, *OWNERS[0].public_key, 0xE0),
            Deposit(0, 2**128 - 1, *OWNERS[0].public_key, 0xE0),
            signed(Transfer(1, 5, 0, 134217727 * 10**25, 127 * 10**30, 2), 0),
            signed(Transfer(1, 2, 0, 89478485 * 10**10, 85 * 10**21, 3), 0),
            signed(Withdraw(1, 0xE9, 0, 2**100 + 12345, 42 * 10**10, 4), 0),
            ForcedExit(3, 0xE2),
            ForcedExit(2, 0xBAD),
            ForcedExit(15, 0xBAD),
        ]
        newer = [
            signed(ChangeKey(1, *fresh, 0, 85, 0, valid_until=1, memo=MODULUS - 1), 0),
            signed(TransferToNew(2, *fresh, 2**160 - 1, 0, 700, 3, 0, memo=1), 1),
            signed(TransferToAddress(2, 0xE2, 0, 7, 3, 1), 1),
            *sign_group(
                [
                    Transfer(3, 2, 0, 10, 1, 0, valid_until=77),
                    Withdraw(4, 0xE9, 7, 20, 2, 0),
                    ChangeKey(3, *OWNERS[0].public_key, 0, 0, 1),
                ],
                [OWNERS[2], OWNERS[3], OWNERS[2]],
                CHAIN,
                ROLLUP,
            ),
            *sign_group([TransferToAddress(2, 0xE1, 0, 0, 0, 2)], [OWNERS[1]], CHAIN, ROLLUP),
        ]
        refused = [Deposit(0, 77, *fresh, 0xEE), Deposit(0, 3, *OWNERS[0].public_key, 0xE0)]
        return [
            *self.honest(asked, 16),
            *self.honest(newer, 7),
            *self.honest(refused, 2, self.full()),
        ]

    def invalid(self) -> dict[str, list[int]]:
        """Slots that break one rule each, all the rest forged to fit."""
        one, two = account(0), account(1)
        three = account(2)
        send = signed(Transfer(1, 2, 0, 100, 0, 0), 0)

        full, dusty = replace(two, balance=2**128 - 100), Account(0, 0, 1, 0, 0, 0)
        many = (signed(Transfer(1, 2, 0, amount, 0, 0), 0) for amount in range(1, 1000))
        small = next(t for t in many if t.signature.s + ORDER < 1 << ORDER.bit_length())

        def move(
            amount: int = 100,
            *,
            asked: Any = send,
            fee: int = 0,
            to: int = 2,
            before: Account = two,
            **changes: Any,
        ) -> Transition:
            paid = replace(one, balance=one.balance - amount - fee, nonce=1)
            return replace(
                Transition(
                    Kind.TRANSFER,
                    first=Change(1, one, paid),
                    second=Change(to, before, raised(before, amount)),
                    amount=amount,
                    amount_code=encode_amount(amount),
                    fee=fee,
                    fee_code=encode_fee(fee),
                    token=0,
                    **agreed(asked),
                ),
                **changes,
            )

        exit_three = Transition(
            Kind.FORCED_EXIT,
            first=Change(3, three, replace(three, balance=0)),
            amount=1000,
            token=0,
            eth_address=three.eth_address,
        )
        key = OWNERS[4].public_key
        opened = Account(9, 0, 70, *key, 0xE3)
        create = Transition(
            Kind.DEPOSIT,
            second=Change(5, EMPTY_ACCOUNT, opened),
            amount=70,
            token=9,
            eth_address=0xE3,
            key=key,
        )
        topped = Transition(
            Kind.DEPOSIT,
            second=Change(1, one, replace(one, balance=1007)),
            amount=7,
            token=0,
            eth_address=one.eth_address,
            key=OWNERS[0].public_key,
        )
        paid_out = Transition(
            Kind.WITHDRAW,
            first=Change(1, one, replace(one, balance=900, nonce=1)),
            amount=100,
            token=0,
            eth_address=one.eth_address,
            **agreed(signed(Withdraw(1, 0xE0, 0, 100, 0, 0), 0)),
        )
        noop = Transition(Kind.NOOP)
        rekey = self.decided(ChangeKey(1, *key, 0, 0, 0))
        pay_new = self.decided(TransferToNew(1, *key, 0xE3, 0, 70, 0, 0))
        by_address = self.decided(TransferToAddress(1, 0xE1, 0, 100, 0, 0))
        refused = replace(create, nullified=True, second=Change(0, EMPTY_ACCOUNT, EMPTY_ACCOUNT))
        interrupting = self.forged(move())
        interrupting[self.template.links["group"]] = 7  # which no row but one reads
        nowhere = replace(two, eth_address=0)
        odd, headless = (7, 7), (T4, 0)
        only_ay = Unchecked(0, 0, 0, 0, 5, 0)
        keyed = Unchecked(0, 0, 70, key[0], key[1] + 5, 0xE3)
        empty = signed(Transfer(1, 9, 0, 100, 0, 0), 0)
        fourth = signed(Transfer(1, 4, 0, 100, 0, 0), 0)
        spent = signed(Transfer(1, 2, 0, 100, 5, 0), 0)
        return {
            "unequal amount and code": self.forged(move(amount_code=encode_amount(101))),
            "code on a withdrawal": self.forged(replace(paid_out, amount_code=5)),
            "paid to a stranger": self.forged(replace(paid_out, eth_address=0xBAD)),
            "recipient is empty": self.forged(move(to=9, before=EMPTY_ACCOUNT, asked=empty)),
            "recipient of another token": self.forged(move(to=4, before=account(3, token=7), asked=fourth)),
            "nullified transfer": self.forged(move(nullified=True)),
            "fee to nobody": self.forged(move(fee=5, asked=spent)),
            "fee to an entry of another token": self.forged(move(fee=5, asked=spent, fee_entry=1)),
            "exit of less": self.forged(
                replace(exit_three, amount=999, first=Change(3, three, replace(three, balance=1)))
            ),
            "exit that is not nullified": self.forged(
                replace(exit_three, eth_address=0xBAD, first=Change(3, three, three), amount=0, token=0)
            ),
            "nullified exit of an amount": self.forged(
                replace(
                    exit_three,
                    eth_address=0xBAD,
                    nullified=True,
                    amount=3,
                    first=Change(3, three, three),
                )
            ),
            "nullified exit of a token": self.forged(
                replace(
                    exit_three,
                    eth_address=0xBAD,
                    nullified=True,
                    amount=0,
                    token=3,
                    first=Change(3, three, three),
                )
            ),
            "fee of a deposit": self.forged(replace(create, fee=5, fee_code=encode_fee(5))),
            "fee of a nullified exit": self.forged(
                replace(
                    exit_three,
                    eth_address=0xBAD,
                    nullified=True,
                    amount=0,
                    fee=5,
                    fee_code=encode_fee(5),
                    fee_entry=0,
                    first=Change(3, three, replace(three, balance=995)),
                )
            ),
            "s is not canonical": self.forged(
                move(amount=small.amount, asked=small), {"s": small.signature.s + ORDER}
            ),
            "recipient that cannot hold it": self.forged(move(before=full), before=Change(2, two, full)),
            "created on a balance": self.forged(
                replace(create, second=Change(5, dusty, replace(opened, balance=71))),
                {"next_index": 5},
                before=Change(5, EMPTY_ACCOUNT, dusty),
            ),
            "creates leaf 0": self.forged(replace(create, second=Change(0, EMPTY_ACCOUNT, opened))),
            "top-up of another's": self.forged(replace(topped, eth_address=0xBAD)),
            "top-up nullified": self.forged(replace(topped, nullified=True, second=Change(1, one, one))),
            "noop on a leaf": self.forged(replace(noop, first=Change(1, one, one))),
            "noop on a second leaf": self.forged(replace(noop, second=Change(1, one, one))),
            "noop of an amount": self.forged(replace(noop, amount=3)),
            "noop of a token": self.forged(replace(noop, token=3)),
            "withdrawal with a second leaf": self.forged(replace(paid_out, second=Change(2, two, two))),
            "deposit with a first leaf": self.forged(replace(create, first=Change(1, one, one))),
            "nonce of a noop": self.forged(noop, {"first_nonce_after": 1}),
            "second nonce of a noop": self.forged(noop, {"second_nonce": 1}),
            "key of a noop": self.forged(replace(noop, key=(3, 0))),
            "address of a noop": self.forged(replace(noop, eth_address=3)),
            "second word of a key of a noop": self.forged(replace(noop, key=(0, 3))),
            "noop that expires": self.forged(noop, {"batches_left": 1}),
            "memo of a noop": self.forged(noop, {"memo": 1}),
            "group of a noop": self.forged(noop, {"signed_group": 5}),
            "group that is not continued": interrupting,
            "change of key that moves an amount": self.forged(
                replace(
                    rekey,
                    amount=3,
                    first=Change(1, one, replace(rekey.first.after, balance=997)),
                    signature=self.sign(5, 1, 0, 0, amount=3, key=key),
                )
            ),
            "change of key by address": self.forged(
                replace(rekey, by_address=True, signature=self.sign(10, 1, 0, 0, key=key))
            ),
            "change to no point": self.forged(
                replace(
                    rekey,
                    key=odd,
                    first=Change(1, one, replace(rekey.first.after, ax=7, ay=7)),
                    signature=self.sign(5, 1, 0, 0, key=odd),
                )
            ),
            "change to a key with ay = 0": self.forged(
                replace(
                    rekey,
                    key=headless,
                    first=Change(1, one, replace(rekey.first.after, ax=T4, ay=0)),
                    signature=self.sign(5, 1, 0, 0, key=headless),
                )
            ),
            "refused by a tree with places": self.forged(refused),
            "refused without a refund": self.forged(
                replace(refused, nullified=False), {"next_index": 1 << 2 * self.depth}
            ),
            "created elsewhere": self.forged(replace(create, second=Change(6, EMPTY_ACCOUNT, opened))),
            "new account on a leaf": self.forged(
                replace(pay_new, second=Change(5, only_ay, keyed)),
                {"next_index": 5},
                before=Change(5, EMPTY_ACCOUNT, only_ay),
            ),
            "new account on leaf 0": self.forged(
                replace(pay_new, second=Change(0, EMPTY_ACCOUNT, pay_new.second.after)), {"next_index": 0}
            ),
            "by address twice": self.forged(
                replace(
                    move(before=nowhere),
                    by_address=True,
                    signature=self.sign(12, 1, 0, 0, recipient=-2, amount=100),
                ),
                {"by_address": 2},
                before=Change(2, two, nowhere),
            ),
            "another's address": self.forged(
                replace(by_address, second=Change(3, three, raised(three, 100)))
            ),
        }


@pytest.fixture(scope="session")
def slot_workshop(engine: Engine) -> SlotWorkshop:
    return SlotWorkshop(engine, 2, {})
