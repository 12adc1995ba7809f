"""The conditional Horner step of a public-data fingerprint.

This module must not know what the data is, nor where the evaluation point comes from.
"""

from __future__ import annotations

from zkrollup.cs import Bool, ConstraintSystem, Field

__all__ = ["horner_step"]


def horner_step(cs: ConstraintSystem, flag: Bool, y: Field, z: Field, element: Field) -> Field:
    """``y * z + element`` when the flag is 1, else y: absorbs a present element, skips an absent one.

    Over a sequence this evaluates at z the polynomial whose coefficients are the present elements, first
    one at the highest power. Assumes: nothing of y, z and element. Rows: 2,
    ``y + flag * (y * z + element - y)``.
    """
    return y + flag * (y * z + element - y)
