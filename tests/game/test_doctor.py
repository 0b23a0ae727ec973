"""The doctor tries the place of play, leaves nothing there, says what is lacking and how long it takes."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType

import pytest
from editing import tree_of

from bughunt.content.catalog import Catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.errors import BughuntError
from bughunt.hunt.doctor import Finding, Step, examine
from bughunt.hunt.doctor.machine import examine_machine
from bughunt.hunt.doctor.place import examine_place
from bughunt.hunt.doctor.records import examine_records
from bughunt.hunt.doctor.steps import Steps
from bughunt.hunt.hunt import Hunt
from bughunt.judge import Verdict


class QuickJudge:
    """Says `fixed` of the clean tree, and `broken` of any other."""

    is_guarded = True

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> QuickJudge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def judge(self, bug: Bug, workspace: Path, seed: int) -> Verdict:
        same = all(
            (workspace / file).read_bytes() == (tree_folder() / file).read_bytes() for file in bug.files
        )
        return Verdict(bug.id, "fixed" if same else "broken", "a message", "", 0.0)


@pytest.fixture
def quick_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bughunt.judge.Judge", QuickJudge)


def faults(findings: list[Finding]) -> dict[str, Finding]:
    for finding in findings:
        assert finding.well or finding.remedy, finding
    return {finding.what: finding for finding in findings if not finding.well}


@pytest.mark.usefixtures("quick_judge")
def test_each_step_is_announced_before_its_findings(tmp_path: Path, level1_only: Catalog) -> None:
    told = list(examine(level1_only, tmp_path))
    steps = [step for step in told if isinstance(step, Step)]
    assert [step.number for step in steps] == list(range(1, 9))
    assert {step.of for step in steps} == {8}
    checks = [step.what for step in steps if step.what.startswith("check")]
    assert checks == [one.what for one in told if isinstance(one, Finding) and one.what.startswith("check")]
    assert len(checks) == 6
    assert isinstance(told[0], Step)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_judge")
def test_the_hunts_folder_is_tried_and_nothing_else_touched(
    hunt: Hunt, workspace: Path, tmp_path: Path, level1_only: Catalog
) -> None:
    before = tree_of(hunt.folder), tree_of(tmp_path)
    told = list(examine(level1_only, tmp_path, hunt.folder))
    assert any(isinstance(one, Step) and str(hunt.folder) in one.what for one in told)
    findings = [one for one in told if isinstance(one, Finding)]
    assert faults(findings) == {}
    assert {"writing here", "git here", "writing in .bughunt", f"writing in {workspace.name}"} <= {
        finding.what for finding in findings
    }
    assert (tree_of(hunt.folder), tree_of(tmp_path)) == before


@pytest.mark.usefixtures("quick_judge")
@pytest.mark.parametrize("guarded", [True, False])
def test_a_judge_that_cannot_be_guarded_is_said_and_no_fault(
    guarded: bool, tmp_path: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuickJudge, "is_guarded", guarded)
    findings = [one for one in examine(level1_only, tmp_path) if isinstance(one, Finding)]
    assert faults(findings) == {}
    memory = next(one for one in findings if one.what == "the judge's memory")
    assert memory.found.startswith("closed" if guarded else "open")


def test_seconds_left_are_those_that_the_steps_before_took() -> None:
    times = iter([0.0, 100.0, 150.0, 160.0, 180.0, 195.0])
    steps = Steps(8, clock=lambda: next(times))
    assert steps.next("quick", quick=True).seconds_left is None
    for _ in range(3):
        assert steps.next("loading first").seconds_left is None
    assert steps.next("fifth").seconds_left == 4 * 20
    steps.skip()
    assert steps.next("seventh") == Step(7, 8, "seventh", 2 * (20 + 15) / 2)


def test_a_place_that_cannot_be_written_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "gone", tmp_path / "file"):
        found = faults(list(examine_place(place)))
        assert str(place) in found["making a folder here"].found


@pytest.mark.parametrize(
    ("call", "code", "what"),
    [
        ("os.fsync", errno.ENOSPC, "writing here"),
        ("os.replace", errno.ENOTSUP, "writing here"),
        ("subprocess.run", errno.EACCES, "git here"),
    ],
)
def test_what_the_game_cannot_do_without_is_a_fault(
    call: str, code: int, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(call, refuse)
    found = faults(list(examine_place(tmp_path)))
    assert str(tmp_path) in found[what].found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither of these")
@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("fcntl.flock", "locking here"),
        ("os.chmod", "permissions here"),
        ("os.rename", "renaming a folder here"),
        ("os.symlink", "links here"),
        ("os.fsync", "writing through to the disk here"),
    ],
)
def test_what_the_game_can_do_without_is_said_and_no_fault(
    call: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(call, refuse)
    findings = list(examine_place(tmp_path))
    assert faults(findings) == {}
    assert next(one for one in findings if one.what == what).found.startswith("not on this disk")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks files by other means")
def test_locks_that_keep_nobody_out_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", lambda *_: None)
    found = faults(list(examine_place(tmp_path)))
    assert "two terminals" in found["locking here"].remedy


def test_too_little_space_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 4096}))
    found = faults(list(examine_place(tmp_path)))
    assert "4.0 KB free" in found["free space here"].found


@pytest.mark.parametrize("call", ["os.fsync", "os.symlink", "subprocess.run"])
def test_nothing_is_left_when_it_is_interrupted(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        assert list(tmp_path.iterdir()) != []
        raise KeyboardInterrupt

    monkeypatch.setattr(call, interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(examine_place(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_judge")
def test_no_temporary_folder_is_a_finding(
    tmp_path: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkdtemp

    def none(prefix: str, dir: Path | None = None) -> str:
        if dir is None:
            raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
        return make(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkdtemp", none)
    found = faults([one for one in examine(level1_only, tmp_path) if isinstance(one, Finding)])
    assert found.keys() == {"the temporary folder", "the judge"}
    assert all("TMPDIR" in finding.remedy for finding in found.values())


def test_what_is_needed_is_what_the_installed_game_says(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["pytest<1,>=0.5", "rich>=1", "no-such-thing>=2", "pyarrow>=17; extra == 'parquet'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    findings = list(examine_machine())
    assert [one.what for one in findings] == ["python", "git", "pytest", "rich", "no-such-thing"]
    found = faults(findings)
    assert found.keys() == {"pytest", "no-such-thing"}
    assert importlib.metadata.version("pytest") in found["pytest"].found
    assert found["pytest"].remedy == "pip install 'pytest<1,>=0.5'"


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _file(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("mine")


SPOILT = {
    "the state": lambda hunt: _directory(hunt.store.file),
    "the log": lambda hunt: _directory(hunt.store.log.path),
    "the rescues": lambda hunt: _file(hunt.store.folder / "rescues"),
    "the workspace of level1": lambda hunt: _file(hunt.folder / "level1"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_a_hunt_has_written_down_is_looked_at(what: str, hunt: Hunt, level1_only: Catalog) -> None:
    SPOILT[what](hunt)
    found = {one.what: one for one in examine_records(hunt.folder)}
    assert [name for name, one in found.items() if not one.well] == [what]
    assert found[what].remedy


def test_a_damaged_rescue_is_named_and_its_files_are_pointed_to(hunt: Hunt) -> None:
    (hunt.folder / "level1" / "nanochat" / "mine.py").write_text("mine\n")
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    (rescue.folder / "rescue.json").write_text("{")
    [finding] = [one for one in examine_records(hunt.folder) if not one.well]
    assert rescue.id in finding.found
    for name in (None, rescue.id):
        with pytest.raises(BughuntError) as caught:
            hunt.restore(name)
        assert str(rescue.folder / "files") in caught.value.step
    assert hunt.rescues.unreadable() == [rescue.folder]
