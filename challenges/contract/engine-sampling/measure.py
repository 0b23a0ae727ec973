"""Draws next tokens from known logits, many rows at a time: which ones come, and about how often."""

import math
import warnings

ROWS = 4000
VOCABULARY = 6

# (temperature, top_k)
KINDS = (
    (1.0, None),
    (0.5, None),
    (2.0, None),
    (1.0, 1),
    (1.0, 2),
    (1.5, 4),
    (0.6, 3),
    (1.0, 5),
    (1.0, 6),
    (0.7, 50),
)


def draw(rng):
    """Logits without ties and not in order: no token is rare, and none is much rarer than its neighbour."""
    logits = [0.45 * n + rng.uniform(-0.1, 0.1) for n in range(VOCABULARY)]
    rng.shuffle(logits)
    rows = [rng.sample(range(-40, 40), 9) for _ in range(4)]
    return {"logits": logits, "rows": rows, "seed": rng.randrange(2**31)}


def measure(inputs):
    """For each temperature and top-k the tokens that came, and whether each came as often as it should."""
    import torch
    from nanochat.sampling import sample_next_token

    logits = torch.tensor([inputs["logits"]]).expand(ROWS, -1)
    found = {}
    for number, (temperature, top_k) in enumerate(KINDS):
        generator = torch.Generator().manual_seed(inputs["seed"] + number)
        ids = sample_next_token(logits, generator, temperature, top_k)
        counts = torch.bincount(ids.flatten(), minlength=VOCABULARY).tolist()
        found[f"temperature {temperature}, top {top_k}"] = {
            "shape": list(ids.shape),
            "dtype": str(ids.dtype),
            "tokens": [token for token, count in enumerate(counts) if count],
            "as often as they should": as_often(counts, inputs["logits"], temperature, top_k),
        }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for options in (0.0, None), (1.0, None), (1.0, 3):
            sample_next_token(logits[:2], torch.Generator(), *options)
    return {
        "many": found,
        "rows": rows_of_their_own(inputs),
        "seeds": seeds(inputs),
        "refused": refusals(),
        "warns": bool(caught),
    }


def as_often(counts, logits, temperature, top_k):
    """Whether no count is further than six standard deviations from what a softmax makes of the logits."""
    kept = sorted(range(VOCABULARY), key=lambda token: -logits[token])[:top_k]
    weights = [math.exp(logits[token] / temperature) if token in kept else 0.0 for token in range(VOCABULARY)]
    chances = [weight / sum(weights) for weight in weights]
    return [
        abs(count - ROWS * chance) <= 6 * math.sqrt(ROWS * chance * (1 - chance))
        for count, chance in zip(counts, chances, strict=True)
    ]


def rows_of_their_own(inputs):
    """Rows that differ, with logits so far apart that there is no choice; nothing happens to the logits."""
    import torch
    from nanochat.sampling import sample_next_token

    logits = torch.tensor(inputs["rows"], dtype=torch.float32)
    before = logits.clone()
    generator = torch.Generator().manual_seed(inputs["seed"])
    options = {"greedy": (0.0, None), "greedy, top 3": (0.0, 3), "top 1": (1.0, 1), "cold": (0.01, None)}
    options |= {"cold, top 3": (0.01, 3), "greedy, top 1": (0.0, 1), "cold, top 100": (0.01, 100)}
    found = {name: sample_next_token(logits, generator, *two).tolist() for name, two in options.items()}
    return {**found, "logits are as they were": torch.equal(logits, before)}


def seeds(inputs):
    """Whether draws follow from the generator alone, with and without top-k, and what is the default."""
    import torch
    from nanochat.sampling import sample_next_token

    logits = torch.arange(10.0).expand(64, -1) / 4

    def drawn(seed, *options, world=0):
        torch.manual_seed(world)
        return sample_next_token(logits, torch.Generator().manual_seed(seed), *options).tolist()

    found = {}
    for name, options in {"all": (1.0, None), "top 7": (1.0, 7)}.items():
        first = drawn(inputs["seed"], *options)
        found[name] = {
            "same again": drawn(inputs["seed"], *options, world=1) == first,
            "another seed, the same": drawn(inputs["seed"] + 1, *options) == first,
            "every row the same": all(token == first[0] for token in first),
        }
    found["by default"] = drawn(inputs["seed"]) == drawn(inputs["seed"], 1.0, None)
    generator = torch.Generator().manual_seed(inputs["seed"])
    world = torch.get_rng_state()
    one, two = (sample_next_token(logits, generator).tolist() for _ in range(2))
    found["the next draw is the same"] = one == two
    found["the world's generator is used"] = not torch.equal(world, torch.get_rng_state())
    return found


def refusals():
    """Whether temperatures and numbers of tokens that make no sense are refused."""
    import torch
    from nanochat.sampling import sample_next_token

    from bughunt.lab.measuring.attempts import trouble

    logits, generator = torch.tensor([[0.0, 1.0]]), torch.Generator()
    pairs = ((-0.5, None), (-1e-9, 1), (1.0, 0), (1.0, -1), (0.0, 0), (0.0, -2), (0.0, 1), (1e-3, 1))
    return {f"{pair}": trouble(sample_next_token, logits, generator, *pair) is not None for pair in pairs}
