"""Lets hostile programs loose in a process of its own, which plays `bughunt check`, and tells what they did.

`python runner.py FOLDER COLUMN` reads lines of JSON, each with a case's name and a way of measuring, and
answers each with one: the verdict, what was said, and what was reached. The game is a copy in FOLDER.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> None:
    folder, column = Path(sys.argv[1]), sys.argv[2]
    game = folder / "game"
    for name in ("bughunt", "nanochat", "challenges"):
        ignored = shutil.ignore_patterns("level2", "runs")
        shutil.copytree(ROOT / name, game / name, ignore=ignored)
    sys.path.insert(0, str(game))

    from proving import Range

    sys.path.remove(str(HERE))
    with Range(folder, game, column) as shooting_range:
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(shooting_range.let_loose(**json.loads(line))) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
