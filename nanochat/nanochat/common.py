"""What every part of nanochat shares: folders, processes and devices, settings, errors, progress.

Importing this module is cheap: torch and rich are imported by the functions that need them.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

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
    """Read a settings dataclass from command-line flags (by default, the program's own).

    A field `eval_every: int` is the flag `--eval-every 10` (`--eval_every=10` works too), a bool is
    `--flag` / `--no-flag`, a `Literal` lists its choices, and a field that may be None takes the word `none`.
    Wrong flags, and a `ValueError` or `UserError` from `__post_init__`, print a line and exit with status 2.
    """
    parser = argparse.ArgumentParser(
        prog=_program_name(),
        description=cls.__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if field.init:
            _add_flag(parser, field, hints[field.name])
    arguments = [_with_dashes(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    values = vars(parser.parse_args(arguments))
    try:
        return cls(**values)
    except (ValueError, UserError) as error:
        parser.error(str(error))


def _program_name() -> str | None:
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return f"python -m {spec.name}" if spec else None


def _with_dashes(argument: str) -> str:
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return name.replace("_", "-") + equals + value


def _add_flag(parser: argparse.ArgumentParser, field: dataclasses.Field[Any], hint: Any) -> None:
    flag = "--" + field.name.replace("_", "-")
    options: dict[str, Any] = {"dest": field.name, "help": field.metadata.get("help", "").replace("%", "%%")}
    if field.default is dataclasses.MISSING:
        options["required"] = True
    else:
        options["default"] = field.default
        options["help"] += " (default: none)" if field.default is None else " (default: %(default)s)"
    if hint is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        return
    optional = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
    if optional:
        alternatives = [alternative for alternative in get_args(hint) if alternative is not type(None)]
        if len(alternatives) != 1:
            raise TypeError(f"{field.name}: a setting has one type, or one type and None, not {hint}")
        hint = alternatives[0]
    parser.add_argument(flag, type=_reader(hint, optional), metavar=_metavar(hint), **options)


def _reader(hint: Any, optional: bool) -> Callable[[str], Any]:
    """The function that turns a flag's text into a value of the type `hint`."""
    choices = get_args(hint) if get_origin(hint) is Literal else None

    def read(text: str) -> Any:
        if optional and text.lower() == "none":
            return None
        if choices is not None:
            for choice in choices:
                if text == str(choice):
                    return choice
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(map(str, choices))}")
        try:
            return Path(text).expanduser() if hint is Path else hint(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not {_article(hint)}") from None

    return read


def _metavar(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "{" + ",".join(map(str, get_args(hint))) + "}"
    return {int: "N", float: "X", Path: "PATH"}.get(hint, "TEXT")


def _article(hint: Any) -> str:
    return {int: "a whole number", float: "a number"}.get(hint, f"a {getattr(hint, '__name__', hint)}")


class Progress:
    """How far a long loop is: a bar on a terminal, a plain line now and then elsewhere.

        with Progress(total=num_iterations * tokens_per_step, unit="tokens") as progress:
            for step in range(num_iterations):
                ...
                progress.update(tokens_per_step, loss=loss)

    Shows the share done, the time left, units per second, and the fields of the last update. `total` may be
    None when it is not known. Only the first process shows anything.
    """

    def __init__(
        self, total: float | None, unit: str = "steps", title: str = "", seconds_between_lines: float = 5.0
    ) -> None:
        self.total = total
        self.unit = unit
        self.title = title
        self.seconds_between_lines = seconds_between_lines
        self.done: float = 0
        self._fields: dict[str, object] = {}
        self._bar: Any = None
        self._task: Any = None
        self._silent = get_dist_info()[1] != 0
        self._unsaid = False

    def __enter__(self) -> Progress:
        self._started = self._last_line = time.monotonic()
        if not self._silent and sys.stdout.isatty():
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as RichProgress
            from rich.table import Column

            self._bar = RichProgress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[status]}", markup=False, table_column=Column(no_wrap=True)),
                expand=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, status="")
        return self

    def update(self, n: float = 1, **fields: object) -> None:
        """Count `n` more units as done, and show `fields` (such as `loss=2.5`) beside them."""
        self.done += n
        self._fields.update(fields)
        self._unsaid = True
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, status=self.status())
        elif time.monotonic() - self._last_line >= self.seconds_between_lines:
            self._say_line()

    def status(self) -> str:
        """One line without the title: share done, time left (when all is done, taken), rate, fields."""
        elapsed = max(time.monotonic() - self._started, 1e-9)
        rate = self.done / elapsed
        parts = [f"{self.done / self.total:.0%}" if self.total else f"{self.done:,.0f} {self.unit}"]
        if self.total and 0 < self.done < self.total:
            parts.append(f"{_duration((self.total - self.done) / rate)} left")
        else:
            parts.append(_duration(elapsed))
        parts.append(f"{rate:,.0f} {self.unit}/s")
        for name, value in self._fields.items():
            parts.append(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}")
        return " | ".join(parts)

    def _say_line(self) -> None:
        self._last_line = time.monotonic()
        self._unsaid = False
        if not self._silent:
            print(f"{self.title}: {self.status()}" if self.title else self.status(), flush=True)

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._unsaid:
            self._say_line()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
