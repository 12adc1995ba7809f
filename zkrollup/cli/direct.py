"""``prove`` without typer, for arguments that leave no question. It must not know what any other command is.

Loading typer and pydantic and building every command's options takes longer than proving a circuit of 2^14
constraints. So ``prove FOUR FILES``, with ``--threads N`` or ``--memory SIZE``, is recognised here; whatever
else there is (help, abbreviations, mistakes) is typer's, which says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

__all__ = ["direct"]

_OPTIONS = {
    "--threads": re.compile(r"[1-9][0-9]{0,2}|10[01][0-9]|102[0-4]", re.ASCII),
    "--memory": re.compile(r".+"),
}


def direct(arguments: Sequence[str]) -> Callable[[], None] | None:
    """What these arguments ask for, or None where typer should look at them."""
    if not arguments or arguments[0] != "prove":
        return None
    files: list[Path] = []
    options: dict[str, str] = {}
    rest = iter(arguments[1:])
    for word in rest:
        if word and not word.startswith("-"):
            files.append(Path(word))
            continue
        value = next(rest, "")
        wanted = _OPTIONS.get(word)
        if wanted is None or word in options or not wanted.fullmatch(value) or value.startswith("-"):
            return None
        options[word] = value
    if len(files) != 4:
        return None
    from zkrollup.cli.groth16 import prove_files

    threads = options.get("--threads")
    return partial(
        prove_files,
        *files,
        threads=None if threads is None else int(threads),
        memory=options.get("--memory"),
    )
