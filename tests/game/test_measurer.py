"""Measuring with two workers: a verdict comes sooner, and is the same."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from waiting import soon

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.measure import client, connection
from bughunt.measure.connection import ServerGone
from bughunt.measure.measurer import Measurer, Mode
from bughunt.measure.outcomes import Limits, Measurement, Outcome, Stopped

SEED = 5
MODES = pytest.mark.parametrize("mode", ["fork", "fresh"])

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has one worker")


@pytest.fixture
def bug(tmp_path: Path) -> Bug:
    """A bug of which a measurement is one random number, and whose check can be rewritten."""
    shutil.copytree(challenges_folder() / "level1", tmp_path / "challenges" / "level1")
    bug = load_catalog(tmp_path / "challenges").bug("1.1")
    bug.measure.write_text(
        "def draw(rng):\n    return rng.random()\n\n\ndef measure(inputs):\n    return inputs\n"
    )
    bug.check.write_text("def test_it(inputs, measured):\n    assert inputs == measured, 'apart'\n")
    return bug


def drawn(bug: Bug, seed: int | str) -> float:
    """What the bug of the fixture draws."""
    return Random(f"{bug.id}/{seed}").random()


@MODES
def test_both_workers_measure_at_the_same_time(mode: Mode, tmp_path: Path) -> None:
    """Each measurement ends only when the other has begun."""
    measure = tmp_path / "measure.py"
    measure.write_text(
        "import pathlib, time\n"
        "def measure(inputs):\n"
        "    pathlib.Path(inputs['mine']).touch()\n"
        "    while not pathlib.Path(inputs['other']).exists():\n"
        "        time.sleep(0.01)\n"
        "    return inputs['mine']\n"
    )
    one, other = str(tmp_path / "one"), str(tmp_path / "other")

    def run(mine: str, other: str) -> Outcome:
        inputs = {"mine": mine, "other": other}
        return measuring.measure(measure, tree_folder(), inputs, [], Limits())

    free = Measurer(mode, confinement="none", workers=2)
    with free as measuring, ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(run, (one, other), (other, one)))
    assert [outcome.data for outcome in outcomes if isinstance(outcome, Measurement)] == [one, other]


@MODES
def test_each_measurement_writes_to_a_place_of_its_own(mode: Mode, tmp_path: Path) -> None:
    measure = tmp_path / "measure.py"
    measure.write_text(
        "import os, tempfile\n"
        "def measure(inputs):\n"
        "    told = [os.environ[name] for name in ('NANOCHAT_BASE_DIR', 'HOME')]\n"
        "    return [os.getcwd(), tempfile.gettempdir(), *told]\n"
    )
    with Measurer(mode, workers=2) as measuring:
        outcomes = [measuring.measure(measure, tree_folder(), {}, [], Limits()) for _ in range(2)]
    places = [set(outcome.data) for outcome in outcomes if isinstance(outcome, Measurement)]
    assert [len(one) for one in places] == [1, 1]
    assert places[0] != places[1]


def test_a_server_that_is_closed_keeps_nobody_waiting() -> None:
    """As when one thread finds it gone, and drops it, while another is about to ask."""
    with Measurer("fork", workers=2) as measuring:
        measuring.warm_up()
        server = measuring._servers["", False]
        measuring._drop(server)
        refused = Event()

        def ask() -> None:
            with suppress(ServerGone):
                server.ask({}, Limits(), None)
            refused.set()

        Thread(target=ask, daemon=True).start()
        assert soon(refused.is_set)


@MODES
@pytest.mark.parametrize("which", ["the first", "the second"])
def test_both_measurements_have_to_pass(mode: Mode, which: str, bug: Bug) -> None:
    wrong = drawn(bug, SEED if which == "the first" else f"{SEED}/again")
    with Judge(tree_folder(), Measurer(mode, workers=2)) as judge:
        assert judge.judge(bug, tree_folder(), SEED).kind == "fixed"
    with bug.measure.open("a") as file:
        file.write(f"\n\ndef measure(inputs):\n    return None if inputs == {wrong!r} else inputs\n")
    with Judge(tree_folder(), Measurer(mode, workers=2)) as judge:
        verdict = judge.judge(bug, tree_folder(), SEED)
    assert (verdict.kind, verdict.message) == ("broken", "apart")


@MODES
def test_what_is_measured_ahead_ends_when_it_is_not_wanted(mode: Mode, bug: Bug, tmp_path: Path) -> None:
    begun, done = tmp_path / "begun", tmp_path / "done"
    bug.measure.write_text(
        "import pathlib, time\n"
        "def draw(rng):\n"
        "    return rng.random()\n"
        "def measure(inputs):\n"
        f"    begun, done = pathlib.Path({str(begun)!r}), pathlib.Path({str(done)!r})\n"
        f"    if inputs == {drawn(bug, f'{SEED}/again')!r}:\n"
        "        begun.touch()\n"
        "        time.sleep(10)\n"
        "        done.touch()\n"
        "    while not begun.exists():\n"
        "        time.sleep(0.01)\n"
        "    return None\n"
    )
    with Judge(tree_folder(), Measurer(mode, confinement="none", workers=2)) as judge:
        assert judge.judge(bug, tree_folder(), SEED).kind == "broken"
    assert begun.exists()
    assert not done.exists()


def test_stopping_does_not_wait_for_the_libraries(monkeypatch: pytest.MonkeyPatch, bug: Bug) -> None:
    """The server here never gets as far as a measurement."""
    hanging = [sys.executable, "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(client, "child_command", lambda *_: hanging)
    monkeypatch.setattr(connection, "PRELOAD_SECONDS", 1.0)
    monkeypatch.setattr(connection, "_MARGIN_SECONDS", 1.0)
    stop = Event()
    stop.set()
    with Judge(tree_folder(), Measurer("fork", confinement="none", workers=2)) as judge:
        with pytest.raises(Stopped):
            judge.judge(bug, tree_folder(), SEED, stop=stop)
        # Had anybody waited for it, it would have been given up as hanging.
        assert judge._measurer._servers


def test_a_worker_is_free_again_after_a_stop(bug: Bug, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    hanging = tmp_path / "hanging.py"
    hanging.write_text(
        "import pathlib, time\ndef measure(inputs):\n    pathlib.Path(inputs).touch()\n    time.sleep(600)\n"
    )
    stop = Event()

    def stop_when_begun() -> None:
        assert soon(begun.exists)
        stop.set()

    def measure(path: Path, inputs: Any, stop: Event | None = None) -> Outcome:
        return measuring.measure(path, tree_folder(), inputs, [], Limits(), stop)

    with Measurer("fork", confinement="none") as measuring, ThreadPoolExecutor(1) as thread:
        stopping = thread.submit(stop_when_begun)
        with pytest.raises(Stopped):
            measure(hanging, str(begun), stop)
        stopping.result()
        outcome = measure(bug.measure, 7)
    assert isinstance(outcome, Measurement)
    assert outcome.data == 7
