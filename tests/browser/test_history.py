"""Conversations that are kept: found again, branched, voted on, taken along and brought back."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import WAIT_MILLISECONDS, Opener
from browser.test_chat import ask, whole_reply, within
from fakes.page_process import PageProcess
from fakes.stack import HELD, Stack, running_stack
from ui.examples import EXAMPLES
from ui.texts import texts_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
ZH = texts_in("zh")
QUESTION = EXAMPLES["zh"][2]
# Votes go out every two seconds; a busy machine may take its time.
SENT_SECONDS = 60.0


def rows(page: Page, role: str = "bot") -> list[str]:
    """Return what stands in the talk."""
    return page.locator(f"#chat-0 .message.{role}").all_inner_texts()


def press(page: Page, place: str, name: str) -> None:
    """Press a button of that name."""
    page.locator(place).get_by_role("button", name=name, exact=True).click()


def test_reload_in_mid_stream_shows_what_there_was(visit: Opener, stack: Stack) -> None:
    """Marked as cut off; asked again, the whole reply stands beside it."""
    stack.delay = HELD
    opened = visit()
    page = opened.page
    ask(opened, QUESTION)
    page.locator("#chat-0 .message.bot").wait_for()
    page.wait_for_timeout(1500)
    page.reload()
    expect(page.locator("#chat-0 .message.user")).to_have_text(QUESTION)
    expect(page.locator("#chat-below")).to_contain_text(ZH("chat.cut"))
    early = rows(page)[0]
    assert early
    stack.delay = 0.0
    page.locator("#chat-retry").click()
    expect(page.locator("#chat-0 .ts-fork")).to_contain_text("2/2")
    late = whole_reply(opened)
    assert late.startswith(early)
    assert len(late) > len(early)
    page.locator("#chat-0 .ts-fork").get_by_label(ZH("chat.fork_before")).click()
    expect(page.locator("#chat-0 .message.bot")).to_have_text(early)
    # Gradio's own script reports the stream that the reload ended.
    opened.errors.clear()


def test_edited_question_is_a_branch_that_can_be_left(visit: Opener, stack: Stack) -> None:
    """By the pencil; the picker stands at the question and goes back to the first one."""
    opened = visit()
    page = opened.page
    ask(opened, QUESTION)
    first = whole_reply(opened)
    page.locator("#chat-0 .message.user").hover()
    page.locator("#chat-0 .message-buttons-right button").nth(1).click()
    box = page.locator("#chat-0 textarea")
    box.fill(EXAMPLES["zh"][0])
    page.locator("#chat-0 .message-buttons-right button").first.click()
    expect(page.locator("#chat-0 .message.user")).to_have_text(EXAMPLES["zh"][0])
    expect(page.locator("#chat-0 .ts-fork")).to_contain_text("2/2")
    assert whole_reply(opened) != first
    page.locator("#chat-0 .ts-fork").get_by_label(ZH("chat.fork_before")).click()
    expect(page.locator("#chat-0 .message.user")).to_have_text(QUESTION)
    expect(page.locator("#chat-0 .message.bot")).to_have_text(first)
    page.reload()
    expect(page.locator("#chat-0 .message.bot")).to_have_text(first)
    expect(page.locator("#chat-0 .ts-fork")).to_contain_text("1/2")


def test_vote_and_correction_reach_datagen_and_stay(visit: Opener, stack: Stack) -> None:
    """Shown again after a reload, with what was written; a correction is no name and no address."""
    opened = visit()
    page = opened.page
    ask(opened, QUESTION)
    reply = whole_reply(opened)
    page.locator("#chat-0 .message-buttons-left button").nth(2).click()
    page.locator("#chat-correction textarea").fill("先抱抱你。")
    press(page, "#chat-correction", ZH("chat.keep"))
    expect(page.locator(".ts-corrected")).to_contain_text("先抱抱你。")
    assert within(SENT_SECONDS, lambda: any(vote.correction for vote in stack.votes))
    vote = stack.votes[-1]
    assert (vote.question, vote.reply, vote.value) == (QUESTION, reply, -1)
    assert (vote.style, vote.model) == ("tsundere", "tonesmith.v1")
    page.reload()
    expect(page.locator(".ts-corrected")).to_contain_text("先抱抱你。")
    expect(page.locator("#chat-0").get_by_label("Disliked")).to_be_visible()


def test_conversation_is_found_named_taken_along_and_brought_back(
    visit: Opener, stack: Stack, tmp_path: Path
) -> None:
    """The list, its search, a new title, the file, the question before it is deleted."""
    opened = visit()
    page = opened.page
    ask(opened, EXAMPLES["zh"][3])
    whole_reply(opened)
    page.locator("#chat-rename").click()
    page.locator("#chat-title textarea, #chat-title input").fill("海边的一天")
    press(page, "#chat-renaming", ZH("history.name_it"))
    expect(page.locator("#chat-heading")).to_have_text("海边的一天")
    page.locator("#chat-search textarea, #chat-search input").fill("海边的")
    expect(page.locator("#chat-list li")).to_have_count(1)
    with page.expect_download() as saved:
        page.locator("#chat-json").click()
    path = tmp_path / "talk.json"
    saved.value.save_as(path)
    assert json.loads(path.read_text("utf-8"))["title"] == "海边的一天"
    page.locator("#chat-delete").click()
    press(page, "#chat-deleting", ZH("history.delete_it"))
    expect(page.locator("#chat-0 .message")).to_have_count(0)
    expect(page.locator("#chat-list")).to_contain_text(ZH("history.none_found"))
    page.locator("#chat-history input[type=file]").set_input_files(path)
    expect(page.locator("#chat-0 .message.user")).to_have_text(EXAMPLES["zh"][3])
    expect(page.locator("#chat-list li")).to_have_count(1)


def test_restart_of_the_page_keeps_the_list(browser: Browser, tmp_path: Path) -> None:
    """Another browser of the same person finds it after the process has been another one."""
    with running_stack() as stack:
        settings = {"UI_STATE_DIR": str(tmp_path / "state")}
        server = PageProcess(tmp_path / "ui.log", stack.urls, **settings)
        try:
            server.ready()
            page = open_page(browser, server)
            page.locator("#chat-box textarea").fill(QUESTION)
            page.locator("#chat-send").click()
            expect(page.locator("#chat-list li")).to_have_count(1)
            expect(page.locator("#chat-stop")).to_be_hidden()
            page.context.close()
            server.terminate()
            server.ended(60)
            server.start()
            server.ready()
            page = open_page(browser, server)
            page.locator("#chat-list button").first.click()
            expect(page.locator("#chat-0 .message.bot")).not_to_be_empty()
            assert rows(page, "user") == [QUESTION]
            page.context.close()
        finally:
            server.close()


def open_page(browser: Browser, server: PageProcess) -> Page:
    """Open the page in a browser that knows nothing of it."""
    context = browser.new_context(locale="zh-CN")
    context.set_default_timeout(WAIT_MILLISECONDS)
    page = context.new_page()
    page.goto(server.url)
    page.locator(".ts-card").first.wait_for()
    return page
