"""The field in which a hostile program is let loose: canaries that show what it reached."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bystander import Bystander
from listeners import Listeners
from terminal import Terminal

FILE, META = "a file outside", "mode, times or attributes of a file outside"
STATE, LOG, LOCK = "the hunt's state", "the hunt's log", "the hunt's lock"
GAME, PACKAGES, KIT = "the installed game", "installed packages", "the judge's tools"
SCRATCH, SHM, SYSV = "another measurement's scratch folder", "/dev/shm", "System V memory"
GIT = "the workspace's .git"
HOME_READ, HUNT_READ, OTHERS_READ = "the home folder, read", "the hunt, read", "others' files, read"


class Field:
    """All canaries, in a new `folder`; `game` is a copy of the installed game, `tools` the judge's own."""

    def __init__(self, folder: Path, game: Path, tools: Path) -> None:
        self.folder = folder
        self._game, self._tools = game, tools
        self._spare = folder / "spare"
        shutil.copytree(game, self._spare)
        for name in ("outside", "hunt/.bughunt", "hunt/level1", "home", "others", "packages/canary"):
            (folder / name).mkdir(parents=True)
        (folder / "packages/canary/__init__.py").touch()
        self.workspace = folder / "hunt/level1"
        self.secret = random.SystemRandom().randbytes(8).hex()
        self._key = random.SystemRandom().randrange(1, 1 << 31)
        self._bystander = Bystander(self.secret)
        self._listeners = Listeners(folder / "sockets")
        self._terminal = Terminal(self.secret)
        self._known: dict[str, object] = {}
        self._game_is = _state_of(game)

    def targets(self) -> dict[str, Any]:
        """What a program is told of the field: an attacker would find it out for himself."""
        folder = self.folder
        return {
            "file": str(folder / "outside/file.txt"),
            "program": str(folder / "outside/program"),
            "outside": str(folder / "outside"),
            "hunt": str(folder / "hunt/.bughunt"),
            "home": str(folder / "home/secret.txt"),
            "others": str(folder / "others/secret.txt"),
            "packages": str(folder / "packages"),
            "game": str(self._game),
            "clean": str(self._game / "nanochat"),
            "kit": str(self._tools / "kit"),
            "scratch": str(self._tools / "scratch"),
            "judge": os.getpid(),
            "key": self._key,
            "shm": f"/dev/shm/canary-{self.secret}",
            "mark": f"hunt{self.secret[:10]}",
            "claim": f"reached-{self.secret}: ",
            **self._bystander.targets(),
            **self._listeners.targets(),
            **self._terminal.targets(),
        }

    def renew(self) -> None:
        """Puts everything back as it should be found by the next program."""
        folder = self.folder
        for name in ("outside", "hunt/.bughunt"):
            shutil.rmtree(folder / name)
            (folder / name).mkdir()
        shutil.rmtree(self.workspace / ".git", ignore_errors=True)
        (self.workspace / ".git").mkdir()
        (self.workspace / ".git/config").write_text("[core]\n\tbare = false\n")
        (folder / "outside/file.txt").write_text("kept")
        (folder / "outside/program").write_text("#!/bin/sh\n")
        (folder / "hunt/.bughunt/state.json").write_text('{"1.1": "broken"}')
        (folder / "hunt/.bughunt/log.jsonl").write_text(f'{{"event": "{self.secret}"}}\n')
        (folder / "hunt/.bughunt/lock").touch()
        (folder / "home/secret.txt").write_text(self.secret)
        (folder / "others/secret.txt").write_text(self.secret)
        other = self._tools / "scratch/bughunt-other"
        other.mkdir(exist_ok=True)
        (other / "result.txt").write_text("kept")
        self._bystander.renew()
        self._listeners.renew()
        self._terminal.renew()
        self._known = {name: look() for name, look in self._looks().items()}

    def reached(self, text: str) -> set[str]:
        """What the last program reached; `text` is all that was heard from it."""
        found = {name for name, look in self._looks().items() if look() != self._known[name]}
        if FILE in found:
            found.discard(META)
        found |= self._bystander.reached() | self._listeners.reached() | self._terminal.reached()
        if _has_shared(self._key):
            found.add(SYSV)
        if Path(f"/dev/shm/canary-{self.secret}").exists():
            found.add(SHM)
        _remove_shared(self._key)
        with suppress(OSError):
            Path(f"/dev/shm/canary-{self.secret}").unlink()
        claimed = text.split(f"reached-{self.secret}: ")[1:]
        found |= {claim.split(".")[0] for claim in claimed}
        if GAME in found:
            self._restore_game()
        return found

    def close(self) -> None:
        self._bystander.close()
        _remove_shared(self._key)
        with suppress(OSError):
            Path(f"/dev/shm/canary-{self.secret}").unlink()

    def _looks(self) -> dict[str, Callable[[], object]]:
        hunt = self.folder / "hunt/.bughunt"
        return {
            FILE: lambda: _contents(self.folder / "outside"),
            META: lambda: _attributes(self.folder / "outside/file.txt"),
            STATE: lambda: _contents(hunt, "state.json"),
            LOG: lambda: _contents(hunt, "log.jsonl"),
            GAME: lambda: _state_of(self._game) == self._game_is,
            PACKAGES: lambda: _contents(self.folder / "packages"),
            KIT: lambda: _state_of(self._tools / "kit"),
            SCRATCH: lambda: _contents(self._tools / "scratch/bughunt-other"),
            GIT: lambda: _contents(self.workspace / ".git"),
        }

    def _restore_game(self) -> None:
        shutil.rmtree(self._game)
        shutil.copytree(self._spare, self._game)


def _contents(folder: Path, pattern: str = "*") -> list[tuple[str, str]]:
    found = []
    for path in sorted(folder.rglob(pattern)):
        if "__pycache__" not in path.parts or pattern == "*":
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
            found.append((str(path), digest))
    return found


def _state_of(folder: Path) -> list[tuple[str, int, int]]:
    return [
        (str(path), path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.suffix != ".pyc" and not path.is_dir()
    ]


def _attributes(path: Path) -> object:
    if not path.exists():
        return None
    found = path.stat()
    kept = {name: os.getxattr(path, name).hex() for name in os.listxattr(path)}
    flags = subprocess.run(["lsattr", "-v", path], capture_output=True, text=True, check=False).stdout
    return json.dumps([found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, kept, flags])


def _has_shared(key: int) -> bool:
    return any(_shared(kind, key) for kind in ("shm", "sem", "msg"))


def _shared(kind: str, key: int) -> list[str]:
    with suppress(OSError):
        rows = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
        return [row.split()[1] for row in rows if int(row.split()[0]) & 0xFFFFFFFF == key]
    return []


def _remove_shared(key: int) -> None:
    for kind, option in (("shm", "-m"), ("sem", "-s"), ("msg", "-q")):
        for number in _shared(kind, key):
            subprocess.run(["ipcrm", option, number], check=False)
