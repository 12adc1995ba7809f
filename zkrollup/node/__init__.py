"""The node: takes signed transactions, puts them into batches, has these proved, and submits them to L1.

This package must not hold rules of its own about what a transaction may do: those are in
:mod:`zkrollup.state`. Its parts in the order of a transaction's way: api, sequencer (with mempool and store),
prover, submitter; devchain is an L1 inside, service runs them together.
"""
