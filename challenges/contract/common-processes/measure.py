"""What a process learns of itself from its environment, how it gets its device, and how a script ends."""

ENVIRONMENTS = (
    {},
    {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"},
    {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8"},
    {"RANK": "3", "LOCAL_RANK": "0", "WORLD_SIZE": "3"},
    {"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "3"},
    {"RANK": "-1", "LOCAL_RANK": "0", "WORLD_SIZE": "3"},
    {"RANK": "0", "LOCAL_RANK": "-1", "WORLD_SIZE": "3"},
    {"RANK": "2", "LOCAL_RANK": "7", "WORLD_SIZE": "3"},
    {"RANK": "one", "LOCAL_RANK": "0", "WORLD_SIZE": "3"},
    {"RANK": "1", "LOCAL_RANK": "1"},
    {"LOCAL_RANK": "1", "WORLD_SIZE": "2"},
    {"RANK": "1", "WORLD_SIZE": "2"},
)
NAMES = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
PROCESSES = (
    {},
    {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"},
    {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "4"},
)


def draw(rng):
    """One more process of some."""
    world_size = rng.randint(3, 40)
    numbers = (rng.randrange(world_size), rng.randrange(1, 8), world_size)
    return {"process": dict(zip(NAMES, map(str, numbers), strict=True))}


def measure(inputs):
    """Facts, folders, devices and endings."""
    return {
        "facts": {
            " ".join(f"{name} {value}" for name, value in one.items()) or "none set": _facts(one)
            for one in (*ENVIRONMENTS, inputs["process"])
        },
        "base folder": _base_folders(),
        "devices": _devices(),
        "endings": _endings(),
    }


def _facts(variables):
    """What `get_dist_info` says, and whether `print0` prints."""
    import contextlib
    import io

    from nanochat.common import UserError, get_dist_info, print0

    from bughunt.lab.measuring.replacing import environment

    shown = io.StringIO()
    with environment(**{name: variables.get(name) for name in NAMES}):
        try:
            with contextlib.redirect_stdout(shown):
                print0("a", 2, sep="-", end="!")
            return {"facts": list(get_dist_info()), "prints": shown.getvalue()}
        except UserError:
            return "refused"


def _base_folders():
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.common import UserError, get_base_dir

    import nanochat
    from bughunt.lab.measuring.replacing import environment, replaced
    from nanochat import common

    folder = Path(mkdtemp())
    (folder / "file").write_text("")
    found = {}
    with environment(HOME=str(folder), NANOCHAT_BASE_DIR=None):
        for configured in (str(folder / "a" / "b"), "~/c", str(folder / "file" / "d")):
            with environment(NANOCHAT_BASE_DIR=configured):
                name = configured.replace(str(folder), "")
                try:
                    base_dir = get_base_dir()
                    found[name] = [base_dir.relative_to(folder).as_posix(), base_dir.is_dir()]
                    found[f"{name}, once more"] = get_base_dir() == base_dir
                except UserError:
                    found[name] = "refused"
    tree = Path(nanochat.__file__).resolve().parents[1]
    found["the tree"] = Path(common.TREE_ROOT).resolve() == tree
    with environment(NANOCHAT_BASE_DIR=None), replaced(common, TREE_ROOT=folder / "tree"):
        found["by default"] = [get_base_dir().relative_to(folder).as_posix(), get_base_dir().is_dir()]
    return found


def _devices():
    """The device, seed and group of a process, on machines that have more or less; what is refused."""
    import torch
    from nanochat.common import UserError, autodetect_device_type, compute_cleanup, compute_init

    from bughunt.lab.measuring.joining import Machine
    from bughunt.lab.measuring.replacing import environment

    found = {}
    for cuda, mps in ((False, False), (True, False), (False, True), (True, True)):
        for kind in ("cpu", "cuda", "mps", "tpu", None):
            for process in PROCESSES:
                if process and (cuda != mps or kind in ("tpu", None)):
                    continue
                name = f"{kind} {'with' if cuda else 'without'} CUDA, {'with' if mps else 'without'} MPS"
                name += f", process {process['RANK']} of four" if process else ""
                machine = Machine(gpus=2 if cuda else 0, mps=mps)
                with environment(**{name: process.get(name) for name in NAMES}), machine.pretended():
                    try:
                        *info, device = compute_init(*([] if kind is None else [kind]))
                        found[name] = {
                            "is": [*info, str(device), isinstance(device, torch.device)],
                            "joins": machine.joins(device.type),
                            "seed": torch.initial_seed(),
                            "draws": torch.rand(2).tolist(),
                            "dtype": str(torch.get_default_dtype()),
                            "GPU": machine.of_gpu() if device.type == "cuda" else None,
                        }
                        compute_cleanup()
                        found[name]["leaves"] = machine.left
                    except UserError:
                        found[name] = "refused"
                    found[f"best {name}"] = autodetect_device_type()
    return {**found, "a GPU too few": _third_of_two()}


def _third_of_two():
    """A third process on a machine with two GPUs, and one that is in its group before."""
    from nanochat.common import UserError, compute_init

    from bughunt.lab.measuring.joining import Machine
    from bughunt.lab.measuring.replacing import environment

    answers = {}
    machine = Machine(gpus=2, mps=False, joined=True)
    for local_rank in ("1", "2"):
        with environment(RANK="2", LOCAL_RANK=local_rank, WORLD_SIZE="4"), machine.pretended():
            try:
                answers[local_rank] = str(compute_init("cuda")[-1])
            except UserError:
                answers[local_rank] = "refused"
    return {**answers, "groups joined twice": len(machine.groups)}


def _endings():
    """The exit status of `run_script` for mains that end in several ways."""
    import contextlib
    import io
    import os
    import sys

    from nanochat.common import UserError, run_script

    from bughunt.lab.measuring.programs import exit_status
    from bughunt.lab.measuring.replacing import environment, replaced

    def ends(error=None):
        def main():
            sys.stdout.write("out")
            sys.stderr.write("err")
            if error is not None:
                raise error

        pipes = [io.BytesIO(), io.BytesIO()]
        output, errors = map(io.TextIOWrapper, pipes)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            try:
                run_script(main)
            except SystemExit as exit:
                if isinstance(exit.code, tuple):  # left at once: what is not in the pipe by now is lost
                    return [*exit.code, *(pipe.getvalue().decode() for pipe in pipes)]
                status = exit_status(exit, errors)
            except Exception as other:
                return type(other).__name__
            else:
                return "goes on"
        errors.flush()
        return [status, len(pipes[1].getvalue()) > len("err")]

    def leave(status):
        raise SystemExit(("at once", status))

    with replaced(os, _exit=leave):
        with environment(**dict.fromkeys(NAMES)):
            found = {
                "well": ends(),
                "the user's error": ends(UserError("told")),
                "interrupted": ends(KeyboardInterrupt()),
                "an error of the code": ends(ZeroDivisionError()),
            }
        with environment(RANK="0", LOCAL_RANK="0", WORLD_SIZE="2"):
            found["well, as one of two"] = ends()
            found["the user's error, as one of two"] = ends(UserError("told"))
    return found
