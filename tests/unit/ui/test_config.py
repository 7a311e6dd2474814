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
    ("name", "value"),
    [
        ("UI_LANGUAGE", "fr"),
        ("UI_PORT", "x"),
        ("UI_PROT", "1"),
        ("UI_METRICS_PORT", "7860"),
        ("UI_METRICS_PORT", "70000"),
        ("UI_GRAFANA_URL", "javascript:alert(1)"),
        ("UI_GRAFANA_URL", "grafana:3000"),
        ("UI_GRAFANA_URL", "http://"),
        ("UI_GRAFANA_URL", "http://host:port"),
        ("UI_GRAFANA_URL", "http://admin:secret@grafana"),
        ("UI_PROMETHEUS_URL", "http://host/?q=1"),
        ("UI_PROMETHEUS_API", "ftp://prometheus"),
        ("UI_PROMETHEUS_API", "http://pro metheus"),
        ("UI_TRUSTED_PROXIES", "proxy.example"),
        ("UI_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("UI_AUTH_HEADER", "X User"),
        ("UI_AUTH", "open"),
    ],
)
def test_mistake_is_named(name: str, value: str) -> None:
    """A bad value or a misspelt variable is an error that names it."""
    with pytest.raises(SettingsError, match=name):
        UiSettings.from_environ({name: value})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"UI_HOST": "0.0.0.0"}, "UI_PUBLISHED_ON"),
        ({"UI_HOST": "0.0.0.0", "UI_AUTH": "none"}, "may be reached from elsewhere"),
        ({"UI_PUBLISHED_ON": "192.168.1.2"}, "192.168.1.2"),
        ({"UI_HOST": "0.0.0.0", "UI_AUTH": "users"}, "UI_USERS_FILE"),
        ({"UI_HOST": "0.0.0.0", "UI_AUTH": "header"}, "UI_TRUSTED_PROXIES"),
    ],
)
def test_page_without_a_log_in_is_for_this_machine_only(told: dict[str, str], said: str) -> None:
    """Anywhere else somebody has to say who lets people in; the message says how."""
    with pytest.raises(SettingsError, match=f"UI_AUTH: .*{said}"):
        UiSettings.from_environ(told)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"UI_HOST": "::1", "UI_AUTH": "none"},
        {"UI_HOST": "0.0.0.0", "UI_PUBLISHED_ON": "127.0.0.1"},
        {"UI_HOST": "0.0.0.0", "UI_AUTH": "users", "UI_USERS_FILE": "users"},
        {"UI_HOST": "0.0.0.0", "UI_AUTH": "header", "UI_TRUSTED_PROXIES": "10.0.0.0/8, ::1"},
    ],
)
def test_page_that_is_guarded_or_local_may_start(told: dict[str, str]) -> None:
    """A container listens everywhere, and is published on loopback."""
    assert UiSettings.from_environ(told).auth in ("none", "users", "header")


def test_page_that_moves_to_the_port_of_the_metrics_is_refused() -> None:
    """The published port never has them."""
    with pytest.raises(SettingsError, match="UI_METRICS_PORT: .*UI_PORT"):
        UiSettings.from_environ({"UI_PORT": "7861"})


def test_server_finds_who_watches_where_the_browser_does_unless_told() -> None:
    """In a container the two have different addresses; a slash at the end is dropped."""
    told = {"UI_PROMETHEUS_URL": "https://watch.example/prometheus/"}
    settings = UiSettings.from_environ(told)
    assert settings.prometheus_inner == "https://watch.example/prometheus"
    assert settings.grafana_inner == ""
    settings = UiSettings.from_environ(told | {"UI_PROMETHEUS_API": "http://prometheus:9090"})
    assert settings.prometheus_inner == "http://prometheus:9090"
