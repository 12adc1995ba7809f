"""Measuring: one stopwatch for ``zkrollup bench`` and for the benches of the repository.

This package must not know how anything that it measures works; :mod:`.products` counts what it needs.
Importing it loads none of its modules.
"""
