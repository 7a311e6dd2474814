"""What the tests of generation, gates and imports share."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.style import Language, Style, StyleVersion
from contracts.volume import Volume
from datagen.cards import parse_card
from datagen.config import Settings
from datagen.questions import Bank, load_banks
from datagen.review import ReviewDesk
from datagen.review_store import ReviewStore
from datagen.services import Services, open_services
from fakes.reviewed import FIRST, publish_first

SHIPPED = Path(__file__).parents[3] / "services" / "datagen"


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder with the shipped styles, questions and prompts."""
    return SHIPPED


@pytest.fixture(scope="session")
def banks() -> dict[Language, Bank]:
    """The shipped banks of situations."""
    return load_banks(SHIPPED / "questions")


@pytest.fixture(scope="session")
def tsundere() -> Style:
    """A shipped Chinese card."""
    return parse_card((SHIPPED / "styles" / "tsundere.yaml").read_bytes())


@pytest.fixture(scope="session")
def butler() -> Style:
    """A shipped English card."""
    return parse_card((SHIPPED / "styles" / "dry-butler.yaml").read_bytes())


@pytest.fixture(scope="session")
def versions(tsundere: Style, butler: Style) -> list[StyleVersion]:
    """One Chinese and one English card, as stored."""
    return [StyleVersion(version=1, style=tsundere), StyleVersion(version=1, style=butler)]


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """An empty volume."""
    return Volume(tmp_path / "data")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that touch nothing but the test's own folder."""
    return Settings(data_dir=tmp_path / "data", state_dir=tmp_path / "state", shipped_dir=SHIPPED)


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The parts of one process, with the scripted teacher."""
    services = open_services(settings)
    yield services
    services.store.close()


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Gives the logs back to pytest after a command has taken them."""
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def desk(volume: Volume, banks: dict[Language, Bank]) -> Iterator[ReviewDesk]:
    """The desk over a small dataset whose review is open."""
    publish_first(volume)
    store = ReviewStore(volume.root.parent / "state")
    desk = ReviewDesk(volume, banks, store)
    desk.open(FIRST)
    yield desk
    store.close()
