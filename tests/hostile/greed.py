"""Programs that use more than a measurement may, all of them together, or do not end when they should."""

from __future__ import annotations

from case import BROKEN, CRASHED, EITHER, Case

_TOO_MUCH = "may use"

# Beyond the limits of the tests: 512 MB of memory, 64 processes.
TOGETHER = (
    Case(
        "220 MB in each of three processes",
        CRASHED,
        """
        for _ in range(3):
            if os.fork() == 0:
                hoard = b"!" * (220 << 20)
                signal.pause()
        signal.pause()
        """,
        _TOO_MUCH,
        needs_linux=True,
    ),
    Case(
        "220 MB in each of three processes, shared with nobody they know",
        CRASHED,
        """
        for _ in range(3):
            if os.fork() == 0:
                hoard = mmap.mmap(-1, 220 << 20)
                for _ in range(220): hoard.write(b"!" * (1 << 20))
                signal.pause()
        signal.pause()
        """,
        _TOO_MUCH,
        needs_linux=True,
    ),
    Case(
        "220 MB in each of three daemons, whose parents are gone",
        CRASHED,
        """
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    hoard = b"!" * (220 << 20)
                    signal.pause()
                os._exit(0)
            os.wait()
        signal.pause()
        """,
        _TOO_MUCH,
        needs_linux=True,
    ),
    Case(
        "220 MB in each of three processes whose parent is the measurement's",
        CRASHED,
        """
        for _ in range(3):
            if call("clone", ctypes.c_ulong(0x8000 | 17), None, None, None, None) == 0:
                hoard = b"!" * (220 << 20)
                signal.pause()
        signal.pause()
        """,
        _TOO_MUCH,
        needs_linux=True,
    ),
    Case(
        "eighty processes",
        CRASHED,
        """
        for _ in range(80):
            if os.fork() == 0: signal.pause()
        signal.pause()
        """,
        needs_linux=True,
    ),
    Case(
        "eighty daemons, whose parents are gone",
        CRASHED,
        """
        for _ in range(80):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    mark()
                    signal.pause()
                os._exit(0)
            os.wait()
        signal.pause()
        """,
        needs_linux=True,
    ),
    Case(
        "a process that is always another one",
        CRASHED,
        """
        for _ in range(2000):
            if os.fork(): os._exit(0)
        signal.pause()
        """,
        needs_linux=True,
    ),
    Case(
        "the scratch folder filled",
        EITHER,
        """
        for number in range(200):
            with open(f"{number}", "wb") as file: file.write(bytes(4 << 20))
        """,
        needs_linux=True,
        waits=True,
    ),
    Case(
        "20,000 files in the scratch folder",
        EITHER,
        """
        for number in range(20_000): open(f"{number}", "w").close()
        """,
        waits=True,
    ),
    Case(
        "/dev/shm filled",
        EITHER,
        """
        try:
            for number in range(80):
                with open(f"/dev/shm/{os.getpid()}-{number}", "wb") as file: file.write(bytes(4 << 20))
        finally:
            for one in range(number + 1): os.unlink(f"/dev/shm/{os.getpid()}-{one}")
        claim("300 MB of /dev/shm")
        """,
        reaches=("300 MB of /dev/shm",),
        held_says="No space left",
        needs_linux=True,
    ),
)

HARD_TO_END = (
    Case(
        "SIGSTOP to itself",
        CRASHED,
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "still running",
        waits=True,
    ),
    Case(
        "a daemon that does not end with its parents",
        BROKEN,
        """
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            _libc.prctl(1, 0, 0, 0, 0)
            _libc.prctl(36, 1, 0, 0, 0)
            if os.fork() == 0:
                mark()
                os.write(writing, b"!")
                signal.pause()
            signal.pause()
        os.read(reading, 1)
        """,
        needs_linux=True,
    ),
    Case(
        "a process started as the measurement's own sibling",
        BROKEN,
        """
        if call("clone", ctypes.c_ulong(0x8000 | 17), None, None, None, None) == 0:
            mark()
            os.setsid()
            signal.pause()
        """,
        needs_linux=True,
    ),
    Case(
        "the way back to the judge stopped and started",
        EITHER,
        """
        for pid in ancestors():
            try: os.kill(pid, signal.SIGCONT)
            except OSError: pass
        """,
        needs_linux=True,
    ),
    Case(
        "a timer that ends the code in the middle of its answer",
        CRASHED,
        "import signal; signal.setitimer(signal.ITIMER_REAL, 0.0001); signal.pause()",
    ),
    Case(
        "limits raised again",
        EITHER,
        """
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
            resource.setrlimit(kind, (resource.RLIM_INFINITY,) * 2)
        claim("its own limits")
        """,
        reaches=("its own limits",),
        perhaps=True,
        needs_linux=True,
    ),
)
