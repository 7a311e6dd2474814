"""supervisord's file and the environment of the stack."""

import configparser
import sys
from pathlib import Path

import pytest

from tonesmith.stack.ports import USUAL
from tonesmith.stack.programs import (
    SERVICES,
    Places,
    Program,
    quoted,
    stack_environment,
    supervisord_conf,
)


def parsed(places: Places) -> configparser.ConfigParser:
    """Return supervisord's file as its own parser reads it."""
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    parser.read_string(supervisord_conf(places, SERVICES))
    return parser


def test_every_service_is_a_program_that_is_stopped_with_its_group(tmp_path: Path) -> None:
    """All four services, tethered, each with a log of its own and no orphan left behind."""
    found = parsed(Places(tmp_path))
    for name in ("datagen", "trainer", "serving", "ui"):
        section = found[f"program:{name}"]
        assert section["command"].endswith(f"{sys.executable} -m {name}")
        assert "tonesmith.stack.tether 0" in section["command"]
        assert section["stopasgroup"] == section["killasgroup"] == "true"
        assert section["stdout_logfile"] == str(tmp_path / "log" / f"{name}.log")


def test_trainer_starts_first(tmp_path: Path) -> None:
    """It writes what serving must serve."""
    found = parsed(Places(tmp_path))
    priorities = {
        name: int(found[f"program:{name}"]["priority"]) for name in ("trainer", "serving")
    }
    assert priorities["trainer"] < priorities["serving"]


def test_socket_of_a_deep_folder_is_short(tmp_path: Path) -> None:
    """A unix socket's path has at most 107 characters; two folders have two sockets."""
    deep = Places(tmp_path / ("deep" * 30))
    other = Places(tmp_path / ("deep" * 31))
    assert len(str(deep.socket)) <= 107
    assert deep.socket != other.socket
    assert Places(Path("/x")).socket == Path("/x/embedded/supervisor.sock")


@pytest.mark.parametrize(
    ("word", "written"),
    [("plain", "plain"), ("a b", '"a b"'), ("50%", "50%%"), ("a;b", '"a;b"')],
)
def test_words_keep_their_meaning(word: str, written: str) -> None:
    """Blanks, percent signs and semicolons mean something in supervisord's file."""
    assert quoted(word) == written


def test_log_is_named_after_the_program() -> None:
    """`up` and the demo show the end of it when the program breaks."""
    assert Places(Path("var")).log(Program("x", ()).name) == Path("var/log/x.log")


def test_environment_has_addresses_that_fit_the_ports(tmp_path: Path) -> None:
    """Everybody finds everybody, also on other ports than the usual ones."""
    ports = dict(USUAL) | {"DATAGEN_PORT": 25001, "SERVING_CONTROL_PORT": 25002}
    found = stack_environment({"A": "b"}, tmp_path, ports)
    assert found["DATAGEN_URL"] == "http://127.0.0.1:25001"
    assert found["SERVING_CONTROL_URL"] == "http://127.0.0.1:25002"
    assert found["SERVING_URL"] == "http://127.0.0.1:8000"
    assert found["UI_PORT"] == "7860"
    assert found["A"] == "b"


def test_folders_that_are_set_are_kept(tmp_path: Path) -> None:
    """The user's data folder wins; states default to the stack's own folder."""
    found = stack_environment({"DATA_DIR": "/data"}, tmp_path, USUAL)
    assert found["DATA_DIR"] == "/data"
    assert found["TRAINER_STATE_DIR"] == str(tmp_path / "state" / "trainer")
