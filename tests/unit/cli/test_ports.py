"""Ports of the embedded stack."""

import socket

import pytest

from kit.config import SettingsError
from tonesmith.stack.ports import USUAL, any_free, choose, is_free, wanted


def test_listening_port_is_not_free() -> None:
    """A port is free until somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not is_free(listener.getsockname()[1])
    assert is_free(any_free())


def test_environment_overrides_the_usual_ports() -> None:
    """An empty variable counts as not set."""
    found = wanted({"UI_PORT": "25100", "DATAGEN_PORT": ""})
    assert found == USUAL | {"UI_PORT": 25100}


@pytest.mark.parametrize("told", ["abc", "99999", "0", "-1", "8001.0"])
def test_setting_that_is_no_port_is_named(told: str) -> None:
    """No traceback, and nobody has to guess which one."""
    with pytest.raises(SettingsError, match=r"TRAINER_PORT: .* is no port"):
        wanted({"TRAINER_PORT": told})


def test_taken_ports_are_replaced() -> None:
    """The others stay; the taken ones are told."""
    ports, taken = choose(USUAL, free=lambda port: port != 8001)
    assert taken == [8001]
    assert ports["DATAGEN_PORT"] != 8001
    assert {name: port for name, port in ports.items() if name != "DATAGEN_PORT"} == {
        name: port for name, port in USUAL.items() if name != "DATAGEN_PORT"
    }
