"""The speedrun: every stage, once, to the same end however often it is stopped; and its report."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch
from nanochat.checkpoint_manager import latest_step, load_model
from nanochat.common import UserError
from nanochat.report import Chart, Dialog, Heading, Table, Text, smooth, write_report
from nanochat.training import read_metrics
from scripts import base_train, chat_eval, chat_sft, speedrun

TINY = {
    "tokenizer": "--vocab-size 300 --max-chars 60000 --eval-chars 2000",
    "pretraining": (
        "--depth 1 --n-embd 32 --n-head 2 --sequence-len 32 --device-batch-size 2 --total-batch-size 128 "
        "--num-iterations 6 --save-every 2 --eval-every 3 --eval-tokens 256"
    ),
    "fine-tuning": (
        "--num-iterations 6 --device-batch-size 4 --total-batch-size 8 --save-every 2 --eval-every 3 "
        "--eval-conversations 8"
    ),
    "evaluation": "--max-problems 2 --max-tokens 6",
}


@pytest.fixture(autouse=True)
def _tiny_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(speedrun.RECIPES, "minutes", TINY)
    monkeypatch.setattr(speedrun, "QUESTIONS", ["Who are you?"])


@pytest.fixture
def base_dir(tmp_path: Path) -> Path:
    return tmp_path / "base"


class Killed(BaseException):
    """Stands for a kill."""


def test_every_stage_runs_once_and_the_report_tells(
    base_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speedrun.main(["--device", "cpu"])
    assert latest_step(base_dir / "base") == latest_step(base_dir / "sft") == 6
    markdown = (base_dir / "report" / "report.md").read_text()
    page = (base_dir / "report" / "report.html").read_text()
    for text in (markdown, page):
        for name in chat_eval.suites():
            assert name in text
        for wanted in (
            "bits per byte",
            "Who are you?",
            "n_embd",
            "CPU cores",
            "tokens per second",
            "tok_train",
        ):
            assert wanted in text
    assert "fine_tuning_loss.svg" in markdown
    assert page.count("<svg") >= 6
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "all done" in capsys.readouterr().out

    weights = load_model(base_dir / "sft")[0].state_dict()
    speedrun.main(["--device", "cpu"])
    shown = capsys.readouterr().out
    assert shown.count("done before") == 4
    again = load_model(base_dir / "sft")[0].state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in weights.items())


def test_a_stopped_run_goes_on_to_the_same_end(
    base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill_at(module: object, step: int) -> None:
        """Let the next training of this script die after so many steps."""
        train = module.train

        def dying(*arguments: object, on_step: object, **options: object) -> object:
            def die(record: dict) -> None:
                if record["step"] == step:
                    raise Killed

            return train(*arguments, on_step=die, **options)

        with monkeypatch.context() as patch:
            patch.setattr(module, "train", dying)
            with pytest.raises(Killed):
                speedrun.main(["--device", "cpu"])

    kill_at(base_train, 3)
    assert latest_step(base_dir / "base") == 2
    kill_at(base_train, 5)
    kill_at(chat_sft, 4)
    speedrun.main(["--device", "cpu"])
    stopped = [read_metrics(base_dir / name) for name in ("base", "sft")]

    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path / "whole"))
    speedrun.main(["--device", "cpu"])
    whole = [read_metrics(tmp_path / "whole" / name) for name in ("base", "sft")]
    for one, other in zip(stopped, whole, strict=True):
        assert [record["loss"] for record in one] == [record["loss"] for record in other]
        assert [record["step"] for record in one] == list(range(6))
    for folder in (base_dir, tmp_path / "whole"):
        evaluation = json.loads((folder / "sft" / chat_eval.RESULTS_FILE).read_text())
        assert len(evaluation["suites"]) == len(chat_eval.suites())


def test_a_model_of_another_kind_is_not_overwritten_unasked(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speedrun.main(["--device", "cpu"])
    monkeypatch.setitem(speedrun.RECIPES, "hours", {**TINY, "evaluation": ""})
    with pytest.raises(UserError, match="another recipe"):
        speedrun.run_stages(base_dir, speedrun.Settings(scale="hours"))
    (base_dir / speedrun.STATE_FILE).unlink()
    with pytest.raises(UserError, match="--overwrite deletes it"):
        speedrun.run_stages(base_dir, speedrun.Settings())
    state = speedrun.load_state(base_dir, speedrun.Settings(overwrite=True))
    assert state["seconds"] == {}
    assert latest_step(base_dir / "base") is None


def test_a_report_is_written_in_both_formats(tmp_path: Path) -> None:
    blocks = [
        Heading("Numbers & <signs>"),
        Text("a < b"),
        Table(["name", "value"], [["a|b", "1"]]),
        Chart("curve", "A <curve>", "step", {"one": [(0, 1.0), (1, 10.0)], "two": [(0, 5.0)]}, log_y=True),
        Dialog("2+2?", [{"type": "python", "text": "2+2"}, {"type": "text", "text": "4 < 5"}]),
    ]
    markdown, page = write_report(tmp_path, "A report", blocks)
    text = markdown.read_text()
    assert "| a\\|b | 1 |" in text
    assert "`2+2` 4 < 5" in text
    ET.fromstring((tmp_path / "curve.svg").read_text())
    content = page.read_text()
    assert "Numbers &amp; &lt;signs&gt;" in content
    assert "4 &lt; 5" in content
    assert "<curve>" not in content


@pytest.mark.parametrize(
    "points", [[], [(0, 1.0)], [(0, 2.0), (1, 2.0)], [(0, -1.0), (5, 3.0)], [(0, 1e-9), (1e6, 1e9)]]
)
def test_any_line_can_be_drawn(points: list[tuple[float, float]]) -> None:
    svg = ET.fromstring(Chart("c", "t", "x", {"line": points}).to_svg())
    for line in svg.iter("{http://www.w3.org/2000/svg}polyline"):
        for place in line.get("points", "").split():
            across, down = map(float, place.split(","))
            assert 0 <= across <= 640 and 0 <= down <= 280


def test_smoothing_keeps_means() -> None:
    assert smooth([(0, 1.0), (1, 3.0), (2, 5.0)], 2) == [(1, 2.0), (2, 4.0)]
    assert smooth([(0, 1.0)], 50) == [(0, 1.0)]
    assert smooth([], 5) == []
