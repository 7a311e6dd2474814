"""The documents are short, their links resolve, and they know every setting and endpoint."""

import importlib
import re
from pathlib import Path

import pytest

from kit.config import Settings
from repository import ROOT, files

PAGES = [path for path in files() if path.suffix == ".md"]
LIMITS = {"README.md": 120, "ARCHITECTURE.md": 200, "CONTRIBUTING.md": 120}
SERVICES = ["datagen", "trainer", "serving", "ui"]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")
COMMAND_BEFORE_LINE = 25


def name(path: Path) -> str:
    """Return the path of a page as it is named in a failure."""
    return path.relative_to(ROOT).as_posix()


def service_readme(service: str) -> str:
    """Return the text of a service's README."""
    return (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")


def settings_class(service: str) -> type[Settings]:
    """Return the settings of a service."""
    module = importlib.import_module(f"{service}.config")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Settings) and value is not Settings
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_resolve(page: Path) -> None:
    """A relative link leads to a file of the repository."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", LIMITS)
def test_page_is_short(page: str) -> None:
    """The pages that everybody reads stay readable."""
    assert (ROOT / page).read_text(encoding="utf-8").count("\n") <= LIMITS[page]


def test_readme_opens_with_a_command() -> None:
    """Who clones the project finds the first command without scrolling, and a picture."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert any("make demo" in line for line in lines[:COMMAND_BEFORE_LINE])
    assert any("docs/screenshots/" in line for line in lines)


@pytest.mark.parametrize("service", SERVICES)
def test_service_readme_is_short_and_names_every_setting(service: str) -> None:
    """A setting that its README does not explain does not exist for a user."""
    text = service_readme(service)
    settings = settings_class(service)
    assert text.count("\n") <= 60
    missing = [
        settings.variable(field)
        for field in settings.model_fields
        if settings.variable(field) not in text
    ]
    assert not missing


def test_every_shared_setting_is_in_the_example() -> None:
    """`.env.example` explains every setting that has no service's prefix."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    shared = {name.upper() for service in SERVICES for name in settings_class(service).shared}
    assert not [name for name in sorted(shared) if f"{name}=" not in example]
