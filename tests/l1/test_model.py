"""The contract's rules, each broken once, and the way of money through it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from zkrollup.bn254 import FR_MODULUS
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import RollupContract
from zkrollup.l1 import plain_events as events
from zkrollup.l1 import plain_reverts as reverts
from zkrollup.state import BatchParameters, Deposit, ForcedExit
from zkrollup.state.exceptions import InvalidParameter, OutOfRange
from zkrollup.state.public_data import commitment, encode, public_data, public_inputs
from zkrollup.testing.rollup import (
    CHAIN_ID,
    CONTRACT,
    ROLLUP_ID,
    SimulatedKey,
    SimulatedRollup,
    make_wallets,
    unsafe_accept_any_proof,
)

PARAMETERS = BatchParameters(slots=6, depth=3, fee_tokens=1)
MAX = 2**128 - 1
WALLETS = make_wallets(5)
KEY = SimulatedKey()
REQUESTS = (WALLETS[3].deposit(50), ForcedExit(2, WALLETS[2].eth_address), ForcedExit(1, 0xBAD))


@pytest.fixture
def rollup() -> SimulatedRollup:
    """Accounts 1 and 2 with 1000 of token 7 each; proofs are not looked at."""
    accounts = [WALLETS[1].account(), WALLETS[2].account()]
    return SimulatedRollup(PARAMETERS, accounts, key=KEY, verify=unsafe_accept_any_proof)


def queue_requests(rollup: SimulatedRollup) -> None:
    for request in REQUESTS:
        if isinstance(request, Deposit):
            rollup.contract.deposit(
                token=request.token,
                amount=request.amount,
                ax=request.ax,
                ay=request.ay,
                eth_address=request.eth_address,
            )
        else:
            rollup.contract.request_exit(account=request.account, requester=request.eth_address)


def state_of(contract: RollupContract) -> dict[str, object]:
    return copy.deepcopy({name: value for name, value in vars(contract).items() if name != "_verify"})


@pytest.fixture
def reverted(rollup: SimulatedRollup) -> Callable[..., None]:
    """Assert that a call raises exactly this revert with these values, and changes nothing."""

    def check(expected: reverts.Revert, call: Callable[[], object], contract: RollupContract | None = None):
        contract = rollup.contract if contract is None else contract
        before = state_of(contract)
        with pytest.raises(type(expected)) as caught:
            call()
        assert type(caught.value) is type(expected)
        assert caught.value.values() == expected.values()
        assert state_of(contract) == before

    return check


# -- deployment --------------------------------------------------------------------------------------


def deploy(**changes: object) -> RollupContract:
    arguments: dict[str, object] = {
        "chain_id": CHAIN_ID,
        "address": CONTRACT,
        "rollup_id": ROLLUP_ID,
        "genesis_root": 5,
        "verifying_key": KEY.verifying_key,
        "parameters": PARAMETERS,
        "allow_insecure_key": True,
    }
    return RollupContract(**(arguments | changes))


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 2**64},
        {"address": 2**160},
        {"rollup_id": -1},
        {"genesis_root": FR_MODULUS},
        {"deposit_cap": 2**128 + 1},
        {"deposit_cap": 0},
    ],
)
def test_deployment__refuses_values_out_of_range(change) -> None:
    with pytest.raises(OutOfRange, match=next(iter(change))):
        deploy(**change)


def test_deployment__refuses_a_key_for_another_number_of_inputs() -> None:
    for num_public in (2, 4):
        with pytest.raises(InvalidParameter, match=f"a key for {num_public} inputs"):
            deploy(verifying_key=SimulatedKey(num_public).verifying_key)


def test_deployment__refuses_a_one_party_key_without_the_flag() -> None:
    """V7: a one-party key is refused for deployment unless a flag says otherwise."""
    with pytest.raises(reverts.InsecureKey) as caught:
        deploy(allow_insecure_key=False)
    assert caught.value.digest == KEY.verifying_key.digest
    deploy(verifying_key=replace(KEY.verifying_key, insecure=False), allow_insecure_key=False)


# -- requests ----------------------------------------------------------------------------------------


def test_queue__numbers_requests_and_sets_deadlines(rollup: SimulatedRollup) -> None:
    contract = rollup.contract
    contract.mine(10)
    queue_requests(rollup)
    assert [queued.request for queued in contract.queue] == list(REQUESTS)
    assert [queued.number for queued in contract.queue] == [0, 1, 2]
    assert {queued.deadline for queued in contract.queue} == {10 + contract.request_lifetime}
    assert contract.holdings[7] == 2050
    assert contract.events == [events.RequestQueued(i, 10 + contract.request_lifetime) for i in range(3)]
    contract.mine(contract.request_lifetime)
    assert not contract.is_overdue
    contract.mine()
    assert contract.is_overdue
    rollup.submit(rollup.apply())
    assert contract.queue == ()
    assert not contract.is_overdue


def deposit_arguments(**changes: object) -> dict[str, object]:
    ax, ay = WALLETS[3].key.public_key
    return {"token": 7, "amount": 5, "ax": ax, "ay": ay, "eth_address": 0xE0} | changes


X, Y = WALLETS[3].key.public_key


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"token": 2**32}, reverts.InvalidArgument("token", 2**32, "an unsigned integer of 32 bits")),
        ({"token": -1}, reverts.InvalidArgument("token", -1, "an unsigned integer of 32 bits")),
        ({"amount": -1}, reverts.InvalidArgument("amount", -1, "an unsigned integer of 256 bits")),
        ({"amount": 2**96}, reverts.DepositTooLarge(2**96, 2**96)),
        ({"amount": 2**128}, reverts.DepositTooLarge(2**128, 2**96)),
        (
            {"eth_address": 0},
            reverts.InvalidArgument("eth_address", 0, "an address other than zero"),
        ),
        (
            {"eth_address": 2**160},
            reverts.InvalidArgument("eth_address", 2**160, "an unsigned integer of 160 bits"),
        ),
        ({"ax": 0, "ay": 0}, reverts.InvalidDepositKey(0, 0)),
        ({"ax": X + FR_MODULUS}, reverts.InvalidDepositKey(X + FR_MODULUS, Y)),
        ({"ay": Y + FR_MODULUS}, reverts.InvalidDepositKey(X, Y + FR_MODULUS)),
        ({"ax": X + 1}, reverts.InvalidDepositKey(X + 1, Y)),
    ],
)
def test_deposit__refuses(reverted, rollup, change, expected) -> None:
    reverted(expected, lambda: rollup.contract.deposit(**deposit_arguments(**change)))


def test_deposit__takes_amounts_up_to_the_cap(rollup: SimulatedRollup) -> None:
    assert rollup.contract.deposit(**deposit_arguments(amount=2**96 - 1)).request.amount == 2**96 - 1
    assert rollup.contract.deposit(**deposit_arguments(amount=0)).request.amount == 0


@pytest.mark.parametrize(
    ("account", "requester", "expected"),
    [
        (64, 1, reverts.OutsideTree(64, 64)),
        (2**32, 1, reverts.InvalidArgument("account", 2**32, "an unsigned integer of 32 bits")),
        (1, 0, reverts.InvalidArgument("requester", 0, "an address other than zero")),
        (1, 2**160, reverts.InvalidArgument("requester", 2**160, "an unsigned integer of 160 bits")),
    ],
)
def test_request_exit__refuses(reverted, rollup, account, requester, expected) -> None:
    reverted(expected, lambda: rollup.contract.request_exit(account=account, requester=requester))


# -- batches -----------------------------------------------------------------------------------------


def test_batch__moves_root_queue_and_money(rollup: SimulatedRollup) -> None:
    contract = rollup.contract
    queue_requests(rollup)
    trace = rollup.apply(
        [WALLETS[1].transfer(1, 3, 100, fee=5), WALLETS[3].withdraw(3, 150)], fee_entries=((7, 1),)
    )
    accepted = rollup.submit(trace)
    assert accepted == events.BatchAccepted(1, trace.root_before, trace.root_after, 3)
    assert (contract.root, contract.batch_number) == (rollup.state.root, 1)
    assert contract.pending == {(WALLETS[2].eth_address, 7): 1000, (WALLETS[3].eth_address, 7): 150}
    assert contract.events[3:] == [
        accepted,
        events.WithdrawalPending(WALLETS[2].eth_address, 7, 1000),
        events.WithdrawalPending(WALLETS[3].eth_address, 7, 150),
    ]
    assert contract.withdraw(WALLETS[2].eth_address, 7) == 1000
    assert contract.events[-1] == events.WithdrawalPaid(WALLETS[2].eth_address, 7, 1000)
    assert contract.holdings[7] == 1050


def test_batch__may_leave_requests_for_the_next_one(rollup: SimulatedRollup) -> None:
    trace = rollup.apply([WALLETS[1].transfer(1, 2, 1)])
    queue_requests(rollup)
    rollup.submit(trace)
    assert len(rollup.contract.queue) == 3
    rollup.submit(rollup.apply())
    assert rollup.contract.queue == ()


def test_batch__refunds_a_deposit_that_was_nullified() -> None:
    rollup = SimulatedRollup(
        PARAMETERS, [WALLETS[1].account(balance=MAX)], key=KEY, verify=unsafe_accept_any_proof
    )
    request = WALLETS[1].deposit(9)
    rollup.contract.deposit(token=7, amount=9, ax=request.ax, ay=request.ay, eth_address=request.eth_address)
    trace = rollup.apply()
    assert trace.slots[0].nullified
    assert trace.root_after == trace.root_before
    rollup.submit(trace)
    assert rollup.contract.withdraw(request.eth_address, 7) == 9


@pytest.fixture
def submission(rollup: SimulatedRollup):
    """The queue's batch as data that can be changed, and a call that submits it."""
    queue_requests(rollup)
    data = public_data(rollup.apply([WALLETS[1].transfer(1, 3, 1)]))

    def call(changed=data, commitment: object = 7) -> Callable[[], object]:
        encoded = changed if isinstance(changed, bytes) else encode(changed)
        return lambda: rollup.contract.submit_batch(encoded, commitment, proof=None)

    return data, call


@pytest.mark.parametrize(
    ("change", "revert"),
    [
        ({"chain_id": 1}, lambda data: reverts.WrongChain(1, CHAIN_ID)),
        ({"rollup_id": 1}, lambda data: reverts.WrongRollup(1, ROLLUP_ID)),
        ({"batch_number": 0}, lambda data: reverts.WrongBatchNumber(0, 1)),
        ({"batch_number": 2}, lambda data: reverts.WrongBatchNumber(2, 1)),
        ({"root_before": 1}, lambda data: reverts.WrongRoot(1, data.root_before)),
    ],
)
def test_batch__must_continue_this_rollup(reverted, submission, change, revert) -> None:
    data, call = submission
    reverted(revert(data), call(replace(data, **change)))


@pytest.mark.parametrize("root", ["root_before", "root_after"])
@pytest.mark.parametrize("shift", [1, 2, 5])
def test_batch__with_a_root_that_is_not_canonical_is_refused(submission, root, shift) -> None:
    """R5: a root that is congruent to the right one, but not below r, reverts."""
    data, call = submission
    wrong = min(getattr(data, root) + shift * FR_MODULUS, 2**256 - 1)
    with pytest.raises(reverts.MalformedData, match="non-canonical public data: root"):
        call(replace(data, **{root: wrong}))()


@pytest.mark.parametrize("wrong", [FR_MODULUS, FR_MODULUS + 7, 2**256 - 1, -1, True, None])
def test_batch__with_a_commitment_that_is_not_canonical_is_refused(reverted, submission, wrong) -> None:
    reverted(reverts.NonCanonicalCommitment(wrong), submission[1](commitment=wrong))


def test_batch__with_malformed_bytes_is_refused(submission) -> None:
    data, call = submission
    whole = encode(data)
    for wrong in (b"", whole[:-1], whole + b"\x00", b"\x01" + whole[1:]):
        with pytest.raises(reverts.MalformedData):
            call(wrong)()


def test_batch__may_not_invent_requests(reverted, submission) -> None:
    data, call = submission
    longer = replace(data, records=(*data.records[:3], data.records[2]))
    reverted(reverts.NoSuchRequest(3), call(longer))


@pytest.mark.parametrize(
    ("place", "change", "expected"),
    [
        (0, {"token": 8}, reverts.RequestTokenMismatch(0, 8, 7)),
        (0, {"amount_field": 51}, reverts.RequestAmountMismatch(0, 51, 50)),
        (1, {"first": 1}, reverts.RequestTargetMismatch(1, 1, 2)),
        (2, {"first": 2}, reverts.RequestTargetMismatch(2, 2, 1)),
    ],
)
def test_batch__must_agree_with_its_requests(reverted, submission, place, change, expected) -> None:
    data, call = submission
    records = [replace(old, **change) if i == place else old for i, old in enumerate(data.records)]
    reverted(expected, call(replace(data, records=tuple(records))))


def test_batch__must_take_requests_in_their_order(reverted, submission) -> None:
    data, call = submission
    first, second, *rest = data.records
    reverted(
        reverts.RequestKindMismatch(0, "forced_exit", "deposit"),
        call(replace(data, records=(second, first, *rest))),
    )
    reverted(
        reverts.RequestKindMismatch(0, "forced_exit", "deposit"), call(replace(data, records=(second, *rest)))
    )


# -- proofs ------------------------------------------------------------------------------------------


def test_batch__needs_a_proof_of_exactly_its_public_inputs(reverted) -> None:
    rollup = SimulatedRollup(PARAMETERS, [WALLETS[1].account(), WALLETS[2].account()], key=KEY)
    contract = rollup.contract
    data, c, proof = rollup.call(rollup.apply([WALLETS[1].transfer(1, 2, 5)]))
    other = replace(proof, a=KEY.unsafe_prove((1, 2, 3)).a)
    inputs = contract.public_inputs(data, c)
    reverted(reverts.ProofRejected(1, *inputs), lambda: contract.submit_batch(data, c, other), contract)
    wrong = contract.public_inputs(data, c + 1)
    reverted(reverts.ProofRejected(1, *wrong), lambda: contract.submit_batch(data, c + 1, proof), contract)
    contract.submit_batch(data, c, proof)
    assert contract.root == rollup.state.root


def test_batch__with_a_malformed_proof_is_refused() -> None:
    rollup = SimulatedRollup(PARAMETERS, [WALLETS[1].account(), WALLETS[2].account()], key=KEY)
    data, c, proof = rollup.call(rollup.apply([WALLETS[1].transfer(1, 2, 5)]))
    before = state_of(rollup.contract)
    for wrong in (replace(proof, a=(1, 1)), replace(proof, c=(0, 0)), Proof(proof.a, proof.b, (1, 2**256))):
        with pytest.raises(reverts.MalformedProof):
            rollup.contract.submit_batch(data, c, wrong)
    assert state_of(rollup.contract) == before


def test_public_inputs__are_those_of_the_filled_data(rollup: SimulatedRollup) -> None:
    queue_requests(rollup)
    data = public_data(rollup.apply())
    c = commitment(data.vector())
    inputs = rollup.contract.public_inputs(encode(data), c)
    assert inputs == public_inputs(data, CONTRACT)
    assert inputs != public_inputs(replace(data, records=(replace(data.records[0], ax=1),)), CONTRACT)


# -- withdrawals -------------------------------------------------------------------------------------


def test_withdraw__pays_the_sum_once(reverted, rollup: SimulatedRollup) -> None:
    contract, owner = rollup.contract, WALLETS[1].eth_address
    reverted(reverts.NothingPending(owner, 7), lambda: contract.withdraw(owner, 7))
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 10), WALLETS[1].withdraw(1, 20, nonce=1)]))
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 30, nonce=2)]))
    reverted(reverts.NothingPending(owner, 8), lambda: contract.withdraw(owner, 8))
    assert contract.pending_withdrawal(owner, 7) == 60
    assert contract.withdraw(owner, 7) == 60
    assert contract.pending_withdrawal(owner, 7) == 0
    reverted(reverts.NothingPending(owner, 7), lambda: contract.withdraw(owner, 7))


def test_withdraw__of_nothing_leaves_nothing_pending(rollup: SimulatedRollup) -> None:
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 0)]))
    assert rollup.contract.pending == {}


def test_withdraw__cannot_pay_what_the_contract_does_not_hold(reverted, rollup: SimulatedRollup) -> None:
    owner = WALLETS[1].eth_address
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 10)]))
    rollup.contract.holdings[7] = 9
    reverted(
        reverts.InsufficientHoldings(7, 9, 10), lambda: rollup.contract.withdraw(owner, 7), rollup.contract
    )
