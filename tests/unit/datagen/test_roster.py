"""Who the teachers are: settings and file."""

from pathlib import Path

import pytest

from datagen.config import Settings
from datagen.prices import Prices
from datagen.roster import open_ledger, read_roster, spec_of, specs_of
from kit.config import SettingsError

TWO = """
teachers:
  - {id: large, base_url: "https://t.example/v1", model: large-1, weight: 3,
     input_dollars: 2, output_dollars: 8, requests_per_minute: 60}
  - {id: small, base_url: "http://127.0.0.1:9/v1", model: small-2, concurrency: 4}
"""


def written(tmp_path: Path, text: str) -> Path:
    """Return a file with `text`."""
    path = tmp_path / "teachers.yaml"
    path.write_text(text)
    return path


def test_one_teacher_comes_from_the_settings() -> None:
    """Without an address it is the scripted one, whatever model is named."""
    assert spec_of(Settings(teacher_model="m")).model == "scripted"
    spec = spec_of(Settings(teacher_base_url="http://t/v1", teacher_model="m"))
    assert (spec.name, spec.prices, spec.concurrency) == ("m", None, 16)


def test_several_teachers_come_from_a_file(tmp_path: Path) -> None:
    """Each with its weight, limits and prices."""
    large, small = read_roster(written(tmp_path, TWO))
    assert (large.name, large.weight, large.prices) == ("large", 3, Prices(2, 2, 8))
    assert (small.model, small.weight, small.concurrency, small.prices) == ("small-2", 1, 4, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("teachers: []", "teachers: List"),
        ("{", "cannot be read"),
        (TWO.replace("id: small", "id: large"), "two teachers have one id"),
        (TWO.replace("weight: 3", "weight: 0"), r"teachers\.0\.weight"),
        (TWO.replace("input_dollars: 2, ", ""), "go together"),
        (TWO.replace("concurrency", "concurency"), r"teachers\.1\.concurency"),
        (TWO.replace("http://", "file://"), r"teachers\.1\.base_url"),
    ],
)
def test_file_that_cannot_be_used_is_named_with_its_field(
    tmp_path: Path, text: str, words: str
) -> None:
    """At the start, not in the middle of a generation."""
    with pytest.raises(SettingsError, match=rf"teachers\.yaml: .*{words}"):
        read_roster(written(tmp_path, text))


def test_file_and_address_exclude_each_other(tmp_path: Path) -> None:
    """It would not be clear who is asked."""
    path = written(tmp_path, TWO)
    assert len(specs_of(Settings(teachers_file=path))) == 2
    with pytest.raises(SettingsError, match="exclude each other"):
        specs_of(Settings(teachers_file=path, teacher_base_url="http://t/v1"))


def test_budget_needs_the_prices_of_every_teacher(tmp_path: Path) -> None:
    """One whose costs are not known could spend all of it."""
    settings = Settings(
        teachers_file=written(tmp_path, TWO), budget_dollars=5, state_dir=tmp_path / "state"
    )
    with pytest.raises(SettingsError, match="'small'"):
        open_ledger(settings, specs_of(settings))
    assert open_ledger(settings, specs_of(settings)[:1]).budget == 5
