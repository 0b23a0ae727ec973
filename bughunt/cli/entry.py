"""Where the program starts: small, so that Ctrl-C finds it ready soon."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line; an interruption while it is still being imported is one like any other."""
    try:
        from bughunt.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Nothing was lost.\n")
        sys.exit(130)
