"""What people and programs see."""

import json

import pytest

from contracts.errors import ErrorBody
from tonesmith.screen import Screen, columns, plain

BODY = ErrorBody(code="c", message="it is [bad]", field="lexicon.openers", hint="do that")


def test_error_names_field_and_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is wrong and where, a second what to do; standard output stays clean."""
    Screen().error(BODY)
    written = capsys.readouterr()
    assert written.err == "error: it is [bad] [lexicon.openers]\ndo that\n"
    assert written.out == ""


def test_json_screen_writes_documents_only(capsys: pytest.CaptureFixture[str]) -> None:
    """Tables and next steps are for people."""
    screen = Screen(as_json=True)
    screen.result({"error": BODY, "list": [BODY]}, "for people")
    screen.table(columns("title", "a"))
    screen.next_step("command")
    found = json.loads(capsys.readouterr().out)
    assert found == {"error": BODY.model_dump(), "list": [BODY.model_dump()]}


def test_chinese_is_written_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON stays readable."""
    Screen(as_json=True).result({"name": "傲娇"})
    assert "傲娇" in capsys.readouterr().out


def test_plain_values_stay() -> None:
    """Numbers and texts are JSON already."""
    assert plain([1, "a", None, (2.5,)]) == [1, "a", None, [2.5]]
