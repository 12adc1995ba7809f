"""The MiMC gadgets against circomlibjs and their twin, with mutated wires."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.crypto import mimc as twin
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import ConstraintSystem
from zkrollup.gadgets import mimc as gadget
from zkrollup.testing import assert_every_wire_bound, assert_satisfied

ELEMENTS = st.integers(0, MODULUS - 1) | st.sampled_from([0, 1, MODULUS - 1])


def hash_template(n):
    cs = ConstraintSystem("mimc7")
    cs.export("out", gadget.mimc7_hash(cs, cs.input_array("x", n), cs.input("key")))
    return cs.freeze()


def sponge_template(n, outputs=1, keyed=True):
    cs = ConstraintSystem("sponge")
    key = cs.input("key") if keyed else 0
    cs.export_array("out", gadget.mimc_sponge(cs, cs.input_array("x", n), key, outputs))
    return cs.freeze()


def test_mimc7__equals_circomlibjs(vectors, engine):
    made = {n: hash_template(n) for n in (1, 2, 3, 5)}
    for case in vectors("mimc/mimc7_multi"):
        values = {"x": case["inputs"], "key": case["key"]}
        check = assert_satisfied(made[len(case["inputs"])], inputs=values, engine=engine)
        assert check["out"] == case["output"]
    assert made[5].num_constraints == 5 * 364


def test_mimc_sponge__equals_circomlibjs(vectors, engine):
    made = {}
    for case in vectors("mimc/sponge"):
        n, m = len(case["inputs"]), len(case["output"])
        if (n, m) not in made:
            made[n, m] = sponge_template(n, m)
            assert made[n, m].num_constraints == 660 * (n + m - 1) - 3
        values = {"x": case["inputs"], "key": case["key"]}
        check = assert_satisfied(made[n, m], inputs=values, engine=engine)
        assert [check[f"out[{i}]"] for i in range(m)] == case["output"]


def test_mimc_feistel__equals_circomlibjs(vectors, engine):
    cs = ConstraintSystem("feistel")
    left, right, key = cs.input("left"), cs.input("right"), cs.input("k")
    cs.export_array("out", gadget.mimc_feistel(cs, left, right, key))
    template = cs.freeze()
    assert template.num_constraints == 660
    for case in vectors("mimc/feistel"):
        values = {name: case[name] for name in ("left", "right", "k")}
        check = assert_satisfied(template, inputs=values, engine=engine)
        assert [check["out[0]"], check["out[1]"]] == case["output"]


@settings(max_examples=8, deadline=None)
@given(st.lists(ELEMENTS, min_size=2, max_size=2), ELEMENTS)
def test_mimc__equals_its_twin(inputs, key):
    check = hash_template(2).check(inputs={"x": inputs, "key": key})
    assert check.satisfied
    assert check["out"] == twin.mimc7_hash(inputs, key)
    check = sponge_template(2, keyed=False).check(inputs={"x": inputs})
    assert check.satisfied
    assert [check["out[0]"]] == twin.mimc_sponge(inputs)


def test_mimc__binds_every_wire():
    assert_every_wire_bound(hash_template(2), inputs={"x": [3, 4], "key": 5})
    assert_every_wire_bound(sponge_template(1, 2), inputs={"x": [3], "key": 5})


def test_mimc__refuses_no_input():
    cs = ConstraintSystem("mimc")
    with pytest.raises(ValueError, match="MiMC7 hashes 1 or more inputs, got 0"):
        gadget.mimc7_hash(cs, [])
    with pytest.raises(ValueError, match="1 or more inputs to 1 or more outputs, got 0 to 1"):
        gadget.mimc_sponge(cs, [])
    with pytest.raises(ValueError, match="got 1 to 0"):
        gadget.mimc_sponge(cs, [cs.input("x")], outputs=0)
