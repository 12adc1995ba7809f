"""How every generator of constants ends: it writes its files, or compares them with the committed ones.

Must not know what is generated.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

__all__ = ["finish"]

_ROOT = Path(__file__).resolve().parents[2]


def finish(title: str | None, files: dict[str, str | bytes]) -> NoReturn:
    """Ends the script that wants ``files``, by their places in the repository, to be what is given.

    Writes them; with --check on the command line writes nothing and exits 1 when one differs. ``title`` is
    the script's docstring.
    """
    parser = argparse.ArgumentParser(description=(title or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    check = parser.parse_args().check
    differing = 0
    for place, content in files.items():
        path, data = _ROOT / place, content.encode() if isinstance(content, str) else content
        if not check:
            path.write_bytes(data)
        elif not path.exists() or path.read_bytes() != data:
            print(f"{path}: differs from what {Path(sys.argv[0]).name} generates", file=sys.stderr)
            differing += 1
    sys.exit(1 if differing else 0)
