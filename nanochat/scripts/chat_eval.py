"""Evaluate a fine-tuned model: it answers held-out questions, calling the calculator as it generates.

    python -m scripts.chat_eval
    python -m scripts.chat_eval --only spelling --show-wrong 5
    torchrun --nproc_per_node 2 -m scripts.chat_eval

Operands and words are those that training never had. The suites named "new phrasings" ask in ways that
training never used. A turn is malformed if it does not end, or breaks the format of tool calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from nanochat.chat import complete, load_engine
from nanochat.common import (
    Progress,
    UserError,
    autodetect_device_type,
    compute_cleanup,
    compute_init,
    get_base_dir,
    get_dist_info,
    parse_settings,
    print0,
    run_script,
    setting,
)
from nanochat.engine import Engine
from nanochat.tasks import Arithmetic, Facts, LetterCount, Spelling, Task

RESULTS_FILE = "chat_eval.json"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Evaluate a fine-tuned model on held-out questions."""

    name: str = setting("sft", "name of the run to evaluate: its folder below the base folder")
    device: str = setting("auto", "cuda, mps, cpu, or auto for the best there is")
    only: str | None = setting(None, "only the suites whose name contains this")
    max_problems: int | None = setting(None, "at most so many problems of each suite")
    temperature: float = setting(0.0, "0 always takes the likeliest token")
    max_tokens: int = setting(96, "an answer is cut off after so many tokens")
    show_wrong: int = setting(0, "print so many wrong answers of each suite")


@dataclass
class SuiteResult:
    """How a model did on one suite. `wrong` has a few wrong answers: question, response, reference."""

    name: str
    correct: int
    total: int
    malformed: int
    tool_calls: int
    wrong: list[dict[str, str]] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        return self.correct / self.total


def suites() -> dict[str, Task]:
    """What a model is evaluated on, by name."""
    return {
        "arithmetic": Arithmetic("test", size=500),
        "arithmetic, new phrasings": Arithmetic("test", phrasings="held_out", size=200),
        "spelling": Spelling("test", size=200),
        "spelling, new phrasings": Spelling("test", phrasings="held_out", size=100),
        "letter counts": LetterCount("test", size=200),
        "letter counts, new phrasings": LetterCount("test", phrasings="held_out", size=100),
        "facts": Facts("test", size=50),
        "facts, new phrasings": Facts("test", phrasings="held_out", size=50),
    }


def evaluate(
    engine: Engine,
    name: str,
    task: Task,
    *,
    max_problems: int | None = None,
    max_tokens: int = 96,
    temperature: float = 0.0,
    on_problem: Callable[[], None] | None = None,
) -> SuiteResult:
    """Let the engine answer the task's problems. Under torchrun each rank answers its share of them."""
    _, rank, _, world_size = get_dist_info()
    result = SuiteResult(name, correct=0, total=0, malformed=0, tool_calls=0)
    for index in range(rank, min(len(task), max_problems or len(task)), world_size):
        # answer and judge
        conversation = task[index]
        turn = complete(engine, conversation, max_tokens=max_tokens, temperature=temperature)
        is_right = turn.well_formed and task.evaluate(conversation, turn.text)
        # count
        result.total += 1
        result.correct += is_right
        result.malformed += not turn.well_formed
        result.tool_calls += turn.tool_calls
        # keep a few wrong answers
        if not is_right and len(result.wrong) < 10:
            question, reference = (message["content"] for message in conversation["messages"])
            wrong = {
                "question": question,
                "response": join_parts(turn.parts),
                "reference": join_parts(reference),
            }
            result.wrong.append(wrong)
        if on_problem is not None:
            on_problem()
    # over all ranks
    if world_size > 1:
        counts = torch.tensor([result.correct, result.total, result.malformed, result.tool_calls])
        counts = counts.to(engine.model.get_device())
        dist.all_reduce(counts)
        result.correct, result.total, result.malformed, result.tool_calls = counts.tolist()
    return result


def join_parts(content: str | list[dict[str, str]]) -> str:
    """An assistant's content as one line: its parts between bars."""
    return content if isinstance(content, str) else " | ".join(part["text"] for part in content)


def print_table(results: Sequence[SuiteResult], show_wrong: int) -> None:
    """A line for each suite, and the first so many wrong answers of each."""
    print0(f"{'suite':<30} {'right':>12} {'malformed':>10} {'tool calls':>11}")
    for result in results:
        right = f"{result.correct}/{result.total} {result.accuracy:4.0%}"
        print0(f"{result.name:<30} {right:>12} {result.malformed:>10} {result.tool_calls:>11}")
        for wrong in result.wrong[:show_wrong]:
            print0(f"    {wrong['question']}")
            print0(f"        said  {wrong['response']}\n        right {wrong['reference']}")


def main(argv: Sequence[str] | None = None) -> list[SuiteResult]:
    settings = parse_settings(Settings, argv)
    device_type = autodetect_device_type() if settings.device == "auto" else settings.device
    *_, device = compute_init(device_type)
    try:
        # suites and model
        chosen = {name: task for name, task in suites().items() if (settings.only or "") in name}
        if not chosen:
            raise UserError(f"no suite's name contains {settings.only!r}; there are: {'; '.join(suites())}")
        run_dir = get_base_dir() / settings.name
        engine, meta = load_engine(run_dir, device)
        sizes = {name: min(len(task), settings.max_problems or len(task)) for name, task in chosen.items()}
        # evaluate
        results = []
        with Progress(sum(sizes.values()), unit="problems", title="evaluating") as progress:
            for name, task in chosen.items():
                result = evaluate(
                    engine,
                    name,
                    task,
                    max_problems=settings.max_problems,
                    max_tokens=settings.max_tokens,
                    temperature=settings.temperature,
                    on_problem=partial(progress.update, get_dist_info()[3], suite=name),
                )
                results.append(result)
        # report
        print_table(results, settings.show_wrong)
        report: dict[str, Any] = {"step": meta["step"], "suites": [asdict(result) for result in results]}
        if get_dist_info()[1] == 0:
            (run_dir / RESULTS_FILE).write_text(json.dumps(report, indent=2), encoding="utf-8")
        return results
    finally:
        compute_cleanup()


if __name__ == "__main__":
    run_script(main)
