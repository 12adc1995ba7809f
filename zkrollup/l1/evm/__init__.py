"""The rollup's contract in a real EVM, behind the interface of the Python model.

This package must not know of circuits, constraint systems, engines or provers. Its modules load the EVM
libraries on first use (``pip install 'zkrollup[l1]'``); importing them needs none.
"""
