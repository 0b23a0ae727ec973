"""Patches applied in memory come out as git would have it, also where the code around them has changed."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.errors import BughuntError
from bughunt.workspace.patches import apply_patch, patched

EVERY_BUG = [bug for level in load_catalog().levels for bug in level.bugs]


def as_git_does(texts: dict[str, bytes], patch: Path, folder: Path) -> dict[str, bytes] | None:
    for file, text in texts.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(text)
    options = ("-C0", "--unidiff-zero", "--whitespace=nowarn")
    done = subprocess.run(
        ["git", "apply", *options, str(patch)], cwd=folder, capture_output=True, check=False
    )
    return {file: (folder / file).read_bytes() for file in texts} if done.returncode == 0 else None


def in_memory(texts: dict[str, bytes], patch: Path) -> dict[str, bytes] | None:
    try:
        return patched(texts, patch)
    except BughuntError:
        return None


def disturbed(text: bytes, rng: random.Random) -> bytes:
    """Lines put in, repeated elsewhere, and changed; the last one without its end, sometimes."""
    lines = text.split(b"\n")
    for _ in range(rng.randrange(30)):
        at = rng.randrange(len(lines))
        match rng.randrange(3):
            case 0:
                lines.insert(at, b"# put in")
            case 1:
                lines.insert(rng.randrange(len(lines)), lines[at])
            case _:
                lines[at] += b" "
    return b"\n".join(lines).rstrip(b"\n") if rng.random() < 0.2 else b"\n".join(lines)


@pytest.mark.parametrize("bug", EVERY_BUG, ids=lambda bug: bug.id)
def test_as_git_does(bug: Bug, tmp_path: Path, new_seeds: Callable[[int], list[int]]) -> None:
    clean = {file: (tree_folder() / file).read_bytes() for file in bug.files}
    with_bug = patched(clean, bug.patch)
    assert with_bug == as_git_does(clean, bug.patch, tmp_path / "bug")
    fixes = sorted((bug.folder / "fixes").glob("*.patch"))
    for seed in new_seeds(8):
        rng = random.Random(seed)
        patch, texts = rng.choice([(bug.patch, clean), (rng.choice(fixes), with_bug)])
        around = {file: disturbed(text, rng) for file, text in texts.items()}
        if any(not (tree_folder() / file).is_file() or file not in around for file in _files(patch)):
            continue
        assert in_memory(around, patch) == as_git_does(around, patch, tmp_path / str(seed)), patch


def test_to_the_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"one\ntwo\n")
    (tmp_path / "it.patch").write_bytes(b"--- a/a.py\n+++ b/a.py\n@@ -2 +2 @@\n-two\n+three\n")
    apply_patch(tmp_path, tmp_path / "it.patch")
    assert (tmp_path / "a.py").read_bytes() == b"one\nthree\n"
    with pytest.raises(BughuntError, match=r"could not apply it\.patch"):
        apply_patch(tmp_path, tmp_path / "it.patch")
    assert (tmp_path / "a.py").read_bytes() == b"one\nthree\n"


def _files(patch: Path) -> list[str]:
    lines = patch.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ b/")]
