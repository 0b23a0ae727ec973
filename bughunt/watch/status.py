"""The state of a watch, put together to the scene that shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bughunt.content.catalog import Catalog
from bughunt.content.level import Bug
from bughunt.hunt.score import score
from bughunt.hunt.state import State
from bughunt.watch.judging import Judging
from bughunt.watch.scene import Row, Scene

_NOTICES_SHOWN = 3


@dataclass
class Status:
    """What a watch has to say besides its verdicts. See `Scene`."""

    manual: bool
    running: str | None = None
    saves: int = 0
    unchecked: bool = False
    polling: str = ""
    trouble: str = ""
    notices: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> tuple[str, ...]:
        said = [self.polling, *self.notices[-_NOTICES_SHOWN:], self.trouble]
        return tuple(warning for warning in said if warning)


def scene_of(catalog: Catalog, state: State, judging: Judging, status: Status) -> Scene:
    """What there is to show."""
    points = score(catalog.levels, state)
    return Scene(
        level=judging.level,
        rows=tuple(_row(state, judging, bug) for bug in judging.level.bugs),
        earned=points.earned,
        most=points.most,
        manual=status.manual,
        running=status.running,
        saves=status.saves,
        unchecked=status.unchecked,
        warnings=status.warnings,
        rest=judging.rest,
        rest_queued=judging.rest_pending,
        broken=tuple(judging.owing.terms.titles_of(state.regressions(judging.level.id)).values()),
    )


def _row(state: State, judging: Judging, bug: Bug) -> Row:
    progress = state.bug(bug.id)
    kind = progress.verdict
    verdict, seed = judging.verdicts.get(bug.id, (None, 0))
    seen = bug.id in judging.unrecorded or (verdict is not None and verdict.kind in (kind, "unknown"))
    if not seen:
        verdict = None
    elif verdict is not None:
        kind = verdict.kind
    return Row(bug, kind, progress.solved, verdict, seed, bug in judging.pending)
