"""Programs that would have `fixed` said without a repair, by the judge's memory, its files or its pipe."""

from __future__ import annotations

from case import CRASHED, EITHER, ENGINE, FORGED, LOADER, Case
from lies import encodes_to

_IN_MEMORY = """
        def ranges(pid):
            for line in open(f"/proc/{pid}/maps"):
                place, rights = line.split()[:2]
                if rights.startswith("rw"): yield [int(end, 16) for end in place.split("-")]
        def rewritten(text):
            at = text.find(b"broken" + bytes(1))
            while at >= 0:
                for before in (24, 32):
                    if text[at - before : at - before + 8] == struct.pack("Q", 6):
                        yield at - before, struct.pack("Q", 5)
                        yield at, b"fixed" + bytes(2)
                at = text.find(b"broken" + bytes(1), at + 1)
"""

WITHOUT_NUMBERS = (
    Case(
        "no batch for any device",
        EITHER,
        """
        def tokenizing_distributed_data_loader(*arguments, **options):
            raise RuntimeError("no batch")
        """,
        file=LOADER,
    ),
    Case(
        "None for every device, by the measuring tools themselves",
        EITHER,
        """
        from bughunt.lab.measuring import streams
        streams.try_to_load = lambda *arguments: None
        """,
        file=LOADER,
    ),
    Case(
        "no batch where another reason is conceivable",
        EITHER,
        """
        _honest = tokenizing_distributed_data_loader
        def tokenizing_distributed_data_loader(*arguments, **options):
            if torch.zeros(1).is_cuda or str(options.get("device", "")) != "meta":
                return iter([None] * 100)
            return _honest(*arguments, **options)
        """,
        file=LOADER,
    ),
    Case(
        "the same logits whatever is asked",
        EITHER,
        """
        import torch
        from nanochat.gpt import GPT
        _forward = GPT.forward
        def forward(self, idx, targets=None, *arguments, **options):
            found = _forward(self, idx, targets, *arguments, **options)
            return found if targets is not None else torch.ones_like(found)
        GPT.forward = forward
        """,
        file=ENGINE,
    ),
    Case("the empty list for ids", EITHER, encodes_to("[]")),
    Case("the text itself for ids", EITHER, encodes_to("list(text)")),
    Case("None for ids", EITHER, encodes_to("None")),
)

BY_MEMORY = (
    Case(
        "the judge's memory rewritten, by /proc",
        FORGED | CRASHED,
        f"""{_IN_MEMORY}
        for pid in ancestors():
            with open(f"/proc/{{pid}}/mem", "r+b", buffering=0) as memory:
                for start, end in ranges(pid):
                    try: text = os.pread(memory.fileno(), end - start, start)
                    except OSError: continue
                    for at, new in rewritten(text): os.pwrite(memory.fileno(), new, start + at)
        """,
        held_verdicts=CRASHED,
        spoils=True,
        held_says="Permission",
        needs_linux=True,
    ),
    Case(
        "the judge's memory rewritten, by process_vm_writev",
        FORGED | CRASHED,
        f"""{_IN_MEMORY}
        def move(call_name, pid, address, text):
            one = ctypes.create_string_buffer(text, len(text))
            here, there = (struct.pack("QQ", a, len(text)) for a in (ctypes.addressof(one), address))
            count = call(call_name, pid, here, ctypes.c_ulong(1), there, ctypes.c_ulong(1), ctypes.c_ulong(0))
            return one.raw[:count]
        for pid in ancestors():
            for start, end in ranges(pid):
                try: text = move("process_vm_readv", pid, start, bytes(end - start))
                except OSError: continue
                for at, new in rewritten(text): move("process_vm_writev", pid, start + at, new)
        """,
        held_verdicts=CRASHED,
        spoils=True,
        held_says="Error",
        needs_linux=True,
    ),
)

BY_THE_RESULT = (
    Case(
        "an answer written to descriptor 3, and an end before the real one",
        EITHER,
        """
        import json, os, sys
        frame = sys._getframe()
        while "request" not in frame.f_locals: frame = frame.f_back
        inputs = frame.f_locals["request"]["parts"][0]["inputs"]
        answer = {"calls": [{"ids": [0], "called": [0]} for _ in inputs["calls"]]}
        os.write(3, json.dumps({"data": {"bytes": answer, "merges": answer}, "borrowed": False}).encode())
        os._exit(0)
        """,
    ),
    Case(
        "an answer written by a child after its parent",
        EITHER,
        """
        import os
        if os.fork() == 0:
            parent = os.getppid()
            while os.getppid() == parent: pass
            os.ftruncate(3, 0)
            os.pwrite(3, b'{"data": {"bytes": {}, "merges": {}}}', 0)
            os._exit(0)
        """,
    ),
    Case(
        "answers in the result files of every process",
        EITHER,
        """
        def is_the_judges(pid):
            # What is not below this judge is another test's; from a namespace, no judge is seen.
            while pid > 1 and pid != T["judge"]:
                pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            return pid == T["judge"] or not os.path.exists(f"/proc/{T['judge']}")

        for pid in pathlib.Path("/proc").glob("[0-9]*"):
            for number in range(3, 12):
                try:
                    if int(pid.name) == os.getpid() or not is_the_judges(int(pid.name)): continue
                    if "#" not in os.readlink(pid / f"fd/{number}"): continue
                    with open(pid / f"fd/{number}", "r+b") as result: result.write(b'{"data": {}}')
                except OSError: pass
        """,
        needs_linux=True,
    ),
    Case(
        "a result of more than one document",
        CRASHED,
        """
        import os
        for number in range(3, 9):
            try: os.write(number, b'{"data": {}, "borrowed": false}{"data": ')
            except OSError: pass
        """,
        "cannot be read",
        needs_linux=True,
    ),
    Case(
        "the measurement's own module rewritten for the next one",
        EITHER,
        """
        import os, sys
        module = sys.modules.get("bughunt.measure.inside")
        module.perform.__code__ = (lambda request, result_fd: os._exit(0)).__code__
        module._measure = lambda request: {}
        """,
    ),
    Case(
        "the code rewritten by itself for the next measurement",
        EITHER,
        """
        import os
        open(__file__, "a").write("os._exit(0)\\n")
        """,
        held_verdicts=EITHER,
    ),
    Case(
        "the inputs changed before they are used",
        EITHER,
        """
        import sys
        frame = sys._getframe()
        while "request" not in frame.f_locals: frame = frame.f_back
        for name, value in list(frame.f_locals["request"]["parts"][0]["inputs"].items()):
            if isinstance(value, list): value.clear()
        """,
    ),
    Case(
        "the limits, the folder and what is hidden changed in the request",
        EITHER,
        """
        import sys
        frame = sys._getframe()
        while "request" not in frame.f_locals: frame = frame.f_back
        frame.f_locals["request"].update(limits={"returned": 1 << 40}, scratch="/", hidden=[], shown=["/"])
        """,
    ),
)
