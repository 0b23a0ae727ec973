"""The watch on a screen, with Textual: draws scenes and pages, and turns keys into the session's events."""

from __future__ import annotations

import asyncio
import signal
import sys
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
from bughunt.views import View
from bughunt.watch.drawing import CSS, KEYS, PADDING_COLUMNS, SCROLLBAR_COLUMNS, bug_lines, choices, keys_line
from bughunt.watch.events import Check, Event, Look, Show
from bughunt.watch.scene import Failed, Page, Row, Scene, bug_page, headline
from bughunt.watch.terminal import terminal_is_gone

Tell = Callable[[Scene | Page | Failed], object]


class SessionLike(Protocol):
    """What the screen needs of a session."""

    def start(self) -> None: ...

    def post(self, event: Event) -> None: ...


class SessionUpdate(Message):
    """Something new to show."""

    def __init__(self, what: Scene | Page | Failed) -> None:
        super().__init__()
        self.what = what


class Watch(App[None]):
    """The screen. `open_session` makes the session, which is given the function that tells the screen."""

    CSS = CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"show('{what}')", what)
            for key, what in KEYS
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

    def __init__(self, open_session: Callable[[Tell], SessionLike]) -> None:
        super().__init__(ansi_color=True)
        self.signal_number: int | None = None
        self.error: BaseException | None = None
        self.session = open_session(lambda what: self.post_message(SessionUpdate(what)))
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
        self.set_interval(1.0, self._every_second)
        self.session.start()

    def on_resize(self, event: events.Resize) -> None:
        self._width = max(1, event.size.width - PADDING_COLUMNS)
        self._draw()

    def on_session_update(self, message: SessionUpdate) -> None:
        match message.what:
            case Scene() as scene:
                self._take(scene)
            case Page() as page:
                self._page = page
            case Failed(error):
                self.error = error
                self.exit()
        self._draw()

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
                    self.session.post(choice.event)
                    return
        await super().on_event(event)

    def action_show(self, what: str) -> None:
        if self._scene is not None:
            self.session.post(Show(what, self._row.bug))  # type: ignore[arg-type]

    def action_check(self) -> None:
        if self._scene is not None:
            self.action_close_page()
            self.session.post(Check())

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

    @property
    def _row(self) -> Row:
        assert self._scene is not None
        return self._scene.rows[self._selected]

    def _select(self, index: int) -> None:
        self._selected, self._page = index, None
        self.session.post(Look(self._row.bug))
        self._draw()

    def _take(self, scene: Scene) -> None:
        before, self._scene = self._scene, scene
        if before is None or before.level is not scene.level:
            open_bugs = [i for i, row in enumerate(scene.rows) if row.kind != "fixed"]
            self._selected = next(iter(open_bugs), 0)
            self.session.post(Look(self._row.bug))
        elif before.saves != scene.saves:
            self._page = None
        if before is None or before.running != scene.running:
            self._running_since = time.monotonic()

    def _draw(self) -> None:
        if self._scene is None:
            return
        scene = self._scene
        self.query_one("#headline", Static).update(RichText(headline(scene, self._width)))
        self.query_one("#keys", Static).update(RichText(keys_line(self._width)))
        self._draw_bugs(scene)
        warnings = [*scene.warnings, *(["Files were saved: c checks them."] if scene.unchecked else [])]
        shown = self.query_one("#warnings", Static)
        shown.display = bool(warnings)
        lines = [line for warning in warnings for line in plain.wrap(warning, self._width)]
        shown.update(RichText("\n".join(lines), style="yellow"))
        self._draw_page(scene, max(1, self._width - SCROLLBAR_COLUMNS))

    def _every_second(self) -> None:
        if not self.is_headless and terminal_is_gone():
            self._end_by_signal(signal.SIGHUP)
        if self._scene is not None and self._scene.running is not None:
            self._draw_bugs(self._scene)

    def _draw_bugs(self, scene: Scene) -> None:
        seconds = int(time.monotonic() - self._running_since)
        self.query_one("#bugs", Static).update(bug_lines(scene, self._selected, seconds))

    def _draw_page(self, scene: Scene, width: int) -> None:
        if self._page is not None:
            views = [*self._page.views, *choices(self._page)]
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
