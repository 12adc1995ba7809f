"""What the strategies draw: in range, edges included, simplest first; and equivalence tests that use them."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from zkrollup.crypto import babyjubjub, eddsa, merkle
from zkrollup.crypto.tables import MODULUS
from zkrollup.gadgets.bits import range_check
from zkrollup.gadgets.compare import is_zero, less_than
from zkrollup.gadgets.select import conditional_swap
from zkrollup.state import (
    BatchParameters,
    ChangeKey,
    Deposit,
    ForcedExit,
    Kind,
    Transfer,
    TransferToAddress,
    TransferToNew,
    Withdraw,
)
from zkrollup.testing import assert_equivalent, record_gadget, strategies

SOME = settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
FIND = settings(max_examples=4000, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("edge", [0, 1, MODULUS - 1, 2**128, 2**253 - 1, 2**64 + 1, 7, MODULUS - 7])
def test_field_elements__draw_the_edges(edge: int) -> None:
    assert find(strategies.field_elements(), lambda x: x == edge, settings=FIND) == edge


@SOME
@given(strategies.field_elements(), strategies.field_elements(modulus=101), strategies.uints(9))
def test_numbers__are_in_range(x: int, small: int, n: int) -> None:
    assert 0 <= x < MODULUS
    assert 0 <= small < 101
    assert 0 <= n < 512


def test_field_elements__draw_what_is_none_when_asked() -> None:
    drawn = strategies.field_elements(non_canonical=True)
    assert find(drawn, lambda x: x >= MODULUS, settings=FIND) == MODULUS
    assert find(drawn, lambda x: x == 2**256 - 1, settings=FIND)


def test_numbers__shrink_to_the_simplest() -> None:
    assert find(strategies.field_elements(), lambda x: True, settings=FIND) == 0
    assert find(strategies.uints(64), lambda x: True, settings=FIND) == 0
    assert find(strategies.uints(64), lambda x: x == 2**64 - 1, settings=FIND)
    assert find(strategies.uints(0), lambda x: True) == 0
    with pytest.raises(ValueError, match="uints: -1 bits"):
        strategies.uints(-1)


@SOME
@given(strategies.points(), strategies.points(subgroup=False), strategies.low_order_points())
def test_points__are_on_the_curve(inside, anywhere, low) -> None:
    assert babyjubjub.in_subgroup(inside)
    assert babyjubjub.is_on_curve(anywhere)
    assert babyjubjub.mul(low, 8) == babyjubjub.IDENTITY


def test_points__leave_the_subgroup_only_when_asked() -> None:
    outside = find(strategies.points(subgroup=False), lambda p: not babyjubjub.in_subgroup(p), settings=FIND)
    assert babyjubjub.is_on_curve(outside)
    orders = {babyjubjub.mul(p, 4) for p in strategies._torsion()}
    assert len(set(strategies._torsion())) == 8
    assert len(orders) == 2


@settings(SOME, max_examples=10)
@given(strategies.signatures(), strategies.accounts(), strategies.merkle_paths(3))
def test_signatures_accounts_and_paths__are_right(signed, account, case) -> None:
    assert eddsa.verify(signed.key.public_key, signed.message, signed.signature)
    assert not account.is_empty
    assert merkle.verify_path(case.root, case.leaf, case.index, case.path)


@settings(SOME, max_examples=20)
@given(strategies.transactions())
def test_transactions__that_need_a_signature_have_one(transaction) -> None:
    assert getattr(transaction, "signature", True)


@settings(SOME, max_examples=15)
@given(strategies.batches())
def test_batches__are_accepted_and_start_afresh_each_time(case) -> None:
    first = case.trace()
    assert first == case.trace()
    assert first.root_before == case.state().root


KINDS = [Transfer, TransferToAddress, TransferToNew, ChangeKey, Withdraw, Deposit, ForcedExit]


@pytest.mark.parametrize("kind", KINDS)
def test_batches__have_every_kind(kind) -> None:
    case = find(
        strategies.batches(parameters=BatchParameters(1, 1, 1)),
        lambda case: any(isinstance(t, kind) for t in case.transactions),
        settings=settings(FIND, max_examples=5_000, phases=[Phase.generate]),
        random=Random(1),  # the same search each time
    )
    (slot,) = case.trace().slots
    assert slot.kind != Kind.NOOP


@pytest.mark.parametrize("members", [1, 2])
def test_batches__have_groups(members) -> None:
    def one_group(case) -> bool:
        groups = [t.group for t in case.transactions if getattr(t, "group", 0)]
        return len(groups) == members and len(set(groups)) == 1

    case = find(
        strategies.batches(parameters=BatchParameters(2, 1, 0)),
        one_group,
        settings=settings(FIND, max_examples=5_000, phases=[Phase.generate]),
        random=Random(1),
    )
    assert [slot.group_before != 0 for slot in case.trace().slots] == [False, members == 2]


def test_import__of_testing_leaves_hypothesis_and_pytest_alone() -> None:
    code = "import sys, zkrollup.testing; print([m for m in ('hypothesis', 'pytest') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- equivalence -------------------------------------------------------------------------------------
def test_assert_equivalent__accepts_what_is() -> None:
    template = assert_equivalent(
        lambda cs, x, y: less_than(cs, x, y, 8),
        lambda x, y: x < y,
        inputs={"x": 8, "y": 8},
        max_examples=300,
    )
    assert template.inputs["x"].width == 8
    assert_equivalent(
        lambda cs, b, pair: list(conditional_swap(cs, b, *pair)),
        lambda b, pair: pair[::-1] if b else pair,
        inputs={"b": "bool", "pair": ["field", "field"]},
    )


def refuse_above(bits: int):
    def function(x: int) -> None:
        if x >> bits:
            raise ValueError(f"{x} has more than {bits} bits")

    return function


def test_assert_equivalent__a_refusal_of_the_function_is_one_of_the_gadget() -> None:
    def gadget(cs, x):
        range_check(cs, x, 16)

    assert_equivalent(gadget, refuse_above(16), inputs={"x": "field"})
    with pytest.raises(AssertionError, match="accepts x=32768, which the function refuses: 32768 has more"):
        assert_equivalent(gadget, refuse_above(15), {"x": st.integers(0, 2**17)}, inputs={"x": "field"})
    with pytest.raises(AssertionError, match=r"(?s)refuses x=65536; the function gives \{\}.*does not hold"):
        assert_equivalent(gadget, refuse_above(17), {"x": st.integers(0, 2**17)}, inputs={"x": "field"})


def test_assert_equivalent__shows_the_simplest_difference() -> None:
    with pytest.raises(AssertionError, match=r"\(x=1\) = \{'out': 0\}; the function gives \{'out': 1\}"):
        assert_equivalent(lambda cs, x: is_zero(cs, x), lambda x: x < 2, inputs={"x": "field"})


def test_assert_equivalent__takes_examples_strategies_and_templates() -> None:
    template = record_gadget(lambda cs, x: {"square": x * x}, {"x": "field"}, name="square")
    assert template.name == "square"
    assert_equivalent(template, lambda x: {"square": x * x}, examples=[{"x": x} for x in range(300)])
    with pytest.raises(AssertionError, match=r"'square'\(x=7\) = \{'square': 49\}"):
        assert_equivalent(template, lambda x: {"square": min(x * x, 36)}, examples=[{"x": 2}, {"x": 7}])
    assert_equivalent(template, lambda x: {"square": x * x}, {"x": st.integers(0, 5)})
    with pytest.raises(ValueError, match="needs a strategy or examples"):
        assert_equivalent(template, lambda x: x)


def test_record_gadget__refuses_unknown_shapes_and_results() -> None:
    with pytest.raises(ValueError, match="input 'x': shape 'byte'; expected 'field'"):
        record_gadget(lambda cs, x: x, {"x": "byte"})
    with pytest.raises(TypeError, match="out is int; a gadget returns signals"):
        record_gadget(lambda cs, x: 3, {"x": "field"})


def test_assert_equivalent__works_with_a_hint_in_python() -> None:
    def root(cs, x):
        (y,) = cs.hint_python(lambda v: int(v**0.5) if v < 10**6 else 0, [x], 1)
        cs.enforce(y, y, x, "y squared is x")
        return y

    assert_equivalent(
        root, lambda x: int(x**0.5), examples=[{"x": n * n} for n in range(20)], inputs={"x": "field"}
    )
