"""What `dev mutate` shows: as text, as a page, as JSON; and its page of documentation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("libcst")

from bughunt.author.mutation import ordering
from bughunt.author.mutation.making import mutants_of
from bughunt.author.mutation.operators import OPERATORS
from bughunt.author.mutation.report import Judged, Report
from bughunt.cli.main import run
from bughunt.render.page import save
from bughunt.render.plain import draw
from bughunt.screens import mutation

DOCS = Path(__file__).resolve().parents[2] / "docs/mutation.md"
SOURCE = b"def f(x):\n    return x + 1\n\n\ndef g(device):\n    return device.cuda() * 2\n"


@pytest.fixture
def report() -> Report:
    judged = []
    for mutant in mutants_of("scripts/f.py", SOURCE):
        outcome = "killed" if mutant.function == "f" else "survived"
        killers = {"sums": "3, where the clean code has 2"} if outcome == "killed" else {}
        judged.append(Judged(mutant, outcome, mutant.diff(SOURCE), killers, outcome == "killed"))
    return Report(judged, left=3, bug_files=["scripts/f.py"], unusable={"luck": "differs"})


def test_survivors_are_shown_with_their_diffs_and_what_they_need(report: Report) -> None:
    text = draw(mutation.mutation(report), 100)
    assert "-    return device.cuda() * 2\n+    return device.cuda() * 3\n" in text
    assert "It needs cuda. No clause runs this." in text
    assert "x + 2" not in text
    assert "luck" in text
    assert "3 mutants were not judged yet" in text


def test_the_score_is_the_share_of_the_killed(report: Report) -> None:
    killed, survived = (sum(one.outcome == kind for one in report.judged) for kind in ("killed", "survived"))
    names = {one.name: one for one in report.overall}
    assert set(names) == {"all", "files where bugs live", "the scripts"}
    assert names["all"].score == killed / (killed + survived)
    assert {one.name: one.score for one in report.by_function} == {
        "scripts/f.py::f": 1.0,
        "scripts/f.py::g": 0.0,
    }


def test_stillborn_and_equivalent_ones_do_not_count(report: Report) -> None:
    one, other, *_ = report.judged
    for outcome in ("stillborn", "equivalent"):
        few = Report([one, Judged(other.mutant, outcome, "")], 0, [])
        assert few.overall[0].score == 1.0


def test_the_document_has_what_an_entry_of_an_equivalent_needs(report: Report) -> None:
    document = json.loads(json.dumps(mutation.mutation_document(report)))
    assert document["schema"] == "bughunt.mutate/1"
    survivor = next(one for one in document["mutants"] if one["outcome"] == "survived")
    assert {"file", "function", "operator", "before", "after", "number", "diff", "needs"} <= set(survivor)
    killed = next(one for one in document["mutants"] if one["outcome"] == "killed")
    assert killed["killers"] == {"sums": "3, where the clean code has 2"}


def test_the_page_holds_every_function_and_diff(report: Report, tmp_path: Path) -> None:
    save(mutation.page(report), tmp_path / "mutants.html", "Mutants")
    text = (tmp_path / "mutants.html").read_text(encoding="utf-8")
    assert "scripts/f.py::f" in text
    assert "+    return device.cuda() * 3" in text
    assert text.index("In all") < text.index("By function") < text.index("Survivors")


def test_the_documentation_has_every_operator() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for one in OPERATORS:
        assert f"| {one.name} | {one.does} |" in text


def test_without_libcst_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ordering, "find_spec", lambda name: None)
    assert run(["dev", "mutate"]) == 2
    assert "LibCST" in capsys.readouterr().err
