"""The mark that stands while a workspace is neither what it was nor what it is going to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bughunt.content.level import Level
from bughunt.disk.files import write_atomically
from bughunt.disk.kinds import read_own
from bughunt.disk.places import unusable
from bughunt.errors import BughuntError
from bughunt.workspace.rescue import Rescue


@dataclass(frozen=True)
class Operation:
    """What overwrites a workspace: `name` says it (“reset of 1.2”), `command` does it again.

    `rescue` is the id of the rescue that was made for it.
    """

    name: str
    command: str
    rescue: str | None = None


def interrupted(mark: Path) -> Operation | None:
    """What the file `mark` says was overwriting the workspace and never finished; None without one."""
    try:
        return Operation(**json.loads(read_own(mark)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable(mark, error) from error
    except (ValueError, TypeError, RecursionError):
        return Operation("reset", "bughunt reset")


@contextmanager
def overwriting(mark: Path, operation: Operation, rescue: Rescue | None) -> Iterator[None]:
    """Has the mark stand from before the block until it has ended well."""
    noted = replace(operation, rescue=rescue.id if rescue else None)
    write_atomically(mark, json.dumps(asdict(noted)).encode())
    yield
    mark.unlink()


def cut_short(level: Level, operation: Operation) -> BughuntError:
    """The error that says what was interrupted, and how it is finished."""
    step = f"Run `{operation.command}` to finish it"
    if operation.rescue is not None:
        step += f"; `bughunt restore {operation.rescue}` then brings back what was there before"
    return BughuntError(
        f"In {level.id} a {operation.name} was cut short: some of its files are old, some new.", f"{step}."
    )
