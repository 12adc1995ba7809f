"""Writes the cdef that cffi reads: the marked part of zkr.h, without attributes.

Must not know any function by name: the header is the only list of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

BEGIN, END = "/* cdef-begin */", "/* cdef-end */"


def cdef_of(header: str) -> str:
    """The declarations between the marks, with the export attribute removed."""
    if header.count(BEGIN) != 1 or header.count(END) != 1:
        raise SystemExit(f"zkr.h must hold exactly one {BEGIN} and one {END}")
    body = header.split(BEGIN)[1].split(END)[0]
    return body.replace("ZKR_API ", "")


def main() -> None:
    header, output = Path(sys.argv[1]), Path(sys.argv[2])
    output.write_text(cdef_of(header.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
