"""Drawing views: in colour when a person looks at a terminal, as plain text otherwise."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable

from bughunt.views import View

_NARROWEST, _WIDEST = 40, 100


def show(views: Iterable[View], *, error: bool = False) -> None:
    """Prints the views on standard output (or standard error)."""
    stream = sys.stderr if error else sys.stdout
    if stream.isatty() and not os.environ.get("NO_COLOR"):
        from bughunt.render.coloured import print_views

        print_views(views, stream, page_width())
    else:
        from bughunt.render.plain import draw

        stream.write(draw(views, page_width()))
        stream.flush()


def page_width() -> int:
    """Columns to use: those of the terminal within reason, 80 where there is none."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns))
