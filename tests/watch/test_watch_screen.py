"""The screen, driven by Textual's pilot. What it shows is compared with the texts in `screens/`.

To take the screens anew after a change of the layout: `BUGHUNT_TAKE_SCREENS=1 pytest tests/watch`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from bughunt.content.cards import Card, Place
from bughunt.content.level import Bug, Level
from bughunt.judge import Verdict
from bughunt.views import Code, Heading, Item, Plot, Series, Table, Text
from bughunt.watch.app import Watch
from bughunt.watch.events import Check, Event, Look, Show, TakeHint
from bughunt.watch.scene import Choice, Failed, Page, Row, Scene

SCREENS = Path(__file__).with_name("screens")
TITLES = ("The clock that runs backwards", "A shelf too short", "Two left shoes")
SYMPTOM = (
    "Users say that the second page of every report is empty. The first page is fine, the third page is "
    "fine, and the printer has been changed twice."
)


def bug(number: int) -> Bug:
    made = Bug(f"1.{number}", Path(f"/challenges/level1/{number}"))
    made.__dict__["card"] = Card(
        title=TITLES[number - 1],
        symptom=SYMPTOM,
        hints=("Look.", "Look there.", "Look at this.", "Turn it round."),
        pattern="off by one",
        consequence="empty pages",
        why="Because.",
        cost="Little.",
        where=(Place("pages.py", "turn"),),
        preload=(),
    )
    return made


BUGS = tuple(bug(number) for number in (1, 2, 3))
LEVEL = Level(1, "easy", "Level 1: pages", "A printer.", ("pages",), 45, 10, (), BUGS)
BROKEN = Verdict(
    "1.1", "broken", "Of 12 pages, 11 are right. The second has 0 words; the text has 140 there."
)
CRASHED = Verdict(
    "1.2", "crashed", "The code raised NameError: page", '  File "pages.py", line 7, in turn\nNameError: page'
)


def scene(*kinds: str | None, **changes: Any) -> Scene:
    verdicts = {"broken": BROKEN, "crashed": CRASHED}
    rows = tuple(
        Row(one, kind, kind == "fixed", verdicts.get(kind or ""), 7)
        for one, kind in zip(BUGS, kinds, strict=True)
    )
    made = Scene(LEVEL, rows, 10 * kinds.count("fixed"), 30, manual=False)
    return replace(made, **changes)


class FakeSession:
    """Stands in for a session: notes what is asked."""

    def __init__(self, tell: Callable[[Any], object]) -> None:
        self.tell = tell
        self.posted: list[Event] = []

    def start(self) -> None:
        pass

    def post(self, event: Event) -> None:
        self.posted.append(event)


class Driver:
    """A screen under test."""

    def __init__(self, app: Watch, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.session: Any = app.session

    async def tell(self, *whats: Scene | Page | Failed) -> str:
        for what in whats:
            self.session.tell(what)
        await self.pilot.pause()
        return self.text

    async def press(self, *keys: str) -> str:
        self.session.posted.clear()
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.text

    @property
    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips) + "\n"


def drive(play: Callable[[Driver], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> Watch:
    app = Watch(FakeSession)

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await play(Driver(app, pilot))

    asyncio.run(run())
    return app


def compare(name: str, shown: str) -> None:
    path = SCREENS / f"{name}.txt"
    if os.environ.get("BUGHUNT_TAKE_SCREENS"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8"), name


PAGES = {
    "not-checked": [scene(None, None, None, running="1.1")],
    "broken": [scene("broken", "fixed", None)],
    "crashed": [scene("fixed", "crashed", "broken")],
    "fixed": [scene("broken", "broken", "broken"), scene("fixed", "broken", "broken")],
    "all-fixed": [scene("fixed", "fixed", "fixed")],
    "manual": [scene(None, "broken", None, manual=True, unchecked=True)],
    "warned": [
        scene(
            "broken",
            "fixed",
            None,
            warnings=(
                "Polling: this file system does not tell when a file is saved, so the files are looked at "
                "again and again.",
                "The workspace /home/player/level1 is gone. Run `bughunt start level1` to make it again.",
            ),
        )
    ],
    "question": [
        scene("broken", "fixed", None),
        Page([Item("Really?", "It costs points.", "warn")], (Choice("y", "goes on", TakeHint(BUGS[0])),)),
    ],
    "probe": [
        scene("broken", "fixed", None),
        Page(
            [
                Heading("1.1"),
                Table(("page", "words"), ((1, 140), (2, 0))),
                Plot("Words", (Series("words", (1, 2, 3, 4), (140, 0, 130, 140)),)),
            ]
        ),
    ],
    "diff": [
        scene("broken", "fixed", None),
        Page([Code("--- a/pages.py\n+++ b/pages.py\n@@ -1 +1 @@\n-page = 1\n+page = 2\n", "diff")]),
    ],
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("colour", [True, False], ids=["colour", "plain"])
def test_screen(name: str, colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")

    async def play(driver: Driver) -> None:
        # A table has a frame only where there is colour.
        compare(f"{name}-plain" if name == "probe" and not colour else name, await driver.tell(*PAGES[name]))

    drive(play)


@pytest.mark.parametrize("name", ["broken", "warned", "probe", "question"])
def test_twenty_columns(name: str) -> None:
    """Narrow is no reason to fail, nor to hide the verdicts or the keys."""

    async def play(driver: Driver) -> None:
        await driver.tell(*PAGES[name])
        await driver.pilot.resize_terminal(20, 24)
        await driver.pilot.pause()
        for one in BUGS:
            assert one.id in driver.text
        assert "q quit" in driver.text
        if name == "broken":
            compare("twenty-columns", driver.text)
        for width, height in ((1, 1), (200, 60), (80, 5), (80, 24)):
            await driver.pilot.resize_terminal(width, height)
            await driver.pilot.pause()
        compare(name, driver.text)

    drive(play)


@pytest.mark.parametrize(
    ("key", "what"),
    [("h", "hint"), ("p", "probe"), ("d", "diff"), ("r", "reset"), ("s", "solution"), ("n", "next")],
)
def test_one_key_each(key: str, what: Any) -> None:
    async def play(driver: Driver) -> None:
        await driver.tell(scene("broken", "broken", "broken"))
        await driver.press("down")
        await driver.press(key)
        assert driver.session.posted == [Show(what, BUGS[1])]

    drive(play)


def test_check_and_choosing_a_bug() -> None:
    async def play(driver: Driver) -> None:
        await driver.tell(scene("fixed", "broken", "broken"))
        assert driver.session.posted == [Look(BUGS[1])], "the first that is not fixed"
        assert "> 1.3" in await driver.press("3")
        assert driver.session.posted == [Look(BUGS[2])]
        assert "> 1.1" in await driver.press("j")
        assert "> 1.3" in await driver.press("up")
        assert "> 1.3" in await driver.press("9")
        await driver.press("c")
        assert driver.session.posted == [Check()]

    drive(play)


def test_success_is_shown_and_waits() -> None:
    async def play(driver: Driver) -> None:
        await driver.tell(scene("broken", "broken", "broken"))
        shown = await driver.tell(scene("fixed", "broken", "broken", saves=1))
        assert "> 1.1  fixed" in shown and "1.1 is fixed." in shown
        shown = await driver.tell(scene("fixed", "fixed", "fixed", saves=2))
        assert "> 1.1  fixed" in shown and "n goes on to the next" in shown

    drive(play)


def test_a_page_stays_until_a_save_or_a_key() -> None:
    async def play(driver: Driver) -> None:
        page = Page([Text("Something to read.")])
        await driver.tell(scene("broken", "broken", "broken"), page)
        assert "Something to read" in await driver.tell(scene("broken", "fixed", "broken"))
        assert "Something to read" not in await driver.tell(scene("broken", "fixed", "broken", saves=1))
        for key in ("escape", "down", "c"):
            assert "Something to read" in await driver.tell(page)
            assert "Something to read" not in await driver.press(key)

    drive(play)


def test_a_question_is_answered_by_its_key_alone() -> None:
    async def play(driver: Driver) -> None:
        question = Page([Text("Take it?")], (Choice("h", "takes it", TakeHint(BUGS[0])),))
        await driver.tell(scene("broken", "broken", "broken"), question)
        shown = await driver.press("h")
        assert driver.session.posted == [TakeHint(BUGS[0])]
        assert "Take it?" not in shown
        await driver.tell(question)
        await driver.press("escape")
        assert driver.session.posted == []
        await driver.press("h")
        assert driver.session.posted == [Show("hint", BUGS[0])]

    drive(play)


def test_a_long_page_scrolls_and_the_next_begins_at_its_top() -> None:
    async def play(driver: Driver) -> None:
        long = Page([Code("\n".join(f"line {number}" for number in range(100)))])
        shown = await driver.tell(scene("broken", "broken", "broken"), long)
        assert "line 0" in shown and "line 99" not in shown
        for _ in range(8):
            shown = await driver.press("space")
        assert "line 99" in shown
        assert "line 82" in await driver.press("pageup")
        assert "Another" in await driver.tell(Page([Text("Another")]))

    drive(play)


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    async def play(driver: Driver) -> None:
        nasty = "[bold]x[/bold] [/] [1, 2] \\[red]"
        row = Row(BUGS[0], "broken", False, replace(BROKEN, message=nasty), 7)
        shown = await driver.tell(replace(scene("broken", None, None), rows=(row,), warnings=(nasty,)))
        assert shown.count(nasty) == 2

    drive(play)


def test_keys_before_anything_is_known() -> None:
    async def play(driver: Driver) -> None:
        await driver.press("h", "c", "down", "1", "escape", "space")
        assert driver.session.posted == []

    drive(play)


def test_an_error_of_the_session_ends_the_screen() -> None:
    error = ZeroDivisionError("of our own")

    async def play(driver: Driver) -> None:
        await driver.tell(Failed(error))

    assert drive(play).error is error


def test_leaving() -> None:
    async def play(driver: Driver) -> None:
        await driver.tell(scene("broken", "broken", "broken"))
        await driver.press("ctrl+c")

    assert drive(play).signal_number == 2
