"""Programs that reach for the machine: its namespaces, users, blind spots and settings."""

from __future__ import annotations

from case import refused

BECOMING_ANOTHER = (
    refused(
        "a user namespace of its own, by unshare",
        "a user namespace",
        """
        call('unshare', 0x10000000)
        claim('a user namespace')
        """,
    ),
    refused(
        "a user namespace of its own, by clone",
        "a user namespace",
        """
        child = call("clone", ctypes.c_ulong(0x10000000 | 17), None, None, None, None)
        if child == 0: os._exit(0)
        os.waitpid(child, 0)
        claim("a user namespace")
        """,
    ),
    refused(
        "a user namespace of its own, by clone with bits set that nothing looks at",
        "a user namespace",
        """
        child = call("clone", ctypes.c_ulong(1 << 63 | 0x10000000 | 17), None, None, None, None)
        if child == 0: os._exit(0)
        os.waitpid(child, 0)
        claim("a user namespace")
        """,
    ),
    refused(
        "a user namespace of its own, by clone3",
        "a user namespace",
        """
        how = struct.pack("11Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
        child = call("clone3", how, ctypes.c_ulong(88))
        if child == 0: os._exit(0)
        os.waitpid(child, 0)
        claim("a user namespace")
        """,
    ),
    refused(
        "a mount of its own",
        "a mount",
        """
        call('open_tree', -100, b'/', 1 | 0x80000)
        claim('a mount')
        """,
        perhaps=True,
    ),
    refused(
        "another root folder",
        "another root folder",
        """
        os.chroot('.')
        claim('another root folder')
        """,
        perhaps=True,
    ),
    refused(
        "a file system opened",
        "a mount",
        """
        call('fsopen', b'tmpfs', 0)
        claim('a mount')
        """,
        perhaps=True,
    ),
    refused(
        "the user changed, or its groups",
        "another user",
        """
        try: os.setgroups([0])
        except OSError: os.setresuid(0, 0, 0)
        os.setresuid(12345, 12345, 12345)
        claim("another user")
        """,
        perhaps=True,
    ),
    refused(
        "capabilities taken back",
        "capabilities",
        """
        def effective():
            return int(open("/proc/self/status").read().split("CapEff:")[1].split()[0], 16)
        everything = struct.pack("6I", *[0xFFFFFFFF] * 3, *[0x1FF] * 3)
        try: call("capset", struct.pack("Ii", 0x20080522, 0), everything)
        except OSError: pass
        told = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True).stdout
        if effective() or int(told.split("CapEff:")[1].split()[0], 16): claim("capabilities")
        raise RuntimeError("Error")
        """,
        perhaps=True,
    ),
    refused(
        "a program with the set-user-ID bit run",
        "another user",
        """
        told = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True).stdout
        if "NoNewPrivs:\\t0" in told: claim("another user")
        raise RuntimeError("Error")
        """,
    ),
)

BLIND_SPOTS = (
    refused(
        "a ring for system calls (io_uring)",
        "a ring for system calls",
        """
        call('io_uring_setup', 8, bytes(120))
        claim('a ring for system calls')
        """,
    ),
    refused(
        "a call of the 32-bit kind (int 0x80)",
        "the 32-bit kernel interface",
        """
        code = mmap.mmap(-1, 4096, prot=7)
        # mov eax, 20 (getpid); int 0x80; ret
        code.write(bytes.fromhex("b814000000cd80c3"))
        run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
        if run() == os.getpid(): claim("the 32-bit kernel interface")
        """,
        held_says="SIGSYS",
        perhaps=True,
        needs_x86=True,
    ),
    refused(
        "a call of the x32 kind",
        "the x32 kernel interface",
        """
        checked(_libc.syscall(ctypes.c_long(0x40000000 | 39)))
        claim('the x32 kernel interface')
        """,
        reaches=(),
        needs_x86=True,
    ),
    refused(
        "a program in memory alone (memfd and execveat)",
        "a program in memory alone",
        """
        made = call("memfd_create", b"", 0)
        os.write(made, open(shutil.which("true"), "rb").read())
        child = os.fork()
        if child == 0:
            call("execveat", made, b"", (ctypes.c_char_p * 2)(b"true", None), None, 0x1000)
        claim("a program in memory alone")
        """,
    ),
    refused(
        "a filter of packets (bpf)",
        "the kernel's programs",
        """
        call('bpf', 0, struct.pack('IIII104x', 2, 4, 4, 1), 120)
        claim("the kernel's programs")
        """,
        perhaps=True,
    ),
    refused(
        "events of performance",
        "events of performance",
        """
        call('perf_event_open', struct.pack('IIQ96x', 1, 112, 0), 0, -1, -1, ctypes.c_ulong(0))
        claim('events of performance')
        """,
        perhaps=True,
    ),
    refused(
        "faults handled by itself (userfaultfd)",
        "faults of the kernel's",
        """
        call('userfaultfd', 0)
        claim("faults of the kernel's")
        """,
        perhaps=True,
    ),
    refused(
        "a file opened by its handle",
        "a file by its handle",
        """
        call('name_to_handle_at', -100, path('file'), struct.pack('Ii128x', 128, 0), bytes(8), 0)
        claim('a file by its handle')
        """,
    ),
    refused(
        "the layout of its memory (personality)",
        "its personality",
        """
        call('personality', 0x0040000)
        claim('its personality')
        """,
    ),
)

SETTINGS = (
    refused(
        "the kernel's core_pattern",
        "the kernel's settings",
        """
        os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)
        claim("the kernel's settings")
        """,
        perhaps=True,
    ),
    refused(
        "a format of programs (binfmt_misc)",
        "the kernel's settings",
        """
        os.open('/proc/sys/fs/binfmt_misc/register', os.O_WRONLY)
        claim("the kernel's settings")
        """,
        perhaps=True,
    ),
    refused(
        "the kernel's magic keys",
        "the kernel's settings",
        """
        os.open('/proc/sysrq-trigger', os.O_WRONLY)
        claim("the kernel's settings")
        """,
        perhaps=True,
    ),
    refused(
        "another control group",
        "a control group",
        """
        for found in pathlib.Path("/sys/fs/cgroup").rglob("cgroup.procs"):
            os.open(found, os.O_WRONLY)
            claim("a control group")
        raise RuntimeError("Error")
        """,
        perhaps=True,
    ),
    refused(
        "the machine's name",
        "the machine's name",
        """
        socket.sethostname(socket.gethostname())
        claim("the machine's name")
        """,
        perhaps=True,
    ),
    refused(
        "the machine's clock",
        "the machine's clock",
        """
        call('clock_adjtime', 0, struct.pack('I204x', 0x4000))
        claim("the machine's clock")
        """,
        perhaps=True,
    ),
    refused(
        "the machine's log",
        "the machine's log",
        """
        call('syslog', 3, ctypes.create_string_buffer(100), 100)
        claim("the machine's log")
        """,
        perhaps=True,
    ),
    refused(
        "a device of its own",
        "a device",
        """
        os.mknod('disk', 0o060600, os.makedev(7, 0))
        claim('a device')
        """,
        perhaps=True,
    ),
)
