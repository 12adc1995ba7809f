"""The rollup's contract in an EVM as an :class:`~zkrollup.l1.interface.L1`: what the model is, but real.

This module must not know which EVM runs, nor how a proof is made. It keeps nothing that the chain does not
have: all answers come from the contract, its events and the calldata of its transactions.
"""

from __future__ import annotations

from typing import Any, Self

from zkrollup.crypto.keccak import keccak256
from zkrollup.groth16.keys import Proof
from zkrollup.l1 import events as l1_events
from zkrollup.l1.events import Event, LoggedEvent
from zkrollup.l1.headers import ZERO_HASH, BatchHeader, genesis_header
from zkrollup.l1.interface import ETH, Config, StoredRequest
from zkrollup.state.accounts import require_bits
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.public_data import VERSION
from zkrollup.state.transactions import Deposit

from .abi import Abi, decode_event, decode_revert, header_of
from .artifacts import load_artifact
from .transport import EvmError, Receipt, Reverted, Transport

__all__ = ["EvmL1", "WrongGenesis", "proof_words"]


class WrongGenesis(EvmError):
    """The contract did not start from this root and index.

    ``expected`` is the root that it started from, as its first batch says; ``None`` where there is no batch
    yet, since the contract keeps the hash of its genesis only.
    """

    def __init__(self, address: int, root: int, next_index: int, expected: int | None, stored: bytes) -> None:
        if expected is None:
            instead = f"but from what has the hash 0x{stored.hex()}"
        elif expected == root:
            instead = "but from this root with another next index"
        else:
            instead = f"but from root {expected:#066x}"
        super().__init__(
            f"contract {address:#042x}: it did not start from root {root:#066x} with next index "
            f"{next_index}, {instead}; give the accounts that it was deployed with"
        )
        self.address, self.root, self.next_index, self.expected = address, root, next_index, expected


def proof_words(proof: Proof) -> list[int]:
    """A, B, C as the contract takes them, imaginary parts first; raises :class:`OutOfRange`."""
    (bx0, bx1), (by0, by1) = proof.b
    words = [*proof.a, bx1, bx0, by1, by0, *proof.c]
    for name, word in zip(
        ("a.x", "a.y", "b.x.im", "b.x.re", "b.y.im", "b.y.re", "c.x", "c.y"), words, strict=True
    ):
        require_bits(f"proof: {name}", word, 256)
    return words


_WORD = 32
_ROOT_AFTER = slice(83, 115)
"""Of a batch's data."""


def skeleton(data: bytes) -> bytes:
    """The keccak of a batch's data with the root after zeroed."""
    return keccak256(data[: _ROOT_AFTER.start] + bytes(32) + data[_ROOT_AFTER.stop :])


_ERC20 = Abi(
    [
        {
            "type": "function",
            "name": name,
            "inputs": [{"name": f"argument {i}", "type": text} for i, text in enumerate(inputs)],
            "outputs": [{"name": "", "type": output}] if output else [],
        }
        for name, inputs, output in (
            ("balanceOf", ("address",), "uint256"),
            ("allowance", ("address", "address"), "uint256"),
            ("approve", ("address", "uint256"), ""),
        )
    ]
)


class EvmL1:
    """A deployed contract at ``address``, with the configuration that it was deployed with.

    Calls raise the :class:`~zkrollup.l1.reverts.Revert` of the contract's error, or
    :class:`~zkrollup.l1.evm.abi.UnknownError` where the chain reverts with anything else.
    """

    def __init__(self, transport: Transport, address: int, config: Config) -> None:
        self.transport = transport
        self.called_in = transport.block_number
        """The block in which the last call ran, or would have run had it not reverted."""
        self._abi = Abi(load_artifact("Rollup").abi)
        self._address = address
        self._config = config
        self._headers: dict[bytes, BatchHeader] = {}
        self._read_until = 0
        self._committed_in: dict[bytes, int] = {}  # the block of the header with this hash, when last seen
        genesis = genesis_header(config.genesis_root, config.genesis_next_index)
        if (stored := self.batch_hash(0)) != genesis.hash:
            first = None if self.batch_hash(1) == ZERO_HASH else self.header(1).root_before
            raise WrongGenesis(address, config.genesis_root, config.genesis_next_index, first, stored)
        self._headers[genesis.hash] = genesis

    @classmethod
    def deploy(cls, transport: Transport, config: Config, *, sender: int) -> Self:
        """A new contract. Raises :class:`InvalidConfig`, :class:`ZeroAddress`, :class:`NoCode`,
        :class:`UpgradeDelayTooShort`, :class:`OutOfRange`."""
        artifact = load_artifact("Rollup")
        sizes = config.parameters
        arguments = (
            config.verifier,
            config.exit_verifier,
            config.operator,
            config.governor,
            config.rollup_id,
            config.genesis_root,
            config.genesis_next_index,
            sizes.slots,
            sizes.depth,
            sizes.fee_tokens,
            config.deposit_cap,
            config.request_lifetime,
            config.operator_delay,
            config.upgrade_delay,
        )
        code = artifact.creation + Abi(artifact.abi).encode_constructor(arguments)
        try:
            receipt = transport.deploy(code, sender=sender)
        except Reverted as reverted:
            raise decode_revert(reverted) from reverted
        assert receipt.address is not None
        deployed = cls.attach(
            transport,
            receipt.address,
            genesis_root=config.genesis_root,
            genesis_next_index=config.genesis_next_index,
        )
        deployed.deployment = receipt
        return deployed

    deployment: Receipt | None = None
    """The transaction that made it, where this object did."""

    @classmethod
    def attach(
        cls, transport: Transport, address: int, *, genesis_root: int, genesis_next_index: int = 1
    ) -> Self:
        """The contract that is at ``address``, with the root that its operator says it started from.

        Raises :class:`EvmError` where there is no such contract, :class:`WrongGenesis`.
        """
        if not transport.code(address):
            raise EvmError(f"contract {address:#042x}: there is no code at this address")
        abi = Abi(load_artifact("Rollup").abi)

        def view(name: str) -> int:
            value: int = abi.decode_answer(name, transport.call(address, abi.encode_call(name)))
            return value

        config = Config(
            verifier=view("verifier"),
            exit_verifier=view("exitVerifier"),
            operator=view("operator"),
            governor=view("governor"),
            genesis_root=genesis_root,
            parameters=BatchParameters(view("slots"), view("depth"), view("feeTokens")),
            rollup_id=view("rollupId"),
            genesis_next_index=genesis_next_index,
            deposit_cap=view("depositCap"),
            request_lifetime=view("requestLifetime"),
            operator_delay=view("operatorDelay"),
            upgrade_delay=view("upgradeDelay"),
        )
        return cls(transport, address, config)

    # -- views ---------------------------------------------------------------------------------------

    def _view(self, name: str, *arguments: Any) -> Any:
        data = self._abi.encode_call(name, *arguments)
        return self._abi.decode_answer(name, self.transport.call(self._address, data))

    @property
    def chain_id(self) -> int:
        return self.transport.chain_id

    @property
    def address(self) -> int:
        return self._address

    @property
    def config(self) -> Config:
        return self._config

    @property
    def rollup_id(self) -> int:
        return self._config.rollup_id

    @property
    def parameters(self) -> BatchParameters:
        return self._config.parameters

    @property
    def block_number(self) -> int:
        return self.transport.block_number + 1

    @property
    def gas_limit(self) -> int | None:
        return self.transport.gas_limit

    @property
    def root(self) -> int:
        return self.header(self.executed).root_after

    @property
    def next_index(self) -> int:
        return self.header(self.executed).next_index

    @property
    def committed(self) -> int:
        return int(self._view("committed"))

    @property
    def proved(self) -> int:
        return int(self._view("proved"))

    @property
    def executed(self) -> int:
        return int(self._view("executed"))

    @property
    def requests_consumed(self) -> int:
        return int(self._view("requestsConsumed"))

    @property
    def num_requests(self) -> int:
        return int(self._view("numRequests"))

    @property
    def num_tokens(self) -> int:
        return int(self._view("numTokens"))

    @property
    def frozen(self) -> bool:
        return bool(self._view("frozen"))

    @property
    def operator(self) -> int:
        return int(self._view("operator"))

    @property
    def governor(self) -> int:
        return int(self._view("governor"))

    @property
    def verifier(self) -> int:
        return int(self._view("verifier"))

    @property
    def exit_verifier(self) -> int:
        return int(self._view("exitVerifier"))

    @property
    def last_executed_block(self) -> int:
        return int(self._view("lastExecutedBlock"))

    def batch_hash(self, number: int) -> bytes:
        return bytes(self._view("batchHash", number))

    def header(self, number: int) -> BatchHeader:
        wanted = self.batch_hash(number)
        if wanted == ZERO_HASH:
            raise KeyError(number)
        if wanted not in self._headers:
            self._read_headers(self._read_until)
        if wanted not in self._headers:  # a reorganisation brought it into an earlier block
            self._read_headers()
        return self._headers[wanted]

    def _read_headers(self, first_block: int = 0) -> None:
        until = self.transport.block_number
        for block, event in self.events(first_block):
            if isinstance(event, l1_events.BatchCommitted):
                wanted = event.header.hash
                self._headers[wanted], self._committed_in[wanted] = event.header, block
        self._read_until = until  # that block may come again with other transactions

    def batch_data(self, number: int) -> bytes:
        """Read from the calldata of the transaction that committed the batch, or of one to another contract
        that handed it on as it is; ``KeyError`` also where a contract made it otherwise."""
        wanted = self.header(number)
        if number == 0:
            raise KeyError(0)
        stored = wanted.hash
        data = self._data_in(self._committed_in.get(stored), wanted)
        if data is None:  # a reorganisation may have moved it
            self._read_headers()
            data = self._data_in(self._committed_in.get(stored), wanted)
        if data is None:
            raise KeyError(number)
        return data

    def _data_in(self, block: int | None, wanted: BatchHeader) -> bytes | None:
        """The data of this header among the calls in a block."""
        if block is None:
            return None
        for to in (self._address, None):
            for calldata in self.transport.calldata(block, to):
                data = self._held_by(calldata, wanted)
                if data is not None:
                    return data
        return None

    def _held_by(self, calldata: bytes, wanted: BatchHeader) -> bytes | None:
        """The data of this header in a call: as ABI has bytes, behind their length. The rest of it is not
        decoded: it may be for another contract, or not as an encoder would write it."""
        start = bytes([VERSION]) + self.chain_id.to_bytes(8, "big") + self.rollup_id.to_bytes(20, "big")
        start += wanted.number.to_bytes(8, "big")
        place = calldata.find(start, _WORD)
        while place >= 0:
            length = int.from_bytes(calldata[place - _WORD : place], "big")
            if length <= len(calldata) - place and _is_data_of(calldata[place : place + length], wanted):
                return calldata[place : place + length]
            place = calldata.find(start, place + 1)
        return None

    def request(self, number: int) -> StoredRequest:
        if not 0 <= number < self.num_requests:
            raise KeyError(number)
        stored, deadline = self._view("requests", number)
        return StoredRequest(bytes(stored), deadline)

    def token_address(self, token: int) -> int:
        return int(self._view("tokens", token))

    def pending_withdrawal(self, owner: int, token: int) -> int:
        return int(self._view("pending", owner, token))

    def uncredited(self, number: int) -> bytes:
        return bytes(self._view("uncredited", number))

    def exited(self, account: int) -> bool:
        return bool(self._view("exited", account))

    def holdings(self, token: int) -> int:
        return self.balance_of(self._address, token)

    def balance_of(self, address: int, token: int) -> int:
        if token == ETH:
            return self.transport.balance(address)
        contract = self.token_address(token)
        return self._erc20(contract, "balanceOf", address) if contract else 0

    def _erc20(self, contract: int, name: str, *arguments: int) -> int:
        answer = self.transport.call(contract, _ERC20.encode_call(name, *arguments))
        return int(_ERC20.decode_answer(name, answer))

    def events(self, first_block: int = 0) -> list[LoggedEvent]:
        found = []
        for log in self.transport.logs(self._address, first_block):
            event = decode_event(log)
            if event is not None:
                found.append(LoggedEvent(log.block, event))
        return found

    # -- calls ---------------------------------------------------------------------------------------

    def _transact(self, name: str, *arguments: Any, sender: int, value: int = 0) -> Receipt:
        """Call a function; raises the :class:`Revert` that the contract answers with."""
        data = self._abi.encode_call(name, *arguments)
        require_bits("value", value, 256)
        self.called_in = self.block_number
        try:
            receipt = self.transport.transact(self._address, data, sender=sender, value=value)
        except Reverted as reverted:
            raise decode_revert(reverted) from reverted
        self.called_in = receipt.block
        self.last_receipt = receipt
        return receipt

    last_receipt: Receipt | None = None
    """Of the last call that succeeded: its gas."""

    def _logged(self, receipt: Receipt, kind: type[Event]) -> Any:
        """The first event of this kind that a transaction logged."""
        return next(
            event
            for event in (decode_event(log) for log in receipt.logs if log.address == self._address)
            if isinstance(event, kind)
        )

    def register_token(self, address: int, *, sender: int) -> int:
        receipt = self._transact("registerToken", address, sender=sender)
        return int(self._logged(receipt, l1_events.TokenRegistered).token)

    def deposit(
        self, token: int, amount: int, ax: int, ay: int, owner: int, *, sender: int, value: int | None = None
    ) -> int:
        calldata = (token, amount, ax, ay, owner)
        self._abi.encode_call("deposit", *calldata)  # refuses what does not fit before anything is approved
        if value is None:
            value = amount if token == ETH else 0
        contract = self.token_address(token) if token != ETH else 0
        if contract and self._erc20(contract, "allowance", sender, self._address) < amount:
            approval = _ERC20.encode_call("approve", self._address, amount)
            self.transport.transact(contract, approval, sender=sender)
        receipt = self._transact("deposit", *calldata, sender=sender, value=value)
        return int(self._logged(receipt, l1_events.RequestQueued).number)

    def request_exit(self, account: int, *, sender: int) -> int:
        receipt = self._transact("requestExit", account, sender=sender)
        return int(self._logged(receipt, l1_events.RequestQueued).number)

    def withdraw(self, owner: int, token: int, *, sender: int) -> int:
        receipt = self._transact("withdraw", owner, token, sender=sender)
        return int(self._logged(receipt, l1_events.WithdrawalPaid).amount)

    def preview_batch(self, previous: BatchHeader, data: bytes, commitment: int) -> BatchHeader:
        """What :meth:`commit_batch` would keep, whoever calls and whether or not ``previous`` is the last:
        the public inputs as the contract computes them. Raises what reading the data raises."""
        try:
            answer = self._view("previewBatch", previous, bytes(memoryview(data)), commitment)
        except Reverted as reverted:
            raise decode_revert(reverted) from reverted
        return header_of(answer)

    def commit_batch(
        self, previous: BatchHeader, data: bytes, commitment: int, *, sender: int
    ) -> BatchHeader:
        receipt = self._transact("commitBatch", previous, bytes(memoryview(data)), commitment, sender=sender)
        header: BatchHeader = self._logged(receipt, l1_events.BatchCommitted).header
        return header

    def prove_batch(self, header: BatchHeader, proof: Proof, *, sender: int) -> None:
        self._transact("proveBatch", header, proof_words(proof), sender=sender)

    def execute_batch(self, header: BatchHeader, withdrawals: bytes, *, sender: int) -> None:
        self._transact("executeBatch", header, withdrawals, sender=sender)

    def execute_without_credits(self, header: BatchHeader, *, sender: int) -> None:
        self._transact("executeWithoutCredits", header, sender=sender)

    def credit_withdrawals(self, number: int, withdrawals: bytes, count: int, *, sender: int) -> None:
        self._transact("creditWithdrawals", number, withdrawals, count, sender=sender)

    def submit_batch(
        self, previous: BatchHeader, data: bytes, commitment: int, proof: Proof, *, sender: int
    ) -> BatchHeader:
        receipt = self._transact(
            "submitBatch", previous, bytes(memoryview(data)), commitment, proof_words(proof), sender=sender
        )
        header: BatchHeader = self._logged(receipt, l1_events.BatchCommitted).header
        return header

    def revert_batches(self, to: int, *, sender: int) -> None:
        self._transact("revertBatches", to, sender=sender)

    def freeze(self, *, sender: int) -> None:
        self._transact("freeze", sender=sender)

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
        self._transact(
            "reportConflict",
            before,
            known,
            bytes(memoryview(data)),
            commitment,
            proof_words(proof),
            sender=sender,
        )

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
        self._transact("exit", header, account, token, balance, owner, proof_words(proof), sender=sender)

    def cancel_deposit(self, number: int, deposit: Deposit, *, sender: int) -> None:
        self._transact(
            "cancelDeposit",
            number,
            deposit.token,
            deposit.amount,
            deposit.ax,
            deposit.ay,
            deposit.eth_address,
            sender=sender,
        )

    def propose_verifier(self, verifier: int, exit_verifier: int, *, sender: int) -> None:
        self._transact("proposeVerifier", verifier, exit_verifier, sender=sender)

    def activate_verifier(self, *, sender: int) -> None:
        self._transact("activateVerifier", sender=sender)

    def cancel_proposal(self, *, sender: int) -> None:
        self._transact("cancelProposal", sender=sender)

    def transfer_operator(self, operator: int, *, sender: int) -> None:
        self._transact("transferOperator", operator, sender=sender)


def _is_data_of(data: bytes, header: BatchHeader) -> bool:
    root = int.from_bytes(data[_ROOT_AFTER], "big")
    return root == header.root_after and skeleton(data) == header.skeleton
