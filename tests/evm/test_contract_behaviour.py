"""What the contract does that no model has: who calls back, who refuses payment, what calldata can look like.

Everything that it shares with the model is compared in tests/l1.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("pyrevm", reason="pyrevm is not installed: pip install 'zkrollup[l1]'")

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.bn254.fields import sqrt
from zkrollup.crypto.babyjubjub import BASE8
from zkrollup.l1 import reverts
from zkrollup.l1.events import (
    BatchCommitted,
    BatchExecuted,
    BatchProved,
    ProposalCancelled,
    WithdrawalPaid,
    WithdrawalPending,
    WithdrawalsLeft,
)
from zkrollup.l1.evm.verifier_code import verifier_creation_code
from zkrollup.l1.headers import BatchHeader, genesis_header
from zkrollup.l1.interface import TokenBehaviour, VerifierBehaviour
from zkrollup.l1.reverts import ConfigItem
from zkrollup.l1.solidity import selector
from zkrollup.testing.proofs import SimulatedKey

from . import rollup_driver as driver

OPERATOR = driver.DEPLOYER
CALLS_BACK, GOES_SILENT, BEGINS_SILENT = 5, 6, 7  # MockToken's
CAPACITY = 1 << 32
ROOT, SLOTS, NO_PROOF = 1234, 8, (0,) * 8
LOCKED = [
    "deposit", "requestExit", "withdraw", "commitBatch", "proveBatch", "executeBatch", "submitBatch",
    "revertBatches", "freeze", "reportConflict", "exit", "cancelDeposit", "activateVerifier",
    "executeWithoutCredits", "creditWithdrawals",
]  # fmt: skip


class World:
    """A rollup of 8 slots, depth 16 and no fee entries, from a genesis of root 1234."""

    def __init__(
        self, verifier: int | None = None, *, slots: int = SLOTS, chain: driver.Chain | None = None
    ) -> None:
        self.slots = slots
        self.chain = chain or driver.Chain()
        self.verifier = verifier or self.deploy("MockVerifier", VerifierBehaviour.ACCEPTS).address
        configuration = (
            self.verifier, self.verifier, OPERATOR, OPERATOR, 0, ROOT, 1, slots, 16, 0, 1 << 96, 100, 50, 200
        )  # fmt: skip
        self.rollup = self.deploy("Rollup", configuration)
        self.last = genesis_header(ROOT, 1)

    def deploy(self, name: str, *arguments: Any) -> Any:
        return driver.Contract(self.chain, name, *arguments)

    def deploy_code(self, runtime: bytes) -> int:
        """Where a contract with this code is."""
        creation = bytes.fromhex(f"61{len(runtime):04x}80600a3d393df3") + runtime
        return int(self.chain.evm.deploy(driver.hex_address(OPERATOR), creation), 16)

    def data(self, *records: bytes, root_after: int = 99) -> bytes:
        """Data of the batch that follows."""
        return b"".join((
            b"\x02",
            (1).to_bytes(8, "big"),
            self.rollup.address.to_bytes(20, "big"),
            (self.last.number + 1).to_bytes(8, "big"),
            self.slots.to_bytes(4, "big"),
            (1).to_bytes(5, "big") * 2,
            self.last.root_after.to_bytes(32, "big"),
            root_after.to_bytes(32, "big"),
            *records,
        ))  # fmt: skip

    def submit(self, *records: bytes) -> None:
        self.last = driver.header(
            self.rollup.submitBatch(self.last, self.data(*records), 7, NO_PROOF, sender=OPERATOR)
        )

    def pay(self, *payments: tuple[int, int, int]) -> None:
        """A batch with withdrawals: owner, token, amount of each. What is paid was deposited before."""
        for _, token, amount in payments:
            if token == 0:
                self.rollup.deposit(0, amount, *BASE8, OPERATOR, value=amount)
        self.submit(
            *(self._queued(amount) for _, token, amount in payments if token == 0), *map(withdraw, payments)
        )

    def _queued(self, amount: int) -> bytes:
        key = b"".join(part.to_bytes(32, "big") for part in BASE8)
        e0 = 1 << 236 | 5 << 172 | amount << 32
        return e0.to_bytes(30, "big") + OPERATOR.to_bytes(20, "big") + key


def withdraw(payment: tuple[int, int, int]) -> bytes:
    """The record of a withdrawal from account 3."""
    owner, token, amount = payment
    return (3 << 236 | 3 << 204 | amount << 32 | token).to_bytes(30, "big") + owner.to_bytes(20, "big")


def zeros(entries: list[dict[str, Any]]) -> list[Any]:
    """Arguments of these types that mean nothing."""
    sizes = {"bytes": b"", "uint256[8]": NO_PROOF}
    return [(0,) * 11 if item["type"] == "tuple" else sizes.get(item["type"], 0) for item in entries]


def callback(world: World, name: str) -> bytes:
    return world.rollup.data(name, *zeros(world.rollup.abi[name]["inputs"]))  # type: ignore[no-any-return]


def refusal(answer: bytes) -> bytes:
    """The error's selector in what a mock kept of a call back (an abi-encoded bytes)."""
    return answer[64:68]


# -- deployment and registration --------------------------------------------------------------------


def configuration(default: int, **changes: int) -> tuple[int, ...]:
    """The constructor's argument with some members changed."""
    members = {
        "verifier": default, "exit_verifier": default, "operator": 1, "governor": 2, "rollup_id": 0,
        "genesis_root": 0, "genesis_next_index": 1, "slots": 8, "depth": 16, "fee_tokens": 2,
        "deposit_cap": 1 << 96, "request_lifetime": 100, "operator_delay": 0, "upgrade_delay": 101,
    }  # fmt: skip
    assert changes.keys() <= members.keys()
    return tuple((members | changes).values())


@pytest.mark.parametrize(
    ("item", "changes"),
    [
        (ConfigItem.GENESIS_ROOT, {"genesis_root": R}),
        (ConfigItem.GENESIS_ROOT, {"genesis_root": (1 << 256) - 1}),
        (ConfigItem.GENESIS_NEXT_INDEX, {"genesis_next_index": 0}),
        (ConfigItem.GENESIS_NEXT_INDEX, {"genesis_next_index": CAPACITY + 1}),
        (ConfigItem.GENESIS_NEXT_INDEX, {"genesis_next_index": 5, "depth": 1}),
        (ConfigItem.SLOTS, {"slots": 0}),
        (ConfigItem.SLOTS, {"slots": (1 << 20) + 1}),
        (ConfigItem.DEPTH, {"depth": 0}),
        (ConfigItem.DEPTH, {"depth": 17}),
        (ConfigItem.FEE_TOKENS, {"fee_tokens": 17}),
        (ConfigItem.DEPOSIT_CAP, {"deposit_cap": 0}),
        (ConfigItem.DEPOSIT_CAP, {"deposit_cap": 1 << 128}),
        (ConfigItem.REQUEST_LIFETIME, {"request_lifetime": 0}),
    ],
)
def test_deployment__refuses_what_no_rollup_can_have(item: ConfigItem, changes: dict[str, int]) -> None:
    world = World()
    with pytest.raises(reverts.InvalidConfig) as caught:
        world.deploy("Rollup", configuration(world.verifier, **changes))
    assert caught.value.item == item


def test_deployment__takes_the_greatest_and_the_least_values() -> None:
    world = World()
    greatest = {
        "genesis_root": R - 1, "genesis_next_index": CAPACITY, "slots": 1 << 20, "fee_tokens": 16,
        "deposit_cap": (1 << 128) - 1, "request_lifetime": (1 << 32) - 2, "upgrade_delay": (1 << 32) - 1,
    }  # fmt: skip
    least = {
        "slots": 1,
        "depth": 1,
        "fee_tokens": 0,
        "deposit_cap": 1,
        "request_lifetime": 1,
        "upgrade_delay": 2,
    }
    for changes in (greatest, least):
        rollup = world.deploy("Rollup", configuration(world.verifier, **changes))
        assert rollup.number("slots") == changes["slots"]
        assert rollup.number("lastExecutedBlock") == world.chain.block_number


@pytest.mark.parametrize("delay", [99, 100])
def test_deployment__refuses_an_upgrade_before_a_request_is_due(delay: int) -> None:
    world = World()
    with pytest.raises(reverts.UpgradeDelayTooShort):
        world.deploy("Rollup", configuration(world.verifier, upgrade_delay=delay))


@pytest.mark.parametrize("member", ["operator", "governor"])
def test_deployment__refuses_powers_of_nobody(member: str) -> None:
    world = World()
    with pytest.raises(reverts.ZeroAddress):
        world.deploy("Rollup", configuration(world.verifier, **{member: 0}))


@pytest.mark.parametrize("member", ["verifier", "exit_verifier"])
def test_deployment__refuses_a_verifier_without_code(member: str) -> None:
    world = World()
    with pytest.raises(reverts.NoCode):
        world.deploy("Rollup", configuration(world.verifier, **{member: 8}))


PROPOSAL = ("proposedVerifier", "proposedExitVerifier", "activeFrom")


def proposed() -> tuple[World, int]:
    """A world with a proposal of block 1: the same verifier of batches and another one of exits."""
    world = World()
    other = world.deploy("MockVerifier", VerifierBehaviour.REJECTS).address
    world.rollup.proposeVerifier(world.verifier, other)
    assert [world.rollup.number(name) for name in PROPOSAL] == [world.verifier, other, 1 + 200]
    return world, other


@pytest.mark.parametrize("block", [1 + 200, 1 + 2 * 200])
def test_activation__forgets_the_proposal(block: int) -> None:
    world, other = proposed()
    world.chain.mine(block - world.chain.block_number)
    world.rollup.activateVerifier()
    assert [world.rollup.number(name) for name in PROPOSAL] == [0, 0, 0]
    assert (world.rollup.number("verifier"), world.rollup.number("exitVerifier")) == (world.verifier, other)


@pytest.mark.parametrize(
    ("block", "expected"),
    [(200, reverts.TooEarly(200, 201)), (402, reverts.ProposalLapsed(402, 401))],
)
def test_activation__outside_the_window_says_when_it_was(block: int, expected: reverts.Revert) -> None:
    """R8: whoever looks at the last two delays knows every proposal that can be activated."""
    world, other = proposed()
    world.chain.mine(block - world.chain.block_number)
    with pytest.raises(type(expected)) as caught:
        world.rollup.activateVerifier()
    assert caught.value.values() == expected.values()
    assert world.rollup.number("exitVerifier") == world.verifier != other


def test_proposal__cancelled_by_the_governor_is_forgotten() -> None:
    world, other = proposed()
    with pytest.raises(reverts.NotGovernor):
        world.rollup.cancelProposal(sender=0x57A)
    world.rollup.cancelProposal()
    assert world.chain.events() == [ProposalCancelled(world.verifier, other)]
    assert [world.rollup.number(name) for name in PROPOSAL] == [0, 0, 0]
    world.chain.mine(200)
    with pytest.raises(reverts.NothingProposed):
        world.rollup.activateVerifier()


def test_proposal__made_again_waits_anew() -> None:
    """R8: the time that an earlier proposal waited does not count."""
    world, other = proposed()
    world.chain.mine(150)
    world.rollup.proposeVerifier(other, other)
    assert world.rollup.number("activeFrom") == 151 + 200
    world.chain.mine(199)
    with pytest.raises(reverts.TooEarly):
        world.rollup.activateVerifier()
    world.chain.mine()
    world.rollup.activateVerifier()
    assert world.rollup.number("verifier") == other


def test_request__that_nobody_made_is_not_told() -> None:
    with pytest.raises(reverts.NoSuchRequest):
        World().rollup.requests(0)


# -- payments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [BEGINS_SILENT, GOES_SILENT])
def test_deposit__token_that_tells_no_balance_is_refused(behaviour: int) -> None:
    """R4: deposits credit the amount received, which nobody knows here."""
    world = World()
    token = world.deploy("MockToken", behaviour)
    token.mint(OPERATOR, 10)
    token.approve(world.rollup.address, 10)
    world.rollup.registerToken(token.address)
    with pytest.raises(reverts.TransferFailed):
        world.rollup.deposit(1, 10, *BASE8, OPERATOR)
    assert world.rollup.number("numRequests") == 0


ORDER_4 = (sqrt(pow(168700, -1, R), R), 0)
"""A point of BabyJubJub whose y is that of an empty leaf."""


@pytest.mark.parametrize("key", [ORDER_4, (ORDER_4[0], R), (R, 1), (BASE8[0] + R, BASE8[1]), (1, 1)])
def test_deposit__for_a_key_that_no_account_may_have_is_refused(key: tuple[int, int]) -> None:
    """On the curve and canonical, y not 0; modulo r all of these but the last are on the curve."""
    world = World()
    with pytest.raises(reverts.InvalidKey):
        world.rollup.deposit(0, 5, *key, OPERATOR, value=5)
    world.rollup.deposit(0, 5, 0, 1, OPERATOR, value=5)


RETURNS, REVERTS = "f3", "fd"


def answer(word: int, size: int = 32, how: str = RETURNS) -> bytes:
    """Code of 41 bytes that answers with so many bytes of memory, which begin with this word."""
    return bytes.fromhex(f"7f{word:064x}60005260{size:02x}6000{how}")


def odd_token(world: World, balance: bytes, transfer: bytes) -> None:
    """Registers a token that says this of every balance, and this to every transfer, and moves nothing."""
    is_balance = "60003560e01c6370a0823114" + "6038" + "57"  # a jump to 15 + 41
    token = world.deploy_code(bytes.fromhex(is_balance) + transfer + b"\x5b" + balance)
    world.rollup.registerToken(token)


@pytest.mark.parametrize(
    "transfer", [answer(1), answer(1, size=64), answer(0, size=0)], ids=["true", "true and more", "nothing"]
)
def test_deposit__of_which_nothing_arrives_is_refused(transfer: bytes) -> None:
    """R4: deposits credit the amount received, whatever the token says."""
    world = World()
    odd_token(world, answer(7), transfer)
    with pytest.raises(reverts.ZeroAmount):
        world.rollup.deposit(1, 10, *BASE8, OPERATOR)
    assert world.rollup.number("numRequests") == 0


@pytest.mark.parametrize(
    ("balance", "transfer"),
    [
        (answer(7, how=REVERTS), answer(1)),
        (answer(7, size=31), answer(1)),
        (answer(7, size=0), answer(1)),
        (answer(7), answer(0)),
        (answer(7), answer(2)),
        (answer(7), answer(1 << 255)),
        (answer(1), answer(0, size=31)),  # behind it lies the 1 that was the balance
        (answer(1), answer(0, size=1)),
        (answer(7), answer(1, how=REVERTS)),
        (answer(7), answer(1, size=0, how=REVERTS)),
    ],
)
def test_deposit__token_that_does_not_answer_as_a_token_is_refused(balance: bytes, transfer: bytes) -> None:
    """R4."""
    world = World()
    odd_token(world, balance, transfer)
    with pytest.raises(reverts.TransferFailed):
        world.rollup.deposit(1, 10, *BASE8, OPERATOR)


@pytest.mark.parametrize(
    "code",
    [
        answer(0),
        answer(2),
        answer(1 << 255),
        answer(1, size=0),
        answer(1, how=REVERTS),
        answer(1, size=0, how=REVERTS),
    ],
)
def test_verifier__that_does_not_say_that_a_proof_holds_accepts_none(code: bytes) -> None:
    """R3: only a word that is 1, returned, is a yes."""
    world = World()
    for verifier, accepts in ((answer(1), True), (answer(1, size=64), True), (code, False)):
        other = World(world.deploy_code(verifier), chain=world.chain)
        if accepts:
            other.submit()
        else:
            with pytest.raises(reverts.ProofRejected):
                other.submit()


@pytest.mark.parametrize("name", LOCKED)
def test_deposit__token_that_calls_back_is_refused_whatever_it_calls(name: str) -> None:
    world = World()
    token = world.deploy("MockToken", CALLS_BACK)
    world.rollup.registerToken(token.address)
    token.mint(OPERATOR, 1000)
    token.approve(world.rollup.address, 1000)
    token.callInTransfers(world.rollup.address, callback(world, name))
    world.rollup.deposit(1, 600, *BASE8, OPERATOR)
    assert refusal(token.answer()) == selector(reverts.Reentered)
    assert world.rollup.number("numRequests") == 1
    world.rollup.deposit(1, 400, *BASE8, OPERATOR)  # unlocked again
    assert world.rollup.number("numRequests") == 2


def test_every_function_that_moves_anything__is_locked_or_has_nothing_to_lock() -> None:
    abi = World().rollup.abi
    changing = {name for name, entry in abi.items() if entry["stateMutability"] in ("nonpayable", "payable")}
    assert changing == {*LOCKED, "registerToken", "proposeVerifier", "cancelProposal", "transferOperator"}


@pytest.mark.parametrize("name", ["withdraw", "submitBatch", "deposit"])
def test_withdraw__receiver_that_calls_back_is_refused_and_paid_once(name: str) -> None:
    """R2: a withdrawal is paid once."""
    world = World()
    receiver = world.deploy("MockReenterer")
    again = (
        world.rollup.data("withdraw", receiver.address, 0) if name == "withdraw" else callback(world, name)
    )
    receiver.callInReceipts(world.rollup.address, again)
    world.pay((receiver.address, 0, 50), (0xB0B, 0, 70))
    world.rollup.withdraw(receiver.address, 0)
    assert world.chain.events() == [WithdrawalPaid(receiver.address, 0, 50)]
    assert refusal(receiver.answer()) == selector(reverts.Reentered)
    assert world.chain.evm.get_balance(driver.hex_address(receiver.address)) == 50
    with pytest.raises(reverts.NothingPending):
        world.rollup.withdraw(receiver.address, 0)
    assert world.chain.evm.get_balance(driver.hex_address(world.rollup.address)) == 70


def test_withdraw__receiver_that_refuses_blocks_only_itself() -> None:
    world = World()
    refuser = world.deploy("MockRefuser").address
    world.pay((refuser, 0, 50), (0xB0B, 0, 70))
    with pytest.raises(reverts.TransferFailed) as caught:
        world.rollup.withdraw(refuser, 0)
    assert (caught.value.token, caught.value.amount) == (0, 50)
    assert world.rollup.number("pending", refuser, 0) == 50
    world.rollup.withdraw(0xB0B, 0)
    assert world.chain.evm.get_balance(driver.hex_address(0xB0B)) == 70
    world.pay((0xB0B, 0, 1))  # batches go on


@pytest.mark.parametrize("behaviour", [TokenBehaviour.PLAIN, TokenBehaviour.NO_RETURN])
def test_withdraw__pays_tokens_that_return_true_or_nothing(behaviour: TokenBehaviour) -> None:
    world = World()
    token = world.deploy("MockToken", behaviour)
    world.rollup.registerToken(token.address)
    token.mint(world.rollup.address, 90)
    world.pay((0xB0B, 1, 90))
    world.rollup.withdraw(0xB0B, 1)
    assert token.number("balanceOf", 0xB0B) == 90


def test_withdraw__token_without_code_pays_nobody() -> None:
    world = World()
    world.pay((0xB0B, 9, 90))  # a number that was never given
    with pytest.raises(reverts.TransferFailed):
        world.rollup.withdraw(0xB0B, 9)
    assert world.rollup.number("pending", 0xB0B, 9) == 90


def test_contract__takes_no_eth_but_deposits() -> None:
    world = World()
    for data in (b"", b"\xff" * 4, callback(world, "freeze"), callback(world, "withdraw")):
        with pytest.raises(driver.BareRevert):
            world.chain.call(OPERATOR, world.rollup.address, data, value=1)


@pytest.mark.parametrize("member", [0, 3, 4, 10])
def test_header__number_too_large_for_its_type_is_no_header(member: int) -> None:
    """R3: only stored commitments count, in one form."""
    world = World()
    words = [0, 0, ROOT, 1, *(0,) * 7]
    words[member] += 1 << 64
    with pytest.raises((reverts.UnknownBatch, driver.BareRevert)):
        world.rollup.commitBatch(words, world.data(), 7)
    words[member] -= 1 << 64
    world.rollup.commitBatch(words, world.data(), 7)


def test_submit__logs_what_the_three_steps_log() -> None:
    world, other = World(), World()
    world.submit(withdraw((0xB0B, 0, 5)), withdraw((0xB0B, 0, 0)), withdraw((0xA1, 2, 1)))
    at_once = world.chain.events()
    header = driver.header(
        other.rollup.commitBatch(
            other.last, other.data(*map(withdraw, [(0xB0B, 0, 5), (0xB0B, 0, 0), (0xA1, 2, 1)])), 7
        )
    )
    steps = other.chain.events()
    other.rollup.proveBatch(header, NO_PROOF)
    steps += other.chain.events()
    other.rollup.executeBatch(header, packed((0xB0B, 0, 5), (0xA1, 2, 1)))
    steps += other.chain.events()
    assert [type(event) for event in at_once] == [
        BatchCommitted, BatchProved, BatchExecuted, WithdrawalPending, WithdrawalPending
    ]  # fmt: skip
    assert at_once == steps


@pytest.mark.parametrize("apart", [True, False])
def test_execution__keeps_the_operator_s_turn_for_the_delay(apart: bool) -> None:
    """R4: anyone submits only when no batch was executed for the operator delay, by whichever call."""
    world, stranger, delay = World(), 0x57A, 50
    world.chain.mine(delay)
    if apart:
        world.last = driver.header(world.rollup.commitBatch(world.last, world.data(), 7))
        world.rollup.proveBatch(world.last, NO_PROOF)
        world.rollup.executeBatch(world.last, b"", sender=stranger)
    else:
        world.submit()
    assert world.rollup.number("lastExecutedBlock") == world.chain.block_number
    world.chain.mine(delay)
    with pytest.raises(reverts.NotOperator):
        world.rollup.submitBatch(world.last, world.data(), 7, NO_PROOF, sender=stranger)
    world.chain.mine()
    world.rollup.submitBatch(world.last, world.data(), 7, NO_PROOF, sender=stranger)
    assert world.rollup.number("executed") == 2


BLOCK_GAS = 30_000_000
TRANSACTION_GAS = 1 << 24  # EIP-7825's bound


def packed(*payments: tuple[int, int, int]) -> bytes:
    """As {executeBatch} takes them."""
    return b"".join(
        owner.to_bytes(20, "big") + token.to_bytes(4, "big") + amount.to_bytes(16, "big")
        for owner, token, amount in payments
    )


def test_batch__that_no_block_can_credit_is_executed_and_credited_in_parts() -> None:
    """R2, R4: nobody can hold the rollup up by payments that were proved."""
    count = 1_300
    world = World(slots=count)

    def gas_of(limit: int, name: str, *arguments: Any) -> int:
        world.chain.evm.message_call(
            driver.hex_address(OPERATOR),
            driver.hex_address(world.rollup.address),
            calldata=world.rollup.data(name, *arguments),
            gas=limit,
        )
        return world.chain.gas

    payments = [(0xA0 << 152 | i, 1, 1 + i) for i in range(count)]
    data = world.data(*map(withdraw, payments))
    assert gas_of(TRANSACTION_GAS, "commitBatch", world.last, data, 7) < TRANSACTION_GAS
    header = next(event.header for event in world.chain.events() if isinstance(event, BatchCommitted))
    world.rollup.proveBatch(header, NO_PROOF)
    with pytest.raises(RuntimeError, match="OutOfGas"):
        gas_of(BLOCK_GAS, "executeBatch", header, packed(*payments))
    assert world.rollup.number("executed") == 0
    assert gas_of(BLOCK_GAS, "executeWithoutCredits", header) < 100_000
    world.last = header
    world.submit(withdraw((0xB0B, 1, 5)))  # batches go on
    for begin in range(0, count, 500):
        used = gas_of(TRANSACTION_GAS, "creditWithdrawals", 1, packed(*payments[begin:]), 500)
        assert used < TRANSACTION_GAS
    assert world.rollup.number("uncredited", 1) == 0
    assert [world.rollup.number("pending", owner, 1) for owner, _, _ in payments] == [*range(1, count + 1)]
    with pytest.raises(reverts.NothingUncredited):
        world.rollup.creditWithdrawals(1, packed(*payments), 500)


@pytest.mark.parametrize("count", [2, 3, (1 << 256) // 40, (1 << 256) // 40 + 1, (1 << 256) - 1])
def test_credits__of_more_than_there_are_are_all_of_them(count: int) -> None:
    world = World()
    payments = [(0xA1, 0, 5), (0xA2, 0, 6)]
    world.last = driver.header(world.rollup.commitBatch(world.last, world.data(*map(withdraw, payments)), 7))
    world.rollup.proveBatch(world.last, NO_PROOF)
    world.rollup.executeWithoutCredits(world.last)
    world.rollup.creditWithdrawals(1, packed(*payments), count)
    assert world.chain.events() == [
        WithdrawalsLeft(1, bytes(32)), WithdrawalPending(0xA1, 0, 5), WithdrawalPending(0xA2, 0, 6)
    ]  # fmt: skip
    with pytest.raises(reverts.NothingUncredited):
        world.rollup.creditWithdrawals(1, packed(*payments), count)


def test_fee_entries__name_a_token_once_wherever_they_stand() -> None:
    """Each pair of four entries is compared."""
    world = World()
    world.rollup = world.deploy("Rollup", configuration(world.verifier, fee_tokens=4, genesis_root=ROOT))
    for first, second in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]:
        tokens = [10, 11, 12, 13]
        tokens[second] = tokens[first]
        data = world.data(*(token.to_bytes(4, "big") + (9).to_bytes(4, "big") for token in tokens))
        if first == second:
            world.rollup.previewBatch(world.last, data, 7)
            continue
        with pytest.raises(reverts.NonCanonical) as caught:
            world.rollup.previewBatch(world.last, data, 7)
        assert (caught.value.field, caught.value.offset) == (reverts.Field.FEE_TOKEN, 115 + 8 * second)


# -- with the verifier of a key ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> SimulatedKey:
    return SimulatedKey()


def real(key: SimulatedKey) -> World:
    chain_of = World()
    code = verifier_creation_code(key.verifying_key, allow_insecure=True)
    address = int(chain_of.chain.evm.deploy(driver.hex_address(OPERATOR), code), 16)
    chain_of.rollup.proposeVerifier(address, address)
    chain_of.chain.mine(200)
    chain_of.rollup.activateVerifier()
    return chain_of


def words_of(proof: Any) -> list[int]:
    data = proof.to_bytes()
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, 256, 32)]


def test_submit__takes_the_proof_of_its_three_inputs_and_no_other(key: SimulatedKey) -> None:
    """R1, R6, V9: the proof belongs to (C, z, y) of this data on this chain for this contract."""
    world = real(key)
    data = world.data(withdraw((0xB0B, 0, 5)))
    header: BatchHeader = driver.header(world.rollup.previewBatch(world.last, data, 7))
    inputs = [header.commitment, header.challenge, header.fingerprint]
    proof = words_of(key.unsafe_prove(inputs))
    for place in range(8):
        for changed in (0, proof[place] + 1, proof[place] ^ 1 << 255, (1 << 256) - 1):
            with pytest.raises(reverts.ProofRejected):
                world.rollup.submitBatch(world.last, data, 7, [*proof[:place], changed, *proof[place + 1 :]])
    for place in range(3):
        other = list(inputs)
        other[place] = (other[place] + 1) % R
        with pytest.raises(reverts.ProofRejected):
            world.rollup.submitBatch(world.last, data, 7, words_of(key.unsafe_prove(other)))
    with pytest.raises(reverts.ProofRejected):
        world.rollup.submitBatch(world.last, data, 8, proof)
    with pytest.raises(reverts.ProofRejected):
        world.rollup.submitBatch(world.last, data[:-1] + b"\x0c", 7, proof)
    world.rollup.submitBatch(world.last, data, 7, proof)
    assert world.rollup.number("executed") == 1
    with pytest.raises(reverts.UnknownBatch):
        world.rollup.submitBatch(world.last, data, 7, proof)
