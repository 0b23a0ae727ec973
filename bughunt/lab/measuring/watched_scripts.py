"""A training script as a whole, called with words of a command line: how it ends, and what it shows."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from bughunt.lab.measuring.devices import pretended_gpu, without_accelerators
from bughunt.lab.measuring.figures import says_all_done
from bughunt.lab.measuring.replacing import replaced
from bughunt.lab.measuring.row_source import RowSource
from bughunt.lab.measuring.watched_training import watched


def run_watched(
    main: Callable[[list[str]], object],
    settings: Mapping[str, object],
    more: Sequence[str],
    seed: int,
    *,
    on_a_gpu: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """Calls `main` with the flags `settings` and `more`, on rows of `seed`: the watch, and what can be told.

    On a pretended GPU it is not told what is asked of the data.
    """
    from nanochat.common import Progress, UserError

    progress: list[list[Any]] = []
    own_update = Progress.update

    def update(self: Any, n: int = 1, **fields: Any) -> None:
        progress.append([n, fields.get("step"), len(fields)])
        own_update(self, n, **fields)

    source, output, ends = RowSource(seed), io.StringIO(), "well"
    with (
        watched(source, stand_ins=False) as watch,
        replaced(Progress, update=update),
        pretended_gpu() if on_a_gpu else without_accelerators(),
        redirect_stdout(output),
        redirect_stderr(output),
    ):
        try:
            main([str(word) for pair in settings.items() for word in pair] + list(more))
        except UserError:
            ends = "the user's error"
        except SystemExit as exit:
            ends = f"exit {exit.code or 0}"
    return watch, {
        "ends": ends,
        "says something": bool(output.getvalue()),
        "progress": progress,
        "all done": says_all_done(output.getvalue()),
        "asked of the data": [] if on_a_gpu else sorted(map(list, source.asked)),
        "data are wanted on": source.devices,
        "rows": watch.rows(learning=True),
    }
