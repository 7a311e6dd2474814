"""serving's settings."""

from pathlib import Path

import pytest

from kit.config import SettingsError
from serving.config import ServingSettings


def test_settings_are_read_with_their_prefix() -> None:
    """Own names carry the prefix, shared ones do not, addresses of services are nobody's."""
    found = ServingSettings.from_environ(
        {"SERVING_PORT": "9000", "DATA_DIR": "/data", "SERVING_URL": "http://x", "OTHER": "1"}
    )
    assert (found.port, found.data_dir) == (9000, Path("/data"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVING_PORT", "eighty"),
        ("SERVING_DEVICE", "tpu"),
        ("SERVING_MAX_LORA_RANKS", "8"),
        ("SERVING_DRAIN_SECONDS", "-1"),
    ],
)
def test_variable_is_named_when_wrong(name: str, value: str) -> None:
    """A typo or a bad value is an error that names the variable."""
    with pytest.raises(SettingsError, match=name):
        ServingSettings.from_environ({name: value})
