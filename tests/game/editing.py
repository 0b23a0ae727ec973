"""What players do to a workspace, and what can be seen in one afterwards."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bughunt.hunt.hunt import Hunt

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
            elif not entry.is_dir():
                found[key] = "neither file nor folder"
            elif not any(entry.iterdir()):
                found[key] = "empty folder"
    return found


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=player", "-c", "user.email=player@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *arguments], capture_output=True, check=True, text=True
    )
    return done.stdout


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


def again(hunt: Hunt) -> Hunt:
    """The same hunt, as the next command finds it."""
    return Hunt(hunt.folder, hunt.catalog)
