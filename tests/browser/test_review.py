"""Data, as a reviewer uses it: rows decided by keyboard, the map, the report card, the versions.

Behind the page is datagen's own review, over a small dataset in a temporary folder.
"""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import Opener
from contracts.review import ReviewFilter
from fakes.page_stack_review import publish_reviewed, services_of
from fakes.stack import Stack
from ui.texts import Texts, texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")


def open_sheet(page: Page, name: str, texts: Texts = ZH) -> None:
    """Open a sheet of the Data tab."""
    page.get_by_role("tab", name=texts("tab.data"), exact=True).click()
    page.locator(f"#data-sheet-{name}-button").click()


def begin(page: Page, texts: Texts = ZH) -> None:
    """Open the review of the newest dataset, and begin it."""
    open_sheet(page, "review", texts)
    page.locator('#review-list [data-order*="open"]').click()
    expect(page.locator("#review-list li").first).to_be_visible()
    expect(current(page)).to_have_count(1)


def current(page: Page) -> Locator:
    """Return the line that is looked at."""
    return page.locator("#review-list li:has([aria-current])")


def number(page: Page) -> str:
    """Return which row is looked at."""
    return current(page).get_attribute("data-number") or ""


def counted(page: Page, accepted: int, rejected: int, still_open: int) -> None:
    """Wait until the counts say this."""
    counts = page.locator("#review-counts li b")
    expect(counts).to_have_text([str(accepted), str(rejected), str(still_open)])


def choose(page: Page, field: str, words: str) -> None:
    """Choose in a field of the filter."""
    page.locator(f"#review-{field} input").click()
    page.get_by_role("option", name=words, exact=True).click()


def test_rows_are_decided_by_keyboard_alone(visit: Opener, stack: Stack) -> None:
    """Move, accept, reject, undo, edit; a gate that refuses an edit says why."""
    publish_reviewed(stack)
    page = visit().page
    begin(page)
    counted(page, 0, 0, 123)
    first = number(page)
    page.keyboard.press("j")
    second = number(page)
    assert second != first
    expect(page.locator("#review-whole article:visible")).to_have_attribute("data-number", second)
    page.keyboard.press("k")
    assert number(page) == first
    for key in "jjj":
        page.keyboard.press(key)
    page.keyboard.press("a")
    page.keyboard.press("r")  # at once: each key has its own row
    counted(page, 1, 1, 121)
    expect(page.locator("#review-told")).to_contain_text(ZH("review.rejected", count=1))
    page.keyboard.press("u")
    counted(page, 1, 0, 122)
    page.keyboard.press("u")
    counted(page, 0, 0, 123)
    page.keyboard.press("e")
    box = page.locator("#review-reply textarea")
    expect(box).to_be_focused()
    edited = number(page)
    box.fill("嗯")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#review-told [role=alert]")).to_be_visible()
    expect(page.locator("#review-force input")).to_be_visible()
    expect(box).to_have_value("嗯")
    page.keyboard.press("Escape")
    expect(page.locator("#review-edit")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#review-keys-list")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#review-keys-list")).to_be_hidden()
    assert number(page) == edited


def test_bulk_is_one_step_with_its_count(visit: Opener, stack: Stack) -> None:
    """All that match a filter are rejected at once, and come back at once."""
    publish_reviewed(stack)
    page = visit().page
    begin(page)
    choose(page, "style", "傲娇")
    expect(page.locator(".ts-review-pages")).to_contain_text("33")
    page.locator('[data-press="all"]').click()
    page.keyboard.press("R")
    sure = page.locator(".ts-review-sure")
    expect(sure).to_contain_text(ZH("review.sure", what=ZH("review.do.reject"), count="33"))
    counted(page, 0, 0, 123)
    sure.get_by_role("button", name=ZH("review.yes")).click()
    counted(page, 0, 33, 90)
    page.keyboard.press("u")
    counted(page, 0, 0, 123)
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("A")
    expect(sure).to_contain_text(ZH("review.sure", what=ZH("review.do.accept"), count="2"))
    page.keyboard.press("Escape")
    expect(sure).to_have_count(0)


def test_reload_keeps_filter_and_place(visit: Opener, stack: Stack) -> None:
    """A search, and the row that was looked at."""
    publish_reviewed(stack, per_style=60)
    page = visit().page
    begin(page)
    choose(page, "order", ZH("review.order.number"))
    expect(page.locator("#review-list li").first).to_have_attribute("data-number", "0")
    page.locator('#review-list [data-page="1"]').click()
    expect(page.locator("#review-list li").first).to_have_attribute("data-number", "50")
    for key in "jjj":
        page.keyboard.press(key)
    assert number(page) == "53"
    page.reload()
    open_sheet(page, "review")
    expect(page.locator("#review-list li").first).to_have_attribute("data-number", "50")
    expect(current(page)).to_have_attribute("data-number", "53")
    expect(page.locator("#review-order input")).to_have_value(ZH("review.order.number"))
    page.keyboard.press("/")
    expect(page.locator("#review-text textarea, #review-text input")).to_be_focused()
    page.keyboard.type("j")  # in a field it is a letter
    page.keyboard.press("Escape")
    expect(current(page)).to_have_count(1)


def test_teacher_is_asked_again_and_the_row_comes_back_open(visit: Opener, stack: Stack) -> None:
    """A job, which a reload finds again; and a conflict with somebody else is told."""
    dataset = publish_reviewed(stack)
    page = visit().page
    begin(page)
    choose(page, "origin", ZH("review.origin.accepted"))
    expect(page.locator(".ts-review-pages")).to_contain_text("120")
    expect(current(page)).to_have_count(1)
    page.keyboard.press("g")
    expect(page.locator("#review-jobs")).to_contain_text(ZH("review.job.done"))
    expect(page.locator("#review-told")).to_contain_text(re.compile("1"))
    page.reload()
    open_sheet(page, "review")
    expect(page.locator("#review-jobs")).to_contain_text(ZH("review.job.done"))
    row = int(number(page))
    real = services_of(stack).reviews
    head = real.head(dataset)
    assert head is not None
    real.decide(head, head.revision, ReviewFilter(rows=[row]), "reject", {"decision": "rejected"})
    page.keyboard.press("a")
    expect(page.locator("#review-told")).to_contain_text(ZH("review.conflict", detail="")[:12])
    counted(page, 0, 1, 122)


def test_map_leads_to_its_rows_and_names_its_holes(visit: Opener, stack: Stack) -> None:
    """Style by emotion by topic; Enter on a number opens the review of that cell."""
    publish_reviewed(stack)
    page = visit().page
    begin(page)
    open_sheet(page, "coverage")
    cell = page.locator(".ts-cover-cell button").first
    expect(cell).to_be_visible()
    count = cell.inner_text()
    expect(page.locator(".ts-cover-holes details").first).to_be_visible()
    cell.press("Enter")
    expect(page.locator("#review-chip")).to_contain_text("/")
    expect(page.locator("#review-list li")).to_have_count(int(count))
    page.locator("#review-clear").click()
    expect(page.locator(".ts-review-pages")).to_contain_text("123")


def test_other_limits_are_tried_and_change_nothing(visit: Opener, stack: Stack) -> None:
    """The report card in words, in both languages; a slider says how many rows would go."""
    publish_reviewed(stack)
    page = visit(locale="en-GB").page
    open_sheet(page, "report_card", EN)
    expect(page.locator(".ts-report-heads")).to_contain_text(EN("report_card.clean"))
    field = page.locator("#report-card-shortest input[type=number]")
    field.fill("60")
    field.press("Tab")
    changed = EN("report_card.preview", now=120, then=60, changed=60)
    expect(page.locator("#report-card-preview")).to_contain_text(changed)
    page.locator("#report-card-usual").click()
    expect(page.locator("#report-card-preview")).to_contain_text(EN("report_card.move"))
    page.locator("#ts-language label", has_text="中文").click()
    expect(page.locator(".ts-report-heads")).to_contain_text(ZH("report_card.clean"))


def test_version_is_published_compared_and_taken_back(visit: Opener, stack: Stack) -> None:
    """A rejected row is missing in version 2, and version 3 has it again."""
    publish_reviewed(stack)
    page = visit().page
    begin(page)
    choose(page, "origin", ZH("review.origin.accepted"))
    expect(page.locator(".ts-review-pages")).to_contain_text("120")
    expect(current(page)).to_have_count(1)
    page.keyboard.press("r")
    counted(page, 0, 1, 122)
    page.locator("#review-ending > button").click()
    page.locator("#review-publish").click()
    expect(page.locator("#review-told")).to_contain_text("119")
    open_sheet(page, "versions")
    expect(page.locator(".ts-version-table tbody tr")).to_have_count(2)
    page.locator("#versions-compare").click()
    counts = ZH("versions.counts", added=0, removed=1, changed=0, same=119)
    expect(page.locator("#versions-diff")).to_contain_text(counts)
    expect(page.locator(".ts-version-removed")).to_have_count(1)
    page.locator("#versions-roll").click()
    page.locator("#versions-yes").click()
    expect(page.locator(".ts-version-table tbody tr")).to_have_count(3)
    expect(page.locator(".ts-version-table tr.ts-chosen")).to_contain_text("3")


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_has_to_be_scrolled_sideways(visit: Opener, stack: Stack, width: int) -> None:
    """Each sheet, on a telephone too; and a service that is away is said."""
    publish_reviewed(stack)
    page = visit(width=width, height=844).page
    begin(page)
    for name in ("review", "coverage", "report_card", "versions"):
        page.locator(f"#data-sheet-{name}-button").click()
        anchors = "#review-list li, .ts-cover, .ts-report-heads, .ts-version-table"
        expect(page.locator(anchors).locator("visible=true").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    stack.datagen_up = False
    page.locator("#data-sheet-review-button").click()
    expect(page.locator("#review-told [role=alert]")).to_be_visible()
