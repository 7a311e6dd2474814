"""What a request body may hold: the corpus of what must never reach vLLM."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.engine.bodies import BODIES, parse_body
from serving.engine.refusal import Refusal

CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "hi"}
# Fields of vLLM that render, execute, read, leak or multiply; and what clients like to send.
FOREIGN = """
    chat_template chat_template_kwargs add_generation_prompt continue_final_message documents
    prompt_embeds logprobs top_logprobs prompt_logprobs echo best_of use_beam_search logit_bias
    tools tool_choice functions function_call response_format guided_json guided_regex
    structured_outputs guided_grammar mm_processor_kwargs media_io_kwargs audio modalities
    priority request_id kv_transfer_params vllm_xargs return_token_ids return_tokens_as_token_ids
    cache_salt min_tokens ignore_eos stop_token_ids bad_words allowed_token_ids top_k min_p
    skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens store metadata
    service_tier reasoning_effort include_reasoning suffix lora_request __proto__
"""
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"n": 2}, "n"),
    ({"n": 10**6}, "n"),
    ({"n": 0}, "n"),
    ({"max_tokens": 65}, "max_tokens"),
    ({"max_tokens": 10**12}, "max_tokens"),
    ({"max_completion_tokens": 65}, "max_completion_tokens"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"top_p": 0}, "top_p"),
    ({"top_p": 2}, "top_p"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**63}, "seed"),
    ({"frequency_penalty": 3}, "frequency_penalty"),
    ({"presence_penalty": -3}, "presence_penalty"),
    ({"repetition_penalty": 0}, "repetition_penalty"),
    ({"stop": ["x"] * 9}, "stop"),
    ({"stop": ""}, "stop"),
    ({"stop": "x" * 65}, "stop"),
    ({"user": "x" * 257}, "user"),
    ({"model": None}, "model"),
    ({"model": ["base"]}, "model"),
    ({"messages": []}, "messages"),
    ({"messages": [USER] * 257}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    ({"messages": [{"role": "developer", "content": "x"}]}, "messages.0.role"),
    ({"messages": [{"role": "user"}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
    ({"messages": [USER | {"name": "x"}]}, "messages.0.name"),
    ({"messages": [USER | {"tool_calls": []}]}, "messages.0.tool_calls"),
    ({"stream_options": {"x": 1}}, "stream_options.x"),
    ({"stream": "perhaps"}, "stream"),
]
MEDIA = [
    {"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}},
    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    {"type": "video_url", "video_url": {"url": "file:///etc/passwd"}},
    {"type": "prompt_embeds", "prompt_embeds": "x"},
    {"type": "text", "text": "x", "url": "file:///etc/passwd"},
]


def parsed(path: str = CHAT, **changes: Any) -> dict[str, Any]:
    """Parse a good body with changes."""
    body = {"model": "base", "messages": [USER]} | changes
    return parse_body(path, json.dumps(body).encode(), 64)


@pytest.mark.parametrize("field", FOREIGN.split())
@pytest.mark.parametrize("value", [None, 1, "{{ x }}"])
def test_foreign_field_is_named(field: str, value: Any) -> None:
    """A field that is not on the list is refused with its name, whatever its value."""
    with pytest.raises(Refusal) as caught:
        parsed(**{field: value})
    assert caught.value.status == 400
    assert caught.value.field == field
    assert "temperature" in str(caught.value.hint)


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_value_out_of_bounds_is_named(changes: dict[str, Any], field: str) -> None:
    """A known field with a wrong value is refused with its path."""
    with pytest.raises(Refusal) as caught:
        parsed(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("part", MEDIA)
def test_media_part_is_refused(part: dict[str, Any]) -> None:
    """Only text may stand in a message."""
    with pytest.raises(Refusal) as caught:
        parsed(messages=[{"role": "user", "content": [part]}])
    assert str(caught.value.field).startswith("messages.0.content")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"{}", b'{"model": NaN}', b"null", b"[" * 50_000],
)
def test_body_is_refused_when_it_is_no_object(raw: bytes) -> None:
    """Broken JSON is a 400, never an exception."""
    with pytest.raises(Refusal) as caught:
        parse_body(CHAT, raw, 64)
    assert caught.value.status == 400


def test_good_values_pass_and_absent_ones_stay_absent() -> None:
    """What vLLM gets is what was sent, without nulls and without the user's name."""
    sent = {"temperature": 0, "stop": ["x"], "seed": 3, "stream": True, "top_p": None}
    expected = {"model": "base", "messages": [USER], "temperature": 0.0, "stop": ["x"]}
    assert parsed(**sent, user="me") == expected | {"seed": 3, "stream": True}


def test_parts_become_one_text() -> None:
    """Text in OpenAI's list form is joined, so that it can be checked as a whole."""
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert parsed(messages=[{"role": "user", "content": parts}])["messages"][0]["content"] == "ab"


def test_second_spelling_of_a_key_does_not_pass() -> None:
    """Of two equal keys one is checked, and just that one is handed on."""
    raw = b'{"model": "evil", "model": "base", "messages": [{"role": "user", "content": "x"}]}'
    assert parse_body(CHAT, raw, 64)["model"] == "base"


def test_completion_takes_one_prompt_only() -> None:
    """Token ids and lists of prompts are refused."""
    good = {"model": "base", "prompt": "x"}
    assert parse_body("/v1/completions", json.dumps(good).encode(), 64) == good
    for prompt in (["x"], [1, 2], [[1]], None, 5):
        with pytest.raises(Refusal):
            parse_body("/v1/completions", json.dumps(good | {"prompt": prompt}).encode(), 64)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
known = st.sampled_from(sorted({*BODIES[CHAT].model_fields, "tools", "prompt"}))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(known | st.text(max_size=8), json_values, max_size=6))
def test_any_json_is_either_refused_or_clean(body: dict[str, Any]) -> None:
    """Whatever comes in, only listed fields go out, and nothing but a refusal is raised."""
    raw = json.dumps(body).encode(errors="surrogatepass")
    out, refusal = outcome(raw)
    assert refusal is None or (refusal.status, len(json.dumps(refusal.body)) < 2000) == (400, True)
    assert set(out) <= set(BODIES[CHAT].model_fields)


def outcome(raw: bytes) -> tuple[dict[str, Any], Refusal | None]:
    """Return what goes out, or the refusal."""
    try:
        return parse_body(CHAT, raw, 64), None
    except Refusal as refusal:
        return {}, refusal
