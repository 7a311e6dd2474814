"""The table of the GPUs."""

import pytest

from contracts.gpu import GpuReading, GpuReport
from fakes.watched import four_gpus, reading
from ui.texts import Texts, texts_in
from ui.training.gpu_table import band_of, gpus_html

ZH, EN = texts_in("zh"), texts_in("en")


def table(*gpus: GpuReading) -> str:
    """Return the table of these cards, in English."""
    return gpus_html(EN, GpuReport(available=True, gpus=list(gpus)))


def test_card_tells_all_its_figures() -> None:
    """Memory, utilisation, power against its limit, temperature."""
    html = table(reading(0, 0.5))
    for said in ("H100", "40.0 / 80.0 GiB · 50 %", "97 %", "612 / 700 W", "66 °C"):
        assert said in html


@pytest.mark.parametrize(
    ("ratio", "place"),
    [(0.0, ""), (0.899, ""), (0.90, "band"), (0.95, "band"), (0.951, "above"), (1.0, "above")],
)
def test_memory_is_held_against_the_band(ratio: float, place: str) -> None:
    """90 to 95 % is what a run aims at; nothing is said of a card that is not full."""
    assert band_of(ratio) == place


@pytest.mark.parametrize("texts", [ZH, EN], ids=["zh", "en"])
def test_nothing_is_told_by_colour_alone(texts: Texts) -> None:
    """In the band, above it and lost are words."""
    html = gpus_html(texts, four_gpus())
    for key in ("gpu.band", "gpu.above", "gpu.lost", "gpu.lost_hint"):
        assert html.count(texts(key)) == 1


def test_lost_card_shows_no_figures() -> None:
    """An old figure would be taken for a new one."""
    html = table(reading(0, 0.5, up=False))
    assert "GiB" not in html
    assert EN("gpu.lost") in html


def test_figure_that_a_card_does_not_tell_is_left_open() -> None:
    """No zero is made up."""
    html = table(GpuReading(uuid="GPU-0", index=0, name="old", up=True))
    assert html.count("–") >= 4
    assert "0 W" not in html
    assert "ts-bar" not in html


@pytest.mark.parametrize(
    ("report", "key"),
    [
        (None, "gpu.unknown"),
        (GpuReport(available=False), "gpu.no_library"),
        (GpuReport(available=True), "gpu.none"),
    ],
)
def test_machine_without_a_card_is_told_kindly(report: GpuReport | None, key: str) -> None:
    """And what that means."""
    html = gpus_html(ZH, report)
    assert ZH(key) in html
    assert "<table" not in html


def test_name_of_a_card_is_text() -> None:
    """It comes from a driver."""
    html = table(reading(0, 0.5, name="<script>alert(1)</script>" + "x" * 500))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "x" * 100 not in html
