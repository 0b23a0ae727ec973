"""Gradients, losses and norms of pretraining steps, however the batch is split and clipped."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Two steps of the same rows in several splits, with and without clipping."""
    cases = {
        "whole, unclipped": {"device_batch_size": 4, "grad_clip": 0.0},
        "in two, clipped": {"device_batch_size": 2, "grad_clip": 0.05},
        "in four, hardly clipped": {"device_batch_size": 1, "grad_clip": 1000.0},
        "two stripes in two": {"device_batch_size": 1, "stripes": 2, "grad_clip": 0.0},
        "in two, by default": {"device_batch_size": 2},
    }
    return {name: _run(inputs["seed"], **settings) for name, settings in cases.items()}


def _run(seed, **settings):
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import (
        base_settings,
        pretrain,
        records_of,
        watched,
        weights_of,
    )

    with watched(RowSource(seed)) as watch:
        result = pretrain(seed, base_settings(num_iterations=2, **settings))
    return {
        "gradients": watch.gradients(),
        "reported": records_of(result, "loss", "grad_norm", "clipped"),
        "weights": weights_of(result.model),
        "losses": result.losses,
    }
