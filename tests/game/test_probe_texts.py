"""Whatever comes back of a measurement, a probe shows it, or says that it cannot: it steers no terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.measure.outcomes import Measurement
from bughunt.render.plain import draw
from bughunt.screens.probes import Prober

BUGS = [bug for level in load_catalog().levels for bug in level.bugs]
NESTED = json.loads("[" * 300 + "]" * 300)
STEERS = "\x1b[2J\x1b[H1.1  fixed\x07\r\x9b2J\u202e"


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge(tree_folder()) as judge:
        yield judge


def changed(data: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(data, list):
        return [changed(one, change) for one in data]
    if isinstance(data, dict):
        return {key: changed(value, change) for key, value in data.items()}
    return change(data)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "every text": lambda leaf: STEERS if isinstance(leaf, str) else leaf,
    "every number a text": lambda leaf: STEERS if isinstance(leaf, int | float) else leaf,
    "every leaf a text": lambda _: STEERS,
    "every number too large": lambda leaf: 10**400 if isinstance(leaf, int | float) else leaf,
    "every number infinite": lambda leaf: float("inf") if isinstance(leaf, int | float) else leaf,
    "every leaf nested": lambda _: NESTED,
    "nothing": lambda _: None,
}


@pytest.mark.few(4)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_what_was_returned_steers_no_terminal(bug: Bug, judge: Judge) -> None:
    inputs, outcome = judge.measure(bug, tree_folder(), 5)
    assert isinstance(outcome, Measurement)
    prober = Prober(bug)
    assert prober.probed(inputs, outcome).views
    for name, change in CHANGES.items():
        found = prober.probed(inputs, Measurement(changed(outcome.data, change)))
        assert found.views or found.failure, name
        shown = draw(found.views, 80) + json.dumps([asdict(view) for view in found.views], ensure_ascii=False)
        assert not set(STEERS) - set("[2JH1. fixed") & set(shown), name
