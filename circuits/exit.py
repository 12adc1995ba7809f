"""What somebody proves to leave a frozen rollup: that an account stands under a state root.

The module must not know why the rollup is frozen, nor who is paid.

Statement
---------
Given the public inputs ``root``, ``claim`` and ``balance``, the prover knows an index, a token, an owner's
address, a nonce and a key such that

A. ``claim`` is index * 2^192 + token * 2^160 + owner, and every number is in range;
B. the account is one: its key has ay != 0, so that nobody claims an empty leaf;
C. the leaf of token, nonce, ``balance``, key and owner stands at the index in the tree with that root.

Ranges: index 2*depth bits, token 32, owner 160, nonce 40, balance 128. So ``claim`` has at most
2*depth + 192 bits, no more than 224, and each claim is of one index, one token and one owner (C15). The
key's words and the siblings are any field elements: the leaf's hash binds the former, the root the latter.

Whoever has the state can make the proof; it names its owner, who alone is paid. So it needs no signature.

Leaf and path are hashed as in circuits.transaction. The path is only read: 290 rows a level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from zkrollup.cs import R1CS, ConstraintSystem, System, Template
from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_nonzero
from zkrollup.gadgets.merkle import merkle_lanes, merkle_membership
from zkrollup.state.accounts import ADDRESS_BITS, BALANCE_BITS, NONCE_BITS, TOKEN_BITS, Account
from zkrollup.state.trace import LeafUpdate

from .transaction import hash_leaf, lane_inputs

__all__ = [
    "CLAIM_INDEX",
    "CLAIM_TOKEN",
    "EXIT_INPUTS",
    "ExitCircuit",
    "exit_circuit",
    "exit_claim",
    "exit_r1cs",
    "record_exit",
]

EXIT_INPUTS = ("root", "claim", "balance")
CLAIM_INDEX, CLAIM_TOKEN = 192, 160
_PART = "exit"


def exit_claim(index: int, account: Account) -> int:
    """The public input that names index, token and owner; the account's fields are in range by type."""
    return index << CLAIM_INDEX | account.token << CLAIM_TOKEN | account.eth_address


def record_exit(depth: int) -> Template:
    """Records the statement for a tree of 4**depth leaves.

    Raises ValueError when a leaf index would not fit its 32 bits.
    """
    if not 1 <= depth <= 16:
        raise ValueError(f"depth: {depth} levels; expected 1 to 16, a leaf index has at most 32 bits")
    cs = ConstraintSystem("exit", parameters={"depth": depth})
    root, claim, balance = (cs.link(name) for name in EXIT_INPUTS)

    with cs.scope("A claim"):
        index = cs.input_uint("index", 2 * depth)
        token = cs.input_uint("token", TOKEN_BITS)
        owner = cs.input_uint("owner", ADDRESS_BITS)
        nonce = cs.input_uint("nonce", NONCE_BITS)
        range_check(cs, balance, BALANCE_BITS)
        named = cs.linear([(index, 1 << CLAIM_INDEX), (token, 1 << CLAIM_TOKEN), (owner, 1)])
        cs.assert_equal(named, claim, label="the claim names index, token and owner")

    with cs.scope("B account"):
        ax, ay = cs.input("ax"), cs.input("ay")
        assert_nonzero(cs, ay, label="the account exists")

    with cs.scope("C leaf"):
        leaf = {
            "packed": cs.linear([(token, 1), (nonce, 1 << TOKEN_BITS)]),
            "balance": balance,
            "ax": ax,
            "ay": ay,
            "eth_address": owner,
        }
        lanes = lane_inputs(cs, "leaf", depth)
        found = merkle_membership(cs, index.bits, hash_leaf(cs, leaf), lanes)
        cs.assert_equal(found, root, label="the leaf is in the tree")
    return cs.freeze()


class ExitCircuit:
    """The R1CS of exits from trees of one depth, and the assignment that an account gives it."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.template = record_exit(depth)
        system = System("exit", public=list(EXIT_INPUTS))
        part = system.add(_PART, self.template)
        for name in EXIT_INPUTS:
            part.connect(name, system.public(name))
        self.r1cs: R1CS = system.freeze()

    def assignment(self, leaf: LeafUpdate) -> tuple[Mapping[str, int], Mapping[str, list[dict[str, Any]]]]:
        """Public inputs and secret ones, from the identity update of the account's leaf.

        Raises ValueError when the path is that of another depth. An empty leaf gets an assignment like any
        other: it satisfies nothing.
        """
        if len(leaf.path) != self.depth:
            raise ValueError(f"path: {len(leaf.path)} levels; this circuit is for {self.depth}")
        account = leaf.before
        public = {
            "root": leaf.root_before,
            "claim": exit_claim(leaf.index, account),
            "balance": account.balance,
        }
        secret: dict[str, Any] = {
            "index": leaf.index,
            "token": account.token,
            "owner": account.eth_address,
            "nonce": account.nonce,
            "ax": account.ax,
            "ay": account.ay,
        }
        for level, lanes in enumerate(merkle_lanes(leaf.path)):
            secret[f"leaf_lanes_{level}"] = lanes
        return public, {_PART: [secret]}

    @staticmethod
    def describe(leaf: LeafUpdate) -> Mapping[str, Callable[[int], str]]:
        """What the assignment stands for, for ``R1CS.witness(..., describe=)``."""
        return {_PART: lambda _: f"the exit of account {leaf.index}"}


@lru_cache(maxsize=4)
def exit_circuit(depth: int = 16) -> ExitCircuit:
    """The circuit for this depth, recorded once per process."""
    return ExitCircuit(depth)


def exit_r1cs(depth: int = 16) -> R1CS:
    """The system alone, as ``zkrollup export r1cs --circuit`` takes it for a ceremony."""
    return exit_circuit(depth).r1cs
