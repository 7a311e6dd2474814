"""The Data tab: its picker, and the sheets that start, watch and import."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import ErrorBody
from contracts.job import JobState
from fakes.page_stack_data import dataset, generating
from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.dataset.dataset_list import DatasetList
from ui.dataset.generation import Generation
from ui.dataset.generation_form import BUDGET, FIELDS, default_of
from ui.dataset.generation_watch import GenerationWatch
from ui.drain import Drain
from ui.kept.keeping import keeping
from ui.page import Page
from ui.tabs.data.desk import Desk
from ui.tabs.data.generate import Generate
from ui.tabs.data.importing import Importing, kind_of, share
from ui.tabs.data.running import Running
from ui.texts import texts_in
from ui.upstream.backend import Backend
from ui.upstream.jobs import JobWatch
from unit.datagen.test_importing import row
from unit.ui.test_train_tab import UNCHANGED, NoTime, owner

ZH, EN = texts_in("zh"), texts_in("en")
FORM = [default_of(name) for name in FIELDS]


@pytest.fixture
async def page(backend: Backend, stack: Stack, tmp_path: Path) -> Page:
    """A page that asks the stand-ins."""
    settings = UiSettings.from_environ(stack.urls)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
    return Page(settings, talk, keeping(tmp_path))


def part(page: Page, kind: Any) -> Any:
    """Return a part of the page by its class."""
    methods = [function.fn for function in page.blocks.fns.values()]
    return next(each.__self__ for each in methods if isinstance(owner(each), kind))


@pytest.fixture
async def desk(page: Page, backend: Backend) -> Desk:
    """The picker, which asks each time."""
    found: Desk = part(page, Desk)
    found.jobs = JobWatch(backend.datasets.jobs, NoTime())
    found.datasets = DatasetList(backend.datasets, NoTime())
    return found


@pytest.fixture
async def generate(page: Page, desk: Desk, backend: Backend) -> Generate:
    """The sheet that starts."""
    found: Generate = part(page, Generate)
    found.generation = Generation(backend.datasets, desk.jobs)
    return found


@pytest.fixture
async def running(page: Page, desk: Desk, backend: Backend) -> Running:
    """The sheet that watches."""
    found: Running = part(page, Running)
    found.watch = GenerationWatch(backend.datasets, desk.jobs, NoTime())
    return found


async def test_newest_is_picked_and_a_choice_stays(desk: Desk, stack: Stack) -> None:
    """Whatever is made meanwhile; once it is gone, the newest again."""
    seen, picker, facts, problem, going = await desk.look(None, None, "en")
    assert picker["value"] == stack.datasets[0].id
    assert EN("data.complete") in facts
    assert (problem, going) == ("", "")
    seen, *same = await desk.look(seen, picker["value"], "en")
    assert same == [UNCHANGED] * 4
    stack.datasets.insert(0, dataset("newer"))
    stack.dataset_jobs = [generating("j", {"gentle": 2})]
    seen, picker, _, _, going = await desk.look(seen, stack.datasets[1].id, "en")
    assert "value" not in picker  # another choice may be on its way
    assert len(picker["choices"]) == 3
    assert "2 of 50" in going
    stack.datasets = []
    _, picker, none, *_ = await desk.look(seen, "newer", "en")
    assert picker["value"] is None
    assert EN("data.none") in none


async def test_picker_keeps_what_it_has_while_nobody_answers(desk: Desk, stack: Stack) -> None:
    """And says so."""
    stack.datagen_up = False
    _, picker, facts, problem, _ = await desk.look(None, "mine", "zh")
    assert picker == UNCHANGED
    assert facts == ""
    assert "ts-notice" in problem
    assert await desk.speak(None, "mine", "zh") == [UNCHANGED] * 5


async def test_form_says_what_is_wrong_where_it_is(generate: Generate, stack: Stack) -> None:
    """The page's own rules, and the service's, each at its field."""
    places = [*generate.form.errors]
    wrong = [*FORM, -1]
    wrong[FIELDS.index("name")] = "My data"
    told = await generate.begin(None, "en", None, *wrong)
    assert EN("generate.bad_budget") in told[2 + places.index(BUDGET)]
    assert "at most 64" in told[2 + places.index("name")]
    assert EN("generate.look_above") in told[2 + len(places)]
    stack.dataset_refusal = ErrorBody(code="x", message="unknown style", field="styles")
    told = await generate.begin(None, "en", None, *FORM, 0)
    assert "unknown style" in told[2 + places.index("styles")]
    assert stack.dataset_jobs == []
    told = await generate.measure("en", None, *FORM, 0)
    assert "unknown style" in told[2 + places.index("styles")]


async def test_start_opens_the_sheet_that_watches(generate: Generate, stack: Stack) -> None:
    """With the job that was started, once; an estimate is of the form that it was asked for."""
    found, shown, *_ = await generate.measure("en", None, *FORM, 9)
    assert "teacher-large" in shown
    changed = [*FORM]
    changed[FIELDS.index("per_style")] = 7
    assert EN("generate.stale") in (await generate.retell("en", found, *changed, 9))[1]
    told = await generate.begin(None, "en", found, *FORM, 9)
    started, job, sheets, _ = told[-4:]
    assert job == stack.dataset_jobs[0].id
    assert sheets.selected == "running"
    again = await generate.begin(started, "en", found, *FORM, 9)
    assert again[-3] == job
    assert len(stack.dataset_jobs) == 1


async def test_generation_is_watched_paused_and_gone_on_with(
    running: Running, stack: Stack
) -> None:
    """While it stops that is said; a service that is away keeps what was known."""
    stack.dataset_jobs = [generating("j", {"gentle": 20})]
    seen, _, picker, _, card, styles, reasons, *orders = await running.look(None, "", "", "", "en")
    assert picker["value"] == "j"
    assert "20 / 50" in styles
    assert EN("data.reason.near_duplicate") in reasons
    assert EN("running.state.running") in card
    assert [one["visible"] for one in orders] == [True, False, True, False, False]
    assert (await running.look(seen, "", "", "j", "en"))[-1]["visible"]
    stopping = await running.look(seen, "j", "j", "", "en")
    assert EN("running.stopping") in stopping[4]
    told, stops, _, picked = await running.halt("j", "en")
    assert (told, stops, picked) == ("", "j", "j")
    seen, stops, *_, pause, resume, _, _, _ = await running.look(seen, "j", "j", "", "en")
    assert stops == ""
    assert (pause["visible"], resume["visible"]) == (False, True)
    stack.datagen_up = False
    _, _, _, problem, card, *_ = await running.look(seen, "j", "", "", "en")
    assert "ts-notice" in problem
    assert card == UNCHANGED
    assert "ts-notice" in (await running.go_on("j", "en"))[0]


async def test_rows_of_a_generation_that_ended_are_reviewed(running: Running, stack: Stack) -> None:
    """Its dataset is picked; of one that made none, nothing is."""
    stack.datasets.insert(0, dataset("j"))
    ended = {"state": JobState.DONE, "result": {"dataset_id": "j"}}
    stack.dataset_jobs = [generating("j", {"gentle": 50}, **ended)]
    picker, sheets = await running.open_review("j", "en")
    assert picker["value"] == "j"
    assert sheets.selected == "review"
    stack.dataset_jobs = [generating("k", {"gentle": 5})]
    assert await running.open_review("k", "en") == [UNCHANGED] * 2


async def test_sheet_without_a_generation_says_where_to_begin(
    running: Running, stack: Stack
) -> None:
    """And offers no button."""
    _, _, _, _, card, *rest = await running.look(None, "", "", "", "zh")
    assert ZH("running.none") in card
    assert not any(one["visible"] for one in rest[2:])
    assert len(await running.speak(None, "", "", "", "zh")) == 13


async def test_file_is_looked_through_then_imported(
    page: Page, desk: Desk, stack: Stack, tmp_path: Path
) -> None:
    """The dataset is picked; a bad name, and a file that is gone, are said."""
    sheet: Importing = part(page, Importing)
    path = tmp_path / "My rows.json"
    path.write_text(json.dumps([row(1), row(2)]), encoding="utf-8")
    brought, told, preview, take, _, name = await sheet.read(str(path), "rows", "en")
    assert (told, name, take["interactive"]) == ("", "my-rows", True)
    assert EN("importing.all", rows=2) in preview
    wrong = await sheet.bring_in(brought, "Bad name", 5, "en")
    assert "at most 64" in wrong[1]
    told, _, _, review, picked = await sheet.bring_in(brought, name, 5, "en")
    assert review["visible"]
    assert picked["value"] == stack.datasets[0].id
    assert stack.datasets[0].id in told
    again = await sheet.read_again(brought, "questions", "en")
    assert again[-1] == EN("importing.forms_questions", megabytes=4)
    path.unlink()
    gone = await sheet.bring_in(brought, "other", 5, "en")
    assert EN("importing.gone") in gone[0]
    assert (await sheet.read(None, "rows", "en"))[0] is None
    assert EN("importing.forms_rows", megabytes=4) in sheet.speak(brought, "rows", "en")


def test_what_a_browser_sends_is_taken_if_it_is_one_of_ours() -> None:
    """Else the first choice, and the usual share."""
    assert [kind_of(kind) for kind in ("questions", "x", None)] == ["questions", "rows", "rows"]
    assert [share(value) for value in (10, "7", 99, "x", None)] == [0.1, 0.07, 0.5, 0.05, 0.05]
