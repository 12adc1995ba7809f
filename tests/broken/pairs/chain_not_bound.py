"""The chain's number is a public input that no row mentions.

Source: Hermez in review (TOB-14) and the class of unused public inputs; a proof that names no chain.
Exploit: a proof and its transactions are replayed on every chain with the same contract.
Repair: the number is hashed with the message. Our builder refuses to freeze the broken circuit.
"""

from zkrollup.crypto.poseidon import poseidon as hash_of
from zkrollup.gadgets.poseidon import poseidon

PROPERTIES = ("C12", "C16")
FLAGGED_BY = {"unused": ("chain",)}
VALID = [{"chain": 1, "key": 99, "amount": 7, "tag": hash_of([99, 7, 1])}]
INVALID = [(VALID[0] | {"chain": 2}, "the transaction is authorised")]


def record(cs, repaired):
    chain = cs.link("chain")
    key, amount, tag = (cs.input(name) for name in ("key", "amount", "tag"))
    message = [key, amount, *([chain] if repaired else [])]
    cs.assert_equal(poseidon(cs, message), tag, label="the transaction is authorised")
