"""A filter for system calls, which sees a call's number and its arguments, but not what they point to.

Written as classic BPF: https://docs.kernel.org/userspace-api/seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bughunt.confine.linux import forbid_new_privileges, machine, number_of, system_call

_SET_MODE_FILTER = 1
_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# From here on x86 has the numbers of its third kind of calls, which nobody uses.
_X32 = 0x40000000

_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45
_JUMPS = (_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT)
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_NO_SUCH_CALL = 38

_Target = Literal["next", "behind", "end"]


@dataclass(frozen=True)
class Argument:
    """Where a call's argument at `index` is one of the values, none of them, or has any of the one's bits.

    Its lowest 32 bits count, as they do for the kernel: all arguments asked about here are ints.
    """

    index: int
    test: Literal["one of", "none of", "any bit"]
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class Rule:
    """The `calls` fail with `error` where all of `where` holds; with error 0 they seem to be carried out."""

    calls: tuple[str, ...]
    error: int
    where: tuple[Argument, ...] = ()


class _Instruction(NamedTuple):
    """One of BPF's; `yes` and `no` say where a jump leads: on, behind its test, or to the end of its rule."""

    code: int
    value: int
    yes: _Target = "next"
    no: _Target = "next"


def forbid(rules: Iterable[Rule]) -> None:
    """Puts a filter by these rules on this thread, and on whatever it starts, for good. Raises OSError."""
    program = assemble(rules)
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    forbid_new_privileges()
    whole = Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    system_call("seccomp", _SET_MODE_FILTER, 0, ctypes.byref(whole))


def assemble(rules: Iterable[Rule]) -> bytes:
    """The filter's program. A call of another architecture ends the process. Raises OSError where the machine
    is not known."""
    family = machine()
    if family is None:
        raise OSError(_NO_SUCH_CALL, "no system calls are known for this processor")
    program = [
        *_resolved(
            [
                _Instruction(_LOAD, _ARCHITECTURE),
                _Instruction(_IF_EQUAL, _AUDIT_ARCHITECTURE[family], "end"),
                _Instruction(_RETURN, _KILL),
            ]
        ),
        *_resolved(
            [
                _Instruction(_LOAD, _NUMBER),
                _Instruction(_IF_AT_LEAST, _X32, "next", "end"),
                _Instruction(_RETURN, _FAIL | _NO_SUCH_CALL),
            ]
        ),
    ]
    for rule in rules:
        for call in rule.calls:
            number = number_of(call)
            if number is not None:
                program += _resolved(_of_rule(number, rule))
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *one) for one in program)


def _of_rule(number: int, rule: Rule) -> list[_Instruction]:
    instructions = [_Instruction(_LOAD, _NUMBER), _Instruction(_IF_EQUAL, number, "next", "end")]
    for argument in rule.where:
        instructions += _of_argument(argument)
    return [*instructions, _Instruction(_RETURN, _FAIL | rule.error)]


def _of_argument(argument: Argument) -> list[_Instruction]:
    """A test: from its last instruction it goes on where the argument is as asked for."""
    code = _IF_ANY_BIT if argument.test == "any bit" else _IF_EQUAL
    found: _Target = "end" if argument.test == "none of" else "behind"
    missed: _Target = "next" if argument.test == "none of" else "end"
    *before, last = (value & 0xFFFFFFFF for value in argument.values)
    return [
        _Instruction(_LOAD, _ARGUMENTS + 8 * argument.index),
        _Instruction(_AND, argument.mask),
        *(_Instruction(code, value, found, "next") for value in before),
        _Instruction(code, last, found, missed),
    ]


def _resolved(instructions: list[_Instruction]) -> list[tuple[int, int, int, int]]:
    """Instructions with the number of those to be jumped over, in the order that BPF has its fields in."""
    end = len(instructions)

    def over(place: int, target: _Target) -> int:
        if target == "next":
            return 0
        jumped_to = end if target == "end" else place + 1
        while target == "behind" and instructions[jumped_to].code in _JUMPS:
            jumped_to += 1
        return jumped_to - place - 1

    return [(one.code, over(i, one.yes), over(i, one.no), one.value) for i, one in enumerate(instructions)]
