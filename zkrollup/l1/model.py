"""The rollup's contract as plain Python: queue, batches, roots, withdrawals, freeze and exits.

This module must not know of circuits, engines or provers, nor trust anything that it can compute from
the bytes it was given. It does what the Solidity contract does, in its order; a call either completes
or raises a :class:`~zkrollup.l1.reverts.Revert` and changes nothing.

A batch goes through three steps. It is *committed* by the operator: its data is read, checked and hashed
into a header, whose hash is stored. It is *proved* by anyone whose proof holds for the header's three
public inputs. It is *executed* by anyone: the root moves, and its payments are credited to their owners,
who pull them. A batch that pays more than a block can credit is executed first and credited in parts. Only
execution counts for deadlines. When a request was not executed in time, or two proofs contradict each other,
anyone freezes the contract, for good; from then on every account leaves by a proof of its leaf under the last
executed root, and every deposit that is not in the tree is given back.

Nobody has more power than this: the operator orders transactions and may forget what is not proved; the
governor replaces the verifiers after a delay longer than a request may take, never while one is due, and not
by a proposal that lay about for another delay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from zkrollup.bn254 import FR_MODULUS
from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import events, reverts
from zkrollup.l1.events import Event, FreezeReason, LoggedEvent
from zkrollup.l1.headers import ZERO_HASH, BatchHeader, genesis_header
from zkrollup.l1.interface import ETH, Config, StoredRequest, TokenBehaviour, VerifierBehaviour
from zkrollup.l1.queue import QueuedRequest, hash_request
from zkrollup.l1.reading import BatchReading, Payment, Place, pack_payments, read_batch
from zkrollup.l1.reverts import ConfigItem
from zkrollup.l1.world import ETHER, InsufficientFunds, TokenRefuses, Verifier, World
from zkrollup.state.accounts import (
    ADDRESS_BITS,
    BALANCE_BITS,
    CHAIN_ID_BITS,
    INDEX_BITS,
    TOKEN_BITS,
    require_bits,
)
from zkrollup.state.exceptions import InvalidKey, InvalidParameter
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import PublicInputs, challenge, fingerprint
from zkrollup.state.transactions import Deposit, ForcedExit, Request, require_key

__all__ = ["DEFAULT_ADDRESS", "DEFAULT_CHAIN_ID", "MADE_TOKENS", "RollupContract"]

MADE_TOKENS = 255
"""Up to this number the model makes ERC-20s on the spot where an account or a deposit needs one."""

DEFAULT_CHAIN_ID = 31337
DEFAULT_ADDRESS = 0x5A6B526F6C6C75700000000000000000000001

_WORD_BITS = 256
_NUMBER_BITS = 64
_DELAY_BITS = 32


class RollupContract:
    """One rollup on one chain, from its genesis root on, and the ``world`` around it.

    It is an :class:`~zkrollup.l1.interface.L1World`. The addresses in ``config`` that are to be called (the
    verifiers) lie in ``world``. The accounts of a genesis that is not empty are backed by :meth:`back`.

    Raises :class:`OutOfRange`, :class:`InvalidConfig`, :class:`ZeroAddress`, :class:`NoCode`,
    :class:`UpgradeDelayTooShort`.
    """

    def __init__(
        self,
        config: Config,
        *,
        world: World | None = None,
        chain_id: int = DEFAULT_CHAIN_ID,
        address: int = DEFAULT_ADDRESS,
        block_number: int = 1,
    ) -> None:
        require_bits("chain_id", chain_id, CHAIN_ID_BITS)
        require_bits("address", address, ADDRESS_BITS)
        self.world = World() if world is None else world
        _require_config(config, self.world)
        self.config = replace(config, rollup_id=config.rollup_id or address)
        self.chain_id = chain_id
        self.address = address
        self.block_number = block_number
        self.last_executed_block = block_number
        self.committed = self.proved = self.executed = 0
        self.requests_consumed = 0
        self.frozen = False
        self.operator, self.governor = config.operator, config.governor
        self.verifier, self.exit_verifier = config.verifier, config.exit_verifier
        self.proposal: tuple[int, int, int] | None = None  # verifier, exit verifier, active from
        self.requests: list[QueuedRequest] = []
        self._hashes: list[bytes] = []
        genesis = genesis_header(config.genesis_root, config.genesis_next_index)
        self._headers = {0: genesis}
        self._batch_hashes = {0: genesis.hash}
        self._data: dict[int, bytes] = {}
        self._tokens = [ETHER]
        self._pending: dict[tuple[int, int], int] = {}
        self._uncredited: dict[int, bytes] = {}
        self._exited: set[int] = set()
        self._log: list[LoggedEvent] = []
        self._entered = False

    # -- views ---------------------------------------------------------------------------------------

    @property
    def rollup_id(self) -> int:
        return self.config.rollup_id

    @property
    def parameters(self) -> BatchParameters:
        return self.config.parameters

    @property
    def root(self) -> int:
        return self._headers[self.executed].root_after

    @property
    def next_index(self) -> int:
        return self._headers[self.executed].next_index

    @property
    def num_requests(self) -> int:
        return len(self.requests)

    @property
    def gas_limit(self) -> int | None:
        return None

    @property
    def num_tokens(self) -> int:
        return len(self._tokens)

    @property
    def accounts(self) -> Sequence[int]:
        return self.world.accounts

    @property
    def queue(self) -> tuple[QueuedRequest, ...]:
        """The requests that no executed batch consumed, in order."""
        return tuple(self.requests[self.requests_consumed :])

    def batch_hash(self, number: int) -> bytes:
        return self._batch_hashes.get(number, ZERO_HASH)

    def header(self, number: int) -> BatchHeader:
        return self._headers[number]

    def batch_data(self, number: int) -> bytes:
        return self._data[number]

    def request(self, number: int) -> StoredRequest:
        if not 0 <= number < len(self.requests):
            raise KeyError(number)
        return StoredRequest(self._hashes[number], self.requests[number].deadline)

    def token_address(self, token: int) -> int:
        return self._tokens[token] if 0 <= token < len(self._tokens) else 0

    def pending_withdrawal(self, owner: int, token: int) -> int:
        return self._pending.get((owner, token), 0)

    @property
    def pending(self) -> Mapping[tuple[int, int], int]:
        """All that can be withdrawn, by owner and token."""
        return dict(self._pending)

    def uncredited(self, number: int) -> bytes:
        return self._uncredited.get(number, ZERO_HASH)

    def exited(self, account: int) -> bool:
        return account in self._exited

    def holdings(self, token: int) -> int:
        return self.balance_of(self.address, token)

    def balance_of(self, address: int, token: int) -> int:
        if token != ETH and not self.token_address(token):
            return 0
        return self.world.balance(self.token_address(token), address)

    def events(self, first_block: int = 0) -> list[LoggedEvent]:
        return [logged for logged in self._log if logged.block >= first_block]

    # -- surroundings --------------------------------------------------------------------------------

    def mine(self, blocks: int = 1) -> None:
        self.block_number += blocks

    def fund(self, address: int, token: int, amount: int) -> None:
        self.world.mint(self.token_address(token), address, amount)

    def deploy_token(self, behaviour: TokenBehaviour) -> int:
        return self.world.deploy_token(behaviour)

    def deploy_verifier(self, behaviour: VerifierBehaviour | Verifier) -> int:
        return self.world.deploy_verifier(behaviour)

    def deploy_refuser(self) -> int:
        return self.world.deploy_refuser()

    def back(self, holdings: Mapping[int, int]) -> None:
        """Give the contract what the accounts of its genesis hold (token number -> amount), with a new
        ERC-20 for each number up to the greatest that has none, which is at most ``MADE_TOKENS``.

        Raises :class:`InvalidParameter`.
        """
        greatest = max(holdings, default=0)
        if greatest > MADE_TOKENS:
            raise InvalidParameter("token of the genesis", greatest, f"a number up to {MADE_TOKENS}")
        for _ in range(self.num_tokens, greatest + 1):
            self.register_token(self.deploy_token(TokenBehaviour.PLAIN), sender=self.operator)
        for token, amount in holdings.items():
            self.fund(self.address, token, amount)

    # -- tokens and requests -------------------------------------------------------------------------

    def register_token(self, address: int, *, sender: int) -> int:
        require_bits("address", address, ADDRESS_BITS)
        if address == 0:
            raise reverts.ZeroAddress
        if not self.world.has_code(address):
            raise reverts.NoCode(address)
        if address in self._tokens:
            raise reverts.TokenKnown(address, self._tokens.index(address))
        self._tokens.append(address)
        token = len(self._tokens) - 1
        self._emit(events.TokenRegistered(token, address))
        return token

    def deposit(
        self, token: int, amount: int, ax: int, ay: int, owner: int, *, sender: int, value: int | None = None
    ) -> int:
        require_bits("token", token, TOKEN_BITS)
        for name, word in (("amount", amount), ("ax", ax), ("ay", ay)):
            require_bits(name, word, _WORD_BITS)
        require_bits("owner", owner, ADDRESS_BITS)
        due = amount if token == ETH else 0
        value = due if value is None else value
        self._require_funds(sender, value)
        self._require_running()
        if owner == 0:
            raise reverts.ZeroAddress
        if token >= len(self._tokens):
            raise reverts.UnknownToken(token)
        _require_key(ax, ay)
        if value != due:
            raise reverts.WrongValue(value, due)
        if amount == 0:
            raise reverts.ZeroAmount
        with self._guard():
            with self._pulled(token, sender, amount) as received:
                if received == 0:
                    raise reverts.ZeroAmount
                if received >= self.config.deposit_cap:
                    raise reverts.DepositTooLarge(received, self.config.deposit_cap)
            return self._enqueue(Deposit(token, received, ax, ay, owner), token, received, (ax, ay))

    def request_exit(self, account: int, *, sender: int) -> int:
        require_bits("account", account, INDEX_BITS)
        self._require_running()
        if account >= self.parameters.capacity:
            raise reverts.OutsideTree(account, self.parameters.capacity)
        return self._enqueue(ForcedExit(account, sender), account, 0, (0, 0))

    def _enqueue(self, request: Request, target: int, amount: int, key: tuple[int, int]) -> int:
        queued = QueuedRequest(len(self.requests), self.block_number + self.config.request_lifetime, request)
        self.requests.append(queued)
        self._hashes.append(queued.hash)
        self._emit(
            events.RequestQueued(
                queued.number, int(request.kind), target, amount, *key, request.eth_address, queued.deadline
            )
        )
        return queued.number

    def withdraw(self, owner: int, token: int, *, sender: int) -> int:
        require_bits("owner", owner, ADDRESS_BITS)
        require_bits("token", token, TOKEN_BITS)
        with self._guard():
            amount = self._pending.pop((owner, token), 0)
            if amount == 0:
                raise reverts.NothingPending(owner, token)
            try:
                if token != ETH and not self.token_address(token):
                    raise TokenRefuses("the genesis has a token that nobody registered")
                self.world.move(self.token_address(token), self.address, owner, amount)
            except TokenRefuses as error:
                self._pending[owner, token] = amount
                raise reverts.TransferFailed(token, amount) from error
            self._emit(events.WithdrawalPaid(owner, token, amount))
            return amount

    # -- batches -------------------------------------------------------------------------------------

    def commit_batch(
        self, previous: BatchHeader, data: bytes, commitment: int, *, sender: int
    ) -> BatchHeader:
        self._require_running()
        if sender != self.operator:
            raise reverts.NotOperator(sender)
        header, _ = self._read(previous, data, commitment)
        self._commit(header, data)
        return header

    def prove_batch(self, header: BatchHeader, proof: Proof, *, sender: int) -> None:
        self._require_running()
        if header.number != self.proved + 1:
            raise reverts.NotNext(header.number, self.proved + 1)
        self._require_stored(header, header.number)
        self._require_proof(self.verifier, _public_inputs(header), proof, header.number)
        self._prove(header)

    def execute_batch(self, header: BatchHeader, withdrawals: bytes, *, sender: int) -> None:
        self._require_running()
        self._require_next(header)
        _require_withdrawals(withdrawals, header.withdrawals)
        self._execute(header)
        self._credit_all(withdrawals)

    def execute_without_credits(self, header: BatchHeader, *, sender: int) -> None:
        self._require_running()
        self._require_turn(sender)
        self._require_next(header)
        self._execute(header)
        self._leave(header.number, header.withdrawals)

    def credit_withdrawals(self, number: int, withdrawals: bytes, count: int, *, sender: int) -> None:
        require_bits("number", number, _NUMBER_BITS)
        require_bits("count", count, _WORD_BITS)
        self._require_outside()
        expected = self.uncredited(number)
        if expected == ZERO_HASH:
            raise reverts.NothingUncredited(number)
        _require_withdrawals(withdrawals, expected)
        now, later = withdrawals[: 40 * count], withdrawals[40 * count :]
        self._leave(number, keccak256(later) if later else ZERO_HASH)
        self._credit_all(now)

    def _leave(self, number: int, withdrawals: bytes) -> None:
        self._uncredited[number] = withdrawals
        self._emit(events.WithdrawalsLeft(number, withdrawals))

    def submit_batch(
        self, previous: BatchHeader, data: bytes, commitment: int, proof: Proof, *, sender: int
    ) -> BatchHeader:
        self._require_running()
        self._require_turn(sender)
        if self.committed != self.executed:
            raise reverts.PendingBatches(self.committed, self.executed)
        header, payments = self._read(previous, data, commitment)
        self._require_proof(self.verifier, _public_inputs(header), proof, header.number)
        self._commit(header, data)
        self._prove(header)
        self._execute(header)
        self._credit_all(pack_payments(payments))
        return header

    def revert_batches(self, to: int, *, sender: int) -> None:
        require_bits("to", to, _NUMBER_BITS)
        self._require_outside()
        if not self.frozen:
            self._require_turn(sender)
        if not self.proved <= to < self.committed:
            raise reverts.NothingToRevert(to, self.proved, self.committed)
        last = self.committed
        for number in range(to + 1, last + 1):
            del self._batch_hashes[number], self._headers[number], self._data[number]
        self.committed = to
        self._emit(events.BatchesReverted(to + 1, last))

    @property
    def operator_is_silent(self) -> bool:
        """Whether no batch was executed for so long that anyone may submit one."""
        return self.block_number > self.last_executed_block + self.config.operator_delay

    def public_inputs(self, data: bytes, commitment: int) -> PublicInputs:
        """(C, z, y) of the batch after the last committed one; raises what its commitment raises of data."""
        return _public_inputs(self._header_of(self._headers[self.committed], data, commitment)[0])

    def _read(
        self, previous: BatchHeader, data: bytes, commitment: int
    ) -> tuple[BatchHeader, Sequence[Payment]]:
        """The header of the batch that continues the last committed one, and its payments."""
        self._require_stored(previous, self.committed)
        return self._header_of(previous, data, commitment)

    def _header_of(
        self, previous: BatchHeader, data: bytes, commitment: int
    ) -> tuple[BatchHeader, Sequence[Payment]]:
        data = bytes(memoryview(data))  # bytes(5) would be five zeros
        require_bits("commitment", commitment, _WORD_BITS)
        place = Place(
            self.chain_id,
            self.rollup_id,
            previous.number + 1,
            self.parameters,
            previous.next_index,
            previous.root_after,
            previous.requests_consumed,
        )
        reading = read_batch(data, place, self._hashes)
        if commitment >= FR_MODULUS:
            raise reverts.NonCanonicalCommitment(commitment)
        return self._header(place, reading, commitment), reading.payments

    def _header(self, place: Place, reading: BatchReading, commitment: int) -> BatchHeader:
        z = challenge(self.chain_id, self.address, reading.elements, commitment)
        return BatchHeader(
            number=place.number,
            root_before=place.root_before,
            root_after=reading.root_after,
            next_index=reading.next_after,
            requests_consumed=reading.requests_after,
            commitment=commitment,
            challenge=z,
            fingerprint=fingerprint(reading.elements, z),
            skeleton=reading.skeleton,
            withdrawals=keccak256(pack_payments(reading.payments)),
            requests_before=place.requests_before,
        )

    def _commit(self, header: BatchHeader, data: bytes) -> None:
        self.committed = header.number
        self._headers[header.number] = header
        self._batch_hashes[header.number] = header.hash
        self._data[header.number] = bytes(data)
        self._emit(events.BatchCommitted(header.number, header))

    def _prove(self, header: BatchHeader) -> None:
        self.proved = header.number
        self._emit(events.BatchProved(header.number))

    def _execute(self, header: BatchHeader) -> None:
        self.executed = header.number
        self.requests_consumed = header.requests_consumed
        self.last_executed_block = self.block_number
        self._emit(
            events.BatchExecuted(
                header.number, header.root_before, header.root_after, header.requests_consumed
            )
        )

    def _credit_all(self, withdrawals: bytes) -> None:
        for owner, token, amount in _unpack_payments(withdrawals):
            self._credit(owner, token, amount)

    # -- freeze and exit -----------------------------------------------------------------------------

    def freeze(self, *, sender: int) -> None:
        self._require_running()
        if not self.is_overdue:
            raise reverts.NotDue(self.requests_consumed, self._oldest_deadline())
        self._freeze(FreezeReason.OVERDUE)

    @property
    def is_overdue(self) -> bool:
        """Whether the oldest request that no executed batch consumed has passed its deadline."""
        return 0 < self._oldest_deadline() < self.block_number

    def report_conflict(
        self,
        before: BatchHeader,
        known: BatchHeader,
        data: bytes,
        commitment: int,
        proof: Proof,
        *,
        sender: int,
    ) -> None:
        self._require_running()
        if not 1 <= known.number <= self.proved:
            raise reverts.UnknownBatch(known.number)
        self._require_stored(known, known.number)
        self._require_stored(before, known.number - 1)
        other, _ = self._header_of(before, data, commitment)
        if other.skeleton != known.skeleton:
            raise reverts.DifferentData(other.skeleton, known.skeleton)
        if other.root_after == known.root_after:
            raise reverts.SameRoot(known.root_after)
        self._require_proof(self.verifier, _public_inputs(other), proof, known.number)
        self._emit(events.SoundnessAlert(known.number, known.root_after, other.root_after))
        self._freeze(FreezeReason.CONFLICT)

    def exit(
        self,
        header: BatchHeader,
        account: int,
        token: int,
        balance: int,
        owner: int,
        proof: Proof,
        *,
        sender: int,
    ) -> None:
        require_bits("account", account, INDEX_BITS)
        require_bits("token", token, TOKEN_BITS)
        require_bits("balance", balance, BALANCE_BITS)
        require_bits("owner", owner, ADDRESS_BITS)
        self._require_frozen()
        self._require_stored(header, self.executed)
        if account >= self.parameters.capacity:
            raise reverts.OutsideTree(account, self.parameters.capacity)
        if account in self._exited:
            raise reverts.AlreadyExited(account)
        inputs = (header.root_after, account << 192 | token << 160 | owner, balance)
        self._require_proof(self.exit_verifier, inputs, proof, header.number)
        self._exited.add(account)
        self._emit(events.Exited(account, token, balance, owner))
        self._credit(owner, token, balance)

    def cancel_deposit(self, number: int, deposit: Deposit, *, sender: int) -> None:
        require_bits("number", number, _NUMBER_BITS)
        self._require_frozen()
        if number < self.requests_consumed:
            raise reverts.AlreadyConsumed(number, self.requests_consumed)
        if number >= len(self._hashes):
            raise reverts.NoSuchRequest(number)
        stored, found = self._hashes[number], hash_request(deposit)
        if stored == ZERO_HASH:
            raise reverts.AlreadyCancelled(number)
        if found != stored:
            raise reverts.RequestMismatch(number, found, stored)
        self._hashes[number] = ZERO_HASH
        self._emit(events.DepositCancelled(number, deposit.token, deposit.amount, deposit.eth_address))
        self._credit(deposit.eth_address, deposit.token, deposit.amount)

    def _freeze(self, reason: FreezeReason) -> None:
        self.frozen = True
        self._emit(events.RollupFrozen(int(reason)))

    def _oldest_deadline(self) -> int:
        waiting = self.requests_consumed < len(self.requests)
        return self.requests[self.requests_consumed].deadline if waiting else 0

    # -- powers --------------------------------------------------------------------------------------

    def propose_verifier(self, verifier: int, exit_verifier: int, *, sender: int) -> None:
        require_bits("verifier", verifier, ADDRESS_BITS)
        require_bits("exit_verifier", exit_verifier, ADDRESS_BITS)
        if sender != self.governor:
            raise reverts.NotGovernor(sender)
        for address in (verifier, exit_verifier):
            if not self.world.has_code(address):
                raise reverts.NoCode(address)
        active_from = self.block_number + self.config.upgrade_delay
        self.proposal = (verifier, exit_verifier, active_from)
        self._emit(events.VerifierProposed(verifier, exit_verifier, active_from))

    def activate_verifier(self, *, sender: int) -> None:
        self._require_running()
        if self.proposal is None:
            raise reverts.NothingProposed
        verifier, exit_verifier, active_from = self.proposal
        if self.block_number < active_from:
            raise reverts.TooEarly(self.block_number, active_from)
        active_until = active_from + self.config.upgrade_delay
        if self.block_number > active_until:
            raise reverts.ProposalLapsed(self.block_number, active_until)
        if self.is_overdue:
            raise reverts.RequestDue(self.requests_consumed, self._oldest_deadline())
        self.verifier, self.exit_verifier, self.proposal = verifier, exit_verifier, None
        self._emit(events.VerifierActivated(verifier, exit_verifier))

    def cancel_proposal(self, *, sender: int) -> None:
        if sender != self.governor:
            raise reverts.NotGovernor(sender)
        if self.proposal is None:
            raise reverts.NothingProposed
        verifier, exit_verifier, _ = self.proposal
        self.proposal = None
        self._emit(events.ProposalCancelled(verifier, exit_verifier))

    def transfer_operator(self, operator: int, *, sender: int) -> None:
        require_bits("operator", operator, ADDRESS_BITS)
        if sender != self.operator:
            raise reverts.NotOperator(sender)
        if operator == 0:
            raise reverts.ZeroAddress
        self.operator = operator
        self._emit(events.OperatorChanged(operator))

    # -- shared --------------------------------------------------------------------------------------

    def _emit(self, event: Event) -> None:
        self._log.append(LoggedEvent(self.block_number, event))

    def _credit(self, owner: int, token: int, amount: int) -> None:
        if amount:
            self._pending[owner, token] = self.pending_withdrawal(owner, token) + amount
            self._emit(events.WithdrawalPending(owner, token, amount))

    def _require_outside(self) -> None:
        """No payment is under way, whose token or receiver calls."""
        if self._entered:
            raise reverts.Reentered

    def _require_running(self) -> None:
        self._require_outside()
        if self.frozen:
            raise reverts.Frozen

    def _require_frozen(self) -> None:
        self._require_outside()
        if not self.frozen:
            raise reverts.NotFrozen

    def _require_turn(self, sender: int) -> None:
        if sender != self.operator and not self.operator_is_silent:
            raise reverts.NotOperator(sender)

    def _require_next(self, header: BatchHeader) -> None:
        """The header must be that of the first batch that is proved and not executed."""
        if header.number != self.executed + 1:
            raise reverts.NotNext(header.number, self.executed + 1)
        if header.number > self.proved:
            raise reverts.NotProved(header.number, self.proved)
        self._require_stored(header, header.number)

    def _require_stored(self, header: BatchHeader, number: int) -> None:
        """The header must be that of batch ``number``."""
        if header.number != number or header.hash != self._batch_hashes.get(number):
            raise reverts.UnknownBatch(header.number)

    def _require_proof(self, verifier: int, inputs: Sequence[int], proof: Proof, number: int) -> None:
        verify = self.world.verifiers.get(verifier)
        if verify is None or not verify(inputs, proof):
            raise reverts.ProofRejected(number)

    def _require_funds(self, sender: int, value: int) -> None:
        require_bits("value", value, _WORD_BITS)
        held = self.world.balance(ETHER, sender)
        if held < value:
            raise InsufficientFunds(sender, held, value)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Around a payment: nobody comes in meanwhile, not by a token's code, nor by a receiver's."""
        self._require_outside()
        self._entered = True
        try:
            yield
        finally:
            self._entered = False

    @contextmanager
    def _pulled(self, token: int, sender: int, amount: int) -> Iterator[int]:
        """The amount that arrives of a payment by ``sender``, which is undone when the block raises."""
        address = self.token_address(token)
        purses = [(address, sender), (address, self.address)]
        saved = {purse: self.world.balance(*purse) for purse in purses}
        try:
            self.world.move(address, sender, self.address, amount)
        except TokenRefuses as error:
            raise reverts.TransferFailed(token, amount) from error
        try:
            yield max(self.holdings(token) - saved[address, self.address], 0)
        except reverts.Revert:
            self.world.balances.update(saved)
            raise


def _public_inputs(header: BatchHeader) -> PublicInputs:
    return PublicInputs(header.commitment, header.challenge, header.fingerprint)


def _require_withdrawals(withdrawals: bytes, expected: bytes) -> None:
    found = keccak256(withdrawals)
    if found != expected:
        raise reverts.WrongWithdrawals(found, expected)


def _unpack_payments(withdrawals: bytes) -> Iterator[Payment]:
    for offset in range(0, len(withdrawals), 40):
        entry = withdrawals[offset : offset + 40]
        yield (
            int.from_bytes(entry[:20], "big"),
            int.from_bytes(entry[20:24], "big"),
            int.from_bytes(entry[24:], "big"),
        )


def _require_key(ax: int, ay: int) -> None:
    try:
        require_key(ax, ay)
    except InvalidKey as error:
        raise reverts.InvalidKey(ax, ay) from error


def _require_config(config: Config, world: World) -> None:
    require_bits("rollup_id", config.rollup_id, ADDRESS_BITS)
    require_bits("genesis_next_index", config.genesis_next_index, _NUMBER_BITS)
    for name in ("request_lifetime", "operator_delay", "upgrade_delay"):
        require_bits(name, getattr(config, name), _DELAY_BITS)
    require_bits("genesis_root", config.genesis_root, _WORD_BITS)
    require_bits("deposit_cap", config.deposit_cap, _WORD_BITS)
    if config.genesis_root >= FR_MODULUS:
        raise reverts.InvalidConfig(ConfigItem.GENESIS_ROOT)
    if not 1 <= config.genesis_next_index <= config.parameters.capacity:
        raise reverts.InvalidConfig(ConfigItem.GENESIS_NEXT_INDEX)
    if not 1 <= config.deposit_cap < 1 << BALANCE_BITS:
        raise reverts.InvalidConfig(ConfigItem.DEPOSIT_CAP)
    if config.request_lifetime == 0:
        raise reverts.InvalidConfig(ConfigItem.REQUEST_LIFETIME)
    if config.operator == 0 or config.governor == 0:
        raise reverts.ZeroAddress
    for address in (config.verifier, config.exit_verifier):
        if not world.has_code(address):
            raise reverts.NoCode(address)
    if config.upgrade_delay <= config.request_lifetime:
        raise reverts.UpgradeDelayTooShort(config.upgrade_delay, config.request_lifetime)
