"""Fine-tuning: what is trained of a conversation, and that training is the same however it is spread."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import tiny_training
import torch
from nanochat.common import UserError
from nanochat.training import begin_run, read_metrics
from scripts.chat_sft import Settings, sft_data_generator, train

TOKENIZER = tiny_training.byte_tokenizer()

WITH_TOOL = {
    "messages": [
        {"role": "user", "content": "What is 6 times 7?"},
        {
            "role": "assistant",
            "content": [
                {"type": "python", "text": "6*7"},
                {"type": "python_output", "text": "42"},
                {"type": "text", "text": "It is 42."},
            ],
        },
    ]
}
SHORT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}
TWO_TURNS = {
    "messages": [
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Three?"},
        {"role": "assistant", "content": "Four."},
    ]
}


def trained_text(targets: torch.Tensor) -> str:
    """The text of a row's targets, special tokens by name."""
    return "".join(TOKENIZER.id_to_token(token) for token in targets.tolist() if token >= 0)


def tiny(**changes: object) -> Settings:
    settings = {
        "num_iterations": 4,
        "device_batch_size": 4,
        "total_batch_size": 8,
        "eval_every": 0,
        "save_every": 2,
        "eval_conversations": 8,
        "keep": 10,
    }
    return Settings(**{**settings, **changes})


class Echo:
    """Conversations of different lengths."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> dict:
        word = "abcdefghij"[index % 10] * (1 + index % 7)
        return {
            "messages": [{"role": "user", "content": f"Say {word}"}, {"role": "assistant", "content": word}]
        }


def run(settings: Settings, **options: object):
    model = options.pop("model", None) or tiny_training.random_model()
    return train(settings, model=model, tokenizer=TOKENIZER, dataset=Echo(), val_dataset=Echo(), **options)


def test_a_batch_has_the_contract_s_shapes_and_types() -> None:
    inputs, targets = next(sft_data_generator([WITH_TOOL, SHORT, TWO_TURNS], TOKENIZER, 3))
    longest = max(len(TOKENIZER.render_conversation(one)[0]) for one in (WITH_TOOL, SHORT, TWO_TURNS))
    assert inputs.shape == targets.shape == (3, longest - 1)
    assert inputs.dtype == targets.dtype == torch.int64


def test_targets_are_the_tokens_after_the_inputs() -> None:
    inputs, targets = next(sft_data_generator([WITH_TOOL, SHORT, TWO_TURNS], TOKENIZER, 3))
    for row, conversation in enumerate((WITH_TOOL, SHORT, TWO_TURNS)):
        ids, _ = TOKENIZER.render_conversation(conversation)
        assert inputs[row, : len(ids) - 1].tolist() == ids[:-1]
        for position in range(len(ids) - 1):
            assert targets[row, position] in (-1, ids[position + 1])


def test_exactly_what_the_assistant_says_is_trained() -> None:
    _, targets = next(sft_data_generator([WITH_TOOL, SHORT, TWO_TURNS], TOKENIZER, 3))
    assert trained_text(targets[0]) == "<|python_start|>6*7<|python_end|>It is 42.<|assistant_end|>"
    assert trained_text(targets[1]) == "Hello!<|assistant_end|>"
    assert trained_text(targets[2]) == "Two.<|assistant_end|>Four.<|assistant_end|>"


def test_padding_is_assistant_end_and_never_trained() -> None:
    inputs, targets = next(sft_data_generator([WITH_TOOL, SHORT], TOKENIZER, 2))
    length = len(TOKENIZER.render_conversation(SHORT)[0])
    end = TOKENIZER.encode_special("<|assistant_end|>")
    assert inputs.shape[1] > length
    assert (inputs[1, length - 1 :] == end).all()
    assert (targets[1, length - 1 :] == -1).all()


def test_the_dataset_is_read_over_and_over_in_order() -> None:
    batches = list(islice(sft_data_generator([SHORT, WITH_TOOL, TWO_TURNS], TOKENIZER, 2), 3))
    said = [trained_text(row) for _, targets in batches for row in targets]
    once = [said[0], said[1], said[2]]
    assert len(set(once)) == 3
    assert said == once * 2


def test_ranks_share_the_conversations_out() -> None:
    data = Echo()
    whole = [row for _, targets in islice(sft_data_generator(data, TOKENIZER, 4), 4) for row in targets]
    parts = [
        [
            row
            for _, targets in islice(sft_data_generator(data, TOKENIZER, 4, rank=rank, world_size=2), 2)
            for row in targets
        ]
        for rank in range(2)
    ]
    for index, row in enumerate(whole):
        assert trained_text(row) == trained_text(parts[index % 2][index // 2])


def test_skipping_batches_goes_on_where_they_end() -> None:
    whole = list(islice(sft_data_generator(Echo(), TOKENIZER, 4), 5))
    rest = list(islice(sft_data_generator(Echo(), TOKENIZER, 4, skip_batches=3), 2))
    for (one, _), (other, _) in zip(whole[3:], rest, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("device_batch_size", [1, 2, 4])
def test_the_loss_of_a_step_is_the_mean_over_its_trained_tokens(device_batch_size: int) -> None:
    # Rows differ in length, so the mean of the micro-batches' means would not be it.
    whole = run(tiny(num_iterations=3, device_batch_size=8))
    split = run(tiny(num_iterations=3, device_batch_size=device_batch_size))
    assert split.losses == pytest.approx(whole.losses, rel=1e-4)
    for one, other in zip(split.records, whole.records, strict=True):
        assert one["grad_norm"] == pytest.approx(other["grad_norm"], rel=1e-3)
        assert one["trained_tokens"] == other["trained_tokens"]


def test_a_step_has_the_same_rows_at_any_number_of_stripes() -> None:
    whole, striped = run(tiny(num_iterations=3)), run(tiny(num_iterations=3, stripes=2))
    assert striped.losses == pytest.approx(whole.losses, rel=1e-4)


def test_fine_tuning_teaches_the_answers() -> None:
    model = tiny_training.random_model()
    losses = run(tiny(num_iterations=80, grad_clip=0.0), model=model).losses
    assert losses[-1] < losses[0] / 4


def test_resuming_gives_the_same_losses_to_the_last_digit(tmp_path: Path) -> None:
    settings = tiny(num_iterations=5, eval_every=2)
    whole = run(settings, run_dir=tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(record: dict) -> None:
        if record["step"] == 3:
            raise Killed

    with pytest.raises(Killed):
        run(settings, run_dir=tmp_path / "killed", on_step=kill)
    start_step = begin_run(tmp_path / "killed", resume=True, overwrite=False)
    resumed = run(settings, run_dir=tmp_path / "killed", start_step=start_step)
    assert start_step == 2
    assert resumed.losses == whole.losses[2:]
    kept = [read_metrics(tmp_path / name) for name in ("whole", "killed")]
    assert [record["loss"] for record in kept[0]] == [record["loss"] for record in kept[1]]
    assert [record.get("val_loss") for record in kept[0]] == [record.get("val_loss") for record in kept[1]]


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match=r"total_batch_size \(6\) must be a multiple of 4"):
        run(tiny(total_batch_size=6))
