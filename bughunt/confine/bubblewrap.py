"""Enclosing a process with bubblewrap, where it is installed: https://github.com/containers/bubblewrap."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from bughunt.confine.view import SHARED_MEMORY, View


def path_of_bubblewrap() -> str | None:
    """Where the program is, if it is installed."""
    return shutil.which("bwrap")


def bubblewrap(program: str, view: View, command: Sequence[str]) -> list[str]:
    """The command that runs `command` and lets it see no more than `view`."""
    return [
        program,
        *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL"),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm"),
        *_words("--symlink", *((target, path) for path, target in view.links)),
        *_words("--ro-bind", *((path, path) for path in view.shown)),
        *_words("--tmpfs", *((path,) for path in view.masked)),
        *("--size", str(view.scratch_bytes), "--tmpfs", view.scratch),
        *_words("--ro-bind", *((path, path) for path in view.given)),
        *_words("--remount-ro", *((path,) for path in (*view.masked, "/"))),
        *("--chdir", view.scratch, "--", *command),
    ]


def _words(option: str, *arguments: tuple[str, ...]) -> list[str]:
    return [word for words in arguments for word in (option, *words)]
