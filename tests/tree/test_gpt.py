"""The model against its formulas, written out again here in float64."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from nanochat.engine import KVCache
from nanochat.gpt import GPT, GPTConfig, apply_rotary_emb

SHAPES = [
    GPTConfig(sequence_len=32, vocab_size=61, n_layer=1, n_head=1, n_kv_head=1, n_embd=16),
    GPTConfig(sequence_len=32, vocab_size=61, n_layer=2, n_head=4, n_kv_head=4, n_embd=32),
    GPTConfig(sequence_len=32, vocab_size=61, n_layer=3, n_head=6, n_kv_head=2, n_embd=48),
    GPTConfig(sequence_len=32, vocab_size=61, n_layer=2, n_head=4, n_kv_head=1, n_embd=64),
]


def random_model(config: GPTConfig, seed: int = 0) -> GPT:
    """A model in which every weight matters: a fresh one is all zeros from the first projection on."""
    torch.manual_seed(seed)
    model = GPT(config)
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=1.5 / math.sqrt(parameter.size(-1)))
    return model


def random_ids(config: GPTConfig, *shape: int) -> torch.Tensor:
    return torch.randint(config.vocab_size, shape)


def reference_logits(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """The model's definition, position by position and head by head, in float64."""
    config = model.config
    weights = {name: tensor.double() for name, tensor in model.state_dict().items()}
    D = config.n_embd // config.n_head

    def rms(x: torch.Tensor) -> torch.Tensor:
        return x / (x.square().mean(-1, keepdim=True) + torch.finfo(torch.float32).eps).sqrt()

    def rotate(x: torch.Tensor) -> torch.Tensor:  # (T, D), turned clockwise as complex numbers
        angles = torch.tensor([[t * 10000 ** (-2 * i / D) for i in range(D // 2)] for t in range(len(x))])
        turned = torch.complex(x[:, : D // 2], x[:, D // 2 :]) * torch.exp(-1j * angles.double())
        return torch.cat((turned.real, turned.imag), dim=-1)

    rows = []
    for row in ids:
        x = rms(weights["transformer.wte.weight"][row.long()])
        for layer in range(config.n_layer):
            w = {
                name: weights[f"transformer.h.{layer}.{name}.weight"]
                for name in ("attn.c_q", "attn.c_k", "attn.c_v", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
            }
            y = rms(x)
            heads = []
            for head in range(config.n_head):
                kv_head = head // (config.n_head // config.n_kv_head)
                own, shared = slice(head * D, (head + 1) * D), slice(kv_head * D, (kv_head + 1) * D)
                q = rms(rotate(y @ w["attn.c_q"][own].T))
                k = rms(rotate(y @ w["attn.c_k"][shared].T))
                v = y @ w["attn.c_v"][shared].T
                scores = (q @ k.T / math.sqrt(D)).masked_fill(
                    torch.ones(len(row), len(row), dtype=torch.bool).triu(1), -math.inf
                )
                heads.append(scores.softmax(-1) @ v)
            x = x + torch.cat(heads, dim=-1) @ w["attn.c_proj"].T
            x = x + (rms(x) @ w["mlp.c_fc"].T).clamp(min=0).square() @ w["mlp.c_proj"].T
        rows.append(15 * torch.tanh(rms(x) @ weights["lm_head.weight"].T / 15))
    return torch.stack(rows)


@pytest.mark.parametrize("config", SHAPES, ids=lambda c: f"L{c.n_layer}H{c.n_head}KV{c.n_kv_head}")
def test_logits_are_those_of_the_definition(config: GPTConfig) -> None:
    model = random_model(config)
    ids = random_ids(config, 2, 24)
    logits = model(ids)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits.double(), reference_logits(model, ids), atol=2e-4, rtol=0)


def test_ids_may_be_int32_or_int64() -> None:
    model = random_model(SHAPES[1])
    ids = random_ids(model.config, 2, 9)
    assert torch.equal(model(ids.int()), model(ids))
    assert torch.equal(model(ids.int(), ids), model(ids, ids))


def test_a_position_depends_on_no_later_one() -> None:
    model = random_model(SHAPES[2])
    ids = random_ids(model.config, 1, 20)
    changed = ids.clone()
    changed[0, 12] = (changed[0, 12] + 1) % model.config.vocab_size
    before, after = model(ids), model(changed)
    torch.testing.assert_close(before[:, :12], after[:, :12])
    assert (before[:, 12:] - after[:, 12:]).abs().amax(dim=-1).min() > 1e-3


def test_rotary_frequencies_span_their_whole_range() -> None:
    model = GPT(GPTConfig(n_head=1, n_kv_head=1, n_embd=128))
    cos, sin = model._precompute_rotary_embeddings(5, 128)
    assert cos.shape == sin.shape == (1, 5, 1, 64)
    angles = torch.atan2(sin, cos)[0, 1, 0]
    assert angles[0].item() == pytest.approx(1.0)
    assert angles[-1].item() == pytest.approx(10000 ** (-126 / 128), rel=1e-4)
    assert torch.allclose(angles[1:] / angles[:-1], torch.tensor(10000 ** (-1 / 64)), rtol=1e-4)


def test_attention_depends_on_distance_alone() -> None:
    """Rotated queries and keys have the same products wherever a pair of them stands."""
    model = random_model(SHAPES[1])
    D = 8
    cos, sin = model._precompute_rotary_embeddings(40, D)
    q, k = torch.randn(2, 1, 1, 1, D).expand(2, 1, 40, 1, D)
    scores = apply_rotary_emb(q, cos, sin)[0, :, 0] @ apply_rotary_emb(k, cos, sin)[0, :, 0].T
    for distance in (0, 3, 17):
        diagonal = scores.diagonal(-distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=0)


def test_a_sequence_may_outlive_sequence_len_and_training_goes_on() -> None:
    model = random_model(SHAPES[1])
    ids = random_ids(model.config, 1, 100)  # sequence_len is 32
    with torch.inference_mode():
        long = model(ids)
    torch.testing.assert_close(long.double(), reference_logits(model, ids), atol=2e-4, rtol=0)
    model(ids, ids).backward()
    assert "cos" not in model.state_dict()


def test_shapes_that_do_not_fit_are_refused() -> None:
    for wrong in ({"n_embd": 100, "n_head": 3}, {"n_embd": 12, "n_head": 4}, {"n_head": 4, "n_kv_head": 3}):
        with pytest.raises(ValueError, match=r"n_(embd|kv_head)"):
            GPTConfig(**wrong)


def test_names_in_the_state_dict() -> None:
    block = ["attn.c_q", "attn.c_k", "attn.c_v", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]
    expected = {"transformer.wte.weight", "lm_head.weight"}
    expected |= {f"transformer.h.{layer}.{name}.weight" for layer in range(3) for name in block}
    assert set(GPT(SHAPES[2]).state_dict()) == expected


def test_fresh_weights() -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=512, n_layer=2, n_embd=256))
    model.init_weights()
    assert not model.lm_head.weight.any()
    assert model.transformer.wte.weight.std().item() == pytest.approx(1.0, rel=0.02)
    for block in model.transformer.h:
        assert not block.attn.c_proj.weight.any() and not block.mlp.c_proj.weight.any()
        for linear in (block.attn.c_q, block.attn.c_k, block.attn.c_v, block.mlp.c_fc):
            assert linear.weight.std().item() == pytest.approx(1 / 16, rel=0.03)
    wide = GPT(GPTConfig(vocab_size=512, n_layer=1, n_head=8, n_kv_head=2, n_embd=256))
    wide.init_weights()
    assert wide.transformer.h[0].attn.c_k.weight.std().item() == pytest.approx(0.5 / 16, rel=0.03)


def test_a_model_built_on_the_meta_device_is_the_same() -> None:
    config = SHAPES[2]
    with torch.device("meta"):
        model = GPT(config)
    assert model.num_parameters == GPT(config).num_parameters
    model.to_empty(device="cpu")
    model.init_weights()
    source = random_model(config)
    model.load_state_dict(source.state_dict())
    ids = random_ids(config, 1, 10)
    assert torch.equal(model(ids), source(ids))


@pytest.mark.parametrize("chunk", [1000, 16, 7])
def test_loss_and_gradients_do_not_depend_on_the_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nanochat.cross_entropy.CHUNK", chunk)
    model = random_model(SHAPES[2])
    ids, targets = random_ids(model.config, 2, 4, 15)
    targets[torch.rand(targets.shape) < 0.3] = -1
    weights = torch.rand(targets.numel())  # of the positions, for the loss without reduction

    plain = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="none")
    counted = (targets != -1).sum()
    for reduction, expected in (
        ("none", (plain * weights).sum()),
        ("sum", plain.sum()),
        ("mean", plain.sum() / counted),
    ):
        loss = model(ids, targets, loss_reduction=reduction)
        if reduction == "none":
            assert loss.shape == (60,) and not loss[targets.flatten() == -1].any()
            loss = (loss * weights).sum()
        torch.testing.assert_close(loss, expected)
        found = torch.autograd.grad(loss, list(model.parameters()))
        right = torch.autograd.grad(expected, list(model.parameters()), retain_graph=True)
        for gradient, right_gradient in zip(found, right, strict=True):
            torch.testing.assert_close(gradient, right_gradient, atol=1e-5, rtol=1e-4)
        with torch.no_grad():
            again = model(ids, targets, loss_reduction=reduction)
        if reduction != "none":
            torch.testing.assert_close(again, expected)


def test_gradients_equal_across_every_way_of_splitting_a_batch() -> None:
    model = random_model(SHAPES[1])
    ids, targets = random_ids(model.config, 2, 6, 20)

    def gradients(micro_batches: int) -> list[torch.Tensor]:
        model.zero_grad()
        for x, y in zip(ids.chunk(micro_batches), targets.chunk(micro_batches), strict=True):
            (model(x, y) / micro_batches).backward()
        return [parameter.grad.clone() for parameter in model.parameters()]

    whole = gradients(1)
    for micro_batches in (2, 3, 6):
        for gradient, right in zip(gradients(micro_batches), whole, strict=True):
            torch.testing.assert_close(gradient, right, atol=1e-6, rtol=1e-4)


def test_an_unknown_reduction_is_refused() -> None:
    model = random_model(SHAPES[0])
    ids = random_ids(model.config, 1, 4)
    with pytest.raises(ValueError, match="median"):
        model(ids, ids, loss_reduction="median")


def test_flops_are_those_of_the_matrix_products() -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    config = GPTConfig(sequence_len=32, vocab_size=61, n_layer=3, n_head=4, n_kv_head=4, n_embd=48)
    model = random_model(config)
    ids = random_ids(config, 2, 32)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(ids, ids).backward()
    assert counter.get_total_flops() == pytest.approx(model.estimate_flops() * ids.numel(), rel=1e-6)


@pytest.mark.parametrize("config", SHAPES[:3], ids=lambda c: f"L{c.n_layer}H{c.n_head}KV{c.n_kv_head}")
def test_optimizer_groups_cover_each_parameter_once_at_its_rate(config: GPTConfig) -> None:
    model = random_model(config)
    adamw, muon = model.setup_optimizers(
        unembedding_lr=0.003, embedding_lr=0.1, matrix_lr=0.01, weight_decay=0.0
    )
    groups = [group for optimizer in (adamw, muon) for group in optimizer.param_groups]
    held = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in model.parameters())

    names = {id(parameter): name for name, parameter in model.named_parameters()}
    scale = (config.n_embd / 768) ** -0.5
    rates = {
        names[id(p)]: (type(optimizer).__name__, group["lr"])
        for optimizer in (adamw, muon)
        for group in optimizer.param_groups
        for p in group["params"]
    }
    for name, (optimizer, rate) in rates.items():
        if name == "lm_head.weight":
            assert (optimizer, rate) == ("AdamW", pytest.approx(0.003 * scale))
        elif name == "transformer.wte.weight":
            assert (optimizer, rate) == ("AdamW", pytest.approx(0.1 * scale))
        else:
            assert (optimizer, rate) == ("Muon", 0.01)
    assert all(group["initial_lr"] == group["lr"] for group in groups)
    assert all(group["betas"] == (0.8, 0.95) and group["eps"] == 1e-10 for group in adamw.param_groups)


def test_the_model_learns_a_sequence_by_heart() -> None:
    torch.manual_seed(1)
    model = GPT(SHAPES[1])
    model.init_weights()
    optimizers = model.setup_optimizers()
    tokens = random_ids(model.config, 2, 21)
    losses = []
    for _ in range(40):
        loss = model(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(61), rel=1e-3)
    assert losses[-1] < 0.1


def test_generation_repeats_with_a_seed_and_follows_the_logits() -> None:
    model = random_model(SHAPES[1])
    prompt = [3, 1, 4]
    sampled = list(model.generate(prompt, 12, temperature=1.0, top_k=20, seed=5))
    assert sampled == list(model.generate(prompt, 12, temperature=1.0, top_k=20, seed=5))
    assert sampled != list(model.generate(prompt, 12, temperature=1.0, top_k=20, seed=6))
    greedy = list(model.generate(prompt, 12, temperature=0.0))
    assert greedy == list(model.generate(prompt, 12, temperature=1.0, top_k=1, seed=9))
    logits = model(torch.tensor([prompt + greedy]))
    assert logits[0, 2:-1].argmax(-1).tolist() == greedy


@pytest.mark.parametrize("config", SHAPES, ids=lambda c: f"L{c.n_layer}H{c.n_head}KV{c.n_kv_head}")
@pytest.mark.parametrize("grad", [False, True], ids=["no_grad", "grad"])
def test_cached_logits_equal_uncached_for_any_split_into_chunks(config: GPTConfig, grad: bool) -> None:
    model = random_model(config)
    T = 29
    ids = random_ids(config, 3, T)
    splits = [[T], [1] * T, [T - 1, 1], [1, T - 1], [7, 1, 1, 12, 8]]
    for _ in range(5):
        cuts = sorted(torch.randperm(T - 1)[: torch.randint(1, 10, ()).item()].add(1).tolist())
        splits.append([b - a for a, b in zip([0, *cuts], [*cuts, T], strict=True)])
    with torch.set_grad_enabled(grad):
        uncached = model(ids)
        for split in splits:
            for seq_len in (4, T):  # one that has to grow, one of the right length
                cache = KVCache(3, config.n_kv_head, seq_len, config.n_embd // config.n_head, config.n_layer)
                cached = [model(chunk, kv_cache=cache) for chunk in ids.split(split, dim=1)]
                assert cache.get_pos() == T
                torch.testing.assert_close(
                    torch.cat(cached, dim=1), uncached, atol=1e-4, rtol=0, msg=lambda m, s=split: f"{s}: {m}"
                )
