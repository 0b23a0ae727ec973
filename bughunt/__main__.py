"""`python -m bughunt`, without the current folder on the module search path."""

import sys
from pathlib import Path

if sys.path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parent.parent:
    del sys.path[0]

from bughunt.cli.entry import main

main()
