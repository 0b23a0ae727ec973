"""What the commands say and with which status they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command_line import Player

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder

LEVEL = load_catalog().levels[0]


def test_alone_in_an_empty_folder_it_says_how_to_begin(player: Player) -> None:
    ran = player.run()
    assert ran.code == 0
    assert "bughunt start level1" in ran.out


@pytest.mark.parametrize(
    "command",
    [
        ["hint"],
        ["probe"],
        ["check"],
        ["reset"],
        ["restore"],
        ["status"],
        ["solution", "1.1"],
        ["restore", "--list"],
    ],
    ids=" ".join,
)
def test_without_a_hunt_every_command_says_how_to_begin_one(player: Player, command: list[str]) -> None:
    ran = player.run(*command)
    assert ran.code == 2
    assert "bughunt start level1" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("name", ["level1", "1", "easy", "EASY"])
def test_a_level_has_several_names(player: Player, name: str) -> None:
    ran = player.run("start", name)
    assert ran.code == 0
    assert player.workspace.is_dir()
    for bug in LEVEL.bugs:
        assert bug.id in ran.out


def test_unknown_names_are_answered_with_the_known_ones(started: Player) -> None:
    for command in (
        ["start", "level99"],
        ["hint", "7.7"],
        ["check", "1.1", "x"],
        ["solution", "1"],
        ["reset", "0"],
    ):
        ran = started.run(*command)
        assert ran.code == 2, command
        assert "level1" in ran.err or "1.1" in ran.err, command


@pytest.mark.parametrize(
    "command", [["start"], ["check", "--seed", "x"], ["nonsense"], ["hint", "1.1", "1.2"]]
)
def test_bad_usage_is_two(player: Player, command: list[str]) -> None:
    assert player.run(*command).code == 2


def test_what_code_raises_does_not_pass_for_a_verdict(started: Player) -> None:
    with (started.workspace / LEVEL.bugs[0].files[0]).open("a") as file:
        file.write("raise ValueError('\\n1.1  fixed\\n1 of 1 fixed.')\n")
    for command in ("check", "probe"):
        ran = started.run(command, "1.1")
        assert ran.code == 1
        assert "1 of 1 fixed." in ran.out
        assert not [line for line in ran.out.splitlines() if line.startswith(("1.1  fixed", "1 of 1"))]


def test_a_failed_start_leaves_no_hunt(player: Player) -> None:
    player.run("start", "level99")
    assert list(player.folder.iterdir()) == []


def test_starting_again_changes_nothing(started: Player) -> None:
    file = started.workspace / LEVEL.bugs[0].files[0]
    file.write_text("# mine\n")
    ran = started.run("start", "level1")
    assert ran.code == 0
    assert "taken up again" in ran.out
    assert file.read_text() == "# mine\n"


def test_a_fresh_start_keeps_the_edits_aside(started: Player) -> None:
    file = started.workspace / LEVEL.bugs[0].files[0]
    file.write_text("# mine\n")
    started.run("hint", "1.1")
    ran = started.run("start", "level1", "--fresh")
    assert "bughunt restore" in ran.out
    assert file.read_text() != "# mine\n"
    assert started.run("status", "--json").document["levels"][0]["bugs"][0]["hints_taken"] == 1
    assert started.run("restore").code == 0
    assert file.read_text() == "# mine\n"
    assert started.run("status", "--json").document["levels"][0]["bugs"][0]["hints_taken"] == 1


def test_commands_work_from_inside_the_workspace(started: Player) -> None:
    ran = started.run("status", "--json", where=started.workspace / "nanochat")
    assert ran.document["levels"][0]["workspace"] == str(started.workspace)


def test_hints_come_one_at_a_time_and_cost_points(started: Player) -> None:
    bug = LEVEL.bugs[1]
    assert bug.card.hints[0].split()[0] not in started.run("hint", bug.id, "--again").out.split()[:1]
    for number, text in enumerate(bug.card.hints, start=1):
        document = started.run("hint", bug.id, "--json").document
        assert document["hints"] == [{"number": number, "text": text}]
        worth = started.run("status", "--json").document["levels"][0]["bugs"][1]["worth"]
        assert worth == LEVEL.points * (5 - number) // 5
    last = started.run("hint", bug.id)
    assert last.code == 0
    assert f"bughunt solution {bug.id}" in last.out
    assert started.run("hint", bug.id, "--json").document["taken"] == 4


def test_again_takes_no_hint(started: Player) -> None:
    started.run("hint")
    before = started.run("status", "--json").document
    again = started.run("hint", "--again", "--json").document
    assert [hint["text"] for hint in again["hints"]] == [LEVEL.bugs[0].card.hints[0]]
    assert started.run("status", "--json").document == before


def test_play_through(started: Player, tmp_path: Path) -> None:
    """Repair by repair: the verdicts, the exit statuses, the next bug, and at the end the debrief."""
    document = started.run("check", "--json", "--seed", "7")
    assert document.code == 1
    assert document.document["seed"] == 7
    assert [one["verdict"] for one in document.document["verdicts"]] == ["broken"] * len(LEVEL.bugs)
    for count, bug in enumerate(LEVEL.bugs, start=1):
        assert started.run("status", "--json").document["next"] == bug.id
        started.repair(bug, tmp_path)
        ran = started.run("check")
        assert ran.code == (0 if count == len(LEVEL.bugs) else 1)
        assert f"{count} of {len(LEVEL.bugs)} fixed" in ran.out
        assert ("Debrief" in ran.out) == (count == len(LEVEL.bugs))
    assert "Debrief" not in started.run("check").out
    state = started.run("status", "--json").document
    assert state["score"] == LEVEL.points * len(LEVEL.bugs)
    assert state["next"] is None
    for command in ("hint", "probe"):
        assert "fixed" in started.run(command).out


def test_reset_of_one_bug_says_what_it_reopens(started: Player, tmp_path: Path) -> None:
    one, other = (bug for bug in LEVEL.bugs if bug.files == LEVEL.bugs[1].files)
    for bug in (one, other):
        started.repair(bug, tmp_path)
    assert started.run("check", one.id, other.id).code == 0
    ran = started.run("reset", one.id)
    assert ran.code == 0
    assert ran.out.index(other.id) < ran.out.index("back at the start")
    assert started.run("check", other.id).code == 1
    assert started.run("restore").code == 0
    assert started.run("check", one.id, other.id).code == 0


def test_the_solution_is_shown_when_asked_twice_and_costs_the_points(started: Player) -> None:
    first = started.run("solution", "1.3", "--json")
    assert (first.code, first.document["shown"]) == (1, False)
    assert "diff" not in first.document
    second = started.run("solution", "1.3", "--json")
    assert (second.code, second.document["shown"]) == (0, True)
    assert second.document["diff"].startswith("--- a/")
    assert started.run("status", "--json").document["levels"][0]["bugs"][2]["worth"] == 0


def test_the_solution_is_free_after_solving(started: Player, tmp_path: Path) -> None:
    started.repair(LEVEL.bugs[0], tmp_path)
    started.run("check", "1.1")
    ran = started.run("solution", "1.1")
    assert ran.code == 0
    assert LEVEL.bugs[0].card.pattern in ran.out
    assert started.run("status", "--json").document["score"] == LEVEL.points


@pytest.mark.few(1)
@pytest.mark.parametrize("bug", LEVEL.bugs, ids=lambda bug: bug.id)
def test_probes_show_numbers_and_leave_the_verdict_alone(started: Player, bug) -> None:
    ran = started.run("probe", bug.id, "--json", "--seed", "3")
    assert ran.code == 0
    assert {view["kind"] for view in ran.document["views"]} & {"table", "plot", "tokens"}
    assert started.run("probe", bug.id).code == 0
    assert started.run("status", "--json").document["levels"][0]["bugs"][0]["verdict"] is None


def test_a_probe_of_code_that_does_not_run_shows_why(started: Player) -> None:
    (started.workspace / "nanochat/tokenizer.py").write_text("def encode(:\n")
    ran = started.run("probe", "1.1")
    assert ran.code == 1
    assert "SyntaxError" in ran.out
    assert "nanochat/tokenizer.py" in ran.out


def test_code_that_does_not_run_is_crashed(started: Player) -> None:
    (started.workspace / "nanochat/tokenizer.py").write_text("import nowhere_to_be_found\n")
    ran = started.run("check", "1.1", "--json")
    assert ran.code == 1
    (verdict,) = ran.document["verdicts"]
    assert verdict["verdict"] == "crashed"
    assert "nowhere_to_be_found" in verdict["message"]


def test_a_judge_that_cannot_work_says_so(started: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder in the place of the clean tree: not even the control can be measured.

    A tree on the player's own module search path is no stand-in for what is missing.
    """
    empty = started.folder / "empty"
    empty.mkdir()
    monkeypatch.syspath_prepend(str(tree_folder()))
    monkeypatch.setattr("bughunt.hunt.judging.tree_folder", lambda: empty)
    (started.workspace / "nanochat/tokenizer.py").unlink()
    ran = started.run("check", "1.1", "--json")
    assert ran.code == 3
    assert ran.document["verdicts"][0]["verdict"] == "unknown"


def test_a_workspace_deleted_by_hand(started: Player) -> None:
    shutil.rmtree(started.workspace)
    for command in ("check", "probe", "reset"):
        ran = started.run(command)
        assert ran.code == 2
        assert "bughunt start level1" in ran.err
    assert "gone" in started.run("status").out
    assert started.run("start", "level1").code == 0
    assert started.run("check", "1.2").code == 1


def test_a_workspace_of_another_version_of_the_game(started: Player) -> None:
    state_file = started.folder / ".bughunt/state.json"
    state = json.loads(state_file.read_text())
    state["levels"]["level1"]["version"] = "an older one"
    state_file.write_text(json.dumps(state))
    for command in ("check", "probe", "reset"):
        ran = started.run(command)
        assert ran.code == 2
        assert "bughunt start level1 --fresh" in ran.err
    (started.workspace / "notes.txt").write_text("mine")
    assert started.run("start", "level1", "--fresh").code == 0
    assert started.run("check", "1.2").code == 1
    assert started.run("restore").code == 0
    assert (started.workspace / "notes.txt").read_text() == "mine"


def test_no_git_on_the_path(player: Player, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = player.run("start", "level1")
    assert ran.code == 2
    assert "git" in ran.err
    assert list(player.folder.iterdir()) == []


def test_something_in_the_way_of_the_workspace(player: Player) -> None:
    player.workspace.write_text("a file of mine")
    ran = player.run("start", "level1")
    assert ran.code == 2
    assert "in the way" in ran.err
    assert player.workspace.read_text() == "a file of mine"


def test_a_hunt_folder_that_cannot_be_written(player: Player) -> None:
    """A file stands where the state's folder has to be, so that it holds for root, too."""
    (player.folder / ".bughunt").write_text("")
    ran = player.run("start", "level1")
    assert ran.code == 2
    assert str(player.folder) in ran.err


def test_a_garbled_state_is_set_aside_and_said(started: Player) -> None:
    started.run("hint")
    (started.folder / ".bughunt/state.json").write_bytes(b"{\0\0")
    ran = started.run("status", "--json")
    assert ran.code == 0
    assert ran.document["levels"][0]["level"] == "level1"
    (aside,) = started.folder.glob(".bughunt/state.unusable-*.json")
    assert aside.name in ran.err.replace("\n", "")


def test_guided_marks_the_surroundings(player: Player) -> None:
    player.run("start", "level1", "--guided")
    for bug in LEVEL.bugs:
        for file in bug.files:
            assert f"# bughunt {LEVEL.bugs[0].id[:2]}" in (player.workspace / file).read_text()
    assert player.run("check").code == 1
    assert player.run("reset").code == 0
    assert "# bughunt" in (player.workspace / LEVEL.bugs[0].files[0]).read_text()


def test_levels_lists_every_level(player: Player) -> None:
    document = player.run("levels", "--json").document
    assert [level["level"] for level in document["levels"]] == [level.id for level in load_catalog().levels]


def test_json_is_all_there_is_on_standard_output(started: Player) -> None:
    for command in (
        ["status"],
        ["levels"],
        ["hint"],
        ["probe"],
        ["check"],
        ["restore", "--list"],
        ["solution", "1.1"],
    ):
        assert isinstance(started.run(*command, "--json").document, dict)
