"""The README's console session: what it says is run, and what was printed is what it shows.

`python tests/e2e/readme.py` brings the session in README.md up to date, with the `bughunt` on the PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def session(run: Callable[[str], str], text: str) -> str:
    """`text` with each console block's output replaced by what `run` says of its commands, in order."""

    def block(found: re.Match[str]) -> str:
        commands = [line[2:] for line in found[1].splitlines() if line.startswith("$ ")]
        shown = "".join(f"$ {command}\n{run(command)}" for command in commands)
        return f"```console\n{shown}```"

    return _BLOCK.sub(block, text)


def runner(folder: Path, bughunt: Path, environment: dict[str, str]) -> Callable[[str], str]:
    """Runs shell commands in `folder` with `bughunt` first on the PATH; gives what they print, in full."""
    environment = {**environment, "PATH": f"{bughunt.parent}{os.pathsep}{environment['PATH']}"}

    def run(command: str) -> str:
        ran = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=240
        )
        return (ran.stdout + ran.stderr).replace(str(folder), "/home/you/hunt")

    return run


if __name__ == "__main__":
    command = shutil.which("bughunt")
    assert command is not None, "no bughunt on the PATH"
    with tempfile.TemporaryDirectory(dir=Path.home()) as home:
        short = Path(home) / "hunt"
        short.mkdir()
        README.write_text(session(runner(short, Path(command), dict(os.environ)), README.read_text()))
