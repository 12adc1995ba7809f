"""Reusable circuits: functions that take a constraint system first and add a theorem to it.

This package must not know the rollup's rules, nor the primitives outside a circuit: it shares with
``zkrollup.crypto`` the tables of constants alone, so that comparing the two means something.

Every docstring states the theorem, the ranges, what the caller must have established (``Assumes:``)
and the number of rows. A gadget's rows define values for every witness; only its assertions obey
``cs.when(flag)``. Signals that no row pins in some witness (the inverse that ``is_zero`` asks for, at
zero) are named in the docstring as *free*.
"""
