"""What surrounds the measuring processes: nothing of the player's shell, nothing of the workspace."""

from __future__ import annotations

import json
import os
import sys

_PASSED_ON = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")

_SET = {
    # One thread: verdicts must not depend on the number of cores, nor fork on a thread pool.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TERM": "dumb",
    # Whoever asks for the user's name is told one without looking it up.
    "LOGNAME": "player",
}


def child_environment(scratch: str) -> dict[str, str]:
    """The whole environment of a child; its home and its temporary files are in `scratch`."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | places_in(scratch) | _SET


def places_in(scratch: str) -> dict[str, str]:
    """What tells a program to write its files to `scratch`, where it is not told otherwise."""
    return dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "NANOCHAT_BASE_DIR"), scratch)


def child_command(module: str, search_path: list[str]) -> list[str]:
    """Runs `module.main()` in a new interpreter that looks for modules only in `search_path`."""
    start = f"import sys; sys.path[:] = {json.dumps(search_path)}; from {module} import main; main()"
    return [sys.executable, "-P", "-B", "-c", start]
