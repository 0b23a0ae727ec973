"""`check --sandbox`: what the confined process can and cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.judge import Judge
from bughunt.measure.measurer import Measurer
from bughunt.measure.sandbox import lacking, way
from bughunt.workspace.injection import inject

BUG = load_catalog().bug("1.1")

needs_sandbox = pytest.mark.skipif(lacking() is not None, reason=f"no sandbox here: {lacking()}")


def planted(tmp_path: Path, code: str) -> Path:
    """The clean tree with `code` at the head of the tokenizer's imports."""
    tree = tmp_path / "tree"
    inject(tree, [])
    file = tree / "nanochat/tokenizer.py"
    future = "from __future__ import annotations\n"
    text = file.read_text()
    assert future in text
    file.write_text(text.replace(future, f"{future}\n{code}\n"))
    return tree


@needs_sandbox
@pytest.mark.parametrize("mode", ["fork", "fresh"])
@pytest.mark.parametrize(
    "code",
    [
        "open({outside!r}, 'w').write('gotcha')",
        "import os; os.truncate({outside!r}, 0)",
        "import os; os.unlink({outside!r})",
        "import os; os.rename({outside!r}, 'mine')",
        "import os; os.mkdir({outside!r} + '.d')",
        "import os; os.kill(os.getppid(), 9)",
        "import os; os.system('echo gotcha > ' + {outside!r}); assert open({outside!r}).read() != 'kept'",
        "import socket; socket.create_connection(('127.0.0.1', 9), 5)",
    ],
    ids=["write", "truncate", "unlink", "rename", "mkdir", "kill", "shell", "network"],
)
def test_what_reaches_outside_is_refused(tmp_path: Path, mode: str, code: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("kept")
    tree = planted(tmp_path, code.format(outside=str(outside)))
    with Judge(tree_folder(), Measurer(mode, confinement=way() or "none", hidden=own_folders())) as judge:
        assert judge.judge(BUG, tree, 1).kind == "crashed"
    assert outside.read_text() == "kept"
    assert not (tmp_path / "outside.txt.d").exists()


@needs_sandbox
@pytest.mark.parametrize("mode", ["fork", "fresh"])
def test_honest_code_is_judged_as_without(tmp_path: Path, mode: str) -> None:
    tree = planted(tmp_path, "open('note.txt', 'w').write('in the scratch folder')")
    inject(tmp_path / "broken", [BUG])
    with Judge(tree_folder(), Measurer(mode, confinement=way() or "none", hidden=own_folders())) as judge:
        assert judge.judge(BUG, tree, 1).kind == "fixed"
        assert judge.judge(BUG, tmp_path / "broken", 1).kind == "broken"
