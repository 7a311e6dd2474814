"""Files that people bring."""

import asyncio
import json
from pathlib import Path

import pytest

from fakes.page_stack_data import dataset
from fakes.stack import Stack
from ui.dataset.importing import (
    QUESTIONS,
    ROWS,
    BadNameError,
    Brought,
    FileGoneError,
    Imported,
    Imports,
    name_from,
)
from ui.dataset.importing_words import imported_html, preview_html
from ui.errors import ProblemError
from ui.texts import texts_in
from ui.upstream.backend import Backend
from unit.datagen.test_importing import row

ZH, EN = texts_in("zh"), texts_in("en")


@pytest.fixture
def imports(backend: Backend) -> Imports:
    """Asks the stand-in, which imports as the real service does."""
    return Imports(backend.datasets)


def brought(folder: Path, content: str, kind: str = ROWS) -> Brought:
    """Return a file that somebody brought."""
    path = folder / "mine.json"
    path.write_text(content, encoding="utf-8")
    return Brought(str(path), path.name, kind)


async def test_two_clicks_are_one_import(imports: Imports, stack: Stack, tmp_path: Path) -> None:
    """Also where the second comes later; another name is another dataset."""
    file = brought(tmp_path, json.dumps([row(1), row(2)]))
    stack.datasets = []
    first, second = await asyncio.gather(*(imports.take(file, "mine", 0.0) for _ in range(2)))
    assert first == second == await imports.take(file, "mine", 0.0)
    assert len(stack.datasets) == 1
    assert (first.accepted, first.rejected, first.made) == (2, 0, stack.datasets[0].id)
    assert (await imports.take(file, "other", 0.0)).made != first.made


async def test_what_failed_can_be_tried_again(
    imports: Imports, stack: Stack, tmp_path: Path
) -> None:
    """The failure is not remembered; nothing was written."""
    file = brought(tmp_path, json.dumps([row(1)]))
    stack.datagen_up, known = False, len(stack.datasets)
    with pytest.raises(ProblemError):
        await imports.take(file, "mine", 0.0)
    assert len(stack.datasets) == known
    stack.datagen_up = True
    assert (await imports.take(file, "mine", 0.0)).made


async def test_file_that_cannot_be_read_says_where(imports: Imports, tmp_path: Path) -> None:
    """Line and column of rows, line and field of questions."""
    with pytest.raises(ProblemError, match="line 2, column"):
        await imports.preview(brought(tmp_path, '[{"user": "a"},\n nonsense]'))
    with pytest.raises(ProblemError, match="line 2, emotion"):
        await imports.preview(brought(tmp_path, "question,emotion\nWhat?,blue\n", QUESTIONS))
    with pytest.raises(FileGoneError):
        await imports.preview(Brought(str(tmp_path / "gone"), "gone", ROWS))
    with pytest.raises(BadNameError):
        await imports.take(brought(tmp_path, "[]"), "Bad name", 0.0)


async def test_questions_become_a_set(imports: Imports, stack: Stack, tmp_path: Path) -> None:
    """With those that were left out counted."""
    lines = "我今天面试又没过，怎么办？\n我今天面试又没过，怎么办？\n搬家以后谁也不认识。\n"
    file = brought(tmp_path, lines, QUESTIONS)
    preview = await imports.preview(file)
    assert (preview.rows, preview.accepted) == (3, 2)
    told = preview_html(EN, preview, QUESTIONS)
    assert EN("data.reason.duplicate") in told
    assert EN("importing.reply") not in told
    done = await imports.take(file, "mine", 0.0)
    assert done == Imported(stack.question_sets[0].id, QUESTIONS, 2, 1)


async def test_preview_names_row_and_reason(imports: Imports, tmp_path: Path) -> None:
    """What comes from the file is never HTML."""
    rows = [row(1), row(2, style="<script>"), {"user": "<b>"}]
    told = preview_html(ZH, await imports.preview(brought(tmp_path, json.dumps(rows))), ROWS)
    assert ZH("importing.some", rows=3, accepted=1, refused=2) in told
    assert '<th scope="row">2</th>' in told
    assert ZH("data.reason.unknown_style") in told
    assert "&lt;script&gt;" in told
    assert "<script>" not in told
    none = await imports.preview(brought(tmp_path, "[{}]"))
    assert ZH("importing.nothing", rows=1) in preview_html(ZH, none, ROWS)


def test_what_was_made_is_told() -> None:
    """With the way on; nothing half-imported is called a dataset."""
    made = imported_html(EN, Imported(dataset("d").id, ROWS, 3, 1))
    assert EN("importing.made_rows", id="d") in made
    assert EN("importing.counts", accepted=3, refused=1) in made
    assert EN("importing.made_nothing") in imported_html(EN, Imported("", ROWS, 0, 4))


@pytest.mark.parametrize(
    ("file", "name"),
    [("My rows.json", "my-rows"), ("数据.csv", "imported"), ("a.b.jsonl", "a.b"), ("", "imported")],
)
def test_name_is_proposed_from_the_files(file: str, name: str) -> None:
    """As a dataset may be called."""
    assert name_from(file) == name
