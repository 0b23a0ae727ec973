"""What must still hold besides: which clauses are owed, and what is said of those that are broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Player
from editing import again

from bughunt.content.breaks import Breaks, read_breaks, tree_hashes
from bughunt.content.catalog import load_catalog
from bughunt.content.clauses import load_clauses
from bughunt.content.installed import tree_folder
from bughunt.content.tree import tree_files
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.rest import Owing, Terms
from bughunt.judge import Judge
from bughunt.judge.contract import Contract
from bughunt.measure.measurer import Measurer
from bughunt.measure.outcomes import Limits

pytestmark = pytest.mark.few(9, together=True)

CLAUSE = "model-logits"
TITLE = next(clause.card.title for clause in load_clauses() if clause.slug == CLAUSE)
MODEL = "nanochat/gpt.py"


def repair(workspace: Path) -> None:
    """Makes the workspace the clean tree."""
    for file in tree_files(tree_folder()):
        shutil.copyfile(tree_folder() / file, workspace / file)


def break_the_model(workspace: Path) -> None:
    """Something that no check of level 1 looks at."""
    file = workspace / MODEL
    text = file.read_text()
    assert text.count("F.relu(x).square()") == 1
    file.write_text(text.replace("F.relu(x).square()", "F.relu(x)"))


@pytest.fixture
def workspace(player: Player) -> Path:
    assert player.run("start", "level1").code == 0
    return player.folder / "level1"


def test_a_repair_that_breaks_something_else_is_none(player: Player, workspace: Path) -> None:
    repair(workspace)
    break_the_model(workspace)
    ran = player.run("check")
    assert ran.code == 1
    assert "3 of 3 fixed." in ran.out
    assert f"no longer as it was: {TITLE}" in ran.out
    assert "where the clean code has" in " ".join(ran.out.split())
    assert "Debrief" not in ran.out
    status = player.run("status")
    assert TITLE in status.out and "bughunt start level2" not in status.out
    assert TITLE in player.run("debrief").out
    repair(workspace)
    ran = player.run("check")
    assert ran.code == 0
    assert "the rest: as it was" in ran.out and "Debrief" in ran.out
    assert TITLE not in player.run("status").out


def test_it_is_told_to_machines(player: Player, workspace: Path) -> None:
    repair(workspace)
    break_the_model(workspace)
    ran = player.run("check", "1.1", "--json", "--seed", "5")
    assert ran.code == 1
    found = json.loads(ran.out)
    [regression] = found["regressions"]
    assert (found["rest"], found["completed"], found["fixed"]) == ("broken", False, 1)
    assert (regression["clause"], regression["title"]) == (CLAUSE, TITLE)
    [level] = json.loads(player.run("status", "--json").out)["levels"]
    assert level["regressions"] == [{"clause": CLAUSE, "title": TITLE}] and not level["complete"]
    [level] = json.loads(player.run("debrief", "--json").out)["levels"]
    assert level["regressions"] == [{"clause": CLAUSE, "title": TITLE}]


def test_a_chosen_seed_does_not_foretell_what_the_rest_is_asked(
    player: Player, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repair(workspace)
    break_the_model(workspace)
    asked: list[int] = []
    kept = Contract.kept

    def noted(self: Contract, clauses: object, folder: Path, seed: int, *rest: object) -> object:
        asked.append(seed)
        return kept(self, clauses, tree_folder() if seed == 5 else folder, seed)  # type: ignore[arg-type]

    monkeypatch.setattr(Contract, "kept", noted)
    ran = player.run("check", "1.1", "--seed", "5")
    assert asked[0] == 5 and len(asked) == 2
    assert TITLE in ran.out


@pytest.mark.parametrize("undo", ["reset", "start level1 --fresh", "restore"])
def test_after_files_are_put_back_nothing_is_known_to_be_broken(
    player: Player, workspace: Path, undo: str
) -> None:
    if undo == "restore":
        (workspace / MODEL).write_text((workspace / MODEL).read_text() + "# mine\n")
        player.run("reset")
    break_the_model(workspace)
    assert TITLE in player.run("check", "1.1").out
    assert TITLE in player.run("status").out
    assert player.run(*undo.split()).code == 0
    assert TITLE not in player.run("status").out


def test_nothing_is_owed_where_code_is_as_the_level_starts_or_as_the_clean_tree(
    hunt: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Contract, "measured", None)
    assert hunt.check(["1.1"], 1).rest.asked == ()
    repair(hunt.folder / "level1")
    checked = hunt.check([], 1)
    assert checked.completed and checked.rest.asked == ()


def test_a_level_is_completed_once_and_again_after_it_was_broken(hunt: Hunt) -> None:
    repair(hunt.folder / "level1")
    assert hunt.check([], 1).completed
    assert not hunt.check([], 2).completed
    break_the_model(hunt.folder / "level1")
    checked = hunt.check([], 3)
    assert checked.all_fixed and not checked.all_well and not checked.completed
    repair(hunt.folder / "level1")
    assert hunt.check(["1.3"], 4).completed


def test_what_changed_is_neither_as_the_start_nor_as_the_clean_tree(hunt: Hunt) -> None:
    workspace = hunt.folder / "level1"
    started = hunt.started(hunt.catalog.levels[0])
    owing = Owing(Terms(), started)
    repair(workspace)
    assert owing.changed_files(started) == set()
    (workspace / "nanochat/engine.py").unlink()
    (workspace / "nanochat/mine.py").write_text("")
    break_the_model(workspace)
    assert owing.changed_files(started) == {"nanochat/engine.py", "nanochat/mine.py", MODEL}


def test_which_clauses_are_owed() -> None:
    clauses = {clause.slug: clause for clause in load_clauses()}
    one, two, three = list(clauses.values())[:3]
    breaks = Breaks(
        tree={"a.py": "", "b.py": "", "c.py": ""},
        touches={one.slug: ("a.py", "c.py"), two.slug: ("a.py", "b.py", "c.py"), three.slug: ("c.py",)},
        bugs={"1.1": (two.slug,)},
    )

    def owed(unrepaired: set[str], changed: set[str]) -> list[str]:
        return [clause.slug for clause in breaks.owed([one, two, three], unrepaired, changed)]

    assert owed(set(), {"a.py"}) == [one.slug, two.slug]
    assert owed({"1.1"}, {"a.py"}) == [one.slug]
    assert owed({"1.2"}, {"b.py"}) == [two.slug]
    assert owed({"1.2"}, {"b.py", "c.py"}) == [three.slug, one.slug, two.slug], "the most telling first"
    assert owed(set(), set()) == owed(set(), {"NOTES.md"}) == []
    assert owed(set(), {"new.py"}) == [three.slug, one.slug, two.slug]


@pytest.fixture
def other_clean_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Has the game use a copy of the clean tree, with more at the end of a file."""
    tree = tmp_path / "clean" / "nanochat"
    shutil.copytree(tree_folder(), tree)

    def change(file: str, more: str) -> None:
        with (tree / file).open("a") as text:
            text.write(more)
        monkeypatch.setattr("bughunt.hunt.rest.tree_folder", lambda: tree)
        monkeypatch.setattr("bughunt.hunt.judging.tree_folder", lambda: tree)

    return change


def test_a_clean_tree_that_is_not_the_releases_decides_nothing(
    player: Player, workspace: Path, other_clean_tree: Callable[[str, str], None]
) -> None:
    other_clean_tree("nanochat/common.py", "\n# another\n")
    break_the_model(workspace)
    ran = player.run("check", "1.1")
    assert ran.code == 3
    assert "the rest: unknown" in ran.out and "nanochat/common.py" in " ".join(ran.out.split())
    assert not json.loads(player.run("status", "--json").out)["levels"][0]["complete"]


@pytest.mark.parametrize("text", [None, "{", '{"tree": 1}'], ids=["missing", "garbled", "wrong"])
def test_figures_that_cannot_be_read_decide_nothing(
    player: Player, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "breaks.json").write_text(text)
    monkeypatch.setattr("bughunt.content.breaks.contract_folder", lambda: tmp_path)
    ran = player.run("check", "1.1")
    assert ran.code == 3
    assert "the rest: unknown" in ran.out and "breaks.json" in ran.out


def test_code_that_cannot_be_imported_is_said_once(player: Player, workspace: Path) -> None:
    (workspace / MODEL).write_text("raise ValueError('no')\n")
    ran = player.run("check", "1.1")
    assert ran.code == 1
    assert ran.out.count("The code raised ValueError: no") == 1


def test_code_that_ends_the_process_is_a_regression(hunt: Hunt) -> None:
    file = hunt.folder / "level1" / MODEL
    file.write_text(file.read_text() + "\nimport os; os._exit(0)\n")
    [regression] = hunt.check(["1.1"], 1).rest.regressions
    assert "ended the process" in regression.message


@pytest.mark.soak
def test_code_that_hangs_where_several_are_asked_is_not_taken_for_right(
    hunt: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone it does what it should."""
    some = [clause for clause in load_clauses() if clause.slug in (CLAUSE, "model-loss", "model-shape")]
    monkeypatch.setattr("bughunt.hunt.rest.load_clauses", lambda: some)
    monkeypatch.setattr("bughunt.judge.contract._SECONDS_MORE", 0.0)
    monkeypatch.setattr("bughunt.hunt.judging.open_judge", _impatient_judge)
    file = hunt.folder / "level1" / MODEL
    file.write_text(file.read_text() + HANGS_AMONG_OTHERS)
    checked = hunt.check(["1.1"], 1)
    assert not checked.rest.as_it_was and checked.undecided
    assert "hangs" in checked.rest.trouble


HANGS_AMONG_OTHERS = """
import sys, time
frame = sys._getframe()
while frame is not None and "request" not in frame.f_locals:
    frame = frame.f_back
while frame is not None and len(frame.f_locals["request"]["parts"]) > 1:
    time.sleep(0.1)
"""


def _impatient_judge(*_: object, **__: object) -> Judge:
    return Judge(tree_folder(), Measurer(), limits=Limits(seconds=4.0))


def test_a_regression_is_in_the_log(hunt: Hunt) -> None:
    break_the_model(hunt.folder / "level1")
    hunt.check(["1.1"], 9)
    last = json.loads(hunt.store.log.path.read_text().splitlines()[-1])
    assert (last["event"], last["broken"], last["asked"], last["seed"]) == ("rest", [CLAUSE], 1, 9)
    assert again(hunt).state().regressions("level1") == (CLAUSE,)


def test_what_differs_once_and_not_again_is_no_regression(
    hunt: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again, in a process of its own, the code does what the clean code does."""
    monkeypatch.setattr(Contract, "_alone", _clean_again)
    break_the_model(hunt.folder / "level1")
    assert hunt.check(["1.1"], 1).rest.as_it_was


def _clean_again(contract: Contract, clause: object, _: Path, seed: int, stop: object) -> object:
    [outcome] = contract.measured([clause], tree_folder(), seed).values()  # type: ignore[list-item]
    return outcome


def test_the_figures_are_those_of_this_tree() -> None:
    """`bughunt dev breaks` is to be run after a change of the tree, a bug or a clause."""
    breaks = read_breaks()
    assert breaks.tree == tree_hashes(tree_folder())
    assert set(breaks.touches) == {clause.slug for clause in load_clauses()}
    assert set(breaks.bugs) == {bug.id for level in load_catalog().levels for bug in level.bugs}
    assert all(breaks.bugs.values())
