"""A real browser on the real page, with stand-ins for the services behind it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fakes.running import running
from fakes.serving_process import until
from fakes.stack import Stack, running_stack
from ui.app import create_app
from ui.config import UiSettings

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
# No sandbox: the tests may run as root. The rest keeps the browser itself off the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Patience with a machine on which a model is trained at the same time.
WAIT_MILLISECONDS = 30_000
Opener = Callable[..., "Visit"]


@dataclass
class Visit:
    """An open page, and what the browser noticed meanwhile."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note script errors, error lines of the console, and requests to other hosts."""
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self.on_console)
        self.page.on("request", self.on_request)

    def on_console(self, message: Any) -> None:
        """Note an error line."""
        if message.type == "error":
            self.errors.append(message.text)

    def on_request(self, request: Any) -> None:
        """Note a request to another host."""
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.outside.append(request.url)

    def messages(self, column: str = "chat-0", role: str = "bot") -> list[str]:
        """Return the texts of the messages in a column."""
        return self.page.locator(f"#{column} .message.{role}").all_inner_texts()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless browser. Without one the tests fail: who asks for this tier wants it run."""
    if not CHROMIUM:
        pytest.fail("no Chromium: install it, or name it in CHROMIUM")
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def served(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, str]]:
    """The stand-ins and the page, started once; Gradio builds in the loop of the browser."""
    kept = {"UI_STATE_DIR": str(tmp_path_factory.mktemp("state"))}
    with running_stack() as stack:
        app = create_app(UiSettings.from_environ(stack.urls | kept))
        with running(app) as url:
            yield stack, url


@pytest.fixture
def stack(served: tuple[Stack, str]) -> Iterator[Stack]:
    """The stand-ins as they are when all is well; no reply outlives the test that asked for it."""
    stack, _ = served
    stack.__dict__.update(Stack(urls=stack.urls).__dict__)
    yield stack
    stack.delay = 0.0
    until(lambda: not stack.streaming, WAIT_MILLISECONDS / 1000)


@pytest.fixture
def visit(browser: Browser, served: tuple[Stack, str], stack: Stack) -> Iterator[Opener]:
    """Open the page as somebody; afterwards, nothing was wrong and nobody else was asked."""
    contexts, visits = [], []

    def open_page(
        *, locale: str = "zh-CN", width: int = 1440, height: int = 900, theme: Any = "light"
    ) -> Visit:
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": height}, color_scheme=theme
        )
        context.set_default_timeout(WAIT_MILLISECONDS)
        contexts.append(context)
        opened = Visit(context.new_page(), served[1])
        opened.listen()
        visits.append(opened)
        opened.page.goto(opened.url)
        opened.page.locator("#chat-box textarea").wait_for()
        opened.page.locator(".ts-card, .ts-notice").first.wait_for()
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert not [error for opened in visits for error in opened.errors]
    assert not [url for opened in visits for url in opened.outside]
