"""One player's game: what counts, what still works, and what a kill at any instant leaves."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from waiting import ended, soon

from bughunt.content.catalog import Catalog
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError
from bughunt.hunt import events
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.score import score
from bughunt.judge import Verdict, VerdictKind
from bughunt.workspace.git import apply_patch

TOKENIZER = "nanochat/tokenizer.py"


def again(hunt: Hunt) -> Hunt:
    return Hunt(hunt.folder, hunt.catalog)


def test_a_hunt_is_found_from_below(hunt: Hunt) -> None:
    for folder in (hunt.folder, hunt.folder / "level1", hunt.folder / "level1" / "nanochat"):
        found = Hunt.find(folder)
        assert found is not None
        assert found.folder == hunt.folder
    assert Hunt.find(hunt.folder.parent) is None


def test_starting_again_takes_up_where_it_was(hunt: Hunt) -> None:
    (hunt.folder / "level1" / "note.txt").write_text("mine")
    hunt.hint(hunt.catalog.bug("1.1"))
    started = again(hunt).start("easy")
    assert started.how == "resumed"
    assert (started.workspace / "note.txt").read_text() == "mine"
    assert again(hunt).state().bug("1.1").hints == 1


def test_guided_after_a_plain_start_is_refused(hunt: Hunt) -> None:
    with pytest.raises(BughuntError) as caught:
        hunt.start("1", guided=True)
    assert "--guided --fresh" in caught.value.step


def test_a_start_whose_state_was_lost_is_taken_up(hunt: Hunt) -> None:
    shutil.rmtree(hunt.folder / ".bughunt")
    (hunt.folder / "level1" / "note.txt").write_text("mine")
    started = again(hunt).start("1")
    assert started.how == "resumed"
    assert (started.workspace / "note.txt").read_text() == "mine"


def test_hints_count_until_the_bug_is_fixed(hunt: Hunt) -> None:
    given = [hunt.hint(hunt.catalog.bug("1.1")) for _ in range(5)]
    assert [hint.number if hint else None for hint in given] == [1, 2, 3, 4, None]
    hunt.record(Verdict("1.2", "fixed"), 1)
    bug = hunt.catalog.bug("1.2")
    assert hunt.hint(bug) is None
    assert len(hunt.hints_taken(bug, hunt.state())) == 4
    assert hunt.state().bug("1.2").hints == 0


def test_verdicts_are_counted_and_unknown_ones_change_nothing(hunt: Hunt) -> None:
    hunt.record(Verdict("1.1", "fixed"), 1)
    first = hunt.state().bug("1.1")
    hunt.record(Verdict("1.1", "unknown"), 2)
    assert hunt.state().bug("1.1").fixed
    hunt.record(Verdict("1.1", "broken"), 3)
    after = hunt.state().bug("1.1")
    assert (after.verdict, after.solved_at, after.checks) == ("broken", first.solved_at, 3)
    assert after.solved


def test_a_level_is_completed_once_and_again_after_it_was_broken(hunt: Hunt) -> None:
    def record(bug: str, kind: VerdictKind) -> bool:
        return hunt.record(Verdict(bug, kind), 1)

    assert [record(bug, "fixed") for bug in ("1.1", "1.2", "1.3")] == [False, False, True]
    assert not record("1.3", "fixed")
    assert not record("1.2", "broken")
    assert record("1.2", "fixed")


def test_nothing_gives_a_hint_or_an_opened_solution_back(hunt: Hunt) -> None:
    """A fresh start, a whole reset, a restore, a second start: prices belong to the bug."""
    hunt.hint(hunt.catalog.bug("1.1"))
    for _ in range(2):
        hunt.ask_solution("1.2")
    hunt.record(Verdict("1.3", "fixed"), 1)
    before = hunt.state()
    for step in (
        lambda: hunt.start("level1", fresh=True),
        lambda: hunt.reset(hunt.reset_plan(None)),
        lambda: hunt.start("level1"),
        lambda: hunt.restore(None),
        lambda: shutil.rmtree(hunt.folder / "level1"),
        lambda: hunt.start("level1"),
    ):
        if (hunt.folder / "level1").exists():
            (hunt.folder / "level1" / "note.txt").write_text("mine")
        step()
        state = again(hunt).state()
        assert score(hunt.catalog.levels, state) == score(hunt.catalog.levels, before)
        assert state.bug("1.1").hints == 1
        assert state.bug("1.2").solution_opened == before.bug("1.2").solution_opened
        assert state.bug("1.3").solved
    assert hunt.ask_solution("1.2") is not None, "it was paid for"


def test_resetting_a_bug_says_whom_it_reopens(hunt: Hunt) -> None:
    for bug in ("1.1", "1.2", "1.3"):
        hunt.record(Verdict(bug, "fixed"), 1)
    assert hunt.reset_plan("1.1").reopened == ()
    plan = hunt.reset_plan("1.2")
    assert plan.reopened == ("1.3",)
    hunt.reset(plan)
    assert [hunt.state().bug(bug).verdict for bug in ("1.1", "1.2", "1.3")] == ["fixed", None, None]


def test_a_solution_is_asked_for_twice_and_is_free_once_solved(hunt: Hunt) -> None:
    assert hunt.ask_solution("1.1") is None
    found = hunt.ask_solution("1.1")
    assert found is not None
    assert not found.free
    assert hunt.state().bug("1.1").solution_opened
    hunt.record(Verdict("1.2", "fixed"), 1)
    free = hunt.ask_solution("1.2")
    assert free is not None
    assert free.free
    assert hunt.state().bug("1.2").solution_opened is None


def test_a_solution_repairs_its_bug(hunt: Hunt, tmp_path: Path) -> None:
    hunt.ask_solution("1.1")
    found = hunt.ask_solution("1.1")
    assert found is not None
    patch = tmp_path / "solution.patch"
    patch.write_text(found.diff, encoding="utf-8")
    apply_patch(hunt.folder / "level1", patch)
    assert (hunt.folder / "level1" / TOKENIZER).read_bytes() == (tree_folder() / TOKENIZER).read_bytes()


def test_a_level_and_a_bug_that_are_no_more(hunt: Hunt) -> None:
    """The state names them; the catalog does not."""
    with hunt.store.update() as change:
        change.state.active = "level9"
        change.state.levels["level9"] = change.state.levels["level1"]
        change.note(events.Check(bug="9.1", verdict="fixed", seed=1))
        change.note(events.Hint(bug="1.7", number=4))
    later = again(hunt)
    state = later.state()
    assert later.next_bug(state) is None
    with pytest.raises(BughuntError) as caught:
        later.chosen_bug(None)
    assert "level9" in caught.value.message
    assert "bughunt start level1" in caught.value.step
    assert later.hint(later.catalog.bug("1.1")) is not None
    assert later.start("level1").how == "resumed"
    document = json.loads((hunt.folder / ".bughunt" / "state.json").read_text())
    assert {"9.1", "1.7"} <= later.state().bugs.keys()
    assert "level9" in document["levels"]


@pytest.mark.parametrize("command", ["hint", "check", "reset_plan", "ask_solution"])
def test_a_level_that_has_not_been_started(command: str, tmp_path: Path, level1_only: Catalog) -> None:
    hunt = Hunt(tmp_path, level1_only)
    calls = {
        "hint": lambda: hunt.hint(hunt.catalog.bug("1.1")),
        "check": lambda: hunt.check(["1.1"], 1),
        "reset_plan": lambda: hunt.reset_plan("1.1"),
        "ask_solution": lambda: hunt.ask_solution("1.1"),
    }
    with pytest.raises(BughuntError) as caught:
        calls[command]()
    assert "bughunt start level1" in caught.value.step


def test_checking_records_every_verdict(hunt: Hunt) -> None:
    shutil.copyfile(tree_folder() / TOKENIZER, hunt.folder / "level1" / TOKENIZER)
    seen: list[Verdict] = []
    checked = hunt.check([], 3, seen.append)
    assert seen == checked.verdicts
    assert [verdict.kind for verdict in seen] == ["fixed", "broken", "broken"]
    state = again(hunt).state()
    assert {name: state.bug(name).verdict for name in ("1.1", "1.2", "1.3")} == {
        "1.1": "fixed",
        "1.2": "broken",
        "1.3": "broken",
    }
    assert state.bug("1.1").solved


def test_measured_code_that_garbles_the_state(hunt: Hunt) -> None:
    """The verdict is recorded, and the log still has what was paid."""
    for _ in range(2):
        hunt.hint(hunt.catalog.bug("1.1"))
    with (hunt.folder / "level1" / TOKENIZER).open("a") as file:
        file.write(f"\nopen({str(hunt.folder / '.bughunt' / 'state.json')!r}, 'w').write('garbled')\n")
    later = again(hunt)
    [verdict] = later.check(["1.1"], 3).verdicts
    assert verdict.kind == "broken"
    assert any("state.unusable-" in notice for notice in later.store.notices)
    bug = again(hunt).state().bug("1.1")
    assert (bug.verdict, bug.hints) == ("broken", 2)


_COMMANDS = """
import sys
from pathlib import Path
from bughunt.content.catalog import Catalog, load_catalog
from bughunt.hunt import events
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.score import score
import bughunt.workspace.workspace, bughunt.workspace.rescue, bughunt.workspace.injection
hunt = Hunt(Path(sys.argv[1]), Catalog((load_catalog().level("1"),)))
what = sys.argv[2]
sys.stdout.write("ready\\n"); sys.stdout.flush()
if what == "start": hunt.start("1")
if what == "fresh": hunt.start("1", fresh=True)
if what == "reset": hunt.reset(hunt.reset_plan(None))
if what == "restore": hunt.restore(None)
if what == "hint": hunt.hint(hunt.catalog.bug("1.1"))
if what == "check": hunt.check(["1.1"], 5)
"""


def kill_after(seconds: float, folder: Path, command: str, temporary: Path | None = None) -> None:
    """Runs a command in a process of its own and kills it at that moment, or lets it end before."""
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMANDS, str(folder), command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)} if temporary else None,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def killing_times(count: int, longest: float) -> Sequence[float]:
    """Instants spread over the time a command takes, other ones in each run."""
    rng = random.Random()
    return [rng.uniform(i, i + 1) / count * longest for i in range(count)]


def finish_what_was_cut_short(hunt: Hunt) -> None:
    hunt.state()
    for notice in hunt.store.notices:
        assert "cut short" in notice, notice
        command = notice.split("`")[1].removeprefix("bughunt ").split()
        if command[0] == "reset":
            hunt.reset(hunt.reset_plan(None))
        elif command[0] == "restore":
            hunt.restore(command[1])
        else:
            hunt.start("level1", fresh=True)
    hunt.store.notices.clear()
    hunt.state()
    assert hunt.store.notices == []


def texts(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(path).parts
    }


def kill_starts(count: int, tmp_path: Path, catalog: Catalog) -> None:
    whole = texts(Hunt(_made(tmp_path / "whole"), catalog).start("1").workspace)
    for number, seconds in enumerate(killing_times(count, 0.5)):
        folder = _made(tmp_path / str(number))
        kill_after(seconds, folder, "start")
        workspace = folder / "level1"
        if workspace.exists():
            assert texts(workspace) == whole
            assert (workspace / ".git" / "refs" / "heads" / "main").is_file()
        hunt = Hunt(folder, catalog)
        state = hunt.state()
        assert hunt.store.notices == []
        assert not state.levels or workspace.exists()
        hunt.start("1")
        assert texts(workspace) == whole
        assert hunt.state().active == "level1"
        shutil.rmtree(folder)


def kill_rewrites(count: int, hunt: Hunt) -> None:
    workspace = hunt.folder / "level1"
    start = texts(workspace)
    rng = random.Random()
    for number, seconds in enumerate(killing_times(count, 0.6)):
        mine = {TOKENIZER: b"mine %d\n" % number, "notes/mine.py": b"note %d" % number}
        (workspace / "notes").mkdir(exist_ok=True)
        for name, text in mine.items():
            (workspace / name).write_bytes(text)
        (workspace / "CASE.md").unlink(missing_ok=True)
        before = texts(workspace)
        command = rng.choice(["reset", "fresh"])
        kill_after(seconds, hunt.folder, command)
        later = again(hunt)
        finish_what_was_cut_short(later)
        if texts(workspace) != before:
            assert texts(workspace) == start
            kill_after(rng.uniform(0, 0.6), hunt.folder, "restore")
            later = again(hunt)
            finish_what_was_cut_short(later)
            if texts(workspace) != before:
                later.restore(_rescue_holding(later, mine))
        assert texts(workspace) == before
        again(hunt).reset(hunt.reset_plan(None))
        assert texts(workspace) == start


def _rescue_holding(hunt: Hunt, files: dict[str, bytes]) -> str:
    for rescue in hunt.rescues.all():
        saved = texts(rescue.saved)
        if rescue.whole and all(saved.get(name) == text for name, text in files.items()):
            return rescue.id
    raise AssertionError(f"no rescue holds {files}")


def kill_small_changes(count: int, hunt: Hunt) -> None:
    for seconds in killing_times(count, 0.1):
        hints = again(hunt).state().bug("1.1").hints
        kill_after(seconds, hunt.folder, "hint")
        later = again(hunt)
        assert later.state().bug("1.1").hints in (hints, hints + 1)
        assert later.store.notices == []
        if later.state().bug("1.1").hints == 4:
            shutil.rmtree(hunt.folder / ".bughunt")
            again(hunt).start("1")


def kill_checks(count: int, hunt: Hunt, noted: Path) -> None:
    """Nothing that was measuring lives on, and the state is as it was or has the verdict."""
    with (hunt.folder / "level1" / TOKENIZER).open("a") as file:
        file.write(
            f"\nimport os, time\nopen({str(noted)!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(1)\n"
        )
    for seconds in killing_times(count, 1.5):
        kill_after(seconds, hunt.folder, "check", noted.parent)
        later = again(hunt)
        assert later.state().bug("1.1").verdict in (None, "broken")
        assert later.store.notices == []
    for pid in noted.read_text().split() if noted.exists() else ():
        assert ended(int(pid))
    # What a kill leaves before there is anything to leave behind is an empty folder.
    assert soon(lambda: not list(noted.parent.glob("bughunt-*/*")))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_killed_while_starting(tmp_path: Path, level1_only: Catalog) -> None:
    kill_starts(4, tmp_path, level1_only)


def test_killed_while_rewriting(hunt: Hunt) -> None:
    kill_rewrites(4, hunt)


def test_killed_while_noting(hunt: Hunt) -> None:
    kill_small_changes(4, hunt)


def test_killed_while_checking(hunt: Hunt, tmp_path: Path) -> None:
    kill_checks(2, hunt, _made(tmp_path / "noted") / "pids")


@pytest.mark.soak
def test_killed_many_times(hunt: Hunt, tmp_path: Path, level1_only: Catalog) -> None:
    kill_rewrites(20, hunt)
    kill_small_changes(20, hunt)
    kill_starts(20, _made(tmp_path / "starts"), level1_only)
    kill_checks(5, hunt, _made(tmp_path / "noted") / "pids")


@pytest.mark.parametrize("between", ["a hint", "a check", "a fresh start"])
def test_asking_for_a_solution_counts_only_twice_in_a_row(between: str, hunt: Hunt) -> None:
    hunt.ask_solution("1.1")
    if between == "a hint":
        hunt.hint(hunt.catalog.bug("1.1"))
    elif between == "a check":
        hunt.record(Verdict("1.1", "broken"), 1)
    else:
        hunt.start("level1", fresh=True)
    assert hunt.ask_solution("1.1") is None
    assert hunt.ask_solution("1.1") is not None


def test_restoring_twice_sets_nothing_aside(hunt: Hunt) -> None:
    (hunt.folder / "level1" / "nanochat" / "mine.py").write_text("mine\n")
    hunt.reset(hunt.reset_plan(None))
    assert hunt.restore(None).overwritten is None
    assert hunt.restore(None).overwritten is None
    assert len(hunt.rescues.all()) == 1


def test_a_workspace_without_a_record_is_taken_up_and_said(hunt: Hunt) -> None:
    shutil.rmtree(hunt.folder / ".bughunt")
    later = again(hunt)
    later.start("level1")
    [notice] = later.store.notices
    assert "no record" in notice


@pytest.mark.parametrize("kind", ["a file", "a link to nothing"])
def test_what_stands_in_the_place_of_a_workspace_is_named(kind: str, hunt: Hunt) -> None:
    (hunt.folder / "level1" / "nanochat" / "mine.py").write_text("mine\n")
    hunt.reset(hunt.reset_plan(None))
    path = hunt.folder / "level1"
    shutil.rmtree(path)
    path.write_text("mine") if kind == "a file" else path.symlink_to("nowhere")
    for command in (
        lambda: hunt.reset_plan(None),
        lambda: hunt.check(["1.1"], 1),
        lambda: hunt.restore(None),
        lambda: hunt.start("level1"),
    ):
        with pytest.raises(BughuntError, match="in the way"):
            command()
