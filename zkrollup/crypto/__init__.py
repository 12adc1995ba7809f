"""The primitives of the rollup outside a circuit: Poseidon, BabyJubJub, EdDSA, Merkle paths, Keccak.

This package must not know of circuits, engines, accounts or batches.
"""
