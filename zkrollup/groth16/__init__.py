"""The Groth16 proof system: keys, setup, prover.

This package must not know what a circuit says. Importing it loads none of its modules: a verifier needs
``zkrollup.groth16.keys`` and must not pull in an engine.
"""
