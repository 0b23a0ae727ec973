"""Colours of verdicts."""

from __future__ import annotations

from bughunt.views import Tone

VERDICT_TONES: dict[str | None, Tone] = {
    "fixed": "good",
    "broken": "bad",
    "crashed": "bad",
    "unknown": "warn",
    None: "dim",
}
