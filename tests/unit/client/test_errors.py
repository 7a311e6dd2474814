"""Error bodies of our services, of OpenAI-compatible servers, and of anything between."""

import json

import pytest

from client.errors import ServiceDownError, error_body


def test_our_envelope_is_read() -> None:
    """Code, message, field and hint arrive as the service wrote them."""
    told = {"code": "not_found", "message": "no such base", "field": "base_model", "hint": "see it"}
    body = error_body(404, json.dumps({"error": told}).encode())
    assert body.model_dump() == told


def test_openai_envelope_is_read() -> None:
    """A number as code and `param` as field are understood."""
    told = {"message": "no such model", "type": "NotFoundError", "param": "model", "code": 404}
    body = error_body(404, json.dumps({"error": told}).encode())
    assert (body.code, body.field, body.message) == ("404", "model", "no such model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<h1>Bad Gateway</h1>", "<h1>Bad Gateway</h1>"),
        (b"", "HTTP status 502"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'"text"', "text"),
        (b'{"error": "text"}', "text"),
    ],
)
def test_other_bodies_are_quoted(content: bytes, message: str) -> None:
    """A body in another shape becomes a message, never a new error."""
    assert error_body(502, content).message == message


def test_message_is_cut() -> None:
    """A page of text does not fill the terminal."""
    assert len(error_body(500, b"x" * 5000).message) == 600


def test_down_error_names_the_address() -> None:
    """Who reads it knows which service to look at."""
    assert "http://127.0.0.1:1 (refused)" in str(ServiceDownError("http://127.0.0.1:1", "refused"))
