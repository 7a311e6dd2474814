"""What an import would do, said before it does it."""

import json
from pathlib import Path

import pytest

from contracts.dataset import ImportRequest
from datagen.import_preview import PROBLEMS_SHOWN, ROWS_SHOWN, preview_questions, preview_rows
from datagen.importing import import_file
from fakes.styled_dataset import BANKS, SHIPPED
from kit.errors import InvalidInputError
from unit.datagen.test_importing import row


def test_preview_says_what_the_import_does(tmp_path: Path) -> None:
    """Row by row, with the same counts; nothing is written."""
    rows = [*(row(n) for n in range(12)), row(13, style="?"), {"user": "x"}]
    content = json.dumps(rows).encode()
    told = preview_rows(tmp_path, content, SHIPPED)
    assert list(tmp_path.iterdir()) == []
    done = import_file(tmp_path, content, ImportRequest())
    assert (told.accepted, told.rejected) == (done.accepted, done.rejected)
    assert told.rows == 14
    assert told.styles == {"tsundere": 12}
    assert [shown.number for shown in told.shown] == list(range(1, ROWS_SHOWN + 1))
    assert [(one.number, one.reason) for one in told.problems] == [
        (13, "unknown_style"),
        (14, "malformed"),
    ]
    assert "assistant" in told.problems[1].detail


def test_long_list_of_problems_is_cut_and_counted(tmp_path: Path) -> None:
    """A person reads fifty; the count is of all."""
    told = preview_rows(tmp_path, json.dumps([{}] * 80).encode(), SHIPPED)
    assert len(told.problems) == PROBLEMS_SHOWN
    assert told.rejected == {"malformed": 80}


def test_questions_are_told_by_their_line() -> None:
    """Those that would be left out with their reason; a line of nonsense is an error with both."""
    content = "question,emotion\n我今天面试又没过，怎么办？,\n我今天面试又没过，怎么办？,\n"
    told = preview_questions(content.encode(), "auto", BANKS, {})
    assert [shown.number for shown in told.shown] == [2]
    assert [(one.number, one.reason) for one in told.problems] == [(3, "duplicate")]
    with pytest.raises(InvalidInputError, match="line 2, emotion"):
        preview_questions(b"question,emotion\nWhat now?,blue\n", "csv", BANKS, {})
