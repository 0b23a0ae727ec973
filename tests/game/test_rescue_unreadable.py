"""What cannot be read cannot be kept, and so stops a reset."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from editing import TOKENIZER, edit, tree_of

from bughunt.hunt.hunt import Hunt

_AS_NOBODY = """
import os, sys
from pathlib import Path
from bughunt.errors import BughuntError
from bughunt.content.catalog import Catalog, load_catalog
from bughunt.hunt.hunt import Hunt
import bughunt.workspace.workspace, bughunt.workspace.rescue, bughunt.workspace.injection
import encodings.idna, encodings.latin_1
hunt = Hunt(Path(sys.argv[1]), Catalog((load_catalog().level("1"),)))
for folder in (hunt.folder, *hunt.folder.rglob("*")):
    if not folder.is_symlink(): os.chown(folder, 65534, 65534)
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
target = hunt.folder / "level1" / sys.argv[2]
target.chmod(0)
try:
    hunt.reset(hunt.reset_plan(None))
except BughuntError as error:
    print(error.message)
finally:
    target.chmod(0o755)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another thing on Windows")
@pytest.mark.parametrize("name", [TOKENIZER, "nanochat"])
def test_what_cannot_be_read_stops_the_reset(name: str, hunt: Hunt, workspace: Path, tmp_path: Path) -> None:
    """As somebody who is not root: root reads everything."""
    edit(workspace)
    (workspace / "mine.txt").write_text("mine")
    mine = tree_of(workspace)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o755)
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(hunt.folder), name],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Permission denied" in done.stderr and "Traceback" in done.stderr:
        pytest.skip("the other user cannot read this Python installation")
    assert "Permission denied" in done.stdout, done.stderr
    assert str(workspace / name) in done.stdout
    assert tree_of(workspace) == mine
    assert not (hunt.folder / ".bughunt" / "level1.overwriting").exists()
