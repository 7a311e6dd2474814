"""Everything that can be clicked can be reached with the Tab key."""

import pytest
from playwright.sync_api import Page

from browser.conftest import Opener
from browser.screens import NAMES, screens
from fakes.stack import Stack

pytestmark = pytest.mark.browser
# No screen has that many stops.
PRESSES = 250
WALKS = 5
# Give a number to everything on the page that is there for being used, and say what it is. Of a
# group of radio buttons one is a stop, the arrows do the rest; so it is with a row of tabs.
NUMBER = """() => {
    const kinds = "button, a[href], input, select, textarea, summary, [role=button], [role=tab],"
        + " [role=slider], [role=switch], [contenteditable=true], [role=region][tabindex]";
    const group = (item) => item.type === "radio" ? item.name
        : item.role === "tab" ? item.closest("[role=tablist]") : item;
    const groups = new Map();
    return [...document.querySelectorAll(kinds)]
        .filter((item) => item.checkVisibility({ opacityProperty: true, visibilityProperty: true })
            && item.getBoundingClientRect().width > 1 && !item.disabled && item.type !== "file"
            && !item.closest("[aria-hidden=true], [inert]"))
        .map((item) => {
            const key = group(item);
            if (!groups.has(key)) groups.set(key, groups.size);
            item.dataset.stop = groups.get(key);
            const name = item.getAttribute("aria-label") || item.innerText || item.id || "";
            const place = item.closest("[id]:not([id^=component])")?.id;
            return [groups.get(key), `${item.localName} ${name.slice(0, 40)} in #${place}`];
        });
}"""
# How many of the numbered are still there: what was rendered anew meanwhile has lost its number.
NUMBERED = "() => document.querySelectorAll('[data-stop]').length"
# Begin above everything, wherever a click was before.
BEGIN = """() => {
    const top = document.createElement("div");
    top.tabIndex = 0;
    document.body.prepend(top);
    top.focus();
}"""
# What has the focus now: its number, and whether Tab is a letter in it.
FOCUSED = """() => {
    const item = document.activeElement;
    if (!item || item === document.body) return null;
    return [Number(item.dataset.stop ?? -1), item.matches(".cm-content")];
}"""


def reached(page: Page) -> set[int]:
    """Return the numbers of what Tab comes by, from the top of the page to its end."""
    page.evaluate(BEGIN)
    found: set[int] = set()
    for _ in range(PRESSES):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            return found
        number, editor = focused
        found.add(number)
        if editor:  # there Tab is a letter, and Escape leaves
            page.keyboard.press("Escape")
    raise AssertionError("Tab never came to an end: something keeps the focus")


def undisturbed(page: Page) -> tuple[list[tuple[int, str]], set[int]]:
    """Return what can be used, and what Tab came by: of a walk in which nothing was rendered anew.

    The page renews its lists by itself, and what came new while Tab was on its way has no number.
    """
    for _ in range(WALKS):
        stops = page.evaluate(NUMBER)
        before = page.evaluate(NUMBERED)
        seen = reached(page)
        if page.evaluate(NUMBERED) == before:
            return stops, seen
    raise AssertionError(f"something was rendered anew in each of {WALKS} walks")


@pytest.mark.parametrize("tab", NAMES)
def test_tab_key_comes_by_everything(visit: Opener, stack: Stack, tab: str) -> None:
    """Whoever has no mouse reaches each button, box and link of the tab and of its sheets."""
    page = visit(locale="en-GB").page
    missed = []
    for screen in screens(page, [tab]):
        stops, seen = undisturbed(page)
        missed += [f"{screen}: {what}" for number, what in stops if number not in seen]
    assert not missed, "\n".join(missed)
