"""Where the command line looks for the services of this machine."""

from pathlib import Path

import pytest

from kit.config import SettingsError
from tonesmith.stack.addresses import local_addresses, record
from tonesmith.stack.ports import USUAL
from tonesmith.stack.programs import Places

OTHER = {name: port + 1000 for name, port in USUAL.items()}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A folder in which a stack runs that has recorded other ports than the usual ones."""
    found = Places(tmp_path)
    record(found, OTHER)
    monkeypatch.setattr("tonesmith.stack.supervisor.Supervisor.running", True)
    return found


def test_ports_that_are_set_are_followed(tmp_path: Path) -> None:
    """The same that `up` listens on; an empty variable counts as not set."""
    environ = {"DATAGEN_PORT": "25001", "SERVING_CONTROL_PORT": "25002", "UI_PORT": ""}
    assert local_addresses(environ, Places(tmp_path)) == {
        "datagen_url": "http://127.0.0.1:25001",
        "trainer_url": "http://127.0.0.1:8002",
        "serving_url": "http://127.0.0.1:8000",
        "serving_control_url": "http://127.0.0.1:25002",
        "ui_url": "http://127.0.0.1:7860",
    }


def test_stack_that_runs_is_asked_where_it_is(places: Places) -> None:
    """What is set for this call wins over what it recorded."""
    found = local_addresses({"DATAGEN_PORT": "25001"}, places)
    assert found["datagen_url"] == "http://127.0.0.1:25001"
    assert found["trainer_url"] == "http://127.0.0.1:9002"
    assert found["ui_url"] == "http://127.0.0.1:8860"


def test_record_of_a_stack_that_has_ended_is_not_followed(tmp_path: Path) -> None:
    """Its ports may be somebody else's by now."""
    record(Places(tmp_path), OTHER)
    assert local_addresses({}, Places(tmp_path))["trainer_url"] == "http://127.0.0.1:8002"


def test_broken_record_is_not_followed(places: Places) -> None:
    """A file that was cut short is no reason to fail."""
    places.addresses.write_text("{")
    assert local_addresses({}, places)["trainer_url"] == "http://127.0.0.1:8002"


def test_port_that_is_none_is_named(tmp_path: Path) -> None:
    """Every command says so, not only `up`."""
    with pytest.raises(SettingsError, match="TRAINER_PORT"):
        local_addresses({"TRAINER_PORT": "99999"}, Places(tmp_path))
