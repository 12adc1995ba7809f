"""Choosing among values, and the Horner step."""

from __future__ import annotations

import random

import pytest

from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets.horner import horner_step
from zkrollup.gadgets.select import conditional_swap, mux4, one_hot4, select
from zkrollup.testing import assert_satisfied

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
