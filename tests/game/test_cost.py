"""What bugs cost: the measured figures that ship, where they are shown, and the workshop that makes them."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any, ClassVar

import pytest
from command_line import Player

from bughunt.author.cost import inside, measure
from bughunt.author.cost.figures import curve
from bughunt.author.cost.measure import measure_costs
from bughunt.author.cost.workshop import Ended, Workshop
from bughunt.content.catalog import load_catalog
from bughunt.content.cost_record import Cost, Figure, load_cost, save_cost
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.content.level import Bug
from bughunt.errors import BughuntError
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.state import State
from bughunt.loading import load_module
from bughunt.measure.outcomes import Measurement
from bughunt.render.plain import draw
from bughunt.screens import solutions
from bughunt.screens.debrief import level_debrief
from bughunt.screens.probes import Prober, whole_run
from bughunt.views import Plot, Series, Table

BUGS = [bug for level in load_catalog().levels for bug in level.bugs]
each_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)

COST = Cost(
    [Figure("hidden", 1.0, 2.5, ",.1f"), Figure("seen", 0.5, None, ".0%", symptom=True)],
    Plot("Loss", [Series("without the bug", [1, 2], [3.0, 2.0])], "step", "nats", log_y=True),
    ["python -m scripts.base_train"],
    {"torch": "2.8.0"},
)


class TestRecord:
    def test_what_is_saved_is_loaded(self, tmp_path: Path) -> None:
        save_cost(tmp_path, COST)
        assert load_cost(tmp_path) == COST

    def test_numbers_are_rounded_to_what_can_be_seen(self, tmp_path: Path) -> None:
        save_cost(tmp_path, Cost([Figure("x", 1 / 3, 200.0)], None, [], {}))
        loaded = load_cost(tmp_path)
        assert loaded is not None
        assert (loaded.figures[0].clean, loaded.figures[0].bug) == (0.33333, 200)

    def test_a_bug_that_was_not_measured(self, tmp_path: Path) -> None:
        assert load_cost(tmp_path) is None

    @pytest.mark.parametrize(
        "text", ["", "[]", '{"figures": []}', '{"figures": [{"size": 1}], "plot": null}']
    )
    def test_a_garbled_file_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "cost.json").write_text(text)
        with pytest.raises(BughuntError, match=r"cost\.json"):
            load_cost(tmp_path)

    @pytest.mark.parametrize(("count", "expected"), [(1, 1), (60, 60), (61, 31), (200, 50), (900, 60)])
    def test_a_curve_is_thinned_by_averaging(self, count: int, expected: int) -> None:
        thinned = curve("x", [(float(i), 2.0 * i) for i in range(count)])
        assert len(thinned.x) == len(thinned.y) == expected
        assert all(y == pytest.approx(2 * x) for x, y in zip(thinned.x, thinned.y, strict=True))
        assert thinned.x[0] == pytest.approx(((count + 59) // 60 - 1) / 2)

    def test_a_number_that_there_is_none_of(self) -> None:
        assert COST.figures[1].row == ("seen", "50%", "none")


class TestShipped:
    @each_bug
    def test_every_bug_has_measured_figures(self, bug: Bug) -> None:
        """The first, which the debrief shows, is one that the bug moves."""
        cost = load_cost(bug.folder)
        assert cost is not None
        _, clean, broken = cost.figures[0].row
        assert clean != broken
        assert cost.commands
        assert {"system", "python", "torch"} <= cost.machine.keys()

    @each_bug
    def test_the_solution_shows_them(self, bug: Bug) -> None:
        cost = load_cost(bug.folder)
        assert cost is not None
        views = solutions.cost(bug)
        (table,) = [view for view in views if isinstance(view, Table)]
        assert len(table.rows) == len(cost.figures)
        assert sum(isinstance(view, Plot) for view in views) == (cost.plot is not None)
        assert bug.id in draw(views, 80)

    @each_bug
    def test_a_probe_shows_symptoms_only(self, bug: Bug) -> None:
        cost = load_cost(bug.folder)
        assert cost is not None
        names = [figure.name for figure in cost.figures if figure.symptom]
        tables = whole_run(bug)
        assert [row[0] for table in tables if isinstance(table, Table) for row in table.rows] == names

    def test_a_probe_ends_with_them(self) -> None:
        bug = next(bug for bug in BUGS if whole_run(bug))
        found = Prober(bug).probed(*_measured(bug))
        assert list(found.views)[-1:] == whole_run(bug)

    def test_the_debrief_has_those_of_the_fixed_bugs(self) -> None:
        level = load_catalog().levels[0]
        state = State(
            bugs={level.bugs[1].id: BugProgress(verdict="fixed", solved_at="2026-01-01T00:00:00+00:00")}
        )
        first = [load_cost(bug.folder) for bug in level.bugs]
        text = " ".join(draw(level_debrief(level, state), 200).split())
        assert all(cost is not None for cost in first)
        assert [cost.figures[0].name in text for cost in first if cost] == [False, True, False]


def _measured(bug: Bug) -> tuple[Any, Measurement]:
    module = load_module(str(bug.measure), "measure_of_a_cost_test")
    inputs = module.draw(Random(0))
    sys.path.insert(0, str(tree_folder()))
    try:
        return inputs, Measurement(module.measure(inputs))
    finally:
        sys.path.remove(str(tree_folder()))


def test_solution_as_json(started: Player, tmp_path: Path) -> None:
    started.run("solution", "1.2", "--json")
    ran = started.run("solution", "1.2", "--json")
    cost = load_cost(BUGS[1].folder)
    assert cost is not None
    assert [one["name"] for one in ran.document["cost"]["figures"]] == [one.name for one in cost.figures]


class TestWorkshop:
    @pytest.fixture
    def said(self) -> list[str]:
        return []

    @pytest.fixture
    def workshop(self, tmp_path: Path, said: list[str]) -> Workshop:
        return Workshop(tmp_path / "work", "1", said.append)

    def test_a_command_runs_once(self, workshop: Workshop, said: list[str]) -> None:
        base = workshop.base("one")
        first = workshop.script(None, base, "scripts.tok_train --vocab-size 270")
        assert first.code == 0
        assert (base / "tokenizer").is_dir()
        assert workshop.script(None, base, "scripts.tok_train --vocab-size 270") == first
        assert len(said) == 1
        workshop.script(None, base, "scripts.tok_train --vocab-size 271")
        assert len(said) == 2

    def test_a_run_starts_from_parts_of_another(self, workshop: Workshop) -> None:
        start = workshop.base("one")
        (start / "tokenizer").mkdir()
        (start / "tokenizer/file").write_text("x")
        (start / "base").mkdir()
        other = workshop.base("two", start, ("tokenizer",))
        assert sorted(path.name for path in other.iterdir()) == ["tokenizer"]
        (other / "tokenizer/file").write_text("y")
        assert workshop.base("two", start, ("tokenizer",)) == other
        assert (other / "tokenizer/file").read_text() == "y"
        assert (start / "tokenizer/file").read_text() == "x"

    def test_a_command_that_fails(self, workshop: Workshop) -> None:
        base = workshop.base("one")
        with pytest.raises(BughuntError, match="tok_train"):
            workshop.script(None, base, "scripts.base_train --num-iterations 1")
        ended = workshop.script(None, base, "scripts.base_train --num-iterations 1", may_fail=True)
        assert ended.code == 1
        assert "tok_train" in ended.output

    def test_a_tree_has_just_the_bug(self, workshop: Workshop) -> None:
        clean, broken = workshop.tree(None), workshop.tree(BUGS[1])
        differing = [
            path.relative_to(clean).as_posix()
            for path in sorted(clean.rglob("*.py"))
            if path.read_bytes() != (broken / path.relative_to(clean)).read_bytes()
        ]
        assert differing == list(BUGS[1].files)

    def test_runs_of_another_version_are_not_mixed(self, workshop: Workshop, tmp_path: Path) -> None:
        with pytest.raises(BughuntError, match="another version"):
            Workshop(tmp_path / "work", "2", print)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("inside")
    code = """\
        from nanochat.checkpoint_manager import build_meta, build_model, save_checkpoint
        from nanochat.common import get_base_dir
        from nanochat.gpt import GPTConfig
        from nanochat.tokenizer import RustBPETokenizer

        RustBPETokenizer({bytes([byte]): byte for byte in range(256)}).save(get_base_dir() / "tokenizer")
        model = build_model(GPTConfig(256, 265, 2, 2, 2, 32))
        for name in ("base", "sft"):
            save_checkpoint(get_base_dir() / name, 1, model.state_dict(), [], build_meta(model))
    """
    subprocess.run(
        [sys.executable, "-c", dedent(code)],
        cwd=tree_folder(),
        env={**os.environ, "NANOCHAT_BASE_DIR": str(base)},
        check=True,
    )
    return base


@pytest.mark.few(3, together=True)
class TestInside:
    """The questions that no script answers, of a fresh model: to it all tokens are equally likely."""

    def ask(self, base: Path, question: str, bug: Bug | None = None, **arguments: Any) -> Any:
        workshop = Workshop(base / "work", "1", lambda _: None)
        return workshop.inside(bug, base, question, **arguments)

    def test_the_recipe_is_the_trees(self, base: Path) -> None:
        assert self.ask(base, "recipe").keys() == {"tokenizer", "pretraining", "fine-tuning", "evaluation"}

    def test_bits(self, base: Path) -> None:
        assert self.ask(base, "opening_bits", tokens=8, documents=20) == pytest.approx(
            math.log2(265), rel=0.01
        )
        bits = self.ask(base, "bits_by_position", length=64, rows=4, edges=[0, 16, 64])
        assert bits == pytest.approx([math.log2(265)] * 2)

    def test_angles(self, base: Path) -> None:
        """Heads of width 16: the last of 8 pairs turns by 10000 ** (-7/8) a position."""
        by_id = {bug.id: bug for bug in BUGS}
        assert self.ask(base, "slowest_turn") == pytest.approx(2 * math.pi * 10000 ** (7 / 8), rel=1e-3)
        turn = self.ask(base, "slowest_turn", by_id["3.1"])
        assert turn == pytest.approx(2 * math.pi * 10000 ** (7 / 16), rel=1e-3)

    def test_memory(self, base: Path) -> None:
        by_id = {bug.id: bug for bug in BUGS}
        size = self.ask(base, "input_bytes", rows=2, length=16)
        assert size == 2 * 16 * 4
        assert self.ask(base, "input_bytes", by_id["1.2"], rows=2, length=16) == 2 * size
        clean = self.ask(base, "cache_bytes", tokens=600, turn=50)
        bug = self.ask(base, "cache_bytes", by_id["3.4"], tokens=600, turn=50)
        assert [position for position, _ in clean["points"]] == list(range(50, 601, 50))
        assert clean["after"] == 0
        assert bug["after"] == bug["points"][-1][1] > clean["points"][-1][1] > 0


ANSWERS: dict[str, Any] = {
    "recipe": {"pretraining": "--depth 4 --n-embd 128 --n-head 4 --num-iterations 200"},
    "opening_bits": 3.0,
    "bits_by_position": [3.0, 2.5, 2.0],
    "slowest_turn": 50_000.0,
    "input_bytes": 8192,
    "cache_bytes": {"points": [[64, 1e6], [8192, 2e6]], "after": 0},
}
SUITES = ("arithmetic", "spelling", "letter counts", "arithmetic, new phrasings")


class NothingRun(Workshop):
    """A workshop in which nothing is run: each command leaves behind some of what the real one leaves."""

    multithreaded: ClassVar[list[str]] = []

    def _run(self, tree: Path, base: Path, arguments: Sequence[str], *, one_thread: bool = True) -> Ended:
        command = arguments[1]
        if not one_thread:
            self.multithreaded.append(command)
        if arguments[0] != "-m":
            return Ended(0, json.dumps(ANSWERS[command]))
        for part in ("tokenizer", "base", "sft"):
            (base / part).mkdir(exist_ok=True)
        if command == "scripts.chat_eval":
            suites = [{"name": name, "total": 10, "correct": 5, "malformed": 1} for name in SUITES]
            (base / "sft/chat_eval.json").write_text(json.dumps({"suites": suites}))
        elif "--num-iterations" in arguments:
            # The last one counts.
            steps = int(arguments[-arguments[::-1].index("--num-iterations")])
            record = {"loss": 2.0, "val_bpb": 1.5, "grad_norm": 1.0, "clipped": True}
            lines = [json.dumps({"step": step, **record}) for step in range(steps)]
            stage = "base" if command == "scripts.base_train" else "sft"
            (base / stage / "metrics.jsonl").write_text("\n".join(lines))
        return Ended(0, "  val: 1.5 bits per byte")


@pytest.fixture
def authored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all that authors wrote, without measured costs, whose costs are measured without runs."""
    folder = tmp_path / "challenges"
    shutil.copytree(challenges_folder(), folder, ignore=shutil.ignore_patterns("cost.json", "fixes"))
    monkeypatch.setattr(measure, "load_catalog", lambda: load_catalog(folder))
    monkeypatch.setattr(measure, "Workshop", NothingRun)
    return folder


class TestMeasuringAgain:
    def test_every_bug_says_how_it_came_to_its_figures(self, authored: Path, tmp_path: Path) -> None:
        """Its `cost.py` gives the figures that ship, and the commands."""
        measure_costs([], tmp_path / "work", 2, lambda _: None)
        copies = [bug for level in load_catalog(authored).levels for bug in level.bugs]
        for bug, copy in zip(BUGS, copies, strict=True):
            shipped, found = load_cost(bug.folder), load_cost(copy.folder)
            assert shipped is not None
            assert found is not None
            assert [(one.name, one.format, one.symptom) for one in found.figures] == [
                (one.name, one.format, one.symptom) for one in shipped.figures
            ]
            assert (found.plot and found.plot.title) == (shipped.plot and shipped.plot.title)
            assert found.commands == shipped.commands
            assert found.machine.keys() == shipped.machine.keys()

    def test_only_what_is_asked_for(self, authored: Path, tmp_path: Path) -> None:
        said: list[str] = []
        measure_costs([BUGS[1].id], tmp_path / "work", 1, said.append)
        assert [path.parent.name for path in authored.rglob("cost.json")] == [BUGS[1].folder.name]
        assert any(line.startswith(f"{BUGS[1].id}: ") and line.endswith("cost.json") for line in said)

    def test_runs_have_one_thread_but_the_first(
        self, authored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        multithreaded: list[str] = []
        monkeypatch.setattr(NothingRun, "multithreaded", multithreaded)
        measure_costs([BUGS[0].id], tmp_path / "work", 1, lambda _: None)
        assert multithreaded == ["scripts.speedrun"]

    def test_what_is_no_bug(self, tmp_path: Path) -> None:
        with pytest.raises(BughuntError, match=r"9\.9"):
            measure_costs(["9.9"], tmp_path / "work", 1, lambda _: None)
        assert not (tmp_path / "work").exists()

    @pytest.mark.parametrize("text", [None, "Cost = 3"])
    def test_a_bug_that_does_not_say_how(self, authored: Path, tmp_path: Path, text: str | None) -> None:
        recipe = load_catalog(authored).bug(BUGS[0].id).folder / "cost.py"
        recipe.unlink()
        if text is not None:
            recipe.write_text(text)
        with pytest.raises(BughuntError, match=r"cost\.py"):
            measure_costs([BUGS[0].id], tmp_path / "work", 1, lambda _: None)

    def test_a_folder_that_cannot_be_used(self, authored: Path, tmp_path: Path) -> None:
        (tmp_path / "work").write_text("mine")
        with pytest.raises(BughuntError, match="work") as raised:
            measure_costs([BUGS[0].id], tmp_path / "work/runs", 1, lambda _: None)
        assert "--work" in raised.value.step
        assert (tmp_path / "work").read_text() == "mine"


def test_inside_imports_nothing_of_the_game() -> None:
    assert "bughunt" not in Path(inside.__file__).read_text(encoding="utf-8").split('"""', 2)[2]
