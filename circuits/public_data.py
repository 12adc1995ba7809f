"""How a batch's public data reaches the chain without a hash that Ethereum has inside the circuit.

The module must not know what the elements mean beyond the header's layout.

Statement of the three templates
--------------------------------
*header*: chain id, rollup id, batch number, next index, fee tokens and fee accounts are in range; ``domain``
is the Poseidon hash of chain id and rollup id; the header's elements are these numbers, the next index that
the slots leave and both roots; the fingerprint has absorbed them in order, beginning from 0. The next index
after is not ranged: it is the one before, below 2^33, and at most one more for each slot, so that it stays
below 2^40 and the second element has one reading.

*commitment*: ``c_after`` is Poseidon of ``c`` and fifteen elements.

*outputs*: the last ``c`` and the last ``y`` are the public inputs C and y; the last slot leaves no group
open.

Why a proof for (C, z, y) is a proof about the bytes that L1 saw
----------------------------------------------------------------
Let D be the vector that the circuit committed to: the header and four elements for each slot, those of
unused slots included. C is a Merkle-Damgaard chain of the 16-input Poseidon compression over D. Its
length is fixed by the circuit and bound into the chain's first value, so two vectors with the same C are
a collision of Poseidon with 16 inputs: computationally, C determines D.

Which elements of D are present is a function of D alone: the header always, and of a slot those that
its kind, part of e0, asks for (an e0 that is absent is zero, and no present e0 is: its kind is not 0).
Let d = (d_1, ..., d_n) be the present ones in order. The circuit forces
y = d_1 z^(n-1) + ... + d_n, a polynomial p_d at z.

L1 holds its own vector d' (canonical elements decoded from bytes, those of requests compared with its own
queue), computes z = keccak(domain tag, chain id, contract, keccak(d'), C) mod r and y' = p_d'(z), and
checks the proof for (C, z, y'). Both C, hence d, and d' are fixed before z can be known. If d != d',
then p_d - p_d' is a polynomial other than zero of degree less than max(n, n'): vectors of equal length
differ in some coefficient, and for unequal lengths the longer one's leading coefficient is the header's
first element, which holds the version 2 and is not zero. A polynomial other than zero has fewer than
max(n, n') roots, so in the random oracle model each choice of (d', C) passes with probability at most
1.14 * max(n, n') / r; the factor covers the bias of reducing 256 bits modulo r (at most six preimages
for an element where 5.29 would be even). An adversary who tries q pairs wins with probability
below q * 2^22 / 2^253 for the largest batches (2^20 slots).

It follows that whatever the circuit says of D holds for what L1 decoded, up to that probability and to
collisions of Poseidon and keccak. In particular values that the circuit leaves unranged (an Ethereum
address, a deposited key) inherit the canonical form that L1 demanded.
"""

from __future__ import annotations

from zkrollup.cs import ConstraintSystem, Template
from zkrollup.gadgets.poseidon import poseidon
from zkrollup.state.trace import GROUP_TAG

__all__ = [
    "COMMITMENT_RATE",
    "COMMITMENT_TAG",
    "HEADER_ELEMENTS",
    "header_length",
    "record_commitment",
    "record_header",
    "record_outputs",
]

COMMITMENT_RATE = 15
COMMITMENT_TAG = int.from_bytes(b"zkrollup/data/v1", "big")
HEADER_ELEMENTS = 4
VERSION = 2


def header_length(fee_tokens: int) -> int:
    """The number of elements in a header: four fixed ones and one per fee entry."""
    return HEADER_ELEMENTS + fee_tokens


def record_header(slots: int, depth: int, fee_tokens: int) -> Template:
    """Records the header; ``slots`` and the data's length are constants of the circuit."""
    cs = ConstraintSystem("header", parameters={"slots": slots, "depth": depth, "fee_tokens": fee_tokens})
    z, root_after, next_after = cs.link("z"), cs.link("root_after"), cs.link("next_after")
    with cs.scope("A ranges"):
        chain_id = cs.input_uint("chain_id", 64)
        rollup_id = cs.input_uint("rollup_id", 160)
        batch_number = cs.input_uint("batch_number", 64)
        next_before = cs.input_uint("next_before", 2 * depth + 1)
        root_before = cs.input("root_before")
        tokens = [cs.input_uint(f"fee_token_{k}", 32) for k in range(fee_tokens)]
        accounts = [cs.input_uint(f"fee_account_{k}", 2 * depth) for k in range(fee_tokens)]
    with cs.scope("B domain"):
        cs.export("domain", poseidon(cs, [chain_id, rollup_id]))
    with cs.scope("C elements"):
        elements = [
            cs.linear([(chain_id, 1 << 160), (rollup_id, 1)], constant=VERSION << 240),
            cs.linear(
                [(batch_number, 1 << 112), (next_before, 1 << 40), (next_after, 1)], constant=slots << 80
            ),
            root_before,
            root_after,
            *(cs.linear([(t, 1 << 32), (a, 1)]) for t, a in zip(tokens, accounts, strict=True)),
        ]
        y = elements[0]
        for element in elements[1:]:
            y = y * z + element
    for i, element in enumerate(elements):
        cs.export(f"h{i}", element)
    cs.export("y", y)
    cs.export("root_before", root_before)
    cs.export("batch_number", batch_number)
    cs.export("next_before", next_before)
    for k in range(fee_tokens):
        cs.export(f"fee_token_{k}", tokens[k])
        cs.export(f"fee_account_{k}", accounts[k])
    length = header_length(fee_tokens) + 4 * slots
    cs.export("c", cs.constant((COMMITMENT_TAG << 64) + length))
    cs.export("zero", cs.constant(0))
    cs.export("group_tag", cs.constant(GROUP_TAG))
    return cs.freeze()


def record_commitment() -> Template:
    """Records one step of the commitment chain."""
    cs = ConstraintSystem("commitment", parameters={"rate": COMMITMENT_RATE})
    c = cs.link("c")
    elements = [cs.link(f"x{i}") for i in range(COMMITMENT_RATE)]
    cs.export("c_after", poseidon(cs, [c, *elements]))
    return cs.freeze()


def record_outputs() -> Template:
    """Records that the last commitment and fingerprint are the public ones, and that no group is cut."""
    cs = ConstraintSystem("outputs", parameters={})
    for name in ("C", "y"):
        public, computed = cs.link(f"{name}_public"), cs.link(name)
        cs.assert_equal(computed, public, label=f"public input {name} is the computed one")
    cs.assert_equal(cs.link("group"), cs.constant(0), label="no group is open after the last slot")
    return cs.freeze()
