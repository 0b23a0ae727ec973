"""Does a text say a figure? However it words and formats it, and whatever it says beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBER = r"(?<![\w.,:])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
_LARGE = {"k": 1e3, "m": 1e6, "g": 1e9}
# A time in parts, such as 1h 02m 03s, 5 min or 72 seconds; and one with colons, such as 1:02:03.
_PARTS = (
    r"(?<![\w.,:])(?=\d)(?:(\d+) ?h(?:ours?)?(?![a-z]))?[ ,]*(?:(\d+) ?m(?:in(?:utes?)?)?(?![a-z]))?[ ,]*"
)
_TIME = re.compile(_PARTS + r"(?:([\d,]+(?:\.\d+)?) ?s(?:ec(?:onds?)?)?\b)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\w.,:])(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)(?![\w:])")


def says_share(text: str, percent: float) -> bool:
    """Is there a percentage within a point of this one?"""
    shares = re.findall(rf"({_NUMBER}) ?(?:%|per ?cent)", text)
    return any(abs(_value(share) - percent) <= 1 for share in shares)


def says_all_done(text: str) -> bool:
    """Is there a share of a hundred per cent, to all its digits?"""
    return re.search(r"(?<![-.\d])100(\.0+)? ?%", text) is not None


def says_time(text: str, seconds: float) -> bool:
    """Is there a time within two of its smallest units (seconds, as a rule) of this one, or within 1 %?"""
    return any(abs(time - seconds) <= max(2 * unit, seconds / 100) for time, unit in _times(text))


def says_number(text: str, number: float) -> bool:
    """Is there a number that differs from this one by 1 % at most, as rounding may do?"""
    numbers = re.findall(rf"({_NUMBER}) ?([kKMG]?)(?![A-Za-z]*\d)", text)
    values = (_value(digits) * _LARGE.get(large.lower(), 1) for digits, large in numbers)
    return any(abs(value - number) <= abs(number) / 100 for value in values)


def _value(digits: str) -> float:
    return float(digits.replace(",", "").rstrip("."))


def _times(text: str) -> Iterator[tuple[float, float]]:
    """Each time that is told, in seconds, and the unit of its last part."""
    for hours, minutes, seconds in _CLOCK.findall(text):
        yield int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds), 1.0
    for hours, minutes, seconds in _TIME.findall(text):
        if hours or minutes or seconds:
            unit = 1.0 if seconds else 60.0 if minutes else 3600.0
            yield int(hours or 0) * 3600 + int(minutes or 0) * 60 + _value(seconds or "0"), unit
