"""Tests of the charts: pure functions from figures to SVG."""

import re
import xml.etree.ElementTree as ElementTree

from markupsafe import Markup

from datagen.charts import SHAPES, Dot, Line, axis, dot_rows, key_mark, line_chart

DOTS = [Dot(0, "base", 0.1, 0.02, 0.2), Dot(2, "tuned <b>", 0.9, 0.85, 1.0)]


def parsed(picture: Markup) -> ElementTree.Element:
    """Return the picture's root; fails where it is not well-formed."""
    return ElementTree.fromstring(picture)


def test_dots_stand_where_their_figures_are() -> None:
    """Further right is more; the interval is drawn around the dot."""
    root = parsed(dot_rows(DOTS, floor=0.3))
    places = [float(mark.get("x", "").rstrip("%")) for mark in root.iter("svg") if mark.get("x")]
    assert places == [11.6, 88.4]
    whisker = next(line for line in root.iter("line") if "whisker" in line.get("class", ""))
    assert (whisker.get("x1"), whisker.get("x2")) == ("3.92%", "21.20%")
    assert len([line for line in root.iter("line") if line.get("class") == "floor"]) == 1


def test_pictures_say_what_they_show() -> None:
    """Names and figures stand in the text alternative, escaped."""
    root = parsed(dot_rows(DOTS))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "base 10% (2% – 20%); tuned <b> 90% (85% – 100%)"
    assert parsed(line_chart([Line(DOTS[:1])])).get("aria-label") == "base: 10%"


def test_contestants_differ_in_shape_not_only_in_colour() -> None:
    """In grey print they are still told apart; after the last shape the first comes again."""
    assert len(set(SHAPES)) == len(SHAPES) == 6
    shapes = [re.findall(r' d="([^"]+)"', key_mark(kind))[0] for kind in range(7)]
    assert len(set(shapes[:6])) == 6
    assert shapes[6] == shapes[0]


def test_figures_beyond_the_scale_stay_in_the_picture() -> None:
    """A figure above 1 or below 0 is drawn at the edge."""
    root = parsed(dot_rows([Dot(1, "x", 1.4, -0.5, 2.0)]))
    line = next(line for line in root.iter("line") if "whisker" in line.get("class", ""))
    assert (line.get("x1"), line.get("x2")) == ("2.00%", "98.00%")


def test_lines_join_the_turns_and_need_no_script() -> None:
    """Three turns of two contestants are four segments; nothing is drawn of nothing."""
    lines = [Line([Dot(kind, "x", value, 0, 1) for value in (0.9, 0.6, 0.3)]) for kind in (1, 2)]
    root = parsed(line_chart(lines))
    strokes = [line for line in root.iter("line") if "stroke" in line.get("class", "")]
    assert len(strokes) == 4
    heights = [float(stroke.get("y2", 0)) for stroke in strokes[:2]]
    assert heights[0] < heights[1]  # weaker is lower
    assert line_chart([]) == ""
    assert "100%" in axis()
