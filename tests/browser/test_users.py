"""Two people at once, behind the log-in: neither sees what the other said."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import WAIT_MILLISECONDS
from fakes.running import running
from fakes.serving_process import until
from fakes.stack import Stack, running_stack
from ui.access.accounts import hashed
from ui.app import create_app
from ui.config import UiSettings
from ui.texts import texts_in

pytestmark = [
    pytest.mark.browser,
    # Gradio's queue sums up its own statistics with options that pandas gives up.
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
EN = texts_in("en")
PASSWORD = "correct horse "
VOTE_SECONDS = 60


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The services behind the page."""
    with running_stack() as stack:
        yield stack


@pytest.fixture(scope="module")
def address(
    browser: Browser, stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A page with two people in its users file."""
    folder = tmp_path_factory.mktemp("users")
    lines = [f"{name}:{hashed(PASSWORD + name, 10)}\n" for name in ("ann", "bob")]
    (folder / "users").write_text("".join(lines))
    told = {"UI_AUTH": "users", "UI_USERS_FILE": str(folder / "users")}
    told["UI_STATE_DIR"] = str(folder / "state")
    with running(create_app(UiSettings.from_environ(stack.urls | told))) as url:
        yield url


@contextmanager
def entered(browser: Browser, address: str, name: str) -> Iterator[Page]:
    """Log in with a browser of one's own; yield the page."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    page.goto(address)
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(PASSWORD + name)
    page.get_by_role("button", name=EN("login.enter")).click()
    page.locator("#chat-box textarea").wait_for()
    page.locator(".ts-card").first.wait_for()
    yield page
    context.close()


def say(page: Page, text: str) -> None:
    """Say something in a new conversation, and wait until it is in the list."""
    page.locator("#chat-box textarea").fill(text)
    page.locator("#chat-send").click()
    page.locator("#chat-0 .message.bot").last.wait_for()
    expect(page.locator("#chat-send")).to_be_visible()
    expect(page.locator("#chat-list [data-act=open]")).to_have_count(1)


def test_people_do_not_see_each_other(browser: Browser, address: str, stack: Stack) -> None:
    """Lists, conversations asked for by their number, and votes are one's own."""
    with entered(browser, address, "ann") as ann, entered(browser, address, "bob") as bob:
        say(ann, "Ann cannot sleep")
        say(bob, "Bob has an exam")
        for page, own, other in ((ann, "Ann", "Bob"), (bob, "Bob", "Ann")):
            page.reload()
            listed = page.locator("#chat-list [data-act=open]")
            expect(listed).to_have_count(1)
            expect(listed).to_contain_text(own)
            assert other not in page.locator("body").inner_text()
        number = ann.locator("#chat-list [data-act=open]").get_attribute("data-id")
        row = bob.locator("#chat-list [data-act=open]")
        row.evaluate("(row, id) => { row.dataset.id = row.dataset.key = id }", number)
        row.click()
        expect(bob.locator(".ts-problem, .ts-notice").first).to_contain_text(EN("store.unknown"))
        assert "Ann" not in bob.locator("#chat-0").inner_text()


def test_votes_are_of_who_gave_them(browser: Browser, address: str, stack: Stack) -> None:
    """Both judge; datagen is told of two people, by names that say nothing of them."""
    for name in ("ann", "bob"):
        with entered(browser, address, name) as page:
            page.locator("#chat-list [data-act=open]").first.click()
            page.locator("#chat-0 .message.bot").last.wait_for()
            page.locator("#chat-0").get_by_label("Like", exact=True).first.click()
    until(lambda: len(stack.votes) == 2, VOTE_SECONDS)
    assert len({vote.user for vote in stack.votes}) == 2
    assert not {vote.user for vote in stack.votes} & {"ann", "bob"}


def test_nothing_is_served_without_a_log_in(browser: Browser, address: str) -> None:
    """Neither the page nor what it is made of; after the log-out it is so again."""
    with entered(browser, address, "ann") as page:
        assert page.request.get(f"{address}/config").status == 200
        page.locator("#ts-person summary").first.click()
        page.locator("#ts-person").get_by_role("button", name=EN("login.leave")).click()
        page.locator("input[name=password]").wait_for()
        refused = ("/config", "/gradio_api/info", "/gradio_api/startup-events", "/theme.css")
        for path in refused:
            assert page.request.get(f"{address}{path}").status in (401, 404), path
        page.goto(address)
        page.locator("input[name=password]").wait_for()
        assert page.locator("#ts-tabs").count() == 0
