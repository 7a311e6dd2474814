"""Reading a streamed chat completion."""

from collections.abc import AsyncIterator

import pytest

from ui.errors import ProblemError
from ui.upstream.stream import Usage, error_code, error_message, text_pieces


async def lines(*given: str) -> AsyncIterator[str]:
    """Yield the lines of a response."""
    for line in given:
        yield line


async def pieces(*given: str) -> list[str]:
    """Return the pieces of text in the lines."""
    return [piece async for piece in text_pieces(lines(*given))]


def event(text: str) -> str:
    """Return a line that adds `text`."""
    return f'data: {{"choices": [{{"delta": {{"content": "{text}"}}}}]}}'


async def test_pieces_come_in_order_until_done() -> None:
    """The text is put together from the events; what follows `[DONE]` is not read."""
    assert await pieces(event("哼"), "", event("！"), "data: [DONE]", event("x")) == ["哼", "！"]


async def test_events_without_text_are_skipped() -> None:
    """Roles, usage, comments and empty deltas add nothing."""
    quiet = [
        ": keep-alive",
        "event: message",
        'data: {"choices": [{"delta": {"role": "assistant"}}]}',
        'data: {"choices": [{"delta": {"content": null}, "finish_reason": "stop"}]}',
        'data: {"choices": [], "usage": {"total_tokens": 3}}',
    ]
    assert await pieces(*quiet, event("a"), "data:[DONE]") == ["a"]


async def test_stream_is_broken_when_it_ends_without_done() -> None:
    """A reply that stops halfway is not taken for a whole one."""
    with pytest.raises(ProblemError) as caught:
        await pieces(event("a"))
    assert caught.value.kind == "stream_broken"


@pytest.mark.parametrize("data", ["data: {", "data: 3", "data: <html>"])
async def test_stream_is_broken_when_an_event_is_no_object(data: str) -> None:
    """Something that is no completion is refused."""
    with pytest.raises(ProblemError) as caught:
        await pieces(data, "data: [DONE]")
    assert caught.value.kind == "stream_broken"


async def test_error_event_is_raised_with_its_sentence() -> None:
    """An error in the middle of a stream reaches the reader."""
    with pytest.raises(ProblemError) as caught:
        await pieces(event("a"), 'data: {"error": {"message": "out of memory"}}')
    assert (caught.value.kind, caught.value.detail) == ("http_5xx", "out of memory")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"error": {"message": "x" * 999}}, "x" * 300),
        ({"detail": "no"}, ""),
        ([], ""),
        ({"error": {"message": 3}}, ""),
    ],
)
def test_error_message_is_found_in_known_shapes(body: object, message: str) -> None:
    """Ours and OpenAI's error bodies are read, and cut; others say nothing."""
    assert error_message(body) == message


@pytest.mark.parametrize(
    ("body", "code"),
    [({"error": {"code": "training"}}, "training"), ({"error": {"code": 503}}, ""), ("no", "")],
)
def test_error_code_is_found_in_known_shapes(body: object, code: str) -> None:
    """The code for programs is read where it is a word."""
    assert error_code(body) == code


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ('{"prompt_tokens": 7, "completion_tokens": 3}', [Usage(7, 3)]),
        ('{"prompt_tokens": "many", "completion_tokens": -1}', [Usage(0, 0)]),
        ('{"total_tokens": 3}', [Usage(0, 0)]),
        ("null", []),
        ("3", []),
    ],
)
async def test_tokens_are_told_as_serving_counted_them(usage: str, told: list[Usage]) -> None:
    """Once, near the end; nonsense counts as nothing."""
    seen: list[Usage] = []
    given = lines(event("a"), f'data: {{"choices": [], "usage": {usage}}}', "data: [DONE]")
    assert [piece async for piece in text_pieces(given, seen.append)] == ["a"]
    assert seen == told
