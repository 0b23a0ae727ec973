"""Pretraining: the schedule, gradients under every split of a batch, metrics, exact resumption."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import tiny_training
import torch
from nanochat.common import UserError
from nanochat.training import METRICS_FILE, begin_run, read_metrics
from scripts import base_train
from scripts.base_train import Settings, get_lr_multiplier, get_model_config, get_muon_momentum, train
from torch.optim.optimizer import register_optimizer_step_pre_hook


def tiny(**changes: object) -> Settings:
    return Settings(**{**tiny_training.BASE_SETTINGS, **changes})


def run(settings: Settings, **options: object) -> base_train.TrainResult:
    return train(
        settings,
        tokenizer=tiny_training.byte_tokenizer(),
        documents=tiny_training.documents(),
        val_documents=tiny_training.documents(1),
        **options,
    )


def test_the_rate_is_whole_when_warm_up_ends() -> None:
    rates = [get_lr_multiplier(it, 100, warmup_ratio=0.1, warmdown_ratio=0.2) for it in range(100)]
    assert rates[:10] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert rates[10:81] == [1.0] * 71
    assert rates[81:] == pytest.approx([(100 - it) / 20 for it in range(81, 100)])


def test_the_rate_falls_to_its_final_share() -> None:
    assert get_lr_multiplier(100, 100, 0.0, 0.5, final_lr_frac=0.1) == pytest.approx(0.1)
    assert get_lr_multiplier(75, 100, 0.0, 0.5, final_lr_frac=0.1) == pytest.approx(0.55)


@pytest.mark.parametrize("it", [0, 1, 50, 99])
def test_the_rate_without_warm_up_and_warm_down_is_constant(it: int) -> None:
    assert get_lr_multiplier(it, 100, warmup_ratio=0.0, warmdown_ratio=0.0) == 1.0


def test_the_default_recipe_warms_up() -> None:
    settings = Settings()
    assert round(settings.warmup_ratio * settings.num_iterations) >= 10


def test_the_momentum_rises_over_300_steps() -> None:
    assert get_muon_momentum(0) == pytest.approx(0.85)
    assert get_muon_momentum(150) == pytest.approx(0.90)
    assert get_muon_momentum(300) == get_muon_momentum(5000) == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("depth", "width", "heads"),
    [(1, 64, 1), (2, 128, 1), (3, 192, 2), (4, 256, 2), (5, 320, 4), (7, 448, 4), (8, 512, 4)],
)
def test_depth_sets_the_shape(depth: int, width: int, heads: int) -> None:
    config = get_model_config(Settings(depth=depth), vocab_size=500)
    assert (config.n_layer, config.n_embd, config.n_head, config.n_kv_head) == (depth, width, heads, heads)


def test_flags_override_the_shape() -> None:
    config = get_model_config(Settings(depth=2, n_embd=96, n_head=6, n_kv_head=3), vocab_size=500)
    assert (config.n_layer, config.n_embd, config.n_head, config.n_kv_head) == (2, 96, 6, 3)


@pytest.mark.parametrize("grad_clip", [0.0, 1e-3])
def test_gradients_are_equal_however_the_batch_is_split(grad_clip: float) -> None:
    # The loader drops a token between batches, so it would not fill batches of another size with the same.
    tokenizer = tiny_training.byte_tokenizer()
    alphabet = "abcdefghijklmnop"
    rows = [alphabet[i % 16 :] + alphabet[: i % 16] for i in range(64)]

    def gradients(device_batch_size: int) -> dict[str, torch.Tensor]:
        model = tiny_training.random_model()
        seen: dict[str, torch.Tensor] = {}
        batches = torch.tensor([tokenizer.encode(row) for row in rows[:16]])

        def loader(B: int, T: int, *_: object, **__: object) -> object:
            for chunk in batches.split(B):
                yield chunk[:, :-1].int(), chunk[:, 1:]

        def record(*_: object) -> None:
            for name, parameter in model.named_parameters():
                seen.setdefault(name, parameter.grad.clone())

        handle = register_optimizer_step_pre_hook(record)
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr(base_train, "tokenizing_distributed_data_loader", loader)
        try:
            settings = tiny(
                sequence_len=15,
                device_batch_size=device_batch_size,
                total_batch_size=16 * 15,
                num_iterations=1,
                grad_clip=grad_clip,
            )
            train(settings, tokenizer=tokenizer, model=model)
        finally:
            monkeypatch.undo()
            handle.remove()
        return seen

    whole = gradients(16)
    assert all(gradient.abs().max() > 0 for gradient in whole.values())
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in whole.values()))
    if grad_clip:
        assert norm == pytest.approx(grad_clip, rel=1e-3)
    else:
        assert norm > 0.01
    for device_batch_size in (8, 4, 2, 1):
        split = gradients(device_batch_size)
        for name, gradient in whole.items():
            torch.testing.assert_close(
                split[name], gradient, rtol=1e-4, atol=1e-3 * norm / gradient.numel() ** 0.5
            )


def test_the_reported_loss_is_the_mean_over_micro_batches() -> None:
    model = tiny_training.random_model()
    seen = []
    forward = model.forward

    def watched(*arguments: object, **options: object) -> torch.Tensor:
        loss = forward(*arguments, **options)
        seen.append(loss.item())
        return loss

    model.forward = watched
    result = run(tiny(num_iterations=1, total_batch_size=4 * 64), model=model)
    assert len(seen) == 4
    assert result.losses[0] == pytest.approx(sum(seen) / 4)


def test_the_metrics_say_how_often_clipping_bites() -> None:
    small, large = run(tiny(grad_clip=1e-4)), run(tiny(grad_clip=1e4))
    assert all(record["clipped"] for record in small.records)
    assert not any(record["clipped"] for record in large.records)
    assert all(record["grad_norm"] > 1e-4 for record in small.records)


def test_a_tiny_run_learns() -> None:
    losses = run(tiny(num_iterations=60, warmup_ratio=0.1)).losses
    assert sum(losses[-5:]) / 5 < losses[0] - 1.0


def test_nothing_is_saved_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(tiny(num_iterations=2, eval_every=1, save_every=1))
    assert list(tmp_path.rglob("*")) == []


def test_metrics_are_one_json_line_a_step(tmp_path: Path) -> None:
    result = run(tiny(eval_every=3), run_dir=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / METRICS_FILE).read_text().splitlines()]
    assert lines == result.records
    assert [line["step"] for line in lines] == list(range(6))
    assert [line["step"] for line in lines if "val_bpb" in line] == [2, 5]


def test_resuming_gives_the_same_losses_to_the_last_digit(tmp_path: Path) -> None:
    settings = tiny(num_iterations=7, save_every=2, keep=10, eval_every=3)
    whole = run(settings, run_dir=tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(record: dict) -> None:
        if record["step"] == 4:
            raise Killed

    with pytest.raises(Killed):
        run(settings, run_dir=tmp_path / "killed", on_step=kill)
    with (tmp_path / "killed" / METRICS_FILE).open("a") as file:
        file.write('{"step": 5, "lo')
    start_step = begin_run(tmp_path / "killed", resume=True, overwrite=False)
    assert start_step == 4
    resumed = run(settings, run_dir=tmp_path / "killed", start_step=start_step)

    assert resumed.losses == whole.losses[4:]
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[name], weight), name
    metrics = [read_metrics(tmp_path / name) for name in ("whole", "killed")]
    for one, other in zip(*metrics, strict=True):
        assert one.keys() == other.keys()
        assert all(one[key] == other[key] for key in one if key not in ("tokens_per_second", "seconds"))


@pytest.mark.parametrize(("save_every", "saved"), [(0, [7]), (3, [3, 6, 7])])
def test_the_last_step_is_always_saved(tmp_path: Path, save_every: int, saved: list[int]) -> None:
    run(tiny(num_iterations=7, save_every=save_every, keep=9), run_dir=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("step_*")) == [f"step_{step:06d}" for step in saved]


def test_a_run_is_not_continued_with_other_settings(tmp_path: Path) -> None:
    run(tiny(), run_dir=tmp_path)
    with pytest.raises(UserError, match=r"matrix_lr was 0\.02 and is 0\.01"):
        run(tiny(matrix_lr=0.01), run_dir=tmp_path, start_step=4)


def test_an_existing_run_is_neither_mixed_nor_lost(tmp_path: Path) -> None:
    run(tiny(), run_dir=tmp_path)
    with pytest.raises(UserError, match="--resume goes on with it"):
        begin_run(tmp_path, resume=False, overwrite=False)
    assert begin_run(tmp_path, resume=True, overwrite=False) == 6
    assert begin_run(tmp_path, resume=False, overwrite=True) == 0
    assert begin_run(tmp_path, resume=True, overwrite=False) == 0


@pytest.mark.parametrize("stripes", [1, 2, 4])
def test_stripes_share_the_documents_out(stripes: int) -> None:
    """A step of w stripes trains on the first micro-batch of each of w processes' documents."""
    seen = []
    model = tiny_training.random_model()
    forward = model.forward

    def watched(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        seen.append(inputs.clone())
        return forward(inputs, targets)

    model.forward = watched
    run(tiny(num_iterations=2, total_batch_size=4 * 64, stripes=stripes), model=model)
    expected = []
    loaders = [
        base_train.tokenizing_distributed_data_loader(
            4,
            16,
            "train",
            documents=tiny_training.documents(),
            tokenizer=tiny_training.byte_tokenizer(),
            rank=rank,
            world_size=stripes,
        )
        for rank in range(stripes)
    ]
    for _ in range(8 // stripes):
        expected += [next(loader)[0] for loader in loaders]
    assert len(seen) == 8
    assert all(torch.equal(one, other) for one, other in zip(seen, expected, strict=True))


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match=r"total_batch_size \(100\) must be a multiple of 64"):
        run(tiny(total_batch_size=100))
    with pytest.raises(UserError, match=r"total_batch_size \(64\) must be a multiple of 128: 2 stripes"):
        run(tiny(total_batch_size=64, stripes=2))


def test_documents_that_end_end_the_training_with_a_message() -> None:
    with pytest.raises(UserError, match="the data came to an end"):
        train(
            tiny(num_iterations=1000),
            tokenizer=tiny_training.byte_tokenizer(),
            documents=iter(["a few words"] * 200),
        )


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--num-iterations", "0"], "num_iterations must be 1 or more"),
        (["--warmup-ratio", "0.8", "--warmdown-ratio", "0.3"], "must add up to 1 at most"),
        (["--grad-clip", "-1"], "grad_clip must be 0 or more"),
    ],
)
def test_senseless_flags_are_refused(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        base_train.main(flags)
    assert exit.value.code == 2
    assert complaint in capsys.readouterr().err
