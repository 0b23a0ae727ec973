"""The watch on a screen, with Textual: draws scenes and pages, and turns keys into the session's events."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from rich.console import Group, RenderableType
from rich.text import Text as RichText
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from bughunt.render import plain
from bughunt.render.coloured import drawn
from bughunt.views import Text, View
from bughunt.watch.scene import Page, Row, Scene, bug_page, headline, standing
from bughunt.watch.session import Broken, Check, Event, Look, Show

_KEYS = (
    ("h", "hint"),
    ("p", "probe"),
    ("c", "check"),
    ("d", "diff"),
    ("r", "reset"),
    ("s", "solution"),
    ("n", "next"),
    ("q", "quit"),
    ("↑↓", "bug"),
)

_STYLES = {"fixed": "green", "broken": "red", "crashed": "red", "unknown": "yellow"}

_CSS = """
Screen { background: transparent; }
#headline { height: 1; text-style: bold; padding: 0 1; }
#bugs { height: auto; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
#warnings { height: auto; max-height: 6; padding: 0 1; }
#page { height: 1fr; padding: 0 1; border-top: solid ansi_default; background: transparent;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable; scrollbar-color: ansi_bright_black;
        scrollbar-background: ansi_default; }
#text { height: auto; }
#keys { height: auto; max-height: 5; padding: 0 1; text-style: bold; }
"""

_PADDING_COLUMNS = 2
_SCROLLBAR_COLUMNS = 1


Tell = Callable[[Scene | Page | Broken], object]


class Desk(Protocol):
    """What the screen needs of a session."""

    def start(self) -> None: ...

    def post(self, event: Event) -> None: ...


class Told(Message):
    """Something new to show."""

    def __init__(self, what: Scene | Page | Broken) -> None:
        super().__init__()
        self.what = what


class Watch(App[None]):
    """The screen. `open_desk` makes the session, which is given the function that tells the screen."""

    CSS = _CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"show('{what}')", what)
            for key, what in _KEYS
            if what not in ("check", "quit", "bug")
        ),
        Binding("c", "check", "check"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "interrupt", "quit", priority=True),
        Binding("up,k", "select(-1)", "bug"),
        Binding("down,j", "select(1)", "bug"),
        Binding("escape", "close_page", "back"),
        Binding("pagedown,space", "scroll_page(1)", "down"),
        Binding("pageup", "scroll_page(-1)", "up"),
    ]

    def __init__(self, open_desk: Callable[[Tell], Desk]) -> None:
        super().__init__(ansi_color=True)
        self.signal_number: int | None = None
        self.error: BaseException | None = None
        self.desk = open_desk(lambda what: self.post_message(Told(what)))
        self._scene: Scene | None = None
        self._page: Page | None = None
        self._selected = 0
        self._width = 80
        self._running_since = 0.0
        self._shown: object = None

    def compose(self) -> ComposeResult:
        yield Static(id="headline")
        yield Static(id="bugs")
        yield Static(id="warnings")
        with VerticalScroll(id="page", can_focus=False):
            yield Static(id="text")
        yield Static(id="keys")

    def on_load(self) -> None:
        """Before the terminal is taken over: from here on a signal ends the watch in order."""
        if sys.platform != "win32" and not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._end_by_signal, number)

    def on_mount(self) -> None:
        self.set_interval(1.0, self._count_seconds)
        self.desk.start()

    def on_resize(self, event: events.Resize) -> None:
        self._width = max(1, event.size.width - _PADDING_COLUMNS)
        self._draw()

    def on_told(self, message: Told) -> None:
        match message.what:
            case Scene() as scene:
                self._take(scene)
            case Page() as page:
                self._page = page
            case Broken(error):
                self.error = error
                self.exit()
        self._draw()

    # Keys

    def on_key(self, event: events.Key) -> None:
        number = event.character or ""
        if number.isdecimal() and self._scene and 1 <= int(number) <= len(self._scene.rows):
            self._select(int(number) - 1)

    async def on_event(self, event: events.Event) -> None:
        """A key that answers the page's question does nothing else."""
        if isinstance(event, events.Key) and self._page is not None:
            for choice in self._page.choices:
                if event.key == choice.key:
                    self.action_close_page()
                    self.desk.post(choice.event)
                    return
        await super().on_event(event)

    def action_show(self, what: str) -> None:
        if self._scene is not None:
            self.desk.post(Show(what, self._row.bug))  # type: ignore[arg-type]

    def action_check(self) -> None:
        if self._scene is not None:
            self.action_close_page()
            self.desk.post(Check())

    def action_select(self, step: int) -> None:
        if self._scene is not None:
            self._select((self._selected + step) % len(self._scene.rows))

    def action_close_page(self) -> None:
        self._page = None
        self._draw()

    def action_scroll_page(self, direction: int) -> None:
        page = self.query_one("#page", VerticalScroll)
        page.scroll_relative(y=direction * max(1, page.size.height - 1), animate=False)

    def action_interrupt(self) -> None:
        self._end_by_signal(signal.SIGINT)

    def _end_by_signal(self, number: int) -> None:
        self.signal_number = number
        self.exit()

    # State of the screen

    @property
    def _row(self) -> Row:
        assert self._scene is not None
        return self._scene.rows[self._selected]

    def _select(self, index: int) -> None:
        self._selected, self._page = index, None
        self.desk.post(Look(self._row.bug))
        self._draw()

    def _take(self, scene: Scene) -> None:
        before, self._scene = self._scene, scene
        if before is None or before.level is not scene.level:
            open_bugs = [i for i, row in enumerate(scene.rows) if row.kind != "fixed"]
            self._selected = next(iter(open_bugs), 0)
            self.desk.post(Look(self._row.bug))
        elif before.saves != scene.saves:
            self._page = None
        if before is None or before.running != scene.running:
            self._running_since = time.monotonic()

    # Drawing

    def _draw(self) -> None:
        if self._scene is None:
            return
        scene = self._scene
        self.query_one("#headline", Static).update(RichText(headline(scene, self._width)))
        self.query_one("#keys", Static).update(RichText(_keys(self._width)))
        self._draw_bugs(scene)
        warnings = [*scene.warnings, *(["Files were saved: c checks them."] if scene.unchecked else [])]
        shown = self.query_one("#warnings", Static)
        shown.display = bool(warnings)
        lines = [line for warning in warnings for line in plain.wrap(warning, self._width)]
        shown.update(RichText("\n".join(lines), style="yellow"))
        self._draw_page(scene, max(1, self._width - _SCROLLBAR_COLUMNS))

    def _count_seconds(self) -> None:
        if self._scene is not None and self._scene.running is not None:
            self._draw_bugs(self._scene)

    def _draw_bugs(self, scene: Scene) -> None:
        seconds = int(time.monotonic() - self._running_since)
        lines = []
        for index, row in enumerate(scene.rows):
            selected = index == self._selected
            said = standing(row, scene, seconds)
            style = _STYLES.get(row.kind or "", "dim")
            mark = ">" if selected else " "
            line = RichText.assemble(
                f"{mark} {row.bug.id}  ", (f"{said:<13} ", style), row.bug.card.title, no_wrap=True
            )
            if selected:
                line.stylize("bold")
            lines.append(line)
        self.query_one("#bugs", Static).update(RichText("\n").join(lines))

    def _draw_page(self, scene: Scene, width: int) -> None:
        if self._page is not None:
            views = [*self._page.views, *_choices(self._page)]
        else:
            views = bug_page(self._row, scene)
        shown = (self._page, self._selected, scene.level.id)
        if (*shown, views, width) == self._shown:
            return
        text, page = self.query_one("#text", Static), self.query_one("#page", VerticalScroll)
        text.update(self._drawn(views, width))
        if self._shown is None or shown != self._shown[:3]:  # type: ignore[index]
            page.scroll_home(animate=False)
        self._shown = (*shown, views, width)

    def _drawn(self, views: Sequence[View], width: int) -> RenderableType:
        if self.no_color:
            return RichText(plain.draw(views, width).rstrip("\n"))
        parts: list[RenderableType] = []
        for view in views:
            parts += [RichText(), drawn(view, width)]
        return Group(*parts[1:])


def _keys(width: int) -> str:
    """The keys and what they do, in lines that never part a key from its word."""
    words = "  ".join(f"{key}\N{NO-BREAK SPACE}{what}" for key, what in _KEYS)
    return "\n".join(textwrap.wrap(words, width)).replace("\N{NO-BREAK SPACE}", " ")


def _choices(page: Page) -> list[View]:
    if not page.choices:
        return []
    lines = [f"  {choice.key}    {choice.label}" for choice in page.choices]
    return [Text("\n".join([*lines, "  Esc  leaves everything as it is"]), "strong")]
