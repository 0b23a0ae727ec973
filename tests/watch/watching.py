"""Somebody in front of a watch: a session with its judge scripted, and all that it has told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Condition, Event, Semaphore
from typing import Any

from bughunt.content.clauses import Clause
from bughunt.content.level import Bug
from bughunt.hunt.hunt import Hunt
from bughunt.judge import Verdict
from bughunt.judge.contract import Kept, Regression
from bughunt.measure.outcomes import Measurement, Outcome, Stopped
from bughunt.watch.scene import Failed, Page, Scene
from bughunt.watch.session import Session

# How long a test waits before it calls something missing.
PATIENCE_SECONDS = 30.0


class ScriptedContract:
    """Says that the clauses `broken` are; of others, that they are kept."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self.asked: list[tuple[tuple[str, ...], int]] = []
        self.asked_ahead: list[tuple[str, int]] = []
        self.hangs = False

    def prepare(self, clauses: Iterable[Clause]) -> None:
        pass

    def ask_clean(self, clauses: Sequence[Clause], seed: int, stop: Event | None = None) -> None:
        self.asked_ahead += [(clause.slug, seed) for clause in clauses]

    def kept(self, clauses: Sequence[Clause], workspace: Path, seed: int, stop: Event) -> Kept:
        slugs = tuple(clause.slug for clause in clauses)
        self.asked.append((slugs, seed))
        if self.hangs:
            assert stop.wait(PATIENCE_SECONDS)
            raise Stopped
        regressions = tuple(
            Regression(clause.slug, clause.card.title, self.broken[clause.slug])
            for clause in clauses
            if clause.slug in self.broken
        )
        return Kept(slugs, regressions)


class ScriptedJudge:
    """Says what the test wants it to say, and notes what it was asked. It measures nothing."""

    def __init__(self) -> None:
        self.contract = ScriptedContract()
        self.asked: list[str] = []
        self.seeds: list[tuple[str, int]] = []
        self.seeds_ahead: list[tuple[str, int]] = []
        self.went_ahead = Semaphore(0)
        self.kinds: dict[str, str] = {}
        self.hangs: set[str] = set()
        self.before: Callable[[Bug, Path], None] = lambda bug, workspace: None

    def __enter__(self) -> ScriptedJudge:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def prepare(self, bugs: Iterable[Bug]) -> None:
        pass

    def prepare_control(self, bugs: Iterable[Bug]) -> None:
        pass

    def ask_ahead(self, bug: Bug, seed: int, *, stop: Event) -> None:
        self.seeds_ahead.append((bug.id, seed))
        self.went_ahead.release()

    def judge(self, bug: Bug, workspace: Path, seed: int, *, first: bool = False, stop: Event) -> Verdict:
        self.asked.append(bug.id)
        self.seeds.append((bug.id, seed))
        self.before(bug, workspace)
        if bug.id in self.hangs:
            assert stop.wait(PATIENCE_SECONDS)
            raise Stopped
        kind: Any = self.kinds.get(bug.id, "broken")
        return Verdict(bug.id, kind, "" if kind == "fixed" else f"{bug.id} measures wrong")

    def measure(self, bug: Bug, workspace: Path, seed: int, *, stop: Event) -> tuple[Any, Outcome]:
        return {}, Measurement({"bug": bug.id})


class Audience:
    """Hears what a session tells, from any thread, and waits for more."""

    def __init__(self) -> None:
        self.heard: list[Scene | Page | Failed] = []
        self._news = Condition()

    def hear(self, what: Scene | Page | Failed) -> None:
        with self._news:
            self.heard.append(what)
            self._news.notify_all()

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            while not done():
                assert time.monotonic() < deadline, self.heard[-3:]
                # What is waited for need not be told: it may be what the judge was asked.
                self._news.wait(0.05)

    @property
    def scene(self) -> Scene:
        return next(what for what in reversed(self.heard) if isinstance(what, Scene))

    @property
    def page(self) -> Page:
        return self.pages[-1]

    @property
    def pages(self) -> list[Page]:
        return [what for what in self.heard if isinstance(what, Page)]

    @property
    def kinds(self) -> list[str | None]:
        return [row.kind for row in self.scene.rows]

    def at_rest(self) -> bool:
        """Is everything judged that was to be judged?"""
        scenes = [what for what in self.heard if isinstance(what, Scene)]
        if not scenes or scenes[-1].running is not None or scenes[-1].rest_queued:
            return False
        return not any(row.queued for row in scenes[-1].rows)


class Watcher:
    """A session and its audience."""

    def __init__(self, hunt: Hunt, judge: Any, *, manual: bool = False) -> None:
        self.hunt = hunt
        self.judge = judge
        self.audience = Audience()
        self.session = Session(hunt, self.audience.hear, manual=manual, open_judge=lambda _: judge)
        self.session.start()

    @property
    def bugs(self) -> tuple[Bug, ...]:
        return self.audience.scene.level.bugs

    def settle(self, count: int | None = None) -> None:
        """Waits until everything is judged (and something was, `count` times in all, when that is given)."""
        self.audience.until(
            lambda: self.audience.at_rest() and (count is None or len(self.judge.asked) >= count)
        )

    def page_after(self, act: Callable[[], object]) -> Page:
        """The next page that is told after `act`."""
        before = len(self.audience.pages)
        act()
        self.audience.until(lambda: len(self.audience.pages) > before)
        return self.audience.pages[before]

    def checks(self, bug: Bug) -> int:
        """How many verdicts on the bug the state has."""
        return self.hunt.state().bug(bug.id).checks
