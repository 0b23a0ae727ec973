"""Nothing shown before a hint gives a bug away: not its lines, its folder, a place in a file, or a hint."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bughunt import casefile, documents, screens
from bughunt.catalog import Bug, Catalog, Level, load_catalog
from bughunt.git import apply_patch
from bughunt.hunt import Hunt, new_seed
from bughunt.injection import inject
from bughunt.installed import tree_folder
from bughunt.judge import Judge, Measurement, Verdict
from bughunt.judge.cell import load_module
from bughunt.judge.outcomes import Limits
from bughunt.render.plain import draw
from bughunt.views import View, to_json

LEVELS = load_catalog().levels
by_bug = pytest.mark.parametrize(
    ("level", "bug"),
    [
        pytest.param(level, bug, id=bug.id, marks=[pytest.mark.slow] if level.number > 1 else [])
        for level in LEVELS
        for bug in level.bugs
    ],
)

# Too short to give anything away: `pass`, `else:`, `return x`.
_TELLING_LENGTH = 12
_PLACE = re.compile(r"\b[\w/]+\.py\b|\bline \d+", re.IGNORECASE)


def squeezed(text: str) -> str:
    """Text without spaces, so that no wrapping or table hides a match."""
    return re.sub(r"\s+", "", text)


def changed_lines(bug: Bug) -> Iterator[str]:
    for line in bug.patch.read_text(encoding="utf-8").splitlines():
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---")):
            text = squeezed(line[1:].split("#")[0])
            if len(text) >= _TELLING_LENGTH:
                yield text


def secrets(bug: Bug) -> dict[str, str]:
    """What must not be read anywhere, by what it is."""
    found = dict.fromkeys(changed_lines(bug), "a line of the patch")
    if "-" in bug.folder.name:  # else it is a word like any other
        found[squeezed(bug.folder.name)] = "the name of its folder"
    for hint in bug.card.hints:
        for sentence in re.split(r"(?<=[.!?:])\s+", hint.strip()):
            if len(sentence) > 40:
                found[squeezed(sentence)] = "a hint"
    return found


def assert_no_spoiler(text: str, level: Level, *, places: bool = True) -> None:
    dense = squeezed(text)
    for bug in level.bugs:
        for secret, what in secrets(bug).items():
            assert secret not in dense, f"{what} of {bug.id}: {secret}"
    if places:
        assert not _PLACE.search(text), _PLACE.search(text)


def shown(views: list[View]) -> str:
    return draw(views, 80) + json.dumps([to_json(view) for view in views], ensure_ascii=False)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(tree_folder(), limits=Limits(seconds=10.0)) as judge:
        yield judge


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)
def test_screens_and_documents(level: Level, tmp_path: Path) -> None:
    hunt = Hunt(tmp_path, Catalog((level,)))
    started = hunt.start(level.id)
    state = hunt.state()
    texts = [
        shown(screens.started(started, tmp_path)),
        shown([*screens.status(hunt, state), screens.next_step(hunt, state)]),
        shown(screens.levels(hunt.catalog, state)),
        json.dumps(documents.status_document(hunt, state)),
        json.dumps(documents.levels_document(hunt.catalog, state)),
    ]
    for text in texts:
        assert_no_spoiler(text.replace(str(tmp_path), ""), level)
    assert_no_spoiler(casefile.case_file(level), level)
    state_text = (tmp_path / ".bughunt" / "state.json").read_text()
    assert_no_spoiler(state_text, level)


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)
def test_names_and_history(level: Level, tmp_path: Path) -> None:
    hunt = Hunt(tmp_path, Catalog((level,)))
    path = hunt.start(level.id).workspace
    names = "\n".join(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*"))
    log = subprocess.run(
        ["git", "-C", str(path), "log", "--all", "--format=%an %ae %s %b %D"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for bug in level.bugs:
        assert bug.folder.name not in names
        assert bug.folder.name not in log
        assert bug.id not in log
    removed = {
        line
        for bug in level.bugs
        for line in bug.patch.read_text(encoding="utf-8").splitlines()
        if line.startswith("+") and not line.startswith("+++") and "#" in line
    }
    assert not removed, "a patch adds a comment"


@by_bug
def test_failure_messages(level: Level, bug: Bug, judge: Judge, tmp_path: Path) -> None:
    """Of the bug itself and of every near miss, with seeds that are new each time."""
    rejects = sorted((bug.folder / "fixes").glob("reject-*.patch"))
    for index, patches in enumerate([[], [], *([patch] for patch in rejects)]):
        tree = tmp_path / str(index)
        inject(tree, level.bugs if index == 1 else [bug])
        for patch in patches:
            apply_patch(tree, patch)
        seed = new_seed()
        verdict = judge.judge(bug, tree, seed)
        assert verdict.kind in ("broken", "crashed"), (seed, patches, verdict)
        assert patches or verdict.kind == "broken", verdict
        assert_spoils_nothing(verdict, level, seed)


def assert_spoils_nothing(verdict: Verdict, level: Level, seed: int) -> None:
    assert verdict.message, seed
    # A traceback is the player's own, and it may name places in the player's own code.
    if verdict.kind == "broken":
        assert not verdict.detail, (seed, verdict)
        assert_no_spoiler(verdict.message, level)
    else:
        for bug in level.bugs:
            assert bug.folder.name not in verdict.message + verdict.detail


@by_bug
def test_probes(level: Level, bug: Bug, judge: Judge, tmp_path: Path) -> None:
    inject(tmp_path / "tree", level.bugs)
    seed = new_seed()
    inputs, outcome = judge.measure(bug, tmp_path / "tree", seed)
    assert isinstance(outcome, Measurement), (seed, outcome)
    module = load_module(str(bug.probe), "bughunt_probe_in_test")
    assert_no_spoiler(shown([*module.view(inputs, outcome.data), *screens.whole_run(bug)]), level)


def test_the_spoiler_test_can_tell(level1: Level) -> None:
    bug = level1.bugs[1]
    for spoiler in (
        *list(changed_lines(bug)),
        bug.folder.name,
        bug.card.hints[3],
        "see dataloader.py",
        "on line 7",
    ):
        with pytest.raises(AssertionError):
            assert_no_spoiler(f"… {spoiler} …", level1)
