"""What a report says: verdicts with their reasons, pairs that hold, and the other findings."""

from __future__ import annotations

import json

import pytest

from zkrollup.audit import Constraints, Jacobian, Kind, UnsatisfiedError, audit
from zkrollup.cs import ConstraintSystem
from zkrollup.cs.scalar_field import MODULUS as R
from zkrollup.formats.wtns import WtnsFile
from zkrollup.gadgets.bits import to_bits
from zkrollup.gadgets.compare import is_zero

P = 10007


def system(wires, inputs, rows, outputs=(), p=P, names=None):
    reduced = [tuple({w: k % p for w, k in side.items()} for side in row) for row in rows]
    return Constraints.from_rows(p, wires, inputs, reduced, outputs, names)


def boolean(wire):
    return ({wire: 1}, {wire: 1, 0: -1}, {})


def recorded(body, names):
    cs = ConstraintSystem("small")
    out = body(cs, *(cs.input(name) for name in names.split()))
    cs.export("out", out)
    return Constraints.from_template(cs.freeze())


# -- verdicts ---------------------------------------------------------------------------------------------
def test_free__a_forgotten_boolean_row():
    """x = b0 + 2 b1 + 4 b2, and nothing says that b1 is a bit."""
    rows = [({}, {}, {1: -1, 2: 1, 3: 2, 4: 4}), boolean(2), boolean(4)]
    names = {1: "x", 2: "b0", 3: "b1", 4: "b2"}
    report = audit(system(5, {1}, rows, (2, 3, 4), names=names), [[1, 5, 1, 0, 1]])
    assert report.exit_code == 1
    assert report.verdict("b1").kind is Kind.FREE
    pair = report.verdict("b1").pair
    assert pair.first == (1, 5, 1, 0, 1)
    assert report.system.violations(pair.second) == []
    assert pair.second[1] == 5
    assert report.unforced_booleans == ((3, "weighted as a bit of a number"),)
    assert "b1: weighted as a bit of a number" in str(report)
    with pytest.raises(KeyError):
        report.verdict("b7")


def test_free__the_other_root_is_found():
    report = audit(system(3, {1}, [({2: 1}, {2: 1}, {1: 1})], (2,)), [[1, 9, 3]])
    pair = report.verdicts[2].pair
    assert {pair.first[2], pair.second[2]} == {3, P - 3}


def test_free__only_at_other_inputs_than_given():
    """out = x / y by out * y = x: free where both are zero."""
    report = audit(system(4, {1, 2}, [({3: 1}, {2: 1}, {1: 1})], (3,)), [[1, 6, 2, 3]])
    assert report.exit_code == 1
    pair = report.verdicts[3].pair
    assert pair.first[1:3] == (0, 0)
    unhelpful = audit(
        system(4, {1, 2}, [({3: 1}, {2: 1}, {1: 1})], (3,)), [[1, 6, 2, 3]], special_inputs=False
    )
    assert unhelpful.exit_code == 3
    assert unhelpful.verdicts[3].kind is Kind.UNDECIDED


def test_free__a_line_of_the_kernel_moves_wires_together():
    rows = [({}, {}, {1: -1, 2: 1, 3: 1}), ({2: 1}, {0: 5}, {4: 1})]
    report = audit(system(5, {1}, rows, (2, 3, 4)), [[1, 7, 3, 4, 15]])
    assert [freedom.wires for freedom in report.kernel] == [(2, 3, 4)]
    assert report.kernel[0].real
    assert report.rank == 2


def test_idle__the_inverse_of_an_is_zero_test_harms_nobody():
    report = audit(recorded(lambda cs, x: is_zero(cs, x) + 1, "x"))
    (free,) = report.free
    assert report.verdicts[free].idle
    assert report.harmful == []
    assert report.exit_code == 0
    assert "free, but nothing depends on it" in str(report)


def test_idle__a_quotient_that_something_uses_is_not():
    rows = [({3: 1}, {2: 1}, {1: 1}), ({3: 1}, {3: 1}, {4: 1})]
    report = audit(system(5, {1, 2}, rows, (4,)), [[1, 6, 2, 3, 9]])
    assert not report.verdicts[3].idle
    assert report.exit_code == 1


def test_idle__a_wire_in_no_row_is_not():
    report = audit(system(4, {1}, [({1: 1}, {1: 1}, {2: 1})], (2,)), [[1, 2, 4, 9]])
    assert report.unused_wires == (3,)
    assert report.verdicts[3].kind is Kind.FREE
    assert not report.verdicts[3].idle
    assert report.exit_code == 1


def test_unique__names_the_rule_and_the_rows():
    report = audit(recorded(lambda cs, x: to_bits(cs, x, 8)[3] + 0, "x"))
    assert report.exit_code == 0
    assert report.decided_share == 1.0
    reason = report.verdict("bits#0[3]").reason
    assert reason.rule == "digits"
    assert len(reason.rows) == 8
    assert report.free == report.undecided == []


def test_contradiction__is_said_and_is_no_success():
    nonsquare = next(k for k in range(2, P) if pow(k, (P - 1) // 2, P) != 1)
    report = audit(system(2, (), [({1: 1}, {1: 1}, {0: nonsquare})]))
    assert report.contradiction == 0
    assert report.exit_code == 3
    assert "NO WITNESS: row 0 cannot hold" in str(report)


# -- other findings -----------------------------------------------------------------------------------------
def test_findings__unused_inputs_and_constants():
    report = audit(system(4, {1, 2}, [({}, {}, {3: 2, 0: -8}), ({1: 1}, {1: 1}, {1: 1})]))
    assert report.unused_inputs == (2,)
    assert report.constants == {3: 4}
    assert "wire3 = 4" in str(report)


def test_findings__a_selector_that_nothing_forces():
    select = ({1: 1}, {2: 1, 3: -1}, {4: 1, 3: -1})
    assert audit(system(5, {1, 2, 3}, [select])).unforced_booleans == ((1, "selects between two wires"),)
    assert audit(system(5, {1, 2, 3}, [select, boolean(1)])).unforced_booleans == ()


def test_findings__duplicates_up_to_order_and_factors():
    rows = [
        ({1: 1, 0: 3}, {2: 2}, {3: 4}),
        ({2: 1}, {1: 5, 0: 15}, {3: 10}),
        ({2: 1}, {1: 5, 0: 15}, {3: 11}),
        ({}, {}, {1: 1, 3: 1}),
        ({0: 3}, {1: 2, 3: 2}, {}),
    ]
    assert audit(system(4, {1, 2}, rows)).duplicate_rows == ((1, 0), (4, 3))


def test_findings__linear_rows_that_others_imply():
    rows = [({}, {}, {1: 1, 2: 1}), ({}, {}, {2: 1, 3: 1}), ({}, {}, {1: 1, 3: -1})]
    assert len(audit(system(4, {1}, rows)).redundant_rows) == 1
    rows[2] = ({}, {}, {1: 1, 3: 1})
    assert audit(system(4, {1}, rows)).redundant_rows == ()


# -- input and output ----------------------------------------------------------------------------------------
def test_witness__that_does_not_satisfy_is_refused_with_the_row():
    checked = recorded(lambda cs, x: to_bits(cs, x, 4)[0] + 0, "x")
    told = r"witness 0 does not satisfy the constraints: 5 of 5 rows fail, the first is row 0 '"
    with pytest.raises(UnsatisfiedError, match=told) as error:
        audit(checked, [[1, 3, 5, 5, 5, 0]])
    assert "bit of a 4-bit number' at " in str(error.value)
    assert error.value.rows == (0, 1, 2, 3, 4)
    with pytest.raises(ValueError, match="3 values for"):
        audit(checked, [[1, 2, 3]])


def test_json__is_plain_data_and_repeatable():
    checked = recorded(lambda cs, x, y: is_zero(cs, x * y) + x, "x y")
    first, again = (audit(checked, seed=7).to_json() for _ in range(2))
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert json.loads(json.dumps(first)) == first
    assert [signal["verdict"] for signal in first["signals"]].count("free") == first["free"] == 1
    assert "signals" not in audit(checked).to_json(verdicts=False)


def test_write_pair__both_witnesses_read_back(tmp_path):
    report = audit(system(4, {1, 2}, [({3: 1}, {2: 1}, {1: 1})], (3,), p=R))
    pair = report.write_pair(tmp_path / "second.wtns", tmp_path / "first.wtns")
    second = WtnsFile.read(tmp_path / "second.wtns").values
    assert [sum(int(x) << (64 * i) for i, x in enumerate(v)) for v in second] == list(pair.second)
    clean = audit(system(3, {1}, [({1: 1}, {1: 1}, {2: 1})], (2,), p=R))
    with pytest.raises(ValueError, match="no second witness was found"):
        clean.write_pair(tmp_path / "none.wtns")
    small = audit(system(4, {1, 2}, [({3: 1}, {2: 1}, {1: 1})], (3,)))
    with pytest.raises(ValueError, match="BN254"):
        small.write_pair(tmp_path / "none.wtns")


def test_seconds__a_search_that_runs_out_of_time_says_so():
    rows = [({i: 1}, {i: 1, 1: 1}, {i + 1: 1, i + 2: 3}) for i in range(2, 200)]
    report = audit(system(204, {1}, rows), seconds=0.0)
    assert any("time ran out" in note for note in report.notes)
    assert len(report.verdicts) == 202


# -- the Jacobian -----------------------------------------------------------------------------------------
def test_jacobian__rank_kernel_and_dependent_rows():
    rows = [({1: 1}, {2: 1}, {3: 1}), ({1: 2}, {2: 1}, {3: 2}), ({3: 1}, {3: 1}, {4: 1})]
    values = [1, 2, 3, 6, 36, 5]
    jacobian = Jacobian(system(6, {1}, rows), values, keep_operations=True)
    assert jacobian.rank == 2
    assert jacobian.dependent_rows() == [0, 1]
    assert len(jacobian.free) == 2
    assert jacobian.moved() == [2, 3, 4, 5]
    for free in jacobian.free:
        vector = jacobian.kernel_vector({free: 1})
        for a, b, c in ((r[0], r[1], r[2]) for r in system(6, {1}, rows).rows()):
            dots = [sum(k * values[w] for w, k in side.items()) for side in (a, b)]
            change = [sum(k * vector.get(w, 0) for w, k in side.items()) for side in (a, b, c)]
            assert (change[0] * dots[1] + dots[0] * change[1] - change[2]) % P == 0


def test_jacobian__agrees_with_dense_elimination_on_random_systems(random_system):
    import random

    for seed in range(200):
        rng = random.Random(seed)
        made = random_system(rng)
        p, asked = made.modulus, [w for w in range(1, made.num_wires) if w not in made.inputs]
        values = [1, *(rng.randrange(p) for _ in range(made.num_wires - 1))]
        dense = []
        for a, b, c in made.rows():
            da, db = (sum(k * values[w] for w, k in side.items()) for side in (a, b))
            dense.append([(a.get(w, 0) * db + b.get(w, 0) * da - c.get(w, 0)) % p for w in asked])
        assert Jacobian(made, values).rank == rank_of(dense, p), f"seed {seed}"


def rank_of(rows, p):
    rank = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        inverse = pow(rows[rank][column], -1, p)
        for i in range(rank + 1, len(rows)):
            k = rows[i][column] * inverse
            rows[i] = [(x - k * y) % p for x, y in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank
