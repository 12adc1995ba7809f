"""A comparison's result is a hint that is only shown to be 0 or 1.

Source: zk_whitelist and aes-circuits in the field's bug trackers: values computed with `<--` alone.
Exploit: the prover answers 1 for every pair.
Repair: the result is computed by rows.
"""

from zkrollup.gadgets.compare import less_than

PROPERTIES = ("C3", "C4")
FLAGGED_BY = {"free": ("minimum",), "lie": ()}
VALID = [{"a": 3, "b": 10}, {"a": 10, "b": 3}]


def record(cs, repaired):
    a, b = cs.input_uint("a", 8), cs.input_uint("b", 8)
    if repaired:
        less = less_than(cs, a, b, 8)
    else:
        less = cs.assert_bool(cs.hint_less_than(a, b))
    cs.export("minimum", less.select(a, b))
