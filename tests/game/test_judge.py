"""Verdicts: the same both ways, for the right reason, and never the player's fault when it is the judge's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bughunt
from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.judge.checker import Check
from bughunt.measure.measurer import Measurer, Mode
from bughunt.measure.outcomes import Failure, Limits, Measurement
from bughunt.measure.process_exit import ProcessExit
from bughunt.measure.results import conclude
from bughunt.measure.texts import tidy
from bughunt.workspace.injection import inject

pytestmark = pytest.mark.few(34, together=True)

SEED = 11


@pytest.fixture(scope="module", params=["fork", "fresh"])
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    mode: Mode = request.param
    with Judge(tree_folder(), Measurer(mode, workers=2)) as judge:
        yield judge


@pytest.fixture
def copy(tmp_path: Path) -> Catalog:
    """Level 1's challenges, to be spoilt."""
    shutil.copytree(challenges_folder() / "level1", tmp_path / "challenges" / "level1")
    return load_catalog(tmp_path / "challenges")


def test_clean_and_broken(judge: Judge, bug: Bug, tmp_path: Path) -> None:
    inject(tmp_path / "tree", [bug])
    assert judge.judge(bug, tree_folder(), SEED).kind == "fixed"
    first = judge.judge(bug, tmp_path / "tree", SEED)
    assert first.kind == "broken"
    assert first.message == judge.judge(bug, tmp_path / "tree", SEED).message
    assert first.message != judge.judge(bug, tmp_path / "tree", SEED + 1).message


def test_the_same_seed_draws_the_same_inputs_both_ways(bug: Bug) -> None:
    measured = []
    for mode in ("fork", "fresh"):
        with Judge(tree_folder(), Measurer(mode)) as judge:
            inputs, outcome = judge.measure(bug, tree_folder(), SEED)
        assert isinstance(outcome, Measurement)
        measured.append((inputs, outcome.data))
    assert measured[0] == measured[1]


def test_the_players_own_error_comes_with_its_traceback(judge: Judge, bug: Bug, tmp_path: Path) -> None:
    inject(tmp_path / "tree", [bug])
    with (tmp_path / "tree" / "nanochat" / "tokenizer.py").open("a") as file:
        file.write("\nraise ValueError('my own mistake')\n")
    verdict = judge.judge(bug, tmp_path / "tree", SEED)
    assert verdict.kind == "crashed"
    assert verdict.message == "The code raised ValueError: my own mistake"
    assert 'File "nanochat/tokenizer.py", line' in verdict.detail
    assert str(tmp_path) not in verdict.detail
    assert bug.folder.name not in verdict.detail


def test_a_syntax_error(judge: Judge, bug: Bug, tmp_path: Path) -> None:
    inject(tmp_path / "tree", [bug])
    with (tmp_path / "tree" / "nanochat" / "tokenizer.py").open("a") as file:
        file.write("\ndef half(:\n")
    verdict = judge.judge(bug, tmp_path / "tree", SEED)
    assert verdict.kind == "crashed"
    assert "SyntaxError" in verdict.message
    assert "def half(:" in verdict.detail


@pytest.mark.parametrize("name", ["measure.py", "check.py"])
def test_a_fault_of_the_games_own_files_is_unknown(name: str, judge: Judge, copy: Catalog) -> None:
    bug = copy.bug("1.1")
    (bug.folder / name).write_text("raise RuntimeError('worn out')\n")
    verdict = judge.judge(bug, tree_folder(), SEED)
    assert verdict.kind == "unknown"
    assert verdict.message
    assert "worn out" in verdict.message + verdict.detail


def test_a_check_that_fails_by_itself_is_unknown(judge: Judge, copy: Catalog) -> None:
    bug = copy.bug("1.1")
    bug.check.write_text("def test_it(inputs, measured):\n    raise KeyError('slip')\n")
    verdict = judge.judge(bug, tree_folder(), SEED)
    assert verdict.kind == "unknown"
    assert "slip" in verdict.detail


@pytest.mark.parametrize("text", ["", "x = 1\n", "import pytest\n@pytest.mark.skip\ndef test_it(): pass\n"])
def test_a_check_that_checks_nothing_passes_nothing(text: str, judge: Judge, copy: Catalog) -> None:
    bug = copy.bug("1.1")
    bug.check.write_text(text)
    assert judge.judge(bug, tree_folder(), SEED).kind == "unknown"


def test_a_clean_tree_that_fails_makes_a_crash_unknown(bug: Bug, tmp_path: Path) -> None:
    """Where even the clean tree cannot be measured, the player is not to blame."""
    inject(tmp_path / "tree", [])
    (tmp_path / "tree" / "nanochat" / "tokenizer.py").write_text("raise OSError('no such device')\n")
    with Judge(tmp_path / "tree") as judge:
        verdict = judge.judge(bug, tmp_path / "tree", SEED)
    assert verdict.kind == "unknown"
    assert "no such device" in verdict.message


def test_a_library_that_is_missing_is_ours(judge: Judge, copy: Catalog) -> None:
    bug = copy.bug("1.1")
    card = bug.folder / "bug.toml"
    card.write_text(card.read_text().replace('preload = ["', 'preload = ["no_such_library", "', 1))
    _, outcome = judge.measure(copy.bug("1.1"), tree_folder(), SEED)
    assert isinstance(outcome, Failure)
    assert outcome.ours
    assert "no_such_library" in outcome.message + outcome.detail
    assert judge.judge(copy.bug("1.1"), tree_folder(), SEED).kind == "unknown"


def test_a_check_is_what_it_was_when_it_was_loaded(copy: Catalog) -> None:
    bug = copy.bug("1.1")
    bug.check.write_text("def test_it(inputs, measured):\n    assert inputs == measured, 'apart'\n")
    check = Check(bug.check)
    bug.check.write_text("def test_it(): pass\n")
    assert check.run(1, 2).kind == "failed"
    assert check.run(1, 2).message == "apart"
    assert check.run(2, 2).kind == "passed"


def test_tests_of_a_check_do_not_disturb_each_other(copy: Catalog) -> None:
    bug = copy.bug("1.1")
    bug.check.write_text(
        "def test_one(measured):\n    measured.append(2)\n"
        "def test_two(measured):\n    assert measured == [1], 'changed'\n"
    )
    assert Check(bug.check).run([], [1]).kind == "passed"


def test_an_interrupt_during_a_check_is_an_interrupt(copy: Catalog) -> None:
    bug = copy.bug("1.1")
    bug.check.write_text("def test_it():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        Check(bug.check).run(1, 1)


_JUDGE_ELSEWHERE = """
import sys
sys.path[:] = [sys.argv[1], *(entry for entry in sys.path if entry)]
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.judge import Judge
with Judge(tree_folder()) as judge:
    print(judge.judge(load_catalog().bug("1.1"), tree_folder(), 7))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["$USER x[1]::y", "-x", "@a b* ~ %TEMP%"])
def test_the_folder_of_the_game_is_taken_literally(name: str, tmp_path: Path) -> None:
    """Neither is a variable expanded in it, nor is a part of it taken for the name of a test."""
    game = tmp_path / name
    shutil.copytree(Path(bughunt.__file__).parent, game / "bughunt")
    shutil.copytree(tree_folder(), game / "nanochat")
    shutil.copytree(challenges_folder() / "level1", game / "challenges" / "level1")
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE_ELSEWHERE, str(game)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "kind='fixed'" in done.stdout, done.stdout + done.stderr


_SETTINGS = {
    "pytest.ini": "[pytest]\naddopts = {option}\n",
    "pytest.toml": "[pytest]\naddopts = ['{option}']\n",
    "tox.ini": "[pytest]\naddopts = {option}\n",
    "setup.cfg": "[tool:pytest]\naddopts = {option}\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '{option}'\n",
    "conftest.py": "import os\nos._exit(0)\n",
}


def test_settings_of_pytest_are_read_from_nowhere(tmp_path: Path) -> None:
    """Whoever can write to the game's folders, or above them, says nothing of how its checks are run."""
    game = tmp_path / "above" / "game"
    shutil.copytree(Path(bughunt.__file__).parent, game / "bughunt")
    shutil.copytree(tree_folder(), game / "nanochat")
    shutil.copytree(challenges_folder() / "level1", game / "challenges" / "level1")
    folders = [tmp_path, game.parent, *(path for path in game.rglob("*") if path.is_dir())]
    for folder in (one for one in folders if not one.is_relative_to(game / "nanochat")):
        for name, text in _SETTINGS.items():
            (folder / name).write_text(text.format(option="--collect-only"))
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE_ELSEWHERE, str(game)],
        capture_output=True,
        text=True,
        check=False,
        cwd=game / "challenges" / "level1",
    )
    assert "kind='fixed'" in done.stdout, done.stdout + done.stderr


def process_exit(**values: Any) -> ProcessExit:
    usual = {"status": 0, "ready": True, "timed_out": False, "result": "", "printed": "", "seconds": 1.0}
    return ProcessExit(**{**usual, **values})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"result": ""}, "exit status 0"),
        ({"result": "", "status": 3}, "exit status 3"),
        ({"result": "", "status": -11}, "SIGSEGV"),
        ({"result": "", "status": -99}, "signal 99"),
        ({"result": '{"data": 1}', "status": 1}, "exit status 1"),
        ({"result": '{"data": 1, "more": 2}'}, "something else was written"),
        ({"result": '{"data": 1}{"data": 1}'}, "something else was written"),
        ({"result": '{"data": 1'}, "something else was written"),
        ({"result": "[" * 10**6}, "something else was written"),
        ({"result": "[1, 2]"}, "something else was written"),
        ({"result": "9" * 10**5}, "something else was written"),
        ({"result": None}, "more than a measurement may hold"),
        ({"timed_out": True, "result": '{"data": 1}'}, "still running after 30 seconds"),
        ({"result": '{"raised": {}}'}, "The code raised an exception."),
        ({"result": '{"raised": {"type": ["x"], "message": 5}}'}, "The code raised"),
        ({"result": '{"unfit": {"x": 1}}'}, "not of a kind"),
        ({"ready": False, "status": 1}, "could not be prepared"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_whatever_a_process_leaves_is_one_sentence(values: dict[str, Any], says: str) -> None:
    outcome = conclude(process_exit(**values), Limits())
    assert isinstance(outcome, Failure)
    assert says in outcome.message
    assert outcome.ours == (values.get("ready") is False)


def test_a_result_is_taken_as_it_is() -> None:
    assert conclude(process_exit(result='\n{"data": [1, {"x": null}]}'), Limits()) == Measurement(
        [1, {"x": None}], 1.0
    )


def test_texts_cannot_steer_a_terminal() -> None:
    assert tidy("\x1b[2Jred\r\n\tand \u202egreen\x07", 100) == "[2Jred\n\tand green"
    assert tidy("x" * 500 + "the end", 12) == "… " + "xxxthe end"


_BOMB = """
import os, resource, sys, tempfile, json
from bughunt.confine import kernel
from bughunt.measure import forked, inside, leftovers
from bughunt.measure.outcomes import Limits
from dataclasses import asdict
import encodings.idna, shutil, traceback, ctypes
scratch = tempfile.mkdtemp()
os.chmod(scratch, 0o777)
code = os.path.join(scratch, "bomb.py")
with open(code, "w") as file:
    file.write("import os\\ndef measure(inputs):\\n while True:\\n  os.fork()\\n")
kernel.guard_process()
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    kernel._prctl(kernel._PR_SET_DUMPABLE, 1)
request = {"parts": [{"measure": code, "inputs": None, "function": "measure"}], "workspace": scratch,
           "preload": [], "scratch": scratch, "holds": None, "hidden": [], "shown": [],
           "limits": asdict(Limits(seconds=20, processes=40))}
process = forked.run_forked(request)
left = leftovers.descendants(os.getpid())
print(json.dumps({"timed_out": process.timed_out, "exceeded": process.exceeded, "left": len(left)}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are limited on Linux only")
def test_a_fork_bomb_is_held() -> None:
    """As somebody who is not root, whom the system limits, too."""
    done = subprocess.run(
        [sys.executable, "-c", _BOMB], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert not told["timed_out"] and "processes" in told["exceeded"] and told["left"] == 0, told
