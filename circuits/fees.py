"""The credit of one fee entry to the operator's account, after the last transaction of a batch.

The module must not know how fees were collected.

Statement
---------
Given the links ``root``, ``token``, ``account`` and ``fee``, the prover knows a leaf update such that
either ``account`` is zero, the entry is unused, ``token`` and ``fee`` are zero and the root stays; or
the leaf at ``account``, proved under ``root``, is an account of ``token`` and has received ``fee``,
its balance staying below 2^128.

Ranges: account 2*depth bits, nonce 40, balance after 128.
"""

from __future__ import annotations

from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets.bits import range_check, to_bits
from zkrollup.gadgets.compare import is_zero
from zkrollup.gadgets.merkle import merkle_update
from zkrollup.state.accounts import BALANCE_BITS, NONCE_BITS, TOKEN_BITS

from .transaction import hash_leaf, lane_inputs, leaf_inputs

__all__ = ["record_fee_credit"]


def record_fee_credit(depth: int) -> Template:
    """Records the update of one fee entry in a tree of 4**depth leaves."""
    cs = ConstraintSystem("fee_credit", parameters={"depth": depth})
    root, token, account, fee = (cs.link(name) for name in ("root", "token", "account", "fee"))
    leaf = leaf_inputs(cs, "leaf")
    lanes = lane_inputs(cs, "leaf", depth)
    nonce = cs.input_uint("nonce", NONCE_BITS)

    with cs.scope("A entry"):
        index_bits = to_bits(cs, account, 2 * depth)
        unused = is_zero(cs, account)
        used = cs.one - unused
        cs.enforce(unused, token, cs.constant(0), label="an unused entry has token 0")
        cs.enforce(unused, fee, cs.constant(0), label="an unused entry collects nothing")

    with cs.scope("B leaf"):
        cs.enforce(used, is_zero(cs, leaf["ay"]), cs.constant(0), label="the operator's account exists")
        cs.enforce(
            used,
            leaf["packed"] - token - (1 << TOKEN_BITS) * nonce,
            cs.constant(0),
            label="the operator's account has the entry's token",
        )
        cs.enforce(unused, nonce, cs.constant(0), label="unused nonce is zero")
        balance_after = leaf["balance"] + fee
        with cs.scope("balance stays below 2^128"):
            range_check(cs, balance_after, BALANCE_BITS)
        leaf_after = leaf | {"balance": balance_after}
        root_before, root_after = merkle_update(
            cs, index_bits, hash_leaf(cs, leaf), hash_leaf(cs, leaf_after), lanes
        )
        cs.assert_equal(root_before, root, label="the operator's leaf is in the tree")

    cs.export("root_after", root_after)
    return cs.freeze()
