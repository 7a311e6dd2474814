"""What each column shows when somebody asks, asks again, stops or clears."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr
import pytest

from fakes.clock import FakeClock
from fakes.stack import HELD, Stack
from ui.chat.answers import GIVE_UP_SECONDS, PATIENCE_SECONDS, PROBE_SECONDS
from ui.chat.panel import NONE, Panel, Preference
from ui.chat.talk import Talk
from ui.chat.turns import OTHERS, Turns
from ui.drain import Drain
from ui.texts import texts_in

Make = Callable[[int], Turns]
# The style, the models, the reader's own system prompt, how is drawn; then the language.
SAMPLING: list[Any] = ["", 0.4, 1, 64, None, "zh"]
CONTROLS: list[Any] = ["tsundere", "tonesmith", *SAMPLING]
PICKERS: list[tuple[str, Preference]] = [
    ("compare.left", "base"),
    ("compare.right", "tuned"),
    ("compare.third", "none"),
]


@pytest.fixture
async def turns(talk: Talk) -> Make:
    """Makes the events of so many columns."""

    def made(columns: int) -> Turns:
        with gr.Blocks(analytics_enabled=False):
            return Turns(talk, columns, Panel("x", PICKERS[:columns], 256).setup)

    return made


async def until_told(seen: AsyncIterator[list[Any]]) -> AsyncIterator[list[Any]]:
    """Yield the states up to the first that explains something."""
    async for state in seen:
        yield state
        if isinstance(state[1], str) and state[1]:
            return


async def states(events: Any) -> list[list[Any]]:
    """Return all that an event yields."""
    return [state async for state in events]


async def test_question_shows_at_once_and_the_box_empties(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """The first state holds the question, an empty box, and the stop button."""
    first, *_, end = await states(turns(1).ask("你好", [], *CONTROLS))
    assert first[0] == [{"role": "user", "content": "你好"}]
    assert first[5] == ""
    assert first[-1]["visible"] is True
    assert end[-1]["visible"] is False
    assert end[-2]["visible"] is True


async def test_every_state_fits_the_outputs(talk: Talk, turns: Make, stack: Stack) -> None:
    """Two columns: two values and the others, in every event."""
    two = turns(2)
    controls = ["tsundere", "base", "tonesmith", *SAMPLING]
    seen = await states(two.ask("你好", [], [], *controls))
    seen += await states(two.ask("  ", [], [], *controls))
    seen += await states(two.again([], [], *controls))
    seen += [two.stopped(), two.cleared()]
    assert {len(state) for state in seen} == {2 + OTHERS}


async def test_both_columns_answer_when_two_models_are_asked(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """Each column ends with the reply of its own model."""
    seen = await states(turns(2).ask("你好", [], [], "tsundere", "base", "tonesmith", *SAMPLING))
    left, right = seen[-2][:2]
    assert left[0] == right[0] == {"role": "user", "content": "你好"}
    assert left[1]["content"] != right[1]["content"]


async def test_last_answer_is_replaced_when_asked_again(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """The question stays, its answer is made anew, what came before goes along."""
    told = [
        {"role": "user", "content": "一"},
        {"role": "assistant", "content": "甲"},
        {"role": "user", "content": "二"},
        {"role": "assistant", "content": "乙"},
    ]
    seen = await states(turns(1).again(told, *CONTROLS))
    rows = seen[-2][0]
    assert [row["content"] for row in rows[:3]] == ["一", "甲", "二"]
    assert rows[3]["content"] != "乙"
    sent = [message["content"] for message in stack.asked[0]["messages"][1:]]
    assert sent == ["一", "甲", "二"]


async def test_failure_is_explained_and_the_question_stays(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """The end of a failed turn holds the explanation, and nothing technical."""
    stack.refuse = (500, "engine died")
    first, *_, end = await states(turns(1).ask("你好", [], *CONTROLS))
    assert first[0][0]["content"] == "你好"
    assert "engine died" in end[1]
    assert "Traceback" not in end[1]
    assert end[2].kind == "http_5xx"


async def test_no_model_is_explained(talk: Talk, turns: Make, stack: Stack) -> None:
    """A page without any model still answers in words."""
    stack.state = "starting"
    stack.trainer_up = False
    end = (await states(turns(1).ask("你好", [], *CONTROLS)))[-1]
    assert end[1].startswith('<div class="ts-problem"')


async def test_silence_is_told_within_two_seconds(talk: Talk, turns: Make, stack: Stack) -> None:
    """A serving that hangs is noticed, with the real time limits, and still waited for."""
    await talk.source.catalog()
    stack.hang = True
    one = turns(1)
    started = time.monotonic()
    async with aclosing(one.ask("你好", [], *CONTROLS)) as seen:
        told = [state[1] async for state in until_told(seen)][-1]
    # Half a second of the promised two is left for the words; a busy machine may take its time.
    assert PATIENCE_SECONDS + PROBE_SECONDS <= 1.5
    assert time.monotonic() - started < GIVE_UP_SECONDS
    assert texts_in("zh")("problem.silent") in told


async def test_loading_model_is_told_from_a_dead_one(talk: Talk, turns: Make, stack: Stack) -> None:
    """While the launcher says that it starts, the reader is asked to wait."""
    await talk.source.catalog()
    stack.state = "starting"
    end = (await states(turns(1).ask("你好", [], *CONTROLS)))[-1]
    assert texts_in("zh")("problem.starting") in end[1]


async def test_message_stays_in_the_box_when_the_page_ends(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """One state only: it explains, and leaves all else alone."""
    talk.drain = Drain(0, (clock := FakeClock()), clock.sleep)
    await talk.drain.finish()
    (end,) = await states(turns(1).ask("你好", [], *CONTROLS))
    assert texts_in("zh")("problem.leaving") in end[1]
    assert end[2].kind == "leaving"
    assert [end[0], *end[3:]] == [{"__type__": "update"}] * 6
    assert not stack.asked


async def test_reply_that_is_cut_keeps_what_was_said(talk: Talk, turns: Make, stack: Stack) -> None:
    """At the bound the reader is told, and the generation upstream stops."""
    clock = FakeClock()
    talk.drain = Drain(5, clock, clock.sleep)
    stack.delay = HELD
    async with aclosing(turns(1).ask("你好", [], *CONTROLS)) as seen:
        async for state in seen:
            if isinstance(state[0], list) and len(state[0]) == 2:
                break
        await talk.drain.finish()
        *_, end = [state async for state in seen]
    assert texts_in("zh")("problem.cut_off") in end[1]
    assert end[0] == {"__type__": "update"}
    assert talk.drain.running == 0


async def test_lent_gpu_is_told_to_who_writes_meanwhile(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """The question stays, and so does the way to ask it again."""
    stack.state, stack.holder = "lent", "r-1"
    first, *_, end = await states(turns(1).ask("你好", [], *CONTROLS))
    assert first[0][0]["content"] == "你好"
    assert texts_in("zh")("notice.lent", holder="r-1") in end[1]
    assert end[2].kind == "training"


async def test_third_column_is_asked_only_if_a_model_is_chosen_for_it(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """An optional picker that is left alone costs serving nothing."""
    columns = [[], [], []]
    two = await states(
        turns(3).ask("你好", *columns, "tsundere", "base", "tonesmith", NONE, *SAMPLING)
    )
    assert (len(stack.asked), two[-2][2]) == (2, [])
    three = await states(
        turns(3).ask("你好", *columns, "tsundere", "base", "tonesmith", "tonesmith.v1", *SAMPLING)
    )
    assert len(stack.asked) == 5
    assert three[-2][2][1]["content"]


async def test_help_is_shown_beside_a_message_that_speaks_of_self_harm(
    talk: Talk, turns: Make, stack: Stack
) -> None:
    """At once, and the models answer as ever; it goes when the next message is free of it."""
    first, *_, end = await states(turns(1).ask("我不想活了", [], *CONTROLS))
    assert "ts-handoff" in first[3]
    assert end[1] == ""
    calm, *_ = await states(turns(1).ask("今天天气真好", [], *CONTROLS))
    assert calm[3] == ""
