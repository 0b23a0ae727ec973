"""Programs that reach for what all programs of a player share: sockets, terminals, memory with a name."""

from __future__ import annotations

from case import BROKEN, CRASHED, refused
from field import SYSV
from listeners import NETWORK, UNIX
from terminal import SHOWN, TAKEN, TYPED

SOCKETS = (
    refused(
        "a server behind a Unix socket, as tmux has one",
        UNIX,
        """
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(T["stream"])
            server.sendall(b"run-shell 'id'")
        """,
    ),
    refused(
        "a server behind an abstract Unix socket", UNIX, "socket.socket(socket.AF_UNIX).connect(T['name'])"
    ),
    refused(
        "a datagram to a Unix socket",
        UNIX,
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'!', T['datagrams'])",
    ),
    refused(
        "one of a pair of datagram sockets, led elsewhere",
        UNIX,
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'!', T['datagrams'])",
    ),
    refused(
        "one of a pair of datagram sockets, its type hidden by flags",
        UNIX,
        """
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        one, _ = socket.socketpair(socket.AF_UNIX, kind)
        one.sendto(b"!", T["datagrams"])
        """,
    ),
    refused(
        "one of a pair of streams, led elsewhere",
        UNIX,
        """
        one, _ = socket.socketpair()
        one.sendto(b"!", T["datagrams"])
        """,
        reaches=(),
    ),
    refused(
        "a server on the network",
        NETWORK,
        "socket.create_connection(('127.0.0.1', T['port']), 5)",
        held_verdicts=BROKEN,
        held_says="",
        held_reaches=(NETWORK,),
        sandbox_verdicts=CRASHED,
        sandbox_says="Error",
    ),
)

TERMINALS = (
    refused(
        "text typed into a terminal (TIOCSTI)",
        TYPED,
        """
        terminal = os.open(T["terminal"], os.O_RDWR)
        for letter in b"reboot": fcntl.ioctl(terminal, 0x5412, bytes([letter]))
        """,
        perhaps=True,
    ),
    refused(
        "text typed into a terminal, the command hidden by high bits",
        TYPED,
        """
        terminal = os.open(T["terminal"], os.O_RDONLY)
        call("ioctl", ctypes.c_int(terminal), ctypes.c_ulong(0x5412 | 1 << 32), b"!")
        """,
        perhaps=True,
    ),
    refused(
        "a terminal written to",
        SHOWN,
        "os.write(os.open(T['terminal'], os.O_WRONLY | os.O_NOCTTY), b'fixed')",
        perhaps=True,
    ),
    refused(
        "what is typed at a terminal read first",
        TAKEN,
        "os.read(os.open(T['terminal'], os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK), 100)",
        perhaps=True,
    ),
    refused(
        "the controlling terminal written to",
        SHOWN,
        "os.write(os.open('/dev/tty', os.O_WRONLY), b'fixed')",
        reaches=(),
    ),
)

SHARED_BY_NAME = (
    refused("System V shared memory", SYSV, "call('shmget', T['key'], ctypes.c_ulong(4096), 0o1666)"),
    refused("a System V semaphore", SYSV, "call('semget', T['key'], 1, 0o1666)"),
    refused("a System V message queue", SYSV, "call('msgget', T['key'], 0o1666)"),
    refused(
        "a POSIX message queue",
        "a POSIX message queue",
        """
        call("mq_open", b"canary", 0o102, 0o600, None)
        call("mq_unlink", b"canary")
        claim("a POSIX message queue")
        """,
    ),
    refused(
        "a key in the user's keyring",
        "the user's keyring",
        """
        key = call("add_key", b"user", b"canary", b"gotcha", ctypes.c_ulong(6), -4)
        call("keyctl", 3, key)
        claim("the user's keyring")
        """,
    ),
)
