"""The chart of a run's losses."""

import re

import pytest

from ui.training.run_chart import Frame, Line, Mark, chart_html, frame_of, ticks

FALLING = Line("loss", "Loss", [(step, 3 * 0.99**step) for step in range(0, 400, 5)])


def test_lines_and_marks_are_named() -> None:
    """Each line has its look and its name, each mark its step and its sentence."""
    page = chart_html([FALLING], [Mark("best", "Best: 200", 200)], 800, "Steps")
    assert page.count("ts-line-loss") == 2  # in the chart and in the legend
    assert "Best: 200" in page
    assert 'ts-step-best" style="left:25.00%"' in page
    assert "<figcaption" in page


def test_nothing_is_drawn_without_points() -> None:
    """No axes around nothing."""
    assert chart_html([Line("loss", "Loss", [])], [], 10, "Steps") == ""


def test_every_point_is_within_the_frame() -> None:
    """Also a spike, which does not press the rest to the ground."""
    spike = Line("loss", "Loss", [*FALLING.points, (401, 500.0)])
    assert frame_of([spike], 0).high < 4
    page = chart_html([spike], [], 0, "Steps")
    path = re.search(r'ts-line-loss" d="M([^"]+)"/></svg><', page) or re.search(
        r'class="ts-line ts-line-loss" d="M(\d[^"]+)"', page.split("ts-chart-area")[1]
    )
    assert path
    numbers = [float(number) for number in re.findall(r"[\d.]+", path[1])]
    assert max(numbers[::2]) <= 1000
    assert 0 <= min(numbers[1::2]) <= max(numbers[1::2]) <= 400


@pytest.mark.parametrize(("low", "high"), [(0, 3.1), (0, 0.0004), (0, 900), (-2, 5)])
def test_ticks_are_round_and_few(low: float, high: float) -> None:
    """A reader counts them at a glance."""
    found = ticks(low, high)
    assert 3 <= len(found) <= 8
    assert low <= found[0] <= found[-1] <= high * 1.000001


def test_one_point_and_a_constant_are_drawn() -> None:
    """Neither divides by nothing."""
    for points in ([(5, 1.0)], [(0, 0.0), (9, 0.0)]):
        frame = frame_of([Line("loss", "L", points)], 0)
        assert isinstance(frame, Frame)
        assert chart_html([Line("loss", "L", points)], [], 0, "Steps")


def test_names_are_escaped() -> None:
    """A run's name is data."""
    page = chart_html([Line("loss", "<script>", [(0, 1.0)])], [Mark("best", '"><b>', 0)], 1, "<i>")
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
