"""Hypothesis strategies for what circuits take: field elements, points, signatures, accounts, batches, paths.

This module must not know any circuit. It needs hypothesis, which zkrollup itself does not: it is imported
only by those who ask for it, ``from zkrollup.testing import strategies``.

Edges are drawn as often as the middle: 0, 1, r - 1, powers of two and their neighbours. Everything shrinks
towards zero, the first account, the empty list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from zkrollup.crypto import babyjubjub
from zkrollup.crypto.babyjubjub import ORDER, Point
from zkrollup.crypto.eddsa import PrivateKey, Signature
from zkrollup.crypto.merkle import Children, node, places
from zkrollup.crypto.tables import MODULUS
from zkrollup.state import (
    Account,
    BatchContext,
    BatchParameters,
    BatchTrace,
    ChangeKey,
    Deposit,
    ForcedExit,
    StateTree,
    Transaction,
    TransactionError,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
    apply_batch,
    sign_group,
    sign_transaction,
)
from zkrollup.state.accounts import ADDRESS_BITS, BALANCE_BITS, NONCE_BITS, TOKEN_BITS, VALID_UNTIL_BITS
from zkrollup.state.amounts import amount_below, fee_below
from zkrollup.state.transactions import FOREVER, SignedTransaction
from zkrollup.state.transition import Ledger, transition

__all__ = [
    "BatchCase",
    "MerkleCase",
    "SignedMessage",
    "accounts",
    "batches",
    "bools",
    "field_elements",
    "low_order_points",
    "merkle_paths",
    "points",
    "private_keys",
    "signatures",
    "transactions",
    "uints",
]

_SMALL = 1000


# -- numbers -----------------------------------------------------------------------------------------
def field_elements(*, modulus: int = MODULUS, non_canonical: bool = False) -> SearchStrategy[int]:
    """Elements of the field as integers: 0, 1, r - 1, 2^n and 2^n +- 1, small, near r, and any.

    ``non_canonical``: also r, r + 1 and 2^256 - 1, for what must refuse them.
    """
    powers = st.tuples(st.integers(0, modulus.bit_length() - 1), st.sampled_from([0, 1, -1]))
    small = min(_SMALL, modulus - 1)
    drawn = [
        st.integers(0, small),
        st.sampled_from([0, 1, modulus - 1, modulus - 2, (modulus - 1) // 2, (modulus + 1) // 2]),
        powers.map(lambda pair: ((1 << pair[0]) + pair[1]) % modulus),
        st.integers(1, small).map(lambda n: modulus - n),
        st.integers(0, modulus - 1),
    ]
    if non_canonical:
        drawn.append(st.sampled_from([modulus, modulus + 1, (1 << 256) - 1]))
    return st.one_of(drawn)


def bools() -> SearchStrategy[bool]:
    """False and True, which gadgets take for 0 and 1."""
    return st.booleans()


def uints(bits: int) -> SearchStrategy[int]:
    """0 <= n < 2^bits: both ends, powers of two and their neighbours, small, and any.

    Raises ValueError for a negative number of bits.
    """
    if bits < 0:
        raise ValueError(f"uints: {bits} bits; expected 0 or more")
    top = (1 << bits) - 1
    powers = st.tuples(st.integers(0, bits), st.sampled_from([0, 1, -1]))
    return st.one_of(
        st.integers(0, min(top, _SMALL)),
        st.sampled_from(sorted({0, min(1, top), top >> 1, max(top - 1, 0), top})),
        powers.map(lambda pair: min(max((1 << pair[0]) + pair[1], 0), top)),
        st.integers(0, top),
    )


# -- the curve ---------------------------------------------------------------------------------------
@cache
def _torsion() -> tuple[Point, ...]:
    """The eight points whose order divides the cofactor, the identity first."""
    generator = babyjubjub.mul(babyjubjub.GENERATOR, ORDER)
    out = [babyjubjub.IDENTITY]
    for _ in range(7):
        out.append(babyjubjub.add(out[-1], generator))
    return tuple(out)


def low_order_points() -> SearchStrategy[Point]:
    """The eight points of order 1, 2, 4 and 8."""
    return st.integers(0, 7).map(lambda i: _torsion()[i])


def points(*, subgroup: bool = True) -> SearchStrategy[Point]:
    """BabyJubJub points: k * BASE8 for edges of k (the identity among them) and any k.

    ``subgroup=False``: plus a point of low order, so that cofactors matter.
    """
    scalars = st.one_of(st.sampled_from([0, 1, 2, ORDER - 1]), st.integers(0, ORDER - 1))
    inside = scalars.map(babyjubjub.mul_base8)
    if subgroup:
        return inside
    return st.tuples(inside, low_order_points()).map(lambda pair: babyjubjub.add(*pair))


def private_keys() -> SearchStrategy[PrivateKey]:
    """Keys from a few seeds that come again (so that owners meet) and from any seed."""
    few = st.integers(0, 7).map(lambda i: bytes([i]) * 32)
    return st.one_of(few, st.binary(min_size=32, max_size=32)).map(PrivateKey)


@dataclass(frozen=True)
class SignedMessage:
    """A key, a message, and its signature."""

    key: PrivateKey
    message: int
    signature: Signature


def signatures(
    keys: SearchStrategy[PrivateKey] | None = None, messages: SearchStrategy[int] | None = None
) -> SearchStrategy[SignedMessage]:
    """Messages signed with EdDSA-Poseidon."""

    def sign(key: PrivateKey, message: int) -> SignedMessage:
        return SignedMessage(key, message, key.sign(message))

    return st.builds(sign, keys or private_keys(), messages or field_elements())


# -- the rollup --------------------------------------------------------------------------------------
def _public_key(key: PrivateKey) -> Point:
    return key.public_key


def accounts(*, token: int | None = None) -> SearchStrategy[Account]:
    """Accounts that exist: a real key, an address other than zero, edges of token, nonce and balance."""

    def make(key: Point, token: int, nonce: int, balance: int, address: int) -> Account:
        return Account(token, nonce, balance, *key, address)

    return st.builds(
        make,
        private_keys().map(_public_key),
        uints(TOKEN_BITS) if token is None else st.just(token),
        uints(NONCE_BITS),
        uints(BALANCE_BITS),
        uints(ADDRESS_BITS).map(lambda a: a or 1),
    )


def transactions(*, chain_id: int = 31337, rollup_id: int = 1) -> SearchStrategy[Transaction]:
    """Transactions of every kind, signed where a signature belongs, whether they can be done or not."""
    index = st.one_of(st.integers(0, 5), uints(32))
    token, nonce, amount = uints(TOKEN_BITS), uints(NONCE_BITS), uints(BALANCE_BITS)
    address = uints(ADDRESS_BITS).map(lambda a: a or 1)
    fee = amount.map(fee_below)

    valid_until = st.just(FOREVER) | uints(VALID_UNTIL_BITS)
    words = (fee, nonce, valid_until, st.just(0) | field_elements(), st.just(0) | field_elements())
    key = private_keys().map(_public_key)

    def signed(kind: Callable[..., Any], *parts: SearchStrategy[Any]) -> SearchStrategy[Any]:
        return st.tuples(private_keys(), st.builds(kind, *parts)).map(
            lambda pair: sign_transaction(pair[1], pair[0], chain_id, rollup_id)
        )

    def to_new(sender: int, key: Point, *parts: Any) -> TransferToNew:
        return TransferToNew(sender, *key, *parts)

    def change_key(sender: int, key: Point, *parts: Any) -> ChangeKey:
        return ChangeKey(sender, *key, *parts)

    def deposit(token: int, amount: int, key: Point, address: int) -> Deposit:
        return Deposit(token, amount, *key, address)

    return st.one_of(
        st.builds(deposit, token, amount, private_keys().map(_public_key), address),
        signed(Transfer, index, index, token, amount.map(amount_below), *words),
        signed(TransferToAddress, index, address, token, amount.map(amount_below), *words),
        signed(to_new, index, key, address, token, amount.map(amount_below), *words),
        signed(change_key, index, key, token, *words),
        signed(Withdraw, index, address, token, amount, *words),
        st.builds(ForcedExit, index, address),
    )


@dataclass(frozen=True)
class BatchCase:
    """A small state and a batch that it accepts. :meth:`state` and :meth:`trace` start afresh each time."""

    accounts: tuple[Account, ...]
    keys: tuple[PrivateKey, ...]
    transactions: tuple[Transaction, ...]
    context: BatchContext

    def state(self, hasher: Any = None) -> StateTree:
        """The state before the batch; account i of ``accounts`` stands at index i + 1."""
        depth = self.context.parameters.depth
        tree = StateTree.in_memory(depth) if hasher is None else StateTree.in_memory(depth, hasher)
        tree.seed(self.accounts)
        return tree

    def trace(self, hasher: Any = None) -> BatchTrace:
        """What the state machine makes of the batch."""
        return apply_batch(self.state(hasher), self.transactions, self.context)


@st.composite
def batches(
    draw: st.DrawFn,
    *,
    parameters: BatchParameters | None = None,
    chain_id: int = 31337,
    rollup_id: int = 0xC0FFEE,
) -> BatchCase:
    """Batches of valid transactions over a random small state: one to five accounts of two tokens.

    Every kind of transaction comes, amounts and fees at their edges (all of a balance, nothing), transfers
    to oneself, by address and to new accounts, changes of key, deposits that create, that top up, that
    overflow and that a full tree refuses, forced exits by owners and by others, groups of one and two.
    ``parameters``: of the batch; three slots, depth 2 and two fee tokens when None.
    """
    shape = parameters or BatchParameters(slots=3, depth=2, fee_tokens=2)
    count = draw(st.integers(1, min(5, shape.capacity - 1)))
    keys = tuple(PrivateKey(bytes([i + 1]) * 32) for i in range(count))
    made = []
    for i, key in enumerate(keys):
        token = draw(st.sampled_from([0, 7]))
        balance = draw(st.one_of(st.integers(0, _SMALL), uints(BALANCE_BITS)))
        nonce = draw(st.one_of(st.integers(0, 3), uints(NONCE_BITS)))
        made.append(Account(token, nonce, balance, *key.public_key, 0xE000 + i))
    entries: dict[int, int] = {}
    for i, account in enumerate(made):
        if len(entries) < shape.fee_tokens and draw(st.booleans()):
            entries.setdefault(account.token, i + 1)
    context = BatchContext(shape, chain_id, rollup_id, 1, tuple(entries.items()))
    tree = StateTree.in_memory(shape.depth)
    tree.seed(made)
    ledger = Ledger(tree)
    owners = dict(enumerate(keys, start=1))
    chosen: list[Transaction] = []
    for _ in range(draw(st.integers(0, shape.slots))):
        members = draw(st.sampled_from([0, 0, 0, 1, 2]))
        if len(chosen) + max(members, 1) <= shape.slots:
            chosen += _unit(draw, ledger, owners, context, members)
    case = BatchCase(tuple(made), keys, tuple(chosen), context)
    try:
        case.trace()
    except TransactionError:  # a fee's account that cannot hold it
        return replace(case, transactions=())
    return case


def _unit(
    draw: st.DrawFn, ledger: Ledger, owners: dict[int, PrivateKey], context: BatchContext, members: int
) -> list[Transaction]:
    """One transaction, or a group of at most so many members, that can be done here; or none.

    What was drawn and cannot be done is left out: a nonce used up, a tree that is full.
    """
    attempt, later = Ledger(ledger), dict(owners)
    made: list[SignedTransaction] = []
    signers: list[PrivateKey] = []
    ids = context.chain_id, context.rollup_id
    for _ in range(max(members, 1)):
        asked, key = _intend(draw, attempt, later, context)
        if isinstance(asked, Deposit | ForcedExit):
            if members:
                continue
            decided = transition(ledger, asked, context)
            ledger.apply(decided.first, decided.second)
            if key is not None and not decided.nullified:
                owners[decided.second.index] = key
            return [asked]
        signer = later[asked.sender]
        alone = sign_transaction(asked, signer, *ids)
        try:
            decided = transition(attempt, alone, context)
        except TransactionError:
            continue
        attempt.apply(decided.first, decided.second)
        if key is not None:
            later[asked.sender if isinstance(asked, ChangeKey) else decided.second.index] = key
        if not members:
            ledger.apply(decided.first, decided.second)
            owners.update(later)
            return [alone]
        made.append(asked)
        signers.append(signer)
    done = sign_group(made, signers, *ids) if made else []
    for transaction in done:
        decided = transition(ledger, transaction, context)
        ledger.apply(decided.first, decided.second)
    owners.update(later)
    return list(done)


def _intend(
    draw: st.DrawFn, ledger: Ledger, owners: dict[int, PrivateKey], context: BatchContext
) -> tuple[SignedTransaction | Deposit | ForcedExit, PrivateKey | None]:
    """A transaction without its signature, and the key that an account gets by it."""
    index = draw(st.sampled_from(sorted(owners)))
    account = ledger.account(index)
    kind = draw(
        st.sampled_from(
            ["transfer", "withdraw", "deposit", "forced exit", "to address", "to new", "change of key"]
        )
    )
    if kind == "deposit":
        amount = draw(uints(BALANCE_BITS))
        if draw(st.booleans()):
            fresh, address = draw(private_keys()), draw(st.integers(1, 3))
            return Deposit(account.token, amount, *fresh.public_key, address), fresh
        return Deposit(account.token, amount, account.ax, account.ay, account.eth_address), None
    if kind == "forced exit":
        return ForcedExit(index, draw(st.sampled_from([account.eth_address, 1]))), None
    takes_fees = context.fee_entry(account.token) is not None
    fee = fee_below(draw(_part(account.balance))) if takes_fees else 0
    amount = draw(_part(account.balance - fee))
    last = draw(st.sampled_from([FOREVER, context.batch_number]))
    rest = (fee, account.nonce, last, draw(st.just(0) | field_elements()))
    if kind == "withdraw":
        return Withdraw(index, draw(uints(ADDRESS_BITS)) or 1, account.token, amount, *rest), None
    if kind == "change of key":
        fresh = draw(private_keys())
        return ChangeKey(index, *fresh.public_key, account.token, *rest), fresh
    paid = (account.token, amount_below(amount), *rest)
    if kind == "to new":
        fresh = draw(private_keys())
        return TransferToNew(index, *fresh.public_key, draw(uints(ADDRESS_BITS)) or 1, *paid), fresh
    mate = draw(st.sampled_from([i for i in sorted(owners) if ledger.account(i).token == account.token]))
    if kind == "to address":
        return TransferToAddress(index, ledger.account(mate).eth_address, *paid), None
    return Transfer(index, mate, *paid), None


def _part(total: int) -> SearchStrategy[int]:
    return st.one_of(st.sampled_from([0, total]), st.integers(0, min(total, _SMALL)), st.integers(0, total))


# -- trees -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class MerkleCase:
    """A leaf, its index, its path (all four children of each level, leaf level first), the root."""

    leaf: int
    index: int
    path: tuple[Children, ...]
    root: int


@st.composite
def merkle_paths(draw: st.DrawFn, depth: int, *, leaves: SearchStrategy[int] | None = None) -> MerkleCase:
    """Paths of a dense 4-ary Poseidon tree of this depth (:mod:`zkrollup.crypto.merkle`), all right."""
    index = draw(uints(2 * depth))
    current = leaf = draw(leaves or field_elements())
    path: list[Children] = []
    for place in places(index, depth):
        siblings = draw(st.tuples(*[field_elements()] * 3))
        children = (*siblings[:place], current, *siblings[place:])
        path.append((children[0], children[1], children[2], children[3]))
        current = node(children)
    return MerkleCase(leaf, index, tuple(path), current)
