"""From a new style to a vote on its model's reply, by hand, on the real engines: `make journey`.

The embedded stack is `tonesmith up`: the scripted teacher, the real LLaMA-Factory and the real
vLLM on the CPU, with the starter model. In the middle of each long job the page is loaded again,
and finds the job by itself. Few rows and few steps: what is proven is the way, not the style (that
is tests/e2e/test_demo.py).
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from contracts.votes import Vote
from demo_process import STAYS, installed, until_it_stays
from repository import ROOT
from tonesmith.stack.ports import USUAL, any_free
from ui.texts import texts_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.engines,
    # Gradio's queue sums up its own statistics with options that pandas gives up.
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
EN = texts_in("en")
ENGINES = ("TRAINER_ENGINE_PYTHON", "SERVING_ENGINE_PYTHON")
END_SECONDS = 90
PATIENCE, LONG = 30_000, 300_000
ROWS, STEPS = "40", "20"
STYLE = "cheerful"
CARD = {
    "id": STYLE,
    "names_zh": "开朗",
    "names_en": "Cheerful",
    "description_zh": "总能看到好的一面。",
    "description_en": "Sees the bright side of everything.",
    "traits": "开朗\n爱笑",
    "system_prompt": "你很开朗，说话总带着笑意。",
    "lexicon_openers": "哈哈，\n来啦，",
    "lexicon_closers": "加油！\n冲呀！",
}
QUESTION = "明天要上台演讲，好紧张"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where the services of a real stack are, by the setting that holds each port."""
    missing = [name for name in ENGINES if not os.environ.get(name)]
    assert not missing, f"call through make, which sets {missing}"
    folder: Path = tmp_path_factory.mktemp("journey")
    settings = {name: str(any_free()) for name in USUAL}
    settings["MODELS_DIR"] = str(ROOT / "services/trainer/bases")
    process = subprocess.Popen(
        [sys.executable, "-m", "tonesmith", "up"],
        cwd=folder,
        env=dict(os.environ) | installed() | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert STAYS in "".join(until_it_stays(process))
        yield settings
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=END_SECONDS)
    finally:
        process.kill()


class Hand:
    """Does what a hand does on the page.

    Args:
        page: an open page.
    """

    def __init__(self, page: Page) -> None:
        self.page = page

    def at(self, selector: str) -> Locator:
        """Return the element, for looking at."""
        return self.page.locator(selector).first

    def click(self, selector: str) -> None:
        """Press."""
        self.at(selector).click()

    def fill(self, selector: str, text: str) -> None:
        """Write into a box."""
        self.at(f"{selector} textarea, {selector} input").fill(text)

    def choose(self, picker: str, words: str | re.Pattern[str]) -> None:
        """Choose in a dropdown."""
        self.click(f"{picker} input")
        self.page.get_by_role("option", name=words).first.click()

    def open(self, tab: str, sheet: str = "") -> None:
        """Turn to a tab, and to a sheet of it."""
        self.page.get_by_role("tab", name=EN(f"tab.{tab}"), exact=True).click()
        if sheet:
            self.click(f"#{tab}-sheet-{sheet}-button")

    def reads(self, selector: str, words: str | re.Pattern[str], wait: int = PATIENCE) -> None:
        """Wait until something says so."""
        expect(self.at(selector)).to_contain_text(words, timeout=wait)

    def reload(self) -> None:
        """Load the page again, as somebody who comes back."""
        self.page.reload()
        self.at("#ts-tabs").wait_for()
        self.page.wait_for_timeout(1000)


@pytest.fixture
def hand(browser: Browser, ports: dict[str, str]) -> Iterator[Hand]:
    """A hand on the page."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{ports['UI_PORT']}")
    page.locator("#chat-box textarea").wait_for()
    yield Hand(page)
    context.close()


def test_whole_journey(hand: Hand, ports: dict[str, str]) -> None:
    """Style, preview, rows, review, training, proof, promotion, a reply in the style, a vote."""
    make_style(hand)
    generate(hand)
    review(hand)
    train(hand)
    prove(hand)
    promote(hand)
    chat(hand)
    votes = votes_at(f"http://127.0.0.1:{ports['DATAGEN_PORT']}/votes")
    told = [(vote.style, vote.model, vote.question, vote.value) for vote in votes]
    assert told == [(STYLE, "tonesmith.v1", QUESTION, 1)]


def votes_at(address: str) -> list[Vote]:
    """Return the votes that datagen has, once there is one: the page sends them by itself."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        answer = httpx.get(address, timeout=PATIENCE)
        votes = [Vote.model_validate(one["vote"]) for one in answer.json()]
        if votes or time.monotonic() > deadline:
            return votes
        time.sleep(0.2)


def make_style(hand: Hand) -> None:
    """Write a new card, try it, and keep it."""
    hand.open("styles")
    hand.click("#styles-new")
    for key, text in CARD.items():
        hand.at(f"#styles-field-{key} textarea").fill(text)
    hand.reads("#styles-faults", EN("style.valid"))
    hand.fill("#styles-question", QUESTION)
    hand.click("#styles-ask")
    hand.reads("#styles-reply", re.compile("哈哈|来啦|加油|冲呀"))
    hand.click("#styles-save")
    hand.reads("#styles-said", EN("styles.stored", number=1))


def generate(hand: Hand) -> None:
    """Order rows of it, load the page again meanwhile, and see them come."""
    hand.open("data", "generate")
    for name in (CARD["names_en"], "Tsundere"):
        hand.page.locator("#generate-styles label", has_text=name).first.click()
    hand.fill("#generate-per_style", ROWS)
    hand.click("#generate-start")
    hand.at("#running-card").wait_for()
    hand.reload()
    hand.open("data", "running")
    expect(hand.at("#running-review")).to_be_visible(timeout=LONG)
    hand.reads("#running-styles", CARD["names_en"])


def review(hand: Hand) -> None:
    """Read some rows, and decide about them by keyboard."""
    hand.click("#running-review")
    hand.click('#review-list [data-order*="open"]')
    expect(hand.page.locator("#review-list li:has([aria-current])")).to_have_count(1)
    for key in "jaja":
        hand.page.keyboard.press(key)
    hand.reads("#review-counts", "2")


def train(hand: Hand) -> None:
    """Train a few steps on them; the page is closed and opened again meanwhile."""
    hand.open("train", "new")
    hand.click("#train-more button")
    hand.fill("#train-max_steps", STEPS)
    hand.reads("#train-faults", EN("recipe.fine"))
    hand.click("#train-start")
    hand.at("#train-card").wait_for()
    hand.reload()
    hand.open("train")
    hand.reads("#train-card", EN("run.done"), LONG)
    hand.at("#train-plot svg").wait_for()


def prove(hand: Hand) -> None:
    """Let serving load it beside the base, and ask both the held-out questions."""
    hand.open("train", "models")
    hand.click("button#train-do-stage")
    hand.reads("#train-models", "· v1", LONG)
    hand.open("prove", "start")
    expect(hand.at("#prove-tuned input")).to_have_value("tonesmith.v1")
    hand.at("#prove-per-style input").fill("1")
    hand.at("#prove-turns input").fill("1")
    hand.click("#prove-probe input")
    hand.click("#prove-start")
    hand.at("#prove-cancel").wait_for()
    hand.reload()
    hand.open("prove", "start")
    expect(hand.at("#prove-open")).to_be_visible(timeout=LONG)
    hand.click("#prove-open")
    hand.at("#prove-report svg[role=img]").wait_for()


def promote(hand: Hand) -> None:
    """Let the model answer to its name."""
    hand.open("train", "models")
    hand.click("#train-do-promote")
    hand.click("#train-models-confirm-yes")
    hand.reads("#train-models", EN("models.live"), LONG)


def chat(hand: Hand) -> None:
    """Ask the tuned model in the new style, and say that one likes its reply."""
    hand.open("chat")
    hand.page.locator(".ts-styles label:visible", has_text=CARD["names_en"]).click(timeout=LONG)
    hand.fill("#chat-box", QUESTION)
    hand.click("#chat-send")
    expect(hand.at("#chat-send")).to_be_visible(timeout=LONG)
    assert hand.at("#chat-0 .message.bot").inner_text().strip()
    hand.page.locator("#chat-0").get_by_label("Like", exact=True).first.click()
    hand.open("monitor")
    hand.reads("#monitor-health", EN("health.ok"))
