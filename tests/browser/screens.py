"""Every screen of the page: its tabs, and the sheets of a tab that has some."""

from collections.abc import Iterator

from playwright.sync_api import Locator, Page, expect

from ui.tabs import TABS

# Until what a screen asks the services for has come, and its fade-in is over.
SETTLE_MILLISECONDS = 800
NAMES = [tab.id for tab in TABS]


def open_tab(page: Page, name: str) -> None:
    """Show a tab, whatever language it is named in."""
    press(page.locator("#ts-tabs > .tab-wrapper [role=tab]").nth(NAMES.index(name)))


def press(tab: Locator) -> None:
    """Choose a tab of a row."""
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")


def screens(page: Page, tabs: list[str] | None = None) -> Iterator[str]:
    """Open one screen after the other; yield their names, `data/2` for the third sheet of Data."""
    for name in tabs or NAMES:
        open_tab(page, name)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        sheets = page.locator('[id$="-sheets"]:visible > .tab-wrapper [role=tab]:visible')
        if not sheets.count():
            yield name
        for number in range(sheets.count()):
            press(sheets.nth(number))
            page.wait_for_timeout(SETTLE_MILLISECONDS)
            yield f"{name}/{number}"
