"""Streaming replies, and letting go of them."""

import asyncio
import time
from contextlib import aclosing

import pytest
from prometheus_client import CollectorRegistry

from contracts.sample import Message
from fakes.stack import HELD, Stack
from ui.chat.answers import BEAT_SECONDS, GIVE_UP_SECONDS, Draft, stream_replies
from ui.upstream.backend import Backend
from ui.upstream.serving_calls import ChatRequest

QUESTION = (Message(role="user", content="我累得直不起腰。为什么呢？刚装修好的墙面裂了缝。"),)
# Promised: upstream stops within a second of a stop or of a lost connection, which is noticed at a
# beat. What is not noticed would go on for ever here, so that a busy machine may take its time.
STOP_SECONDS = 30.0


def request(model: str, session: str = "") -> ChatRequest:
    """Return a question to a model."""
    kind = "base" if model == "base" else "tuned"
    return ChatRequest(model, QUESTION, temperature=0.0, max_tokens=64, kind=kind, session=session)


async def replies(backend: Backend, *models: str) -> list[Draft]:
    """Return the drafts at their end."""
    asked = [request(model) for model in models]
    return [drafts async for drafts in stream_replies(backend, asked)][-1]


async def until(condition: object, seconds: float) -> float:
    """Wait until `condition()` holds; return how long it took, or fail."""
    started = time.monotonic()
    while not condition():  # type: ignore[operator]
        assert time.monotonic() - started < seconds
        await asyncio.sleep(0.01)
    return time.monotonic() - started


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """Return a metric's value."""
    return registry.get_sample_value(name, labels) or 0.0


async def test_reply_grows_until_it_is_whole(
    backend: Backend, stack: Stack, registry: CollectorRegistry
) -> None:
    """The reader sees the reply being written."""
    stack.delay = 0.01
    seen = [draft.text async for (draft,) in stream_replies(backend, [request("tonesmith")])]
    assert len(set(seen)) > 2
    assert all(later.startswith(sooner) for sooner, later in zip(seen, seen[1:], strict=False))
    assert count(registry, "ui_chat_requests_total", model="tuned", outcome="ok") == 1
    assert count(registry, "ui_chats_in_progress") == 0
    assert count(registry, "ui_time_to_first_token_seconds_count", model="tuned") == 1
    for direction, tokens in {"input": 1, "output": len(seen[-1])}.items():
        assert count(registry, "ui_tokens_total", model="tuned", direction=direction) == tokens


async def test_two_models_answer_side_by_side(backend: Backend, stack: Stack) -> None:
    """One question, two replies, at the same time."""
    base, tuned = await replies(backend, "base", "tonesmith")
    assert base.text != tuned.text
    assert not base.problem
    assert not tuned.problem
    assert {body["model"] for body in stack.asked} == {"base", "tonesmith"}


async def test_generation_stops_when_the_reader_stops(
    backend: Backend, stack: Stack, registry: CollectorRegistry
) -> None:
    """Closing the iterator ends the stream upstream at once."""
    stack.delay = HELD
    async with aclosing(stream_replies(backend, [request("tonesmith")])) as states:
        async for (draft,) in states:
            if draft.text:
                break
    await until(lambda: stack.abandoned == 1 and not stack.streaming, STOP_SECONDS)
    assert count(registry, "ui_chat_requests_total", model="tuned", outcome="cancelled") == 1


async def test_page_is_looked_at_while_a_model_is_silent(backend: Backend, stack: Stack) -> None:
    """Also without a single piece the caller gets its turn, and may close."""
    stack.silent = True
    assert BEAT_SECONDS < 1.0
    started = time.monotonic()
    async with aclosing(stream_replies(backend, [request("tonesmith")])) as states:
        assert (await anext(states))[0].text == ""
        assert (await anext(states))[0].text == ""
    assert time.monotonic() - started < STOP_SECONDS
    await until(lambda: stack.abandoned == 1, STOP_SECONDS)


async def test_problem_is_told_quickly_when_serving_is_gone(
    backend: Backend, stack: Stack, registry: CollectorRegistry
) -> None:
    """A refused connection is no reason to wait."""
    gone = backend.settings.model_copy(update={"serving_url": "http://127.0.0.1:9"})
    lost = Backend(gone, backend.metrics)
    started = time.monotonic()
    (draft,) = await replies(lost, "tonesmith")
    await lost.close()
    assert time.monotonic() - started < GIVE_UP_SECONDS
    assert draft.problem is not None
    assert draft.problem.kind == "connect"
    labels = {"upstream": "serving", "kind": "connect"}
    assert count(registry, "ui_upstream_errors_total", **labels) == 1


async def test_silence_is_noticed_and_given_up(
    backend: Backend, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that takes connections and never answers: told early, given up late."""
    monkeypatch.setattr("ui.chat.answers.PROBE_SECONDS", 0.1)
    monkeypatch.setattr("ui.chat.answers.GIVE_UP_SECONDS", 0.3)
    stack.hang = True
    seen = [
        (draft.silent, draft.problem and draft.problem.kind)
        async for (draft,) in stream_replies(backend, [request("tonesmith")])
    ]
    assert (True, None) in seen
    assert seen[-1][1] == "timeout"


async def test_slow_model_is_waited_for_when_serving_is_healthy(
    backend: Backend, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Busy is not gone: the probe answers, so the wait goes on."""
    monkeypatch.setattr("ui.chat.answers.PATIENCE_SECONDS", 0.02)
    stack.silent = True
    async with aclosing(stream_replies(backend, [request("tonesmith")])) as states:
        await anext(states)
        (draft,) = await anext(states)
    assert draft.problem is None


async def test_other_reply_goes_on_when_one_fails(backend: Backend, stack: Stack) -> None:
    """A broken reply carries its problem, and what was said so far."""
    stack.break_off = 3
    base, tuned = await replies(backend, "base", "tonesmith")
    assert base.problem is not None
    assert base.problem.kind == "stream_broken"
    assert base.text
    assert tuned.finished


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "http_4xx"), (404, "http_4xx"), (429, "busy"), (500, "http_5xx")]
)
async def test_refusal_is_told_by_its_kind(
    backend: Backend, stack: Stack, status: int, kind: str
) -> None:
    """The gate's own sentence comes along."""
    stack.refuse = (status, "not now")
    (draft,) = await replies(backend, "tonesmith")
    assert draft.problem is not None
    assert (draft.problem.kind, draft.problem.detail) == (kind, "not now")


@pytest.mark.parametrize(("here", "disconnects"), [(True, 0), (False, 1)])
async def test_reader_who_is_gone_is_told_from_one_who_stops(
    backend: Backend,
    stack: Stack,
    registry: CollectorRegistry,
    monkeypatch: pytest.MonkeyPatch,
    here: bool,
    disconnects: int,
) -> None:
    """Both end the reply; a page that is still open has pressed the button."""
    monkeypatch.setattr("ui.chat.answers.GONE_SECONDS", 0.01)
    stack.delay = HELD
    backend.visitors.come("page-1")
    async with aclosing(stream_replies(backend, [request("tonesmith", "page-1")])) as states:
        async for (draft,) in states:
            if draft.text:
                break
    if not here:
        backend.visitors.go("page-1")  # its connections end in any order
    await asyncio.sleep(0.05)
    assert count(registry, "ui_client_disconnects_total", model="tuned") == disconnects
    assert count(registry, "ui_chat_requests_total", model="tuned", outcome="cancelled") == 1


async def test_lent_gpu_is_no_error(
    backend: Backend, stack: Stack, registry: CollectorRegistry
) -> None:
    """It is counted as what it is, and its quick refusal is no quick reply."""
    stack.state, stack.holder = "lent", "r-1"
    await replies(backend, "tonesmith")
    outcomes = {"unavailable": 1, "error": 0}
    for outcome, expected in outcomes.items():
        found = count(registry, "ui_chat_requests_total", model="tuned", outcome=outcome)
        assert found == expected
    assert count(registry, "ui_chat_duration_seconds_count", model="tuned") == 0
