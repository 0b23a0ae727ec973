"""What each command says: results of the hunt as views. Nothing here decides or prints anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bughunt.content.catalog import Bug, Catalog, Level
from bughunt.hunt import score
from bughunt.hunt.progress import BugProgress, State
from bughunt.views import Code, Heading, Item, Table, Text, Tone, View

if TYPE_CHECKING:
    from bughunt.hunt.hunt import Hint, Hunt, Reset, Solution, Started
    from bughunt.judge import Verdict
    from bughunt.measure.outcomes import Failure
    from bughunt.workspace.rescue import Rescue

_VERDICT_TONES: dict[str | None, Tone] = {
    "fixed": "good",
    "broken": "bad",
    "crashed": "bad",
    "unknown": "warn",
    None: "dim",
}


def started(result: Started, here: Path) -> list[View]:
    """The opening of a level: where the code is, what its users noticed, what to do first."""
    level = result.level
    opening = {
        "new": f"The code is in {_shown(result.workspace, here)}: edit it with any editor.",
        "resumed": f"{level.id} is taken up again. The code is in {_shown(result.workspace, here)}.",
        "fresh": f"{level.id} starts over. The code is in {_shown(result.workspace, here)}.",
    }[result.how]
    views: list[View] = [Heading(level.title), Text(level.blurb)]
    views += [Item(f"{bug.id}  {bug.card.title}", bug.card.symptom) for bug in level.bugs]
    views.append(Item(opening, tone="good"))
    if result.guided:
        views.append(Text("Guided: a comment “# bughunt …” stands above each function to look at.", "dim"))
    views += rescued(result.rescue)
    views.append(_next_steps(level.bugs[0]))
    return views


def status(hunt: Hunt, state: State) -> list[View]:
    """Where the hunt stands."""
    rows: list[Sequence[object]] = []
    tones: dict[int, Tone] = {}
    for level in hunt.catalog.levels:
        if level.id not in state.levels:
            continue
        for bug in level.bugs:
            progress = state.bugs.get(bug.id, BugProgress())
            tones[len(rows)] = _VERDICT_TONES[progress.verdict]
            rows.append(
                (
                    bug.id,
                    bug.card.title,
                    progress.verdict or "not checked",
                    f"{min(progress.hints, len(bug.card.hints))} of {len(bug.card.hints)}",
                    points(level, progress),
                )
            )
    views: list[View] = []
    if rows:
        views.append(Table(("bug", "what", "verdict", "hints", "points"), rows, tones=tones))
    for level in hunt.catalog.levels:
        if level.id in state.levels:
            path = hunt.workspace_path(state, level)
            if not path.is_dir():
                gone = f"The workspace {path} is gone. Run `bughunt start {level.id}` to make it again."
                views.append(Text(gone, "warn"))
            elif level.id == state.active:
                views.append(Item(f"Playing {level.id} ({level.name}) in {path}", tone="plain"))
    earned, most = total_points(hunt.catalog, state)
    views.append(Text(f"Score: {earned} of {most} points."))
    return views


def points(level: Level, progress: BugProgress) -> str:
    """The points of one bug: those earned, or those still to be had."""
    if progress.fixed_at is not None:
        return f"{score.earned(level, progress)}"
    return f"({score.worth(level, progress)})"


def total_points(catalog: Catalog, state: State) -> tuple[int, int]:
    """Points earned, and points there are, over all levels."""
    pairs = [(level, bug) for level in catalog.levels for bug in level.bugs]
    earned = sum(score.earned(level, state.bugs.get(bug.id, BugProgress())) for level, bug in pairs)
    return earned, sum(level.points for level, _ in pairs)


def next_step(hunt: Hunt, state: State) -> Text:
    """The one command to run next."""
    if state.active is None:
        return Text(f"Next: `bughunt start {hunt.catalog.levels[0].id}`")
    bug = hunt.next_bug(state)
    if bug is None:
        untouched = [level for level in hunt.catalog.levels if level.id not in state.levels]
        unfinished = [
            level
            for level in hunt.catalog.levels
            if any(state.bugs.get(bug.id, BugProgress()).verdict != "fixed" for bug in level.bugs)
        ]
        for following in [*untouched, *unfinished]:
            return Text(f"Next: `bughunt start {following.id}`")
        return Text("Every bug of every level is fixed. There is nothing left to hunt.", "good")
    progress = state.bugs.get(bug.id, BugProgress())
    if progress.verdict is None and progress.hints == 0:
        return Text(
            f"Next: `bughunt probe {bug.id}` measures what {bug.id} is about; then edit and `bughunt check`"
        )
    return Text(f"Next: edit the code and run `bughunt check {bug.id}`, or `bughunt hint {bug.id}`")


def levels(catalog: Catalog, state: State | None) -> list[View]:
    """What there is to play."""
    rows = []
    for level in catalog.levels:
        bugs = [state.bugs.get(bug.id, BugProgress()) if state else BugProgress() for bug in level.bugs]
        fixed = sum(progress.verdict == "fixed" for progress in bugs)
        rows.append(
            (level.id, level.name, ", ".join(level.topics), f"{level.minutes} min", f"{fixed}/{len(bugs)}")
        )
    return [
        Table(("level", "name", "about", "time", "fixed"), rows),
        Text("`bughunt start LEVEL` plays one, by its id or its name.", "dim"),
    ]


def hint(given: Hint, level: Level, progress: BugProgress) -> list[View]:
    """One hint, and what it leaves to be had."""
    left = len(given.bug.card.hints) - given.number
    after = (
        f"Hint {given.number} of {len(given.bug.card.hints)}; {given.bug.id} is now worth "
        f"{score.worth(level, progress)} of {level.points} points."
    )
    if not left:
        after += f" This was the last one: after it there is `bughunt solution {given.bug.id}`."
    return [Text(f"{given.bug.id}  {given.bug.card.title}", "strong"), Text(given.text), Text(after, "dim")]


def hints_again(bug: Bug, hints: Sequence[Hint], progress: BugProgress) -> list[View]:
    """The hints taken so far."""
    views: list[View] = [Text(f"{bug.id}  {bug.card.title}", "strong")]
    views += [Text(f"{hint.number}. {hint.text}") for hint in hints]
    if progress.fixed_at is not None:
        views.append(Text("The bug is fixed: hints cost nothing any more.", "dim"))
    elif not hints:
        views.append(Text(f"No hint taken yet. `bughunt hint {bug.id}` takes the first.", "dim"))
    elif len(hints) == len(bug.card.hints):
        after = f"That is every hint. After them there is `bughunt solution {bug.id}`."
        views.append(Text(after, "dim"))
    return views


def probe_failed(bug: Bug, failure: Failure) -> list[View]:
    """Why there is nothing to show."""
    views: list[View] = [Text(f"{bug.id} could not be measured. {failure.message}", "bad")]
    if failure.detail:
        views.append(Code(failure.detail))
    return views


def verdict(result: Verdict) -> list[View]:
    """One verdict, as it comes in."""
    views: list[View] = [Item(f"{result.bug}  {result.kind}", result.message, _VERDICT_TONES[result.kind])]
    if result.detail:
        views.append(Code(result.detail))
    return views


def check_summary(level: Level, verdicts: Sequence[Verdict], seed: int) -> list[View]:
    """The line below the verdicts."""
    fixed = sum(result.kind == "fixed" for result in verdicts)
    views: list[View] = [Text(f"{fixed} of {len(verdicts)} fixed.", "strong")]
    if any(result.kind == "unknown" for result in verdicts):
        views.append(Text("The judge itself is in trouble: `bughunt doctor` looks into it.", "warn"))
    elif fixed < len(verdicts):
        ids = " ".join(result.bug for result in verdicts if result.kind != "fixed")
        views.append(Text(f"To repeat this very run: `bughunt check {ids} --seed {seed}`", "dim"))
    return views


def after_debrief() -> Text:
    """Where to read on when a level is done."""
    return Text(
        "Why each bug matters: `bughunt solution BUG`, free now. All levels: `bughunt debrief`.", "dim"
    )


def reset_warning(plan: Reset) -> list[View]:
    """What the player should know before a reset happens."""
    if not plan.reopened or plan.bug is None:
        return []
    others = " and ".join(plan.reopened)
    return [
        Text(f"This reopens {others}, too: its code is in the same file as that of {plan.bug.id}.", "warn")
    ]


def reset_done(result: Reset) -> list[View]:
    """What a reset did."""
    what = f"The files of {result.bug.id} are" if result.bug else f"{result.level.id} is"
    return [Text(f"{what} back at the start of the level.", "good"), *rescued(result.rescue)]


def rescued(rescue: Rescue | None) -> list[View]:
    """Where the player's edits are, and how they come back."""
    if rescue is None:
        return []
    return [
        Item(f"Your edits are kept in {rescue.folder}", f"`bughunt restore {rescue.id}` brings them back.")
    ]


def restored(wanted: Rescue, rescue: Rescue | None) -> list[View]:
    """What a restore brought back."""
    what = (
        f"{wanted.level} is"
        if wanted.whole
        else ", ".join(wanted.files) + (" is" if len(wanted.files) == 1 else " are")
    )
    return [Text(f"{what} as kept on {wanted.made} ({wanted.reason}).", "good"), *rescued(rescue)]


def rescues(found: Iterable[Rescue]) -> list[View]:
    """Every rescue, the newest first."""
    rows = [
        (rescue.id, rescue.reason, "all" if rescue.whole else "part", len(rescue.files))
        for rescue in sorted(found, key=lambda rescue: rescue.id, reverse=True)
    ]
    if not rows:
        return [Text("Nothing has been set aside in this hunt.")]
    return [
        Table(("rescue", "made by", "of the workspace", "files"), rows),
        Text("`bughunt restore RESCUE` brings one back; without a name, the newest.", "dim"),
    ]


def solution_refused(bug: Bug, level: Level) -> list[View]:
    """What is said the first time the solution of an unsolved bug is asked for."""
    return [
        Item(
            f"{bug.id} is not fixed yet. Opening its solution takes its {level.points} points.",
            f"To open it all the same, ask once more: `bughunt solution {bug.id}`",
            "warn",
        )
    ]


def solution(result: Solution) -> list[View]:
    """The fix, and why it matters."""
    card = result.bug.card
    return [
        Heading(f"{result.bug.id}  {card.title}"),
        Text("One right fix (yours may look different):"),
        Code(result.diff, "diff"),
        Text(card.why),
        Table(("", ""), (("pattern", card.pattern), ("consequence", card.consequence))),
        *cost(result.bug),
    ]


def cost(bug: Bug) -> list[View]:
    """What whole runs with the bug came to, beside healthy ones."""
    from bughunt.content.cost_record import load_cost

    measured = load_cost(bug.folder)
    if measured is None:
        return []
    rows = [figure.row for figure in measured.figures]
    return [
        Text("What it costs", "strong"),
        Text(bug.card.cost),
        Table(("the same run of the recipe", "without the bug", "with it"), rows),
        *([measured.plot] if measured.plot else []),
        Text(f"`python -m bughunt.author.cost {bug.id}` measures this again.", "dim"),
    ]


def whole_run(bug: Bug) -> list[View]:
    """What users of code with this bug noticed over a whole run: symptoms, measured beforehand."""
    from bughunt.content.cost_record import load_cost

    measured = load_cost(bug.folder)
    rows = [figure.row for figure in (measured.figures if measured else ()) if figure.symptom]
    if not rows:
        return []
    columns = ("a whole run, measured elsewhere", "healthy code", "code with this bug")
    return [Table(columns, rows)]


def _next_steps(first: Bug) -> Text:
    return Text(
        f"  bughunt probe {first.id}     measure the code and look at the numbers\n"
        f"  bughunt hint {first.id}      a hint, if you want one\n"
        "  bughunt check         judge your repairs"
    )


def _shown(path: Path, here: Path) -> str:
    try:
        return f"./{path.relative_to(here).as_posix()}"
    except ValueError:
        return str(path)
