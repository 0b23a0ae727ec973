"""Commands measure with the warm judge of a running watch, or by themselves, with the same verdicts."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from watching import Watcher

import bughunt
from bughunt.content.installed import tree_folder
from bughunt.hunt.hunt import Hunt
from bughunt.judge import Failure, Judge, Measurement, Outcome, Stopped
from bughunt.measure.measurer import Measurer
from bughunt.measure.outcomes import Limits
from bughunt.watch import warm
from bughunt.watch.warm import borrow, lending

# Where this very bughunt is imported from: a checkout, or an environment it is installed in.
IMPORTED_FROM = Path(bughunt.__file__).resolve().parents[1]
ARGUMENTS: tuple[Any, ...] = (Path("measure.py"), Path("workspace"), {"x": 1}, (), Limits())


@pytest.fixture(autouse=True)
def forking(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX"):
        pytest.skip("a judge is only warm, and lent, where there are fork and Unix sockets")
    monkeypatch.setenv("BUGHUNT_JUDGE", "fork")


@pytest.fixture
def by_itself(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What commands measured by themselves; such a measurement comes to {"by": "itself"}."""
    asked: list[Any] = []

    def measure(_: Measurer, *arguments: Any) -> Outcome:
        asked.append(arguments)
        return Measurement({"by": "itself"})

    monkeypatch.setattr(Measurer, "measure", measure)
    return asked


def lend(measure: Path, workspace: Path, inputs: Any) -> Future[Outcome]:
    answer: Future[Outcome] = Future()
    answer.set_result(Measurement({"by": "the watch", "inputs": inputs}, 0.5))
    return answer


def refuse(*_: Any) -> Future[Outcome]:
    answer: Future[Outcome] = Future()
    answer.set_exception(Stopped())
    return answer


def borrowed(folder: Path) -> Any:
    """The data of one measurement with what can be borrowed in `folder`."""
    measurer = borrow(folder)
    assert measurer is not None
    with measurer:
        outcome = measurer.measure(*ARGUMENTS)
    assert isinstance(outcome, Measurement)
    return outcome.data


def test_a_measurement_is_borrowed(tmp_path: Path, by_itself: list[Any]) -> None:
    with lending(tmp_path, lend):
        assert borrowed(tmp_path) == {"by": "the watch", "inputs": {"x": 1}}
    assert by_itself == []


def test_failures_travel_whole(tmp_path: Path, by_itself: list[Any]) -> None:
    failure = Failure("The code raised NameError.", "line 7", False, 0.25)

    def fail(*_: Any) -> Future[Outcome]:
        answer: Future[Outcome] = Future()
        answer.set_result(failure)
        return answer

    with lending(tmp_path, fail):
        measurer = borrow(tmp_path)
        assert measurer is not None
        assert measurer.measure(*ARGUMENTS) == failure


def test_the_socket_is_for_its_owner_alone_and_goes_with_the_watch(tmp_path: Path) -> None:
    with lending(tmp_path, lend):
        mode = (tmp_path / "watch.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / "watch.sock").exists()


def test_without_a_watch_there_is_nothing_to_borrow(tmp_path: Path) -> None:
    assert borrow(tmp_path) is None


def test_a_watch_of_another_version_is_not_asked(
    tmp_path: Path, by_itself: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "__version__", "0.0.1")
    with lending(tmp_path, lend):
        monkeypatch.setattr(warm, "maker", lambda: "another")
        assert borrowed(tmp_path) == {"by": "itself"}


def test_a_watch_that_refuses_is_not_asked_again(tmp_path: Path, by_itself: list[Any]) -> None:
    with lending(tmp_path, refuse):
        measurer = borrow(tmp_path)
        assert measurer is not None
        for _ in range(2):
            assert measurer.measure(*ARGUMENTS) == Measurement({"by": "itself"})
    assert len(by_itself) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\n",
        b"[]\n",
        b'{"kind": "Verdict", "bug": "1.1"}\n',
        b'{"kind": "Measurement"}\n',
        b'{"kind": "Measurement", "data": 1, "seconds": "long"}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_whatever_else_answers_is_passed_over(tmp_path: Path, by_itself: list[Any], answer: bytes) -> None:
    def impersonate(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            lines.readline()
            connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        address = os.path.relpath(tmp_path / "watch.sock")
        listener.bind(min(address, str(tmp_path / "watch.sock"), key=len))
        listener.listen()
        thread = Thread(target=impersonate, args=(listener,))
        thread.start()
        assert borrowed(tmp_path) == {"by": "itself"}
        thread.join()


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"[1]\n", b'{"maker": 7}\n', b"\xff\xfe\n", b""])
def test_whatever_else_asks_is_refused(tmp_path: Path, line: bytes) -> None:
    with lending(tmp_path, lend):
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(warm._address(tmp_path) or "")
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
            assert json.loads(answer) == {"refused": True}


def test_what_a_killed_watch_leaves_is_replaced(tmp_path: Path, by_itself: list[Any]) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(min(os.path.relpath(tmp_path / "watch.sock"), str(tmp_path / "watch.sock"), key=len))
    assert borrowed(tmp_path) == {"by": "itself"}
    with lending(tmp_path, lend):
        assert borrowed(tmp_path)["by"] == "the watch"


def test_the_second_watch_of_a_hunt_leaves_lending_to_the_first(tmp_path: Path) -> None:
    with lending(tmp_path, lend):
        with lending(tmp_path, refuse):
            assert borrowed(tmp_path)["by"] == "the watch"
        assert borrowed(tmp_path)["by"] == "the watch"


def test_a_path_too_long_for_a_socket(
    tmp_path: Path, by_itself: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From near by the path is short enough; from elsewhere the command measures by itself."""
    folder = tmp_path / ("a" * 60) / ("b" * 60)
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    with lending(folder, lend):
        assert borrowed(folder)["by"] == "the watch"
        monkeypatch.chdir("/")
        assert borrow(folder) is None
        with lending(folder, lend):
            pass
        monkeypatch.chdir(folder)
        assert borrowed(folder)["by"] == "the watch"


def test_a_judge_that_starts_fresh_processes_is_not_lent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUGHUNT_JUDGE", "fresh")
    with lending(tmp_path, lend):
        assert not (tmp_path / "watch.sock").exists()


class Counting(Judge):
    """A real judge that notes for which bugs it measured."""

    observed: list[str]

    def observe(self, bug: Any, *arguments: Any) -> Outcome:
        self.observed.append(bug.id)
        return super().observe(bug, *arguments)


def test_check_gives_the_same_verdicts_with_the_judge_of_a_watch(
    hunt: Hunt, watch: Callable[..., Watcher]
) -> None:
    tokenizer = hunt.folder / "level1/nanochat/tokenizer.py"
    tokenizer.write_text(tokenizer.read_text() + "\nRustBPETokenizer.encode = lambda *_, **__: 1 // 0\n")
    own = verdicts(hunt)
    judge = Counting(tree_folder())
    judge.observed = []
    watcher = watch(judge, manual=True)
    with lending(hunt.progress.folder, watcher.session.lend):
        watcher.audience.until(lambda: bool(watcher.audience.heard))
        assert verdicts(hunt) == own
    assert {bug.id for bug in watcher.bugs} <= set(judge.observed)
    assert {one["verdict"] for one in own} == {"crashed", "broken"}


def verdicts(hunt: Hunt) -> list[dict[str, Any]]:
    """What `bughunt check` says in a process of its own, but for the seconds it took."""
    ran = subprocess.run(
        [sys.executable, "-m", "bughunt", "check", "--json", "--seed", "7"],
        cwd=hunt.folder,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout, ran.stderr
    said: list[dict[str, Any]] = json.loads(ran.stdout)["verdicts"]
    return [{key: value for key, value in one.items() if key != "seconds"} for one in said]
