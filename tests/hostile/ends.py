"""Code that ends its process, or holds out, or uses too much."""

from __future__ import annotations

from case import BROKEN, CRASHED, Case

ENDING_THE_PROCESS = (
    Case("os._exit(0) at import", CRASHED, "import os; os._exit(0)", "exit status 0"),
    Case("sys.exit(0) at import", CRASHED, "import sys; sys.exit(0)", "SystemExit"),
    Case("raise SystemExit", CRASHED, "raise SystemExit", "SystemExit"),
    Case("raise KeyboardInterrupt", CRASHED, "raise KeyboardInterrupt", "KeyboardInterrupt"),
    Case(
        "SIGINT to itself",
        CRASHED,
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "KeyboardInterrupt",
    ),
    Case("SIGKILL to itself", CRASHED, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    Case("segmentation fault", CRASHED, "import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    Case("endless recursion", CRASHED, "def dig(): dig()\ndig()", "RecursionError"),
    Case(
        "endless recursion past the interpreter's limit",
        CRASHED,
        """
        import sys
        sys.setrecursionlimit(10**9)
        class Dig:
            def __repr__(self): return repr([self])
        repr(Dig())
        """,
        "",
    ),
)


HOLDING_OUT = (
    Case("endless loop in Python", CRASHED, "while True: pass", "still running"),
    Case("endless loop in C", CRASHED, "sum(iter(int, 1))", "still running", waits=True),
    Case("endless sleep", CRASHED, "import time; time.sleep(1e6)", "still running", waits=True),
    Case(
        "every signal ignored, then a loop",
        CRASHED,
        """
        import signal
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        while True: pass
        """,
        "still running",
    ),
    Case(
        "except BaseException around everything",
        CRASHED,
        """
        import time
        while True:
            try: time.sleep(0.01)
            except BaseException: pass
        """,
        "still running",
        waits=True,
    ),
    Case(
        "the clock frozen, then a loop",
        CRASHED,
        "import time\ntime.time = time.monotonic = time.perf_counter = lambda: 0.0\nwhile True: pass",
        "still running",
        waits=True,
    ),
    Case(
        "an exception whose text never ends",
        CRASHED,
        """
        class Endless(Exception):
            def __str__(self):
                while True: pass
        raise Endless
        """,
        "still running",
        waits=True,
    ),
)

USING_TOO_MUCH = (
    Case("20 GB of memory", CRASHED, "bytearray(20 << 30)", "memory"),
    Case(
        "20 GB of memory, a little at a time",
        CRASHED,
        "hoard = [bytes(1 << 24) for _ in range(1280)]",
        "memory",
    ),
    Case(
        "1 GB of output",
        CRASHED,
        "import os\nfor _ in range(1024): os.write(1, b'x' * (1 << 20))",
        "wrote more",
    ),
    Case(
        "folders 1,200 deep in the scratch folder",
        BROKEN,
        """
        import os
        here = os.getcwd()
        for _ in range(1200):
            os.mkdir("d"); os.chdir("d")
        os.chdir(here)
        """,
    ),
)
