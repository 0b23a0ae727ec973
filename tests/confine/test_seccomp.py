"""The filter for system calls: what it refuses, on every processor that it knows."""

from __future__ import annotations

import errno
import os
import signal
import socket

import pytest
from bpf import ALLOW, KILL, decide

from bughunt.confine import landlock, linux, refusals, seccomp
from bughunt.confine.seccomp import Argument, Rule
from bughunt.confine.syscalls import NUMBERS

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OTHER_PID = 1 << 20
HIGH_BITS = 1 << 32


@pytest.fixture(params=sorted(NUMBERS))
def family(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(linux, "machine", lambda: request.param)
    monkeypatch.setattr(seccomp, "machine", lambda: request.param)
    chosen: str = request.param
    return chosen


def ask(family: str, call: str, *arguments: int, rules: list[Rule] | None = None) -> str | int:
    program = seccomp.assemble(refusals.rules() if rules is None else rules)
    masked = tuple(argument & (1 << 64) - 1 for argument in arguments)
    return decide(program, ARCHITECTURES[family], NUMBERS[family][call], masked)


@pytest.mark.parametrize(
    "call", ["ptrace", "process_vm_writev", "unshare", "mount", "shmget", "keyctl", "bpf"]
)
def test_refused_whatever_the_arguments(family: str, call: str) -> None:
    assert ask(family, call) == errno.EPERM


def test_the_rest_is_allowed(family: str) -> None:
    assert ask(family, "openat", 0, 0, os.O_RDWR | os.O_CREAT, 0o644) == ALLOW
    numbers = set(NUMBERS[family].values())
    unknown = next(number for number in range(500) if number not in numbers)
    program = seccomp.assemble(refusals.rules())
    assert decide(program, ARCHITECTURES[family], unknown) == ALLOW


def test_what_cannot_be_looked_into_is_said_not_to_exist(family: str) -> None:
    assert {ask(family, call) for call in ("clone3", "openat2", "io_uring_setup")} == {errno.ENOSYS}


def test_attributes_of_files_only_seem_to_be_set(family: str) -> None:
    assert {ask(family, call) for call in ("fchmodat", "fchownat", "utimensat", "setxattr")} == {0}


def test_a_process_may_limit_itself(family: str) -> None:
    for own in (0, os.getpid(), os.getpid() | HIGH_BITS):
        assert ask(family, "prlimit64", own) == ask(family, "setpriority", 0, own) == ALLOW


@pytest.mark.parametrize("other", [OTHER_PID, OTHER_PID | HIGH_BITS, 1, -1])
def test_but_no_other(family: str, other: int) -> None:
    calls = ("prlimit64", "sched_setaffinity", "sched_setscheduler")
    assert {ask(family, call, other) for call in calls} == {errno.EPERM}
    assert ask(family, "setpriority", 0, other) == ask(family, "ioprio_set", 1, other) == errno.EPERM


@pytest.mark.parametrize("which", [os.PRIO_PGRP, os.PRIO_USER])
def test_nor_a_group_or_user(family: str, which: int) -> None:
    assert ask(family, "setpriority", which, 0) == errno.EPERM


def test_a_new_user_namespace_is_refused_and_a_new_process_is_not(family: str) -> None:
    assert ask(family, "clone", signal.SIGCHLD) == ALLOW
    assert ask(family, "clone", signal.SIGCHLD | 0x10000000) == errno.EPERM


@pytest.mark.parametrize("kind", [socket.AF_INET, socket.AF_INET6])
def test_sockets_of_the_network_are_left(family: str, kind: int) -> None:
    assert ask(family, "socket", kind, socket.SOCK_STREAM) == ALLOW


@pytest.mark.parametrize("kind", [socket.AF_UNIX, socket.AF_UNIX | HIGH_BITS, 17, 38, 40])
def test_other_sockets_are_not(family: str, kind: int) -> None:
    assert ask(family, "socket", kind, socket.SOCK_STREAM) == errno.EACCES


def test_netlink_asks_for_routes_alone(family: str) -> None:
    assert ask(family, "socket", 16, socket.SOCK_RAW, 0) == ALLOW
    assert ask(family, "socket", 16, socket.SOCK_RAW, 2) == errno.EACCES


def test_pairs_are_streams(family: str) -> None:
    stream, datagram = socket.SOCK_STREAM | socket.SOCK_CLOEXEC, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    assert ask(family, "socketpair", socket.AF_UNIX, stream) == ALLOW
    assert ask(family, "socketpair", socket.AF_UNIX, datagram) == errno.EACCES


def test_no_file_is_made_that_changes_who_runs_it(family: str) -> None:
    assert ask(family, "openat", 0, 0, os.O_CREAT, 0o4755) == errno.EPERM
    assert ask(family, "openat", 0, 0, os.O_RDONLY, 0o4755) == ALLOW  # a mode that nobody set
    assert ask(family, "mknodat", 0, 0, 0o2644) == errno.EPERM


def test_terminals_are_not_typed_into(family: str) -> None:
    assert ask(family, "ioctl", 0, 0x5412) == errno.EPERM
    assert ask(family, "ioctl", 0, 0x5413) == ALLOW


@pytest.mark.parametrize(("version", "answer"), [(5, errno.EPERM), (6, ALLOW)])
def test_signals_are_kept_in_where_landlock_does_not(
    family: str, version: int, answer: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: version)
    assert ask(family, "kill", OTHER_PID, 9) == answer
    assert ask(family, "pidfd_send_signal", 5, 9) == answer
    assert ask(family, "kill", os.getpid(), 9) == ask(family, "kill", -os.getpid(), 9) == ALLOW


def test_another_architecture_ends_the_process(family: str) -> None:
    assert decide(seccomp.assemble(refusals.rules()), 0x40000003, 20) == KILL


def test_numbers_of_the_third_kind_do_not_exist(family: str) -> None:
    assert decide(seccomp.assemble([]), ARCHITECTURES[family], 0x40000000 | 101) == errno.ENOSYS


@pytest.mark.parametrize("value", range(6))
def test_each_test_of_an_argument(family: str, value: int) -> None:
    rules = [
        Rule(("kill",), 1, (Argument(0, "one of", (1, 3)),)),
        Rule(("tkill",), 2, (Argument(0, "none of", (1, 3)),)),
        Rule(("fcntl",), 3, (Argument(0, "any bit", (0b100,)), Argument(1, "one of", (9,)))),
    ]
    assert ask(family, "kill", value, rules=rules) == (1 if value in (1, 3) else ALLOW)
    assert ask(family, "tkill", value, rules=rules) == (ALLOW if value in (1, 3) else 2)
    assert ask(family, "fcntl", value, 9, rules=rules) == (3 if value & 0b100 else ALLOW)
    assert ask(family, "fcntl", value, 8, rules=rules) == ALLOW


def test_a_processor_that_is_not_known_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "machine", lambda: None)
    with pytest.raises(OSError, match="processor"):
        seccomp.assemble([])
