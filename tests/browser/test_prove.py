"""Proof that a style took, as a person gets it: evaluated, read, compared, and voted on blindly."""

from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from browser.conftest import Opener
from contracts.job import JobState
from fakes.other_questions import next_question
from fakes.page_stack_prove import NAMES, changed, finish, pair_rows, proven
from fakes.serving_process import until
from fakes.stack import Stack
from ui.texts import Texts, texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")
VOTES = 6
WAYS = ("click", "1", "b", "2", "a", "1")
# What the browser holds of the tab, also what is hidden in it. The form's words name no reply.
HELD = """() => {
  const held = document.querySelector("#prove-sheets").closest(".tabitem").cloneNode(true);
  held.querySelector("#prove-sheet-start").remove();
  return held.outerHTML;
}"""


def look(page: Page, texts: Texts) -> None:
    """Open the tab."""
    page.get_by_role("tab", name=texts("tab.prove"), exact=True).click()
    expect(page.locator("#prove-start")).to_be_visible()


def sheet(page: Page, texts: Texts, name: str) -> None:
    """Open a sheet of the tab."""
    row = page.locator("#prove-sheets")
    row.get_by_role("tab", name=texts(f"prove.sheet_{name}"), exact=True).click()


def secrets(texts: Texts, stack: Stack) -> list[str]:
    """Return all by which a contestant could be known."""
    known = [texts(f"report.{name}") for name in NAMES]
    known += [f"served-{name}" for name in NAMES]
    return [*known, stack.evaluations[0].id, stack.evaluations[0].request.tuned, "ts-p-mark"]


def test_evaluation_is_started_watched_and_found_again(visit: Opener, stack: Stack) -> None:
    """Pressed twice it is one; a reload in the middle finds it; its report is a click away."""
    page = visit(locale="en-GB").page
    look(page, EN)
    expect(page.locator("#prove-cost")).to_contain_text("replies")
    page.locator("#prove-start").dblclick()
    expect(page.locator("#prove-job")).to_contain_text("12 / 300")
    assert len(stack.evaluation_jobs) == 1
    name = stack.evaluation_jobs[0].id
    changed(stack, name, JobState.RUNNING, done=150)
    expect(page.locator("#prove-job")).to_contain_text("150 / 300")
    page.reload()
    look(page, EN)
    expect(page.locator("#prove-job")).to_contain_text("150 / 300")
    page.locator("#prove-cancel").click()
    expect(page.locator("#prove-job")).to_contain_text(EN("prove.resumable"))
    page.locator("#prove-resume").click()
    expect(page.locator("#prove-cancel")).to_be_visible()
    finish(stack, name)
    page.locator("#prove-open").click()
    expect(page.locator("#prove-report")).to_contain_text(EN("report.took"))
    expect(page.locator("#prove-report svg[role=img]").first).to_be_visible()
    with page.expect_download() as loading:
        page.locator("#prove-save").click()
    assert loading.value.suggested_filename == f"{name}.html"
    page.locator("#ts-language label", has_text="中文").click()
    expect(page.locator("#prove-report")).to_contain_text(ZH("report.took"))


def test_replies_are_compared_and_voted_on_blindly(
    visit: Opener, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name in the page or in any answer before a vote; six votes, six preference rows."""
    monkeypatch.setattr("ui.tabs.prove.arena.next_duel", next_question)
    stack.evaluations = [proven(stack.styles)]
    page = visit().page
    look(page, ZH)
    sheet(page, ZH, "sides")
    expect(page.locator("#prove-sides article")).to_have_count(5)
    expect(page.locator("#prove-sides article").first.locator("h4")).to_have_count(3)
    page.locator("#sides-on button, button#sides-on").first.click()
    expect(page.locator("#sides-at")).to_contain_text("2 / 4")
    heard: list[Response] = []
    page.on("response", lambda answer: heard.append(answer))
    sheet(page, ZH, "arena")
    for number in range(VOTES):
        expect(page.locator("#arena-ballot")).to_be_visible()
        expect(page.locator("#arena-pair .ts-p-seat")).to_have_count(2)
        blind(page, secrets(ZH, stack), heard)
        vote(page, WAYS[number])
        expect(page.locator("#arena-pair .ts-p-said")).to_be_visible()
        expect(page.locator("#arena-pair .ts-p-who")).to_have_count(2)
        expect(page.locator("#arena-next")).to_be_focused()
        if number < VOTES - 1:
            heard.clear()
            page.keyboard.press("Enter")
    expect(page.locator("#arena-tally table")).to_be_visible()
    sheet(page, ZH, "round")
    expect(page.locator("#prove-pairs h3")).to_be_visible()
    until(lambda: len(stack.votes) >= VOTES, 60)  # the courier looks every two seconds
    assert len(stack.votes) == len(pair_rows(stack)) == VOTES
    page.locator("#prove-second").click()
    expect(page.locator("#prove-second-said")).to_contain_text(str(VOTES))
    assert all(row["chosen_by"] != row["rejected_by"] for row in stack.paired)


def vote(page: Page, way: str) -> None:
    """Vote by a key, or by a click on the first button."""
    if way == "click":
        page.locator("#arena-left").click()
    else:
        page.keyboard.press(way)


def blind(page: Page, known: list[str], heard: list[Response]) -> None:
    """Assert that nothing which the browser has got tells a contestant."""
    page.wait_for_timeout(300)
    held: Any = page.evaluate(HELD)
    said = [answer.text() for answer in heard if answer.request.method == "POST"]
    assert not [word for word in known if word in held]
    assert not [word for word in known for text in said if word in text]


@pytest.mark.parametrize("width", [390, 1440])
def test_service_that_is_down_is_said_and_nothing_scrolls_sideways(
    visit: Opener, stack: Stack, width: int
) -> None:
    """Every sheet says so, with the way out, and is there again by itself."""
    stack.evaluations = [proven(stack.styles)]
    stack.datagen_up = False
    opened = visit(locale="en-GB", width=width)
    page = opened.page
    page.goto(f"{opened.url}/?tab=prove")  # on a phone the tab is in a menu
    down = EN("calls.busy", service=EN("service.datagen"))
    expect(page.locator("#prove-job")).to_contain_text(down)
    stack.datagen_up = True
    expect(page.locator("#prove-past table")).to_be_visible()
    for name, shown in (("report", "#prove-report h2"), ("arena", "#arena-ballot")):
        sheet(page, EN, name)
        expect(page.locator(shown).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
