"""A service that is away: each screen says so with the way out, and nothing turns for ever."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from browser.conftest import WAIT_MILLISECONDS, Opener
from browser.screens import open_tab, screens
from fakes.running import running
from fakes.serving_process import free_port
from fakes.stack import Stack
from ui.app import create_app
from ui.config import UiSettings
from ui.texts import texts_in
from ui.upstream.trainer_calls import LIST_SECONDS

pytestmark = pytest.mark.browser
EN = texts_in("en")
SERVICES = ("DATAGEN_URL", "TRAINER_URL", "SERVING_URL", "SERVING_CONTROL_URL")
# After so long a reader knows, whatever was asked.
KNOWN_SECONDS = 3.0
# Where a program hangs: a list, which may be long, is given up later.
HUNG_SECONDS = LIST_SECONDS + KNOWN_SECONDS
# Which service a screen cannot do without: it has to name it. The others go on without.
NEEDS = {"styles": "datagen", "data": "datagen", "train": "trainer", "prove": "datagen"}
# Everything by which Gradio says that it waits for something, where it can be seen.
TURNING = """() => [
    ...document.querySelectorAll(".loader, .eta-bar, .pending, .generating, [class*=spinner]")
].filter((item) => item.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && item.getBoundingClientRect().width > 1 && !item.closest(".hide"))
 .map((item) => item.className + " in #" + item.closest("[id]:not([id^=component])")?.id)"""
# A notice of ours that can be seen: on the screen itself, or above all of them.
NOTICES = ".ts-notice:visible, .ts-problem:visible, #monitor-health:visible"


def told_of(page: Page, screen: str, away: set[str], patience: float) -> str:
    """Look at an open screen, as long as a reader may have to wait; return what is wrong."""
    needed = NEEDS.get(screen.partition("/")[0])
    end = time.monotonic() + patience
    while True:
        notices = " ".join(page.locator(NOTICES).all_inner_texts()).lower()
        named = (
            needed not in away or needed in notices or EN(f"service.{needed}").lower() in notices
        )
        turning = page.evaluate(TURNING)
        if named and not turning:
            break
        if time.monotonic() > end:
            return f"{screen}: turns for ever: {turning}; says: {notices[:200]!r}"
        page.wait_for_timeout(100)
    # The red box in the corner is Gradio's, for what nobody caught.
    red = page.locator(".toast-wrap .error").all_inner_texts()
    return f"{screen}: {red}" if red else ""


def wrong_screens(page: Page, away: set[str], patience: float = KNOWN_SECONDS) -> list[str]:
    """Return what is wrong on any screen while these services are away."""
    return [wrong for screen in screens(page) if (wrong := told_of(page, screen, away, patience))]


@pytest.mark.parametrize("service", ["datagen", "trainer", "serving"])
def test_each_screen_says_which_service_is_away(visit: Opener, stack: Stack, service: str) -> None:
    """Its name and what to do, within three seconds; what is there can be used."""
    stack.datagen_up, stack.trainer_up = service != "datagen", service != "trainer"
    stack.state = "down" if service == "serving" else "ready"
    page = visit(locale="en-GB").page
    page.wait_for_timeout(1500)  # what is known of the services is kept for a second
    page.reload()
    assert not wrong_screens(page, {service})
    if service == "serving":
        notices = page.locator("#ts-notice .ts-notice")
        expect(notices).to_be_visible()
        expect(notices.locator(".ts-commands code").first).to_be_visible()


@pytest.mark.parametrize("service", ["datagen", "trainer"])
def test_screens_heal_by_themselves(visit: Opener, stack: Stack, service: str) -> None:
    """When the service is back, so is what it knows: without loading the page again."""
    stack.datagen_up, stack.trainer_up = service != "datagen", service != "trainer"
    page = visit(locale="en-GB").page
    tab = next(tab for tab, needed in NEEDS.items() if needed == service)
    open_tab(page, tab)
    panel = page.locator("#ts-tabs > [role=tabpanel]:visible")
    words = re.compile(f"tonesmith|{EN(f'service.{service}')}")
    notice = panel.locator(NOTICES, has_text=words).first
    expect(notice).to_be_visible()
    stack.datagen_up = stack.trainer_up = True
    expect(notice).to_be_hidden()


@pytest.fixture(scope="module", params=["nobody listens", "nobody answers"])
def alone(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A page without any service behind it: closed ports, or programs that hang."""
    kept = tmp_path_factory.mktemp("state")
    if request.param == "nobody listens":
        yield from page_before(f"http://127.0.0.1:{free_port()}", kept)
        return
    with running(hanging()) as url:
        yield from page_before(url, kept)


def page_before(service: str, kept: Path) -> Iterator[str]:
    """Run a page that looks for every service at one address."""
    told = dict.fromkeys(SERVICES, service) | {"UI_STATE_DIR": str(kept)}
    with running(create_app(UiSettings.from_environ(told))) as url:
        yield url


def hanging() -> FastAPI:
    """Return a program that takes every request and never says a word."""
    app = FastAPI()

    @app.middleware("http")
    async def nothing(*_: Any) -> Any:
        await asyncio.Event().wait()

    return app


def test_page_says_so_where_nothing_is_there_at_all(alone: str, browser: Browser) -> None:
    """Each screen stays usable, and says which service to start."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    page.goto(alone)
    expect(page.locator("#ts-notice .ts-commands code").first).to_be_visible()
    assert not wrong_screens(page, {"datagen", "trainer", "serving"}, HUNG_SECONDS)
    context.close()
