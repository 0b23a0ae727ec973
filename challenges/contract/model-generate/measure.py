"""Lets a model continue texts by itself, without a cache.

Its queries are zero, so that every token hears the mean of all before it, wherever they stand.
"""

from bughunt.lab.measuring.shapes import draw_ids, model_of, shape_of


def draw(rng):
    """A model, two prompts, and how many tokens are wanted."""
    shape = shape_of(2, 2, limit=3, vocabulary=23)
    return {
        "shape": shape,
        "prompts": [draw_ids(rng, shape, 1, length)[0] for length in (1, 9)],
        "tokens": rng.randint(7, 9),
        "seed": rng.randrange(1 << 30),
    }


def measure(inputs):
    """The likeliest tokens, and which ways of drawing come to the same; drawn tokens are not compared."""
    import torch

    model = model_of(inputs["shape"], inputs["seed"])
    with torch.no_grad():
        model.transformer.h[0].attn.c_q.weight.zero_()
    graphs = []
    model.transformer.wte.register_forward_hook(lambda *args: graphs.append(args[-1].requires_grad))
    n = inputs["tokens"]

    def tokens(prompt, many=n, **options):
        return list(model.generate(list(prompt), many, **options))

    found = {"likeliest": [tokens(prompt, temperature=0.0) for prompt in inputs["prompts"]]}
    prompt = inputs["prompts"][1]
    drawn = tokens(prompt, 16)
    found["same tokens"] = {
        "by default": drawn == tokens(prompt, 16, temperature=1.0, top_k=None, seed=42),
        "of all": drawn == tokens(prompt, 16, top_k=inputs["shape"]["vocab_size"]),
        "cold": found["likeliest"][1] == tokens(prompt, temperature=1e-4),
        "of the likeliest one": found["likeliest"][1] == tokens(prompt, temperature=2.0, top_k=1),
        "for another seed": drawn == tokens(prompt, 16, seed=7),
        "hot": drawn == tokens(prompt, 16, temperature=5.0),
        "hot, over and over": len(set(tokens(prompt, 16, temperature=50.0))) < 4,
    }
    of_two = tokens(prompt, temperature=9.0, top_k=2)
    found["wanted none"] = tokens(prompt, 0)
    found["kinds"] = sorted({type(token).__name__ for token in drawn})
    found["keeps what gradients need"] = any(graphs)
    found["hot, but of the two likeliest"] = two_likeliest(model, prompt, of_two)
    return found


def two_likeliest(model, prompt, tokens):
    """Is every token one of the two that the model finds likeliest after all before it?"""
    import torch

    ids = torch.tensor([prompt + tokens])
    likeliest = model(ids)[0].topk(2, dim=-1).indices.tolist()
    return all(token in likeliest[len(prompt) - 1 + n] for n, token in enumerate(tokens))
