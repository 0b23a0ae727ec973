"""What every part of nanochat shares: folders, processes and devices, settings, errors, progress.

Importing this module is cheap: torch and rich are imported by the functions that need them.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    import torch

TREE_ROOT = Path(__file__).resolve().parent.parent
SEED = 42

S = TypeVar("S")


class UserError(RuntimeError):
    """Something the user can put right. The message says what is wrong and what to do about it."""


def run_script(main: Callable[[], object]) -> NoReturn:
    """Run a script's `main()` as the whole program: expected errors become one line, not a traceback.

    Exit status: 0 done, 1 a `UserError`, 2 wrong flags (from argparse), 130 interrupted.
    """
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    if get_dist_info()[0]:
        # The threads of a process group can abort an interpreter that shuts down, after all is done.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    sys.exit(0)


def get_base_dir() -> Path:
    """The folder that holds every artifact: $NANOCHAT_BASE_DIR, else `runs/` in the tree. Made on demand."""
    configured = os.environ.get("NANOCHAT_BASE_DIR")
    base_dir = Path(configured).expanduser() if configured else TREE_ROOT / "runs"
    try:
        base_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {base_dir} ({error.strerror}): "
            "set NANOCHAT_BASE_DIR to a folder that can be written"
        ) from error
    return base_dir


def get_dist_info() -> tuple[bool, int, int, int]:
    """`(ddp, rank, local_rank, world_size)` from torchrun's environment; without one, a single process."""
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
    if not all(name in os.environ for name in names):
        return False, 0, 0, 1
    try:
        rank, local_rank, world_size = (int(os.environ[name]) for name in names)
    except ValueError as error:
        raise UserError(
            "RANK, LOCAL_RANK and WORLD_SIZE must be whole numbers: let torchrun set them, or unset them"
        ) from error
    if not 0 <= rank < world_size or local_rank < 0:
        raise UserError(f"RANK {rank} and LOCAL_RANK {local_rank} do not fit WORLD_SIZE {world_size}")
    return True, rank, local_rank, world_size


def print0(*args: object, **kwargs: Any) -> None:
    """`print`, on the first process only."""
    if get_dist_info()[1] == 0:
        print(*args, **kwargs)


def autodetect_device_type() -> str:
    """The best kind of device this machine has: "cuda", "mps" or "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def compute_init(device_type: str = "cpu") -> tuple[bool, int, int, int, torch.device]:
    """Seed, pick this process's device and, under torchrun, join the process group.

    Returns `(ddp, rank, local_rank, world_size, device)`. Raises `UserError` for a device that is not there.
    """
    import torch
    import torch.distributed as dist

    if device_type not in ("cuda", "mps", "cpu"):
        raise UserError(f"unknown device {device_type!r}: choose cuda, mps or cpu")
    if device_type == "cuda" and not torch.cuda.is_available():
        raise UserError("this machine has no CUDA device that torch can use: choose cpu")
    if device_type == "mps" and not torch.backends.mps.is_available():
        raise UserError("this machine has no MPS device that torch can use: choose cpu")
    ddp, rank, local_rank, world_size = get_dist_info()
    if ddp and device_type == "mps":
        raise UserError("torch has no process group for mps: run one process, or choose cpu")

    # seed and device
    torch.manual_seed(SEED)
    device = torch.device(device_type)
    if device_type == "cuda":
        if local_rank >= torch.cuda.device_count():
            raise UserError(
                f"local rank {local_rank} has no GPU: start at most {torch.cuda.device_count()} processes"
            )
        device = torch.device("cuda", local_rank)
        torch.cuda.set_device(device)
        torch.cuda.manual_seed(SEED)
        torch.set_float32_matmul_precision("high")
    # process group
    if ddp and not dist.is_initialized():
        dist.init_process_group(backend="nccl" if device_type == "cuda" else "gloo")
    return ddp, rank, local_rank, world_size, device


def compute_cleanup() -> None:
    """Leave the process group that `compute_init` joined, if it did."""
    import torch.distributed as dist

    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def setting(default: Any, help: str) -> Any:
    """A field of a settings dataclass: its default and the line that `--help` shows for it."""
    return dataclasses.field(default=default, metadata={"help": help})


def parse_settings(cls: type[S], argv: Sequence[str] | None = None) -> S:
    """Read a dataclass of settings from flags: a field `eval_every: int` is `--eval-every 10`.

    Its fields are made with `setting`: a bool is `--flag` / `--no-flag`, and one that may be None takes the
    word `none`. Wrong flags, and an error from `__post_init__`, print a line and exit with status 2.
    """
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    parser = argparse.ArgumentParser(
        prog=f"python -m {spec.name}" if spec else None, description=cls.__doc__, allow_abbrev=False
    )
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        default = "none" if field.default is None else "%(default)s"
        text = field.metadata["help"].replace("%", "%%") + f" (default: {default})"
        options: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
        if hints[field.name] is not bool:
            read, metavar = _reader(hints[field.name])
            options = {"type": read, "metavar": metavar}
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, dest=field.name, default=field.default, help=text, **options)
    # --eval_every is --eval-every
    argv = sys.argv[1:] if argv is None else argv
    argv = [re.sub("^--[^=]+", lambda name: name[0].replace("_", "-"), word) for word in argv]
    try:
        return cls(**vars(parser.parse_args(argv)))
    except (ValueError, UserError) as error:
        parser.error(str(error))


def _reader(hint: Any) -> tuple[Callable[[str], Any], str]:
    """The function that reads a flag's text as a value of type `hint`, and what `--help` calls the value."""
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    optional = type(None) in get_args(hint)
    if optional:
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    metavar, article = {int: ("N", "a whole number"), float: ("X", "a number")}.get(hint, ("TEXT", "text"))

    def read(text: str) -> Any:
        if optional and text.lower() == "none":
            return None
        if choices and text not in choices:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(choices)}")
        try:
            return text if choices else hint(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {article}") from None

    return read, "{" + ",".join(choices) + "}" if choices else metavar


class Progress:
    """How far a long loop is: a bar on a terminal, a plain line now and then elsewhere.

        with Progress(total=num_iterations, unit="steps", title="training") as progress:
            for step in range(num_iterations):
                ...
                progress.update(1, loss=loss)

    Shows the share done, the time left, units per second, and the fields of the last update. `total` may be
    None when it is not known. Only the first process shows anything.
    """

    def __init__(
        self, total: float | None, unit: str = "steps", title: str = "", seconds_between_lines: float = 5.0
    ) -> None:
        self.total, self.unit, self.title = total, unit, title
        self.seconds_between_lines = seconds_between_lines
        self.done: float = 0
        self.fields: dict[str, object] = {}
        self.bar: Any = None
        self.printed: float = 0  # how much was done when a line was printed last

    def __enter__(self) -> Progress:
        self.started = self.last_line = time.monotonic()
        if sys.stdout.isatty() and get_dist_info()[1] == 0:
            from rich import progress

            title = progress.TextColumn("{task.description}", markup=False)
            status = progress.TextColumn("{task.fields[status]}", markup=False)
            self.bar = progress.Progress(title, progress.BarColumn(bar_width=None), status, expand=True)
            self.bar.start()
            self.bar.add_task(self.title, total=self.total, status="")
        return self

    def update(self, n: float = 1, **fields: object) -> None:
        """Count `n` more units as done, and show `fields` (such as `loss=2.5`) beside them."""
        self.done += n
        self.fields |= fields
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=self.done, status=self.status())
        elif time.monotonic() - self.last_line >= self.seconds_between_lines:
            self.print_line()

    def status(self) -> str:
        """One line without the title: share done, time left (when all is done, taken), rate, fields."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        rate = self.done / seconds
        share, left = f"{self.done:,.0f} {self.unit}", ""
        if self.total:
            share = f"{self.done / self.total:.0%}"
            if 0 < self.done < self.total:
                seconds, left = (self.total - self.done) / rate, " left"
        minutes, seconds = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        parts = [share, clock + left, f"{rate:,.0f} {self.unit}/s"]
        for name, value in self.fields.items():
            parts.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}")
        return " | ".join(parts)

    def print_line(self) -> None:
        self.last_line, self.printed = time.monotonic(), self.done
        print0(f"{self.title}: {self.status()}" if self.title else self.status(), flush=True)

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()
        elif self.done != self.printed:
            self.print_line()
