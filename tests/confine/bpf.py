"""What the kernel makes of a seccomp program: the part of classic BPF that `seccomp` writes."""

from __future__ import annotations

import struct

ALLOW, KILL = "allow", "kill"


def decide(program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()) -> str | int:
    """`allow`, `kill`, or the error number that the call fails with."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, *[0] * 6)[:6])
    instructions = list(struct.iter_unpack("<HBBI", program))
    place, accumulator = 0, 0
    while True:
        code, yes, no, value = instructions[place]
        place += 1
        if code == 0x20:
            accumulator = struct.unpack_from("<I", data, value)[0]
        elif code == 0x54:
            accumulator &= value
        elif code == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value, value & 0xFFFF)
        else:
            held = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            place += yes if held else no
