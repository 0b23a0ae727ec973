"""However a command ends, it ends with a sentence and a status that means what it says."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Player

from bughunt.hunt.store import Store

FULL = Path("/dev/full")


def shell(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """`words` in a shell, where `bughunt` is the command line of this very code."""
    environment = {**os.environ, "BUGHUNT": f"{sys.executable} -m bughunt"}
    return subprocess.run(
        ["sh", "-c", words.replace("bughunt", "$BUGHUNT")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


needs_a_shell = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")


@needs_a_shell
@pytest.mark.parametrize("command", ["status", "hint", "levels --json", "--help", "nonsense", "hint --json"])
def test_a_closed_output_is_not_a_bug_unfixed(command: str, started: Player) -> None:
    ran = shell(started.folder, f"bughunt {command} >&-")
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "Standard output is closed" in ran.stderr


@needs_a_shell
@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "command", ["status", "hint", "levels --json", "--help", "--version", "check --help"]
)
def test_a_full_output_is_not_a_bug_unfixed(command: str, started: Player) -> None:
    ran = shell(started.folder, f"bughunt {command} >/dev/full")
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert "No space left" in ran.stderr


@needs_a_shell
def test_closed_streams_everywhere_leave_the_status(started: Player) -> None:
    assert shell(started.folder, "bughunt status 2>&-").returncode == 0
    assert shell(started.folder, "bughunt status <&-").returncode == 0
    assert shell(started.folder, "bughunt hint 9.9 2>&-").returncode == 2
    assert shell(started.folder, "bughunt status >&- 2>&- <&-").returncode == 2


@needs_a_shell
def test_a_reader_that_stops_early_changes_no_verdict(started: Player) -> None:
    """`check | head -1`: all is judged, and the status is still that of the verdicts."""
    ran = shell(started.folder, "{ bughunt check; echo $? >status; } | head -1; cat status")
    assert ran.stdout.splitlines()[-1] == "1"
    assert "Traceback" not in ran.stderr
    state = Store(started.folder / ".bughunt").read()
    assert [state.bug(bug).verdict for bug in ("1.1", "1.2", "1.3")] == ["broken"] * 3


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_what_nobody_foresaw_is_four_and_a_log(
    as_json: bool, started: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Store) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(Store, "read", fail)
    ran = started.run("status", *(["--json"] if as_json else []))
    assert ran.code == 4
    if as_json:
        said, step = ran.document["error"]["message"], ran.document["error"]["step"]
        assert ran.document["error"]["code"] == 4
    else:
        said, step = ran.err.splitlines()
        assert ran.out == ""
    assert "ZeroDivisionError: of ours" in said
    [log] = (started.folder / ".bughunt" / "errors").iterdir()
    assert str(log) in step
    text = log.read_text()
    for part in ("Traceback", "ZeroDivisionError: of ours", "bughunt status", "python 3", "torch "):
        assert part in text


def test_without_a_hunt_the_log_is_in_a_temporary_folder(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr("bughunt.content.catalog.load_catalog", fail)
    assert player.run("levels").code == 4
    assert list(player.folder.iterdir()) == []
    [log] = temporary.iterdir()
    assert "ZeroDivisionError" in log.read_text()


@pytest.mark.parametrize(
    "command", [["hint", "9.9"], ["status"], ["check", "--bogus"], ["check"]], ids=" ".join
)
def test_what_became_of_a_garbled_state_is_told_however_the_command_ends(
    command: list[str], started: Player
) -> None:
    """Without a good copy, too: the name under which it was set aside is told, once."""
    for name in ("state.json", "state.previous.json", "log.jsonl"):
        (started.folder / ".bughunt" / name).unlink(missing_ok=True)
    (started.folder / ".bughunt" / "state.json").write_bytes(b"{\0\0")
    ran = started.run(*command)
    if command == ["check", "--bogus"]:
        # Nothing was read, so there is nothing to tell yet.
        ran = started.run("status")
    (aside,) = (started.folder / ".bughunt").glob("state.unusable-*.json")
    assert ran.err.replace("\n", "").count(aside.name) == 1


def test_a_hunt_that_plays_another_versions_level_is_told_what_was_set_aside(started: Player) -> None:
    """The command fails after the state was recovered."""
    (started.folder / ".bughunt" / "state.json").write_bytes(b"garbled")
    ran = started.run("reset", "2.1")
    assert ran.code == 2
    (aside,) = (started.folder / ".bughunt").glob("state.unusable-*.json")
    assert aside.name in ran.err.replace("\n", "")
    assert "level2 has not been started" in ran.err


def test_a_solution_under_json_says_what_the_next_call_does(started: Player) -> None:
    started.run("hint", "1.3")
    document = started.run("solution", "1.3", "--json").document
    assert document["price"] == 8
    assert document["step"] == "bughunt solution 1.3 --json"
    assert "8 points" in document["message"]


@pytest.mark.parametrize("command", ["check", "probe"])
def test_what_was_found_out_is_shown_although_it_cannot_be_recorded(
    command: str, started: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that can only be read, say: the status is that of the verdict."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(started.folder / ".bughunt" / "state.json"))

    monkeypatch.setattr("bughunt.hunt.store.write_atomically", refuse)
    ran = started.run(command, "1.2", "--seed", "7")
    assert ran.code == (1 if command == "check" else 0)
    assert "int64" in ran.out
    assert "was not recorded" in ran.err
    assert "state.json" in ran.err.replace("\n", "")


@needs_a_shell
def test_help_that_nobody_reads_is_no_failure(started: Player) -> None:
    for _ in range(3):
        ran = shell(started.folder, "{ bughunt --help; echo $? >status; } | true; cat status")
        assert ran.stdout.split() == ["0"]


def test_an_interruption_while_the_program_is_being_imported(player: Player) -> None:
    """Ctrl-C in the first tenth of a second."""
    code = (
        "import sys, types\n"
        "class Interrupted(types.ModuleType):\n"
        "    def __getattr__(self, name): raise KeyboardInterrupt\n"
        "sys.modules['bughunt.cli.main'] = Interrupted('bughunt.cli.main')\n"
        "from bughunt.cli.entry import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 130
    assert ran.stderr == "Interrupted. Nothing was lost.\n"
