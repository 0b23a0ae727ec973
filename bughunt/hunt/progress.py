"""How far the player is with each bug: what the events of the log come to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bughunt.hunt.events import AnyEvent, Carried, Check, Hint, Reset, Restore, Solution, Start


@dataclass(frozen=True)
class BugProgress:
    """`verdict` is the last one on the code as it is, None while there is none. Times are ISO 8601, UTC.

    `solved_at` is when the bug was first fixed, `elsewhere` whether from another place than the defect's.
    `solution_asked`: the solution was asked for, and nothing has happened to the bug since.
    """

    verdict: str | None = None
    solved_at: str | None = None
    hints: int = 0
    checks: int = 0
    solution_asked: bool = False
    solution_opened: str | None = None
    elsewhere: bool = False

    @property
    def fixed(self) -> bool:
        """Is it fixed now, by the last verdict?"""
        return self.verdict == "fixed"

    @property
    def solved(self) -> bool:
        """Was it ever fixed?"""
        return self.solved_at is not None

    def after(self, event: Hint | Check | Solution | Carried) -> BugProgress:
        """The progress after an event about this bug."""
        match event:
            case Hint(number=number):
                return replace(self, hints=max(self.hints, number), solution_asked=False)
            case Check():
                return self._after_check(event)
            case Solution(opened=True):
                opened = None if self.solved else event.time
                return replace(self, solution_asked=True, solution_opened=self.solution_opened or opened)
            case Solution():
                return replace(self, solution_asked=True)
            case Carried():
                return replace(
                    self,
                    verdict=self.verdict if self.checks else event.verdict,
                    solved_at=self.solved_at or event.fixed_at,
                    hints=max(self.hints, event.hints),
                    checks=max(self.checks, event.checks),
                    solution_asked=self.solution_asked or event.solution_asked,
                    solution_opened=self.solution_opened or event.solution_opened,
                    elsewhere=self.elsewhere or event.elsewhere,
                )

    def _after_check(self, event: Check) -> BugProgress:
        checked = replace(self, checks=self.checks + 1, solution_asked=False)
        if event.verdict == "unknown":
            return checked
        if event.verdict == "fixed" and not self.solved:
            checked = replace(checked, solved_at=event.time, elsewhere=event.elsewhere)
        return replace(checked, verdict=event.verdict)


def apply_event(bugs: dict[str, BugProgress], event: AnyEvent) -> None:
    """Brings the progress of every bug up to date with an event."""
    match event:
        case Hint() | Check() | Solution() | Carried():
            bugs[event.bug] = bugs.get(event.bug, BugProgress()).after(event)
        case Start() | Reset() | Restore():
            for name in event.bugs:
                if name in bugs:
                    bugs[name] = replace(bugs[name], verdict=None, solution_asked=False)
