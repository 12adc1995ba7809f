"""A sorted pair is shown to be ascending, and not to be the pair that was given.

Source: class, "sorting without a permutation check".
Exploit: any ascending pair passes: the median, the winner, the clearing price is the prover's choice.
Repair: the pair is swapped or not, by a comparison.
"""

from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import assert_less_or_equal, less_than
from zkrollup.gadgets.select import conditional_swap

PROPERTIES = ("C3", "C4")
FLAGGED_BY = {"free": ("low", "high")}
VALID = [{"a": 9, "b": 4}, {"a": 4, "b": 9}, {"a": 5, "b": 5}]


def record(cs, repaired):
    a, b = cs.input_uint("a", 8), cs.input_uint("b", 8)
    if repaired:
        low, high = conditional_swap(cs, less_than(cs, b, a, 8), a, b)
    else:
        low, high = cs.hint_python(lambda x, y: sorted((x, y)), [a, b], 2)
        assert_less_or_equal(cs, range_check(cs, low, 8), range_check(cs, high, 8), 8)
        cs.export("given", a + 256 * b)
    cs.export("low", low)
    cs.export("high", high)
