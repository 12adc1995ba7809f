"""Files that commands write: refused before the work where that can be told, and whole or not at all.

The module must not know what is in them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

__all__ = ["is_stream", "require_outputs", "write_text"]


def require_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None] = ()) -> None:
    """Refuses places that cannot be written to, or that would lose something, before any work is done.

    ``outputs`` and ``inputs``: the files of one command; None for those that were not asked for.

    Raises FileNotFoundError when the folder of an output is missing, IsADirectoryError when an output is a
    folder, and ValueError when two outputs are one file, or an output is a file that the command reads.
    """
    read = [path for path in inputs if path is not None]
    written: list[Path] = []
    for path in outputs:
        if path is None:
            continue
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
        if path.is_dir():
            raise IsADirectoryError(f"{path}: is a folder, expected a file to write")
        if any(_same(path, other) for other in read):
            raise ValueError(f"{path}: is read by this command and would be overwritten; name another file")
        if any(_same(path, other) for other in written):
            raise ValueError(f"{path}: two results would go to this one file; name another for one of them")
        written.append(path)


def _same(one: Path, other: Path) -> bool:
    """Whether two names are one file. Devices such as /dev/null may be named twice."""
    if is_stream(one):
        return False
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()


def is_stream(path: Path) -> bool:
    """Whether a name is no file to be replaced: a pipe, a device, or what a shell has opened already."""
    return str(path).startswith(("/dev/std", "/dev/fd/", "/proc/")) or (path.exists() and not path.is_file())


def write_text(path: Path, text: str) -> None:
    """Writes a file, UTF-8: complete or, when that fails, as it was before.

    A link stays and what it names is written; a pipe or a device, /dev/stdout among them, is written to as it
    is. Raises OSError that names the file.
    """
    try:
        if is_stream(path):
            path.write_text(text, encoding="utf-8")
            return
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
