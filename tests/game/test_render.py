"""Views as text, as pages and as pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bughunt.errors import BughuntError
from bughunt.render.page import html_page, save, svg_picture
from bughunt.render.plain import draw, wrap
from bughunt.render.plot import plot_lines
from bughunt.views import Code, Heading, Item, Plot, Series, Table, Text, Tokens, View, to_json

LONG = "A sentence that is much longer than the narrowest of all the terminals that people use. " * 3
VIEWS: list[View] = [
    Heading("A <heading> & more"),
    Text(LONG),
    Item("1.1  broken", LONG, "bad"),
    Table(("name", "value"), [("a" * 30, LONG), ("<b>", 3)], title="Numbers"),
    Plot(
        "Loss", [Series("one", [1, 2, 3], [3.0, 2.0, 1.0]), Series("two", [1, 3], [0.5, 0.1])], "step", "nats"
    ),
    Tokens("A conversation", ["<|bos|>", "Hi", "there"], [False, True, True], "trained"),
    Code("--- a/x\n+++ b/x\n-old\n+new\n", "diff"),
]


@pytest.mark.parametrize("width", [40, 80, 100])
def test_plain_text_stays_within_its_width(width: int) -> None:
    for line in draw(VIEWS, width).splitlines():
        assert len(line) <= width, line


def test_plain_text_holds_every_word_of_a_wrapped_cell() -> None:
    text = draw([Table(("a", "b"), [("x", LONG)])], 40)
    assert [word for word in LONG.split() if word not in text] == []


def test_paragraphs_lists_and_verbatim_blocks_are_kept_apart() -> None:
    text = "One two three.\n\n- four five six seven\n- eight\n\n  kept   as it stands"
    assert wrap(text, 14) == [
        "One two three.",
        "",
        "- four five",
        "  six seven",
        "- eight",
        "",
        "  kept   as it stands",
    ]


def test_a_curve_falls_from_the_upper_left_to_the_lower_right() -> None:
    lines = plot_lines(Plot("", [Series("", range(10), [float(-y) for y in range(10)])]), 60)
    columns = [line.index("*") for line in lines if "*" in line]
    assert columns == sorted(columns)
    assert len(columns) >= 8


@pytest.mark.parametrize("values", [[], [float("nan")], [float("inf"), float("-inf")]])
def test_values_that_cannot_be_plotted_are_said(values: list[float]) -> None:
    plot = Plot("", [Series("", range(len(values)), values)])
    assert "nothing to plot" in plot_lines(plot, 60)[0]
    assert "nothing to plot" in svg_picture([plot], "")


def test_a_logarithmic_axis_leaves_out_what_is_not_positive() -> None:
    series = Series("", [0, 1, 2, 3], [0.0, 1.0, 10.0, 100.0])
    text = "\n".join(plot_lines(Plot("", [series], log_y=True), 60))
    assert text.count("*") == 3
    assert "100" in text and "10" in text


def test_pictures_are_well_formed() -> None:
    root = ElementTree.fromstring(svg_picture(VIEWS, "Title & <more>"))
    assert root.tag.endswith("svg")
    shown = "".join(root.itertext())
    for words in ("Title & <more>", "A <heading> & more", "nats", "[Hi]"):
        assert words in shown
    assert len(root.findall(".//{http://www.w3.org/2000/svg}polyline")) == 2


def test_pages_close_what_they_open() -> None:
    class Balance(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta",):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

        def handle_startendtag(self, tag: str, attrs: object) -> None: ...

    balance = Balance()
    balance.feed(html_page(VIEWS, "Title"))
    assert balance.open == []


def test_saving_under_another_ending_is_refused(tmp_path: Path) -> None:
    for name in ("plot.png", "plot"):
        with pytest.raises(BughuntError, match="cannot be saved"):
            save(VIEWS, tmp_path / name, "Title")
    with pytest.raises(BughuntError, match="cannot be written"):
        save(VIEWS, tmp_path / "nowhere" / "plot.svg", "Title")
    assert list(tmp_path.iterdir()) == []


def test_json_says_what_and_not_how() -> None:
    for view in VIEWS:
        data = to_json(view)
        assert data["kind"] == type(view).__name__.lower()
        assert not data.keys() & {"tone", "tones", "indent"}
