"""What a prover may choose in the rollup's circuits once the inputs are given: nothing that matters.

Besides single wires and single hints, the whole set of wires is examined at once: a row whose partial
derivatives by all unknown wires but one vanish, determines that one. If in this way all wires follow from
inputs and links, then near this witness there is no other with the same inputs.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from zkrollup.circuits.batch import slot_values, update_values
from zkrollup.circuits.fees import record_fee_credit
from zkrollup.circuits.public_data import record_commitment, record_header, record_outputs
from zkrollup.circuits.transaction import record_transaction
from zkrollup.crypto.poseidon import poseidon
from zkrollup.crypto.tables import MODULUS
from zkrollup.cs import Check, ConstraintSystem, HintSite, Template
from zkrollup.state import (
    BatchContext,
    BatchParameters,
    BatchTrace,
    ChangeKey,
    Deposit,
    ForcedExit,
    StateTree,
    Transaction,
    Transfer,
    TransferToAddress,
    TransferToNew,
    apply_batch,
    sign_group,
)
from zkrollup.testing import assert_lies_caught, find_hints, mutate_witness
from zkrollup.testing.rollup import CHAIN_ID, ROLLUP_ID, make_wallets

WALLETS = make_wallets(3)
FULL = 2**128


def undetermined(template: Template, values: Sequence[int], unknown: Collection[int]) -> set[int]:
    """The unknown columns that do not follow, one row after the other, from the known ones."""
    rows = template.rows
    sides = [
        [[(cols[i], coefs[i]) for i in range(indptr[row], indptr[row + 1])] for row in range(rows.num_rows)]
        for indptr, cols, coefs in rows.sides
    ]
    dots = [[sum(k * values[c] for c, k in row) % MODULUS for row in side] for side in sides]
    slopes: list[dict[int, int]] = []
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row in range(rows.num_rows):
        slope: dict[int, int] = defaultdict(int)
        for side, weight in enumerate((dots[1][row], dots[0][row], -1)):
            for column, k in sides[side][row]:
                if column in unknown:
                    slope[column] = (slope[column] + weight * k) % MODULUS
        slopes.append({column: k for column, k in slope.items() if k})
        for column in slopes[row]:
            rows_of[column].append(row)
    left = set(unknown)
    ready = deque(row for row, slope in enumerate(slopes) if len(slope) == 1)
    while ready:
        for column in tuple(slopes[ready.popleft()]):
            left.discard(column)
            for row in rows_of.pop(column, ()):
                del slopes[row][column]
                if len(slopes[row]) == 1:
                    ready.append(row)
    return left


def test_undetermined__finds_a_pair_of_wires_that_only_move_together() -> None:
    """C4: the search itself: two hints bound by their sum alone escape a change of single wires."""
    cs = ConstraintSystem("pair")
    x = cs.input("x")
    quotient, rest = cs.hint_divmod(x, 5)
    cs.assert_equal(5 * quotient + rest, x)
    cs.assert_bool(x - 7)
    template = cs.freeze()
    check = template.check({}, {"x": 7})
    assert mutate_witness(template, check.values) == []
    own = range(template.num_links + template.num_inputs, template.num_links + template.num_own)
    assert len(undetermined(template, check.values, set(own))) == 2


class Case:
    """One template with links and inputs that satisfy it."""

    def __init__(self, template: Template, links: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        self.template, self.links, self.inputs = template, links, inputs

    def check(self) -> Check:
        check = self.template.check(self.links, self.inputs)
        assert check.satisfied, check
        return check


PARAMETERS = BatchParameters(slots=1, depth=1, fee_tokens=1)
TRANSACTIONS: dict[str, list[Transaction]] = {
    "transfer": [WALLETS[0].transfer(1, 2, 100, fee=3, token=0)],
    "transfer to oneself": [WALLETS[0].transfer(1, 1, 100, fee=3, token=0)],
    "transfer without a fee": [WALLETS[0].transfer(1, 2, 100, token=0)],
    "withdraw": [WALLETS[0].withdraw(1, 100, fee=3, token=0)],
    "deposit that creates": [WALLETS[2].deposit(100, 9)],
    "deposit that tops up": [WALLETS[0].deposit(100, 0)],
    "deposit that is nullified": [Deposit(0, FULL - 1, *WALLETS[0].key.public_key, WALLETS[0].eth_address)],
    "forced exit": [ForcedExit(1, WALLETS[0].eth_address)],
    "forced exit that is nullified": [ForcedExit(1, WALLETS[1].eth_address)],
    "forced exit of leaf 0": [ForcedExit(0, WALLETS[1].eth_address)],
    "transfer by address": [
        WALLETS[0].sign(TransferToAddress(1, WALLETS[1].eth_address, 0, 100, 3, 0, memo=9))
    ],
    "transfer to new": [WALLETS[0].sign(TransferToNew(1, *WALLETS[2].key.public_key, 7, 0, 100, 3, 0))],
    "change of key": [WALLETS[0].sign(ChangeKey(1, *WALLETS[2].key.public_key, 0, 3, 0, valid_until=9))],
    "group": sign_group([Transfer(1, 2, 0, 100, 3, 0)], [WALLETS[0].key], CHAIN_ID, ROLLUP_ID),
    "deposit that a full tree refuses": [WALLETS[2].deposit(100, 9)],
    "noop": [],
}


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return {
        "slot": record_transaction(1, 1),
        "fees": record_fee_credit(1),
        "header": record_header(1, 1, 1),
        "commitment": record_commitment(),
        "outputs": record_outputs(),
    }


def executed(name: str) -> BatchTrace:
    state = StateTree.in_memory(1)
    state.seed([WALLETS[0].account(token=0), WALLETS[1].account(token=0)])
    if name == "deposit that a full tree refuses":
        state.seed([WALLETS[0].account(token=9)])
    entries = () if name == "unused" else ((0, 2),)
    context = BatchContext(PARAMETERS, CHAIN_ID, ROLLUP_ID, 1, entries)
    return apply_batch(state, TRANSACTIONS.get(name, []), context)


def slot_case(templates: Mapping[str, Template], name: str) -> Case:
    trace = executed(name)
    values = slot_values(trace.slots[0], trace.batch_number)
    links = {
        **{link: values.pop(link) for link in ("root", "next_index", "group", "accumulator")},
        "batch_number": trace.batch_number,
        "fees_0": values.pop("fees_0"),
        "domain": poseidon([CHAIN_ID, ROLLUP_ID]),
        "z": 17,
        "y": 4,
        "padding": 0,
        "fee_token_0": 0,
    }
    return Case(templates["slot"], links, values)


def other_case(templates: Mapping[str, Template], name: str) -> Case:
    """Another part of the batch; fees with an entry that is used, or is not."""
    template = templates[name.split()[0]]
    trace = executed("unused" if name == "fees unused" else "transfer")
    if template.name == "header":
        (token, account), *_ = trace.fee_entries
        links = {"z": 17, "root_after": trace.root_after, "next_after": trace.next_after}
        inputs = {"chain_id": CHAIN_ID, "rollup_id": ROLLUP_ID, "batch_number": 1}
        inputs |= {
            "next_before": trace.next_before,
            "root_before": trace.root_before,
            "fee_token_0": token,
            "fee_account_0": account,
        }
        return Case(template, links, inputs)
    if template.name == "fee_credit":
        update, (token, account) = trace.fee_updates[0], trace.fee_entries[0]
        links = {"root": update.root_before, "token": token, "account": account, "fee": trace.fees[0]}
        return Case(template, links, update_values("leaf", update) | {"nonce": update.before.nonce})
    if template.name == "commitment":
        return Case(template, {"c": 5} | {f"x{i}": i for i in range(15)}, {})
    return Case(template, {"C": 3, "C_public": 3, "y": 4, "y_public": 4, "group": 0}, {})


OTHERS = ["header", "fees", "fees unused", "commitment", "outputs"]


def case_of(templates: Mapping[str, Template], name: str) -> Case:
    return slot_case(templates, name) if name in TRANSACTIONS else other_case(templates, name)


FREE = {
    "inverse_or_zero": "the inverse of zero is only multiplied by that zero, so any value serves",
    "divide_or_zero": "1 / ay where no account gets a key: only multiplied by ay = 0",
}
"""Kinds of hints whose answer is free where the honest one is 0, and why."""


def unexplained(case: Case, check: Check, columns: Collection[int]) -> list[str]:
    names = {column: case.template.wire_name(column) for column in columns}
    return [n for c, n in names.items() if n.partition("#")[0] not in FREE or check.values[c]]


@pytest.mark.parametrize("name", [*TRANSACTIONS, *OTHERS])
def test_part__has_no_second_witness_nearby(templates: Mapping[str, Template], name: str) -> None:
    """C4: all wires, hints included, follow from inputs and links."""
    case = case_of(templates, name)
    check, template = case.check(), case.template
    first = template.num_links + template.num_inputs
    left = undetermined(template, check.values, set(range(first, template.num_links + template.num_own)))
    assert unexplained(case, check, left) == []
    assert len(left) <= 6


@pytest.mark.parametrize("name", OTHERS)
def test_part__binds_every_wire(templates: Mapping[str, Template], name: str) -> None:
    """C1, C16: parts other than the slot, links and inputs included."""
    case = case_of(templates, name)
    check = case.check()
    free = mutate_witness(case.template, check.values)
    assert unexplained(case, check, [wire.column for wire in free]) == []


SCOPES = ("A kind", "B amounts", "D first leaf", "E second leaf", "F fees", "G public data")


def told(case: Case, hints: Sequence[HintSite]) -> int:
    """How many lies were refused; of a decomposition the first, middle and last bit lie."""
    check = case.check()
    honest_zero = {
        column for hint in hints for column in hint.columns if hint.kind in FREE and not check.values[column]
    }
    others = {
        column
        for hint in hints
        for k, column in enumerate(hint.columns)
        if k not in (0, len(hint.columns) // 2, len(hint.columns) - 1)
    }
    allowed = {case.template.wire_name(column) for column in honest_zero | others}
    return assert_lies_caught(case.template, case.links, case.inputs, hints=hints, allowed=allowed)


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_slot__refuses_lies_of_its_hints(templates: Mapping[str, Template], name: str) -> None:
    """C3: of the hints outside the signature, which has its own tests."""
    case = slot_case(templates, name)
    hints = [hint for scope in SCOPES for hint in find_hints(case.template, scope=scope)]
    assert told(case, hints) >= 3 * sum(hint.kind == "bits" for hint in hints)


@pytest.mark.parametrize("name", ["fees", "fees unused"])
def test_fee_credit__refuses_lies_of_its_hints(templates: Mapping[str, Template], name: str) -> None:
    """C3."""
    case = case_of(templates, name)
    assert told(case, case.template.hints) > 0


# -- C8: division ------------------------------------------------------------------------------------


def test_rollup__divides_no_integers(templates: Mapping[str, Template]) -> None:
    """C8: no part asks for a quotient and a remainder, so there is none to be out of range; the division that
    decimal codes would need is a multiplication over the integers."""
    assert {hint.kind for template in templates.values() for hint in template.hints}.isdisjoint(
        {"divmod", "python"}
    )
    largest = (2**27 - 1) * 10**31
    assert largest < MODULUS
    assert MODULUS > 127 * 10**31 + 2**128


@pytest.mark.parametrize("wrap", [-MODULUS, MODULUS, 1, -1])
def test_amount__is_its_code_over_the_integers(templates: Mapping[str, Template], wrap: int) -> None:
    """C8: mantissa * 10^exponent never reaches r, so no amount is the product modulo r only."""
    case = slot_case(templates, "transfer")
    for exponent in (0, 1, 30, 31):
        for mantissa in (1, 2**27 - 1):
            amount = mantissa * 10**exponent + wrap
            values = dict(case.inputs) | {"amount_mantissa": mantissa, "amount_exponent": exponent}
            if not 0 <= amount < FULL:
                with pytest.raises(ValueError, match="amount"):
                    case.template.check(case.links, values | {"amount": amount})
                continue
            check = case.template.check(case.links, values | {"amount": amount})
            assert "transfer amount is what its code says" in {f.label for f in check.failures}


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_slot__divides_by_zero_only_where_documented(templates: Mapping[str, Template], name: str) -> None:
    """C8: every quotient's divisor is not zero, but for the one that only a created account has."""
    case = slot_case(templates, name)
    check, template = case.check(), case.template
    quotients = {c for hint in template.hints if hint.kind == "divide_or_zero" for c in hint.columns}
    divided: set[int] = set()
    for row in range(template.num_constraints):
        for side in (0, 1):
            terms = list(template.rows.terms(side, row))
            if len(terms) == 1 and terms[0][0] in quotients:
                other = sum(k * check.values[c] for c, k in template.rows.terms(1 - side, row)) % MODULUS
                if other:
                    divided.add(terms[0][0])
    left = {template.wire_scope(c).partition("/")[0] for c in quotients - divided}
    assert left <= {"E second leaf"}
    assert len(quotients) > 250


# -- C7: bits ----------------------------------------------------------------------------------------


def boolean_columns(template: Template) -> set[int]:
    """The columns x for which some row says x (x - 1) = 0, up to a factor, and nothing else."""
    found = set()
    for row in range(template.num_constraints):
        a, b, c = (
            {column: k % MODULUS for column, k in template.rows.terms(side, row) if k % MODULUS}
            for side in range(3)
        )
        for x, other in ((a, b), (b, a)):
            if len(x) == 1 and set(other) == {0, *x} and 0 not in x:
                (column,) = x
                if not c and (other[0] + other[column]) % MODULUS == 0:
                    found.add(column)
            if len(x) == 1 and x.keys() == other.keys() == c.keys() and 0 not in x:
                (column,) = x
                if (x[column] * other[column] - c[column]) % MODULUS == 0:
                    found.add(column)
    return found


@pytest.mark.parametrize("name", ["slot", "fees", "header"])
def test_part__has_a_row_for_every_bit_of_its_inputs(templates: Mapping[str, Template], name: str) -> None:
    """C2, C5, C7: a wrong bit breaks other rows too, so that a missing row would not show in mutations."""
    template = templates[name]
    bits = {
        template.num_links + spec.column + k: f"{spec.name} bit {k}"
        for spec in template.inputs.values()
        if spec.kind in ("bool", "uint")
        for k in range(spec.width)
    }
    missing = [bits[column] for column in bits.keys() - boolean_columns(template)]
    assert not missing
    assert len(bits) == {"slot": 329, "fees": 40, "header": 325}[name]
