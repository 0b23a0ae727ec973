"""The README tells the truth."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from readme import README, runner, session

TEXT = README.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="the session is one of Linux: `sed -i`")
def test_the_session_shown_is_the_session_had(
    command: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    assert session(runner(tmp_path, command, environment), TEXT) == TEXT


def test_ci_runs_the_readmes_test_command() -> None:
    shown = re.search(r"\*\*Test\.\*\*.*?```sh\n(.*?)\n```", TEXT, re.DOTALL)
    assert shown is not None
    script = (README.parent / ".ci" / "run").read_text(encoding="utf-8")
    install, test = re.search(r"pip install (.*) && (pytest -n auto)$", shown[1]).groups()
    assert f"packages=({install})" in script
    assert f"\n{test}\n" in script
    assert "python3 -m venv .venv\n. .venv/bin/activate" in script


def test_every_command_is_in_the_table() -> None:
    from bughunt.cli.main import app

    for command in app.registered_commands:
        assert f"`bughunt {command.callback.__name__}" in TEXT
