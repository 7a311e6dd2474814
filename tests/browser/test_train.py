"""Training as a person does it: asks, watches, stops, compares, and says which model answers."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Opener, Visit
from contracts.job import JobState, Progress
from fakes.recorded_runs import OVERFIT, recorded
from fakes.stack import Stack
from ui.texts import Texts, texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")
GOING: dict[str, Any] = {"id": "r-20261122-abc123", "state": "running", "max_steps": 90}


def open_train(visit: Visit, texts: Texts, sheet: str = "") -> Page:
    """Show the tab, and one of its sheets."""
    page = visit.page
    page.get_by_role("tab", name=texts("tab.train"), exact=True).click()
    if sheet:
        page.get_by_role("tab", name=texts(f"train.sheet_{sheet}"), exact=True).click()
    return page


def choose(page: Page, picker: str, name: str) -> None:
    """Choose in a dropdown."""
    page.locator(f"{picker} input").click()
    page.get_by_role("option", name=name).click()


def test_reason_why_a_run_ended_is_seen(visit: Opener, stack: Stack) -> None:
    """In the list, beside the run and at its curve, in both languages; also of another run."""
    page = open_train(visit(), ZH)
    flat = {"step": 420, "planned": 900}
    places = ("#train-runs .ts-chosen", "#train-card .ts-why", "#train-plot .ts-chart-keys")
    for place in places:
        expect(page.locator(place)).to_contain_text(ZH("run.flat", **flat))
    expect(page.locator("#train-plot")).to_contain_text("800")
    page.locator("#ts-language label", has_text="English").click()
    for place in places:
        expect(page.locator(place)).to_contain_text(EN("run.flat", **flat))
    choose(page, "#train-picker", str(OVERFIT["id"]))
    expect(page.locator("#train-card .ts-why")).to_have_text(
        EN("run.overfit", step=300, planned=600)
    )
    expect(page.locator("#train-plot")).not_to_contain_text("800")


def test_run_is_followed_while_it_goes_on(visit: Opener, stack: Stack) -> None:
    """A step shows by itself; a trainer that goes away is told, and found again."""
    stack.runs = [recorded(GOING | {"step": 10})]
    stack.progress = Progress(stage="train", figures={"eta_seconds": 600.0})
    page = open_train(visit(locale="en-GB"), EN)
    expect(page.locator("#train-runs")).to_contain_text("10 / 90")
    expect(page.locator("#train-live")).to_contain_text("10 min left")
    stack.runs = [recorded(GOING | {"step": 20})]
    expect(page.locator("#train-runs")).to_contain_text("20 / 90")
    page.get_by_role("button", name=EN("run.output")).click()
    expect(page.locator("#train-output textarea")).to_have_value(re.compile("10/90"))
    stack.trainer_up = False
    expect(page.locator("#train-runs")).to_contain_text(EN("train.down"))
    expect(page.locator("#train-one")).to_be_hidden()
    stack.trainer_up = True
    expect(page.locator("#train-runs")).to_contain_text("20 / 90")


def test_run_is_asked_for_watched_stopped_and_resumed(visit: Opener, stack: Stack) -> None:
    """Advice, form and YAML, a bad value, a double click; a reload in the middle; stop; resume."""
    before = len(stack.runs)
    opened = visit(locale="en-GB")
    page = open_train(opened, EN, "new")
    expect(page.locator("#train-yaml")).to_contain_text("recipe: lora")
    page.locator("#train-advise").click()
    expect(page.locator(".ts-advice")).to_contain_text("About 320 updates teach a style")
    expect(page.locator("#train-cutoff_len input")).to_have_value("512")
    expect(page.locator("#train-yaml")).to_contain_text("cutoff_len: 512")
    page.locator("#train-lora_rank input").fill("1000")
    limit = EN("recipe.bad_less_than_equal", limit=256)
    expect(page.locator("#train-faults")).to_contain_text(f"{EN('recipe.lora_rank')} (lora_rank)")
    expect(page.locator("#train-lora_rank")).to_contain_text(limit)
    page.locator("#train-start").click()
    page.locator("#train-lora_rank input").fill("32")
    expect(page.locator("#train-faults")).to_contain_text(EN("recipe.fine"))
    assert len(stack.runs) == before
    code = page.locator("#train-yaml .cm-content")
    code.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nseed: 1")
    expect(page.locator("#train-faults")).to_contain_text("seed")
    for _ in range(len("\nseed: 1")):
        page.keyboard.press("Backspace")
    expect(page.locator("#train-faults")).to_contain_text(EN("recipe.fine"))
    page.locator("#train-start").dblclick()
    expect(page.locator("#train-one")).to_be_visible()
    expect(page.locator("#train-card")).to_contain_text(EN("run.queued"))
    assert len(stack.runs) == before + 1
    assert stack.runs[0].request.overrides.lora_rank == 32
    running = {"state": JobState.RUNNING, "step": 40, "max_steps": 90, "queue_place": None}
    stack.runs[0] = stack.runs[0].model_copy(update=running)
    expect(page.locator("#train-live")).to_contain_text(EN("run.step_of", step=40, planned=90))
    page.reload()
    open_train(opened, EN)
    expect(page.locator("#train-live")).to_contain_text(EN("run.step_of", step=40, planned=90))
    page.locator("#train-stop").click()
    expect(page.locator("#train-confirm")).to_contain_text(stack.runs[0].id)
    assert stack.runs[0].state is JobState.RUNNING
    page.locator("#train-confirm-yes").click()
    expect(page.locator("#train-card")).to_contain_text(EN("run.cancelled"))
    expect(page.locator("#train-stop")).to_be_hidden()
    page.locator("#train-resume").click()
    expect(page.locator("#train-card")).to_contain_text(EN("run.queued"))


def test_runs_are_compared_and_a_model_is_promoted(visit: Opener, stack: Stack) -> None:
    """Two at first, a third when it is picked; then a question, and another model answers."""
    page = open_train(visit(), ZH, "compare")
    chart = page.locator("#train-compare-chart")
    expect(chart.locator(".ts-chart-area .ts-line")).to_have_count(2)
    choose(page, "#train-compare-runs", stack.runs[3].id)
    expect(chart.locator(".ts-chart-area .ts-line")).to_have_count(3)
    expect(page.locator("#train-compare-table")).to_contain_text(ZH("run.differences"))
    page.get_by_role("tab", name=ZH("train.sheet_models"), exact=True).click()
    expect(page.locator(".ts-chain")).to_contain_text("tonesmith.v1")
    choose(page, "#train-model", "tonesmith-20261122-3f9a1c")
    page.locator("#train-do-promote").click()
    page.locator("#train-models-confirm-yes").click()
    expect(page.locator(".ts-chain")).to_contain_text("tonesmith.v2")
    expect(page.locator("#train-orders")).to_contain_text(ZH("models.job_promotion"))
    page.locator("#train-do-rollback").click()
    expect(page.locator("#train-models-confirm")).to_contain_text("v1")
    page.locator("#train-models-confirm-no").click()
    expect(page.locator("#train-models-confirm")).to_be_hidden()
    stack.trainer_up = False
    expect(page.locator("#train-models .ts-notice")).to_be_visible()
    stack.trainer_up = True
    expect(page.locator(".ts-chain")).to_contain_text("tonesmith.v2")


@pytest.mark.parametrize("sheet", ["runs", "new", "compare", "models"])
def test_sheets_fit_a_phone(visit: Opener, stack: Stack, sheet: str) -> None:
    """At 390 pixels nothing has to be scrolled sideways."""
    page = open_train(visit(width=390, height=844), ZH)
    page.locator("#train-plot svg").first.wait_for()
    if sheet != "runs":
        more = page.locator("#train-sheets .overflow-menu button").first
        title = page.get_by_role("tab", name=ZH(f"train.sheet_{sheet}"), exact=True)
        if not title.is_visible():
            more.click()
        title.click()
        page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
