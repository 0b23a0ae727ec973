"""What of a measurement may say something else without a check's saying so, bug by bug, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from changes import Place

By = Literal["value", "none", "anything"]


@dataclass(frozen=True)
class Free:
    """Places of a measurement, each with all that is beneath, and what may be there.

    In the name of a place a star stands for one key or index, and a word after a slash for the keys that hold
    it. `by` says what may be there: another "value" of the same type; "none", that is, None; or "anything",
    and be it nothing at all.
    """

    where: tuple[str, ...]
    reason: str
    by: By = "value"

    def covers(self, place: Place, before: Any, after: Any) -> bool:
        return self._allows(before, after) and any(is_beneath(place, one) for one in self.where)

    def _allows(self, before: Any, after: Any) -> bool:
        if self.by == "none":
            return after is None
        if self.by == "anything":
            return True
        return type(before) is type(after) and not isinstance(before, (dict, list))


def is_beneath(place: Place, where: str) -> bool:
    names = where.split()
    return len(names) <= len(place) and all(
        name in ("*", str(key)) or (name.startswith("/") and name[1:] in str(key))
        for name, key in zip(names, place, strict=False)
    )


def free(*where: str, reason: str, by: By = "value") -> Free:
    return Free(where, reason, by)


ADDRESS = "an address says nothing by itself; that no two batches share one is asked"
CUDA = "where there is no CUDA it is pretended, and not every repair may fit the pretence"
PROBE = "only the probe shows it"
ROTARY = "it depends on the rotary frequencies, which are another bug's: only its kind is known"

# Numbers that differ by no more are the same: those of right repairs may, so that checks allow for it.
SAME = {"2.1": 2e-3, "2.4": 1e-4, "3.1": 0.025, "3.2": 5e-3, "3.3": 1e-3, "3.4": 5e-4}

FREE: dict[str, list[Free]] = {
    "1.1": [free("loaded", reason="the loader may fail, which is not the tokenizer's affair", by="none")],
    "1.2": [
        free("* * * inputs memory", "* * * targets memory", reason=ADDRESS),
        free("* cuda", reason=CUDA, by="none"),
        free(
            "* * * inputs values",
            "* * * inputs raw",
            "* * * targets values",
            "* * * targets raw",
            reason="which stretch of its stream a batch is, is what 1.3 is about",
        ),
        free(
            "5", "7", "8", "9", reason="the tree's own tokenizer may fail, which is 1.1's affair", by="none"
        ),
    ],
    "1.3": [
        free("demo", reason=PROBE, by="anything"),
        free("batches * * * memory", reason=ADDRESS),
        free("batches * cuda", reason=CUDA, by="none"),
        free(
            *("batches 5", "batches 7", "batches 8", "batches 9"),
            reason="what the tree's own tokenizer gives is 1.1's affair",
            by="none",
        ),
        free("elsewhere *", reason="a loader may need numbers, which “meta” has none of", by="none"),
    ],
    "2.1": [
        free(
            "* steps * gradients /c_q",
            "* steps * gradients /c_k",
            reason="alone in its row, a token needs no query and no key: no gradient is as good as zero",
            by="none",
        ),
        free(
            *("* steps 1 values", "1 afterwards values"),
            reason="where a step leads is up to the optimizers",
        ),
        free("* held", reason="it is asked of the smallest micro-batch alone, and within bounds"),
        free("* validated", reason="the player's validation may fail", by="none"),
        free("* validated values", reason="where a first step leads is up to the optimizers"),
        free("* fine_tuned", reason="fine-tuning may fail, which is 2.4's affair", by="none"),
    ],
    "2.2": [
        free(
            *("trained * *", "resumed *", "tuned *"),
            reason="optimizers may have any number of groups",
            by="anything",
        ),
        free("tuned", reason="fine-tuning may fail, which is 2.4's affair", by="none"),
        free("uneven", reason="parts of a step may be rounded up, down or not at all"),
    ],
    "2.3": [
        free(
            *("cases * alone", "cases * one_of_two", "sizes *", "orders *"),
            reason="groups and parameters have an order of their own",
            by="anything",
        ),
        free("cases * trained *", reason="training may fail for another bug's sake", by="anything"),
        free(
            "cases * moves * /transformer.h",
            reason="Muon's moves are about as large as its rate, not exactly",
        ),
    ],
    "2.4": [
        free("batches * * memory", reason="it only makes a message clearer"),
        free("batches * * elsewhere", reason="a batch may need numbers, which “meta” has none of", by="none"),
    ],
    "3.1": [
        free("demo", reason=PROBE, by="anything"),
        free("curves 1", "curves 2", reason="where the cache stands is 3.2's affair", by="none"),
        free(
            "tables", reason="a table that the model does not use as it is may be of any kind", by="anything"
        ),
    ],
    "3.2": [free("* another", reason=ROTARY)],
    "3.3": [
        free("* listening keys", "* listening values", reason="by how much a head is heard is not asked"),
        free("* memory", reason="a cache may hold more than it needs, as long as groups share it"),
        free("* bfloat16", reason="its rotation, 3.1's affair, may not be for this dtype", by="none"),
        free("* bfloat16 separate", "* bfloat16 shared", reason=ROTARY),
    ],
    "3.4": [
        free("demo", reason=PROBE, by="anything"),
        free("cases * steps * mark", reason="that it is the one before, or another, is all that it says"),
        free(
            "cases * new",
            "cases * steps * bytes",
            "cases * again * bytes",
            "cases * again * fresh_bytes",
            "cases * prefilled bytes",
            "cases * prefilled fresh_bytes",
            "layered * new",
            reason="a cache may hold more than it needs, within bounds",
        ),
        free("cases * again * positions", reason="how the position moves is 3.2's affair"),
        free(
            "layered * steps",
            reason="with a position that the model moves, layers by themselves tell nothing",
        ),
        free(
            "cases * steps * answer",
            "cases * steps * roomy",
            "cases * copied",
            "cases * again * answer",
            "cases * again * fresh",
            "cases * prefilled answer",
            "cases * prefilled fresh",
            reason=ROTARY,
        ),
    ],
    "3.5": [free("in_turns", reason="an engine may make caches of its own", by="none")],
}
