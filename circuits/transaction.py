"""One transaction slot: the rows that every transaction of a batch, whatever its kind, must satisfy.

The module must not know how many slots a batch has, nor where its links come from.

Statement
---------
Given the links ``root`` (state root before), ``domain`` (hash of chain and rollup id), ``batch_number``,
``z`` and ``y`` (evaluation point and fingerprint so far), ``padding`` (1 when an earlier slot was a noop),
``next_index`` (the index that a new account gets), ``group`` and ``accumulator`` (the group that the slot
before left open, 0 for none, and the hash of its members so far), and for each fee entry its ``fee_token``
and the fees collected so far, the prover knows a transaction and two leaf updates, *first* and then
*second*, such that

A. exactly one kind is chosen, and a noop is followed by noops only; only a deposit or a forced exit is
   nullified, and only a transfer goes by address;
B. amount and fee are in range; the amount of a transfer, by whatever name, and every fee are what their
   decimal codes say; a change of key moves no amount;
C. transfer, transfer to new, change of key and withdrawal carry an EdDSA signature, by the key in the
   first leaf, of Poseidon(core, group), where core is the hash of chain and rollup, kind, sender,
   recipient (a transfer by index), token, nonce, fee, ``valid_until``, amount, address (a transfer by
   address, withdrawal, transfer to new), public key (change of key, transfer to new) and memo; the batch's
   number is at most ``valid_until``. Deposits, forced exits and noops need no signature and have no memo;
D. the first leaf, proved under ``root`` at the index that the record names, has the token and nonce
   of the transaction and at least amount + fee; after it, balance and nonce have moved accordingly.
   A change of key puts the key that was signed, a point of BabyJubJub with ay != 0, in the place of the
   leaf's own, and leaves token and address. A forced exit is honoured exactly when the requester is the
   leaf's Ethereum address: then the whole balance leaves. Otherwise it is nullified: nothing moves;
E. the second leaf, proved under the root that D left, is an account of the same token (transfer, or a
   deposit that tops up: then key and address agree too) or is empty (a deposit that creates it, a
   transfer to new), and has received the amount. The recipient of a transfer by address has the address
   that was signed. An account is created at ``next_index`` only, which then grows by one, never at index
   0, with a key with ay != 0, which a transfer to new also has on BabyJubJub. A deposit is nullified, and
   nothing moves, exactly when it would carry the balance to 2^128, or when it names index 0 as its second:
   that it may only when ``next_index`` is 4^depth, so that no account can be created any more;
F. the fee is added to an entry of the slot's own token;
G. a slot in a group (``group`` signed is not 0) is a signed one; while a group is open the slot belongs to
   it; the group is open after the slot until Poseidon(... Poseidon(Poseidon(tag, core_1), core_2) ...,
   core_n) of its members' cores, in slot order and without a gap, is the group's value. (That none is
   open after the last slot stands in circuits.public_data.);
H. the elements e0..e3 that describe the slot's effects are absorbed by the fingerprint, present ones
   only: ``y <- y z + e``. A transfer does not publish the address that it was signed for.

Ranges: indices 2*depth bits, token 32, nonce 40, amount and balances 128, amount code 27+5 bits, fee
code 7+5 bits, ``valid_until`` - batch number 32 bits, fee entries' selectors and kinds boolean.
``eth_address``, a deposited key, memo, group and the hashed but untouched fields of a leaf are arbitrary
field elements: L1 fixes published ones through the fingerprint (it accepts canonical 20-byte and 32-byte
forms only), the signature fixes those of a signed kind, the tree fixes the leaves'. ``valid_until`` itself
has no range here: batch number (64 bits) + 32 bits stand above all other fields of the message's packed
word, below 2^217, so that words that agree do so field by field.

Left to the operator: that a deposit opens an account although the owner has one with the same key, and
in a full tree that it is refunded although the owner has one (the state machine does neither); which of
the accounts with an address a transfer by address is paid to. The record says which leaf it was. Codes
need not be canonical here; L1 refuses those that are not.

Leaf fields that a slot does not touch enter the leaf hash before and after as the *same* signals.
"""

from __future__ import annotations

from collections.abc import Sequence

from zkrollup.cs import Bool, ConstraintSystem, Field, Template
from zkrollup.gadgets.babyjubjub import Edwards, curve_residue
from zkrollup.gadgets.bits import range_check, to_bits
from zkrollup.gadgets.compare import is_equal, is_zero
from zkrollup.gadgets.eddsa import eddsa_poseidon_verify
from zkrollup.gadgets.horner import horner_step
from zkrollup.gadgets.merkle import merkle_update
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.state.accounts import BALANCE_BITS, NONCE_BITS, TOKEN_BITS, VALID_UNTIL_BITS
from zkrollup.state.amounts import AMOUNT_MANTISSA_BITS, EXPONENT_BITS, FEE_MANTISSA_BITS
from zkrollup.state.trace import BY_ADDRESS, GROUP_TAG, Kind

__all__ = ["decimal_value", "hash_leaf", "lane_inputs", "leaf_inputs", "record_transaction"]

# Bit positions in the record e0, a 240-bit number whose most significant byte goes first to L1, so
# that a transfer is its first 14 bytes (state/public_data.py has the same layout as bytes).
E0_KIND, E0_FIRST, E0_SECOND, E0_FEE, E0_CODE, E0_AMOUNT, E0_TOKEN = 236, 204, 172, 160, 96 + 32, 32, 0
# Bit positions in the packed word of the signed message.
MESSAGE_FROM, MESSAGE_TO, MESSAGE_TOKEN, MESSAGE_NONCE, MESSAGE_FEE = 4, 36, 68, 100, 140
MESSAGE_VALID_UNTIL = 152


def decimal_value(cs: ConstraintSystem, mantissa: Field, exponent_bits: Sequence[Bool]) -> Field:
    """The number ``mantissa * 10**exponent``.

    Assumes: the caller ranged mantissa and exponent so that the product stays below r
    (27 bits and exponent <= 31 give less than 2^130). Rows: one per exponent bit.
    """
    power: Field = cs.linear([(exponent_bits[0], 10 - 1)], constant=1)
    for i in range(1, len(exponent_bits)):
        power = power * cs.linear([(exponent_bits[i], 10 ** (1 << i) - 1)], constant=1)
    return mantissa * power


def leaf_inputs(cs: ConstraintSystem, name: str) -> dict[str, Field]:
    """The five words hashed into a leaf, as secret inputs ``{name}_packed`` and so on.

    ``packed`` is token + nonce * 2^32. None is ranged here: the tree holds only ranged leaves, and
    whoever unpacks ``packed`` ranges the parts.
    """
    return {word: cs.input(f"{name}_{word}") for word in ("packed", "balance", "ax", "ay", "eth_address")}


def hash_leaf(cs: ConstraintSystem, leaf: dict[str, Field]) -> Field:
    """Poseidon of the five leaf words."""
    return poseidon(cs, [leaf[word] for word in ("packed", "balance", "ax", "ay", "eth_address")])


def lane_inputs(cs: ConstraintSystem, name: str, depth: int) -> list[list[Field]]:
    """The four children of each level on a path, after their first S-box (gadgets.merkle says why)."""
    return [cs.input_array(f"{name}_lanes_{level}", 4) for level in range(depth)]


def record_transaction(depth: int, fee_tokens: int) -> Template:
    """Records the slot for a tree of 4**depth leaves and ``fee_tokens`` fee entries.

    Raises ValueError when a leaf index would not fit its 32 bits.
    """
    if not 1 <= depth <= 16:
        raise ValueError(f"depth: {depth} levels; expected 1 to 16, a leaf index has at most 32 bits")
    cs = ConstraintSystem("transaction", parameters={"depth": depth, "fee_tokens": fee_tokens})
    root, domain, z, y = (cs.link(name) for name in ("root", "domain", "z", "y"))
    batch_number, padding, next_index = (cs.link(name) for name in ("batch_number", "padding", "next_index"))
    open_group, accumulator = cs.link("group"), cs.link("accumulator")
    entry_tokens = [cs.link(f"fee_token_{k}") for k in range(fee_tokens)]
    fees_before = [cs.link(f"fees_{k}") for k in range(fee_tokens)]

    with cs.scope("A kind"):
        deposit, transfer, withdraw, forced_exit, change_key, to_new = (
            cs.input_bool(f"is_{kind.name.lower()}") for kind in Kind if kind != Kind.NOOP
        )
        nullified = cs.input_bool("nullified")
        by_address = cs.input_bool("by_address")
        signed = transfer + withdraw + change_key + to_new
        noop = Bool.unchecked(cs.one - signed - deposit - forced_exit)
        cs.assert_bool(noop, label="at most one kind")
        cs.enforce(padding, cs.one - noop, cs.constant(0), label="only noops follow a noop")
        kind = cs.linear(
            [
                (deposit, Kind.DEPOSIT),
                (transfer, Kind.TRANSFER),
                (withdraw, Kind.WITHDRAW),
                (forced_exit, Kind.FORCED_EXIT),
                (change_key, Kind.CHANGE_KEY),
                (to_new, Kind.TRANSFER_TO_NEW),
            ]
        )
        never_nullified = cs.one - deposit - forced_exit
        cs.enforce(never_nullified, nullified, cs.constant(0), label="only L1 requests can be nullified")
        cs.enforce(cs.one - transfer, by_address, cs.constant(0), label="only transfers go by address")

    with cs.scope("B amounts"):
        first_index = cs.input_uint("first_index", 2 * depth)
        second_index = cs.input_uint("second_index", 2 * depth)
        token = cs.input_uint("token", TOKEN_BITS)
        amount = cs.input_uint("amount", BALANCE_BITS)
        mantissa = cs.input_uint("amount_mantissa", AMOUNT_MANTISSA_BITS)
        exponent = cs.input_uint("amount_exponent", EXPONENT_BITS)
        fee_mantissa = cs.input_uint("fee_mantissa", FEE_MANTISSA_BITS)
        fee_exponent = cs.input_uint("fee_exponent", EXPONENT_BITS)
        decoded = decimal_value(cs, mantissa, exponent.bits)
        fee = decimal_value(cs, fee_mantissa, fee_exponent.bits)
        amount_code = cs.linear([(mantissa, 1), (exponent, 1 << AMOUNT_MANTISSA_BITS)])
        fee_code = cs.linear([(fee_mantissa, 1), (fee_exponent, 1 << FEE_MANTISSA_BITS)])
        pays = transfer + to_new
        cs.enforce(pays, amount - decoded, cs.constant(0), label="transfer amount is what its code says")
        cs.enforce(cs.one - pays, amount_code, cs.constant(0), label="only transfers carry an amount code")
        cs.enforce(change_key, amount, cs.constant(0), label="a change of key moves no amount")
        cs.enforce(cs.one - signed, fee_code, cs.constant(0), label="only signed transactions pay a fee")

    first = leaf_inputs(cs, "first")
    second = leaf_inputs(cs, "second")
    first_lanes = lane_inputs(cs, "first", depth)
    second_lanes = lane_inputs(cs, "second", depth)
    eth_address = cs.input("eth_address")
    key_x, key_y = cs.input("key_x"), cs.input("key_y")
    # The nonce that the first account is left with; ranged after the increment so that it can never
    # leave its 40 bits.
    nonce_after = cs.input_uint("first_nonce_after", NONCE_BITS)
    second_nonce = cs.input_uint("second_nonce", NONCE_BITS)

    with cs.scope("C signature"):
        r8x, r8y, s = (cs.input(name) for name in ("r8x", "r8y", "s"))
        memo, group = cs.input("memo"), cs.input("signed_group")
        unsigned = cs.one - signed
        # valid_until - batch_number is not negative: no more need be ranged, as the statement says.
        batches_left = cs.input_uint("batches_left", VALID_UNTIL_BITS)
        cs.enforce(unsigned, batches_left, cs.constant(0), label="only signed transactions expire")
        cs.enforce(unsigned, memo, cs.constant(0), label="only signed transactions carry a memo")
        packed_message = cs.linear(
            [
                (kind, 1),
                (by_address, BY_ADDRESS - Kind.TRANSFER),
                (first_index, 1 << MESSAGE_FROM),
                ((transfer - by_address) * second_index, 1 << MESSAGE_TO),
                (token, 1 << MESSAGE_TOKEN),
                (nonce_after, 1 << MESSAGE_NONCE),
                (signed, -(1 << MESSAGE_NONCE)),
                (fee_code, 1 << MESSAGE_FEE),
                (batch_number, 1 << MESSAGE_VALID_UNTIL),
                (batches_left, 1 << MESSAGE_VALID_UNTIL),
            ]
        )
        core = poseidon(cs, [domain, packed_message, amount, eth_address, key_x, key_y, memo])
        message = poseidon(cs, [core, group])
        enabled = Bool.unchecked(signed)
        eddsa_poseidon_verify(cs, enabled, first["ax"], first["ay"], r8x, r8y, s, message)

    with cs.scope("D first leaf"):
        requester_matches = is_equal(cs, eth_address, first["eth_address"])
        honoured = forced_exit * requester_matches
        acts = signed + honoured
        cs.enforce(
            forced_exit,
            nullified + requester_matches - 1,
            cs.constant(0),
            label="a forced exit is nullified exactly when the requester does not own the leaf",
        )
        cs.enforce(
            cs.one - signed - forced_exit, first_index, cs.constant(0), label="unused first leaf is leaf 0"
        )
        cs.enforce(
            acts,
            first["packed"] - token - (1 << TOKEN_BITS) * (nonce_after - signed),
            cs.constant(0),
            label="first leaf has the transaction's token and nonce",
        )
        cs.enforce(cs.one - acts, nonce_after, cs.constant(0), label="unused nonce is zero")
        cs.enforce(
            honoured, amount - first["balance"], cs.constant(0), label="a forced exit takes the whole balance"
        )
        moves_nothing = cs.one - acts - deposit
        cs.enforce(moves_nothing, amount, cs.constant(0), label="noop and nullified exit move no amount")
        cs.enforce(moves_nothing, token, cs.constant(0), label="noop and nullified exit name no token")
        sets_key = change_key + to_new
        with cs.scope("key"):
            residue = curve_residue(Edwards(key_x, key_y))
            cs.enforce(sets_key, residue, cs.constant(0), label="a signed key is on BabyJubJub")
            for key in (key_x, key_y):
                cs.enforce(
                    cs.one - deposit - sets_key, key, cs.constant(0), label="only kinds with a key carry one"
                )
        debit = acts * amount + fee
        first_balance_after = first["balance"] - debit
        with cs.scope("balance covers amount and fee"):
            range_check(cs, first_balance_after, BALANCE_BITS)
        first_after = first | {
            "packed": first["packed"] + (1 << TOKEN_BITS) * signed,
            "balance": first_balance_after,
            "ax": first["ax"] + change_key * (key_x - first["ax"]),
            "ay": first["ay"] + change_key * (key_y - first["ay"]),
        }
        root_before, root_between = merkle_update(
            cs, first_index.bits, hash_leaf(cs, first), hash_leaf(cs, first_after), first_lanes
        )
        cs.assert_equal(root_before, root, label="first leaf is in the tree")

    with cs.scope("E second leaf"):
        empty = is_zero(cs, second["ay"])
        leaf_zero = is_zero(cs, second_index)
        refused = deposit * leaf_zero  # by a tree that has no place for another account
        full = is_zero(cs, next_index - (1 << 2 * depth))
        cs.enforce(refused, cs.one - full, cs.constant(0), label="only a full tree refuses a deposit")
        taken = deposit - refused
        opened = taken * empty
        top_up = taken - opened
        create = opened + to_new
        existing = transfer + top_up
        cs.enforce(transfer, empty, cs.constant(0), label="recipient exists")
        cs.enforce(to_new, cs.one - empty, cs.constant(0), label="a new account's leaf is empty")
        cs.enforce(
            cs.one - transfer - to_new - deposit,
            second_index,
            cs.constant(0),
            label="unused second leaf is leaf 0",
        )
        cs.enforce(to_new, leaf_zero, cs.constant(0), label="leaf 0 is never an account")
        cs.enforce(
            create, second_index - next_index, cs.constant(0), label="an account is created at the next index"
        )
        cs.enforce(
            existing,
            second["packed"] - token - (1 << TOKEN_BITS) * second_nonce,
            cs.constant(0),
            label="second leaf has the transaction's token",
        )
        cs.enforce(cs.one - existing, second_nonce, cs.constant(0), label="unused second nonce is zero")
        for word, key in (("ax", key_x), ("ay", key_y), ("eth_address", eth_address)):
            cs.enforce(top_up, key - second[word], cs.constant(0), label=f"top-up keeps {word}")
        cs.enforce(
            by_address,
            eth_address - second["eth_address"],
            cs.constant(0),
            label="the recipient has the address that was signed",
        )
        cs.enforce(
            key_y,
            cs.hint_divide_or_zero(create + change_key, key_y),
            create + change_key,
            label="a key that an account gets has ay != 0",
        )
        for word in ("packed", "balance", "ax", "eth_address"):
            cs.enforce(create, second[word], cs.constant(0), label=f"a created leaf was empty: {word}")
        credit = (pays + taken) * amount
        with cs.scope("credited balance"):
            sum_bits = to_bits(cs, second["balance"] + credit, BALANCE_BITS + 1)
        overflow = sum_bits[BALANCE_BITS]
        cs.enforce(cs.one - deposit, overflow, cs.constant(0), label="credited balance stays below 2^128")
        cs.enforce(
            deposit,
            nullified - overflow - refused,
            cs.constant(0),
            label="a deposit is nullified on overflow and where it is refused",
        )
        second_after = {
            "packed": second["packed"] + create * token,
            "balance": second["balance"] + credit * (cs.one - overflow),
            "ax": second["ax"] + create * key_x,
            "ay": second["ay"] + create * key_y,
            "eth_address": second["eth_address"] + create * eth_address,
        }
        root_between_again, root_after = merkle_update(
            cs, second_index.bits, hash_leaf(cs, second), hash_leaf(cs, second_after), second_lanes
        )
        cs.assert_equal(root_between_again, root_between, label="second leaf is in the tree")

    with cs.scope("F fees"):
        credited: list[Field] = []
        for k in range(fee_tokens):
            chosen = cs.input_bool(f"fee_entry_{k}")
            cs.enforce(
                chosen, token - entry_tokens[k], cs.constant(0), label="fee goes to an entry of its own token"
            )
            share = chosen * fee
            credited.append(share)
            cs.export(f"fees_after_{k}", fees_before[k] + share)
        cs.assert_equal(
            cs.linear([(share, 1) for share in credited]), fee, label="the whole fee is credited once"
        )

    with cs.scope("G group"):
        cs.enforce(unsigned, group, cs.constant(0), label="only signed transactions belong to a group")
        cs.enforce(
            open_group,
            group - open_group,
            cs.constant(0),
            label="an open group is continued",
        )
        hashed = poseidon(cs, [accumulator, core])
        unfinished = cs.one - is_equal(cs, hashed, group)
        alone = is_zero(cs, group)
        stays_open = (cs.one - alone) * unfinished
        open_after = group * unfinished
        accumulator_after = GROUP_TAG + stays_open * (hashed - GROUP_TAG)

    with cs.scope("H public data"):
        cs.enforce(
            noop + change_key + (transfer - by_address),
            eth_address,
            cs.constant(0),
            label="only kinds with an address carry one",
        )
        not_short = cs.one - pays - change_key
        record = cs.linear(
            [
                (kind, 1 << E0_KIND),
                (nullified, 8 << E0_KIND),
                (first_index, 1 << E0_FIRST),
                (second_index, 1 << E0_SECOND),
                (fee_code, 1 << E0_FEE),
                (amount_code, 1 << E0_CODE),
                (not_short * amount, 1 << E0_AMOUNT),
                (not_short * token, 1 << E0_TOKEN),
            ]
        )
        elements = [cs.export("e0", record), cs.export("e1", (cs.one - transfer) * eth_address)]
        elements += [cs.export("e2", key_x), cs.export("e3", key_y)]
        addressed = Bool.unchecked(deposit + withdraw + forced_exit + to_new)
        keyed = Bool.unchecked(deposit + sets_key)
        present = [Bool.unchecked(cs.one - noop), addressed, keyed, keyed]
        for flag, element in zip(present, elements, strict=True):
            y = horner_step(cs, flag, y, z, element)

    cs.export("root_after", root_after)
    cs.export("y_after", y)
    cs.export("padding_after", noop)
    cs.export("next_index_after", next_index + create)
    cs.export("group_after", open_after)
    cs.export("accumulator_after", accumulator_after)
    return cs.freeze()
