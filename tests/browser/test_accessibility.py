"""Who does not see the page, or has no mouse, can use every part of it.

The rules are axe-core's (`vendor/axe.min.js`, MPL 2.0, as published: see `vendor/README.md`).
"""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from browser.conftest import Opener
from browser.screens import screens
from fakes.stack import Stack

pytestmark = pytest.mark.browser
VENDOR = Path(__file__).parent / "vendor"
VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
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


def test_axe_is_as_published() -> None:
    """Nobody changed it here; its licence lies beside it."""
    source = (VENDOR / "axe.min.js").read_bytes()
    assert hashlib.sha256(source).hexdigest() == SHA256
    assert f"axe v{VERSION}".encode() in source[:100]
    assert "Mozilla Public License" in (VENDOR / "axe.LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_nothing_is_gravely_wrong_on_any_screen(
    visit: Opener, stack: Stack, locale: str, theme: str
) -> None:
    """Names, roles, labels, contrast: each tab and sheet, in both languages and themes."""
    page = visit(locale=locale, theme=theme).page
    page.add_style_tag(content="*, *::before, *::after { animation: none !important }")
    page.evaluate((VENDOR / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for screen in screens(page):
        if wrong := violations(page):
            found[screen] = wrong
    assert not found, "\n".join(f"{name}: {line}" for name in found for line in found[name])
