"""The statements that THIS rollup proves: one transaction slot, and a batch of them.

The package must not know how a proof is made, stored or submitted. It takes widths, kinds and the
trace from :mod:`zkrollup.state` and decides nothing that the state machine has decided: every value
it needs stands in the trace.
"""

from __future__ import annotations

__all__ = ["batch", "fees", "public_data", "transaction"]
