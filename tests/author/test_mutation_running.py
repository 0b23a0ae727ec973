"""`dev mutate` on a toy tree with toy clauses: what becomes of mutants, stopping and going on, who works."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("libcst")

from bughunt.author.mutation import judging
from bughunt.author.mutation.mutate import mutate
from bughunt.author.mutation.ordering import Order
from bughunt.author.mutation.report import Judged, Report
from bughunt.errors import BughuntError

pytestmark = pytest.mark.few(8, together=True)

SUMS = '''\
"""Sums."""

STEPS = {"one": 1}


def total(numbers):
    result = 0
    for number in numbers:
        result += number
    return result


def halvings(number):
    count = 0
    while number > 1:
        number = number // 2
        count += 1
    return count


def padded(numbers, size=0):
    return numbers + [0] * (size - len(numbers))


def unused(number):
    return number * 2
'''

CLAUSE = """\
title = "{slug}"
symptom = "It is wrong."
part = "data"
tolerance = 1e-6
spread = 0.0
preload = []
"""

MEASURE = '''\
"""Measures."""


def draw(rng):
    return {{"numbers": [rng.randint(1, 9) for _ in range(4)]}}


def measure(inputs):
    from toy import sums

    return {answer}
'''


class Silent:
    """A bar that counts, and presses Ctrl-C after so many mutants."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.begun: dict[str, int] = {}
        self.count = 0

    def begin(self, title: str, total: int) -> None:
        self.begun[title] = total

    def done(self, outcome: str) -> None:
        self.count += bool(outcome)
        if self.stop_after is not None and self.count >= self.stop_after:
            raise KeyboardInterrupt


class Toy:
    """A tree of one module, and clauses on it."""

    def __init__(self, folder: Path) -> None:
        self.order = Order(folder / "tree", folder / "contract", folder / "state.jsonl", workers=1)
        (folder / "tree/toy").mkdir(parents=True)
        (folder / "tree/toy/__init__.py").touch()
        (folder / "tree/toy/sums.py").write_text(SUMS)
        self.clause("totals", 'sums.total(inputs["numbers"])')

    def clause(self, slug: str, answer: str) -> None:
        folder = self.order.contract / slug
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "clause.toml").write_text(CLAUSE.format(slug=slug))
        (folder / "measure.py").write_text(MEASURE.format(answer=answer))

    def run(self, *places: str, bar: Silent | None = None, **other: object) -> Report:
        return mutate(replace(self.order, places=places, **other), bar or Silent())  # type: ignore[arg-type]


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    yield Toy(tmp_path)
    assert judging._open == []  # no workbench outlives its command


def outcomes(report: Report) -> dict[str, str]:
    return {one.mutant.after: one.outcome for one in report.judged}


def find(report: Report, after: str) -> Judged:
    return next(one for one in report.judged if one.mutant.after == after)


def test_what_a_clause_measures_otherwise_is_killed_by_it(toy: Toy) -> None:
    report = toy.run("toy/sums.py::total")
    killed = find(report, "result -= number")
    assert killed.outcome == "killed"
    assert "where the clean code has" in killed.killers["totals"]
    assert [one.mutant.after for one in report.survivors] == []
    assert report.overall[0].score == 1


def test_what_no_clause_runs_survives(toy: Toy) -> None:
    report = toy.run("sums.py::unused")
    survivor = find(report, "return number * 3")
    assert (survivor.outcome, survivor.reached) == ("survived", False)
    assert "-    return number * 2\n+    return number * 3\n" in survivor.diff
    assert report.overall[0].score == 0


def test_what_does_not_import_is_stillborn(toy: Toy) -> None:
    (toy.order.tree / "toy/sums.py").write_text(SUMS + "\nFIRST = [5][0]\n")
    report = toy.run("toy/sums.py")
    assert find(report, "FIRST = [5][1]").outcome == "stillborn"
    assert find(report, "FIRST = [6][0]").outcome == "survived"


def test_what_does_not_end_is_killed_by_its_time(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LEAST_SECONDS", 0.3)
    toy.clause("halvings", "sums.halvings(9)")
    killed = find(toy.run("toy/sums.py::halvings"), "number = number // 1")
    assert killed.outcome == "killed"
    assert "took longer" in killed.killers["halvings"]


def test_a_mutant_is_asked_no_more_than_it_takes_unless_all_is_wanted(toy: Toy) -> None:
    toy.clause("more-totals", 'sums.total(inputs["numbers"][:2])')
    assert len(find(toy.run("toy/sums.py::total"), "result -= number").killers) == 1
    bar = Silent()
    report = toy.run("toy/sums.py::total", bar=bar, to_the_end=True)
    assert set(find(report, "result -= number").killers) == {"totals", "more-totals"}
    assert bar.begun["Clauses on the clean tree"] == 0


def test_ctrl_c_leaves_a_report_and_the_same_command_goes_on(toy: Toy) -> None:
    toy.clause("pads", 'sums.padded(inputs["numbers"], 6)')
    stopped = toy.run(bar=Silent(stop_after=3))
    assert stopped.interrupted
    assert len(stopped.judged) == 3
    bar = Silent()
    whole = toy.run(bar=bar)
    assert bar.begun["Mutants"] == stopped.left
    assert (whole.left, whole.interrupted) == (0, False)
    assert outcomes(stopped).items() <= outcomes(whole).items()


def test_a_line_that_was_cut_off_is_passed_over(toy: Toy) -> None:
    toy.run(bar=Silent(stop_after=3))
    with toy.order.state.open("a") as file:
        file.write('{"tree": "')
    toy.run("toy/sums.py::total")
    bar = Silent()
    toy.run("toy/sums.py::total", bar=bar)
    assert bar.begun["Mutants"] == 0


def test_a_new_clause_is_asked_about_survivors_alone(toy: Toy) -> None:
    before = toy.run("toy/sums.py::padded", "toy/sums.py::total")
    toy.clause("pads", 'sums.padded(inputs["numbers"], 6)')
    bar = Silent()
    report = toy.run("toy/sums.py::padded", "toy/sums.py::total", bar=bar)
    assert bar.begun["Mutants"] == len(before.survivors) > 0
    assert find(report, "return numbers - [0] * (size - len(numbers))").outcome == "killed"


def test_a_clause_that_asks_something_else_is_asked_again(toy: Toy) -> None:
    assert outcomes(toy.run("toy/sums.py::total"))["result -= number"] == "killed"
    toy.clause("totals", "sums.total([])")
    assert outcomes(toy.run("toy/sums.py::total"))["result -= number"] == "survived"


def test_a_clause_that_cannot_be_asked_is_named(toy: Toy) -> None:
    toy.clause("broken", "sums.nothing")
    toy.clause("luck", "__import__('os').urandom(8).hex()")
    report = toy.run("toy/sums.py::total")
    assert set(report.unusable) == {"broken", "luck"}
    assert "AttributeError" in report.unusable["broken"]


ENTRY = """\
[[equivalent]]
file = "toy/sums.py"
function = "padded"
operator = "whole number changed"
before = "def padded(numbers, size=0):"
after = "def padded(numbers, size={size}):"
reason = "Nobody pads to no size."
"""


def test_an_equivalent_mutant_does_not_count(toy: Toy) -> None:
    toy.clause("pads", 'sums.padded(inputs["numbers"], 6)')
    (toy.order.contract / "equivalent.toml").write_text(ENTRY.format(size=1))
    report = toy.run("toy/sums.py::padded")
    assert find(report, "def padded(numbers, size=1):").outcome == "equivalent"
    assert report.overall[0].counts["equivalent"] == 1
    assert [one.mutant.after for one in report.survivors] == ["def padded(numbers, size=-1):"]


def test_an_equivalent_that_a_clause_notices_is_refuted(toy: Toy) -> None:
    toy.clause("defaults", "sums.padded([])")
    (toy.order.contract / "equivalent.toml").write_text(ENTRY.format(size=1))
    report = toy.run("toy/sums.py::padded")
    assert [one.mutant.after for one in report.refuted] == ["def padded(numbers, size=1):"]


def test_an_entry_that_names_no_mutant_is_an_error(toy: Toy) -> None:
    (toy.order.contract / "equivalent.toml").write_text(ENTRY.format(size=5))
    with pytest.raises(BughuntError, match="names no mutant"):
        toy.run("toy/sums.py")


def test_an_unknown_place_is_an_error(toy: Toy) -> None:
    for place in ("toy/other.py", "toy/sums.py::other"):
        with pytest.raises(BughuntError, match="other"):
            toy.run(place)


def test_a_sample_is_the_same_for_the_same_seed(toy: Toy) -> None:
    one, again = (set(outcomes(toy.run(sample=5, seed=3))) for _ in range(2))
    assert one == again
    assert len(one) == 5


def test_more_workers_find_the_same(toy: Toy, tmp_path: Path) -> None:
    one = outcomes(toy.run())
    two = outcomes(toy.run(workers=2, state=tmp_path / "other.jsonl"))
    assert one == two


def test_a_cluster_finds_the_same(toy: Toy, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    places = ("toy/sums.py::total", "toy/sums.py::unused")
    here = outcomes(toy.run(*places))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        there = toy.run(*places, scheduler=cluster.scheduler_address, state=tmp_path / "other.jsonl")
    assert outcomes(there) == here


def test_no_scheduler_and_no_distributed_are_said(toy: Toy) -> None:
    with pytest.raises(BughuntError, match=r"distributed|scheduler"):
        toy.run(scheduler="tcp://127.0.0.1:9")
