"""What the contract noticed of the mutants of the tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bughunt.screens.document import document
from bughunt.views import Code, Heading, Item, Table, Text, Tone, View

if TYPE_CHECKING:
    from bughunt.author.mutation.report import Judged, Report, Tally

_COLUMNS = ("killed", "survived", "stillborn", "equivalent", "score")


def mutation(report: Report, *, whole: bool = False) -> list[View]:
    """The survivors with their diffs, then the figures; of the `whole` also every function and operator."""
    views: list[View] = []
    for slug, why in report.unusable.items():
        views.append(Item(f"The clause {slug} was not asked", why, "warn"))
    for one in report.refuted:
        noticed = ", ".join(one.killers)
        views.append(Item(f"{_title(one)} is listed as equivalent, and noticed by {noticed}", "", "bad"))
    for one in report.survivors:
        views += [Item(_title(one), _remarks(one), "bad"), Code(one.diff, "diff")]
    functions = report.by_function if whole else [one for one in report.by_function if one.counts["survived"]]
    if functions:
        views.append(_table("By function" if whole else "Functions with survivors", functions))
    if whole:
        views.append(_table("By operator", report.by_operator))
    views += [_table("By file", report.by_file), _table("In all", report.overall)]
    return [*views, *_ending(report)]


def page(report: Report) -> list[View]:
    """The whole, figures first, for a file."""
    views = mutation(report, whole=True)
    tables = [one for one in views if isinstance(one, Table)]
    rest = [one for one in views if not isinstance(one, Table)]
    listed = [one for one in report.judged if one.outcome == "equivalent"]
    equivalents: list[View] = [Heading("Equivalent")] if listed else []
    for one in listed:
        equivalents += [Item(_title(one), one.reason, "dim"), Code(one.diff, "diff")]
    ending = _ending(report)
    return [*ending, *reversed(tables), Heading("Survivors"), *rest[: -len(ending)], *equivalents]


def mutation_document(report: Report) -> dict[str, Any]:
    return document(
        "mutate",
        {
            "interrupted": report.interrupted,
            "left": report.left,
            "unusable": dict(report.unusable),
            "scores": [_counts(one) for one in report.overall],
            "files": [_counts(one) for one in report.by_file],
            "functions": [_counts(one) for one in report.by_function],
            "operators": [_counts(one) for one in report.by_operator],
            "mutants": [_mutant(one) for one in report.judged],
        },
    )


def _counts(tally: Tally) -> dict[str, Any]:
    score = None if tally.score is None else round(tally.score, 4)
    return {"name": tally.name, **tally.counts, "score": score}


def _mutant(one: Judged) -> dict[str, Any]:
    mutant = one.mutant
    found = {
        "id": mutant.id,
        "file": mutant.file,
        "line": mutant.line,
        "function": mutant.function,
        "operator": mutant.operator,
        "number": mutant.number,
        "before": mutant.before,
        "after": mutant.after,
        "needs": mutant.needs,
        "outcome": one.outcome,
        "killers": dict(one.killers),
        "reached": one.reached,
        "reason": one.reason,
    }
    return found | ({"diff": one.diff} if one.outcome in ("survived", "equivalent") else {})


def _table(title: str, tallies: Sequence[Tally]) -> Table:
    rows = [(one.name, *one.counts.values(), _score(one)) for one in tallies]
    tones: dict[int, Tone] = {
        index: "warn" for index, one in enumerate(tallies) if one.score is not None and one.score < 0.9
    }
    return Table(("", *_COLUMNS), rows, title, tones)


def _score(tally: Tally) -> str:
    return "–" if tally.score is None else f"{tally.score:.1%}"


def _title(one: Judged) -> str:
    function = f", {one.mutant.function}" if one.mutant.function else ""
    return f"{one.mutant.place}{function}: {one.mutant.operator}"


def _remarks(one: Judged) -> str:
    remarks = [f"It needs {one.mutant.needs}."] if one.mutant.needs else []
    if not one.reached:
        remarks.append("No clause runs this.")
    return " ".join(remarks)


def _ending(report: Report) -> list[View]:
    said: list[View] = []
    if report.left:
        again = "The same command goes on with them."
        said.append(Text(f"{report.left} mutants were not judged yet. {again}", "warn"))
    for one in report.overall[:1]:
        tone: Tone = "good" if not one.counts["survived"] else "plain"
        said.append(Text(f"{one.counts['survived']} of {sum(one.counts.values())} mutants survived.", tone))
    return said or [Text("There were no mutants.", "warn")]
