"""What the reading commands print under `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bughunt.content.catalog import Bug, Catalog, Level
from bughunt.hunt import score
from bughunt.hunt.hunt import Hunt, Solution
from bughunt.hunt.progress import BugProgress, State


def status_document(hunt: Hunt, state: State) -> dict[str, Any]:
    """The hunt: its levels, each with its workspace's absolute path, and their bugs."""
    following = hunt.next_bug(state) if state.active is not None else None
    started = [level for level in hunt.catalog.levels if level.id in state.levels]
    levels = [
        {
            "level": level.id,
            "name": level.name,
            "workspace": str(hunt.workspace_path(state, level)),
            "exists": hunt.workspace_path(state, level).is_dir(),
            "current": state.levels[level.id].version == level.version,
            "started": state.levels[level.id].started,
            "guided": state.levels[level.id].guided,
            **_count(level, state),
            "bugs": [_bug(level, bug, state) for bug in level.bugs],
        }
        for level in started
    ]
    every = [(level, bug) for level in hunt.catalog.levels for bug in level.bugs]
    return {
        "hunt": str(hunt.folder),
        "active": state.active,
        "levels": levels,
        "next": following.id if following else None,
        "score": sum(score.earned(level, state.bugs.get(bug.id, BugProgress())) for level, bug in every),
        "points": sum(level.points for level, _ in every),
    }


def levels_document(catalog: Catalog, state: State | None) -> dict[str, Any]:
    """What there is to play."""
    state = state or State()
    return {
        "levels": [
            {
                "level": level.id,
                "name": level.name,
                "title": level.title,
                "topics": list(level.topics),
                "minutes": level.minutes,
                "started": level.id in state.levels,
                **_count(level, state),
            }
            for level in catalog.levels
        ]
    }


def solution_document(solution: Solution | None) -> dict[str, Any]:
    """The fix, why it matters and what the bug costs; nothing where the solution is not shown."""
    from bughunt.content.cost_record import load_cost

    if solution is None:
        return {}
    card, cost = solution.bug.card, load_cost(solution.bug.folder)
    return {
        "diff": solution.diff,
        "why": card.why,
        "pattern": card.pattern,
        "consequence": card.consequence,
        "cost": asdict(cost) if cost else None,
    }


def _count(level: Level, state: State) -> dict[str, int]:
    fixed = sum(bug.id in state.bugs and state.bugs[bug.id].verdict == "fixed" for bug in level.bugs)
    return {"fixed": fixed, "total": len(level.bugs)}


def _bug(level: Level, bug: Bug, state: State) -> dict[str, Any]:
    progress = state.bugs.get(bug.id, BugProgress())
    return {
        "bug": bug.id,
        "title": bug.card.title,
        "symptom": bug.card.symptom,
        "verdict": progress.verdict,
        "fixed_at": progress.fixed_at,
        "hints_taken": progress.hints,
        "hints": len(bug.card.hints),
        "checks": progress.checks,
        "solution_opened": progress.solution_opened,
        "worth": score.worth(level, progress),
        "earned": score.earned(level, progress),
    }
