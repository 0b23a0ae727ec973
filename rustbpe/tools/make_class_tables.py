"""Write src/classes.rs: the class of every code point, as tiktoken sees it.

The split patterns speak of letters, numbers and white space. Which code points those are depends on a
Unicode version, and every regular-expression engine has its own. tiktoken encodes at inference, so its answer
is the one that training must agree with: this script asks it about each code point.

    python tools/make_class_tables.py            # rewrites src/classes.rs
    python tools/make_class_tables.py --check    # exit status 1 if the file is not what tiktoken says
"""

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

import tiktoken

TARGET = Path(__file__).resolve().parent.parent / "src" / "classes.rs"
CLASSES = {1: r"\p{L}", 2: r"\p{N}", 3: r"\s"}
CONTRACTION_LETTERS = "sdmtlver"
CODE_POINTS = 0x110000
BLOCK = 256


def matched(pattern: str, text: str) -> str:
    """The characters of `text` that `pattern` matches, in order: tiktoken drops the others."""
    encoding = tiktoken.Encoding(
        name="classes",
        pat_str=pattern,
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={},
    )
    return bytes(encoding.encode_ordinary(text)).decode()


def code_point_classes() -> bytearray:
    """One class number per code point, 0 where no class of `CLASSES` holds."""
    text = "".join(chr(c) for c in range(CODE_POINTS) if not 0xD800 <= c <= 0xDFFF)
    classes = bytearray(CODE_POINTS)
    for number, pattern in CLASSES.items():
        for character in matched(pattern, text):
            if classes[ord(character)]:
                raise SystemExit(f"U+{ord(character):04X} is in two classes")
            classes[ord(character)] = number
    return classes


def case_variants() -> list[tuple[int, str]]:
    """Code points beyond ASCII that match an ASCII letter of a contraction when case is ignored."""
    beyond_ascii = "".join(chr(c) for c in range(0x80, CODE_POINTS) if not 0xD800 <= c <= 0xDFFF)
    return sorted(
        (ord(variant), letter)
        for letter in CONTRACTION_LETTERS
        for variant in matched(f"(?i:{letter})", beyond_ascii)
    )


def packed(block: bytes) -> str:
    """A block of classes as u64 words, two bits a code point, the lowest bits first."""
    words = []
    for start in range(0, BLOCK, 32):
        word = sum(value << (2 * place) for place, value in enumerate(block[start : start + 32]))
        words.append(f"0x{word:016x}")
    return f"    [\n        {', '.join(words[:4])},\n        {', '.join(words[4:])},\n    ],\n"


def render() -> str:
    classes = bytes(code_point_classes())
    blocks: dict[bytes, int] = {}
    index = []
    for start in range(0, CODE_POINTS, BLOCK):
        index.append(blocks.setdefault(classes[start : start + BLOCK], len(blocks)))
    rows = [index[start : start + 20] for start in range(0, len(index), 20)]
    variants = "".join(f"    (0x{code:04x}, b'{letter}'),\n" for code, letter in case_variants())
    return "".join(
        [
            "//! Character classes as tiktoken sees them. ",
            "Written by tools/make_class_tables.py; do not edit.\n\n",
            "/// The tiktoken that was asked.\n",
            f'pub const TIKTOKEN_VERSION: &str = "{version("tiktoken")}";\n\n',
            "/// Code points beyond ASCII that a case-blind contraction takes for one of its letters.\n",
            f"pub const CASE_VARIANTS: &[(u32, u8)] = &[\n{variants}];\n\n",
            "/// The block of `CLASSES` for each run of 256 code points.\n",
            f"pub const BLOCKS: [u8; {len(index)}] = [\n",
            *(f"    {', '.join(map(str, row))},\n" for row in rows),
            "];\n\n",
            "/// Two bits a code point: 0 other, 1 letter, 2 number, 3 white space.\n",
            f"pub const CLASSES: [[u64; 8]; {len(blocks)}] = [\n",
            *map(packed, blocks),
            "];\n",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    text = render()
    if parser.parse_args().check:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET} is not what tiktoken {version('tiktoken')} says: run this script")
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
