"""What was found out so far, kept in a file: the same command goes on where it was stopped.

state.jsonl    one JSON object a line, only ever added to; a line that is not whole is passed over
  {"tree", "clause", "digest", "runs", "seconds", "data", "failed"}    a clause on the clean tree
  {"tree", "mutant", "outcome", "killers", "asked"}                    a mutant; both by clause and its digest

What was found on another tree, or by a clause that asks something else by now, does not count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True)
class Finding:
    """What became of a mutant: `killers` are the clauses that noticed it, each with what; `asked` are all
    that were asked."""

    outcome: str
    killers: Mapping[str, str]
    asked: frozenset[str]


class State:
    """The findings on one tree. `digests` are those of the clauses as they are now."""

    def __init__(self, path: Path, tree: str, digests: Mapping[str, str]) -> None:
        self._path = path
        self._tree = tree
        self._digests = digests
        self._file: IO[str] | None = None
        self._findings: dict[str, Finding] = {}
        self._clauses: dict[str, dict[str, Any]] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            self._take(line)

    def clause(self, slug: str) -> dict[str, Any] | None:
        """What a clause measured on the clean tree."""
        return self._clauses.get(slug)

    def finding(self, mutant: str) -> Finding | None:
        return self._findings.get(mutant)

    def left_to_ask(self, mutant: str, clauses: Sequence[str], *, to_the_end: bool) -> list[str] | None:
        """Which of the clauses are still to be asked about a mutant; None when it is done with."""
        found = self._findings.get(mutant)
        if found is None:
            return list(clauses)
        if found.outcome == "stillborn" or (found.killers and not to_the_end):
            return None
        return [slug for slug in clauses if slug not in found.asked] or None

    def add_clause(self, slug: str, answer: Mapping[str, Any]) -> None:
        known = {key: answer[key] for key in ("runs", "seconds", "data", "failed")}
        self._add({"clause": slug, "digest": self._digests[slug], **known})

    def add_finding(self, mutant: str, answer: Mapping[str, Any]) -> None:
        killers = [[slug, self._digests.get(slug, ""), noticed] for slug, noticed in answer["killers"]]
        asked = {slug: self._digests[slug] for slug in answer["asked"]}
        self._add({"mutant": mutant, "outcome": answer["outcome"], "killers": killers, "asked": asked})

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _add(self, record: dict[str, Any]) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b", buffering=0)  # type: ignore[assignment]
            _end_last_line(self._path, self._file)
        line = json.dumps({"tree": self._tree, **record})
        os.write(self._file.fileno(), f"{line}\n".encode())  # type: ignore[union-attr]
        self._take(line)

    def _take(self, line: str) -> None:
        try:
            record = json.loads(line)
            if record["tree"] != self._tree:
                return
            if "clause" in record:
                if self._digests.get(record["clause"]) == record["digest"]:
                    self._clauses[record["clause"]] = record
            else:
                self._take_finding(record)
        except (ValueError, KeyError, TypeError):
            return

    def _take_finding(self, record: dict[str, Any]) -> None:
        asked = {slug for slug, digest in record["asked"].items() if self._digests.get(slug) == digest}
        killers = {slug: noticed for slug, digest, noticed in record["killers"] if slug in asked or not slug}
        before = self._findings.get(record["mutant"])
        if before is not None:
            asked |= before.asked
            killers = {**before.killers, **killers}
        outcome = record["outcome"]
        if outcome != "stillborn":
            outcome = "killed" if killers else "survived"
            if not asked and record["asked"]:
                return
        self._findings[record["mutant"]] = Finding(outcome, killers, frozenset(asked))


def _end_last_line(path: Path, file: Any) -> None:
    """What was cut off in the middle of a line does not spoil the next one."""
    if path.stat().st_size:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
