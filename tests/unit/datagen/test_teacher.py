"""Tests of the endpoint behind the SDK: what each fault of a real teacher means (R13, S6)."""

import asyncio
from collections.abc import MutableMapping
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from contracts.identity import now
from datagen.asking import CallFailedError, RefusedError
from datagen.config import Settings
from datagen.errors import TeacherSetupError
from datagen.metrics import Metrics
from datagen.teacher import SdkEndpoint, open_teacher, retry_after_seconds
from fakes.teacher import JSON, TRANSIENT, FakeTeacher, Fault, Receive, Scope, Send

Response = tuple[int, str, bytes, list[tuple[bytes, bytes]]]

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "hi"}]}


def endpoint_of(fake: FakeTeacher, timeout: float = 60.0) -> SdkEndpoint:
    """Return the endpoint of an embedded app."""
    settings = Settings(teacher_timeout_seconds=timeout)
    endpoint = open_teacher(settings, Metrics(), fake).endpoint
    assert isinstance(endpoint, SdkEndpoint)
    return endpoint


async def test_good_answer_comes_through() -> None:
    """The body goes out as it is, the answer comes back as JSON."""
    fake = FakeTeacher(lambda _: "hello")
    endpoint = endpoint_of(fake)
    answer, _ = await endpoint.send(BODY, "r1")
    assert answer["choices"][0]["message"]["content"] == "hello"
    assert fake.calls == [BODY]
    await endpoint.close()


@pytest.mark.parametrize("fault", TRANSIENT)
async def test_transient_fault_is_a_failed_call(fault: Fault) -> None:
    """No fault gives a row or another error; each is told apart and can be tried again."""
    limit = 0.1 if fault is Fault.HANG else 60.0
    endpoint = endpoint_of(FakeTeacher(lambda _: "hello", [fault]), timeout=limit)
    reasons = {
        Fault.THROTTLED: "throttled",
        Fault.SERVER_ERROR: "server",
        Fault.HANG: "timeout",
        Fault.HUGE: "connection",
        Fault.GZIP_BOMB: "connection",
    }
    if fault in {Fault.EMPTY_CHOICES, Fault.WRONG_JSON}:
        teacher = open_teacher(Settings(), Metrics(), FakeTeacher(lambda _: "hello", [fault]))
        teacher.sleep = no_sleep
        reply = await teacher.ask([], temperature=0, seed=1)
        assert reply.text == "hello"
        return
    with pytest.raises(CallFailedError) as caught:
        await endpoint.send(BODY, "r1")
    assert caught.value.reason == reasons.get(fault, "malformed")
    assert (caught.value.retry_after == 2.0) == (fault is Fault.THROTTLED)


async def no_sleep(_: float) -> None:
    """Do not wait."""
    await asyncio.sleep(0)


@pytest.mark.parametrize("fault", [Fault.REDIRECT, Fault.BAD_KEY])
async def test_wrong_address_or_key_is_a_matter_of_set_up(fault: Fault) -> None:
    """A redirect is never followed: the key stays with the address that the operator named."""
    fake = FakeTeacher(lambda _: "hello", [fault])
    with pytest.raises(TeacherSetupError) as caught:
        await endpoint_of(fake).send(BODY, "r1")
    assert "TEACHER_BASE_URL" in str(caught.value.body.hint)
    assert len(fake.calls) == 1


async def test_request_id_goes_out_and_the_teachers_comes_back() -> None:
    """So that both sides can find the call in their logs."""
    seen: dict[bytes, bytes] = {}

    class Naming(FakeTeacher):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.update(scope["headers"])

            async def named(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"x-request-id", b"req-9"))
                await send(message)

            await super().__call__(scope, receive, named)

    answer = await endpoint_of(Naming(lambda _: "hello")).send(BODY, "r1")
    assert seen[b"x-client-request-id"] == b"r1"
    assert answer.request_id == "req-9"


async def test_key_and_the_wish_for_no_compression_go_out(tmp_path: Path) -> None:
    """The SDK's headers stand in every request; what the SDK leaves out does not."""
    key = tmp_path / "key"
    key.write_text("sekret")
    seen: list[dict[bytes, bytes]] = []

    class Noting(FakeTeacher):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(dict(scope["headers"]))
            await super().__call__(scope, receive, send)

    settings = Settings(teacher_api_key_file=key)
    endpoint = open_teacher(settings, Metrics(), Noting(lambda _: "hello")).endpoint
    for request in ("r1", "r2"):
        await endpoint.send(BODY, request)
    for headers in seen:
        assert headers[b"authorization"] == b"Bearer sekret"
        assert headers[b"accept-encoding"] == b"identity"
        assert headers[b"content-type"] == b"application/json"
        assert b"openai-organization" not in headers
    assert [headers[b"x-client-request-id"] for headers in seen] == [b"r1", b"r2"]


async def test_half_a_character_goes_out_as_a_question_mark() -> None:
    """A text from outside may hold half of a surrogate pair, which no request can."""
    fake = FakeTeacher(lambda _: "hello")
    await endpoint_of(fake).send({"messages": [{"role": "user", "content": "a\ud800b"}]}, "r1")
    assert fake.calls[0]["messages"][0]["content"] == "a?b"


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"error": "busy"}', b'{"error": {"code": 7}}']
)
async def test_error_without_a_code_is_judged_by_its_status(body: bytes) -> None:
    """Whatever stands in an error's body, the status says what it means."""

    class Busy(FakeTeacher):
        def respond(self, fault: Fault | None, _: dict[str, Any]) -> Response:
            return 503, JSON, body, []

    with pytest.raises(CallFailedError, match="server"):
        await endpoint_of(Busy(lambda _: "")).send(BODY, "r1")


async def test_account_without_credit_is_a_matter_of_set_up() -> None:
    """It comes as a 429, and no waiting mends it."""

    class Broke(FakeTeacher):
        def respond(self, fault: Fault | None, body: dict[str, Any]) -> Response:
            return 429, JSON, b'{"error": {"code": "insufficient_quota"}}', []

    with pytest.raises(TeacherSetupError, match="insufficient_quota"):
        await endpoint_of(Broke(lambda _: "")).send(BODY, "r1")


async def test_refused_request_is_told_apart() -> None:
    """A 400 is about this request only."""
    with pytest.raises(RefusedError):
        await endpoint_of(FakeTeacher(lambda _: "hello", [Fault.REFUSED])).send(BODY, "r1")


async def test_unreachable_address_is_a_failed_call(tmp_path: Path) -> None:
    """Nobody listens: the aiohttp backend's error is ours too."""
    settings = Settings(teacher_base_url="http://127.0.0.1:22999/v1", teacher_model="m")
    teacher = open_teacher(settings, Metrics(), FakeTeacher(lambda _: ""))
    with pytest.raises(CallFailedError, match="connection") as caught:
        await teacher.endpoint.send(BODY, "r1")
    assert caught.value.unpaid
    await teacher.close()


async def test_connection_that_breaks_after_the_request_may_have_been_paid() -> None:
    """The teacher took the request and hung up: nobody knows what it will bill."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(teacher_base_url=f"http://127.0.0.1:{port}/v1", teacher_model="m")
    teacher = open_teacher(settings, Metrics(), FakeTeacher(lambda _: ""))
    with pytest.raises(CallFailedError, match="connection") as caught:
        await teacher.endpoint.send(BODY, "r1")
    assert not caught.value.unpaid
    await teacher.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("status", [200, 503])
async def test_answer_that_nests_without_end_is_a_failed_call(status: int) -> None:
    """A hundred thousand brackets are too deep for any reader of JSON."""

    class Deep(FakeTeacher):
        def respond(self, fault: Fault | None, _: dict[str, Any]) -> Response:
            return status, JSON, b"[" * 100_000, []

    with pytest.raises(CallFailedError, match="malformed" if status == 200 else "server"):
        await endpoint_of(Deep(lambda _: "")).send(BODY, "r1")


async def test_key_is_read_from_its_file(tmp_path: Path) -> None:
    """The key goes into the request's header and nowhere else."""
    key = tmp_path / "key"
    key.write_text("sekret\n")
    settings = Settings(teacher_api_key_file=key)
    endpoint = open_teacher(settings, Metrics(), FakeTeacher(lambda _: "")).endpoint
    assert isinstance(endpoint, SdkEndpoint)
    assert endpoint.client.api_key == "sekret"
    assert "sekret" not in repr(settings)


def test_retry_after_is_a_number_or_a_date() -> None:
    """Both forms of the header are understood, nonsense is ignored."""
    assert retry_after_seconds("7") == 7
    assert retry_after_seconds("-1") == 0
    assert retry_after_seconds("") is None
    assert retry_after_seconds("soon") is None
    assert retry_after_seconds("inf") is None
    assert retry_after_seconds("Mon, 01 Jan 99999999999999999999 00:00:00 GMT") is None
    later = format_datetime(now() + timedelta(seconds=60), usegmt=True)
    assert retry_after_seconds(later) == pytest.approx(60, abs=2)


def test_transport_is_in_process_without_an_address() -> None:
    """The embedded teacher is reached through the same SDK, without a socket."""
    teacher = open_teacher(Settings(), Metrics(), FakeTeacher(lambda _: ""))
    assert teacher.model == "scripted"
    assert isinstance(teacher.endpoint, SdkEndpoint)
    assert str(teacher.endpoint.client.base_url) == "http://scripted/v1/"
    assert isinstance(teacher.endpoint.client._client._transport, httpx2.ASGITransport)
