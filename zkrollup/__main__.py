"""``python -m zkrollup`` is the command line."""

from zkrollup.cli import main

main()
