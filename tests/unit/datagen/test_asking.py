"""Tests of patience with the teacher: retries, Retry-After, breaker, giving up."""

import asyncio
import random
from contextlib import suppress
from typing import Any

import pytest

from datagen.asking import (
    CallFailedError,
    RefusedError,
    Teacher,
    TeacherReply,
    read_answer,
)
from datagen.budget import Ledger
from datagen.endpoint import Answer
from datagen.errors import TeacherDownError, TeacherSetupError
from datagen.metrics import Metrics
from datagen.prices import Prices
from fakes.clock import FakeClock

GOOD: dict[str, Any] = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}


class ScriptedEndpoint:
    """Plays a list of outcomes, then answers well; notes when each call came."""

    model = "fake"

    def __init__(self, clock: FakeClock, *outcomes: Exception | dict[str, Any]) -> None:
        self.clock = clock
        self.outcomes = list(outcomes)
        self.always: Exception | None = None
        self.recovers_at = float("inf")
        self.times: list[float] = []
        self.failed = asyncio.Event()

    async def send(self, body: dict[str, Any], request_id: str) -> Answer:
        """Play the next outcome."""
        self.times.append(self.clock())
        await asyncio.sleep(0)
        always = self.always if self.clock() < self.recovers_at else None
        outcome = always or (self.outcomes.pop(0) if self.outcomes else GOOD)
        if isinstance(outcome, Exception):
            self.failed.set()
            raise outcome
        return Answer(outcome, "theirs")

    async def close(self) -> None:
        """Nothing to close."""


def teacher_of(endpoint: ScriptedEndpoint, *, patience: float = 900.0) -> Teacher:
    """Return a teacher on the endpoint's clock."""
    return Teacher(
        endpoint,
        Metrics(),
        concurrency=8,
        patience_seconds=patience,
        clock=endpoint.clock,
        sleep=endpoint.clock.sleep,
        chance=random.Random(1),
    )


async def ask(teacher: Teacher) -> TeacherReply:
    """Ask something."""
    return await teacher.ask([{"role": "user", "content": "hi"}], temperature=0.5, seed=1)


async def test_transient_failure_is_asked_again() -> None:
    """A failure of each kind is forgiven."""
    endpoint = ScriptedEndpoint(
        FakeClock(), CallFailedError("server"), CallFailedError("timeout"), {"choices": []}
    )
    teacher = teacher_of(endpoint)
    assert (await ask(teacher)).text == "hi"
    assert len(endpoint.times) == 4
    registry = teacher.metrics.registry
    labels = {"model": "fake", "reason": "malformed"}
    assert registry.get_sample_value("datagen_retries_total", labels) == 1
    labels = {"model": "fake", "status": "ok"}
    assert registry.get_sample_value("datagen_teacher_requests_total", labels) == 1


async def test_retry_after_holds_back_every_call() -> None:
    """After a 429 nobody calls before the time that the teacher named."""
    endpoint = ScriptedEndpoint(FakeClock(), CallFailedError("throttled", 20.0))
    teacher = teacher_of(endpoint)

    async def later() -> TeacherReply:
        await endpoint.failed.wait()
        return await ask(teacher)

    await asyncio.gather(ask(teacher), later())
    assert endpoint.times[0] == 0
    assert all(time >= 20.0 for time in endpoint.times[1:])
    assert len(endpoint.times) == 3
    assert teacher.limit.value < 8


async def test_retry_after_of_an_overloaded_server_holds_back_every_call() -> None:
    """A 503 may name a time as well."""
    endpoint = ScriptedEndpoint(FakeClock(), CallFailedError("server", 30.0))
    teacher = teacher_of(endpoint)
    await ask(teacher)
    assert endpoint.times[1] >= 30.0
    assert teacher.limit.value == 8


async def test_reply_says_where_it_comes_from() -> None:
    """Teacher, the id that we sent and the one that came back."""
    teacher = teacher_of(ScriptedEndpoint(FakeClock()))
    reply = await ask(teacher)
    assert reply.teacher == "fake"
    assert reply.provenance
    assert (reply.provenance.answer_id, len(reply.provenance.request_id)) == ("theirs", 32)


@pytest.mark.parametrize(
    ("failure", "in_doubt"),
    [
        (CallFailedError("throttled", unpaid=True), False),
        (CallFailedError("timeout"), True),
        ({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}, False),
        (RefusedError("HTTP 400"), False),
    ],
)
async def test_only_a_call_that_may_have_been_paid_is_in_doubt(
    failure: Exception | dict[str, Any], in_doubt: bool
) -> None:
    """An answer of no use is paid as it says; an error costs nothing."""
    teacher = teacher_of(ScriptedEndpoint(FakeClock(), failure))
    teacher.prices, teacher.ledger = Prices(1.0, 1.0, 1.0), Ledger(budget=1.0)
    good = {**GOOD, "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    teacher.endpoint.outcomes.append(good)  # type: ignore[attr-defined]
    with suppress(RefusedError):
        await ask(teacher)
    assert (teacher.ledger.in_doubt > 0) == in_doubt
    paid = 2 if isinstance(failure, dict) else 0 if isinstance(failure, RefusedError) else 1
    assert teacher.ledger.spent.get("fake", 0) == pytest.approx(paid * 13e-6)
    assert not teacher.ledger.held


async def test_error_in_the_place_of_an_answer_is_no_missing_report_of_usage() -> None:
    """Some say HTTP 200 to a failure: the call is asked again, and counts in full meanwhile."""
    good = {**GOOD, "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    teacher = teacher_of(ScriptedEndpoint(FakeClock(), {"error": {"code": 502}}, good))
    teacher.prices, teacher.ledger = Prices(1.0, 1.0, 1.0), Ledger(budget=1.0)
    assert (await ask(teacher)).text == "hi"
    assert teacher.ledger.in_doubt > 0
    assert teacher.ledger.spent["fake"] == pytest.approx(13e-6)


async def test_throttling_never_uses_up_the_tries() -> None:
    """Thirty 429 in a row are waited out: the breaker stays closed."""
    endpoint = ScriptedEndpoint(FakeClock(), *(CallFailedError("throttled", 1.0),) * 30)
    teacher = teacher_of(endpoint)
    assert (await ask(teacher)).text == "hi"
    assert not teacher.breaker.is_open


async def test_request_that_always_fails_is_refused() -> None:
    """A request that alone makes the teacher fail does not hold up the others for ever."""
    endpoint = ScriptedEndpoint(FakeClock(), *(CallFailedError("server"),) * 6)
    with pytest.raises(RefusedError, match="server, 6 tries"):
        await ask(teacher_of(endpoint))


async def test_black_out_is_waited_out_with_few_probes() -> None:
    """Eight calls survive ten minutes of errors; the breaker keeps nearly all calls back."""
    endpoint = ScriptedEndpoint(FakeClock())
    endpoint.always = CallFailedError("connection")
    endpoint.recovers_at = 600
    teacher = teacher_of(endpoint)
    replies = await asyncio.gather(*(ask(teacher) for _ in range(8)))
    assert [reply.text for reply in replies] == ["hi"] * 8
    assert len(endpoint.times) < 8 + 10 + 40
    assert not teacher.breaker.is_open


async def test_patience_ends() -> None:
    """Where no call succeeds for longer than the operator allows, the job fails, resumable."""
    endpoint = ScriptedEndpoint(FakeClock())
    endpoint.always = CallFailedError("connection")
    teacher = teacher_of(endpoint, patience=120)
    results = await asyncio.gather(*(ask(teacher) for _ in range(4)), return_exceptions=True)
    assert all(isinstance(result, TeacherDownError | RefusedError) for result in results)
    assert any(isinstance(result, TeacherDownError) for result in results)


async def test_wait_beyond_the_patience_is_not_begun() -> None:
    """A Retry-After of an hour ends the job with that reason."""
    endpoint = ScriptedEndpoint(FakeClock(), CallFailedError("throttled", 3600.0))
    with pytest.raises(TeacherDownError, match="3600 s"):
        await ask(teacher_of(endpoint))


async def test_next_job_does_not_wait_out_a_retry_after_of_hours() -> None:
    """It ends as the first did, with the reason, and holds no place meanwhile."""
    endpoint = ScriptedEndpoint(FakeClock(), CallFailedError("throttled", 3600.0))
    teacher = teacher_of(endpoint)
    for _ in range(2):
        with pytest.raises(TeacherDownError, match="3600 s"):
            await ask(teacher)
    assert (endpoint.clock(), teacher.limit.running) == (0, 0)
    endpoint.clock.now = 3600
    assert (await ask(teacher)).text == "hi"


async def test_whoever_waits_for_a_place_does_not_wait_out_a_retry_after_of_hours() -> None:
    """The one that is told to wait gives up, and so do those in the queue behind it."""
    endpoint = ScriptedEndpoint(FakeClock(), CallFailedError("throttled", 3600.0))
    teacher = teacher_of(endpoint)
    teacher.limit.most, teacher.limit.value = 1, 1.0
    results = await asyncio.gather(*(ask(teacher) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [TeacherDownError] * 3
    assert endpoint.clock() == 0


async def test_job_resumed_after_an_outage_is_not_failed_by_the_old_one() -> None:
    """Those that wait for the first probe wait from now on, not since the outage began."""
    endpoint = ScriptedEndpoint(FakeClock())
    endpoint.always = CallFailedError("connection")
    teacher = teacher_of(endpoint, patience=120)
    await asyncio.gather(*(ask(teacher) for _ in range(4)), return_exceptions=True)
    assert teacher.breaker.is_open
    endpoint.always = None
    endpoint.clock.now += 7200
    replies = await asyncio.gather(*(ask(teacher) for _ in range(8)))
    assert [reply.text for reply in replies] == ["hi"] * 8


async def test_wrong_set_up_is_not_retried() -> None:
    """A wrong key fails at once."""
    endpoint = ScriptedEndpoint(FakeClock(), TeacherSetupError("HTTP 401"))
    with pytest.raises(TeacherSetupError):
        await ask(teacher_of(endpoint))
    assert len(endpoint.times) == 1


async def test_cancelled_call_gives_its_place_back() -> None:
    """A job that is stopped leaves the teacher usable."""

    class Hanging(ScriptedEndpoint):
        async def send(self, body: dict[str, Any], request_id: str) -> Answer:
            await asyncio.Event().wait()
            return Answer(GOOD)

    teacher = teacher_of(Hanging(FakeClock()))
    task = asyncio.create_task(ask(teacher))
    for _ in range(5):
        await asyncio.sleep(0)
    assert teacher.limit.running == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert teacher.limit.running == 0


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 3}}]},
        {"choices": [{"message": {}}]},
        {"choices": "x"},
    ],
)
def test_answer_of_another_shape_is_malformed(answer: dict[str, Any]) -> None:
    """Whatever JSON comes, only a text counts as a reply."""
    with pytest.raises(CallFailedError, match="malformed"):
        read_answer(answer)


def test_answer_is_stripped_of_thinking_and_knows_whether_it_was_cut() -> None:
    """The reply is what is said; `length` means that it is not whole."""
    message = {"content": "<think>hm</think>\n\nYes. "}
    answer = {"choices": [{"message": message, "finish_reason": "length"}]}
    assert read_answer(answer) == TeacherReply("Yes.", cut=True)
    assert read_answer({"choices": [{"message": {"content": None}}]}) == TeacherReply("")
