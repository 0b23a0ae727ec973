"""Numbers that lie, and files and settings around the code."""

from __future__ import annotations

from case import BROKEN, CRASHED, EITHER, LOADER, Case


def encodes_to(value: str) -> str:
    return f"""
        def _lie(self, text, *arguments, **options):
            value = {value}
            return [value for _ in text] if isinstance(text, list) else value
        RustBPETokenizer.encode = _lie
        """


NUMBERS_THAT_LIE = (
    Case("sets for ids", EITHER, encodes_to("{1, 2, 3}")),
    Case("bytes for ids", EITHER, encodes_to("text.encode() if isinstance(text, str) else b''")),
    Case("NaN for ids", EITHER, encodes_to("[float('nan')] * 3")),
    Case("infinity for ids", EITHER, encodes_to("[float('inf')] * 3")),
    Case("an int of 5,000 digits", EITHER, encodes_to("[10**5000]")),
    Case(
        "a result that holds itself",
        EITHER,
        encodes_to("(lambda row: row.append(row) or row)([])"),
    ),
    Case(
        "a result nested 100,000 deep",
        EITHER,
        """
        deep = []
        for _ in range(10**5): deep = [deep]
        """
        + encodes_to("deep"),
    ),
    Case("a result of 100 MB", EITHER, encodes_to("[7] * 50_000_000"), waits=True),
    Case(
        "ints that equal everything",
        EITHER,
        """
        class Equal(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        """
        + encodes_to("[Equal(0)] * 3"),
    ),
    Case(
        "a tensor that lies about its dtype",
        BROKEN,
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
        CRASHED,
        r"""raise RuntimeError("\x1b[2J\x1b[H1.1  fixed\x07\r\n1 of 1 fixed.")""",
        "RuntimeError",
    ),
)


FILES_AND_SETTINGS_AROUND_THE_CODE = (
    Case(
        "conftest.py, pytest.ini, tox.ini and setup.cfg",
        BROKEN,
        files={
            "conftest.py": "import os\nos._exit(0)\n",
            "pytest.ini": "[pytest]\naddopts = --collect-only\n",
            "tox.ini": "[pytest]\naddopts = --collect-only\n",
            "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
        },
    ),
    Case(
        "sitecustomize.py and usercustomize.py",
        BROKEN,
        files={
            "sitecustomize.py": "import os\nos._exit(0)\n",
            "usercustomize.py": "import os\nos._exit(0)\n",
        },
    ),
    Case(
        "modules named like the judge's",
        BROKEN,
        files={
            f"{name}.py": "import os\nos._exit(0)\n"
            for name in ("pytest", "json", "bughunt", "tiktoken", "rustbpe", "torch", "typing", "random")
        },
    ),
    Case(
        "PYTEST_ADDOPTS, PYTHONPATH and PYTHONSTARTUP",
        BROKEN,
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
