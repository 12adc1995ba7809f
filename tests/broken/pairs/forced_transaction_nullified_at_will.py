"""Whether a forced transaction applies is the prover's word: only `applied` without `valid` is excluded.

Source: Hermez's balance updater; Solidified's finding 3 on nullified L1 transactions.
Exploit: a valid forced withdrawal is nullified: censorship by proof.
Repair: it is applied exactly if it is valid.
"""

from zkrollup.gadgets.compare import less_or_equal
from zkrollup.gadgets.select import select

PROPERTIES = ("C17", "C4")
FLAGGED_BY = {"free": ("balance after",), "lie": ()}
VALID = [{"amount": 5, "balance": 9}, {"amount": 10, "balance": 9}]


def record(cs, repaired):
    amount, balance = cs.input_uint("amount", 32), cs.input_uint("balance", 32)
    valid = less_or_equal(cs, amount, balance, 32)
    applied = cs.assert_bool(cs.hint_value(valid), label="applied is 0 or 1")
    if repaired:
        cs.assert_equal(applied, valid, label="applied exactly if valid")
    else:
        (applied * (1 - valid)).assert_equal(0, label="applied only if valid")
    cs.export("balance after", select(cs, applied, balance - amount, balance))
