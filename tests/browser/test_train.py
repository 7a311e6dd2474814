"""The training runs as a person looks at them."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Opener
from fakes.recorded_runs import OVERFIT, recorded
from fakes.stack import Stack
from ui.texts import texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")


def test_reason_why_a_run_ended_is_seen(visit: Opener, stack: Stack) -> None:
    """In the list, beside the run and at its curve, in both languages; also of another run."""
    page = visit().page
    page.get_by_role("tab", name=ZH("tab.train")).click()
    flat = {"step": 420, "planned": 900}
    for place in ("#train-runs .ts-chosen", "#train-card .ts-why", ".ts-legend"):
        expect(page.locator(place)).to_contain_text(ZH("run.flat", **flat))
    expect(page.locator("#train-plot svg")).to_contain_text("900")
    page.locator("#ts-language label", has_text="English").click()
    for place in ("#train-runs .ts-chosen", "#train-card .ts-why", ".ts-legend"):
        expect(page.locator(place)).to_contain_text(EN("run.flat", **flat))
    page.locator("#train-picker input").click()
    page.get_by_role("option", name=str(OVERFIT["id"])).click()
    expect(page.locator("#train-card .ts-why")).to_have_text(
        EN("run.overfit", step=300, planned=600)
    )
    expect(page.locator("#train-plot svg")).not_to_contain_text("900")


def test_run_is_followed_while_it_goes_on(visit: Opener, stack: Stack) -> None:
    """A step shows by itself; a trainer that goes away is told, and found again."""
    going_on = {"id": "r-20261122-abc123", "state": "running", "max_steps": 90}
    stack.runs = [recorded(going_on | {"step": 10})]
    page = visit(locale="en-GB").page
    page.get_by_role("tab", name=EN("tab.train")).click()
    expect(page.locator("#train-runs")).to_contain_text("10 / 90")
    stack.runs = [recorded(going_on | {"step": 20})]
    expect(page.locator("#train-runs")).to_contain_text("20 / 90")
    stack.trainer_up = False
    expect(page.locator("#train-runs")).to_contain_text(EN("train.down"))
    expect(page.locator("#train-one")).to_be_hidden()
    stack.trainer_up = True
    expect(page.locator("#train-runs")).to_contain_text("20 / 90")


def test_runs_fit_a_phone(visit: Opener, stack: Stack) -> None:
    """At 390 pixels nothing has to be scrolled sideways."""
    page = visit(width=390, height=844).page
    page.get_by_role("tab", name=ZH("tab.train")).click()
    page.locator("#train-plot svg").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
