"""Which files of a workspace are source: compared, watched, set aside, put back. All others stay as they are.

Never source are: what running the tree leaves behind (all that its `.gitignore` names), folders whose name
begins with a dot, what was installed (an environment, packages), and what editors and systems leave about.

Of the rest, a file that the level does not have counts where it stands in a folder of the level's, at the top
included; anywhere else only Python files do: a folder of the player's own with data in it is left alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from fnmatch import translate
from pathlib import Path, PurePosixPath

from bughunt.content.installed import tree_folder
from bughunt.content.tree import is_by_product
from bughunt.disk.files import PART
from bughunt.disk.kinds import kind_of

_INSTALLED = ("node_modules", "site-packages", "dist-packages", "__pypackages__")

_DROPPED = (
    f".*{PART}",
    # Vim, nano and Kate, Emacs, gedit, JetBrains
    ".*.sw[a-p]",
    ".*.kate-swp",
    "4913",
    "*~",
    "#*#",
    ".#*",
    ".goutputstream-*",
    "*___jb_tmp___",
    "*___jb_old___",
    # patch and merge tools
    "*.orig",
    "*.rej",
    # macOS, Windows, network drives
    ".DS_Store",
    "._*",
    "Thumbs.db",
    "desktop.ini",
    ".nfs*",
    ".fuse_hidden*",
)
_IS_DROPPED = re.compile("|".join(translate(pattern) for pattern in _DROPPED)).match


def is_dropping(name: str) -> bool:
    """Is this the name of a file that an editor, a merge tool or the system leaves beside others?"""
    return _IS_DROPPED(name) is not None


def files_of(folder: Path) -> dict[str, Path]:
    """The files and links below `folder`, by their names relative to it, that may be source."""
    return {file: path for file, path in _walk(folder) if not is_dropping(path.name)}


def left_by_kills(folder: Path) -> list[Path]:
    """Files below `folder` that the game was writing when it was killed."""
    return [path for _, path in _walk(folder) if path.name.startswith(".") and path.name.endswith(PART)]


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for parent, folders, names in os.walk(folder, onerror=_raise):
        relative = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        if _is_installed(relative, folders, names):
            folders.clear()
            continue
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118
        links = [name for name in links if not name.startswith(".")]
        folders[:] = [
            name
            for name in folders
            if name not in links and not name.startswith(".") and not is_by_product(str(relative / name))
        ]
        for name in [*names, *links]:
            file = str(relative / name)
            if not is_by_product(file):
                path = Path(parent, name)
                if path.is_symlink() or path.is_file():
                    yield file, path


def source_files(folder: Path, level: Collection[str], also: Collection[str] = ()) -> dict[str, Path]:
    """The files below `folder` that are source beside the files `level`.

    Those of `also` are, too, wherever they stand: in what has been installed since, for one.
    """
    found = counted(files_of(folder), level, also)
    for file in {*level, *also} - found.keys():
        kinds = [kind_of(folder / above) for above in PurePosixPath(file).parents]
        if kind_of(folder / file) in ("file", "link") and not {*kinds} - {"folder"}:
            found[file] = folder / file
    return found


def counted(present: dict[str, Path], level: Collection[str], also: Collection[str] = ()) -> dict[str, Path]:
    """Those of the files `present` that are source beside the files `level`; those of `also` are, too."""
    folders = {PurePosixPath(file).parent for file in level}
    # A file or a link may stand where a folder is wanted.
    above = {str(folder) for file in also for folder in PurePosixPath(file).parents}

    def counts(file: str) -> bool:
        path = PurePosixPath(file)
        return (
            path.parent in folders
            or path.suffix == ".py"
            or file in also
            or file in above
            or any(str(above) in level for above in path.parents)
        )

    return {file: path for file, path in present.items() if counts(file)}


def _is_installed(folder: PurePosixPath, folders: Collection[str], names: Collection[str]) -> bool:
    marked = (
        folder.name in _INSTALLED
        or "pyvenv.cfg" in names
        or "conda-meta" in folders
        or any(name.endswith(".dist-info") for name in folders)
    )
    return marked and not (tree_folder() / folder).is_dir()


def _raise(error: OSError) -> None:
    raise error
