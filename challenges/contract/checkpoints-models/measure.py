"""Models from checkpoints: the newest or a given step, by `load_model` and `load_engine`; new models."""

from pathlib import Path

SHAPES = (
    {"sequence_len": 6, "vocab_size": 265, "n_layer": 1, "n_head": 2, "n_kv_head": 1, "n_embd": 16},
    {"sequence_len": 9, "vocab_size": 265, "n_layer": 1, "n_head": 2, "n_kv_head": 2, "n_embd": 8},
    {"sequence_len": 7, "vocab_size": 30, "n_layer": 1, "n_head": 1, "n_kv_head": 1, "n_embd": 8},
)


def draw(rng):
    """Seeds of the weights; steps, of which the second is the newest."""
    first, second = sorted(rng.sample(range(1, 99), 2))
    return {"seed": rng.randrange(1000), "steps": [first, second]}


def measure(inputs):
    """Loaded models beside those that were saved, and new ones."""
    from nanochat.checkpoint_manager import build_model

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.flushing import flushes_noted

    with base_folder() as folder, flushes_noted():
        data = {"loaded": loaded(folder / "run", inputs)}
        data["engines"] = engines(folder, inputs)
        data["new"] = [new_model(build_model, shape, inputs["seed"]) for shape in SHAPES[:1]]
    return data


def save(run, step, shape, seed):
    """Save a model with random weights, in training, and return it."""
    from nanochat.checkpoint_manager import build_meta, save_checkpoint
    from nanochat.gpt import GPT, GPTConfig

    from bughunt.lab.measuring.models import randomise

    model = GPT(GPTConfig(**shape))
    model.init_weights()
    randomise(model, seed)
    model.train()
    training = [{"state": Path()}]  # is refused when it is read, and no model needs it
    save_checkpoint(run, step, model.state_dict(), training, build_meta(model, note=f"step {step}"))
    return model


def loaded(run, inputs):
    """What `load_model` makes of two steps of different shapes."""
    from nanochat.checkpoint_manager import load_model

    steps = inputs["steps"]
    saved = [save(run, step, SHAPES[number], inputs["seed"] + number) for number, step in enumerate(steps)]
    data = {
        "by default": compared(load_model(run), saved),
        "the first": compared(load_model(run, step=steps[0]), saved),
        "the second": compared(load_model(run, "cpu", steps[1]), saved),
        "elsewhere": str(load_model(run, "meta")[0].get_device()),
        "nothing there": [raises(load_model, run.parent / "nowhere"), raises(load_model, run, "cpu", 100)],
    }
    (run / f"step_{steps[1]:06d}" / "model.pt").unlink()
    data["the newest is damaged"] = compared(load_model(run), saved)
    return data


def compared(found, saved):
    """Which saved model the found one is, whether it computes the same, and what is written of it."""
    import torch

    model, meta = found
    weights = model.state_dict()
    same = []
    for one in saved:
        own = one.state_dict()
        alike = weights.keys() == own.keys() and all(weights[name].equal(own[name]) for name in own)
        ids = torch.arange(5)[None]
        with torch.no_grad():
            same.append([alike, alike and bool(torch.allclose(model(ids), one(ids), atol=1e-5))])
    settings = {name: getattr(model.config, name) for name in SHAPES[0]}
    return {
        "is the saved one": same,
        "in training": model.training,
        "config": settings,
        "meta": {name: meta.get(name) for name in ("model_config", "note", "step")},
    }


def raises(load_model, *arguments):
    """Is there no such model?"""
    from nanochat.checkpoint_manager import CheckpointError
    from nanochat.common import UserError

    try:
        load_model(*arguments)
    except CheckpointError as error:
        return isinstance(error, UserError)
    return "loaded"


def engines(folder, inputs):
    """`load_engine` with the saved tokenizer: of a model that fits it, of another, of none."""
    from nanochat.chat import load_engine
    from nanochat.common import UserError
    from nanochat.tokenizer import RustBPETokenizer

    tokenizer = RustBPETokenizer({bytes([byte]): byte for byte in range(256)})
    own = save(folder / "fits", 3, SHAPES[1], inputs["seed"])
    save(folder / "other", 5, SHAPES[2], inputs["seed"])
    data = {}
    for name in ("no tokenizer yet", "fits", "other", "nowhere"):
        try:
            engine, meta = load_engine(folder / ("fits" if " " in name else name))
        except UserError:
            data[name] = "refused"
        else:
            data[name] = [
                meta["step"],
                engine.tokenizer.get_vocab_size(),
                compared((engine.model, meta), [own]),
            ]
        tokenizer.save(folder / "tokenizer")
    return data


def new_model(build_model, shape, seed):
    """What `build_model` makes of a config, given in two ways: initialised, on its device."""
    import torch
    from nanochat.gpt import GPTConfig

    torch.manual_seed(seed)
    models = [build_model(shape), build_model(GPTConfig(**shape)), build_model(GPTConfig(**shape), "meta")]
    data = []
    for model in models:
        inner = model.transformer.h[0].attn.c_q.weight
        data.append(
            {
                "config": {name: getattr(model.config, name) for name in shape},
                "device": str(model.get_device()),
                "head is zero": None if inner.is_meta else not model.lm_head.weight.any(),
                "others are drawn": None if inner.is_meta else inner.unique().numel() > 10,
                "trains": model.training,
            }
        )
    same = not models[0].transformer.wte.weight.equal(models[1].transformer.wte.weight)
    return [data, "drawn anew" if same else "the same"]
