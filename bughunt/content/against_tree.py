"""A card beside the code base that it speaks of: are the files, functions and modules that it names there?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from bughunt.content.bug_files import changed_files
from bughunt.content.cards import Place
from bughunt.content.explaining import suggestion
from bughunt.content.level import Bug
from bughunt.content.reading import fault
from bughunt.content.tree import definitions, tree_files
from bughunt.errors import BughuntError


class AgainstTree:
    """Compares cards with the code base in `tree`."""

    def __init__(self, tree: Path) -> None:
        self._files = [file for file in tree_files(tree) if file.endswith(".py")]
        self._modules = {file.split("/")[0].removesuffix(".py") for file in self._files}
        self._definitions = cache(lambda file: definitions((tree / file).read_text(encoding="utf-8")))

    def faults(self, bug: Bug) -> Iterator[BughuntError]:
        """Raises BughuntError for a card that cannot be read."""
        yield from (misplaced := list(self._of_places(bug)))
        for module in bug.card.preload:
            yield from self._of_module(bug.source, module)
        if bug.patch.is_file() and not misplaced:
            yield from _of_patch(bug)

    def _of_places(self, bug: Bug) -> Iterator[BughuntError]:
        for place, times in Counter(bug.card.where).items():
            if times > 1:
                yield fault(bug.source, f"`where` names `{place.function}` of {place.file} {times} times")
            yield from self._of_place(bug.source, place)

    def _of_place(self, source: Path, place: Place) -> Iterator[BughuntError]:
        if place.file not in self._files:
            says = f"`file` in `where` is “{place.file}”, and the tree has no such Python file"
            yield fault(source, says + suggestion(place.file, self._files))
        elif place.function not in (names := self._definitions(place.file)):
            says = f"`function` in `where` is “{place.function}”, and {place.file} has no such function"
            yield fault(source, says + suggestion(place.function, sorted(names)))

    def _of_module(self, source: Path, module: str) -> Iterator[BughuntError]:
        name = module.split(".")[0]
        if name in self._modules:
            yield fault(
                source,
                f"`preload` names “{module}”, which is the player's code; only measure.py imports that",
            )
        elif not _installed(name):
            yield fault(source, f"`preload` names “{module}”, and no module “{name}” is installed")


def _of_patch(bug: Bug) -> Iterator[BughuntError]:
    """The patch must change the files of the card and no others: a reset of the bug restores just those."""
    changed = changed_files(bug.patch)
    for file in sorted(changed - set(bug.files)):
        yield fault(bug.source, f"no `where` names {file}, which bug.patch changes")
    for file in sorted(set(bug.files) - changed) if changed else ():
        yield fault(bug.source, f"`where` names {file}, which bug.patch does not change")


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:
        return False
