"""What the keys of a watch bring: hints, probes, diffs, resets, solutions and the next level, as pages.

What spends points or overwrites files is asked first; the answer comes as an event of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from bughunt.content.catalog import Catalog
from bughunt.content.level import Bug, Level
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.judging import new_seed
from bughunt.screens import hints, opening, probes, rescues, solutions
from bughunt.views import Code, Item, Text, View
from bughunt.watch.events import Event, Reset, Show, StartLevel, TakeHint
from bughunt.watch.inbox import Inbox
from bughunt.watch.judging import Judging
from bughunt.watch.scene import Choice, Page, nothing_edited, unsolved

_KEPT_ASIDE = (
    "What this overwrites is first kept aside, as a rescue below .bughunt/rescues; `bughunt restore` brings "
    "it back."
)


class Answers:
    """Answers to what is asked of `hunt`. `tell` gets the pages; the probe's measurement heeds `inbox`."""

    def __init__(self, hunt: Hunt, tell: Callable[[Page], object], inbox: Inbox) -> None:
        self._hunt = hunt
        self._tell = tell
        self._inbox = inbox
        self._probers: dict[str, probes.Prober] = {}

    def prepare(self, catalog: Catalog) -> None:
        """Reads all probes that are not read yet: before any code of a workspace runs."""
        for level in catalog.levels:
            for bug in level.bugs:
                if bug.id not in self._probers:
                    self._probers[bug.id] = probes.Prober(bug)

    def show(self, event: Show, judging: Judging) -> None:
        bug, level = event.bug, judging.level
        match event.what:
            case "hint":
                self._offer_hint(bug, level)
            case "probe":
                self._probe(bug, judging)
            case "diff":
                diff = self._hunt.started(level).current().workspace.diff()
                self._tell(Page([Code(diff, "diff")]) if diff else nothing_edited(level))
            case "reset":
                self._offer_reset(bug, level)
            case "solution":
                solved = self._hunt.state().bug(bug.id).solved
                solution = self._hunt.ask_solution(bug.id) if solved else None
                self._tell(Page(solutions.solution(solution)) if solution else unsolved(bug, level))
            case "next":
                self._offer_next(level)

    def take_hint(self, bug: Bug, level: Level) -> None:
        """Shows the next hint, and counts it as taken."""
        given = self._hunt.hint(bug)
        if given is not None:
            self._tell(Page(hints.hint(given, level, self._hunt.state().bug(bug.id))))

    def reset(self, bug: Bug | None) -> frozenset[str]:
        """Puts back the files of `bug`, or of the whole level, and gives the names of those that changed."""
        result = self._hunt.reset(self._hunt.reset_plan(bug.id if bug else None))
        self._tell(Page(rescues.reset_done(result)))
        return frozenset(result.rescue.files if result.rescue else ())

    def start(self, level: Level) -> None:
        """Starts a level, or takes it up again."""
        started = self._hunt.start(level.id)
        self._tell(Page(opening.started(started, self._hunt.folder)))

    def _offer_hint(self, bug: Bug, level: Level) -> None:
        state = self._hunt.state()
        progress = state.bug(bug.id)
        taken = self._hunt.hints_taken(bug, state)
        if not taken:
            self.take_hint(bug, level)
            return
        more = not progress.solved and len(taken) < len(bug.card.hints)
        choices = (Choice("h", f"takes hint {len(taken) + 1}, for points", TakeHint(bug)),) if more else ()
        self._tell(Page(hints.hints_again(bug, taken, progress), choices))

    def _probe(self, bug: Bug, judging: Judging) -> None:
        workspace = self._hunt.started(judging.level).ready().path
        title = Text(f"{bug.id}  {bug.card.title}", "strong")
        self._tell(Page([title, Text("Measuring …", "dim")]))
        stop = self._inbox.begin_measuring()
        inputs, outcome = judging.judge.measure(bug, workspace, new_seed(), stop=stop)
        found = self._probers[bug.id].probed(inputs, outcome)
        failed = found.failure
        self._tell(Page(probes.probe_failed(bug, failed) if failed else [title, *found.views]))

    def _offer_reset(self, bug: Bug, level: Level) -> None:
        edited = self._hunt.started(level).current().workspace.edits()
        if not edited:
            self._tell(nothing_edited(level))
            return
        views: list[View] = [
            Item("Put files back to the level's start?", f"You have edited {', '.join(edited)}.", "warn"),
            Text(_KEPT_ASIDE),
            *rescues.reset_warning(self._hunt.reset_plan(bug.id)),
        ]
        one = Choice("f", f"puts the files of {bug.id} back", Reset(bug))
        every = Choice("a", f"puts all of {level.id} back", Reset(None))
        self._tell(Page(views, (one, every)))

    def _offer_next(self, level: Level) -> None:
        levels = self._hunt.catalog.levels
        place = levels.index(level) + 1
        if place == len(levels):
            self._tell(Page([Text(f"{level.id} is the last level.")]))
            return
        event: Event = StartLevel(levels[place])
        state = self._hunt.state()
        left = sum(not state.bug(bug.id).fixed for bug in level.bugs)
        if not left:
            self._inbox.post(event)
            return
        bugs = "1 bug of this level is" if left == 1 else f"{left} bugs of this level are"
        back = f"`bughunt start {level.id}` takes {level.id} up again at any time."
        choice = Choice("y", f"goes on to {levels[place].id} all the same", event)
        self._tell(Page([Item(f"{bugs} not fixed yet.", back, "warn")], (choice,)))
