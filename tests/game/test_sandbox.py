"""`check --sandbox`: honest code is judged as without. What hostile code reaches: see tests/hostile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.judge import Judge
from bughunt.measure.measurer import Measurer
from bughunt.measure.outcomes import Limits, Measurement
from bughunt.measure.sandbox import WAYS, Way, is_closed_to, lacking, trouble_with, way
from bughunt.workspace.injection import inject

BUG = load_catalog().bug("1.1")


pytestmark = pytest.mark.skipif(lacking() is not None, reason=f"no sandbox here: {lacking()}")


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


def test_servers_of_workspaces_that_are_done_with_do_not_pile_up(tmp_path: Path) -> None:
    measure = tmp_path / "measure.py"
    measure.write_text("import os\ndef measure(inputs):\n    return os.path.exists(inputs)\n")
    workspaces = [tmp_path / f"level{number}" for number in range(5)]
    with Measurer(confinement=way() or "none") as measuring:
        for workspace in workspaces:
            workspace.mkdir()
            (workspace / "here").touch()
            outcome = measuring.measure(measure, workspace, str(workspace / "here"), [], Limits())
            assert isinstance(outcome, Measurement) and outcome.data is True
        assert [key for key, _ in measuring._servers] == [str(one) for one in workspaces[-3:]]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reaches folders of others at all")
def test_a_folder_that_is_closed_to_root_without_its_powers_is_known(tmp_path: Path) -> None:
    open_, closed = tmp_path / "open", tmp_path / "closed"
    for folder, mode in ((open_, 0o755), (closed, 0o700)):
        (folder / "level1").mkdir(parents=True)
        os.chown(folder, 65534, 65534)
        folder.chmod(mode)
    assert is_closed_to(closed / "level1")
    assert not is_closed_to(open_ / "level1")
