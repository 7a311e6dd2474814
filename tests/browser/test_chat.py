"""The page as a person uses it."""

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.conftest import Opener, Visit
from contracts.job import Progress
from fakes.page_stack_chat import reply_to
from fakes.stack import HELD, Stack
from ui.chat.answers import GIVE_UP_SECONDS
from ui.examples import EXAMPLES
from ui.texts import texts_in

pytestmark = [
    pytest.mark.browser,
    # Gradio's queue sums up its own statistics with options that pandas gives up.
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
ZH, EN = texts_in("zh"), texts_in("en")
# One second is promised, and held in tests/unit/ui/test_answers.py. Here a reply that nobody stops
# goes on for ever, so a busy machine may take its time; a silence is given up only after as long.
STOP_SECONDS = GIVE_UP_SECONDS
QUESTION = EXAMPLES["zh"][2]


def ask(visit: Visit, text: str, tab: str = "chat") -> None:
    """Type a question and send it."""
    visit.page.locator(f"#{tab}-box textarea").fill(text)
    visit.page.locator(f"#{tab}-send").click()


def choose_style(visit: Visit, name: str) -> None:
    """Choose a style by its name."""
    visit.page.locator(".ts-styles label:visible", has_text=name).click()
    expect(visit.page.locator(".ts-card h3:visible")).to_have_text(name)


def whole_reply(visit: Visit, column: str = "chat-0", tab: str = "chat") -> str:
    """Return the last reply, once it is whole."""
    visit.page.locator(f"#{column} .message.bot").last.wait_for()
    expect(visit.page.locator(f"#{tab}-stop")).to_be_hidden()
    expect(visit.page.locator(f"#{tab}-send")).to_be_visible()
    return visit.messages(column)[-1]


def within(seconds: float, condition: Any) -> bool:
    """Return whether `condition()` comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_styled_reply_is_streamed(visit: Opener, stack: Stack) -> None:
    """A question is typed, the reply grows before the reader's eyes, in the chosen style."""
    stack.delay = HELD
    opened = visit()
    choose_style(opened, "温柔")
    ask(opened, QUESTION)
    expect(opened.page.locator("#chat-stop")).to_be_visible()
    reply = opened.page.locator("#chat-0 .message.bot")
    reply.wait_for()
    early = reply.inner_text()
    stack.delay = 0.0
    late = whole_reply(opened)
    assert len(early) < len(late)
    gentle = next(entry.style for entry in stack.styles if entry.style.id == "gentle")
    assert any(late.startswith(opener) for opener in gentle.lexicon.openers)
    assert stack.asked[0]["messages"][0]["content"] == gentle.system_prompt
    assert opened.messages(role="user") == [QUESTION]


def test_stop_ends_the_generation(visit: Opener, stack: Stack) -> None:
    """The upstream is let go at once; what was said stays; the next question works."""
    stack.delay = HELD
    opened = visit()
    ask(opened, QUESTION)
    opened.page.locator("#chat-0 .message.bot").wait_for()
    opened.page.locator("#chat-stop").click()
    assert within(STOP_SECONDS, lambda: stack.abandoned == 1 and not stack.streaming)
    expect(opened.page.locator("#chat-send")).to_be_visible()
    assert opened.messages()[-1]
    stack.delay = 0.0
    ask(opened, EXAMPLES["zh"][0])
    expect(opened.page.locator("#chat-0 .message.user")).to_have_count(2)
    assert whole_reply(opened)


def test_generation_ends_when_the_page_is_closed(visit: Opener, stack: Stack) -> None:
    """Nobody listens, so nobody talks."""
    stack.delay = HELD
    opened = visit()
    ask(opened, QUESTION)
    opened.page.locator("#chat-0 .message.bot").wait_for()
    opened.page.close()
    assert within(STOP_SECONDS, lambda: stack.abandoned == 1 and not stack.streaming)


def test_language_changes_and_the_chat_stays(visit: Opener, stack: Stack) -> None:
    """Words change, what was said and what is being written do not; the choice is remembered."""
    opened = visit()
    page = opened.page
    ask(opened, QUESTION)
    reply = whole_reply(opened)
    page.locator("#chat-box textarea").fill("还没写完")
    page.locator("#ts-language label", has_text="English").click()
    expect(page.locator("#chat-send")).to_have_text(EN("chat.send"))
    expect(page.locator(".ts-card h3:visible")).to_have_text("Tsundere")
    expect(page.get_by_role("tab", name=EN("tab.compare"))).to_be_visible()
    assert opened.messages() == [reply]
    assert page.locator("#chat-box textarea").input_value() == "还没写完"
    assert page.evaluate("document.documentElement.lang") == "en"
    page.reload()
    expect(page.locator("#chat-send")).to_have_text(EN("chat.send"))


def test_reply_goes_on_while_the_page_changes(visit: Opener, stack: Stack) -> None:
    """A change of language and a promotion in the middle of a reply lose nothing of it."""
    stack.promoted = False
    stack.delay = HELD
    opened = visit()
    ask(opened, QUESTION)
    opened.page.locator("#chat-0 .message.bot").wait_for()
    opened.page.locator("#ts-language label", has_text="English").click()
    expect(opened.page.locator("#chat-stop")).to_have_text(EN("chat.stop"))
    stack.promoted = True
    expect(opened.page.locator(".ts-notice")).to_have_count(0)
    assert opened.page.locator("#chat-stop").is_visible()
    stack.delay = 0.0
    assert whole_reply(opened) == reply_to(stack, stack.asked[0])


def test_page_opens_in_the_browsers_language(visit: Opener, stack: Stack) -> None:
    """A reader of English finds English."""
    expect(visit(locale="en-GB").page.locator("#chat-send")).to_have_text(EN("chat.send"))
    expect(visit(locale="zh-TW").page.locator("#chat-send")).to_have_text(ZH("chat.send"))


def test_help_is_offered_beside_a_reply(visit: Opener, stack: Stack) -> None:
    """Where a message speaks of self-harm; the reply is there as well."""
    opened = visit()
    ask(opened, "我不想活了")
    expect(opened.page.locator("#chat-handoff .ts-handoff")).to_be_visible()
    assert whole_reply(opened)
    opened.page.reload()
    expect(opened.page.locator("#chat-handoff .ts-handoff")).to_be_visible()
    ask(opened, "今天天气真好")
    expect(opened.page.locator("#chat-handoff .ts-handoff")).to_have_count(0)


def test_answer_is_made_again_and_another_chat_begins(visit: Opener, stack: Stack) -> None:
    """`Answer again` shows another reply, a new conversation starts over with the examples."""
    opened = visit()
    page = opened.page
    page.locator("#chat-examples button").nth(1).click()
    whole_reply(opened)
    choose_style(opened, "毒舌")
    stack.delay = 0.2
    page.locator("#chat-retry").click()
    expect(page.locator("#chat-stop")).to_be_visible()
    whole_reply(opened)
    assert len(stack.asked) == 2
    assert opened.messages(role="user") == [EXAMPLES["zh"][1]]
    expect(page.locator("#chat-0 .message.bot")).to_have_count(1)
    page.locator("#chat-new").click()
    expect(page.locator("#chat-0 .message")).to_have_count(0)
    expect(page.locator("#chat-examples")).to_be_visible()


def test_first_visitor_learns_what_to_do(visit: Opener, stack: Stack) -> None:
    """Before the first promotion the page shows commands; afterwards it updates itself."""
    stack.promoted = False
    opened = visit()
    expect(opened.page.locator(".ts-commands code").first).to_have_text("tonesmith generate")
    ask(opened, QUESTION)
    whole_reply(opened)
    stack.promoted = True
    expect(opened.page.locator(".ts-notice")).to_have_count(0)


def test_silence_is_told_within_two_seconds(visit: Opener, stack: Stack) -> None:
    """A serving that hangs is noticed; the reader may stop, and ask again when it is back."""
    opened = visit()
    stack.hang = True
    started = time.monotonic()
    ask(opened, QUESTION)
    explanation = opened.page.locator("#chat-problem .ts-problem")
    expect(explanation).to_contain_text(ZH("problem.silent"))
    # Two seconds are promised, and held in tests/unit/ui/test_turns.py; the rest as above.
    assert time.monotonic() - started < STOP_SECONDS
    opened.page.locator("#chat-stop").click()
    expect(opened.page.locator("#chat-stop")).to_be_hidden()
    stack.hang = False
    opened.page.locator("#chat-retry").click()
    expect(opened.page.locator("#chat-0 .message.bot")).to_have_count(1)
    assert whole_reply(opened)
    expect(explanation).to_have_count(0)


def test_failure_is_explained_and_may_be_tried_again(visit: Opener, stack: Stack) -> None:
    """The reader is told in words what went wrong; the question stays."""
    opened = visit()
    stack.refuse = (500, "engine died")
    ask(opened, QUESTION)
    explanation = opened.page.locator("#chat-problem .ts-problem")
    expect(explanation).to_contain_text(ZH("problem.http_5xx"))
    assert "Traceback" not in explanation.inner_text()
    stack.refuse = None
    opened.page.locator("#chat-retry").click()
    assert whole_reply(opened)
    assert opened.messages(role="user") == [QUESTION]
    expect(explanation).to_have_count(0)


def test_training_run_is_waited_for(visit: Opener, stack: Stack) -> None:
    """The notice comes and goes by itself; who writes meanwhile is told, and asks again after."""
    opened = visit(locale="en-GB")
    stack.state, stack.holder = "lent", "r-20261122-abc123"
    stack.progress = Progress(stage="train", done=120, total=400)
    lent = EN("notice.lent", holder=stack.holder)
    notice, explanation = opened.page.locator(".ts-notice"), opened.page.locator("#chat-problem")
    expect(notice).to_contain_text(lent)
    expect(notice).to_contain_text(
        EN("notice.lent_progress", stage="Training", done=120, total=400)
    )
    ask(opened, QUESTION)
    expect(explanation).to_contain_text(lent)
    expect(opened.page.locator("#chat-send")).to_be_visible()
    stack.state, stack.holder = "ready", ""
    expect(notice).to_have_count(0)
    expect(explanation).to_contain_text(EN("problem.over"))
    opened.page.locator("#chat-retry").click()
    assert whole_reply(opened)
    assert opened.messages(role="user") == [QUESTION]


@pytest.mark.parametrize("tab", ["chat", "compare"])
def test_page_fits_a_phone(visit: Opener, stack: Stack, tab: str) -> None:
    """At 390 pixels nothing has to be scrolled sideways, and the box can be reached."""
    opened = visit(width=390, height=844)
    if tab == "compare":
        opened.page.get_by_role("tab", name=ZH("tab.compare")).click()
    ask(opened, QUESTION, tab)
    opened.page.locator(f"#{tab}-0 .message.bot").wait_for()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
    box = opened.page.locator(f"#{tab}-box textarea").bounding_box()
    assert box is not None
    assert box["width"] > 200


def test_reply_cannot_reach_out_of_the_page(
    visit: Opener, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Markup in a reply runs nothing and loads nothing."""
    evil = "<img src=x onerror=document.title='owned'> ![](https://example.com/x.png) 好"
    monkeypatch.setattr("fakes.page_stack_chat.reply_to", lambda *_: evil)
    opened = visit()
    ask(opened, QUESTION)
    whole_reply(opened)
    assert opened.page.title() == "Tonesmith"
    answered = opened.page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.name.includes('example.com')"
        " && e.transferSize > 0).length"
    )
    assert answered == 0
    # The browser reports what the policy stopped: that is the point here.
    opened.errors.clear()
    opened.outside.clear()
