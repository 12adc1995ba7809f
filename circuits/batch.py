"""A whole batch: header, slots, fee credits, commitment and outputs wired into one R1CS.

The module must not know the rules of a transaction (circuits.transaction) nor how anything is proved.

Statement
---------
Given the public inputs C, z and y, the prover knows a batch's public data with commitment C and
fingerprint y at z (circuits.public_data says what that means to L1), and transactions which, applied in
order by the rules of circuits.transaction to the tree with the header's root before, followed by the
fee credits of circuits.fees, leave the tree with the header's root after. The accounts that they open
have the indices from the header's next index before on, up to its next index after. All are for the header's
chain, rollup and batch number. The members of a group stand in consecutive slots, each group whole.

Wiring
------
Seams between slots are not rows: a slot's link *is* the wire of its predecessor. So are root, fingerprint,
padding, next index, open group and its hash so far chained from the header's constants to the last slot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from zkrollup.cs import R1CS, System, Template
from zkrollup.gadgets.eddsa import DUMMY_SIGNATURE
from zkrollup.gadgets.merkle import merkle_lanes
from zkrollup.state.accounts import TOKEN_BITS
from zkrollup.state.amounts import AMOUNT_MANTISSA_BITS, FEE_MANTISSA_BITS
from zkrollup.state.parameters import BatchParameters
from zkrollup.state.trace import BatchTrace, Kind, LeafUpdate, SlotTrace

from .fees import record_fee_credit
from .public_data import COMMITMENT_RATE, COMMITMENT_TAG, record_commitment, record_header, record_outputs
from .transaction import record_transaction

__all__ = ["PUBLIC_INPUTS", "BatchCircuit", "batch_circuit", "describe_slot"]

PUBLIC_INPUTS = ("C", "z", "y")

Hasher = Callable[[Sequence[Sequence[int]]], Sequence[int]]

Values = dict[str, Any]
"""Inputs and chained links of one instance by name: integers, or lists of integers."""


class BatchCircuit:
    """The R1CS of batches of one shape, and the assignment that a trace gives it."""

    def __init__(self, parameters: BatchParameters) -> None:
        self.parameters = parameters
        slots, depth, fee_tokens = parameters.slots, parameters.depth, parameters.fee_tokens
        system = System("batch", public=list(PUBLIC_INPUTS))
        self.templates: dict[str, Template] = {
            "header": record_header(slots, depth, fee_tokens),
            "slots": record_transaction(depth, fee_tokens),
            **({"fees": record_fee_credit(depth)} if fee_tokens else {}),
            "commitment": record_commitment(),
            "outputs": record_outputs(),
        }
        header = system.add("header", self.templates["header"])
        slot_part = system.add("slots", self.templates["slots"], instances=slots)
        root_after = slot_part.wire("root_after", instance=-1)
        if fee_tokens:
            fee_part = system.add("fees", self.templates["fees"], instances=fee_tokens)
            fee_part.connect("root", first=root_after, chain="root_after")
            for name, wires in (
                ("token", [header.wire(f"fee_token_{k}") for k in range(fee_tokens)]),
                ("account", [header.wire(f"fee_account_{k}") for k in range(fee_tokens)]),
                ("fee", [slot_part.wire(f"fees_after_{k}", instance=-1) for k in range(fee_tokens)]),
            ):
                fee_part.connect(name, wires)
            root_after = fee_part.wire("root_after", instance=-1)

        elements = [header.wire(f"h{i}") for i in range(4 + fee_tokens)]
        elements += [slot_part.wire(f"e{k}", instance=i) for i in range(slots) for k in range(4)]
        steps = -(-len(elements) // COMMITMENT_RATE)
        elements += [header.wire("zero")] * (steps * COMMITMENT_RATE - len(elements))
        self.commitment_steps = steps
        commitment = system.add("commitment", self.templates["commitment"], instances=steps)
        outputs = system.add("outputs", self.templates["outputs"])

        header.connect("z", system.public("z"))
        header.connect("root_after", root_after)
        header.connect("next_after", slot_part.wire("next_index_after", instance=-1))
        slot_part.connect("root", first=header.wire("root_before"), chain="root_after")
        slot_part.connect("domain", header.wire("domain"))
        slot_part.connect("batch_number", header.wire("batch_number"))
        slot_part.connect("z", system.public("z"))
        slot_part.connect("y", first=header.wire("y"), chain="y_after")
        slot_part.connect("padding", first=header.wire("zero"), chain="padding_after")
        slot_part.connect("next_index", first=header.wire("next_before"), chain="next_index_after")
        slot_part.connect("group", first=header.wire("zero"), chain="group_after")
        slot_part.connect("accumulator", first=header.wire("group_tag"), chain="accumulator_after")
        for k in range(fee_tokens):
            slot_part.connect(f"fee_token_{k}", header.wire(f"fee_token_{k}"))
            slot_part.connect(f"fees_{k}", first=header.wire("zero"), chain=f"fees_after_{k}")
        commitment.connect("c", first=header.wire("c"), chain="c_after")
        for i in range(COMMITMENT_RATE):
            commitment.connect(f"x{i}", elements[i::COMMITMENT_RATE])
        outputs.connect("C", commitment.wire("c_after", instance=-1))
        outputs.connect("C_public", system.public("C"))
        outputs.connect("y", slot_part.wire("y_after", instance=-1))
        outputs.connect("y_public", system.public("y"))
        outputs.connect("group", slot_part.wire("group_after", instance=-1))
        self.r1cs: R1CS = system.freeze()

    @property
    def constraints_per_slot(self) -> int:
        """What one more slot costs, public data included: its rows and its share of the commitment's.

        Rounded up; the commitment absorbs fifteen elements a step and a slot has four.
        """
        templates = self.templates
        share = -(-4 * templates["commitment"].num_constraints // COMMITMENT_RATE)
        return templates["slots"].num_constraints + share

    def assignment(
        self, trace: BatchTrace, *, z: int, hasher: Hasher, modulus: int
    ) -> tuple[Mapping[str, int], Mapping[str, list[Values]]]:
        """Public inputs and every part's inputs for a batch that the state machine has executed.

        ``hasher`` is Poseidon over many input tuples at once, canonical integers in and out; ``modulus``
        is r. Raises ValueError when the trace was made for other parameters.
        """
        if trace.parameters != self.parameters:
            raise ValueError(f"trace: made for {trace.parameters}; this circuit is for {self.parameters}")
        y = 0
        for element in trace.header:
            y = (y * z + element) % modulus
        chain = self._commitment_chain(trace, hasher)
        header: Values = {
            "chain_id": trace.chain_id,
            "rollup_id": trace.rollup_id,
            "batch_number": trace.batch_number,
            "next_before": trace.next_before,
            "next_after": trace.next_after,
            "root_before": trace.root_before,
            "root_after": trace.root_after,
        }
        for k, (token, account) in enumerate(trace.fee_entries):
            header[f"fee_token_{k}"], header[f"fee_account_{k}"] = token, account

        slots: list[Values] = []
        padding = 0
        for slot in trace.slots:
            slots.append(slot_values(slot, trace.batch_number) | {"y": y, "padding": padding})
            for present, element in slot.elements:
                if present:
                    y = (y * z + element) % modulus
            padding = int(slot.kind == Kind.NOOP)
        fees = [
            update_values("leaf", update)
            | {"root": update.root_before, "nonce": update.before.nonce if update.index else 0}
            for update in trace.fee_updates
        ]
        parts: dict[str, list[Values]] = {
            "header": [header],
            "slots": slots,
            "commitment": [{"c": c} for c in chain[:-1]],
            "outputs": [{}],
        }
        if fees:
            parts["fees"] = fees
        return {"C": chain[-1], "z": z, "y": y}, parts

    @staticmethod
    def describe(trace: BatchTrace) -> Mapping[str, Callable[[int], str]]:
        """What each slot and each fee credit stands for, for ``R1CS.witness(..., describe=)``."""

        def credit(instance: int) -> str:
            token, account = trace.fee_entries[instance]
            return f"fees in token {token} to account {account}"

        slots: Mapping[str, Callable[[int], str]] = {"slots": lambda i: describe_slot(trace.slots[i])}
        return {**slots, "fees": credit} if trace.fee_entries else slots

    def _commitment_chain(self, trace: BatchTrace, hasher: Hasher) -> list[int]:
        """The commitment before each step, and after the last."""
        vector = [*trace.header, *(value for slot in trace.slots for _, value in slot.elements)]
        chain = [(COMMITMENT_TAG << 64) + len(vector)]
        vector += [0] * (self.commitment_steps * COMMITMENT_RATE - len(vector))
        for start in range(0, len(vector), COMMITMENT_RATE):
            chain.append(hasher([(chain[-1], *vector[start : start + COMMITMENT_RATE])])[0])
        return chain


@lru_cache(maxsize=8)
def batch_circuit(parameters: BatchParameters) -> BatchCircuit:
    """The circuit for these parameters, recorded once per process."""
    return BatchCircuit(parameters)


def describe_slot(slot: SlotTrace) -> str:
    """The transaction of a slot as its constructor is called, without keys and signature."""
    first, second = slot.first.index, slot.second.index
    paid = f"token={slot.first.before.token}, amount={slot.amount}, fee={slot.fee}"
    nonce = f"nonce={slot.first.before.nonce}"
    address = f"eth_address={slot.eth_address:#042x}"
    by_address = f"TransferToAddress(sender={first}, {address}, {paid}, {nonce}, recipient={second})"
    by_index = f"Transfer(sender={first}, recipient={second}, {paid}, {nonce})"
    text = {
        Kind.NOOP: "Noop()",
        Kind.DEPOSIT: f"Deposit(account={second}, token={slot.token}, amount={slot.amount})",
        Kind.TRANSFER: by_address if slot.by_address else by_index,
        Kind.WITHDRAW: f"Withdraw(sender={first}, {address}, {paid}, {nonce})",
        Kind.FORCED_EXIT: f"ForcedExit(account={first}, {address})",
        Kind.CHANGE_KEY: f"ChangeKey(sender={first}, token={slot.token}, fee={slot.fee}, {nonce})",
        Kind.TRANSFER_TO_NEW: f"TransferToNew(sender={first}, account={second}, {address}, {paid}, {nonce})",
    }[slot.kind]
    return f"{text}, nullified" if slot.nullified else text


def update_values(name: str, update: LeafUpdate) -> Values:
    """The inputs that describe one leaf before its update, and its path."""
    before = update.before
    values: Values = {
        f"{name}_packed": before.token + (before.nonce << TOKEN_BITS),
        f"{name}_balance": before.balance,
        f"{name}_ax": before.ax,
        f"{name}_ay": before.ay,
        f"{name}_eth_address": before.eth_address,
    }
    for level, lanes in enumerate(merkle_lanes(update.path)):
        values[f"{name}_lanes_{level}"] = lanes
    return values


SIGNED = (Kind.TRANSFER, Kind.WITHDRAW, Kind.CHANGE_KEY, Kind.TRANSFER_TO_NEW)


def slot_values(slot: SlotTrace, batch_number: int) -> Values:
    """The inputs and the state links of one slot of the batch with this number."""
    signed = slot.kind in SIGNED
    acts = signed or (slot.kind == Kind.FORCED_EXIT and not slot.nullified)
    top_up = slot.kind == Kind.DEPOSIT and slot.second.before.ay != 0
    existing = slot.kind == Kind.TRANSFER or top_up
    signature = slot.signature if slot.signature is not None else DUMMY_SIGNATURE
    return {
        "root": slot.first.root_before,
        "next_index": slot.next_before,
        "group": slot.group_before,
        "accumulator": slot.accumulator_before,
        **{f"is_{kind.name.lower()}": int(slot.kind == kind) for kind in Kind if kind != Kind.NOOP},
        "nullified": int(slot.nullified),
        "by_address": int(slot.by_address),
        "signed_group": slot.group,
        "memo": slot.memo,
        "batches_left": slot.valid_until - batch_number if signed else 0,
        "first_index": slot.first.index,
        "second_index": slot.second.index,
        "token": slot.token,
        "amount": slot.amount,
        "amount_mantissa": slot.amount_code & ((1 << AMOUNT_MANTISSA_BITS) - 1),
        "amount_exponent": slot.amount_code >> AMOUNT_MANTISSA_BITS,
        "fee_mantissa": slot.fee_code & ((1 << FEE_MANTISSA_BITS) - 1),
        "fee_exponent": slot.fee_code >> FEE_MANTISSA_BITS,
        "eth_address": slot.eth_address,
        "key_x": slot.key[0],
        "key_y": slot.key[1],
        "first_nonce_after": slot.first.after.nonce if acts else 0,
        "second_nonce": slot.second.before.nonce if existing else 0,
        "r8x": signature[0],
        "r8y": signature[1],
        "s": signature[2],
        **{f"fees_{k}": fee for k, fee in enumerate(slot.fees_before)},
        **{f"fee_entry_{k}": int(slot.fee_entry == k) for k in range(len(slot.fees_before))},
        **update_values("first", slot.first),
        **update_values("second", slot.second),
    }
