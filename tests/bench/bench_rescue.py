"""How long it takes to set aside, put back and bring back a workspace with many small files in it.

A reset sets aside, and then removes; how long a disk takes to remove is no matter of ours.

    python tests/bench/bench_rescue.py [--files 20000]       (with bughunt installed in this environment)

Each figure is in seconds by the clock, and as a ratio to copying the same files with `shutil.copytree`, which
waits for nothing to reach the disk.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.hunt.hunt import Hunt

FILES_IN_A_FOLDER = 200


def fill(folder: Path, files: int) -> None:
    """Python files of some 2 KB, all different."""
    for number in range(files):
        path = folder / f"part{number // FILES_IN_A_FOLDER}" / f"file{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"value_{number} = {number}\n" + "# a line of text\n" * 120)


def seconds(task: Callable[[], object]) -> float:
    begin = time.perf_counter()
    task()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; the temporary one without")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        hunt = Hunt(Path(name), Catalog((load_catalog().level("level1"),)))
        mine = hunt.start("level1").workspace / "mine"
        fill(mine, arguments.files)
        files = {path.relative_to(mine.parent).as_posix(): path for path in mine.glob("*/*.py")}

        def rescue() -> object:
            return hunt.rescues.save(
                "level1", files, differing=files, reason="", whole=True, history=None, progress={}
            )

        tasks: dict[str, Callable[[], object]] = {
            "copytree": lambda: shutil.copytree(mine, Path(name) / "copy"),
            "rescue": rescue,
            "reset": lambda: hunt.reset(hunt.reset_plan(None)),
            "restore": lambda: hunt.restore(None),
            "edits": lambda: hunt.started(hunt.catalog.levels[0]).workspace.edits(),
        }
        took = {task: seconds(run) for task, run in tasks.items()}
        assert len(list(mine.glob("*/*.py"))) == arguments.files
        print(f"{arguments.files} files\n           seconds   ratio to copytree")
        for task, figure in took.items():
            print(f"{task:9}  {figure:7.2f}   {figure / took['copytree']:6.1f}")


if __name__ == "__main__":
    main()
