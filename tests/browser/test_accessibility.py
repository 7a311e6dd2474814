"""Who does not see the page, or has no mouse, can use every part of it.

The rules are axe-core's, which the package axe-playwright-python carries.
"""

from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from browser.conftest import Opener
from browser.screens import screens
from fakes.stack import Stack

pytestmark = pytest.mark.browser
GRAVE = ("serious", "critical")
RUN = """async () => {
    const found = await axe.run(document, { resultTypes: ["violations"] });
    return found.violations;
}"""


def violations(page: Page) -> list[str]:
    """Return what is gravely wrong on the page as it is now: the rule, where, and why."""
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for rule in page.evaluate(RUN)
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("locale", "theme"), [("zh-CN", "light"), ("en-GB", "dark")])
def test_nothing_is_gravely_wrong_on_any_screen(
    visit: Opener, stack: Stack, locale: str, theme: str
) -> None:
    """Names, roles, labels, contrast: each tab and sheet, in both languages and both themes."""
    page = visit(locale=locale, theme=theme).page
    page.add_style_tag(content="*, *::before, *::after { animation: none !important }")
    page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for screen in screens(page):
        if wrong := violations(page):
            found[screen] = wrong
    assert not found, "\n".join(f"{name}: {line}" for name in found for line in found[name])
