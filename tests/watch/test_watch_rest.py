"""What must still hold besides, in a watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from watching import ScriptedJudge, Watcher

from bughunt.content.clauses import load_clauses
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.rest import Rest
from bughunt.judge.contract import Regression
from bughunt.watch.drawing import bug_lines
from bughunt.watch.events import Check
from bughunt.watch.scene import bug_page, rest_line

CLAUSE = next(clause for clause in load_clauses() if clause.slug == "model-logits")
TITLE = CLAUSE.card.title

Watch = Callable[..., Watcher]


def edit(hunt: Hunt) -> Path:
    """A change to the model that is neither the level's nor the clean tree's."""
    file = hunt.folder / "level1" / "nanochat/gpt.py"
    file.write_text(file.read_text() + "# mine\n")
    return file


def fix_all(judge: ScriptedJudge) -> None:
    judge.kinds = dict.fromkeys(("1.1", "1.2", "1.3"), "fixed")


def test_the_rest_is_judged_after_the_bugs(hunt: Hunt, judge: ScriptedJudge, watch: Watch) -> None:
    edit(hunt)
    watcher = watch()
    watcher.settle(3)
    [(clauses, seed)] = judge.contract.asked
    assert clauses == (CLAUSE.slug,)
    assert seed == judge.seeds[-1][1]
    assert rest_line(watcher.audience.scene) == "the rest: as it was"


def test_nothing_is_asked_of_an_untouched_workspace(hunt: Hunt, judge: ScriptedJudge, watch: Watch) -> None:
    watcher = watch()
    watcher.settle(3)
    assert judge.contract.asked == []
    assert rest_line(watcher.audience.scene) == "the rest: as it was"


def test_a_regression_is_shown_and_the_level_is_not_complete(
    hunt: Hunt, judge: ScriptedJudge, watch: Watch
) -> None:
    fix_all(judge)
    judge.contract.broken[CLAUSE.slug] = "0: 1, where the clean code has 2"
    edit(hunt)
    watcher = watch()
    watcher.settle(3)
    scene = watcher.audience.scene
    assert TITLE in rest_line(scene) and TITLE in bug_lines(scene, 0, 0).plain
    page = str(bug_page(scene.rows[0], scene))
    assert "where the clean code has 2" in page and "n goes on" not in page
    assert watcher.audience.pages == []
    assert hunt.state().regressions("level1") == (CLAUSE.slug,)

    judge.contract.broken.clear()
    page_after = watcher.page_after(lambda: watcher.session.post(Check()))
    assert "Debrief" in str(page_after.views)
    watcher.settle(6)
    assert rest_line(watcher.audience.scene) == "the rest: as it was"


def test_a_save_while_the_rest_is_asked_begins_anew(hunt: Hunt, judge: ScriptedJudge, watch: Watch) -> None:
    edit(hunt)
    judge.contract.hangs = True
    watcher = watch()
    watcher.audience.until(lambda: len(judge.contract.asked) == 1)
    judge.contract.hangs = False
    edit(hunt)
    watcher.audience.until(lambda: len(judge.contract.asked) == 2)
    watcher.settle(6)
    first, second = (seed for _, seed in judge.contract.asked)
    assert first != second


def test_what_was_owed_is_asked_of_the_clean_tree_ahead(
    hunt: Hunt, judge: ScriptedJudge, watch: Watch
) -> None:
    """By the seed of the next judging, once it is known what is owed."""
    edit(hunt)
    watcher = watch()
    watcher.settle(3)
    watcher.session.post(Check())
    watcher.settle(6)
    watcher.audience.until(lambda: bool(judge.contract.asked_ahead))
    [(slug, ahead)] = judge.contract.asked_ahead
    watcher.session.post(Check())
    watcher.settle(9)
    assert slug == CLAUSE.slug and judge.contract.asked[-1][1] == ahead


def test_trouble_is_told(hunt: Hunt, judge: ScriptedJudge, watch: Watch) -> None:
    watcher = watch()
    watcher.settle(3)
    scene = watcher.audience.scene
    assert "no disk" in rest_line(replace(scene, rest=Rest(trouble="no disk")))
    broken = Rest((CLAUSE.slug,), (Regression(CLAUSE.slug, TITLE, "x"),))
    assert TITLE in rest_line(replace(scene, rest=broken, broken=(TITLE,)))
