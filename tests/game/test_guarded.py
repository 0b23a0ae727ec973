"""No other process of the same user reaches into the memory of one that judges."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from other_users import NOBODY, trouble_as

from bughunt.confine.kernel import forbid_tracing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has such a guard")


# Both give up what lets root trace any process; the first is one that others may trace again.
_AS_SOMEBODY = """
import ctypes, os, sys
uid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
def become():
    if os.geteuid() == 0 and uid:
        os.setgroups([]); os.setgid(uid); os.setuid(uid)
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capset(header, none) == 0
    libc.prctl(4, 1, 0, 0, 0)
"""

_JUDGING = (
    _AS_SOMEBODY
    + """
import tempfile
from bughunt.content.installed import tree_folder
import bughunt.judge.judge as judging
from bughunt.measure.measurer import Measurer
become()
if sys.argv[2] == "unguarded":
    judging.forbid_tracing = lambda: False
with judging.Judge(tree_folder()) as judge:
    print(judge.is_guarded, flush=True)
    sys.stdin.read()
"""
)

_REACHING = (
    _AS_SOMEBODY
    + """
become()
try:
    with open(f"/proc/{sys.argv[2]}/mem", "r+b", buffering=0):
        print("reached")
except PermissionError:
    print("refused")
"""
)


def reach(uid: int, judge: str) -> tuple[bool, str]:
    """Does a judge call itself guarded, and what comes of reaching for its memory as the same user?"""
    if uid == NOBODY and (trouble := trouble_as(uid)):
        pytest.skip(trouble)
    command = [sys.executable, "-c", _JUDGING, str(uid), judge]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        guarded = process.stdout.readline().strip() == "True"
        reaching = [sys.executable, "-c", _REACHING, str(uid), str(process.pid)]
        said = subprocess.run(reaching, capture_output=True, text=True, check=True).stdout.strip()
        process.communicate("")
    return guarded, said


def users() -> list[int]:
    return [0, NOBODY] if os.geteuid() == 0 else [os.geteuid()]


@pytest.mark.parametrize("uid", users())
def test_a_judge_is_out_of_reach(uid: int) -> None:
    assert reach(uid, "guarded") == (True, "refused")


@pytest.mark.parametrize("uid", users())
def test_one_without_the_guard_would_not_be(uid: int) -> None:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if scope.exists() and scope.read_text().strip() != "0":
        pytest.skip("this system keeps processes apart by itself (Yama)")
    assert reach(uid, "unguarded") == (False, "reached")


def test_a_process_says_whether_it_is_guarded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from bughunt.confine.kernel import forbid_tracing; print(forbid_tracing())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


def test_where_there_is_no_guard_none_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not forbid_tracing()
