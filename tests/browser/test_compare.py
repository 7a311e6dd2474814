"""The same question to several models side by side."""

import pytest
from playwright.sync_api import expect

from browser.conftest import Opener
from browser.test_chat import QUESTION, ZH, ask, whole_reply
from fakes.stack import Stack
from ui.examples import EXAMPLES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


def test_two_models_answer_side_by_side(visit: Opener, stack: Stack) -> None:
    """One question, two columns: plain on the left, styled on the right."""
    opened = visit()
    opened.page.get_by_role("tab", name=ZH("tab.compare")).click()
    ask(opened, QUESTION, "compare")
    opened.page.locator("#compare-1 .message.bot").wait_for()
    base = whole_reply(opened, "compare-0", "compare")
    tuned = whole_reply(opened, "compare-1", "compare")
    assert base != tuned
    assert {body["model"] for body in stack.asked} == {"base", "tonesmith"}
    left = opened.page.locator("#compare-0").bounding_box()
    right = opened.page.locator("#compare-1").bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] == right["y"]


def test_third_model_is_compared_and_gone_on_with(visit: Opener, stack: Stack) -> None:
    """It is optional; a column becomes a kept conversation with its own model."""
    opened = visit()
    page = opened.page
    page.get_by_role("tab", name=ZH("tab.compare")).click()
    expect(page.locator("#compare-2")).to_be_hidden()
    page.get_by_label(ZH("compare.third")).click()
    page.get_by_role("option", name="tonesmith.v1", exact=True).click()
    expect(page.locator("#compare-2")).to_be_visible()
    ask(opened, QUESTION, "compare")
    whole_reply(opened, "compare-2", "compare")
    assert len(stack.asked) == 3
    plain = whole_reply(opened, "compare-0", "compare")
    page.locator("#compare-0-onward").click()
    expect(page.locator("#chat-0 .message.bot")).to_have_text(plain)
    expect(page.locator("#chat-list [aria-current]")).to_contain_text(QUESTION[:8])
    ask(opened, EXAMPLES["zh"][0])
    expect(page.locator("#chat-0 .message.bot")).to_have_count(2)
    assert stack.asked[-1]["model"] == "base"
