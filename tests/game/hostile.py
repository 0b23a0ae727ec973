"""Hostile workspaces: what somebody might plant in the code that is measured, and what the judge must say.

`python tests/game/hostile.py` prints them as a Markdown table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

TOKENIZER = "nanochat/tokenizer.py"
LOADER = "nanochat/dataloader.py"

_BROKEN = frozenset({"broken"})
_CRASHED = frozenset({"crashed"})
_EITHER = _BROKEN | _CRASHED


@dataclass(frozen=True)
class Case:
    """`code` is appended to a file in which a bug of level 1 stands: the tokenizer's 1.1, the loader's 1.2.

    `files` are put into the workspace beside it and `environment` into the player's shell, `{workspace}` in
    its values being the workspace. `verdicts` are the right ones, `says` a part of the message that helps.
    One that `waits` holds out until its time is over, much like another that does: it is for the soak.
    """

    name: str
    verdicts: frozenset[str]
    code: str = ""
    says: str = ""
    file: str = TOKENIZER
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    needs_linux: bool = False
    waits: bool = False

    @property
    def planted(self) -> str:
        return "\n\n" + dedent(self.code)


def _encodes_to(value: str) -> str:
    return f"""
        def _lie(self, text, *arguments, **options):
            value = {value}
            return [value for _ in text] if isinstance(text, list) else value
        RustBPETokenizer.encode = _lie
        """


_ENDING_THE_PROCESS = (
    Case("os._exit(0) at import", _CRASHED, "import os; os._exit(0)", "exit status 0"),
    Case("sys.exit(0) at import", _CRASHED, "import sys; sys.exit(0)", "SystemExit"),
    Case("raise SystemExit", _CRASHED, "raise SystemExit", "SystemExit"),
    Case("raise KeyboardInterrupt", _CRASHED, "raise KeyboardInterrupt", "KeyboardInterrupt"),
    Case(
        "SIGINT to itself",
        _CRASHED,
        "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
        "KeyboardInterrupt",
    ),
    Case("SIGKILL to itself", _CRASHED, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    Case("segmentation fault", _CRASHED, "import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    Case("endless recursion", _CRASHED, "def dig(): dig()\ndig()", "RecursionError"),
    Case(
        "endless recursion past the interpreter's limit",
        _CRASHED,
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

_HOLDING_OUT = (
    Case("endless loop in Python", _CRASHED, "while True: pass", "still running"),
    Case("endless loop in C", _CRASHED, "sum(iter(int, 1))", "still running", waits=True),
    Case("endless sleep", _CRASHED, "import time; time.sleep(1e6)", "still running", waits=True),
    Case(
        "every signal ignored, then a loop",
        _CRASHED,
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
        _CRASHED,
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
        _CRASHED,
        "import time\ntime.time = time.monotonic = time.perf_counter = lambda: 0.0\nwhile True: pass",
        "still running",
        waits=True,
    ),
    Case(
        "an exception whose text never ends",
        _CRASHED,
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

_USING_TOO_MUCH = (
    Case("20 GB of memory", _CRASHED, "bytearray(20 << 30)", "memory"),
    Case(
        "20 GB of memory, a little at a time",
        _CRASHED,
        "hoard = [bytes(1 << 24) for _ in range(1280)]",
        "memory",
    ),
    Case(
        "1 GB of output",
        _CRASHED,
        "import os\nfor _ in range(1024): os.write(1, b'x' * (1 << 20))",
        "wrote more",
    ),
    Case(
        "folders 1,200 deep in the scratch folder",
        _BROKEN,
        """
        import os
        here = os.getcwd()
        for _ in range(1200):
            os.mkdir("d"); os.chdir("d")
        os.chdir(here)
        """,
    ),
)

_LEAVING_SOMETHING_BEHIND = (
    Case(
        "a child process left behind",
        _BROKEN,
        """
        import subprocess, sys
        leftover = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        open(__file__ + ".pids", "a").write(f"{leftover.pid} ")
        """,
    ),
    Case(
        "a child process in a session of its own",
        _BROKEN,
        """
        import subprocess, sys
        leftover = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True
        )
        open(__file__ + ".pids", "a").write(f"{leftover.pid} ")
        """,
        needs_linux=True,
    ),
    Case(
        "a daemon, forked twice, that ignores signals",
        _BROKEN,
        """
        import os, signal, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_IGN)
                with open(__file__ + ".pids", "a") as noted: noted.write(f"{os.getpid()} ")
                time.sleep(1000)
            os._exit(0)
        while not os.path.exists(__file__ + ".pids"): time.sleep(0.001)
        """,
        needs_linux=True,
    ),
    Case(
        "a thread left running",
        _BROKEN,
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
    ),
)

_REWRITING_PYTHON_AND_ITS_LIBRARIES = (
    Case(
        "pytest replaced",
        _BROKEN,
        """
        import sys, types
        fake = types.ModuleType("pytest")
        fake.main = lambda *_, **__: 0
        fake.fail = fake.skip = lambda *_, **__: None
        sys.modules["pytest"] = sys.modules["_pytest"] = fake
        """,
    ),
    Case(
        "builtins rewritten",
        _EITHER,
        """
        import builtins
        builtins.AssertionError = type("Never", (Exception,), {})
        builtins.all = builtins.any = lambda _: True
        builtins.sorted = lambda *_, **__: []
        """,
    ),
    Case(
        "torch.equal always true",
        _BROKEN,
        """
        torch.equal = torch.allclose = lambda *_, **__: True
        torch.testing.assert_close = lambda *_, **__: None
        torch.Tensor.__eq__ = lambda *_: True
        """,
        "int32",
        file=LOADER,
    ),
    Case(
        "json.dumps replaced",
        _CRASHED,
        """import json; json.dumps = lambda *_, **__: '{"data": "fixed"}'""",
    ),
    Case(
        "os._exit and os.write replaced",
        _EITHER,
        "import os; os._exit = lambda *_: None; os.write = lambda _, data: len(data)",
    ),
    Case(
        "the measuring process's own functions replaced",
        _CRASHED,
        """
        from bughunt.measure import inside
        inside._written_down = lambda *_: b'{"data": "fixed"}'
        """,
    ),
    Case(
        "nanochat replaced in sys.modules",
        _EITHER,
        """
        import sys, types
        class Agrees:
            def __eq__(self, other): return True
            def __getattr__(self, name): return Agrees()
            def __call__(self, *_, **__): return Agrees()
            def __iter__(self): return iter([Agrees()])
        fake = types.ModuleType("nanochat.tokenizer")
        fake.RustBPETokenizer = Agrees()
        sys.modules["nanochat.tokenizer"] = fake
        """,
    ),
)

_LOOKING_FOR_THE_ANSWER_OR_WRITING_ONE = (
    Case(
        "the stack and the heap searched for the check",
        _BROKEN,
        """
        import gc, sys, types
        frame, names = sys._getframe(), []
        while frame:
            names += [frame.f_code.co_filename, *frame.f_locals]; frame = frame.f_back
        names += [o.__code__.co_filename for o in gc.get_objects() if isinstance(o, types.FunctionType)]
        names += list(sys.modules)
        found = [n for n in names if n.endswith("check.py") or n.startswith("test_") or n == "bughunt_check"]
        found = [name for name in found if "site-packages" not in name]
        if found: raise LookupError(f"leaked: {found}")
        """,
    ),
    Case(
        "a result printed",
        _BROKEN,
        """print('{"data": {"bytes": {}, "merges": {}}}', flush=True)""",
    ),
    Case(
        "junk to every descriptor",
        _CRASHED,
        """
        import os
        for descriptor in range(3, 256):
            try: os.write(descriptor, b"junk")
            except OSError: pass
        """,
        "something else was written",
    ),
    Case(
        "a forged result to every descriptor",
        _CRASHED,
        """
        import os
        for descriptor in range(3, 256):
            try: os.write(descriptor, b'{"data": {"bytes": {}, "merges": {}}}')
            except OSError: pass
        os._exit(0)
        """,
        "not of a kind",
    ),
    Case(
        "a forged answer in the server's name",
        _EITHER,
        """
        import os
        for descriptor in range(256):
            try:
                pipe = os.open(f"/proc/{os.getppid()}/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
                os.write(pipe, b'{"verdict": "fixed"}' + bytes([10]) + b'{"failed": "forged"}' + bytes([10]))
            except OSError: pass
        """,
        needs_linux=True,
        waits=True,
    ),
    Case(
        "the check overwritten",
        _BROKEN,
        """
        import sys
        frame = sys._getframe()
        while not frame.f_code.co_filename.endswith("measure.py"): frame = frame.f_back
        with open(frame.f_code.co_filename.replace("measure.py", "check.py"), "w") as check:
            check.write("def test_nothing(): pass")
        """,
    ),
    Case(
        "the check deleted",
        _BROKEN,
        """
        import pathlib, sys
        frame = sys._getframe()
        while not frame.f_code.co_filename.endswith("measure.py"): frame = frame.f_back
        pathlib.Path(frame.f_code.co_filename).with_name("check.py").unlink(missing_ok=True)
        """,
    ),
)

_AGAINST_THE_PROCESS_THAT_SUPERVISES = (
    Case(
        "the parent killed",
        _CRASHED,
        """
        import os, signal
        with open(__file__ + ".pids", "a") as noted: noted.write(f"{os.getpid()} ")
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
        """,
        "supervises",
    ),
    Case(
        "the parent stopped",
        _CRASHED,
        "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); signal.pause()",
        "supervises",
        waits=True,
    ),
)

_NUMBERS_THAT_LIE = (
    Case("sets for ids", _EITHER, _encodes_to("{1, 2, 3}")),
    Case("bytes for ids", _EITHER, _encodes_to("text.encode() if isinstance(text, str) else b''")),
    Case("NaN for ids", _EITHER, _encodes_to("[float('nan')] * 3")),
    Case("infinity for ids", _EITHER, _encodes_to("[float('inf')] * 3")),
    Case("an int of 5,000 digits", _EITHER, _encodes_to("[10**5000]")),
    Case(
        "a result that holds itself",
        _EITHER,
        _encodes_to("(lambda row: row.append(row) or row)([])"),
    ),
    Case(
        "a result nested 100,000 deep",
        _EITHER,
        """
        deep = []
        for _ in range(10**5): deep = [deep]
        """
        + _encodes_to("deep"),
    ),
    Case("a result of 100 MB", _EITHER, _encodes_to("[7] * 50_000_000"), waits=True),
    Case(
        "ints that equal everything",
        _EITHER,
        """
        class Equal(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        """
        + _encodes_to("[Equal(0)] * 3"),
    ),
    Case(
        "a tensor that lies about its dtype",
        _BROKEN,
        """
        class Liar(torch.Tensor):
            dtype = property(lambda self: torch.int32)
            element_size = lambda self: 4
            __eq__ = lambda self, other: True
        _honest = tokenizing_distributed_data_loader
        def tokenizing_distributed_data_loader(*arguments, **options):
            for inputs, targets in _honest(*arguments, **options):
                yield inputs.as_subclass(Liar), targets
        """,
        file=LOADER,
    ),
    Case(
        "an error that steers the terminal",
        _CRASHED,
        r"""raise RuntimeError("\x1b[2J\x1b[H1.1  fixed\x07\r\n1 of 1 fixed.")""",
        "RuntimeError",
    ),
)

_FILES_AND_SETTINGS_AROUND_THE_CODE = (
    Case(
        "conftest.py, pytest.ini, tox.ini and setup.cfg",
        _BROKEN,
        files={
            "conftest.py": "import os\nos._exit(0)\n",
            "pytest.ini": "[pytest]\naddopts = --collect-only\n",
            "tox.ini": "[pytest]\naddopts = --collect-only\n",
            "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
        },
    ),
    Case(
        "sitecustomize.py and usercustomize.py",
        _BROKEN,
        files={
            "sitecustomize.py": "import os\nos._exit(0)\n",
            "usercustomize.py": "import os\nos._exit(0)\n",
        },
    ),
    Case(
        "modules named like the judge's",
        _BROKEN,
        files={
            f"{name}.py": "import os\nos._exit(0)\n"
            for name in ("pytest", "json", "bughunt", "tiktoken", "rustbpe", "torch", "typing", "random")
        },
    ),
    Case(
        "PYTEST_ADDOPTS, PYTHONPATH and PYTHONSTARTUP",
        _BROKEN,
        files={"evil.py": "import os\nos._exit(0)\n", "sitecustomize.py": "import os\nos._exit(0)\n"},
        environment={
            "PYTEST_ADDOPTS": "--collect-only -p evil",
            "PYTEST_PLUGINS": "evil",
            "PYTHONPATH": "{workspace}",
            "PYTHONSTARTUP": "{workspace}/evil.py",
            "PYTHONINSPECT": "1",
            "PYTHONOPTIMIZE": "2",
        },
    ),
)

CASES = (
    *_ENDING_THE_PROCESS,
    *_HOLDING_OUT,
    *_USING_TOO_MUCH,
    *_LEAVING_SOMETHING_BEHIND,
    *_REWRITING_PYTHON_AND_ITS_LIBRARIES,
    *_LOOKING_FOR_THE_ANSWER_OR_WRITING_ONE,
    *_AGAINST_THE_PROCESS_THAT_SUPERVISES,
    *_NUMBERS_THAT_LIE,
    *_FILES_AND_SETTINGS_AROUND_THE_CODE,
)


def as_markdown() -> str:
    """The table of cases, for the docs."""
    rows = [f"| {case.name} | {' or '.join(sorted(case.verdicts))} |" for case in CASES]
    return "\n".join(["| planted in the workspace | verdict |", "| --- | --- |", *rows])


if __name__ == "__main__":
    print(as_markdown())
