"""What a batch of any loader has to be, whatever is in it: for checks, of what measurements noted."""

from __future__ import annotations

from collections.abc import Sequence


def assert_there(name: str, found: str, asked_for: str) -> None:
    """A tensor is on the device (its type) that it was asked for on."""
    place = "the CPU" if found == "cpu" else found
    assert found == asked_for, (
        f"Asked for on a device other than the CPU, the {name} are on {place}: a model there cannot use them."
    )


def assert_apart(name: str, addresses: Sequence[object]) -> None:
    """Batches that were drawn one after the other, and kept, are in memory of their own."""
    assert len(set(addresses)) == len(addresses), (
        f"A batch should stay as it is when the next one is drawn; of {len(addresses)} batches, some have "
        f"their {name} in the same memory, so that one overwrites another."
    )


def assert_varied(name: str, tokens: Sequence[int]) -> None:
    """Not all tokens of several batches are the same one, whatever they are.

    Two may be: a document begins with bos twice, where tokenizer and loader each put one in front.
    """
    assert len(tokens) <= 2 or len(set(tokens)) > 1, (
        f"The documents have many tokens, and each batch a stretch of its own; all {name} are the same token."
    )
