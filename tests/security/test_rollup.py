"""Rows of PROPERTIES that state machine and contract answer for: C12 to C15, C17, R1 to R6, R10."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto import eddsa
from zkrollup.crypto.merkle import verify_path
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import BatchHeader, QueuedRequest, RollupContract, reverts
from zkrollup.state import (
    EMPTY_ACCOUNT,
    BatchParameters,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    Noop,
    StateTree,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    apply_batch,
    build_batch,
    sign_group,
)
from zkrollup.state.accounts import IDENTITY
from zkrollup.state.amounts import decode_amount, decode_fee, encode_amount, encode_fee
from zkrollup.state.exceptions import BalanceOverflow, NonCanonicalData, PublicDataError, WrongSignature
from zkrollup.state.public_data import (
    PublicData,
    SlotRecord,
    challenge,
    commitment,
    decode,
    encode,
    fingerprint,
    public_data,
    slot_elements,
)
from zkrollup.state.transactions import SignedTransaction
from zkrollup.state.transition import transition
from zkrollup.testing.rollup import (
    CHAIN_ID,
    CONTRACT,
    ROLLUP_ID,
    SimulatedKey,
    SimulatedRollup,
    make_wallets,
    unsafe_accept_any_proof,
)

PARAMETERS = BatchParameters(slots=4, depth=3, fee_tokens=2)
WALLETS = make_wallets(5)
KEY = SimulatedKey()
PROOF = KEY.unsafe_prove((1, 2, 3))
MAX = 2**128 - 1


def simulated(*, balance: int = 1000, real_proofs: bool = False) -> SimulatedRollup:
    """A rollup with accounts 1 .. 3 in token 7."""
    options = {} if real_proofs else {"verifier": unsafe_accept_any_proof}
    accounts = [WALLETS[i].account(balance=balance) for i in range(1, 4)]
    return SimulatedRollup(PARAMETERS, accounts, key=KEY, **options)


# -- C12: what a signature binds ---------------------------------------------------------------------

TRANSFER = Transfer(1, 2, 3, 4, 5, 6)
WITHDRAW = Withdraw(1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("transaction", [TRANSFER, WITHDRAW])
def test_message__changes_with_every_field_and_with_chain_and_rollup(transaction) -> None:
    """C12: each field of the transaction, the chain id and the rollup id change the message."""
    variants = [transaction] + [
        replace(transaction, **{item.name: getattr(transaction, item.name) ^ change})
        for item in fields(transaction)
        if item.name != "signature"
        for change in (1, 8)
    ]
    messages = [variant.message(CHAIN_ID, ROLLUP_ID) for variant in variants]
    messages += [transaction.message(CHAIN_ID ^ 1, ROLLUP_ID), transaction.message(CHAIN_ID, ROLLUP_ID ^ 1)]
    messages += [transaction.message(ROLLUP_ID, CHAIN_ID)]
    assert len(set(messages)) == len(messages)
    signature = WALLETS[0].key.sign(messages[0])
    accepted = [eddsa.verify(WALLETS[0].key.public_key, message, signature) for message in messages]
    assert accepted == [True] + [False] * (len(messages) - 1)


KEYS = [wallet.key.public_key for wallet in WALLETS]
BY_KIND = {
    Transfer: {"recipient": [1, 2]},
    TransferToAddress: {"eth_address": [1, 2]},
    TransferToNew: {"eth_address": [1, 2], "key": KEYS},
    ChangeKey: {"key": KEYS},
    Withdraw: {"eth_address": [1, 2]},
}


def test_message__of_every_kind_is_its_own() -> None:
    """C12: two transactions of whatever kinds that differ in anything have different messages."""
    common = {"sender": [1, 2], "token": [1, 2], "fee": [1, 2], "nonce": [1, 2], "memo": [1, 2]}
    common |= {"valid_until": [1, 2], "group": [0, 1, 2]}
    messages = []
    for kind, own in BY_KIND.items():
        choices = common | own | ({} if kind is ChangeKey else {"amount": [1, 2]})
        first = {name: values[0] for name, values in choices.items()}
        for fields_ in [first, *(first | {n: v} for n, values in choices.items() for v in values[1:])]:
            ax, ay = fields_.pop("key", (None, None))
            made = kind(**fields_, **({} if ax is None else {"ax": ax, "ay": ay}))
            messages.append(made.message(CHAIN_ID, ROLLUP_ID))
    assert len(set(messages)) == len(messages) > 50


def test_message__tells_a_transfer_from_a_withdraw() -> None:
    """C12: the kind is signed; a transfer to index 0 is no withdraw of the same values."""
    transfer = replace(TRANSFER, recipient=0)
    assert transfer.message(1, 1) != WITHDRAW.message(1, 1)


def test_message__packs_the_greatest_values_without_overlap() -> None:
    """C12: no field reaches into its neighbour at the top of its range."""
    greatest = {"sender": 2**32 - 1, "recipient": 2**32 - 1, "token": 2**32 - 1, "nonce": 2**40 - 1}
    zero = Transfer(0, 0, 0, 0, 0, 0)
    messages = {zero.message(1, 1)}
    for name, value in greatest.items():
        messages.add(replace(zero, **{name: value}).message(1, 1))
    messages.add(replace(zero, fee=decode_fee(31 << 7 | 127)).message(1, 1))
    messages.add(replace(zero, amount=MAX).message(1, 1))
    messages.add(Transfer(**greatest, amount=MAX, fee=decode_fee(31 << 7 | 127)).message(1, 1))
    assert len(messages) == 8


@pytest.mark.parametrize("change", [{"chain_id": 1}, {"rollup_id": 1}])
def test_transaction__signed_for_another_chain_or_rollup_is_refused(change) -> None:
    """C12, R1: a transaction cannot be replayed on another chain or in another rollup."""
    rollup = simulated()
    foreign = replace(WALLETS[1], **change)
    with pytest.raises(WrongSignature):
        rollup.apply([foreign.transfer(1, 2, 5)])
    with pytest.raises(WrongSignature):
        rollup.apply([foreign.withdraw(1, 5)])


# -- C13: credit, fees, supply -----------------------------------------------------------------------


@pytest.mark.parametrize("recipient", [1, 2, 3])
def test_transfer__credits_the_recipient_that_was_signed(recipient: int) -> None:
    """C13: the signed recipient is the leaf that is credited; changing it breaks the signature."""
    rollup = simulated()
    signed = WALLETS[1].transfer(1, recipient, 5)
    with pytest.raises(WrongSignature):
        rollup.apply([replace(signed, recipient=recipient % 3 + 1)])
    slot = rollup.apply([signed]).slots[0]
    assert slot.second.index == recipient
    assert slot.second.after.balance == slot.second.before.balance + 5


@pytest.mark.parametrize("kind", [Kind.DEPOSIT, Kind.FORCED_EXIT])
def test_request__carries_no_fee(kind: Kind) -> None:
    """C13: operations without a fee have fee 0, in the trace and in any data that decodes."""
    rollup = simulated()
    request = WALLETS[4].deposit(5) if kind == Kind.DEPOSIT else ForcedExit(1, WALLETS[1].eth_address)
    trace = apply_batch(rollup.state, [request], rollup.context(((7, 3),)))
    slot = trace.slots[0]
    assert (slot.kind, slot.fee, slot.fee_code, slot.fee_entry, trace.fees) == (kind, 0, 0, None, (0, 0))
    data = public_data(trace)
    for code in (1, 2**12 - 1):
        with pytest.raises(NonCanonicalData, match="fee_code"):
            decode(encode(replace(data, records=(replace(data.records[0], fee_code=code),))), PARAMETERS)


# -- C14: padding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(5))
def test_padding__is_monotone_and_changes_no_root(count: int) -> None:
    """C14: noops stand at the end, are identities on the empty index 0, and publish nothing."""
    rollup = simulated()
    trace = rollup.apply([WALLETS[1].transfer(1, 2, 1, nonce=nonce) for nonce in range(count)])
    kinds = [slot.kind for slot in trace.slots]
    assert kinds == [Kind.TRANSFER] * count + [Kind.NOOP] * (4 - count)
    for noop in trace.slots[count:]:
        for update in (noop.first, noop.second):
            assert (update.index, update.before, update.after) == (0, EMPTY_ACCOUNT, EMPTY_ACCOUNT)
            assert update.root_before == update.root_after
        assert noop.elements == ((False, 0),) * 4
    assert len(encode(public_data(trace))) == len(encode(public_data(simulated().apply()))) + 14 * count
    explicit = simulated().apply(
        [*(WALLETS[1].transfer(1, 2, 1, nonce=nonce) for nonce in range(count)), *[Noop()] * (4 - count)]
    )
    assert explicit == trace


# -- C15: one form for everything --------------------------------------------------------------------

indices = st.integers(1, 63)
tokens = st.integers(0, 2**32 - 1)
amounts = st.integers(0, MAX)
addresses = st.integers(1, 2**160 - 1)
field_elements = st.integers(0, FR_MODULUS - 1)
fee_codes = st.integers(0, 2**12 - 1).map(decode_fee).map(encode_fee)
amount_fields = st.integers(0, 2**32 - 1).map(decode_amount).map(encode_amount).map(lambda code: code << 96)
KEYS = {"ax": field_elements, "ay": field_elements}
records = st.one_of(
    st.builds(
        SlotRecord,
        kind=st.just(Kind.DEPOSIT),
        nullified=st.booleans(),
        second=indices,
        amount_field=amounts,
        token=tokens,
        eth_address=addresses,
        **KEYS,
    ),
    st.builds(
        SlotRecord,
        kind=st.just(Kind.DEPOSIT),
        nullified=st.just(True),
        amount_field=amounts,
        token=tokens,
        eth_address=addresses,
        **KEYS,
    ),
    st.builds(
        SlotRecord,
        kind=st.just(Kind.TRANSFER),
        first=indices,
        second=indices,
        fee_code=fee_codes,
        amount_field=amount_fields,
    ),
    st.builds(
        SlotRecord,
        kind=st.just(Kind.WITHDRAW),
        first=indices,
        fee_code=fee_codes,
        amount_field=amounts,
        token=tokens,
        eth_address=addresses,
    ),
    st.builds(
        SlotRecord,
        kind=st.just(Kind.FORCED_EXIT),
        first=st.integers(0, 63),
        amount_field=amounts,
        token=tokens,
        eth_address=addresses,
    ),
    st.builds(
        SlotRecord,
        kind=st.just(Kind.FORCED_EXIT),
        nullified=st.just(True),
        first=st.integers(0, 63),
        eth_address=addresses,
    ),
    st.builds(SlotRecord, kind=st.just(Kind.CHANGE_KEY), first=indices, fee_code=fee_codes, **KEYS),
    st.builds(
        SlotRecord,
        kind=st.just(Kind.TRANSFER_TO_NEW),
        first=indices,
        second=indices,
        fee_code=fee_codes,
        amount_field=amount_fields,
        eth_address=addresses,
        **KEYS,
    ),
)
batches = st.builds(
    PublicData,
    parameters=st.just(PARAMETERS),
    chain_id=st.integers(0, 2**64 - 1),
    rollup_id=st.integers(0, 2**160 - 1),
    batch_number=st.integers(0, 2**64 - 1),
    next_before=st.integers(0, 64),
    next_after=st.integers(0, 64),
    root_before=field_elements,
    root_after=field_elements,
    fee_entries=st.sampled_from([((0, 0), (0, 0)), ((7, 3), (0, 0)), ((0, 5), (2**32 - 1, 63))]),
    records=st.lists(records, max_size=4).map(tuple),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches)
def test_public_data__round_trips(data: PublicData) -> None:
    """C15: bytes and batch say the same, both ways."""
    encoded = encode(data)
    assert decode(encoded, PARAMETERS) == data
    assert encode(decode(encoded, PARAMETERS)) == encoded


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches, batches, st.data())
def test_public_data__is_injective(one: PublicData, other: PublicData, data: st.DataObject) -> None:
    """C15: batches that differ, be it in one field, have other bytes and another vector."""
    name = data.draw(st.sampled_from([item.name for item in fields(PublicData)][1:]))
    near = replace(one, **{name: getattr(other, name)})
    for second in (other, near):
        assert (encode(one) == encode(second)) == (one == second)
        assert (one.vector() == second.vector()) == (one == second)
        assert (one.present() == second.present()) == (one == second)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(records, records, st.data())
def test_slot_elements__are_injective(one: SlotRecord, other: SlotRecord, data: st.DataObject) -> None:
    """C15: the first element alone tells records apart; its parts do not overlap over their full ranges."""
    names = ["first", "second", "fee_code", "amount_field", "token", "nullified", "kind"]
    name = data.draw(st.sampled_from(names))
    near = replace(one, **{name: getattr(other, name)})
    for second in (other, near):
        same = all(getattr(one, name) == getattr(second, name) for name in names)
        assert (slot_elements(one)[0] == slot_elements(second)[0]) == same
    assert slot_elements(one)[0][1] < 2**240


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches, st.data())
def test_public_data__has_one_accepted_byte_form(batch: PublicData, data: st.DataObject) -> None:
    """C15: bytes that are accepted are the ones that their meaning encodes to; others are refused."""
    encoded = bytearray(encode(batch))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        accepted = decode(bytes(encoded), PARAMETERS)
    except PublicDataError:
        return
    assert encode(accepted) == bytes(encoded)


# -- C17: requests from L1 ---------------------------------------------------------------------------

requests = st.one_of(
    st.builds(
        lambda wallet, amount, token, address: Deposit(token, amount, *wallet.key.public_key, address),
        st.sampled_from(WALLETS),
        amounts | st.sampled_from([0, 1, MAX]),
        st.sampled_from([7, 8]),
        addresses | st.sampled_from([wallet.eth_address for wallet in WALLETS]),
    ),
    st.builds(
        ForcedExit,
        st.integers(0, 63),
        addresses | st.sampled_from([wallet.eth_address for wallet in WALLETS]),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([0, 1000, MAX - 1, MAX]), st.lists(requests, max_size=4))
def test_requests__never_reject_a_batch(balance: int, given_requests) -> None:
    """C17: whatever L1 asks for, the batch goes through; what cannot be honoured changes no leaf,
    and the leaf that decides is proved against the root at that moment."""
    state = StateTree.in_memory(PARAMETERS.depth)
    state.seed(WALLETS[i].account(balance=balance) for i in range(1, 4))
    context = simulated().context()
    trace = apply_batch(state, given_requests, context)
    assert state.root == trace.root_after == state.recompute_root()
    for request, slot in zip(given_requests, trace.slots, strict=False):
        update = slot.second if isinstance(request, Deposit) else slot.first
        unused = slot.first if isinstance(request, Deposit) else slot.second
        assert verify_path(update.root_before, update.before.leaf(), update.index, update.path)
        assert (unused.index, unused.before, unused.after) == (0, EMPTY_ACCOUNT, EMPTY_ACCOUNT)
        if slot.nullified:
            assert update.before == update.after
            assert update.root_before == update.root_after
        if isinstance(request, Deposit):
            assert slot.nullified == (update.before.balance + request.amount > MAX)
            assert slot.amount == request.amount
        else:
            owned = update.before.eth_address == request.eth_address
            assert slot.nullified == (not owned)
            assert (slot.amount, update.after.balance) == (
                (update.before.balance, 0) if owned else (0, update.before.balance)
            )


def test_nullified_request__names_the_leaf_that_decides() -> None:
    """C17: the public data of a nullified request names the true target; L1 demands it for exits."""
    rollup = simulated(balance=MAX)
    request = WALLETS[2].deposit(1)
    rollup.request(request)
    rollup.request(ForcedExit(3, WALLETS[1].eth_address))
    trace = rollup.apply()
    deposit, forced_exit = public_data(trace).records
    assert (deposit.nullified, deposit.second) == (True, 2)
    assert (forced_exit.nullified, forced_exit.first) == (True, 3)
    data = public_data(trace)
    elsewhere = replace(data, records=(deposit, replace(forced_exit, first=2)))
    with pytest.raises(reverts.RequestMismatch):
        rollup.submit_call(encode(elsewhere), 1, PROOF)
    rollup.submit(trace)
    assert rollup.contract.pending == {(WALLETS[2].eth_address, 7): 1}


# -- R1, R6: what a proof is bound to ----------------------------------------------------------------

OTHER = {
    "chain_id": CHAIN_ID + 1,
    "rollup_id": ROLLUP_ID + 1,
    "batch_number": 2,
    "root_before": 1,
    "next_before": 3,
}


def deploy_like(
    contract: RollupContract, *, chain_id: int | None = None, address: int | None = None, **changes
):
    """A contract that starts where another does, with the same queue."""
    other = RollupContract(
        replace(contract.config, **changes),
        world=contract.world,
        chain_id=contract.chain_id if chain_id is None else chain_id,
        address=contract.address if address is None else address,
    )
    take_queue(other, contract.requests)
    return other


def take_queue(contract: RollupContract, requests: Sequence[QueuedRequest]) -> None:
    contract.requests = list(requests)
    contract._hashes = [queued.hash for queued in requests]


def submit(contract: RollupContract, data: bytes, commitment: int, proof: Proof) -> BatchHeader:
    """All at once, by the operator, on the last executed batch."""
    previous = contract.header(contract.executed)
    return contract.submit_batch(previous, data, commitment, proof, sender=contract.operator)


def queued(rollup: SimulatedRollup) -> None:
    """Two deposits that differ in their key only."""
    for wallet in (WALLETS[3], WALLETS[4]):
        rollup.deposit(replace(wallet.deposit(5, token=9), eth_address=1))


@pytest.fixture(scope="module")
def proved():
    """A contract with two deposits queued, and a call with a true proof that it would accept."""
    rollup = simulated(real_proofs=True)
    queued(rollup)
    trace = rollup.apply([WALLETS[1].transfer(1, 2, 5), WALLETS[1].withdraw(1, 7, nonce=1)])
    return rollup.contract, public_data(trace), rollup.call(trace)


def test_proof__is_accepted_where_it_belongs_and_only_once(proved) -> None:
    """R1, R3: the batch is accepted; replayed, it is refused by its number, and nothing moves."""
    contract, _, call = copy.deepcopy(proved)
    submit(contract, *call)
    before = (contract.root, contract.committed, contract.pending)
    with pytest.raises(reverts.WrongBatchNumber):
        submit(contract, *call)
    assert (contract.root, contract.committed, contract.pending) == before


@pytest.mark.parametrize("name", ["chain_id", "rollup_id"])
def test_proof__is_bound_to_chain_and_rollup(proved, name: str) -> None:
    """R1: on another chain or for another rollup the data is refused, and with its header changed to
    suit, the proof is."""
    contract, data, (encoded, c, proof) = proved
    other = deploy_like(contract, **{name: OTHER[name]})
    with pytest.raises((reverts.WrongChain, reverts.WrongRollup)):
        submit(other, encoded, c, proof)
    with pytest.raises(reverts.ProofRejected):
        submit(other, encode(replace(data, **{name: OTHER[name]})), c, proof)
    assert (other.committed, other.requests_consumed) == (0, 0)


def test_proof__is_bound_to_the_contract(proved) -> None:
    """R1, R6: a twin at another address gets another challenge and refuses the proof."""
    contract, _, (encoded, c, proof) = proved
    twin = deploy_like(contract, address=CONTRACT + 1)
    assert twin.public_inputs(encoded, c).challenge != contract.public_inputs(encoded, c).challenge
    with pytest.raises(reverts.ProofRejected):
        submit(twin, encoded, c, proof)
    assert twin.committed == 0


@pytest.mark.parametrize("name", ["batch_number", "root_before", "next_before"])
def test_proof__is_bound_to_batch_number_and_root(proved, name: str) -> None:
    """R1, R3: neither counters nor root can be taken from the data, nor the data changed to suit them."""
    contract, data, (encoded, c, proof) = proved
    changed = encode(replace(data, **{name: OTHER[name]}))
    wrong = (reverts.WrongBatchNumber, reverts.WrongRoot, reverts.WrongNextIndex)
    with pytest.raises(wrong):
        submit(contract, changed, c, proof)
    if name == "batch_number":
        later = deploy_like(contract)
        later._headers[1] = replace(later.header(0), number=1)
        later._batch_hashes[1] = later.header(1).hash
        later.committed = later.proved = later.executed = 1
    elif name == "next_before":
        later = deploy_like(contract, genesis_next_index=OTHER[name])
    else:
        later = deploy_like(contract, genesis_root=OTHER[name])
    with pytest.raises(wrong):
        submit(later, encoded, c, proof)
    with pytest.raises(reverts.ProofRejected):
        submit(later, changed, c, proof)


def test_proof__is_bound_to_the_queue(proved) -> None:
    """R1: the same bytes over a queue with other keys, or another order, are refused, and with the records
    changed to suit, the proof is."""
    contract, data, (encoded, c, proof) = proved
    swapped = deploy_like(contract)
    first, second = contract.requests
    take_queue(swapped, [replace(first, request=second.request), replace(second, request=first.request)])
    with pytest.raises(reverts.RequestMismatch):
        submit(swapped, encoded, c, proof)
    one, other, *rest = data.records
    records = (replace(one, ax=other.ax, ay=other.ay), replace(other, ax=one.ax, ay=one.ay), *rest)
    with pytest.raises(reverts.ProofRejected):
        submit(swapped, encode(replace(data, records=records)), c, proof)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: replace(data, root_after=data.root_after ^ 1),
        lambda data: replace(data, fee_entries=((7, 1), (0, 0))),
        lambda data: replace(data, records=data.records[:-1]),
        lambda data: replace(data, records=(*data.records[:-1], replace(data.records[-1], eth_address=1))),
        lambda data: replace(data, records=(*data.records[:-1], replace(data.records[-1], amount_field=8))),
        lambda data: replace(data, records=(*data.records[:2], data.records[3], data.records[2])),
    ],
    ids=["root after", "fee entries", "record left out", "address", "amount", "order"],
)
def test_proof__is_bound_to_the_data(proved, change) -> None:
    """R1: any other data that decodes makes another challenge, and the proof is refused."""
    contract, data, (_, c, proof) = proved
    changed = encode(change(data))
    with pytest.raises(reverts.ProofRejected):
        submit(contract, changed, c, proof)
    assert contract.committed == 0


def test_challenge__depends_on_all_that_it_must(proved) -> None:
    """R6, V8: commitment, each element of the data, chain and contract each change z."""
    _, data, (_, c, _) = proved
    present = data.present()
    challenges = {
        challenge(CHAIN_ID, CONTRACT, present, c),
        challenge(CHAIN_ID + 1, CONTRACT, present, c),
        challenge(CHAIN_ID, CONTRACT + 1, present, c),
        challenge(CHAIN_ID, CONTRACT, present, c + 1),
        challenge(CHAIN_ID, CONTRACT, present[:-1], c),
        *(
            challenge(CHAIN_ID, CONTRACT, (*present[:i], value ^ 1, *present[i + 1 :]), c)
            for i, value in enumerate(present)
        ),
    }
    assert len(challenges) == 5 + len(present)


def test_fingerprint__of_a_commitment_to_other_data_is_refused(proved) -> None:
    """R6: an honest commitment to one batch with the data of another has a z at which they differ."""
    contract, data, _ = proved
    other = replace(data, root_after=data.root_after ^ 1)
    c = commitment(data.vector())
    inputs = contract.public_inputs(encode(other), c)
    z = challenge(CHAIN_ID, CONTRACT, other.present(), c)
    assert inputs == (c, z, fingerprint(other.present(), z))
    assert inputs.fingerprint != fingerprint(data.present(), z)
    with pytest.raises(reverts.ProofRejected):  # what the prover could show: d at this z
        submit(contract, encode(other), c, KEY.unsafe_prove((c, z, fingerprint(data.present(), z))))


# -- R2, R3, R5 --------------------------------------------------------------------------------------


def test_withdrawal__is_paid_once() -> None:
    """R2: an identical second claim reverts, and so does one after another batch without a withdrawal."""
    rollup = simulated()
    owner = WALLETS[1].eth_address
    rollup.submit(rollup.apply([WALLETS[1].withdraw(1, 10)]))
    assert rollup.contract.withdraw(owner, 7, sender=owner) == 10
    holdings = rollup.contract.holdings(7)
    with pytest.raises(reverts.NothingPending):
        rollup.contract.withdraw(owner, 7, sender=owner)
    rollup.submit(rollup.apply())
    with pytest.raises(reverts.NothingPending):
        rollup.contract.withdraw(owner, 7, sender=owner)
    assert rollup.contract.holdings(7) == holdings


def test_first_batch__starts_from_the_genesis_root() -> None:
    """R3: batch 1 on the genesis root is the only first batch; a revert raises no counter."""
    rollup = simulated()
    first = rollup.apply([WALLETS[1].transfer(1, 2, 5)])
    second = rollup.apply([WALLETS[1].transfer(1, 2, 5, nonce=1)])
    for wrong in (second, replace(first, batch_number=2), replace(second, batch_number=1)):
        with pytest.raises((reverts.WrongRoot, reverts.WrongBatchNumber)):
            rollup.submit(wrong)
        assert (rollup.contract.committed, rollup.contract.requests_consumed) == (0, 0)
    rollup.submit(first)
    assert rollup.contract.executed == 1


@pytest.mark.parametrize("multiple", range(1, 6))
def test_root__that_is_not_canonical_reverts(multiple: int) -> None:
    """R5: root + k r is refused for every k that fits the bytes."""
    rollup = simulated()
    data = public_data(rollup.apply())
    for name in ("root_before", "root_after"):
        wrong = getattr(data, name) + multiple * FR_MODULUS
        if wrong < 2**256:
            with pytest.raises((reverts.WrongRoot, reverts.NonCanonical), match="root"):
                rollup.submit_call(encode(replace(data, **{name: wrong})), 1, PROOF)
    with pytest.raises(reverts.NonCanonicalCommitment):
        rollup.submit_call(encode(data), multiple * FR_MODULUS, PROOF)


@pytest.mark.parametrize("index", [64, 65, 2**32 - 1])
def test_index__outside_the_tree_reverts(index: int) -> None:
    """R5: an index is one of the tree's; index + 4^depth is refused."""
    rollup = simulated()
    data = public_data(rollup.apply([WALLETS[1].transfer(1, 2, 5)]))
    for name in ("first", "second"):
        changed = replace(data, records=(replace(data.records[0], **{name: index}),))
        with pytest.raises(reverts.NonCanonical, match=f"{name} at byte"):
            rollup.submit_call(encode(changed), 1, PROOF)


def test_identity__stands_for_unused_halves_only() -> None:
    """R5, C14: index 0 is never an account: nothing can be deposited to it, sent to it or taken from it."""
    rollup = simulated()
    assert transition(rollup.state, ForcedExit(0, 1), rollup.context()).nullified
    assert transition(rollup.state, WALLETS[4].deposit(1), rollup.context()).second.index == 4
    assert rollup.state.account(0) == EMPTY_ACCOUNT == IDENTITY.before


# -- R10: supply -------------------------------------------------------------------------------------


class SupplyMachine(RuleBasedStateMachine):
    """R10: per token, balances and what is pending, queued and paid are what was ever deposited.

    Besides, after every batch: the executor's root is the root of all leaves from nothing, the
    contract's root is the executor's, and a state in SQLite fed with the same batches agrees.
    """

    TOKENS = (0, 7)

    def __init__(self) -> None:
        super().__init__()
        self.deposited = dict.fromkeys(self.TOKENS, 0)
        self.paid = dict.fromkeys(self.TOKENS, 0)
        self.mempool: list[SignedTransaction] = []

    @initialize()
    def start(self) -> None:
        self.rollup = SimulatedRollup(PARAMETERS, key=KEY, deposit_cap=MAX, verifier=unsafe_accept_any_proof)
        self.twin = StateTree.open(":memory:", PARAMETERS.depth)
        for number in (1, 2):
            self.deposit(WALLETS[number], 1000, 7)

    def teardown(self) -> None:
        if hasattr(self, "twin"):
            self.twin.close()

    @rule(
        wallet=st.sampled_from(WALLETS),
        amount=st.integers(1, 2000) | st.sampled_from([10**20, MAX - 1]),
        token=st.sampled_from(TOKENS),
    )
    def deposit(self, wallet, amount: int, token: int) -> None:
        self.rollup.deposit(wallet.deposit(amount, token=token))
        self.deposited[token] += amount

    @rule(wallet=st.sampled_from(WALLETS), account=st.integers(0, 8))
    def request_exit(self, wallet, account: int) -> None:
        self.rollup.request(ForcedExit(account, wallet.eth_address))

    @rule(
        sender=st.integers(1, 6),
        recipient=st.integers(0, 6),
        amount=st.sampled_from([0, 1, 5, 999, 2**27 - 1, 2**27, 10**20]),
        fee=st.sampled_from([0, 1, 120]),
        skip=st.sampled_from([0, 0, 0, 1]),
        kind=st.sampled_from(["index", "index", "address", "new", "key", "withdraw", "group"]),
        other=st.sampled_from(WALLETS),
    )
    def send(self, sender: int, recipient: int, amount: int, fee: int, skip: int, kind: str, other) -> None:
        account = self.rollup.state.account(sender)
        if account.is_empty:
            return
        mine = sum(transaction.sender == sender for transaction in self.mempool)
        nonce = account.nonce + mine + skip
        wallet = next(w for w in WALLETS if w.key.public_key == (account.ax, account.ay))
        key, paid = other.key.public_key, (account.token, amount, fee, nonce)
        asked = {
            "index": Transfer(sender, recipient, *paid),
            "address": TransferToAddress(sender, other.eth_address, *paid),
            "new": TransferToNew(sender, *key, other.eth_address, *paid),
            "key": ChangeKey(sender, *key, account.token, fee, nonce),
            "withdraw": Withdraw(sender, other.eth_address, *paid),
            "group": Transfer(sender, recipient, *paid),
        }[kind]
        members = [asked]
        if kind == "group":
            members.append(Withdraw(sender, other.eth_address, account.token, amount, 0, nonce + 1))
            signed = sign_group(members, [wallet.key] * 2, CHAIN_ID, ROLLUP_ID)
        else:
            signed = [wallet.sign(asked)]
        self.mempool += signed

    @rule()
    def batch(self) -> None:
        state, contract = self.rollup.state, self.rollup.contract
        operator = state.find(WALLETS[1].account(token=7).key)
        context = self.rollup.context(((7, operator),) if operator else ())
        requests = [queued.request for queued in contract.queue]
        before = (state.meta, dict(state.accounts()))
        try:
            built = build_batch(state, [*requests, *self.mempool], context)
        except BalanceOverflow:  # the operator's account is full: it takes no fees any more
            assert (state.meta, dict(state.accounts())) == before
            context = self.rollup.context()
            built = build_batch(state, requests, context)
        self.mempool = []
        self.rollup.submit(built.trace)
        assert apply_batch(self.twin, built.applied, context) == built.trace
        assert state.root == contract.root == self.twin.root == state.recompute_root()

    @rule(wallet=st.sampled_from(WALLETS), token=st.sampled_from(TOKENS))
    def withdraw(self, wallet, token: int) -> None:
        contract = self.rollup.contract
        if contract.pending_withdrawal(wallet.eth_address, token) == 0:
            with pytest.raises(reverts.NothingPending):
                contract.withdraw(wallet.eth_address, token, sender=wallet.eth_address)
            return
        self.paid[token] += contract.withdraw(wallet.eth_address, token, sender=wallet.eth_address)

    @invariant()
    def supply_is_conserved(self) -> None:
        if not hasattr(self, "rollup"):
            return
        contract = self.rollup.contract
        for token in self.TOKENS:
            balances = sum(a.balance for _, a in self.rollup.state.accounts() if a.token == token)
            pending = sum(amount for (_, t), amount in contract.pending.items() if t == token)
            queued = sum(
                item.request.amount
                for item in contract.queue
                if isinstance(item.request, Deposit) and item.request.token == token
            )
            assert balances + pending + queued + self.paid[token] == self.deposited[token]
            assert contract.holdings(token) == self.deposited[token] - self.paid[token]


TestSupply = SupplyMachine.TestCase
TestSupply.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
