"""Choosing among values, and the Horner step."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.horner import horner_step
from zkrollup.gadgets.select import (
    assert_member,
    conditional_swap,
    is_member,
    lookup,
    lookup_number,
    mux,
    mux4,
    mux_one_hot,
    one_hot,
    one_hot4,
    one_hot_bits,
    polynomial,
    select,
)
from zkrollup.testing import assert_every_wire_bound, assert_lies_caught, assert_satisfied, assert_unsatisfied


def elements(count: int) -> list[int]:
    rng = random.Random(count)
    return [rng.randrange(MODULUS) for _ in range(count)]


def digits(value: int, n: int) -> list[int]:
    return [value >> i & 1 for i in range(n)]


VALUES = [3, MODULUS - 1, 0, 77]


@pytest.mark.parametrize("index", range(4))
def test_mux4_and_one_hot4__choose_by_index(index, record, rows_of, engine):
    def body(cs, i):
        return {"chosen": mux4(cs, i["low"], i["high"], i["v"]), "hot": one_hot4(cs, i["low"], i["high"])}

    template = record(body, bools="low high", arrays={"v": 4})
    assert rows_of(template) == 3 + 1 + 3  # three of one_hot4's outputs are combinations
    inputs = {"low": index & 1, "high": index >> 1, "v": VALUES}
    check = assert_satisfied(template, inputs=inputs, engine=engine)
    assert check["chosen"] == VALUES[index]
    assert [check[f"hot[{k}]"] for k in range(4)] == [int(k == index) for k in range(4)]


@pytest.mark.parametrize("flag", [0, 1])
def test_select_and_conditional_swap__follow_the_flag(flag, record, rows_of):
    def body(cs, i):
        first, second = conditional_swap(cs, i["flag"], i["a"], i["b"])
        return {"chosen": select(cs, i["flag"], i["a"], i["b"]), "first": first, "second": second}

    template = record(body, "a b", "flag")
    assert rows_of(template) == 3  # the product of the swap is in the rows of both its outputs
    check = assert_satisfied(template, inputs={"a": 5, "b": 9, "flag": flag})
    assert check["chosen"] == (5 if flag else 9)
    assert (check["first"], check["second"]) == ((9, 5) if flag else (5, 9))


def test_mux4__refuses_another_number_of_values():
    cs = ConstraintSystem("mux")
    low, high = cs.input_bool_array("b", 2)
    with pytest.raises(ValueError, match="expected 4 values, got 3"):
        mux4(cs, low, high, cs.input_array("v", 3))


def test_horner_step__evaluates_the_present_elements(record, rows_of, engine):
    n = 5

    def body(cs, i):
        y = i["y"]
        for flag, element in zip(i["present"], i["d"], strict=True):
            y = horner_step(cs, flag, y, i["z"], element)
        return {"out": y}

    template = record(body, "y z", arrays={"d": n}, bool_arrays={"present": n})
    assert rows_of(template) == 2 * n
    rng = random.Random(5)
    for _ in range(8):
        present = [rng.randrange(2) for _ in range(n)]
        d = [rng.randrange(MODULUS) for _ in range(n)]
        y, z = rng.randrange(MODULUS), rng.randrange(MODULUS)
        check = assert_satisfied(template, inputs={"y": y, "z": z, "d": d, "present": present}, engine=engine)
        for flag, element in zip(present, d, strict=True):
            y = (y * z + element) % MODULUS if flag else y
        assert check["out"] == y


# -- multiplexers ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("count", "rows"), [(2, 1), (3, 3), (4, 3), (5, 5), (7, 7), (8, 7), (16, 15)])
def test_mux__chooses_and_refuses_an_index_beyond(count, rows, record, rows_of, engine):
    k = (count - 1).bit_length()

    def body(cs, i):
        return {"out": cs.materialise(mux(cs, i["index"], i["v"]))}

    template = record(body, arrays={"v": count}, bool_arrays={"index": k})
    values = elements(count)
    assert rows_of(template) == rows
    for index in range(1 << k):
        inputs = {"v": values, "index": digits(index, k)}
        if index < count:
            assert assert_satisfied(template, inputs=inputs, engine=engine)["out"] == values[index]
        else:
            assert_unsatisfied(template, inputs=inputs, by=f"bits below {count:#x}", only=True)


def test_mux__refuses_another_number_of_bits():
    cs = ConstraintSystem("mux")
    with pytest.raises(ValueError, match="2 bits of index for 5 values; expected 3"):
        mux(cs, cs.input_bool_array("i", 2), cs.input_array("v", 5))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_one_hot_bits__takes_one_row_for_each_product(k, record, rows_of, engine):
    def body(cs, i):
        hot = one_hot_bits(cs, i["b"])
        return {
            "chosen": mux_one_hot(cs, hot, i["v"]),
            "code": cs.linear([(h, 1 << j) for j, h in enumerate(hot)]),
        }

    n = 1 << k
    template = record(body, arrays={"v": n}, bool_arrays={"b": k})
    assert rows_of(template) == n - k - 1 + n - 1 + 1  # the last product of the choice is the export's row
    values = elements(n)
    for index in range(n):
        check = assert_satisfied(template, inputs={"v": values, "b": digits(index, k)}, engine=engine)
        assert (check["chosen"], check["code"]) == (values[index], 1 << index)


@pytest.mark.parametrize("n", [1, 2, 5, 16])
def test_one_hot__takes_n_rows_and_refuses_an_index_beyond(n, record, rows_of, engine):
    def body(cs, i):
        return {"code": cs.linear([(h, 1 << j) for j, h in enumerate(one_hot(cs, i["x"], n))])}

    template = record(body, "x")
    assert rows_of(template) == n + 1
    for index in range(n):
        inputs = {"x": index}
        assert assert_satisfied(template, inputs=inputs, engine=engine)["code"] == 1 << index
        if n > 1:
            assert_lies_caught(template, inputs=inputs)
            assert_every_wire_bound(template, inputs=inputs)
    for index in (n, MODULUS - 1):
        assert_unsatisfied(template, inputs={"x": index}, by=f"one-hot of {n}", only=True)


def test_one_hot__and_its_choice_refuse_odd_sizes():
    cs = ConstraintSystem("hot")
    with pytest.raises(ValueError, match="a one-hot of 0 bits; expected at least 1"):
        one_hot(cs, cs.input("x"), 0)
    with pytest.raises(ValueError, match="2 bits for 3 values; expected as many"):
        mux_one_hot(cs, cs.input_bool_array("h", 2), cs.input_array("v", 3))


# -- tables --------------------------------------------------------------------------------------------
TABLE_ROWS = {1: 0, 2: 1, 3: 1, 4: 3, 5: 7, 6: 14, 7: 21, 8: 30}


@pytest.mark.parametrize("k", TABLE_ROWS)
def test_lookup__takes_the_rows_it_states(k, record, rows_of, engine):
    table = elements(1 << k)
    template = record(lambda cs, i: {"out": lookup(cs, i["b"], table)}, bool_arrays={"b": k})
    # Exporting a combination takes a row, unless a product ends it.
    assert rows_of(template) == TABLE_ROWS[k] + (k in (1, 3))
    for index in range(1 << k) if k < 6 else random.Random(1).sample(range(1 << k), 12):
        check = assert_satisfied(template, inputs={"b": digits(index, k)}, engine=engine)
        assert check["out"] == table[index]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, MODULUS - 1) | st.integers(0, 2), min_size=8, max_size=8))
def test_lookup__of_any_eight_entries_takes_two_rows_at_most(table):
    cs = ConstraintSystem("table")
    with cs.scope("inputs"):
        bits = cs.input_bool_array("b", 3)
        out = cs.input("out")
        cs.assert_equal(cs.sum(bits), cs.input("weight"))
    entry = lookup(cs, bits, table)
    cs.assert_equal(out, entry, label="entry")
    template = cs.freeze()
    assert template.counts_by_scope()[""] <= 2  # one of them is the assertion
    for index in range(8):
        b = digits(index, 3)
        good = {"b": b, "out": table[index], "weight": sum(b)}
        assert_satisfied(template, inputs=good)
        assert_lies_caught(template, inputs=good)
        assert_unsatisfied(template, inputs=good | {"out": (table[index] + 1) % MODULUS}, by="entry")


def test_lookup__of_every_boolean_function_of_three_bits_is_exact():
    rows = [0, 0, 0]
    for code in range(256):
        table = digits(code, 8)
        cs = ConstraintSystem("function")
        with cs.scope("inputs"):
            bits = cs.input_bool_array("b", 3)
            cs.assert_equal(cs.sum(bits), cs.input("weight"))
        out = lookup(cs, bits, table)
        cs.assert_equal(out, cs.input("out"), label="entry")
        template = cs.freeze()
        rows[template.counts_by_scope()[""] - 1] += 1  # one is the assertion, which takes a last product in
        for index in range(8):
            b = digits(index, 3)
            for answer in (0, 1):
                check = template.check(inputs={"b": b, "weight": sum(b), "out": answer})
                assert check.satisfied == (answer == table[index])
    assert rows == [38, 218, 0]


def test_lookup__folds_known_bits(record):
    table = [k * k + 7 for k in range(16)]

    def body(cs, i):
        b = [cs.constant_bool(True), i["b"][0], cs.constant_bool(False), i["b"][1]]
        return {"out": lookup(cs, b, table)}

    template = record(body, bool_arrays={"b": 2})
    for x, y in product((0, 1), repeat=2):
        assert assert_satisfied(template, inputs={"b": [x, y]})["out"] == table[1 + 2 * x + 8 * y]


@pytest.mark.parametrize(("n", "rows"), [(1, 0), (2, 0), (3, 1), (5, 2), (17, 6), (100, 18), (256, 30)])
def test_lookup_number__takes_about_two_square_roots(n, rows, record, rows_of, engine):
    table = elements(n)

    def body(cs, i):
        cs.assert_equal(lookup_number(cs, i["x"], table), i["out"], label="entry")
        with cs.scope("inputs"):
            cs.assert_equal(i["x"], i["same"])

    template = record(body, "x out same")
    assert rows_of(template) == max(rows, 1)
    for x in {0, n - 1, n // 2, n // 3}:
        good = {"x": x, "out": table[x], "same": x}
        assert_satisfied(template, inputs=good, engine=engine)
        assert_unsatisfied(template, inputs=good | {"out": table[x] ^ 1}, by="entry", only=True)


def test_polynomial__agrees_with_horner(record, engine):
    coefficients = elements(23)
    template = record(lambda cs, i: {"out": polynomial(cs, coefficients, i["x"])}, "x")
    for x in (0, 1, MODULUS - 1, 123456789):
        want = 0
        for c in reversed(coefficients):
            want = (want * x + c) % MODULUS
        assert assert_satisfied(template, inputs={"x": x}, engine=engine)["out"] == want


def test_tables__refuse_other_sizes():
    cs = ConstraintSystem("table")
    with pytest.raises(ValueError, match="a table of 3 entries for 2 bits; expected 4"):
        lookup(cs, cs.input_bool_array("b", 2), [1, 2, 3])
    with pytest.raises(ValueError, match="lookup_number: the table has no entry"):
        lookup_number(cs, cs.input("x"), [])


# -- membership ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("n", "rows"), [(1, 1), (2, 1), (16, 6)])
def test_assert_member__of_constants_takes_about_two_square_roots(n, rows, record, rows_of, engine):
    values = elements(n)
    template = record(lambda cs, i: assert_member(cs, i["x"], values, "member"), "x")
    assert rows_of(template) == rows
    for value in values:
        assert_satisfied(template, inputs={"x": value}, engine=engine)
        assert_unsatisfied(template, inputs={"x": (value + 1) % MODULUS}, by="member", only=True)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_is_member__of_signals_and_constants_agrees_with_python(n, record, rows_of, engine):
    def body(cs, i):
        return {
            "signals": is_member(cs, i["x"], i["v"]),
            "mixed": is_member(cs, i["x"], [*i["v"], 5, 77]),
        }

    template = record(body, "x", arrays={"v": n})
    assert rows_of(template) == (n + 1) + (1 + n + 2) + 2  # the exports
    rng = random.Random(n)
    values = [rng.randrange(MODULUS) for _ in range(n)]
    for x in [*values, 5, 77, 0, rng.randrange(MODULUS)]:
        check = assert_satisfied(template, inputs={"x": x, "v": values}, engine=engine)
        assert (check["signals"], check["mixed"]) == (x in values, x in [*values, 5, 77])


def test_membership__among_nothing_is_refused():
    cs = ConstraintSystem("member")
    with pytest.raises(ValueError, match="membership among no values; expected at least one"):
        assert_member(cs, cs.input("x"), [])
