"""Initialises models, new ones, used ones and one from the meta device, and looks at their weights."""

from bughunt.lab.measuring.models import randomise
from bughunt.lab.measuring.shapes import draw_ids, shape_of


def draw(rng):
    """A shape whose matrices are large enough to tell how they are spread, and a text."""
    shape = shape_of(8, 2, layers=2, head_dim=8, vocabulary=rng.randint(90, 110))
    return {"shape": shape, "ids": draw_ids(rng, shape, 1, 6), "seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Of every weight the spread and the mean as a share of the right spread, for three models.

    A fourth one was brought from the meta device: its answers once its weights are set.
    """
    import torch
    from nanochat.gpt import GPT, GPTConfig

    config, ids = GPTConfig(**inputs["shape"]), torch.tensor(inputs["ids"])
    torch.manual_seed(inputs["seed"])
    new = GPT(config)
    new.init_weights()
    first = new.transformer.wte.weight.detach().clone()
    found = {"a new model": spreads(new)}
    randomise(new, inputs["seed"])
    new.init_weights()
    found["a used model"] = spreads(new)
    found["drawn anew each time"] = not torch.equal(first, new.transformer.wte.weight)
    with torch.device("meta"):
        empty = GPT(config)
    found["numbers on the meta device"] = sum(not weight.is_meta for weight in empty.parameters())
    empty.to_empty(device="cpu")
    spoil(empty)
    torch.manual_seed(inputs["seed"])
    empty.init_weights()
    found["an emptied model"] = spreads(empty)
    found["the same for the same seed"] = torch.equal(first, empty.transformer.wte.weight)
    found["where it is"] = str(empty.get_device())
    found["what can learn"] = sorted(name for name, one in empty.named_parameters() if one.requires_grad)
    answers = GPT(GPTConfig(**{**inputs["shape"], "n_kv_head": 1, "n_embd": 16}))
    answers.to_empty(device="cpu")
    spoil(answers)
    answers.init_weights()
    found["a fresh model's answers"] = answers(ids)[..., :5].tolist()
    randomise(answers, inputs["seed"])
    found["answers of an emptied model"] = answers(ids).tolist()
    return found


def spoil(model):
    """Memory that holds nothing in particular may hold anything, and here does."""
    import torch

    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.fill_(7.0)


def spreads(model):
    """0 stays 0: the weights that start at nothing."""
    found = {}
    for name, weight in model.named_parameters():
        fan_out, fan_in = weight.shape
        right = 1.0 if "wte" in name else min(1.0, (fan_out / fan_in) ** 0.5) / fan_in**0.5
        found[name] = {
            "spread": weight.std().item() / right,
            "mean": weight.mean().item() / right,
            "zeros": bool((weight == 0).all()),
        }
    return found
