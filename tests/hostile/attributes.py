"""Programs that change what stands beside a file: its mode, times, owner, flags, attributes and locks."""

from __future__ import annotations

from case import EITHER, refused
from field import LOCK, META

# Where code is held nothing fails, and nothing is done; in the sandbox the file is not there.
_UNDONE = {"held_verdicts": EITHER, "held_says": ""}

_FLAGS = "import array; looked = array.array('l', [0]); file = os.open(T['file'], os.O_RDONLY)"

ATTRIBUTES = (
    refused("chmod of a file outside", META, "os.chmod(T['file'], 0o777)", **_UNDONE),
    refused(
        "fchmod by a descriptor that reads",
        META,
        "os.fchmod(os.open(T['file'], os.O_RDONLY), 0o777)",
        **_UNDONE,
    ),
    refused("utime of a file outside", META, "os.utime(T['file'], (0, 0))", **_UNDONE),
    refused(
        "futimens by a descriptor that reads",
        META,
        "os.utime(os.open(T['file'], os.O_RDONLY), (0, 0))",
        **_UNDONE,
    ),
    refused(
        "setxattr of a file outside", META, "os.setxattr(T['file'], 'user.canary', b'gotcha')", **_UNDONE
    ),
    refused(
        "chown of a file outside", META, "os.chown(T['file'], os.getuid(), 12345)", perhaps=True, **_UNDONE
    ),
    refused(
        "a file's flags set by a descriptor that reads",
        META,
        f"""
        {_FLAGS}
        fcntl.ioctl(file, 0x80086601, looked)
        looked[0] |= 0x80
        fcntl.ioctl(file, 0x40086602, looked)
        """,
        perhaps=True,
        **_UNDONE,
    ),
    refused(
        "a file's generation set by ext4's older command",
        META,
        f"{_FLAGS}; looked[0] = 12345; fcntl.ioctl(file, 0x40086604, looked)",
        perhaps=True,
    ),
    refused(
        "the lock of the hunt taken by a descriptor that reads",
        LOCK,
        """
        lock = checked(_libc.open(os.fsencode(T["hunt"] + "/lock"), os.O_RDONLY))
        fcntl.flock(lock, fcntl.LOCK_EX)
        claim("the hunt's lock")
        """,
    ),
    refused(
        "a lease on a file outside",
        "a lease on a file outside",
        """
        fcntl.fcntl(os.open(T["file"], os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)
        claim("a lease on a file outside")
        """,
    ),
    refused(
        "a program made with the set-user-ID bit",
        "a program with the set-user-ID bit",
        """
        made = os.open(__file__ + ".tool", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o4755)
        os.fchmod(made, 0o4755)
        if os.fstat(made).st_mode & 0o4000: claim("a program with the set-user-ID bit")
        """,
    ),
    refused(
        "capabilities given to a program",
        "a program with capabilities",
        """
        shutil.copyfile(shutil.which("sleep"), "tool")
        os.setxattr("tool", "security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0))
        if os.listxattr("tool"): claim("a program with capabilities")
        """,
        perhaps=True,
        held_verdicts=EITHER,
        held_says="",
    ),
)
