"""The commands of somebody who plays: each calls the hunt, says what came of it, returns an exit status."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bughunt.cli import completion
from bughunt.cli.options import AsJson, BugArgument, Seed
from bughunt.cli.output import (
    answer,
    find_hunt,
    found_or_new_hunt,
    here,
    open_hunt,
    print_json,
    show,
    show_or_save,
)
from bughunt.errors import Exit

if TYPE_CHECKING:
    from bughunt.hunt.hunt import Hunt
    from bughunt.judge.verdict import Verdict


def start(
    level: Annotated[
        str,
        typer.Argument(
            metavar="LEVEL", help="level1, 1 or easy, and so on.", autocompletion=completion.levels
        ),
    ],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start the level over; your edits are kept aside.")
    ] = False,
    guided: Annotated[
        bool, typer.Option("--guided", help="Mark each bug's surroundings with a neutral comment.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Make the workspace of a level, inject its bugs, show the symptoms."""
    from bughunt.screens import opening

    result = found_or_new_hunt().start(level, fresh=fresh, guided=guided)
    answer(as_json, lambda: opening.started_document(result), lambda: opening.started(result, here()))
    return Exit.DONE


def hint(
    bug: BugArgument = None,
    again: Annotated[bool, typer.Option("--again", help="Show the hints taken so far; take none.")] = False,
    as_json: AsJson = False,
) -> int:
    """The next hint for a bug, below those already taken."""
    from bughunt.screens import hints

    hunt = open_hunt()
    chosen = hunt.chosen_bug(bug)
    if chosen is None:
        return _all_fixed(hunt, as_json, hints.no_hints_document)
    given = None if again else hunt.hint(chosen)
    state = hunt.state()
    progress = state.bug(chosen.id)
    shown = [given] if given else hunt.hints_taken(chosen, state)
    level = hunt.catalog.level_of(chosen)
    answer(
        as_json,
        lambda: hints.hints_document(chosen, shown, progress),
        lambda: hints.hint(given, level, progress) if given else hints.hints_again(chosen, shown, progress),
    )
    return Exit.DONE


def probe(
    bug: BugArgument = None,
    seed: Seed = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write it to a file: .svg or .html.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Measure the workspace and show what a bug's probe sees."""
    from bughunt.cli.rehearsal import rehearse
    from bughunt.hunt.judging import new_seed
    from bughunt.render import working
    from bughunt.screens import probes

    hunt = open_hunt()
    chosen = hunt.chosen_bug(bug)
    if chosen is None:
        return _all_fixed(hunt, as_json, probes.no_probe_document)
    seed = new_seed() if seed is None else seed
    with working("Measuring …"):
        rehearse(hunt, *(["bughunt.render.page"] if save else []))
        prober = probes.Prober(chosen)
        found = prober.probed(*hunt.probe(chosen, seed))
    if as_json:
        print_json(probes.probe_document(chosen, seed, found))
    elif found.failure:
        show(probes.probe_failed(chosen, found.failure))
    else:
        show_or_save(found.views, save, f"{chosen.id}  {chosen.card.title}")
    if found.failure:
        return Exit.JUDGE_FAILED if found.failure.ours else Exit.NOT_FIXED
    return Exit.DONE


def check(
    bugs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BUG]...",
            help="Ids of bugs; all of the level without.",
            autocompletion=completion.bugs,
        ),
    ] = None,
    seed: Seed = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="No network, nothing writable: for code that is not your own.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Judge the bugs, and the rest: exit status 0 when all is well, 1 when not, 3 when the judge failed.

    While it is measured, code may write to its workspace and to a temporary folder, on Linux nowhere else.
    What it prints is shown when it crashes.
    """
    from bughunt.cli.rehearsal import rehearse
    from bughunt.hunt.judging import new_seed
    from bughunt.render import working
    from bughunt.screens import debrief, status, verdicts

    hunt = open_hunt()
    hunt.state()

    def report(verdict: Verdict) -> None:
        if not as_json:
            show(verdicts.verdict(verdict))

    with working("Judging …"):
        rehearse(hunt)
        asked = new_seed() if seed is None else seed
        checked = hunt.check(bugs or (), asked, report, sandbox=sandbox, chosen=seed is not None)
    answer(as_json, lambda: verdicts.check_document(checked), lambda: verdicts.check_summary(checked))
    if checked.completed and not as_json:
        state = hunt.state()
        views = debrief.level_debrief(checked.level, state)
        show([*views, debrief.after_debrief(), status.next_step(hunt, state)])
    if checked.undecided:
        return Exit.JUDGE_FAILED
    return Exit.DONE if checked.all_well else Exit.NOT_FIXED


def watch(
    manual: Annotated[
        bool, typer.Option("--manual", help="Check on a key instead of at every save.")
    ] = False,
) -> int:
    """A full-screen view of the hunt that judges the level again at every save."""
    from bughunt.cli.rehearsal import modules_of, rehearse
    from bughunt.watch import run

    hunt = open_hunt()
    rehearse(hunt, *modules_of("bughunt.disk", "bughunt.workspace", "bughunt.hunt", "bughunt.watch"))
    run(hunt, manual=manual)
    return Exit.DONE


def reset(bug: BugArgument = None, as_json: AsJson = False) -> int:
    """Put the workspace (or the files of one bug) back to the start of the level; edits are kept aside."""
    from bughunt.screens import rescues

    hunt = open_hunt()
    plan = hunt.reset_plan(bug)
    if not as_json:
        show(rescues.reset_warning(plan))
    result = hunt.reset(plan)
    answer(as_json, lambda: rescues.reset_document(result), lambda: rescues.reset_done(result))
    return Exit.DONE


def restore(
    rescue: Annotated[
        str | None,
        typer.Argument(metavar="[RESCUE]", help="A rescue's name; the newest without.", show_default=False),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Show every rescue; bring none back.")] = False,
    as_json: AsJson = False,
) -> int:
    """Bring back what the last reset or fresh start set aside."""
    from bughunt.screens import rescues

    hunt = open_hunt()
    if show_list:
        found = (hunt.rescues.all(), hunt.rescues.unreadable())
        answer(as_json, lambda: rescues.rescues_document(*found), lambda: rescues.rescues(*found))
        return Exit.DONE
    result = hunt.restore(rescue)
    answer(as_json, lambda: rescues.restored_document(result), lambda: rescues.restored(result))
    return Exit.DONE


def status(as_json: AsJson = False) -> int:
    """Where the hunt stands: levels, bugs, hints used, score."""
    from bughunt.screens import status

    hunt = open_hunt()
    state = hunt.state()
    answer(as_json, lambda: status.status_document(hunt, state), lambda: status.status(hunt, state))
    return Exit.DONE


def levels(as_json: AsJson = False) -> int:
    """What there is to play."""
    from bughunt.content.catalog import load_catalog
    from bughunt.hunt.state import State
    from bughunt.screens import levels

    hunt = find_hunt()
    catalog = hunt.catalog if hunt else load_catalog()
    state = hunt.state() if hunt else State()
    answer(as_json, lambda: levels.levels_document(catalog, state), lambda: levels.levels(catalog, state))
    return Exit.DONE


def solution(
    bug: Annotated[str, typer.Argument(metavar="BUG", autocompletion=completion.bugs)],
    as_json: AsJson = False,
) -> int:
    """The fix and why it matters: free after solving; before, only when asked twice."""
    from bughunt.screens import solutions

    hunt = open_hunt()
    chosen = hunt.catalog.bug(bug)
    level = hunt.catalog.level_of(chosen)
    found = hunt.ask_solution(bug)
    progress = hunt.state().bug(chosen.id)
    answer(
        as_json,
        lambda: solutions.solution_document(chosen, level, progress, found),
        lambda: solutions.solution(found) if found else solutions.solution_refused(chosen, level, progress),
    )
    return Exit.DONE if found else Exit.NOT_FIXED


def debrief(
    save: Annotated[
        Path | None, typer.Option("--save", help="Write it to a file: .html or .svg.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int:
    """What there is to take away: patterns met, their price in production, hints and time used."""
    from bughunt.screens import debrief

    hunt = open_hunt()
    state = hunt.state()
    hunt.active(state)
    if as_json:
        print_json(debrief.debrief_document(hunt.catalog, state))
    else:
        notices = debrief.notices(hunt.store.notices) if save else []
        show_or_save([*notices, *debrief.game_debrief(hunt.catalog, state)], save, "bughunt: the debrief")
    return Exit.DONE


def doctor(as_json: AsJson = False) -> int:
    """Does this machine have what the game needs? Proves that the judge works, both ways."""
    from bughunt.content.catalog import load_catalog
    from bughunt.hunt.doctor import Finding, Step, examine
    from bughunt.render import working
    from bughunt.screens import findings

    hunt = find_hunt()
    found: list[Finding] = []
    examination = examine(load_catalog(), here(), hunt.folder if hunt else None)
    # Closed in any case, so that what it made in the place of play is gone after Ctrl-C, too.
    with closing(examination), working("Looking …") as say:
        for one in examination:
            if isinstance(one, Step):
                say(findings.step(one))
                continue
            found.append(one)
            if not as_json:
                show(findings.finding(one))
    answer(as_json, lambda: findings.findings_document(found), lambda: findings.conclusion(found))
    return Exit.DONE if all(one.well for one in found) else Exit.JUDGE_FAILED


def _all_fixed(hunt: Hunt, as_json: bool, document: Callable[[], dict[str, Any]]) -> int:
    """Ends a command that was to take the next bug, where there is none."""
    from bughunt.screens import status

    state = hunt.state()
    answer(as_json, document, lambda: status.all_fixed(hunt, state))
    return Exit.DONE
