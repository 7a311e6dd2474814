"""Settings of the page."""

import pytest

from kit.config import SettingsError
from ui.config import UiSettings


def test_defaults_hold_when_the_environment_is_empty() -> None:
    """The page starts without any setting, on the loopback address only."""
    settings = UiSettings.from_environ({})
    assert (settings.host, settings.port, settings.language) == ("127.0.0.1", 7860, "auto")


def test_addresses_are_read_without_prefix() -> None:
    """Every caller of a service reads the same name."""
    settings = UiSettings.from_environ({"SERVING_URL": "http://serving:8000", "UI_PORT": "1"})
    assert settings.serving_url == "http://serving:8000"


@pytest.mark.parametrize(
    ("name", "value"), [("UI_LANGUAGE", "fr"), ("UI_PORT", "x"), ("UI_PROT", "1")]
)
def test_mistake_is_named(name: str, value: str) -> None:
    """A bad value or a misspelt variable is an error that names it."""
    with pytest.raises(SettingsError, match=name):
        UiSettings.from_environ({name: value})
