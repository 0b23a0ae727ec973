"""Saves in a running watch with the real judge: each verdict is the right one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watching import Watcher

from bughunt.content.installed import tree_folder
from bughunt.hunt.hunt import Hunt
from bughunt.judge import Judge
from bughunt.workspace.injection import inject


def test_saves_in_a_row(hunt: Hunt, watch: Callable[..., Watcher], tmp_path: Path) -> None:
    """Broken, repaired, hanging, repaired, garbled, repaired: with one judge that stays open."""
    level = hunt.catalog.levels[0]
    bug = level.bugs[0]
    path = hunt.folder / "level1" / bug.files[0]
    inject(tmp_path / "repaired", [other for other in level.bugs if other is not bug])
    repaired = (tmp_path / "repaired" / bug.files[0]).read_text()
    broken = path.read_text()
    watcher = watch(Judge(tree_folder()))

    def shows(kind: str) -> bool:
        row = watcher.audience.scene.rows[0]
        return row.kind == kind and not row.queued and watcher.audience.scene.running is None

    watcher.audience.until(lambda: bool(watcher.audience.heard) and shows("broken"))
    for _ in range(2):
        path.write_text(repaired)
        watcher.audience.until(lambda: shows("fixed"))
        path.write_text("while True:\n    pass\n")
        watcher.audience.until(lambda: watcher.audience.scene.running == bug.id)
        path.write_text(repaired)
        watcher.audience.until(lambda: shows("fixed"))
        path.write_text("def encode(:\n")
        watcher.audience.until(lambda: shows("crashed"))
        path.write_text(broken)
        watcher.audience.until(lambda: shows("broken"))
    watcher.session.close()
    state = hunt.state().bug(bug.id)
    assert state.verdict == "broken" and state.solved
