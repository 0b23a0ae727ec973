"""A patch as text: what it says of itself, the files and lines it changes, and how it is drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bughunt.workspace.git import run_git

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@(.*)")


@dataclass(frozen=True)
class Style:
    """How a patch is written: the text before the diff, its lines of context, and headings of hunks."""

    preamble: str
    context: int
    headings: bool


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends one, as in git."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def style_of(patch: str) -> Style:
    preamble = (
        patch[: patch.index("--- ")] if patch.startswith("--- ") else patch.partition("\n--- ")[0] + "\n"
    )
    context, headings = 0, False
    for hunk in _hunks(patch):
        headings = headings or bool(_HUNK.match(hunk[0])[1].strip())  # type: ignore[index]
        changed = [number for number, line in enumerate(hunk) if line[0] in "+-"]
        context = max(context, changed[0] - 1, len(hunk) - 1 - changed[-1])
    return Style(preamble, context, headings)


def files_of(patch: str) -> list[str]:
    """The files a patch changes, as paths inside the tree."""
    return list(dict.fromkeys(re.findall(r"^\+\+\+ b/(.+)$", patch, re.MULTILINE)))


def changed_lines(patch: str) -> list[str]:
    """The lines that a patch removes and adds, in order."""
    return [line for line in _diff_lines(patch) if line[0] in "+-"]


def net_change(patch: str) -> tuple[Counter[str], Counter[str]]:
    """What a patch removes and adds on balance: two diffs of the same texts may differ, but not in this."""
    removed = Counter(line[1:].rstrip("\n") for line in changed_lines(patch) if line[0] == "-")
    added = Counter(line[1:].rstrip("\n") for line in changed_lines(patch) if line[0] == "+")
    return removed - added, added - removed


def first_hunk(patch: str, file: str) -> str:
    """The first hunk of a file, to be shown to whoever has to refit it."""
    _, _, rest = patch.partition(f"+++ b/{file}\n")
    hunks = re.split(r"(?m)^(?=@@ |--- )", rest)
    return hunks[1] if len(hunks) > 1 else ""


def draw(folder: Path, style: Style) -> str:
    """The patch that turns `folder`/a into `folder`/b, or nothing where they are equal."""
    options = ["--no-color", "--no-ext-diff", "--no-renames", "--src-prefix=", "--dst-prefix="]
    arguments = ["diff", "--no-index", f"--unified={style.context}", *options, "a", "b"]
    diff = run_git(folder, *arguments, statuses=(0, 1)).decode("utf-8")
    kept = [line for line in split_lines(diff) if not line.startswith(("diff --git ", "index "))]
    if not style.headings:
        kept = [re.sub(r"^(@@ [^@]+ @@).*", r"\1", line) for line in kept]
    return style.preamble + "".join(kept) if kept else ""


def _hunks(patch: str) -> list[list[str]]:
    """Each hunk, its header first."""
    hunks: list[list[str]] = []
    for line in _diff_lines(patch):
        if _HUNK.match(line):
            hunks.append([])
        hunks[-1].append(line)
    return hunks


def _diff_lines(patch: str) -> Iterable[str]:
    """The lines of the hunks, without the names of files."""
    inside = False
    for line in split_lines(patch):
        if line.startswith("--- ") and not inside:
            continue
        if _HUNK.match(line):
            inside = True
        elif line[0] not in "+- \\\n":
            inside = False
        elif re.match(r"--- a/|\+\+\+ b/|--- /dev/null", line):
            continue
        if inside:
            yield line
