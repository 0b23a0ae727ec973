"""`check --sandbox`: honest code is judged as without. What hostile code reaches: see tests/hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.judge import Judge
from bughunt.measure.measurer import Measurer
from bughunt.measure.sandbox import WAYS, Way, lacking, trouble_with
from bughunt.workspace.injection import inject

BUG = load_catalog().bug("1.1")


@pytest.mark.skipif(lacking() is not None, reason=f"no sandbox here: {lacking()}")
@pytest.mark.parametrize("mode", ["fork", "fresh"])
@pytest.mark.parametrize("way", WAYS)
def test_honest_code_is_judged_as_without(tmp_path: Path, way: Way, mode: str) -> None:
    if trouble := trouble_with(way):
        pytest.skip(trouble)
    tree = tmp_path / "tree"
    inject(tree, [])
    tokenizer = tree / "nanochat/tokenizer.py"
    tokenizer.write_text(f"{tokenizer.read_text()}\nopen('note.txt', 'w').write('in the scratch folder')\n")
    inject(tmp_path / "broken", [BUG])
    with Judge(tree_folder(), Measurer(mode, confinement=way, hidden=own_folders())) as judge:
        assert judge.judge(BUG, tree, 1).kind == "fixed"
        assert judge.judge(BUG, tmp_path / "broken", 1).kind == "broken"
