"""`rebase`: what it carries over to a changed tree by itself, what it leaves to a person."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bughunt.author.patchfile import style_of
from bughunt.author.rebase import Edition, Refitted, rebase, rebase_repository
from bughunt.errors import BughuntError
from bughunt.workspace.git import run_git

SOURCE = '''\
"""Sums."""


def total(numbers):
    result = 0
    for number in numbers:
        result += number
    return result


def mean(numbers):
    count = len(numbers)
    return total(numbers) / count
'''

BUG = """\
--- a/lib/sums.py
+++ b/lib/sums.py
@@ -4,7 +4,7 @@
 def total(numbers):
     result = 0
     for number in numbers:
-        result += number
+        result = number
     return result
"""
BUG += " \n \n"

FIX = """\
Uses the language's own sum.

--- a/lib/sums.py
+++ b/lib/sums.py
@@ -4,5 +4,2 @@
 def total(numbers):
-    result = 0
-    for number in numbers:
-        result = number
-    return result
+    return sum(numbers)
"""

# No context: told only by its place in the file.
BARE_FIX = """\
The mean is repaired, too.

--- a/lib/sums.py
+++ b/lib/sums.py
@@ -7 +7 @@
-        result = number
+        result += number
@@ -11,0 +12 @@
+    assert numbers
"""


class Author:
    """A repository of a tree and a bug with two fixes, all committed, and its files at hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "nanochat/lib/sums.py"
        self.bug = folder / "challenges/level1/sums/bug.patch"
        self.fix = folder / "challenges/level1/sums/fixes/accept-sum.patch"
        self.bare = folder / "challenges/level1/sums/fixes/accept-bare.patch"
        for path, text in ((self.source, SOURCE), (self.bug, BUG), (self.fix, FIX), (self.bare, BARE_FIX)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run_git(folder, "init", "--quiet")
        self.commit()

    def commit(self) -> None:
        run_git(self.folder, "add", ".")
        identity = ("-c", "user.name=an author", "-c", "user.email=author@localhost")
        run_git(self.folder, *identity, "commit", "--quiet", "-m", "as it is")

    def edit(self, before: str, after: str) -> None:
        text = self.source.read_text()
        assert text.count(before) == 1
        self.source.write_text(text.replace(before, after))

    def rebase(self, revision: str = "HEAD", *, write: bool = True) -> dict[str, Refitted]:
        return {result.patch.name: result for result in rebase_repository(self.folder, revision, write=write)}

    def patched(self, *patches: Path) -> str:
        """The source in the working folder with patches, by a git that allows no fuzz."""
        target = self.folder / "patched" / "lib"
        target.mkdir(parents=True, exist_ok=True)
        (target / "sums.py").write_text(self.source.read_text())
        for patch in patches:
            command = ["git", "apply", "--unidiff-zero", str(patch)]
            subprocess.run(command, cwd=target.parent, env={"GIT_DIR": "/nowhere"}, check=True)
        return (target / "sums.py").read_text()


@pytest.fixture
def author(tmp_path: Path) -> Author:
    return Author(tmp_path)


def outcomes(results: dict[str, Refitted]) -> dict[str, str]:
    return {name: result.outcome for name, result in results.items()}


ALL = ("bug.patch", "accept-bare.patch", "accept-sum.patch")


def test_a_tree_that_has_not_changed(author: Author) -> None:
    assert outcomes(author.rebase()) == dict.fromkeys(ALL, "unchanged")
    assert (author.bug.read_text(), author.fix.read_text()) == (BUG, FIX)


def test_moved_lines(author: Author) -> None:
    author.edit('"""Sums."""\n', '"""Sums and means."""\n\nZERO = 0\nONE = 1\n')
    assert outcomes(author.rebase()) == dict.fromkeys(ALL, "refitted")
    assert "@@ -7,7 +7,7 @@" in author.bug.read_text()
    clean = author.source.read_text()
    broken = clean.replace("result += number", "result = number")
    assert author.patched(author.bug) == broken
    repaired = clean.replace("def mean(numbers):\n", "def mean(numbers):\n    assert numbers\n")
    assert author.patched(author.bug, author.bare) == repaired


def test_a_patch_without_context_stays_one(author: Author) -> None:
    author.edit('"""Sums."""\n', '"""Sums and means."""\n\n')
    author.rebase()
    assert author.bare.read_text() == BARE_FIX.replace("-7 +7", "-8 +8").replace("-11,0 +12", "-12,0 +13")


def test_what_a_fix_says_of_itself_stays(author: Author) -> None:
    author.edit('"""Sums."""\n', '"""Sums."""\n\n')
    author.rebase()
    assert author.fix.read_text().startswith("Uses the language's own sum.\n\n--- a/lib/sums.py\n")


def test_a_variable_renamed_beside_it(author: Author) -> None:
    author.edit("def total(numbers):", "def total(values):")
    author.edit("    for number in numbers:", "    for number in values:")
    results = author.rebase()
    assert results["bug.patch"].outcome == "refitted"
    assert results["bug.patch"].reason == "the tree has changed right beside it, in lib/sums.py"
    assert author.patched(author.bug) == author.source.read_text().replace("result += ", "result = ")


def test_a_comment_put_above_it(author: Author) -> None:
    author.edit("        result +=", "        # one more\n        result +=")
    assert author.rebase()["bug.patch"].outcome == "refitted"
    assert "        # one more\n        result = number\n" in author.patched(author.bug)


def test_a_conflict_is_named(author: Author) -> None:
    author.edit("result += number", "result = result + number")
    results = author.rebase()
    assert outcomes(results) == dict.fromkeys(ALL, "needs a hand")
    named = results["bug.patch"]
    assert named.file == "lib/sums.py"
    assert named.reason == "the tree has changed where it does (line 7 of the old file)"
    assert named.hunk == "        result += number\n"
    assert results["accept-sum.patch"].reason == "its bug.patch needs one first"
    assert author.bug.read_text() == BUG


def test_a_conflict_of_a_fix_alone(author: Author) -> None:
    author.edit("    result = 0\n", "    result = 0.0\n")
    results = author.rebase()
    assert outcomes(results) == {
        "bug.patch": "refitted",
        "accept-bare.patch": "unchanged",
        "accept-sum.patch": "needs a hand",
    }
    assert author.fix.read_text() == FIX


def test_two_insertions_in_one_place(author: Author) -> None:
    author.edit("    count = len", "    numbers = list(numbers)\n    count = len")
    assert author.rebase()["accept-bare.patch"].outcome == "needs a hand"


def test_a_change_that_the_tree_has_made_itself(author: Author) -> None:
    author.edit("result += number", "result = number")
    assert author.rebase()["bug.patch"].outcome == "needs a hand"


def test_what_would_be_no_python(author: Author) -> None:
    author.source.write_text(
        SOURCE.replace("    count", "  count").replace("    return total", "  return total")
    )
    named = author.rebase()["accept-bare.patch"]
    assert (named.outcome, named.reason) == ("needs a hand", "what comes of it is not Python")


def test_a_dry_run_writes_nothing(author: Author) -> None:
    author.edit('"""Sums."""\n', '"""Sums."""\n\n')
    before = {path: path.read_bytes() for path in author.folder.rglob("*") if path.is_file()}
    assert outcomes(author.rebase(write=False)) == dict.fromkeys(ALL, "refitted")
    assert {path: path.read_bytes() for path in author.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("committed", [False, True])
def test_a_second_run(author: Author, committed: bool) -> None:
    author.edit('"""Sums."""\n', '"""Sums."""\n\n')
    author.rebase()
    texts = [path.read_text() for path in (author.bug, author.fix, author.bare)]
    if committed:
        author.commit()
    assert outcomes(author.rebase()) == dict.fromkeys(ALL, "unchanged")
    assert [path.read_text() for path in (author.bug, author.fix, author.bare)] == texts


def test_a_third_run_after_another_edit(author: Author) -> None:
    """What was refitted and not yet committed is carried over from what was committed."""
    for _ in range(2):
        author.edit('"""Sums."""\n', '"""Sums."""\n\n')
        assert outcomes(author.rebase()) == dict.fromkeys(ALL, "refitted")
    assert author.patched(author.bug) == author.source.read_text().replace("result += ", "result = ")


def test_a_patch_edited_by_hand_counts_as_it_is(author: Author) -> None:
    author.edit("result += number", "result = result + number")
    author.bug.write_text(BUG.replace("-        result += number", "-        result = result + number"))
    results = author.rebase()
    assert results["bug.patch"].outcome == "unchanged"
    assert author.patched(author.bug) == author.source.read_text().replace("result + number", "number")


def test_a_conflict_resolved_by_hand(author: Author) -> None:
    """Its lines are what they were: only their place had to be found by somebody."""
    patch = """\
Prints it.

--- a/lib/sums.py
+++ b/lib/sums.py
@@ -7,2 +7,3 @@
         result = number
+    print(result)
     return result
"""
    author.fix.write_text(patch)
    author.commit()
    author.edit("    return result\n", "    # at last\n    return result\n")
    assert author.rebase()["accept-sum.patch"].outcome == "needs a hand"
    author.fix.write_text(patch.replace("     return result", "     # at last"))
    assert author.rebase()["accept-sum.patch"].outcome == "unchanged"


def test_a_new_patch_that_does_not_fit(author: Author) -> None:
    new = author.fix.with_name("reject-new.patch")
    new.write_text(FIX.replace("        result = number", "        result = one"))
    named = author.rebase()["reject-new.patch"]
    assert (named.outcome, named.reason) == ("needs a hand", "it does not fit the new tree")
    assert named.hunk.startswith("@@ -4,5 +4,2 @@")


def test_an_older_revision(author: Author) -> None:
    author.edit('"""Sums."""\n', '"""Sums."""\n\n')
    author.commit()
    assert outcomes(author.rebase(write=False))["bug.patch"] == "unchanged"
    assert outcomes(author.rebase("HEAD~1"))["bug.patch"] == "refitted"
    assert author.patched(author.bug) == author.source.read_text().replace("result += ", "result = ")


def test_a_revision_that_there_is_not(author: Author) -> None:
    with pytest.raises(BughuntError, match="no-such"):
        author.rebase("no-such")


def test_within_another_repository(author: Author) -> None:
    """There `git apply` would succeed and change nothing."""
    inner = author.folder / "inner"
    before = Edition(inner / "old", author.bug.parents[2])
    after = Edition(inner / "new", author.bug.parents[2])
    for edition, text in ((before, SOURCE), (after, "\n" + SOURCE)):
        (edition.tree / "lib").mkdir(parents=True)
        (edition.tree / "lib/sums.py").write_text(text)
    results = rebase(before, after, write=False)
    assert {result.outcome for result in results} == {"refitted"}


def test_nothing_of_the_callers_git_has_a_say(author: Author, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(author.folder / "nowhere"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "diff.noprefix")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    author.edit('"""Sums."""\n', '"""Sums."""\n\n')
    assert outcomes(author.rebase()) == dict.fromkeys(ALL, "refitted")


def test_git_wants_a_whole_path() -> None:
    with pytest.raises(ValueError, match="absolute"):
        run_git(Path("nowhere"), "status")


TWO_IN_ONE_HUNK = """\
--- a/lib/sums.py
+++ b/lib/sums.py
@@ -4,9 +4,7 @@
 def total(numbers):
-    result = 0
     for number in numbers:
         result += number
     return result
-def mean(numbers):
+def average(numbers):
     count = len(numbers)
"""


@pytest.mark.parametrize(("patch", "context"), [(BUG, 3), (BARE_FIX, 0), (FIX, 1), (TWO_IN_ONE_HUNK, 1)])
def test_the_context_of_a_patch(patch: str, context: int) -> None:
    """The lines around its changes: between two of one hunk there may be more."""
    assert style_of(patch).context == context
