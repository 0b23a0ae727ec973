"""Drawing views: in colour when a person looks at a terminal, as plain text otherwise."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from typing import TextIO

from bughunt.errors import OutputError
from bughunt.views import Code, Heading, Item, Plot, Series, Table, Text, Tokens, View

_NARROWEST, _WIDEST = 40, 100

_ONE_OF_EACH: tuple[View, ...] = (
    Heading("Zoë 漢字"),
    Text("Zoë 漢字", "good"),
    Item("Zoë 漢字", "Zoë 漢字", "bad"),
    Table(("Zoë", "漢字"), [("Zoë", "漢字")], "Zoë", {0: "warn"}),
    Plot("Zoë", [Series("漢字", [0, 1], [1, 2])]),
    Tokens("Zoë", ["Zoë", "漢字"], [True, False], "漢字"),
    Code("+Zoë\n-漢字", "diff"),
)


def show(views: Iterable[View], *, error: bool = False) -> None:
    """Prints the views on standard output (or standard error)."""
    stream = sys.stderr if error else sys.stdout
    _erase_working()
    if stream.isatty() and not os.environ.get("NO_COLOR"):
        from bughunt.render.coloured import print_views

        with writing(stream):
            print_views(views, stream, page_width())
    else:
        from bughunt.render.plain import draw

        with writing(stream):
            stream.write(draw(views, page_width()))
    _draw_working()


def rehearse() -> None:
    """Loads all that drawing takes, on the streams as they are: draws a view of each kind, nowhere."""
    from bughunt.render.plain import draw

    draw(_ONE_OF_EACH, page_width())
    if (sys.stdout.isatty() or sys.stderr.isatty()) and not os.environ.get("NO_COLOR"):
        from bughunt.render.coloured import print_views

        print_views(_ONE_OF_EACH, _Nowhere(), page_width())


class _Nowhere(StringIO):
    """What is written here would be seen by a person."""

    def isatty(self) -> bool:
        return True


def show_text(text: str) -> None:
    """Prints a text as it is on standard output."""
    with writing(sys.stdout):
        sys.stdout.write(text)


def show_error(message: str, step: str) -> None:
    """Prints what went wrong and what to do next, a line each, on standard error; paths stay whole."""
    _erase_working()
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    lead = f"\x1b[31m{message}\x1b[0m" if coloured else message
    with suppress(OutputError), writing(sys.stderr):
        sys.stderr.write(f"{lead}\n{step}\n" if step else f"{lead}\n")


def finish() -> None:
    """Writes out what has not been written yet. Raises OutputError where that cannot be done."""
    for stream in (sys.stdout, sys.stderr):
        with writing(stream):
            pass


@contextmanager
def writing(stream: TextIO) -> Iterator[None]:
    """Around what writes to `stream`. Where nobody reads any more the rest goes nowhere, and all goes on.

    Raises OutputError when it cannot be written for another reason, such as a full disk.
    """
    try:
        yield
        stream.flush()
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        name = "Standard error" if stream is sys.stderr else "Standard output"
        raise OutputError(
            f"{name} cannot be written: {error.strerror}.", "Send it to a place that takes it."
        ) from error


def _discard(stream: TextIO) -> None:
    """Sends what is still in the stream, and all to come, nowhere: else Python would try again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    stream.flush()


@contextmanager
def working(message: str) -> Iterator[Callable[[str], None]]:
    """Shows `message` for as long as the block runs, where a person looks; what is shown comes before it.

    The block is given a function that changes the message.
    """

    def say(text: str) -> None:
        global _working
        _erase_working()
        _working = text if sys.stdout.isatty() else ""
        _draw_working()

    say(message)
    try:
        yield say
    finally:
        say("")


_working = ""


def _draw_working() -> None:
    if _working:
        with writing(sys.stdout):
            sys.stdout.write(_working[: page_width() - 1])


def _erase_working() -> None:
    if _working:
        with writing(sys.stdout):
            sys.stdout.write("\r" + " " * min(len(_working), page_width() - 1) + "\r")


def page_width() -> int:
    """Columns to use: those of the terminal within reason, 80 where there is none."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((80, 24)).columns))
