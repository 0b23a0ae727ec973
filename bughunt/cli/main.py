"""The command line: parse, call, render. What a command does stands in `bughunt.hunt`, what it says in
`bughunt.screens`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bughunt import __version__
from bughunt.errors import BughuntError, Exit

if TYPE_CHECKING:
    from bughunt.hunt.hunt import Hunt
    from bughunt.hunt.progress import State
    from bughunt.judge import Verdict
    from bughunt.views import View

app = typer.Typer(
    name="bughunt",
    help="Find and repair the bugs in a small, complete LLM code base.",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BugArgument = Annotated[
    str | None, typer.Argument(metavar="[BUG]", help="A bug's id, such as 1.2.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Draw the inputs by this seed, to repeat a run.", show_default=False),
]


def main() -> None:
    """Runs the command line and exits with the status that the design gives."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    try:
        app()
    except BughuntError as error:
        from bughunt.render import show_error

        show_error(f"bughunt: {error.message}", error.step)
        sys.exit(error.code)
    except KeyboardInterrupt:
        print("Interrupted. Nothing was lost.", file=sys.stderr)
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.DONE)


@app.callback(invoke_without_command=True)
def overview(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Find and repair the bugs in a small, complete LLM code base.

    Alone, `bughunt` says where the hunt stands and what to do next.
    """
    if version:
        print(f"bughunt {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return
    from bughunt import screens
    from bughunt.hunt.hunt import Hunt
    from bughunt.views import Heading, Text

    hunt = Hunt.find(_here())
    if hunt is None:
        _show(
            [
                Heading("bughunt"),
                Text("A small, complete LLM code base with bugs in it: find them, repair them."),
                Text("There is no hunt in this folder yet."),
                Text("Next: `bughunt start level1` begins one here; `bughunt levels` shows them all."),
            ]
        )
        return
    state = hunt.state()
    _notices(hunt)
    _show([*screens.status(hunt, state), screens.next_step(hunt, state)])


@app.command()
def start(
    level: Annotated[str, typer.Argument(metavar="LEVEL", help="level1, 1 or easy, and so on.")],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start the level over; your edits are kept aside.")
    ] = False,
    guided: Annotated[
        bool, typer.Option("--guided", help="Mark each bug's surroundings with a neutral comment.")
    ] = False,
) -> None:
    """Make the workspace of a level, inject its bugs, show the symptoms."""
    from bughunt import screens
    from bughunt.hunt.hunt import Hunt

    here = _here()
    hunt = Hunt.find(here) or Hunt(here)
    result = hunt.start(level, fresh=fresh, guided=guided)
    _notices(hunt)
    _show(screens.started(result, here))


@app.command()
def hint(
    bug: BugArgument = None,
    again: Annotated[bool, typer.Option("--again", help="Show the hints taken so far; take none.")] = False,
    as_json: AsJson = False,
) -> None:
    """The next hint for a bug, below those already taken."""
    from bughunt import screens
    from bughunt.hunt.progress import BugProgress

    hunt = _hunt()
    chosen = hunt.chosen_bug(bug)
    if chosen is None:
        _all_fixed(hunt, as_json)
        return
    given = None if again else hunt.hint(chosen.id)
    state = hunt.state()
    _notices(hunt)
    progress = state.bugs.get(chosen.id, BugProgress())
    hints = [given] if given else hunt.hints_taken(chosen, state)
    if as_json:
        shown = [{"number": one.number, "text": one.text} for one in hints]
        _print_json({"bug": chosen.id, "of": len(chosen.card.hints), "taken": progress.hints, "hints": shown})
    elif given:
        _show(screens.hint(given, hunt.catalog.level_of(chosen), progress))
    else:
        _show(screens.hints_again(chosen, hints, progress))


@app.command()
def probe(
    bug: BugArgument = None,
    seed: Seed = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write it to a file: .svg or .html.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the workspace and show what a bug's probe sees."""
    from bughunt import screens
    from bughunt.hunt.hunt import new_seed
    from bughunt.render import working
    from bughunt.screens.probing import probe_views
    from bughunt.views import to_json

    hunt = _hunt()
    chosen = hunt.chosen_bug(bug)
    if chosen is None:
        _all_fixed(hunt, as_json)
        return
    seed = new_seed() if seed is None else seed
    with working("Measuring …"):
        found = probe_views(hunt, chosen, seed)
    _notices(hunt)
    if as_json:
        failure = (
            {"message": found.failure.message, "detail": found.failure.detail} if found.failure else None
        )
        views = [to_json(view) for view in found.views]
        _print_json({"bug": chosen.id, "seed": seed, "failure": failure, "views": views})
    elif found.failure:
        _show(screens.probe_failed(chosen, found.failure))
    else:
        _show_or_save(found.views, save, f"{chosen.id}  {chosen.card.title}")
    if found.failure:
        raise typer.Exit(Exit.JUDGE_FAILED if found.failure.ours else Exit.NOT_FIXED)


@app.command()
def check(
    bugs: Annotated[
        list[str] | None, typer.Argument(metavar="[BUG]...", help="Ids of bugs; all of the level without.")
    ] = None,
    seed: Seed = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="No network, nothing writable: for code that is not your own.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge the bugs: exit status 0 when all of them are fixed, 1 when not, 3 when the judge failed."""
    from bughunt import screens
    from bughunt.hunt.hunt import new_seed
    from bughunt.render import working
    from bughunt.screens.debrief import level_debrief

    hunt = _hunt()
    before = hunt.state()
    seed = new_seed() if seed is None else seed

    def report(verdict: Verdict) -> None:
        if not as_json:
            _show([*screens.verdict(verdict)])

    with working("Judging …"):
        level, verdicts = hunt.check(bugs or (), seed, report, sandbox=sandbox)
    state = hunt.state()
    _notices(hunt)
    if as_json:
        _print_json(_check_document(level.id, verdicts, seed))
    else:
        _show(screens.check_summary(level, verdicts, seed))
        newly = [bug for bug in level.bugs if _fixed(state, bug.id) and not _fixed(before, bug.id)]
        if newly and all(_fixed(state, bug.id) for bug in level.bugs):
            print()
            _show([*level_debrief(level, state), screens.after_debrief(), screens.next_step(hunt, state)])
    kinds = {verdict.kind for verdict in verdicts}
    if "unknown" in kinds:
        raise typer.Exit(Exit.JUDGE_FAILED)
    if kinds != {"fixed"}:
        raise typer.Exit(Exit.NOT_FIXED)


@app.command()
def watch(
    manual: Annotated[
        bool, typer.Option("--manual", help="Check on a key instead of at every save.")
    ] = False,
) -> None:
    """A full-screen view of the hunt that judges the level again at every save."""
    from bughunt.watch import run

    run(_hunt(), manual=manual)


@app.command()
def reset(bug: BugArgument = None) -> None:
    """Put the workspace (or the files of one bug) back to the start of the level; edits are kept aside."""
    from bughunt import screens

    hunt = _hunt()
    plan = hunt.reset_plan(bug)
    _show(screens.reset_warning(plan))
    result = hunt.reset(plan)
    _notices(hunt)
    _show(screens.reset_done(result))


@app.command()
def restore(
    rescue: Annotated[
        str | None,
        typer.Argument(metavar="[RESCUE]", help="A rescue's name; the newest without.", show_default=False),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="Show every rescue; bring none back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring back what the last reset or fresh start set aside."""
    from bughunt import screens

    hunt = _hunt()
    if show_list:
        found = hunt.rescues.all()
        if as_json:
            _print_json({"rescues": [one.card() for one in found]})
        else:
            _show(screens.rescues(found))
        return
    wanted, overwritten = hunt.restore(rescue)
    _notices(hunt)
    if as_json:
        _print_json({"restored": wanted.card(), "set_aside": overwritten.card() if overwritten else None})
    else:
        _show(screens.restored(wanted, overwritten))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Where the hunt stands: levels, bugs, hints used, score."""
    from bughunt import screens
    from bughunt.screens.documents import status_document

    hunt = _hunt()
    state = hunt.state()
    _notices(hunt)
    if as_json:
        _print_json(status_document(hunt, state))
    else:
        _show([*screens.status(hunt, state), screens.next_step(hunt, state)])


@app.command()
def levels(as_json: AsJson = False) -> None:
    """What there is to play."""
    from bughunt import screens
    from bughunt.content.catalog import load_catalog
    from bughunt.hunt.hunt import Hunt
    from bughunt.screens.documents import levels_document

    hunt = Hunt.find(_here())
    catalog = hunt.catalog if hunt else load_catalog()
    state = hunt.state() if hunt else None
    if hunt:
        _notices(hunt)
    if as_json:
        _print_json(levels_document(catalog, state))
    else:
        _show(screens.levels(catalog, state))


@app.command()
def solution(bug: Annotated[str, typer.Argument(metavar="BUG")], as_json: AsJson = False) -> None:
    """The fix and why it matters: free after solving; before, only when asked twice."""
    from bughunt import screens
    from bughunt.screens.documents import solution_document

    hunt = _hunt()
    found = hunt.ask_solution(bug)
    _notices(hunt)
    chosen = hunt.catalog.bug(bug)
    if as_json:
        _print_json({"bug": chosen.id, "shown": found is not None, **solution_document(found)})
    elif found:
        _show(screens.solution(found))
    else:
        _show(screens.solution_refused(chosen, hunt.catalog.level_of(chosen)))
    if found is None:
        raise typer.Exit(Exit.NOT_FIXED)


@app.command()
def debrief(
    save: Annotated[
        Path | None, typer.Option("--save", help="Write it to a file: .html or .svg.", show_default=False)
    ] = None,
) -> None:
    """What there is to take away: patterns met, their price in production, hints and time used."""
    from bughunt.screens.debrief import game_debrief

    hunt = _hunt()
    state = hunt.state()
    hunt.active(state)
    _notices(hunt)
    _show_or_save(game_debrief(hunt.catalog, state), save, "bughunt: the debrief")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Does this machine have what the game needs? Proves that the judge works, both ways."""
    from bughunt.content.catalog import load_catalog
    from bughunt.hunt.doctor import Step, examine
    from bughunt.hunt.hunt import Hunt
    from bughunt.views import Item, Text

    findings = []
    here = _here()
    hunt = Hunt.find(here)
    for finding in examine(load_catalog(), here, hunt.folder if hunt else None):
        if isinstance(finding, Step):
            continue
        findings.append(finding)
        if as_json:
            continue
        line = f"{finding.what}: {finding.found}"
        _show(
            [Item(f"ok  {line}", tone="good") if finding.well else Item(f"NO  {line}", finding.remedy, "bad")]
        )
    well = all(finding.well for finding in findings)
    if as_json:
        rows = [
            {"what": one.what, "well": one.well, "found": one.found, "remedy": "" if one.well else one.remedy}
            for one in findings
        ]
        _print_json({"well": well, "findings": rows})
    else:
        closing = "All is well: the game can be played here." if well else "Something is missing: see above."
        _show([Text(closing, "good" if well else "bad")])
    if not well:
        raise typer.Exit(Exit.JUDGE_FAILED)


def _hunt() -> Hunt:
    from bughunt.hunt.hunt import Hunt

    hunt = Hunt.find(_here())
    if hunt is None:
        raise BughuntError(
            "There is no hunt here: no .bughunt folder in this folder or above it.",
            "Go to your hunt's folder, or run `bughunt start level1` to begin one here.",
        )
    return hunt


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise BughuntError(
            "The current folder does not exist any more.", "Change to one that does."
        ) from None


def _fixed(state: State, bug: str) -> bool:
    return bug in state.bugs and state.bugs[bug].verdict == "fixed"


def _check_document(level: str, verdicts: Sequence[Verdict], seed: int) -> dict[str, Any]:
    return {
        "level": level,
        "verdicts": [
            {
                "bug": one.bug,
                "verdict": one.kind,
                "message": one.message,
                "detail": one.detail,
                "seconds": round(one.seconds, 3),
            }
            for one in verdicts
        ],
        "fixed": sum(one.kind == "fixed" for one in verdicts),
        "total": len(verdicts),
        "seed": seed,
    }


def _all_fixed(hunt: Hunt, as_json: bool) -> None:
    from bughunt import screens
    from bughunt.views import Text

    state = hunt.state()
    _notices(hunt)
    if as_json:
        _print_json({"bug": None, "message": "every bug of this level is fixed"})
    else:
        _show([Text("Every bug of this level is fixed.", "good"), screens.next_step(hunt, state)])


def _notices(hunt: Hunt) -> None:
    """What happened to the state goes to standard error, where no JSON reader trips over it."""
    from bughunt.views import Text

    _show([Text(notice, "warn") for notice in hunt.progress.notices], error=True)
    hunt.progress.notices.clear()


def _show(views: Iterable[View], *, error: bool = False) -> None:
    from bughunt.render import show

    show(views, error=error)


def _show_or_save(views: Sequence[View], path: Path | None, title: str) -> None:
    from bughunt.views import Heading, Text

    if path is None:
        _show([Heading(title), *views])
        return
    from bughunt.render.page import save

    save(views, path, title)
    _show([Text(f"Saved as {path}", "good")])


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))
