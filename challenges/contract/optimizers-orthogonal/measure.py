"""Makes matrices orthogonal, as Muon does with its momentum, in batches of all shapes."""

from bughunt.lab.measuring.matrices import generator_of, matrix_of
from bughunt.lab.measuring.tensor_sizes import largest_made


def draw(rng):
    """Shapes of batches, scales, and numbers of iterations; None: as many as by default."""
    short = rng.randint(3, 4)
    return {
        "wide": {"shape": [short, 2 * short], "scale": 1.0, "steps": None, "seed": rng.randrange(1 << 30)},
        "tall": {"shape": [3 * short, short], "scale": 1.0, "steps": None, "seed": rng.randrange(1 << 30)},
        "square": {"shape": [5, 5], "scale": 1.0, "steps": 2, "seed": rng.randrange(1 << 30)},
        "large": {"shape": [short, 6], "scale": 1000.0, "steps": 1, "seed": rng.randrange(1 << 30)},
        "small": {"shape": [6, short], "scale": 1e-3, "steps": 3, "seed": rng.randrange(1 << 30)},
        "not iterated": {"shape": [6, short], "scale": 4.0, "steps": 0, "seed": rng.randrange(1 << 30)},
    }


def measure(inputs):
    """For every case the matrices, their dtype, and whether those given are as they were.

    The first of each batch is zero, and the others differ in size.
    """
    import torch
    from nanochat.muon import orthogonalize

    found = {}
    for number, (place, case) in enumerate(inputs.items()):
        generator = generator_of(case["seed"])
        batch = torch.stack(
            [matrix_of(case["shape"], generator) * (size * case["scale"]) for size in (0, 1, 3)]
        )
        batch = batch.to((torch.float32, torch.float64)[number % 2])
        given = batch.clone()
        steps = {} if case["steps"] is None else {"steps": case["steps"]}
        result = orthogonalize(batch, **steps)
        found[place] = {
            "matrices": result.tolist(),
            "numbers": str(result.dtype),
            "given ones unchanged": torch.equal(batch, given),
        }
    found["far from square"] = {
        str(shape): much_memory(shape, inputs["wide"]["seed"]) for shape in ((1, 3, 64), (1, 64, 3))
    }
    found["tiny ones keep their signs"] = tiny(inputs["wide"])
    return found


def much_memory(shape, seed):
    """Is anything on the way much larger than what is given? The long side has no part in the iterations."""
    import torch
    from nanochat.muon import orthogonalize

    matrices = torch.randn(shape, generator=generator_of(seed))
    with largest_made() as largest:
        orthogonalize(matrices)
    return largest() > 4 * matrices.numel()


def tiny(case):
    """Of matrices that are hardly more than nothing, as gradients are that vanish."""
    import torch
    from nanochat.muon import orthogonalize

    matrix = matrix_of(case["shape"], generator_of(case["seed"]))
    matrix /= matrix.norm()
    tiny = torch.stack([matrix * size for size in (1e-9, 5e-8, 9e-8, 1e-7, 1e-6)])
    return [bool(product > 0) for product in (orthogonalize(tiny) * matrix).sum(dim=(-2, -1))]
