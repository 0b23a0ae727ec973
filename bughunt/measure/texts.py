"""Texts that come from a measuring process, made fit to be shown."""


def tidy(text: str, characters: int) -> str:
    """The end of a text, without what would steer a terminal."""
    kept = "".join(c for c in text if c.isprintable() or c in "\n\t")
    return kept if len(kept) <= characters else "… " + kept[-characters:]
