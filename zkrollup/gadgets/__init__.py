"""Reusable circuits: functions that take a constraint system first and add a theorem to it.

This package must not know the rollup's rules, nor the primitives outside a circuit: it shares with
``zkrollup.crypto`` the tables of constants alone, so that comparing the two means something.

Every docstring states the theorem, the ranges, what the caller must have established (``Assumes:``)
and the number of rows. Signals that no row pins in some witness (the inverse that ``is_zero`` asks
for, at zero) are named as *free*.

Ranges and equalities obey ``cs.when(flag)``. A gadget that defines values by rows of its own
(``is_zero``, the curve, signatures) needs them in every witness and refuses to be recorded there:
compute first, then condition what is demanded of the result.
"""
