"""Clipping and averaging as functions, in a process that is alone."""


def draw(rng):
    """Gradients of several shapes; the second parameter has none."""
    return {"gradients": [[round(rng.gauss(0, 1), 4) for _ in range(size)] for size in (6, 4, 1)]}


def measure(inputs):
    """Norms returned and gradients left; an average that is of one process alone."""
    import torch
    from nanochat.training import average_over_ranks, clip_gradients

    def parameters():
        shapes = ((2, 3), (2, 2), ())
        for numbers, shape in zip(inputs["gradients"], shapes, strict=True):
            parameter = torch.nn.Parameter(torch.zeros(shape))
            parameter.grad = None if shape == (2, 2) else torch.tensor(numbers).view(shape)
            yield parameter

    def kept(parameters):
        return [None if one.grad is None else one.grad.tolist() for one in parameters]

    found = {}
    for max_norm in (0.0, 0.125, 1, 100.0):
        given = list(parameters())
        norm = clip_gradients(iter(given), max_norm)
        found[f"to {max_norm}"] = {
            "norm": norm,
            "is a number": type(norm).__name__,
            "gradients": kept(given),
        }
    several = [torch.tensor(numbers) for numbers in inputs["gradients"]] + [torch.tensor(2.0)]
    average_over_ranks(several)
    return {**found, "average": [tensor.tolist() for tensor in several]}
