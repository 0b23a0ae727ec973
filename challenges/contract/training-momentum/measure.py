"""Muon's momentum: as a function of the step, in a run, and in one that is resumed where it is rising."""


def draw(rng):
    """Steps to look at, and one at which a run is resumed."""
    steps = [0, 1, 2, 75, 298, 299, 300, 301, 10_000, *(rng.randint(3, 297) for _ in range(3))]
    return {"steps": steps, "resumed at": rng.randint(20, 280), "seed": rng.randrange(1 << 30)}


def measure(inputs):
    """The function at the steps; Muon's momentum in a run, in runs resumed, and what another optimizer has
    after `set_schedule` with and without a momentum."""
    from nanochat.training import set_schedule
    from scripts.base_train import get_muon_momentum

    def groups():
        rising = {"lr": 9.0, "initial_lr": 0.5, "momentum": 0.95}
        return [type("Optimizer", (), {"param_groups": [{"lr": 9.0, "initial_lr": 2.0}, rising]})()]

    scheduled = {"both": groups(), "without a momentum": groups(), "a momentum of none": groups()}
    set_schedule(scheduled["both"], 0.25, 0.5)
    set_schedule(scheduled["without a momentum"], 0.5)
    set_schedule(scheduled["a momentum of none"], 0.5, 0.0)
    return {
        "function": [get_muon_momentum(step) for step in inputs["steps"]],
        "runs": _runs(inputs["seed"], [inputs["resumed at"], 298]),
        "groups": {name: optimizers[0].param_groups for name, optimizers in scheduled.items()},
    }


def _runs(seed, later):
    """Momenta of three steps from 0, and of three from each of the later ones, at which a checkpoint is
    laid as if the run had come so far."""
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.checkpoint_manager import load_checkpoint, save_checkpoint

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    run_dir = Path(mkdtemp())
    found = {}
    for start in (0, *later):
        settings = base_settings(
            num_iterations=start + 3, save_every=0 if start else 1, total_batch_size=8, keep=9
        )
        with watched(RowSource(seed)) as watch:
            if start:
                saved = load_checkpoint(run_dir, 1)
                changed = {**saved.meta["settings"], "num_iterations": start + 3}
                meta = {**saved.meta, "settings": changed}
                save_checkpoint(run_dir, start, saved.model_state, saved.optimizer_states, meta)
            pretrain(seed, settings, run_dir=run_dir, start_step=start)
        found[f"from step {start}"] = watch.schedule("momentum")
    return found
