"""Where a reply comes from."""

from datagen.provenance import MAX_NAME, prompt_digest, provenance_of

MESSAGES = [{"role": "user", "content": "你好"}]
BODY = {"model": "m", "messages": MESSAGES, "seed": 7, "temperature": 0.5}


def test_call_can_be_found_and_asked_again() -> None:
    """The teacher's names win; ours are there where it has none."""
    answer = {
        "id": "chatcmpl-1",
        "model": "m-2026-01-01",
        "usage": {"prompt_tokens": 9, "completion_tokens": 4},
    }
    found = provenance_of(BODY, answer, "ours", "")
    assert (found.model, found.request_id, found.answer_id) == (
        "m-2026-01-01",
        "ours",
        "chatcmpl-1",
    )
    assert (found.seed, found.temperature, found.input_tokens) == (7, 0.5, 9)
    assert provenance_of(BODY, answer, "ours", "req-9").answer_id == "req-9"
    assert provenance_of(BODY, {}, "ours", "").model == "m"


def test_names_from_outside_are_bounded_and_encodable() -> None:
    """A teacher cannot make a row long, or break the file."""
    found = provenance_of(BODY, {"id": "x" * 9999, "model": "\ud83d"}, "ours", "")
    assert len(found.answer_id) == MAX_NAME
    assert found.model == "?"
    assert provenance_of(BODY, {"id": 5, "model": ["m"]}, "ours", "").answer_id == ""


def test_equal_prompts_have_equal_digests() -> None:
    """Whatever else is asked with them."""
    assert prompt_digest(BODY) == prompt_digest({"messages": MESSAGES})
    assert prompt_digest(BODY) != prompt_digest({"messages": [*MESSAGES, *MESSAGES]})
