"""`docs/json.md` and what is printed under `--json` are held together: every document against its schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import Player, Ran
from jsonschema import Draft202012Validator

from bughunt import __version__
from bughunt.author.contract.breaking import Findings
from bughunt.author.mutation.mutant import Edit, Mutant
from bughunt.author.mutation.report import Judged, Report
from bughunt.content.breaks import Breaks
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.hunt import doctor
from bughunt.hunt.doctor import Finding
from bughunt.screens import contract, mutation
from bughunt.workspace.git import run_git

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
DEFS = json.loads(re.search(r"```json defs\n(.*?)```", DOCS, re.DOTALL)[1])  # type: ignore[index]
LEVEL = load_catalog().levels[0]


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each document by its name: that of its section, and what every document has."""
    found = {}
    for name, text in re.findall(r"^## `(bughunt\.\w+/\d+)`\n.*?```json schema\n(.*?)```", DOCS, re.M | re.S):
        schema = json.loads(text)
        always = {"schema": {"const": name}, "version": {"const": __version__}}
        notices = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        found[name] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": DEFS,
            "type": "object",
            "additionalProperties": False,
            **schema,
            "required": [*always, *schema["required"]],
            "properties": always | schema["properties"] | {"notices": notices},
        }
    return found


SCHEMAS = schemas()


class Reader:
    """Runs commands with `--json` and holds each document against its schema."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.keys: dict[str, set[str]] = {}

    def read(self, *arguments: str, code: int = 0) -> Any:
        ran = self.player.run(*arguments, "--json")
        assert ran.code == code, ran
        return self.hold(ran)

    def hold(self, ran: Ran) -> Any:
        return self.take(ran.document)

    def take(self, document: dict[str, Any]) -> Any:
        Draft202012Validator(
            SCHEMAS[document["schema"]], format_checker=Draft202012Validator.FORMAT_CHECKER
        ).validate(document)
        self.keys.setdefault(document["schema"], set()).update(document)
        return document


@pytest.fixture
def reader(player: Player) -> Reader:
    return Reader(player)


def test_every_schema_is_one() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_every_document_is_as_described_and_every_description_is_met(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = reader.player
    reader.read("status", code=2)
    reader.read("levels")
    reader.read("start", "level1")
    reader.read("start", "level1")
    reader.read("status")
    reader.read("hint")
    reader.read("hint", "--again")
    for bug in LEVEL.bugs:
        reader.read("probe", bug.id)
    reader.read("solution", "1.3", code=1)
    reader.read("solution", "1.3")
    reader.read("check", code=1)
    (player.workspace / LEVEL.bugs[0].files[0]).write_text("def broken(:\n")
    reader.read("probe", "1.1", code=1)
    reader.read("check", "1.1", code=1)
    reader.read("reset", "1.1")
    reader.read("restore", "--list")
    reader.read("restore")
    reader.read("reset")
    (player.workspace / "note.txt").write_text("mine")
    assert reader.read("start", "level1", "--fresh")["set_aside"]
    for bug in LEVEL.bugs:
        player.repair(bug, tmp_path)
    assert reader.read("check")["completed"]
    reader.read("status")
    reader.read("levels")
    reader.read("hint")
    reader.read("probe")
    assert reader.read("solution", "1.1")["free"]
    reader.read("debrief")
    findings = [Finding("git", True, "there"), Finding("torch", False, "not installed", "install it")]
    monkeypatch.setattr(doctor, "examine", lambda *_, **__: (one for one in findings))
    reader.read("doctor", code=3)
    read_rebase(reader, tmp_path / "checkout")
    take_those_of_the_contract(reader)
    described = {name: set(schema["properties"]) - {"notices"} for name, schema in SCHEMAS.items()}
    assert reader.keys == described


def test_what_became_of_the_hunt_stands_in_the_document(reader: Reader) -> None:
    reader.read("start", "level1")
    reader.read("hint")
    log = reader.player.folder / ".bughunt" / "log.jsonl"
    log.write_text(log.read_text().replace('"number":1', '"number":2'))
    reader.read("hint")
    [notice] = reader.read("status")["notices"]
    assert "changed or taken out" in notice
    assert reader.read("debrief")["notices"] == [notice]
    assert reader.read("reset", "2.1", code=2)["notices"] == [notice], "an error says it, too"
    page = reader.player.folder / "report.html"
    assert reader.player.run("debrief", "--save", str(page)).code == 0
    assert "changed or taken out" in page.read_text()


def read_rebase(reader: Reader, checkout: Path) -> None:
    """In a checkout of a tree and one patch, before and after a line that it changes was changed."""
    files = {
        "nanochat/sums.py": "def one():\n    return 1\n",
        "challenges/level1/sums/bug.patch": "--- a/sums.py\n+++ b/sums.py\n@@ -1,2 +1,2 @@\n def one():\n"
        "-    return 1\n+    return 2\n",
    }
    for name, text in files.items():
        (checkout / name).parent.mkdir(parents=True)
        (checkout / name).write_text(text)
    run_git(checkout, "init", "--quiet")
    run_git(checkout, "add", ".")
    run_git(checkout, "commit", "--quiet", "-m", "as it is")

    def read(code: int) -> Any:
        ran = reader.player.run("dev", "rebase", "--dry-run", "--json", where=checkout)
        assert ran.code == code, ran
        return reader.hold(ran)

    assert [patch["outcome"] for patch in read(0)["patches"]] == ["unchanged"]
    (checkout / "nanochat/sums.py").write_text("def one():\n    return 3\n")
    assert [patch["outcome"] for patch in read(1)["patches"]] == ["needs a hand"]


def take_those_of_the_contract(reader: Reader) -> None:
    """One clause asked of the clean tree; what takes minutes is made up."""
    asked = ("dev", "contract", tree_folder().name, "--clause", "model-logits", "--json")
    ran = reader.player.run(*asked, where=tree_folder().parent)
    assert ran.code == 0, ran
    reader.hold(ran)
    found = Findings(Breaks({}, {}, {"1.1": ("a",)}, {"b": ("a",)}), furthest={"a": 0.5}, faults=["none"])
    reader.take(contract.breaks_document(found))
    mutant = Mutant("a.py", "f", "argument left out", 1, "f(1)", "f()", 0, Edit(0, 1, "f"), "cuda")
    judged = [
        Judged(mutant, outcome, "--- a", {"clause": "1"}, reached=True)
        for outcome in ("killed", "survived", "equivalent", "stillborn")
    ]
    reader.take(mutation.mutation_document(Report(judged, 3, ["a.py"], {"clause": "it hangs"})))


FAILING = (
    *(["hint"], ["probe"], ["check"], ["reset"], ["restore"], ["restore", "--list"], ["status"]),
    *(["solution", "1.1"], ["debrief"], ["start", "level99"], ["hint", "--bogus"], ["solution"]),
    *(["check", "--seed", "x"], ["nonsense"]),
)


@pytest.mark.parametrize("command", FAILING, ids=" ".join)
def test_an_error_is_a_document_and_nothing_else_is_said(command: list[str], reader: Reader) -> None:
    ran = reader.player.run(*command, "--json")
    assert ran.code == 2
    document = reader.hold(ran)
    assert document["schema"] == "bughunt.error/1"
    assert document["error"]["code"] == 2
    assert document["error"]["step"]
    assert ran.err == ""


def test_an_interruption_is_a_document(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    reader.read("start", "level1")
    monkeypatch.setattr("bughunt.hunt.hunt.Hunt.check", interrupt)
    ran = reader.player.run("check", "--json")
    assert ran.code == 130
    assert reader.hold(ran)["error"]["code"] == 130
