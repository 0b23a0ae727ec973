"""Long texts, to be cut into documents at the lines where one may end."""

from __future__ import annotations

from random import Random

from bughunt.lab.measuring import texts


def draw_long_texts(rng: Random) -> dict[str, str]:
    """By name, texts with a line where 4,000 or 16,000 characters are reached, or are just not reached."""

    def lines(characters: int) -> str:
        """So many characters in indented lines, the last one possibly longer."""
        line = " " + texts.word(rng) * 3 + "\n"
        count = characters // len(line) - 1
        return line * count + " " + "x" * (characters - count * len(line) - 2) + "\n"

    found: dict[str, str] = {}
    for size in (3999, 4000):
        for blank in ("\n", "  \n", "\r\n"):
            start = lines(size - len(blank)) + blank
            text = f"{start}def a():\n{start}  indented\n{blank}class B:\n{lines(90)}"
            found[f"{size} and {blank!r}"] = text
        first = lines(3999) + "\n"
        second = "b = 1\n" + lines(size - 7) + "\n"
        found[f"{size} after another"] = f"{first}{second}c = 2\n"
    for size in (15_999, 16_000):
        found[f"{size} without a statement"] = lines(size) + "statement\n" + lines(200)
    found["statements without blank lines"] = "a statement that is longer than the others\n" * 800
    found["many blank lines"] = " \n" * 2050 + "a\n" + "\n" * 2000 + "b"
    found["begins with a blank line"] = "\n" + lines(4000) + "\n\n\nb\n"
    found["one long line"] = "x" * 20_000 + "\n\ny = 1"
    found["nothing"] = ""
    return found
