"""Take the pictures of the documents: `python -m browser.screenshots docs/screenshots [NAME...]`.

Each tab is taken four times (Chinese, English, Chinese in the dark, and on a phone), each further
sheet once. The services behind the page are stand-ins, so the pictures are made in minutes.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.conftest import ARGUMENTS, CHROMIUM
from browser.screens import open_tab
from contracts.sample import RejectReason
from fakes.page_stack_data import generating, refused_rows
from fakes.page_stack_prove import proven
from fakes.page_stack_review import publish_reviewed
from fakes.running import running
from fakes.stack import Stack, running_stack
from ui.app import create_app
from ui.config import UiSettings
from ui.examples import EXAMPLES
from ui.texts import texts_in

PATIENCE_MILLISECONDS = 60_000
SETTLE_MILLISECONDS = 2500
PHONE = 390
Act = Callable[[Page, str], None]


@dataclass(frozen=True)
class Look:
    """How a picture is taken; the language comes first in its name, where it is not Chinese."""

    name: str
    locale: str = "zh-CN"
    theme: str = "light"
    width: int = 1280
    height: int = 800

    @property
    def language(self) -> str:
        """The language of the page."""
        return self.locale[:2]


LOOKS = [
    Look("zh"),
    Look("en", locale="en-GB"),
    Look("dark", theme="dark"),
    Look("phone", width=PHONE, height=844),
]


def sheet(row: str, number: int, *clicks: str) -> Act:
    """Return the act of turning to a sheet, and of pressing some things there."""

    def act(page: Page, _: str) -> None:
        page.locator(f"#{row} > .tab-wrapper [role=tab]").nth(number).click()
        for click in clicks:
            page.locator(click).first.click()

    return act


def press(*clicks: str) -> Act:
    """Return the act of pressing some things."""

    def act(page: Page, _: str) -> None:
        for click in clicks:
            page.locator(click).first.click()

    return act


def ask(tab: str, columns: int, style: int) -> Act:
    """Return the act of a conversation."""

    def act(page: Page, language: str) -> None:
        page.locator(".ts-styles label:visible").nth(style).click()
        for number, question in enumerate(EXAMPLES[language][1:3], start=1):
            page.locator(f"#{tab}-box textarea").fill(question)
            page.locator(f"#{tab}-send").click()
            for column in range(columns):
                bots = page.locator(f"#{tab}-{column} .message.bot")
                expect(bots).to_have_count(number)
            expect(page.locator(f"#{tab}-send")).to_be_visible()

    return act


# The tab, the sheet (the first one is taken in every look), and what is done there.
SHOTS: list[tuple[str, str, Act]] = [
    ("styles", "", press()),
    ("styles", "editor", press("[data-style=tsundere]")),
    ("data", "", press("#generate-styles label >> nth=0", "#generate-estimate")),
    ("data", "running", sheet("data-sheets", 1)),
    ("data", "review", sheet("data-sheets", 2, '#review-list [data-order*="open"]')),
    ("data", "coverage", sheet("data-sheets", 3)),
    ("data", "report-card", sheet("data-sheets", 4)),
    ("data", "versions", sheet("data-sheets", 5)),
    ("data", "importing", sheet("data-sheets", 6)),
    ("train", "", press()),
    ("train", "new", sheet("train-sheets", 1, "#train-advise")),
    ("train", "compare", sheet("train-sheets", 2)),
    ("train", "models", sheet("train-sheets", 3)),
    ("prove", "", press()),
    ("prove", "report", sheet("prove-sheets", 1)),
    ("prove", "sides", sheet("prove-sheets", 2)),
    ("prove", "arena", sheet("prove-sheets", 3)),
    ("chat", "", ask("chat", 1, 0)),
    ("compare", "", ask("compare", 2, 1)),
    ("monitor", "", press()),
]


def furnished() -> Stack:
    """Return services in which something goes on and much is done."""
    stack = Stack()
    job = generating("bedtime-1", {"tsundere": 31, "gentle": 44, "cheerful": 12})
    stack.dataset_jobs = [job]
    stack.rejected = {job.id: refused_rows(RejectReason.ASSISTANT_VOICE)}
    stack.evaluations = [proven(stack.styles)]
    return stack


@contextmanager
def opened(browser: Browser, look: Look, url: str) -> Iterator[Page]:
    """Open the page; on a phone it becomes narrow once the tab is open."""
    context = browser.new_context(
        locale=look.locale,
        viewport={"width": max(look.width, 1280), "height": look.height},
        color_scheme="dark" if look.theme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(url)
    send = texts_in("zh" if look.language == "zh" else "en")("chat.send")
    expect(page.locator("#chat-send")).to_have_text(send, timeout=PATIENCE_MILLISECONDS)
    page.locator(".ts-card").first.wait_for()
    yield page
    context.close()


def picture(browser: Browser, shot: tuple[str, str, Act], look: Look, url: str, at: Path) -> None:
    """Take one picture."""
    tab, _, act = shot
    with opened(browser, look, url) as page:
        open_tab(page, tab)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        act(page, look.language)
        page.set_viewport_size({"width": look.width, "height": look.height})
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        page.evaluate("window.scrollTo(0, 0)")
        page.mouse.move(0, 0)
        page.screenshot(path=at, animations="disabled")
    with Image.open(at) as taken:  # 256 colours say as much, in a third of the bytes
        small = taken.convert("RGB").quantize(256)
    small.save(at, optimize=True)


def main(folder: Path, names: list[str]) -> None:
    """Take the pictures, or those of some tabs."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    folder.mkdir(parents=True, exist_ok=True)
    stack = furnished()
    with sync_playwright() as playwright, running_stack(stack), TemporaryDirectory() as kept:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        publish_reviewed(stack)
        settings = UiSettings.from_environ(stack.urls | {"UI_STATE_DIR": kept})
        with running(create_app(settings)) as url:
            for shot in SHOTS:
                tab, part, _ = shot
                for look in LOOKS if not part else LOOKS[:1]:
                    name = "-".join(filter(None, (tab, part, look.name)))
                    if not names or tab in names:
                        picture(browser, shot, look, url, folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
