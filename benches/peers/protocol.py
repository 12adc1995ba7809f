"""How benches/peers.py asks a prover: one request a line on stdin, one JSON object a line on stdout.

It must not know any prover. Requests: ``load`` (the key, as far as the prover keeps it), ``prove``,
``setup``, ``msm_g1 N``, ``msm_g2 N``, ``ntt N``, ``coset_ntt N`` (sizes 2^N). Answers:
``{"seconds": s}`` with what the prover itself measured, or ``{"error": why}``. The end of stdin ends it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["serve"]


def serve(tasks: Mapping[str, Callable[..., float]]) -> None:
    """Answers requests until stdin ends; a task takes the request's numbers and returns seconds."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a library prints must not look like an answer
    for line in sys.stdin:
        name, *numbers = line.split()
        answer: dict[str, Any]
        if name not in tasks:
            answer = {"error": f"has no {name}"}
        else:
            try:
                answer = {"seconds": tasks[name](*map(int, numbers))}
            except Exception as error:  # whatever a peer raises is its answer
                answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
