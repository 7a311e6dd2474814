"""A page that is open while its server is restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import WAIT_MILLISECONDS
from fakes.page_process import PageProcess
from fakes.page_stack_chat import reply_to
from fakes.stack import HELD, Stack, running_stack
from ui.examples import EXAMPLES
from ui.texts import texts_in

pytestmark = pytest.mark.browser
ZH = texts_in("zh")
EXIT_SECONDS = 60


@pytest.fixture
def stack() -> Iterator[Stack]:
    """The stand-ins, with a model that takes its time."""
    with running_stack(Stack(delay=HELD)) as stack:
        yield stack


@pytest.fixture
def server(tmp_path: Path, stack: Stack) -> Iterator[PageProcess]:
    """The page's server, as a process."""
    server = PageProcess(tmp_path / "ui.log", stack.urls, UI_STATE_DIR=str(tmp_path / "state"))
    server.ready()
    yield server
    server.close()


@pytest.fixture
def page(browser: Browser, server: PageProcess) -> Iterator[Page]:
    """An open page."""
    context = browser.new_context(locale="zh-CN")
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    page.goto(server.url)
    page.locator(".ts-card").first.wait_for()
    yield page
    context.close()


def ask(page: Page, tab: str, text: str) -> None:
    """Type a question and send it."""
    page.locator(f"#{tab}-box textarea").fill(text)
    page.locator(f"#{tab}-send").click()


def test_restart_loses_nothing(page: Page, server: PageProcess, stack: Stack) -> None:
    """The reply ends whole, a new message waits in its box, and both are there afterwards."""
    question, later = EXAMPLES["zh"][2], "等你回来再说"
    ask(page, "chat", question)
    page.locator("#chat-0 .message.bot").wait_for()
    server.terminate()

    page.get_by_role("tab", name=ZH("tab.compare")).click()
    ask(page, "compare", later)
    expect(page.locator("#compare-problem .ts-problem")).to_contain_text(ZH("problem.leaving"))
    expect(page.locator("#compare-box textarea")).to_have_value(later)
    expect(page.locator(".ts-notice-leaving")).to_contain_text(ZH("notice.leaving"))

    stack.delay = 0.0
    page.get_by_role("tab", name=ZH("tab.chat")).click()
    whole = reply_to(stack, stack.asked[0])
    expect(page.locator("#chat-0 .message.bot")).to_have_text(whole)
    assert server.ended(EXIT_SECONDS) == 0

    # A page that sees nothing of the gap goes on without loading again, and has nothing to lose.
    page.get_by_text("Connection to the server was lost").wait_for()
    with page.expect_event("load"):  # the page finds its server by itself
        server.start()
    expect(page.locator("#chat-0 .message.user")).to_have_text(question)
    expect(page.locator("#chat-0 .message.bot")).to_have_text(whole)
    expect(page.locator("#chat-examples")).to_be_hidden()
    expect(page.locator("#chat-list [aria-current]")).to_contain_text(question[:8])
    page.get_by_role("tab", name=ZH("tab.compare")).click()
    expect(page.locator("#compare-box textarea")).to_have_value(later)
    page.locator("#compare-send").click()
    expect(page.locator("#compare-1 .message.bot")).to_be_visible()
    expect(page.locator("#compare-box textarea")).to_have_value("")
