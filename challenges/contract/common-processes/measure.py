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
    """The device and seed of a process, on machines that have more or less; what is refused."""
    import torch
    import torch.distributed as dist
    from nanochat.common import UserError, autodetect_device_type, compute_cleanup, compute_init

    from bughunt.lab.measuring.replacing import environment, replaced

    found = {}
    state, precision = torch.get_rng_state(), torch.get_float32_matmul_precision()
    for cuda, mps in ((False, False), (True, False), (False, True), (True, True)):
        for kind in ("cpu", "cuda", "mps", "tpu", None):
            for process in ({}, {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}):
                if process and (cuda != mps or kind in ("tpu", None)):
                    continue
                calls = []

                def noted(name, calls=calls):
                    def call(*arguments, **options):
                        calls.append([name, *map(str, arguments), *map(str, options.values())])

                    return call

                torch.manual_seed(1)
                with (
                    environment(**{name: process.get(name) for name in NAMES}),
                    replaced(
                        torch.cuda,
                        is_available=lambda cuda=cuda: cuda,
                        device_count=lambda: 2,
                        set_device=noted("set_device"),
                        manual_seed=noted("seed of CUDA"),
                    ),
                    replaced(torch.backends.mps, is_available=lambda mps=mps: mps),
                    replaced(torch, set_float32_matmul_precision=noted("precision")),
                    replaced(
                        dist,
                        init_process_group=noted("group"),
                        is_initialized=lambda calls=calls: any("group" in call for call in calls),
                        destroy_process_group=noted("group left"),
                    ),
                ):
                    name = f"{kind} {'with' if cuda else 'without'} CUDA, {'with' if mps else 'without'} MPS"
                    name += ", one of four" if process else ""
                    try:
                        *info, device = compute_init(*([] if kind is None else [kind]))
                        compute_cleanup()
                        found[name] = {
                            "is": [*info, str(device)],
                            "calls": calls,
                            "seed": torch.initial_seed(),
                            "draws": torch.rand(2).tolist(),
                            "dtype": str(torch.get_default_dtype()),
                        }
                    except UserError:
                        found[name] = "refused"
                    found[f"best {name}"] = autodetect_device_type()
    found["a GPU too few"] = _third_of_two(dist, torch)
    torch.set_rng_state(state)
    return {**found, "precision as it was": torch.get_float32_matmul_precision() == precision}


def _third_of_two(dist, torch):
    """A third process on a machine with two GPUs, and one that is in its group before."""
    from nanochat.common import UserError, compute_init

    from bughunt.lab.measuring.replacing import environment, replaced

    groups = []
    answers = {}
    for local_rank in ("1", "2"):
        with (
            environment(RANK="2", LOCAL_RANK=local_rank, WORLD_SIZE="4"),
            replaced(
                torch.cuda,
                is_available=lambda: True,
                device_count=lambda: 2,
                set_device=lambda *_: None,
                manual_seed=lambda *_: None,
            ),
            replaced(torch, set_float32_matmul_precision=lambda *_: None),
            replaced(dist, is_initialized=lambda: True, init_process_group=lambda **_: groups.append(1)),
        ):
            try:
                answers[local_rank] = str(compute_init("cuda")[-1])
            except UserError:
                answers[local_rank] = "refused"
    return {**answers, "groups joined twice": len(groups)}


def _endings():
    """The exit status of `run_script` for mains that end in several ways."""
    import contextlib
    import io
    import os

    from nanochat.common import UserError, run_script

    from bughunt.lab.measuring.replacing import environment, replaced

    def ends(error=None):
        def main():
            if error is not None:
                raise error

        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                run_script(main)
            except SystemExit as exit:
                return exit.code if isinstance(exit.code, int) else "a line"
            except Exception as other:
                return type(other).__name__
        return "goes on"

    def leave(status):
        raise SystemExit(100 + status)

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
