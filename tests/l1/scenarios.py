"""What can happen to a rollup on L1, as scripts that any backend can play: they know the L1 protocol only.

A scenario asserts what it expects at each step and returns a log of (step, outcome, events), in which what
differs from backend to backend without meaning anything has a name instead of a value: addresses of
contracts, the chain, block numbers. Two backends agree when their logs are equal.

Proofs are stamps (:class:`~zkrollup.l1.interface.VerifierBehaviour`): the script decides what is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.eddsa import PrivateKey
from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import events, reverts
from zkrollup.l1.headers import BatchHeader
from zkrollup.l1.interface import ETH, L1World, TokenBehaviour, VerifierBehaviour
from zkrollup.l1.reverts import ConfigItem, Field, Revert
from zkrollup.l1.solidity import abi_names, abi_types
from zkrollup.l1.world import stamp
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    Deposit,
    StateTree,
    Transaction,
    Transfer,
    Withdraw,
    apply_batch,
    empty_root,
    sign_transaction,
)
from zkrollup.state.context import FeeEntry
from zkrollup.state.public_data import PublicData, encode, public_data, public_inputs
from zkrollup.state.trace import Kind
from zkrollup.state.transactions import ChangeKey, ForcedExit, Request, TransferToAddress, TransferToNew

PARAMETERS = BatchParameters(slots=4, depth=3, fee_tokens=2)
ROLLUP_ID = 0xA11CE
LIFETIME, OPERATOR_DELAY, UPGRADE_DELAY = 40, 20, 60
CAP = 1 << 96
ROOT_AT = slice(83, 115)

OPERATOR, GOVERNOR, ALICE, BOB, CAROL, DAVE, STRANGER = range(7)
"""Whose account is which of the chain's."""

KEYS = {person: PrivateKey(bytes([person + 1]) * 32) for person in (ALICE, BOB, CAROL, DAVE, STRANGER)}

Log = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Settings:
    """What a scenario wants deployed. Operator and governor are the chain's first two accounts; the genesis
    is empty unless it says otherwise."""

    parameters: BatchParameters = PARAMETERS
    rollup_id: int = ROLLUP_ID
    genesis_root: int = field(default_factory=lambda: empty_root(PARAMETERS.depth))
    genesis_next_index: int = 1
    deposit_cap: int = CAP
    request_lifetime: int = LIFETIME
    operator_delay: int = OPERATOR_DELAY
    upgrade_delay: int = UPGRADE_DELAY
    verifier: VerifierBehaviour = VerifierBehaviour.STAMP
    exit_verifier: VerifierBehaviour = VerifierBehaviour.STAMP


Deploy = Callable[[Settings], L1World]


def attempt(call: Callable[[], Any]) -> tuple[Any, Revert | None]:
    """What a call returns, and why it was refused."""
    try:
        return call(), None
    except Revert as error:
        return None, error


def assert_refusal(step: str, error: Revert | None, expected: Revert | type[Revert] | None) -> None:
    """The error is the expected one: of the type, and with the values where values are given."""
    kind = expected if isinstance(expected, type) or expected is None else type(expected)
    assert type(error) is (kind or type(None)), f"{step}: {expected!r} was expected, not {error!r}"
    if isinstance(expected, Revert) and error is not None:
        assert error.values() == expected.values(), f"{step}: {error}"


@dataclass
class Batch:
    """A batch that the operator's state made, and all that L1 is to be told of it."""

    published: PublicData
    commitment: int
    proof: Proof
    snapshot: Any
    requests_before: int

    @property
    def data(self) -> bytes:
        return encode(self.published)

    @property
    def withdrawals(self) -> bytes:
        """What its execution pays: written from the rules, not from the contract's reader."""
        return b"".join(
            record.eth_address.to_bytes(20, "big")
            + record.token.to_bytes(4, "big")
            + record.amount_field.to_bytes(16, "big")
            for record in self.published.records
            if record.amount_field and (record.kind in (Kind.WITHDRAW, Kind.FORCED_EXIT) or record.nullified)
        )


class Stage:
    """A contract, the operator's state, and the log of what was done to them."""

    def __init__(self, deploy: Deploy, **settings: Any) -> None:
        self.settings = Settings(**settings)
        self.l1 = deploy(self.settings)
        self.state = StateTree.in_memory(self.settings.parameters.depth)
        self.requests: list[Request] = []
        self.taken = 0
        self.built = 0
        self.headers: dict[int, BatchHeader] = {0: self.l1.header(0)}
        self.log: Log = []
        self.names: dict[Any, Any] = {self.l1.address: "rollup"}
        self._seen = len(self.l1.events())
        for i, account in enumerate(self.l1.accounts):
            self.names[account] = f"account {i}"

    # -- who and what --------------------------------------------------------------------------------

    def address(self, person: int) -> int:
        return self.l1.accounts[person]

    def deployed(self, name: str, address: int) -> int:
        self.names[address] = name
        return address

    def token(self, behaviour: TokenBehaviour) -> int:
        """The number of a new token."""
        sender = self.address(BOB)
        address = self.deployed(f"{behaviour.name.lower()} token", self.l1.deploy_token(behaviour))
        self.do(f"register {behaviour.name}", lambda: self.l1.register_token(address, sender=sender))
        return self.l1.num_tokens - 1

    def verifier(self, behaviour: VerifierBehaviour, name: str) -> int:
        return self.deployed(name, self.l1.deploy_verifier(behaviour))

    def mine_until(self, block: int) -> None:
        """Let time pass so that the next call runs in ``block``."""
        assert self.l1.block_number <= block, "the block has passed"
        if self.l1.block_number < block:
            self.l1.mine(block - self.l1.block_number)
        assert self.l1.block_number == block

    # -- steps ---------------------------------------------------------------------------------------

    def do(self, step: str, call: Callable[[], Any], expected: Revert | type[Revert] | None = None) -> Any:
        """Take a step that must end as expected; returns what the call returned."""
        before = self._state() if expected is not None else None
        result, error = attempt(call)
        assert_refusal(step, error, expected)
        if error is not None:
            assert self._state() == before, f"{step}: refused, but something changed"
        outcome = "done" if error is None else self._shown(error)
        self.log.append((step, outcome, *self._new_events()))
        return result

    def _new_events(self) -> list[tuple[Any, ...]]:
        logged = self.l1.events()
        new, self._seen = logged[self._seen :], len(logged)
        return [self._shown(item.event, item.block) for item in new]

    def _shown(self, value: Any, block: int | None = None) -> tuple[Any, ...]:
        kind = type(value)
        pairs = zip(abi_names(kind), abi_types(kind), strict=True)
        return (kind.__name__, *(self._word(value, name, text, block) for name, text in pairs))

    def _word(self, owner: Any, name: str, text: str, block: int | None) -> Any:
        value = getattr(owner, name)
        if is_dataclass(value):
            return self._shown_header(value)
        if isinstance(owner, reverts.WrongChain):
            return f"chain {value - self.l1.chain_id:+}"
        if name == "deadline" and isinstance(owner, events.RequestQueued):
            assert value == block + self.settings.request_lifetime
            return "in time"
        if name == "active_from" and isinstance(owner, events.VerifierProposed):
            assert value == block + self.settings.upgrade_delay
            self.names["active from"] = value
            return "in time"
        if name == "deadline" and value:
            assert value == self.l1.request(owner.number).deadline
            return "its deadline"
        if name == "active_from":
            assert value == self.names["active from"]
            return "in time"
        if name == "active_until":
            assert value == self.names["active from"] + self.settings.upgrade_delay
            return "too late"
        if name == "block":
            assert value == self.l1.block_number
            return "now"
        return self.names.get(value, value) if text in ("address", "bytes32") else int(value)

    def _shown_header(self, header: BatchHeader) -> tuple[Any, ...]:
        """A header without what depends on chain and contract, which is checked here instead."""
        data = self.l1.batch_data(header.number)
        zeroed = bytearray(data)
        zeroed[ROOT_AT] = bytes(32)
        assert header.skeleton == keccak256(bytes(zeroed))
        self.names[header.skeleton] = f"skeleton of batch {header.number}"
        hidden = {"commitment", "challenge", "fingerprint", "skeleton"}
        return tuple(getattr(header, item.name) for item in fields(header) if item.name not in hidden)

    def _state(self) -> dict[str, Any]:
        l1 = self.l1
        people = [*l1.accounts[:8], *(key for key in self.names if isinstance(key, int))]
        tokens = range(l1.num_tokens)
        return {
            "counters": (l1.committed, l1.proved, l1.executed, l1.requests_consumed, l1.num_requests),
            "root": (l1.root, l1.next_index),
            "frozen": l1.frozen,
            "operator": self.names.get(l1.operator),
            "verifiers": (self.names.get(l1.verifier), self.names.get(l1.exit_verifier)),
            "pending": {
                (self.names[person], token): amount
                for person in people
                for token in tokens
                if (amount := l1.pending_withdrawal(person, token))
            },
            "holdings": [l1.holdings(token) for token in tokens],
            "balances": {
                (self.names[person], token): amount
                for person in people
                for token in tokens
                if token != ETH and (amount := l1.balance_of(person, token))
            },
            "uncredited": [i for i in range(l1.committed + 2) if l1.uncredited(i) != bytes(32)],
            "exited": [i for i in range(self.settings.parameters.capacity) if l1.exited(i)],
            "requests": [l1.request(i).hash for i in range(l1.num_requests)],
        }

    def end(self) -> Log:
        """The log, with the final state."""
        self.log.append(("end", self._state()))
        return self.log

    # -- users ---------------------------------------------------------------------------------------

    def deposit_of(self, person: int, token: int, amount: int) -> Deposit:
        return Deposit(token, amount, *KEYS[person].public_key, self.address(person))

    def deposit(self, person: int, token: int, amount: int, *, arrives: int | None = None) -> None:
        """Fund and queue a deposit by ``person`` for themselves."""
        if token != ETH:
            self.l1.fund(self.address(person), token, amount)
        request = self.deposit_of(person, token, amount if arrives is None else arrives)
        self.do(
            f"deposit {amount} of {token} by {person}",
            lambda: self.l1.deposit(
                token, amount, request.ax, request.ay, request.eth_address, sender=request.eth_address
            ),
        )
        self.requests.append(request)

    def request_exit(self, person: int, account: int) -> None:
        sender = self.address(person)
        self.do(f"exit of {account} by {person}", lambda: self.l1.request_exit(account, sender=sender))
        self.requests.append(ForcedExit(account, sender))

    def withdraw(self, person: int, token: int, expected: Revert | type[Revert] | None = None) -> None:
        """Somebody else calls, so that ETH is counted exactly."""
        owner = self.address(person)
        before, pending = self.l1.balance_of(owner, token), self.l1.pending_withdrawal(owner, token)
        self.do(
            f"withdraw {token} of {person}",
            lambda: self.l1.withdraw(owner, token, sender=self.address(STRANGER)),
            expected,
        )
        if expected is None and self.l1.token_address(token) not in self._fee_tokens():
            assert self.l1.balance_of(owner, token) == before + pending

    def _fee_tokens(self) -> set[int]:
        return {key for key, name in self.names.items() if name == "fee_on_transfer token"}

    def sign(self, transaction: Any, person: int) -> Any:
        return sign_transaction(transaction, KEYS[person], self.l1.chain_id, self.l1.rollup_id)

    def transfer(
        self, person: int, sender: int, recipient: int, token: int, amount: int, nonce: int, fee: int = 0
    ):
        return self.sign(Transfer(sender, recipient, token, amount, fee, nonce), person)

    def pay_out(
        self, person: int, sender: int, token: int, amount: int, nonce: int, to: int | None = None
    ) -> Withdraw:
        address = self.address(person) if to is None else to
        return self.sign(Withdraw(sender, address, token, amount, 0, nonce), person)

    # -- the operator --------------------------------------------------------------------------------

    def build(
        self,
        transactions: Iterable[Transaction] = (),
        *,
        take: int | None = None,
        fee_entries: tuple[FeeEntry, ...] = (),
    ) -> Batch:
        """The next batch on what was built before: ``take`` requests (default: all), then transactions."""
        take = len(self.requests) - self.taken if take is None else take
        snapshot, before = self.state.snapshot(), self.taken
        context = BatchContext(
            self.settings.parameters, self.l1.chain_id, self.l1.rollup_id, self.built + 1, fee_entries
        )
        requests = self.requests[before : before + take]
        published = public_data(apply_batch(self.state, [*requests, *transactions], context))
        self.built += 1
        self.taken += take
        return self.prove(published, snapshot, before)

    def prove(self, published: PublicData, snapshot: Any = None, before: int = 0) -> Batch:
        """A stamp for any public data, true or not."""
        inputs = public_inputs(published, self.l1.address)
        return Batch(published, inputs.commitment, stamp(inputs), snapshot, before)

    def forget(self, batch: Batch) -> None:
        """Take the state back to before a batch."""
        self.state.restore(batch.snapshot)
        self.built = batch.published.batch_number - 1
        self.taken = batch.requests_before

    def commit(
        self, batch: Batch, expected: Any = None, *, previous: int | None = None, sender: int = OPERATOR
    ):
        """Commit on what this stage knows was committed last."""
        number = self.l1.committed if previous is None else previous
        header = self.do(
            f"commit {batch.published.batch_number}",
            lambda: self.l1.commit_batch(
                self.headers[number], batch.data, batch.commitment, sender=self.address(sender)
            ),
            expected,
        )
        if header is not None:
            assert header == self.l1.header(header.number)
            self.headers[header.number] = header
        return header

    def prove_batch(self, batch: Batch, expected: Any = None, *, header: BatchHeader | None = None) -> None:
        number = batch.published.batch_number
        self.do(
            f"prove {number}",
            lambda: self.l1.prove_batch(
                header or self.headers[number], batch.proof, sender=self.address(STRANGER)
            ),
            expected,
        )

    def execute(self, batch: Batch, expected: Any = None, *, withdrawals: bytes | None = None) -> None:
        number = batch.published.batch_number
        given = batch.withdrawals if withdrawals is None else withdrawals
        self.do(
            f"execute {number}",
            lambda: self.l1.execute_batch(self.headers[number], given, sender=self.address(STRANGER)),
            expected,
        )

    def execute_uncredited(self, batch: Batch, expected: Any = None, *, sender: int = OPERATOR) -> None:
        number = batch.published.batch_number
        self.do(
            f"execute {number} without credits",
            lambda: self.l1.execute_without_credits(self.headers[number], sender=self.address(sender)),
            expected,
        )

    def credit(self, number: int, withdrawals: bytes, count: int, expected: Any = None) -> None:
        self.do(
            f"credit {count} of {number}",
            lambda: self.l1.credit_withdrawals(number, withdrawals, count, sender=self.address(STRANGER)),
            expected,
        )

    def submit(
        self, batch: Batch, expected: Any = None, *, sender: int = OPERATOR, data: bytes | None = None
    ):
        """All at once on the last executed batch."""
        given = batch.data if data is None else data
        header = self.do(
            f"submit {batch.published.batch_number}",
            lambda: self.l1.submit_batch(
                self.headers[self.l1.executed],
                given,
                batch.commitment,
                batch.proof,
                sender=self.address(sender),
            ),
            expected,
        )
        if header is not None:
            self.headers[header.number] = header
            assert self.l1.root == batch.published.root_after
            assert self.l1.batch_data(header.number) == given
        return header

    def run(self, transactions: Iterable[Transaction] = (), **options: Any) -> Batch:
        """Build and submit."""
        batch = self.build(transactions, **options)
        self.submit(batch)
        return batch

    # -- exits ---------------------------------------------------------------------------------------

    def exit(
        self, account: int, expected: Any = None, *, lie: int = 0, header: BatchHeader | None = None
    ) -> None:
        """Exit with the account's leaf; a ``lie`` is added to the balance, without a stamp for it."""
        held: Account = self.state.account(account)
        root = self.l1.root
        owner = held.eth_address
        proof = stamp((root, account << 192 | held.token << 160 | owner, held.balance))
        self.do(
            f"exit {account}",
            lambda: self.l1.exit(
                header or self.headers[self.l1.executed],
                account,
                held.token,
                held.balance + lie,
                owner,
                proof,
                sender=self.address(STRANGER),
            ),
            expected,
        )

    def freeze(self, expected: Any = None) -> None:
        self.do("freeze", lambda: self.l1.freeze(sender=self.address(STRANGER)), expected)

    def overdue(self, number: int) -> None:
        """Let request ``number`` become due."""
        self.mine_until(self.l1.request(number).deadline + 1)

    def nothing_is_left(self) -> None:
        """Everybody is paid, and the contract keeps nothing."""
        assert [self.l1.holdings(token) for token in range(self.l1.num_tokens)] == [0] * self.l1.num_tokens


# -- scenarios ---------------------------------------------------------------------------------------


def deployment(deploy: Deploy) -> Log:
    """The constructor refuses what no rollup can be."""
    log: Log = []

    def refused(expected: Revert, **settings: Any) -> None:
        _, error = attempt(lambda: deploy(Settings(**settings)))
        assert_refusal(str(settings), error, expected)
        values = [int(getattr(error, name)) for name in abi_names(type(error))]
        log.append(("deploy", (type(error).__name__, *values)))

    refused(reverts.InvalidConfig(ConfigItem.GENESIS_ROOT), genesis_root=FR_MODULUS)
    refused(reverts.InvalidConfig(ConfigItem.GENESIS_NEXT_INDEX), genesis_next_index=0)
    refused(reverts.InvalidConfig(ConfigItem.GENESIS_NEXT_INDEX), genesis_next_index=4**3 + 1)
    refused(reverts.InvalidConfig(ConfigItem.DEPOSIT_CAP), deposit_cap=0)
    refused(reverts.InvalidConfig(ConfigItem.DEPOSIT_CAP), deposit_cap=1 << 128)
    refused(reverts.InvalidConfig(ConfigItem.REQUEST_LIFETIME), request_lifetime=0)
    refused(reverts.UpgradeDelayTooShort(LIFETIME, LIFETIME), upgrade_delay=LIFETIME)
    stage = Stage(deploy, upgrade_delay=LIFETIME + 1, genesis_next_index=4**3)
    assert (stage.l1.root, stage.l1.next_index) == (stage.settings.genesis_root, 4**3)
    genesis = stage.l1.header(0)
    assert genesis == BatchHeader(
        0, 0, stage.settings.genesis_root, 4**3, 0, 0, 0, 0, bytes(32), bytes(32), 0
    )
    assert stage.l1.batch_hash(0) == genesis.hash
    assert stage.l1.batch_hash(1) == bytes(32)
    return [*log, *stage.end()]


def own_rollup_id(deploy: Deploy) -> Log:
    """A rollup without an id of its own is known by its address."""
    stage = Stage(deploy, rollup_id=0)
    assert stage.l1.rollup_id == stage.l1.config.rollup_id == stage.l1.address
    stage.deposit(ALICE, ETH, 100)
    stage.run()
    return stage.end()


def tokens_and_deposits(deploy: Deploy) -> Log:
    """R4: tokens are registered once; a deposit credits what arrives, and says why it is refused."""
    stage = Stage(deploy)
    l1, alice, bob = stage.l1, stage.address(ALICE), stage.address(BOB)
    ax, ay = KEYS[ALICE].public_key

    stage.do("token zero", lambda: l1.register_token(0, sender=bob), reverts.ZeroAddress())
    stage.do("token of a person", lambda: l1.register_token(alice, sender=bob), reverts.NoCode(alice))
    plain = stage.token(TokenBehaviour.PLAIN)
    again = l1.token_address(plain)
    stage.do("token twice", lambda: l1.register_token(again, sender=bob), reverts.TokenKnown(again, plain))
    taxed, silent = stage.token(TokenBehaviour.FEE_ON_TRANSFER), stage.token(TokenBehaviour.NO_RETURN)
    false, broken = stage.token(TokenBehaviour.RETURNS_FALSE), stage.token(TokenBehaviour.REVERTS)
    assert [plain, taxed, silent, false, broken] == [1, 2, 3, 4, 5]
    assert l1.token_address(6) == l1.token_address(ETH) == 0

    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(ALICE, plain, 500)
    stage.deposit(BOB, taxed, 1099, arrives=1089)
    stage.deposit(CAROL, silent, 70)
    assert [l1.holdings(token) for token in range(4)] == [1000, 500, 1089, 70]

    def refused(expected: Revert, token: int, amount: int, *, key=(ax, ay), owner=alice, value=None) -> None:
        stage.do(
            f"deposit {amount} of {token}",
            lambda: l1.deposit(token, amount, *key, owner, sender=alice, value=value),
            expected,
        )

    for token in (plain, taxed, silent, false, broken):
        l1.fund(alice, token, 2 * CAP)
    refused(reverts.ZeroAddress(), ETH, 0, owner=0, key=(0, 0))
    refused(reverts.UnknownToken(6), 6, 0, key=(0, 0))
    refused(reverts.InvalidKey(ax + FR_MODULUS, ay), ETH, 1, key=(ax + FR_MODULUS, ay))
    refused(reverts.InvalidKey(ax, ay + FR_MODULUS), ETH, 1, key=(ax, ay + FR_MODULUS))
    refused(reverts.InvalidKey(ax, ax), ETH, 1, key=(ax, ax))
    refused(reverts.InvalidKey(1, 0), plain, 0, key=(1, 0))
    refused(reverts.WrongValue(6, 5), ETH, 5, value=6)
    refused(reverts.WrongValue(0, 5), ETH, 5, value=0)
    refused(reverts.WrongValue(1, 0), plain, 0, value=1)
    refused(reverts.ZeroAmount(), ETH, 0)
    refused(reverts.ZeroAmount(), false, 0)
    refused(reverts.TransferFailed(false, 5), false, 5)
    refused(reverts.TransferFailed(broken, 5), broken, 5)
    refused(reverts.TransferFailed(plain, 2 * CAP + 1), plain, 2 * CAP + 1)
    refused(reverts.DepositTooLarge(CAP, CAP), plain, CAP)
    refused(reverts.DepositTooLarge(CAP, CAP), ETH, CAP)
    arrives = (CAP + 5) - (CAP + 5) // 100
    assert arrives < CAP
    stage.do("a taxed deposit above the cap", lambda: l1.deposit(taxed, CAP + 5, ax, ay, alice, sender=alice))
    stage.requests.append(Deposit(taxed, arrives, ax, ay, alice))
    assert l1.holdings(taxed) == 1089 + arrives

    stage.run(take=4)
    stage.run()
    assert stage.state.account(5) == Account(taxed, 0, arrives, ax, ay, alice)
    stage.run([stage.pay_out(ALICE, 1, ETH, 400, 0), stage.pay_out(BOB, 3, taxed, 89, 0)])
    stage.withdraw(ALICE, ETH)
    stage.withdraw(BOB, taxed)
    return stage.end()


def deposit_for_somebody_else(deploy: Deploy) -> Log:
    """R4: whoever pays, the owner's account is credited, and the owner alone is paid out."""
    stage = Stage(deploy)
    request = stage.deposit_of(ALICE, ETH, 10)
    stage.do(
        "bob pays for alice",
        lambda: stage.l1.deposit(
            ETH, 10, request.ax, request.ay, request.eth_address, sender=stage.address(BOB)
        ),
    )
    stage.requests.append(request)
    stage.deposit(ALICE, ETH, 5)
    stage.run()
    assert stage.state.account(1).balance == 15
    stage.request_exit(BOB, 1)
    stage.request_exit(ALICE, 1)
    stage.run()
    stage.withdraw(BOB, ETH, reverts.NothingPending(stage.address(BOB), ETH))
    stage.withdraw(ALICE, ETH)
    stage.nothing_is_left()
    return stage.end()


def withdrawals_once(deploy: Deploy) -> Log:
    """R2: a withdrawal is paid once, to its owner; who refuses ETH stops nobody else."""
    stage = Stage(deploy)
    l1 = stage.l1
    token = stage.token(TokenBehaviour.PLAIN)
    refuser = stage.deployed("refuser", l1.deploy_refuser())
    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(BOB, token, 300)
    stage.run()
    stage.run(
        [
            stage.pay_out(ALICE, 1, ETH, 100, 0, refuser),
            stage.pay_out(ALICE, 1, ETH, 30, 1),
            stage.pay_out(ALICE, 1, ETH, 20, 2),
            stage.pay_out(BOB, 2, token, 7, 0, refuser),
        ]
    )
    assert l1.pending_withdrawal(stage.address(ALICE), ETH) == 50
    stranger = stage.address(STRANGER)
    stage.do(
        "pay who refuses",
        lambda: l1.withdraw(refuser, ETH, sender=stranger),
        reverts.TransferFailed(ETH, 100),
    )
    stage.withdraw(ALICE, ETH)
    stage.withdraw(ALICE, ETH, reverts.NothingPending(stage.address(ALICE), ETH))
    stage.do("pay tokens to who refuses ETH", lambda: l1.withdraw(refuser, token, sender=stranger))
    assert l1.balance_of(refuser, token) == 7
    stage.withdraw(BOB, token, reverts.NothingPending(stage.address(BOB), token))
    stage.do(
        "of nobody's token",
        lambda: l1.withdraw(refuser, 9, sender=stranger),
        reverts.NothingPending(refuser, 9),
    )
    stage.run([stage.pay_out(ALICE, 1, ETH, 1, 3)])
    stage.withdraw(ALICE, ETH)
    assert l1.pending_withdrawal(refuser, ETH) == 100
    return stage.end()


def forced_exits(deploy: Deploy) -> Log:
    """C17: a forced exit pays the owner's whole balance, is nullified for anybody else, and never blocks."""
    stage = Stage(deploy)
    l1, alice = stage.l1, stage.address(ALICE)
    stage.do("outside", lambda: l1.request_exit(64, sender=alice), reverts.OutsideTree(64, 64))
    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(BOB, ETH, 10)
    stage.run()
    stage.request_exit(BOB, 1)
    stage.request_exit(STRANGER, 63)
    stage.request_exit(STRANGER, 0)
    stage.request_exit(ALICE, 1)
    stage.run()
    assert l1.pending_withdrawal(alice, ETH) == 1000
    assert l1.holdings(ETH) == 1010
    stage.withdraw(ALICE, ETH)
    stage.request_exit(ALICE, 1)
    stage.run()
    stage.withdraw(ALICE, ETH, reverts.NothingPending(alice, ETH))
    return stage.end()


def refunded_deposits(deploy: Deploy) -> Log:
    """C17: a deposit that would overflow a balance, or finds the tree full, comes back to its owner."""
    cap = (1 << 128) - 1
    stage = Stage(deploy, deposit_cap=cap, parameters=BatchParameters(4, 1, 2), genesis_root=empty_root(1))
    token = stage.token(TokenBehaviour.PLAIN)
    stage.deposit(ALICE, token, cap - 1)
    stage.deposit(ALICE, token, 2)
    stage.deposit(BOB, token, 5)
    stage.deposit(CAROL, token, 6)
    stage.run()
    assert stage.l1.next_index == 4
    stage.deposit(DAVE, token, 7)
    stage.deposit(BOB, token, 1)
    batch = stage.run()
    assert [record.nullified for record in batch.published.records] == [True, False]
    assert batch.published.records[0].second == 0
    assert stage.l1.pending_withdrawal(stage.address(ALICE), token) == 2
    stage.withdraw(ALICE, token)
    stage.withdraw(DAVE, token)
    return stage.end()


def every_kind(deploy: Deploy) -> Log:
    """One batch after the other with every kind of record, and fees in two tokens."""
    stage = Stage(deploy)
    token = stage.token(TokenBehaviour.PLAIN)
    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(BOB, ETH, 1000)
    stage.deposit(ALICE, token, 1000)
    stage.deposit(OPERATOR_WALLET, ETH, 1)
    stage.run()
    alice_eth, bob_eth, alice_token, operator_eth = 1, 2, 3, 4
    ax, ay = KEYS[CAROL].public_key
    carol = stage.address(CAROL)
    entries = ((ETH, operator_eth), (token, alice_token))
    stage.run(
        [
            stage.transfer(ALICE, alice_eth, bob_eth, ETH, 10, 0, fee=1),
            stage.sign(TransferToNew(alice_token, ax, ay, carol, token, 20, 2, 0), ALICE),
            stage.sign(TransferToAddress(bob_eth, stage.address(ALICE), ETH, 30, 3, 0), BOB),
            stage.sign(ChangeKey(alice_eth, *KEYS[DAVE].public_key, ETH, 4, 1), ALICE),
        ],
        fee_entries=entries,
    )
    assert stage.l1.next_index == 6
    stage.request_exit(CAROL, 5)
    stage.deposit(BOB, ETH, 50)
    stage.run(
        [
            stage.sign(Withdraw(alice_eth, stage.address(BOB), ETH, 100, 5, 2), DAVE),
            stage.transfer(BOB, bob_eth, operator_eth, ETH, 0, 1),
        ],
        fee_entries=entries[:1],
    )
    assert stage.l1.pending_withdrawal(stage.address(BOB), ETH) == 100
    assert stage.l1.pending_withdrawal(carol, token) == 20
    stage.run()
    stage.withdraw(CAROL, token)
    stage.withdraw(BOB, ETH)
    return stage.end()


def steps_apart(deploy: Deploy) -> Log:
    """R3: commit, prove and execute in their order only, by anyone after the commitment."""
    stage = Stage(deploy)
    l1 = stage.l1
    stage.deposit(ALICE, ETH, 1000)
    first = stage.build()
    second = stage.build([stage.pay_out(ALICE, 1, ETH, 100, 0)])
    third = stage.build([stage.pay_out(ALICE, 1, ETH, 200, 1)])

    stage.commit(first, reverts.NotOperator(stage.address(STRANGER)), sender=STRANGER)
    stage.commit(second, reverts.WrongBatchNumber(2, 1))
    stage.prove_batch(first, reverts.UnknownBatch(1), header=replace(stage.headers[0], number=1))
    stage.prove_batch(first, reverts.NotNext(0, 1), header=stage.headers[0])
    stage.commit(first)
    stage.commit(first, reverts.WrongBatchNumber(1, 2))
    stage.submit(first, reverts.PendingBatches(1, 0))
    stage.commit(second, reverts.UnknownBatch(0), previous=0)
    stage.commit(second)
    stage.commit(third)
    assert (l1.committed, l1.proved, l1.executed, l1.root) == (3, 0, 0, stage.settings.genesis_root)
    assert l1.batch_data(2) == second.data
    assert l1.header(2) == stage.headers[2]

    stage.prove_batch(second, reverts.NotNext(2, 1))
    stage.execute(first, reverts.NotProved(1, 0))
    stage.execute(second, reverts.NotNext(2, 1))
    wrong = replace(stage.headers[1], root_after=5)
    stage.prove_batch(first, reverts.UnknownBatch(1), header=wrong)
    stage.do(
        "another batch's proof",
        lambda: l1.prove_batch(stage.headers[1], second.proof, sender=stage.address(STRANGER)),
        reverts.ProofRejected(1),
    )
    stage.prove_batch(first)
    stage.prove_batch(first, reverts.NotNext(1, 2))
    stage.prove_batch(second)
    stage.execute(second, reverts.NotNext(2, 1))
    stage.execute(first)
    assert l1.root == first.published.root_after
    stage.execute(first, reverts.NotNext(1, 2))
    twice = replace(stage.headers[2], withdrawals=keccak256(second.withdrawals * 2))
    stage.do(
        "another header",
        lambda: l1.execute_batch(twice, second.withdrawals * 2, sender=stage.address(STRANGER)),
        reverts.UnknownBatch(2),
    )
    stage.execute(second, reverts.WrongWithdrawals, withdrawals=b"")
    stage.execute(second, reverts.WrongWithdrawals, withdrawals=second.withdrawals * 2)
    inflated = bytearray(second.withdrawals)
    inflated[-2] += 1
    stage.execute(second, reverts.WrongWithdrawals, withdrawals=bytes(inflated))
    stage.execute(second)
    stage.execute(third, reverts.NotProved(3, 2))
    stage.prove_batch(third)
    stage.execute(third)
    assert (l1.root, l1.executed, l1.requests_consumed) == (stage.state.root, 3, 1)
    stage.withdraw(ALICE, ETH)
    assert l1.holdings(ETH) == 700
    stage.run([stage.pay_out(ALICE, 1, ETH, 700, 2)])
    stage.withdraw(ALICE, ETH)
    stage.nothing_is_left()
    return stage.end()


def credited_in_parts(deploy: Deploy) -> Log:
    """R2: a batch that pays more than a block can credit is executed first; every payment is credited once,
    in its order, whatever happens meanwhile, the freeze too."""
    stage = Stage(deploy)
    l1, stranger = stage.l1, stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(BOB, ETH, 1000)
    stage.run()
    outsider = stage.l1.accounts[7]
    first = stage.build(
        [
            *(stage.pay_out(ALICE, 1, ETH, 100 + i, i, to) for i, to in enumerate((outsider, None))),
            *(stage.pay_out(BOB, 2, ETH, 10 + i, i) for i in range(2)),
        ]
    )
    second = stage.build([stage.pay_out(ALICE, 1, ETH, 7, 2)])
    third, paid = stage.build(), first.withdrawals
    assert len(paid) == 4 * 40
    stage.commit(first)
    stage.commit(second)
    stage.execute_uncredited(first, reverts.NotProved(2, 1))
    stage.execute_uncredited(second, reverts.NotNext(3, 2))
    stage.prove_batch(first)
    stage.prove_batch(second)
    stage.execute_uncredited(first, reverts.NotOperator(stranger), sender=STRANGER)
    other = replace(stage.headers[2], withdrawals=keccak256(b""))
    stage.do(
        "another header",
        lambda: l1.execute_without_credits(other, sender=stage.address(OPERATOR)),
        reverts.UnknownBatch(2),
    )
    stage.credit(2, paid, 4, reverts.NothingUncredited(2))

    stage.execute_uncredited(first)
    assert l1.executed == 2
    assert l1.root == first.published.root_after
    assert l1.uncredited(2) == stage.headers[2].withdrawals == keccak256(paid)
    assert not any(l1.pending_withdrawal(owner, ETH) for owner in l1.accounts)
    stage.execute_uncredited(first, reverts.NotNext(2, 3))
    stage.execute(first, reverts.NotNext(2, 3))
    for wrong in (b"", paid[40:], paid[:-40], paid + paid[:40], paid[40:80] + paid[:40] + paid[80:]):
        stage.credit(2, wrong, 1, reverts.WrongWithdrawals(keccak256(wrong), keccak256(paid)))
    stage.credit(1, paid, 1, reverts.NothingUncredited(1))
    stage.credit(3, paid, 1, reverts.NothingUncredited(3))
    stage.credit(2, paid, 0)
    stage.credit(2, paid, 1)
    assert (l1.pending_withdrawal(outsider, ETH), l1.pending_withdrawal(stage.address(ALICE), ETH)) == (
        100,
        0,
    )
    stage.credit(2, paid, 1, reverts.WrongWithdrawals(keccak256(paid), keccak256(paid[40:])))
    stage.execute(second)
    assert l1.pending_withdrawal(stage.address(ALICE), ETH) == 7
    stage.credit(3, second.withdrawals, 1, reverts.NothingUncredited(3))
    stage.withdraw(ALICE, ETH)

    stage.commit(third)
    stage.prove_batch(third)
    stage.mine_until(l1.last_executed_block + OPERATOR_DELAY)
    stage.execute_uncredited(third, reverts.NotOperator(stranger), sender=STRANGER)
    stage.mine_until(l1.last_executed_block + OPERATOR_DELAY + 1)
    stage.execute_uncredited(third, sender=STRANGER)
    assert l1.uncredited(4) == keccak256(b"")
    stage.credit(4, b"", 0)
    stage.credit(4, b"", 0, reverts.NothingUncredited(4))

    stage.request_exit(ALICE, 1)
    stage.overdue(2)
    stage.freeze()
    stage.execute_uncredited(third, reverts.Frozen())
    stage.exit(1)
    stage.exit(2)
    stage.credit(2, paid[40:], 2)
    stage.credit(2, paid[120:], 2**256 - 1)
    stage.credit(2, paid[120:], 1, reverts.NothingUncredited(2))
    for person in (ALICE, BOB, 7):
        stage.withdraw(person, ETH)
    stage.nothing_is_left()
    return stage.end()


def reverted_batches(deploy: Deploy) -> Log:
    """R3: what is not proved can be forgotten, what is proved cannot; a forgotten header proves nothing."""
    stage = Stage(deploy)
    l1, operator, stranger = stage.l1, stage.address(OPERATOR), stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    first, second = stage.build(), stage.build([stage.pay_out(ALICE, 1, ETH, 100, 0)])
    third = stage.build([stage.pay_out(ALICE, 1, ETH, 200, 1)])

    def forget(to: int, expected: Revert | None = None, sender: int = operator) -> None:
        stage.do(f"revert to {to}", lambda: l1.revert_batches(to, sender=sender), expected)

    forget(0, reverts.NothingToRevert(0, 0, 0))
    for batch in (first, second, third):
        stage.commit(batch)
    stage.prove_batch(first)
    forget(1, reverts.NotOperator(stranger), sender=stranger)
    forget(0, reverts.NothingToRevert(0, 1, 3))
    forget(3, reverts.NothingToRevert(3, 1, 3))
    forget(2)
    assert (l1.committed, l1.proved, l1.executed) == (2, 1, 0)
    assert l1.batch_hash(3) == bytes(32)
    forget(1)
    stage.prove_batch(second, reverts.UnknownBatch(2))
    stage.commit(third, reverts.UnknownBatch(2), previous=2)
    stage.forget(second)
    other = stage.build([stage.pay_out(ALICE, 1, ETH, 300, 0)])
    old = stage.headers[2]
    stage.commit(other)
    stage.prove_batch(second, reverts.UnknownBatch(2), header=old)
    stage.prove_batch(other)
    forget(1, reverts.NothingToRevert(1, 2, 2))
    stage.execute(first)
    stage.execute(other)
    stage.withdraw(ALICE, ETH)
    assert l1.holdings(ETH) == 700
    return stage.end()


def silent_operator(deploy: Deploy) -> Log:
    """After the operator delay anyone may forget what lies there unproved, and submit with a proof; never
    commit alone."""
    stage = Stage(deploy)
    l1, stranger = stage.l1, stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    stage.run()
    parked = stage.build([stage.pay_out(ALICE, 1, ETH, 1, 0)])
    stage.commit(parked)
    stage.mine_until(l1.last_executed_block + OPERATOR_DELAY)
    stage.do("early", lambda: l1.revert_batches(1, sender=stranger), reverts.NotOperator(stranger))
    stage.submit(parked, reverts.NotOperator(stranger), sender=STRANGER)
    stage.mine_until(l1.last_executed_block + OPERATOR_DELAY + 1)
    stage.commit(parked, reverts.NotOperator(stranger), sender=STRANGER)
    stage.submit(parked, reverts.PendingBatches(2, 1), sender=STRANGER)
    stage.do("late enough", lambda: l1.revert_batches(1, sender=stranger))
    stage.forget(parked)
    batch = stage.build([stage.pay_out(ALICE, 1, ETH, 2, 0)])
    stage.submit(batch, sender=STRANGER)
    following = stage.build()
    stage.submit(following, reverts.NotOperator(stranger), sender=STRANGER)
    stage.submit(following)
    return stage.end()


def bytes_of(stage: Stage, batch: Batch) -> Callable[..., bytes]:
    """The batch's data with some bytes replaced: ``change(offset, new bytes)``."""
    data = batch.data

    def change(offset: int, new: bytes) -> bytes:
        return data[:offset] + new + data[offset + len(new) :]

    return change


def malformed_headers(deploy: Deploy) -> Log:
    """R5: every field of the header is checked at its place."""
    stage = Stage(deploy)
    l1 = stage.l1
    stage.deposit(ALICE, ETH, 1000)
    batch = stage.build()
    data, change = batch.data, bytes_of(stage, batch)
    chain, root = l1.chain_id, l1.root
    size = 115 + 8 * 2

    def refused(step: str, expected: Revert, given: bytes) -> None:
        previous = stage.headers[0]
        stage.do(
            step,
            lambda: l1.commit_batch(previous, given, batch.commitment, sender=stage.address(OPERATOR)),
            expected,
        )

    for length in (0, 1, 114, size - 1):
        refused(f"{length} bytes", reverts.DataTruncated(0, size, length), data[:length])
    refused("version", reverts.WrongVersion(1, 2), change(0, b"\x01"))
    refused("chain", reverts.WrongChain(chain + 1, chain), change(1, (chain + 1).to_bytes(8, "big")))
    refused("rollup", reverts.WrongRollup(7, ROLLUP_ID), change(9, (7).to_bytes(20, "big")))
    refused("number 0", reverts.WrongBatchNumber(0, 1), change(29, bytes(8)))
    refused("number 2", reverts.WrongBatchNumber(2, 1), change(29, (2).to_bytes(8, "big")))
    refused("slots", reverts.WrongSlots(5, 4), change(37, (5).to_bytes(4, "big")))
    refused("next before", reverts.WrongNextIndex(2, 1), change(41, (2).to_bytes(5, "big")))
    refused("next after", reverts.NonCanonical(Field.NEXT_AFTER, 46), change(46, (65).to_bytes(5, "big")))
    refused("root before", reverts.WrongRoot(root + 1, root), change(51, (root + 1).to_bytes(32, "big")))
    shifted = root + FR_MODULUS
    refused("root before + r", reverts.WrongRoot(shifted, root), change(51, shifted.to_bytes(32, "big")))
    for wrong in (FR_MODULUS, (1 << 256) - 1):
        refused(
            "root after", reverts.NonCanonical(Field.ROOT_AFTER, 83), change(83, wrong.to_bytes(32, "big"))
        )

    def entry(token: int, account: int) -> bytes:
        return token.to_bytes(4, "big") + account.to_bytes(4, "big")

    refused("fee account 0", reverts.NonCanonical(Field.FEE_ACCOUNT, 119), change(115, entry(1, 0)))
    refused("fee account 64", reverts.NonCanonical(Field.FEE_ACCOUNT, 127), change(123, entry(0, 64)))
    refused(
        "fee token twice", reverts.NonCanonical(Field.FEE_TOKEN, 123), change(115, entry(5, 1) + entry(5, 2))
    )
    refused("ETH twice", reverts.NonCanonical(Field.FEE_TOKEN, 123), change(115, entry(0, 1) + entry(0, 2)))
    stage.submit(batch)
    return stage.end()


def record(
    kind: int, first: int = 0, second: int = 0, fee: int = 0, amount: int = 0, token: int = 0
) -> bytes:
    """The 30 bytes of e0."""
    return (kind << 236 | first << 204 | second << 172 | fee << 160 | amount << 32 | token).to_bytes(
        30, "big"
    )


def malformed_records(deploy: Deploy) -> Log:
    """R5, C15: every field of every kind of record has one form, and requests are the queue's."""
    stage = Stage(deploy)
    l1 = stage.l1
    stage.deposit(ALICE, ETH, 1000)
    stage.request_exit(BOB, 3)
    batch = stage.build(take=0)
    head = batch.data
    at = len(head)
    alice = stage.requests[0]
    assert isinstance(alice, Deposit)
    owner, bob = alice.eth_address.to_bytes(20, "big"), stage.address(BOB).to_bytes(20, "big")
    ax, ay = alice.ax.to_bytes(32, "big"), alice.ay.to_bytes(32, "big")
    key = ax + ay
    r = FR_MODULUS.to_bytes(32, "big")
    deposit = record(1, 0, 1, 0, 1000) + owner + key
    exits = record(12, 3) + bob
    good = {
        "transfer": record(2, 1, 2, 0, 10 << 96)[:14],
        "withdraw": record(3, 1, 0, 0, 10, 7) + owner,
        "change of key": record(5, 1)[:14] + key,
        "transfer to new": record(6, 1, 2, 0, 10 << 96)[:14] + owner + key,
    }

    def refused(step: str, expected: Revert, *records: bytes) -> None:
        given = head + b"".join(records)
        stage.do(
            step,
            lambda: l1.commit_batch(stage.headers[0], given, 1, sender=stage.address(OPERATOR)),
            expected,
        )

    def field_of(name: Field, offset: int = at) -> Revert:
        return reverts.NonCanonical(name, offset)

    for nibble in (0, 7, 8, 10, 11, 13, 14, 15):
        refused(f"kind {nibble}", reverts.UnknownKind(at, nibble), record(nibble))
    for name, whole in good.items():
        refused(f"short {name}", reverts.DataTruncated(at, len(whole), len(whole) - 1), whole[:-1])
        refused(f"a nibble of a {name}", reverts.DataTruncated(at, len(whole), 1), whole[:1])
    refused("short deposit", reverts.DataTruncated(at, 114, 113), deposit[:-1])
    refused("short exit", reverts.DataTruncated(at, 50, 49), exits[:-1])
    five = [good["transfer"]] * 5
    refused("five records", reverts.DataTooLong(at + 56, 14), *five)
    refused("bytes behind", reverts.DataTooLong(at + 56, 1), *five[:4], b"\x00")

    refused("deposit first", field_of(Field.FIRST), record(1, 1, 1, 0, 1000) + owner + key)
    refused("deposit second", field_of(Field.SECOND), record(1, 0, 0, 0, 1000) + owner + key)
    refused("deposit outside", field_of(Field.SECOND), record(1, 0, 64, 0, 1000) + owner + key)
    refused("refund outside", field_of(Field.SECOND), record(9, 0, 64, 0, 1000) + owner + key)
    refused("deposit fee", field_of(Field.FEE_CODE), record(1, 0, 1, 1, 1000) + owner + key)
    refused("deposit address", field_of(Field.ADDRESS), record(1, 0, 1, 0, 1000) + bytes(20) + key)
    refused("deposit ax", field_of(Field.AX), record(1, 0, 1, 0, 1000) + owner + r + ay)
    refused("deposit ay", field_of(Field.AY), record(1, 0, 1, 0, 1000) + owner + ax + r)
    refused("exit second", field_of(Field.SECOND), record(4, 3, 1) + bob)
    refused("exit fee", field_of(Field.FEE_CODE), record(4, 3, 0, 1) + bob)
    refused("exit outside", field_of(Field.FIRST), record(4, 64) + bob)
    refused("refused exit's amount", field_of(Field.AMOUNT), record(12, 3, 0, 0, 1) + bob)
    refused("refused exit's token", field_of(Field.TOKEN), record(12, 3, 0, 0, 0, 1) + bob)
    refused("exit address", field_of(Field.ADDRESS), record(4, 3) + bytes(20))
    for name, nibble, tail in (("transfer", 2, b""), ("to new", 6, owner + key)):
        for text, first, second, fee, amount, answer in (
            ("first 0", 0, 2, 0, 10, Field.FIRST),
            ("first outside", 64, 2, 0, 10, Field.FIRST),
            ("second 0", 1, 0, 0, 10, Field.SECOND),
            ("second outside", 1, 64, 0, 10, Field.SECOND),
            ("fee", 1, 2, 1 << 7 | 10, 10, Field.FEE_CODE),
            ("zero fee", 1, 2, 1 << 7, 10, Field.FEE_CODE),
            ("amount", 1, 2, 0, 1 << 27 | 10, Field.AMOUNT),
            ("both", 64, 64, 0, 10, Field.FIRST),
        ):
            short = record(nibble, first, second, fee, amount << 96)[:14]
            refused(f"{name} {text}", field_of(answer), short + tail)
    refused("withdraw first 0", field_of(Field.FIRST), record(3, 0, 0, 0, 10) + owner)
    refused("withdraw first outside", field_of(Field.FIRST), record(3, 64, 0, 0, 10) + owner)
    refused("withdraw second", field_of(Field.SECOND), record(3, 1, 1, 0, 10) + owner)
    refused("withdraw fee", field_of(Field.FEE_CODE), record(3, 1, 0, 1 << 7 | 10, 10) + owner)
    refused("withdraw address", field_of(Field.ADDRESS), record(3, 1, 0, 0, 10) + bytes(20))
    refused("key first 0", field_of(Field.FIRST), record(5, 0)[:14] + key)
    refused("key second", field_of(Field.SECOND), record(5, 1, 1)[:14] + key)
    refused("key amount", field_of(Field.AMOUNT), record(5, 1, 0, 0, 1 << 96)[:14] + key)
    refused("key ax", field_of(Field.AX), record(5, 1)[:14] + r + ay)
    refused("key ay", field_of(Field.AY), record(5, 1)[:14] + ax + r)
    refused("new address", field_of(Field.ADDRESS), record(6, 1, 2, 0, 10 << 96)[:14] + bytes(20) + key)
    refused("new ay", field_of(Field.AY), record(6, 1, 2, 0, 10 << 96)[:14] + owner + ax + r)
    refused("second record", field_of(Field.FIRST, at + 14), five[0], record(2, 64, 2)[:14])

    stored = [l1.request(i).hash for i in range(2)]

    def mismatch(step: str, number: int, *records: bytes) -> None:
        given = head + b"".join(records)
        error = reverts.RequestMismatch
        stage.do(
            step,
            lambda: l1.commit_batch(stage.headers[0], given, 1, sender=stage.address(OPERATOR)),
            error,
        )
        assert stage.log[-1][1][1] == number
        assert stage.log[-1][1][3] == stored[number]

    mismatch("exit before deposit", 0, exits)
    mismatch("another amount", 0, record(1, 0, 1, 0, 1001) + owner + key)
    mismatch("another token", 0, record(1, 0, 1, 0, 1000, 1) + owner + key)
    mismatch("another owner", 0, record(1, 0, 1, 0, 1000) + bob + key)
    mismatch("another key", 0, record(1, 0, 1, 0, 1000) + owner + ay + ax)
    mismatch("another account", 1, deposit, record(12, 2) + bob)
    mismatch("another requester", 1, deposit, record(12, 3) + owner)
    mismatch("deposit twice", 1, deposit, deposit)
    refused("a third request", reverts.NoSuchRequest(2), deposit, exits, exits)
    for wrong in (FR_MODULUS, (1 << 256) - 1):
        stage.do(
            "commitment",
            lambda wrong=wrong: l1.commit_batch(
                stage.headers[0], head, wrong, sender=stage.address(OPERATOR)
            ),
            reverts.NonCanonicalCommitment(wrong),
        )
    stage.forget(batch)
    stage.run()
    return stage.end()


def replays(deploy: Deploy) -> Log:
    """R1, R6: a proof holds for its chain, contract, batch number, root, queue and data, and nowhere else."""
    stage, twin = Stage(deploy), Stage(deploy, rollup_id=ROLLUP_ID + 1)
    for each in (stage, twin):
        each.deposit(ALICE, ETH, 1000)
        each.deposit(BOB, ETH, 500)
    first = stage.run()
    stage.submit(first, reverts.WrongBatchNumber(1, 2))
    twin.submit(first, reverts.WrongRollup(ROLLUP_ID, ROLLUP_ID + 1))
    same_id = Stage(deploy)
    if same_id.l1.address != stage.l1.address:
        same_id.deposit(ALICE, ETH, 1000)
        same_id.deposit(BOB, ETH, 500)
        same_id.submit(first, reverts.ProofRejected(1))
    elsewhere = stage.prove(replace(first.published, chain_id=stage.l1.chain_id + 1, batch_number=2))
    stage.submit(elsewhere, reverts.WrongChain(stage.l1.chain_id + 1, stage.l1.chain_id))
    second = stage.build([stage.pay_out(ALICE, 1, ETH, 10, 0)])
    stage.submit(stage.prove(replace(second.published, batch_number=3)), reverts.WrongBatchNumber(3, 2))
    genesis = replace(second.published, root_before=stage.settings.genesis_root)
    stage.submit(stage.prove(genesis), reverts.WrongRoot(stage.settings.genesis_root, stage.l1.root))
    for offset in (83, 99, 114, len(second.data) - 21, len(second.data) - 1):
        altered = bytearray(second.data)
        altered[offset] ^= 1
        stage.submit(second, reverts.ProofRejected(2), data=bytes(altered))
    stage.submit(replace(second, commitment=second.commitment - 1), reverts.ProofRejected(2))
    stage.submit(replace(second, proof=first.proof), reverts.ProofRejected(2))
    stage.submit(second)
    stage.submit(second, reverts.WrongBatchNumber(2, 3))
    return stage.end()


def freeze_by_deadline(deploy: Deploy) -> Log:
    """R8: when a request is not executed in time anyone freezes the contract, and everybody gets out."""
    stage = Stage(deploy)
    l1, stranger = stage.l1, stage.address(STRANGER)
    token = stage.token(TokenBehaviour.PLAIN)
    stage.freeze(reverts.NotDue(0, 0))
    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(BOB, token, 300)
    stage.deposit(CAROL, ETH, 5)
    stage.run()
    stage.run([stage.pay_out(ALICE, 1, ETH, 100, 0), stage.transfer(CAROL, 3, 1, ETH, 5, 0)])
    old = stage.headers[1]
    stage.exit(1, reverts.NotFrozen())
    request = stage.deposit_of(BOB, ETH, 50)
    stage.do("cancel", lambda: l1.cancel_deposit(3, request, sender=stranger), reverts.NotFrozen())

    stage.request_exit(BOB, 2)
    stage.deposit(BOB, ETH, 50)
    stage.deposit(DAVE, token, 60)
    stage.freeze(reverts.NotDue(3, l1.request(3).deadline))
    state = stage.state.snapshot()
    taken = stage.build([stage.pay_out(ALICE, 1, ETH, 200, 1)], take=1)
    stage.commit(taken)
    stage.prove_batch(taken)
    stage.mine_until(l1.request(3).deadline)
    stage.freeze(reverts.NotDue(3, l1.request(3).deadline))
    stage.overdue(3)
    stage.freeze()
    stage.freeze(reverts.Frozen())
    stage.state.restore(state)

    operator = stage.address(OPERATOR)
    frozen = reverts.Frozen()
    ax, ay = KEYS[ALICE].public_key
    header, proof = stage.headers[3], taken.proof
    stage.do("deposit", lambda: l1.deposit(ETH, 1, ax, ay, stranger, sender=stranger), frozen)
    stage.do("request", lambda: l1.request_exit(1, sender=stranger), frozen)
    stage.do("commit", lambda: l1.commit_batch(header, b"", 0, sender=operator), frozen)
    stage.do("prove", lambda: l1.prove_batch(header, proof, sender=operator), frozen)
    stage.do("execute", lambda: l1.execute_batch(header, taken.withdrawals, sender=operator), frozen)
    stage.do("submit", lambda: l1.submit_batch(header, b"", 0, proof, sender=operator), frozen)
    stage.do("conflict", lambda: l1.report_conflict(old, header, b"", 0, proof, sender=operator), frozen)
    stage.do("activate", lambda: l1.activate_verifier(sender=operator), frozen)

    stage.exit(1, reverts.UnknownBatch(1), header=old)
    stage.exit(1, reverts.UnknownBatch(3), header=header)
    stage.exit(1, reverts.ProofRejected(2), lie=1)
    stage.exit(1, reverts.ProofRejected(2), lie=-1)
    stage.do(
        "exit outside",
        lambda: l1.exit(stage.headers[2], 64, ETH, 0, stranger, proof, sender=stranger),
        reverts.OutsideTree(64, 64),
    )
    for account in (1, 2, 3):
        stage.exit(account)
        stage.exit(account, reverts.AlreadyExited(account))
        assert l1.exited(account)

    def cancel(number: int, deposit: Deposit, expected: Any = None) -> None:
        stage.do(f"cancel {number}", lambda: l1.cancel_deposit(number, deposit, sender=stranger), expected)

    bob, dave = stage.deposit_of(BOB, ETH, 50), stage.deposit_of(DAVE, token, 60)
    cancel(0, stage.deposit_of(ALICE, ETH, 1000), reverts.AlreadyConsumed(0, 3))
    cancel(2, stage.deposit_of(CAROL, ETH, 5), reverts.AlreadyConsumed(2, 3))
    cancel(6, dave, reverts.NoSuchRequest(6))
    cancel(3, bob, reverts.RequestMismatch)
    cancel(4, replace(bob, amount=51), reverts.RequestMismatch)
    cancel(5, bob, reverts.RequestMismatch)
    cancel(4, bob)
    cancel(4, bob, reverts.AlreadyCancelled(4))
    cancel(5, dave)
    stage.withdraw(ALICE, ETH)
    stage.withdraw(BOB, token)
    stage.withdraw(BOB, ETH)
    stage.withdraw(DAVE, token)
    stage.withdraw(CAROL, ETH, reverts.NothingPending(stage.address(CAROL), ETH))
    stage.nothing_is_left()
    return stage.end()


def frozen_leftovers(deploy: Deploy) -> Log:
    """When frozen, anyone may clear away what was committed and never proved; it changes no exit."""
    stage = Stage(deploy)
    l1, stranger = stage.l1, stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    stage.commit(stage.build())
    stage.overdue(0)
    stage.freeze()
    stage.do("clear", lambda: l1.revert_batches(0, sender=stranger))
    stage.do("again", lambda: l1.revert_batches(0, sender=stranger), reverts.NothingToRevert(0, 0, 0))
    stage.exit(1, reverts.ProofRejected(0), lie=1)
    deposit = stage.deposit_of(ALICE, ETH, 1000)
    stage.do("cancel", lambda: l1.cancel_deposit(0, deposit, sender=stranger))
    stage.withdraw(ALICE, ETH)
    stage.nothing_is_left()
    return stage.end()


def executed_in_time(deploy: Deploy) -> Log:
    """A due request that is executed before anyone freezes is no reason to freeze any more."""
    stage = Stage(deploy)
    stage.deposit(ALICE, ETH, 10)
    stage.deposit(BOB, ETH, 20)
    stage.overdue(1)
    stage.run(take=1)
    second = stage.build()
    stage.submit(second)
    stage.freeze(reverts.NotDue(2, 0))
    return stage.end()


def conflict(deploy: Deploy) -> Log:
    """R7: two valid proofs for one batch with different roots freeze the contract."""
    stage = Stage(deploy)
    l1, stranger = stage.l1, stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    stage.run()
    honest = stage.build([stage.pay_out(ALICE, 1, ETH, 100, 0)])
    known = stage.submit(honest)
    other = stage.prove(replace(honest.published, root_after=honest.published.root_after ^ 1))
    different = stage.prove(replace(honest.published, records=(), root_after=5))
    before = stage.headers[1]

    def report(
        step: str,
        expected: Any,
        batch: Batch = other,
        *,
        before: BatchHeader = before,
        known: BatchHeader = known,
        commitment: int | None = None,
        proof: Proof | None = None,
    ) -> None:
        given = batch.commitment if commitment is None else commitment
        stage.do(
            step,
            lambda: l1.report_conflict(
                before, known, batch.data, given, proof or batch.proof, sender=stranger
            ),
            expected,
        )

    report("genesis", reverts.UnknownBatch(0), known=stage.headers[0])
    report("a header of nothing", reverts.UnknownBatch(2), known=replace(known, root_after=1))
    report("a later batch", reverts.UnknownBatch(3), known=replace(known, number=3))
    report("another predecessor", reverts.UnknownBatch(0), before=stage.headers[0])
    report("a false predecessor", reverts.UnknownBatch(1), before=replace(before, next_index=9))
    report(
        "data of another batch",
        reverts.WrongBatchNumber(3, 2),
        stage.prove(replace(other.published, batch_number=3)),
    )
    report("other transactions", reverts.DifferentData, different)
    report("the same root", reverts.SameRoot(honest.published.root_after), honest)
    report("a false proof", reverts.ProofRejected(2), proof=honest.proof)
    report("a commitment above r", reverts.NonCanonicalCommitment(FR_MODULUS), commitment=FR_MODULUS)
    assert not l1.frozen
    report("two proofs", None)
    assert l1.frozen
    report("again", reverts.Frozen())
    stage.exit(1)
    stage.withdraw(ALICE, ETH)
    stage.nothing_is_left()
    return stage.end()


def conflict_before_execution(deploy: Deploy) -> Log:
    """R7: a conflict about a batch that is proved and not executed stops its execution; about one that is
    only committed there is none."""
    stage = Stage(deploy)
    l1, stranger = stage.l1, stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    stage.run()
    snapshot = stage.state.snapshot()
    honest = stage.build([stage.pay_out(ALICE, 1, ETH, 100, 0)])
    lie = stage.prove(replace(honest.published, root_after=7))
    stage.commit(lie)
    header = stage.headers[2]

    def report(expected: Any = None) -> None:
        stage.do(
            "report",
            lambda: l1.report_conflict(
                stage.headers[1], header, honest.data, honest.commitment, honest.proof, sender=stranger
            ),
            expected,
        )

    report(reverts.UnknownBatch(2))
    stage.prove_batch(lie)
    report()
    stage.execute(lie, reverts.Frozen())
    stage.state.restore(snapshot)
    stage.exit(1)
    stage.withdraw(ALICE, ETH)
    stage.nothing_is_left()
    return stage.end()


def verifier_timelock(deploy: Deploy) -> Log:
    """Verifiers are replaced after the delay only, not while a request is due, and never once frozen."""
    stage = Stage(deploy)
    l1, governor, stranger = stage.l1, stage.address(GOVERNOR), stage.address(STRANGER)
    stage.names[l1.verifier], stage.names[l1.exit_verifier] = "verifier", "exit verifier"
    stage.deposit(ALICE, ETH, 1000)
    stage.run()
    rejects = stage.verifier(VerifierBehaviour.REJECTS, "rejects")
    accepts = stage.verifier(VerifierBehaviour.ACCEPTS, "accepts")
    old = (l1.verifier, l1.exit_verifier)

    def propose(verifier: int, exit_verifier: int, expected: Any = None, sender: int = governor) -> None:
        stage.do("propose", lambda: l1.propose_verifier(verifier, exit_verifier, sender=sender), expected)

    def activate(expected: Any = None) -> None:
        stage.do("activate", lambda: l1.activate_verifier(sender=stranger), expected)

    operator = stage.address(OPERATOR)
    propose(accepts, accepts, reverts.NotGovernor(operator), sender=operator)
    propose(stranger, accepts, reverts.NoCode(stranger))
    propose(accepts, 0, reverts.NoCode(0))
    activate(reverts.NothingProposed())
    propose(accepts, accepts)
    first = l1.block_number
    activate(reverts.TooEarly)
    stage.mine_until(first + 10)
    propose(rejects, accepts)
    active_from = stage.names["active from"]
    assert active_from >= first + 10 - 1 + UPGRADE_DELAY
    stage.mine_until(active_from - 1)
    activate(reverts.TooEarly(active_from - 1, active_from))
    assert (l1.verifier, l1.exit_verifier) == old
    stage.mine_until(active_from)
    activate()
    assert (l1.verifier, l1.exit_verifier) == (rejects, accepts)
    activate(reverts.NothingProposed())
    stage.submit(stage.build([stage.pay_out(ALICE, 1, ETH, 1, 0)]), reverts.ProofRejected(2))

    propose(accepts, accepts)
    stage.request_exit(ALICE, 1)
    stage.overdue(1)
    stage.mine_until(max(l1.block_number, stage.names["active from"]))
    activate(reverts.RequestDue(1, l1.request(1).deadline))
    stage.freeze()
    activate(reverts.Frozen())
    propose(accepts, rejects)
    return stage.end()


def collusion(deploy: Deploy) -> Log:
    """R8: a governor with false verifiers and an operator who withholds cannot hold anybody who asks to leave
    when the verifiers are proposed: the request is due before, the contract freezes, the old verifier judges.
    """
    stage = Stage(deploy)
    l1, governor, stranger = stage.l1, stage.address(GOVERNOR), stage.address(STRANGER)
    stage.deposit(ALICE, ETH, 1000)
    stage.deposit(BOB, ETH, 500)
    stage.run()
    false = stage.verifier(VerifierBehaviour.ACCEPTS, "false verifier")
    stage.names[l1.verifier], stage.names[l1.exit_verifier] = "verifier", "exit verifier"
    stage.do("propose", lambda: l1.propose_verifier(false, false, sender=governor))
    stage.request_exit(ALICE, 1)
    theft = stage.prove(replace(stage.build(take=0).published, root_after=666))
    stage.submit(replace(theft, proof=stamp((0, 0, 0))), reverts.ProofRejected(2))
    stage.mine_until(stage.names["active from"])
    activate = lambda: l1.activate_verifier(sender=governor)  # noqa: E731
    stage.do("activate", activate, reverts.RequestDue(2, l1.request(2).deadline))
    stage.freeze()
    stage.do("activate", activate, reverts.Frozen())
    stage.exit(1, reverts.ProofRejected(1), lie=500)
    stage.exit(1)
    stage.exit(2)
    for person in (ALICE, BOB):
        stage.withdraw(person, ETH)
    stage.do(
        "nothing is left for others",
        lambda: l1.withdraw(governor, ETH, sender=stranger),
        reverts.NothingPending(governor, ETH),
    )
    stage.nothing_is_left()
    return stage.end()


def operator_change(deploy: Deploy) -> Log:
    """The operator names its successor; nobody else does."""
    stage = Stage(deploy)
    l1, operator, dave = stage.l1, stage.address(OPERATOR), stage.address(DAVE)

    def hand_over(to: int, sender: int, expected: Any = None) -> None:
        stage.do("hand over", lambda: l1.transfer_operator(to, sender=sender), expected)

    governor = stage.address(GOVERNOR)
    hand_over(dave, governor, reverts.NotOperator(governor))
    hand_over(0, operator, reverts.ZeroAddress())
    hand_over(dave, operator)
    hand_over(operator, operator, reverts.NotOperator(operator))
    batch = stage.build()
    stage.submit(batch, reverts.NotOperator(operator))
    stage.commit(batch, reverts.NotOperator(operator))
    stage.submit(batch, sender=DAVE)
    return stage.end()


def full_slots(deploy: Deploy) -> Log:
    """A batch with a request in every slot, one without any record, and one of paddings alone after it."""
    stage = Stage(deploy)
    for amount in range(1, 5):
        stage.deposit(ALICE, ETH, amount)
    stage.run()
    assert stage.l1.requests_consumed == 4
    stage.run()
    stage.run(fee_entries=((ETH, 1),))
    assert stage.l1.root == stage.state.root
    return stage.end()


def lapsed_proposal(deploy: Deploy) -> Log:
    """A proposal can be activated for as long as users waited for it, and no longer; the governor may take
    it back; the next one waits anew."""
    stage = Stage(deploy)
    l1, governor, stranger = stage.l1, stage.address(GOVERNOR), stage.address(STRANGER)
    stage.names[l1.verifier], stage.names[l1.exit_verifier] = "verifier", "exit verifier"
    first, second = (
        stage.verifier(VerifierBehaviour.ACCEPTS, name) for name in ("first verifier", "second verifier")
    )
    old = (l1.verifier, l1.exit_verifier)

    def propose(verifier: int) -> int:
        stage.do("propose", lambda: l1.propose_verifier(verifier, first, sender=governor))
        active_from: int = stage.names["active from"]
        return active_from

    def activate(expected: Any = None) -> None:
        stage.do("activate", lambda: l1.activate_verifier(sender=stranger), expected)

    def cancel(expected: Any = None, sender: int = governor) -> None:
        stage.do("cancel", lambda: l1.cancel_proposal(sender=sender), expected)

    cancel(reverts.NothingProposed())
    propose(first)
    for sender in (stage.address(OPERATOR), stranger):
        cancel(reverts.NotGovernor(sender), sender=sender)
    cancel()
    cancel(reverts.NothingProposed())
    activate(reverts.NothingProposed())

    until = propose(first) + UPGRADE_DELAY
    stage.mine_until(until + 1)
    activate(reverts.ProposalLapsed(until + 1, until))
    stage.mine_until(until + 1000)
    activate(reverts.ProposalLapsed(until + 1000, until))
    assert (l1.verifier, l1.exit_verifier) == old

    active_from = propose(second)
    assert active_from > until + 1000
    activate(reverts.TooEarly)
    stage.mine_until(active_from - 1)
    activate(reverts.TooEarly(active_from - 1, active_from))
    stage.mine_until(active_from + UPGRADE_DELAY)
    activate()
    assert (l1.verifier, l1.exit_verifier) == (second, first)

    until = propose(first) + UPGRADE_DELAY
    stage.request_exit(ALICE, 1)
    stage.overdue(0)
    stage.mine_until(until + 1)
    activate(reverts.ProposalLapsed(until + 1, until))
    cancel()
    activate(reverts.NothingProposed())
    propose(second)
    stage.freeze()
    cancel()
    return stage.end()


OPERATOR_WALLET = DAVE
"""Whose account on L2 takes the fees."""

SCENARIOS: dict[str, Callable[[Deploy], Log]] = {
    scenario.__name__: scenario
    for scenario in (
        deployment,
        own_rollup_id,
        tokens_and_deposits,
        deposit_for_somebody_else,
        withdrawals_once,
        forced_exits,
        refunded_deposits,
        every_kind,
        steps_apart,
        credited_in_parts,
        reverted_batches,
        silent_operator,
        malformed_headers,
        malformed_records,
        replays,
        freeze_by_deadline,
        frozen_leftovers,
        executed_in_time,
        conflict,
        conflict_before_execution,
        verifier_timelock,
        lapsed_proposal,
        collusion,
        operator_change,
        full_slots,
    )
}


def reverts_in(logs: Iterable[Sequence[Any]]) -> set[str]:
    """The names of all errors that some step of these logs ended with."""
    return {entry[1][0] for log in logs for entry in log if len(entry) > 1 and isinstance(entry[1], tuple)}
