"""Which checkpoints there are after several saves with `keep`, and after all have been removed."""

from pathlib import Path


def draw(rng):
    """Steps in the order in which they are saved."""
    small = rng.sample(range(2, 60), 3)
    return {"rising": sorted(small), "any order": [small[0], 1_000_001, small[1], 999_998, small[2]]}


def measure(inputs):
    """The folders after each save, for several numbers to keep; what a removal leaves."""
    import tempfile

    from nanochat.checkpoint_manager import latest_step, remove_checkpoints, save_checkpoint

    from bughunt.lab.measuring.flushing import flushes_noted

    data = {}
    folder = tempfile.mkdtemp()
    with flushes_noted():
        for order, keeps in (("rising", (1, 2, None)), ("any order", (3,))):
            for keep in keeps:
                run = Path(folder) / f"{order} {keep}"
                data[f"{order}, keep {keep or 'all'}"] = [
                    after(save_checkpoint, run, step, keep) for step in inputs[order]
                ]
        # whole ones, a damaged one and other things
        (run / "step_000500").mkdir()
        (run / "metrics.jsonl").write_text("{}\n", encoding="utf-8")
        (run / ".tmp_000003").mkdir()
        (run / "step_notes").mkdir()
        (run / ".tmp_000003" / "model.pt").write_bytes(b"x")
        data["a damaged one and a leftover"] = after(save_checkpoint, run, 61, 2)
        remove_checkpoints(run)
        data["removed"] = [sorted(path.name for path in run.iterdir()), latest_step(run)]
        remove_checkpoints(Path(folder) / "nowhere")
        data["other runs"] = len(list((Path(folder) / "rising 2").iterdir()))
    return data


def after(save_checkpoint, run, step, keep):
    """The names in a run's folder after a step was saved."""
    save_checkpoint(run, step, {}, [], {}, keep=keep)
    return sorted(path.name for path in run.iterdir())
