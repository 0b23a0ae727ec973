"""Whenever a command is killed, no file without its bug lies anywhere in the hunt.

An audit hook sees each step of a command (a file opened or renamed, a program started), and looks at all
that is in the hunt at that very moment: what a kill there would leave.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from editing import TOKENIZER

from bughunt.hunt.hunt import Hunt

_WATCHED = """
import os, sys
from pathlib import Path

folder, command = Path(sys.argv[1]), sys.argv[2:]
from bughunt.cli.main import main
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.hunt.doctor.place import examine_place

clean = {}
for bug in load_catalog().level("level1").bugs:
    for file in bug.files:
        clean[os.path.basename(file)] = (tree_folder() / file).read_bytes()
found, steps, looking = set(), 0, False

def look(event, arguments):
    global looking, steps
    if looking or event not in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "subprocess.Popen"):
        return
    looking = True
    steps += 1
    try:
        for parent, folders, names in os.walk(folder):
            for name in set(names) & clean.keys():
                path = os.path.join(parent, name)
                with open(path, "rb") as file:
                    if file.read() == clean[name]:
                        found.add(os.path.relpath(path, folder))
    finally:
        looking = False

os.chdir(folder)
sys.addaudithook(look)
sys.argv = ["bughunt", *command]
try:
    list(examine_place(folder)) + sys.exit() if command == ["doctor's place"] else main()
except SystemExit as ended:
    looking = True
    print(sorted(found), steps > 20, ended.code or 0, file=sys.stderr)
"""


def lay_open(folder: Path, *command: str) -> str:
    """The clean files that were in the hunt while a command ran; was there enough to see; its status."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, str(folder), *command], capture_output=True, text=True, check=True
    )
    return done.stderr.splitlines()[-1]


def test_a_start(tmp_path: Path) -> None:
    assert lay_open(tmp_path, "start", "level1") == "[] True 0"


@pytest.mark.few(2)
@pytest.mark.parametrize("command", ["reset", "reset 1.2", "restore", "start level1 --fresh"])
def test_what_overwrites(command: str, hunt: Hunt) -> None:
    for text in ("first", "second"):
        (hunt.folder / "level1" / TOKENIZER).write_text(text)
        if text == "first":
            hunt.reset(hunt.reset_plan(None))
    assert lay_open(hunt.folder, *command.split()) == "[] True 0"


def test_a_doctor_tries_the_place_without_the_tree(hunt: Hunt) -> None:
    assert lay_open(hunt.folder, "doctor's place") == "[] True 0"


def test_a_solution(hunt: Hunt) -> None:
    assert lay_open(hunt.folder, "solution", "1.1") == "[] True 1"
    assert lay_open(hunt.folder, "solution", "1.1") == "[] True 0"
