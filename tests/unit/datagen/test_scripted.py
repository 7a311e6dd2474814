"""Tests of the scripted teacher."""

from collections import Counter

import httpx2
import pytest

from contracts.style import Language, Style
from datagen.prompts import teacher_messages
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher, scripted_app


def body(style: Style, question: str, seed: int = 1) -> dict[str, object]:
    """Return a request for a reply in `style`."""
    messages = teacher_messages(f"Speak so: {style.system_prompt} Be brief.", [], question)
    return {"model": "scripted", "messages": messages, "seed": seed}


def test_reply_is_styled_and_on_topic(
    tsundere: Style, butler: Style, banks: dict[Language, Bank]
) -> None:
    """The style comes from the system message, the advice from the last question."""
    teacher = ScriptedTeacher(lambda: [tsundere, butler], banks)
    for style in (tsundere, butler):
        bank = banks[style.language]
        situation = bank.situations[100]
        reply = teacher.reply(body(style, bank.wordings(situation, "train")[5]))
        assert situation.is_answered_by(reply)
        assert any(opener in reply for opener in style.lexicon.openers)


def test_same_request_has_the_same_reply(tsundere: Style, banks: dict[Language, Bank]) -> None:
    """The seed in the request decides, so that a run can be repeated."""
    one = ScriptedTeacher(lambda: [tsundere], banks, 0.5)
    other = ScriptedTeacher(lambda: [tsundere], banks, 0.5)
    request = body(tsundere, "今天好累。")
    assert one.reply(request) == other.reply(request)
    replies = {one.reply(body(tsundere, "今天好累。", seed)) for seed in range(20)}
    assert len(replies) > 5


def test_unknown_situation_gets_the_fallback(tsundere: Style, banks: dict[Language, Bank]) -> None:
    """A question outside the bank is answered in style, with the general advice."""
    reply = ScriptedTeacher(lambda: [tsundere], banks).reply(body(tsundere, "今晚吃什么？"))
    assert banks["zh"].file.fallback in reply


def test_share_of_flawed_replies_is_the_setting(
    tsundere: Style, banks: dict[Language, Bank]
) -> None:
    """About one reply in five is wrong when asked so, none at 0."""
    faulty, good = (ScriptedTeacher(lambda: [tsundere], banks, rate) for rate in (0.2, 0.0))
    differ = Counter(
        faulty.reply(body(tsundere, "今天好累。", seed)).startswith(tuple(tsundere.lexicon.openers))
        for seed in range(400)
    )
    assert 40 < differ[False] < 130
    assert all(
        good.reply(body(tsundere, "今天好累。", seed)).startswith(tuple(tsundere.lexicon.openers))
        for seed in range(50)
    )


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"messages": 3}',
        b'{"messages": [1]}',
        b'{"messages": [{"role": "user", "content": "hi"}]}',
    ],
)
async def test_malformed_request_is_refused(
    tsundere: Style, banks: dict[Language, Bank], content: bytes
) -> None:
    """The app answers 400, as a real endpoint would."""
    app = scripted_app(ScriptedTeacher(lambda: [tsundere], banks))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
        response = await client.post("/v1/chat/completions", content=content)
    assert response.status_code == 400


async def test_app_answers_like_an_openai_endpoint(
    tsundere: Style, banks: dict[Language, Bank]
) -> None:
    """Choices, usage and the list of models have OpenAI's shape."""
    app = scripted_app(ScriptedTeacher(lambda: [tsundere], banks))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = (await client.post("/v1/chat/completions", json=body(tsundere, "好累"))).json()
        models = (await client.get("/v1/models")).json()
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["usage"]["completion_tokens"] > 0
    assert models["data"][0]["id"] == "scripted"
