"""The compiled contract behind the interface: answers, errors and events come back as our dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from evm_world import ACCOUNTS, EvmWorld, Surroundings

from zkrollup.bn254 import FR_MODULUS as R
from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import Proof
from zkrollup.groth16.solidity import InsecureKey
from zkrollup.l1 import events, reverts
from zkrollup.l1.evm.abi import Abi, UnknownError, decode_event, decode_revert
from zkrollup.l1.evm.artifacts import BrokenArtifact, load_artifact
from zkrollup.l1.evm.contract import EvmL1, WrongGenesis
from zkrollup.l1.evm.eth_tester_transport import EthTesterTransport
from zkrollup.l1.evm.pyrevm_transport import PyrevmTransport
from zkrollup.l1.evm.transport import EvmError, Log, MissingLibrary, Reverted, Transport
from zkrollup.l1.evm.verifier_code import verifier_creation_code, verifier_runtime_code
from zkrollup.l1.headers import BatchHeader, genesis_header
from zkrollup.l1.interface import Config, TokenBehaviour, VerifierBehaviour
from zkrollup.l1.solidity import abi_encode, abi_names, abi_types, selector
from zkrollup.state.exceptions import OutOfRange
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.transactions import Deposit
from zkrollup.testing.rollup import SimulatedKey

OPERATOR, USER, GOVERNOR = ACCOUNTS[:3]
GENESIS_ROOT = 1234567
SIZES = BatchParameters(4, 2, 1)
KEY = (
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)  # BabyJubJub's generator


def said(error: reverts.Revert) -> dict[str, object]:
    """An error's arguments."""
    return {name: getattr(error, name) for name in abi_names(type(error))}


NO_PROOF = Proof((0, 0), ((0, 0), (0, 0)), (0, 0))
KNOWN = SimulatedKey()


def made(kind: str) -> Transport:
    try:
        return {"pyrevm": PyrevmTransport, "eth-tester": EthTesterTransport}[kind]()
    except MissingLibrary as error:
        pytest.skip(str(error))


def start(transport: Transport, **changes: object) -> EvmWorld:
    around = Surroundings(transport)
    verifier = around.deploy_verifier(VerifierBehaviour.ACCEPTS)
    config = Config(verifier, verifier, OPERATOR, GOVERNOR, GENESIS_ROOT, SIZES)
    return EvmWorld.start(around, replace(config, **changes))


@pytest.fixture(params=["pyrevm", "eth-tester"])
def world(request: pytest.FixtureRequest) -> EvmWorld:
    return start(made(request.param))


@pytest.fixture
def fast() -> EvmWorld:
    return start(made("pyrevm"))


def batch_data(
    l1: EvmL1, records: bytes = b"", root_after: int = 99, previous: BatchHeader | None = None
) -> bytes:
    """A batch that follows the last executed one: the format of version 2."""
    before = l1.header(l1.executed) if previous is None else previous
    return (
        b"".join(
            value.to_bytes(size, "big")
            for value, size in (
                (2, 1),
                (l1.chain_id, 8),
                (l1.rollup_id, 20),
                (before.number + 1, 8),
                (l1.parameters.slots, 4),
                (before.next_index, 5),
                (before.next_index + 1, 5),
                (before.root_after, 32),
                (root_after, 32),
                (0, 8),
            )
        )
        + records
    )


def deposit_record(token: int, amount: int, owner: int) -> bytes:
    e0 = 1 << 236 | 1 << 172 | amount << 32 | token
    return e0.to_bytes(30, "big") + owner.to_bytes(20, "big") + b"".join(x.to_bytes(32, "big") for x in KEY)


def withdraw_record(amount: int, owner: int) -> bytes:
    return (3 << 236 | 1 << 204 | amount << 32).to_bytes(30, "big") + owner.to_bytes(20, "big")


# -- the life of a rollup --------------------------------------------------------------------------------


def test_deployment__is_what_was_configured(world: EvmWorld) -> None:
    config = world.config
    assert (config.operator, config.governor, config.parameters) == (OPERATOR, GOVERNOR, SIZES)
    assert config.rollup_id == world.rollup_id == world.address
    assert (world.operator, world.governor, world.verifier) == (OPERATOR, GOVERNOR, config.verifier)
    assert (world.committed, world.proved, world.executed, world.num_requests) == (0, 0, 0, 0)
    assert (world.root, world.next_index, world.requests_consumed) == (GENESIS_ROOT, 1, 0)
    assert (world.frozen, world.num_tokens, world.exited(3)) == (False, 1, False)
    assert world.header(0) == genesis_header(GENESIS_ROOT, 1)
    assert world.last_executed_block == world.block_number - 1
    assert world.events() == []
    for number in (1, 5):
        with pytest.raises(KeyError):
            world.header(number)
    with pytest.raises(KeyError):
        world.batch_data(0)
    with pytest.raises(KeyError):
        world.request(0)


def test_deposit__is_queued_and_logged(world: EvmWorld) -> None:
    block = world.block_number
    assert world.deposit(0, 1000, *KEY, USER, sender=USER) == 0
    assert world.called_in == block
    deadline = block + world.config.request_lifetime
    logged = events.RequestQueued(0, 1, 0, 1000, *KEY, USER, deadline)
    assert world.events() == [(block, logged)]
    assert world.events(block + 1) == []
    assert world.request(0).deadline == deadline
    assert (world.num_requests, world.holdings(0)) == (1, 1000)
    assert world.request_exit(5, sender=USER) == 1


def test_refused_call__raises_the_error_with_its_values_and_changes_nothing(world: EvmWorld) -> None:
    block = world.block_number
    with pytest.raises(reverts.WrongValue) as caught:
        world.deposit(0, 1000, *KEY, USER, sender=USER, value=999)
    assert said(caught.value) == {"found": 999, "expected": 1000}
    with pytest.raises(reverts.NotDue) as not_due:
        world.freeze(sender=USER)
    assert said(not_due.value) == {"number": 0, "deadline": 0}
    with pytest.raises(reverts.NotOperator) as not_operator:
        world.transfer_operator(USER, sender=USER)
    assert said(not_operator.value) == {"sender": USER}
    assert (world.block_number, world.called_in, world.events()) == (block, block, [])


def test_batch__at_once_moves_the_root_and_credits(world: EvmWorld) -> None:
    world.deposit(0, 1000, *KEY, USER, sender=USER)
    data = batch_data(world, deposit_record(0, 1000, USER) + withdraw_record(300, USER))
    before = world.header(0)
    header = world.submit_batch(before, data, 77, NO_PROOF, sender=OPERATOR)
    assert header == world.header(1) == world.preview_batch(before, data, 77)
    assert (header.number, header.root_after, header.requests_consumed, header.commitment) == (1, 99, 1, 77)
    assert (world.root, world.executed, world.requests_consumed) == (99, 1, 1)
    assert world.batch_hash(1) == header.hash
    assert world.batch_data(1) == data
    kinds = [type(event) for _, event in world.events()]
    assert kinds == [
        events.RequestQueued,
        events.BatchCommitted,
        events.BatchProved,
        events.BatchExecuted,
        events.WithdrawalPending,
    ]
    assert world.pending_withdrawal(USER, 0) == 300
    held = world.balance_of(USER, 0)
    assert world.withdraw(USER, 0, sender=OPERATOR) == 300
    assert (world.balance_of(USER, 0), world.holdings(0)) == (held + 300, 700)
    with pytest.raises(reverts.NothingPending):
        world.withdraw(USER, 0, sender=OPERATOR)


def test_batch__in_steps_and_reverted(world: EvmWorld) -> None:
    genesis = world.header(0)
    first = batch_data(world)
    one = world.commit_batch(genesis, first, 5, sender=OPERATOR)
    second = batch_data(world, root_after=100, previous=one)
    two = world.commit_batch(one, second, 6, sender=OPERATOR)
    assert (world.committed, world.batch_data(1), world.batch_data(2)) == (2, first, second)
    world.revert_batches(1, sender=OPERATOR)
    assert world.events()[-1].event == events.BatchesReverted(2, 2)
    with pytest.raises(KeyError):
        world.batch_data(2)
    again = world.commit_batch(one, second, 7, sender=OPERATOR)
    assert again != two
    assert world.header(2) == again
    world.prove_batch(one, NO_PROOF, sender=USER)
    world.execute_batch(one, b"", sender=USER)
    with pytest.raises(reverts.NotProved):
        world.execute_batch(again, b"", sender=USER)
    assert (world.committed, world.proved, world.executed, world.root) == (2, 1, 1, 99)


def test_tokens__are_registered_approved_and_paid(world: EvmWorld) -> None:
    plain, fee = (world.deploy_token(kind) for kind in (TokenBehaviour.PLAIN, TokenBehaviour.FEE_ON_TRANSFER))
    assert world.register_token(plain, sender=USER) == 1
    assert world.register_token(fee, sender=USER) == 2
    assert (world.token_address(2), world.token_address(3), world.num_tokens) == (fee, 0, 3)
    for token in (1, 2):
        world.fund(USER, token, 5000)
    assert world.balance_of(USER, 1) == 5000
    assert world.balance_of(USER, 3) == 0
    world.deposit(1, 1000, *KEY, USER, sender=USER)
    world.deposit(2, 1000, *KEY, USER, sender=USER)
    assert (world.holdings(1), world.holdings(2)) == (1000, 990)
    assert world.events()[-1].event.amount == 990  # type: ignore[attr-defined]
    with pytest.raises(reverts.TokenKnown) as known:
        world.register_token(fee, sender=OPERATOR)
    assert said(known.value) == {"address": fee, "token": 2}
    with pytest.raises(reverts.TransferFailed):
        world.deposit(1, 10_000, *KEY, USER, sender=USER)


def test_frozen_rollup__lets_everybody_out(fast: EvmWorld) -> None:
    fast.deposit(0, 500, *KEY, USER, sender=USER)
    fast.mine(fast.config.request_lifetime - 1)
    with pytest.raises(reverts.NotDue):
        fast.freeze(sender=USER)
    fast.mine()
    fast.freeze(sender=USER)
    assert fast.frozen
    assert fast.events()[-1].event == events.RollupFrozen(0)
    deposit = Deposit(0, 500, *KEY, USER)
    with pytest.raises(reverts.RequestMismatch):
        fast.cancel_deposit(0, replace(deposit, amount=501), sender=USER)
    fast.cancel_deposit(0, deposit, sender=USER)
    assert fast.request(0).hash == bytes(32)
    fast.exit(fast.header(0), 3, 0, 7, USER, NO_PROOF, sender=OPERATOR)
    assert fast.exited(3)
    assert fast.pending_withdrawal(USER, 0) == 507
    with pytest.raises(reverts.Frozen):
        fast.request_exit(1, sender=USER)


def test_conflict__freezes(fast: EvmWorld) -> None:
    """R7."""
    genesis = fast.header(0)
    header = fast.submit_batch(genesis, batch_data(fast), 5, NO_PROOF, sender=OPERATOR)
    other = batch_data(fast, root_after=98, previous=genesis)
    fast.report_conflict(genesis, header, other, 6, NO_PROOF, sender=USER)
    assert [event for _, event in fast.events()][-2:] == [
        events.SoundnessAlert(1, 99, 98),
        events.RollupFrozen(1),
    ]


def test_powers__are_the_governor_s_and_the_operator_s(fast: EvmWorld) -> None:
    other = fast.deploy_verifier(VerifierBehaviour.REJECTS)
    fast.propose_verifier(other, other, sender=GOVERNOR)
    with pytest.raises(reverts.TooEarly):
        fast.activate_verifier(sender=USER)
    fast.mine(fast.config.upgrade_delay)
    fast.activate_verifier(sender=USER)
    assert (fast.verifier, fast.exit_verifier) == (other, other)
    fast.transfer_operator(USER, sender=OPERATOR)
    assert fast.operator == USER
    with pytest.raises(reverts.ProofRejected):
        fast.submit_batch(fast.header(0), batch_data(fast), 5, NO_PROOF, sender=USER)


def test_proofs__are_checked_by_a_real_verifier(world: EvmWorld) -> None:
    """V9, R1: a proof for C, z and y as the contract computes them."""
    verifier = world.surroundings.deploy_verifier(KNOWN.verifying_key)
    config = replace(world.config, verifier=verifier, rollup_id=0)
    real = EvmWorld.start(world.surroundings, config)
    data = batch_data(real)
    header = real.preview_batch(real.header(0), data, 77)
    inputs = [header.commitment, header.challenge, header.fingerprint]
    proof = KNOWN.unsafe_prove(inputs)
    wrong_proofs = [
        KNOWN.unsafe_prove([*inputs[:2], inputs[2] + 1]),
        NO_PROOF,
        replace(proof, a=proof.c),
        SimulatedKey(seed=2).unsafe_prove(inputs),
    ]
    for wrong in wrong_proofs if world.transport.name == "pyrevm" else wrong_proofs[:1]:
        with pytest.raises(reverts.ProofRejected) as caught:
            real.submit_batch(real.header(0), data, 77, wrong, sender=OPERATOR)
        assert said(caught.value) == {"number": 1}
    assert real.submit_batch(real.header(0), data, 77, proof, sender=OPERATOR) == header
    assert real.root == 99


def test_headers__are_read_from_the_blocks_that_are_new(
    fast: EvmWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = EvmL1.attach(fast.transport, fast.address, genesis_root=GENESIS_ROOT)
    asked: list[int] = []
    read = seen.events
    monkeypatch.setattr(seen, "events", lambda first_block=0: asked.append(first_block) or read(first_block))
    for number in (1, 2, 3):
        fast.submit_batch(fast.header(number - 1), batch_data(fast), number, NO_PROOF, sender=OPERATOR)
        fast.mine(5)
        assert seen.header(number) == fast.header(number)
        assert seen.header(number) == fast.header(number)
    assert len(asked) == 3
    assert asked == sorted(set(asked))
    seen._read_until = fast.block_number  # as if the blocks read so far had come again with other batches
    seen._headers.clear()
    assert seen.header(2) == fast.header(2)
    assert asked[3:] == [fast.block_number, 0]


# -- attaching -------------------------------------------------------------------------------------------


def test_attach__reads_the_configuration(fast: EvmWorld) -> None:
    fast.deposit(0, 1000, *KEY, USER, sender=USER)
    data = batch_data(fast, deposit_record(0, 1000, USER))
    fast.submit_batch(fast.header(0), data, 77, NO_PROOF, sender=OPERATOR)
    seen = EvmL1.attach(fast.transport, fast.address, genesis_root=GENESIS_ROOT)
    assert seen.config == fast.config
    assert (seen.header(1), seen.batch_data(1), seen.events()) == (fast.header(1), data, fast.events())


def test_attach__refuses_another_genesis_and_an_empty_address(fast: EvmWorld) -> None:
    with pytest.raises(WrongGenesis, match=r"it did not start from root 0x0+7 with next index 1, but from"):
        EvmL1.attach(fast.transport, fast.address, genesis_root=7)
    with pytest.raises(WrongGenesis):
        EvmL1.attach(fast.transport, fast.address, genesis_root=GENESIS_ROOT, genesis_next_index=2)
    with pytest.raises(EvmError, match="there is no code at this address"):
        EvmL1.attach(fast.transport, 0xBEEF, genesis_root=GENESIS_ROOT)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"genesis_root": R}, reverts.InvalidConfig(0)),
        ({"operator": 0}, reverts.ZeroAddress()),
        ({"exit_verifier": 0xBEEF}, reverts.NoCode(0xBEEF)),
        ({"upgrade_delay": 50_400}, reverts.UpgradeDelayTooShort(50_400, 50_400)),
    ],
)
def test_deployment__refuses_by_name(changes: dict[str, int], error: reverts.Revert) -> None:
    with pytest.raises(type(error)) as caught:
        start(made("pyrevm"), **changes)
    assert said(caught.value) == said(error)


# -- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda l1: l1.deposit(1 << 32, 1, *KEY, USER, sender=USER), "token"),
        (lambda l1: l1.deposit(0, -1, *KEY, USER, sender=USER), "amount"),
        (lambda l1: l1.deposit(0, 1, *KEY, 1 << 160, sender=USER), "owner"),
        (lambda l1: l1.request_exit(1 << 32, sender=USER), "account"),
        (lambda l1: l1.revert_batches(1 << 64, sender=USER), "to"),
        (
            lambda l1: l1.prove_batch(l1.header(0), replace(NO_PROOF, a=(1 << 256, 0)), sender=USER),
            "proof: a.x",
        ),
        (
            lambda l1: l1.prove_batch(replace(l1.header(0), number=-1), NO_PROOF, sender=USER),
            "number",
        ),
        (
            lambda l1: l1.execute_batch(replace(l1.header(0), skeleton=b""), b"", sender=USER),
            "skeleton",
        ),
    ],
)
def test_argument__that_does_not_fit_its_type_is_not_sent(
    call: Callable[[EvmL1], object], name: str, fast: EvmWorld
) -> None:
    block = fast.block_number
    with pytest.raises(OutOfRange) as caught:
        call(fast)
    assert caught.value.name == name
    assert fast.block_number == block


@pytest.mark.parametrize("kind", reverts.REVERTS, ids=lambda kind: kind.__name__)
def test_error__is_decoded_from_its_words(kind: type[reverts.Revert]) -> None:
    samples = {"bytes32": bytes(range(32)), "address": USER}
    error = kind(*(samples.get(text, 7 + i) for i, text in enumerate(abi_types(kind))))
    found = decode_revert(Reverted(selector(kind) + abi_encode(error)))
    assert type(found) is kind
    assert said(found) == said(error)


@pytest.mark.parametrize("data", [b"", b"\x4e\x48\x7b\x71" + bytes(32), selector(reverts.WrongChain) + b"\1"])
def test_error__that_is_not_the_contract_s_is_said_so(data: bytes) -> None:
    found = decode_revert(Reverted(data))
    assert isinstance(found, UnknownError)
    assert found.data == data
    assert f"0x{data.hex()}" in str(found)


def test_event__of_another_contract_is_none() -> None:
    assert decode_event(Log(1, 5, (keccak256(b"Transfer(address,address,uint256)"),), bytes(32))) is None
    assert decode_event(Log(1, 5, (), b"")) is None


def test_abi__counts_arguments_and_knows_calls() -> None:
    abi = Abi(load_artifact("Rollup").abi)
    with pytest.raises(TypeError, match="freeze: expected 0 arguments, got 1"):
        abi.encode_call("freeze", 1)
    assert abi.decode_call("requestExit", abi.encode_call("requestExit", 9)) == (9,)
    assert abi.decode_call("freeze", abi.encode_call("requestExit", 9)) is None
    assert "submitBatch" in abi.functions


def test_artifact__that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "Broken.json").write_text('{"abi": []}')
    with pytest.raises(BrokenArtifact, match=r"Broken\.json: expected abi, bytecode and deployedBytecode"):
        load_artifact("Broken", tmp_path)


# -- the verifier of a key -------------------------------------------------------------------------------


def test_verifier_code__of_a_one_party_key_needs_leave() -> None:
    with pytest.raises(InsecureKey, match="one party made it and could forge proofs"):
        verifier_creation_code(KNOWN.verifying_key)


def test_verifier_code__is_deployed_as_computed(fast: EvmWorld) -> None:
    code = fast.surroundings.deploy_code(verifier_creation_code(KNOWN.verifying_key, allow_insecure=True))
    assert fast.transport.code(code) == verifier_runtime_code(KNOWN.verifying_key, allow_insecure=True)


def test_verifier_code__of_another_number_of_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="verifying key: expected 3 public inputs, got 2"):
        verifier_runtime_code(SimulatedKey(2).verifying_key, allow_insecure=True)
