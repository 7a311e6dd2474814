"""Tests of structured logs."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kit.logs import JsonFormatter, configure_logs


def line(message: str, *args: Any, level: int = logging.INFO, **extra: Any) -> dict[str, Any]:
    """Return the parsed line of one log call."""
    record = logging.getLogger("a.b").makeRecord(
        "a.b", level, "file.py", 1, message, args, None, extra=extra
    )
    text = JsonFormatter("demo").format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_line_says_when_who_and_what() -> None:
    """Time in UTC, level, service, logger, message, and the fields of the call."""
    found = line("job %s", "starts", job="r-1", level=logging.WARNING)
    at = found.pop("at")
    assert at.endswith("+00:00")
    assert found == {
        "level": "warning",
        "service": "demo",
        "logger": "a.b",
        "message": "job starts",
        "job": "r-1",
    }


def test_newline_in_a_value_starts_no_new_line() -> None:
    """Whoever controls a value cannot forge a log entry."""
    found = line("name: %s", 'x\n{"level": "critical"}', style="a\r\nb")
    assert found["message"] == 'name: x\n{"level": "critical"}'
    assert found["style"] == "a\r\nb"


def test_field_cannot_replace_what_every_line_has() -> None:
    """A field called service or level does not disguise the line."""
    found = line("x", service="other", level_name="y")
    assert found["service"] == "demo"
    assert found["level_name"] == "y"


def test_exception_is_part_of_the_line() -> None:
    """The trace is one field, not forty lines."""
    try:
        raise ValueError("傲娇")
    except ValueError:
        info = sys.exc_info()
    record = logging.LogRecord("a", logging.ERROR, "f", 1, "failed", (), info)
    found = json.loads(JsonFormatter("demo").format(record))
    assert "ValueError: 傲娇" in found["exception"]


def test_any_object_can_be_a_field() -> None:
    """A path or an error is written as its text."""
    assert line("x", problem=ValueError("y"))["problem"] == "y"


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = before
    root.setLevel(level)


def test_configured_process_logs_json_to_standard_error(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each call; the noisy libraries are silent below warnings."""
    configure_logs("demo", "INFO")
    logging.getLogger("datagen").info("hello", extra={"n": 1})
    logging.getLogger("httpx").info("GET ...")
    output = capsys.readouterr()
    assert output.out == ""
    lines = [json.loads(text) for text in output.err.splitlines()]
    assert [(entry["message"], entry["n"]) for entry in lines] == [("hello", 1)]
