"""Once code of a workspace has begun to run, nothing of the game, of Python or of its packages is loaded."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bughunt.content.installed import tree_folder
from bughunt.content.tree import tree_files
from bughunt.hunt.hunt import Hunt

PATIENCE_SECONDS = 120.0
SCRIPT = Path(__file__).with_name("late_loading.py")


@dataclass(frozen=True)
class Case:
    """A command, the workspace that it meets, what else happens, and the exit status."""

    name: str
    arguments: tuple[str, ...]
    status: int
    code: str = "broken"
    conditions: str = ""


CASES = (
    Case("broken", ("check",), 1),
    Case("broken, as JSON", ("check", "--json"), 1),
    Case("the level completed", ("check",), 0, "clean"),
    Case("the level completed, as JSON", ("check", "--json"), 0, "clean"),
    Case("crashed", ("check", "1.1"), 1, "crashing"),
    Case("what is returned is no measurement", ("check", "1.1"), 1, "returning junk"),
    Case("unknown", ("check", "1.1"), 3, "crashing", "the_clean_tree_fails"),
    Case("unknown, as JSON", ("check", "1.1", "--json"), 3, "crashing", "the_clean_tree_fails"),
    Case("not recorded", ("check", "1.1"), 1, conditions="nothing_is_recorded"),
    Case("not recorded, as JSON", ("check", "1.1", "--json"), 1, conditions="nothing_is_recorded"),
    Case("interrupted", ("check", "1.1"), 130, conditions="it_is_interrupted"),
    Case("interrupted, as JSON", ("check", "1.1", "--json"), 130, conditions="it_is_interrupted"),
    Case("a probe", ("probe", "1.1"), 0),
    Case("a probe as JSON", ("probe", "1.3", "--json"), 0),
    Case("a probe as a page", ("probe", "1.3", "--save", "page.html"), 0),
    Case("a probe as a picture", ("probe", "1.3", "--save", "picture.svg"), 0),
    Case("a probe of what crashes", ("probe", "1.1"), 1, "crashing"),
)


def prepare(workspace: Path, code: str) -> None:
    tokenizer = workspace / "nanochat" / "tokenizer.py"
    if code == "clean":
        for file in tree_files(tree_folder()):
            (workspace / file).write_bytes((tree_folder() / file).read_bytes())
    elif code == "crashing":
        tokenizer.write_text("raise ValueError('a mistake')\n")
    elif code == "returning junk":
        tokenizer.write_text(tokenizer.read_text() + "\nRustBPETokenizer.encode = lambda *_, **__: {}\n")


def run(hunt: Hunt, *arguments: str, conditions: str = "") -> tuple[int, list[str]]:
    """The exit status of a command in the folder of the hunt, and what it loaded late."""
    report = hunt.folder.parent / "report.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(report), conditions, *arguments],
        cwd=hunt.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text())


@pytest.mark.few(3)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_loaded_late(case: Case, hunt: Hunt, workspace: Path) -> None:
    prepare(workspace, case.code)
    assert run(hunt, *case.arguments, conditions=case.conditions) == (case.status, [])


@pytest.mark.few(1)
@pytest.mark.parametrize("code", ["broken", "clean"])
@pytest.mark.parametrize("level", ["level2", "level3"])
def test_no_check_loads_anything_late(level: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "hunt").mkdir()
    hunt = Hunt(tmp_path / "hunt")
    hunt.start(level)
    prepare(hunt.folder / level, code)
    assert run(hunt, "check") == (1 if code == "broken" else 0, [])


def test_an_error_that_nobody_foresaw_imports_nothing(hunt: Hunt) -> None:
    """Its report quotes versions and lines of the game: they are read, and decide nothing."""
    status, late = run(hunt, "check", "1.1", conditions="recording_goes_wrong")
    assert status == 4
    assert [one for one in late if one.startswith(("import", "module")) or ".pyc" in one] == []
    assert late


class Screen:
    """A command in a pseudo-terminal."""

    def __init__(self, hunt: Hunt, *arguments: str) -> None:
        pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
        self._report = hunt.folder.parent / "report.json"
        self._near, far = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(self._report), "", *arguments],
            cwd=hunt.folder,
            stdin=far,
            stdout=far,
            stderr=far,
            env={**environment, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"},
            start_new_session=True,
        )
        os.close(far)
        self._drawn = b""

    def press(self, key: str) -> None:
        os.write(self._near, key.encode())

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < deadline, self._drawn[-3000:].decode(errors="replace")
            if select.select([self._near], [], [], 0.05)[0]:
                try:
                    self._drawn += os.read(self._near, 1 << 16)
                except OSError:  # nothing is at the other end any more
                    break

    def shows(self, text: str) -> Callable[[], bool]:
        return lambda: text.encode() in self._drawn

    def ended(self) -> tuple[int, list[str]]:
        self.until(lambda: self._process.poll() is not None)
        status = self._process.wait()
        os.close(self._near)
        return status, json.loads(self._report.read_text())


@pytest.mark.parametrize("code", ["broken", "clean"])
def test_nothing_is_loaded_late_where_a_person_looks(code: str, hunt: Hunt, workspace: Path) -> None:
    prepare(workspace, code)
    assert Screen(hunt, "check").ended() == (1 if code == "broken" else 0, [])


def test_nothing_is_loaded_late_by_a_watch(tmp_path: Path) -> None:
    """Nor is any program or module when it goes on to the next level: that one's tree is laid out then."""
    (tmp_path / "hunt").mkdir()
    hunt = Hunt(tmp_path / "hunt")
    hunt.start("level1")
    log = hunt.store.log.path

    def recorded(event: str, *bugs: str) -> Callable[[], bool]:
        events = [f'"event":"{event}","bug":"{bug}"' for bug in bugs]
        return lambda: all(one in log.read_text() for one in events)

    screen = Screen(hunt, "watch")
    screen.until(recorded("check", "1.1", "1.2", "1.3"))
    screen.press("p")
    screen.until(screen.shows("special"))
    screen.press("h")
    screen.until(recorded("hint", "1.1"))
    screen.press("d")
    screen.until(screen.shows("is edited"))
    screen.press("s")
    screen.until(screen.shows("not fixed yet"))
    screen.press("n")
    screen.until(screen.shows("goes on to level2"))
    screen.press("y")
    screen.until(recorded("check", "2.1", "2.2", "2.3", "2.4"))
    screen.press("q")
    status, late = screen.ended()
    laid_out = (str(tree_folder()), "subprocess.Popen 'git'")
    assert status == 0
    assert [one for one in late if not any(part in one for part in (*laid_out, ".patch", "bug.toml"))] == []
