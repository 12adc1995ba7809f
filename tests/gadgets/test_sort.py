"""Networks of switches: sorting, permutations, distinct values."""

from __future__ import annotations

import random
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import sort as gadget
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied

PAIRS = {1: 0, 2: 1, 3: 3, 4: 5, 8: 19, 16: 63, 32: 191}


@pytest.mark.parametrize("n", range(1, 11))
def test_network__sorts_all_zeros_and_ones(n):
    # What sorts every sequence of zeros and ones sorts everything (Knuth, volume 3, 5.3.4, theorem Z).
    pairs = gadget.network(n)
    assert len(pairs) == PAIRS.get(n, len(pairs))
    for bits in product((0, 1), repeat=n):
        out = list(bits)
        for i, j in pairs:
            assert i < j
            out[i], out[j] = min(out[i], out[j]), max(out[i], out[j])
        assert out == sorted(bits)


@pytest.fixture(scope="module")
def sorting(record):
    """Templates by count, of 16 bits."""
    made = {}

    def of(count):
        if count not in made:
            made[count] = record(lambda cs, i: {"out": gadget.sort(cs, i["v"], 16)}, arrays={"v": count})
        return made[count]

    return of


@pytest.mark.parametrize("count", [2, 3, 8, 16])
def test_sort__takes_a_row_for_each_switch_and_n_for_each_neighbour(count, sorting, rows_of):
    exports = count - sum(f"out[{k}]" not in sorting(count).exports for k in range(count))
    extra = rows_of(sorting(count)) - PAIRS[count] - 16 * (count - 1)
    assert 0 <= extra <= exports  # outputs that are sums less another output become wires


U16 = st.integers(0, 0xFFFF) | st.sampled_from([0, 1, 0xFFFF])


@settings(max_examples=25, deadline=None)
@given(st.lists(U16, min_size=8, max_size=8))
def test_sort__is_sorted(sorting, engine, values):
    check = assert_satisfied(sorting(8), inputs={"v": values}, engine=engine)
    assert [check[f"out[{k}]"] for k in range(8)] == sorted(values)


def test_sort__agrees_on_every_order_of_four(sorting):
    for values in [*permutations((3, 5, 7, 9)), (1, 1, 1, 1), (2, 1, 2, 1)]:
        check = assert_satisfied(sorting(4), inputs={"v": values})
        assert [check[f"out[{k}]"] for k in range(4)] == sorted(values)


def test_sort__refuses_another_value_and_another_order(sorting):
    template = sorting(4)
    inputs = {"v": [40, 30, 20, 10]}
    assert assert_lies_caught(template, inputs=inputs) >= 5
    assert_every_wire_bound(template, inputs=inputs)
    switches = [h for h in template.hints if h.scope == "network"]
    for site in switches:
        assert_unsatisfied(template, inputs=inputs, by="network/switch", override={site: [25]})
    # The last switch set the other way still permutes, and fails by the order alone.
    last = switches[-1]
    low, high = gadget.network(4)[-1]
    assert (low, high) == (1, 2)
    assert_unsatisfied(template, inputs=inputs, by="order/bit of a 16-bit number", override={last: [30]})


def test_sort__refuses_values_out_of_range_when_they_would_be_out_of_order(sorting):
    assert_unsatisfied(sorting(2), inputs={"v": [0, 1 << 16]}, by="order/bit of a 16-bit number", only=True)
    cs = ConstraintSystem("sort")
    with pytest.raises(ValueError, match=r"an order of 253 bits; expected 1 \.\. 252"):
        gadget.sort(cs, cs.input_array("v", 2), 253)


@pytest.mark.parametrize(("count", "width"), [(2, 1), (4, 3), (5, 2)])
def test_sort_records__moves_the_values_with_their_keys(count, width, record, rows_of, engine):
    def body(cs, i):
        out = gadget.sort_records(cs, [i[f"r{k}"] for k in range(count)], 16)
        return {f"out{k}": row for k, row in enumerate(out)}

    template = record(body, arrays={f"r{k}": width for k in range(count)})
    pairs = len(gadget.network(count))
    counts = template.counts_by_scope()
    assert counts["network"] == pairs * (1 + width)
    assert counts["order"] == 16 * (count - 1)
    rng = random.Random(count)
    for _ in range(5):
        records = [
            [rng.randrange(1 << 16), *(rng.randrange(MODULUS) for _ in range(width - 1))]
            for _ in range(count)
        ]
        inputs = {f"r{k}": row for k, row in enumerate(records)}
        check = assert_satisfied(template, inputs=inputs, engine=engine)
        got = [[check[f"out{k}[{j}]"] for j in range(width)] for k in range(count)]
        assert got == sorted(records)
    assert_lies_caught(template, inputs=inputs, hints=[h for h in template.hints if h.kind != "less_than"])
    for site in [h for h in template.hints if h.kind == "less_than"]:
        assert_unsatisfied(template, inputs=inputs, by="network/switch is boolean", override={site: [2]})
        # The other setting of a switch may be made good by later ones: then the result is the same.
        other = template.check(inputs=inputs, override={site: lambda honest: [1 - honest[0]]})
        assert not other.satisfied or other.exports == check.exports


def test_sort_records__refuses_records_of_other_lengths():
    cs = ConstraintSystem("records")
    with pytest.raises(ValueError, match="records of 1 and 2 values; expected one length, at least 1"):
        gadget.sort_records(cs, [cs.input_array("a", 1), cs.input_array("b", 2)], 8)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_assert_permutation__of_any_elements(count, record, rows_of, engine):
    template = record(
        lambda cs, i: gadget.assert_permutation(cs, i["a"], i["b"]), arrays={"a": count, "b": count}
    )
    assert rows_of(template) == 2 * PAIRS[count] + count
    rng = random.Random(count)
    a = [rng.randrange(MODULUS) for _ in range(count - 1)] + [0]
    b = rng.sample(a, count)
    assert_satisfied(template, inputs={"a": a, "b": b}, engine=engine)
    assert_satisfied(template, inputs={"a": [7] * count, "b": [7] * count}, engine=engine)
    other = [*b[:-1], (b[-1] + 1) % MODULUS]
    assert_unsatisfied(template, inputs={"a": a, "b": other}, by="is a permutation", only=True)
    if count > 1:  # the same values with other multiplicities
        assert_unsatisfied(template, inputs={"a": [1, 1, *a[2:]], "b": [1, 2, *a[2:]]}, by="is a permutation")
        assert_lies_caught(template, inputs={"a": a, "b": b})


def test_assert_permutation__refuses_unequal_counts():
    cs = ConstraintSystem("permutation")
    with pytest.raises(ValueError, match="a permutation of 2 values into 3; expected equally many"):
        gadget.assert_permutation(cs, cs.input_array("a", 2), cs.input_array("b", 3))


def test_assert_distinct__refuses_a_value_twice(record, engine):
    template = record(lambda cs, i: gadget.assert_distinct(cs, i["v"], 8), arrays={"v": 5})
    assert_satisfied(template, inputs={"v": [5, 255, 0, 7, 6]}, engine=engine)
    assert_unsatisfied(template, inputs={"v": [5, 255, 0, 7, 5]}, by="order/bit of a 8-bit number", only=True)
