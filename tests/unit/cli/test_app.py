"""The command as a whole: exit codes, JSON on standard output, words on standard error."""

import pytest

from fakes.tonesmith_services import FakeServices, error

from .conftest import Call

READERS = ["styles list", "status", "job list"]


@pytest.mark.parametrize("command", READERS)
def test_down_service_is_exit_code_3(call: Call, fake: FakeServices, command: str) -> None:
    """Each command says that nobody answers, and how to start the services."""
    fake.down |= {8001, 8002, 8010}
    called = call(*command.split())
    assert called.code == 3
    assert "tonesmith up" in called.err


@pytest.mark.parametrize("command", [*READERS, "doctor"])
def test_json_is_all_that_standard_output_gets(call: Call, command: str) -> None:
    """A program can read the result without knowing about progress bars."""
    assert call(*command.split(), "--json").json


def test_json_error_is_machine_readable(call: Call, fake: FakeServices) -> None:
    """With --json an error is a document too."""
    fake.answers["GET /styles"] = lambda _: error(500, "internal_error", "a bug")
    called = call("styles", "list", "--json")
    assert called.code == 1
    assert called.json["error"]["code"] == "internal_error"


@pytest.mark.parametrize("arguments", [["train"], ["nonsense"], ["generate", "--per-style", "x"]])
def test_wrong_usage_is_exit_code_2(call: Call, arguments: list[str]) -> None:
    """A missing option, an unknown command, a word where a number belongs."""
    assert call(*arguments).code == 2


def test_bad_setting_is_exit_code_2(call: Call) -> None:
    """The variable is named."""
    called = call("styles", "list", UI_PORT="many")
    assert called.code == 2
    assert "UI_PORT" in called.err


def test_unreadable_secret_is_named(call: Call) -> None:
    """A token file that is not there stops the command before it asks anybody."""
    called = call("styles", "list", API_TOKEN_FILE="/nowhere/token")
    assert called.code == 2
    assert "/nowhere/token" in called.err


def test_help_lists_every_step_of_the_journey(call: Call) -> None:
    """The names in the README are commands."""
    text = call("--help").out
    make = "generate advise recipes train runs evaluate stage promote rollback export"
    for name in f"doctor demo up down styles import {make} chat status job".split():
        assert f" {name} " in text


def test_markup_in_an_error_is_shown_as_text(call: Call, fake: FakeServices) -> None:
    """A message with square brackets neither vanishes nor crashes."""
    fake.answers["GET /styles"] = lambda _: error(422, "invalid_input", "bad [/red] value")
    assert "bad [/red] value" in call("styles", "list").err
