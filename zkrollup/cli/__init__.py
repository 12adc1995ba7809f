"""The command line. It must not know how anything is computed: it asks, shows and sets exit codes.

Exit codes: 0 done, 1 a proof or statement is false (audit: a signal is free), 2 bad input (one line: which
file, which field, what was expected), 3 audit: undecided signals remain, 70 a fault of ours, 130 interrupted,
141 nobody read the output to its end.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from zkrollup.cli.direct import direct

__all__ = ["EXIT_BAD_INPUT", "EXIT_DONE", "EXIT_FALSE", "StatementFalse", "main"]

EXIT_DONE, EXIT_FALSE, EXIT_BAD_INPUT = 0, 1, 2
EXIT_FAULT, EXIT_INTERRUPTED, EXIT_PIPE = 70, 130, 141


class StatementFalse(Exception):
    """A proof or statement turned out to be false: exit code 1, not an input error."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the ``zkrollup`` command; always ends in SystemExit."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy would start threads that nobody here uses
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = bool(os.environ.get("ZKROLLUP_DEBUG"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # a name or a sign that the terminal cannot show
    try:
        code = run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
        sys.exit(code)
    except StatementFalse as error:
        fail(str(error), EXIT_FALSE)
    except BrokenPipeError:
        drop_output()
        sys.exit(EXIT_PIPE)
    except KeyboardInterrupt:
        fail("interrupted", EXIT_INTERRUPTED)
    except MemoryError as error:
        fail(f"not enough memory{f': {error}' if str(error) else ''}", EXIT_BAD_INPUT)
    except Exception as error:
        from zkrollup.state.exceptions import StateError  # not needed where nothing goes wrong

        if isinstance(error, StateError | ValueError | OSError) or type(error).__module__ == "sqlite3":
            if debug:
                raise
            fail(message_of(error), EXIT_BAD_INPUT)
        explain = getattr(error, "format_message", None)  # a wrong option or argument
        if explain is None:
            traceback.print_exc()
            fail(f"a fault of zkrollup's own, please report it: {type(error).__name__}: {error}", EXIT_FAULT)
        if type(error).__name__ == "NoArgsIsHelpError":
            print(explain(), file=sys.stderr)
            sys.exit(EXIT_BAD_INPUT)
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
        code = app(args=words, prog_name="zkrollup", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit:  # typer's answer to a closed pipe
        raise BrokenPipeError from None
    if code == EXIT_INTERRUPTED:  # and to Ctrl-C
        raise KeyboardInterrupt
    return code if isinstance(code, int) else EXIT_DONE


def message_of(error: Exception) -> str:
    """What went wrong; for the operating system's errors the file first, as in our own."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    reason = error.strerror[:1].lower() + error.strerror[1:]
    files = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    return f"{' to '.join(files)}: {reason}" if files else reason


def drop_output() -> None:
    """Nobody reads standard output any more: what is left of it goes nowhere, and the exit is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def fail(message: str, code: int) -> NoReturn:
    """One line on standard error, then exit."""
    print("zkrollup: " + " ".join(message.split()), file=sys.stderr)
    sys.exit(code)
