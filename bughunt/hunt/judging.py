"""Measuring and judging the player's workspaces, and writing down what came of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bughunt.content.catalog import Catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.content.level import Bug, Level
from bughunt.errors import BughuntError
from bughunt.hunt import events
from bughunt.hunt.edits import files_hash
from bughunt.hunt.rest import Owing, Rest, Terms
from bughunt.hunt.results import Checked
from bughunt.hunt.started import StartedLevel
from bughunt.hunt.state import State
from bughunt.hunt.store import Store

if TYPE_CHECKING:
    from bughunt.judge import Judge, Verdict
    from bughunt.measure.outcomes import Outcome


def new_seed() -> int:
    """A seed nobody could have foreseen."""
    return int.from_bytes(os.urandom(4)) >> 1


def probe(store: Store, started: StartedLevel, bug: Bug, seed: int) -> tuple[Any, Outcome]:
    """The inputs and the measurement of `bug` in the player's workspace."""
    path = started.ready().path
    with open_judge(store.folder) as judge:
        judge.prepare([bug])
        measured = judge.measure(bug, path, seed)
    with _told_if_not_recorded(store, "The probe"), store.update() as change:
        change.note(events.Probe(bug=bug.id, seed=seed))
    return measured


def check(
    store: Store,
    started: StartedLevel,
    bugs: Sequence[Bug],
    seed: int,
    on_verdict: Callable[[Verdict], None],
    *,
    sandbox: bool,
    chosen: bool,
) -> Checked:
    """Judges `bugs`, all of one level, then the rest, and records the verdicts.

    A seed that somebody has `chosen` foretells the inputs: what passes with it is asked once more by another.
    The clean tree is asked for the rest first, before any code of the workspace runs.

    Raises BughuntError when a `sandbox` is asked for and this system has none.
    """
    path, completed, verdicts = started.ready().path, False, []
    state, owing = store.read(), Owing(Terms(), started)
    was_complete = state.is_complete(started.level)
    seeds = [seed, new_seed()] if chosen else [seed]
    if sandbox:
        _expect_open(path)
    may_be_owed = owing.owed(started, repaired(started.level, state, expected=bugs))
    with open_judge(store.folder, sandbox=sandbox) as judge:
        # The clean tree is asked first, so its server is started first.
        judge.prepare_control((), may_be_owed)
        judge.prepare(bugs, path, may_be_owed)
        judge.prepare_control(bugs, may_be_owed)
        owing.ask_clean(judge.contract, may_be_owed, seed)
        for bug in bugs:
            files = files_hash(path)
            first = not state.bug(bug.id).solved
            verdict = judge.judge(bug, path, seed, first=first, unforeseen=seeds[1] if chosen else None)
            with _told_if_not_recorded(store, f"The verdict on {bug.id}"):
                record(store, started, verdict, seed, files)
            verdicts.append(verdict)
            on_verdict(verdict)
        files = files_hash(path)
        rest = owing.rest(judge.contract, started, repaired(started.level, state, verdicts), seeds)
    with _told_if_not_recorded(store, "What became of the rest"):
        completed = record_rest(store, started, rest, seed, files) and not was_complete
    return Checked(started.level, verdicts, seed, rest, completed)


def repaired(
    level: Level, state: State, verdicts: Sequence[Verdict] = (), *, expected: Sequence[Bug] = ()
) -> list[str]:
    """The bugs of a level that count as repaired: by these verdicts, for the others as the state has it; or
    `expected` to be."""
    judged = {verdict.bug: verdict.kind for verdict in verdicts}
    return [
        bug.id
        for bug in level.bugs
        if bug in expected or judged.get(bug.id, state.bug(bug.id).verdict) == "fixed"
    ]


def _expect_open(workspace: Path) -> None:
    from bughunt.measure.sandbox import is_closed_to

    if is_closed_to(workspace):
        raise BughuntError(
            f"In a sandbox root cannot read {workspace}: it is another user's, and closed to others.",
            "Check as that user, or without --sandbox.",
        )


def record(store: Store, started: StartedLevel, verdict: Verdict, seed: int, files: str) -> None:
    """Notes a verdict on `files`, as `files_hash` tells them: before they were measured, for code may write
    to its workspace."""
    event = events.Check(
        bug=verdict.bug,
        verdict=verdict.kind,
        seed=seed,
        files=files,
        elsewhere=verdict.elsewhere,
    )
    with store.update() as change:
        change.note(event)


def record_rest(store: Store, started: StartedLevel, rest: Rest, seed: int, files: str) -> bool:
    """Notes what became of the rest. Is the level complete with it?"""
    event = events.Rest(
        level=started.level.id,
        seed=seed,
        asked=len(rest.asked),
        broken=tuple(one.clause for one in rest.regressions),
        known=not rest.trouble,
        files=files,
    )
    with store.update() as change:
        change.note(event)
        return change.state.is_complete(started.level)


@contextmanager
def _told_if_not_recorded(store: Store, what: str) -> Iterator[None]:
    """What was found out is shown all the same where the hunt cannot be written to."""
    try:
        yield
    except BughuntError as error:
        store.tell(not_recorded(what, error))


def not_recorded(what: str, error: BughuntError) -> str:
    """What is said of something found out that the hunt could not take in."""
    return f"{what} was not recorded. {error.message} {error.step}"


def level_to_check(catalog: Catalog, bugs: Sequence[Bug]) -> Level | None:
    """The level of `bugs`, None without any. Raises BughuntError when they belong to several."""
    levels = {catalog.level_of(bug).id: catalog.level_of(bug) for bug in bugs}
    if len(levels) > 1:
        raise BughuntError("These bugs belong to different levels.", "Check the bugs of one level at a time.")
    return next(iter(levels.values()), None)


def open_judge(records: Path, *, sandbox: bool = False) -> Judge:
    """A judge that measures as much at a time as the machine can.

    What is measured reads neither the game's own files nor a hunt's `records`. Raises BughuntError when a
    `sandbox` is asked for and this system has none.
    """
    from bughunt.judge import Judge
    from bughunt.measure.measurer import Measurer, workers_here
    from bughunt.measure.sandbox import lacking, way

    chosen = way() if sandbox else "default"
    if chosen is None:
        raise BughuntError(f"There is no sandbox here: {lacking()}.", "Check without --sandbox.")
    hidden = [*own_folders(), records]
    return Judge(tree_folder(), Measurer(confinement=chosen, workers=workers_here(), hidden=hidden))
