"""The command line. It must not know how anything is computed: it asks, shows and sets exit codes.

Exit codes: 0 done, 1 a proof or statement is false (audit: a signal is free), 2 bad input (one line: which
file, which field, what was expected), 3 audit: undecided signals remain.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from zkrollup.cli.direct import direct

__all__ = ["EXIT_BAD_INPUT", "EXIT_DONE", "EXIT_FALSE", "StatementFalse", "main"]

EXIT_DONE, EXIT_FALSE, EXIT_BAD_INPUT = 0, 1, 2


class StatementFalse(Exception):
    """A proof or statement turned out to be false: exit code 1, not an input error."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``zkrollup`` command; always ends in SystemExit."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads that nobody here uses
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = bool(os.environ.get("ZKROLLUP_DEBUG"))
    try:
        sys.exit(run(words))
    except StatementFalse as error:
        fail(str(error), EXIT_FALSE)
    except BrokenPipeError:
        sys.exit(EXIT_DONE)
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except Exception as error:
        from zkrollup.state.exceptions import StateError  # not needed where nothing goes wrong

        if isinstance(error, StateError | ValueError | OSError):
            if debug:
                raise
            fail(str(error), EXIT_BAD_INPUT)
        explain = getattr(error, "format_message", None)  # a wrong option or argument
        if explain is None:
            raise
        fail(explain(), EXIT_BAD_INPUT)


def run(words: list[str]) -> int:
    """Does what the words say; the exit code."""
    command = direct(words)
    if command is not None:
        command()
        return EXIT_DONE
    import typer

    from zkrollup.cli.app import app

    try:
        code = app(args=words, standalone_mode=False)
    except typer.Abort:
        fail("interrupted", EXIT_BAD_INPUT)
    return code if isinstance(code, int) else EXIT_DONE


def fail(message: str, code: int) -> NoReturn:
    """One line on standard error, then exit."""
    print("zkrollup: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(code)
