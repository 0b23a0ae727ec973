"""Nothing shown before a hint gives a bug away: not its lines, its folder, a place in a file, or a hint."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from proof import Build
from spoilers import assert_no_spoiler, assert_spoils_nothing, changed_lines, shown

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.level import Bug, Level
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.judging import new_seed
from bughunt.judge import Judge
from bughunt.loading import load_module
from bughunt.measure.outcomes import Measurement
from bughunt.screens import debrief, hints, levels, opening, probes, status
from bughunt.workspace import casefile
from bughunt.workspace.injection import inject

LEVELS = load_catalog().levels
by_bug = pytest.mark.parametrize(
    ("level", "bug"),
    [pytest.param(level, bug, id=bug.id) for level in LEVELS for bug in level.bugs],
)


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)
def test_screens_and_documents(level: Level, tmp_path: Path) -> None:
    hunt = Hunt(tmp_path, Catalog((level,)))
    started = hunt.start(level.id)
    state = hunt.state()
    texts = [
        shown(opening.started(started, tmp_path)),
        shown(status.status(hunt, state)),
        shown(levels.levels(hunt.catalog, state)),
        shown(debrief.game_debrief(hunt.catalog, state)),
        *(shown(hints.hints_again(bug, [], state.bug(bug.id))) for bug in level.bugs),
        json.dumps(opening.started_document(started)),
        json.dumps(status.status_document(hunt, state)),
        json.dumps(levels.levels_document(hunt.catalog, state)),
        json.dumps(debrief.debrief_document(hunt.catalog, state)),
    ]
    for text in texts:
        assert_no_spoiler(text.replace(str(tmp_path), ""), level)
    assert_no_spoiler(casefile.case_file(level), level)
    for file in (hunt.store.file, hunt.store.log.path):
        assert_no_spoiler(file.read_text(), level)


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


@pytest.mark.few(5)
@by_bug
def test_failure_messages(level: Level, bug: Bug, judge: Judge, build: Build) -> None:
    """Of the bug, alone and in its level, with a new seed each time; for near misses see test_fixes.py."""
    for bugs in ([bug], level.bugs):
        seed = new_seed()
        verdict = judge.judge(bug, build(bugs), seed)
        assert verdict.kind == "broken", (seed, verdict)
        assert_spoils_nothing(verdict, level, seed)


@by_bug
def test_probes(level: Level, bug: Bug, judge: Judge, tmp_path: Path) -> None:
    inject(tmp_path / "tree", level.bugs)
    seed = new_seed()
    inputs, outcome = judge.measure(bug, tmp_path / "tree", seed)
    assert isinstance(outcome, Measurement), (seed, outcome)
    module = load_module(str(bug.probe), "bughunt_probe_in_test")
    assert_no_spoiler(shown([*module.view(inputs, outcome.data), *probes.whole_run(bug)]), level)


def test_the_spoiler_test_can_tell(catalog: Catalog) -> None:
    level1 = catalog.level("level1")
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
