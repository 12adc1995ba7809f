"""What is the model's own: its verifiers, its world, and calls from within a payment.

What the contract decides is played by the scenarios, on every backend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import Config, KeyVerifier, RollupContract, World, reverts
from zkrollup.l1.interface import ETH, TokenBehaviour, VerifierBehaviour
from zkrollup.l1.world import ACCOUNTS, InsecureKey, InsufficientFunds, TokenRefuses
from zkrollup.state import BatchParameters
from zkrollup.state.exceptions import InvalidParameter, OutOfRange
from zkrollup.state.public_data import commitment, encode, public_data, public_inputs
from zkrollup.testing.rollup import (
    CHAIN_ID,
    CONTRACT,
    SimulatedKey,
    SimulatedRollup,
    make_wallets,
    unsafe_accept_any_proof,
)

PARAMETERS = BatchParameters(slots=6, depth=3, fee_tokens=1)
WALLETS = make_wallets(5)
KEY = SimulatedKey()


@pytest.fixture
def rollup() -> SimulatedRollup:
    """Accounts 1 and 2 with 1000 of token 7 each; proofs are not looked at."""
    accounts = [WALLETS[1].account(), WALLETS[2].account()]
    return SimulatedRollup(PARAMETERS, accounts, key=KEY, verifier=unsafe_accept_any_proof)


@pytest.fixture
def proving() -> SimulatedRollup:
    """The same with pairings that are checked."""
    return SimulatedRollup(PARAMETERS, [WALLETS[1].account(), WALLETS[2].account()], key=KEY)


# -- deployment --------------------------------------------------------------------------------------


def deploy(*, chain_id: int = CHAIN_ID, address: int = CONTRACT, **changes: Any) -> RollupContract:
    world = World()
    verifier = world.deploy_verifier(VerifierBehaviour.ACCEPTS)
    config = Config(verifier, verifier, ACCOUNTS[0], ACCOUNTS[1], 5, PARAMETERS)
    return RollupContract(replace(config, **changes), world=world, chain_id=chain_id, address=address)


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 2**64},
        {"address": 2**160},
        {"rollup_id": -1},
        {"genesis_root": -1},
        {"deposit_cap": 2**256},
        {"request_lifetime": 2**32},
        {"operator_delay": 2**32},
        {"upgrade_delay": 2**32},
        {"genesis_next_index": 2**64},
    ],
)
def test_deployment__refuses_what_no_argument_can_be(change) -> None:
    with pytest.raises(OutOfRange, match=next(iter(change))):
        deploy(**change)


@pytest.mark.parametrize("change", [{"operator": 0}, {"governor": 0}])
def test_deployment__needs_somebody_in_each_place(change) -> None:
    with pytest.raises(reverts.ZeroAddress):
        deploy(**change)


@pytest.mark.parametrize("change", [{"verifier": 77}, {"exit_verifier": 77}])
def test_deployment__needs_contracts_as_verifiers(change) -> None:
    with pytest.raises(reverts.NoCode) as caught:
        deploy(**change)
    assert caught.value.address == 77


def test_deployment__refuses_a_key_for_another_number_of_inputs() -> None:
    for num_public in (2, 4):
        with pytest.raises(InvalidParameter, match=f"a key for {num_public} inputs"):
            KeyVerifier(SimulatedKey(num_public).verifying_key, allow_insecure_key=True)


def test_deployment__refuses_a_one_party_key_without_the_flag() -> None:
    """V7: a one-party key is refused for deployment unless a flag says otherwise."""
    with pytest.raises(InsecureKey) as caught:
        KeyVerifier(KEY.verifying_key)
    assert caught.value.digest == KEY.verifying_key.digest
    KeyVerifier(replace(KEY.verifying_key, insecure=False))


# -- proofs ------------------------------------------------------------------------------------------


def test_batch__needs_a_proof_of_exactly_its_public_inputs(proving: SimulatedRollup) -> None:
    """R1, R6."""
    contract = proving.contract
    data, c, proof = proving.call(proving.apply([WALLETS[1].transfer(1, 2, 5)]))
    for wrong_c, wrong in ((c, replace(proof, a=KEY.unsafe_prove((1, 2, 3)).a)), (c + 1, proof)):
        with pytest.raises(reverts.ProofRejected, match="batch 1"):
            proving.submit_call(data, wrong_c, wrong)
    assert (contract.committed, contract.events()[-1].event.__class__.__name__) == (0, "TokenRegistered")
    proving.submit_call(data, c, proof)
    assert contract.root == proving.state.root


def test_batch__with_a_malformed_proof_is_rejected(proving: SimulatedRollup) -> None:
    """V4: what is no point is no proof."""
    data, c, proof = proving.call(proving.apply([WALLETS[1].transfer(1, 2, 5)]))
    for wrong in (replace(proof, a=(1, 1)), replace(proof, c=(0, 0)), Proof(proof.a, proof.b, (1, 2**256))):
        with pytest.raises(reverts.ProofRejected):
            proving.submit_call(data, c, wrong)
    assert proving.contract.committed == 0


def test_batch__with_a_root_that_is_not_canonical_is_refused(rollup: SimulatedRollup) -> None:
    """R5: a root that is congruent to the right one, but not below r, reverts."""
    data = public_data(rollup.apply([WALLETS[1].transfer(1, 2, 5)]))
    for shift in (1, 2, 5):
        for name in ("root_before", "root_after"):
            wrong = min(getattr(data, name) + shift * FR_MODULUS, 2**256 - 1)
            with pytest.raises((reverts.WrongRoot, reverts.NonCanonical)):
                rollup.submit_call(encode(replace(data, **{name: wrong})), 1, KEY.unsafe_prove((1, 2, 3)))


def test_public_inputs__are_those_of_the_data(rollup: SimulatedRollup) -> None:
    rollup.request(WALLETS[3].deposit(50))
    data = public_data(rollup.apply())
    c = commitment(data.vector())
    assert rollup.contract.public_inputs(encode(data), c) == public_inputs(data, CONTRACT)


def test_proof__where_the_verifier_is_another_contract_is_rejected(rollup: SimulatedRollup) -> None:
    """A token answers no question about proofs."""
    contract = rollup.contract
    token = contract.token_address(1)
    contract.propose_verifier(token, token, sender=rollup.governor)
    contract.mine(contract.config.upgrade_delay)
    contract.activate_verifier(sender=WALLETS[0].eth_address)
    with pytest.raises(reverts.ProofRejected):
        rollup.submit(rollup.apply())


# -- calls from within a payment ---------------------------------------------------------------------


def in_the_midst(contract: RollupContract, call: Callable[[], object]) -> list[Exception]:
    """Have the next payment call back, and catch what answers it."""
    answers: list[Exception] = []

    def hook(*payment: int) -> None:
        contract.world.hook = None
        try:
            call()
        except reverts.Revert as error:
            answers.append(error)

    contract.world.hook = hook
    return answers


def test_withdrawal__cannot_be_claimed_again_while_it_is_paid(rollup: SimulatedRollup) -> None:
    """R2: the receiver's code runs when nothing is pending any more, and finds the door shut."""
    contract, owner = rollup.contract, WALLETS[1].eth_address
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 10)]))
    answers = in_the_midst(contract, lambda: contract.withdraw(owner, 7, sender=owner))
    assert contract.withdraw(owner, 7, sender=owner) == 10
    assert [type(answer) for answer in answers] == [reverts.Reentered]
    assert (contract.holdings(7), contract.balance_of(owner, 7)) == (1990, 10)


CALLS_BACK = (
    *("deposit", "withdraw", "request_exit", "commit_batch", "prove_batch", "execute_batch", "submit_batch"),
    *("revert_batches", "freeze", "report_conflict", "exit", "cancel_deposit", "activate_verifier"),
    *("execute_without_credits", "credit_withdrawals"),
)


def calls_back(rollup: SimulatedRollup) -> dict[str, Callable[[], object]]:
    """Every call that a token could make in the midst of a payment, and that must not go through."""
    contract, wallet = rollup.contract, WALLETS[1]
    header, proof = contract.header(0), KEY.unsafe_prove((1, 2, 3))
    deposit = wallet.deposit(5)
    return {
        "deposit": lambda: rollup.deposit(wallet.deposit(5)),
        "withdraw": lambda: contract.withdraw(wallet.eth_address, 7, sender=1),
        "request_exit": lambda: contract.request_exit(1, sender=1),
        "commit_batch": lambda: contract.commit_batch(header, b"", 0, sender=rollup.operator),
        "prove_batch": lambda: contract.prove_batch(header, proof, sender=1),
        "execute_batch": lambda: contract.execute_batch(header, b"", sender=1),
        "submit_batch": lambda: contract.submit_batch(header, b"", 0, proof, sender=rollup.operator),
        "revert_batches": lambda: contract.revert_batches(0, sender=rollup.operator),
        "freeze": lambda: contract.freeze(sender=1),
        "report_conflict": lambda: contract.report_conflict(header, header, b"", 0, proof, sender=1),
        "exit": lambda: contract.exit(header, 1, 7, 5, 1, proof, sender=1),
        "cancel_deposit": lambda: contract.cancel_deposit(0, deposit, sender=1),
        "activate_verifier": lambda: contract.activate_verifier(sender=1),
        "execute_without_credits": lambda: contract.execute_without_credits(header, sender=rollup.operator),
        "credit_withdrawals": lambda: contract.credit_withdrawals(1, b"", 0, sender=1),
    }


@pytest.mark.parametrize("inner", CALLS_BACK)
def test_deposit__lets_nobody_in_while_it_is_paid(rollup: SimulatedRollup, inner: str) -> None:
    """R4: what arrives is measured, and must not be counted twice or spent meanwhile."""
    contract, wallet = rollup.contract, WALLETS[1]
    rollup.submit(rollup.apply([wallet.withdraw(1, 10)]))
    answers = in_the_midst(contract, calls_back(rollup)[inner])
    rollup.deposit(wallet.deposit(100))
    assert [type(answer) for answer in answers] == [reverts.Reentered]
    assert contract.num_requests == 1
    assert contract.requests[0].request.amount == 100
    given_away = 5 if inner == "deposit" else 0  # what the inner depositor was funded with stays theirs
    assert contract.balance_of(wallet.eth_address, 7) == given_away
    assert (contract.holdings(7), contract.pending) == (2100, {(wallet.eth_address, 7): 10})
    contract.withdraw(wallet.eth_address, 7, sender=1)


# -- arguments and surroundings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("token", lambda contract: contract.deposit(2**32, 1, 1, 1, 1, sender=1)),
        ("amount", lambda contract: contract.deposit(0, 2**256, 1, 1, 1, sender=1)),
        ("amount", lambda contract: contract.deposit(0, -1, 1, 1, 1, sender=1)),
        ("ax", lambda contract: contract.deposit(0, 1, 2**256, 1, 1, sender=1)),
        ("owner", lambda contract: contract.deposit(0, 1, 1, 1, 2**160, sender=1)),
        ("account", lambda contract: contract.request_exit(2**32, sender=1)),
        ("owner", lambda contract: contract.withdraw(2**160, 0, sender=1)),
        ("to", lambda contract: contract.revert_batches(2**64, sender=1)),
        ("number", lambda contract: contract.credit_withdrawals(2**64, b"", 1, sender=1)),
        ("count", lambda contract: contract.credit_withdrawals(1, b"", 2**256, sender=1)),
        ("commitment", lambda contract: contract.public_inputs(b"", 2**256)),
        ("verifier", lambda contract: contract.propose_verifier(2**160, 1, sender=1)),
        ("BatchHeader.next_index", lambda contract: contract.commit_batch(
            replace(contract.header(0), next_index=2**64), b"", 0, sender=contract.operator)),
    ],
)  # fmt: skip
def test_argument__that_does_not_fit_its_type_is_never_sent(rollup: SimulatedRollup, name, call) -> None:
    with pytest.raises(OutOfRange, match=f"{name} is "):
        call(rollup.contract)


def test_sender__needs_the_ether_that_it_sends(rollup: SimulatedRollup) -> None:
    with pytest.raises(InsufficientFunds, match="has 0 wei and sends 5"):
        rollup.contract.deposit(ETH, 5, *WALLETS[1].key.public_key, 1, sender=WALLETS[1].eth_address)


def test_views__say_nothing_about_what_there_is_not(rollup: SimulatedRollup) -> None:
    contract = rollup.contract
    for call in (lambda: contract.request(0), lambda: contract.header(1), lambda: contract.batch_data(0)):
        with pytest.raises(KeyError):
            call()
    assert contract.batch_hash(1) == bytes(32)
    assert contract.token_address(99) == contract.balance_of(5, 99) == contract.holdings(99) == 0


def test_events__can_be_read_from_a_block_on(rollup: SimulatedRollup) -> None:
    contract = rollup.contract
    rollup.request(WALLETS[3].deposit(50))
    contract.mine(10)
    rollup.request(WALLETS[3].deposit(60))
    assert [logged.event.amount for logged in contract.events(2)] == [60]
    assert [logged.event.amount for logged in contract.events()[-2:]] == [50, 60]


def test_world__moves_nothing_that_is_refused() -> None:
    world = World()
    token = world.deploy_token(TokenBehaviour.PLAIN)
    world.mint(token, 1, 10)
    for source, target, kind, amount in ((1, 2, token, 11), (1, 2, 99, 1), (2, 1, token, 1)):
        with pytest.raises(TokenRefuses):
            world.move(kind, source, target, amount)
    assert (world.balance(token, 1), world.balance(token, 2)) == (10, 0)
    assert world.move(token, 1, 1, 10) == 10
    assert world.balance(token, 1) == 10


def test_genesis__with_a_token_of_a_great_number_is_refused() -> None:
    """Nobody makes 2^32 tokens on the way to it."""
    for token in (256, 2**32 - 1):
        with pytest.raises(InvalidParameter, match=f"token of the genesis is {token}"):
            SimulatedRollup(PARAMETERS, [WALLETS[1].account(token=token)], key=KEY)


def test_genesis__token_that_nobody_registered_is_not_paid_out() -> None:
    """R4: a genesis that is not backed pays nothing, and keeps what it owes on record."""
    accounts = [WALLETS[1].account(token=3)]
    rollup = SimulatedRollup(PARAMETERS, accounts, key=KEY, verifier=unsafe_accept_any_proof)
    rollup.contract._tokens = [0]
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 10, token=3)]))
    owner = WALLETS[1].eth_address
    with pytest.raises(reverts.TransferFailed):
        rollup.contract.withdraw(owner, 3, sender=owner)
    assert rollup.contract.pending_withdrawal(owner, 3) == 10
