"""The commands of question sets and of coverage, against the fake services."""

import json
from pathlib import Path

import pytest

from fakes.question_routes import add_questions
from fakes.tonesmith_services import FakeServices

from .conftest import Call


@pytest.fixture(autouse=True)
def questions(fake: FakeServices) -> FakeServices:
    """Services that know question sets."""
    return add_questions(fake)


def body_of(fake: FakeServices, path: str) -> dict[str, object]:
    """Return the body of the last request to `path`."""
    found = [request for request in fake.requests if request.url.path == path]
    body = json.loads(found[-1].content)
    assert isinstance(body, dict)
    return body


def test_write_follows_the_job_to_its_set(call: Call, fake: FakeServices) -> None:
    """Options become the request; counts and what is missing are shown; the next step is named."""
    options = ("--language", "en", "--emotion", "sad", "--area", "work", "--per-cell", "8")
    called = call("questions", "write", *options)
    assert called.code == 0
    body = body_of(fake, "/questions")
    assert (body["languages"], body["emotions"], body["areas"]) == (["en"], ["sad"], ["work"])
    assert body["per_cell"] == 8
    assert "7 of 8 questions, 6 to train on, 1 held out" in called.out
    assert "rejected in_bank: 2" in called.out
    assert "en/work/sad: 1 missing" in called.out
    assert "tonesmith generate --questions questions-1" in called.err


def test_write_without_waiting_returns_the_job(call: Call) -> None:
    """The id is enough to look at it later."""
    assert call("questions", "write", "--no-wait", "--json").json["kind"] == "questions"


def test_own_file_is_sent_as_it_is(call: Call, fake: FakeServices, tmp_path: Path) -> None:
    """The service reads it; options are in the address."""
    path = tmp_path / "own.csv"
    path.write_text("question\nWhy?\n", encoding="utf-8")
    assert call("questions", "import", str(path), "--form", "csv").code == 0
    sent = next(request for request in fake.requests if request.url.path == "/questions/import")
    assert sent.content == path.read_bytes()
    assert sent.url.params["form"] == "csv"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["questions", "write", "--per-cell", "0"], "per_cell"),
        (["questions", "write", "--language", "fr"], "languages"),
        (["questions", "import", "missing.csv"], "missing.csv"),
        (["generate", "--questions", "../up"], "questions"),
    ],
)
def test_bad_option_is_named_before_anything_is_sent(
    call: Call, fake: FakeServices, arguments: list[str], field: str
) -> None:
    """Exit code 2, the field in the message, no request."""
    called = call(*arguments)
    assert called.code == 2
    assert field in called.err
    assert fake.requests == []


def test_sets_are_listed_and_shown(call: Call) -> None:
    """The list has counts by split; a set shows its first questions."""
    assert "questions-1" in call("questions", "list").out
    assert call("questions", "list", "--json").json[0]["id"] == "questions-1"
    shown = call("questions", "show", "questions-1").out
    assert "work/sad" in shown
    assert "Why [so] late?" in shown


def test_generation_names_its_question_set(call: Call, fake: FakeServices) -> None:
    """The bank by default."""
    call("generate", "--questions", "questions-1")
    assert body_of(fake, "/datasets")["questions"] == "questions-1"
    call("generate")
    assert body_of(fake, "/datasets")["questions"] == "bank"


def test_coverage_is_a_compact_table(call: Call) -> None:
    """Each style in one row; empty cells and unknown rows are named below."""
    called = call("coverage", "demo-1")
    assert "3 of 4" in called.out
    assert "0.946" in called.out
    assert "calm: no row for pets/happy" in called.err
    assert "calm: 3 rows without a known emotion and area" in called.err
    assert call("coverage", "demo-1", "--json").json["empty"] == {"calm": ["pets/happy"]}
