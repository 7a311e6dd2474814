"""Figures with intervals as pictures."""

from ui.proof.plot import SHAPES, Dot, Scale, interval_rows, turns_chart


def dot(value: float, kind: int = 0, name: str = "tuned") -> Dot:
    """Return a figure that is 0.1 wide on each side."""
    return Dot(kind, name, value, value - 0.1, value + 0.1, f"{value:.0%}")


def test_interval_stays_inside_of_the_picture() -> None:
    """Also where it reaches beyond the scale."""
    scale = Scale()
    assert scale.along(-5) == scale.along(0) == 2
    assert scale.along(7) == scale.along(1) == 98
    assert Scale(3, 3).along(3) == 2


def test_picture_says_what_it_shows() -> None:
    """Names and figures are in its text alternative, and cannot break out of it."""
    page = interval_rows([dot(0.5), dot(0.2, 1, 'a"><b>')], line=0.1)
    assert 'aria-label="tuned 50%; a&quot;&gt;&lt;b&gt; 20%"' in page
    assert "<b>" not in page
    assert page.count("ts-p-dashed") == 1
    assert page.count("ts-p-whisker") == 2


def test_every_contestant_has_a_shape_of_its_own() -> None:
    """Colour is never the only sign."""
    assert len(set(SHAPES)) == len(SHAPES) >= 6


def test_turns_are_joined_by_a_line() -> None:
    """One dot for each turn; nothing without a conversation."""
    page = turns_chart([[dot(0.9), dot(0.8), dot(0.7)], [dot(0.3, 1, "base")]])
    assert page.count('<line class="ts-p-stroke') == 2
    assert page.count("ts-p-whisker") == 4
    assert turns_chart([]) == ""
