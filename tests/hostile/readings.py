"""Programs that read what is not their business, and tell it in the text of an exception."""

from __future__ import annotations

from case import BROKEN, told
from field import HOME_READ, HUNT_READ, OTHERS_READ

_ANYBODYS = {"held_says": "", "sandbox_says": "Error"}

READING = (
    told(
        "a file of the home folder read",
        HOME_READ,
        """
        open(T['home']).read()
        claim('the home folder, read')
        """,
        held_reaches=(HOME_READ,),
        **_ANYBODYS,
    ),
    told(
        "the hunt's log read",
        HUNT_READ,
        """
        open(T['hunt'] + '/log.jsonl').read()
        claim('the hunt, read')
        """,
        verdicts=BROKEN,
        held_says="used files of the game",
        reaches=(),
    ),
    told(
        "a file of somebody else's read",
        OTHERS_READ,
        """
        open(T['others']).read()
        claim("others' files, read")
        """,
        held_reaches=(OTHERS_READ,),
        **_ANYBODYS,
    ),
    told(
        "the list of users read",
        OTHERS_READ,
        """
        open('/etc/passwd').read()
        claim("others' files, read")
        """,
        held_reaches=(OTHERS_READ,),
        **_ANYBODYS,
    ),
    told(
        "the commands of all processes read",
        "others' commands, read",
        """
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError): found.append(path.read_bytes())  # one that has just ended
        if any(b"runner.py" in command for command in found): claim("others' commands, read")
        raise RuntimeError("Error")
        """,
        held_reaches=("others' commands, read",),
        **_ANYBODYS,
    ),
    told(
        "the disk itself read",
        "the disk, read",
        """
        for disk in pathlib.Path("/dev").iterdir():
            if disk.is_block_device():
                try: text = os.read(os.open(disk, os.O_RDONLY), 512)
                except OSError: continue
                if text: claim("the disk, read")
        raise RuntimeError("Error")
        """,
        perhaps=True,
    ),
    told(
        "the machine's memory read",
        "the machine's memory, read",
        """
        for name in ("/dev/mem", "/dev/kmem", "/proc/kcore"):
            try: text = os.read(os.open(name, os.O_RDONLY), 16)
            except OSError: continue
            if text: claim("the machine's memory, read")
        raise RuntimeError("Error")
        """,
        perhaps=True,
    ),
)
