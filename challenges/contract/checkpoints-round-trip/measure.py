"""Saving and loading a checkpoint: tensors, optimizers, random numbers, meta, the files of its folder."""

from pathlib import Path


def draw(rng):
    """Numbers for tensors, a step, entries of the meta."""
    numbers = [[round(rng.uniform(-4, 4), 3) for _ in range(3)] for _ in range(4)]
    return {
        "numbers": numbers,
        "step": rng.randrange(1, 900),
        "meta": {"note": "naïve ✓", "loss": rng.random(), "nested": {"a": [1, None, True]}, "step": -1},
        "seed": rng.randrange(1000),
    }


def measure(inputs):
    """What is loaded, in several ways, after one, two and no saves of a step."""
    import tempfile

    return saved_and_loaded(Path(tempfile.mkdtemp()), inputs)


def saved_and_loaded(folder, inputs):
    """The same with a folder to use."""
    import torch
    from nanochat.checkpoint_manager import latest_step, load_checkpoint, save_checkpoint

    from bughunt.lab.measuring.flushing import flushes_noted
    from bughunt.lab.measuring.open_files import next_descriptor
    from bughunt.lab.measuring.replacing import replaced

    step, run = inputs["step"], folder / "runs" / "one"
    whole = torch.tensor(inputs["numbers"])
    model = {"a.weight": whole, "b": whole.to(torch.bfloat16), "c": whole.long(), "part": whole[1:3, :2].t()}
    optimizers = [
        {
            "state": {0: {"step": torch.tensor(3.0), "exp_avg": whole * 2}},
            "param_groups": [{"lr": 0.5, "params": [0]}],
        },
        {"state": {}, "param_groups": [{"lr": 0.25, "betas": (0.8, 0.95), "params": [0, 1]}]},
    ]
    random_state = torch.get_rng_state()
    torch.manual_seed(inputs["seed"])
    with flushes_noted() as flushed:
        descriptor = next_descriptor()
        save_checkpoint(run, step, model, optimizers, inputs["meta"])
        left_open = next_descriptor() != descriptor
        expected = torch.rand(3).tolist()
        first = load_checkpoint(run, step)
        torch.set_rng_state(first.rng_state)
        data = {
            "tensors": {name: described(tensor) for name, tensor in first.model_state.items()},
            "optimizers": plain(first.optimizer_states),
            "meta": first.meta,
            "step": first.step,
            "random numbers go on": torch.rand(3).tolist() == expected,
            "meta was left alone": inputs["meta"]["step"] == -1,
            "folders": sorted(path.name for path in run.iterdir()),
            "files": files(run, flushed),
            "files are left open": left_open,
        }
        # as a machine with a GPU saves it
        with replaced(torch.serialization, location_tag=lambda storage: "cuda:0"):
            save_checkpoint(folder / "gpu", step, model, optimizers, {})
        there = load_checkpoint(folder / "gpu", step)
        data["saved on a GPU"] = [plain(there.optimizer_states), str(there.rng_state.device)]
        # without training state, on another device, by step
        light = load_checkpoint(run, step, with_training_state=False)
        data["without training state"] = [
            described(light.model_state["a.weight"]) == data["tensors"]["a.weight"],
            light.optimizer_states,
            light.rng_state,
            light.meta == first.meta,
        ]
        away = load_checkpoint(run, step, "meta")
        data["on another device"] = [str(one.device) for one in away.model_state.values()] + [
            str(away.rng_state.device)
        ]
        by_device = load_checkpoint(run, step, device=torch.device("meta"), with_training_state=False)
        data["on another device, by name"] = str(by_device.model_state["b"].device)
        # the same step again; a step of many digits; other ranks
        save_checkpoint(run, step, {"a.weight": whole + 1}, [], {}, rank=0, keep=None)
        again = load_checkpoint(run, step)
        data["saved again"] = [
            {name: described(tensor) for name, tensor in again.model_state.items()},
            again.optimizer_states,
            again.meta,
            sorted(path.name for path in run.iterdir()),
        ]
        save_checkpoint(run, 1_234_567, {}, [], {"step": 3}, 0, None)
        save_checkpoint(run, 0, {}, [], {}, 0)
        data["further steps"] = [
            sorted(path.name for path in run.iterdir()),
            latest_step(run),
            load_checkpoint(run, 0).step,
        ]
        for rank in (1, 3):
            save_checkpoint(folder / "another", 2, model, optimizers, {}, rank=rank)
            save_checkpoint(run, 2_000_000, model, optimizers, {}, rank, keep=1)
        data["other ranks"] = [(folder / "another").exists(), latest_step(run), len(list(run.iterdir()))]
    torch.set_rng_state(random_state)
    return data


def described(tensor):
    """What a tensor holds, of which kind."""
    return [str(tensor.dtype), list(tensor.shape), tensor.tolist(), str(tensor.device)]


def plain(value):
    """Nested states with their tensors as lists; keys as they are, but as text."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(plain, value)]
    return described(value) if hasattr(value, "tolist") else value


def files(run, flushed):
    """The files of the newest checkpoint: which are on disk, what can be read there without torch."""
    import hashlib
    import json

    (folder,) = run.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return {
        "flushed": {path.name: path.stat().st_ino in flushed for path in sorted(folder.iterdir())},
        "the folder is flushed": run.stat().st_ino in flushed,
        "meta": meta,
        "as the manifest has it": {
            name: [
                entry["size"] == (folder / name).stat().st_size,
                entry["sha256"] == hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            ]
            for name, entry in sorted(manifest.items())
            if (folder / name).is_file()
        },
    }
