"""The game as a stranger has it: installed from a wheel, played in a folder outside of the checkout."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.workspace.patches import apply_patch

LEVEL = load_catalog().levels[0]

FIXES = {
    "1.1": "accept-concatenate.patch",
    "1.2": "accept-at-the-yield.patch",
    "1.3": "accept-narrow.patch",
}


class Shell:
    def __init__(self, command: Path, folder: Path, environment: dict[str, str]) -> None:
        self.command, self.folder, self.environment = command, folder, environment

    def __call__(self, *arguments: str, code: int = 0) -> str:
        ran = subprocess.run(
            [self.command, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert ran.returncode == code, (arguments, ran.returncode, ran.stdout, ran.stderr)
        assert "Traceback" not in ran.stderr
        return ran.stdout


@pytest.fixture
def shell(command: Path, tmp_path: Path, environment: dict[str, str]) -> Shell:
    folder = tmp_path / "mon été de chasse"
    folder.mkdir()
    return Shell(command, folder, environment)


def test_the_wheel_carries_the_tree_and_the_challenges_and_no_nanochat(command: Path) -> None:
    python = command.with_name("python")
    script = (
        "import importlib.util, bughunt.content.installed as i, json;"
        "print(json.dumps([str(i.tree_folder()), str(i.challenges_folder()),"
        " importlib.util.find_spec('nanochat') is None]))"
    )
    out = subprocess.run([python, "-P", "-c", script], capture_output=True, text=True, check=True, cwd="/")
    tree, challenges, absent = json.loads(out.stdout)
    assert absent
    for folder in (tree, challenges):
        assert Path(folder).is_relative_to(command.parents[1])
    (wheel,) = command.parents[2].glob("wheels/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert not [name for name in names if "/runs/" in name or "__pycache__" in name]
    assert "bughunt/data/nanochat/nanochat/tokenizer.py" in names


def test_a_level_from_start_to_debrief(shell: Shell) -> None:
    assert LEVEL.bugs[0].card.title in shell("start", "level1")
    workspace = Path(json.loads(shell("status", "--json"))["levels"][0]["workspace"])
    assert workspace == shell.folder / "level1"
    assert (workspace / "CASE.md").is_file()
    shell("hint")
    shell("probe", "--json")
    before = json.loads(shell("check", "--json", code=1))
    assert before["fixed"] == 0

    near_miss = next((LEVEL.bugs[0].folder / "fixes").glob("reject-single-only.patch"))
    apply_patch(workspace, near_miss)
    shell("check", LEVEL.bugs[0].id, code=1)
    shell("reset", LEVEL.bugs[0].id)
    for bug in LEVEL.bugs:
        apply_patch(workspace, bug.folder / "fixes" / FIXES[bug.id])
        assert json.loads(shell("check", bug.id, "--json"))["verdicts"][0]["verdict"] == "fixed"
    shell("reset", "1.2")
    shell("check", "1.2", code=1)
    shell("restore")
    after = json.loads(shell("check", "--json"))
    assert (after["fixed"], after["total"]) == (len(LEVEL.bugs), len(LEVEL.bugs))
    assert "points" in shell("status")


def test_what_the_players_shell_sets_does_not_reach_the_judge(shell: Shell) -> None:
    shell("start", "level1")
    workspace = shell.folder / "level1"
    (workspace / "sitecustomize.py").write_text("raise SystemExit(0)\n")
    (workspace / "conftest.py").write_text("raise SystemExit(0)\n")
    (workspace / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    shell.environment["PYTEST_ADDOPTS"] = "--collect-only"
    shell.environment["PYTEST_PLUGINS"] = "nowhere"
    verdicts = json.loads(shell("check", "--json", code=1))["verdicts"]
    assert [verdict["verdict"] for verdict in verdicts] == ["broken"] * len(LEVEL.bugs)


def test_python_dash_m_is_not_led_astray_by_the_folder_it_runs_in(shell: Shell, command: Path) -> None:
    shell("start", "level1")
    workspace = shell.folder / "level1"
    for name in ("pytest", "typer", "rich", "json"):
        (workspace / f"{name}.py").write_text("raise SystemExit(0)\n")
    ran = subprocess.run(
        [command.with_name("python"), "-m", "bughunt", "check", "1.1", "--json"],
        cwd=workspace,
        env=shell.environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stderr
    assert json.loads(ran.stdout)["verdicts"][0]["verdict"] == "broken"


def test_output_is_plain_in_a_pipe_and_coloured_in_a_terminal(shell: Shell) -> None:
    assert "\x1b" not in shell("start", "level1")
    assert "\x1b[" in in_a_terminal(shell, {})
    assert "\x1b[" not in in_a_terminal(shell, {"NO_COLOR": "1"})


def in_a_terminal(shell: Shell, more: dict[str, str]) -> str:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(shell.folder)
        os.execve(
            shell.command,
            ["bughunt", "status"],
            {**shell.environment, "TERM": "xterm", "COLUMNS": "80", **more},
        )
    shown = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
    os.waitpid(pid, 0)
    return shown.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes as on Linux")
def test_an_interrupt_ends_with_130_and_leaves_no_process(shell: Shell) -> None:
    shell("start", "level1")
    for file in (shell.folder / "level1/nanochat").glob("tokenizer.py"):
        file.write_text("while True: pass\n")
    process = subprocess.Popen(
        [shell.command, "check", "1.1"],
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What runs the tests in the background may ignore an interrupt, and a child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    descendants: set[int] = set()
    deadline = time.monotonic() + 60
    while len(descendants) < 2 and time.monotonic() < deadline:
        descendants = children_of(process.pid)
        select.select([], [], [], 0.05)
    assert len(descendants) >= 2, "the measurement never began"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    while any(Path(f"/proc/{pid}").exists() for pid in descendants) and time.monotonic() < deadline:
        select.select([], [], [], 0.05)
    assert not [pid for pid in descendants if Path(f"/proc/{pid}").exists()]


def children_of(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found |= {child} | children_of(child)
    return found


def test_doctor_proves_the_judge_both_ways(shell: Shell) -> None:
    document = json.loads(shell("doctor", "--json"))
    assert document["well"]
    looked_at = {finding["what"] for finding in document["findings"]}
    for level in load_catalog().levels:
        for bug in level.bugs:
            assert {f"check {bug.id} on the clean tree", f"check {bug.id} with the bug in"} <= looked_at
