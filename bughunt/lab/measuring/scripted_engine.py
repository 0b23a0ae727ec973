"""An engine that says what it is told, for what a script makes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Answers = Callable[[list[int]], list[list[int]]]


class ScriptedEngine:
    """Has the public methods of the tree's engine. `answers(prompt)` gives the tokens of each sample.

    What it is asked is noted in `asked`: the prompt and the options that it was given with it. The tokens of
    a sample that has ended are followed by `end`.
    """

    def __init__(self, model: Any, tokenizer: Any, answers: Answers, end: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.asked: list[dict[str, Any]] = []
        self._answers = answers
        self._end = end

    def generate(
        self,
        tokens: Sequence[int],
        num_samples: int = 1,
        max_tokens: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 42,
        kv_cache: object = None,
    ) -> Iterator[tuple[list[int], list[int]]]:
        self.asked.append(
            {
                "prompt": list(tokens),
                "samples": num_samples,
                "max tokens": max_tokens,
                "temperature": float(temperature),
                "top k": top_k,
                "seed": seed,
            }
        )
        rows = self._answers(list(tokens))[:num_samples]
        columns = max(len(row) for row in rows)
        for i in range(columns if max_tokens is None else min(columns, max_tokens)):
            yield [row[i] if i < len(row) else self._end for row in rows], [int(i < len(row)) for row in rows]

    def generate_batch(
        self, tokens: Sequence[int], num_samples: int = 1, **options: Any
    ) -> tuple[list[list[int]], list[list[int]]]:
        columns = list(self.generate(tokens, num_samples, **options))
        rows, masks = [], []
        for row in range(num_samples):
            said = [column[row] for column, _ in columns]
            said = said[: said.index(self._end)] if self._end in said else said
            rows.append([*tokens, *said])
            masks.append([0] * len(tokens) + [1] * len(said))
        return rows, masks
