"""`bughunt watch`: a full-screen view of the hunt that judges the level again at every save.

events.py    what comes in: saves (noticed by files.py), keys (by app.py)
inbox.py     keeps them in line for the one thread of session.py
session.py   what happens       →  scenes and pages
judging.py   which bug is next
answers.py   what a key brings
status.py    the watch's state  →  a scene
scene.py     what is to be shown
app.py       the screen that shows it, in the lines of drawing.py
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from bughunt.errors import BughuntError

if TYPE_CHECKING:
    from bughunt.hunt.hunt import Hunt


def run(hunt: Hunt, *, manual: bool) -> None:
    """Watches the active level until the player leaves. `manual` checks on a key instead of at a save.

    Raises BughuntError without a terminal or a started level; KeyboardInterrupt after Ctrl-C; SystemExit
    with 128 and the signal's number after SIGTERM or SIGHUP, as a shell would say it.
    """
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise BughuntError(
            "A watch needs a terminal to draw on, and this is none.", "Run `bughunt check` to judge once."
        )
    from bughunt.watch.app import Watch
    from bughunt.watch.session import Session

    app = Watch(lambda tell: Session(hunt, tell, manual=manual))
    session = app.session
    assert isinstance(session, Session)
    try:
        app.run(mouse=False)
    finally:
        session.close()
    if app.error is not None:
        raise app.error
    if app.signal_number == signal.SIGINT:
        raise KeyboardInterrupt
    if app.signal_number is not None:
        raise SystemExit(128 + app.signal_number)
    if app.return_code:
        raise getattr(app, "_exception", None) or RuntimeError("the screen of the watch failed")
