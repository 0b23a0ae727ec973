"""Can the game be played in this folder? All that it does in one is tried there, and taken away again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bughunt.content.installed import tree_folder
from bughunt.content.tree import tree_files
from bughunt.disk.files import write_atomically
from bughunt.disk.kinds import MisplacedError
from bughunt.disk.places import explained, free_space, in_words, temporary_folder, unusable
from bughunt.errors import BughuntError
from bughunt.hunt.doctor.finding import Finding
from bughunt.hunt.lock import locked, locks_on_files

# Room for the workspaces of all levels, their git folders, what is built aside, and a few rescues.
_COPIES_OF_THE_TREE = 40

_ELSEWHERE = "Play in another folder: `bughunt start LEVEL` makes a hunt in the current one."

_Trial = Callable[[Path], str]


def examine_place(folder: Path) -> Iterator[Finding]:
    """Tries `folder` and, where it holds a hunt, what the hunt has in it."""
    yield from _try_out(folder, "here", _trials())
    for part in _parts_of_hunt(folder):
        if part.is_symlink():
            error = unusable(part, MisplacedError(part, "link", "folder"))
            yield Finding(f"in {part.name}", False, error.message, error.step)
            continue
        yield from _try_out(part, f"in {part.name}", {"writing": _write})
    yield _examine_space(folder)
    yield _examine_temporary_folder()


def _trials() -> dict[str, _Trial]:
    return {
        "writing": _write,
        "locking": _lock,
        "renaming a folder": _rename_folder,
        "permissions": _change_permissions,
        "links": _link,
        "writing through to the disk": _sync,
        "git": _commit,
    }


def _try_out(folder: Path, where: str, trials: dict[str, _Trial]) -> list[Finding]:
    """Each trial in a folder of its own, below one made in `folder`. When it returns nothing is left."""
    findings = []
    try:
        with temporary_folder(folder) as scratch:
            for name, trial in trials.items():
                inner = scratch / name.replace(" ", "-")
                inner.mkdir()
                findings.append(_try_one(f"{name} {where}", trial, inner))
    except (BughuntError, OSError) as error:
        wrong = error if isinstance(error, BughuntError) else unusable(folder, error)
        findings.append(Finding(f"making a folder {where}", False, wrong.message, wrong.step or _ELSEWHERE))
    return findings


def _try_one(what: str, trial: _Trial, folder: Path) -> Finding:
    try:
        with explained(folder):
            return Finding(what, True, trial(folder))
    except BughuntError as error:
        return Finding(what, False, error.message, error.step or _ELSEWHERE)


def _write(folder: Path) -> str:
    for contents in (b"first", b"second"):
        write_atomically(folder / "file", contents)
        if (folder / "file").read_bytes() != contents:
            raise BughuntError(f"What was written to {folder} is not what is read there.")
    return "works"


def _lock(folder: Path) -> str:
    with locked(folder / "lock"):
        try:
            with locked(folder / "lock", patience=0):
                pass
        except BughuntError:
            return (
                "works" if locks_on_files(folder / "free") else "not on this disk: commands tell each other"
            )
    raise BughuntError(
        f"Two commands at once would not see each other in {folder}: the disk's locks do nothing.",
        "Play in another folder, or never in two terminals at once.",
    )


def _rename_folder(folder: Path) -> str:
    (folder / "old").mkdir()
    (folder / "old" / "file").touch()
    try:
        (folder / "old").rename(folder / "new")
    except OSError:
        return "not on this disk: the game copies instead"
    return "works"


def _change_permissions(folder: Path) -> str:
    file = folder / "file"
    file.touch()
    try:
        for mode in (0o600, 0o644):
            file.chmod(mode)
    except OSError:
        return "not on this disk: the game does without"
    return "works"


def _link(folder: Path) -> str:
    try:
        (folder / "link").symlink_to("file")
    except OSError:
        return "not on this disk: the game does without, unless you make some"
    return "works"


def _sync(folder: Path) -> str:
    with (folder / "file").open("wb") as file:
        file.write(b"text")
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError:
            return "not on this disk: after a power failure the last change may be missing"
    return "works"


def _commit(folder: Path) -> str:
    from bughunt.workspace.git import make_repository

    (folder / "file").write_bytes(b"text")
    make_repository(folder, "A trial")
    return "works"


def _parts_of_hunt(folder: Path) -> list[Path]:
    """The hunt's state and workspaces below `folder`, if it is a hunt's."""
    try:
        found = [path for path in folder.iterdir() if path.name == ".bughunt" or (path / "CASE.md").is_file()]
        return sorted(found) if folder / ".bughunt" in found else []
    except OSError:
        return []


def _examine_space(folder: Path) -> Finding:
    tree = tree_folder()
    needed = _COPIES_OF_THE_TREE * sum((tree / file).stat().st_size for file in tree_files(tree))
    free = free_space(folder)
    if free is None:
        return Finding("free space here", True, "unknown")
    found = f"{in_words(free)} free, of which the game needs {in_words(needed)}"
    return Finding("free space here", free >= needed, found, f"Free some space on the disk of {folder}.")


def _examine_temporary_folder() -> Finding:
    try:
        with temporary_folder() as folder, explained(folder):
            _write(folder)
    except BughuntError as error:
        return Finding("the temporary folder", False, error.message, error.step)
    return Finding("the temporary folder", True, tempfile.gettempdir())
