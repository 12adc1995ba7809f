"""Operators of signals: what costs a row, what costs none, and what is refused with a remedy."""

from __future__ import annotations

import pytest

from zkrollup.cs import Bool, ConstraintSystem, ConstraintSystemError, Field, UInt
from zkrollup.cs.scalar_field import MODULUS


def rows_of(build) -> int:
    """The rows that ``build(cs, x, y, b)`` adds."""
    cs = ConstraintSystem("t")
    x, y, b = cs.input("x"), cs.input("y"), cs.input_bool("b")
    before = len(cs._row_kinds)
    build(cs, x, y, b)
    return len(cs._row_kinds) - before


@pytest.mark.parametrize(
    ("name", "build", "rows"),
    [
        ("sums", lambda cs, x, y, b: cs.linear([(x + y - 3, 5), (-x, 1)], 7), 0),
        ("a product that nobody uses", lambda cs, x, y, b: x * y, 0),
        ("a product by a constant", lambda cs, x, y, b: (5 * x).assert_equal(y), 1),
        ("an asserted product", lambda cs, x, y, b: (x * y).assert_equal(7), 1),
        ("an asserted square", lambda cs, x, y, b: x.square().assert_equal(y), 1),
        ("a product inside an asserted sum", lambda cs, x, y, b: (3 * (x * y) + x).assert_equal(y - 5), 1),
        ("two products in one assertion", lambda cs, x, y, b: (x * y).assert_equal(x.square()), 2),
        ("a product used twice", lambda cs, x, y, b: (lambda p: (p * x).assert_equal(p * y))(x * y), 3),
        ("a product with a cancelled factor", lambda cs, x, y, b: ((x - x + 2) * y).assert_equal(x), 1),
        ("a product that cancels", lambda cs, x, y, b: cs.assert_zero((lambda p: p - p)(x * y)), 0),
        ("a linear assertion", lambda cs, x, y, b: x.assert_equal(y), 1),
        ("an equality of known values", lambda cs, x, y, b: cs.constant(5).assert_equal(5), 0),
        ("select", lambda cs, x, y, b: b.select(x, y).assert_equal(3), 1),
        ("select between constants", lambda cs, x, y, b: b.select(7, 9).assert_equal(x), 1),
        ("not", lambda cs, x, y, b: (~b).assert_equal(x), 1),
        ("and", lambda cs, x, y, b: (b & ~b).assert_equal(0), 1),
        ("or with a constant", lambda cs, x, y, b: (b | True).assert_equal(1), 0),
        ("xor, exported", lambda cs, x, y, b: cs.export("o", b ^ cs.assert_bool(x)), 2),
        ("an exported input", lambda cs, x, y, b: cs.export("o", x), 0),
        ("an exported sum", lambda cs, x, y, b: cs.export("o", x + y), 1),
        ("an exported select", lambda cs, x, y, b: cs.export("o", b.select(x, y)), 1),
        ("an exported product", lambda cs, x, y, b: cs.export("o", x * y), 1),
        ("an exported constant", lambda cs, x, y, b: cs.export("o", 5), 1),
        ("an exported link", lambda cs, x, y, b: cs.export("o", cs.link("l")), 1),
        ("materialise", lambda cs, x, y, b: cs.materialise(cs.materialise(x + y)), 1),
        ("a condition", lambda cs, x, y, b: conditional(cs, b, x, y), 1),
        ("a nested condition", lambda cs, x, y, b: nested(cs, b, x, y), 3),
        ("a product under a condition", lambda cs, x, y, b: conditional(cs, b, x * y, y), 2),
        ("an input of 8 bits", lambda cs, x, y, b: cs.input_uint("n", 8).assert_equal(x), 9),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_rows__each_form_costs_what_its_docstring_says(name: str, build, rows: int) -> None:
    assert rows_of(build) == rows


def conditional(cs, flag, a, b) -> None:
    with cs.when(flag):
        cs.assert_equal(a, b)


def nested(cs, flag, a, b) -> None:
    with cs.when(flag), cs.when(cs.input_bool("inner")):
        cs.assert_equal(a, b)


@pytest.fixture
def cs() -> ConstraintSystem:
    return ConstraintSystem("t")


@pytest.mark.parametrize(
    ("use", "remedy"),
    [
        (lambda x: x == x, "assert_equal"),
        (lambda x: x != 3, "assert_equal"),
        (lambda x: x < 3, "gadgets.compare"),
        (lambda x: x <= x, "gadgets.compare"),
        (lambda x: x > 3, "gadgets.compare"),
        (lambda x: x >= x, "gadgets.compare"),
        (lambda x: bool(x), "flag.select"),
        (lambda x: 1 if x else 0, "cs.when"),
        (lambda x: x in [3], "assert_equal"),
        (lambda x: int(x), "Template.check"),
        (lambda x: [0][x], "Template.check"),
        (lambda x: x**5, "square"),
        (lambda x: x / 2, "hint_divide_or_zero"),
        (lambda x: x // x, "integers.divide"),
        (lambda x: x % 2, "integers.divide"),
    ],
)
def test_operator__without_meaning_names_the_remedy(cs: ConstraintSystem, use, remedy: str) -> None:
    with pytest.raises(TypeError, match=remedy):
        use(cs.input("x"))


def test_signals__hash_by_identity_and_cannot_be_made_by_hand(cs: ConstraintSystem) -> None:
    x = cs.input("x")
    assert {x: 1}[x] == 1
    with pytest.raises(TypeError, match=r"cs\.input"):
        Field()


def test_bool__refuses_a_field_with_the_remedy(cs: ConstraintSystem) -> None:
    with pytest.raises(TypeError, match="assert_bool"):
        cs.input_bool("b") & cs.input("x")  # type: ignore[operator]


def test_when__refuses_a_field_with_the_remedy(cs: ConstraintSystem) -> None:
    with pytest.raises(TypeError, match="assert_bool"):
        cs.when(cs.input("x"))  # type: ignore[arg-type]


def test_when__refuses_an_enforced_product_with_the_remedy(cs: ConstraintSystem) -> None:
    x, b = cs.input("x"), cs.input_bool("b")
    with cs.when(b):
        cs.enforce(x, 3, x + x + x)
        with pytest.raises(ConstraintSystemError, match=r"\(a \* b\)\.assert_equal\(c\)"):
            cs.enforce(x, x, x)


def test_signals__of_another_system_are_refused_by_every_operation(cs: ConstraintSystem) -> None:
    x, other = cs.input("x"), ConstraintSystem("other").input("y")
    for use in (
        lambda: x + other,
        lambda: x * other,
        lambda: other - x,
        lambda: cs.linear([(x, 1), (other, 2)]),
        lambda: cs.enforce(x, other, x),
        lambda: x.assert_equal(other),
        lambda: cs.export("o", other),
        lambda: cs.hint_inverse_or_zero(other),
        lambda: cs.when(ConstraintSystem("third").constant_bool(True)),
    ):
        with pytest.raises(ConstraintSystemError, match=r"another constraint system|was used in"):
            use()


@pytest.mark.parametrize("bits", [-1, 0, 254, 255, 300])
def test_uint__refuses_widths_that_the_field_cannot_hold_once(cs: ConstraintSystem, bits: int) -> None:
    with pytest.raises(ConstraintSystemError, match="1 to 253 bits"):
        cs.input_uint("n", bits)
    with pytest.raises(ConstraintSystemError, match="1 to 253 bits"):
        UInt.unchecked(cs.input("x"), bits)


def test_uint__knows_its_bits_only_when_decomposed(cs: ConstraintSystem) -> None:
    n = cs.input_uint("n", 3)
    assert [type(b) for b in n.bits] == [Bool] * 3
    assert n.num_bits == 3
    assert n.is_decomposed
    loose = UInt.unchecked(cs.input("x"), 3)
    assert not loose.is_decomposed
    with pytest.raises(ConstraintSystemError, match=r"gadgets\.bits"):
        _ = loose.bits
    tied = UInt.unchecked(cs.input("y"), 2, n.bits[:2])
    assert len(tied.bits) == 2
    with pytest.raises(ConstraintSystemError, match="2 bits given for a UInt of 3"):
        UInt.unchecked(cs.input("z"), 3, n.bits[:2])


def test_select__keeps_the_type_of_its_sides(cs: ConstraintSystem) -> None:
    b, n, m = cs.input_bool("b"), cs.input_uint("n", 3), cs.input_uint("m", 5)
    assert type(b.select(b, ~b)) is Bool
    chosen = b.select(n, m)
    assert isinstance(chosen, UInt)
    assert chosen.num_bits == 5
    assert type(b.select(n, b)) is Field


def test_constants__fold(cs: ConstraintSystem) -> None:
    five = cs.constant(5)
    assert (five * five + 2 - cs.one).constant_value == 26
    assert (-five).constant_value == MODULUS - 5
    assert (five * cs.input("x")).constant_value is None
    assert [b.constant_value for b in cs.hint_bits(five, 4)] == [1, 0, 1, 0]
    assert (cs.constant_bool(True) ^ True).constant_value == 0
    assert cs.constant(3).square().constant_value == 9


def test_assertion__that_can_never_hold_is_an_error_while_recording(cs: ConstraintSystem) -> None:
    with pytest.raises(ConstraintSystemError, match="'five is six' can never hold: its sides differ by -1"):
        cs.constant(5).assert_equal(6, "five is six")
    x = cs.input("x")
    with pytest.raises(ConstraintSystemError, match="can never hold"):
        (x + 1).assert_equal(x)
    with pytest.raises(ConstraintSystemError, match="2 is not 0 or 1"):
        cs.assert_bool(2)


def test_long_chains__need_no_recursion(cs: ConstraintSystem) -> None:
    x, y = cs.input("x"), cs.input("y")
    total, double, horner, power = x, x, x, x
    for _ in range(3000):
        total = total + y
        double = double + double
        horner = horner * y + 1
        power = power * y
    cs.export("total", total * 1)
    cs.export("double", double * y)
    cs.export("horner", horner)
    cs.export("power", power)
    template = cs.freeze()
    exports = template.check({}, {"x": 2, "y": 3}).exports
    assert exports["total"] == 2 + 3 * 3000
    assert exports["double"] == 2 * pow(2, 3000, MODULUS) * 3 % MODULUS
    assert exports["power"] == 2 * pow(3, 3000, MODULUS) % MODULUS
    value = 2
    for _ in range(3000):
        value = (value * 3 + 1) % MODULUS
    assert exports["horner"] == value


def test_repr__says_what_a_signal_is(cs: ConstraintSystem) -> None:
    x = cs.input("x")
    assert repr(x) == "<Field x>"
    assert repr(cs.input_bool("b")) == "<Bool b>"
    assert repr(x * x) == "<Field product, not used yet>"
    assert repr(x + 2) == "<Field linear combination of 1 terms>"
    assert repr(cs.constant(3)) == "<Field 3>"
