"""The crate's C interface as Python objects."""

import operator
from array import array
from collections.abc import Iterator
from itertools import accumulate, pairwise
from types import TracebackType
from typing import Any, Self

from rustbpe._native import ffi, lib

_AGAIN = 1
_PANICKED = -2

# The longest that a call stays away from Python, where Ctrl-C is noticed.
_SLICE_MILLISECONDS = 50

_new_uninitialized = ffi.new_allocator(should_clear_after_alloc=False)


def in_range(name: str, value: int, least: int) -> int:
    """`value` as an int: ValueError below `least`, OverflowError beyond 32 bits, TypeError for no integer."""
    value = operator.index(value)
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    if value >= 1 << 32:
        raise OverflowError(f"{name} must be less than {1 << 32}, not {value}")
    return value


def has_scanner(pattern: str) -> bool:
    """Whether the crate can split by this pattern itself."""
    encoded = pattern.encode()
    return bool(_checked(lib.rustbpe_has_scanner(encoded, len(encoded))))


def split(pattern: str, text: bytes) -> list[int]:
    """Where each chunk of a UTF-8 text ends, for a pattern that has a scanner."""
    encoded = pattern.encode()
    ends = _new_uninitialized("uint64_t[]", len(text))
    chunks = ffi.new("uint64_t *")
    _checked(lib.rustbpe_split(encoded, len(encoded), text, len(text), ends, chunks))
    found: list[int] = ffi.unpack(ends, chunks[0])
    return found


class Encoder:
    """A vocabulary in the crate, ready to encode."""

    __slots__ = ("_handle",)

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __del__(self) -> None:
        lib.rustbpe_encoder_free(self._handle)

    def merges(self) -> Iterator[tuple[int, int]]:
        """The two tokens that each merge joins, in order."""
        found = ffi.new("uint64_t *")
        _checked(lib.rustbpe_encoder_merges(self._handle, ffi.NULL, 0, found))
        count = found[0]
        pairs = ffi.new("uint32_t[]", 2 * count)
        _checked(lib.rustbpe_encoder_merges(self._handle, pairs, 2 * count, found))
        flat = iter(ffi.unpack(pairs, 2 * count))
        return zip(flat, flat, strict=True)

    def encode(self, documents: list[bytes], threads: int) -> list[list[int]]:
        """The tokens of each document."""
        text, ends, count = _joined(documents)
        tokens = _new_uninitialized("uint32_t[]", len(text))
        token_ends = _new_uninitialized("uint64_t[]", count)
        _checked(
            lib.rustbpe_encoder_encode(
                self._handle, text, len(text), ends, count, threads, tokens, token_ends
            )
        )
        bounds = [0, *token_ends]
        if count == 1:
            return [ffi.unpack(tokens, bounds[1])]
        flat = ffi.unpack(tokens, bounds[-1])
        return [flat[start:end] for start, end in pairwise(bounds)]

    def encode_chunks(self, chunks: list[bytes]) -> list[int]:
        """The tokens of all chunks, one after the other."""
        text, ends, count = _joined(chunks)
        tokens = _new_uninitialized("uint32_t[]", len(text))
        token_ends = _new_uninitialized("uint64_t[]", count)
        _checked(
            lib.rustbpe_encoder_encode_chunks(self._handle, text, len(text), ends, count, tokens, token_ends)
        )
        return ffi.unpack(tokens, token_ends[count - 1]) if count else []


class Trainer:
    """A training in the crate. Leaving its `with` block ends it, whatever state it is in."""

    __slots__ = ("_handle",)

    def __init__(self, pattern: str, threads: int) -> None:
        encoded = pattern.encode()
        handle = ffi.new("uint64_t *")
        _checked(lib.rustbpe_trainer_new(encoded, len(encoded), threads, handle))
        self._handle: int = handle[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lib.rustbpe_trainer_free(self._handle)

    def feed(self, documents: list[bytes]) -> int:
        """Count documents; return how many bytes of text they are."""
        text, ends, count = _joined(documents)
        document = ffi.new("uint64_t *", 0)
        byte = ffi.new("uint64_t *", 0)
        status = _AGAIN
        while status == _AGAIN:
            status = _checked(
                lib.rustbpe_trainer_feed(
                    self._handle, text, len(text), ends, count, _SLICE_MILLISECONDS, document, byte
                )
            )
        return len(text)

    def add_chunks(self, chunks: list[bytes], counts: list[int]) -> None:
        """Add chunks that have been counted already."""
        text, ends, count = _joined(chunks)
        numbers = ffi.from_buffer("uint64_t[]", array("Q", counts))
        _checked(lib.rustbpe_trainer_add_chunks(self._handle, text, len(text), ends, numbers, count))

    def merge(self, vocab_size: int) -> Iterator[int]:
        """Find the merges, yielding how many there are so far, now and then and at the end."""
        found = ffi.new("uint64_t *")
        status = _AGAIN
        while status == _AGAIN:
            status = _checked(lib.rustbpe_trainer_merge(self._handle, vocab_size, _SLICE_MILLISECONDS, found))
            yield found[0]

    def encoder(self) -> Encoder:
        """An encoder of the merges found."""
        handle = ffi.new("uint64_t *")
        _checked(lib.rustbpe_trainer_encoder(self._handle, handle))
        return Encoder(handle[0])


def _joined(documents: list[bytes]) -> tuple[bytes, Any, int]:
    """Documents as the crate takes them: one text, where each ends, and how many there are."""
    ends = array("Q", accumulate(map(len, documents)))
    return b"".join(documents), ffi.from_buffer("uint64_t[]", ends), len(documents)


def _checked(status: int) -> int:
    """The status of a call to the crate, unless it says that the call failed."""
    if status >= 0:
        return status
    room = 1024
    message = ffi.new("uint8_t[]", room)
    length = min(lib.rustbpe_error(message, room), room)
    text = ffi.buffer(message, length)[:].decode(errors="replace")
    raise (RuntimeError if status == _PANICKED else ValueError)(text)
