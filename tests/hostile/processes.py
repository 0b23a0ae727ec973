"""Programs that reach for processes which they did not start."""

from __future__ import annotations

from bystander import ENDED, ENVIRONMENT, LIMITS, MEMORY, SHARE, TRACED
from case import refused, told

ENDING_OTHERS = (
    refused("kill of a process outside", ENDED, "os.kill(T['pid'], signal.SIGKILL)"),
    refused("kill of a process group outside", ENDED, "os.killpg(T['pid'], signal.SIGKILL)"),
    refused("SIGSTOP to a process outside", ENDED, "os.kill(T['pid'], signal.SIGSTOP)"),
    refused("tgkill of a process outside", ENDED, "call('tgkill', T['pid'], T['pid'], 9)"),
    refused("tkill of a process outside", ENDED, "call('tkill', T['pid'], 9)"),
    refused(
        "tgkill with bits set that the kernel does not look at",
        ENDED,
        """
        pid = ctypes.c_ulong(T["pid"] | 7 << 32)
        call("tgkill", pid, pid, ctypes.c_long(9))
        """,
    ),
    refused(
        "pidfd_send_signal to a process outside",
        ENDED,
        "signal.pidfd_send_signal(os.pidfd_open(T['pid']), signal.SIGKILL)",
    ),
    refused(
        "rt_sigqueueinfo to a process outside",
        ENDED,
        "call('rt_sigqueueinfo', T['pid'], 9, struct.pack('iii116x', 9, 0, -1))",
    ),
    refused(
        "a signal for input, by F_SETOWN",
        ENDED,
        """
        reading, writing = os.pipe()
        fcntl.fcntl(reading, 8, T["pid"])
        fcntl.fcntl(reading, 10, 9)
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(writing, b"!")
        """,
    ),
    refused(
        "a signal for input, by F_SETOWN_EX",
        ENDED,
        """
        reading, writing = os.pipe()
        fcntl.fcntl(reading, 15, struct.pack("ii", 1, T["pid"]))
        fcntl.fcntl(reading, 10, 9)
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(writing, b"!")
        """,
    ),
    refused(
        "a signal for input, by FIOSETOWN",
        ENDED,
        """
        one, other = socket.socketpair()
        fcntl.ioctl(one, 0x8901, struct.pack("i", T["pid"]))
        fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        other.send(b"!")
        """,
    ),
)

STEERING_OTHERS = (
    refused(
        "prlimit of a process outside", LIMITS, "resource.prlimit(T['pid'], resource.RLIMIT_NOFILE, (64, 64))"
    ),
    refused(
        "the limit on time of a process outside lowered",
        LIMITS,
        "resource.prlimit(T['pid'], resource.RLIMIT_CPU, (99_999, 99_999))",
    ),
    refused(
        "prlimit with bits set that the kernel does not look at",
        LIMITS,
        "call('prlimit64', ctypes.c_ulong(T['pid'] | 7 << 32), 7, struct.pack('QQ', 64, 64), None)",
    ),
    refused(
        "a process outside offered to the killer of what uses memory",
        LIMITS,
        "open(f\"/proc/{T['pid']}/oom_score_adj\", 'w').write('1000')",
    ),
    refused("the niceness of a process outside", SHARE, "os.setpriority(os.PRIO_PROCESS, T['pid'], 19)"),
    refused("the niceness of a process group outside", SHARE, "os.setpriority(os.PRIO_PGRP, T['pid'], 19)"),
    refused(
        "the processors of a process outside",
        SHARE,
        "os.sched_setaffinity(T['pid'], {min(os.sched_getaffinity(0))})",
    ),
    refused(
        "the scheduling of a process outside",
        SHARE,
        "os.sched_setscheduler(T['pid'], os.SCHED_IDLE, os.sched_param(0))",
    ),
    refused(
        "the scheduling of a process outside, by sched_setattr",
        SHARE,
        "call('sched_setattr', T['pid'], struct.pack('IIQiIQQQ', 48, 5, 0, 0, 0, 0, 0, 0), 0)",
    ),
    refused("the I/O priority of a process outside", SHARE, "call('ioprio_set', 1, T['pid'], 3 << 13)"),
)

INTO_OTHERS = (
    refused(
        "the memory of a process outside written to, by /proc",
        MEMORY,
        """
        with open(f"/proc/{T['pid']}/mem", "r+b", buffering=0) as memory:
            memory.seek(T["address"])
            memory.write(b"gotcha")
        """,
    ),
    refused(
        "the memory of a process outside written to, by process_vm_writev",
        MEMORY,
        """
        text = ctypes.create_string_buffer(b"gotcha")
        here, there = (struct.pack("QQ", one, 6) for one in (ctypes.addressof(text), T["address"]))
        one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
        call("process_vm_writev", T["pid"], here, one, there, one, none)
        """,
    ),
    refused(
        "a process outside traced, and written to",
        MEMORY,
        """
        call("ptrace", ctypes.c_long(16), ctypes.c_long(T["pid"]), None, None)
        os.waitpid(T["pid"], 0x40000000)
        place = ctypes.c_void_p(T["address"])
        call("ptrace", ctypes.c_long(5), ctypes.c_long(T["pid"]), place, None)
        call("ptrace", ctypes.c_long(17), ctypes.c_long(T["pid"]), None, None)
        """,
    ),
    refused(
        "a descriptor of a process outside fetched",
        TRACED,
        """
        call("pidfd_getfd", os.pidfd_open(T["pid"]), T["descriptor"], 0)
        claim("another process, traced")
        """,
    ),
    refused(
        "a descriptor of a process outside opened through /proc",
        TRACED,
        """
        os.open(f"/proc/{T['pid']}/fd/{T['descriptor']}", os.O_RDONLY)
        claim("another process, traced")
        """,
    ),
    refused(
        "the pages of a process outside pushed out",
        TRACED,
        """
        page = struct.pack("QQ", T["address"] & ~4095, 4096)
        call("process_madvise", os.pidfd_open(T["pid"]), page, ctypes.c_ulong(1), 21, 0)
        claim("another process, traced")
        """,
        perhaps=True,  # the system asks for CAP_SYS_NICE, which root alone has
    ),
    told(
        "the environment of a process outside read",
        ENVIRONMENT,
        """
        text = pathlib.Path(f"/proc/{T['pid']}/environ").read_bytes()
        if b"SECRET=" in text: claim("another process's environment, read")
        """,
    ),
    refused(
        "the memory of every ancestor opened to be written to",
        "an ancestor's memory",
        """
        opened = 0
        for pid in ancestors():
            try:
                place = int(open(f"/proc/{pid}/maps").readline().split("-")[0], 16)
                opened += len(os.pread(os.open(f"/proc/{pid}/mem", os.O_RDWR), 1, place))
            except OSError: pass
        if opened: claim("an ancestor's memory")
        raise RuntimeError("Error")
        """,
        perhaps=True,
    ),
    refused(
        "every ancestor traced",
        "an ancestor's memory",
        """
        for pid in ancestors():
            try: call("ptrace", ctypes.c_long(0x4206), ctypes.c_long(pid), None, None)
            except OSError: continue
            claim("an ancestor's memory")
        raise RuntimeError("Error")
        """,
        perhaps=True,
    ),
    refused(
        "the namespaces of a process outside entered",
        TRACED,
        """
        call("setns", os.open(f"/proc/{T['pid']}/ns/uts", os.O_RDONLY), 0)
        claim("another process, traced")
        """,
        perhaps=True,
    ),
)
