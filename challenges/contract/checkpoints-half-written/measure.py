"""Checkpoints that lack something or were changed are passed over; a kill leaves what there was before."""

import shutil
from pathlib import Path

FILES = ("model.pt", "training.pt", "meta.json", "manifest.json")


def draw(rng):
    """Numbers to save, steps in order, and where in a file it is damaged."""
    return {
        "numbers": [round(rng.uniform(-1, 1), 3) for _ in range(4)],
        "steps": sorted(rng.sample(range(1, 90), 2)),
        "place": rng.uniform(0.2, 0.8),
    }


def measure(inputs):
    """Which step counts as the newest, and which can be loaded, after each kind of damage."""
    import tempfile

    from bughunt.lab.measuring.flushing import flushes_noted
    from bughunt.lab.measuring.replacing import environment

    folder = tempfile.mkdtemp()
    with flushes_noted():
        whole = Path(folder) / "whole"
        for step in inputs["steps"]:
            save(whole, step, inputs)
        data = {"whole": found(whole, inputs["steps"]), "damaged": {}}
        for number, name in enumerate(FILES):
            hows = ("missing", "with another bit", *(("cut", "longer"), ("a folder", "cut"))[number % 2])
            for how in hows:
                path = whole / folder_of(inputs["steps"][-1]) / name
                content = path.read_bytes()
                DAMAGES[how](path, inputs["place"])
                data["damaged"][f"{name} {how}"] = found(whole, inputs["steps"][-1:])
                if path.is_dir():
                    path.rmdir()
                path.write_bytes(content)
        data["entries"] = listed(whole, inputs)
        data["other things in the folder"] = others(copied(whole, folder), inputs)
        data["all are damaged"] = all_damaged(copied(whole, folder), inputs)
        with environment(TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD="1"):  # torch is not careful by itself
            data["code in a checkpoint"] = [
                trapped(copied(whole, folder), name, inputs) for name in FILES[:2]
            ]
        data["killed while saving"] = killed(whole, inputs)
        data["in the end"] = nothing_saved(Path(folder))
    return data


def save(run, step, inputs):
    """Save a step whose numbers tell it."""
    import torch
    from nanochat.checkpoint_manager import save_checkpoint

    numbers = torch.tensor(inputs["numbers"]) + step
    save_checkpoint(run, step, {"w": numbers}, [{"state": {}, "param_groups": []}], {"note": step})


def folder_of(step):
    """The name of a step's folder."""
    return f"step_{step:06d}"


def copied(whole, folder):
    """A run to damage."""
    run = Path(folder) / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(whole, run)
    return run


def cut(path, place):
    """Leave only the beginning of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * place)])


def lengthen(path, place):
    """Append to a file what was not in it."""
    path.write_bytes(path.read_bytes() + b"}")


def flip(path, place):
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def remove(path, place):
    """Remove a file."""
    path.unlink()


def turn_into_folder(path, place):
    """Have a folder in its place."""
    path.unlink()
    path.mkdir()


DAMAGES = {
    "cut": cut,
    "longer": lengthen,
    "with another bit": flip,
    "missing": remove,
    "a folder": turn_into_folder,
}


def found(run, steps):
    """The newest whole step, and which steps load, with what."""
    from nanochat.checkpoint_manager import CheckpointError, latest_step, load_checkpoint
    from nanochat.common import UserError

    data = [latest_step(run)]
    for step in steps:
        try:
            data.append([step, load_checkpoint(run, step).meta["note"]])
        except CheckpointError as error:
            data.append(["refused", isinstance(error, UserError)])
    return data


def listed(whole, inputs):
    """Manifests that can be read, but are not those of the files."""
    import json

    data = []
    path = whole / folder_of(inputs["steps"][-1]) / "manifest.json"
    text = path.read_text(encoding="utf-8")
    manifest = json.loads(text)
    entry = manifest["training.pt"]
    changes = [
        {name: one for name, one in manifest.items() if name != "training.pt"},
        {**manifest, "training.pt": {**entry, "size": entry["size"] + 1}},
        {**manifest, "training.pt": {**entry, "sha256": "0" * 64}},
        {**manifest, "training.pt": {"size": entry["size"]}},
        {**manifest, "training.pt": None},
        [],
        "x",
        None,
    ]
    for change in changes:
        path.write_text(json.dumps(change), encoding="utf-8")
        data.append(found(whole, inputs["steps"][-1:]))
    path.write_text(text, encoding="utf-8")
    return data


def others(run, inputs):
    """Folders that are no checkpoints by their names, files that are no folders, and one of seven digits."""
    newest = folder_of(inputs["steps"][-1])
    for name in (".tmp_000095", "step_000096x", "xstep_000097", "step_", "step_-00001", "steps"):
        shutil.copytree(run / newest, run / name)
    (run / "metrics.jsonl").write_text("{}\n", encoding="utf-8")
    (run / "step_000099").write_text("not a folder", encoding="utf-8")
    data = [found(run, [*inputs["steps"], 99])]
    shutil.copytree(run / newest, run / "step_1000000")
    shutil.copytree(run / newest, run / "step_999999")
    data.append(found(run, [999_999, 1_000_000]))
    return data


def all_damaged(run, inputs):
    """No checkpoint of the run is whole."""
    for number, step in enumerate(inputs["steps"]):
        remove(run / folder_of(step) / FILES[number], 0)
    return found(run, inputs["steps"])


def trapped(run, name, inputs):
    """Is a file refused that would run code when it is read, though the manifest has it; and is none run?"""
    import hashlib
    import json
    import pickle

    import torch
    from nanochat.checkpoint_manager import load_checkpoint

    folder, sprung = run / folder_of(inputs["steps"][-1]), run / "sprung"

    class Trap:
        def __reduce__(self):
            return Path.touch, (sprung,)

    torch.save({"optimizers": [Trap()], "rng": None}, folder / name)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    content = (folder / name).read_bytes()
    manifest[name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    try:
        load_checkpoint(run, inputs["steps"][-1])
    except (pickle.UnpicklingError, RuntimeError, ValueError):
        return ["refused", sprung.exists()]
    return ["loaded", sprung.exists()]


def killed(run, inputs):
    """After kills at many moments, of a new step and of one that is there: is the newest a whole one?"""
    from bughunt.lab.measuring.flushing import Killed, killed_at

    steps, new = inputs["steps"], inputs["steps"][-1] + 1
    fine = []
    for moment in (0, 2, 3, 5, 8, 11, 12, 1000, 4, 10, 11, 12):
        try:
            with killed_at(moment):
                save(run, new, inputs)
        except Killed:
            pass
        newest, loaded = found(run, steps[:1])
        fine.append(newest in (*steps, new) and found(run, [newest])[1] == [newest, newest])
        fine.append(loaded == [steps[0], steps[0]])
    save(run, new, inputs)
    return [all(fine), found(run, [*steps, new]), sorted(path.name for path in run.iterdir())]


def nothing_saved(folder):
    """Runs without any checkpoint."""
    (folder / "empty").mkdir()
    return [found(folder / name, [1]) for name in ("nowhere", "empty")]
