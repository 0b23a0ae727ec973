"""What happens in a watch, with a judge that says what it is told to say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from watching import PATIENCE_SECONDS, ScriptedJudge, Watcher

from bughunt.content.level import Bug
from bughunt.hunt.hunt import Hunt
from bughunt.judge.verdict import Verdict
from bughunt.render import plain
from bughunt.watch.events import Check, Look, Saved, Show, StartLevel, TakeHint
from bughunt.watch.scene import Failed, Page

Watch = Callable[..., Watcher]


def text(page: Page) -> str:
    drawn = plain.draw(page.views, 80)
    return drawn + "".join(f"[{choice.key}] {choice.label}\n" for choice in page.choices)


def saves(hunt: Hunt, name: str, line: str) -> None:
    """Adds a line to a file of the workspace, as a player would save it."""
    path = hunt.folder / "level1" / name
    path.write_text(path.read_text() + line + "\n")


def solve_all(watcher: Watcher) -> None:
    watcher.judge.kinds = {bug.id: "fixed" for bug in watcher.bugs}
    watcher.session.post(Check())
    watcher.audience.until(lambda: watcher.audience.at_rest() and set(watcher.audience.kinds) == {"fixed"})


def test_everything_is_judged_at_the_start(watch: Watch) -> None:
    watcher = watch()
    watcher.settle(3)
    assert watcher.judge.asked == [bug.id for bug in watcher.bugs]
    assert watcher.audience.kinds == ["broken"] * 3
    assert [watcher.checks(bug) for bug in watcher.bugs] == [1, 1, 1]


def test_the_clean_trees_answers_to_the_next_questions_are_measured_meanwhile(
    watch: Watch, hunt: Hunt
) -> None:
    watcher = watch()
    judge = watcher.judge
    watcher.settle(3)
    assert all(judge.went_ahead.acquire(timeout=PATIENCE_SECONDS) for _ in range(3))
    ahead = set(judge.seeds_ahead)
    assert ahead.isdisjoint(judge.seeds)
    saves(hunt, watcher.bugs[0].files[0], "# an edit")
    watcher.settle(6)
    assert set(judge.seeds[3:]) == ahead


def test_bugs_of_the_saved_file_are_judged_first(watch: Watch, hunt: Hunt) -> None:
    watcher = watch()
    watcher.settle(3)
    watcher.judge.asked.clear()
    saves(hunt, watcher.bugs[2].files[0], "# an edit")
    watcher.settle(3)
    own = [bug.id for bug in watcher.bugs if bug.files == watcher.bugs[2].files]
    others = [bug.id for bug in watcher.bugs if bug.id not in own]
    assert own and others
    assert watcher.judge.asked == own + others


def test_of_those_the_one_looked_at_comes_first(watch: Watch, hunt: Hunt) -> None:
    watcher = watch()
    watcher.settle(3)
    watcher.session.post(Look(watcher.bugs[2]))
    watcher.judge.asked.clear()
    saves(hunt, watcher.bugs[2].files[0], "# an edit")
    watcher.settle(3)
    assert watcher.judge.asked[0] == watcher.bugs[2].id
    assert len(set(watcher.judge.asked)) == 3


def test_a_save_supersedes_the_check_that_runs(watch: Watch, hunt: Hunt, judge: ScriptedJudge) -> None:
    judge.hangs = {"1.2"}
    watcher = watch()
    watcher.audience.until(lambda: judge.asked == ["1.1", "1.2"])
    judge.hangs = set()
    saves(hunt, watcher.bugs[1].files[0], "# an edit")
    watcher.settle(5)
    assert watcher.checks(watcher.bugs[1]) == 1
    assert watcher.audience.kinds == ["broken"] * 3


def test_a_verdict_on_code_that_has_changed_meanwhile_is_not_recorded(
    watch: Watch, judge: ScriptedJudge
) -> None:
    """The save arrives after the measurement and before its verdict."""
    watchers: list[Watcher] = []

    def save_meanwhile(bug: Bug, _: Path) -> None:
        if bug.id == "1.1" and judge.asked.count("1.1") == 2:
            watchers[0].session.post(Saved(frozenset(bug.files)))
            judge.kinds["1.2"] = "fixed"

    watchers.append(watch())
    watchers[0].settle(3)
    judge.before = save_meanwhile
    watchers[0].session.post(Check())
    watchers[0].audience.until(
        lambda: (
            judge.asked.count("1.1") == 3
            and watchers[0].audience.at_rest()
            and watchers[0].audience.kinds == ["broken", "fixed", "broken"]
        )
    )
    assert watchers[0].checks(watchers[0].bugs[0]) == 2


def test_a_thousand_saves_in_a_burst(watch: Watch, hunt: Hunt, judge: ScriptedJudge) -> None:
    """Each verdict is on the code as it is then, and the last on the last of the saves."""
    watcher = watch()
    watcher.settle(3)
    path = hunt.folder / "level1" / watcher.bugs[0].files[0]

    def judge_the_text(bug: Bug, workspace: Path) -> None:
        judge.kinds["1.1"] = "fixed" if path.read_text() == "# save 999\n" else "broken"

    judge.before = judge_the_text
    for number in range(1000):
        path.write_text(f"# save {number}\n")
    watcher.audience.until(
        lambda: watcher.audience.at_rest() and watcher.audience.kinds == ["fixed", "broken", "broken"]
    )
    assert watcher.audience.scene.saves < 1000


def test_a_fix_is_shown_and_nothing_else_is_opened(watch: Watch, hunt: Hunt, judge: ScriptedJudge) -> None:
    watcher = watch()
    watcher.settle(3)
    judge.kinds = {"1.2": "fixed"}
    saves(hunt, watcher.bugs[1].files[0], "# the fix")
    watcher.audience.until(lambda: watcher.audience.kinds == ["broken", "fixed", "broken"])
    assert not any(isinstance(what, Page) for what in watcher.audience.heard)


def test_the_last_fix_brings_the_debrief_once(watch: Watch) -> None:
    watcher = watch()
    watcher.settle(3)
    assert "Debrief" in text(watcher.page_after(lambda: solve_all(watcher)))
    watcher.session.post(Check())
    watcher.settle(9)
    assert sum("Debrief" in text(what) for what in watcher.audience.heard if isinstance(what, Page)) == 1


def test_a_judge_that_cannot_work_is_unknown_and_takes_no_verdict_away(
    watch: Watch, judge: ScriptedJudge
) -> None:
    watcher = watch()
    watcher.settle(3)
    judge.kinds = {"1.1": "unknown"}
    watcher.session.post(Check())
    watcher.settle(6)
    assert watcher.audience.kinds == ["unknown", "broken", "broken"]
    assert watcher.hunt.state().bug("1.1").verdict == "broken"


class TestManual:
    def test_nothing_is_judged_until_the_key(self, watch: Watch, hunt: Hunt, judge: ScriptedJudge) -> None:
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        saves(hunt, watcher.bugs[0].files[0], "# an edit")
        watcher.audience.until(lambda: watcher.audience.scene.unchecked)
        assert judge.asked == []
        watcher.session.post(Check())
        watcher.settle(3)
        assert not watcher.audience.scene.unchecked

    def test_a_save_during_a_check_has_it_begin_again(
        self, watch: Watch, hunt: Hunt, judge: ScriptedJudge
    ) -> None:
        judge.hangs = {"1.1"}
        watcher = watch(manual=True)
        watcher.session.post(Check())
        watcher.audience.until(lambda: judge.asked == ["1.1"])
        judge.hangs = set()
        saves(hunt, watcher.bugs[0].files[0], "# an edit")
        watcher.settle(4)
        assert [watcher.checks(bug) for bug in watcher.bugs] == [1, 1, 1]


class TestAccidents:
    def test_the_workspace_deleted_under_it(self, watch: Watch, hunt: Hunt, tmp_path: Path) -> None:
        watcher = watch()
        watcher.settle(3)
        shutil.copytree(hunt.folder / "level1", tmp_path / "kept")
        shutil.rmtree(hunt.folder / "level1")
        watcher.audience.until(
            lambda: any("bughunt start level1" in line for line in watcher.audience.scene.warnings)
        )
        watcher.judge.kinds = {"1.1": "fixed"}
        shutil.copytree(tmp_path / "kept", hunt.folder / "level1")
        watcher.audience.until(lambda: watcher.audience.kinds[0] == "fixed" and watcher.audience.at_rest())
        assert watcher.audience.scene.warnings == ()

    def test_the_state_garbled_under_it(self, watch: Watch, hunt: Hunt) -> None:
        watcher = watch()
        watcher.settle(3)
        (hunt.folder / ".bughunt/state.json").write_bytes(b"{\0\0")
        watcher.audience.until(lambda: any("state" in line for line in watcher.audience.scene.warnings))
        watcher.session.post(Check())
        watcher.settle(6)
        assert watcher.audience.kinds == ["broken"] * 3

    def test_another_command_changes_the_state(self, watch: Watch, hunt: Hunt) -> None:
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        Hunt(hunt.folder).record(Verdict("1.3", "crashed"), 1, "")
        watcher.audience.until(lambda: watcher.audience.kinds == [None, None, "crashed"])

    def test_no_more_events(self, watch: Watch, hunt: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
        watcher = watch()
        watcher.settle(3)
        assert any("Polling" in line for line in watcher.audience.scene.warnings)
        saves(hunt, watcher.bugs[0].files[0], "# an edit")
        watcher.settle(6)

    def test_an_error_of_our_own_ends_it_and_is_told(self, watch: Watch, judge: ScriptedJudge) -> None:
        def stumble(bug: Bug, _: Path) -> None:
            raise ZeroDivisionError("of our own")

        judge.before = stumble
        watcher = watch()
        watcher.audience.until(lambda: any(isinstance(what, Failed) for what in watcher.audience.heard))

    def test_closing_ends_a_check_that_hangs(self, watch: Watch, judge: ScriptedJudge) -> None:
        judge.hangs = {"1.1"}
        watcher = watch()
        watcher.audience.until(lambda: judge.asked == ["1.1"])
        watcher.session.close()
        assert watcher.hunt.state().bugs == {}


class TestKeys:
    def test_hints_come_one_at_a_time_and_only_when_wanted(self, watch: Watch) -> None:
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        bug = watcher.bugs[0]
        hints = [" ".join(hint.split()) for hint in bug.card.hints]

        def shown(page: Page) -> str:
            return " ".join(text(page).split())

        first = watcher.page_after(lambda: watcher.session.post(Show("hint", bug)))
        assert hints[0] in shown(first) and not first.choices
        again = watcher.page_after(lambda: watcher.session.post(Show("hint", bug)))
        assert hints[0] in shown(again) and hints[1] not in shown(again)
        assert watcher.hunt.state().bug(bug.id).hints == 1
        (choice,) = again.choices
        assert choice.event == TakeHint(bug)
        second = watcher.page_after(lambda: watcher.session.post(choice.event))
        assert hints[1] in shown(second)
        assert watcher.hunt.state().bug(bug.id).hints == 2

    def test_the_probe_uses_the_open_judge(self, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Hunt, "probe", lambda *_: pytest.fail("a judge of its own"))
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        page = watcher.page_after(lambda: watcher.session.post(Show("probe", watcher.bugs[0])))
        assert "Measuring" in text(page)
        watcher.audience.until(lambda: "Measuring" not in text(watcher.audience.page))
        # The scripted measurement is of no kind that a probe could draw.
        assert "1.1 could not be measured." in text(watcher.audience.page)

    def test_the_diff_is_of_the_edits(self, watch: Watch, hunt: Hunt) -> None:
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        nothing = watcher.page_after(lambda: watcher.session.post(Show("diff", watcher.bugs[0])))
        assert "nothing is edited" in text(nothing)
        saves(hunt, "nanochat/gpt.py", "# an edit")
        page = watcher.page_after(lambda: watcher.session.post(Show("diff", watcher.bugs[0])))
        assert "+++ b/nanochat/gpt.py" in text(page) and "+# an edit" in text(page)
        assert "dataloader" not in text(page)

    def test_reset_asks_first_and_says_how_it_comes_back(self, watch: Watch, hunt: Hunt) -> None:
        watcher = watch()
        watcher.settle(3)
        bug = watcher.bugs[0]
        saves(hunt, bug.files[0], "# an edit")
        watcher.settle(6)
        edited = (hunt.folder / "level1" / bug.files[0]).read_text()
        page = watcher.page_after(lambda: watcher.session.post(Show("reset", bug)))
        for said in (bug.files[0], ".bughunt/rescues", "bughunt restore"):
            assert said in text(page)
        assert (hunt.folder / "level1" / bug.files[0]).read_text() == edited
        one, every = page.choices
        assert bug.id in one.label and "level1" in every.label
        done = watcher.page_after(lambda: watcher.session.post(one.event))
        (rescue,) = hunt.rescues.all()
        assert f"bughunt restore {rescue.id}" in text(done)
        saves_seen = watcher.audience.scene.saves
        watcher.settle(9)
        assert watcher.audience.scene.saves == saves_seen, "the reset's own changes are no save"
        hunt.restore(None)
        assert (hunt.folder / "level1" / bug.files[0]).read_text() == edited

    def test_reset_of_an_unedited_level_has_nothing_to_ask(self, watch: Watch) -> None:
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        page = watcher.page_after(lambda: watcher.session.post(Show("reset", watcher.bugs[0])))
        assert not page.choices and "nothing is edited" in text(page)

    def test_the_solution_waits_for_the_fix(self, watch: Watch, hunt: Hunt) -> None:
        watcher = watch()
        watcher.settle(3)
        bug = watcher.bugs[0]
        for _ in range(2):
            page = watcher.page_after(lambda: watcher.session.post(Show("solution", bug)))
            assert "not fixed yet" in text(page)
        assert not hunt.state().bug(bug.id).solution_asked
        solve_all(watcher)
        page = watcher.page_after(lambda: watcher.session.post(Show("solution", bug)))
        assert "--- a/" in text(page)
        assert hunt.state().bug(bug.id).solution_opened is None

    def test_the_next_level_starts_when_this_one_is_done(self, watch: Watch, hunt: Hunt) -> None:
        if len(hunt.catalog.levels) < 2:
            pytest.skip("there is only one level")
        watcher = watch()
        watcher.settle(3)
        following = hunt.catalog.levels[1]
        page = watcher.page_after(lambda: watcher.session.post(Show("next", watcher.bugs[0])))
        (choice,) = page.choices
        assert "not fixed" in text(page) and choice.event == StartLevel(following)
        assert not (hunt.folder / following.id).exists()
        solve_all(watcher)
        watcher.session.post(Show("next", watcher.bugs[0]))
        watcher.audience.until(lambda: watcher.audience.scene.level is following)
        watcher.settle()
        assert hunt.state().active == following.id
        asked = len(watcher.judge.asked)
        bug = following.bugs[0]
        path = hunt.folder / following.id / bug.files[0]
        path.write_text(path.read_text() + "# an edit\n")
        watcher.settle(asked + len(following.bugs))
        assert watcher.judge.asked[asked] == bug.id

    def test_the_last_level_has_no_next(self, watch: Watch, hunt: Hunt) -> None:
        last = hunt.catalog.levels[-1]
        if last.id != "level1":
            hunt.start(last.id)
        watcher = watch(manual=True)
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        page = watcher.page_after(lambda: watcher.session.post(Show("next", watcher.bugs[0])))
        assert "last level" in text(page)


def test_a_hunt_that_cannot_be_written_to(
    hunt: Hunt, watch: Callable[..., Watcher], judge: ScriptedJudge
) -> None:
    """Every bug is judged, and every verdict shown, with a word on what is not recorded."""
    folder = hunt.folder / ".bughunt"
    folder.rename(hunt.folder / "moved")
    folder.symlink_to("moved")
    judge.kinds["1.2"] = "fixed"
    watcher = watch()
    watcher.settle(3)
    assert watcher.audience.kinds == ["broken", "fixed", "broken"]
    assert [row.verdict.kind for row in watcher.audience.scene.rows if row.verdict] == [
        "broken",
        "fixed",
        "broken",
    ]
    assert "was not recorded" in watcher.audience.scene.warnings[0]
    assert watcher.checks(watcher.bugs[0]) == 0
