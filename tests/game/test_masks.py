"""Whatever the code prints, raises or returns: no path of the game is shown, and no word of its frames."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from command_line import Player

import bughunt
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.judge.masks import Masks
from bughunt.measure.inside import describe
from bughunt.measure.outcomes import Failure, Measurement
from bughunt.measure.process_exit import read_printed
from bughunt.measure.texts import DETAIL_CHARACTERS, tidy

CATALOG = load_catalog()
BUGS = [bug for level in CATALOG.levels for bug in level.bugs]
BUG = BUGS[0]
WORKSPACE = Path("/home/somebody/hunt of theirs/level1")
GAME = Path(bughunt.__file__).parent
SCRATCH = Path(tempfile.gettempdir(), "bughunt-a1b2c3d4", "bughunt-e5f6g7h8")


def masked(text: str) -> str:
    return Masks().text(text, WORKSPACE)


@pytest.mark.parametrize(
    "spell", [str, repr, ascii, json.dumps, quote, lambda path: repr(repr(path)), lambda path: path.upper()]
)
@pytest.mark.parametrize(
    "path", [BUG.measure, GAME / "measure" / "inside.py", tree_folder() / "nanochat"], ids=str
)
def test_every_spelling_of_a_path_is_masked(path: Path, spell: Any) -> None:
    if spell(str(path)) == str(path).upper() and sys.platform == "linux":
        pytest.skip("case tells paths apart here")
    said = masked(f"before {spell(str(path))} after")
    assert re.fullmatch(r"before \W*<game>\W* after", said), said


def test_a_link_to_the_game_is_masked_by_both_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "an environment"
    link.symlink_to(GAME.parent)
    monkeypatch.setattr(bughunt, "__file__", str(link / GAME.name / "__init__.py"))
    for path in (link / GAME.name / "lab" / "x.py", GAME / "lab" / "x.py"):
        assert masked(f"{path}:1") == "<game>:1"


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_bugs_folder_is_masked_wherever_it_is(bug: Any) -> None:
    """Its name says what is wrong: by a relative path, in a copy, or with the beginning cut off."""
    level, slug = bug.folder.parent.name, bug.folder.name
    for text in (
        f"../../challenges/{level}/{slug}/measure.py",
        f"{SCRATCH}/{level}/{slug}",
        f"… {slug}/check.py",
        rf"C:\elsewhere\{level}\{slug}\probe.py",
        f"{level}%2F{slug}",
    ):
        assert slug not in masked(text), text


def test_paths_of_the_workspace_stay_useful() -> None:
    text = f'File "{WORKSPACE}/nanochat/gpt.py", line 3\n{WORKSPACE}\n{WORKSPACE}0\n{SCRATCH}/log.txt'
    assert masked(text) == f'File "nanochat/gpt.py", line 3\n<workspace>\n{WORKSPACE}0\n<scratch>/log.txt'


def test_a_copy_of_what_measures_belongs_to_the_game() -> None:
    frame = f'  File "{SCRATCH}/game/bughunt/measure/inside.py", line 3, in f\n    f()'
    text = f"{frame}\n{SCRATCH}/0/measure.py:3: W"
    assert masked(text) == '  File "<game>"\n<game>: W'


@pytest.mark.parametrize("path", [f"{SCRATCH}/game/bughunt/measure/inside.py", str(BUG.measure)])
def test_a_path_that_is_cut_off_is_masked(path: str) -> None:
    """Wherever the end of what was raised is, or its beginning: only so much of either is shown."""
    for before in range(400, 500):
        raised = ValueError(f"{'x ' * (before // 2)} {path} {path}")
        for said in (
            describe(raised, str(WORKSPACE))["message"],
            tidy(str(raised), 2 * len(path) - before % 97),
        ):
            assert "bughunt" not in masked(said) and "measure" not in masked(said), said


@pytest.mark.parametrize("code", ["secret(inputs)", "secret(\n        inputs\n        ^^^^^^\n    )"])
def test_a_frame_whose_beginning_is_cut_off_leaves_no_code(code: str) -> None:
    stack = f'  File "{BUG.measure}", line 66, in measure\n    {code}\n'
    warning = f"{BUG.measure}:66: UserWarning: mind this\n  secret(inputs)\n"
    own = f'  File "{WORKSPACE}/nanochat/gpt.py", line 3, in f\n    f()\n'
    for text in (stack + own, warning + own, stack * 2 + own):
        for characters in range(len(own) + 4, len(text) + 1):
            said = masked(tidy(text, characters))
            assert "secret" not in said and "inputs" not in said, said
            assert said.endswith('  File "nanochat/gpt.py", line 3, in f\n    f()\n'), said


def test_the_end_of_what_was_printed_begins_with_a_whole_line() -> None:
    with tempfile.TemporaryFile() as output:
        output.write("".join(f"漢 line {number}\n" for number in range(1000)).encode())
        first, *lines, last = read_printed(output).split("\n")
        said = read_printed(output)
    assert first == "…" and last == "漢 line 999" and all(line.startswith("漢 line ") for line in lines)
    assert tidy(said, DETAIL_CHARACTERS) == said, "it is cut once"


def test_one_long_line_that_was_printed_is_cut_once() -> None:
    with tempfile.TemporaryFile() as output:
        output.write(b"x" * 10_000)
        said = read_printed(output)
    assert said.startswith("… x") and tidy(said, DETAIL_CHARACTERS) == said


def test_all_else_stays_as_it_is() -> None:
    text = (
        "a/b, level1/nanochat, knobs too good to be true; 50% of /usr/lib/python3/site.py: \\x41 ünïcode\t漢"
    )
    assert masked(text) == text


def test_frames_of_the_game_keep_nothing_but_their_place() -> None:
    stack = f"""\
  File "<string>", line 1, in <module>
  File "{GAME}/measure/inside.py", line 60, in _measure
    return module.measure(request["inputs"])
           ^^^^^^^^^^^^^^
  File "{BUG.measure}", line 66, in measure
    secret(inputs)
  File "{WORKSPACE}/nanochat/tokenizer.py", line 5, in encode
    traceback.print_stack()
  File "{BUG.measure}", line 99 in _secret
{BUG.measure}:66: UserWarning: mind this
  secret(inputs)
the end"""
    assert (
        masked(stack)
        == """\
  File "<string>", line 1, in <module>
  File "<game>"
  File "nanochat/tokenizer.py", line 5, in encode
    traceback.print_stack()
  File "<game>"
<game>: UserWarning: mind this
the end"""
    )


def test_texts_in_what_was_measured_are_masked() -> None:
    data = {"a": [1, 2.5, None, True, [f"{BUG.measure}"]], f"{BUG.measure}": {"b": "half \ud800"}}
    outcome = Masks().outcome(Measurement(data, 2.0), WORKSPACE)
    expected = {"a": [1, 2.5, None, True, ["<game>"]], "<game>": {"b": "half ?"}}
    assert outcome == Measurement(expected, 2.0)


def test_what_is_nested_too_deep_is_no_measurement() -> None:
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    assert isinstance(Masks().outcome(Measurement(deep), WORKSPACE), Failure)


@pytest.mark.parametrize(
    "text", ["a/" * 10**6, "x" * 10**6, " " * 10**6, 'File "' * 10**5, "level1/" * 10**5]
)
def test_long_texts_are_read_once(text: str) -> None:
    """A pattern that begins anew at every character would not come back."""
    assert masked(text) == text


_TELLS = """
import faulthandler as _f, inspect as _i, sys as _s, traceback as _t, warnings as _w
def _tell(*_, **__):
    _t.print_stack()
    _f.dump_traceback(_s.stderr)
    for level in range(1, 9):
        _w.warn("mind this", stacklevel=level)
    frames = [frame.filename for frame in _i.stack()]
    print(frames, [repr(name.encode()) for name in frames], __file__, _s.path)
    {end}
RustBPETokenizer.encode = _tell
RustBPETokenizer.encode_special = _tell
"""
_RAISES = "raise ValueError(' '.join(frames))"
_RETURNS = "return frames"


@pytest.mark.few(6)
@pytest.mark.parametrize("mode", ["fork", "fresh"])
@pytest.mark.parametrize(
    "end", [_RAISES, "import os; os._exit(3)", _RETURNS], ids=["raises", "exits", "returns"]
)
@pytest.mark.parametrize(
    "command",
    [("probe", "1.1"), ("check", "1.1"), ("check", "1.1", "--json"), ("probe", "1.1", "--json")],
    ids=" ".join,
)
def test_no_command_shows_a_path_of_the_games(
    command: tuple[str, ...], end: str, mode: str, started: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUGHUNT_JUDGE", mode)
    with (started.workspace / "nanochat" / "tokenizer.py").open("a", encoding="utf-8") as file:
        file.write(_TELLS.format(end=end))
    ran = started.run(*command)
    said = re.sub(r"\s+", "", ran.out + ran.err)
    telling = (
        str(GAME),
        str(challenges_folder()),
        BUG.folder.name,
        "measure.py",
        "inside.py",
        "bughunt-",
        "_measure",
    )
    assert [word for word in telling if word in said] == [], said
    if end != _RETURNS:
        assert ran.code == 1
        assert "nanochat/tokenizer.py" in said
