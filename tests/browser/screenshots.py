"""Take the pictures of the documents: `python -m browser.screenshots docs/screenshots URL`.

URL is the page of a stack that runs (`make demo` leaves one). Without it a stand-in answers, and
`--drafts` pictures more: to look at while working on the page.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.conftest import ARGUMENTS, CHROMIUM
from fakes.running import running
from fakes.stack import Stack, running_stack
from ui.app import create_app
from ui.config import UiSettings
from ui.examples import EXAMPLES
from ui.tabs import TABS
from ui.texts import texts_in

PATIENCE_MILLISECONDS = 60_000
Act = Callable[[Page], None]


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    locale: str
    act: Act
    theme: str = "light"
    width: int = 1440
    height: int = 900
    promoted: bool = True


def choose(page: Page, style: str) -> None:
    """Choose a style by its name."""
    page.locator(".ts-styles label:visible", has_text=style).click()
    expect(page.locator(".ts-card h3:visible")).to_have_text(style)


def ask(page: Page, tab: str, text: str, columns: int, replies: int) -> None:
    """Ask, and wait for the whole reply in each column."""
    page.locator(f"#{tab}-box textarea").fill(text)
    page.locator(f"#{tab}-send").click()
    for column in range(columns):
        bots = page.locator(f"#{tab}-{column} .message.bot")
        expect(bots).to_have_count(replies)
    expect(page.locator(f"#{tab}-stop")).to_be_hidden()
    expect(page.locator(f"#{tab}-send")).to_be_visible()


def open_tab(page: Page, name: str) -> None:
    """Show a tab, whatever language it is named in."""
    page.get_by_role("tab").nth([tab.id for tab in TABS].index(name)).click()


def chat(style: str, *questions: str) -> Act:
    """Return the act of a chat in one style."""

    def act(page: Page) -> None:
        choose(page, style)
        for number, question in enumerate(questions, start=1):
            ask(page, "chat", question, 1, number)

    return act


def compare(style: str, *questions: str) -> Act:
    """Return the act of a comparison in one style."""

    def act(page: Page) -> None:
        open_tab(page, "compare")
        choose(page, style)
        for number, question in enumerate(questions, start=1):
            ask(page, "compare", question, 2, number)

    return act


def train(page: Page) -> None:
    """Look at the training runs."""
    open_tab(page, "train")
    page.locator("#train-plot canvas, #train-plot svg").first.wait_for()


def nothing(page: Page) -> None:
    """Look at the page as it opens."""
    page.locator(".ts-card:visible").wait_for()


ZH, EN = EXAMPLES["zh"], EXAMPLES["en"]
SHOTS = [
    Shot("chat-zh", "zh-CN", chat("傲娇", ZH[1], ZH[2])),
    Shot("chat-en", "en-GB", chat("Dry British butler", EN[0], EN[1])),
    Shot("side-by-side-zh", "zh-CN", compare("毒舌", ZH[0], ZH[2])),
]
# To look at while working on the page; they are not part of the documents.
DRAFTS = [
    Shot("draft-dark-zh", "zh-CN", chat("温柔", ZH[0]), theme="dark"),
    Shot("draft-dark-en", "en-GB", compare("Noir detective", EN[3]), theme="dark"),
    Shot("draft-phone-zh", "zh-CN", chat("元气", ZH[3]), width=390, height=844),
    Shot("draft-phone-en", "en-GB", nothing, theme="dark", width=390, height=844),
    Shot("draft-phone-compare", "zh-CN", compare("腹黑", ZH[2]), width=390, height=1200),
    Shot("draft-train-zh", "zh-CN", train),
    Shot("draft-train-en", "en-GB", train),
    Shot("draft-train-dark", "en-GB", train, theme="dark"),
    Shot("draft-train-phone", "zh-CN", train, width=390, height=1800),
    Shot("draft-first-zh", "zh-CN", nothing, promoted=False),
    Shot("draft-first-phone-en", "en-GB", nothing, width=390, height=844, promoted=False),
]


@contextmanager
def opened(browser: Browser, shot: Shot, url: str) -> Iterator[Page]:
    """Open the page as the picture wants it."""
    context = browser.new_context(
        locale=shot.locale,
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.theme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(url)
    send = texts_in("zh" if shot.locale.startswith("zh") else "en")("chat.send")
    expect(page.locator("#chat-send")).to_have_text(send, timeout=PATIENCE_MILLISECONDS)
    yield page
    context.close()


def picture(browser: Browser, shot: Shot, url: str, folder: Path) -> None:
    """Take one picture."""
    with opened(browser, shot, url) as page:
        page.wait_for_timeout(1500)  # the catalog's moment of freshness
        page.reload()
        shot.act(page)
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        page.screenshot(path=folder / f"{shot.name}.png", animations="disabled")


def picture_stand_in(browser: Browser, shots: list[Shot], folder: Path) -> None:
    """Take pictures of the page before a stand-in of the services."""
    stack = Stack()
    with running_stack(stack), running(create_app(UiSettings.from_environ(stack.urls))) as url:
        for shot in shots:
            stack.promoted = shot.promoted
            picture(browser, shot, url, folder)


def main(folder: Path, url: str | None, *, drafts: bool) -> None:
    """Take the pictures."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        if url is None:
            picture_stand_in(browser, [*SHOTS, *(DRAFTS if drafts else [])], folder)
        for shot in SHOTS if url else []:
            picture(browser, shot, url, folder)
        browser.close()


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    main(Path(words[0]), words[1] if len(words) > 1 else None, drafts="--drafts" in sys.argv)
