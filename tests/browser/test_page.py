"""The page around its tabs: addresses, the menu of the person, a log-in that runs out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import Opener
from fakes.running import running
from fakes.stack import Stack
from ui.access.accounts import hashed
from ui.app import create_app
from ui.config import UiSettings
from ui.texts import texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")
PASSWORD = "correct horse"


@pytest.fixture
def guarded(browser: Browser, stack: Stack, tmp_path: Path) -> Iterator[str]:
    """A page with a log-in, and one person in its users file."""
    (tmp_path / "users").write_text(f"ann:{hashed(PASSWORD, 10)}\n")
    told = {"UI_AUTH": "users", "UI_USERS_FILE": str(tmp_path / "users")}
    told["UI_STATE_DIR"] = str(tmp_path / "state")
    with running(create_app(UiSettings.from_environ(stack.urls | told))) as url:
        yield url


def log_in(page: Page) -> None:
    """Fill in the form as a person does."""
    page.locator("[name=username]").fill("ann")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_tab_is_reached_by_its_address_which_follows_the_reader(visit: Opener) -> None:
    """A bookmark of a tab, another tab, another language, and a reload of all that."""
    opened = visit()
    page = opened.page
    page.goto(f"{opened.url}/monitor?lang=zh")
    expect(page.locator("#monitor-health li").first).to_be_visible()
    page.locator('[role="tab"][data-tab-id="train"]').click()
    page.wait_for_url("**tab=train")
    page.locator("#ts-language label", has_text="English").click()
    expect(page.locator("#ts-brand")).to_contain_text(EN("app.tagline"))
    page.reload()
    selected = page.locator('[role="tab"][data-tab-id="train"]')
    expect(selected).to_have_attribute("aria-selected", "true")
    expect(page.locator("#ts-brand")).to_contain_text(EN("app.tagline"))
    page.locator('[role="tab"][data-tab-id="chat"]').click()
    expect(page.locator("#chat-send")).to_be_visible()
    assert "tab=" not in page.url


def test_every_tab_is_reached_on_a_phone(visit: Opener) -> None:
    """What does not fit is in a menu, which has a name in the reader's language."""
    opened = visit(width=390, height=844)
    page = opened.page
    more = page.locator("#ts-tabs > .tab-wrapper .overflow-menu > button")
    expect(more).to_have_attribute("aria-label", ZH("app.more_tabs"))
    page.goto(f"{opened.url}/?tab=monitor")
    expect(page.locator("#monitor-health li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_menu_of_the_person_is_worked_with_the_keyboard(visit: Opener) -> None:
    """It opens, says who is here, and Escape closes it; nothing is deleted by a wrong name."""
    opened = visit()
    page = opened.page
    menu = page.locator("#ts-person .ts-you > summary")
    expect(menu).to_contain_text(ZH("you.local"))
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ts-you-menu")).to_contain_text(ZH("you.none"))
    page.keyboard.press("Escape")
    expect(page.locator(".ts-you-menu")).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    page.locator(".ts-forget > summary").click()
    page.locator(".ts-forget input").fill("nobody")
    page.locator(".ts-forget button").click()
    expect(page.locator("h2")).to_have_text(ZH("you.not_forgotten"))
    assert all("422" in error for error in opened.errors)
    opened.errors.clear()  # the browser notes the refusal


def test_log_in_that_runs_out_loses_nothing(browser: Browser, guarded: str) -> None:
    """What was sent meanwhile waits, the person logs in beside the page, and the reply comes."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{guarded}/?tab=chat")
    log_in(page)
    expect(page.locator("#ts-person .ts-you > summary")).to_contain_text("ann")
    context.clear_cookies()
    page.locator("#chat-box textarea").fill(ZH("chat.greeting"))
    page.locator("#chat-send").click()
    expect(page.locator("#ts-again")).to_contain_text(ZH("you.expired"))
    with context.expect_page() as beside:
        page.locator("#ts-again a").click()
    log_in(beside.value)
    expect(beside.value.locator("h2")).to_have_text(ZH("you.back"))
    beside.value.close()
    expect(page.locator("#ts-again")).to_have_count(0)
    expect(page.locator("#chat-0 .message.bot").first).not_to_be_empty()
    context.close()
