"""The crate's own tests, and the tables it was generated with."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

CRATE = Path(__file__).parents[2] / "rustbpe"


@pytest.mark.skipif(shutil.which("cargo") is None, reason="needs cargo")
def test_the_crates_tests_pass():
    done = subprocess.run(
        ["cargo", "test", "--quiet", "--offline"], cwd=CRATE, capture_output=True, text=True, timeout=540
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_class_tables_are_what_tiktoken_says():
    pytest.importorskip("tiktoken")
    source = (CRATE / "src" / "classes.rs").read_text()
    written_for = re.search(r'TIKTOKEN_VERSION: &str = "(.+)"', source)[1]
    if version("tiktoken") != written_for:
        pytest.skip(f"the tables are of tiktoken {written_for}, installed is {version('tiktoken')}")
    script = CRATE / "tools" / "make_class_tables.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
