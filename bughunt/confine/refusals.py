"""Which system calls a held process is refused, and why."""

from __future__ import annotations

import errno
import os
import socket

from bughunt.confine import landlock
from bughunt.confine.seccomp import Argument, Rule

_PERM, _NOSYS = errno.EPERM, errno.ENOSYS

_NEW_USER_NAMESPACE = 0x10000000
_PRIORITY_OF_PROCESS, _IO_PRIORITY_OF_PROCESS = 0, 1
_SOCKET_KIND = 0xF
_MAKES_A_FILE, _TEMPORARY_FILE = 0o100, 0o20000000
_SET_USER_OR_GROUP_ID = 0o6000
# Leases, and which process is to be signalled for a file.
_FILE_OWNERS = (8, 10, 15, 1024)
# The same by ioctl, and text typed into a terminal in the player's place.
_COMMANDS = (0x8901, 0x8902, 0x5412, 0x541C)
# The commands of file systems, by their kinds: by a descriptor that only reads they change a file's flags
# and its generation, seal or encrypt it, or make a subvolume. A program takes ENOTTY for an answer.
_OF_FILE_SYSTEMS, _KIND = (0x6600, 0x7600, 0x5800, 0x9400), 0xFF00

# Reading, writing and steering other processes, whatever they are.
_INTO_OTHERS = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "pidfd_getfd",
    "kcmp", "move_pages", "migrate_pages",
)  # fmt: skip

# Limits and shares of the processor: of the process named first.
_OF_ONE_PROCESS = ("prlimit64", "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler")

# Memory, queues and keys that outlive a process, or are shared by a name.
_SHARED_BY_NAME = (
    "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd",
    "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify",
    "mq_getsetattr", "add_key", "request_key", "keyctl", "memfd_secret",
)  # fmt: skip

# Another view of the machine, and the machine itself.
_NAMESPACES_AND_MOUNTS = (
    "unshare", "setns", "mount", "umount2", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "pivot_root", "chroot",
)  # fmt: skip
_MACHINE = (
    "bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "reboot", "lookup_dcookie", "personality", "swapon", "swapoff", "acct", "quotactl",
    "quotactl_fd", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname",
    "setdomainname", "iopl", "ioperm", "vhangup", "name_to_handle_at", "open_by_handle_at", "fanotify_init",
)  # fmt: skip

# What can be said in a way that this filter cannot look into: a program then says it in the older way.
_UNSEEN = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_create")

# Modes, owners, times and attributes, which Landlock does not guard. Honest programs set them when they copy
# a file, and do without: so nothing fails, and nothing is done.
_ATTRIBUTES = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes",
    "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr",
    "lremovexattr", "fremovexattr", "removexattrat", "file_setattr",
)  # fmt: skip


def rules() -> list[Rule]:
    """For this process and what it will start: it leads a process group of its own."""
    own = os.getpid()
    others = (0, own)
    refused = [
        Rule((*_INTO_OTHERS, *_SHARED_BY_NAME, *_NAMESPACES_AND_MOUNTS, *_MACHINE), _PERM),
        Rule(_UNSEEN, _NOSYS),
        Rule(_ATTRIBUTES, 0),
        Rule(("clone",), _PERM, (Argument(0, "any bit", (_NEW_USER_NAMESPACE,)),)),
        Rule(_OF_ONE_PROCESS, _PERM, (Argument(0, "none of", others),)),
        Rule(("setpriority",), _PERM, (Argument(0, "none of", (_PRIORITY_OF_PROCESS,)),)),
        Rule(("ioprio_set",), _PERM, (Argument(0, "none of", (_IO_PRIORITY_OF_PROCESS,)),)),
        Rule(("setpriority", "ioprio_set"), _PERM, (Argument(1, "none of", others),)),
        Rule(("fcntl",), _PERM, (Argument(1, "one of", _FILE_OWNERS),)),
        Rule(("ioctl",), _PERM, (Argument(1, "one of", _COMMANDS),)),
        Rule(("ioctl",), errno.ENOTTY, (Argument(1, "one of", _OF_FILE_SYSTEMS, mask=_KIND),)),
        *_sockets(),
        *_set_user_id_files(),
    ]  # fmt: skip
    if landlock.version() < landlock.KEEPS_FILES_SINCE:
        refused.append(Rule(("truncate",), _PERM))
    if landlock.version() < landlock.KEEPS_PROCESSES_SINCE:
        refused += _signals(own)
    return refused


def _sockets() -> list[Rule]:
    """Only the network's: a Unix socket leads to any program of the same user that listens on one.

    Pairs of connected streams are for talking to oneself; a datagram socket of a pair could be led elsewhere.
    """
    network = (socket.AF_INET, socket.AF_INET6)
    netlink = 16
    return [
        Rule(("socket",), errno.EACCES, (Argument(0, "none of", (*network, netlink)),)),
        Rule(("socket",), errno.EACCES, (Argument(0, "one of", (netlink,)), Argument(2, "none of", (0,)))),
        Rule(
            ("socketpair",), errno.EACCES, (Argument(1, "none of", (socket.SOCK_STREAM,), mask=_SOCKET_KIND),)
        ),
    ]


def _set_user_id_files() -> list[Rule]:
    def makes(index: int) -> Argument:
        return Argument(index, "any bit", (_MAKES_A_FILE | _TEMPORARY_FILE,))

    def set_id(index: int) -> Argument:
        return Argument(index, "any bit", (_SET_USER_OR_GROUP_ID,))

    return [
        Rule(("open",), _PERM, (makes(1), set_id(2))),
        Rule(("openat",), _PERM, (makes(2), set_id(3))),
        Rule(("creat", "mknod", "mkdir"), _PERM, (set_id(1),)),
        Rule(("mknodat", "mkdirat"), _PERM, (set_id(2),)),
    ]


def _signals(own: int) -> list[Rule]:
    """Where Landlock does not keep signals in: none but to itself and its group."""
    itself = Argument(0, "none of", (0, own, -own))
    calls = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
    return [Rule(calls, _PERM, (itself,)), Rule(("pidfd_send_signal",), _PERM)]
