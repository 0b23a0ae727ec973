"""Nothing that the player wrote is ever lost: it is saved before it is overwritten, and comes back."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bughunt.content.catalog import Catalog, Level
from bughunt.errors import BughuntError
from bughunt.hunt.hunt import Hunt
from bughunt.workspace import laying
from bughunt.workspace import workspace as workspace_module

TOKENIZER, LOADER = "nanochat/tokenizer.py", "nanochat/dataloader.py"

# Path in the workspace, to the text of a file, or the target of a link.
Tree = dict[str, bytes | str]


def tree_of(path: Path, *, without: tuple[str, ...] = (".git",)) -> Tree:
    """Everything in a workspace but `without`: files, links, and empty folders."""
    found: Tree = {}
    for parent, folders, names in os.walk(path):
        relative = Path(parent).relative_to(path)
        folders[:] = [name for name in folders if (relative / name).as_posix() not in without]
        for name in [*names, *folders]:
            entry = Path(parent) / name
            key = (relative / name).as_posix()
            if entry.is_symlink():
                found[key] = f"-> {entry.readlink()}"
            elif entry.is_file():
                found[key] = entry.read_bytes()
            elif not any(entry.iterdir()):
                found[key] = "empty folder"
    return found


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=player", "-c", "user.email=player@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *arguments], capture_output=True, check=True, text=True
    )
    return done.stdout


@pytest.fixture
def workspace(hunt: Hunt) -> Path:
    return hunt.folder / "level1"


def edit(workspace: Path) -> None:
    with (workspace / TOKENIZER).open("a") as file:
        file.write("# mine\n")


def add(workspace: Path) -> None:
    (workspace / "Zoë's notes.txt").write_bytes(b"\x00\xff mine")
    (workspace / "mine").mkdir()
    (workspace / "mine" / "helper.py").write_text("mine = 2\n")
    (workspace / "nanochat" / "extra.py").write_text("mine = 1\n")


def delete(workspace: Path) -> None:
    (workspace / LOADER).unlink()


def delete_a_folder(workspace: Path) -> None:
    for path in sorted((workspace / "scripts").iterdir()):
        path.unlink()
    (workspace / "scripts").rmdir()


def rename(workspace: Path) -> None:
    (workspace / TOKENIZER).rename(workspace / "nanochat" / "tokens.py")


def link_a_file(workspace: Path) -> None:
    elsewhere = workspace.parent / "elsewhere.py"
    elsewhere.write_text("elsewhere\n")
    (workspace / TOKENIZER).unlink()
    (workspace / TOKENIZER).symlink_to(elsewhere)


def link_a_folder(workspace: Path) -> None:
    (workspace / "nanochat").rename(workspace.parent / "moved")
    (workspace / "nanochat").symlink_to("../moved")
    (workspace / "nanochat" / "tokenizer.py").write_text("mine\n")


def link_to_nowhere(workspace: Path) -> None:
    (workspace / "dangling").symlink_to("no/such/file")


def folder_for_a_file(workspace: Path) -> None:
    (workspace / TOKENIZER).unlink()
    (workspace / TOKENIZER).mkdir()
    (workspace / TOKENIZER / "inside.txt").write_text("mine")


def file_for_a_folder(workspace: Path) -> None:
    delete_a_folder(workspace)
    (workspace / "scripts").write_text("mine")


def make_executable_and_read_only(workspace: Path) -> None:
    edit(workspace)
    (workspace / TOKENIZER).chmod(0o555)


def everything(workspace: Path) -> None:
    edit(workspace)
    add(workspace)
    delete(workspace)
    link_to_nowhere(workspace)
    file_for_a_folder(workspace)


EDITS = [
    edit,
    add,
    delete,
    delete_a_folder,
    rename,
    link_a_file,
    link_a_folder,
    link_to_nowhere,
    folder_for_a_file,
    file_for_a_folder,
    make_executable_and_read_only,
    everything,
]


@pytest.mark.parametrize("change", EDITS, ids=lambda change: change.__name__)
def test_reset_and_restore_and_restore_again(
    change: Callable[[Path], None], hunt: Hunt, workspace: Path
) -> None:
    start = tree_of(workspace)
    change(workspace)
    mine, around = tree_of(workspace), tree_of(hunt.folder, without=("level1", ".bughunt"))
    reset = hunt.reset(hunt.reset_plan(None))
    assert tree_of(workspace) == start
    assert reset.rescue is not None
    assert reset.rescue.folder.is_dir()
    _, overwritten = hunt.restore(None)
    assert tree_of(workspace) == mine
    assert overwritten is None
    edit_more = workspace / "more.txt"
    edit_more.write_text("more")
    with_more = tree_of(workspace)
    _, overwritten = hunt.restore(reset.rescue.id)
    assert tree_of(workspace) == mine
    assert overwritten is not None
    hunt.restore(None)
    assert tree_of(workspace) == with_more
    assert tree_of(hunt.folder, without=("level1", ".bughunt")) == around


@pytest.mark.parametrize("change", EDITS, ids=lambda change: change.__name__)
def test_reset_of_one_bug_touches_its_files_only(
    change: Callable[[Path], None], hunt: Hunt, workspace: Path, level1: Level
) -> None:
    start = tree_of(workspace)
    change(workspace)
    mine, around = tree_of(workspace), tree_of(hunt.folder, without=("level1", ".bughunt"))
    bug = level1.bugs[1]
    assert bug.files == (LOADER,)
    if change is link_a_folder:
        with pytest.raises(BughuntError) as caught:
            hunt.reset(hunt.reset_plan(bug.id))
        assert "link" in caught.value.message
    else:
        hunt.reset(hunt.reset_plan(bug.id))
        assert tree_of(workspace) == mine | {LOADER: start[LOADER]}
    assert tree_of(hunt.folder, without=("level1", ".bughunt")) == around
    if mine.get(LOADER) != start[LOADER] and change is not link_a_folder:
        hunt.restore(None)
        assert tree_of(workspace) == mine


def test_a_fresh_start_and_back(hunt: Hunt, workspace: Path) -> None:
    start = tree_of(workspace)
    everything(workspace)
    mine = tree_of(workspace)
    hunt.start("level1", fresh=True)
    assert tree_of(workspace) == start
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_nothing_changed_needs_no_rescue(hunt: Hunt) -> None:
    assert hunt.reset(hunt.reset_plan(None)).rescue is None
    assert hunt.reset(hunt.reset_plan("1.1")).rescue is None
    assert hunt.start("level1", fresh=True).rescue is None
    assert hunt.rescues.all() == []
    with pytest.raises(BughuntError):
        hunt.restore(None)


def test_what_tools_leave_is_left_alone(hunt: Hunt, workspace: Path) -> None:
    lasting = {
        "runs/base/model.pt": "weights",
        ".venv/bin/python": "python",
        ".venv/pyvenv.cfg": "home = /usr",
        "env/pyvenv.cfg": "home = /usr",
        "env/lib/site.py": "site",
        ".vscode/settings.json": "{}",
        ".idea/x.xml": "<x/>",
        "nanochat/__pycache__/gpt.pyc": "bytecode",
        "nanochat/.mypy_cache/x.json": "{}",
    }
    for name, text in lasting.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(text)
    (workspace / ".cache").symlink_to(workspace.parent)
    before = tree_of(workspace)
    assert hunt.reset(hunt.reset_plan(None)).rescue is None
    edit(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    assert rescue.files == (TOKENIZER,)
    assert tree_of(workspace) == before
    hunt.restore(None)
    hunt.start("level1", fresh=True)
    assert tree_of(workspace) == before


def commit(workspace: Path) -> str:
    edit(workspace)
    git(workspace, "commit", "-qam", "mine")
    return git(workspace, "rev-parse", "HEAD")


def branch(workspace: Path) -> str:
    git(workspace, "branch", "idea")
    return git(workspace, "rev-parse", "idea")


def stash(workspace: Path) -> str:
    edit(workspace)
    git(workspace, "stash", "-q")
    return git(workspace, "stash", "show", "-p")


def stage(workspace: Path) -> str:
    edit(workspace)
    git(workspace, "add", TOKENIZER)
    git(workspace, "checkout", "-q", "HEAD", "--", TOKENIZER)
    return git(workspace, "fsck", "--dangling", "--no-progress")


def write_a_hook(workspace: Path) -> str:
    (workspace / ".git" / "hooks").mkdir()
    (workspace / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\n")
    return (workspace / ".git" / "hooks" / "pre-commit").read_text()


def amend(workspace: Path) -> str:
    git(workspace, "commit", "-q", "--amend", "-m", "renamed")
    return git(workspace, "rev-parse", "HEAD")


LOOKS: dict[str, Callable[[Path], str]] = {
    "commit": lambda workspace: git(workspace, "rev-parse", "HEAD"),
    "branch": lambda workspace: git(workspace, "rev-parse", "idea"),
    "stash": lambda workspace: git(workspace, "stash", "show", "-p"),
    "stage": lambda workspace: git(workspace, "fsck", "--dangling", "--no-progress"),
    "write_a_hook": lambda workspace: (workspace / ".git" / "hooks" / "pre-commit").read_text(),
    "amend": lambda workspace: git(workspace, "rev-parse", "HEAD"),
}


@pytest.mark.parametrize(
    "work", [commit, branch, stash, stage, write_a_hook, amend], ids=lambda work: work.__name__
)
def test_own_work_in_git_is_kept(work: Callable[[Path], str], hunt: Hunt, workspace: Path) -> None:
    first = git(workspace, "rev-parse", "HEAD")
    mine = work(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    assert git(workspace, "rev-parse", "HEAD") == first
    assert git(workspace, "status", "--porcelain") == ""
    hunt.restore(None)
    assert LOOKS[work.__name__](workspace) == mine
    git(workspace, "fsck", "--strict")


def test_own_commits_stay_where_they_are_when_one_bug_is_reset(hunt: Hunt, workspace: Path) -> None:
    mine = commit(workspace)
    hunt.reset(hunt.reset_plan("1.1"))
    assert git(workspace, "rev-parse", "HEAD") == mine


def test_a_git_file_and_no_git_at_all(hunt: Hunt, workspace: Path) -> None:
    (workspace / ".git").rename(workspace.parent / "git")
    (workspace / ".git").write_text(f"gitdir: {workspace.parent / 'git'}\n")
    pointer = (workspace / ".git").read_text()
    hunt.reset(hunt.reset_plan(None))
    assert (workspace / ".git").is_dir()
    hunt.restore(None)
    assert (workspace / ".git").read_text() == pointer
    (workspace / ".git").unlink()
    edit(workspace)
    hunt.reset(hunt.reset_plan(None))
    assert (workspace / ".git").is_dir()


def test_an_edit_made_during_the_reset_stops_it(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The editor saves between the rescue and the overwriting."""
    edit(workspace)
    lay = workspace_module.lay

    def save_first(*arguments: object) -> None:
        (workspace / TOKENIZER).write_text("saved just now\n")
        (workspace / "new.txt").write_text("made just now\n")
        lay(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workspace_module, "lay", save_first)
    with pytest.raises(BughuntError) as caught:
        hunt.reset(hunt.reset_plan(None))
    assert "changed at this moment" in caught.value.message
    monkeypatch.undo()
    assert (workspace / TOKENIZER).read_text() == "saved just now\n"
    assert (workspace / "new.txt").read_text() == "made just now\n"
    hunt.reset(hunt.reset_plan(None))
    hunt.restore(None)
    assert (workspace / TOKENIZER).read_text() == "saved just now\n"
    assert (workspace / "new.txt").read_text() == "made just now\n"


def test_a_file_recreated_during_the_reset_stops_it(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(workspace)
    files_of = laying.files_of
    calls = []

    def recreate_after_listing(folder: Path) -> dict[str, Path]:
        found = files_of(folder)
        calls.append(folder)
        if calls.count(workspace) == 1:
            (workspace / LOADER).write_text("back again\n")
        return found

    monkeypatch.setattr(laying, "files_of", recreate_after_listing)
    with pytest.raises(BughuntError):
        hunt.reset(hunt.reset_plan(None))
    assert (workspace / LOADER).read_text() == "back again\n"


class Killed(BaseException):
    """Stands for SIGKILL: nothing handles it."""


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        ("reset of 1.2", 0),
        *itertools.product(["reset", "fresh start", "restore of 001-level1"], range(4)),
    ],
)
def test_cut_short(
    what: str, steps: int, hunt: Hunt, workspace: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next command says what was cut short and which command finishes it; then nothing is lost."""
    start = tree_of(workspace)
    everything(workspace)
    mine = tree_of(workspace)
    if what.startswith("restore"):
        hunt.reset(hunt.reset_plan(None))
    commands: dict[str, Callable[[Hunt], object]] = {
        "reset": lambda hunt: hunt.reset(hunt.reset_plan(None)),
        "reset of 1.2": lambda hunt: hunt.reset(hunt.reset_plan("1.2")),
        "fresh start": lambda hunt: hunt.start("level1", fresh=True),
        "restore of 001-level1": lambda hunt: hunt.restore("001-level1"),
    }
    left = iter(range(steps))
    copy = laying.copy_atomically

    def copy_until_killed(source: Path, target: Path, **options: bool) -> None:
        if next(left, None) is None:
            raise Killed
        copy(source, target, **options)

    monkeypatch.setattr(laying, "copy_atomically", copy_until_killed)
    with pytest.raises(Killed):
        commands[what](hunt)
    monkeypatch.undo()

    later = Hunt(hunt.folder, level1_only)
    later.state()
    [notice] = later.progress.notices
    assert f"a {what} was cut short" in notice
    with pytest.raises(BughuntError) as caught:
        later.check([], seed=1)
    assert caught.value.message in notice
    if what != "reset of 1.2":
        with pytest.raises(BughuntError):
            later.reset(later.reset_plan("1.2"))
    commands[what](later)
    assert tree_of(workspace) == (
        mine
        if what.startswith("restore")
        else mine | {LOADER: start[LOADER]}
        if what == "reset of 1.2"
        else start
    )
    assert Hunt(hunt.folder, level1_only).state()
    if not what.startswith("restore"):
        later.restore(None)
        assert tree_of(workspace) == mine
    assert not (hunt.folder / ".bughunt" / "level1.overwriting").exists()


def test_restore_after_the_game_was_upgraded(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer game's start of the level differs in a file that the player never touched."""
    everything(workspace)
    mine = tree_of(workspace)
    hunt.reset(hunt.reset_plan(None))
    inject = workspace_module.inject

    def newer(target: Path, *arguments: object, **options: object) -> None:
        inject(target, *arguments, **options)  # type: ignore[arg-type]
        (target / "README.md").write_text("a newer README\n")
        (target / "nanochat" / "newer.py").write_text("newer\n")

    monkeypatch.setattr(workspace_module, "inject", newer)
    with hunt.progress.update() as state:
        state.levels["level1"].version = "older"
    for command in (hunt.reset_plan, lambda _: hunt.check([], seed=1)):
        with pytest.raises(BughuntError) as caught:
            command(None)
        assert "another version of the game" in caught.value.message
        assert "--fresh" in caught.value.step
    hunt.start("level1", fresh=True)
    assert (workspace / "README.md").read_text() == "a newer README\n"
    hunt.restore("001-level1")
    assert tree_of(workspace) == mine
    assert hunt.start("level1", fresh=True).rescue is not None
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_restore_after_the_workspace_was_deleted(hunt: Hunt, workspace: Path) -> None:
    everything(workspace)
    mine = tree_of(workspace)
    hunt.reset(hunt.reset_plan(None))
    workspace.rename(workspace.parent / "gone")
    with pytest.raises(BughuntError) as caught:
        hunt.check([], seed=1)
    assert "bughunt start level1" in caught.value.step
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_the_newest_rescue_is_the_last_one_made(hunt: Hunt, workspace: Path) -> None:
    for number in range(3):
        (workspace / "note.txt").write_text(str(number))
        hunt.reset(hunt.reset_plan(None))
    hunt.restore(None)
    assert (workspace / "note.txt").read_text() == "2"
    assert len({rescue.id for rescue in hunt.rescues.all()}) == 3


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"level": 3}', '{"level": "level9", "made": "", "files": 5}']
)
def test_a_rescue_that_cannot_be_read_is_passed_over(text: str, hunt: Hunt, workspace: Path) -> None:
    edit(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    broken = rescue.folder.with_name("009-level1")
    broken.mkdir()
    (broken / "rescue.json").write_text(text)
    assert [one.id for one in hunt.rescues.all()] == [rescue.id]
    edit(workspace)
    after = hunt.reset(hunt.reset_plan(None)).rescue
    assert after is not None
    assert after.id == "010-level1"


_AS_NOBODY = """
import os, sys
from pathlib import Path
from bughunt.errors import BughuntError
from bughunt.content.catalog import Catalog, load_catalog
from bughunt.hunt.hunt import Hunt
import bughunt.workspace.workspace, bughunt.workspace.rescue, bughunt.workspace.injection
import encodings.idna, encodings.latin_1
hunt = Hunt(Path(sys.argv[1]), Catalog((load_catalog().level("1"),)))
for folder in (hunt.folder, *hunt.folder.rglob("*")):
    if not folder.is_symlink(): os.chown(folder, 65534, 65534)
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
target = hunt.folder / "level1" / sys.argv[2]
target.chmod(0)
try:
    hunt.reset(hunt.reset_plan(None))
except BughuntError as error:
    print(error.message)
finally:
    target.chmod(0o755)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another thing on Windows")
@pytest.mark.parametrize("name", [TOKENIZER, "nanochat"])
def test_what_cannot_be_read_stops_the_reset(name: str, hunt: Hunt, workspace: Path, tmp_path: Path) -> None:
    """As somebody who is not root: root reads everything."""
    edit(workspace)
    (workspace / "mine.txt").write_text("mine")
    mine = tree_of(workspace)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o755)
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(hunt.folder), name],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Permission denied" in done.stderr and "Traceback" in done.stderr:
        pytest.skip("the other user cannot read this Python installation")
    assert "Permission denied" in done.stdout, done.stderr
    assert str(workspace / name) in done.stdout
    assert tree_of(workspace) == mine
    assert not (hunt.folder / ".bughunt" / "level1.overwriting").exists()
