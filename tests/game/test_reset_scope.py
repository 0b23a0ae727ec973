"""A reset puts back what is source, and leaves all else in a workspace where it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import TOKENIZER, edit, tree_of

from bughunt.content.installed import tree_folder
from bughunt.content.level import Level
from bughunt.content.tree import is_by_product
from bughunt.hunt.hunt import Hunt
from bughunt.workspace.scope import files_of

DROPPINGS = (
    ".gpt.py.swp",
    ".gpt.py.swo",
    "gpt.py~",
    "#gpt.py#",
    ".#gpt.py",
    "4913",
    "gpt.py.orig",
    "gpt.py.rej",
    ".DS_Store",
    "._gpt.py",
    ".nfs000000000001",
)


def test_what_tools_leave_is_left_alone(hunt: Hunt, workspace: Path) -> None:
    lasting = {
        "runs/base/model.pt": "weights",
        ".venv/bin/python": "python",
        ".venv/pyvenv.cfg": "home = /usr",
        "env/pyvenv.cfg": "home = /usr",
        "env/lib/site.py": "site",
        "conda/conda-meta/history": "",
        "conda/lib/python3.11/os.py": "installed",
        "node_modules/tool/index.js": "installed",
        "packages/torch-2.0.dist-info/METADATA": "installed",
        "packages/torch/__init__.py": "installed",
        "lib/site-packages/six.py": "installed",
        "data/shard_00.bin": "data",
        "nanochat/data/shard_00.parquet": "data",
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


def test_all_that_the_tree_ignores_is_left_alone() -> None:
    for line in (tree_folder() / ".gitignore").read_text().splitlines():
        assert is_by_product(f"{line.rstrip('/')}/file.py")


@pytest.mark.parametrize("name", DROPPINGS)
def test_what_an_editor_drops_is_no_edit(name: str, hunt: Hunt, workspace: Path, level1: Level) -> None:
    (workspace / "nanochat" / name).write_text("not mine\n")
    (workspace / name).write_text("not mine\n")
    assert not [file for file in files_of(workspace) if file.endswith(name)]
    assert hunt.started(level1).workspace.edits() == []
    assert hunt.started(level1).workspace.diff() == ""
    edit(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    assert rescue.files == (TOKENIZER,)
    assert (workspace / name).read_text() == "not mine\n"
    assert not (rescue.saved / name).exists()


def test_emacs_marks_a_file_with_a_link_to_nowhere(hunt: Hunt, workspace: Path, level1: Level) -> None:
    (workspace / "nanochat" / ".#gpt.py").symlink_to("player@host.123:456")
    assert hunt.started(level1).workspace.edits() == []


def test_python_counts_wherever_it_stands(hunt: Hunt, workspace: Path, level1: Level) -> None:
    """It can stand in the way of what the game imports, or be a part of a repair."""
    for name in ("torch/__init__.py", "mine/deep/er.py", "data/convert.py", "nanochat/parts/one.py"):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text("mine = 1\n")
    (workspace / "data" / "shard.bin").write_bytes(b"\0")
    mine = tree_of(workspace)
    assert hunt.started(level1).workspace.edits() == [
        "data/convert.py",
        "mine/deep/er.py",
        "nanochat/parts/one.py",
        "torch/__init__.py",
    ]
    hunt.reset(hunt.reset_plan(None))
    assert {path.name for path in workspace.iterdir() if path.is_dir()} == {
        ".git",
        "data",
        "nanochat",
        "scripts",
    }
    assert (workspace / "data" / "shard.bin").read_bytes() == b"\0"
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_a_folder_of_the_level_is_never_taken_for_an_installed_one(
    hunt: Hunt, workspace: Path, level1: Level
) -> None:
    (workspace / "nanochat" / "pyvenv.cfg").write_text("home = /usr\n")
    edit(workspace)
    assert hunt.started(level1).workspace.edits() == ["nanochat/pyvenv.cfg", TOKENIZER]


def test_what_a_rescue_of_an_older_game_holds_is_brought_back(hunt: Hunt, workspace: Path) -> None:
    """Such a one may hold files that are no source any more; what they overwrite is kept, too."""
    edit(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    (rescue.saved / "notes").mkdir()
    (rescue.saved / "notes" / "mine.txt").write_text("older\n")
    (workspace / "notes").mkdir()
    (workspace / "notes" / "mine.txt").write_text("newer\n")
    overwritten = hunt.restore(rescue.id).overwritten
    assert (workspace / "notes" / "mine.txt").read_text() == "older\n"
    assert overwritten is not None
    assert (overwritten.saved / "notes" / "mine.txt").read_text() == "newer\n"


@pytest.mark.parametrize("place", ["nanochat", "scripts", "mine", "."])
def test_an_environment_made_where_files_are(place: str, hunt: Hunt, workspace: Path) -> None:
    """As `python -m venv` makes it; what it holds is neither read nor copied."""
    (workspace / place).mkdir(exist_ok=True)
    (workspace / place / "helper.py").write_text("mine = 1\n")
    hunt.reset(hunt.reset_plan(None))
    (workspace / place).mkdir(exist_ok=True)
    (workspace / place / "helper.py").write_text("mine = 2\n")
    for name in ("pyvenv.cfg", "bin/python", "lib/python3.11/site-packages/torch/__init__.py"):
        (workspace / place / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / place / name).write_text("installed")
    edit(workspace)
    before = tree_of(workspace)
    overwritten = hunt.restore("001-level1").overwritten
    assert overwritten is not None
    assert (workspace / place / "helper.py").read_text() == "mine = 1\n"
    assert not list(overwritten.saved.rglob("torch"))
    hunt.restore(overwritten.id)
    assert tree_of(workspace) == before
    for bug in ("1.1", None):
        edit(workspace)
        rescue = hunt.reset(hunt.reset_plan(bug)).rescue
        assert rescue is not None
        assert not list(rescue.saved.rglob("torch"))
    assert (workspace / place / "lib/python3.11/site-packages/torch/__init__.py").is_file()
