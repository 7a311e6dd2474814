"""The page's words and choices."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from contracts.job import Progress
from fakes.clock import FakeClock
from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.drain import Drain
from ui.kept.keeping import keeping
from ui.metrics import UiMetrics
from ui.page import Page, inputs_of, outputs_of, script
from ui.tabs import FIRST_TAB, TABS
from ui.texts import texts_in
from ui.upstream.backend import Backend

UNCHANGED = {"__type__": "update"}


@pytest.fixture(scope="module")
def built() -> Page:
    """The page's blocks, built once; Gradio wants a running loop for that."""

    async def build() -> Page:
        settings = UiSettings()
        backend = Backend(settings, UiMetrics(CollectorRegistry()))
        talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
        page = Page(settings, talk, keeping(settings.state_dir))
        await backend.close()
        return page

    return asyncio.run(build())


@pytest.fixture
def page(built: Page, talk: Talk, stack: Stack) -> Page:
    """The page, with the services of one test."""
    built.talk = talk
    built.settings = UiSettings.from_environ(stack.urls)
    return built


def values(page: Page) -> list[Any]:
    """Return the inputs of all tabs before anything is chosen."""
    return [None] * sum(
        len(handle.choices.inputs) + len(handle.words.inputs) for handle in page.handles
    )


def browser(language: str) -> Any:
    """Return a request as a browser of that language sends it."""
    return SimpleNamespace(headers={"accept-language": language})


@pytest.mark.parametrize(
    ("stored", "header", "language"),
    [("", "en-US", "en"), ("", "zh-TW", "zh"), ("zh", "en-US", "zh"), ("xx", "en", "en")],
)
async def test_language_is_remembered_or_the_browsers(
    page: Page, stored: str, header: str, language: str
) -> None:
    """What the reader chose goes before what the browser says."""
    first, *_ = await page.load(browser(header), stored, *values(page))
    assert first == language


async def test_language_of_the_operator_goes_before_the_browsers(page: Page) -> None:
    """UI_LANGUAGE decides where nobody has chosen."""
    page.settings = page.settings.model_copy(update={"language": "zh"})
    first, *_ = await page.load(browser("en"), "", *values(page))
    assert first == "zh"


def silent(outputs: list[Any], updates: list[Any]) -> bool:
    """Return whether no chat and no box is given a value."""
    return len(outputs) == len(updates) and not any(
        type(output).__name__ in ("Chatbot", "Textbox") and "value" in update
        for output, update in zip(outputs, updates, strict=True)
    )


async def test_words_change_and_nothing_that_was_said(page: Page) -> None:
    """A change of language has an update for every output, and none carries a chat's value."""
    parts = [handle.choices for handle in page.handles]
    parts += [handle.words for handle in page.handles]
    zh, en = [await page.speak(language, *values(page)) for language in ("zh", "en")]
    titles = 2 + len(page.tabs)  # the brand and the person come before
    assert silent(outputs_of(parts), zh[2:-titles])
    assert silent(outputs_of(parts), en[2:-titles])
    assert texts_in("zh")("app.tagline") in zh[-titles]
    assert texts_in("en")("app.tagline") in en[-titles]


async def test_bell_rings_when_the_services_offer_something_new(
    page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promotion reaches an open page; until then the clock changes nothing."""
    monkeypatch.setattr("ui.catalog.FRESH_SECONDS", 0.0)
    stack.promoted = False
    seen, notice, *_ = await page.speak("zh", *values(page))
    assert notice
    assert await page.tick(seen, "zh") == [seen, UNCHANGED, UNCHANGED]
    stack.promoted = True
    now, bell, _ = await page.tick(seen, "zh")
    assert now == bell != seen
    offered = await offer(page)
    assert offered[0] == ""
    assert silent(outputs_of([handle.choices for handle in page.handles]), offered[1:-2])


async def offer(page: Page) -> list[Any]:
    """Return what the page offers before anything is chosen."""
    parts = [handle.choices for handle in page.handles]
    parts += [handle.healing for handle in page.handles]
    return await page.offer("zh", *[None] * len(inputs_of(parts)))


async def test_notice_of_a_lent_gpu_comes_and_goes(
    page: Page, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bell rings when the GPU is lent and when it is back; progress changes the notice only."""
    monkeypatch.setattr("ui.catalog.FRESH_SECONDS", 0.0)
    seen, *_ = await page.speak("zh", *values(page))
    stack.state, stack.holder = "lent", "r-1"
    stack.progress = Progress(stage="train", done=1, total=9)
    lent, bell, notice = await page.tick(seen, "zh")
    assert bell == lent
    assert "r-1" in notice
    stack.progress = Progress(stage="train", done=2, total=9)
    later, bell, notice = await page.tick(lent, "zh")
    assert (later, bell) == (lent, UNCHANGED)
    assert texts_in("zh")("notice.lent_progress", stage="训练", done=2, total=9) in notice
    stack.state, stack.holder = "ready", ""
    back, bell, _ = await page.tick(later, "zh")
    assert bell == back == seen
    assert (await offer(page))[0] == ""


async def test_page_says_that_it_ends(page: Page) -> None:
    """Open pages are told within a tick, whatever serving says."""
    seen, *_ = await page.speak("en", *values(page))
    page.talk.drain = Drain(0, (clock := FakeClock()), clock.sleep)
    await page.talk.drain.finish()
    now, bell, _ = await page.tick(seen, "en")
    assert now == bell != seen
    assert texts_in("zh")("notice.leaving") in (await offer(page))[0]


def test_page_has_its_words_before_the_first_answer(built: Page) -> None:
    """A page that opens on a slow machine is not blank."""
    words = {
        component["props"].get("elem_id"): component["props"].get("value")
        for component in built.blocks.get_config_file()["components"]
    }
    assert words["chat-send"] == texts_in("zh")("chat.send")
    assert words["compare-clear"] == texts_in("zh")("chat.clear")


def test_page_opens_with_the_chat_wherever_it_stands_in_the_row(built: Page) -> None:
    """The tabs are in the order of the work; most people come to talk."""
    parts = built.blocks.get_config_file()["components"]
    (row,) = [part for part in parts if part["props"].get("elem_id") == "ts-tabs"]
    items = [part["props"] for part in parts if part["type"] == "tabitem"]
    # A tab may have sheets of its own, which are tabs, too.
    order = [item["id"] for item in items if str(item.get("elem_id") or "").startswith("ts-tab-")]
    assert row["props"]["selected"] == FIRST_TAB == "chat"
    assert order == [tab.id for tab in TABS]
    assert order.index("train") < order.index("chat") < order.index("monitor")


def test_every_tab_has_an_address_and_the_scripts_know_them(built: Page) -> None:
    """The browser is told the ids, and which of them needs no name in the address."""
    code = "".join(
        str(dependency["js"]) for dependency in built.blocks.get_config_file()["dependencies"]
    )
    assert all(f'tonesmithTab?.("{tab.id}")' in code for tab in TABS)
    assert "__" not in "".join(re.findall(r"__[A-Z]+__", code))


def test_address_of_another_language_does_not_win_over_a_later_choice(built: Page) -> None:
    """`?lang=` opens the page in a language, and follows when the reader takes the other."""
    assert 'searchParams.set("lang", language)' in script("language.js", more={})
