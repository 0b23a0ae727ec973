"""Runs the measuring server in a sandbox, and clears up after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bughunt.confine.bubblewrap import bubblewrap, path_of_bubblewrap
from bughunt.confine.enclosure import become, leave_the_machine
from bughunt.confine.kernel import come_first
from bughunt.confine.view import View
from bughunt.disk.files import remove_folder
from bughunt.measure.parting import is_gone


def main() -> None:
    """Its arguments: the way (see `sandbox`), the process that owns the server, the folder to remove if that
    is gone, the view, the descriptors to hand on, and the command."""
    way, owner, folder, view, descriptors, *command = sys.argv[1:]
    # In the sandbox the server has no power to.
    come_first(with_children=True)
    run = _run_in_bubblewrap if way == "bubblewrap" else _run_in_namespaces
    status = run(View.from_json(view), [int(one) for one in descriptors.split(",") if one], command)
    if is_gone(int(owner)):
        remove_folder(Path(folder))
    sys.exit(status)


def _run_in_bubblewrap(view: View, descriptors: list[int], command: Sequence[str]) -> int:
    program = path_of_bubblewrap()
    if program is None:
        raise FileNotFoundError("bubblewrap is not installed any more")
    process = subprocess.Popen(bubblewrap(program, view, command), pass_fds=descriptors)
    _close(descriptors)
    return process.wait()


def _run_in_namespaces(view: View, descriptors: list[int], command: Sequence[str]) -> int:
    leave_the_machine()
    child = os.fork()
    if child == 0:
        try:
            become(view, command)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(70)
    _close(descriptors)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _close(descriptors: list[int]) -> None:
    """Else the owner would not see that the server at the other end is gone."""
    for descriptor in descriptors:
        os.close(descriptor)
