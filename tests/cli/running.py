"""Commands run in this process, as their users see them end."""

from __future__ import annotations

import pytest

from zkrollup.cli import main

__all__ = ["outputs", "run"]


def outputs(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> tuple[str, str]:
    """Standard output and standard error of a command that must end with this exit code.

    After bad input (2) the latter must be one line.
    """
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    assert (ended.value.code or 0) == code, output
    if code == 2:
        assert len(output.err.strip().splitlines()) == 1, output.err
    return output.out, output.err


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Standard output, or the one line on standard error when the exit code is not 0."""
    out, err = outputs(capsys, *arguments, code=code)
    if code:
        assert len(err.strip().splitlines()) == 1, err
    return err if code else out
