"""Random circuits: plain integers, the check interpreter, engines and rows must all agree."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zkrollup.cs import Bool, ConstraintSystem, Field, System, Template
from zkrollup.cs.scalar_field import MODULUS, from_mont, mont_array
from zkrollup.engine.interface import Engine
from zkrollup.testing import ReferenceEngine

ELEMENTS = st.one_of(
    st.sampled_from([0, 1, 2, 5, MODULUS - 1, MODULUS - 2, (MODULUS - 1) // 2, 1 << 128, (1 << 253) - 1]),
    st.integers(0, MODULUS - 1),
)
COEFFICIENTS = st.one_of(st.sampled_from([0, 1, -1, 2, -2, 1 << 64]), st.integers(-MODULUS, 2 * MODULUS))
OPERATIONS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(0, 1 << 16), st.integers(0, 1 << 16), COEFFICIENTS),
    min_size=1,
    max_size=25,
)
NUM_FIELDS, NUM_BOOLS, UINT_BITS = 3, 2, 9


def record(operations) -> tuple[Template, dict[str, object]]:
    """The template, and for each export a function of the assignment that computes it in integers."""
    cs = ConstraintSystem("random")
    fields: list[tuple[Field, object]] = [
        (cs.input(f"x{i}"), lambda v, i=i: v[f"x{i}"]) for i in range(NUM_FIELDS)
    ]
    fields.append((cs.link("l"), lambda v: v["l"]))
    fields.append((cs.input_uint("n", UINT_BITS), lambda v: v["n"]))
    fields.append((cs.constant(7), lambda v: 7))
    bools: list[tuple[Bool, object]] = [
        (cs.input_bool(f"b{i}"), lambda v, i=i: v[f"b{i}"]) for i in range(NUM_BOOLS)
    ]
    for code, i, j, k in operations:
        (x, xv), (y, yv) = fields[i % len(fields)], fields[j % len(fields)]
        (p, pv), (q, qv) = bools[i % len(bools)], bools[j % len(bools)]
        if code == 0:
            fields.append((x + y, lambda v, xv=xv, yv=yv: xv(v) + yv(v)))
        elif code == 1:
            fields.append((x - y, lambda v, xv=xv, yv=yv: xv(v) - yv(v)))
        elif code == 2:
            fields.append((k * x + 3, lambda v, xv=xv, k=k: k * xv(v) + 3))
        elif code == 3:
            fields.append((x * y, lambda v, xv=xv, yv=yv: xv(v) * yv(v)))
        elif code == 4:
            fields.append((x.square(), lambda v, xv=xv: xv(v) ** 2))
        elif code == 5:
            fields.append((p.select(x, y), lambda v, pv=pv, xv=xv, yv=yv: xv(v) if pv(v) else yv(v)))
        elif code == 6:
            bools.append((p & q, lambda v, pv=pv, qv=qv: pv(v) & qv(v)))
        elif code == 7:
            bools.append((p | q, lambda v, pv=pv, qv=qv: pv(v) | qv(v)))
        elif code == 8:
            bools.append((p ^ q, lambda v, pv=pv, qv=qv: pv(v) ^ qv(v)))
        elif code == 9:
            bools.append((~p, lambda v, pv=pv: 1 - pv(v)))
        elif code == 10:
            terms = [(f, k + n) for n, (f, _) in enumerate(fields[:6])]
            values = [v for _, v in fields[:6]]
            fields.append(
                (
                    cs.linear(terms, k),
                    lambda v, values=values, k=k: k + sum((k + n) * f(v) for n, f in enumerate(values)),
                )
            )
        elif code == 11:
            bits = [cs.assert_bool(b) for b in cs.hint_bits(x, 254)]
            cs.assert_equal(cs.linear([(b, 1 << n) for n, b in enumerate(bits)]), x, "bits")
            at = j % 254
            bools.append((bits[at], lambda v, xv=xv, at=at: (xv(v) % MODULUS) >> at & 1))
        elif code == 12:
            inverse = cs.hint_inverse_or_zero(x)
            fields.append((inverse, lambda v, xv=xv: pow(xv(v), -1, MODULUS) if xv(v) % MODULUS else 0))
            zero = Bool.unchecked(1 - x * inverse)
            cs.assert_zero(x * zero, "x or its zero test is 0")
            bools.append((zero, lambda v, xv=xv: int(xv(v) % MODULUS == 0)))
        elif code == 13:
            quotient, rest = cs.hint_divmod(x, y)
            (quotient * y).assert_equal(x - rest, "division")
            fields.append((quotient, lambda v, xv=xv, yv=yv: _divmod(xv(v) % MODULUS, yv(v) % MODULUS)[0]))
            fields.append((rest, lambda v, xv=xv, yv=yv: _divmod(xv(v) % MODULUS, yv(v) % MODULUS)[1]))
        elif code == 14:
            less = cs.assert_bool(cs.hint_less_than(x, y))
            bools.append((less & True, lambda v, xv=xv, yv=yv: int(xv(v) % MODULUS < yv(v) % MODULUS)))
            fields.append((less * 2, lambda v, xv=xv, yv=yv: 2 * (xv(v) % MODULUS < yv(v) % MODULUS)))
            cs.assert_zero(less * (1 - less), "less is a bit")
        elif code == 15:
            cs.assert_equal((x + y).square(), x.square() + 2 * (x * y) + y * y, "binomial")
        elif code == 16:
            with cs.scope("conditional"), cs.when(p):
                cs.assert_equal(x * p, x, "p is 1 here")
                with cs.when(q):
                    (p * q).assert_equal(1, "both are 1 here")
        elif code == 17:
            cs.materialise(x)
        elif code == 18:
            ratio = cs.hint_divide_or_zero(x * y, y)
            cs.assert_zero((ratio - x) * y, "ratio")
            fields.append((ratio, lambda v, xv=xv, yv=yv: xv(v) if yv(v) % MODULUS else 0))
        elif code == 19:
            flag = cs.assert_bool(cs.hint_is_zero(x))
            cs.assert_zero(flag * x, "zero when flagged")
            bools.append((flag, lambda v, xv=xv: int(xv(v) % MODULUS == 0)))
    exports: dict[str, object] = {}
    for n, (signal, value) in enumerate([*fields, *bools]):
        cs.export(f"e{n}", signal * 1)
        exports[f"e{n}"] = value
    # Every wire is in some row: inputs that no operation took are used here.
    for signal, _ in [*fields, *bools]:
        (signal * fields[0][0]).assert_equal(fields[0][0] * signal, "commutes")
        cs.assert_equal((signal + 1) * (signal - 1), signal.square() - 1, "difference of squares")
    return cs.freeze(), exports


def _divmod(a: int, b: int) -> tuple[int, int]:
    return divmod(a, b) if b else (0, a)


ASSIGNMENTS = st.fixed_dictionaries(
    {f"x{i}": ELEMENTS for i in range(NUM_FIELDS)}
    | {f"b{i}": st.integers(0, 1) for i in range(NUM_BOOLS)}
    | {"n": st.sampled_from([0, 1, (1 << UINT_BITS) - 1, 100]), "l": ELEMENTS}
)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS, st.lists(ASSIGNMENTS, min_size=1, max_size=3))
def test_random_circuit__integers_check_replay_and_rows_agree(operations, assignments) -> None:
    template, expected = record(operations)
    reference = ReferenceEngine()
    for values in assignments:
        inputs = {k: v for k, v in values.items() if k != "l"}
        check = template.check({"l": values["l"]}, inputs)
        assert check.satisfied, check
        for name, function in expected.items():
            assert check.exports[name] == function(values) % MODULUS, name
        replayed = reference.replay(
            template.program,
            mont_array(template.link_values({"l": values["l"]}))[None],
            mont_array(template.input_values(inputs))[None],
        )
        assert from_mont(replayed[0]) == check.own


@settings(max_examples=25, deadline=None)
@given(OPERATIONS, st.lists(ASSIGNMENTS, min_size=1, max_size=9), st.data())
def test_random_system__engine_and_reference_agree_on_wires_products_and_violations(
    engine: Engine, operations, assignments, data
) -> None:
    template, _ = record(operations)
    system = System("random", public=["l"])
    part = system.add("part", template, instances=len(assignments))
    part.connect("l", system.public("l"))
    r1cs = system.freeze()
    link = assignments[0]["l"]
    given_inputs = [{k: v for k, v in a.items() if k != "l"} for a in assignments]
    reference = ReferenceEngine()
    witness = r1cs.witness(engine, {"l": link}, {"part": given_inputs})
    twin = r1cs.witness(reference, {"l": link}, {"part": given_inputs})
    assert np.array_equal(witness.values, twin.values)
    assert r1cs.check(engine, witness) == []
    for got, want in zip(
        engine.r1cs_products(r1cs.layout, witness.values),
        reference.r1cs_products(r1cs.layout, twin.values),
        strict=True,
    ):
        assert np.array_equal(got, want)
    # A wrong wire: the same rows fail for everybody, with the same explanation.
    column = data.draw(st.integers(1, r1cs.num_columns - 1))
    witness.values[column] = mont_array([data.draw(ELEMENTS)])[0]
    rows = reference.r1cs_violations(r1cs.layout, witness.values).tolist()
    assert engine.r1cs_violations(r1cs.layout, witness.values).tolist() == rows
    failures = r1cs.check(engine, witness)
    assert [f.row + template.num_constraints * f.instance for f in failures] == rows
    assert all(f.left != f.right for f in failures)
    if column >= 2:
        instance, own = divmod(column - 2, template.num_own)
        values = from_mont(twin.values[[0, 1]]) + from_mont(
            witness.values[2 + instance * template.num_own : 2 + (instance + 1) * template.num_own]
        )
        assert own < template.num_own
        assert [f.row for f in template.check_wires(values).failures] == [f.row for f in failures]
