"""Tests of asking a served model."""

from typing import Any

import httpx
import pytest

from contracts.sample import Message
from datagen.chat import ATTEMPTS, Answer, ChatClient, PromptTooLongError, Sampling, is_seconds
from fakes.openai_server import Fault, OpenAIServer
from kit.errors import InvalidInputError, UnauthorizedError, UnavailableError

QUESTION = [Message(role="system", content="Be kind."), Message(role="user", content="Hello?")]


async def ask(
    server: httpx.AsyncBaseTransport | OpenAIServer,
    sampling: Sampling | None = None,
    **headers: str,
) -> Answer:
    """Ask the model `tuned` of `server`."""
    transport = server.transport if isinstance(server, OpenAIServer) else server
    async with httpx.AsyncClient(
        transport=transport, base_url="http://serving", headers=headers
    ) as http:
        return await ChatClient(http, first_wait=0.0).ask("tuned", QUESTION, sampling or Sampling())


def hello(_: object) -> str:
    """Answer the same to everything."""
    return "Good day."


async def test_question_is_sent_as_the_dataset_words_it() -> None:
    """The whole conversation goes out, greedy, without a seed that would do nothing."""
    server = OpenAIServer({"tuned": hello})
    assert await ask(server) == Answer("Good day.", "stop")
    assert server.requests == [
        {
            "model": "tuned",
            "messages": [message.model_dump() for message in QUESTION],
            "max_tokens": 96,
            "temperature": 0.0,
        }
    ]


async def test_script_is_gone_on_with_to_the_end_of_its_line() -> None:
    """Outside a chat: the text itself goes out, and a line end stops the reply."""
    server = OpenAIServer({"base": hello})
    async with httpx.AsyncClient(transport=server.transport, base_url="http://x") as http:
        answer = await ChatClient(http).write_on("base", "Somebody asks.\n", Sampling())
    assert answer == Answer("Good day.", "stop")
    assert (server.requests[0]["prompt"], server.requests[0]["stop"]) == (
        "Somebody asks.\n",
        ["\n"],
    )


async def test_half_an_emoji_is_an_answer_that_a_file_can_hold() -> None:
    """JSON may spell half of a surrogate pair; the reply is broken, the evaluation goes on."""
    answer = await ask(OpenAIServer({"tuned": lambda _: "\ud83d hi"}))
    assert answer.text.encode().decode().endswith(" hi")
    assert "\ufffd" in answer.text


async def test_answer_of_parts_is_no_chat_completion() -> None:
    """A list of parts is no text; the error says which address to look at."""
    parts: Any = [{"type": "text", "text": "hi"}]
    with pytest.raises(UnavailableError) as found:
        await ask(OpenAIServer({"tuned": lambda _: parts}))
    assert found.value.body.hint == "check SERVING_URL"


async def test_prompt_over_the_context_is_an_error_of_its_own() -> None:
    """So that a caller can make it shorter; it is no other refusal."""
    with pytest.raises(PromptTooLongError, match="context length"):
        await ask(OpenAIServer({"tuned": hello}, context=3))
    with pytest.raises(InvalidInputError) as other:
        await ask(OpenAIServer({"tuned": hello}, faults=[Fault(400, body=b"bad seed")]))
    assert not isinstance(other.value, PromptTooLongError)


async def test_seed_is_sent_when_replies_are_drawn() -> None:
    """At a temperature the seed makes the reply repeatable."""
    server = OpenAIServer({"tuned": hello})
    await ask(server, Sampling(temperature=0.7, seed=3))
    assert server.requests[0]["seed"] == 3


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_busy_server_is_asked_again(status: int) -> None:
    """Retry-After is followed, then the answer counts."""
    server = OpenAIServer({"tuned": hello}, faults=[Fault(status, {"retry-after": "0.01"})] * 3)
    assert (await ask(server)).text == "Good day."


async def test_retry_after_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own figure decides, up to half a minute; a date is no figure."""
    waited: list[float] = []

    async def record(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("datagen.chat.asyncio.sleep", record)
    after = ["7", "900", "Wed, 21 Oct 2026 07:28:00 GMT"]
    server = OpenAIServer(
        {"tuned": hello}, faults=[Fault(503, {"retry-after": value}) for value in after]
    )
    await ask(server)
    assert [seconds for seconds in waited if seconds] == [7.0, 30.0]


async def test_silent_server_is_given_up_with_a_way_out() -> None:
    """After the last try the error says that the evaluation can be resumed."""
    tries = 0

    def refuse(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        raise httpx.ConnectError("refused")

    with pytest.raises(UnavailableError, match="ConnectError") as caught:
        await ask(httpx.MockTransport(refuse))
    assert tries == ATTEMPTS
    assert "resume" in str(caught.value.body.hint)


async def test_unknown_model_is_named() -> None:
    """A misspelt model fails at once, with its name and where to look."""
    with pytest.raises(InvalidInputError, match="no model 'tuned'") as caught:
        await ask(OpenAIServer({"base": hello}))
    assert "/v1/models" in str(caught.value.body.hint)


async def test_refused_request_says_why() -> None:
    """The server's own words are handed on, cut to a sane length."""
    body = b'{"error": {"message": "maximum context length ' + b"x" * 999 + b'"}}'
    with pytest.raises(InvalidInputError, match="HTTP 400.*maximum context length") as caught:
        await ask(OpenAIServer({"tuned": hello}, faults=[Fault(400, body=body)]))
    assert len(str(caught.value)) < 420


async def test_api_key_is_sent_and_its_lack_is_said() -> None:
    """The key opens the server; without it the error is not mistaken for an outage."""
    server = OpenAIServer({"tuned": hello}, api_key="k")
    assert (await ask(server, authorization="Bearer k")).text == "Good day."
    with pytest.raises(UnauthorizedError):
        await ask(server)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"choices": []}', b"<html>"])
async def test_answer_that_is_none_is_an_error(body: bytes) -> None:
    """A proxy's page or an empty list is not taken for a reply."""
    with pytest.raises(UnavailableError, match="no chat completion"):
        await ask(OpenAIServer({}, faults=[Fault(200, body=body)]))


async def test_null_content_is_an_empty_reply() -> None:
    """A model that only thinks has said nothing."""
    body = b'{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}'
    assert await ask(OpenAIServer({}, faults=[Fault(200, body=body)])) == Answer("", "length")


def test_retry_after_may_be_a_date() -> None:
    """Only figures are figures."""
    assert is_seconds("3")
    assert is_seconds("0.5")
    assert not is_seconds("soon")
    assert not is_seconds(None)
