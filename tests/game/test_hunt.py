"""One player's game: what counts, and what still works."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from editing import TOKENIZER, again

from bughunt.content.catalog import Catalog
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError
from bughunt.hunt import events
from bughunt.hunt.edits import files_hash
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.rest import Rest
from bughunt.hunt.score import score
from bughunt.judge import Judge, Verdict, VerdictKind
from bughunt.judge.contract import Regression
from bughunt.measure.measurer import Measurer
from bughunt.workspace.patches import apply_patch


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
    hunt.record(Verdict("1.2", "fixed"), 1, "")
    bug = hunt.catalog.bug("1.2")
    assert hunt.hint(bug) is None
    assert len(hunt.hints_taken(bug, hunt.state())) == 4
    assert hunt.state().bug("1.2").hints == 0


def test_verdicts_are_counted_and_unknown_ones_change_nothing(hunt: Hunt) -> None:
    hunt.record(Verdict("1.1", "fixed"), 1, "")
    first = hunt.state().bug("1.1")
    hunt.record(Verdict("1.1", "unknown"), 2, "")
    assert hunt.state().bug("1.1").fixed
    hunt.record(Verdict("1.1", "broken"), 3, "")
    after = hunt.state().bug("1.1")
    assert (after.verdict, after.solved_at, after.checks) == ("broken", first.solved_at, 3)
    assert after.solved


def test_a_level_is_complete_with_all_bugs_fixed_and_nothing_broken_besides(hunt: Hunt) -> None:
    level = hunt.catalog.levels[0]
    regression = Rest(("model-logits",), (Regression("model-logits", "What the model says", "0"),))

    def complete(bug: str, kind: VerdictKind, rest: Rest = Rest()) -> bool:
        hunt.record(Verdict(bug, kind), 1, "")
        return hunt.record_rest(level, rest, 1, "")

    assert [complete(bug, "fixed") for bug in ("1.1", "1.2", "1.3")] == [False, False, True]
    assert not complete("1.2", "broken")
    assert complete("1.2", "fixed")
    assert not complete("1.2", "fixed", regression)
    assert again(hunt).state().regressions("level1") == ("model-logits",)
    assert not complete("1.2", "fixed", Rest(trouble="no disk"))
    assert complete("1.2", "fixed")


def test_nothing_gives_a_hint_or_an_opened_solution_back(hunt: Hunt) -> None:
    """A fresh start, a whole reset, a restore, a second start: prices belong to the bug."""
    hunt.hint(hunt.catalog.bug("1.1"))
    for _ in range(2):
        hunt.ask_solution("1.2")
    hunt.record(Verdict("1.3", "fixed"), 1, "")
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
        hunt.record(Verdict(bug, "fixed"), 1, "")
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
    hunt.record(Verdict("1.2", "fixed"), 1, "")
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


def test_measured_code_that_garbles_the_state(hunt: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing holds it: the verdict is recorded, and the log still has what was paid."""

    def unconfined(*_: object, **__: object) -> Judge:
        return Judge(tree_folder(), Measurer(confinement="none"))

    monkeypatch.setattr("bughunt.hunt.judging.open_judge", unconfined)
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


def test_code_that_removes_itself_while_it_is_measured(hunt: Hunt) -> None:
    """The log has the hash of what was judged, not of what that has made of itself."""
    file = hunt.folder / "level1" / TOKENIZER
    before = file.read_text()
    file.write_text(f"{before}\nopen(__file__, 'w').write({before!r})\n")
    judged = files_hash(hunt.folder / "level1")
    hunt.check(["1.1"], 3)
    assert f'"files":"{judged}"' in hunt.store.log.path.read_text().splitlines()[-2]
    assert file.read_text() == before


@pytest.mark.parametrize("between", ["a hint", "a check", "a fresh start"])
def test_asking_for_a_solution_counts_only_twice_in_a_row(between: str, hunt: Hunt) -> None:
    hunt.ask_solution("1.1")
    if between == "a hint":
        hunt.hint(hunt.catalog.bug("1.1"))
    elif between == "a check":
        hunt.record(Verdict("1.1", "broken"), 1, "")
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
