"""Gradients, losses and norms of pretraining steps, however the batch is split and clipped."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Two steps of the same rows in several splits, with and without clipping, and of a process of two."""
    cases = {
        "whole, unclipped": {"device_batch_size": 4, "grad_clip": 0.0},
        "in two, clipped": {"device_batch_size": 2, "grad_clip": 0.05},
        "in four, hardly clipped": {"device_batch_size": 1, "grad_clip": 1000.0},
        "two stripes in two": {"device_batch_size": 1, "stripes": 2, "grad_clip": 0.0},
        "in two, by default": {"device_batch_size": 2},
    }
    found = {name: _run(inputs["seed"], None, settings) for name, settings in cases.items()}
    settings = {"device_batch_size": 4, "total_batch_size": 32, "grad_clip": 0.25}
    return {**found, "second of two, clipped": _run(inputs["seed"], (2, 1), settings)}


def _run(seed, process, settings):
    from contextlib import nullcontext

    from bughunt.lab.measuring.peers import one_of
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import (
        base_settings,
        pretrain,
        records_of,
        watched,
        weights_of,
    )

    with nullcontext() if process is None else one_of(*process), watched(RowSource(seed)) as watch:
        result = pretrain(seed, base_settings(num_iterations=2, **settings))
    return {
        "gradients": watch.gradients(),
        "reported": records_of(result, "loss", "grad_norm", "clipped"),
        "weights": weights_of(result.model),
        "losses": result.losses,
    }
