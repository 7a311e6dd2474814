"""Data is generated, watched and brought by a person."""

import json

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Opener
from contracts.job import JobState
from contracts.sample import RejectReason
from fakes.page_stack_data import dataset, generating, refused_rows
from fakes.stack import Stack
from ui.tabs.data import SHEETS
from ui.texts import texts_in
from unit.datagen.test_importing import row

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")


def open_sheet(page: Page, name: str, texts: object = ZH) -> None:
    """Show a sheet of the Data tab."""
    page.get_by_role("tab", name=texts("tab.data"), exact=True).click()  # type: ignore[operator]
    number = [sheet for sheet, _ in SHEETS].index(name)
    page.locator("#data-sheets [role=tab]:visible").nth(number).click()


def move(stack: Stack, accepted: int, state: JobState = JobState.RUNNING, **values: object) -> None:
    """Let the newest generation go on to so many rows of each of its styles."""
    job = stack.dataset_jobs[0]
    styles = dict.fromkeys(job.request["styles"], accepted)  # type: ignore[call-overload]
    values = {"request": job.request, "state": state} | values
    stack.dataset_jobs[0] = generating(job.id, styles, **values)


def test_generation_is_estimated_started_once_and_followed_to_its_end(
    visit: Opener, stack: Stack
) -> None:
    """A double click is one job; a reload in its middle finds it; pause, resume, and its rows."""
    page = visit().page
    open_sheet(page, "generate")
    for style in ("傲娇", "温柔"):
        page.locator("#generate-styles label", has_text=style).click()
    page.locator("#generate-per_style input").fill("50")
    expect(page.locator("#generate-plan")).to_contain_text(ZH("generate.total", rows="100"))
    page.locator("#generate-budget input").fill("0.1")
    page.locator("#generate-estimate").click()
    expect(page.locator("#generate-estimated")).to_contain_text("teacher-large")
    page.locator("#generate-start").click()
    over = ZH("generate.over_budget", cost="$0.42", budget="$0.10")
    expect(page.locator("#generate-budget-wrong")).to_contain_text(over)
    assert stack.dataset_jobs == []
    page.locator("#generate-budget input").fill("5")
    page.locator("#generate-start").dblclick()
    expect(page.locator("#running-pause")).to_be_visible()
    assert len(stack.dataset_jobs) == 1
    move(stack, 20)
    stack.rejected = {stack.dataset_jobs[0].id: refused_rows(RejectReason.ASSISTANT_VOICE)}
    expect(page.locator("#running-styles")).to_contain_text("20 / 50")
    expect(page.locator("#running-reasons")).to_contain_text(ZH("data.reason.assistant_voice"))
    page.reload()
    page.locator("#ts-tabs").wait_for()
    open_sheet(page, "running")
    expect(page.locator("#running-styles")).to_contain_text("20 / 50")
    page.locator("#running-pause").click()
    expect(page.locator("#running-resume")).to_be_visible()
    expect(page.locator("#running-card")).to_contain_text(ZH("running.state.cancelled"))
    page.locator("#running-resume").click()
    expect(page.locator("#running-cancel")).to_be_visible()
    page.locator("#running-cancel").click()
    page.locator("#running-keep").click()
    expect(page.locator("#running-ask")).to_be_hidden()
    made = stack.dataset_jobs[0].id
    stack.datasets.insert(0, dataset(made, 96, status="incomplete"))
    move(stack, 48, JobState.INCOMPLETE, result={"dataset_id": made})
    expect(page.locator("#running-card")).to_contain_text(
        ZH("running.ended.incomplete", done="96", total="100")
    )
    page.locator("#running-review").click()
    assert made in page.locator("#data-dataset input").input_value()
    expect(page.locator("#data-facts")).to_contain_text(ZH("data.incomplete"))


def test_what_is_wrong_is_said_at_its_field_in_both_languages(visit: Opener, stack: Stack) -> None:
    """Nothing is asked of the service; what was filled in stays over a change of language."""
    page = visit(width=390, height=844).page
    open_sheet(page, "generate")
    page.locator("#generate-per_style input").fill("0")
    page.locator("#generate-start").click()
    wrong = {"low": "1", "high": "100000"}
    below = page.locator("#generate-per_style-wrong")
    expect(below).to_contain_text(ZH("generate.bad_number", **wrong))
    page.locator("#ts-language label", has_text="English").click()
    expect(page.locator("#generate-start")).to_have_text(EN("generate.start"))
    expect(page.locator("#generate-per_style input")).to_have_value("0")
    page.locator("#generate-start").click()
    expect(below).to_contain_text(EN("generate.bad_number", **wrong))
    assert stack.dataset_jobs == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def send(page: Page, name: str, content: str) -> None:
    """Bring a file."""
    page.locator("#importing-file input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/json", "buffer": content.encode()}
    )


def test_file_with_an_error_says_where_and_a_right_one_becomes_a_dataset(
    visit: Opener, stack: Stack
) -> None:
    """Nothing is written before it is asked for; the dataset is picked at once."""
    page, known = visit().page, len(stack.datasets)
    open_sheet(page, "importing")
    send(page, "broken.json", '[{"user": "a"},\n nonsense]')
    expect(page.locator("#importing-told")).to_contain_text("line 2, column")
    expect(page.locator("#importing-take")).to_be_disabled()
    page.locator("#importing-file").get_by_role("button").first.click()
    rows = [*(row(number) for number in range(4)), row(9, style="?")]
    send(page, "My rows.json", json.dumps(rows))
    some = ZH("importing.some", rows=5, accepted=4, refused=1)
    expect(page.locator("#importing-preview")).to_contain_text(some)
    expect(page.locator("#importing-preview")).to_contain_text(ZH("data.reason.unknown_style"))
    assert len(stack.datasets) == known
    page.locator("#importing-take").dblclick()
    expect(page.locator("#importing-told")).to_contain_text("my-rows-")
    assert len(stack.datasets) == known + 1
    assert stack.datasets[0].id in page.locator("#data-dataset input").input_value()


def test_service_that_is_away_is_told_and_found_again(visit: Opener, stack: Stack) -> None:
    """What was known stays to be seen; nothing turns for ever."""
    stack.datagen_up = False
    page = visit(locale="en-GB").page
    open_sheet(page, "running", EN)
    expect(page.locator("#data-problem")).to_contain_text(EN("calls.busy_hint"))
    expect(page.locator("#running-problem .ts-notice")).to_be_visible()
    stack.dataset_jobs, stack.datagen_up = [generating("bed-1", {"gentle": 20})], True
    expect(page.locator("#running-styles")).to_contain_text("20 / 50")
    expect(page.locator("#data-problem .ts-notice")).to_be_hidden()
    stack.datagen_up = False
    expect(page.locator("#running-problem .ts-notice")).to_be_visible()
    expect(page.locator("#running-styles")).to_contain_text("20 / 50")
    page.locator("#running-pause").click()
    expect(page.locator("#running-told .ts-notice")).to_be_visible()
