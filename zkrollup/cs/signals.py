"""Signals: what a circuit author computes with; ``Field``, ``Bool`` and ``UInt``.

This module must not know how rows and tapes are stored; every operator asks the constraint system that
the signal belongs to.

Sums, differences and multiples by constants cost no row. ``a * b`` is lazy: ``(a * b).assert_equal(c)``
is one row, any other first use of the value makes a wire and its row. ``==``, ``<`` and truth have no
meaning while a circuit is recorded and raise ``TypeError`` with the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, overload

from zkrollup.cs.errors import ConstraintSystemError
from zkrollup.cs.scalar_field import MINUS_ONE

if TYPE_CHECKING:
    from array import array

    from zkrollup.cs.builder import Builder

__all__ = ["Bool", "Field", "UInt"]

_COMPARE = (
    "signals have no value while a circuit is recorded, so {op} cannot compare them; to demand equality "
    "write a.assert_equal(b), to compute a Bool use zkrollup.gadgets.compare"
)


class Field:
    """An element of the scalar field, 0 <= value < r.

    It is in one of three states: a wire (``_column`` is its number), a linear combination (``_parts`` and
    ``_constant``; a constant has no parts), or a product nobody has used yet (``_product``).
    """

    __slots__ = (
        "_column",
        "_constant",
        "_cs",
        "_operand",
        "_packed",
        "_parts",
        "_product",
        "_terms",
        "_uses",
    )

    _cs: Builder
    _column: int
    _constant: int
    _operand: int
    _packed: tuple[array[int], array[int]] | None
    _parts: Sequence[tuple[Field, int]] | None
    _product: tuple[Field, Field, int, int] | None
    _terms: dict[int, int] | None
    _uses: int

    def __init__(self) -> None:
        raise TypeError("signals come from a ConstraintSystem: cs.input(name), cs.link(name), cs.constant(n)")

    # -- linear ------------------------------------------------------------------------------------
    def __add__(self, other: Field | int) -> Field:
        if isinstance(other, Field):
            return self._cs._linear(((self, 1), (other, 1)), 0, Field)
        if isinstance(other, int):
            return self._cs._linear(((self, 1),), other, Field)
        return NotImplemented

    __radd__ = __add__

    def __sub__(self, other: Field | int) -> Field:
        if isinstance(other, Field):
            return self._cs._linear(((self, 1), (other, MINUS_ONE)), 0, Field)
        if isinstance(other, int):
            return self._cs._linear(((self, 1),), -other, Field)
        return NotImplemented

    def __rsub__(self, other: int) -> Field:
        if isinstance(other, int):
            return self._cs._linear(((self, MINUS_ONE),), other, Field)
        return NotImplemented

    def __neg__(self) -> Field:
        return self._cs._linear(((self, MINUS_ONE),), 0, Field)

    # -- products ----------------------------------------------------------------------------------
    def __mul__(self, other: Field | int) -> Field:
        if isinstance(other, Field):
            return self._cs._multiply(self, other, Field)
        if isinstance(other, int):
            return self._cs._linear(((self, other),), 0, Field)
        return NotImplemented

    __rmul__ = __mul__

    def square(self) -> Field:
        """``self * self``: one row when its value is used."""
        return self._cs._multiply(self, self, Field)

    # -- assertions --------------------------------------------------------------------------------
    def assert_equal(self, other: Field | int, label: str = "assert_equal") -> None:
        """Demand ``self = other``; one row, also when one side is a fresh product."""
        cs = self._cs
        cs._open()
        cs._assert_zero([(self, 1), (cs._field(other), MINUS_ONE)], 0, label)

    # -- what is known while recording -----------------------------------------------------------------
    @property
    def constant_value(self) -> int | None:
        """The value when it is known while recording, ``0 <= value < r``; otherwise ``None``."""
        return self._cs._constant_value(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._cs._describe(self)}>"

    # -- what has no meaning -------------------------------------------------------------------------
    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a signal has no truth value while a circuit is recorded; use flag.select(a, b) to choose a "
            "value and `with cs.when(flag):` to make assertions conditional"
        )

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError(_COMPARE.format(op="=="))

    def __ne__(self, other: object) -> NoReturn:
        raise TypeError(_COMPARE.format(op="!="))

    def __lt__(self, other: object) -> NoReturn:
        raise TypeError(_COMPARE.format(op="<"))

    def __le__(self, other: object) -> NoReturn:
        raise TypeError(_COMPARE.format(op="<="))

    def __gt__(self, other: object) -> NoReturn:
        raise TypeError(_COMPARE.format(op=">"))

    def __ge__(self, other: object) -> NoReturn:
        raise TypeError(_COMPARE.format(op=">="))

    __hash__ = object.__hash__

    def __int__(self) -> NoReturn:
        raise TypeError("a signal has no value while a circuit is recorded; see Template.check for values")

    __index__ = __int__

    def __pow__(self, exponent: object) -> NoReturn:
        raise TypeError("write powers as products, x.square() * x: each one costs a row")

    def __truediv__(self, other: object) -> NoReturn:
        raise TypeError(
            "a quotient is not a field operation that a row can state; compute it with "
            "cs.hint_divide_or_zero(a, b) and demand (quotient * b).assert_equal(a) and b != 0"
        )

    __rtruediv__ = __truediv__

    def __floordiv__(self, other: object) -> NoReturn:
        raise TypeError(
            "integers are divided by zkrollup.gadgets.integers.divide(cs, a, b, n, m): quotient and "
            "remainder of an n-bit by an m-bit number, constrained"
        )

    __rfloordiv__ = __mod__ = __rmod__ = __floordiv__


class Bool(Field):
    """A signal that is 0 or 1. ``&``, ``|``, ``^`` cost one row when used, ``~`` none."""

    __slots__ = ()

    @staticmethod
    def unchecked(field: Field) -> Bool:
        """Take ``field`` for a Bool **without constraining it**: the author vouches that it is 0 or 1."""
        if isinstance(field, Bool):
            return field
        return field._cs._view(field, Bool)

    def _other(self, other: Bool | bool, op: str) -> Bool:
        if isinstance(other, Bool):
            return other
        if isinstance(other, bool):
            return self._cs._linear((), int(other), Bool)
        raise TypeError(
            f"{op} needs Bool on both sides, not {type(other).__name__}; constrain it first: "
            "cs.assert_bool(x) returns a Bool"
        )

    def __and__(self, other: Bool | bool) -> Bool:
        return self._cs._multiply(self, self._other(other, "&"), Bool)

    def __or__(self, other: Bool | bool) -> Bool:
        other = self._other(other, "|")
        both = self._cs._multiply(self, other, Field)
        return self._cs._linear(((self, 1), (other, 1), (both, MINUS_ONE)), 0, Bool)

    def __xor__(self, other: Bool | bool) -> Bool:
        other = self._other(other, "^")
        both = self._cs._multiply(self, other, Field)
        return self._cs._linear(((self, 1), (other, 1), (both, -2)), 0, Bool)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Bool:
        return self._cs._linear(((self, MINUS_ONE),), 1, Bool)

    @overload
    def select(self, if_true: Bool, if_false: Bool) -> Bool: ...
    @overload
    def select(self, if_true: UInt, if_false: UInt) -> UInt: ...
    @overload
    def select(self, if_true: Field | int, if_false: Field | int) -> Field: ...
    def select(self, if_true: Field | int, if_false: Field | int) -> Field:
        """``if_true`` when self is 1, else ``if_false``; one row when used, as
        ``if_false + self * (if_true - if_false)``."""
        cs = self._cs
        yes, no = cs._field(if_true), cs._field(if_false)
        chosen = cs._multiply(self, yes - no, Field)
        kind = Bool if isinstance(yes, Bool) and isinstance(no, Bool) else Field
        out = cs._linear(((no, 1), (chosen, 1)), 0, kind)
        if isinstance(yes, UInt) and isinstance(no, UInt):
            return UInt.unchecked(out, max(yes.num_bits, no.num_bits))
        return out


class UInt(Field):
    """A signal known to be an integer below ``2 ** num_bits``. Arithmetic on it gives a plain Field."""

    __slots__ = ("_bits", "num_bits")

    num_bits: int
    _bits: tuple[Bool, ...] | None

    @staticmethod
    def unchecked(field: Field, bits: int, decomposition: Sequence[Bool] | None = None) -> UInt:
        """Take ``field`` for an integer below ``2 ** bits`` **without constraining it**.

        ``decomposition``: its bits, least significant first, when the author has constrained them.
        """
        if not 0 < bits <= 253:
            raise ConstraintSystemError(
                f"a UInt has 1 to 253 bits, not {bits}: 254 bits can hold x + r as well as x"
            )
        if decomposition is not None and len(decomposition) != bits:
            raise ConstraintSystemError(f"{len(decomposition)} bits given for a UInt of {bits}")
        out = field._cs._view(field, UInt)
        out.num_bits = bits
        out._bits = tuple(decomposition) if decomposition is not None else None
        return out

    @property
    def is_decomposed(self) -> bool:
        """Whether :attr:`bits` is known."""
        return self._bits is not None

    @property
    def bits(self) -> list[Bool]:
        """The bits, least significant first. Raises when the number has not been decomposed."""
        if self._bits is None:
            raise ConstraintSystemError(
                f"the bits of {self!r} are not known; decompose it with zkrollup.gadgets.bits"
            )
        return list(self._bits)
