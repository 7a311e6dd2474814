"""Tests of the style library on the volume."""

from pathlib import Path

import pytest

from contracts.style import Style
from contracts.volume import Volume
from datagen.errors import StyleChangedError
from datagen.library import StyleLibrary, load_cards
from kit.errors import ConflictError, InvalidInputError, NotFoundError


def changed(style: Style, **values: object) -> Style:
    """Return `style` with other values."""
    return Style.model_validate(style.model_dump() | values)


def test_shipped_cards_are_installed_once(volume: Volume, shipped: Path) -> None:
    """A second start installs nothing."""
    library = StyleLibrary(volume)
    assert len(library.install(shipped / "styles")) >= 12
    assert library.install(shipped / "styles") == []
    assert (volume.style("tsundere") / "1.yaml").is_file()


def test_changed_card_is_a_new_version_and_the_old_one_stays(
    volume: Volume, tsundere: Style
) -> None:
    """A stored version never changes; the same card again is no version."""
    library = StyleLibrary(volume)
    assert library.put(tsundere).version == 1
    before = (volume.style("tsundere") / "1.yaml").read_bytes()
    assert library.put(tsundere).version == 1
    assert library.put(changed(tsundere, temperature=0.3)).version == 2
    assert (volume.style("tsundere") / "1.yaml").read_bytes() == before
    assert [entry.version for entry in library.versions("tsundere")] == [1, 2]
    assert StyleLibrary(volume).get("tsundere").style.temperature == 0.3


def test_edited_card_is_not_overwritten_by_the_shipped_one(
    volume: Volume, shipped: Path, tsundere: Style
) -> None:
    """Installing leaves a user's own version the newest."""
    library = StyleLibrary(volume)
    library.put(changed(tsundere, temperature=0.1))
    assert "tsundere" not in library.install(shipped / "styles")
    assert library.get("tsundere").style.temperature == 0.1


def test_every_card_includes_old_versions(volume: Volume, tsundere: Style) -> None:
    """A resumed job may still speak with a card that was edited meanwhile."""
    library = StyleLibrary(volume)
    library.put(tsundere)
    assert len(library.every_card()) == 1
    library.put(changed(tsundere, temperature=0.3))
    assert [card.temperature for card in library.every_card()] == [0.8, 0.3]


@pytest.mark.parametrize("name", ["nobody", "a" * 64])
def test_unknown_style_is_not_found(volume: Volume, name: str) -> None:
    """A style that does not exist is a 404."""
    with pytest.raises(NotFoundError):
        StyleLibrary(volume).choose([name])


@pytest.mark.parametrize("name", ["../x", "", "A", "a/b", "a\x00", "a" * 300, "..", "nul"])
def test_unsafe_name_is_refused(volume: Volume, name: str) -> None:
    """A name that could leave the folder never reaches the disk."""
    with pytest.raises(InvalidInputError):
        StyleLibrary(volume).get(name)


def test_empty_library_says_how_to_fill_it(volume: Volume) -> None:
    """Choosing from nothing is an error with the way out."""
    with pytest.raises(NotFoundError) as caught:
        StyleLibrary(volume).choose([])
    assert caught.value.body.hint


def test_bad_shipped_card_is_named(tmp_path: Path) -> None:
    """The message says which file is at fault."""
    (tmp_path / "odd.yaml").write_text("id: [", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="odd.yaml"):
        load_cards(tmp_path)


def test_version_of_somebody_else_is_not_overwritten(volume: Volume, tsundere: Style) -> None:
    """Who says what they began with is told that there is a newer one."""
    library = StyleLibrary(volume)
    assert library.put(tsundere, after=0).version == 1
    assert library.put(changed(tsundere, temperature=0.3), after=1).version == 2
    with pytest.raises(StyleChangedError, match="newest version is 2, not 1"):
        library.put(changed(tsundere, temperature=0.4), after=1)
    assert library.get("tsundere").version == 2


def test_style_that_is_put_away_is_kept_and_comes_back(volume: Volume, tsundere: Style) -> None:
    """It is no longer offered, yet a resumed job still finds it; stored again, it is back."""
    library = StyleLibrary(volume)
    library.put(tsundere)
    assert library.archive("tsundere", set()).version == 1
    assert library.all() == []
    assert [one.style.id for one in library.all(archived=True)] == ["tsundere"]
    assert library.every_card() == [tsundere]
    assert library.choose(["tsundere"])[0].version == 1
    assert library.put(tsundere).version == 1
    assert [one.style.id for one in library.all()] == ["tsundere"]
    assert library.all(archived=True) == []


def test_shipped_style_stays(volume: Volume, tsundere: Style) -> None:
    """The way out is a copy."""
    library = StyleLibrary(volume)
    library.put(tsundere)
    with pytest.raises(ConflictError) as refused:
        library.archive("tsundere", {"tsundere"})
    assert "duplicate" in str(refused.value.body.hint)
    with pytest.raises(NotFoundError):
        library.archive("nobody", set())
