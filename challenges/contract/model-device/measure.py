"""Uses a model to read and to train: does everything that it makes come to its own device?"""

from bughunt.lab.measuring.devices import trouble_elsewhere
from bughunt.lab.measuring.models import cache_for, make_model, randomise


def draw(rng):
    """A prompt, and a seed."""
    return {
        "prompt": [rng.randrange(200) for _ in range(4)],
        "seed": rng.randrange(2**31),
    }


def measure(inputs):
    """For every use what stands against it on another device; None where nothing does."""
    import torch

    prompt = inputs["prompt"]

    def prepare(device):
        model = make_model(sequence_len=4, vocab_size=200, n_head=2, n_kv_head=1, n_embd=8)
        randomise(model, inputs["seed"])
        return model.to(device), torch.tensor([prompt], device=device)

    def initialise(model, ids):
        model.init_weights()
        return model(ids)

    def beyond_its_length(model, ids):
        return model(ids.repeat(1, 3))

    def read_on(model, ids):
        cache = cache_for(model, 1, 2)
        model(ids, kv_cache=cache)
        model(ids[:, :2], kv_cache=cache)
        return model(ids[:, :1], kv_cache=cache)

    def train(model, ids):
        loss = model(ids, ids)
        loss.backward()
        return loss

    uses = {
        "initialised": initialise,
        "beyond its length": beyond_its_length,
        "in pieces": read_on,
        "trained": train,
    }
    return {
        name: trouble_elsewhere(prepare, lambda both, use=use: use(*both)) is not None
        for name, use in uses.items()
    }
