"""What bugs cost: the measured figures that ship, where they are shown, and the workshop that makes them."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import pytest
from command_line import Player

from bughunt import screens
from bughunt.author.cost import inside
from bughunt.author.cost.recipes import RECIPES
from bughunt.author.cost.workshop import Workshop
from bughunt.content.catalog import Bug, load_catalog
from bughunt.content.cost_record import Cost, Figure, curve, load_cost, save_cost
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError
from bughunt.hunt.progress import BugProgress, State
from bughunt.loading import load_module
from bughunt.measure.outcomes import Measurement
from bughunt.render.plain import draw
from bughunt.screens.debrief import level_debrief
from bughunt.screens.probing import views_of
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

    def test_every_bug_has_a_recipe(self) -> None:
        assert set(RECIPES) == {bug.folder.name for bug in BUGS}

    @each_bug
    def test_the_solution_shows_them(self, bug: Bug) -> None:
        cost = load_cost(bug.folder)
        assert cost is not None
        views = screens.cost(bug)
        (table,) = [view for view in views if isinstance(view, Table)]
        assert len(table.rows) == len(cost.figures)
        assert sum(isinstance(view, Plot) for view in views) == (cost.plot is not None)
        assert bug.id in draw(views, 80)

    @each_bug
    def test_a_probe_shows_symptoms_only(self, bug: Bug) -> None:
        cost = load_cost(bug.folder)
        assert cost is not None
        names = [figure.name for figure in cost.figures if figure.symptom]
        tables = screens.whole_run(bug)
        assert [row[0] for table in tables if isinstance(table, Table) for row in table.rows] == names

    def test_a_probe_ends_with_them(self) -> None:
        bug = next(bug for bug in BUGS if screens.whole_run(bug))
        found = views_of(bug, *_measured(bug))
        assert list(found.views)[-1:] == screens.whole_run(bug)

    def test_the_debrief_has_those_of_the_fixed_bugs(self) -> None:
        level = load_catalog().levels[0]
        state = State(
            bugs={level.bugs[1].id: BugProgress(verdict="fixed", fixed_at="2026-01-01T00:00:00+00:00")}
        )
        first = [load_cost(bug.folder) for bug in level.bugs]
        text = " ".join(draw(level_debrief(level, state), 200).split())
        assert all(cost is not None for cost in first)
        assert [cost.figures[0].name in text for cost in first if cost] == [False, True, False]


def _measured(bug: Bug) -> tuple[Any, Measurement]:
    measure = load_module(str(bug.measure), "measure_of_a_cost_test")
    inputs = measure.draw(Random(0))
    sys.path.insert(0, str(tree_folder()))
    try:
        return inputs, Measurement(measure.measure(inputs))
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


def test_the_command_refuses_what_is_no_bug(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bughunt.author.cost", "9.9", "--work", str(tmp_path / "work")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 2
    assert "9.9" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_inside_imports_nothing_of_the_game() -> None:
    assert "bughunt" not in Path(inside.__file__).read_text(encoding="utf-8").split('"""', 2)[2]
